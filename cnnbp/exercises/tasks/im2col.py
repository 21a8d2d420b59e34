"""Windows as the columns of a matrix."""

import numpy as np

from cnnbp import convolution
from cnnbp.exercises import cases, choices
from cnnbp.exercises.choices import same, wrong
from cnnbp.exercises.task import exercise
from cnnbp.shape import pool_windows

ORDER = "13, the order of the columns"
PADDING = "06, look past the border with padding"
STRIDE = "06, step further"


def to_columns(x, kernel_size, stride, padding):
    return convolution.im2col(x, kernel_size, stride=stride, padding=padding)


@exercise(
    lesson="13",
    given={
        "x": "N C H W: the images",
        "kernel_size": "KH KW",
        "stride": "pair",
        "padding": "pair",
    },
    returns={"columns": "C·KH·KW OH·OW·N"},
    tiny=cases.tiny_columns,
    cases=cases.columns,
    answer=to_columns,
    hints=[
        "Make the matrix of zeros, (C·KH·KW, OH·OW·N), and fill it number by number.",
        "OH is (H + 2·padding[0] − KH) // stride[0] + 1, OW alike. Then loop n, c, kh, kw, i, j.",
        "Under its cell (c, kh, kw) window (i, j) has row i·stride[0] + kh − padding[0] of the "
        "image, columns alike; beyond the image, 0 stays.",
    ],
)
def im2col(x, kernel_size, stride, padding):
    """Every window of every image as one column of a matrix.

    The pixel under kernel cell (c, kh, kw) in window (i, j) of image n goes to row
    c·KH·KW + kh·KW + kw and column (i·OW + j)·N + n: the batch runs fastest. Padding is 0.
    """
    (N, C, H, W), (KH, KW) = x.shape, kernel_size
    OH = (H + 2 * padding[0] - KH) // stride[0] + 1
    OW = (W + 2 * padding[1] - KW) // stride[1] + 1
    columns = np.zeros((C * KH * KW, OH * OW * N))
    for n, c, kh, kw, i, j in np.ndindex(N, C, KH, KW, OH, OW):
        row = i * stride[0] + kh - padding[0]
        column = j * stride[1] + kw - padding[1]
        if 0 <= row < H and 0 <= column < W:
            columns[(c * KH + kh) * KW + kw, (i * OW + j) * N + n] = x[n, c, row, column]
    return columns


def every_window(x, kernel_size, stride, padding):
    """The columns of stride 1, which are more."""
    return to_columns(x, kernel_size, (1, 1), padding)


# fmt: off
ROWS = [
    same,
    wrong("channels_run_fastest", ORDER, "the rows have the channel last, (kh·KW + kw)·C + c: here "
        "it comes first, c·KH·KW + kh·KW + kw.", lambda windows: np.moveaxis(windows, 0, 2),
        convention=True),
    wrong("kernel_columns_run_slower", ORDER, "the rows run through the kernel column by column, "
        "c·KH·KW + kw·KH + kh: here it is row by row, c·KH·KW + kh·KW + kw.",
        lambda windows: windows.swapaxes(1, 2), convention=True),
    wrong("rows_in_reverse_order", ORDER, "the rows run through (kw, kh, c), all three the other "
        "way round: here it is (c, kh, kw).", lambda windows: windows.swapaxes(0, 2)),
    wrong("kernel_rotated", ORDER, "the rows run through the kernel backward, as if it were "
        "rotated: the first is the kernel's first cell, (0, 0).",
        lambda windows: windows[:, ::-1, ::-1], lambda windows: windows[::-1, ::-1, ::-1]),
]
IMAGES = [
    same,
    wrong("one_sample_only", ORDER, "only one image is there: the columns of all images stand in "
        "the matrix, OH·OW·N of them.", lambda x: x[:1], lambda x: x[-1:]),
    wrong("channels_summed", ORDER, "the channels are summed, or only one is there: every channel "
        "has its own KH·KW rows.", lambda x: x.sum(axis=1, keepdims=True), lambda x: x[:, :1],
        lambda x: x[:, -1:]),
]
COLUMNS = [
    same,
    wrong("batch_runs_slowest", ORDER, "the columns have the batch first, n·OH·OW + i·OW + j: here "
        "it comes last, (i·OW + j)·N + n.", lambda windows: np.moveaxis(windows, 5, 3),
        convention=True),
    wrong("windows_run_column_by_column", ORDER, "the columns run through the windows column by "
        "column, (j·OH + i)·N + n: here it is row by row, (i·OW + j)·N + n.",
        lambda windows: windows.swapaxes(3, 4), convention=True),
    wrong("columns_in_reverse_order", ORDER, "the columns run through (n, j, i): here it is (i, j, "
        "n), the batch fastest.", lambda windows: windows.swapaxes(3, 5)),
]
LAYOUTS = [
    lambda windows, count: windows.reshape(count, -1),
    wrong("windows_as_rows", ORDER, "the matrix has a row for each window: here a window is a "
        "column.", lambda windows, count: windows.reshape(count, -1).T, convention=True),
    wrong("windows_as_rows_image_by_image", ORDER, "the matrix has a row for each window, image by "
        "image: here a window is a column, and the batch runs fastest.",
        lambda windows, count: np.moveaxis(windows, 5, 3).reshape(count, -1).T, convention=True),
    wrong(
        "a_matrix_for_each_image",
        ORDER,
        "there is a matrix for each image, (N, C·KH·KW, OH·OW): here all images stand in one, "
        "(C·KH·KW, OH·OW·N), the batch fastest.",
        lambda windows, count: np.moveaxis(windows, 5, 0).reshape(windows.shape[5], count, -1),
        lambda windows, count: windows.reshape(count, -1, windows.shape[5]),
        lambda windows, count: np.moveaxis(
            windows.reshape(count, -1, windows.shape[5]), 2, 0
        ).swapaxes(1, 2),
        convention=True,
    ),
    wrong("reshaped_without_moving_axes", ORDER, "the windows are reshaped while their axes stand "
        "in another order, which puts numbers into columns where they do not belong: move the axes "
        "to (C, KH, KW, OH, OW, N) first.",
        lambda windows, count: np.moveaxis(windows, 5, 0).reshape(count, -1),
        lambda windows, count: windows.transpose(5, 0, 3, 4, 1, 2).reshape(count, -1),
        lambda windows, count: windows.transpose(5, 3, 4, 0, 1, 2).reshape(count, -1),
        lambda windows, count: windows.transpose(3, 4, 5, 0, 1, 2).reshape(count, -1)),
]


@im2col.steps(
    padding=choices.paddings(
        PADDING,
        also=choices.with_other(to_columns, "padding", choices.left_out),
        both=choices.with_other(to_columns, "padding", *choices.BOTH_ALIKE),
    ),
    stride=choices.strides(
        STRIDE,
        also=(every_window,),
        both=choices.with_other(to_columns, "stride", *choices.BOTH_ALIKE),
        window="window (i, j)",
    ),
    begin=choices.beginnings(PADDING),
    cells=choices.cells(STRIDE),
    images=IMAGES,
    row_numbers=choices.row_numbers(ORDER, choices.written, choices.written_on_pixels),
    column_numbers=choices.column_numbers(ORDER, choices.written, choices.written_on_pixels),
    rows=ROWS,
    columns=COLUMNS,
    layout=LAYOUTS,
)
def by_steps(steps, x, kernel_size, stride, padding):
    count = pool_windows(x.shape, kernel_size, stride=stride, padding=padding).output
    x = steps.images(x)
    wide, stride = steps.padding(x, padding), steps.stride(stride, kernel_size)
    wide = steps.begin(wide, padding, stride)
    windows = steps.cells(wide, kernel_size, stride, count)
    windows = windows.transpose(1, 4, 5, 2, 3, 0)  # (C, KH, KW, OH, OW, N)
    windows = steps.column_numbers(steps.row_numbers(windows))
    return steps.layout(steps.columns(steps.rows(windows)), x.shape[1] * np.prod(kernel_size))

"""Columns added back to the image."""

import numpy as np

from cnnbp import convolution
from cnnbp.exercises import cases, choices
from cnnbp.exercises.choices import same, wrong
from cnnbp.exercises.task import exercise
from cnnbp.shape import pool_windows

ORDER = "13, the order of the columns"
PADDING = "08, the padding is cropped"
STRIDE = "06, step further"
ADJOINT = "13, im2col and col2im are adjoints"


def to_image(columns, x_shape, kernel_size, stride, padding):
    return convolution.col2im(columns, x_shape, kernel_size, stride=stride, padding=padding)


@exercise(
    lesson="13",
    given={
        "columns": "C·KH·KW OH·OW·N",
        "x_shape": "N C H W",
        "kernel_size": "KH KW",
        "stride": "pair",
        "padding": "pair",
    },
    returns={"x": "N C H W"},
    tiny=cases.tiny_columns,
    cases=cases.columns,
    answer=to_image,
    hints=[
        "Run the loops of im2col once more, but let the numbers flow the other way.",
        "A pixel lies in several windows, so it gets the sum of its copies: +=.",
    ],
)
def col2im(columns, x_shape, kernel_size, stride, padding):
    """Every number of the columns added to the pixel that im2col had copied it from.

    This is the adjoint of im2col, not its inverse: a pixel in several windows gets the sum. Row
    c·KH·KW + kh·KW + kw and column (i·OW + j)·N + n belong to kernel cell (c, kh, kw) in window
    (i, j) of image n.
    """
    (N, C, H, W), (KH, KW) = x_shape, kernel_size
    OH = (H + 2 * padding[0] - KH) // stride[0] + 1
    OW = (W + 2 * padding[1] - KW) // stride[1] + 1
    x = np.zeros(x_shape)
    for n, c, kh, kw, i, j in np.ndindex(N, C, KH, KW, OH, OW):
        row = i * stride[0] + kh - padding[0]
        column = j * stride[1] + kw - padding[1]
        if 0 <= row < H and 0 <= column < W:
            x[n, c, row, column] += columns[(c * KH + kh) * KW + kw, (i * OW + j) * N + n]
    return x


def copies_divided(parts, stride, shape):
    """The mean of the copies of every pixel."""
    copies = choices.added(np.ones(parts.shape), stride, shape)
    return choices.added(parts, stride, shape) / np.maximum(copies, 1)


# fmt: off
OVERLAPS = [
    *choices.overlaps(ADJOINT, name="copies_assigned"),
    wrong("copies_averaged", ADJOINT, "you take the mean of a pixel's copies, which undoes im2col: "
        "the backward pass needs its adjoint, the sum.", copies_divided),
]
LAYOUTS = [
    same,
    wrong("reshaped_with_another_order_of_axes", ORDER, "the matrix is reshaped as if its axes "
        "stood in another order: it is (C, KH, KW, OH, OW, N), and only then are axes moved.",
        lambda columns, *axes: laid(columns, axes, (5, 0, 1, 2, 3, 4)),
        lambda columns, *axes: laid(columns, axes, (5, 3, 4, 0, 1, 2)),
        lambda columns, *axes: columns.T.reshape(columns.shape)),
]
ROWS = [
    lambda columns, C, KH, KW: columns.reshape(C, KH, KW, -1),
    wrong("channels_taken_as_fastest", ORDER, "you read the rows with the channel last, (kh·KW + "
        "kw)·C + c: here it comes first, c·KH·KW + kh·KW + kw.",
        lambda columns, C, KH, KW: np.moveaxis(columns.reshape(KH, KW, C, -1), 2, 0),
        convention=True),
    wrong("kernel_read_column_by_column", ORDER, "you read the rows as if the kernel ran column by "
        "column, c·KH·KW + kw·KH + kh: here it is row by row, c·KH·KW + kh·KW + kw.",
        lambda columns, C, KH, KW: columns.reshape(C, KW, KH, -1).swapaxes(1, 2),
        convention=True),
    wrong("rows_read_in_reverse_order", ORDER, "you read the rows as (kw, kh, c), all three the "
        "other way round: here they are (c, kh, kw).",
        lambda columns, C, KH, KW: columns.reshape(KW, KH, C, -1).swapaxes(0, 2)),
    wrong("kernel_read_backward", ORDER, "you read the rows as if they ran through the kernel "
        "backward, as if it were rotated: the first is the kernel's first cell, (0, 0).",
        lambda columns, C, KH, KW: columns.reshape(C, KH, KW, -1)[:, ::-1, ::-1],
        lambda columns, C, KH, KW: columns[::-1].reshape(C, KH, KW, -1)),
]
COLUMNS = [
    lambda rows, OH, OW, N: rows.reshape(*rows.shape[:3], OH, OW, N),
    wrong("batch_taken_as_slowest", ORDER, "you read the columns with the batch first, n·OH·OW + "
        "i·OW + j: here it comes last, (i·OW + j)·N + n.",
        lambda rows, OH, OW, N: np.moveaxis(rows.reshape(*rows.shape[:3], N, OH, OW), 3, 5),
        convention=True),
    wrong("windows_read_column_by_column", ORDER, "you read the columns as if windows ran column "
        "by column, (j·OH + i)·N + n: here it is row by row, (i·OW + j)·N + n.",
        lambda rows, OH, OW, N: rows.reshape(*rows.shape[:3], OW, OH, N).swapaxes(3, 4),
        convention=True),
    wrong("columns_read_in_reverse_order", ORDER, "you read the columns as (n, j, i): here they "
        "are (i, j, n), the batch fastest.",
        lambda rows, OH, OW, N: rows.reshape(*rows.shape[:3], N, OW, OH).swapaxes(3, 5)),
]


def laid(columns, axes, order):
    """The matrix of columns that has been read as (C, KH, KW, OH, OW, N) in another order."""
    read = columns.reshape([axes[axis] for axis in order])
    return read.transpose(np.argsort(order)).reshape(columns.shape)


@col2im.steps(
    layout=LAYOUTS,
    rows=ROWS,
    columns=COLUMNS,
    row_numbers=choices.row_numbers(ORDER, choices.read),
    column_numbers=choices.column_numbers(ORDER, choices.read),
    stride=choices.strides(
        STRIDE,
        both=choices.with_other(col2im.function, "stride", *choices.BOTH_ALIKE),
        window="window (i, j)",
    ),
    cells=choices.written_cells(STRIDE),
    overlap=OVERLAPS,
    begin=choices.written_beginnings(PADDING),
    crop=choices.crops(
        PADDING, both=choices.with_other(col2im.function, "padding", *choices.BOTH_ALIKE)
    ),
    samples=choices.samples(ADJOINT),
)
def by_steps(steps, columns, x_shape, kernel_size, stride, padding):
    N, C, H, W = x_shape
    count = pool_windows(x_shape, kernel_size, stride=stride, padding=padding).output
    columns = steps.layout(columns, C, *kernel_size, *count, N)
    parts = steps.columns(steps.rows(columns, C, *kernel_size), *count, N)
    parts = steps.column_numbers(steps.row_numbers(parts))  # (C, KH, KW, OH, OW, N)
    parts, stride = parts.transpose(5, 0, 3, 4, 1, 2), steps.stride(stride, kernel_size)
    parts, wide_shape = steps.cells(parts, stride), (H + 2 * padding[0], W + 2 * padding[1])
    wide = steps.begin(steps.overlap(parts, stride, wide_shape), padding, stride)
    reach = choices.reach_of(count, kernel_size, stride)
    return steps.samples(steps.crop(wide, x_shape, padding, reach))

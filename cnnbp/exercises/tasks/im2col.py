"""Windows as the columns of a matrix."""

import numpy as np

from cnnbp import convolution
from cnnbp.exercises import cases
from cnnbp.exercises.task import exercise

ORDER = "11, the order of the columns"


def to_columns(x, kernel_size, stride, padding):
    return convolution.im2col(x, kernel_size, stride=stride, padding=padding)


def by_axes(columns, x_shape, kernel_size):
    """The columns as (C, KH, KW, OH·OW, N)."""
    return columns.reshape(x_shape[1], *kernel_size, -1, x_shape[0])


@exercise(
    lesson="11",
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
        "Window (i, j) of image n is column (i·OW + j)·N + n: the batch runs fastest.",
        "Its cell (c, kh, kw) is row c·KH·KW + kh·KW + kw; where it lies in the padding, 0 stays.",
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


@im2col.mistake(ORDER, convention=True)
def batch_runs_slowest(x, kernel_size, stride, padding):
    """Your columns have the batch first, n·OH·OW + i·OW + j; here it comes last,
    (i·OW + j)·N + n."""
    columns = to_columns(x, kernel_size, stride, padding)
    return by_axes(columns, x.shape, kernel_size).swapaxes(3, 4).reshape(columns.shape)


@im2col.mistake(ORDER, convention=True)
def channels_run_fastest(x, kernel_size, stride, padding):
    """Your rows have the channel last, (kh·KW + kw)·C + c; here it comes first,
    c·KH·KW + kh·KW + kw."""
    columns = to_columns(x, kernel_size, stride, padding)
    return np.moveaxis(by_axes(columns, x.shape, kernel_size), 0, 2).reshape(columns.shape)


@im2col.mistake(ORDER, convention=True)
def windows_as_rows(x, kernel_size, stride, padding):
    """Your matrix has a row for each window; here a window is a column."""
    return to_columns(x, kernel_size, stride, padding).T


@im2col.mistake(ORDER)
def reshaped_without_moving_axes(x, kernel_size, stride, padding):
    """You reshape the windows while the batch is still their first axis, which puts numbers into
    columns where they do not belong; move the axes to (C, KH, KW, OH, OW, N) before you reshape."""
    columns = to_columns(x, kernel_size, stride, padding)
    windows = np.moveaxis(by_axes(columns, x.shape, kernel_size), 4, 0)
    return windows.reshape(columns.shape)

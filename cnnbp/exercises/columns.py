"""Exercises of lesson 11: windows as the columns of a matrix, and back."""

import numpy as np

from cnnbp import convolution
from cnnbp.exercises import cases
from cnnbp.exercises.exercise import exercise
from cnnbp.shape import windows

ORDER = "11, the order of the columns"
ADJOINT = "11, im2col and col2im are adjoints"


def windows_case(rng, x_shape, kernel_size, stride=(1, 1), padding=(0, 0), draw=cases.normal):
    given = cases.pooling(rng, x_shape, kernel_size, stride, padding, draw=draw)
    OH, OW = given["dz"].shape[2:]
    size = (x_shape[1] * kernel_size[0] * kernel_size[1], OH * OW * x_shape[0])
    return given | {"columns": draw(rng, size)}


def tiny(rng):
    return windows_case(rng, (1, 1, 2, 3), (2, 2), draw=cases.distinct)


def random(rng):
    return [
        windows_case(rng, (2, 2, 4, 3), (2, 2), (1, 1)),
        windows_case(rng, (3, 2, 5, 6), (3, 2), (2, 3), (1, 0)),
        windows_case(rng, (2, 3, 4, 5), (2, 3), (2, 1), (0, 1)),
    ]


def to_columns(x, kernel_size, stride, padding):
    return convolution.im2col(x, kernel_size, stride=stride, padding=padding)


def to_image(columns, x_shape, kernel_size, stride, padding):
    return convolution.col2im(columns, x_shape, kernel_size, stride=stride, padding=padding)


def by_axes(columns, x_shape, kernel_size):
    """The columns as (C, KH, KW, OH·OW, N)."""
    return columns.reshape(x_shape[1], *kernel_size, -1, x_shape[0])


@exercise(
    lesson="11",
    tiny=tiny,
    cases=random,
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

    x            (N, C, H, W)   the images
    kernel_size  (KH, KW)
    stride       pair
    padding      pair
    returns  columns (C·KH·KW, OH·OW·N)
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


@exercise(
    lesson="11",
    tiny=tiny,
    cases=random,
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

    columns      (C·KH·KW, OH·OW·N)
    x_shape      (N, C, H, W)
    kernel_size  (KH, KW)
    stride       pair
    padding      pair
    returns  x (N, C, H, W)
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


def last_written(columns, x_shape, kernel_size, stride, padding, order):
    """The image in which later kernel positions overwrite earlier ones."""
    place = windows("col2im", x_shape[2:], kernel_size, stride=stride, padding=padding)
    N, C, *image = x_shape
    cells = columns.reshape(C, *kernel_size, *place.output, N)
    x = np.zeros((C, *image, N))
    for tap, outputs, pixels in list(place.taps())[::order]:
        x[:, *pixels] = cells[:, *tap, *outputs]
    return x.transpose(3, 0, 1, 2)


@col2im.mistake(ADJOINT, also=[lambda *given: last_written(*given, order=-1)])
def copies_assigned(columns, x_shape, kernel_size, stride, padding):
    """Where windows overlap, you keep one copy of a pixel and lose the others; add them with +=."""
    return last_written(columns, x_shape, kernel_size, stride, padding, order=1)


@col2im.mistake(ADJOINT)
def copies_averaged(columns, x_shape, kernel_size, stride, padding):
    """You take the mean of a pixel's copies, which undoes im2col; the backward pass needs its
    adjoint, the sum."""
    copies = to_image(np.ones(columns.shape), x_shape, kernel_size, stride, padding)
    return to_image(columns, x_shape, kernel_size, stride, padding) / np.maximum(copies, 1)


@col2im.mistake(ORDER, convention=True)
def batch_taken_as_slowest(columns, x_shape, kernel_size, stride, padding):
    """You read the columns with the batch first, n·OH·OW + i·OW + j; here it comes last,
    (i·OW + j)·N + n."""
    moved = columns.reshape(len(columns), x_shape[0], -1).swapaxes(1, 2).reshape(columns.shape)
    return to_image(moved, x_shape, kernel_size, stride, padding)

"""Columns added back to the image."""

import numpy as np

from cnnbp import convolution
from cnnbp.exercises import cases
from cnnbp.exercises.task import exercise
from cnnbp.shape import windows

ORDER = "11, the order of the columns"
ADJOINT = "11, im2col and col2im are adjoints"


def to_image(columns, x_shape, kernel_size, stride, padding):
    return convolution.col2im(columns, x_shape, kernel_size, stride=stride, padding=padding)


@exercise(
    lesson="11",
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


def last_written(columns, x_shape, kernel_size, stride, padding, order):
    """The image in which later kernel positions overwrite earlier ones."""
    place = windows(x_shape[2:], kernel_size, stride=stride, padding=padding)
    N, C, *image = x_shape
    cells = columns.reshape(C, *kernel_size, *place.output, N)
    x = np.zeros((C, *image, N))
    for tap, outputs, pixels in list(place.taps())[::order]:
        x[:, *pixels] = cells[:, *tap, *outputs]
    return x.transpose(3, 0, 1, 2)


@col2im.mistake(ADJOINT, also=[lambda *given: last_written(*given, order=-1)], line="assigned")
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

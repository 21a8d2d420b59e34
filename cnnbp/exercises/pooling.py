"""Exercises on max and average pooling.

Their known mistakes are in pooling_mistakes.py.
"""

import numpy as np

from cnnbp.exercises import cases
from cnnbp.exercises.exercise import exercise
from cnnbp.explain import explain_avg_pool2d, explain_max_pool2d
from cnnbp.gradcheck import numeric_gradient
from cnnbp.pooling import avg_pool2d, avg_pool2d_backward, max_pool2d, max_pool2d_backward


def tiny(rng):
    return cases.pooling(
        rng, (1, 1, 3, 3), (2, 2), (1, 1), draw=cases.distinct, draw_dz=cases.whole
    )


def random(rng):
    """Overlapping windows, windows with gaps between them, and padding."""
    return [
        cases.pooling(rng, (2, 1, 4, 4), (3, 2), (1, 1)),
        cases.pooling(rng, (2, 3, 8, 8), (2, 2), (3, 3)),
        cases.pooling(rng, (2, 2, 7, 6), (3, 2), (2, 1), (1, 0)),
        cases.pooling(rng, (3, 2, 5, 5), (3, 3), (2, 2), (1, 1), draw=below_zero),
    ]


def with_ties(rng):
    return [*random(rng), cases.pooling(rng, (2, 2, 5, 6), (2, 3), (1, 2), draw=cases.tied)]


def below_zero(rng, shape):
    """Mostly negative, so that a window which counts its padding as zeros is found out."""
    return rng.standard_normal(shape) - 1.5


def max_output(x, kernel_size, stride, padding):
    return max_pool2d(x, kernel_size, stride=stride, padding=padding)


def max_gradient(dz, x, kernel_size, stride, padding):
    _, argmax = max_pool2d(x, kernel_size, stride=stride, padding=padding)
    return max_pool2d_backward(dz, argmax, x.shape)


def max_numeric(dz, x, kernel_size, stride, padding):
    def loss(x):
        return (dz * max_pool2d(x, kernel_size, stride=stride, padding=padding)[0]).sum()

    return numeric_gradient(loss, x)


def avg_gradient(dz, x_shape, kernel_size, stride, padding):
    return avg_pool2d_backward(dz, x_shape, kernel_size, stride=stride, padding=padding)


def avg_numeric(dz, x_shape, kernel_size, stride, padding):
    def loss(x):
        return (dz * avg_pool2d(x, kernel_size, stride=stride, padding=padding)).sum()

    return numeric_gradient(loss, np.zeros(x_shape))


def explain_avg(part, index, *, x_shape, **given):
    return explain_avg_pool2d("dx", index, x=np.zeros(x_shape), **given)


@exercise(
    lesson="07",
    tiny=tiny,
    cases=with_ties,
    answer=max_output,
    hints=[
        "For each window, begin with −infinity as the largest value and look at every pixel of x "
        "in the window, rows first.",
        "A pixel wins if it is greater than the largest so far; > lets the first of a tie win.",
        "Remember its number in the whole image, row·W + column, not its place in the window. "
        "Rows and columns outside x are padding and never win.",
    ],
)
def max_pool2d_output(x, kernel_size, stride, padding):
    """The largest value in every window, and which pixel it was.

    argmax holds the number of the winning pixel in its image, row·W + column. The first pixel of
    a tie wins, in the order of rows. Cells of the padding never win.

    x            (N, C, H, W)   the images
    kernel_size  (KH, KW)       the window
    stride       pair
    padding      pair
    returns  z (N, C, OH, OW), argmax (N, C, OH, OW)
    """
    N, C, H, W = x.shape
    OH = (H + 2 * padding[0] - kernel_size[0]) // stride[0] + 1
    OW = (W + 2 * padding[1] - kernel_size[1]) // stride[1] + 1
    z = np.full((N, C, OH, OW), -np.inf)
    argmax = np.zeros((N, C, OH, OW), dtype=int)
    for n, c, i, j in np.ndindex(N, C, OH, OW):
        for a, b in np.ndindex(kernel_size):
            row = i * stride[0] + a - padding[0]
            column = j * stride[1] + b - padding[1]
            if 0 <= row < H and 0 <= column < W and x[n, c, row, column] > z[n, c, i, j]:
                z[n, c, i, j] = x[n, c, row, column]
                argmax[n, c, i, j] = row * W + column
    return z, argmax


@exercise(
    lesson="07",
    tiny=tiny,
    cases=with_ties,
    answer=max_gradient,
    numeric=max_numeric,
    explain=lambda part, index, **given: explain_max_pool2d("dx", index, **given),
    hints=[
        "Only the winner of a window moved its output: it gets the window's dz, the rest nothing.",
        "Find each window's winner as the forward pass does; with > the first of a tie wins.",
        "A pixel can win several windows, so add dz to dx there: += and not =.",
    ],
)
def max_pool2d_gradient(dz, x, kernel_size, stride, padding):
    """The gradient of the loss by the input of a max pooling.

    Each window hands its gradient to the pixel that won it; the first wins a tie, in the order of
    rows. A pixel that won several windows gets the sum. Cells of the padding never win.

    dz           (N, C, OH, OW)   gradient of the loss by the pooling's output
    x            (N, C, H, W)     its input
    kernel_size  (KH, KW)         the window
    stride       pair
    padding      pair
    returns  dx (N, C, H, W)
    """
    dx = np.zeros(x.shape)
    for n, c, i, j in np.ndindex(dz.shape):
        largest, winner = -np.inf, None
        for a, b in np.ndindex(kernel_size):
            row = i * stride[0] + a - padding[0]
            column = j * stride[1] + b - padding[1]
            inside = 0 <= row < x.shape[2] and 0 <= column < x.shape[3]
            if inside and x[n, c, row, column] > largest:
                largest, winner = x[n, c, row, column], (n, c, row, column)
        dx[winner] += dz[n, c, i, j]
    return dx


@exercise(
    lesson="07",
    tiny=tiny,
    cases=random,
    answer=avg_gradient,
    numeric=avg_numeric,
    explain=explain_avg,
    hints=[
        "Every pixel of a window moved its output by 1/(KH·KW) of its own move.",
        "So each window shares dz / (KH·KW) with every pixel that it covers.",
        "Where windows overlap, a pixel gets the sum: += and not =. Padding gets its share, too, "
        "which is then dropped.",
    ],
)
def avg_pool2d_gradient(dz, x_shape, kernel_size, stride, padding):
    """The gradient of the loss by the input of an average pooling.

    Each output is the sum of its window divided by KH·KW, cells of the padding counting as zeros.

    dz           (N, C, OH, OW)   gradient of the loss by the pooling's output
    x_shape      (N, C, H, W)
    kernel_size  (KH, KW)         the window
    stride       pair
    padding      pair
    returns  dx (N, C, H, W)
    """
    dx = np.zeros(x_shape)
    share = 1 / (kernel_size[0] * kernel_size[1])
    for n, c, i, j in np.ndindex(dz.shape):
        for a, b in np.ndindex(kernel_size):
            row = i * stride[0] + a - padding[0]
            column = j * stride[1] + b - padding[1]
            if 0 <= row < x_shape[2] and 0 <= column < x_shape[3]:
                dx[n, c, row, column] += share * dz[n, c, i, j]
    return dx

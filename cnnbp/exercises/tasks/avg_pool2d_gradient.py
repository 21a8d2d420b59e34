"""The gradient of an average pooling."""

import numpy as np

from cnnbp.exercises import cases
from cnnbp.exercises.task import exercise
from cnnbp.exercises.windows import each_window
from cnnbp.explain import explain_avg_pool2d
from cnnbp.gradcheck import numeric_gradient
from cnnbp.pooling import avg_pool2d, avg_pool2d_backward

OVERLAP = "07, where windows overlap, gradients add"
APART = "07, stride and window size differ"
SHARE = "07, average pooling shares"


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
    given={
        "dz": "N C OH OW: gradient of the loss by the pooling's output",
        "x_shape": "N C H W",
        "kernel_size": "KH KW: the window",
        "stride": "pair",
        "padding": "pair",
    },
    returns={"dx": "N C H W"},
    tiny=cases.tiny_pooling,
    cases=cases.poolings,
    answer=avg_gradient,
    numeric=avg_numeric,
    explain=explain_avg,
    hints=[
        "Every pixel of a window moved its output by 1/(KH·KW) of its own move.",
        "So each window shares dz / (KH·KW) with every pixel that it covers.",
        "Where windows overlap, a pixel gets the sum: += and not =. Padding gets its share, too, "
        "which is then dropped.",
    ],
    stub="The gradient of the loss by the input of average pooling.",
)
def avg_pool2d_gradient(dz, x_shape, kernel_size, stride, padding):
    """The gradient of the loss by the input of an average pooling.

    Each output is the sum of its window divided by KH·KW, cells of the padding counting as zeros.
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


@avg_pool2d_gradient.mistake(SHARE)
def not_divided(dz, x_shape, kernel_size, stride, padding):
    """Your dx is not divided by the window's size: each of its KH·KW cells has only that share in
    the mean."""
    return avg_gradient(dz, x_shape, kernel_size, stride, padding) * np.prod(kernel_size)


@avg_pool2d_gradient.mistake(OVERLAP, line="assigned")
def overlaps_assigned(dz, x_shape, kernel_size, stride, padding):
    """Where windows overlap, your dx keeps only the last one's share; add the shares with +=."""
    dx = np.zeros(x_shape)
    for cell, pixels in each_window(dz.shape, x_shape, kernel_size, stride, padding):
        dx[pixels] = dz[cell] / np.prod(kernel_size)
    return dx


@avg_pool2d_gradient.mistake(APART)
def shares_a_kernel_apart(dz, x_shape, kernel_size, stride, padding):
    """You place the windows at i·kernel_size; they lie at i·stride, which is another place wherever
    the stride is not the window's size."""
    dx = np.zeros(x_shape)
    for cell, pixels in each_window(dz.shape, x_shape, kernel_size, kernel_size, padding):
        dx[pixels] += dz[cell] / np.prod(kernel_size)
    return dx


@avg_pool2d_gradient.mistake(SHARE, convention=True)
def padding_not_counted(dz, x_shape, kernel_size, stride, padding):
    """You divide by the number of real pixels in a window; here cells of the padding count as
    zeros, and it is always KH·KW."""
    dx = np.zeros(x_shape)
    for cell, pixels in each_window(dz.shape, x_shape, kernel_size, stride, padding):
        dx[pixels] += dz[cell] / dx[pixels].size
    return dx

"""The output of a max pooling."""

import numpy as np

from cnnbp.exercises import cases
from cnnbp.exercises.task import exercise
from cnnbp.exercises.windows import each_window
from cnnbp.pooling import max_pool2d

TIES = "07, a tie needs a rule"


def max_output(x, kernel_size, stride, padding):
    return max_pool2d(x, kernel_size, stride=stride, padding=padding)


@exercise(
    lesson="07",
    given={
        "x": "N C H W: the images",
        "kernel_size": "KH KW: the window",
        "stride": "pair",
        "padding": "pair",
    },
    returns={"z": "N C OH OW", "argmax": "N C OH OW"},
    tiny=cases.tiny_pooling,
    cases=cases.poolings_with_ties,
    answer=max_output,
    hints=[
        "For each window, begin with −infinity as the largest value and look at every pixel of x "
        "in the window, rows first.",
        "A pixel wins if it is greater than the largest so far; > lets the first of a tie win.",
        "Remember its number in the whole image, row·W + column, not its place in the window. "
        "Rows and columns outside x are padding and never win.",
    ],
    stub="The largest value of every window, and the number of its pixel.",
)
def max_pool2d_output(x, kernel_size, stride, padding):
    """The largest value in every window, and which pixel it was.

    argmax holds the number of the winning pixel in its image, row·W + column. The first pixel of
    a tie wins, in the order of rows. Cells of the padding never win.
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


@max_pool2d_output.mistake("07, padding never wins")
def padding_wins_as_zero(x, kernel_size, stride, padding):
    """You take the maximum over an image padded with zeros, so that the padding wins over negative
    values; pad with −infinity, or leave the padding out."""
    z, argmax = max_output(x, kernel_size, stride, padding)
    for cell, pixels in each_window(z.shape, x.shape, kernel_size, stride, padding):
        if x[pixels].size < np.prod(kernel_size):
            z[cell] = max(z[cell], 0)
    return z, argmax


@max_pool2d_output.mistake(TIES, convention=True)
def last_of_a_tie(x, kernel_size, stride, padding):
    """You let the last cell of a tie win; here it is the first, in the order of rows."""
    z, argmax = max_output(x, kernel_size, stride, padding)
    number = np.arange(x[0, 0].size).reshape(x.shape[2:])
    for cell, pixels in each_window(z.shape, x.shape, kernel_size, stride, padding):
        argmax[cell] = number[pixels[2:]][x[pixels] == x[pixels].max()].max()
    return z, argmax


@max_pool2d_output.mistake("07, the winner's number")
def number_within_the_window(x, kernel_size, stride, padding):
    """Your argmax counts within the window; here it is the pixel's number in its image,
    row·W + column."""
    z, argmax = max_output(x, kernel_size, stride, padding)
    for cell, pixels in each_window(z.shape, x.shape, kernel_size, stride, padding):
        argmax[cell] = x[pixels].argmax()
    return z, argmax

"""A layer that the package does not hold: a pooling of the two largest."""

import numpy as np

from cnnbp.exercises import cases
from cnnbp.exercises.task import exercise
from cnnbp.exercises.windows import each_window
from cnnbp.gradcheck import numeric_gradient

TOP = "07, the winner gets the gradient"


def top_two(dz, x, kernel_size, stride):
    dx = np.zeros(x.shape)
    for cell, pixels in each_window(dz.shape, x.shape, kernel_size, stride):
        dx[pixels] += dz[cell] / 2 * ranked_first(x[pixels], 2)
    return dx


def ranked_first(window, count):
    """True at the `count` largest cells."""
    return window >= np.sort(window, axis=None)[-count]


def top_two_numeric(dz, x, kernel_size, stride):
    def loss(x):
        largest = (
            np.sort(x[pixels], axis=None)[-2:]
            for _, pixels in each_window(dz.shape, x.shape, kernel_size, stride)
        )
        return sum(g * two.mean() for g, two in zip(dz.ravel(), largest, strict=True))

    return numeric_gradient(loss, x)


@exercise(
    lesson="07",
    given={
        "dz": "N C OH OW: gradient of the loss by the pooling's output",
        "x": "N C H W: its input",
        "kernel_size": "KH KW: the window",
        "stride": "pair",
    },
    returns={"dx": "N C H W"},
    tiny=lambda rng: cases.tiny_pooling(rng),
    cases=lambda rng: [
        cases.pooling(rng, (1, 1, 4, 4), (3, 2), (1, 2)),
        cases.pooling(rng, (2, 2, 5, 5), (2, 2), (3, 3)),
        cases.pooling(rng, (2, 3, 6, 4), (3, 3), (2, 1)),
        cases.pooling(rng, (3, 1, 3, 6), (2, 3), (1, 2)),
    ],
    answer=top_two,
    numeric=top_two_numeric,
    hints=[
        "z = (a + b) / 2 with the two largest cells a and b. What is the slope by a, by b, by any "
        "other cell?",
        "Each of the two winners gets dz / 2; a cell that wins in several windows gets the sum.",
    ],
    stub="The gradient of the loss by the input of this pooling.",
)
def mean_of_top_two_gradient(dz, x, kernel_size, stride):
    """The gradient of a pooling that hands on the mean of the two largest cells of every window.

    There is no padding, and no two cells of a window are equal.
    """
    dx = np.zeros(x.shape)
    for n, c, i, j in np.ndindex(dz.shape):
        cells = []
        for a, b in np.ndindex(kernel_size):
            row, column = i * stride[0] + a, j * stride[1] + b
            cells.append((x[n, c, row, column], row, column))
        for _, row, column in sorted(cells)[-2:]:
            dx[n, c, row, column] += dz[n, c, i, j] / 2
    return dx


@mean_of_top_two_gradient.mistake(TOP)
def largest_only(dz, x, kernel_size, stride):
    """You send all of dz to the largest cell, as max pooling does; here two cells win, and each
    gets half."""
    dx = np.zeros(x.shape)
    for cell, pixels in each_window(dz.shape, x.shape, kernel_size, stride):
        dx[pixels] += dz[cell] * ranked_first(x[pixels], 1)
    return dx


@mean_of_top_two_gradient.mistake("07, average pooling shares")
def mean_not_halved(dz, x, kernel_size, stride):
    """You send the whole of dz to both winners; in their mean each has the share ½."""
    return 2 * top_two(dz, x, kernel_size, stride)


@mean_of_top_two_gradient.mistake("07, where windows overlap, gradients add", line="assigned")
def overlaps_assigned(dz, x, kernel_size, stride):
    """Where windows overlap, you keep the last one's gradient only; add with +=."""
    dx = np.zeros(x.shape)
    for cell, pixels in each_window(dz.shape, x.shape, kernel_size, stride):
        dx[pixels][ranked_first(x[pixels], 2)] = dz[cell] / 2
    return dx

"""The gradient of a max pooling."""

import numpy as np

from cnnbp.exercises import cases
from cnnbp.exercises.task import exercise
from cnnbp.exercises.windows import each_window, first_winner
from cnnbp.explain import explain_max_pool2d
from cnnbp.gradcheck import numeric_gradient
from cnnbp.pooling import max_pool2d, max_pool2d_backward

OVERLAP = "07, where windows overlap, gradients add"
TIES = "07, a tie needs a rule"
WINNER = "07, the winner gets the gradient"
APART = "07, stride and window size differ"


def max_gradient(dz, x, kernel_size, stride, padding):
    _, argmax = max_pool2d(x, kernel_size, stride=stride, padding=padding)
    return max_pool2d_backward(dz, argmax, x.shape)


def max_numeric(dz, x, kernel_size, stride, padding):
    def loss(x):
        return (dz * max_pool2d(x, kernel_size, stride=stride, padding=padding)[0]).sum()

    return numeric_gradient(loss, x)


@exercise(
    lesson="07",
    given={
        "dz": "N C OH OW: gradient of the loss by the pooling's output",
        "x": "N C H W: its input",
        "kernel_size": "KH KW: the window",
        "stride": "pair",
        "padding": "pair",
    },
    returns={"dx": "N C H W"},
    tiny=cases.tiny_pooling,
    cases=cases.poolings_with_ties,
    answer=max_gradient,
    numeric=max_numeric,
    explain=lambda part, index, **given: explain_max_pool2d("dx", index, **given),
    hints=[
        "Only the winner of a window moved its output: it gets the window's dz, the rest nothing.",
        "Find each window's winner as the forward pass does; with > the first of a tie wins.",
        "A pixel can win several windows, so add dz to dx there: += and not =.",
    ],
    stub="The gradient of the loss by the input of max pooling.",
)
def max_pool2d_gradient(dz, x, kernel_size, stride, padding):
    """The gradient of the loss by the input of a max pooling.

    Each window hands its gradient to the pixel that won it; the first wins a tie, in the order of
    rows. A pixel that won several windows gets the sum. Cells of the padding never win.
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


def scattered(write):
    """A max pooling gradient that calls write(dx's window, x's window, dz's cell) everywhere."""

    def gradient(dz, x, kernel_size, stride, padding):
        dx = np.zeros(x.shape)
        for cell, pixels in each_window(dz.shape, x.shape, kernel_size, stride, padding):
            write(dx[pixels], x[pixels], dz[cell])
        return dx

    gradient.__name__, gradient.__doc__ = write.__name__, write.__doc__
    return gradient


@max_pool2d_gradient.mistake(OVERLAP, line="assigned")
@scattered
def window_assigned(dx, x, dz):
    """You assign the whole window, zeros included, so that a window wipes out what an overlapping
    one had left; add to the window with +=."""
    dx[...] = dz * first_winner(x)


@max_pool2d_gradient.mistake(OVERLAP, line="assigned")
@scattered
def winner_assigned(dx, x, dz):
    """You assign the winner's cell, so that a pixel which won several windows keeps the last one's
    gradient only; add with +=."""
    dx[first_winner(x)] = dz


@max_pool2d_gradient.mistake(TIES)
@scattered
def every_tie_gets_all(dx, x, dz):
    """You give the full gradient to every cell of a tie, more than arrived; exactly one cell wins,
    the first."""
    dx += dz * (x == x.max())


@max_pool2d_gradient.mistake(TIES, convention=True)
@scattered
def tie_split_evenly(dx, x, dz):
    """You split the gradient evenly among the cells of a tie; here the first gets all of it."""
    dx += dz * (x == x.max()) / (x == x.max()).sum()


@max_pool2d_gradient.mistake(TIES, convention=True)
@scattered
def last_of_a_tie_wins(dx, x, dz):
    """You let the last cell of a tie win; here it is the first, in the order of rows."""
    dx += dz * first_winner(x[::-1, ::-1])[::-1, ::-1]


@max_pool2d_gradient.mistake(WINNER)
@scattered
def value_in_place_of_gradient(dx, x, dz):
    """You send the window's largest value back; what goes back is its gradient, dz."""
    dx += x.max() * first_winner(x)


def written_a_kernel_apart(dz, x, kernel_size, stride, padding):
    dx = np.pad(np.zeros(x.shape), [(0, 0), (0, 0), *((p, p) for p in padding)])
    _, argmax = max_pool2d(x, kernel_size, stride=stride, padding=padding)
    for n, c, i, j in np.ndindex(dz.shape):
        h, v = divmod(argmax[n, c, i, j], x.shape[3])
        row = padding[0] + h + i * (kernel_size[0] - stride[0])
        column = padding[1] + v + j * (kernel_size[1] - stride[1])
        dx[n, c, row, column] += dz[n, c, i, j]
    return dx[:, :, padding[0] :, padding[1] :][:, :, : x.shape[2], : x.shape[3]]


@max_pool2d_gradient.mistake(APART, also=[written_a_kernel_apart])
def windows_a_kernel_apart(dz, x, kernel_size, stride, padding):
    """You place the windows at i·kernel_size; they lie at i·stride, which is another place wherever
    the stride is not the window's size."""
    return max_gradient_anywhere(dz, x, kernel_size, kernel_size, padding)


def max_gradient_anywhere(dz, x, kernel_size, stride, padding):
    dx = np.zeros(x.shape)
    for cell, pixels in each_window(dz.shape, x.shape, kernel_size, stride, padding):
        dx[pixels] += dz[cell] * first_winner(x[pixels])
    return dx


def channel_winner_in_its_windows(dz, x, kernel_size, stride, padding):
    dx = max_gradient(dz, x, kernel_size, stride, padding)
    return dx * (x == x.max(axis=(2, 3), keepdims=True))


def channel_winners_mask(dz, x, kernel_size, stride, padding):
    return (x == x.max(axis=(2, 3), keepdims=True)) * dz.sum(axis=(2, 3), keepdims=True)


@max_pool2d_gradient.mistake(WINNER, also=[channel_winner_in_its_windows, channel_winners_mask])
def one_winner_for_the_channel(dz, x, kernel_size, stride, padding):
    """You look for one winner in the whole channel; every window has a winner of its own."""
    dx = np.zeros(x.shape)
    for n, c in np.ndindex(x.shape[:2]):
        dx[n, c][first_winner(x[n, c])] = dz[n, c].sum()
    return dx

"""Known mistakes in pooling and its gradients, each as it is made."""

import numpy as np

from cnnbp.exercises.pooling import (
    avg_gradient,
    avg_pool2d_gradient,
    max_gradient,
    max_output,
    max_pool2d_gradient,
    max_pool2d_output,
)

OVERLAP = "07, where windows overlap, gradients add"
TIES = "07, a tie needs a rule"
WINNER = "07, the winner gets the gradient"
APART = "07, stride and window size differ"
SHARE = "07, average pooling shares"


def windows(z_shape, x_shape, kernel_size, stride, padding):
    """Every (n, c, i, j) with the pixels of x in its window, as an index."""
    for n, c, i, j in np.ndindex(*z_shape):
        spans = [
            slice(max(0, k * s - p), max(0, min(size, k * s - p + length)))
            for k, s, p, length, size in zip(
                (i, j), stride, padding, kernel_size, x_shape[2:], strict=True
            )
        ]
        yield (n, c, i, j), (n, c, *spans)


def first_winner(window):
    """True at the first largest cell of a window."""
    winner = np.zeros(window.shape, bool)
    winner.flat[window.argmax()] = True
    return winner


def scattered(write):
    """A max pooling gradient that calls write(dx's window, x's window, dz's cell) everywhere."""

    def gradient(dz, x, kernel_size, stride, padding):
        dx = np.zeros(x.shape)
        for cell, pixels in windows(dz.shape, x.shape, kernel_size, stride, padding):
            write(dx[pixels], x[pixels], dz[cell])
        return dx

    gradient.__name__, gradient.__doc__ = write.__name__, write.__doc__
    return gradient


@max_pool2d_gradient.mistake(OVERLAP)
@scattered
def window_assigned(dx, x, dz):
    """You assign the whole window, zeros included, so that a window wipes out what an overlapping
    one had left; add to the window with +=."""
    dx[...] = dz * first_winner(x)


@max_pool2d_gradient.mistake(OVERLAP)
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
    _, argmax = max_output(x, kernel_size, stride, padding)
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
    for cell, pixels in windows(dz.shape, x.shape, kernel_size, stride, padding):
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


@max_pool2d_output.mistake("07, padding never wins")
def padding_wins_as_zero(x, kernel_size, stride, padding):
    """You take the maximum over an image padded with zeros, so that the padding wins over negative
    values; pad with −infinity, or leave the padding out."""
    z, argmax = max_output(x, kernel_size, stride, padding)
    for cell, pixels in windows(z.shape, x.shape, kernel_size, stride, padding):
        if x[pixels].size < np.prod(kernel_size):
            z[cell] = max(z[cell], 0)
    return z, argmax


@max_pool2d_output.mistake(TIES, convention=True)
def last_of_a_tie(x, kernel_size, stride, padding):
    """You let the last cell of a tie win; here it is the first, in the order of rows."""
    z, argmax = max_output(x, kernel_size, stride, padding)
    number = np.arange(x[0, 0].size).reshape(x.shape[2:])
    for cell, pixels in windows(z.shape, x.shape, kernel_size, stride, padding):
        argmax[cell] = number[pixels[2:]][x[pixels] == x[pixels].max()].max()
    return z, argmax


@max_pool2d_output.mistake("07, the winner's number")
def number_within_the_window(x, kernel_size, stride, padding):
    """Your argmax counts within the window; here it is the pixel's number in its image,
    row·W + column."""
    z, argmax = max_output(x, kernel_size, stride, padding)
    for cell, pixels in windows(z.shape, x.shape, kernel_size, stride, padding):
        argmax[cell] = x[pixels].argmax()
    return z, argmax


@avg_pool2d_gradient.mistake(SHARE)
def not_divided(dz, x_shape, kernel_size, stride, padding):
    """Your dx is not divided by the window's size: each of its KH·KW cells has only that share in
    the mean."""
    return avg_gradient(dz, x_shape, kernel_size, stride, padding) * np.prod(kernel_size)


@avg_pool2d_gradient.mistake(OVERLAP)
def overlaps_assigned(dz, x_shape, kernel_size, stride, padding):
    """Where windows overlap, your dx keeps only the last one's share; add the shares with +=."""
    dx = np.zeros(x_shape)
    for cell, pixels in windows(dz.shape, x_shape, kernel_size, stride, padding):
        dx[pixels] = dz[cell] / np.prod(kernel_size)
    return dx


@avg_pool2d_gradient.mistake(APART)
def shares_a_kernel_apart(dz, x_shape, kernel_size, stride, padding):
    """You place the windows at i·kernel_size; they lie at i·stride, which is another place wherever
    the stride is not the window's size."""
    dx = np.zeros(x_shape)
    for cell, pixels in windows(dz.shape, x_shape, kernel_size, kernel_size, padding):
        dx[pixels] += dz[cell] / np.prod(kernel_size)
    return dx


@avg_pool2d_gradient.mistake(SHARE, convention=True)
def padding_not_counted(dz, x_shape, kernel_size, stride, padding):
    """You divide by the number of real pixels in a window; here cells of the padding count as
    zeros, and it is always KH·KW."""
    dx = np.zeros(x_shape)
    for cell, pixels in windows(dz.shape, x_shape, kernel_size, stride, padding):
        dx[pixels] += dz[cell] / dx[pixels].size
    return dx

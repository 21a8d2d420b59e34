"""Windows one by one: what the answers of several tasks are made of."""

import numpy as np

from cnnbp.shape import windows


def each_window(z_shape, x_shape, kernel_size, stride, padding=(0, 0)):
    """Every (n, c, i, j) of z with the pixels of x in its window, as an index."""
    place = windows(x_shape[2:], kernel_size, stride=stride, padding=padding)
    for n, c, i, j in np.ndindex(*z_shape):
        spans = [
            slice(max(0, first), max(0, min(size, first + length)))
            for first, length, size in zip(
                place.corner((i, j)), place.kernel, place.image, strict=True
            )
        ]
        yield (n, c, i, j), (n, c, *spans)


def first_winner(window):
    """True at the first largest cell of a window."""
    winner = np.zeros(window.shape, bool)
    winner.flat[window.argmax()] = True
    return winner

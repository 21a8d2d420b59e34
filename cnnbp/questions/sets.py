"""Sets of cells: from a mask, from the products of an explanation, from rows and columns."""

from itertools import product

import numpy as np

PIXELS = slice(2, None)  # the last two axes of an index: where, within a map


def where(mask):
    """The indices where it is true: {(0, 1), (2, 0)}.

    >>> sorted(where([[False, True], [True, False]]))
    [(0, 1), (1, 0)]
    """
    return set(zip(*(axis.tolist() for axis in np.nonzero(mask)), strict=True))


def grid(rows, columns):
    """Every cell in these rows and columns.

    >>> sorted(grid([1], [0, 2]))
    [(1, 0), (1, 2)]
    """
    return set(product(rows, columns))


def left(cell, axes=slice(None)):
    """The indices of the first factors of an explained cell, or of some of their axes.

    >>> from cnnbp.explain import explain_linear
    >>> sorted(left(explain_linear("db", (1, 0), dz=[[0, 0], [2, 3]])))
    [(1, 0), (1, 1)]
    """
    return set(map(tuple, cell.left_index[:, axes].tolist()))


def right(cell, axes=slice(None)):
    """The indices of the second factors."""
    return set(map(tuple, cell.right_index[:, axes].tolist()))


def clipped(rows, columns, image):
    """The cells of rows × columns that lie on the image."""
    on = [
        [i for i in axis if 0 <= i < size]
        for axis, size in zip((rows, columns), image, strict=True)
    ]
    return grid(*on)


def unknown(rows, columns):
    """A table to mark whose numbers do not matter."""
    return [["·"] * columns for _ in range(rows)]


def extent(pair):
    """3 × 2"""
    return f"{pair[0]} × {pair[1]}"

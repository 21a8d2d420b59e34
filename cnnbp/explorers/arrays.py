"""Small arrays to explore where the learner brings none, and the sliders that choose among more."""

import numpy as np

from cnnbp.explorers.controls import slider
from cnnbp.shape import complaint, images


def explored(**arrays):
    """The arrays as shape.images gives them, but there must be something in each to explore.

    >>> explored(x=np.ones((0, 1, 4, 4)))
    Traceback (most recent call last):
        ...
    ValueError: explored: x (0, 1, 4, 4) is empty; there is nothing to explore
    """
    checked = images(**arrays)
    for name, array in zip(arrays, checked, strict=True):
        if not len(array):
            raise complaint(
                ValueError, f"{name} {array.shape} is empty; there is nothing to explore"
            )
    return checked


def whole_numbers(shape):
    """Images to reckon with in the head."""
    return np.random.default_rng(0).integers(-2, 3, shape).astype(float)


def second_axis(*arrays, otherwise):
    """The channels, or of dz the filters, of the first array that is given as images are.

    >>> second_axis(None, np.ones((1, 3, 8, 8)), otherwise=2), second_axis(None, otherwise=2)
    (3, 2)
    """
    return next((np.shape(array)[1] for array in arrays if np.ndim(array) == 4), otherwise)


def made_up_gradient(kind, shape, at):
    """An upstream gradient of `kind` "random", "ones" or "one cell": a 1 in the middle of `at`."""
    if kind == "random":
        return np.random.default_rng(1).choice([-1, -0.5, 0.5, 1, 2], shape)
    if kind == "ones":
        return np.ones(shape)
    dz = np.zeros(shape)
    dz[(*at, *((size - 1) // 2 for size in shape[2:]))] = 1
    return dz


def choosers(**sizes):
    """A slider for each axis along which there is something to choose."""
    return {axis: slider(axis, 0, size - 1) for axis, size in sizes.items() if size > 1}

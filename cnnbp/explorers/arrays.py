"""Small arrays to explore where the learner brings none, and the sliders that choose among more."""

import numpy as np

from cnnbp.explorers.controls import slider


def whole_numbers(shape):
    """Images to reckon with in the head."""
    return np.random.default_rng(0).integers(-2, 3, shape).astype(float)


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

"""The gradient of a flattening."""

import numpy as np

from cnnbp.exercises import cases
from cnnbp.exercises.task import exercise
from cnnbp.gradcheck import numeric_gradient
from cnnbp.linear import flatten, flatten_backward

FLATTEN = "03, transpose first, then reshape"


def flatten_case(rng, x_shape, draw=cases.normal):
    N, C, H, W = x_shape
    return {"dz": draw(rng, (C * H * W, N)), "x_shape": x_shape}


def flatten_numeric(dz, x_shape):
    return numeric_gradient(lambda x: (dz * flatten(x)).sum(), np.zeros(x_shape))


@exercise(
    lesson="03",
    given={
        "dz": "C·H·W N",
        "x_shape": "N C H W",
    },
    returns={"dx": "N C H W"},
    tiny=lambda rng: flatten_case(rng, (2, 3, 1, 4), cases.distinct),
    cases=lambda rng: [
        flatten_case(rng, shape) for shape in ((2, 3, 1, 2), (3, 2, 4, 3), (2, 1, 3, 4))
    ],
    answer=flatten_backward,
    numeric=flatten_numeric,
    hints=[
        "No number changes; each only goes back to where it came from.",
        "Column n of dz belongs to sample n; within it, channels come first, then rows.",
        "dz.T has the samples first: (N, C·H·W). Only now can it be reshaped.",
    ],
    stub="The gradient of the loss by the images, from its gradient dz by their columns.",
)
def flatten_gradient(dz, x_shape):
    """The gradient of the loss by the input of a flattening.

    Flattening turned every image into one column: z[(c·H + h)·W + v, n] = x[n,c,h,v].
    """
    N, C, H, W = x_shape
    dx = np.zeros(x_shape)
    for n, c, h, v in np.ndindex(N, C, H, W):
        dx[n, c, h, v] = dz[(c * H + h) * W + v, n]
    return dx


@flatten_gradient.mistake(FLATTEN)
def reshaped_without_transposing(dz, x_shape):
    """You reshape (C·H·W, N) directly, which mixes the samples up though the shape fits: transpose
    first, so that each sample's numbers lie together, and then reshape."""
    return dz.reshape(x_shape)


@flatten_gradient.mistake(FLATTEN)
def channels_taken_as_last(dz, x_shape):
    """You unfold the columns as if channels ran fastest; here they run slowest, as in
    (N, C, H, W)."""
    N, C, H, W = x_shape
    return dz.T.reshape(N, H, W, C).transpose(0, 3, 1, 2)

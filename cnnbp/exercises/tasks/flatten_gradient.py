"""The gradient of a flattening."""

import numpy as np

from cnnbp.exercises import cases, choices
from cnnbp.exercises.choices import wrong
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


# fmt: off
UNFOLDINGS = [
    lambda dz, N, C, H, W: dz.T.reshape(N, C, H, W),
    wrong("reshaped_without_transposing", FLATTEN, "you reshape (C·H·W, N) directly, which mixes "
        "the samples up though the shape fits: transpose first, so that each sample's numbers lie "
        "together, and then reshape.", lambda dz, N, C, H, W: dz.reshape(N, C, H, W)),
    wrong("channels_taken_as_last", FLATTEN, "you unfold the columns as if channels ran fastest: "
        "here they run slowest, as in (N, C, H, W).",
        lambda dz, N, C, H, W: dz.T.reshape(N, H, W, C).transpose(0, 3, 1, 2),
        lambda dz, N, C, H, W: dz.T.reshape(N, H, W, C)),
    wrong("rows_and_columns_swapped", FLATTEN, "rows and columns of every image are swapped: "
        "columns run fastest, then rows, then channels.",
        lambda dz, N, C, H, W: dz.T.reshape(N, C, W, H).swapaxes(2, 3),
        lambda dz, N, C, H, W: dz.T.reshape(N, C, H, W).swapaxes(2, 3),
        lambda dz, N, C, H, W: dz.T.reshape(N, C, W, H)),
    wrong("unfolded_in_fortran_order", FLATTEN, "the reshape runs in Fortran's order, the first "
        "axis fastest: flatten used numpy's own, the last axis fastest.",
        lambda dz, N, C, H, W: dz.reshape((N, C, H, W), order="F"),
        lambda dz, N, C, H, W: dz.T.reshape((N, C, H, W), order="F")),
    wrong("axes_in_another_order", FLATTEN, "the numbers are unfolded right, but the axes of "
        "{yours} stand in another order: it is (N, C, H, W).",
        lambda dz, N, C, H, W: dz.reshape(C, H, W, N),
        lambda dz, N, C, H, W: dz.reshape(C, H, W, N).T,
        lambda dz, N, C, H, W: dz.reshape(C, H, W, N).swapaxes(0, 3),
        lambda dz, N, C, H, W: dz.reshape(C, H, W, N).T.reshape(N, C, H, W)),
]


@flatten_gradient.steps(unfold=UNFOLDINGS, samples=choices.samples(FLATTEN))
def by_steps(steps, dz, x_shape):
    return steps.samples(steps.unfold(dz, *x_shape))

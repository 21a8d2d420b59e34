"""What a ReLU does to a gradient."""

import numpy as np

from cnnbp.activation import relu, relu_backward
from cnnbp.exercises import cases
from cnnbp.exercises.task import exercise
from cnnbp.gradcheck import numeric_gradient

RELU = "04, what ReLU does to a gradient"


@exercise(
    lesson="04",
    given={
        "dz": "...: gradient of the loss by z, of any shape",
        "x": "...: the ReLU's input, of the same shape",
    },
    returns={"dx": "..."},
    tiny=lambda rng: cases.with_zeros(rng, (2, 3)),
    cases=lambda rng: [*cases.elementwise(rng), cases.with_zeros(rng, (3, 4))],
    answer=relu_backward,
    numeric=lambda dz, x: numeric_gradient(lambda x: (dz * relu(x)).sum(), x),
    hints=[
        "max(x, 0) has the slope 1 where x is positive, and 0 where x is negative.",
        "Multiply dz by that slope. At x = 0 this course takes 0.",
    ],
    stub="The gradient of the loss by the input of z = max(x, 0).",
)
def relu_gradient(dz, x):
    """The gradient of the loss by the input of a ReLU, z = max(x, 0).

    Where x is exactly 0, the slope jumps; there the gradient is 0 here.
    """
    dx = np.zeros(x.shape)
    for index in np.ndindex(x.shape):
        if x[index] > 0:
            dx[index] = dz[index]
    return dx


@relu_gradient.mistake(RELU)
def mask_from_the_upstream_sign(dz, x):
    """Your mask is the sign of dz; what decides is whether the input x was positive."""
    return np.where(dz > 0, dz, 0)


@relu_gradient.mistake(RELU)
def left_out(dz, x):
    """You hand dz on unchanged; where x was negative, z did not move with x, and nothing passes."""
    return dz


@relu_gradient.mistake(RELU, also=[lambda dz, x: 1 * (x > 0)])
def relu_upstream_forgotten(dz, x):
    """Your dx is the ReLU's own slope, without dz: the chain rule multiplies the two."""
    return np.where(x > 0, 1.0, 0.0)


@relu_gradient.mistake(RELU, convention=True)
def one_at_zero(dz, x):
    """At x = 0 you take the slope 1; this course takes 0."""
    return np.where(x >= 0, dz, 0)


@relu_gradient.mistake(RELU, convention=True)
def half_at_zero(dz, x):
    """At x = 0 you take the slope ½; this course takes 0."""
    return dz * np.heaviside(x, 0.5)

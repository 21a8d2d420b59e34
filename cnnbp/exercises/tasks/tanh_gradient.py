"""What a hyperbolic tangent does to a gradient."""

import numpy as np

from cnnbp.activation import tanh, tanh_backward
from cnnbp.exercises import cases
from cnnbp.exercises.task import exercise
from cnnbp.gradcheck import numeric_gradient

SLOPE = "04, what each activation does to a gradient"


@exercise(
    lesson="04",
    given={
        "dz": "...: gradient of the loss by z, of any shape",
        "x": "...: the layer's input, of the same shape",
    },
    returns={"dx": "..."},
    tiny=lambda rng: {"dz": cases.whole(rng, (1, 3)), "x": np.array([[-2.0, 0.0, 1.0]])},
    cases=cases.elementwise,
    answer=tanh_backward,
    numeric=lambda dz, x: numeric_gradient(lambda x: (dz * tanh(x)).sum(), x),
    hints=[
        "Call the output t = tanh(x). Its slope can be written with t alone.",
        "The slope is 1 − t²; multiply it by dz.",
    ],
    stub="The gradient of the loss by the input of z = tanh(x).",
)
def tanh_gradient(dz, x):
    """The gradient of the loss by the input of a hyperbolic tangent, z = tanh(x)."""
    dx = np.zeros(x.shape)
    for index in np.ndindex(x.shape):
        t = np.tanh(x[index])
        dx[index] = dz[index] * (1 - t * t)
    return dx


@tanh_gradient.mistake(SLOPE)
def tanh_slope_of_the_input(dz, x):
    """You use 1 − x², but the slope is 1 − t² with the output t, not with the input."""
    return dz * (1 - x**2)


@tanh_gradient.mistake(SLOPE)
def square_forgotten(dz, x):
    """You use 1 − t, but the slope is 1 − t²."""
    return dz * (1 - np.tanh(x))


@tanh_gradient.mistake(SLOPE)
def tanh_upstream_forgotten(dz, x):
    """Your dx is the layer's own slope, without dz: the chain rule multiplies the two."""
    return tanh_backward(np.ones_like(x), x)

"""What a sigmoid does to a gradient."""

import numpy as np

from cnnbp.activation import sigmoid, sigmoid_backward
from cnnbp.exercises import cases
from cnnbp.exercises.task import exercise
from cnnbp.gradcheck import numeric_gradient

SLOPE = "04, what each activation does to a gradient"


@exercise(
    lesson="04",
    given={
        "dz": "...: gradient of the loss by z, of any shape",
        "x": "...: the sigmoid's input, of the same shape",
    },
    returns={"dx": "..."},
    tiny=lambda rng: {"dz": cases.whole(rng, (1, 3)), "x": np.array([[-2.0, 0.0, 1.0]])},
    cases=cases.elementwise,
    answer=sigmoid_backward,
    numeric=lambda dz, x: numeric_gradient(lambda x: (dz * sigmoid(x)).sum(), x),
    hints=[
        "Call the output s = 1/(1 + e⁻ˣ). Its slope can be written with s alone.",
        "The slope is s·(1 − s); multiply it by dz.",
    ],
    stub="The gradient of the loss by the input of z = 1 / (1 + e⁻ˣ).",
)
def sigmoid_gradient(dz, x):
    """The gradient of the loss by the input of a sigmoid, z = 1 / (1 + e⁻ˣ)."""
    dx = np.zeros(x.shape)
    for index in np.ndindex(x.shape):
        s = 1 / (1 + np.exp(-x[index]))
        dx[index] = dz[index] * s * (1 - s)
    return dx


@sigmoid_gradient.mistake(SLOPE)
def sigmoid_slope_of_the_input(dz, x):
    """You use x·(1 − x), but the slope is s·(1 − s) with the output s, not with the input."""
    return dz * x * (1 - x)


@sigmoid_gradient.mistake(SLOPE)
def sigmoid_upstream_forgotten(dz, x):
    """Your dx is the sigmoid's own slope, without dz: the chain rule multiplies the two."""
    return sigmoid_backward(np.ones_like(x), x)


@sigmoid_gradient.mistake(SLOPE)
def output_in_place_of_slope(dz, x):
    """You multiply dz by the sigmoid's value; the chain rule wants its slope, s·(1 − s)."""
    return dz * sigmoid(x)

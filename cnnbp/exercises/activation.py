"""Exercises on activations: what each does to a gradient that passes through it."""

import numpy as np

from cnnbp.activation import relu, relu_backward, sigmoid, sigmoid_backward, tanh, tanh_backward
from cnnbp.exercises import cases
from cnnbp.exercises.exercise import exercise
from cnnbp.gradcheck import numeric_gradient

RELU = "04, what ReLU does to a gradient"
SLOPE = "04, what each activation does to a gradient"


def elementwise(rng, shape, draw=cases.normal):
    return {"dz": draw(rng, shape), "x": draw(rng, shape)}


def with_zeros(rng, shape):
    x = rng.choice([-1.0, 0.0, 0.0, 2.0], shape)
    x.flat[:3] = rng.permutation([-1.0, 0.0, 2.0])  # one of each at least
    return {"dz": cases.whole(rng, shape), "x": x}


def smooth(rng):
    return [elementwise(rng, shape) for shape in ((2, 3), (3, 4), (2, 2, 3, 2))]


def numeric(f):
    return lambda dz, x: numeric_gradient(lambda x: (dz * f(x)).sum(), x)


@exercise(
    lesson="04",
    tiny=lambda rng: with_zeros(rng, (2, 3)),
    cases=lambda rng: [*smooth(rng), with_zeros(rng, (3, 4))],
    answer=relu_backward,
    numeric=numeric(relu),
    hints=[
        "max(x, 0) has the slope 1 where x is positive, and 0 where x is negative.",
        "Multiply dz by that slope. At x = 0 this course takes 0.",
    ],
)
def relu_gradient(dz, x):
    """The gradient of the loss by the input of a ReLU, z = max(x, 0).

    Where x is exactly 0, the slope jumps; there the gradient is 0 here.

    dz       (...)   gradient of the loss by z, of any shape
    x        (...)   the ReLU's input, of the same shape
    returns  dx (...)
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


@exercise(
    lesson="04",
    tiny=lambda rng: {"dz": cases.whole(rng, (1, 3)), "x": np.array([[-2.0, 0.0, 1.0]])},
    cases=smooth,
    answer=sigmoid_backward,
    numeric=numeric(sigmoid),
    hints=[
        "Call the output s = 1/(1 + e⁻ˣ). Its slope can be written with s alone.",
        "The slope is s·(1 − s); multiply it by dz.",
    ],
)
def sigmoid_gradient(dz, x):
    """The gradient of the loss by the input of a sigmoid, z = 1 / (1 + e⁻ˣ).

    dz       (...)   gradient of the loss by z, of any shape
    x        (...)   the sigmoid's input, of the same shape
    returns  dx (...)
    """
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


@exercise(
    lesson="04",
    tiny=lambda rng: {"dz": cases.whole(rng, (1, 3)), "x": np.array([[-2.0, 0.0, 1.0]])},
    cases=smooth,
    answer=tanh_backward,
    numeric=numeric(tanh),
    hints=[
        "Call the output t = tanh(x). Its slope can be written with t alone.",
        "The slope is 1 − t²; multiply it by dz.",
    ],
)
def tanh_gradient(dz, x):
    """The gradient of the loss by the input of a hyperbolic tangent, z = tanh(x).

    dz       (...)   gradient of the loss by z, of any shape
    x        (...)   the layer's input, of the same shape
    returns  dx (...)
    """
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

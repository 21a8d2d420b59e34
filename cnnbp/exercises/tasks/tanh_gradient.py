"""What a hyperbolic tangent does to a gradient."""

import numpy as np

from cnnbp.activation import tanh, tanh_backward
from cnnbp.exercises import cases, choices
from cnnbp.exercises.choices import wrong
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


# fmt: off
SLOPES = [
    lambda x: 1 - np.tanh(x) ** 2,
    wrong("tanh_slope_of_the_input", SLOPE, "you use 1 − x²: the slope is 1 − t² with the output "
        "t, not with the input.", lambda x: 1 - x**2),
    wrong("square_forgotten", SLOPE, "you use 1 − t: the slope is 1 − t².",
        lambda x: 1 - np.tanh(x)),
    wrong("plus_in_place_of_minus", SLOPE, "you use 1 + t²: the slope is 1 − t², and 1 + t² "
        "belongs to the tangent of angles.", lambda x: 1 + np.tanh(x) ** 2),
    wrong("cosh_not_squared", SLOPE, "you divide by cosh(x) once, or multiply by it: the slope is "
        "1 / cosh², which is 1 − t².", lambda x: 1 / np.cosh(x), lambda x: np.cosh(x),
        lambda x: np.cosh(x) ** 2),
    wrong("output_in_place_of_slope", SLOPE, "you multiply dz by the layer's value: the chain rule "
        "wants its slope, 1 − t².", np.tanh),
    wrong("tanh_taken_twice", SLOPE, "the hyperbolic tangent is applied twice: t is the one of x, "
        "and the slope is 1 − t².", lambda x: 1 - np.tanh(np.tanh(x)) ** 2),
    wrong("another_polynomial_of_the_output", SLOPE, "the slope is made of t in another way: it is "
        "1 − t².", lambda x: np.tanh(x) * (1 - np.tanh(x)), lambda x: (1 - np.tanh(x)) ** 2,
        lambda x: np.tanh(x) ** 2, lambda x: 1 - 2 * np.tanh(x), lambda x: 1 - 2 * np.tanh(x) ** 2,
        lambda x: (1 - np.tanh(x) ** 2) ** 2, lambda x: 1 - np.tanh(x**2),
        lambda x: 1 - np.tanh(x) ** 3),
    wrong("sigmoid_in_place_of_tanh", SLOPE, "this is the slope of the sigmoid: the hyperbolic "
        "tangent's is 1 − t².", lambda x: np.exp(-x) / (1 + np.exp(-x)) ** 2),
    wrong("relu_in_place_of_tanh", SLOPE, "this is the slope of the ReLU: the hyperbolic tangent's "
        "is 1 − t².", lambda x: 1.0 * (x > 0)),
    choices.handed_on(SLOPE),
]


@tanh_gradient.steps(
    at=choices.places(SLOPE),
    slope=SLOPES,
    upstream=choices.upstreams(
        SLOPE,
        forgotten="tanh_upstream_forgotten",
        brackets=[lambda dz, x: dz - np.tanh(x) ** 2],
    ),
    factors={"−1": choices.sign(SLOPE)},
)
def by_steps(steps, dz, x):
    return steps.upstream(dz, steps.slope(steps.at(dz, x)), x)

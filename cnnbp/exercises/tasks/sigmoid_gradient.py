"""What a sigmoid does to a gradient."""

import numpy as np

from cnnbp.activation import sigmoid, sigmoid_backward
from cnnbp.exercises import cases, choices
from cnnbp.exercises.choices import wrong
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


# fmt: off
SLOPES = [
    lambda x: sigmoid(x) * (1 - sigmoid(x)),
    wrong("sigmoid_slope_of_the_input", SLOPE, "you use x·(1 − x): the slope is s·(1 − s) with the "
        "output s, not with the input.", lambda x: x * (1 - x)),
    wrong("output_in_place_of_slope", SLOPE, "you multiply dz by the sigmoid's value: the chain "
        "rule wants its slope, s·(1 − s).", sigmoid),
    wrong("sigmoid_taken_twice", SLOPE, "the sigmoid is applied twice: s is the sigmoid of x, and "
        "the slope is s·(1 − s) with it.",
        lambda x: sigmoid(sigmoid(x)) * (1 - sigmoid(sigmoid(x)))),
    wrong("brackets_missing_in_the_sigmoid", SLOPE, "a division 1 / 1 + e⁻ˣ divides by 1 alone: "
        "brackets around 1 + e⁻ˣ make it the sigmoid.", lambda x: -(1 + np.exp(-x)) * np.exp(-x)),
    wrong("half_of_the_slope", SLOPE, "one of the two factors of the slope is missing or another "
        "one: it is s·(1 − s).", lambda x: 1 - sigmoid(x), lambda x: sigmoid(x) ** 2,
        lambda x: (1 - sigmoid(x)) ** 2, lambda x: sigmoid(x) * (1 + sigmoid(x)),
        lambda x: sigmoid(x) * (1 - x), lambda x: x * (1 - sigmoid(x)),
        lambda x: 1 - sigmoid(x) ** 2, lambda x: sigmoid(x) * (1 - sigmoid(x)) ** 2),
    wrong("tanh_in_place_of_sigmoid", SLOPE, "this is the slope of the hyperbolic tangent: the "
        "sigmoid's is s·(1 − s).", lambda x: 1 - np.tanh(x) ** 2),
    wrong("relu_in_place_of_sigmoid", SLOPE, "this is the slope of the ReLU: the sigmoid's is s·(1 "
        "− s).", lambda x: 1.0 * (x > 0)),
    choices.handed_on(SLOPE),
]


@sigmoid_gradient.steps(
    at=choices.places(SLOPE),
    slope=SLOPES,
    upstream=choices.upstreams(
        SLOPE,
        forgotten="sigmoid_upstream_forgotten",
        brackets=[lambda dz, x: dz * sigmoid(x) - sigmoid(x)],
    ),
    factors={"−1": choices.sign(SLOPE)},
)
def by_steps(steps, dz, x):
    return steps.upstream(dz, steps.slope(steps.at(dz, x)), x)

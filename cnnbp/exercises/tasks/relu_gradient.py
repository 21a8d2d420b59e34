"""What a ReLU does to a gradient."""

import numpy as np

from cnnbp.activation import relu, relu_backward
from cnnbp.exercises import cases, choices
from cnnbp.exercises.choices import wrong
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


# fmt: off
MASKS = [
    lambda dz, x: x > 0,
    wrong("mask_from_the_upstream_sign", RELU, "the mask is the sign of dz: what decides is "
        "whether the input x was positive.", lambda dz, x: dz > 0),
    wrong("both_masks", RELU, "two masks are multiplied, of x and of dz: what decides is whether x "
        "was positive; a negative dz passes, too.", lambda dz, x: (x > 0) & (dz > 0)),
    wrong("mask_upside_down", RELU, "the mask lets pass where x is negative: the ReLU's slope is 1 "
        "where x is positive.", lambda dz, x: x < 0, lambda dz, x: x <= 0),
    wrong("sign_in_place_of_mask", RELU, "the sign of x is taken for the slope: where x is "
        "negative it is 0, not −1.", lambda dz, x: np.sign(x),
        lambda dz, x: np.where(x > 0, 1, -1)),
    wrong("leaky_slope", RELU, "the slope below 0 is a small number, as in a leaky ReLU: here it "
        "is 0.", lambda dz, x: np.where(x > 0, 1, 0.01), lambda dz, x: np.where(x > 0, 1, 0.1),
        also=(lambda dz, x: np.where(x > 0, dz, 0.01), lambda dz, x: np.where(x > 0, dz, 0.1))),
    wrong("compared_with_one", RELU, "the input is compared with another number than 0: the ReLU "
        "bends at 0.", lambda dz, x: x > 1, lambda dz, x: x > 0.5),
    wrong("one_at_zero", RELU, "at x = 0, you take the slope 1: this course takes 0.",
        lambda dz, x: x >= 0, convention=True),
    wrong("half_at_zero", RELU, "at x = 0, you take the slope ½: this course takes 0.",
        lambda dz, x: np.heaviside(x, 0.5), convention=True),
    wrong("another_layers_slope", RELU, "this is the slope of a sigmoid or a hyperbolic tangent: "
        "the ReLU's is 1 where x is positive, and 0 elsewhere.",
        lambda dz, x: np.exp(-x) / (1 + np.exp(-x)) ** 2, lambda dz, x: 1 - np.tanh(x) ** 2),
    choices.handed_on(RELU, "left_out"),
]


@relu_gradient.steps(
    mask=MASKS,
    upstream=choices.upstreams(RELU, forgotten="relu_upstream_forgotten"),
)
def by_steps(steps, dz, x):
    return steps.upstream(dz, steps.mask(dz, x), x)

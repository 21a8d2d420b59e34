"""The exercise of lesson 00, there to meet the checker: it is thrown away afterwards."""

import numpy as np

from cnnbp.exercises import cases
from cnnbp.exercises.task import exercise

CHECK = "00, write something, and check it"


@exercise(
    lesson="00",
    given={"x": "...: numbers, in an array of any shape"},
    returns={"y": "..."},
    tiny=lambda rng: {"x": rng.permutation([[-2.0, 0.5, 3.0], [1.0, -1.5, 4.0]], axis=1)},
    cases=lambda rng: [{"x": cases.normal(rng, shape)} for shape in ((2, 3), (4,), (2, 1, 3))],
    answer=lambda x: 2 * x,
    hints=[
        "numpy multiplies every number of an array at once: 2 * x.",
        "Write it behind a return, four spaces in from the def.",
    ],
)
def double(x):
    """Every number of x, doubled, in a new array."""
    y = np.zeros(x.shape)
    for index in np.ndindex(x.shape):
        y[index] = 2 * x[index]
    return y


@double.mistake(CHECK)
def squared(x):
    """You square every number; 2·3 is 6, and 3² is 9."""
    return x**2


@double.mistake(CHECK)
def two_added(x):
    """You add 2 to every number; doubling multiplies with 2."""
    return x + 2


@double.mistake(CHECK)
def absolute_values(x):
    """You take absolute values; a negative number stays negative when it is doubled."""
    return np.abs(2 * x)


@double.mistake(CHECK)
def unchanged(x):
    """You return x as it is; multiply it with 2."""
    return x

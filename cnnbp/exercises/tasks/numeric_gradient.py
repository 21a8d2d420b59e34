"""The exercise of lesson 02: a gradient that knows nothing of the chain rule."""

import numpy as np

from cnnbp import gradcheck
from cnnbp.exercises.task import exercise

CENTRAL = "02, forward and central differences"


def sum_of_cubes(x):
    return (x**3).sum()


def tiny(rng):
    return {"f": sum_of_cubes, "x": rng.permutation([[-2.0, 1.0, 3.0]], axis=1), "step": 0.5}


def random(rng):
    return [case(rng, (2, 3), 0.25), case(rng, (4,), 0.5), case(rng, (2, 1, 3), 0.125)]


def case(rng, shape, step):
    weights = rng.standard_normal(shape)

    def loss(x):
        return (weights * x**3).sum() + (x[..., 1:] * x[..., :-1]).sum()

    return {"f": loss, "x": rng.standard_normal(shape), "step": step}


def central(f, x, step):
    return gradcheck.numeric_gradient(f, x, step=step)


@exercise(
    lesson="02",
    given={
        "f": "function: takes an array like x, returns one number",
        "x": "...: of any shape",
        "step": "float",
    },
    returns={"dx": "..."},
    tiny=tiny,
    cases=random,
    answer=central,
    hints=[
        "Change one entry of x at a time, and ask f twice: once with more, once with less.",
        "(f(x + step) − f(x − step)) / (2·step) is the slope along that entry.",
        "Work on a copy of x, and put the entry back exactly before you go to the next; "
        "np.ndindex(x.shape) runs through all indices.",
    ],
    stub="The slope of f along every entry of x, by central differences.",
    start="np.ndindex(x.shape) runs through all indices",
)
def numeric_gradient(f, x, step):
    """The slope of f along every entry of x, by central differences.

    Each entry is moved up by step and down by step, the others staying where they are; the slope is
    the difference of f divided by the distance, 2·step. x must be unchanged afterwards.
    """
    x = x.copy()
    dx = np.zeros(x.shape)
    for index in np.ndindex(x.shape):
        kept = x[index]
        x[index] = kept + step
        above = f(x)
        x[index] = kept - step
        below = f(x)
        x[index] = kept
        dx[index] = (above - below) / (2 * step)
    return dx


def one_sided(f, x, step):
    moved = (x + step * each.reshape(x.shape) for each in np.eye(x.size))
    return np.array([(f(there) - f(x)) / step for there in moved]).reshape(x.shape)


@numeric_gradient.mistake(CENTRAL, also=[lambda f, x, step: one_sided(f, x, -step)])
def one_sided_difference(f, x, step):
    """You take the slope from x to one side only; it is wrong by about step, the central difference
    by about step²."""
    return one_sided(f, x, step)


@numeric_gradient.mistake(CENTRAL)
def divided_by_one_step(f, x, step):
    """Every slope is twice too large: from x − step to x + step it is 2·step, so divide by that."""
    return 2 * central(f, x, step)


@numeric_gradient.mistake("02, one entry at a time")
def all_entries_moved_together(f, x, step):
    """You move all entries of x at once and find one slope for all of them; move one at a time."""
    return np.full(x.shape, (f(x + step) - f(x - step)) / (2 * step))

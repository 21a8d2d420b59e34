"""The exercise of lesson 02: a gradient that knows nothing of the chain rule."""

import numpy as np

from cnnbp import gradcheck
from cnnbp.exercises.choices import wrong
from cnnbp.exercises.task import exercise

CENTRAL = "02, forward and central differences"


def sum_of_cubes(x):
    return (x**3).sum()


def tiny(rng):
    return {"f": sum_of_cubes, "x": rng.permutation([[-1.5, 0.5, 2.5]], axis=1), "step": 0.5}


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


def moved(x, index, by):
    """x with one entry moved."""
    there = x.copy()
    there[index] += by
    return there


def moved_so_far(x, index, by):
    """x with one entry moved, and all before it."""
    return x + by * (np.arange(x.size).reshape(x.shape) <= np.ravel_multi_index(index, x.shape))


def earlier_ones_moved(by):
    """Entries before this one are left where their second question had moved them."""

    def left(x, index, step):
        before = np.arange(x.size).reshape(x.shape) < np.ravel_multi_index(index, x.shape)
        return x + by * step * before

    return left


# fmt: off
QUESTIONS = [
    lambda f, there, move, step: (f(move(there, step)), f(move(there, -step))),
    wrong("one_sided_difference", CENTRAL, "you take the slope from x to one side only: ask f "
        "on both sides, and divide by 2·step.",
        lambda f, there, move, step: (2 * f(move(there, step)), 2 * f(there)),
        lambda f, there, move, step: (2 * f(there), 2 * f(move(there, -step)))),
    wrong("brackets_left_out", CENTRAL, "only the second value is divided: brackets around the "
        "difference make it (f(x + step) − f(x − step)) / (2·step).",
        lambda f, there, move, step: (2 * step * f(move(there, step)), f(move(there, -step)))),
    wrong("sides_exchanged", CENTRAL, "the two sides are exchanged: it is f(x + step) − f(x − "
        "step).", lambda f, there, move, step: (f(move(there, -step)), f(move(there, step)))),
    wrong("values_added", CENTRAL, "the two values are added: the slope is made of their "
        "difference.", lambda f, there, move, step: (f(move(there, step)), -f(move(there, -step)))),
    wrong("second_difference", CENTRAL, "this is the curvature, f(x + step) − 2·f(x) + f(x − "
        "step): the slope is (f(x + step) − f(x − step)) / (2·step).",
        lambda f, there, move, step: (f(move(there, step)) + f(move(there, -step)), 2 * f(there))),
]
STEPS = [
    lambda step: step,
    wrong("own_step", CENTRAL, "the step is another number than the one that was given: use the "
        "argument step.", *(lambda step, own=own: own for own in (1e-5, 1e-4, 1e-3, 1e-2))),
    wrong("half_a_step", CENTRAL, "each entry is moved by half a step, or by two: here it is moved "
        "by step to either side.", lambda step: step / 2, lambda step: step * 2),
]
DISTANCES = [
    lambda step: 2 * step,
    wrong("divided_by_one_step", CENTRAL, "every slope is twice too large: from x − step to x + "
        "step it is 2·step, so divide by that.", lambda step: step),
    wrong("not_divided_by_the_distance", CENTRAL, "the difference is not divided by the distance: "
        "from x − step to x + step it is 2·step.", lambda step: 1.0, lambda step: 2.0,
        lambda step: 1 / step, lambda step: 0.5 / step, lambda step: step**2),
    wrong("two_times_step_without_brackets", CENTRAL, "a division / 2 * step multiplies by the "
        "step: brackets around 2 * step make it a division.", lambda step: 2 / step),
    wrong("divided_by_half_the_step", CENTRAL, "every slope is four times too large: from x − step "
        "to x + step it is 2·step, so divide by that.", lambda step: step / 2),
]
OTHERS = [
    lambda x, index, step: x,
    wrong("entries_not_put_back", "02, one entry at a time", "entries stay where they were moved: "
        "put each back before you go to the next, or move a fresh copy of x.",
        earlier_ones_moved(-1), earlier_ones_moved(1), earlier_ones_moved(-2)),
]
MOVES = [
    moved,
    wrong("all_entries_moved_together", "02, one entry at a time", "you move all entries of x at "
        "once and find one slope for all of them: move one at a time.",
        lambda x, index, by: x + by),
    wrong("whole_rows_moved", "02, one entry at a time", "you move a whole row at once, x[i]: an "
        "entry of x has as many indices as x has axes, so run through np.ndindex(x.shape).",
        lambda x, index, by: moved(x, index[:1], by),
        lambda x, index, by: moved(x, (..., index[-1]), by)),
    wrong("copies_made_once", "02, one entry at a time", "the entries before this one are still "
        "moved: make fresh copies of x for every entry, inside the loop.", moved_so_far),
    wrong("no_copy", "02, one entry at a time", "your dx is all zeros: after up = x, up is no copy "
        "but x itself, and both sides are one array. Take x.copy(), and write each slope into dx.",
        lambda x, index, by: x),
]


@numeric_gradient.steps(
    question=QUESTIONS, step=STEPS, distance=DISTANCES, others=OTHERS, move=MOVES
)
def by_steps(steps, f, x, step):
    dx, step = np.zeros(x.shape), steps.step(step)
    for index in np.ndindex(x.shape):
        there = steps.others(x, index, step)
        above, below = steps.question(
            f, there, lambda x, by, index=index: steps.move(x, index, by), step
        )
        dx[index] = (above - below) / steps.distance(step)
    return dx


@numeric_gradient.mistake("02, one entry at a time")
def one_slope_for_all_entries(f, x, step):
    """You move all entries of x at once, and f(x + step) − f(x − step) is a single number: move
    one entry at a time, and write its slope into dx."""
    return (f(x + step) - f(x - step)) / (2 * step)

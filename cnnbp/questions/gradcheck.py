"""Lesson 02: what a central difference measures, and what it cannot see."""

import numpy as np

from cnnbp.gradcheck import numeric_gradient, relative_error
from cnnbp.questions.question import cells, choice, factor, match, number, question, shown, table
from cnnbp.questions.sets import where


@question("across a kink", lesson="02")
def across_a_kink(draw):
    step = draw.pick(1 / 4, 1 / 2)
    x = step * draw.pick(1 / 4, 1 / 2, -1 / 2, -1 / 4)
    found = numeric_gradient(lambda x: np.maximum(x, 0).sum(), [x], step=step)[0]
    own = float(x > 0)
    side = "right" if own else "left"
    return number(
        f"f(x) = max(x, 0). What does a central difference with step {shown(step)} say at "
        f"x = {shown(x)}?",
        found,
        [
            (own, f"That is the true slope, to the {side} of 0. The step reaches across the kink."),
            (0.5, "That is what it says at 0 itself. x lies off the middle."),
            (1 - own, "That is the slope on the other side."),
        ],
        f"(max({shown(x + step)}, 0) − max({shown(x - step)}, 0)) / {shown(2 * step)} = "
        f"{shown(found)}: a mixture of both sides.",
    )


@question("how many calls", lesson="02")
def how_many_calls(draw):
    D, N, M = map(int, draw.distinct(3, 1, 5))
    sizes = {"x": D * N, "w": M * D, "b": M}
    calls = []
    for size in sizes.values():
        numeric_gradient(lambda array: calls.append(1) or 0.0, np.zeros(size))
    return number(
        f"x is ({D}, {N}), w is ({M}, {D}), b is ({M}, 1), and L is one number. All three "
        "gradients are measured by central differences. How often is L computed?",
        len(calls),
        [
            (len(calls) // 2, "Every entry is moved up and down: two for each."),
            (6, "One entry at a time: moving a whole array adds up its slopes."),
            (2 * sizes["x"], "w and b are measured as well."),
        ],
        f"2 · ({D * N} + {M * D} + {M}) = {len(calls)}.",
    )


@question("one cell of 200", lesson="02")
def one_cell_of_200(draw):
    large, small = draw.pick(("10⁻⁴", "10⁻⁵"), ("10⁻⁵", "10⁻⁶"))
    return choice(
        f"One cell of 200 fails the check with step {large} and passes with {small}. What is the "
        "likely reason?",
        "a kink nearby",
        {
            "a wrong formula": "A wrong formula stays wrong at a smaller step.",
            "rounding": "A smaller step makes rounding worse, not better.",
            "float32": "float32 would trouble every cell, and small steps most of all.",
        },
        "The longer step reached across a kink of this one cell, the shorter one did not.",
    )


@question("what ones let through", lesson="02")
def what_ones_let_through(draw):
    dz = np.arange(1.0, 5)
    mistakes = {
        "returns dz as it came": lambda dz: dz,
        "moves every number one place on, the last to the front": lambda dz: np.roll(dz, 1),
        "returns −dz, reversed": lambda dz: -dz[::-1],
        "divides by 4": lambda dz: dz[::-1] / 4,
        "gives every cell the mean of dz": lambda dz: np.full(4, dz.mean()),
    }
    names = draw.shuffled(mistakes)[:4]
    assert all((mistakes[name](dz) != dz[::-1]).any() for name in names)
    passes = [(mistakes[name](np.ones(4)) == 1).all() for name in names]
    draw.must(0 < sum(passes) < 4)
    words = {True: "passes", False: "is caught"}
    return match(
        "A layer reverses its input: z = x[::-1], so dx = dz[::-1]. Each of these backward "
        "functions is wrong. Which of them passes a check with dz = [1, 1, 1, 1]?",
        {name: words[bool(ok)] for name, ok in zip(names, passes, strict=True)},
        ["passes", "is caught"],
        [
            (["is caught"] * 4, "Among equal numbers, no place is a wrong place."),
            (["passes"] * 4, "A wrong sign or factor shows even in a one."),
            ([words[not ok] for ok in passes], "It is the other way around: ones hide places."),
        ],
        "Ones hide every mistake that only puts numbers in wrong places or mixes them; a wrong "
        "sign and a wrong factor show. Check with a random dz.",
    )


@question("judged by the largest", lesson="02")
def judged_by_the_largest(draw):
    a = draw.array(3, -8, 8)
    b = a.copy()
    at = draw.whole(0, 2)
    b[at] += draw.pick(-2, -1, 1, 2)
    largest = max(abs(a).max(), abs(b).max())
    draw.must(largest in (2, 4, 5, 8) and a[at] and abs(a[at]) != largest != abs(b[at]))
    off = abs(a - b).max()
    return number(
        f"Two gradients: a = [{', '.join(map(shown, a))}] and b = [{', '.join(map(shown, b))}]. "
        "What is their relative error, max|a − b| / max(max|a|, max|b|)?",
        relative_error(a, b),
        [
            (off, "That is the difference; divide by the largest entry."),
            (off / abs(a[at]), "Divide by the largest entry of all, not by the cell's own."),
            (off / 3 / largest, "The largest difference counts, not the mean."),
        ],
        f"The largest difference is {shown(off)}, the largest entry {shown(largest)}.",
    )


@question("half the step", lesson="02")
def half_the_step(draw):
    step = draw.pick(1.0, 1 / 2, 2.0)
    x = float(draw.whole(2, 5))
    off = [
        numeric_gradient(lambda x: (x**3).sum(), [x], step=h)[0] - 3 * x * x
        for h in (step, step / 2)
    ]
    return number(
        f"For x³ at {shown(x)}, a central difference with some step is off by {shown(off[0])}. "
        "By how much is it off with half the step?",
        off[1],
        [
            (off[0] / 2, "That is how a forward difference gets better."),
            (off[0], "The step does matter: the curve bends within it."),
            (off[0] / 8, "The error falls with the square of the step, not with its cube."),
        ],
        "The error of a central difference falls with the square of the step: a quarter.",
    )


@question("where the witness fails", lesson="02")
def where_the_witness_fails(draw):
    x = draw.array((2, 4), -1, 1, step=0.125)
    step = 0.25
    numeric = numeric_gradient(lambda x: np.abs(x).sum(), x, step=step)
    near = where(numeric != np.sign(x)) | where(x == 0)
    draw.must(1 <= len(near) <= 4 and not (abs(x) == step).any())
    return cells(
        f"L = Σ |x|. A central difference with step {shown(step)} goes through every cell of x. "
        "Mark the cells where it gives neither −1 nor 1.",
        near,
        [
            (where(x == 0), "It also fails wherever the step reaches across 0."),
            (where(x < 0), "Below 0 the slope is −1 all the way; only the kink is a trouble."),
            (where(abs(x) < 2 * step), "It reaches one step to each side, not two."),
        ],
        f"Wherever 0 lies within {shown(step)} of x, the step reaches across the kink.",
        tables=[table("x", x, marked=True)],
    )


@question("the loss that sends dz", lesson="02")
def the_loss_that_sends_dz(draw):
    x, dz = draw.array(3, -3, 3, zero=False), draw.array(3, -4, 4, zero=False)
    at = draw.whole(0, 2)
    slope = numeric_gradient(lambda x: (dz * x**2).sum(), x).round(6)[at]
    return number(
        f"A layer computes z = x², cell by cell, with x = [{', '.join(map(shown, x))}]. You choose "
        f"L = Σ dz·z with dz = [{', '.join(map(shown, dz))}]. What does a numeric gradient of L "
        f"by x[{at}] come to?",
        slope,
        [
            (2 * x[at], "That is the slope of z; dz weighs it."),
            (dz[at], "That is ∂L/∂z; go on to x."),
            (dz[at] * x[at] ** 2, "That is this cell's part of L itself."),
            ((2 * dz * x).sum(), "One entry is moved at a time."),
        ],
        f"dz·2x = {shown(dz[at])}·2·{factor(x[at])}: L was made so that ∂L/∂z is your dz.",
    )

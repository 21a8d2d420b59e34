"""Lesson 05: where every backward pass begins."""

import numpy as np

from cnnbp.explain import explain_mean_squared_error, explain_softmax_cross_entropy
from cnnbp.gradcheck import numeric_gradient
from cnnbp.linear import linear_backward
from cnnbp.loss import mean_squared_error, softmax, softmax_cross_entropy
from cnnbp.questions.question import (
    cells,
    choice,
    ends_after,
    factor,
    fraction,
    match,
    number,
    question,
    shown,
    table,
)
from cnnbp.questions.sets import grid, where

# Probabilities whose every digit can be written down.
COLUMNS = [
    (1 / 2, 1 / 4, 1 / 4),
    (1 / 8, 1 / 4, 5 / 8),
    (1 / 8, 1 / 8, 3 / 4),
    (1 / 2, 3 / 8, 1 / 8),
]


def _probabilities(draw, samples):
    """(3, samples), every column one of COLUMNS in some order."""
    chosen = [draw.shuffled(draw.pick(*COLUMNS)) for _ in range(samples)]
    return np.array(chosen).T


@question("one cell of dz", lesson="05")
def one_cell_of_dz(draw):
    p = _probabilities(draw, 1)
    N, label, k = draw.pick(2, 4, 8), draw.whole(0, 2), draw.whole(0, 2)
    z = np.log(np.repeat(p, N, axis=1))
    dz = explain_softmax_cross_entropy((k, 0), z=z, labels=[label] * N).total
    draw.must(ends_after(fraction(dz)) <= 4)
    hit = k == label
    written = ", ".join(shown(value) for value in p[:, 0])
    return number(
        f"A batch of {N}. For one sample, softmax gives p = ({written}) and the label is {label}. "
        f"What is dz[{k}] of this sample, for the mean softmax cross-entropy?",
        dz,
        [
            (dz * N, "The mean is missing: each sample counts 1/N."),
            (p[k, 0] / N, "This is the label: here, 1 is taken off.")
            if hit
            else ((p[k, 0] - 1) / N, "1 is taken off at the label, and only there."),
            ((-1 if hit else 0) / N, "p is missing: dz is p minus the label's one-hot."),
            (-dz, "The sign: a step against dz must raise the score of the label."),
        ],
        f"(p − {int(hit)})/N = ({shown(p[k, 0])} − {int(hit)})/{N}.",
        prompt=f"dz[{k}] =",
    )


@question("whose score is raised", lesson="05")
def whose_score_is_raised(draw):
    z = draw.array((3, 4), 0, 4)
    labels = [draw.whole(0, 2) for _ in range(4)]
    _, dz = softmax_cross_entropy(z, labels)
    largest = {(int(k), n) for n, k in enumerate(z.argmax(axis=0))}
    pulled = where(dz < 0)
    unsettled = {(k, n) for k, n in pulled if (k, n) not in largest}
    draw.must(len({tuple(sorted(s)) for s in (pulled, largest, unsettled)}) == 3 and unsettled)
    draw.must(all((column == column.max()).sum() == 1 for column in z.T))
    return cells(
        f"Scores z of four samples, whose labels are {', '.join(map(str, labels))}. Mark every "
        "cell where dz of the softmax cross-entropy is negative.",
        pulled,
        [
            (largest, "Those are the largest scores; the label decides."),
            (unsettled, "Even a right guess is still pulled up: its p is below 1."),
            (where(dz > 0), "There dz = p/N is positive."),
        ],
        "dz = (p − 1)/N at the label, always below 0, and p/N elsewhere, always above.",
        tables=[table("z", z, marked=True)],
    )


@question("one cell off target", lesson="05")
def one_cell_off_target(draw):
    K, N = draw.pick((2, 2), (4, 2), (2, 4), (1, 8))
    off = draw.pick(0.75, -0.5, 1.5, -1.25, 2.0, -3.0)
    z = np.zeros((K, N))
    z[0, 1] = off
    dz = explain_mean_squared_error((0, 1), z=z, target=np.zeros((K, N))).total
    return number(
        f"z ({K}, {N}) equals its target, except that one cell is {shown(abs(off))} too "
        f"{'high' if off > 0 else 'low'}. What is dz of this cell, for the mean squared error?",
        dz,
        [
            (2 * off / N, "The mean goes over all K·N cells, not over the samples alone.")
            if K > 1
            else (-dz, "dz points where the loss rises."),
            (2 * off, "The mean is missing."),
            (dz / 2, "The square's 2 is missing."),
            (off * off / (K * N), "That is what the cell adds to the loss."),
        ],
        f"2·(z − target)/(K·N) = 2·{factor(off)}/{K * N}.",
        prompt="dz =",
    )


@question("the rest of the column", lesson="05")
def the_rest_of_the_column(draw):
    p, N, label = _probabilities(draw, 1), draw.pick(1, 2), draw.whole(0, 2)
    z = np.log(np.repeat(p, N, axis=1))
    dz = softmax_cross_entropy(z, [label] * N)[1][:, 0].round(12)
    hidden = draw.whole(0, 2)
    known = [k for k in range(3) if k != hidden]
    told = " and ".join(f"dz[{k}] = {shown(dz[k])}" for k in known)
    rest = dz[hidden]
    return number(
        f"Three scores, softmax cross-entropy. For one sample, {told}. What is dz[{hidden}]?",
        rest,
        [
            (-rest, "Push and pull balance: the column adds up to 0."),
            (1 - dz[known].sum(), "p adds up to 1. dz does not: the label's 1 is taken off."),
            (0, "Every score has a part: its p is not 0."),
        ],
        "Probabilities add up to 1, and 1 is taken off at the label. So every column of dz adds "
        "up to 0.",
        prompt=f"dz[{hidden}] =",
    )


@question("all scores raised", lesson="05")
def all_scores_raised(draw):
    z = draw.array((3, 1), -2, 2)
    up = draw.whole(2, 5)
    draw.must(np.allclose(softmax(z), softmax(z + up)))
    return choice(
        f"Every score of a sample becomes {up} larger. What becomes of its probabilities?",
        "they stay as they were",
        {
            f"each becomes {up} larger": "Probabilities add up to 1, before and after.",
            "the largest one comes closer to 1": "Only if its lead grows; all scores rise alike.",
            "they come closer to each other": "Only if the scores do; their distances stay.",
        },
        "exp(z + a) = exp(a)·exp(z), and the factor exp(a) stands above and below. It cancels.",
    )


@question("the same sample in a larger batch", lesson="05")
def the_same_sample_in_a_larger_batch(draw):
    K, off = draw.pick(1, 2), draw.pick(1.0, -1.0, 2.0, -2.0)
    small, large = draw.pick((2, 8), (2, 4), (4, 8))
    dz = [
        mean_squared_error(np.full((K, N), off), np.zeros((K, N)))[1][0, 0] for N in (small, large)
    ]
    return number(
        f"In a batch of {small}, a cell of dz is {shown(dz[0])} (mean squared error). The same "
        f"sample with the same output and target is put into a batch of {large}. What is this "
        "cell of dz there?",
        dz[1],
        [
            (dz[0], "The loss is a mean, and the batch has changed."),
            (dz[0] * large / small, "A larger batch makes each sample's part smaller."),
            (dz[0] / large, "It was divided once already, by the smaller batch."),
        ],
        f"2·(z − target)/K is {shown(dz[0] * small)}; divided by {small} before, by {large} now.",
        prompt="dz =",
    )


@question("which loss sent this", lesson="05")
def which_loss_sent_this(draw):
    p = _probabilities(draw, 1)
    z = np.log(np.repeat(p, 2, axis=1))
    label = draw.whole(0, 2)
    soft = softmax_cross_entropy(z, [label] * 2)[1][:, 0].round(12)
    draw.must(len(set(soft)) == 3)
    soft = draw.shuffled(soft)
    off = draw.distinct(3, -3, 3, zero=False) / 4
    draw.must(off.sum())
    sign = [(-abs(off)).tolist(), abs(off).tolist()]
    written = lambda column: "(" + ", ".join(map(shown, column)) + ")"  # noqa: E731
    either, squares = options = [
        "softmax cross-entropy or the mean squared error",
        "the mean squared error alone",
    ]
    columns = {
        written(soft): either,
        written(off): squares,
        written(sign[draw.whole(0, 1)]): squares,
    }
    draw.must(len(columns) == 3)
    rows = draw.shuffled(columns)
    other = dict(zip(options, reversed(options), strict=True))
    return match(
        "Each of these is a sample's column of dz. Which loss can have sent it?",
        {row: columns[row] for row in rows},
        options,
        [
            ([other[columns[row]] for row in rows], "Add up the columns."),
            ([options[0]] * 3, "A softmax cross-entropy's column adds up to 0."),
            (
                [options[1]] * 3,
                "One column adds up to 0, with one negative cell: a label's, perhaps.",
            ),
        ],
        "Softmax cross-entropy sends columns that add up to 0, with one negative cell, the "
        "label's. The mean squared error sends 2·(z − t)/(K·N), which can be any column.",
    )


@question("sure and wrong", lesson="05")
def sure_and_wrong(draw):
    p = _probabilities(draw, 4)
    labels = [draw.whole(0, 2) for _ in range(4)]
    own = p[labels, range(4)]
    draw.must((own == own.min()).sum() == 1)
    worst = {(labels[int(own.argmin())], int(own.argmin()))}
    _, dz = softmax_cross_entropy(np.log(p), labels)
    draw.must(where(abs(dz) >= abs(dz).max() - 1e-12) == worst)
    best = {(labels[int(own.argmax())], int(own.argmax()))}
    return cells(
        f"Probabilities p of four samples, labels {', '.join(map(str, labels))}. Mark the cell "
        "whose dz has the largest magnitude.",
        worst,
        [
            (where(p == p.max()), "What counts at a label is how much is missing to 1."),
            (where(p == p.min()), "A small p is only bad where it is the label's."),
            (best, "That sample is nearly right already; little is left to pull."),
        ],
        "|p − 1|/N is largest at the label that got the least.",
        tables=[table("p", p, marked=True)],
    )


@question("the slope of a surprise", lesson="05")
def the_slope_of_a_surprise(draw):
    parts = draw.pick(2, 4, 5, 8, 10)
    p = 1 / parts
    slope = numeric_gradient(lambda p: -np.log(p).sum(), [p], step=1e-6).round(4)[0]
    return number(
        f"A label has p = 1/{parts}, and the loss is −log p. What is ∂(−log p)/∂p?",
        slope,
        [
            (-slope, "A larger p makes the loss smaller."),
            (-p, "The slope of log p is 1/p."),
            (p - 1, "That is the slope by the score z: softmax comes in between."),
        ],
        f"−1/p = −{parts}.",
    )


@question("who shares a softmax", lesson="05")
def who_shares_a_softmax(draw):
    z = draw.array((3, 4), -2, 2)
    k, n = draw.whole(0, 2), draw.whole(0, 3)
    moved = np.array(z)
    moved[k, n] += 1
    before, after = (softmax_cross_entropy(s, [0] * 4)[1] for s in (z, moved))
    changed = where(abs(before - after) > 1e-9)
    return cells(
        f"Scores of four samples, one in every column. Only z[{k},{n}] grows. Mark every cell "
        "whose probability p changes.",
        changed,
        [
            ({(k, n)}, "Probabilities add up to 1: if one grows, others shrink."),
            (grid([k], range(4)), "A softmax belongs to a sample: a column."),
            (grid(range(3), [n]) - {(k, n)}, "Its own probability changes most of all."),
        ],
        f"All of column {n}: the three scores of the sample share one sum.",
        tables=[table("z", z, marked=True)],
    )


@question("the first weight behind the loss", lesson="05")
def the_first_weight_behind_the_loss(draw):
    p = _probabilities(draw, 2)
    labels = [draw.whole(0, 2), draw.whole(0, 2)]
    x = draw.array((2, 2), -4, 4, zero=False)
    k, d = labels[0], draw.whole(0, 1)
    draw.must(labels[1] != k)
    _, dz = softmax_cross_entropy(np.log(p), labels)
    _, dw, _ = linear_backward(dz, x, np.zeros((3, 2)))
    return number(
        f"A linear layer made scores for two samples; p is their softmax, the labels are "
        f"{labels[0]} and {labels[1]}, the loss is the mean softmax cross-entropy. "
        f"What is dw[{k},{d}]?",
        dw[k, d].round(12),
        [
            (p[k] @ x[d] / 2, f"Sample 0 has the label {k}: there, 1 is taken off."),
            (2 * dw[k, d], "The mean over the two samples is missing."),
            (dz[k, 0] * x[d, 0], "The other sample used this weight, too."),
            ((p[k] - 1) @ x[d] / 2, f"Only sample 0 has the label {k}."),
        ],
        f"dz[{k}] = ({shown(p[k, 0])} − 1)/2 and {shown(p[k, 1])}/2; times x[{d}] of the same "
        "sample, added.",
        tables=[table("p", p), table("x", x)],
        prompt=f"dw[{k},{d}] =",
    )

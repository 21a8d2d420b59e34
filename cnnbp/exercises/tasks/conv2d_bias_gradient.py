"""The gradient by a convolution's biases."""

import numpy as np

from cnnbp.exercises import cases, choices
from cnnbp.exercises.choices import same, wrong
from cnnbp.exercises.task import exercise
from cnnbp.explain import explain_conv2d
from cnnbp.gradcheck import numeric_gradient

DB = "07, db sums over samples and positions"


@exercise(
    lesson="07",
    given={
        "dz": "N F OH OW: gradient of the loss by the convolution's output",
    },
    returns={"db": "F 1 1"},
    tiny=lambda rng: cases.convolution(rng, (2, 1, 1, 5), (3, 1, 1, 2), draw=cases.whole),
    cases=cases.convolutions,
    answer=lambda dz: dz.sum(axis=(0, 2, 3)).reshape(-1, 1, 1),
    numeric=lambda dz: numeric_gradient(lambda b: (dz * b).sum(), np.zeros((dz.shape[1], 1, 1))),
    explain=lambda part, index, **given: explain_conv2d("db", index, **given),
    hints=[
        "The bias of filter f is added to every cell z[n,f,i,j]: for every n, i and j.",
        "Each of these cells sends its dz back, times 1. Sum over n, i and j, not over f.",
        "One number for each filter, in the shape of the bias: (F, 1, 1).",
    ],
    stub="The gradient of the loss by the biases, one for each filter.",
)
def conv2d_bias_gradient(dz):
    """The gradient of the loss by a convolution's biases.

    One bias is added to every cell of its filter's output: at all positions, in all samples.
    """
    N, F, OH, OW = dz.shape
    db = np.zeros((F, 1, 1))
    for n, f, i, j in np.ndindex(N, F, OH, OW):
        db[f, 0, 0] += dz[n, f, i, j]
    return db


def one_cell(dz, index):
    """dz with one cell of every map left, the first or the last."""
    alone = np.zeros_like(dz)
    alone[:, :, index, index] = dz[:, :, index, index]
    return alone


# fmt: off
SUMS = [
    lambda dz: dz.sum(axis=(0, 2, 3))[:, None, None],
    wrong("not_summed_over_batch", DB, "{yours} {are} summed over positions only, one number for "
        "each sample and filter: all samples share one bias, so sum over the batch as well.",
        lambda dz: dz.sum(axis=(2, 3)), lambda dz: dz.sum(axis=(2, 3), keepdims=True)),
    wrong("not_summed_over_positions", DB, "{yours} {are} not summed over all positions: the bias "
        "is added in every row and column of its map.", lambda dz: dz.sum(axis=0),
        lambda dz: dz.sum(axis=(0, 2)), lambda dz: dz.sum(axis=(0, 3)),
        lambda dz: dz.sum(axis=(0, 2), keepdims=True)[0],
        lambda dz: dz.sum(axis=(0, 3), keepdims=True)[0]),
    wrong("filters_summed", DB, "{yours} {are} summed over the filters, axis 1: every filter has a "
        "bias of its own; sum over samples and positions, the axes 0, 2 and 3.",
        lambda dz: dz.sum(axis=(1, 2, 3)), lambda dz: dz.sum(axis=(1, 2, 3))[:, None, None],
        lambda dz: dz.sum(axis=(0, 1)), lambda dz: dz.sum(axis=1)),
    wrong("another_number_than_the_sum", DB, "{yours} {are} the largest gradient of a map, or "
        "made of "
        "absolute values or squares: the bias is added everywhere, so all gradients are summed.",
        lambda dz: dz.max(axis=(0, 2, 3))[:, None, None],
        lambda dz: np.abs(dz).sum(axis=(0, 2, 3))[:, None, None],
        lambda dz: (dz**2).sum(axis=(0, 2, 3))[:, None, None]),
    wrong("upstream_forgotten", DB, "windows are counted: each adds its gradient dz, not 1.",
        lambda dz: np.full((dz.shape[1], 1, 1), dz[:, 0].size),
        lambda dz: np.ones((dz.shape[1], 1, 1)),
        lambda dz: np.full((dz.shape[1], 1, 1), dz[0, 0].size)),
    wrong("reshaped_without_moving_the_filters", DB, "dz is reshaped to (F, ...) while the batch "
        "is its first axis, which mixes samples and filters: move the filter axis to the front "
        "before you reshape, or sum over the axes 0, 2 and 3.",
        lambda dz: dz.reshape(dz.shape[1], -1).sum(axis=1)[:, None, None],
        lambda dz: dz.reshape(-1, dz.shape[1]).sum(axis=0)[:, None, None]),
    wrong("one_bias_for_all", DB, "{yours} {are} one number for all filters: every filter has a "
        "bias of its own, so keep the filter axis.", lambda dz: dz.sum(),
        lambda dz: np.full((dz.shape[1], 1, 1), dz.sum()), lambda dz: dz.sum(keepdims=True)[0]),
]
FILTERS = [
    same,
    wrong("first_filter_only", DB, "only the first filter has its gradient: a return inside the "
        "loop ends it, or an index 0 stands for all.", lambda db: choices.only(db, slice(1, None))),
    wrong("last_filter_only", DB, "only the last filter has its gradient: zeros made inside the "
        "loop begin anew for every filter.", lambda db: choices.only(db, slice(None, -1))),
]
POSITIONS = [
    same,
    wrong("last_position_only", DB, "only the last position counts: each overwrites the one "
        "before, so add with +=.", lambda dz: one_cell(dz, -1)),
    wrong("first_position_only", DB, "only the first position counts: a return inside the loop "
        "ends it; the bias is added at every position.", lambda dz: one_cell(dz, 0)),
]


@conv2d_bias_gradient.steps(
    samples=choices.summed_samples(DB),
    positions=POSITIONS,
    border=choices.last_gradients(DB),
    sums=SUMS,
    filters=FILTERS,
    factors={
        "1/N": choices.over_batch(name="bias_divided_by_batch"),
        "1/OH·OW": choices.over_positions(DB, "bias_averaged_over_positions"),
        "1/N·OH·OW": choices.over_samples_and_positions(DB, "mean_in_place_of_sum"),
        "−1": choices.sign(DB),
    },
)
def by_steps(steps, dz):
    (dz,) = steps.samples(dz)
    return steps.filters(steps.sums(steps.border(steps.positions(dz))))

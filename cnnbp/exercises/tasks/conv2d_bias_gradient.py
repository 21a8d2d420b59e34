"""The gradient by a convolution's biases."""

import numpy as np

from cnnbp.exercises import cases
from cnnbp.exercises.task import exercise
from cnnbp.explain import explain_conv2d
from cnnbp.gradcheck import numeric_gradient

DB = "06, db sums over samples and positions"


@exercise(
    lesson="06",
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


@conv2d_bias_gradient.mistake(DB, also=[lambda dz: dz.sum(axis=(2, 3), keepdims=True)])
def not_summed_over_batch(dz):
    """Your db is summed over positions only, one number for each sample and filter; all samples
    share one bias, so sum over the batch as well."""
    return dz.sum(axis=(2, 3))


@conv2d_bias_gradient.mistake(DB, also=[lambda dz: dz.mean(axis=(0, 2, 3))])
def mean_in_place_of_sum(dz):
    """Your db is the mean of dz over samples and positions; the bias is added at every one of them,
    so its gradient is the sum."""
    return dz.mean(axis=(0, 2, 3)).reshape(-1, 1, 1)


@conv2d_bias_gradient.mistake("04, the 1/N of the loss")
def bias_divided_by_batch(dz):
    """Your db is divided by N; where the loss is a mean over the batch, its 1/N is in dz already,
    so here samples are summed."""
    return dz.mean(axis=0).sum(axis=(1, 2)).reshape(-1, 1, 1)


@conv2d_bias_gradient.mistake(DB)
def bias_averaged_over_positions(dz):
    """Your db is a mean over the OH·OW positions; the bias is added at every one of them, so they
    are summed."""
    return dz.mean(axis=(2, 3)).sum(axis=0).reshape(-1, 1, 1)


@conv2d_bias_gradient.mistake(
    DB,
    also=[lambda dz: np.full((dz.shape[1], 1, 1), dz.sum()), lambda dz: dz.sum(keepdims=True)[0]],
)
def one_bias_for_all(dz):
    """Your db is one number for all filters; every filter has a bias of its own, so keep the
    filter axis."""
    return dz.sum()

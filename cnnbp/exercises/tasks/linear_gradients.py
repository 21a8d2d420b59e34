"""The gradients of a fully connected layer."""

import numpy as np

from cnnbp.exercises import cases
from cnnbp.exercises.task import exercise
from cnnbp.explain import explain_linear
from cnnbp.gradcheck import numeric_gradient
from cnnbp.linear import linear_backward

SHAPES = "03, the shapes lead"
ROW_SUMS = "03, db sums the columns"


def linear_case(rng, M, D, N, draw=cases.normal):
    return {"dz": draw(rng, (M, N)), "x": draw(rng, (D, N)), "w": draw(rng, (M, D))}


def linear_numeric(dz, x, w):
    dx = numeric_gradient(lambda x: (dz * (w @ x)).sum(), x)
    dw = numeric_gradient(lambda w: (dz * (w @ x)).sum(), w)
    return dx, dw, numeric_gradient(lambda b: (dz * b).sum(), np.zeros((len(w), 1)))


@exercise(
    lesson="03",
    given={
        "dz": "M N: gradient of the loss by the layer's output",
        "x": "D N: its input",
        "w": "M D: its weights",
    },
    returns={"dx": "D N", "dw": "M D", "db": "M 1"},
    tiny=lambda rng: linear_case(rng, 2, 3, 4, cases.whole),
    cases=lambda rng: [linear_case(rng, *sizes) for sizes in ((3, 2, 4), (3, 3, 3), (5, 4, 2))],
    answer=linear_backward,
    numeric=linear_numeric,
    explain=lambda part, index, **given: explain_linear(part, index, **given),
    hints=[
        "Let the shapes lead: dx is (D, N), and there are w (M, D) and dz (M, N) to make it from.",
        "dx = wᵀ dz and dw = dz xᵀ are the only products that fit.",
        "The bias of output m is added in every sample: db sums dz over N and stays (M, 1).",
    ],
    stub="The gradients of the loss by the layer's x, w and b, for z = w x + b.",
    start="let the shapes lead",
)
def linear_gradients(dz, x, w):
    """The gradients of the loss by the input, weights and bias of a fully connected layer.

    The layer computes z = w x + b, with a column for each sample.
    """
    (M, N), D = dz.shape, len(x)
    dx, dw, db = np.zeros((D, N)), np.zeros((M, D)), np.zeros((M, 1))
    for m, n in np.ndindex(M, N):
        db[m, 0] += dz[m, n]
        for d in range(D):
            dx[d, n] += dz[m, n] * w[m, d]
            dw[m, d] += dz[m, n] * x[d, n]
    return dx, dw, db


@linear_gradients.mistake(ROW_SUMS, also=[lambda *given: with_bias(*given, lambda db: db.T)])
def bias_not_a_column(dz, x, w):
    """Your db is not a column (M, 1), so that w x + b would add it along the wrong axis; sum with
    keepdims=True."""
    return with_bias(dz, x, w, lambda db: db[:, 0])


def with_bias(dz, x, w, change):
    dx, dw, db = linear_backward(dz, x, w)
    return dx, dw, change(db)


@linear_gradients.mistake(ROW_SUMS)
def bias_is_a_mean(dz, x, w):
    """Your db is the mean over the batch; the bias is added in every sample, so its gradient is the
    sum, and the 1/N of the loss is in dz already."""
    return with_bias(dz, x, w, lambda db: db / x.shape[1])


@linear_gradients.mistake("04, the 1/N of the loss")
def divided_by_batch(dz, x, w):
    """Your dw and db are divided by N; where the loss is a mean over the batch, its 1/N is in dz
    already, so here samples are summed."""
    dx, dw, db = linear_backward(dz, x, w)
    return dx, dw / x.shape[1], db / x.shape[1]


@linear_gradients.mistake(SHAPES)
def weights_not_transposed(dz, x, w):
    """Your dx is w dz in place of wᵀ dz: on the way back, outputs come in and inputs go out. Where
    D = M this raises no error."""
    _, dw, db = linear_backward(dz, x, w)
    return w @ dz, dw, db

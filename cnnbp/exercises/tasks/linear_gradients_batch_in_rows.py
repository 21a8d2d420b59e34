"""A fully connected layer whose batch stands in rows: the same sums, in other products."""

import numpy as np

from cnnbp.exercises import cases
from cnnbp.exercises.task import exercise
from cnnbp.gradcheck import numeric_gradient

SHAPES = "03, the shapes lead"
SUMS = "03, db sums the columns"


def rows_case(rng, N, D, M, draw=cases.normal):
    return {"dz": draw(rng, (N, M)), "x": draw(rng, (N, D)), "w": draw(rng, (D, M))}


def gradients(dz, x, w):
    return dz @ w.T, x.T @ dz, dz.sum(axis=0, keepdims=True)


def numeric(dz, x, w):
    dx = numeric_gradient(lambda x: (dz * (x @ w)).sum(), x)
    dw = numeric_gradient(lambda w: (dz * (x @ w)).sum(), w)
    return dx, dw, numeric_gradient(lambda b: (dz * b).sum(), np.zeros((1, w.shape[1])))


@exercise(
    lesson="03",
    given={
        "dz": "N M: gradient of the loss by the layer's output, a row for each sample",
        "x": "N D: its input, a row for each sample",
        "w": "D M: its weights",
    },
    returns={"dx": "N D", "dw": "D M", "db": "1 M"},
    tiny=lambda rng: rows_case(rng, 4, 3, 2, cases.whole),
    cases=lambda rng: [rows_case(rng, *sizes) for sizes in ((4, 2, 3), (3, 3, 3), (2, 4, 5))],
    answer=gradients,
    numeric=numeric,
    hints=[
        "Write one cell as a sum first: z[n,m] = b[m] + Σ_d x[n,d]·w[d,m].",
        "x[n,d] feeds the whole row z[n,:], each cell with the slope w[d,m]: sum over m.",
        "w[d,m] and b[m] feed column m of z, once in each sample: sum over n.",
    ],
    stub="The gradients of the loss by the layer's x, w and b, for z = x w + b.",
    start="write one cell of each as a sum",
)
def linear_gradients_batch_in_rows(dz, x, w):
    """The gradients of a fully connected layer that has a row for each sample.

    The layer computes z = x w + b, and b is a row (1, M), the same for every sample.
    """
    (N, M), D = dz.shape, len(w)
    dx, dw, db = np.zeros((N, D)), np.zeros((D, M)), np.zeros((1, M))
    for n, m in np.ndindex(N, M):
        db[0, m] += dz[n, m]
        for d in range(D):
            dx[n, d] += dz[n, m] * w[d, m]
            dw[d, m] += dz[n, m] * x[n, d]
    return dx, dw, db


def with_bias(dz, x, w, change):
    dx, dw, db = gradients(dz, x, w)
    return dx, dw, change(db)


@linear_gradients_batch_in_rows.mistake(SUMS, also=[lambda *of: with_bias(*of, lambda db: db.T)])
def bias_not_a_row(dz, x, w):
    """Your db is not a row (1, M), the shape of b; sum over the samples with keepdims=True."""
    return with_bias(dz, x, w, lambda db: db[0])


@linear_gradients_batch_in_rows.mistake(SUMS)
def bias_is_a_mean(dz, x, w):
    """Your db is the mean over the batch; the bias is added in every sample, so its gradient is the
    sum, and the 1/N of the loss is in dz already."""
    return with_bias(dz, x, w, lambda db: db / len(x))


@linear_gradients_batch_in_rows.mistake(SUMS)
def bias_sums_the_wrong_axis(dz, x, w):
    """Your db sums over the outputs; each output has a bias of its own, used in every sample, and
    the samples are axis 0 here."""
    return with_bias(dz, x, w, lambda db: dz.sum(axis=1, keepdims=True))


@linear_gradients_batch_in_rows.mistake("05, the 1/N of the loss")
def divided_by_batch(dz, x, w):
    """Your dw and db are divided by N; where the loss is a mean over the batch, its 1/N is in dz
    already, so here samples are summed."""
    dx, dw, db = gradients(dz, x, w)
    return dx, dw / len(x), db / len(x)


@linear_gradients_batch_in_rows.mistake(SHAPES)
def weights_not_transposed(dz, x, w):
    """Your dx is dz w in place of dz wᵀ: on the way back, outputs come in and inputs go out. Where
    D = M this raises no error."""
    _, dw, db = gradients(dz, x, w)
    return dz @ w, dw, db


@linear_gradients_batch_in_rows.mistake(SHAPES)
def products_of_a_batch_in_columns(dz, x, w):
    """You have the products for a batch in columns, wᵀ dz and dz xᵀ; here samples are rows, so
    write one cell as a sum and read the product anew. Where all sizes are equal this raises no
    error."""
    return w.T @ dz, dz @ x.T, dz.sum(axis=1, keepdims=True)

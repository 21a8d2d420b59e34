"""A fully connected layer whose batch stands in rows: the same sums, in other products."""

from dataclasses import replace

import numpy as np

from cnnbp.exercises import cases, choices
from cnnbp.exercises.task import exercise
from cnnbp.exercises.tasks import linear_gradients
from cnnbp.gradcheck import numeric_gradient

SHAPES = "03, the shapes lead"


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


HERE = {"bias_not_a_column": "bias_not_a_row", "samples_as_rows": "samples_as_columns"}


def turned(step, **said):
    """The choices of a step for a batch in columns, on transposed arrays, with sentences."""
    right, *every = choices.borrowed(step, **said)
    return [
        as_rows(right),
        *(
            replace(
                each, name=HERE.get(each.name, each.name), forms=tuple(map(as_rows, each.forms))
            )
            for each in every
        ),
    ]


def as_rows(form):
    return lambda dz, x, w: np.transpose(form(dz.T, x.T, w.T))


# fmt: off
DX = turned(
    linear_gradients.DX,
    weights_not_transposed="{yours} {are} dz w in place of dz wᵀ: on the way back, outputs come in "
        "and inputs go out; where D = M this raises no error.",
    samples_as_rows="{yours} {are} transposed: here every sample is a row.",
)
DW = turned(
    linear_gradients.DW,
    product_the_other_way_round="{yours} {are} dzᵀ x in place of xᵀ dz: its axes are in another "
        "order, but it has a row for every input.",
)
DB = turned(
    linear_gradients.DB,
    bias_not_a_column="{yours} {are} not a row (1, M), the shape of b: sum with keepdims=True.",
    bias_summed_over_outputs="{yours} {are} summed over the outputs: every output has a bias of "
        "its "
        "own, which is added in every sample, so sum over the samples, axis 0.",
)


@linear_gradients_batch_in_rows.steps(dx=DX, dw=DW, db=DB, factors=linear_gradients.FACTORS)
def by_steps(steps, *given):
    return steps.dx(*given), steps.dw(*given), steps.db(*given)


# fmt: on
@linear_gradients_batch_in_rows.mistake(SHAPES)
def products_of_a_batch_in_columns(dz, x, w):
    """You have the products for a batch in columns, wᵀ dz and dz xᵀ; here samples are rows, so
    write one cell as a sum and read the product anew. Where all sizes are equal this raises no
    error."""
    return w.T @ dz, dz @ x.T, dz.sum(axis=1, keepdims=True)

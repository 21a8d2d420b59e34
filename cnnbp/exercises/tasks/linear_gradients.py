"""The gradients of a fully connected layer."""

import numpy as np

from cnnbp.exercises import cases, choices
from cnnbp.exercises.choices import wrong
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


def updated(rate):
    """dx made with weights that were updated before, a step of gradient descent."""
    return lambda dz, x, w: (w - rate * dz @ x.T).T @ dz


# fmt: off
DX = [
    lambda dz, x, w: w.T @ dz,
    wrong("weights_not_transposed", SHAPES, "{yours} {are} w dz in place of wᵀ dz: on the way "
        "back, outputs come in and inputs go out; where D = M this raises no error.",
        lambda dz, x, w: w @ dz),
    wrong("weights_updated_before_dx", SHAPES, "{yours} {are} made with the updated weights: the "
        "output was made with the old ones, so find all gradients first.",
        *(updated(rate) for rate in (0.01, 0.1, 0.001, 1.0))),
    wrong("samples_as_rows", SHAPES, "{yours} {are} transposed: here every sample is a column.",
        lambda dz, x, w: (w.T @ dz).T),
    wrong("made_with_x", SHAPES, "{yours} {are} made with the input x: by the chain rule dx is "
        "made of dz and w.", lambda dz, x, w: w.T @ (w @ x), lambda dz, x, w: x * (w.T @ dz)),
]
DW = [
    lambda dz, x, w: dz @ x.T,
    wrong("product_the_other_way_round", SHAPES, "{yours} {are} x dzᵀ in place of dz xᵀ: its axes "
        "are in another order, but it has a row for every output.", lambda dz, x, w: x @ dz.T),
    wrong("taken_from_dx", SHAPES, "{yours} {are} made of dx in place of dz: weights and biases "
        "are met by the gradient of the layer's output; dx is for the layer before.",
        lambda dz, x, w: w.T @ dz @ x.T),
    *choices.one_sample(
        ROW_SUMS,
        lambda dz, x, w: dz[:, :1] @ x[:, :1].T,
        lambda dz, x, w: dz[:, -1:] @ x[:, -1:].T,
    ),
    wrong("weight_decay_added", SHAPES, "the weights are added to dw, as weight decay does: here "
        "the loss has no such term.",
        *(lambda dz, x, w, rate=rate: dz @ x.T + rate * w for rate in (0.01, 0.1, 0.001, 1.0))),
]
DB = [
    lambda dz, x, w: dz.sum(axis=1, keepdims=True),
    wrong("bias_not_a_column", ROW_SUMS, "{yours} {are} not a column (M, 1), so that w x + b would "
        "add it along the wrong axis: sum with keepdims=True.", lambda dz, x, w: dz.sum(axis=1),
        lambda dz, x, w: dz.sum(axis=1, keepdims=True).T),
    wrong("bias_summed_over_outputs", ROW_SUMS, "{yours} {are} summed over the outputs: every "
        "output has a bias of its own, which is added in every sample, so sum over the samples, "
        "axis 1.", lambda dz, x, w: dz.sum(axis=0), lambda dz, x, w: dz.sum(axis=0, keepdims=True),
        lambda dz, x, w: dz.sum(axis=0, keepdims=True).T),
    wrong("bias_summed_over_everything", ROW_SUMS, "{yours} {are} summed over outputs and samples: "
        "every output has a bias of its own, so sum over the samples alone.",
        lambda dz, x, w: dz.sum(), lambda dz, x, w: np.full((len(dz), 1), dz.sum())),
    wrong("upstream_forgotten", ROW_SUMS, "{yours} {are} a number of samples, or 1, without dz: "
        "each sample adds its gradient dz, not 1.", lambda dz, x, w: np.ones((len(dz), 1)),
        lambda dz, x, w: np.full((len(dz), 1), dz.shape[1])),
    wrong("bias_not_summed", ROW_SUMS, "{yours} {are} dz itself: the bias is added in every "
        "sample, so sum over them.", lambda dz, x, w: dz),
    wrong("taken_from_dx", SHAPES, "", lambda dz, x, w: (w.T @ dz).sum(axis=1, keepdims=True)),
    wrong("bias_made_of_dw", ROW_SUMS, "{yours} {are} made of dw: it is the sum of dz alone, since "
        "the bias meets no x.", lambda dz, x, w: (dz @ x.T).sum(axis=1, keepdims=True),
        lambda dz, x, w: (dz @ x.T).sum(axis=1),
        lambda dz, x, w: (dz @ x.T).mean(axis=1, keepdims=True)),
    *choices.one_sample(ROW_SUMS, lambda dz, x, w: dz[:, :1], lambda dz, x, w: dz[:, -1:]),
]


FACTORS = {
    "dw db: 1/N": choices.over_batch(SHAPES),
    "db: 1/N": choices.factor("bias_is_a_mean", ROW_SUMS, "{yours} {are} the mean over the batch: "
        "the bias is added in every sample, so its gradient is the sum, and the 1/N of the loss is "
        "in dz already."),
    "−1": choices.sign(SHAPES),
}


@linear_gradients.steps(dx=DX, dw=DW, db=DB, factors=FACTORS)
def by_steps(steps, *given):
    return steps.dx(*given), steps.dw(*given), steps.db(*given)

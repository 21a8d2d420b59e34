"""Exercises on the fully connected layer, on flattening, and on a trunk with two heads."""

import numpy as np

from cnnbp.exercises import cases
from cnnbp.exercises.exercise import exercise
from cnnbp.explain import explain_linear
from cnnbp.gradcheck import numeric_gradient
from cnnbp.linear import flatten, flatten_backward, linear_backward

SHAPES = "03, the shapes lead"
FLATTEN = "03, transpose first, then reshape"
ROW_SUMS = "03, db sums the columns"


def linear_case(rng, M, D, N, draw=cases.normal):
    return {"dz": draw(rng, (M, N)), "x": draw(rng, (D, N)), "w": draw(rng, (M, D))}


def linear_numeric(dz, x, w):
    dx = numeric_gradient(lambda x: (dz * (w @ x)).sum(), x)
    dw = numeric_gradient(lambda w: (dz * (w @ x)).sum(), w)
    return dx, dw, numeric_gradient(lambda b: (dz * b).sum(), np.zeros((len(w), 1)))


@exercise(
    lesson="03",
    tiny=lambda rng: linear_case(rng, 2, 3, 2, cases.whole),
    cases=lambda rng: [linear_case(rng, *sizes) for sizes in ((3, 2, 4), (3, 3, 3), (5, 4, 2))],
    answer=linear_backward,
    numeric=linear_numeric,
    explain=lambda part, index, **given: explain_linear(part, index, **given),
    hints=[
        "Let the shapes lead: dx is (D, N), and there are w (M, D) and dz (M, N) to make it from.",
        "dx = wᵀ dz and dw = dz xᵀ are the only products that fit.",
        "The bias of output m is added in every sample: db sums dz over N and stays (M, 1).",
    ],
)
def linear_gradients(dz, x, w):
    """The gradients of the loss by the input, weights and bias of a fully connected layer.

    The layer computes z = w x + b, with a column for each sample.

    dz       (M, N)   gradient of the loss by the layer's output
    x        (D, N)   its input
    w        (M, D)   its weights
    returns  dx (D, N), dw (M, D), db (M, 1)
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


def flatten_case(rng, x_shape, draw=cases.normal):
    N, C, H, W = x_shape
    return {"dz": draw(rng, (C * H * W, N)), "x_shape": x_shape}


def flatten_numeric(dz, x_shape):
    return numeric_gradient(lambda x: (dz * flatten(x)).sum(), np.zeros(x_shape))


@exercise(
    lesson="03",
    tiny=lambda rng: flatten_case(rng, (2, 1, 2, 2), cases.distinct),
    cases=lambda rng: [flatten_case(rng, shape) for shape in ((2, 3, 1, 2), (3, 2, 4, 3))],
    answer=flatten_backward,
    numeric=flatten_numeric,
    hints=[
        "No number changes; each only goes back to where it came from.",
        "Column n of dz belongs to sample n; within it, channels come first, then rows.",
        "dz.T has the samples first: (N, C·H·W). Only now can it be reshaped.",
    ],
)
def flatten_gradient(dz, x_shape):
    """The gradient of the loss by the input of a flattening.

    Flattening turned every image into one column: z[(c·H + h)·W + v, n] = x[n,c,h,v].

    dz       (C·H·W, N)
    x_shape  (N, C, H, W)
    returns  dx (N, C, H, W)
    """
    N, C, H, W = x_shape
    dx = np.zeros(x_shape)
    for n, c, h, v in np.ndindex(N, C, H, W):
        dx[n, c, h, v] = dz[(c * H + h) * W + v, n]
    return dx


@flatten_gradient.mistake(FLATTEN)
def reshaped_without_transposing(dz, x_shape):
    """You reshape (C·H·W, N) directly, which mixes the samples up though the shape fits: transpose
    first, so that each sample's numbers lie together, and then reshape."""
    return dz.reshape(x_shape)


@flatten_gradient.mistake(FLATTEN)
def channels_taken_as_last(dz, x_shape):
    """You unfold the columns as if channels ran fastest; here they run slowest, as in
    (N, C, H, W)."""
    N, C, H, W = x_shape
    return dz.T.reshape(N, H, W, C).transpose(0, 3, 1, 2)


def trunk_case(rng, K, D, N, draw=cases.normal):
    return {
        "dz_class": draw(rng, (K, N)),
        "dz_box": draw(rng, (4, N)),
        "x": draw(rng, (D, N)),
        "w_class": draw(rng, (K, D)),
        "w_box": draw(rng, (4, D)),
    }


def trunk(dz_class, dz_box, x, w_class, w_box):
    return w_class.T @ dz_class + w_box.T @ dz_box


def trunk_numeric(dz_class, dz_box, x, w_class, w_box):
    def loss(x):
        return (dz_class * (w_class @ x)).sum() + (dz_box * (w_box @ x)).sum()

    return numeric_gradient(loss, x)


@exercise(
    lesson="12",
    tiny=lambda rng: trunk_case(rng, 2, 2, 1, cases.whole),
    cases=lambda rng: [trunk_case(rng, *sizes) for sizes in ((3, 2, 4), (4, 5, 3))],
    answer=trunk,
    numeric=trunk_numeric,
    hints=[
        "Each head is a fully connected layer; what would it send back if it were the only one?",
        "The trunk's x feeds both heads. A value that is used twice gets the sum.",
    ],
)
def shared_trunk_gradient(dz_class, dz_box, x, w_class, w_box):
    """The gradient that two heads send to the trunk they share.

    One head classifies, z_class = w_class x, the other finds a box, z_box = w_box x; the loss is
    made of both outputs.

    dz_class  (K, N)   gradient of the loss by the classes' scores
    dz_box    (4, N)   gradient of the loss by the box
    x         (D, N)   the trunk's output, which both heads take
    w_class   (K, D)
    w_box     (4, D)
    returns   dx (D, N)
    """
    dx = np.zeros(x.shape)
    for d, n in np.ndindex(x.shape):
        for k in range(len(w_class)):
            dx[d, n] += dz_class[k, n] * w_class[k, d]
        for k in range(len(w_box)):
            dx[d, n] += dz_box[k, n] * w_box[k, d]
    return dx


HEADS = "12, two losses through one trunk"


@shared_trunk_gradient.mistake(HEADS)
def class_head_only(dz_class, dz_box, x, w_class, w_box):
    """Your dx is what the class head alone sends back; the box head uses x as well, so add its
    part."""
    return w_class.T @ dz_class


@shared_trunk_gradient.mistake(HEADS)
def box_head_only(dz_class, dz_box, x, w_class, w_box):
    """Your dx is what the box head alone sends back; the class head uses x as well, so add its
    part."""
    return w_box.T @ dz_box


@shared_trunk_gradient.mistake(HEADS)
def heads_averaged(dz_class, dz_box, x, w_class, w_box):
    """Your dx is the mean of what the two heads send back; both use x, so it is the sum."""
    return trunk(dz_class, dz_box, x, w_class, w_box) / 2

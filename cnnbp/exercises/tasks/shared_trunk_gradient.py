"""The gradient of a trunk with two heads."""

import numpy as np

from cnnbp.exercises import cases
from cnnbp.exercises.task import exercise
from cnnbp.gradcheck import numeric_gradient

HEADS = "12, two losses through one trunk"


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
    given={
        "dz_class": "K N: gradient of the loss by the classes' scores",
        "dz_box": "4 N: gradient of the loss by the box",
        "x": "D N: the trunk's output, which both heads take",
        "w_class": "K D",
        "w_box": "4 D",
    },
    returns={"dx": "D N"},
    tiny=lambda rng: trunk_case(rng, 5, 3, 2, cases.whole),
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
    """
    dx = np.zeros(x.shape)
    for d, n in np.ndindex(x.shape):
        for k in range(len(w_class)):
            dx[d, n] += dz_class[k, n] * w_class[k, d]
        for k in range(len(w_box)):
            dx[d, n] += dz_box[k, n] * w_box[k, d]
    return dx


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

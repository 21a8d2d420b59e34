"""The gradient of a trunk with two heads."""

import numpy as np

from cnnbp.exercises import cases, choices
from cnnbp.exercises.choices import wrong
from cnnbp.exercises.task import exercise
from cnnbp.gradcheck import numeric_gradient

HEADS = "14, two losses through one trunk"
ONE_NTH = "05, the 1/N of the loss"


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
    lesson="14",
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


def one_row(dz, row):
    """dz with one output's row left."""
    alone = np.zeros(dz.shape)
    alone[row] = dz[row]
    return alone


# fmt: off
INPUTS = [
    lambda dx, x: dx,
    wrong("input_multiplied_in", HEADS, "the input x is multiplied in as well: by the chain rule "
        "dx is made of dz and w.", lambda dx, x: dx * x),
    wrong("relu_mask_applied", HEADS, "{yours} {are} 0 where x is not positive: the heads take x "
        "as it is; if a ReLU made it, its own backward pass comes after this.",
        lambda dx, x: dx * (x > 0)),
]
TOGETHER = [
    np.add,
    wrong("class_head_only", HEADS, "{yours} {are} what the class head alone sends back: the box "
        "head uses x as well, so add its part.", lambda first, second: first),
    wrong("box_head_only", HEADS, "{yours} {are} what the box head alone sends back: the class "
        "head uses x as well, so add its part (a second = would overwrite the first: +=).",
        lambda first, second: second),
    wrong("heads_averaged", HEADS, "{yours} {are} the mean of what the two heads send back: both "
        "use x, so it is the sum.", lambda first, second: (first + second) / 2),
    wrong("heads_put_together_otherwise", HEADS, "the parts of the two heads are subtracted, "
        "multiplied or compared: both use x, so they are added.", np.subtract, np.multiply,
        np.maximum, lambda first, second: second - first),
    wrong("heads_joined", HEADS, "the parts of the two heads stand side by side: both use the same "
        "x, so they are added.", lambda first, second: np.concatenate([first, second]),
        lambda first, second: np.concatenate([first, second], axis=1),
        lambda first, second: np.stack([first, second])),
]
UPSTREAMS = [
    lambda dz_class, dz_box, N: (dz_class, dz_box),
    wrong("one_head_counted_twice", HEADS, "one head's part is there twice, or half: each head "
        "sends its own part once.", lambda dz_class, dz_box, N: (2 * dz_class, dz_box),
        lambda dz_class, dz_box, N: (dz_class, 2 * dz_box),
        lambda dz_class, dz_box, N: (dz_class / 2, dz_box),
        lambda dz_class, dz_box, N: (dz_class, dz_box / 2)),
    wrong("one_output_only", HEADS, "only one output of a head sends its part back: = overwrites "
        "the others in a loop, and x feeds every class and every number of the box.",
        lambda dz_class, dz_box, N: (one_row(dz_class, -1), dz_box),
        lambda dz_class, dz_box, N: (dz_class, one_row(dz_box, -1)),
        lambda dz_class, dz_box, N: (one_row(dz_class, -1), one_row(dz_box, -1)),
        lambda dz_class, dz_box, N: (one_row(dz_class, 0), one_row(dz_box, 0))),
    wrong("one_head_divided_by_batch", ONE_NTH, "one head's part is divided by N: the 1/N of a "
        "loss that is a mean is in its dz already.",
        lambda dz_class, dz_box, N: (dz_class / N, dz_box),
        lambda dz_class, dz_box, N: (dz_class, dz_box / N)),
]


@shared_trunk_gradient.steps(
    upstream=UPSTREAMS,
    together=TOGETHER,
    inputs=INPUTS,
    samples=choices.samples(HEADS, axis=1),
    factors={"1/N": choices.over_batch(), "−1": choices.sign(HEADS)},
)
def by_steps(steps, dz_class, dz_box, x, w_class, w_box):
    dz_class, dz_box = steps.upstream(dz_class, dz_box, x.shape[1])
    dx = steps.together(w_class.T @ dz_class, w_box.T @ dz_box)
    return steps.samples(steps.inputs(dx, x))

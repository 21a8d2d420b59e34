"""A layer that the package does not hold: a pooling of the two largest."""

import numpy as np

from cnnbp.exercises import cases, choices
from cnnbp.exercises.choices import wrong
from cnnbp.exercises.task import exercise
from cnnbp.exercises.tasks.max_pool2d_gradient import VALUES
from cnnbp.exercises.windows import each_window
from cnnbp.gradcheck import numeric_gradient

TOP = "09, the winner gets the gradient"
OVERLAP = "09, where windows overlap, gradients add"


def top_two(dz, x, kernel_size, stride):
    dx = np.zeros(x.shape)
    for cell, pixels in each_window(dz.shape, x.shape, kernel_size, stride):
        dx[pixels] += dz[cell] / 2 * ranked_first(x[pixels], 2)
    return dx


def ranked_first(window, count):
    """True at the `count` largest cells."""
    return window >= np.sort(window, axis=None)[-count]


def top_two_numeric(dz, x, kernel_size, stride):
    def loss(x):
        largest = (
            np.sort(x[pixels], axis=None)[-2:]
            for _, pixels in each_window(dz.shape, x.shape, kernel_size, stride)
        )
        return sum(g * two.mean() for g, two in zip(dz.ravel(), largest, strict=True))

    return numeric_gradient(loss, x)


@exercise(
    lesson="09",
    given={
        "dz": "N C OH OW: gradient of the loss by the pooling's output",
        "x": "N C H W: its input",
        "kernel_size": "KH KW: the window",
        "stride": "pair",
    },
    returns={"dx": "N C H W"},
    tiny=lambda rng: cases.tiny_pooling(rng),
    cases=lambda rng: [
        cases.pooling(rng, (1, 1, 4, 4), (3, 2), (1, 2)),
        cases.pooling(rng, (2, 2, 5, 5), (2, 2), (3, 3)),
        cases.pooling(rng, (2, 3, 6, 4), (3, 3), (2, 1)),
        cases.pooling(rng, (3, 1, 3, 6), (2, 3), (1, 2)),
    ],
    answer=top_two,
    numeric=top_two_numeric,
    hints=[
        "z = (a + b) / 2 with the two largest cells a and b. What is the slope by a, by b, by any "
        "other cell?",
        "Each of the two winners gets dz / 2; a cell that wins in several windows gets the sum.",
    ],
    stub="The gradient of the loss by the input of this pooling.",
)
def mean_of_top_two_gradient(dz, x, kernel_size, stride):
    """The gradient of a pooling that hands on the mean of the two largest cells of every window.

    There is no padding, and no two cells of a window are equal.
    """
    dx = np.zeros(x.shape)
    for n, c, i, j in np.ndindex(dz.shape):
        cells = []
        for a, b in np.ndindex(kernel_size):
            row, column = i * stride[0] + a, j * stride[1] + b
            cells.append((x[n, c, row, column], row, column))
        for _, row, column in sorted(cells)[-2:]:
            dx[n, c, row, column] += dz[n, c, i, j] / 2
    return dx


def places(windows):
    """The rank of every cell in its window: 0 is the largest."""
    flat = windows.reshape(*windows.shape[:4], -1)
    return (-flat).argsort(axis=-1).argsort(axis=-1).reshape(windows.shape)


# fmt: off
CELLS = [
    lambda ranks: ranks < 2,
    wrong("largest_only", TOP, "the largest cell alone gets a gradient, as in max pooling: here "
        "two cells win, and each gets half.", lambda ranks: 2.0 * (ranks == 0),
        lambda ranks: ranks == 0),
    wrong("second_largest_only", TOP, "the second largest cell alone gets a gradient: two cells "
        "win, and each gets half.", lambda ranks: ranks == 1, lambda ranks: 2.0 * (ranks == 1)),
    wrong("smallest_two", TOP, "the two smallest cells get the gradient: the two largest made the "
        "mean.", lambda ranks: ranks >= ranks.max(axis=(4, 5), keepdims=True) - 1),
    wrong("another_number_of_winners", TOP, "another number of cells than two gets a gradient: "
        "exactly the two largest made the mean.", lambda ranks: ranks < 3,
        lambda ranks: 2.0 / 3 * (ranks < 3),
        lambda ranks: 2.0 / ranks[0, 0, 0, 0].size * np.ones(ranks.shape),
        lambda ranks: np.ones(ranks.shape)),
]
OVERLAPS = [
    choices.added,
    wrong("overlaps_assigned", OVERLAP, "overlapping windows are assigned: a cell that wins in "
        "several keeps the last one's gradient only, so add with +=.",
        choices.assigned_where_not_zero, choices.assigned),
]
CROPS = [
    lambda dx, reach: dx,
    wrong("remainder_missing", OVERLAP, choices.REMAINDER_MISSING,
        lambda dx, reach: dx[:, :, : reach[0], : reach[1]]),
]


@mean_of_top_two_gradient.steps(
    cells=CELLS,
    value=choices.borrowed(VALUES),
    size=choices.sizes("09, stride and window size differ"),
    stride=choices.strides("09, stride and window size differ"),
    overlap=OVERLAPS,
    crop=CROPS,
    border=choices.last_gradients(TOP),
    samples=choices.samples(TOP),
    factors={
        "2": choices.factor("mean_not_halved", "09, average pooling shares", "the whole of dz goes "
            "to both winners: in their mean each has the share ½."),
        "1/N": choices.over_batch(),
        "−1": choices.sign(TOP),
    },
)
def by_steps(steps, dz, x, kernel_size, stride):
    size, count = steps.size(kernel_size, stride), dz.shape[2:]
    stride = steps.stride(stride, kernel_size)
    windows = choices.views(x, size, stride, count, -np.inf)
    cells, half = steps.cells(places(windows)), steps.border(dz)[..., None, None] / 2
    dx = steps.overlap(steps.value(cells, windows, half), stride, x.shape[2:])
    return steps.samples(steps.crop(dx, choices.reach_of(count, size, stride)))

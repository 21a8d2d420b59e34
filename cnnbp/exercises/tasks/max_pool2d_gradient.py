"""The gradient of a max pooling."""

import numpy as np

from cnnbp.exercises import cases, choices
from cnnbp.exercises.choices import same, wrong
from cnnbp.exercises.task import exercise
from cnnbp.exercises.windows import each_window, first_winner
from cnnbp.explain import explain_max_pool2d
from cnnbp.gradcheck import numeric_gradient
from cnnbp.pooling import max_pool2d, max_pool2d_backward

OVERLAP = "09, where windows overlap, gradients add"
TIES = "09, a tie needs a rule"
WINNER = "09, the winner gets the gradient"
APART = "09, stride and window size differ"
PADDING = "09, the padding never wins"


def max_gradient(dz, x, kernel_size, stride, padding):
    _, argmax = max_pool2d(x, kernel_size, stride=stride, padding=padding)
    return max_pool2d_backward(dz, argmax, x.shape)


def max_numeric(dz, x, kernel_size, stride, padding):
    def loss(x):
        return (dz * max_pool2d(x, kernel_size, stride=stride, padding=padding)[0]).sum()

    return numeric_gradient(loss, x)


@exercise(
    lesson="09",
    given={
        "dz": "N C OH OW: gradient of the loss by the pooling's output",
        "x": "N C H W: its input",
        "kernel_size": "KH KW: the window",
        "stride": "pair",
        "padding": "pair",
    },
    returns={"dx": "N C H W"},
    tiny=cases.tiny_pooling,
    cases=cases.poolings_with_ties,
    answer=max_gradient,
    numeric=max_numeric,
    explain=lambda part, index, **given: explain_max_pool2d("dx", index, **given),
    hints=[
        "Only the winner of a window moved its output: it gets the window's dz, the rest nothing.",
        "Find each window's winner as the forward pass does; with > the first of a tie wins.",
        "A pixel can win several windows, so add dz to dx there: += and not =.",
    ],
    stub="The gradient of the loss by the input of max pooling.",
)
def max_pool2d_gradient(dz, x, kernel_size, stride, padding):
    """The gradient of the loss by the input of a max pooling.

    Each window hands its gradient to the pixel that won it; the first wins a tie, in the order of
    rows. A pixel that won several windows gets the sum. Cells of the padding never win.
    """
    dx = np.zeros(x.shape)
    for n, c, i, j in np.ndindex(dz.shape):
        largest, winner = -np.inf, None
        for a, b in np.ndindex(kernel_size):
            row = i * stride[0] + a - padding[0]
            column = j * stride[1] + b - padding[1]
            inside = 0 <= row < x.shape[2] and 0 <= column < x.shape[3]
            if inside and x[n, c, row, column] > largest:
                largest, winner = x[n, c, row, column], (n, c, row, column)
        dx[winner] += dz[n, c, i, j]
    return dx


def written_a_kernel_apart(dz, x, kernel_size, stride, padding):
    dx = np.pad(np.zeros(x.shape), [(0, 0), (0, 0), *((p, p) for p in padding)])
    _, argmax = max_pool2d(x, kernel_size, stride=stride, padding=padding)
    for n, c, i, j in np.ndindex(dz.shape):
        h, v = divmod(argmax[n, c, i, j], x.shape[3])
        row = padding[0] + h + i * (kernel_size[0] - stride[0])
        column = padding[1] + v + j * (kernel_size[1] - stride[1])
        dx[n, c, row, column] += dz[n, c, i, j]
    return dx[:, :, padding[0] :, padding[1] :][:, :, : x.shape[2], : x.shape[3]]


def channel_winner_in_its_windows(dz, x, kernel_size, stride, padding):
    dx = max_gradient(dz, x, kernel_size, stride, padding)
    return dx * (x == x.max(axis=(2, 3), keepdims=True))


def channel_winners_mask(dz, x, kernel_size, stride, padding):
    return (x == x.max(axis=(2, 3), keepdims=True)) * dz.sum(axis=(2, 3), keepdims=True)


def one_winner_of_the_channel(dz, x, kernel_size, stride, padding):
    dx = np.zeros(x.shape)
    for n, c in np.ndindex(x.shape[:2]):
        dx[n, c][first_winner(x[n, c])] = dz[n, c].sum()
    return dx


def place_in_the_window_used_in_the_image(dz, x, kernel_size, stride, padding):
    dx = np.zeros(x.shape)
    for cell, pixels in each_window(dz.shape, x.shape, kernel_size, stride, padding):
        dx[cell[:2]].flat[x[pixels].argmax()] += dz[cell]
    return dx


def number_in_the_window_used_in_the_image(dz, x, kernel_size, stride, padding):
    dx = np.zeros(x.shape)
    for cell, pixels in each_window(dz.shape, x.shape, kernel_size, stride, padding):
        dx[cell[:2]][np.unravel_index(x[pixels].argmax(), x[pixels].shape)] += dz[cell]
    return dx


def searched(begin, shift=1):
    """Loops whose search begins with this largest value, at the first pixel of the image."""

    def gradient(dz, x, kernel_size, stride, padding):
        dx, (H, W) = np.zeros(x.shape), x.shape[2:]
        for n, c, i, j in np.ndindex(dz.shape):
            largest, winner = begin, (0, 0)
            for a, b in np.ndindex(kernel_size):
                row = i * stride[0] + a - padding[0] * shift
                column = j * stride[1] + b - padding[1] * shift
                if 0 <= row < H and 0 <= column < W and x[n, c, row, column] > largest:
                    largest, winner = x[n, c, row, column], (row, column)
            dx[n, c][winner] += dz[n, c, i, j]
        return dx

    return gradient


def wrapped_round(dz, x, kernel_size, stride, padding):
    dx, (_, _, H, W) = np.zeros(x.shape), x.shape
    for n, c, i, j in np.ndindex(dz.shape):
        rows = np.arange(kernel_size[0]) + i * stride[0] - padding[0]
        columns = np.arange(kernel_size[1]) + j * stride[1] - padding[1]
        pixels = np.ix_(rows[rows < H], columns[columns < W])
        winner = first_winner(x[n, c][pixels])
        dx[n, c, pixels[0][winner.any(axis=1)], pixels[1][:, winner.any(axis=0)]] += dz[n, c, i, j]
    return dx


def dz_at_the_pixels(dz, x, kernel_size, stride, padding):
    dx = np.zeros(x.shape)
    for _, pixels in each_window(dz.shape, x.shape, kernel_size, stride, padding):
        dx[pixels] += first_winner(x[pixels]) * dz[pixels]
    return dx


def first(mask):
    """Only the first True of every window."""
    flat = mask.reshape(*mask.shape[:4], -1)
    return (flat & (np.cumsum(flat, axis=-1) == 1)).reshape(mask.shape)


def largest(windows):
    return windows == windows.max(axis=(4, 5), keepdims=True)


def smallest(windows):
    windows = np.where(np.isinf(windows), np.inf, windows)
    return windows == windows.min(axis=(4, 5), keepdims=True)


def last(mask):
    return first(mask[..., ::-1, ::-1])[..., ::-1, ::-1]


# fmt: off
WINNERS = [
    lambda windows: first(largest(windows)),
    wrong("every_tie_gets_all", TIES, "the full gradient goes to every cell of a tie, or of what "
        "is nearly one: more is sent back than arrived, but exactly one cell wins, the first.",
        largest, lambda windows: windows >= windows.max(axis=(4, 5), keepdims=True) - 1e-2),
    wrong("tie_split_evenly", TIES, "the gradient is split evenly among the cells of a tie: here "
        "the first gets all of it.",
        lambda windows: largest(windows) / largest(windows).sum(axis=(4, 5), keepdims=True),
        convention=True),
    wrong("last_of_a_tie_wins", TIES, "the last cell of a tie wins: here it is the first, in the "
        "order of rows.", lambda windows: last(largest(windows)), convention=True),
    wrong("first_column_of_a_tie_wins", TIES, "the first cell of a tie in the order of columns "
        "wins: here it is the first in the order of rows.",
        lambda windows: first(largest(windows).swapaxes(4, 5)).swapaxes(4, 5), convention=True),
    wrong("smallest_wins", WINNER, "the smallest cell of every window gets the gradient: max "
        "pooling hands on the largest.", lambda windows: first(smallest(windows))),
    wrong("largest_absolute_value_wins", WINNER, "the cell with the largest absolute value gets "
        "the gradient: −3 does not win over 1.",
        lambda windows: first(largest(np.where(np.isinf(windows), -1, np.abs(windows))))),
    wrong("shared_as_in_average_pooling", WINNER, "every cell of a window gets a share, as in "
        "average pooling: only the winner moved the output, so it gets all.",
        lambda windows: np.full(windows.shape, 1 / windows[0, 0, 0, 0].size),
        lambda windows: np.full(windows.shape, 1.0)),
    choices.padding_wins(
        PADDING, lambda windows: first(largest(np.where(np.isinf(windows), 0.0, windows)))
    ),
    wrong("largest_begins_with_zero", WINNER, "the largest value begins with 0, so that no "
        "negative one can win: begin with −infinity.",
        lambda windows: first(largest(windows)) * (windows > 0), also=(searched(0.0),),
        alone=True),
]
VALUES = [
    lambda winners, windows, dz: winners * dz,
    wrong("value_in_place_of_gradient", WINNER, "the window's largest value is sent back: what "
        "goes back is its gradient, dz.",
        lambda winners, windows, dz: winners * windows.max(axis=(4, 5), keepdims=True)),
    wrong("value_times_gradient", WINNER, "the gradient is multiplied by the window's value: the "
        "slope of a maximum by its winner is 1.",
        lambda winners, windows, dz: winners * dz * windows.max(axis=(4, 5), keepdims=True),
        lambda winners, windows, dz: winners * dz * np.where(winners > 0, windows, 0)),
    wrong("upstream_forgotten", WINNER, "the gradient dz is missing: the winners' mask is only the "
        "pooling's own slope, which the chain rule multiplies by dz.",
        lambda winners, windows, dz: winners * 1.0),
]


OVERLAPS = [
    *choices.overlaps(OVERLAP, name="window_assigned"),
    wrong("winner_assigned", OVERLAP, "the winner's cell is assigned: a pixel that won several "
        "windows keeps the last one's gradient only, so add with +=.",
        choices.assigned_where_not_zero),
]
WHOLE = [
    same,
    wrong("negative_indices_wrap", PADDING, choices.WRAP, also=(wrapped_round,)),
    wrong("one_winner_for_the_channel", WINNER, "one winner is looked for in the whole channel: "
        "every window has a winner of its own.",
        also=(one_winner_of_the_channel, channel_winner_in_its_windows, channel_winners_mask)),
    wrong("dz_read_at_the_pixels_place", WINNER, choices.DZ_AT_PIXELS,
        also=(dz_at_the_pixels,)),
    wrong("place_in_the_window_used_in_the_image", "09, keep the largest, and the winner's number",
        "the winner's place in its window is used as its place in the image: add the window's "
        "first row and column, i·stride − padding.",
        also=(number_in_the_window_used_in_the_image, place_in_the_window_used_in_the_image)),
    wrong("padding_ignored", PADDING, choices.PADDING_IGNORED, also=(searched(-np.inf, shift=0),),
        line="padding"),
]


@max_pool2d_gradient.steps(
    origin=choices.origins(PADDING),
    size=choices.sizes(APART),
    stride=choices.strides(APART, far=(written_a_kernel_apart,)),
    winner=WINNERS,
    value=VALUES,
    overlap=OVERLAPS,
    crop=choices.crops(PADDING, full=False),
    border=choices.last_gradients(WINNER),
    samples=choices.samples(WINNER),
    whole=WHOLE,
    factors={"1/N": choices.over_batch(), "−1": choices.sign(WINNER)},
)
def by_steps(steps, dz, x, kernel_size, stride, padding):
    padding, kernel_size = steps.origin(padding), steps.size(kernel_size, stride)
    wide = choices.with_padding(x, padding, -np.inf)
    stride, count = steps.stride(stride, kernel_size), dz.shape[2:]
    windows = choices.views(wide, kernel_size, stride, count, -np.inf)
    parts = steps.value(steps.winner(windows), windows, steps.border(dz)[..., None, None])
    dx = steps.overlap(parts, stride, wide.shape[2:])
    return steps.samples(
        steps.crop(dx, x.shape, padding, choices.reach_of(count, kernel_size, stride))
    )

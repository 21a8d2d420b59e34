"""The output of a max pooling."""

import numpy as np

from cnnbp.exercises import cases, choices
from cnnbp.exercises.choices import wrong
from cnnbp.exercises.task import exercise
from cnnbp.exercises.windows import each_window
from cnnbp.pooling import max_pool2d
from cnnbp.shape import pool_windows

TIES = "09, a tie needs a rule"
PADDING = "09, the padding never wins"
NUMBER = "09, keep the largest, and the winner's number"


def max_output(x, kernel_size, stride, padding):
    return max_pool2d(x, kernel_size, stride=stride, padding=padding)


@exercise(
    lesson="09",
    given={
        "x": "N C H W: the images",
        "kernel_size": "KH KW: the window",
        "stride": "pair",
        "padding": "pair",
    },
    returns={"z": "N C OH OW", "argmax": "N C OH OW"},
    tiny=cases.tiny_pooling,
    cases=cases.poolings_with_ties,
    answer=max_output,
    hints=[
        "For each window, begin with −infinity as the largest value and look at every pixel of x "
        "in the window, rows first.",
        "A pixel wins if it is greater than the largest so far; > lets the first of a tie win.",
        "Remember its number in the whole image, row·W + column, not its place in the window. "
        "Rows and columns outside x are padding and never win.",
    ],
    stub="The largest value of every window, and the number of its pixel.",
)
def max_pool2d_output(x, kernel_size, stride, padding):
    """The largest value in every window, and which pixel it was.

    argmax holds the number of the winning pixel in its image, row·W + column. The first pixel of
    a tie wins, in the order of rows. Cells of the padding never win.
    """
    N, C, H, W = x.shape
    OH = (H + 2 * padding[0] - kernel_size[0]) // stride[0] + 1
    OW = (W + 2 * padding[1] - kernel_size[1]) // stride[1] + 1
    z = np.full((N, C, OH, OW), -np.inf)
    argmax = np.zeros((N, C, OH, OW), dtype=int)
    for n, c, i, j in np.ndindex(N, C, OH, OW):
        for a, b in np.ndindex(kernel_size):
            row = i * stride[0] + a - padding[0]
            column = j * stride[1] + b - padding[1]
            if 0 <= row < H and 0 <= column < W and x[n, c, row, column] > z[n, c, i, j]:
                z[n, c, i, j] = x[n, c, row, column]
                argmax[n, c, i, j] = row * W + column
    return z, argmax


def across(count):
    """The pixel's number counted on through the images of a batch, or their channels."""

    def numbered(row, column, place, x_shape, padding):
        N, C, H, W = x_shape
        plane = np.arange(N * C).reshape(N, C, 1, 1) % count(N, C)
        return (plane * H + row) * W + column

    return numbered


# fmt: off
NUMBERS = [
    lambda row, column, place, x_shape, padding: row * x_shape[3] + column,
    wrong("number_within_the_window", NUMBER, "your argmax is counted within the window: here it "
        "is the pixel's number in its image, row·W + column.",
        lambda row, column, place, x_shape, padding: place),
    wrong("number_across_the_batch", NUMBER, "your argmax is counted on from image to image or "
        "from channel to channel: here it is the pixel's number in its own image, row·W + column.",
        across(lambda N, C: N * C), across(lambda N, C: C)),
    wrong(
        "number_in_the_padded_image",
        NUMBER,
        "your argmax is counted in the padded image: here it is the pixel's number in x, without "
        "padding, row·W + column.",
        lambda row, column, place, x_shape, padding: (
            (row + padding[0]) * (x_shape[3] + 2 * padding[1]) + column + padding[1]
        ),
        lambda row, column, place, x_shape, padding: (
            (row + padding[0]) * x_shape[3] + column + padding[1]
        ),
    ),
    wrong("columns_counted_first", NUMBER, "your argmax is column·H + row, or row·H + column: here "
        "it is row·W + column, and W is the length of a row.",
        lambda row, column, place, x_shape, padding: column * x_shape[2] + row,
        lambda row, column, place, x_shape, padding: row * x_shape[2] + column),
    wrong("rows_as_long_as_those_of_z", NUMBER, "your argmax is counted in rows as long as those "
        "of z: W, the length of a row of x, stands in row·W + column.",
        lambda row, column, place, x_shape, padding: row * place.shape[3] + column),
]
WINNERS = [
    lambda windows: windows.argmax(axis=-1),
    wrong("last_of_a_tie", TIES, "the last cell of a tie wins: here it is the first, in the order "
        "of rows.", lambda windows: windows.shape[-1] - 1 - windows[..., ::-1].argmax(axis=-1),
        convention=True),
    wrong("smallest_wins", "09, keep the largest", "the smallest cell of every window is taken: "
        "max pooling hands on the largest.",
        lambda windows: np.where(np.isinf(windows), np.inf, windows).argmin(axis=-1)),
    wrong("largest_absolute_value_wins", "09, keep the largest", "the cell with the largest "
        "absolute value is taken: −3 does not win over 1.",
        lambda windows: np.where(np.isinf(windows), -1, np.abs(windows)).argmax(axis=-1)),
]


VALUES = [
    lambda z, argmax, windows: (z, argmax),
    wrong("largest_begins_with_zero", "09, keep the largest", "the largest value begins with 0, so "
        "that no negative one can win: begin with −infinity.",
        lambda z, argmax, windows: (np.maximum(z, 0), argmax * (z > 0)),
        lambda z, argmax, windows: (np.maximum(z, 0), argmax), alone=True),
    wrong("another_value_than_the_largest", "09, keep the largest", "z is another value than the "
        "largest of its window: max pooling hands on the largest, neither mean nor sum.",
        lambda z, argmax, windows: (np.where(np.isinf(windows), 0, windows).mean(axis=-1), argmax),
        lambda z, argmax, windows: (np.where(np.isinf(windows), 0, windows).sum(axis=-1), argmax),
        alone=True),
]


def wrapped_at_the_top(x, padding):
    """Negative indices, counted from the end; nothing wins below and right of the image."""
    wide = choices.like(x, padding, "wrap")
    wide[choices.beyond(x, padding)] = -np.inf
    return wide


def first_left_out(x, padding):
    x = x.copy()
    x[:, :, 0], x[:, :, :, 0] = -np.inf, -np.inf
    return choices.with_padding(x, padding, -np.inf)


def zero_wins_in_z(x, kernel_size, stride, padding):
    z, argmax = max_output(x, kernel_size, stride, padding)
    for cell, pixels in each_window(z.shape, x.shape, kernel_size, stride, padding):
        if x[pixels].size < np.prod(kernel_size):
            z[cell] = max(z[cell], 0)
    return z, argmax


@max_pool2d_output.steps(
    origin=choices.origins(
        PADDING,
        also=choices.with_other(max_output, "padding", choices.left_out),
        both=choices.with_other(max_output, "padding", *choices.BOTH_ALIKE),
    ),
    size=choices.sizes("09, stride and window size differ"),
    fill=[
        lambda x, padding: choices.with_padding(x, padding, -np.inf),
        choices.padding_wins(PADDING, choices.with_padding, also=(zero_wins_in_z,)),
        wrong("negative_indices_wrap", PADDING, choices.WRAP, wrapped_at_the_top, alone=True),
        wrong("first_pixels_left_out", PADDING, choices.FIRST_LEFT_OUT, first_left_out, alone=True),
    ],
    stride=choices.strides(
        "09, stride and window size differ",
        both=choices.with_other(max_output, "stride", *choices.BOTH_ALIKE),
    ),
    value=VALUES,
    winner=WINNERS,
    number=NUMBERS,
    border=choices.last_windows("09, keep the largest"),
    samples=choices.samples("09, keep the largest"),
)
def by_steps(steps, x, kernel_size, stride, padding):
    count = pool_windows(x.shape, kernel_size, stride=stride, padding=padding).output
    padding, kernel_size = steps.origin(padding), steps.size(kernel_size, stride)
    stride = steps.stride(stride, kernel_size)
    windows = choices.views(steps.fill(x, padding), kernel_size, stride, count, -np.inf)
    windows = windows.reshape(*windows.shape[:4], -1)
    place = steps.winner(windows)
    z = np.take_along_axis(windows, place[..., None], -1)[..., 0]
    row = np.arange(count[0])[:, None] * stride[0] + place // kernel_size[1] - padding[0]
    column = np.arange(count[1]) * stride[1] + place % kernel_size[1] - padding[1]
    argmax = steps.number(row, column, place, x.shape, padding)
    both = steps.value(z, argmax, windows)
    return tuple(steps.samples(steps.border(each)) for each in both)

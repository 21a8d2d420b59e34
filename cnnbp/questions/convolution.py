"""Lesson 06: convolution forward."""

import numpy as np

from cnnbp.convolution import Conv2d, conv2d
from cnnbp.lineage import lineage
from cnnbp.linear import Flatten, Linear
from cnnbp.network import Network
from cnnbp.questions.question import (
    cells,
    number,
    question,
    shape,
    shown,
    steps,
    table,
)
from cnnbp.questions.sets import clipped, extent, grid, unknown, where
from cnnbp.shape import windows


@question("under one window", lesson="06")
def under_one_window(draw):
    size, kernel = 6, draw.pick(2, 3)
    stride, padding = draw.pick(2, 3), 1
    place = windows((size, size), kernel, stride=stride, padding=padding)
    i, j = draw.pick(*np.ndindex(*place.output))
    draw.must(i != j)
    seen = set(place.pixels((i, j)))
    span = range(kernel)
    return cells(
        f"x is {size} × {size}, the kernel {kernel} × {kernel}, stride {stride}, padding "
        f"{padding}. Mark every pixel of x that z[{i},{j}] is made of.",
        seen,
        [
            (
                clipped([i * stride + k for k in span], [j * stride + k for k in span], (6, 6)),
                "The padding shifts every window up and left by 1.",
            ),
            (
                clipped([i - 1 + k for k in span], [j - 1 + k for k in span], (6, 6)),
                f"The windows move in steps of {stride}.",
            ),
            ({(c, r) for r, c in seen}, f"That is z[{j},{i}]: rows come first."),
        ],
        f"Its first row is {i}·{stride} − 1 = {shown(i * stride - 1)}, its first column "
        f"{j}·{stride} − 1 = {shown(j * stride - 1)}; what lies outside is padding.",
        tables=[table("x", unknown(6, 6), marked=True)],
    )


@question("seen by no window", lesson="06")
def seen_by_no_window(draw):
    image = draw.pick((5, 6), (5, 5), (4, 6), (6, 5))
    kernel, stride = draw.pick((3, 2), (2, 3), (2, 2), (1, 2)), draw.pick(2, 3)
    unseen = where(~windows(image, kernel, stride=stride).covered())
    swapped = where(~windows(image, kernel[::-1], stride=stride).covered())
    output = windows(image, kernel, stride=stride).output
    end = [(n - 1) * stride + k for n, k in zip(output, kernel, strict=True)]
    remainder = {(h, v) for h, v in np.ndindex(*image) if h >= end[0] or v >= end[1]}
    draw.must(1 <= len(unseen) <= 12)
    gaps = unseen - remainder
    return cells(
        f"x is {extent(image)}, the kernel {extent(kernel)}, stride {stride}, no padding. Mark "
        "every pixel that no window sees.",
        unseen,
        [
            (remainder, "A stride beyond the kernel leaves gaps between windows, too.")
            if gaps
            else (set(), "At the end, a whole window must fit."),
            (swapped, "A kernel is rows × columns."),
            (gaps, "The last window ends before the image does."),
        ],
        f"Windows begin in rows {_steps(output[0], stride)} and columns "
        f"{_steps(output[1], stride)}, as far as a whole one fits.",
        tables=[table("x", unknown(*image), marked=True)],
    )


def _steps(count, stride):
    return ", ".join(str(i * stride) for i in range(count))


@question("the shape of z", lesson="06")
def the_shape_of_z(draw):
    N, C, F = map(int, draw.distinct(3, 2, 5))
    size, kernel, stride = draw.pick(7, 8, 9), draw.pick(2, 3), draw.pick(2, 3)
    z = Conv2d(C, F, kernel, stride=stride).output_shape((N, C, size, size))
    rows = size - kernel + 1
    return shape(
        f"x ({N}, {C}, {size}, {size}) and w ({F}, {C}, {kernel}, {kernel}), stride {stride}, no "
        "padding. What is the shape of z?",
        z,
        [
            ((N, F * C, *z[2:]), "All channels of a window flow into one sum."),
            ((N, F, rows, rows), f"The windows move in steps of {stride}."),
            ((N, C, *z[2:]), "Every filter makes a map of its own."),
            ((N, F, -(-size // stride), -(-size // stride)), "A window must lie on the image."),
        ],
        f"(size − kernel)//stride + 1 = ({size} − {kernel})//{stride} + 1 = {z[2]}.",
    )


@question("the matrix in a convolution", lesson="06")
def the_matrix_in_a_convolution(draw):
    size, kernel, stride = draw.pick(
        (6, 2, 1), (6, 3, 1), (7, 3, 2), (6, 2, 2), (7, 2, 2), (5, 3, 1)
    )
    place = windows((1, size), (1, kernel), stride=(1, stride))
    outputs, tap = place.output[1], draw.whole(1, kernel - 1)
    w = np.zeros((1, 1, 1, kernel))
    w[..., tap] = 1
    pixel = np.eye(size)[:, None, None, :]
    matrix = conv2d(pixel, w, stride=(1, stride))[:, 0, 0, :].T
    step_one = {(i, i + tap) for i in range(outputs)}
    return cells(
        f"x has {size} cells, w has {kernel}, stride {stride}; z = A x for a matrix A "
        f"({outputs}, {size}). Mark every cell of A that holds w[{tap}].",
        where(matrix),
        [
            (grid(range(outputs), [tap]), "Each row is a window of its own, further to the right."),
            (step_one, f"Each row moves on by the stride, {stride}.")
            if stride > 1
            else ({(i, i) for i in range(outputs)}, f"There stands w[0]; w[{tap}] is further on."),
            (
                {(i, i * stride + kernel - 1 - tap) for i in range(outputs)},
                "The kernel is not reversed: w[0] meets the window's first pixel.",
            )
            if stride > 1
            else (
                {(i, i + k) for i, k in np.ndindex(outputs, kernel)},
                f"Those are all weights of every window; w[{tap}] is one of them.",
            ),
        ],
        f"Row i is the window that begins at {steps(stride, 'i')}, so w[{tap}] stands in column "
        f"{steps(stride, 'i', tap)}.",
        tables=[table("A", unknown(outputs, size), marked=True)],
    )


@question("a pattern pushed on", lesson="06")
def a_pattern_pushed_on(draw):
    kernel, stride, push = draw.pick((2, 2, 2), (3, 2, 2), (2, 2, 4), (3, 2, 4), (3, 3, 3))
    size, start = 11, draw.whole(1, 3)
    x, w = np.zeros((1, 1, 1, size)), np.ones((1, 1, 1, kernel))
    x[..., start : start + 2] = 1
    before, after = (
        where(conv2d(moved, w, stride=(1, stride))[0, 0, 0])
        for moved in (x, np.roll(x, push, axis=3))
    )
    count = windows((1, size), (1, kernel), stride=(1, stride)).output[1]
    as_pixels = {(i + push,) for (i,) in before if i + push < count}
    return cells(
        f"One row: x has {size} pixels, all 0 but x[{start}] and x[{start + 1}], which are 1. The "
        f"kernel has {kernel} weights, all 1; stride {stride}, no padding. Now both ones are "
        f"pushed {push} pixels to the right. Mark every cell of z that is not 0 then.",
        after,
        [
            (before, "That was z before: where the pattern goes, its answer goes."),
            (as_pixels, f"One cell of z is {stride} pixels of x."),
            ({(i,) for i in range(count)}, "Most windows see neither of the two."),
        ],
        f"z holds the same numbers as before, {push}/{stride} = {push // stride} "
        f"cell{'s' * (push > stride)} further to the right.",
        tables=[table("z", ["·"] * count, marked=True)],
    )


@question("one output by hand", lesson="06")
def one_output_by_hand(draw):
    x, w = draw.array(7, -4, 4), draw.distinct(3, -2, 3)
    stride, padding = 2, draw.pick(0, 1)
    options = {"stride": (1, stride), "padding": (0, padding)}
    z = conv2d(x[None, None, None], w[None, None, None], **options)[0, 0, 0]
    at = draw.whole(1, 2)
    flipped = conv2d(x[None, None, None], w[None, None, None, ::-1], **options)[0, 0, 0]
    close = conv2d(x[None, None, None], w[None, None, None], padding=(0, padding))[0, 0, 0]
    other = conv2d(
        x[None, None, None], w[None, None, None], stride=(1, 2), padding=(0, 1 - padding)
    )
    return number(
        f"One row of pixels x, one kernel w, stride {stride}, padding {padding}. What is z[{at}]?",
        z[at],
        [
            (flipped[at], "The kernel slides as it is; nobody turns it around."),
            (close[at], "The windows move in steps of 2."),
            (
                other[0, 0, 0, at],
                "Without padding, windows begin at pixel 0."
                if padding == 0
                else "The padding moves the first window one pixel to the left.",
            ),
        ],
        f"The window begins at pixel {at}·2 − {padding} = {2 * at - padding}.",
        tables=[table("x", x), table("w", w)],
        prompt=f"z[{at}] =",
    )


@question("both channels, one sum", lesson="06")
def both_channels_one_sum(draw):
    x, w = draw.array((2, 4), -3, 3, zero=False), draw.array((2, 2), -3, 3, zero=False)
    z = conv2d(x[None, :, None], w[None, :, None])[0, 0, 0]
    at = draw.whole(0, 2)
    alone = [x[c, at : at + 2] @ w[c] for c in range(2)]
    return number(
        "x has two channels of four pixels, one a row of the table. One filter has two weights "
        f"for each channel. Stride 1, no bias. What is z[{at}]?",
        z[at],
        [
            (alone[0], "That is channel 0 alone."),
            (alone[1], "That is channel 1 alone."),
            (sum(alone) / 2, "Channels are summed, not averaged."),
            (x[:, at : at + 2].sum(axis=0) @ w.sum(axis=0), "Each channel has weights of its own."),
        ],
        f"Channel 0 gives {shown(alone[0])}, channel 1 gives {shown(alone[1])}: one sum.",
        tables=[table("x", x), table("w", w)],
        prompt=f"z[{at}] =",
    )


@question("how many numbers to learn", lesson="06")
def how_many_numbers_to_learn(draw):
    C, F, K = draw.pick(2, 3), draw.pick(4, 5, 8), draw.pick(2, 3)
    size = draw.whole(7, 9)
    count = sum(array.size for array in Conv2d(C, F, K).params.values())
    return number(
        f"A convolution takes {C} channels of {size} × {size} pixels to {F} maps, with kernels of "
        f"{K} × {K} and biases. How many numbers does it have to learn?",
        count,
        [
            (F * K * K + F, "Every filter has a kernel for each channel."),
            (count - F, "The biases are missing."),
            (F * C * (K * K + 1), "A filter adds one bias, not one for each channel."),
            (count * (size - K + 1) ** 2, "All windows share the same weights."),
        ],
        f"{F}·({C}·{K}·{K} + 1) = {count}; the size of the image does not matter.",
    )


@question("a nudged pixel", lesson="06")
def a_nudged_pixel(draw):
    size, kernel, stride = draw.pick((6, 3, 1), (6, 2, 1), (7, 3, 2), (6, 3, 3))
    place = windows((size, size), kernel, stride=stride)
    h, v = draw.whole(0, size - 1), draw.whole(1, size - 2)
    moved = set(place.seen_by()[h, v])
    rows, columns = place.output
    near = clipped(
        range(h // stride, h // stride + kernel),
        range(v // stride, v // stride + kernel),
        place.output,
    )
    draw.must(h != v and len(moved) < 10)
    return cells(
        f"x is {size} × {size}, the kernel {kernel} × {kernel}, stride {stride}, no padding. "
        f"Only x[{h},{v}] is nudged. Mark every cell of z that moves.",
        moved,
        [
            (near, "Windows reach to the right and down, so those that see it begin before it."),
            (clipped([h], [v], place.output), "Every window that sees the pixel moves."),
            ({(c, r) for r, c in moved}, "Rows come first."),
            (grid(range(rows), range(columns)), "Most windows never see this pixel."),
        ],
        f"Window (i, j) sees rows {steps(stride, 'i')} to {steps(stride, 'i', kernel - 1)} and "
        "such columns; those "
        f"with {h} and {v} among them move.",
        tables=[table("z", unknown(rows, columns), marked=True)],
    )


@question("padding that keeps the size", lesson="06")
def padding_that_keeps_the_size(draw):
    kernel, size = draw.pick(3, 5, 7), draw.whole(8, 12)
    (fits,) = (
        p for p in range(kernel) if windows((size, size), kernel, padding=p).output[0] == size
    )
    return number(
        f"x is {size} × {size}, the kernel {kernel} × {kernel}, stride 1. Which padding makes z "
        f"{size} × {size} as well?",
        fits,
        [
            (kernel - 1, "Padding goes on both sides, so half of that."),
            (kernel // 2 + 1, "One less: the kernel's middle sits on the pixel."),
            (0, f"Without padding z is {size - kernel + 1} × {size - kernel + 1}."),
        ],
        f"A kernel takes {kernel} − 1 = {kernel - 1} rows away; {fits} on either side give them "
        "back.",
    )


@question("ways from a pixel to the scores", lesson="06")
def ways_from_a_pixel_to_the_scores(draw):
    size, kernel, F, K = 4, 2, draw.pick(2, 3), draw.pick(3, 5)
    network = Network([Conv2d(1, F, kernel, rng=0), Flatten(), Linear(9 * F, K, rng=1)])
    h, v = draw.pick((1, 1), (1, 2), (0, 1), (0, 0), (2, 1), (3, 2))
    network.backward(np.ones_like(network.forward(np.ones((1, 1, size, size)))))
    paths = lineage(network, 0, "dx", (0, 0, h, v)).paths
    seen = len(windows((size, size), kernel).seen_by()[h, v])
    return number(
        f"x is 4 × 4. {F} filters of 2 × 2, stride 1, no padding; then everything is flattened and "
        f"a linear layer makes {K} scores. How many ways lead from x[{h},{v}] to the scores, to "
        "all of them together? A way goes from the pixel to a cell of z to a score.",
        paths,
        [
            (seen * F, "From each of these cells a way leads to every score."),
            (seen * K, "Every filter looks at the pixel."),
            (F * K, f"{seen} windows of each filter see the pixel.")
            if seen > 1
            else (9 * F * K, "Only a window in the corner sees this pixel."),
            (4 * F * K, "Near the border fewer than 4 windows see it.")
            if seen < 4
            else (9 * F * K, "Not all 9 windows see this pixel."),
        ],
        f"{seen} window{'s see' if seen > 1 else ' sees'} it, for each of {F} filters, and each of "
        f"these cells feeds {K} scores: {seen}·{F}·{K}.",
    )

"""Lessons 06 to 08: convolution forward, the gradient of its kernel, the gradient of its input."""

import numpy as np

from cnnbp.convolution import Conv2d, conv2d, conv2d_backward
from cnnbp.explain import explain_conv2d
from cnnbp.lineage import lineage
from cnnbp.linear import Flatten, Linear
from cnnbp.network import Network
from cnnbp.questions.question import (
    added,
    cells,
    choice,
    factor,
    match,
    number,
    question,
    shape,
    shown,
    steps,
    table,
)
from cnnbp.questions.sets import grid, left, right, where
from cnnbp.shape import windows

PIXELS = slice(2, None)  # the last two axes of an index: where, within a map


def _size(pair):
    """3 × 2"""
    return f"{pair[0]} × {pair[1]}"


def _clipped(rows, columns, image):
    """The cells of rows × columns that lie on the image."""
    on = [
        [i for i in axis if 0 <= i < size]
        for axis, size in zip((rows, columns), image, strict=True)
    ]
    return grid(*on)


def _unknown(rows, columns):
    """A table to mark whose numbers do not matter."""
    return [["·"] * columns for _ in range(rows)]


# Lesson 06: forward


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
                _clipped([i * stride + k for k in span], [j * stride + k for k in span], (6, 6)),
                "The padding shifts every window up and left by 1.",
            ),
            (
                _clipped([i - 1 + k for k in span], [j - 1 + k for k in span], (6, 6)),
                f"The windows move in steps of {stride}.",
            ),
            ({(c, r) for r, c in seen}, f"That is z[{j},{i}]: rows come first."),
        ],
        f"Its first row is {i}·{stride} − 1 = {shown(i * stride - 1)}, its first column "
        f"{j}·{stride} − 1 = {shown(j * stride - 1)}; what lies outside is padding.",
        tables=[table("x", _unknown(6, 6), marked=True)],
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
        f"x is {_size(image)}, the kernel {_size(kernel)}, stride {stride}, no padding. Mark "
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
        tables=[table("x", _unknown(*image), marked=True)],
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
        tables=[table("A", _unknown(outputs, size), marked=True)],
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
    near = _clipped(
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
            (_clipped([h], [v], place.output), "Every window that sees the pixel moves."),
            ({(c, r) for r, c in moved}, "Rows come first."),
            (grid(range(rows), range(columns)), "Most windows never see this pixel."),
        ],
        f"Window (i, j) sees rows {steps(stride, 'i')} to {steps(stride, 'i', kernel - 1)} and "
        "such columns; those "
        f"with {h} and {v} among them move.",
        tables=[table("z", _unknown(rows, columns), marked=True)],
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


# Lesson 07: the kernel


@question("messages to a weight", lesson="07")
def messages_to_a_weight(draw):
    size, kernel, stride = draw.pick((7, 3, 2), (6, 2, 2), (8, 3, 2), (9, 3, 3), (8, 2, 3))
    tap = draw.whole(1, kernel - 1)
    place = windows((1, size), (1, kernel), stride=(1, stride))
    count = place.output[1]
    x, dz = np.ones((1, 1, 1, size)), np.ones((1, 1, 1, count))
    w_shape = np.ones((1, 1, 1, kernel))
    cell = explain_conv2d("dw", (0, 0, 0, tap), dz=dz, x=x, w=w_shape, stride=(1, stride))
    pairs = {f"dz[{t.left_index[3]}]": f"x[{t.right_index[3]}]" for t in cell.terms}
    line = lambda at: [f"x[{at(i)}]" for i in range(count)]  # noqa: E731
    return match(
        f"One row: x has {size} pixels, w has {kernel} weights, stride {stride}, so dz has {count} "
        f"cells. dw[{tap}] is a sum of products. Which pixel does each cell of dz meet in it?",
        pairs,
        [f"x[{i}]" for i in range(size)],
        [
            (line(lambda i: i + tap), f"Window i begins at {stride}i, not at i."),
            (line(lambda i: i * stride), f"Those are w[0]'s pixels; w[{tap}] stands further on."),
            (
                line(lambda i: (count - 1 - i) * stride + tap),
                "Nothing is turned around: window 0 comes first.",
            ),
        ],
        f"Window i meets w[{tap}] at pixel {steps(stride, 'i', tap)}: wherever the weight was "
        "used.",
    )


@question("where the matrix repeats", lesson="07")
def where_the_matrix_repeats(draw):
    size, kernel, stride = draw.pick((7, 3, 2), (6, 2, 2), (6, 3, 1), (5, 2, 1))
    place = windows((1, size), (1, kernel), stride=(1, stride))
    outputs, tap = place.output[1], draw.whole(1, kernel - 1)
    x, dz = np.ones((1, 1, 1, size)), np.ones((1, 1, 1, outputs))
    options = {"w": np.ones((1, 1, 1, kernel)), "stride": (1, stride)}
    cell = explain_conv2d("dw", (0, 0, 0, tap), dz=dz, x=x, **options)
    summed = {(t.left_index[3], t.right_index[3]) for t in cell.terms}
    middle = outputs // 2
    one_window = {(middle, middle * stride + k) for k in range(kernel)}
    return cells(
        f"z = A x with x of {size} cells, w of {kernel}, stride {stride}; A is ({outputs}, "
        f"{size}). dA = dz xᵀ is known. Mark every cell of dA that dw[{tap}] sums.",
        summed,
        [
            ({(i, i + tap) for i in range(outputs)}, f"Each row moves on by the stride, {stride}.")
            if stride > 1
            else ({(i, i) for i in range(outputs)}, f"That is dw[0]; w[{tap}] stands further on."),
            (one_window, "That is one window with all its weights; one weight is in every window."),
            (grid(range(outputs), range(size)), "Most cells of A hold no weight, or another one."),
        ],
        f"w[{tap}] stands in A at (i, {steps(stride, 'i', tap)}). One weight, used {outputs} "
        "times: the "
        "sum.",
        tables=[table("dA", _unknown(outputs, size), marked=True)],
    )


@question("pixels that a weight met", lesson="07")
def pixels_that_a_weight_met(draw):
    size, kernel, stride, padding = draw.pick(
        (5, 3, 2, 1), (6, 3, 2, 1), (5, 2, 2, 1), (5, 3, 2, 0)
    )
    tap = draw.whole(0, kernel - 1), draw.whole(0, kernel - 1)
    x = np.ones((1, 1, size, size))
    options = {"stride": stride, "padding": padding}
    dz = np.ones_like(conv2d(x, np.ones((1, 1, kernel, kernel)), **options))
    w = np.ones((1, 1, kernel, kernel))
    met = right(explain_conv2d("dw", (0, 0, *tap), dz=dz, x=x, w=w, **options), PIXELS)
    count = dz.shape[2]
    starts = [[i * stride + k for i in range(count)] for k in tap]
    unshifted = _clipped(*starts, (size, size))
    close = _clipped(*([i + k - padding for i in range(count)] for k in tap), (size, size))
    turned = _clipped(
        *([i * stride + kernel - 1 - k - padding for i in range(count)] for k in tap), (size, size)
    )
    return cells(
        f"x is {size} × {size}, the kernel {kernel} × {kernel}, stride {stride}, padding "
        f"{padding}. Mark every pixel that the weight w[{tap[0]},{tap[1]}] was multiplied with.",
        met,
        [
            (unshifted, f"The padding shifts every window by {padding}.")
            if padding
            else (turned, "The kernel slides as it is; nobody turns it around."),
            (close, f"The windows move in steps of {stride}."),
            (
                set(windows((size, size), kernel, **options).pixels((1, 1))),
                "That is one window; one weight meets one pixel in each window.",
            ),
        ],
        f"In rows {steps(stride, 'i', tap[0] - padding)} and columns "
        f"{steps(stride, 'j', tap[1] - padding)}, "
        "as far as they lie on the image.",
        tables=[table("x", _unknown(size, size), marked=True)],
    )


@question("the bias of a filter", lesson="07")
def the_bias_of_a_filter(draw):
    N, F, OH, OW = (draw.pick(2, 4), draw.pick(2, 3), *map(int, draw.distinct(2, 2, 5)))
    x, w = np.zeros((N, 1, OH, OW)), np.zeros((F, 1, 1, 1))
    _, _, db = conv2d_backward(np.ones((N, F, OH, OW)), x, w)
    f = draw.whole(0, F - 1)
    return number(
        f"dz ({N}, {F}, {OH}, {OW}) holds a 1 in every cell, and comes from a mean loss. What is "
        f"the bias gradient db of filter {f}?",
        db[f, 0, 0],
        [
            (OH * OW, "All samples share the bias."),
            (1, "The mean is in dz already."),
            (N * F * OH * OW, "Each filter has a bias of its own."),
            (N, "It is added at every position."),
        ],
        f"Added to {N}·{OH}·{OW} cells of z, so it hears from all of them.",
        prompt="db =",
    )


@question("a weight by hand", lesson="07")
def a_weight_by_hand(draw):
    x, dz = draw.array((4, 4), -4, 4), draw.array((2, 2), -3, 3, zero=False)
    kh, kw = draw.pick((0, 1), (1, 0))
    at = x[None, None], np.ones((1, 1, 2, 2))
    dw = conv2d_backward(dz[None, None], *at, stride=2)[1][0, 0]
    close = sum(dz[i, j] * x[i + kh, j + kw] for i, j in np.ndindex(2, 2))
    return number(
        "One image, a kernel of 2 × 2, stride 2, no padding; x and dz are shown. What is "
        f"dw[{kh},{kw}]?",
        dw[kh, kw],
        [
            (close, "The windows move in steps of 2."),
            (dw[1 - kh, 1 - kw], "The kernel is not turned around."),
            (dw[kh, kw] / 4, "The positions are summed, not averaged."),
            ((dz * x[:2, :2]).sum(), "That multiplies dz with one window."),
        ],
        "dz times the pixel that the weight met in each window: x[" + f"{kh}::2, {kw}::2].",
        tables=[table("x", x), table("dz", dz)],
        prompt=f"dw[{kh},{kw}] =",
    )


@question("dz spread out", lesson="07")
def dz_spread_out(draw):
    stride, (rows, columns) = draw.pick((2, (2, 3)), (2, (3, 2)), (2, (3, 3)), (3, (3, 2)))
    dz = draw.array((rows, columns), -5, 5, zero=False)
    spread = np.zeros(((rows - 1) * stride + 1, (columns - 1) * stride + 1))
    spread[::stride, ::stride] = dz
    image = spread.shape
    return cells(
        f"The stride was {stride}. dz is spread: {stride - 1} "
        f"zero{'s' * (stride > 2)} between neighbors. Mark every cell of the spread dz that holds "
        "a number of dz.",
        where(spread),
        [
            (grid(range(rows), range(columns)), "Zeros come between the numbers, not behind them."),
            (
                _clipped(range(1, 9, stride), range(1, 9, stride), image),
                "Zeros come between, not in front.",
            ),
            (
                _clipped(range(0, 9, stride + 1), range(0, 9, stride + 1), image),
                f"{stride} − 1 zeros between, so steps of {stride}.",
            ),
        ],
        f"dz[i,j] lands at ({stride}i, {stride}j), where its window began.",
        tables=[table("dz", dz), table("spread", _unknown(*image), marked=True)],
    )


@question("before it is cut", lesson="07")
def before_it_is_cut(draw):
    kernel, stride = draw.pick(2, 3), draw.pick(2, 3)
    size = draw.whole(7, 11)
    outputs = windows((1, size), (1, kernel), stride=(1, stride)).output[1]
    spread = np.zeros((1, 1, 1, (outputs - 1) * stride + 1))
    places = conv2d(np.zeros((1, 1, 1, size)), spread).shape[3]
    draw.must(places > kernel and outputs > 1)
    return number(
        f"One row: x has {size} pixels, w has {kernel}, stride {stride}, so dz has {outputs}. The "
        f"spread dz slides over x one pixel at a time. In how many places does it fit?",
        places,
        [
            (kernel, "That is how many are kept; the remainder leaves room for more."),
            (size - outputs + 1, f"Spread, dz is {spread.shape[3]} long."),
            (size - stride * outputs + 1, "Zeros stand between the cells, not behind the last."),
        ],
        f"Spread, dz is {spread.shape[3]} long: {size} − {spread.shape[3]} + 1 = {places}. The "
        "first "
        f"{kernel} are dw.",
    )


@question("how many messages", lesson="07")
def how_many_messages(draw):
    N, C, F = map(int, draw.distinct(3, 2, 6))
    OH, OW = map(int, draw.distinct(2, 3, 6))
    K = 3
    x = np.ones((N, C, OH + K - 1, OW + K - 1))
    w, dz = np.ones((F, C, K, K)), np.ones((N, F, OH, OW))
    count = len(explain_conv2d("dw", (0, 0, 1, 1), dz=dz, x=x, w=w))
    return number(
        f"z is ({N}, {F}, {OH}, {OW}); it was made from {C} channels with kernels of {K} × {K}, "
        "without padding. How many products does one cell of dw sum?",
        count,
        [
            (OH * OW, "Every sample sends messages."),
            (N * F * OH * OW, "A weight belongs to one filter."),
            (N * C * OH * OW, "A weight belongs to one channel of x."),
            (C * K * K, "That is how many products one cell of z sums."),
        ],
        f"Wherever the weight was used: {N} samples, {OH}·{OW} positions.",
    )


@question("a filter's weights further on", lesson="07")
def a_filters_weights_further_on(draw):
    F, K, (rows, columns) = 2, draw.pick(2, 3), draw.pick((2, 2), (1, 3), (1, 4))
    network = Network([Conv2d(1, F, 1, rng=0), Flatten(), Linear(F * rows * columns, K, rng=1)])
    network.backward(np.ones_like(network.forward(np.ones((1, 1, rows, columns)))))
    f = draw.whole(0, F - 1)
    found = lineage(network, 0, "dw", (f, 0, 0, 0))
    flat = sorted(d for d, _ in found.behind(1))  # the dz of flatten: rows (c·H + h)·W + v
    size = rows * columns
    every = range(F * size)
    return cells(
        f"conv → flatten → linear → loss. The convolution's z is (1, {F}, {rows}, {columns}), the "
        f"linear layer's w is ({K}, {F * size}). Through which of these weights has the "
        "gradient of "
        f"filter {f} come? Mark them.",
        grid(range(K), flat),
        [
            (grid(range(K), [d for d in every if d not in flat]), f"Those are filter {1 - f}'s."),
            (grid(range(K), every[f::F]), "Flattening writes one map behind the other."),
            (grid(range(K), every), f"Filter {f} makes only its own map."),
            (grid([f], flat), "Every score sends something back."),
        ],
        f"Filter {f}'s map fills the features {flat[0]} to {flat[-1]}, and each of them feeds all "
        "scores.",
        tables=[table("w", _unknown(K, F * size), marked=True)],
    )


# Lesson 08: the input


@question("windows that saw a pixel", lesson="08")
def windows_that_saw_a_pixel(draw):
    image, kernel, stride = draw.pick(
        ((4, 5), (2, 3), (1, 2)),
        ((5, 5), (3, 2), (2, 1)),
        ((5, 6), (2, 3), (1, 1)),
        ((5, 5), (3, 3), (2, 1)),
    )
    place = windows(image, kernel, stride=stride)
    output = place.output
    h, v = draw.whole(0, image[0] - 1), draw.whole(0, image[1] - 1)
    dz, w = np.ones((1, 1, *output)), np.ones((1, 1, *kernel))
    options = {"x": np.ones((1, 1, *image)), "stride": stride}
    found = left(explain_conv2d("dx", (0, 0, h, v), dz=dz, w=w, **options), PIXELS)
    begins = [range(at - k + 1, at + 1) for at, k in zip((h, v), kernel, strict=True)]
    crossed = [range(at - k + 1, at + 1) for at, k in zip((h, v), kernel[::-1], strict=True)]
    spaced = [
        [i for i in range(n) if i * s in r] for n, s, r in zip(output, stride, crossed, strict=True)
    ]
    draw.must(1 < len(found) < 7)
    return cells(
        f"x is {_size(image)}, the kernel {_size(kernel)}, stride {stride}, no padding. Mark every "
        f"cell of dz that dx[{h},{v}] is made of.",
        found,
        [
            (_clipped(*begins, output), "That ignores the stride."),
            (_clipped([h], [v], output), "dz lies on another grid: a cell for each window."),
            (grid(*spaced), "A kernel is rows × columns."),
            (grid(range(output[0]), range(output[1])), "Some windows never saw this pixel."),
        ],
        f"Window (i, j) begins at ({steps(stride[0], 'i')}, {steps(stride[1], 'j')}) and "
        f"reaches {kernel[0]} rows and "
        f"{kernel[1]} columns. Those that contain ({h}, {v}) send something.",
        tables=[table("dz", _unknown(*output), marked=True)],
    )


@question("met with which weight", lesson="08")
def met_with_which_weight(draw):
    size, kernel, stride, padding = draw.pick(
        (6, 3, 2, 1), (7, 3, 2, 0), (6, 3, 1, 1), (8, 4, 2, 1)
    )
    place = windows((1, size), (1, kernel), stride=(1, stride), padding=(0, padding))
    count = place.output[1]
    pixel = draw.whole(1, size - 2)
    options = {"stride": (1, stride), "padding": (0, padding)}
    arrays = {"dz": np.ones((1, 1, 1, count)), "w": np.ones((1, 1, 1, kernel))}
    x = np.ones((1, 1, 1, size))
    cell = explain_conv2d("dx", (0, 0, 0, pixel), x=x, **arrays, **options)
    met = {t.left_index[3]: t.right_index[3] for t in cell.terms}
    draw.must(len(met) >= 2)
    first = max(0, min(met) - 1)
    asked = range(first, min(count, first + 4))
    name = lambda tap: "nothing" if tap is None else f"w[{tap}]"  # noqa: E731
    turned = dict(zip(met, reversed(met.values()), strict=True))
    unpadded = {i: pixel - i * stride for i in range(count) if 0 <= pixel - i * stride < kernel}
    close = {i: pixel + padding - i for i in range(count) if 0 <= pixel + padding - i < kernel}
    return match(
        f"One row: x has {size} pixels, w has {kernel} weights, stride {stride}, padding "
        f"{padding}. What does each of these meet in dx[{pixel}]?",
        {f"dz[{i}]": name(met.get(i)) for i in asked},
        ["nothing", *(f"w[{k}]" for k in range(kernel))],
        [
            (
                [name(turned.get(i)) for i in asked],
                "A later window begins further right: it met this pixel earlier in the kernel.",
            ),
            ([name(unpadded.get(i)) for i in asked], "The padding shifts the windows.")
            if padding
            else (["nothing"] * len(asked), "Some of these windows did see the pixel."),
            ([name(close.get(i)) for i in asked], "The windows move in steps of the stride.")
            if stride > 1
            else (["nothing"] * len(asked), "Some of these windows did see the pixel."),
        ],
        f"Window i begins at {steps(stride, 'i', -padding)}, so it met pixel {pixel} with weight "
        f"{pixel + padding} − {steps(stride, 'i')}, if there is such a weight.",
    )


@question("zero whatever comes", lesson="08")
def zero_whatever_comes(draw):
    size, kernel, stride, padding = draw.pick(
        (6, 3, 3, 1), (5, 2, 3, 0), (5, 2, 2, 0), (4, 3, 2, 0), (4, 2, 3, 1)
    )
    place = windows((size, size), kernel, stride=stride, padding=padding)
    never = where(~place.covered())
    draw.must(len(never) > 0)
    unpadded = where(~windows((size, size), kernel, stride=stride).covered())
    border = {(h, v) for h, v in np.ndindex(size, size) if {h, v} & {0, size - 1}}
    corner = {(h, v) for h, v in never if h == size - 1 and v == size - 1}
    return cells(
        f"dx is {size} × {size}, the kernel {kernel} × {kernel}, stride {stride}, padding "
        f"{padding}. Mark every cell of dx that is 0, whatever dz and w are.",
        never,
        [
            (unpadded, "The padding lets windows begin outside, and shifts them all.")
            if padding
            else (corner, "A whole row that no window reaches is 0, not its corner alone."),
            (set(), "Some pixels lie under no window: a gap, or what is left over at the end."),
            (border, "The border is seen, by fewer windows."),
        ],
        "A pixel that no window saw did not move the loss: its gradient is a sum of no products.",
        tables=[table("dx", _unknown(size, size), marked=True)],
    )


@question("a pixel by hand", lesson="08")
def a_pixel_by_hand(draw):
    dz, w = draw.distinct(3, -4, 4, zero=False), draw.distinct(3, -4, 4, zero=False)
    stride, at = draw.pick((1, 2), (2, 2), (2, 4), (1, 3), (1, 1))
    size = (len(dz) - 1) * stride + 3
    zeros = np.zeros((1, 1, 1, size))
    spread = (dz[None, None, None], zeros, w[None, None, None])
    dx = conv2d_backward(*spread, stride=(1, stride))[0][0, 0, 0]
    turned = conv2d_backward(spread[0], zeros, spread[2][..., ::-1], stride=(1, stride))[0][0, 0, 0]
    seen = [i for i in range(3) if 0 <= at - i * stride < 3]
    last = dz[seen[-1]] * w[at - seen[-1] * stride]
    first = dz[seen[0]] * w[at - seen[0] * stride]
    draw.must(len(seen) >= 2)
    products = added(f"{shown(dz[i])}·{factor(w[at - i * stride])}" for i in seen)
    return number(
        f"One row: dz and w are shown, stride {stride}, no padding; x had {size} pixels. What is "
        f"dx[{at}]?",
        dx[at],
        [
            (turned[at], "A later window met this pixel with an earlier weight."),
            (last, "Windows that overlap add up; the last one does not replace the others."),
            (first, "Another window saw this pixel as well."),
        ],
        f"dz[i] meets w[{at} − {steps(stride, 'i')}]: {products}.",
        tables=[table("dz", dz), table("w", w)],
        prompt=f"dx[{at}] =",
    )


@question("zeros for the remainder", lesson="08")
def zeros_for_the_remainder(draw):
    kernel, stride, size = draw.pick(2, 3), draw.pick(2, 3, 4), draw.whole(8, 12)
    outputs = windows((1, size), (1, kernel), stride=(1, stride)).output[1]
    spread = (outputs - 1) * stride + 1
    full = conv2d(
        np.zeros((1, 1, 1, spread)), np.zeros((1, 1, 1, kernel)), padding=(0, kernel - 1)
    ).shape[3]
    missing = size - full
    draw.must(missing > 0)
    return number(
        f"One row: x has {size} pixels, w has {kernel}, stride {stride}, no padding, so dz has "
        f"{outputs} cells. The full convolution of the spread dz with w is too short for dx. How "
        "many zeros must be appended?",
        missing,
        [
            (size - spread, "A full convolution is longer than the spread dz, by the kernel − 1."),
            (size - outputs - kernel + 1, "dz is spread first: that makes it longer."),
            (0, "The last window ended before x did."),
            (stride - 1, "The remainder depends on the size, too: see where the last window ends."),
        ],
        f"Spread, dz is {spread} long; full, {spread} + {kernel} − 1 = {full}. {size} − {full} "
        "pixels at the end were seen by no window.",
    )


@question("how many send to a pixel", lesson="08")
def how_many_send_to_a_pixel(draw):
    C, F = map(int, draw.distinct(2, 2, 6))
    K, N = draw.pick(2, 3), draw.whole(2, 8)
    x, w = np.ones((N, C, 8, 8)), np.ones((F, C, K, K))
    dz = np.ones_like(conv2d(x, w))
    count = len(explain_conv2d("dx", (0, 0, 4, 4), dz=dz, x=x, w=w))
    return number(
        f"x is ({N}, {C}, 8, 8), w is ({F}, {C}, {K}, {K}), stride 1, no padding. How many "
        "products "
        "does dx[0,0,4,4] sum?",
        count,
        [
            (K * K, "Every filter saw the pixel."),
            (
                C * K * K,
                "That is a cell of z. Back to one pixel, filters are summed, not channels.",
            ),
            (N * F * K * K, "Samples do not see each other."),
            (F * 8 * 8, "Only the windows that cover the pixel send something."),
        ],
        f"{F} filters, and {K}·{K} windows of each cover a pixel in the middle.",
    )


@question("weights that reach a corner", lesson="08")
def weights_that_reach_a_corner(draw):
    K, padding, size = 3, 1, draw.whole(4, 6)
    at = draw.pick(0, size - 1), draw.pick(0, size - 1)
    x, w = np.ones((1, 1, size, size)), np.ones((1, 1, K, K))
    dz = np.ones_like(conv2d(x, w, padding=padding))
    cell = explain_conv2d("dx", (0, 0, *at), dz=dz, x=x, w=w, padding=padding)
    used = right(cell, PIXELS)
    turned = {(K - 1 - a, K - 1 - b) for a, b in used}
    return cells(
        f"x is {size} × {size}, the kernel 3 × 3, stride 1, padding 1. Mark every weight through "
        f"which something comes back to the corner pixel x[{at[0]},{at[1]}].",
        used,
        [
            (turned, "The windows that see this corner lie on its other side."),
            ({(1, 1)}, "The window centered on it sends something, and so do its neighbors."),
            (grid(range(K), range(K)), "For that, windows would have to lie all around it."),
        ],
        f"Window (i, j) begins at (i − 1, j − 1), so it met the pixel with w[{at[0] + 1} − i, "
        f"{at[1] + 1} − j]; there are windows for i and j from 0 to {size - 1}.",
        tables=[table("w", _unknown(K, K), marked=True)],
    )


@question("which x was it", lesson="08")
def which_x_was_it(draw):
    kernel, stride, outputs = draw.pick(2, 3), draw.pick(2, 3), draw.pick(3, 4)
    fits = [
        size
        for size in range(kernel, 20)
        if windows((1, size), (1, kernel), stride=(1, stride)).output[1] == outputs
    ]
    listed = lambda sizes: ", ".join(map(str, sizes[:-1])) + f" or {sizes[-1]}"  # noqa: E731
    return choice(
        f"One row: dz has {outputs} cells, w has {kernel}, stride {stride}, no padding. How many "
        "pixels can x have had?",
        listed(fits),
        {
            f"{fits[0]} only": "A remainder that no window reaches changes nothing in z.",
            f"{fits[-1]} only": "A smaller x had room for as many windows.",
            f"{outputs + kernel - 1} only": "That is for stride 1.",
            listed([*fits, fits[-1] + 1]): "With the last of these, one more window would fit.",
        },
        f"From {fits[0]}, where the windows just fit, up to {fits[-1]}. That is why a backward "
        "function must be told the shape of x.",
    )


@question("back through two convolutions", lesson="08")
def back_through_two_convolutions(draw):
    size, first, second, stride = draw.pick((9, 3, 2, 2), (8, 2, 2, 2), (7, 3, 2, 1), (9, 3, 3, 1))
    network = Network(
        [Conv2d(1, 1, (1, first), stride=(1, stride), rng=0), Conv2d(1, 1, (1, second), rng=1)]
    )
    z = network.forward(np.ones((1, 1, 1, size)))
    network.backward(np.ones_like(z))
    pixel = draw.whole(1, size - 2)
    found = lineage(network, 0, "dx", (0, 0, 0, pixel))
    middle = {v for *_, v in found.behind(0)}
    end = {(v,) for *_, v in found.behind(1)}
    count = z.shape[3]
    near = {(v,) for v in range(count) if pixel - first - second + 1 < v <= pixel}
    draw.must(0 < len(end) < count and max(middle) < count)
    return cells(
        f"One row: x ({size} pixels) → convolution A with {first} weights, stride {stride} → "
        f"convolution B with {second} weights, stride 1 → loss. Mark every cell of B's dz that "
        f"dx[{pixel}] is made of.",
        end,
        [
            ({(v,) for v in middle}, "Those are cells of A's dz; go on through B."),
            (near, "A's stride is forgotten.")
            if stride > 1
            else ({(min(pixel, count - 1),)}, "Every window that saw it counts."),
            ({(v,) for v in range(count)}, "Some of these windows never saw what the pixel moved."),
        ],
        f"Of A's cells, x[{pixel}] moves {' and '.join(map(str, sorted(middle)))}; of B's windows, "
        f"these see what moved: {', '.join(str(v) for (v,) in sorted(end))}.",
        tables=[table("dz_B", ["·"] * count, marked=True)],
    )


@question("dx as a recipe", lesson="08")
def dx_as_a_recipe(draw):
    lines = [
        "put stride − 1 zeros between the cells of dz",
        "put kernel − 1 zeros around it",
        "slide the kernel over it, turned by half a turn, and sum over filters",
        "append zeros for what no window reached",
        "crop the padding",
    ]
    upright = "slide the kernel over it as it is, and sum over channels"
    places = dict(zip(lines, ("1st", "2nd", "3rd", "4th", "5th"), strict=True)) | {upright: "no"}
    rows = draw.shuffled(places)

    def with_swapped(one, other):
        swap = {one: other, other: one}
        return [places[swap.get(row, row)] for row in rows]

    return match(
        "dx of a convolution with stride, padding and a remainder, as a gather. Which place has "
        "each step? One is not needed.",
        {row: places[row] for row in rows},
        ["1st", "2nd", "3rd", "4th", "5th", "no"],
        [
            (
                with_swapped(lines[2], upright),
                "A later window met a pixel with an earlier weight, so the kernel must be turned.",
            ),
            (
                with_swapped(lines[0], lines[1]),
                "The border would be spread as well, and become too wide.",
            ),
            (
                with_swapped(lines[3], lines[4]),
                "The remainder lies inside the padding at the end; append first, then crop.",
            ),
        ],
        "Spread, surround, slide the turned kernel, append the remainder, crop.",
    )

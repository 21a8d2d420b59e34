"""Lesson 07: the gradient of a convolution's kernel, and of its bias."""

import numpy as np

from cnnbp.convolution import Conv2d, conv2d, conv2d_backward
from cnnbp.explain import explain_conv2d
from cnnbp.lineage import lineage
from cnnbp.linear import Flatten, Linear
from cnnbp.network import Network
from cnnbp.questions.question import (
    cells,
    match,
    number,
    question,
    steps,
    table,
)
from cnnbp.questions.sets import PIXELS, clipped, grid, right, unknown, where
from cnnbp.shape import windows


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
        tables=[table("dA", unknown(outputs, size), marked=True)],
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
    unshifted = clipped(*starts, (size, size))
    close = clipped(*([i + k - padding for i in range(count)] for k in tap), (size, size))
    turned = clipped(
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
        tables=[table("x", unknown(size, size), marked=True)],
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
                clipped(range(1, 9, stride), range(1, 9, stride), image),
                "Zeros come between, not in front.",
            ),
            (
                clipped(range(0, 9, stride + 1), range(0, 9, stride + 1), image),
                f"{stride} − 1 zeros between, so steps of {stride}.",
            ),
        ],
        f"dz[i,j] lands at ({stride}i, {stride}j), where its window began.",
        tables=[table("dz", dz), table("spread", unknown(*image), marked=True)],
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
        tables=[table("w", unknown(K, F * size), marked=True)],
    )

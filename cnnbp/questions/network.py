"""Lesson 10: a whole network, and the way of one gradient through it."""

from functools import cache

import numpy as np

from cnnbp.convolution import Conv2d, conv2d_backward
from cnnbp.explain import cell_name, explain_conv2d
from cnnbp.lineage import lineage
from cnnbp.linear import Flatten, Linear
from cnnbp.loss import mean_squared_error
from cnnbp.network import Network, walkthrough_network
from cnnbp.pooling import MaxPool2d
from cnnbp.questions.question import cells, match, number, question, shape, shown, table
from cnnbp.questions.sets import grid, where
from cnnbp.shape import windows


@cache
def _reference():
    """The windows of the reference network's convolution and of its pool."""
    conv, pool, *_ = walkthrough_network().layers
    *_, height, width = walkthrough_network().input_shape
    first = windows((height, width), conv.params["w"].shape[2:], stride=conv.options["stride"])
    return first, windows(first.output, **pool.options)


def _around(line):
    """The pool's window over a row or column of the convolution, or both that are next to a gap."""
    return {line // 3, line // 3 + (line % 3 == 2)}


@question("pooled cells that reach a pixel", lesson="10")
def pooled_cells_that_reach_a_pixel(draw):
    conv, pool = _reference()
    h, v = draw.whole(4, 24), draw.whole(4, 24)
    between = conv.seen_by()[h, v]
    pooled = pool.seen_by()
    behind = {window for cell in between for window in pooled[cell]}
    draw.must(1 <= len(behind) <= 3)
    halves = {(a // 2, b // 2) for a, b in between if max(a, b) < 2 * pool.output[0]}
    nearest = {cell for a, b in between for cell in grid(_around(a), _around(b))}
    draw.must(halves and nearest <= grid(range(5), range(5)))
    outputs = pool.output
    return cells(
        "The reference network: convolution, kernels of 3 × 2, stride 2, from 29 × 28 to 14 × 14; "
        "max pool 2 × 2, stride 3, to 5 × 5. Mark every pooled cell (of one filter) that can send "
        f"a gradient to the pixel x[{h},{v}].",
        behind,
        [
            (halves, "The pool moves in steps of 3."),
            (nearest, "Some of the convolution's cells lie in a gap between the pool's windows."),
            ({(b, a) for a, b in behind}, "Rows come before columns."),
        ],
        f"The convolution's cells {', '.join(map(str, between))} saw the pixel; those of them that "
        f"lie in a pool's window belong to {', '.join(map(str, sorted(behind)))}.",
        tables=[table("dz", [["·"] * outputs[1]] * outputs[0], marked=True)],
    )


def _small(draw):
    """A row of pixels through conv, pool and linear to two scores; targets; what came back."""
    network = Network([Conv2d(1, 1, (1, 2)), MaxPool2d((1, 2)), Flatten(), Linear(1, 2)])
    x, w = draw.distinct(3, -3, 4, zero=False), draw.distinct(2, -3, 3, zero=False)
    v, target = draw.distinct(2, -3, 3, zero=False), draw.array(2, -9, 9)
    network.params["0.w"][0, 0, 0] = w
    network.params["3.w"][:, 0] = v
    z = network.forward(x[None, None, None])
    _, dz = mean_squared_error(z, target[:, None])
    dx = network.backward(dz)[0, 0, 0]
    return network, x, w, v, target, dz[:, 0], dx


@question("one pixel by hand", lesson="10")
def one_pixel_by_hand(draw):
    network, x, w, v, target, dz, dx = _small(draw)
    into_pool = network.trace[1].dz[0, 0, 0, 0]
    won = int(network.trace[0].dz[0, 0, 0, 1] != 0)
    draw.must(into_pool and abs(dz).min() > 0 and abs(dx).max() <= 60)
    lists = [f"{', '.join(map(shown, values))}" for values in (x, w, v, target)]
    return number(
        f"x = {lists[0]}. Convolution, one row, w = {lists[1]}, stride 1; max pool over its 2 "
        "cells; "
        f"linear layer w = ({lists[2]})ᵀ, two outputs; targets {lists[3]}; mean squared error. "
        "What "
        "is ∂L/∂x[1]?",
        dx[1],
        [
            (into_pool * w.sum(), "Only one of the two windows won the pool."),
            (into_pool * w[won], "The window that won met x[1] with the other weight."),
            (dz[0] * v[0] * w[1 - won], "Both outputs send something back."),
            (dx[1] * 2, "The mean goes over the two outputs."),
        ],
        f"dz of the outputs: {', '.join(map(shown, dz))}; of the pool: {shown(into_pool)}. Window "
        f"{won} won, and it met x[1] with w[{1 - won}] = {shown(w[1 - won])}.",
        prompt="∂L/∂x[1] =",
    )


@question("products that are not zero", lesson="10")
def products_that_are_not_zero(draw):
    N = draw.pick(10, 5, 20)
    conv, pool = _reference()
    rows, columns = conv.output
    winners = pool.output[0] * pool.output[1]
    products = N * rows * columns
    F = len(walkthrough_network().params["0.w"])
    return number(
        f"The reference network with a batch of {N}: convolution to ({N}, {F}, {rows}, {columns}), "
        f"max pool 2 × 2 with stride 3. One cell of the convolution's dw sums {products} products. "
        "At most how many of them are not 0?",
        N * winners,
        [
            (products, "Gaps and losers have dz = 0."),
            (N * int(pool.covered().sum()), "Of the cells in a window, only the winner."),
            (N * F * winners, "A weight belongs to one filter."),
        ],
        f"One winner a window: {N} samples, {pool.output[0]}·{pool.output[1]} windows.",
    )


@question("shapes on the way back", lesson="10")
def shapes_on_the_way_back(draw):
    N, C, F = map(int, draw.distinct(3, 2, 6))
    K = draw.whole(7, 12)
    layers = [Conv2d(C, F, 3, stride=2), MaxPool2d(2), Flatten()]
    x_shape = (N, C, 13, 17)
    pooled = Network(layers).output_shape(x_shape)
    network = Network([*layers, Linear(pooled[0], K)])
    network.backward(np.zeros_like(network.forward(np.zeros(x_shape))))
    names = ["the convolution", "the max pool", "flatten", "the linear layer"]
    shapes = {f"dx of {n}": str(s.dx.shape) for n, s in zip(names, network.trace, strict=True)}
    rows = draw.shuffled(shapes)
    outputs = {f"dx of {n}": str(s.dz.shape) for n, s in zip(names, network.trace, strict=True)}
    options = sorted({*shapes.values(), *outputs.values()})
    exchanged = {
        **shapes,
        "dx of flatten": shapes["dx of the linear layer"],
        "dx of the linear layer": shapes["dx of flatten"],
    }
    return match(
        f"x {x_shape} → convolution with {F} filters of 3 × 3, stride 2 → max pool 2 × 2, windows "
        f"side by side → flatten → linear layer to {K} scores. Which shape has each gradient?",
        {row: shapes[row] for row in rows},
        options,
        [
            ([outputs[row] for row in rows], "That is what arrives, dz. dx has the shape of x."),
            (
                [exchanged[row] for row in rows],
                "flatten's x are maps, the linear layer's x columns.",
            ),
        ],
        "dx has the shape of the x that the layer was given.",
    )


@question("the whole way back in order", lesson="10")
def the_whole_way_back_in_order(draw):
    lines = [
        "loss, dz = mean_squared_error(z, target)",
        "dflat, dw, db = linear_backward(dz, flat, w)",
        "dpooled = flatten_backward(dflat, pooled.shape)",
        "dconv = max_pool2d_backward(dpooled, argmax, conv.shape)",
        "dx, dw1, db1 = conv2d_backward(dconv, x, w1, stride=2)",
    ]
    update, again = "w = w - learning_rate * dw", "dw1 = dw1 / len(x)"
    places = dict(zip(lines, ("1st", "2nd", "3rd", "4th", "5th"), strict=True))
    places |= {update: "no", again: "no"}
    rows = draw.shuffled(places)
    backward = dict(zip(lines, ("5th", "4th", "3rd", "2nd", "1st"), strict=True))
    pool_first = {**places, lines[2]: "4th", lines[3]: "3rd"}
    return match(
        "The gradients of conv → max pool → flatten → linear → mean squared error. Which place has "
        "each line? Two do not belong to the backward pass.",
        {f"`{row}`": places[row] for row in rows},
        ["1st", "2nd", "3rd", "4th", "5th", "no"],
        [
            ([{**places, **backward}[r] for r in rows], "Backward: begin at the loss."),
            (
                [pool_first[r] for r in rows],
                "Undo last what was done first: columns become maps before the pool can take them.",
            ),
        ],
        "Each takes the dx of the one after it as its dz. Updating is the optimizer's work, and "
        "the "
        "mean is in dz already.",
    )


@question("which products make a pixel", lesson="10")
def which_products_make_a_pixel(draw):
    layer = walkthrough_network().layers[0]
    (_, C, H, W), w = walkthrough_network().input_shape, layer.params["w"]
    n, c, h, v = draw.whole(0, 9), draw.whole(0, C - 1), 2 * draw.whole(3, 12), draw.whole(6, 24)
    other, i, j, kw = (c + 1) % C, h // 2, v // 2, v % 2
    candidates = [
        ((n, 0, i - 1, j), (0, c, 2, kw)),
        ((n, 1, i, j), (1, c, 0, kw)),
        ((n, 1, i - 1, j), (1, c, 0, kw)),
        ((n, 0, i, j), (0, c, 2, kw)),
        ((n, 1, i, j), (1, other, 0, kw)),
        ((n, 1, i, j), (0, c, 0, kw)),
    ]
    x, dz = np.zeros((10, C, H, W)), np.zeros((10, len(w), *_reference()[0].output))
    cell = explain_conv2d("dx", (n, c, h, v), dz=dz, x=x, w=w, **layer.options)
    right = {(term.left_index, term.right_index) for term in cell.terms}
    rows = draw.shuffled(candidates)

    def judged(chosen):
        return ["yes" if row in chosen else "no" for row in rows]

    names = [f"`{cell_name('dz', left)} · {cell_name('w', right)}`" for left, right in rows]
    return match(
        f"The reference network's convolution: 2 filters of 3 × 2, stride 2. Its x is (10, {C}, "
        f"{H}, {W}). Which of these products are part of dx{[n, c, h, v]}?",
        dict(zip(names, judged(right), strict=True)),
        ["yes", "no"],
        [
            (judged(candidates[2:4]), "The window that begins earlier meets the pixel later."),
            (judged(candidates[:1]), "Both filters saw the pixel."),
            (judged([*candidates[:2], candidates[4]]), "dx never sums over input channels."),
            (judged([*candidates[:2], candidates[5]]), "A dz meets the weights of its own filter."),
        ],
        f"Window row {i - 1} begins in pixel row {h - 2} and meets row {h} with kernel row 2; "
        f"window row {i} begins there and meets it with kernel row 0. Filter and channel are those "
        "of the dz and of the pixel.",
    )


@question("the input twice as large", lesson="10")
def the_input_twice_as_large(draw):
    x, w = draw.array((1, 1, 3, 3), 1, 4), draw.array((1, 1, 2, 2), 1, 4)
    dz, factor = draw.array((1, 1, 2, 2), 1, 4), draw.pick(2, 3)
    which = draw.pick("x", "w")
    arrays = {"dz": dz, "x": x, "w": w}
    before = conv2d_backward(**arrays)
    after = conv2d_backward(**{**arrays, which: factor * arrays[which]})
    words = {True: f"{factor} times as large", False: "the same"}
    grown = {
        name: words[bool(np.allclose(b, factor * a))]
        for name, a, b in zip(("dx", "dw", "db"), before, after, strict=True)
    }
    like = {"dx": "x", "dw": "w", "db": "b"}
    held = " and ".join(name for name in arrays if name != which)
    return match(
        f"In a convolution, every cell of {which} becomes {factor} times as large; {held} stay as "
        "they are. What happens to the gradients?",
        grown,
        list(words.values()),
        [
            (
                [words[like[name] == which] for name in grown],
                "A gradient is made of the other factor and of dz.",
            ),
            ([words[True]] * 3, f"Look which of them have {which} as a factor."),
            ([words[False]] * 3, f"Some of them are made of {which}."),
            (
                [words[name == "db" or like[name] != which] for name in grown],
                "db is dz alone, summed.",
            ),
        ],
        "dx = dz with w, dw = dz with x, db = dz alone.",
    )


@question("ways from the loss to a pixel", lesson="10")
def ways_from_the_loss_to_a_pixel(draw):
    F, K = draw.pick(2, 3), draw.pick(4, 5, 8)
    size = 8
    network = Network([Conv2d(1, F, 2, stride=2), MaxPool2d(2), Flatten(), Linear(4 * F, K, rng=0)])
    x = np.zeros((1, 1, size, size))
    h, v = draw.whole(0, size - 1), draw.whole(0, size - 1)
    x[0, 0, h, v] = 1
    network.params["0.w"][...] = 1
    network.backward(np.ones_like(network.forward(x)))
    paths = lineage(network, 0, "dx", (0, 0, h, v)).paths
    return number(
        f"x is 8 × 8. Convolution, {F} filters of 2 × 2, stride 2; max pool 2 × 2, windows side by "
        f"side; flatten; linear layer to {K} scores. The pixel x[{h},{v}] lies in a window that "
        f"won its pool in all {F} filters. Along how many ways does a gradient come from the "
        "scores to it?",
        paths,
        [
            (K, "Every filter saw the pixel."),
            (F, "Each pooled cell feeds every score."),
            (4 * F * K, "With stride 2, one window of each filter sees the pixel."),
            (F + K, "Ways along a chain are multiplied."),
        ],
        f"{F} filters, one winning window each, {K} scores: {F}·{K}.",
    )


@question("who passes it on", lesson="10")
def who_passes_it_on(draw):
    x = draw.array(8, -4, 4)
    w, v = draw.distinct(2, -3, 3, zero=False), draw.array((2, 2), -3, 3, zero=False)
    network = Network([Conv2d(1, 1, (1, 2), stride=2), MaxPool2d((1, 2)), Flatten(), Linear(2, 2)])
    network.params["0.w"][0, 0, 0], network.params["3.w"][...] = w, v
    network.backward(np.ones_like(network.forward(x[None, None, None])))
    z = network.trace[0].z[0, 0, 0]
    draw.must(z[0] != z[1] and z[2] != z[3])
    found = {pixel for pixel in range(8) if lineage(network, 0, "dx", (0, 0, 0, pixel)).paths}
    lost = set(range(8)) - found
    winners = {int(np.argmax(z[:2])), 2 + int(np.argmax(z[2:]))}
    return cells(
        f"x (8 pixels) → convolution w = ({shown(w[0])}, {shown(w[1])}), stride 2 → 4 cells → max "
        "pool over pairs → 2 cells → linear → loss. The numbers of x are shown. Mark every pixel "
        "that something comes back to.",
        {(p,) for p in found},
        [
            ({(p,) for p in lost}, "Those lie below the windows that lost."),
            ({(p,) for p in winners}, "Those are numbers of windows; each has two pixels."),
            ({(p,) for p in range(8)}, "In each pair, one window lost."),
            (
                {(int(p),) for p in (np.argmax(x[:4]), 4 + np.argmax(x[4:]))},
                "The largest sum wins, not the largest pixel.",
            ),
        ],
        f"The convolution gives {', '.join(map(shown, z))}; the pairs are won by cells "
        f"{' and '.join(map(str, sorted(winners)))}, and cell i saw pixels 2i and 2i + 1.",
        tables=[table("x", x, marked=True)],
    )


@question("one gradient for each bias", lesson="10")
def one_gradient_for_each_bias(draw):
    N, F, OH, OW = map(int, draw.distinct(4, 2, 12))
    layer = Conv2d(3, F, 1)
    layer.forward(np.zeros((N, 3, OH, OW)))
    layer.backward(np.zeros((N, F, OH, OW)))
    return shape(
        f"A convolution made z ({N}, {F}, {OH}, {OW}). What is the shape of the gradient of its "
        "bias?",
        layer.grads["b"].shape,
        [
            ((N, F, 1, 1), "All samples share the biases: N is summed as well."),
            ((1, 1, 1), "Each filter has a bias of its own."),
            ((F, OH, OW), "A bias is added at every position: positions are summed."),
            ((N, F), "Samples are summed, and the axes kept for b's own shape."),
        ],
        f"A gradient has the shape of what it belongs to: b is ({F}, 1, 1). N, OH and OW are "
        "summed.",
    )


@question("which weights touch one target", lesson="10")
def which_weights_touch_one_target(draw):
    K, N = draw.pick((3, 4), (4, 3))
    z = draw.array((K, N), -3, 3)
    target = z.copy()
    k, n = draw.whole(0, K - 1), draw.whole(0, N - 1)
    target[k, n] += draw.pick(-2, 2)
    D = 4
    network = Network([Linear(D, K, rng=0)])
    network.forward(np.ones((D, N)))
    _, dz = mean_squared_error(z, target)
    network.backward(dz)
    return cells(
        f"The last linear layer, w ({K}, {D}), made scores for {N} samples. They all equal their "
        f"targets, except score {k} of sample {n}. Mark every cell of its dw that is not 0 (no "
        "x is "
        "0).",
        where(network.grads["0.w"]),
        [
            (grid(range(K), [min(n, D - 1)]), f"{n} is a sample; dw's columns are inputs."),
            ({(k, min(n, D - 1))}, "All of the inputs had a part in this score."),
            (grid(range(K), range(D)), "The other scores are on target: their dz is 0."),
        ],
        f"dz is 0 but for [{k},{n}], so dw[{k},d] = dz[{k},{n}]·x[d,{n}] and the other rows are 0.",
        tables=[table("dw", [["?"] * D] * K, marked=True)],
    )

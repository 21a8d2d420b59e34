"""Lesson 08: the gradient of a convolution's input."""

import numpy as np

from cnnbp.convolution import Conv2d, conv2d, conv2d_backward
from cnnbp.explain import explain_conv2d
from cnnbp.lineage import lineage
from cnnbp.network import Network
from cnnbp.questions.question import (
    added,
    cells,
    choice,
    factor,
    match,
    number,
    question,
    shown,
    steps,
    table,
)
from cnnbp.questions.sets import PIXELS, clipped, extent, grid, left, right, unknown, where
from cnnbp.shape import windows


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
        f"x is {extent(image)}, the kernel {extent(kernel)}, stride {stride}, no padding. Mark "
        f"every cell of dz that dx[{h},{v}] is made of.",
        found,
        [
            (clipped(*begins, output), "That ignores the stride."),
            (clipped([h], [v], output), "dz lies on another grid: a cell for each window."),
            (grid(*spaced), "A kernel is rows × columns."),
            (grid(range(output[0]), range(output[1])), "Some windows never saw this pixel."),
        ],
        f"Window (i, j) begins at ({steps(stride[0], 'i')}, {steps(stride[1], 'j')}) and "
        f"reaches {kernel[0]} rows and "
        f"{kernel[1]} columns. Those that contain ({h}, {v}) send something.",
        tables=[table("dz", unknown(*output), marked=True)],
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
        tables=[table("dx", unknown(size, size), marked=True)],
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
        tables=[table("w", unknown(K, K), marked=True)],
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

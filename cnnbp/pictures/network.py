"""The ribbon: a network layer by layer, the shape of each z and the size of its gradient."""

import math

import numpy as np

from cnnbp.activation import LeakyReLU, ReLU, Sigmoid, Tanh
from cnnbp.network import Network, Residual
from cnnbp.optimizer import gradient_norm
from cnnbp.pictures.curves import decades, magnitude
from cnnbp.pictures.svg import Area, Block, Link, picture, text
from cnnbp.shape import complaint

TITLE = "Which layer lost the gradient?"
LEFT, NAME, SHAPE, BARS, RIGHT = 6, 116, 222, 338, 472  # pixels from the left
SIDES = (LEFT, 310), (314, 708)  # of the ribbon and of the bars: below one another on a phone
NUMBERS = {"dz": 526, "dw": 578, "spread of z": 664, "dead": 706}  # where they end
TOP, MIDDLE = 92, 56  # of the first row, of the ribbon
MARK = 34  # pixels that "1e−6" needs on the scale
ALL, PARTS, OWN = "#0f7b7b", ("#59a5a5", "#a5d2d2"), "#8a4f9e"  # not the blue and orange of signs
ACTIVATIONS = ReLU, LeakyReLU, Sigmoid, Tanh


def draw_network(network, *, parts=None, span=None):
    """Which layer lost the gradient? Every z of the last passes, its shape and its gradient's size.

    The ribbon is as wide as a sample has numbers (log scale). The bars are the norms of dz and, as
    dw, of all that the layer's own parameters get, on one log scale. Beside them stand the spread
    (standard deviation) of z, and how many of the layer's units are dead: 0 after the activation,
    in every sample and at every position.

    network  a cnnbp.Network after forward, and backward if gradients are to be seen
    parts    dict of name -> gradients: what single losses send to x and every z, as
             network.gradients() gives it; drawn below their sum
    span     (lowest, highest) power of ten that the scale has at least, so that it can stay the
             same from picture to picture
    returns  Svg

    Raises ValueError before a forward pass.

    >>> from cnnbp import Linear, Network
    >>> network = Network([Linear(2, 1)])
    >>> network.params["0.w"][...] = [[3, 4]]
    >>> z, dx = network.forward(np.ones((2, 1))), network.backward(np.ones((1, 1)))
    >>> draw_network(network).description
    'A network of 1 layers: the gradient has norm 1 at the end and 5 at the input: ×5'
    """
    if not network.trace:
        raise complaint(ValueError, "nothing to draw yet; call network.forward(x) first")
    arrays = [network.trace[0].x, *(step.z for step in network.trace)]
    sizes = {"all": gradient_sizes(network)}
    sizes |= {name: norms(gradients) for name, gradients in (parts or {}).items()}
    own = [None, *map(_own_size, network.layers)] if sizes["all"] else [None] * len(arrays)
    rows, beside = (_rows(len(arrays), len(sizes), *side) for side in SIDES)
    names = ["input x", *(f"{i} {step.name}" for i, step in enumerate(network.trace))]
    about = [_about_z(*each) for each in zip(network.layers, network.trace, strict=True)]
    said = [_lines(network, i, sizes, own, about) for i in range(len(rows))]
    links = [_link(*each) for each in zip(said, rows, beside, strict=True)]
    links.append(Link(_summary(sizes["all"], network)))
    description = f"A network of {len(network.layers)} layers: {links[-1].lines[0]}"
    drawn = _shapes(rows, names, arrays), _sizes(beside, sizes, own, span) + _of_z(beside, about)
    blocks = [_block(*each) for each in zip(drawn, (rows, beside), SIDES, strict=True)]
    return picture(description, blocks, links, title=TITLE, chosen=len(links) - 1)


def _block(drawing, rows, side):
    """One side of the picture, with room for the scale below its rows."""
    left, right = side
    bottom = rows[-1].y + rows[-1].height + 20
    return Block([], drawing, (right, bottom), rows, start=(left, 34))


def _rows(count, bars, left, right):
    """An Area for each row, high enough for its bars."""
    height = max(17 + 3 * (bars - 1), min(34, 440 // count))
    return [Area(left, TOP + height * i, right - left, height) for i in range(count)]


def _shapes(rows, names, arrays):
    """The ribbon, and for every row its name and its shape."""
    parts = [text(LEFT, 44, "↓ forward", "quiet"), _ribbon(rows, arrays)]
    parts += [text(NAME, 84, "layer", "name"), text(SHAPE, 84, "shape of z", "name")]
    for row, name, array in zip(rows, names, arrays, strict=True):
        y = _line(row)
        parts += [text(NAME, y, name), text(SHAPE, y, array.shape, "quiet")]
    return "".join(parts)


def _sizes(rows, sizes, own, span):
    """The scale, and for every row its layer's number again and its bars."""
    scale = _Scale(span, [*(s for part in sizes.values() for s in part), *filter(None, own)])
    parts = [_heading(sizes), scale.svg(TOP, rows[-1].y + rows[-1].height)]
    for i, row in enumerate(rows):
        parts.append(text(BARS - 6, _line(row), i - 1 if i else "x", "quiet", "end"))
        parts += _bars(row, scale, [part[i] for part in sizes.values() if part], own[i])
    return "".join(parts)


def _line(row):
    """Where a row's text stands."""
    return row.y + row.height / 2 + 4


def gradient_sizes(network):
    """The norms of the network's gradients(), or [] before a backward pass."""
    arrived = network.trace and network.trace[-1].dz is not None
    return norms(network.gradients()) if arrived else []


def norms(arrays):
    """The root of every array's sum of squares."""
    return [float(np.linalg.norm(array)) for array in arrays]


def _own_size(layer):
    """The norm of what a layer's parameters get; None if it has none."""
    return gradient_norm(layer) if layer.params else None


class _Scale:
    """Powers of ten along the bars."""

    def __init__(self, span, sizes):
        powers = [math.log10(size) for size in sizes if 0 < size < math.inf] or [0]
        low, high = math.floor(min(powers)), math.ceil(max(powers) + 1e-9)
        if span:
            low, high = min(low, span[0]), max(high, span[1])
        self.low, self.high = min(low, high - 3), high

    def at(self, size):
        """The place of a size; one that is infinite lies at the end."""
        power = math.log10(size) if size < math.inf else self.high
        return BARS + (power - self.low) / (self.high - self.low) * (RIGHT - BARS)

    def svg(self, top, bottom):
        ticks = decades(self.low, self.high, at_most=8)
        lines = "".join(f"M{self.at(tick):.1f} {top}V{bottom + 4:g}" for tick in ticks)
        apart = (RIGHT - BARS) / (self.high - self.low) * math.log10(ticks[-1] / ticks[-2])
        marks = [
            text(round(self.at(tick), 1), bottom + 18, magnitude(tick), "quiet", "middle")
            for tick in ticks[:: -1 if apart > MARK else -2]
        ]
        return f'<path class="edge" d="{lines}"/>{"".join(marks)}'


def _heading(sizes):
    parts = [text(BARS, 44, "↑ backward, on a scale of powers of ten", "quiet")]
    names = ["norm of dz", *list(sizes)[1:], "norm of dw and db"]
    x = BARS
    for name, fill in zip(names, _fills(len(sizes)), strict=True):
        parts.append(f'<rect x="{x}" y="53" width="12" height="10" {fill}/>')
        parts.append(text(x + 16, 62, name))
        x += 28 + 6.4 * len(name)
    parts += [text(end, 84, name, "name", "end") for name, end in NUMBERS.items()]
    return "".join(parts)


def _fills(gradients):
    """The looks of the bars: of all of dz, of its parts, of dw."""
    colors = [ALL, *PARTS[: gradients - 1], OWN]
    return [f'fill="{color}" stroke="currentColor" stroke-width=".5"' for color in colors]


def _about_z(layer, step):
    """The spread of a layer's z as it is written, and the share of its units that are dead."""
    return magnitude(float(np.std(step.z))), dead_units(layer, step)


def _of_z(rows, about):
    """For every layer the spread of its z, and the share of its units that are dead."""
    parts = []
    for row, (spread, dead) in zip(rows[1:], about, strict=True):
        y = _line(row)
        parts.append(text(NUMBERS["spread of z"], y, spread, anchor="end"))
        share = "–" if dead is None else f"{round(100 * dead)} %"
        parts.append(text(NUMBERS["dead"], y, share, anchor="end"))
    return "".join(parts)


def dead_units(layer, step):
    """The share of a layer's units that are 0 whatever comes; None if it has no activation.

    A unit is a channel of images or a row of a matrix: what one filter or one neuron makes of
    every sample, at every position. Of a chain the last layer counts, without the path around it.

    >>> from cnnbp.network import Step
    >>> dead_units(ReLU(), Step("ReLU", None, np.array([[0, 0], [0, 3]])))
    0.5
    """
    while isinstance(layer, Network):
        layer, step = layer.layers[-1], layer.trace[-1]
    if not isinstance(layer, ACTIVATIONS):
        return None
    z = np.asarray(step.z)
    others = (1,) if z.ndim == 2 else (0, *range(2, z.ndim))
    return float((z == 0).all(axis=others).mean())


def _ribbon(rows, arrays):
    """A band through the rows, at each as wide as a sample has numbers."""
    counts = [_numbers(array) for array in arrays]
    halves = [4 + 4 * math.log2(1 + count) for count in counts]
    ends = [(rows[0].y, halves[0]), (rows[-1].y + rows[-1].height, halves[-1])]
    middles = [(row.y + row.height / 2, half) for row, half in zip(rows, halves, strict=True)]
    edge = [ends[0], *middles, ends[1]]
    right = "L".join(f"{MIDDLE + half:.1f} {y:g}" for y, half in edge)
    left = "L".join(f"{MIDDLE - half:.1f} {y:g}" for y, half in reversed(edge))
    written_counts = "".join(
        text(MIDDLE, y + 4, f"{count:,}", "number")
        for (y, _), count in zip(middles, counts, strict=True)
    )
    return f'<path d="M{right}L{left}z" fill="#cfdbe6" stroke="#9aa0ab"/>{written_counts}'


def _numbers(array):
    """How many numbers a sample has; a matrix has its samples in columns."""
    return math.prod(array.shape[1:]) if array.ndim > 2 else array.shape[0]


def _bars(row, scale, sizes, own):
    """The bars of one row below one another, the last that of dw, and the numbers of dz and dw."""
    if not sizes:
        return []
    parts, every = [], [*sizes, own or 0]
    thickness = (row.height - 5) / len(every)
    for rank, (size, fill) in enumerate(zip(every, _fills(len(sizes)), strict=True)):
        if size > 0:
            y, length = row.y + 2.5 + thickness * rank, scale.at(size) - BARS
            parts.append(
                f'<rect x="{BARS}" y="{y:.1f}" width="{max(length, 1):.1f}" '
                f'height="{thickness - 1:.1f}" {fill}/>'
            )
    y = _line(row)
    zero = "0 exactly" if sizes[0] == 0 else magnitude(sizes[0])
    parts.append(text(NUMBERS["dz"], y, zero, anchor="end"))
    if own is not None:
        parts.append(text(NUMBERS["dw"], y, magnitude(own), anchor="end"))
    return parts


def _link(lines, *sides):
    """What pointing at a row says; both of its sides answer, and are lit."""
    return Link(lines, [(row, None) for row in sides], extra=[(row, _lit(row)) for row in sides])


def _lit(row):
    box = f'x="{row.x}" y="{row.y:g}" width="{row.width}" height="{row.height:g}"'
    return f'<rect {box} fill="currentColor" opacity=".12"/>'


def _lines(network, i, sizes, own, about):
    """What pointing at a row says: what arrives at the layer, and what it hands on."""
    arriving = sizes["all"]
    if i == 0:
        lines = [f"input x {network.trace[0].x.shape}"]
        lines[0] += f": norm of dx = {magnitude(arriving[0])}" if arriving else ""
    else:
        step, (spread, dead) = network.trace[i - 1], about[i - 1]
        lines = [
            f"{i - 1} {step.name}: x {step.x.shape} → z {step.z.shape}, whose spread is {spread}"
        ]
        lines[0] += f"; {round(100 * dead)} % of its units are dead" if dead else ""
        if arriving:
            lines.append(
                f"dz arrives with norm {magnitude(arriving[i])}, dx leaves {_passed(arriving, i)}"
            )
    if own[i] is not None:
        lines[-1] += f"; its parameters get norm {magnitude(own[i])}"
    if i and arriving and isinstance(network.layers[i - 1], Network):
        lines.append(_inside(network.layers[i - 1]))
    parts = [f"{name} {magnitude(part[i])}" for name, part in sizes.items() if part]
    if len(parts) > 1:
        lines.append("norm of dz: " + ", ".join(parts) + _angle(*[p[i] for p in sizes.values()]))
    return lines


def _passed(arriving, i):
    """What a layer hands on, and how much of what arrived that is."""
    share = f" (×{magnitude(arriving[i - 1] / arriving[i])})" if arriving[i] else ""
    return f"with norm {magnitude(arriving[i - 1])}{share}"


def _inside(block):
    """What the layers of a block keep of the gradient, in the order in which it meets them."""
    sizes = gradient_sizes(block)
    kept = [
        f"{block.trace[i].name} ×{magnitude(sizes[i] / sizes[i + 1] if sizes[i + 1] else 0)}"
        for i in reversed(range(len(block.trace)))
    ]
    around = " (and around them as it came)" * isinstance(block, Residual)
    return f"inside, on the way back: {', '.join(kept)}{around}"


def _angle(total, first, second):
    """How far two gradients point apart, by the lengths of both and of their sum."""
    if not first * second:
        return ""
    cosine = (total**2 - first**2 - second**2) / (2 * first * second)
    return f"; the two point {math.degrees(math.acos(min(max(cosine, -1), 1))):.0f}° apart"


def _summary(sizes, network):
    """How much of the gradient is left at the input, and which layer had the largest part in it."""
    if not sizes:
        return ["no gradients yet: call network.backward(dz)"]
    first, last = sizes[0], sizes[-1]
    line = f"the gradient has norm {magnitude(last)} at the end and {magnitude(first)} at the input"
    if not all(0 < size < math.inf for size in sizes[1:]):
        return [line, *_where_it_ends(sizes, network)]
    kept = np.round(np.divide(sizes[:-1], sizes[1:]), 9)  # equal ones must stay equal
    shrinks = first < last
    layer = int(np.argmin(kept) if shrinks else np.argmax(kept))
    lines = [
        f"{line}: ×{magnitude(first / last)}",
        f"the layer that {'keeps least' if shrinks else 'adds most'} is {layer} "
        f"{network.trace[layer].name}: ×{magnitude(kept[layer])} of what arrives",
    ]
    if isinstance(network.layers[layer], Network):
        lines.append(_inside(network.layers[layer]))
    return lines


def _where_it_ends(sizes, network):
    """The layer, if there is one, that got a gradient and let nothing of it through."""
    gone = [layer for layer in range(len(network.trace)) if sizes[layer] == 0 < sizes[layer + 1]]
    return [f"{layer} {network.trace[layer].name} lets nothing through" for layer in gone]

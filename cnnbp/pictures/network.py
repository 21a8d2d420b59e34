"""The ribbon: a network layer by layer, the shape of each z and the size of its gradient."""

import math

import numpy as np

from cnnbp.network import Network, Residual
from cnnbp.optimizer import gradient_norm
from cnnbp.pictures.curves import FIRST, SECOND, decades, magnitude
from cnnbp.pictures.svg import Area, Link, page, text, text_width
from cnnbp.shape import complaint

LEFT, NAME, SHAPE, BARS, RIGHT, WIDTH = 12, 170, 272, 384, 656, 740  # pixels from the left
TOP, MIDDLE = 92, 84  # of the first row, of the ribbon
PART = "#7a5aa8"  # the third color


def draw_network(network, *, parts=None, span=None):
    """Which layer lost the gradient? Every z of the last passes, its shape and its gradient's size.

    The ribbon is as wide as a sample has numbers (log scale). A bar is the norm of dz, a diamond
    the norm of what the layer's own parameters get, both on one log scale.

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
    'A network of 1 layers. the gradient has norm 1 at the end and 5 at the input: ×5'
    """
    if not network.trace:
        raise complaint(ValueError, "nothing to draw yet; call network.forward(x) first")
    arrays = [network.trace[0].x, *(step.z for step in network.trace)]
    sizes = {"all": gradient_sizes(network)}
    sizes |= {name: norms(gradients) for name, gradients in (parts or {}).items()}
    own = [None, *map(_own_size, network.layers)] if sizes["all"] else [None] * len(arrays)
    rows = _rows(len(arrays), len(sizes))
    names = ["input x", *(f"{i} {step.name}" for i, step in enumerate(network.trace))]
    links = [
        Link(_lines(network, i, sizes, own), [(row, None)], extra=_lit(row))
        for i, row in enumerate(rows)
    ]
    links.append(Link(_summary(sizes["all"], network)))
    description = f"A network of {len(network.layers)} layers. {links[-1].lines[0]}"
    drawing = _drawing(rows, names, arrays, sizes, own, span)
    size = WIDTH, rows[-1].y + rows[-1].height + 28
    return page(description, drawing, links, size, chosen=len(links) - 1)


def _rows(count, bars):
    """An Area for each row, high enough for its bars."""
    height = max(17 + 4 * (bars - 1), min(34, 440 // count))
    return [Area(LEFT, TOP + height * i, WIDTH - 2 * LEFT, height) for i in range(count)]


def _drawing(rows, names, arrays, sizes, own, span):
    """Heading, scale, ribbon, and for every row its name, its shape and its bars."""
    scale = _Scale(span, [*(s for part in sizes.values() for s in part), *filter(None, own)])
    bottom = rows[-1].y + rows[-1].height
    parts = [_heading(sizes), scale.svg(TOP, bottom), _ribbon(rows, arrays)]
    for i, (row, array) in enumerate(zip(rows, arrays, strict=True)):
        y = row.y + row.height / 2 + 4
        parts += [text(NAME, y, names[i]), text(SHAPE, y, array.shape, "quiet")]
        parts += _bars(row, scale, [part[i] for part in sizes.values() if part], own[i])
    return "".join(parts)


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
        marks = [
            text(round(self.at(tick), 1), bottom + 18, magnitude(tick), "quiet", "middle")
            for tick in ticks
        ]
        return f'<path class="edge" d="{lines}"/>{"".join(marks)}'


def _heading(sizes):
    parts = [text(LEFT, 20, "Which layer lost the gradient?", "name")]
    parts += [text(LEFT, 44, "↓ forward", "quiet"), text(NAME, 74, "layer", "name")]
    parts += [text(SHAPE, 74, "shape of z", "name")]
    what = [*sizes] if len(sizes) > 1 else ["norm of dz"]
    x = BARS
    for name, fill in zip(what, (FIRST, SECOND, PART), strict=False):
        parts.append(f'<rect x="{x}" y="64" width="12" height="10" fill="{fill}"/>')
        parts.append(text(x + 17, 74, name))
        x += 30 + text_width(name)
    parts += [_diamond(x + 6, 69), text(x + 16, 74, "norm of dw and db")]
    parts.append(text(WIDTH - LEFT - 4, 74, "dz", "name", "end"))
    parts.append(text(BARS, 44, "↑ backward, on a scale of powers of ten", "quiet"))
    return "".join(parts)


def _ribbon(rows, arrays):
    """A band through the rows, at each as wide as a sample has numbers."""
    counts = [_numbers(array) for array in arrays]
    halves = [4 + 5.5 * math.log2(1 + count) for count in counts]
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
    """The bars of one row below one another, the diamond, and the first bar's number."""
    parts = []
    thickness = (row.height - 5) / max(len(sizes), 1)
    for rank, (size, fill) in enumerate(zip(sizes, (FIRST, SECOND, PART), strict=False)):
        if size > 0:
            y, length = row.y + 2.5 + thickness * rank, scale.at(size) - BARS
            parts.append(
                f'<rect x="{BARS}" y="{y:.1f}" width="{max(length, 1):.1f}" '
                f'height="{thickness:.1f}" fill="{fill}"/>'
            )
    if sizes:
        zero = " exactly" * (sizes[0] == 0)
        at = WIDTH - LEFT - 4, row.y + row.height / 2 + 4
        parts.append(text(*at, magnitude(sizes[0]) + zero, anchor="end"))
    if own:
        parts.append(_diamond(scale.at(own), row.y + row.height / 2))
    return parts


def _diamond(x, y):
    path = f"M{x - 5:.1f} {y:g}l5 -5l5 5l-5 5z"
    return f'<path d="{path}" fill="#fff" stroke="#1b1f29" stroke-width="1.4"/>'


def _lit(row):
    box = f'x="{row.x}" y="{row.y:g}" width="{row.width}" height="{row.height:g}"'
    return f'<rect {box} fill="currentColor" opacity=".12"/>'


def _lines(network, i, sizes, own):
    """What pointing at a row says: what arrives at the layer, and what it hands on."""
    arriving = sizes["all"]
    if i == 0:
        lines = [f"input x {network.trace[0].x.shape}"]
        lines[0] += f": norm of dx = {magnitude(arriving[0])}" if arriving else ""
    else:
        step = network.trace[i - 1]
        lines = [f"{i - 1} {step.name}: x {step.x.shape} → z {step.z.shape}"]
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

"""The picture of a computation on single numbers: values forward, gradients back, the paths."""

import math
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from cnnbp.pictures.arithmetic import factor
from cnnbp.pictures.choice import rank_of
from cnnbp.pictures.curves import FIRST, SECOND, Frame
from cnnbp.pictures.svg import (
    LETTERS,
    Area,
    Block,
    Link,
    arrow_path,
    color,
    largest,
    number,
    picture,
    text,
    text_width,
)
from cnnbp.shape import complaint

WIDTH, PITCH, ROW = 88, 128, 112  # pixels: a node, from one column to the next, between rows
VALUE, GRADIENT = 34, 26  # heights of a node's two cells
LEFT, TOP = 12, 78
PATHS = 4  # are drawn and written down; more of them are only added up
PLOT = (272, 170)  # width and height of the loss over the nudge


def draw_graph(graph, inputs, *, chosen=None, nudge=None):
    """Which paths lead from this number to the loss? A graph with its values and gradients.

    Every node shows its value and, below, the gradient ∂L/∂value; an arrow carries the slope of
    one step. Pointing at a node writes down what it sums: gradient times slope over its uses.

    graph    a cnnbp.graph.Graph
    inputs   dict of name -> number
    chosen   name of the node shown while none is pointed at, the first input if None
    nudge    (name of an input, how far it is moved): the picture then compares the change of L
             that the gradient predicts, path by path, with the change that takes place
    returns  Svg

    Raises ValueError if an input is missing or a value is not finite.

    >>> from cnnbp.graph import Graph
    >>> svg = draw_graph(Graph(p="w * x", L="p + x"), {"w": 3, "x": 2}, chosen="x")
    >>> svg.description
    'A computation graph. dx = a dp·∂p/∂x + b dL·∂L/∂x = a 1·3 + b 1·1 = 4'
    """
    name, by = nudge or (chosen or graph.inputs[0], 0)
    values = _finite(graph.forward(**inputs))
    moved = _finite(graph.forward(**inputs | {name: inputs.get(name, 0) + by})) if nudge else values
    run = _Run(graph, values, graph.backward(values), moved)
    nodes, edges = _layout(graph)
    links = [_uses(run, each, nodes, edges) for each in graph.names]
    width, bottom = map(max, zip(*map(_end, nodes.values()), strict=True))
    drawing, places = _graph(run, nodes, edges), list(nodes.values())
    blocks = [_key(run), Block([], drawing, (width, bottom + 4), places, start=(LEFT, 54))]
    if nudge:
        plot = _loss_over_nudge(run, inputs, nudge, (LEFT, bottom + 40))
        reach = LEFT + PLOT[0], bottom + 40 + PLOT[1] + 34
        blocks.append(Block([], plot, reach, start=(LEFT, bottom + 16)))
        links.append(_paths(run, nudge, nodes, edges))
    at_rest = len(graph.names) if nudge else rank_of(name, graph.names)
    description = f"A computation graph. {links[at_rest].lines[0]}"
    title = f"Which paths lead to {graph.loss}?"
    return picture(description, blocks, links, title=title, chosen=at_rest)


def _graph(run, nodes, edges):
    """The arrows, and the nodes over them."""
    arrows = [edge.svg(run) for edge in edges]
    return "".join(arrows + [_node(run, name, area) for name, area in nodes.items()])


def _end(area):
    """How far to the right a picture with this node reaches, and where the node ends below."""
    return area.x + WIDTH + LEFT, area.y + VALUE + GRADIENT


@dataclass
class _Run:
    """A graph with its numbers: values, gradients, and the values after the nudge."""

    graph: object
    values: dict
    gradients: dict
    moved: dict

    @property
    def limit(self):
        return largest([*self.values.values(), *self.gradients.values()])

    def slope(self, user, slot):
        return self.graph.slopes(user, self.values)[slot][1]

    def factors(self, path):
        """The slope of every step of a path; a step that uses a value twice adds two slopes."""
        for before, user in pairwise(path):
            yield sum(s for operand, s in self.graph.slopes(user, self.values) if operand == before)


@dataclass
class _Edge:
    """The arrow from a value to one of the places where a step uses it."""

    operand: str
    user: str
    slot: int
    points: list

    def path(self, back=False, shift=0):
        """The line with its head, as a path; back is the way that the gradient takes."""
        points = [(x, y + shift) for x, y in (self.points[::-1] if back else self.points)]
        return arrow_path(points)

    def label(self, content, css="", below=0):
        """Text beside the middle of the line's longest piece, or `below` pixels further down."""
        pieces = pairwise(self.points)
        (x0, y0), (x1, y1) = max(pieces, key=lambda piece: abs(piece[1][0] - piece[0][0]))
        x, y = (x0 + x1) / 2, (y0 + y1) / 2 + below
        if abs(y1 - y0) < 20:
            return text(x, y - 11, content, css, "middle")
        return text(x + 9, y + (-2 if y1 > y0 else 12), content, css)

    def svg(self, run):
        slope = number(run.slope(self.user, self.slot), 2)
        return f'<path class="arrow" d="{self.path()}"/>{self.label(f"×{slope}", "quiet")}'


def _layout(graph):
    """An Area for every name, and the edges between them.

    A step stands in the column after its last operand, an input in the column before its first
    use: above the steps, or below them if it is used more than once or the place is taken.
    """
    column, places = {}, {}
    for step, (_, operands) in graph.steps.items():
        column[step] = 1 + max(column.get(operand, 0) for operand in operands)
        places[step] = _free(places, column[step], (1, 2, 3, 4))
    for name in graph.inputs:
        uses = graph.uses(name)
        rows = (0, 2, 3, 4) if len(uses) == 1 else (2, 3, 4)
        places[name] = _free(places, min(column[user] for user in uses) - 1, rows)
    top = min(row for _, row in places.values())
    nodes = {
        name: Area(LEFT + PITCH * at, TOP + ROW * (row - top), WIDTH, VALUE + GRADIENT)
        for name, (at, row) in places.items()
    }
    edges = [
        _Edge(operand, user, slot, _line(nodes, places, operand, user, slot, operands))
        for user, (_, operands) in graph.steps.items()
        for slot, operand in enumerate(operands)
    ]
    return nodes, edges


def _free(places, column, rows):
    return next((column, row) for row in rows if (column, row) not in places.values())


def _line(nodes, places, operand, user, slot, operands):
    """The points of an edge: straight to the next column, else past the nodes between."""
    start, end = nodes[operand], nodes[user]
    order = sorted(range(len(operands)), key=lambda other: places[operands[other]][1])
    spread = 20 * (order.index(slot) - (len(operands) - 1) / 2)
    (column, row), (last_column, last_row) = places[operand], places[user]
    lane = start.y + VALUE + spread * (row == last_row)
    first, last = (start.x + WIDTH + 3, lane), (end.x - 4, end.y + VALUE + spread)
    if last_column - column == 1:
        return [first, last]
    if any((between, row) in places.values() for between in range(column + 1, last_column)):
        lane += 0.5 * ROW
    return [first, (first[0] + 24, lane), (last[0] - 40, lane), last]


def _key(run):
    """What the numbers are, as a Block above the graph."""
    told = f"node: value, and gradient ∂{run.graph.loss}/∂value · arrow: slope of that step"
    reach = LEFT + text_width(told), 42
    return Block([], text(LEFT, 38, told), reach, start=(LEFT, 24), alone=True)


def _node(run, name, area):
    """Name and formula, value (and what the nudge makes of it), gradient."""
    x, y, middle = area.x, area.y, area.x + WIDTH / 2
    title = name
    if name in run.graph.steps:
        title += f" = {run.graph.formulas[name]}".replace("-", "−").replace("*", "·")
    value, moved, gradient = (each[name] for each in (run.values, run.moved, run.gradients))
    parts = [text(middle, y - 6, title, "name", "middle")]
    for top, height, cell in ((y, VALUE, value), (y + VALUE, GRADIENT, gradient)):
        box = f'x="{x:g}" y="{top:g}" width="{WIDTH}" height="{height}"'
        parts.append(f'<rect {box} fill="{color(cell, run.limit)}" stroke="#9aa0ab"/>')
    if number(moved, 4) == number(value, 4):
        parts.append(text(middle, y + 21, number(value, 4), "number"))
    else:
        parts.append(text(middle, y + 14, number(value, 4), "number"))
        parts.append(text(middle, y + 28, f"→ {number(moved, 4)}", "number"))
    parts.append(text(middle, y + VALUE + 17, f"d{name} = {number(gradient)}", "number long"))
    return "".join(parts)


def _uses(run, name, nodes, edges):
    """What the gradient of a value sums: over its uses, gradient times slope."""
    used = [edge for edge in edges if edge.operand == name]
    back = "".join(edge.path(back=True) for edge in used)
    extra = f'<path class="arrow" style="stroke-width:4" d="{back}"/>'
    if len(used) > 1:
        extra += "".join(map(_lettered, used, LETTERS))
    return Link(
        _sum(run, name, used),
        handles=[(nodes[name], None)],
        rings=[(nodes[other], None) for other in (name, *(edge.user for edge in used))],
        extra=[(nodes[name], extra)],
    )


def _lettered(edge, letter):
    return edge.label(letter, "name", below=22)


def _sum(run, name, used):
    """The lines that write a gradient as a sum over the uses, first in names, then in numbers."""
    if name == run.graph.loss:
        return [f"d{name} = ∂{name}/∂{name} = 1: every backward pass starts here"]
    if not used:
        return [f"d{name} = 0 exactly: nothing uses {name}"]
    letters = [f"{letter} " for letter in LETTERS] if len(used) > 1 else [""]
    names, numbers = [], []
    for letter, edge in zip(letters, used, strict=False):
        slope = run.slope(edge.user, edge.slot)
        names.append(f"{letter}d{edge.user}·∂{edge.user}/∂{name}")
        numbers.append(f"{letter}{factor(run.gradients[edge.user])}·{factor(slope)}")
    total = number(run.gradients[name], 4)
    lines = [f"d{name} = {' + '.join(names)} = {' + '.join(numbers)} = {total}"]
    if len(used) > 1:
        lines.append(f"{name} is used {len(used)} times: what comes back is summed")
    return lines


def _paths(run, nudge, nodes, edges):
    """The change of the loss that the gradient predicts, path by path, and the one there is."""
    (name, by), loss = nudge, run.graph.loss
    ways = run.graph.paths(name)
    predicted = by * run.gradients[name]
    actual = run.moved[loss] - run.values[loss]
    lines = [
        f"nudge {name} by {number(by, 4)}: predicted Δ{loss} = {number(predicted, 4)}, "
        f"actual Δ{loss} = {number(actual, 4)}"
    ]
    extra = []
    for rank, path in enumerate(ways[:PATHS]):
        factors = [by, *run.factors(path)]
        product = number(math.prod(factors), 4)
        lines.append(f"path {rank + 1}: {' → '.join(path)}")
        lines.append(f"{'·'.join(map(factor, factors))} = {product}")
        extra.append(_way(path, rank, ways, edges))
    if len(ways) > PATHS:
        rest = sum(by * math.prod(run.factors(path)) for path in ways[PATHS:])
        lines.append(f"{len(ways) - PATHS} more paths: {number(rest, 4)}")
    lines.append(f"all paths: {number(by, 4)}·d{name} = {number(predicted, 4)}")
    lines.append(f"actual − predicted = {number(actual - predicted, 4)}: so far L is from straight")
    ends = [(nodes[name], None), (nodes[loss], None)]
    return Link(lines, rings=ends, extra=[(nodes[name], "".join(extra))])


def _way(path, rank, ways, edges):
    """A path along its edges, beside the other paths, with its number where it is alone."""
    pairs = set(pairwise(path))
    along = [edge for edge in edges if (edge.operand, edge.user) in pairs]
    lines = "".join(edge.path(shift=8 * rank - 4) for edge in along)
    stroke, dash = (FIRST, "") if rank % 2 == 0 else (SECOND, ' stroke-dasharray="7 3"')
    others = [set(pairwise(way)) for way in ways if way != path]
    alone = [edge for edge in along if not any((edge.operand, edge.user) in o for o in others)]
    label = (alone or along)[0].label(rank + 1, "name", 30)
    return f'<path d="{lines}" fill="none" stroke="{stroke}" stroke-width="3"{dash}/>{label}'


def _loss_over_nudge(run, inputs, nudge, at):
    """The loss while one input moves, the straight line that its gradient promises, the gap."""
    (name, by), loss = nudge, run.graph.loss
    reach = max(1.0, abs(by))
    nudges = np.linspace(-reach, reach, 41)
    losses = [run.graph.forward(**inputs | {name: inputs[name] + n})[loss] for n in nudges]
    start, slope = run.values[loss], run.gradients[name]
    shown = [v for v in (*losses, start - slope * reach, start + slope * reach) if np.isfinite(v)]
    room = 0.06 * (max(shown) - min(shown)) or 1.0
    up = min(shown) - room, max(shown) + room
    frame = Frame(at[0] + 44, at[1], PLOT[0] - 56, PLOT[1], (-reach, reach), up)
    predicted, actual = frame.at(by, start + slope * by), frame.at(by, run.moved[loss])
    gap = f"M{predicted[0]:.1f} {predicted[1]:.1f}L{actual[0]:.1f} {actual[1]:.1f}"
    return (
        frame.svg(f"{loss} as {name} moves; dashed: predicted", f"nudge of {name}")
        + frame.line(nudges, losses)
        + frame.line([-reach, reach], [start - slope * reach, start + slope * reach], SECOND, True)
        + f'<path class="arrow" d="{gap}"/>'
        + frame.dot(by, start + slope * by, SECOND)
        + frame.dot(by, run.moved[loss])
    )


def _finite(values):
    """The values; or which of them is not a number, and why."""
    broken = [name for name, value in values.items() if not math.isfinite(value)]
    if broken:
        raise complaint(
            ValueError,
            f"{broken[0]} is {number(values[broken[0]])}; choose other inputs "
            "(log needs a positive number, / a divisor that is not 0)",
        )
    return values

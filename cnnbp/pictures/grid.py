"""Tables of numbers as SVG text: their cells, colors, outlines, and the color scale.

The text is deterministic: it depends on the numbers as they are displayed, not on their last bits.
"""

import math
from dataclasses import dataclass
from functools import cache, cached_property, lru_cache
from html import escape
from itertools import product

import numpy as np

CELL = 40  # pixels: room for "−0.125" inside a ring
NEGATIVE, ZERO, POSITIVE = (96, 158, 212), (250, 250, 248), (248, 176, 88)  # blue, paper, orange
LETTERS = "abcdefghijklmnopqrstuvwxyz"


@lru_cache(maxsize=10_000)
def number(value, digits=3):
    """A number as it is displayed: at most `digits` significant ones, a true minus sign, never −0.

    Equal on every machine: the last bits, in which two matrix products may differ, are rounded
    off before they could decide a tie, and what is left of a sum that cancels is 0.

    >>> number(-0.125), number(-1e-17), number(2 / 3), number(0.00123), number(1234.6)
    ('−0.125', '0', '0.667', '1.2e−3', '1235')
    """
    value = float(f"{value:.10g}")
    if not math.isfinite(value):
        return "NaN" if math.isnan(value) else "∞" if value > 0 else "−∞"
    if abs(value) < 1e-12:
        return "0"
    if 0.01 <= abs(value) < 1e5:
        before_point = len(str(int(abs(value)))) if abs(value) >= 1 else 0
        text = f"{value:.{max(0, digits - before_point)}f}"
        text = text.rstrip("0").rstrip(".") if "." in text else text
    else:
        mantissa, exponent = f"{value:.{max(0, digits - 2)}e}".split("e")
        text = f"{mantissa}e{int(exponent)}"
    return text.replace("-", "−")


def color(value, limit):
    """The color of a value: blue below zero, paper at zero, orange above, deepest at ±limit.

    >>> color(math.nan, 2.0) == color(0.0, 2.0), color(math.inf, 2.0) == color(2.0, 2.0)
    (True, True)
    """
    share = value / limit if limit and not math.isnan(value) else 0
    return _shade(round(max(-1, min(1, share)) * 16))  # few colors: no last bit decides one


@cache
def _shade(sixteenths):
    end = POSITIVE if sixteenths > 0 else NEGATIVE
    mixed = (round(z + (e - z) * abs(sixteenths) / 16) for z, e in zip(ZERO, end, strict=True))
    return "#" + "".join(f"{c:02x}" for c in mixed)


def text(x, y, content, css="", anchor="start"):
    """A line of text whose baseline starts (or ends, or is centered) at (x, y)."""
    anchor = "" if anchor == "start" else f' text-anchor="{anchor}"'
    css = f' class="{css}"' if css else ""
    return f'<text x="{x:g}" y="{y:g}"{css}{anchor}>{escape(str(content))}</text>'


def text_width(content, bold=False):
    """About how wide a line of text is, in pixels; every computer has fonts of its own.

    >>> text_width("dz, dx"), text_width("dz[0]", bold=True)
    (42, 37.0)
    """
    return (7.4 if bold else 7) * len(content)


def outline(path, css="frame"):
    """A dark line over tables; a frame has a light edge that shows it beside them on a dark page.

    css  "ring" around a cell, "frame" around a window, "fine" where there are many
    """
    halo = f'<path class="halo" d="{path}"/>' if css == "frame" else ""
    return f'{halo}<path class="{css}" d="{path}"/>'


def arrow(*points):
    """An arrow over tables, along a line from point to point."""
    return outline(arrow_path(points))


def arrow_path(points):
    """A line from point to point with a head at its end, as a path."""
    (x0, y0), (x1, y1) = points[-2:]
    angle = math.atan2(y1 - y0, x1 - x0)
    wings = [(x1 - 8 * math.cos(angle + a), y1 - 8 * math.sin(angle + a)) for a in (0.45, -0.45)]
    lines = points, (wings[0], points[-1], wings[1])
    return "".join("M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in line) for line in lines)


class Grid:
    """A table of numbers on the page.

    name      written above it
    values    (rows, columns)
    at        (x, y) of its upper left corner, the name above that
    limit     the value of the deepest color; the same for all tables of a picture, None for
              one without colors
    size      of a cell, in pixels
    hatched   (rows, columns) of bools: cells that are exactly 0 because nothing reaches them
    margin    (above and below, left and right) pixels around it, for windows that reach beyond it
    first     (row, column) of its first cell in the map of which it shows a part
    """

    def __init__(
        self, name, values, at, limit, *, size=CELL, hatched=None, margin=(0, 0), first=(0, 0)
    ):
        # A copy: the still is drawn when it is asked for, and the array may have changed by then.
        self.name, self.values, self.size = name, np.array(values), size
        self.x, self.y = at
        self.limit, self.hatched, self.margin, self.first = limit, hatched, margin, first
        rows, columns = self.values.shape
        # Beside the name, if the tables' limits differ.
        self.scale = f" · max {number(limit)}" if limit else ""
        self.right, self.bottom = self.x + columns * size, self.y + rows * size

    @cached_property
    def cells(self):
        """(row, column) of every cell, in row order."""
        rows, columns = self.values.shape
        return [*product(range(rows), range(columns))]

    @property
    def left(self):
        return self.x - self.margin[1]

    @property
    def top(self):
        """Where its name begins, in pixels from above."""
        return self.y - self.margin[0] - 20 * bool(self.name)

    @property
    def under(self):
        """How far down it comes, with its margin."""
        return self.bottom + self.margin[0]

    def place(self, row, column):
        """The cell that shows this place of the map, or None if it lies outside."""
        row, column = int(row) - self.first[0], int(column) - self.first[1]
        rows, columns = self.values.shape
        return (row, column) if 0 <= row < rows and 0 <= column < columns else None

    def named(self, own_scale=False):
        """About where the name ends, in pixels; m and w are wider than other letters.

        >>> Grid("gamma[0]", [[4.0]], (0, 20), 1.0).named() > 66
        True
        """
        wide = 4 * sum(self.name.count(letter) for letter in "mwMW")
        return self.x + text_width(self.name + self.scale * own_scale, bold=True) + wide

    def reach(self, own_scale=False):
        """How far to the right it comes, with its margin and its name, in pixels."""
        return max(self.right + self.margin[1], self.named(own_scale))

    def corner(self, cell):
        """(x, y) of a cell's upper left corner."""
        return self.x + cell[1] * self.size, self.y + cell[0] * self.size

    def extent(self, cell, span=(1, 1)):
        """(x, y, width, height) of the `span` rows and columns of cells from `cell` on."""
        return *self.corner(cell), span[1] * self.size, span[0] * self.size

    def written(self, cell, content):
        """A number in a cell."""
        x, y = self.corner(cell)
        css = "" if len(content) < 6 else ' class="long"' if len(content) < 7 else ' class="longer"'
        return (
            f'<text x="{x + self.size / 2:g}" y="{y + self.size / 2 + 4:g}"{css}>{content}</text>'
        )

    def center(self, cell):
        """(x, y) of a cell's middle."""
        x, y = self.corner(cell)
        return x + self.size / 2, y + self.size / 2

    def box(self, cell, span=(1, 1), inset=0):
        """A path around the `span` rows and columns of cells from `cell` on."""
        x, y = self.corner(cell)
        height, width = span[0] * self.size - 2 * inset, span[1] * self.size - 2 * inset
        return f"M{x + inset:g} {y + inset:g}h{width:g}v{height:g}h{-width:g}z"

    def svg(self, own_scale=False):
        """The table itself: name, colored cells, their numbers, hatching."""
        scale = self.scale * own_scale
        parts = [text(self.x, self.y - self.margin[0] - 7, self.name + scale, "name")]
        parts += self._fills()
        parts.append(f'<g class="number" text-anchor="middle" font-size="11">{self._written()}</g>')
        if self.hatched is not None and self.hatched.any():
            strokes = "".join(map(self._strokes, np.argwhere(self.hatched)))
            parts.append(f'<path class="hatch" fill="none" stroke="#8a8f99" d="{strokes}"/>')
        parts.append(f'<path class="edge" fill="none" stroke="#9aa0ab" d="{self.lines()}"/>')
        return "".join(parts)

    def _fills(self):
        """The cells, those of one color in one path."""
        boxes, size = {}, self.size
        for cell, value in zip(self.cells, self._listed(), strict=True):
            x, y = self.corner(cell)
            fill = color(value, self.limit)
            boxes.setdefault(fill, []).append(f"M{x:g} {y:g}h{size}v{size}h-{size}z")
        return [f'<path fill="{fill}" d="{"".join(at)}"/>' for fill, at in boxes.items()]

    def _written(self):
        return "".join(map(self.written, self.cells, map(number, self._listed())))

    def _listed(self):
        """The numbers in row order, as Python's own: numpy's are slow one by one."""
        return self.values.ravel().tolist()

    def row(self, row):
        """What a screen reader says of a row."""
        which = f"{self.name} row {row + self.first[0]}" if self.name else "row"
        return f"{which}: {', '.join(map(number, self.values[row].tolist()))}"

    def mark(self):
        """A corner turned down: the numbers of this table answer."""
        return f'<path class="mark" fill="#757b86" d="M{self.right:g} {self.bottom:g}h-8l8 -8z"/>'

    def lines(self):
        """The lines between the cells and around them."""
        rows, columns = self.values.shape
        if not columns:  # the products of a pixel that no window reached
            return ""
        across = [f"M{self.x:g} {self.y + i * self.size:g}H{self.right:g}" for i in range(rows + 1)]
        down = [
            f"M{self.x + j * self.size:g} {self.y:g}V{self.bottom:g}" for j in range(columns + 1)
        ]
        return "".join(across + down)

    def _strokes(self, cell):
        """Three strokes across a cell."""
        (x, y), size = self.corner(cell), self.size
        half = size / 2
        return (
            f"M{x:g} {y + half:g}l{half:g} {-half:g}"
            f"M{x:g} {y + size:g}l{size:g} {-size:g}"
            f"M{x + half:g} {y + size:g}l{half:g} {-half:g}"
        )


@dataclass(eq=False)  # two at the same place are two
class Area:
    """A rectangle that stands in a link as a cell does, as (area, None): a bar, a node, a line."""

    x: float
    y: float
    width: float
    height: float

    def corner(self, cell=None):
        return self.x, self.y

    def extent(self, cell=None):
        return self.x, self.y, self.width, self.height

    def box(self, cell=None, inset=0):
        across, down = self.width - 2 * inset, self.height - 2 * inset
        return f"M{self.x + inset:g} {self.y + inset:g}h{across:g}v{down:g}h{-across:g}z"


def largest(*arrays):
    """The largest magnitude in all arrays, of what is finite; 1 if there is none.

    >>> largest([1.0, math.nan, -math.inf], [-3.0]), largest([math.nan])
    (3.0, 1.0)
    """
    return max(map(_largest_of, arrays), default=0) or 1.0


def _largest_of(array):
    sizes = np.abs(array)
    most = float(sizes.max(initial=0))
    return most if math.isfinite(most) else float(sizes[np.isfinite(sizes)].max(initial=0))


def scales(*groups):
    """For every group of arrays the limit of its colors: one for all, if that leaves none pale.

    >>> scales([1.0, -2.0], [0.5]), scales([1.0, -2.0], [0.01])
    ([2.0, 2.0], [2.0, 0.01])
    """
    limits = [largest(*group) for group in groups]
    return [max(limits)] * len(limits) if max(limits) < 8 * min(limits) else limits


def legend(x, y, limit=None):
    """The color scale: what blue, paper and orange stand for; in words if limits differ."""
    parts = []
    for i, share in enumerate((-1, -0.5, 0, 0.5, 1)):
        box = f'x="{x + 44 * i:g}" y="{y:g}" width="44" height="10"'
        parts.append(f'<rect {box} fill="{color(share, 1)}" stroke="#9aa0ab" stroke-width=".6"/>')
        value = number(share * limit) if limit else ("−max", "", "0", "", "max")[i]
        if abs(share) == 0.5 and len(value) > 6:  # it would run into its neighbors
            continue
        parts.append(text(x + 44 * i + 22, y + 22, value, "quiet", "middle"))
    return "".join(parts)

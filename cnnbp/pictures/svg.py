"""Pictures of numbers as SVG text: tables of cells, links between them, a line of arithmetic.

A picture is made of tables (Grid) and links (Link). Pointing at a link's handles shows what the
link draws, in CSS alone, so it works in a live notebook and in a web page without a kernel.
The text is deterministic: it depends on the numbers as they are displayed, not on their last bits.
"""

import hashlib
import math
import re
import textwrap
from dataclasses import dataclass
from functools import cache, lru_cache
from html import escape

import numpy as np

from cnnbp.explain import cell_name

CELL = 40  # pixels: room for "−0.125" inside a ring
TAB_STOPS = 12
NEGATIVE, ZERO, POSITIVE = (94, 160, 210), (250, 250, 248), (240, 150, 60)  # blue, paper, orange
LETTERS = "abcdefghijklmnopqrstuvwxyz"

STYLE = """
.ID{font-family:system-ui,-apple-system,"Segoe UI","DejaVu Sans",sans-serif;font-size:12px;
max-width:100%;height:auto;color:var(--jp-content-font-color1,#1f2430)}
.ID text{fill:currentColor}
.ID .page{fill:var(--jp-layout-color1,#fff)}
.ID .number{fill:#1b1f29;font-size:11px;text-anchor:middle;pointer-events:none}
.ID .name{font-weight:600}
.ID .quiet{opacity:.75;font-size:11px}
.ID .edge{fill:none;stroke:#9aa0ab;stroke-width:.6}
.ID .hatch{fill:none;stroke:#8a8f99;stroke-width:1}
.ID .arrow{fill:none;stroke:currentColor;stroke-width:1.5}
.ID .cell{fill:transparent;cursor:crosshair;outline:none}
.ID .link{opacity:0;pointer-events:none}
.ID .long{font-size:9.5px}
.ID .ring{fill:none;stroke:#111;stroke-width:2.4}
.ID .fine{fill:none;stroke:#111;stroke-width:1.1}
.ID .frame{fill:none;stroke:#111;stroke-width:1.8}
.ID .halo{fill:none;stroke:#fff;stroke-width:3.6}
.ID .factor{fill:#1b1f29;font-size:8.5px;text-anchor:end}
.ID .letter{fill:#111;font-size:9px;font-weight:700}
"""
# A pointed-at link is shown; a focused one only if none is pointed at, and the chosen one at rest.
POINTED = """.ID .about:hover .link,
.ID:not(:has(.cell:hover)) .about:focus-within .link{opacity:1}
"""
AT_REST = ".ID:not(:has(.cell:hover)):not(:has(.cell:focus)) .k{}{{opacity:1}}\n"


class Svg(str):
    """SVG text with a `description` of what it shows, for readers who do not see it."""

    description = ""


@lru_cache(maxsize=10_000)
def number(value, digits=3):
    """A number as it is displayed: `digits` significant ones, a true minus sign, never −0.

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
    """The color of a value: blue below zero, paper at zero, orange above, deepest at ±limit."""
    share = value / limit if limit and math.isfinite(value) else 0
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
    """A dark line over tables; unless fine, a light edge shows it beside them on a dark page."""
    halo = f'<path class="halo" d="{path}"/>' if css != "fine" else ""
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
    size      of a cell, in pixels; below 24 its number waits for the pointer
    hatched   (rows, columns) of bools: cells that are exactly 0 because nothing reaches them
    margin    (above and below, left and right) pixels around it, for windows that reach beyond it
    """

    def __init__(self, name, values, at, limit, *, size=CELL, hatched=None, margin=(0, 0)):
        self.name, self.values, self.size = name, np.asarray(values), size
        self.x, self.y = at
        self.limit, self.hatched, self.margin = limit, hatched, margin
        rows, columns = self.values.shape
        # Beside the name, if the tables' limits differ.
        self.scale = f" · max {number(limit)}" if limit else ""
        self.roomy = size >= 24  # for a number
        self.right, self.bottom = self.x + columns * size, self.y + rows * size

    def named(self, own_scale=False):
        """About where the name ends, in pixels."""
        return self.x + text_width(self.name + self.scale * own_scale, bold=True)

    def reach(self, own_scale=False):
        """How far to the right it comes, with its margin and its name, in pixels."""
        return max(self.right + self.margin[1], self.named(own_scale))

    def corner(self, cell):
        """(x, y) of a cell's upper left corner."""
        return self.x + cell[1] * self.size, self.y + cell[0] * self.size

    def extent(self, cell):
        """(x, y, width, height) of a cell."""
        return *self.corner(cell), self.size, self.size

    def written(self, cell, content):
        """A number in a cell."""
        x, y = self.corner(cell)
        css = "number" + " long" * (len(content) > 5)
        return text(x + self.size / 2, y + self.size / 2 + 4, content, css)

    def center(self, cell):
        """(x, y) of a cell's middle."""
        x, y = self.corner(cell)
        return x + self.size / 2, y + self.size / 2

    def box(self, cell, span=(1, 1), inset=0):
        """A path around the `span` rows and columns of cells from `cell` on."""
        x, y = self.corner(cell)
        height, width = (n * self.size - 2 * inset for n in span)
        return f"M{x + inset:g} {y + inset:g}h{width:g}v{height:g}h{-width:g}z"

    def svg(self, own_scale=False):
        """The table itself: name, colored cells, their numbers, hatching."""
        scale = self.scale * own_scale
        parts = [text(self.x, self.y - self.margin[0] - 7, self.name + scale, "name")]
        parts += [self._cell(cell) for cell in np.ndindex(self.values.shape)]
        if self.hatched is not None:
            strokes = "".join(map(self._strokes, np.argwhere(self.hatched)))
            parts.append(f'<path class="hatch" d="{strokes}"/>')
        return "".join(parts) + f'<path class="edge" d="{self.lines()}"/>'

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

    def _cell(self, cell):
        value = self.values[cell]
        (x, y), size = self.corner(cell), self.size
        fill = color(value, self.limit)
        box = f'x="{x:g}" y="{y:g}" width="{size}" height="{size}" fill="{fill}"'
        written = number(value)
        if self.roomy:
            return f"<rect {box}/>" + self.written(cell, written)
        # Without its number, a negative cell is told from a positive one by a minus of its own.
        minus = f'<path d="M{x + size / 4:g} {y + size / 2:g}h{size / 2:g}" stroke="#fff"/>'
        tip = f"<title>{cell_name('', cell)} {written}</title>"
        return f"<rect {box}>{tip}</rect>" + minus * written.startswith("−")

    def _strokes(self, cell):
        """Three strokes across a cell."""
        (x, y), size = self.corner(cell), self.size
        half = size / 2
        return (
            f"M{x:g} {y + half:g}l{half:g} {-half:g}"
            f"M{x:g} {y + size:g}l{size:g} {-size:g}"
            f"M{x + half:g} {y + size:g}l{half:g} {-half:g}"
        )


@dataclass
class Area:
    """A rectangle that stands in a link as a cell does, as (area, None): a bar, a node, a line."""

    x: float
    y: float
    width: float
    height: float
    roomy: bool = True

    def corner(self, cell=None):
        return self.x, self.y

    def extent(self, cell=None):
        return self.x, self.y, self.width, self.height

    def box(self, cell=None, inset=0):
        across, down = self.width - 2 * inset, self.height - 2 * inset
        return f"M{self.x + inset:g} {self.y + inset:g}h{across:g}v{down:g}h{-across:g}z"


@dataclass
class Link:
    """What is shown while one of its handles is pointed at or focused.

    lines    of the read-out, the arithmetic first; a screen reader says the first
    handles  (grid, cell) pairs that answer to the pointer; Tab reaches the first
    pairs    a list of (grid, cell) pairs for each product: ringed, and given the same letter
    rings    further (grid, cell) pairs to be ringed
    extra    SVG drawn along
    """

    lines: list
    handles: list = ()
    pairs: list = ()
    rings: list = ()
    extra: str = ""

    def svg(self, css, readout_at, width):
        """The link's drawing, hidden until its rule shows it."""
        lettered = [
            (*cell, letter)
            for pair, letter in zip(self.pairs, LETTERS, strict=False)
            for cell in pair
            if cell[0].roomy and len(self.pairs) <= len(LETTERS)
        ]
        ringed = [*self.rings, *(cell for pair in self.pairs for cell in pair)]
        rings = "".join(grid.box(cell, inset=1) for grid, cell in ringed if grid.roomy)
        fine = "".join(grid.box(cell, inset=0.5) for grid, cell in ringed if not grid.roomy)
        parts = [f'<path class="halo" d="{rings}"/><path class="ring" d="{rings}"/>']
        parts.append(f'<path class="fine" d="{fine}"/>' if fine else "")
        parts += [_letters(lettered), self.extra, readout(self.lines, readout_at, width)]
        return f'<g class="link {css}" aria-hidden="true">{"".join(parts)}</g>'


def _letters(lettered):
    """One text whose letters each stand in the corner of a cell."""
    if not lettered:
        return ""
    corners = [grid.corner(cell) for grid, cell, _ in lettered]
    x = " ".join(f"{x + 4:g}" for x, _ in corners)
    y = " ".join(f"{y + 10:g}" for _, y in corners)
    return f'<text class="letter" x="{x}" y="{y}">{"".join(cell[2] for cell in lettered)}</text>'


def largest(*arrays):
    """The largest magnitude in all arrays; 1 if there is none."""
    return max((float(np.abs(array).max(initial=0)) for array in arrays), default=0) or 1.0


def scales(*groups):
    """For every group of arrays the limit of its colors: one for all, if that leaves none pale.

    >>> scales([1.0, -2.0], [0.5]), scales([1.0, -2.0], [0.01])
    ([2.0, 2.0], [2.0, 0.01])
    """
    limits = [largest(*group) for group in groups]
    return [max(limits)] * len(limits) if max(limits) < 8 * min(limits) else limits


def cell_size(*grids):
    """Cells with room for numbers if no table has more than 12 rows or columns, else smaller."""
    longest = max(max(np.shape(values)) for values in grids)
    return CELL if longest <= 12 else max(8, 300 // longest)


def readout(lines, at, width):
    """Lines of text below one another, wrapped to `width` pixels."""
    x, y = at
    fits = int(width / text_width("x"))
    wrapped = []
    for line in lines:
        if len(line) > fits:  # a letter stays with its product, = with the total
            line = re.sub(r"(?<= [a-z=]) ", "\u00a0", line)
        wrapped += textwrap.wrap(line, fits) if len(line) > fits else [line]
    wrapped = [line.replace("\u00a0", " ") for line in wrapped]
    return "".join(text(x, y + 17 * i, line) for i, line in enumerate(wrapped))


def legend(x, y, limit=None):
    """The color scale: what blue, paper and orange stand for; in words if limits differ."""
    parts = []
    for i, share in enumerate((-1, -0.5, 0, 0.5, 1)):
        box = f'x="{x + 44 * i:g}" y="{y:g}" width="44" height="10"'
        parts.append(f'<rect class="edge" {box} style="fill:{color(share, 1)}"/>')
        value = number(share * limit) if limit else ("−max", "", "0", "", "max")[i]
        parts.append(text(x + 44 * i + 22, y + 22, value, "quiet", "middle"))
    return "".join(parts)


def picture(description, grids, links, *, chosen=0, extra="", readout_at=None, width=0, lines=4):
    """The whole picture: tables, links, read-out and color scale, as an Svg.

    description  what the picture shows, for those who do not see it
    chosen       number of the link shown while nothing is pointed at
    extra        SVG between the tables and the links
    width        how far to the right it reaches, in pixels
    lines        height of the read-out, in lines
    """
    bottom = max(grid.bottom for grid in grids)
    limits = {grid.limit for grid in grids} - {None}
    own_scale = len(limits) > 1
    width = max(width, *(grid.reach(own_scale) for grid in grids), 468) + 12
    readout_at = readout_at or (12, bottom + 26)
    height = max(bottom + 10, readout_at[1] + 17 * lines) + 34
    body = [grid.svg(own_scale) for grid in grids]
    body.append(extra)
    body.append(legend(12, height - 30, *(limits if len(limits) == 1 else ())))
    return page(description, "".join(body), links, (width, height), readout_at, chosen=chosen)


def page(description, drawing, links, size, readout_at, *, chosen=0, readout_width=None):
    """A drawing of any kind with links over it and their read-out, as an Svg.

    drawing        SVG text
    size           (width, height) in pixels
    readout_at     (x, y) where the first line of the read-out starts
    readout_width  pixels after which its lines are wrapped, those of the page if None
    """
    width, height = size
    lines = readout_at, readout_width or width - 12 - readout_at[0]
    body = [f'<rect class="page" width="{width:g}" height="{height:g}" rx="6"/>{drawing}']
    body += [
        f'<g class="about">{link.svg(f"k{number}", *lines)}{_handles(number, link)}</g>'
        for number, link in enumerate(links)
    ]
    body = "".join(body)
    rules = STYLE + (POINTED + AT_REST.format(chosen) if links else "")
    head = f'viewBox="0 0 {width:g} {height:g}" width="{width:g}" height="{height:g}"'
    role = "group" if links else "img"
    name = "cnnbp-" + hashlib.sha1((head + body + rules).encode()).hexdigest()[:10]
    svg = Svg(
        f'<svg xmlns="http://www.w3.org/2000/svg" class="{name}" {head} role="{role}" '
        f'aria-label="{escape(description)}">'
        f"<style>{rules.replace('.ID', '.' + name)}</style>{body}</svg>"
    )
    svg.description = description
    return svg


def refusal(message, width=560):
    """A red line where there is no picture, saying why."""
    lines = textwrap.wrap(message, int((width - 24) / text_width("x", bold=True)))
    height = 17 * len(lines) + 18
    svg = Svg(
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" '
        f'height="{height}" role="img" aria-label="{escape(message)}" style="max-width:100%;'
        'height:auto;font:600 13px system-ui,sans-serif">'
        f'<rect width="{width}" height="{height}" rx="6" fill="#fde7e7"/>'
        f'<g fill="#a3121f">{readout(lines, (12, 22), width)}</g></svg>'
    )
    svg.description = message
    return svg


def _handles(link_number, link):
    """Invisible cells that answer to the pointer, a tap and, the first of a link, to Tab.

    Each of them keeps the keys typed on it from JupyterLab, which looks no further than the
    focused element: on the picture around it the attribute would do nothing.
    """
    parts = []
    for rank, (grid, cell) in enumerate(link.handles):
        x, y, width, height = grid.extent(cell)
        tab = 0 if rank == 0 and link_number < TAB_STOPS else -1
        label = f' aria-label="{escape(link.lines[0])}"' if rank == 0 else ' aria-hidden="true"'
        parts.append(
            f'<rect class="cell c{link_number}" x="{x:g}" y="{y:g}" width="{width:g}" '
            f'height="{height:g}" tabindex="{tab}" role="img"{label} '
            'data-lm-suppress-shortcuts="true"/>'
        )
    return "".join(parts)

"""Pictures of numbers: tables of cells, links between them, and a line of arithmetic.

A picture is made of tables (Grid) and links (Link). Pointing at a link's handles, tapping them or
walking to them with the arrow keys shows what the link draws and says, in CSS alone, so it works
in a live notebook and in a web page without a kernel. It is HTML around SVG: tables flow into the
width that there is, and words wrap below them.
"""

import hashlib
import textwrap
from collections import defaultdict
from dataclasses import dataclass, field
from html import escape

from cnnbp.pictures.grid import (
    CELL,
    LETTERS,
    Area,
    Grid,
    arrow,
    arrow_path,
    color,
    largest,
    legend,
    number,
    outline,
    scales,
    text,
    text_width,
)
from cnnbp.pictures.links import Link, Marks, Shapes, unbroken, written
from cnnbp.pictures.style import HTML_STYLE, STYLE, group_size, rules

__all__ = [
    "CELL",
    "LETTERS",
    "STYLE",
    "Area",
    "Block",
    "Grid",
    "Link",
    "Svg",
    "arrow",
    "arrow_path",
    "color",
    "largest",
    "number",
    "outline",
    "picture",
    "refusal",
    "scales",
    "text",
    "text_width",
]

MANY = 150  # links, above which a picture has no rows of products, and its links share shapes
PHONE = 358  # pixels of a phone's page that are left for a picture
SMALLEST = 0.7  # scale at which numbers can still be read; what then is too wide scrolls
LINE = 17  # pixels from one line of text to the next
HINT = "A still: in JupyterLab, show(…) it and run the cell; then every number answers."
LIVE = "application/vnd.cnnbp.picture"  # what a stored lesson hands to its web page


class Svg(str):
    """A picture as text, which a notebook shows when it is a cell's last line.

    The text is HTML that holds SVG, and answers to the pointer. `still` is SVG alone, at rest, for
    an image file. `description` says what it shows and the arithmetic at rest, for readers who do
    not see it. A notebook stores the still one: of HTML that is not trusted, JupyterLab and GitHub
    leave the words alone.
    """

    description = ""
    draw_still = None

    @property
    def still(self):
        return self.draw_still("") if self.draw_still else str(self)

    def _repr_mimebundle_(self, include=None, exclude=None):
        still = self.draw_still(HINT) if self.draw_still else str(self)
        return {LIVE: str(self), "image/svg+xml": still, "text/plain": self.description}

    def __repr__(self):
        return self.description


@dataclass
class Block:
    """Tables that stay beside one another however narrow the page is, and what lies over them.

    grids   of the block, at their places in the whole picture
    extra   SVG that is always there
    reach   (right, bottom) that it has at least, in pixels
    areas   further places on it that a link may name
    """

    grids: list
    extra: str = ""
    reach: tuple = (0, 0)
    areas: list = field(default_factory=list)
    start: tuple | None = None  # (left, top) if it begins before its tables
    alone: bool = False  # nothing stands beside it

    def frame(self, own_scale):
        """(left, top, width, height) of what it shows, in pixels."""
        lefts = [grid.left for grid in self.grids] + ([self.start[0]] if self.start else [])
        tops = [grid.top for grid in self.grids] + ([self.start[1]] if self.start else [])
        rights = [grid.reach(own_scale) for grid in self.grids] + [self.reach[0]]
        bottoms = [grid.under for grid in self.grids] + [self.reach[1]]
        left, top = min(lefts) - 3, min(tops) - 3
        return left, top, max(rights) + 3 - left, max(bottoms) + 3 - top

    def svg(self, own_scale):
        return "".join(grid.svg(own_scale) for grid in self.grids) + self.extra


def picture(description, blocks, links, *, title="", chosen=0):
    """The whole picture: tables, links, read-out and color scale, as an Svg.

    description  what the picture shows, for those who do not see it
    blocks       Blocks, or Grids, each of which is then a block
    title        written above the tables
    chosen       number of the link shown while nothing is pointed at
    """
    blocks = [block if isinstance(block, Block) else Block([block]) for block in blocks]
    limits = {grid.limit for block in blocks for grid in block.grids} - {None}
    scale = legend(0, 1, *(limits if len(limits) == 1 else ())) if limits else ""
    return _page(description, blocks, links, title, chosen, len(limits) > 1, scale)


def _page(description, blocks, links, title, chosen, own_scale, scale):
    place = {part: n for n, b in enumerate(blocks) for part in (*b.grids, *b.areas)}
    block_of = defaultdict(int, place).__getitem__
    marks, shapes, many = Marks(block_of), Shapes(), len(links) > MANY
    drawn = [link.used(block_of, shapes) if many else link.drawn(block_of, marks) for link in links]
    size, answering = group_size(len(links)), defaultdict(list)  # of a block: what answers on it
    said = written(links)
    for k, (link, lines) in enumerate(zip(links, said, strict=True)):
        label = lines[0].replace("\u00a0", " ")
        css = f"cell c{k} in{k // size} at{k % size}"
        for part, cell in link.handles:
            answering[block_of(part)].append((css, label, part, cell))
    body = [f'<p class="title">{escape(title)}</p>'] if title else []
    for number_, block in enumerate(blocks):
        over = _overlay([parts.get(number_, "") for parts in drawn], size)
        over += shapes.svg * (number_ == 0)
        body.append(_block(block, number_, own_scale, over, answering[number_]))
    body.append(f'<div class="scale">{_svg(scale, 230, 26)}</div>' if scale else "")
    if links:
        rows = ["" if many else link.row() for link in links]
        body.append(_readout(map("<br/>".join, said), rows, size))
    svg = _styled(description, "".join(body), len(links), chosen)
    lines = links[chosen].lines if links else []
    over = (links[chosen].drawn(block_of, marks) if many else drawn[chosen]) if links else {}
    svg.draw_still = lambda hint: _still(
        description, blocks, own_scale, title, over, lines, scale, hint
    )
    return svg


def _styled(description, body, links, chosen):
    """The picture with its style, whose rules are for it alone."""
    css = STYLE + HTML_STYLE + rules(links, chosen)
    name = "cnnbp-" + hashlib.sha1((body + css).encode()).hexdigest()[:10]
    role = f'role="{"group" if links else "img"}" aria-label="{escape(description)}"'
    css, body = css.replace(".ID", f".{name}"), body.replace("ID-", f"{name}-")
    svg = Svg(f'<div class="cnnbp {name}" {role}><style>{css}</style>{body}</div>')
    svg.description = description
    return svg


def _overlay(parts, size):
    """What links draw over a block, in groups.

    A group is a <switch>, which shows its first child: what is in a <g> that is not there is
    styled at every move all the same.
    """
    return "".join(
        f'<switch class="group group{group}"><g>{inner}</g></switch>'
        for group, inner in _grouped(parts, size, "g")
    )


def _readout(said, rows, size):
    """What all links say, one above another: the longest keep the room, so that nothing jumps."""
    said = [*map("".join, zip(said, rows, strict=True))]
    longest = [f'<p class="longest">{each}</p>' for each in sorted(said, key=len)[-2:]]
    groups = [
        f'<div class="group group{group}">{inner}</div>'
        for group, inner in _grouped(said, size, "p")
    ]
    return f'<div class="said" hidden=""><div>{"".join(longest + groups)}</div></div>'


def _grouped(parts, size, tag):
    """(number, HTML) of every group of links: the part of each, if it is not empty."""
    for first in range(0, len(parts), size):
        inner = "".join(
            f'<{tag} class="link k{first + place} n{place}">{part}</{tag}>'
            for place, part in enumerate(parts[first : first + size])
            if part
        )
        if inner:
            yield first // size, inner


def _svg(content, width, height, left=0, top=0):
    box = f'viewBox="{left:g} {top:g} {width:g} {height:g}" width="{width:g}" height="{height:g}"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {box} aria-hidden="true">{content}</svg>'


def _block(block, number_, own_scale, over, answering):
    """One block: its drawing, what links draw over it, and the rows of cells that answer.

    answering  (its classes, its label, grid or area, cell) of each
    """
    left, top, width, height = block.frame(own_scale)
    over = f'<g visibility="hidden">{over}</g>' if over else ""
    marked = {part for _, _, part, _ in answering}
    marks = "".join(grid.mark() for grid in block.grids if grid in marked)
    drawing = _svg(f"<g>{block.svg(own_scale)}{marks}{over}</g>", width, height, left, top)
    rows, groups = {}, {}
    for group, grid in enumerate(block.grids, 1):
        groups[grid] = f"{number_}{group}"
        for row in range(len(grid.values)):
            rows[grid, row] = [escape(grid.row(row)), []]
    for css, label, part, cell in answering:
        row = rows.setdefault((part, cell[0] if cell else 0), ["", []])
        handle = _handle(css, label, part, cell, groups.get(part, f"{number_}0"), left, top)
        row[1].append((cell, handle))
    parts = []
    for label, cells in rows.values():
        role = f' role="{"group" if cells else "img"}" aria-label="{label}"' if label else ""
        handles = "".join(handle for _, handle in sorted(cells, key=lambda c: c[0] or ()))
        parts.append(f"<div{role}>{handles}</div>")
    css, style = "t alone" if block.alone else "t", ""
    if PHONE < width <= PHONE / SMALLEST:  # a bit smaller, it fits a phone
        css, style = f"{css} small", f' style="--fit:{PHONE / width:.3f}"'
    return f'<div class="{css}"{style}>{drawing}{"".join(parts)}</div>'


def _handle(css, label, part, cell, group, left, top):
    """An invisible cell that answers to the pointer, a tap, Tab and the arrow keys.

    It is a radio button: the buttons of a table are one stop for Tab, and arrows walk through them.
    Each of them keeps the keys typed on it from JupyterLab, which looks no further than the
    focused element: on the picture around it the attribute would do nothing.
    """
    x, y, width, height = part.extent(cell)
    at = f"left:{x - left:g}px;top:{y - top:g}px"
    if (width, height) != (CELL, CELL):
        at += f";width:{width:g}px;height:{height:g}px"
    return (
        f'<input type="radio" name="ID-{group}" class="{css}" style="{at}" '
        f'aria-label="{label}" data-lm-suppress-shortcuts="true"/>'
    )


def _still(description, blocks, own_scale, title, over, lines, scale, hint):
    """The picture at rest as SVG alone, with the read-out below the tables."""
    frames = [block.frame(own_scale) for block in blocks]
    right = max(left + width for left, _, width, _ in frames)
    bottom = max(top + height for _, top, _, height in frames)
    width = max(right, 468) + 12
    fits = int((width - 24) / text_width("x"))
    wrapped = [piece for line in lines for piece in wrap(line, fits)]
    body = [text(12, 18, title, "name")] if title else []
    body += [block.svg(own_scale) + over.get(n, "") for n, block in enumerate(blocks)]
    body += [text(12, bottom + 20 + LINE * i, line) for i, line in enumerate(wrapped)]
    bottom += 16 + LINE * len(wrapped)
    height = bottom + (34 if scale else 22 if hint else 6)
    if scale:
        body.append(f'<g transform="translate(12 {bottom + 4:g})">{scale}</g>')
    if hint:
        below = bool(scale) and text_width(hint) > width - 264  # no room beside the scale
        height += 16 * below
        place = (12, height - 8) if below else (252 if scale else 12, bottom + 13)
        body.append(text(*place, hint, "quiet"))
    paper = f'<rect class="page" width="{width:g}" height="{height:g}" rx="6" fill="#fff"/>'
    body = paper + "".join(body)
    name = "cnnbp-" + hashlib.sha1(body.encode()).hexdigest()[:10]
    size = f'viewBox="0 0 {width:g} {height:g}" width="{width:g}" height="{height:g}"'
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="{name}" {size} role="img" '
        f'aria-label="{escape(description)}"><style>{STYLE.replace(".ID", f".{name}")}</style>'
        f"{body}</svg>"
    )


def wrap(line, fits):
    """The line in pieces of at most `fits` characters, broken between terms only.

    >>> wrap("z = a 1·2 + b 3·4 = 14", 12)
    ['z = a 1·2', '+ b 3·4 = 14']
    """
    pieces = textwrap.wrap(unbroken(line), fits, break_long_words=False, break_on_hyphens=False)
    return [piece.replace("\u00a0", " ") for piece in pieces]


def refusal(message, width=560):
    """A red line where there is no picture, saying why."""
    svg = Svg(
        f'<div class="cnnbp-refusal" role="img" aria-label="{escape(message)}" style="max-width:'
        f"{width}px;padding:8px 12px;border-radius:6px;background:#fde7e7;color:#a3121f;font:600 "
        f'13px/1.4 system-ui,sans-serif">{escape(message)}</div>'
    )
    svg.description = message
    svg.draw_still = lambda hint: _refused(message, width)
    return svg


def _refused(message, width):
    lines = textwrap.wrap(message, int((width - 24) / text_width("x", bold=True)))
    height = LINE * len(lines) + 18
    said = "".join(text(12, 22 + LINE * i, line) for i, line in enumerate(lines))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" '
        f'height="{height}" role="img" aria-label="{escape(message)}" style="max-width:100%;'
        'height:auto;font:600 13px system-ui,sans-serif">'
        f'<rect width="{width}" height="{height}" rx="6" fill="#fde7e7"/>'
        f'<g fill="#a3121f">{said}</g></svg>'
    )

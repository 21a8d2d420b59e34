"""Links: what is shown and said while a cell of a picture is pointed at."""

import re
from collections import defaultdict
from dataclasses import dataclass
from html import escape
from itertools import chain, count

from cnnbp.pictures.grid import LETTERS, number
from cnnbp.pictures.style import LOOK

MOST_PRODUCTS = 12  # of a link that are set in a row of their own


@dataclass
class Link:
    """What is shown while one of its handles is pointed at or focused.

    lines     of the read-out, the arithmetic first; a screen reader says the first
    handles   (grid, cell) pairs that answer to the pointer and to the keyboard
    pairs     a list of (grid, cell) pairs for each product: ringed, and given the same letter
    rings     further (grid, cell) pairs to be ringed
    extra     (grid or area, SVG drawn along with it) pairs; or SVG alone, in the first block
    products  the numbers that the letters stand for, to be set in a row with their sum so far
    """

    lines: list
    handles: list = ()
    pairs: list = ()
    rings: list = ()
    extra: list | str = ()
    products: list = ()

    def drawn(self, block_of, marks):
        """block -> the SVG that the link draws over it.

        marks  dict of (grid, cell) -> the block, its ring, and x and y of its letter
        """
        parts, ringed, lettered = {}, defaultdict(dict), defaultdict(list)
        for place in self.rings:
            block, ring, _, _ = marks[place]
            ringed[block][ring] = True  # each once
        for letter, pair in self._lettered():
            for place in pair:
                block, ring, x, y = marks[place]
                ringed[block][ring] = True
                lettered[block].append((x, y, letter))
        for grid, boxes in self._bands():
            ringed[block_of(grid)].update(dict.fromkeys(map(_ring, boxes), True))
        css = self._css
        for block, rings in ringed.items():
            parts[block] = _marked(css, "".join(rings), lettered[block])
        for block, svg in self._extra(block_of):
            parts[block] = parts.get(block, "") + svg
        return parts

    def used(self, block_of, shapes):
        """The same with rings and letters that other links draw too, elsewhere.

        shapes  Shapes, told once for all links
        """
        parts, ringed, lettered = defaultdict(str), defaultdict(dict), defaultdict(list)
        for part, cell in self.rings:
            ringed[part][part.extent(cell)] = True
        for letter, pair in self._lettered():
            for part, cell in pair:
                box = part.extent(cell)
                ringed[part][box] = True
                lettered[part].append((box, letter))
        for grid, boxes in self._bands():
            ringed[grid].update(dict.fromkeys(boxes, True))
        for part, boxes in ringed.items():
            parts[block_of(part)] += shapes.use(self._css, boxes, lettered[part])
        for block, svg in self._extra(block_of):
            parts[block] += shapes.use_frames(svg) if _FRAMES.fullmatch(svg) else svg
        return parts

    @property
    def _few(self):
        """Whether there is a letter for every product."""
        return len(self.pairs) <= len(LETTERS)

    @property
    def _css(self):
        return "ring" if self._few else "fine"

    def _lettered(self):
        """(letter, the cells of a product) of each, if there are letters enough."""
        return zip(LETTERS, self.pairs if self._few else (), strict=False)

    def _bands(self):
        """(grid, boxes): around many cells, one box around those that are side by side in a row."""
        if self._few:
            return
        cells = defaultdict(set)
        for grid, cell in chain.from_iterable(self.pairs):
            cells[grid].add(cell)
        for grid, marked in cells.items():
            starts = sorted((row, at) for row, at in marked if (row, at - 1) not in marked)
            yield grid, [grid.extent(at, (1, _length(at, marked))) for at in starts]

    def _extra(self, block_of):
        extra = [(None, self.extra)] if isinstance(self.extra, str) else self.extra
        return [(block_of(part), svg) for part, svg in extra if svg]

    def row(self):
        """The products in a row, under each of them the sum so far, as HTML; of few alone."""
        if not 1 < len(self.products) <= MOST_PRODUCTS:
            return ""
        so_far, cells = 0, []
        for letter, product in zip(LETTERS, self.products, strict=False):
            so_far += product
            cells.append(f"<i><b>{letter}</b> {number(product)}<u>{number(so_far)}</u></i>")
        return f"<span>{''.join(cells)}</span>"


def written(links):
    """The lines of every link as HTML that breaks between terms only; all at once, for speed."""
    link, line = "\x1e", "\x1f"  # ASCII's own separators: no line has them
    every = unbroken(escape(link.join(line.join(each.lines) for each in links)))
    return [said.split(line) for said in every.split(link)] if links else []


def unbroken(line):
    """The line with spaces that do not break inside a term: it breaks before + and = alone.

    >>> unbroken("dw[0] = a 2·3 + b 1·1 = 7 in two steps").split(" ")
    ['dw[0]', '=\\xa0a\\xa02·3', '+\\xa0b\\xa01·1', '=\\xa07', 'in', 'two', 'steps']
    """
    return _INSIDE.sub("\u00a0", line)


_INSIDE = re.compile(r" (?:(?<= [=+] )(?=\S)|(?<= [a-z] )(?=\S*[·/]))")


def _length(at, marked):
    """How many marked cells stand side by side from this one on."""
    row, column = at
    return next(n for n in count(1) if (row, column + n) not in marked)


class Marks(dict):
    """(grid or area, cell) -> its block, its ring, and x and y of its letter.

    Made when it is first asked for: a picture's links ask thousands of times for a few dozen.
    """

    def __init__(self, block_of):
        self.block_of = block_of

    def __missing__(self, place):
        part, cell = place
        box = part.extent(cell)
        self[place] = self.block_of(part), _ring(box), *_corner(box)
        return self[place]


class Shapes:
    """Rings, letters and frames that several links draw, each at a place of its own: told once.

    A picture of hundreds of links would weigh a megabyte if every one of them drew its own.
    """

    def __init__(self):
        self._told = {}  # a shape that begins at (0, 0) -> its number and its SVG

    def use(self, css, boxes, letters):
        """SVG with rings and letters at their place.

        boxes    (x, y, width, height) of every ring
        letters  (box, letter) of every letter
        """
        left, top, _, _ = next(iter(boxes))

        def moved(x, y, width, height):
            return x - left, y - top, width, height

        rings = tuple(moved(*box) for box in boxes)
        shape = css, rings, tuple((moved(*box), letter) for box, letter in letters)
        if shape not in self._told:
            lettered = [(*_corner(box), letter) for box, letter in shape[2]]
            self._tell(shape, _marked(css, "".join(map(_ring, rings)), lettered))
        return self._used(shape, left, top)

    def use_frames(self, svg):
        """The same of frames around cells."""
        left, top = map(float, _BEGIN.search(svg).groups())
        shape = _BEGIN.sub(lambda at: f"M{float(at[1]) - left:g} {float(at[2]) - top:g}", svg)
        if shape not in self._told:
            self._tell(shape, shape)
        return self._used(shape, left, top)

    def _tell(self, shape, svg):
        for css, look in LOOK.items():
            attributes = " ".join(f'{name}="{value}"' for name, value in look.items())
            svg = svg.replace(f'class="{css}"', attributes)
        self._told[shape] = len(self._told), svg

    def _used(self, shape, left, top):
        return f'<use href="#ID-s{self._told[shape][0]}" x="{left:g}" y="{top:g}"/>'

    @property
    def svg(self):
        """All shapes, to be used."""
        told = [f'<g id="ID-s{number_}">{svg}</g>' for number_, svg in self._told.values()]
        return f"<defs>{''.join(told)}</defs>" if told else ""


_BEGIN = re.compile(r"M(-?[\d.]+) (-?[\d.]+)")
_FRAMES = re.compile(r'(<path class="\w+" d="(M[\d. -]+h[\d.]+v[\d.]+h-[\d.]+z)+"/>)+')


def _ring(box):
    """The path inside a box."""
    x, y, width, height = box
    across, down = width - 2, height - 2
    return f"M{x + 1:g} {y + 1:g}h{across:g}v{down:g}h{-across:g}z"


def _corner(box):
    """Where a box's letter stands, as text."""
    return f"{box[0] + 4:g}", f"{box[1] + 10:g}"


def _marked(css, rings, lettered):
    """Rings in one path, and letters in one text, each in the corner of its cell."""
    path = f'<path class="{css}" d="{rings}"/>'
    if not lettered:
        return path
    x, y, letters = zip(*lettered, strict=True)
    x, y, letters = " ".join(x), " ".join(y), "".join(letters)
    return f'{path}<text class="letter" x="{x}" y="{y}">{letters}</text>'

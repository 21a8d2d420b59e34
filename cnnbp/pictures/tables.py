"""Where the tables of a picture stand."""

import numpy as np

from cnnbp.pictures.grid import CELL, outline, text_width
from cnnbp.pictures.lens import THUMB, around, table
from cnnbp.pictures.svg import Block

LEFT, TOP, GAP = 12, 50, 40  # pixels beside and above the tables, and between them
MOST_FRAMES = 9  # windows that have a frame each: the frames of more would hide the numbers
WIDTH = 940  # pixels after which the tables of an image go on below


class Flow:
    """Tables beside one another, and below where the width ends; each is a block.

    own_scale  whether their scales stand beside their names
    """

    def __init__(self, own_scale, at=(LEFT, TOP), width=WIDTH):
        self.own_scale, self.width = own_scale, width
        self.left, self.y = at
        self.x = self.below = 0
        self.blocks = []

    def table(
        self, name, values, limit, center=(0, 0), *, photograph=None, hatched=None, margin=(0, 0)
    ):
        """A Block with a table, or with a map's thumbnail and the cells around its center."""
        lens = around(values.shape, center)
        scale = " · max −0.125" * self.own_scale
        thumb = (THUMB + 16) * lens.partial
        wide = thumb + max(lens.shape[1] * CELL + 2 * margin[1], text_width(name + scale, True))
        if self.x and self.left + self.x + wide > self.width:
            self.x, self.y = 0, self.below + GAP
        at = self.left + self.x + margin[1], self.y + margin[0]
        grid, extra = table(
            name, values, at, limit, center, photograph=photograph, hatched=hatched, margin=margin
        )
        self.x += wide + GAP
        foot = at[1] + THUMB + 20 if lens.partial else 0
        block = Block([grid], extra, (0, foot), start=at if lens.partial else None)
        self.below = max(self.below, grid.under, foot)
        self.blocks.append(block)
        return block


def framed(grid, corner, span, css="frame"):
    """(grid, SVG): a frame around a window, as far as the table shows it.

    corner  (row, column) of its first cell in the map, which may lie before the table
    span    (rows, columns)
    """
    path = _frame(grid, corner, span)
    return grid, outline(path, css) if path else ""


def together(corners, span):
    """(corners, span) of the windows; of many, those of the one rectangle that they fill.

    >>> together([(0, 0), (0, 1)], (2, 2))
    ([(0, 0), (0, 1)], (2, 2))
    >>> together([(row, column) for row in range(5) for column in range(6)], (3, 3))
    ([(0, 0)], (7, 8))
    """
    if len(corners) <= MOST_FRAMES:
        return corners, span
    first, last = np.min(corners, axis=0), np.max(corners, axis=0)
    return [tuple(first.tolist())], tuple((last - first + span).tolist())


def nested(grid, corners, span, css):
    """The same of many windows, each a little inside the one before; fine ones are one path."""
    corners, span = together(corners, span)
    paths = [_frame(grid, corner, span, 1.8 * (turn % 6)) for turn, corner in enumerate(corners)]
    paths = [path for path in paths if path]
    if css == "fine" and paths:
        paths = ["".join(paths)]
    return [(grid, outline(path, css)) for path in paths]


def _frame(grid, corner, span, inset=0):
    """The path around a window, as far as the table shows it; "" where it does not."""
    (rows, columns), (top, left) = grid.values.shape, grid.first
    above, beside = grid.margin[0] / grid.size, grid.margin[1] / grid.size
    begin = max(corner[0] - top, -above), max(corner[1] - left, -beside)
    down = min(corner[0] - top + span[0], rows + above) - begin[0]
    across = min(corner[1] - left + span[1], columns + beside) - begin[1]
    return grid.box(begin, (down, across), inset) if down > 0 and across > 0 else ""


def about_hatching(unseen):
    """What a table's name adds if some of its cells are hatched."""
    return ", hatched: no window" * bool(unseen.any())


def cells_of(grid):
    """The (row, column) of the map that each cell of a table shows, in row order."""
    rows, columns = grid.values.shape
    top, left = grid.first
    return [(row + top, column + left) for row in range(rows) for column in range(columns)]

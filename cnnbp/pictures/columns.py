"""Pictures of im2col and col2im: an image, its windows as columns, and the copies of a pixel."""

import numpy as np

from cnnbp.convolution import col2im, im2col
from cnnbp.explain import cell_name
from cnnbp.pictures.answers import Seen
from cnnbp.pictures.choice import rank_of
from cnnbp.pictures.svg import CELL, LETTERS, Link, number, picture, scales
from cnnbp.pictures.tables import Flow, about_hatching, cells_of, framed
from cnnbp.shape import images, windows

MOST_IMAGES = 4  # that are drawn beside one another; of more, the chosen one
MOST_NAMED = 9  # copies of a pixel that are named


def draw_im2col(x, kernel_size, *, chosen=(0, 0, 0, 0), **geometry):
    """Where does a pixel stand in the columns? Every window of every image as a column.

    Pointing at a pixel lights its copies, and frames the windows that see it. Pointing at a cell
    of the columns shows the pixel it is a copy of, and the window that its column is.

    x (N, C, H, W)   as given to im2col
    chosen    (n, c, h, v), the pixel shown while nothing is pointed at
    geometry  stride, padding, dilation
    returns   Svg

    >>> svg = draw_im2col([[[[3, 5, 4]]]], (1, 2), chosen=(0, 0, 0, 1))
    >>> "x[0,0,0,1] = 5 has 2 copies: columns[0,1], columns[1,0]" in svg.description
    True
    """
    (x,) = images(x=x)
    return _Copied(x, im2col(x, kernel_size, **geometry), kernel_size, geometry).draw(chosen)


def draw_col2im(columns, x_shape, kernel_size, *, chosen=(0, 0, 0, 0), **geometry):
    """What is a pixel the sum of? Every column added back to the window that it is.

    Pointing at a pixel gives the cells that are added there a letter each. Pointing at a cell of
    the columns shows where it is added.

    columns (C·KH·KW, OH·OW·N), x_shape (N, C, H, W)   as given to col2im
    chosen, geometry, returns                          as draw_im2col

    >>> svg = draw_col2im([[1, 2], [3, 4]], (1, 1, 1, 3), (1, 2), chosen=(0, 0, 0, 1))
    >>> "x[0,0,0,1] = a 2 + b 3 = 5" in svg.description.replace("\\xa0", " ")
    True
    """
    x = col2im(columns, x_shape, kernel_size, **geometry)
    return _Added(x, np.asarray(columns), kernel_size, geometry).draw(chosen)


class _Columns:
    """The tables x and columns, and which cell of the one belongs to which of the other."""

    def __init__(self, x, columns, kernel_size, geometry):
        self.x, self.columns = x, columns
        self.place = windows(x.shape, kernel_size, **geometry)
        ranks = np.arange(1.0, x.size + 1).reshape(x.shape)
        self.source = im2col(ranks, kernel_size, **geometry).astype(int) - 1  # −1 is padding

    def draw(self, chosen):
        """All tables, a link for each pixel, and one for each cell of the columns."""
        rank_of(chosen, np.ndindex(*self.x.shape))
        blocks = self._lay_out(tuple(chosen))
        pixels = [index for seen in self.images for index in seen.indices]
        links = [self.of_pixel(pixel) for pixel in pixels]
        links += [self.of_cell(at) for at in cells_of(self.matrix.grid)]
        first = rank_of(chosen, pixels)
        said = f"{self.title} {links[first].lines[0]}"
        return picture(said, blocks, links, title=self.title, chosen=first)

    def _lay_out(self, chosen):
        """The images beside one another, then the columns."""
        N, C, *image = self.x.shape
        limits = scales([self.x], [self.columns])
        flow, unseen = Flow(limits[0] != limits[1]), ~self.place.covered()
        look = {"hatched": unseen, "margin": np.multiply(self.place.padding, CELL).tolist()}
        self.images, blocks = [], []
        for at in np.ndindex(N, C) if N * C <= MOST_IMAGES else [chosen[:2]]:
            name = cell_name("x", at) + about_hatching(unseen)
            blocks.append(flow.table(name, self.x[at], limits[0], chosen[2:], **look))
            self.images.append(Seen(blocks[-1].grids[0], tuple(image), at))
        center = (*self.copies(chosen), (0, 0))[0]
        blocks.append(flow.table("columns", self.columns, limits[1], center))
        self.matrix = Seen(blocks[-1].grids[0], self.columns.shape)
        return blocks

    def copies(self, pixel):
        """The (row, column) of every cell of the columns that belongs to a pixel."""
        rank = np.ravel_multi_index(pixel, self.x.shape)
        return list(map(tuple, np.argwhere(self.source == rank).tolist()))

    def seen_pixel(self, pixel):
        """The (grid, cell) pairs that show a pixel."""
        return [place for seen in self.images if (place := seen.cell(pixel))]

    def seen_cells(self, cells):
        """The (grid, cell) pairs that show these cells of the columns."""
        return [place for at in cells if (place := self.matrix.cell(at))]

    def window_of(self, column):
        """(i, j), n: the window and the image that a column is."""
        *window, n = np.unravel_index(column, (*self.place.output, len(self.x)))
        return tuple(map(int, window)), int(n)

    def of_pixel(self, pixel):
        """The link of a pixel: its copies, and the windows that see it."""
        copies = self.copies(pixel)
        here, there = self.seen_pixel(pixel), self.seen_cells(copies)
        frames = [self._window(pixel[:2], column, "fine") for _, column in copies]
        return Link(
            self.told_pixel(pixel, copies),
            handles=here,
            rings=here + there,
            extra=[frame for found in frames for frame in found],
            **self.lettered(copies),
        )

    def of_cell(self, at):
        """The link of a cell of the columns: its pixel, its column, and the column's window."""
        row, column = at
        rank, (window, n) = int(self.source[at]), self.window_of(column)
        c, *tap = map(int, np.unravel_index(row, (self.x.shape[1], *self.place.kernel)))
        pixel = tuple(map(int, np.unravel_index(rank, self.x.shape))) if rank >= 0 else None
        here = self.seen_cells([at])
        whole = framed(self.matrix.grid, (0, column), (len(self.columns), 1), "fine")
        return Link(
            [self.told_cell(at, pixel), self._order(c, tap, window, n)],
            handles=here,
            rings=here + (self.seen_pixel(pixel) if pixel else []),
            extra=[whole, *self._window((n, c), column)],
        )

    def _window(self, image, column, css="frame"):
        """[(grid, SVG)] of the frame around a column's window, where its image is drawn."""
        corner = self.place.corner(self.window_of(column)[0])
        return [
            framed(seen.grid, corner, self.place.span, css)
            for seen in self.images
            if seen.prefix == image
        ]

    def _order(self, c, tap, window, n):
        """Why the cell stands where it stands."""
        (KH, KW), OW, N = self.place.kernel, self.place.output[1], len(self.x)
        (kh, kw), (i, j) = tap, window
        row, column = (c * KH + kh) * KW + kw, (i * OW + j) * N + n
        return (
            f"row {row} is c·KH·KW + kh·KW + kw with c, kh, kw = {c}, {kh}, {kw}; "
            f"column {column} is (i·OW + j)·N + n with i, j, n = {i}, {j}, {n}"
        )

    def value(self, pixel):
        return f"{cell_name('x', pixel)} = {number(self.x[pixel], 4)}"


class _Copied(_Columns):
    title = "Where does a pixel stand in the columns?"

    def lettered(self, copies):
        """Copies are equal: they need no letters, and are no sum."""
        return {}

    def told_pixel(self, pixel, copies):
        if not copies:
            return [f"{self.value(pixel)} has no copy: no window sees it"]
        named = [cell_name("columns", at) for at in copies[:MOST_NAMED]]
        more = [f"and {len(copies) - len(named)} more"] * (len(copies) > len(named))
        count = f"{len(copies)} cop{'ies' if len(copies) > 1 else 'y'}"
        return [f"{self.value(pixel)} has {count}: {', '.join(named + more)}"]

    def told_cell(self, at, pixel):
        if pixel is None:
            return f"{cell_name('columns', at)} = 0 lies in the padding"
        return f"{cell_name('columns', at)} is a copy of {self.value(pixel)}"


class _Added(_Columns):
    title = "What is a pixel the sum of?"

    def lettered(self, copies):
        products = [float(self.columns[at]) for at in copies]
        return {
            "pairs": [self.seen_cells([at]) for at in copies],
            "products": products if len(copies) > 1 else [],
        }

    def told_pixel(self, pixel, copies):
        if not copies:
            return [f"{cell_name('x', pixel)} = 0 exactly: no window sees it"]
        few = len(copies) <= len(LETTERS)
        terms = [
            f"{LETTERS[rank]}\u00a0" * few + number(float(self.columns[at]), 4)
            for rank, at in enumerate(copies)
        ]
        return [f"{cell_name('x', pixel)} = {' + '.join(terms)} = {number(self.x[pixel], 4)}"]

    def told_cell(self, at, pixel):
        begin = f"{cell_name('columns', at)} = {number(float(self.columns[at]), 4)}"
        if pixel is None:
            return f"{begin} belongs to the padding, and is dropped"
        return f"{begin} is added to {cell_name('x', pixel)}"

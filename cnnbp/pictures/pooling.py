"""Pictures of pooling's backward pass: where a gradient goes, and why a cell stays zero."""

import numpy as np

from cnnbp.explain import cell_name, explainer_of_avg_pool2d, explainer_of_max_pool2d
from cnnbp.pictures.arithmetic import arithmetic, factor, factors
from cnnbp.pictures.choice import check_choice, rank_of
from cnnbp.pictures.lens import around, photograph_of, table
from cnnbp.pictures.svg import CELL, Block, Grid, Link, arrow, number, picture, scales
from cnnbp.pictures.tables import GAP, LEFT, TOP, about_hatching, cells_of, framed, together
from cnnbp.pooling import avg_pool2d_backward, max_pool2d, max_pool2d_backward
from cnnbp.shape import images, pool_windows

SMALL = 26  # pixels of a cell in the table of counts
TITLE = "Where did this gradient go, and why is this cell zero?"


def draw_max_pool2d_dx(
    dz, x, kernel_size, *, sample=0, channel=0, chosen=(0, 0), pixel=None, **geometry
):
    """Where did this gradient go, and why is this cell zero? Max pooling, one sample and channel.

    Pointing at a cell of dz frames its window, and an arrow takes the gradient to the window's
    winner. Pointing at a cell of dx shows the gradients that it won, or why there are none.

    dz (N, C, OH, OW), x (N, C, H, W)   the upstream gradient, and the input of max_pool2d
    chosen    (i, j), the window shown while nothing is pointed at
    pixel     (h, v), the pixel shown instead
    geometry  stride, padding
    returns   Svg

    >>> svg = draw_max_pool2d_dx([[[[1, 2]]]], [[[[3, 5, 4]]]], (1, 2), stride=1)
    >>> "dx[0,0,0,1] = a 1·1 + b 2·1 = 3" in svg
    True
    """
    dz, x = images(dz=dz, x=x)
    _, argmax = max_pool2d(x, kernel_size, **geometry)
    dx = max_pool2d_backward(dz, argmax, x.shape)
    return _Max(dz, x, dx, kernel_size, sample, channel, geometry).draw(chosen, pixel)


def draw_avg_pool2d_dx(
    dz, x, kernel_size, *, sample=0, channel=0, chosen=(0, 0), pixel=None, **geometry
):
    """Where did this gradient go? Average pooling: an equal share to every pixel of its window.

    Takes and returns what draw_max_pool2d_dx does.

    >>> svg = draw_avg_pool2d_dx([[[[1, 2]]]], [[[[3, 5, 4]]]], (1, 2), stride=1)
    >>> "dx[0,0,0,1] = a 1/2 + b 2/2 = 1.5" in svg
    True
    """
    dz, x = images(dz=dz, x=x)
    dx = avg_pool2d_backward(dz, x.shape, kernel_size, **geometry)
    return _Average(dz, x, dx, kernel_size, sample, channel, geometry).draw(chosen, pixel)


class _Pooling:
    """The tables x, dz, dx and the number of windows over each pixel, with what lies over them.

    A kind of pooling says which explainer it has, what a window's link shows, and why
    a pixel got what it got.
    """

    def __init__(self, dz, x, dx, kernel_size, sample, channel, geometry):
        given = {"dz": dz, "x": x, "kernel_size": kernel_size, **geometry}
        self.at = sample, channel
        check_choice(sample=(sample, len(x)), channel=(channel, x.shape[1]))
        self._explain = {wanted: self.explainer(wanted, **given) for wanted in ("z", "dx")}
        self._cells = {}
        self.photograph = photograph_of(x, sample)
        self.place = pool_windows(x.shape, kernel_size, **geometry)
        self.over = self.place.seen_by()
        self.tables = x[self.at], dz[self.at], dx[self.at]

    def _lay_out(self, window, pixel):
        """The tables: x beside dz and dx, and the counts below x where all of it is shown."""
        x, dz, dx = self.tables
        counts = np.array([len(seen) for seen in self.over.values()]).reshape(x.shape)
        (x_limit, limit), unseen = scales([x], [dz, dx]), counts == 0
        own_scale = x_limit != limit
        partial = around(x.shape, pixel).partial
        margin = (0, 0) if partial else np.multiply(self.place.padding, CELL).tolist()
        look = {"hatched": unseen, "margin": margin}
        x_name, dz_name, dx_name = (cell_name(name, self.at) for name in ("x", "dz", "dx"))
        y, left = TOP + margin[0], LEFT + margin[1]
        x_name += about_hatching(unseen)
        self.x, thumb = table(
            x_name, x, (left, y), x_limit, pixel, photograph=self.photograph, **look
        )
        blocks = [Block([self.x], thumb, (0, y + 132 if thumb else 0), start=(LEFT, TOP - 24))]
        at = self.x.reach(own_scale) + GAP, y
        self.dz, dz_thumb = table(dz_name, dz, at, limit, window)
        at = self.dz.reach(own_scale) + GAP + margin[1], y
        self.dx, _ = table(dx_name, dx, at, limit, pixel, thumb=False, **look)
        reach = 0, y + 132 if dz_thumb else 0
        blocks.append(Block([self.dz, self.dx], dz_thumb, reach, start=(self.dz.left, TOP - 24)))
        self.pixel_tables = [self.dx, self.x]
        if not partial:
            at = left, max(self.x.under, self.dx.under, self.dz.bottom) + GAP
            self.pixel_tables.append(Grid("windows over each pixel", counts, at, None, size=SMALL))
            blocks.append(Block(self.pixel_tables[2:]))
        return blocks

    def cell(self, wanted, *index):
        """What a cell is made of, asked for only once."""
        if (wanted, index) not in self._cells:
            self._cells[wanted, index] = self._explain[wanted]((*self.at, *index))
        return self._cells[wanted, index]

    def draw(self, chosen, pixel):
        """All tables, a link for each window, and one for each pixel."""
        rank_of(chosen, np.ndindex(*self.place.output))
        if pixel is None:
            corner = np.add(self.place.corner(chosen), np.floor_divide(self.place.span, 2))
            center = np.clip(corner, 0, np.subtract(self.place.image, 1)).tolist()
        else:
            rank_of(pixel, np.ndindex(*self.place.image))
            center, chosen = pixel, (self.over[tuple(pixel)] or [chosen])[0]
        blocks = self._lay_out(chosen, center)
        windows, pixels = cells_of(self.dz), cells_of(self.dx)
        links = [self.of_window(window) for window in windows]
        links += [self.of_pixel(at) for at in pixels]
        rank = rank_of(chosen, windows) if pixel is None else len(windows) + rank_of(pixel, pixels)
        blocks[0].extra += self.marks(windows)
        return picture(
            f"{self.kind} backward, {self.dz.name} to {self.dx.name}. {links[rank].lines[0]}",
            blocks,
            links,
            title=TITLE,
            chosen=rank,
        )

    def of_pixel(self, pixel):
        """The link of a pixel: the gradients it got, or why there are none."""
        cell = self.cell("dx", *pixel)
        windows = cell.left_index[:, 2:].tolist()
        corners = [self.place.corner(window) for window in self.over[pixel]]
        corners, span = together(corners, self.place.kernel)
        frames = [framed(self.x, corner, span, "fine") for corner in corners]
        few = windows if len(windows) <= 4 else []  # more arrows would hide dz
        arrows = [(self.dz, self.arrow(window, pixel)) for window in few]
        return Link(
            [arithmetic(cell), self.reason(pixel, cell)],
            handles=self.places(pixel),
            pairs=[self.seen(self.dz, window) for window in windows],
            rings=self.places(pixel),
            extra=frames + arrows,
            products=cell.product.tolist(),
        )

    def seen(self, grid, place):
        """[(grid, cell)] of a place of the map, or [] where a lens leaves it out."""
        cell = grid.place(*place)
        return [(grid, cell)] if cell else []

    def places(self, pixel):
        return [place for grid in self.pixel_tables for place in self.seen(grid, pixel)]

    def frame(self, grid, window, css="frame"):
        """(grid, SVG): the frame around a window."""
        return framed(grid, self.place.corner(window), self.place.kernel, css)

    def arrow(self, window, pixel):
        """From a cell of dz to a cell of dx: along the lines of the tables, not across numbers."""
        here, there = self.dz.place(*window), self.dx.place(*pixel)
        if not here or not there:
            return ""
        (x0, y0), (x1, y1) = self.dz.corner(here), self.dx.corner(there)
        leave, enter = (self.dz.right + 8, y0), (min(self.dx.x, x1) - 12, y1)
        return arrow((x0 + self.dz.size, y0), leave, enter, (x1, y1))

    def marks(self, windows):
        """What is drawn on x for good."""
        return ""


class _Max(_Pooling):
    kind, explainer = "Max pooling", staticmethod(explainer_of_max_pool2d)

    def winner(self, window):
        return tuple(map(int, self.cell("z", *window).left_index[0, 2:]))

    def marks(self, windows):
        """A dot on every winner."""
        dots = []
        for winner in {self.winner(window) for window in windows}:
            for _, cell in self.seen(self.x, winner):
                x, y = self.x.corner(cell)
                dots.append(f'<circle cx="{x + CELL - 6:g}" cy="{y + 6:g}" r="3" fill="#111"/>')
        return "".join(sorted(dots))

    def of_window(self, window):
        """The link of a window: its winner gets everything."""
        pixel = self.winner(window)
        cell = self.cell("dx", *pixel)
        rank = int(np.flatnonzero((cell.left_index[:, 2:] == window).all(axis=1))[0])
        names = _name("x", self.at, pixel), _name("dx", self.at, pixel)
        lines = [
            f"{_name('dz', self.at, window)} = {number(cell.left[rank], 4)} goes to {names[1]}: "
            f"{names[0]} = {number(self.tables[0][pixel], 4)} is the largest of its window"
        ]
        if len(cell) > 1:
            so_far = " + ".join(factor(value) for value in cell.product[: rank + 1])
            total = number(cell.product[: rank + 1].sum(), 4)
            lines.append(
                f"it wins {len(cell)} windows, and what they send adds up; "
                f"up to this one: {so_far}" + f" = {total}" * (rank > 0)
            )
        lines += self._ties(window, pixel)
        return Link(
            lines,
            handles=self.seen(self.dz, window),
            rings=[*self.seen(self.dz, window), *self.places(pixel)],
            extra=[self.frame(self.x, window), (self.dz, self.arrow(window, pixel))],
        )

    def _ties(self, window, pixel):
        tied = [
            _name("x", self.at, other)
            for other, seen in self.over.items()
            if window in seen and other != pixel and self.tables[0][other] == self.tables[0][pixel]
        ]
        return [f"a tie with {' and '.join(tied)}: the first in row order wins"] if tied else []

    def reason(self, pixel, cell):
        if not self.over[pixel]:
            return "no window sees this pixel"
        if not len(cell):
            beaten = f"its {len(self.over[pixel])} windows have" * (len(self.over[pixel]) > 1)
            return f"{beaten or 'its window has'} another winner (a dot), which got the gradient"
        return "what several windows send to their common winner adds up" * (len(cell) > 1)


class _Average(_Pooling):
    kind, explainer = "Average pooling", staticmethod(explainer_of_avg_pool2d)

    def of_window(self, window):
        """The link of a window: an equal share for every pixel."""
        cell = self.cell("z", *window)
        pixels = [tuple(map(int, pixel)) for pixel in cell.left_index[:, 2:]]
        own = self.cell("dx", *pixels[0])
        rank = int(np.flatnonzero((own.left_index[:, 2:] == window).all(axis=1))[0])
        area = int(np.prod(self.place.kernel))
        lines = [
            f"{_name('dz', self.at, window)}/{area} = {factors(own, rank)} = "
            f"{number(own.product[rank], 4)} goes to "
            + (f"each of the {len(pixels)} pixels" if len(pixels) > 1 else "the one pixel")
            + " of its window"
        ]
        if outside := area - len(pixels):
            lines.append(f"{outside} of its {area} shares go into the padding and are lost")
        return Link(
            lines,
            handles=self.seen(self.dz, window),
            rings=self.seen(self.dz, window),
            extra=[
                self.frame(self.x, window),
                self.frame(self.dx, window),
                (self.dz, self.arrow(window, pixels[0])),
            ],
        )

    def reason(self, pixel, cell):
        if not len(cell):
            return "no window sees this pixel"
        return "a share from every window that sees it"


def _name(array, at, cell):
    return cell_name(array, (*at, *cell))

"""Pictures of pooling's backward pass: where a gradient goes, and why a cell stays zero."""

import numpy as np

from cnnbp.explain import cell_name, explain_avg_pool2d, explain_max_pool2d
from cnnbp.pictures.arithmetic import arithmetic, factor, factors
from cnnbp.pictures.choice import check_choice, rank_of
from cnnbp.pictures.svg import (
    Grid,
    Link,
    arrow,
    cell_size,
    number,
    outline,
    picture,
    scales,
    text,
)
from cnnbp.pictures.tables import GAP, LEFT, TOP, about_hatching
from cnnbp.pooling import avg_pool2d_backward, max_pool2d, max_pool2d_backward
from cnnbp.shape import images, pool_windows

SMALL = 26  # pixels of a cell in the table of counts


def draw_max_pool2d_dx(
    dz, x, kernel_size, *, sample=0, channel=0, chosen=(0, 0), every=True, **geometry
):
    """Where did this gradient go, and why is this cell zero? Max pooling, one sample and channel.

    Pointing at a cell of dz frames its window, and an arrow takes the gradient to the window's
    winner. Pointing at a cell of dx shows the gradients that it won, or why there are none.

    dz (N, C, OH, OW), x (N, C, H, W)   the upstream gradient, and the input of max_pool2d
    chosen    (i, j), the window shown while nothing is pointed at
    every     whether the pixels answer to the pointer, or the windows alone
    geometry  stride, padding
    returns   Svg

    >>> svg = draw_max_pool2d_dx([[[[1, 2]]]], [[[[3, 5, 4]]]], (1, 2), stride=1)
    >>> "dx[0,0,0,1] = a 1·1 + b 2·1 = 3" in svg
    True
    """
    dz, x = images(dz=dz, x=x)
    _, argmax = max_pool2d(x, kernel_size, **geometry)
    dx = max_pool2d_backward(dz, argmax, x.shape)
    return _Max(dz, x, dx, kernel_size, sample, channel, geometry).draw(chosen, every)


def draw_avg_pool2d_dx(
    dz, x, kernel_size, *, sample=0, channel=0, chosen=(0, 0), every=True, **geometry
):
    """Where did this gradient go? Average pooling: an equal share to every pixel of its window.

    Takes and returns what draw_max_pool2d_dx does.

    >>> svg = draw_avg_pool2d_dx([[[[1, 2]]]], [[[[3, 5, 4]]]], (1, 2), stride=1)
    >>> "dx[0,0,0,1] = a 1/2 + b 2/2 = 1.5" in svg
    True
    """
    dz, x = images(dz=dz, x=x)
    dx = avg_pool2d_backward(dz, x.shape, kernel_size, **geometry)
    return _Average(dz, x, dx, kernel_size, sample, channel, geometry).draw(chosen, every)


class _Pooling:
    """The tables x, dz, dx and the number of windows over each pixel, with what lies over them.

    A kind of pooling says which `explain` function it has, what a window's link shows, and why
    a pixel got what it got.
    """

    def __init__(self, dz, x, dx, kernel_size, sample, channel, geometry):
        self.arrays = {"dz": dz, "x": x, "kernel_size": kernel_size, **geometry}
        self.at = sample, channel
        check_choice(sample=(sample, len(x)), channel=(channel, x.shape[1]))
        self._cells = {}
        self.place = pool_windows(x.shape, kernel_size, **geometry)
        self.over = self.place.seen_by()
        counts = np.array([len(seen) for seen in self.over.values()]).reshape(x.shape[2:])
        self._lay_out(x[self.at], dz[self.at], dx[self.at], counts)

    def _lay_out(self, x, dz, dx, counts):
        x_limit, limit = scales([x], [dz, dx])
        own_scale, size, unseen = x_limit != limit, cell_size(x, dz), counts == 0
        down, across = margin = np.multiply(self.place.padding, size)
        look = {"size": size, "hatched": unseen, "margin": margin}
        x_name, dz_name, dx_name = (cell_name(name, self.at) for name in ("x", "dz", "dx"))
        y = TOP + down
        self.x = Grid(x_name + about_hatching(unseen), x, (LEFT + across, y), x_limit, **look)
        self.dz = Grid(dz_name, dz, (self.x.reach(own_scale) + GAP, y), limit, size=size)
        at = self.dz.reach(own_scale) + GAP + across, y
        self.dx = Grid(dx_name, dx, at, limit, **look)
        below = max(self.x.bottom + down, self.dz.bottom) + GAP
        self.pixel_tables, self.readout_at = [self.dx, self.x], (LEFT, below + 8)
        if self.x.roomy:
            at = LEFT + across, below
            self.pixel_tables.append(Grid("windows over each pixel", counts, at, None, size=SMALL))
            self.readout_at = self.dz.x, below + 8

    def cell(self, wanted, *index):
        """What a cell is made of, asked for only once."""
        if (wanted, index) not in self._cells:
            whole = *self.at, *index
            self._cells[wanted, index] = self.explain(wanted, whole, **self.arrays)
        return self._cells[wanted, index]

    def draw(self, chosen, every):
        """All tables, a link for each window, and one for each pixel."""
        windows = list(np.ndindex(*self.place.output))
        links = [self.of_window(window) for window in windows]
        if every:
            links += [self.of_pixel(pixel) for pixel in self.over]
        rank = rank_of(chosen, windows)
        title = "Where did this gradient go, and why is this cell zero?"
        return picture(
            f"{self.kind} backward, {self.dz.name} to {self.dx.name}. {links[rank].lines[0]}",
            [self.dz, *self.pixel_tables],
            links,
            chosen=rank,
            extra=text(LEFT, 18, title, "name") + self.marks(windows),
            readout_at=self.readout_at,
            lines=6,
        )

    def of_pixel(self, pixel):
        """The link of a pixel: the gradients it got, or why there are none."""
        cell = self.cell("dx", *pixel)
        sent = [(self.dz, tuple(window)) for window in cell.left_index[:, 2:]]
        frames = "".join(outline(self.frame(self.x, window), "fine") for window in self.over[pixel])
        few = sent if len(sent) <= 4 else []  # more arrows would hide dz
        arrows = "".join(self.arrow(window, pixel) for _, window in few)
        return Link(
            [arithmetic(cell), self.reason(pixel, cell)],
            handles=[(grid, pixel) for grid in self.pixel_tables],
            pairs=[[window] for window in sent],
            rings=[(grid, pixel) for grid in self.pixel_tables],
            extra=frames + arrows,
        )

    def frame(self, grid, window):
        """The path around a window."""
        return grid.box(self.place.corner(window), self.place.kernel)

    def arrow(self, window, pixel):
        """From a cell of dz to a cell of dx: along the lines of the tables, not across numbers."""
        (x0, y0), (x1, y1) = self.dz.corner(window), self.dx.corner(pixel)
        leave, enter = (self.dz.right + 8, y0), (min(self.dx.x, x1) - 12, y1)
        return arrow((x0 + self.dz.size, y0), leave, enter, (x1, y1))

    def marks(self, windows):
        """What is drawn on x for good."""
        return ""


class _Max(_Pooling):
    kind, explain = "Max pooling", staticmethod(explain_max_pool2d)

    def winner(self, window):
        return tuple(map(int, self.cell("z", *window).left_index[0, 2:]))

    def marks(self, windows):
        """A dot on every winner."""
        dots = []
        for x, y in {self.x.corner(self.winner(window)) for window in windows}:
            dots.append(f'<circle cx="{x + self.x.size - 6:g}" cy="{y + 6:g}" r="3" fill="#111"/>')
        return "".join(sorted(dots))

    def of_window(self, window):
        """The link of a window: its winner gets everything."""
        pixel = self.winner(window)
        cell = self.cell("dx", *pixel)
        rank = int(np.flatnonzero((cell.left_index[:, 2:] == window).all(axis=1))[0])
        names = _name("x", self.at, pixel), _name("dx", self.at, pixel)
        lines = [
            f"{_name('dz', self.at, window)} = {number(cell.left[rank], 4)} goes to {names[1]}: "
            f"{names[0]} = {number(self.x.values[pixel], 4)} is the largest of its window"
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
            handles=[(self.dz, window)],
            rings=[(self.dz, window), (self.x, pixel), (self.dx, pixel)],
            extra=outline(self.frame(self.x, window)) + self.arrow(window, pixel),
        )

    def _ties(self, window, pixel):
        tied = [
            _name("x", self.at, other)
            for other, seen in self.over.items()
            if window in seen and other != pixel and self.x.values[other] == self.x.values[pixel]
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
    kind, explain = "Average pooling", staticmethod(explain_avg_pool2d)

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
            handles=[(self.dz, window)],
            rings=[(self.dz, window)],
            extra=outline(self.frame(self.x, window))
            + outline(self.frame(self.dx, window), "ring")
            + self.arrow(window, self.place.corner(window)),
        )

    def reason(self, pixel, cell):
        if not len(cell):
            return "no window sees this pixel"
        return "a share from every window that sees it"


def _name(array, at, cell):
    return cell_name(array, (*at, *cell))

"""The picture of a convolution's input gradient: one cell of dx, read in two ways."""

import numpy as np

from cnnbp.convolution import conv2d_backward
from cnnbp.explain import cell_name, explain_conv2d
from cnnbp.pictures.arithmetic import arithmetic, factor
from cnnbp.pictures.choice import check_choice
from cnnbp.pictures.svg import (
    CELL,
    LETTERS,
    Grid,
    Link,
    cell_size,
    number,
    outline,
    picture,
    scales,
    text,
)
from cnnbp.pictures.tables import GAP, LEFT, TOP, about_hatching, side_by_side
from cnnbp.shape import conv_windows, images, own_filters


def draw_conv2d_dx(dz, x, w, index, *, filter=None, every=False, **geometry):
    """Which windows sent something to this pixel? One cell of dx, read in two ways.

    Left, scatter: every window that covered the pixel sends it dz·w. Right, gather: the rotated
    kernel lies over the spread dz. Pointing at one product lights it up on both sides.

    dz (N, F, OH, OW), x (N, C, H, W), w (F, C/groups, KH, KW)   as given to conv2d_backward
    index     (n, c, h, v) of the cell
    filter    whose products are drawn, the first of the pixel's group if None; all are summed
    every     whether the other pixels of dx answer to the pointer, too
    geometry  stride, padding, dilation, groups
    returns   Svg

    >>> dz, x, w = np.ones((1, 1, 1, 2)), np.ones((1, 1, 1, 3)), [[[[2, 3]]]]
    >>> svg = draw_conv2d_dx(dz, x, w, (0, 0, 0, 1))
    >>> "dx[0,0,0,1] = a 1·3 + b 1·2 = 5" in svg
    True
    """
    dz, x, w = images(dz=dz, x=x, w=w)
    cell = explain_conv2d("dx", index, dz=dz, x=x, w=w, **geometry)
    n, channel, *pixel = cell.index
    group = own_filters(channel, w.shape, geometry.get("groups", 1))
    filter = group[0] if filter is None else filter
    check_choice(filter=(filter, len(w)))
    sides = _Sides(dz, x, w, cell, filter, geometry)
    pixels = list(np.ndindex(*x.shape[2:])) if every else [tuple(pixel)]
    chosen = pixels.index(tuple(pixel))
    links = [
        sides.link_of_pixel(explain_conv2d("dx", (n, channel, *other), dz=dz, x=x, w=w, **geometry))
        for other in pixels
        if other != tuple(pixel)
    ]
    links.insert(chosen, sides.link_of_all())
    return picture(
        f"Input gradient, one cell read in two ways. {links[chosen].lines[0]}",
        sides.grids,
        links + sides.links_of_products(),
        chosen=chosen,
        extra=sides.titles(),
    )


class _Sides:
    """The tables of both readings, and what lies over them for a cell of dx."""

    def __init__(self, dz, x, w, cell, filter, geometry):
        self.cell, self.filter = cell, filter
        self.place = conv_windows(x.shape, w.shape, **geometry)
        n, channel, *self.pixel = cell.index
        c = channel % w.shape[1]  # counted within the filter's group
        self.shown = self._of_filter(cell)
        products = cell.product[self.shown]
        if len(self.shown) < len(cell):
            products = np.append(products, cell.total - products.sum())
        dx, _, _ = conv2d_backward(dz, x, w, **geometry)
        dx, dz, kernel = dx[n, channel], dz[n, filter], w[filter, c]
        limits = scales((dx, dz, products, cell.total), (kernel,))
        names = (("dz", (n, filter)), ("w", (filter, c)), ("dx", (n, channel)))
        self._lay_out([cell_name(*name) for name in names], dz, kernel, dx, limits)
        self._lay_out_products(products, limits)

    def _lay_out(self, names, dz, kernel, dx, limits):
        """The tables of scatter on the left, those of gather on the right."""
        dz_name, w_name, dx_name = names
        limit, w_limit = limits
        spread, unseen = _spread(dz, self.place), ~self.place.covered()
        y, size = TOP + 30, cell_size(spread)
        self.dz, self.w = side_by_side(names[:2], (dz, kernel), LEFT, y, limits)
        margin = np.multiply(self.place.padding, size)
        below = max(self.dz.bottom, self.w.bottom) + GAP + margin[0]
        look = {"size": size, "hatched": unseen, "margin": margin}
        at = LEFT + margin[1], below
        self.dx = Grid(dx_name + about_hatching(unseen), dx, at, limit, **look)
        self.right = max(grid.reach(limit != w_limit) for grid in (self.dx, self.w)) + GAP
        turned = kernel[::-1, ::-1]
        self.rotated = Grid(f"{w_name} rotated by 180°", turned, (self.right, y), w_limit)
        spread_name, at = f"{dz_name} spread, zeros around it", (self.right, below)
        self.spread = Grid(spread_name, spread, at, limit, size=size)

    def _lay_out_products(self, products, limits):
        """Below both sides the products, and their sum."""
        limit, w_limit = limits
        others = ", then the other filters'" * (len(self.shown) < len(self.cell))
        self.products, self.total = side_by_side(
            (f"products of {cell_name('dx', self.cell.index)}{others}", "their sum"),
            (products[None], np.array([[self.cell.total]])),
            LEFT,
            max(self.dx.bottom + self.dx.margin[0], self.spread.bottom) + GAP,
            (limit, limit),
            own_scale=limit != w_limit,
        )

    @property
    def grids(self):
        scatter, gather = [self.dz, self.w, self.dx], [self.rotated, self.spread]
        return [*scatter, *gather, self.products, self.total]

    def link_of_all(self):
        """The link of the whole cell: all its products, in letters, on both sides."""
        same = "the same products on both sides: point at one"
        none = "no window covered this pixel: nothing to send back, and only zeros to gather"
        rings = [(self.dx, tuple(self.pixel)), (self.total, (0, 0))]
        return Link(
            [self._line(self.cell), same if len(self.shown) else none],
            handles=rings,
            pairs=self._pairs(),
            rings=rings,
            extra="".join(self._frames(self.cell)) + self._kernel(self.pixel, factors=True),
        )

    def links_of_products(self):
        """The links of single products, each on both sides."""
        return [
            Link(
                _term_lines(self.cell.term(t), rank, self.pixel),
                handles=[pair[-1], *pair[:-1]],
                pairs=[[]] * rank + [pair],
                rings=[(self.dx, tuple(self.pixel))],
                extra=frame + self._kernel(self.pixel, factors=True),
            )
            for rank, (t, pair, frame) in enumerate(
                zip(self.shown, self._pairs(), self._frames(self.cell, "ring"), strict=True)
            )
        ]

    def link_of_pixel(self, cell):
        """The link of another pixel: its sum, where its windows lie, and where the kernel."""
        pixel, windows = cell.index[2:], cell.left_index[self._of_filter(cell), 2:].tolist()
        return Link(
            [self._line(cell)],
            handles=[(self.dx, pixel)],
            rings=[(self.dx, pixel), *((self.dz, window) for window in windows)],
            extra="".join(self._frames(cell)) + self._kernel(pixel),
        )

    def titles(self):
        return "".join(
            text(x, 20, name, "name") + text(x, 37, what)
            for x, name, what in (
                (LEFT, "Scatter", "every window sends back dz·w"),
                (self.right, "Gather", "the rotated kernel lies over the spread dz"),
            )
        )

    def _of_filter(self, cell):
        return np.flatnonzero(cell.left_index[:, 1] == self.filter)

    def _line(self, cell):
        return arithmetic(cell, self._of_filter(cell), "from the other filters")

    def _pairs(self):
        """Every product's cells: of dz, w, the rotated w, the spread dz and the row of products."""
        pairs = []
        for rank, t in enumerate(self.shown):
            window, tap = self.cell.left_index[t, 2:], self.cell.right_index[t, 2:]
            turned = self.place.kernel - tap - 1
            lies_at = self._corner(self.pixel) + turned * self.place.dilation
            pairs.append(
                [
                    (self.dz, tuple(window)),
                    (self.w, tuple(tap)),
                    (self.rotated, tuple(turned)),
                    (self.spread, tuple(lies_at)),
                    (self.products, (0, rank)),
                ]
            )
        return pairs

    def _corner(self, pixel):
        """Where the rotated kernel lies on the spread dz."""
        return np.add(pixel, self.place.padding)

    def _frames(self, cell, css=None):
        """The window of each product on dx, as a frame; several leave each other seen."""
        windows = cell.left_index[self._of_filter(cell), 2:]
        css = css or ("frame" if len(windows) <= 4 else "fine")
        return [
            outline(
                self.dx.box(self.place.corner(at), self.place.span, inset=1.8 * (rank % 6)), css
            )
            for rank, at in enumerate(windows.tolist())
        ]

    def _kernel(self, pixel, factors=False):
        """The rotated kernel on the spread dz, its weights small in the cells it lies over."""
        corner, grid = self._corner(pixel), self.spread
        parts = [outline(grid.box(corner, self.place.span))]
        if factors and grid.size == CELL:
            for tap in np.ndindex(*self.place.kernel):
                x, y = grid.corner(corner + np.multiply(tap, self.place.dilation))
                weight = number(self.rotated.values[tap])
                parts.append(text(x + CELL - 2, y + CELL - 3, f"×{weight}", "factor"))
        return "".join(parts)


def _term_lines(term, rank, pixel):
    (_, _, i, j), (_, _, kh, kw) = term.left_index, term.right_index
    values = f"{factor(term.left)}·{factor(term.right)} = {number(term.product, 4)}"
    return [
        f"{LETTERS[rank % 26]}: {term} = {values}",
        f"scatter: the window at ({i}, {j}) saw the pixel ({pixel[0]}, {pixel[1]}) through its "
        f"weight ({kh}, {kw}), so it sends {cell_name('dz', (i, j))} times that weight back",
        "gather: turned by 180°, the same weight lies over the same dz",
    ]


def _spread(dz, place):
    """dz with stride − 1 zeros between its cells, then zeros around: every kernel position fits.

    Below and to the right as many more as there are rows and columns that no window reached.
    """
    border = np.subtract(place.span, 1)
    shape = np.add(place.image, np.multiply(place.padding, 2)) + border
    spread = np.zeros(shape)
    rows, columns = (
        slice(b, b + s * (size - 1) + 1, s)
        for b, s, size in zip(border, place.stride, dz.shape, strict=True)
    )
    spread[rows, columns] = dz
    return spread

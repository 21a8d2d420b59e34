"""The picture of a convolution's input gradient: one cell of dx, read in two ways."""

import numpy as np

from cnnbp.convolution import conv2d_backward
from cnnbp.explain import cell_name, explainer_of_conv2d
from cnnbp.pictures.answers import Answers, Seen, Turn
from cnnbp.pictures.choice import check_choice
from cnnbp.pictures.lens import MOST, SHOWN, table
from cnnbp.pictures.svg import CELL, Block, number, picture, scales, text, text_width
from cnnbp.pictures.tables import GAP, LEFT, TOP, about_hatching, cells_of, framed, nested
from cnnbp.shape import conv_windows, images, own_filters

MANY = 400  # products, above which none stand in a row: the picture would weigh over 400 kB
BETWEEN = "0 between or around the cells of dz: its products are 0"


def draw_conv2d_dx(dz, x, w, index, *, filter=None, **geometry):
    """Which windows sent something to this pixel? One cell of dx, read in two ways.

    Left, scatter: every window that covered the pixel sends it dz·w. Right, gather: the rotated
    kernel lies over the spread dz. Pointing at a pixel shows its products on both sides, pointing
    at a dz or a weight what it sent back.

    dz (N, F, OH, OW), x (N, C, H, W), w (F, C/groups, KH, KW)   as given to conv2d_backward
    index     (n, c, h, v) of the cell
    filter    whose products are drawn, the first of the pixel's group if None; all are summed
    geometry  stride, padding, dilation, groups
    returns   Svg

    >>> dz, x, w = np.ones((1, 1, 1, 2)), np.ones((1, 1, 1, 3)), [[[[2, 3]]]]
    >>> svg = draw_conv2d_dx(dz, x, w, (0, 0, 0, 1))
    >>> "dx[0,0,0,1] = a 1·3 + b 1·2 = 5" in svg
    True
    """
    dz, x, w = images(dz=dz, x=x, w=w)
    explain = explainer_of_conv2d("dx", dz=dz, x=x, w=w, **geometry)
    n, channel, *pixel = explain(index).index
    group = own_filters(channel, w.shape, geometry.get("groups", 1))
    filter = group[0] if filter is None else filter
    check_choice(filter=(filter, len(w)))
    sides = _Sides(dz, x, w, (n, channel, *pixel), filter, geometry)
    pixels = cells_of(sides.dx)
    cells = [explain((n, channel, *other)) for other in pixels]
    rest = f"from the other filter{'s' * (len(group) > 2)}" * (len(group) > 1)
    answers = Answers(cells, sides.seen, rest=rest, went="went back to")
    links = sides.links(answers, dz, w)
    chosen = pixels.index(tuple(pixel))
    return picture(
        f"Input gradient, one cell read in two ways. {links[chosen].lines[0]}",
        sides.blocks,
        links,
        chosen=chosen,
    )


class _Sides:
    """The tables of both readings, and what lies over them for a cell of dx."""

    def __init__(self, dz, x, w, index, filter, geometry):
        self.place = conv_windows(x.shape, w.shape, **geometry)
        n, channel, *self.pixel = index
        c = channel % w.shape[1]  # counted within the filter's group
        dx, _, _ = conv2d_backward(dz, x, w, **geometry)
        dx, dz, kernel = dx[n, channel], dz[n, filter], w[filter, c]
        self.limits = scales((dx,), (dz,), (kernel,))
        self.own_scale = len(set(self.limits)) > 1
        self.unseen = ~self.place.covered()
        self.names = {"dz": (n, filter), "w": (filter, c), "dx": (n, channel)}
        self._lay_out(dz, kernel, dx)
        shapes = {"dz": dz.shape, "w": kernel.shape, "dx": dx.shape}
        tables = {"dz": [self.dz], "w": [self.w], "dx": [self.dx]}
        self.seen = {
            name: [Seen(grid, shapes[name], self.names[name]) for grid in grids]
            for name, grids in tables.items()
        }
        self.seen["dz"].append(Seen(self.spread, dz.shape, self.names["dz"], self._spreading()))
        self.seen["w"].append(Seen(self.rotated, kernel.shape, self.names["w"], self._rotation()))

    def _name(self, name):
        return cell_name(name, self.names[name])

    def _lay_out(self, dz, kernel, dx):
        """Scatter's tables in one block, gather's in the other."""
        limit, dz_limit, w_limit = self.limits
        spread, corner = _spread(dz, self.place), self._corner(self.pixel)
        window = np.floor_divide(np.add(self.pixel, self.place.padding), self.place.stride)
        dx_look = {"hatched": self.unseen, "margin": np.multiply(self.place.padding, CELL).tolist()}
        dx_name = self._name("dx") + about_hatching(self.unseen)
        most = _shown(self.place.span)
        scatter = _Column("Scatter", "every window sends back dz·w", LEFT, self.own_scale, most)
        self.dz = scatter.beside(self._name("dz"), dz, dz_limit, np.minimum(window, dz.shape))
        self.w = scatter.beside(self._name("w"), kernel, w_limit, (0, 0))
        self.dx = scatter.below(dx_name, dx, limit, self.pixel, **dx_look)
        title = "the rotated kernel lies over the spread dz"
        gather = _Column("Gather", title, scatter.right + GAP, self.own_scale, most)
        turned, name = kernel[::-1, ::-1], f"{self._name('w')} rotated by 180°"
        self.rotated = gather.beside(name, turned, w_limit, (0, 0))
        middle = corner + np.floor_divide(self.place.span, 2)
        around_it = ", zeros around it" * (max(spread.shape) <= MOST)  # a lens leaves them out
        name = f"{self._name('dz')} spread{around_it}"
        self.spread = gather.below(name, spread, dz_limit, middle)
        self.blocks = [scatter.block(), gather.block()]
        self.written = {  # the weights of the rotated kernel that are seen
            at: f"×{number(turned[at])}" for at in cells_of(self.rotated)
        }

    def _spreading(self):
        """Where a cell of dz stands in the spread dz."""
        border = np.subtract(self.place.span, 1).tolist()
        steps = self.place.stride

        def back(*at):
            found = [divmod(i - b, s) for i, b, s in zip(at, border, steps, strict=True)]
            return None if any(between for _, between in found) else [cell for cell, _ in found]

        return Turn(
            lambda row, column: (row * steps[0] + border[0], column * steps[1] + border[1]), back
        )

    def _rotation(self):
        last = [size - 1 for size in self.place.kernel]
        turn = lambda row, column: (last[0] - row, last[1] - column)  # noqa: E731
        return Turn(turn, turn)

    def links(self, answers, dz, w):
        """A link for every pixel, dz and weight."""
        few = len(answers.cells) * np.prod(self.place.kernel) <= 400
        results = [
            answers.of_result(rank, self.over(answers, rank, few), *self.why(shown))
            for rank, shown in enumerate(answers.shown)
        ]
        if sum(map(len, answers.shown)) > MANY:
            for link in results:
                link.products = []
        factors = [*answers.of_factors("dz", dz, self.window), *answers.of_factors("w", w)]
        return results + factors + answers.of_nothing("dz", BETWEEN)

    def over(self, answers, rank, factors):
        """What lies over the tables for a pixel: its windows on dx, the kernel on the spread dz."""
        windows = answers.cells[rank].left_index[answers.shown[rank], 2:].tolist()
        corners = [self.place.corner(at) for at in windows]
        few = len(windows) <= 4
        frames = nested(self.dx, corners, self.place.span, "frame" if few else "fine")
        return [*frames, *self._kernel(answers.cells[rank].index[2:], factors)]

    def window(self, index):
        """The window that a cell of dz is the gradient of, on dx."""
        return [framed(self.dx, self.place.corner(index[2:]), self.place.span)]

    def why(self, shown):
        """What a learner sees in the letters."""
        if len(shown):
            return ["the same products on both sides"]
        return ["no window covered this pixel: nothing to send back, and only zeros to gather"]

    def _corner(self, pixel):
        """Where the rotated kernel lies on the spread dz."""
        return np.add(pixel, self.place.padding)

    def _kernel(self, pixel, factors):
        """The rotated kernel on the spread dz, its weights small in the cells it lies over."""
        (top, left), grid = self._corner(pixel).tolist(), self.spread
        down, across = self.place.dilation
        weights = [
            self._factor(cell, written)
            for (row, column), written in (self.written.items() if factors else ())
            if (cell := grid.place(top + row * down, left + column * across))
        ]
        return [framed(grid, (top, left), self.place.span), (grid, "".join(weights))]

    def _factor(self, cell, written):
        """A weight of the rotated kernel, small in a cell of the spread dz."""
        x, y = self.spread.corner(cell)
        return text(x + CELL - 2, y + CELL - 3, written, "factor")


class _Column:
    """One side: tables beside one another, and one below them."""

    def __init__(self, title, what, x, own_scale, most):
        self.grids, self.own_scale, self.most = [], own_scale, most
        self.x = self.left = x
        self.right = x + text_width(what)
        self.bottom = 0
        self.extra = text(x, 20, title, "name") + text(x, 37, what)

    def beside(self, name, values, limit, center):
        grid, extra = table(name, values, (self.x, TOP + 30), limit, center, most=self.most)
        self._add(grid, extra)
        self.x = grid.reach(self.own_scale) + GAP
        return grid

    def below(self, name, values, limit, center, *, hatched=None, margin=(0, 0)):
        at = self.left + margin[1], self.bottom + GAP + margin[0]
        look = {"hatched": hatched, "margin": margin, "most": self.most}
        grid, extra = table(name, values, at, limit, center, **look)
        self._add(grid, extra)
        return grid

    def _add(self, grid, extra):
        self.grids.append(grid)
        self.extra += extra
        self.bottom = max(self.bottom, grid.under, grid.y + 132 if extra else 0)
        self.right = max(self.right, grid.reach(self.own_scale))

    def block(self):
        return Block(self.grids, self.extra, (self.right, self.bottom), start=(self.left, 6))


def _shown(span):
    """Rows and columns that are shown of large maps: a pixel's windows lie in them whole, and the
    two sides, each of two tables, fit side by side on a screen."""
    return min(SHOWN, max(5, 2 * max(span) - 1))


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

"""Pictures of a convolution and its weight gradients: which numbers make a cell of z, dw or db."""

import numpy as np

from cnnbp.convolution import conv2d
from cnnbp.explain import cell_name, explain_conv2d
from cnnbp.pictures.arithmetic import arithmetic
from cnnbp.pictures.choice import check_choice, rank_of
from cnnbp.pictures.svg import (
    CELL,
    LETTERS,
    Grid,
    Link,
    color,
    number,
    outline,
    picture,
    scales,
    text,
)
from cnnbp.pictures.tables import GAP, LEFT, TOP, about_hatching, paired, side_by_side
from cnnbp.shape import conv_windows, images, own_channel


def draw_conv2d_z(
    x, w, b=None, *, sample=0, filter=0, channel=0, chosen=(0, 0), every=True, **geometry
):
    """Who contributed to this output? x, w and z for one sample, filter and channel.

    Pointing at a cell of z frames its window on x and pairs, by letters, each pixel with its
    weight; below, the products and how they add up.

    x (N, C, H, W), w (F, C/groups, KH, KW), b (F, 1, 1) or None   as given to conv2d
    channel   of the filter: with groups, it counts within the filter's group
    chosen    (i, j) shown while nothing is pointed at
    every     whether all cells of z answer to the pointer, or the chosen one alone
    geometry  stride, padding, dilation, groups
    returns   Svg

    >>> svg = draw_conv2d_z(np.ones((1, 1, 1, 3)), [[[[2, 3]]]], chosen=(0, 1))
    >>> "z[0,0,0,1] = a 1·2 + b 1·3 = 5" in svg
    True
    """
    x, w = images(x=x, w=w)
    view = _View(x, w, sample, filter, channel, geometry)
    outputs = list(np.ndindex(*view.place.output)) if every else [tuple(chosen)]
    cells = [
        explain_conv2d("z", (sample, filter, *window), x=x, w=w, b=b, **geometry)
        for window in outputs
    ]
    w_name, z_name = cell_name("w", (filter, channel)), cell_name("z", (sample, filter))
    kernel, z = w[filter, channel], conv2d(x, w, b, **geometry)[sample, filter]
    limits = scales([view.pixels], [kernel], [z, *(cell.product for cell in cells)])
    grids = view.beside((w_name, z_name), (kernel, z), limits)
    sums, rest = _Sums("x·w", view.place.kernel, grids), _rest_of_z(w, b is not None)
    return view.picture(
        "Who contributed to this output?",
        f"Convolution, {z_name}: each cell sums the pixels that a window of {view.x_name} shows "
        f"times {w_name}",
        grids,
        sums,
        [_window_link(cell, channel, grids, view.place, sums, rest) for cell in cells],
        rank_of(chosen, outputs),
    )


def _window_link(cell, channel, grids, place, sums, rest):
    """The link of a cell of z: its window on x, each pixel paired with its weight."""
    x_grid, w_grid, z_grid = grids
    window = cell.index[2:]
    shown = np.flatnonzero(cell.right_index[:, 1] == channel)
    taps, pixels = cell.right_index[shown, 2:], cell.left_index[shown, 2:] + place.padding
    frame = x_grid.box(np.add(place.corner(window), place.padding), place.span)
    return Link(
        [arithmetic(cell, shown, rest)],
        handles=[(z_grid, window)],
        pairs=paired((x_grid, pixels), (w_grid, taps)),
        rings=[(z_grid, window)],
        extra=outline(frame) + sums.numbers(cell.product[shown], taps),
    )


def draw_conv2d_dw(dz, x, w, *, sample=0, filter=0, channel=0, chosen=(0, 0), **geometry):
    """Which pixels does one weight meet? x, dz, dw and db for one sample, filter and channel.

    Pointing at a cell of dw rings the pixels that this weight met and, with the same letters, the
    cells of dz they are multiplied with; the bias met a 1 everywhere. Below, the products, shaped
    like dz, and how they add up.

    dz (N, F, OH, OW), x (N, C, H, W), w (F, C/groups, KH, KW)   as given to conv2d_backward
    channel   of the filter: with groups, it counts within the filter's group
    chosen    (kh, kw) shown while nothing is pointed at, or "bias"
    geometry  stride, padding, dilation, groups
    returns   Svg

    >>> dz, x, w = np.ones((1, 1, 1, 2)), np.ones((1, 1, 1, 3)), np.ones((1, 1, 1, 2))
    >>> "dw[0,0,0,0] = a 1·1 + b 1·1 = 2" in draw_conv2d_dw(dz, x, w)
    True
    """
    dz, x, w = images(dz=dz, x=x, w=w)
    view = _View(x, w, sample, filter, channel, geometry)
    taps = list(np.ndindex(*view.place.kernel))
    cells = [
        explain_conv2d("dw", (filter, channel, *tap), dz=dz, x=x, w=w, **geometry) for tap in taps
    ]
    cells.append(explain_conv2d("db", (filter, 0, 0), dz=dz))
    *dw, db = (cell.total for cell in cells)
    tables = dz[sample, filter], np.reshape(dw, view.place.kernel), np.array([[db]])
    dz_name, dw_name = cell_name("dz", (sample, filter)), cell_name("dw", (filter, channel))
    names = dz_name, dw_name, cell_name("db", (filter,))
    grids = view.beside(names, tables, scales(*([table] for table in (view.pixels, *tables))))
    sums = _Sums("dz·x", view.place.output, grids)
    rest = _of_others(len(x))
    return view.picture(
        f"Which pixels does one weight of filter {filter} meet?",
        f"Weight gradient {dw_name} of a convolution: each cell sums {dz_name} times the cells of "
        f"{view.x_name} that its weight met",
        grids,
        sums,
        [_weight_link(cell, sample, grids, view.place, sums, rest) for cell in cells],
        rank_of(chosen, [*taps, "bias"]),
    )


def _weight_link(cell, sample, grids, place, sums, rest):
    """The link of a cell of dw, or of db: all that it met in this sample."""
    x_grid, dz_grid, dw_grid, db_grid = grids
    result = (dw_grid, cell.index[2:]) if cell.wanted == "dw" else (db_grid, (0, 0))
    shown = np.flatnonzero(cell.left_index[:, 0] == sample)
    met = cell.left_index[shown, 2:]
    lines, places = [arithmetic(cell, shown, rest)], [(dz_grid, met)]
    if cell.wanted == "dw":
        places.append((x_grid, cell.right_index[shown, 2:] + place.padding))
        lines += ["letters pair each pixel with its dz"] * (len(shown) <= len(LETTERS))
    else:
        lines.append("the bias's input is always 1")
    return Link(
        lines,
        handles=[result],
        pairs=paired(*places),
        rings=[result],
        extra=sums.numbers(cell.product[shown], met),
    )


def draw_conv2d_db(dz, *, filter=0):
    """What does one bias gather? Every dz of its filter, over all positions and all samples.

    Pointing at db rings them all; pointing at a sample's own sum, that sample's.

    dz       (N, F, OH, OW)   of which the first four samples are drawn
    returns  Svg

    >>> svg = draw_conv2d_db([[[[1, 2]]], [[[3, 4]]]])
    >>> "db[0,0,0] = a 1·1 + b 2·1 + c 3·1 + d 4·1 = 10" in svg
    True
    """
    (dz,) = images(dz=dz)
    check_choice(sample=(0, len(dz)), filter=(filter, dz.shape[1]))
    cell = explain_conv2d("db", (filter, 0, 0), dz=dz)
    terms = [np.flatnonzero(cell.left_index[:, 0] == sample) for sample in range(min(len(dz), 4))]
    grids, sum_grids, db_grid = _gathering(dz[:, filter], filter, cell, terms)
    everywhere = np.concatenate(terms)
    links = [_gathered(cell, everywhere, grids, (db_grid, (0, 0)), "from the samples not drawn")]
    if len(dz) > 1:
        links += [
            _gathered(cell, own, grids, (grid, (0, 0)), _of_others(len(dz)))
            for own, grid in zip(terms, sum_grids, strict=True)
        ]
    return picture(
        f"Bias gradient {db_grid.name} of a convolution. {links[0].lines[0]}",
        [*grids, *sum_grids * (len(dz) > 1), db_grid],
        links,
        extra=text(LEFT, 18, f"What does the bias of filter {filter} gather?", "name"),
    )


def _gathering(dz, filter, cell, terms):
    """The tables of a bias gradient: the first samples' dz, the sum of each, and db.

    terms  for every sample that is drawn, the numbers of its products
    """
    tables = list(dz[: len(terms)])
    sums = [np.array([[cell.product[own].sum()]]) for own in terms]
    total = np.array([[cell.total]])
    limit, sum_limit = scales(tables, [*sums, total])
    names = [cell_name("dz", (sample, filter)) for sample in range(len(terms))]
    grids = side_by_side(names, tables, LEFT, TOP, [limit] * len(tables), own_scale=True)
    below = grids[0].bottom + GAP
    sum_grids = [
        Grid(f"sum of {grid.name}", own, (grid.x, below), sum_limit)
        for grid, own in zip(grids, sums, strict=True)
    ]
    at = LEFT, below + CELL + GAP
    return grids, sum_grids, Grid(cell_name("db", (filter,)), total, at, sum_limit)


def _gathered(cell, shown, grids, result, rest):
    """The link of a sum over some of the dz that make up db."""
    pairs = [[(grids[n], (i, j))] for n, _, i, j in cell.left_index[shown]]
    lines = [arithmetic(cell, shown, rest), "the bias's input is always 1, in every window"]
    return Link(lines, handles=[result], pairs=pairs, rings=[result])


class _View:
    """What a picture shows of x: one sample and channel, in its padding; and what stands around."""

    def __init__(self, x, w, sample, filter, channel, geometry):
        self.place = conv_windows(x.shape, w.shape, **geometry)
        counts = {"sample": (sample, len(x)), "filter": (filter, len(w))}
        check_choice(**counts, channel=(channel, w.shape[1]))
        self.channel = own_channel(filter, channel, w.shape, geometry.get("groups", 1))
        margin = [(p, p) for p in self.place.padding]
        self.pixels = np.pad(x[sample, self.channel], margin)
        self.unseen = np.pad(~self.place.covered(), margin)
        self.x_name = cell_name("x", (sample, self.channel))

    def beside(self, names, tables, limits):
        """Grids in a row: x, then these tables; the first limit is that of x."""
        title = self.x_name + " in its padding" * any(self.place.padding)
        names = title + about_hatching(self.unseen), *names
        grids = side_by_side(names, (self.pixels, *tables), LEFT, TOP, limits)
        grids[0].hatched = self.unseen
        return grids

    def frame(self, grid):
        """Where x ends and its padding begins."""
        if not any(self.place.padding):
            return ""
        return outline(grid.box(self.place.padding, self.place.image))

    def picture(self, title, description, grids, sums, links, rank):
        """The picture with these grids from x on, the sums below them, and the link to rest on."""
        return picture(
            f"{description}. {links[rank].lines[0]}",
            grids,
            links,
            chosen=rank,
            extra=text(LEFT, 18, title, "name") + self.frame(grids[0]) + sums.table(),
            readout_at=sums.readout_at(grids),
            width=sums.named(),
        )


class _Sums:
    """A table below the second and third of others: a link's products, each with the sum so far."""

    def __init__(self, name, shape, grids):
        at = grids[1].x, max(grid.bottom for grid in grids[1:]) + GAP
        self.grid = Grid(f"{name} and, below, their sum so far", np.zeros(shape), at, 1)
        self.drawn = max(shape) <= 6  # larger ones would be crowded, and slow

    def table(self):
        """The empty table."""
        if not self.drawn:
            return ""
        x, y, right, bottom = self.grid.x, self.grid.y, self.grid.right, self.grid.bottom
        paper = f"M{x} {y}H{right}V{bottom}H{x}z"
        return (
            f'<path fill="{color(0, 1)}" d="{paper}"/>'
            f'<path class="edge" d="{self.grid.lines()}"/>{text(x, y - 7, self.grid.name, "name")}'
        )

    def numbers(self, products, cells):
        """What a link writes into it."""
        if not self.drawn:
            return ""
        sums = np.cumsum(products)
        return "".join(
            self.grid.written(cell, number(product)) + self._corner(cell, number(so_far))
            for product, so_far, cell in zip(products, sums, cells, strict=True)
        )

    def _corner(self, cell, content):
        x, y = self.grid.corner(cell)
        return text(x + CELL - 2, y + CELL - 3, content, "factor")

    def named(self):
        """About where its name ends, in pixels."""
        return self.grid.named() * self.drawn

    def readout_at(self, grids):
        """Below everything."""
        bottoms = [grid.bottom for grid in [*grids, *[self.grid] * self.drawn]]
        return LEFT, max(bottoms) + 26


def _of_others(samples):
    return "from the other sample" + "s" * (samples > 2)


def _rest_of_z(w, bias):
    channels = "the other channel" + "s" * (w.shape[1] > 2)
    return "from " + " and ".join([channels] * (w.shape[1] > 1) + ["the bias"] * bias)

"""Pictures of a convolution and its weight gradients: which numbers make a cell of z, dw or db."""

import numpy as np

from cnnbp.convolution import conv2d, conv2d_backward
from cnnbp.explain import cell_name, explain_conv2d, explainer_of_conv2d
from cnnbp.pictures.answers import Answers, Seen
from cnnbp.pictures.arithmetic import arithmetic
from cnnbp.pictures.choice import check_choice, rank_of
from cnnbp.pictures.lens import photograph_of
from cnnbp.pictures.svg import Grid, Link, picture, scales
from cnnbp.pictures.tables import Flow, about_hatching, cells_of, framed
from cnnbp.shape import conv_windows, images, own_channel

PADDING = "0 of the padding: its products are 0"


def draw_conv2d_z(x, w, b=None, *, sample=0, filter=0, channel=0, chosen=(0, 0), **geometry):
    """Who contributed to this output? x, w and z for one sample, filter and channel.

    Pointing at a cell of z frames its window on x and pairs, by letters, each pixel with its
    weight. Pointing at a pixel or a weight shows what it went into.

    x (N, C, H, W), w (F, C/groups, KH, KW), b (F, 1, 1) or None   as given to conv2d
    channel   of the filter: with groups, it counts within the filter's group
    chosen    (i, j) shown while nothing is pointed at
    geometry  stride, padding, dilation, groups
    returns   Svg

    >>> svg = draw_conv2d_z(np.ones((1, 1, 1, 3)), [[[[2, 3]]]], chosen=(0, 1))
    >>> "z[0,0,0,1] = a 1·2 + b 1·3 = 5" in svg
    True
    """
    x, w = images(x=x, w=w)
    view = _View(x, w, sample, filter, channel, geometry)
    rank_of(chosen, np.ndindex(*view.place.output))
    blocks, seen = view.of_outputs(w, conv2d(x, w, b, **geometry), chosen)
    (x_seen,), (z_seen,) = seen["x"], seen["z"]
    windows = cells_of(z_seen.grid)
    explain = explainer_of_conv2d("z", x=x, w=w, b=b, **geometry)
    cells = [explain((sample, filter, *window)) for window in windows]
    answers = Answers(cells, seen, rest=_rest_of_z(w, b is not None))
    links = [
        answers.of_result(rank, [view.window(x_seen.grid, window)])
        for rank, window in enumerate(windows)
    ]
    links += [*answers.of_factors("x", x), *answers.of_factors("w", w)]
    rank = rank_of(chosen, windows)
    return picture(
        view.about_z(links[rank].lines[0]),
        blocks,
        links + answers.of_nothing("x", PADDING),
        title="Who contributed to this output?",
        chosen=rank,
    )


def draw_conv2d_dw(dz, x, w, *, sample=0, filter=0, channel=0, chosen=(0, 0), **geometry):
    """Which pixels does one weight meet? x, dz, dw and db for one sample, filter and channel.

    Pointing at a cell of dw rings the pixels that this weight met and, with the same letters, the
    cells of dz they are multiplied with; the bias met a 1 everywhere. Pointing at a pixel or at a
    dz shows what it went into.

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
    rank_of(chosen, [*np.ndindex(*view.place.kernel), "bias"])
    explain = explainer_of_conv2d("dw", dz=dz, x=x, w=w, **geometry)
    db = explain_conv2d("db", (filter, 0, 0), dz=dz)
    asked = db if chosen == "bias" else explain((filter, channel, *chosen))
    blocks, seen = view.of_weights(dz, conv2d_backward(dz, x, w, **geometry)[1], asked, db.total)
    taps = cells_of(seen["dw"][0].grid)
    cells = [*(explain((filter, channel, *tap)) for tap in taps), db]
    answers = Answers(cells, seen, rest=_of_others(len(x)))
    links = [answers.of_result(rank) for rank in range(len(taps))]
    links.append(answers.of_result(len(taps), (), "the bias's input is always 1"))
    links += [*answers.of_factors("x", x), *answers.of_factors("dz", dz)]
    rank = rank_of(chosen, [*taps, "bias"])
    return picture(
        view.about_dw(links[rank].lines[0]),
        blocks,
        links + answers.of_nothing("x", PADDING),
        title=f"Which pixels does one weight of filter {filter} meet?",
        chosen=rank,
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
    blocks, grids, sum_grids, db_grid = _gathering(dz[:, filter], filter, cell, terms)
    links = [_gathered(cell, np.concatenate(terms), grids, (db_grid, (0, 0)), "from the others")]
    if len(dz) > 1:
        links += [
            _gathered(cell, own, grids, (grid, (0, 0)), _of_others(len(dz)))
            for own, grid in zip(terms, sum_grids, strict=True)
        ]
    seen = {
        "dz": [Seen(grid, dz.shape[2:], (n, filter)) for n, grid in enumerate(grids)],
        "db": [Seen(db_grid, (1, 1), (filter,))],
    }
    links += Answers([cell], seen).of_factors("dz", dz)
    return picture(
        f"Bias gradient {db_grid.name} of a convolution. {links[0].lines[0]}",
        blocks,
        links,
        title=f"What does the bias of filter {filter} gather?",
    )


def _gathering(dz, filter, cell, terms):
    """The tables of a bias gradient: the first samples' dz, the sum of each, and db.

    terms  for every sample that is drawn, the numbers of its products
    """
    sums = [np.array([[cell.product[own].sum()]]) for own in terms]
    total = np.array([[cell.total]])
    limit, sum_limit = scales(list(dz[: len(terms)]), [*sums, total])
    flow = Flow(limit != sum_limit)
    grids, sum_grids = [], []
    for sample, own in enumerate(sums):
        block = flow.table(cell_name("dz", (sample, filter)), dz[sample], limit)
        grids += block.grids
        if len(dz) > 1:
            at = block.grids[0].x, max(block.grids[0].bottom, block.reach[1]) + 28
            sum_grids.append(Grid("its sum", own, at, sum_limit))
            block.grids.append(sum_grids[-1])
            flow.below = max(flow.below, sum_grids[-1].bottom)
    (db_grid,) = flow.table(cell_name("db", (filter,)), total, sum_limit).grids
    return flow.blocks, grids, sum_grids, db_grid


def _gathered(cell, shown, grids, result, rest):
    """The link of a sum over some of the dz that make up db."""
    places = [(grids[n], grids[n].place(i, j)) for n, _, i, j in cell.left_index[shown].tolist()]
    return Link(
        [arithmetic(cell, shown, rest), "the bias's input is always 1, in every window"],
        handles=[result],
        pairs=[[place] if place[1] else [] for place in places],
        rings=[result],
        products=cell.product[shown].tolist(),
    )


class _View:
    """What a picture shows of x: one sample and channel, in its padding; and what stands around."""

    def __init__(self, x, w, sample, filter, channel, geometry):
        self.place = conv_windows(x.shape, w.shape, **geometry)
        counts = {"sample": (sample, len(x)), "filter": (filter, len(w))}
        check_choice(**counts, channel=(channel, w.shape[1]))
        self.at = sample, filter, channel
        self.channel = own_channel(filter, channel, w.shape, geometry.get("groups", 1))
        margin = [(p, p) for p in self.place.padding]
        self.pixels = np.pad(x[sample, self.channel], margin)
        self.unseen = np.pad(~self.place.covered(), margin)
        self.x_name = cell_name("x", (sample, self.channel))
        self.photograph = photograph_of(x, sample)
        if self.photograph is not None:
            self.photograph = np.pad(self.photograph, [*margin, (0, 0)])

    def table(self, flow, limit, center):
        """The Grid of x in its padding, counted from its own first pixel."""
        padding = self.place.padding
        title = self.x_name + " in its padding" * any(padding) + about_hatching(self.unseen)
        block = flow.table(
            title,
            self.pixels,
            limit,
            np.add(center, padding),
            photograph=self.photograph,
            hatched=self.unseen,
        )
        (grid,) = block.grids
        grid.first = tuple(int(i) - p for i, p in zip(grid.first, padding, strict=True))
        if any(padding):
            block.extra += framed(grid, (0, 0), self.place.image)[1]
        return grid

    def middle(self, window):
        """The pixel in the middle of a window."""
        return np.add(self.place.corner(window), np.floor_divide(self.place.span, 2))

    def window(self, grid, window):
        """(grid, SVG): the frame of a window on x."""
        return framed(grid, self.place.corner(window), self.place.span)

    def of_outputs(self, w, z, chosen):
        """The blocks of the convolution, and where each array is seen."""
        sample, filter, channel = self.at
        z, kernel = z[sample, filter], w[filter, channel]
        x_limit, *limits = scales([self.pixels], [kernel], [z])
        flow = Flow(len({x_limit, *limits}) > 1)
        x_grid = self.table(flow, x_limit, self.middle(chosen))
        names = ("w", (filter, channel)), ("z", (sample, filter))
        seen = _seen(flow, names, (kernel, z), limits, ((0, 0), chosen))
        seen["x"] = [Seen(x_grid, self.place.image, (sample, self.channel))]
        return flow.blocks, seen

    def of_weights(self, dz, dw, asked, db):
        """The blocks of the weight gradient, and where each array is seen.

        asked  the Cell that the picture opens on: where its largest product lies, lenses lie
        """
        sample, filter, channel = self.at
        own = np.flatnonzero(asked.left_index[:, 0] == sample)
        largest = own[np.abs(asked.product[own]).argmax()] if len(own) else 0
        window = asked.left_index[largest, 2:] if len(own) else (0, 0)
        tables = dz[sample, filter], dw[filter, channel], np.array([[db]])
        limits = scales(*([values] for values in (self.pixels, *tables)))
        flow = Flow(len(set(limits)) > 1)
        x_grid = self.table(flow, limits[0], self.middle(window))
        names = ("dz", (sample, filter)), ("dw", (filter, channel)), ("db", (filter,))
        centers = window, asked.index[2:] if asked.wanted == "dw" else (0, 0), (0, 0)
        seen = _seen(flow, names, tables, limits[1:], centers)
        seen["x"] = [Seen(x_grid, self.place.image, (sample, self.channel))]
        return flow.blocks, seen

    def about_z(self, arithmetic):
        """What the picture of z shows, for those who do not see it."""
        sample, filter, channel = self.at
        return (
            f"Convolution, {cell_name('z', (sample, filter))}: each cell sums the pixels that a "
            f"window of {self.x_name} shows times {cell_name('w', (filter, channel))}. {arithmetic}"
        )

    def about_dw(self, arithmetic):
        sample, filter, channel = self.at
        return (
            f"Weight gradient {cell_name('dw', (filter, channel))} of a convolution: each cell "
            f"sums {cell_name('dz', (sample, filter))} times the cells of {self.x_name} that its "
            f"weight met. {arithmetic}"
        )


def _seen(flow, names, tables, limits, centers):
    """Tables in the flow: name of the array -> [Seen]."""
    seen = {}
    for (name, prefix), *drawn in zip(names, tables, limits, centers, strict=True):
        block = flow.table(cell_name(name, prefix), *drawn)
        seen[name] = [Seen(block.grids[0], drawn[0].shape, prefix)]
    return seen


def _of_others(samples):
    return "from the other sample" + "s" * (samples > 2)


def _rest_of_z(w, bias):
    channels = "the other channel" + "s" * (w.shape[1] > 2)
    return "from " + " and ".join([channels] * (w.shape[1] > 1) + ["the bias"] * bias)

"""Pictures of a convolution's gradients: which numbers make a cell of dw, of db and of dx."""

import numpy as np

from cnnbp.convolution import conv2d_backward
from cnnbp.explain import explain_conv2d
from cnnbp.pictures.arithmetic import arithmetic, factor
from cnnbp.pictures.svg import (
    CELL,
    LETTERS,
    Grid,
    Link,
    cell_size,
    number,
    picture,
    scales,
    text,
)
from cnnbp.shape import windows

TOP, GAP = 46, 40  # pixels above the tables, and between them


def draw_conv2d_dw(dz, x, w, *, sample=0, filter=0, channel=0, chosen=(0, 0), **geometry):
    """Which pixels does one weight meet? x, dz, dw and db for one sample, filter and channel.

    Pointing at a cell of dw rings the pixels that this weight met and, with the same letters, the
    cells of dz they are multiplied with; the bias met a 1 everywhere.

    dz (N, F, OH, OW), x (N, C, H, W), w (F, C/groups, KH, KW)   as given to conv2d_backward
    channel   of the filter: with groups, it counts within the filter's group
    chosen    (kh, kw) shown while nothing is pointed at, or "bias"
    geometry  stride, padding, dilation, groups
    returns   Svg

    >>> dz, x, w = np.ones((1, 1, 1, 2)), np.ones((1, 1, 1, 3)), np.ones((1, 1, 1, 2))
    >>> "dw[0,0,0,0] = a 1·1 + b 1·1 = 2" in draw_conv2d_dw(dz, x, w)
    True
    """
    dz, x, w = map(np.asarray, (dz, x, w))
    place = _place(x, w, geometry)
    _, dw, db = conv2d_backward(dz, x, w, **geometry)
    first = w.shape[1] * (filter // (len(w) // geometry.get("groups", 1)))
    tables = (
        _padded(x[sample, first + channel], place),
        dz[sample, filter],
        dw[filter, channel],
        db[filter],
    )
    names = (
        f"x[{sample},{first + channel}]" + " in its padding" * any(place.padding),
        f"dz[{sample},{filter}]",
        f"dw[{filter},{channel}]",
        f"db[{filter}]",
    )
    x_grid, dz_grid, dw_grid, db_grid = grids = _row(
        names, tables, 12, TOP, scales(*((t,) for t in tables))
    )

    links = []
    for tap in np.ndindex(*place.kernel):
        cell = explain_conv2d("dw", (filter, channel, *tap), dz=dz, x=x, w=w, **geometry)
        shown = np.flatnonzero(cell.left_index[:, 0] == sample)
        pixels = cell.right_index[shown, 2:] + place.padding
        pairs = [
            [(x_grid, tuple(pixel)), (dz_grid, tuple(window))]
            for pixel, window in zip(pixels, cell.left_index[shown, 2:], strict=True)
        ]
        links.append(
            Link(
                [
                    arithmetic(cell, shown, _of_others(len(x))),
                    "letters pair each pixel with its dz" * (len(shown) <= len(LETTERS)),
                ],
                handles=[(dw_grid, tap)],
                pairs=pairs,
                rings=[(dw_grid, tap)],
            )
        )
    cell = explain_conv2d("db", (filter, 0, 0), dz=dz)
    shown = np.flatnonzero(cell.left_index[:, 0] == sample)
    pairs = [[(dz_grid, tuple(window))] for window in cell.left_index[shown, 2:]]
    line = arithmetic(cell, shown, _of_others(len(x)))
    links.append(
        Link(
            [line, "the bias's input is always 1"], [(db_grid, (0, 0))], pairs, [(db_grid, (0, 0))]
        )
    )
    taps = list(np.ndindex(*place.kernel))
    return picture(
        f"Weight gradient {names[2]} of a convolution: each cell sums {names[1]} times the cells "
        f"of {names[0]} that its weight met. {links[0].lines[0]}",
        grids,
        links,
        chosen=len(taps) if chosen == "bias" else taps.index(tuple(chosen)),
        extra=text(12, 18, f"Which pixels does one weight of filter {filter} meet?", "name"),
    )


def draw_conv2d_dx(dz, x, w, index, *, filter=None, **geometry):
    """Which windows sent something to this pixel? One cell of dx, read in two ways.

    Left, scatter: every window that covered the pixel sends it dz·w. Right, gather: the rotated
    kernel lies over the spread dz. Pointing at one product lights it up on both sides.

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
    dz, x, w = map(np.asarray, (dz, x, w))
    place = _place(x, w, geometry)
    cell = explain_conv2d("dx", index, dz=dz, x=x, w=w, **geometry)
    n, channel, *pixel = cell.index
    groups = geometry.get("groups", 1)
    f = channel // w.shape[1] * (len(w) // groups) if filter is None else filter
    c = channel % w.shape[1]
    shown = np.flatnonzero(cell.left_index[:, 1] == f)
    products = cell.product[shown]
    if len(shown) < len(cell):
        products = np.append(products, cell.total - products.sum())

    dx, _, _ = conv2d_backward(dz, x, w, **geometry)
    spread, kernel = _spread(dz[n, f], place), w[f, c]
    limit, w_limit = scales((dx[n, channel], spread, products, cell.total), (kernel,))
    y = TOP + 30
    dz_grid, w_grid = _row(
        (f"dz[{n},{f}]", f"w[{f},{c}]"), (dz[n, f], kernel), 12, y, (limit, w_limit)
    )
    below = max(dz_grid.bottom, w_grid.bottom) + GAP
    dx_name = f"dx[{n},{channel}], hatched where no window lies" * (not _covered(place).all())
    dx_grid = Grid(
        dx_name or f"dx[{n},{channel}]",
        dx[n, channel],
        (12, below),
        limit,
        size=cell_size(spread),
        hatched=~_covered(place),
    )
    right = max(dx_grid.right, w_grid.right) + 2 * GAP
    rotated = Grid(f"w[{f},{c}] rotated by 180°", kernel[::-1, ::-1], (right, y), w_limit)
    spread_grid = Grid(
        f"dz[{n},{f}] spread, zeros around it",
        spread,
        (right, below),
        limit,
        size=cell_size(spread),
    )
    base = max(dx_grid.bottom, spread_grid.bottom) + GAP
    sum_names = "its products" + ", then the other filters'" * (len(shown) < len(cell)), "their sum"
    sums = products[None], np.array([[cell.total]])
    own_scale = limit != w_limit
    sum_grid, total_grid = _row(sum_names, sums, 12, base, (limit, limit), own_scale=own_scale)

    pairs, windows_seen = [], []
    corner = np.add(pixel, place.padding)  # of the rotated kernel on the spread dz
    for rank, t in enumerate(shown):
        window, tap = cell.left_index[t, 2:], cell.right_index[t, 2:]
        turned = place.kernel - tap - 1
        pairs.append(
            [
                (dz_grid, tuple(window)),
                (w_grid, tuple(tap)),
                (rotated, tuple(turned)),
                (spread_grid, tuple(corner + turned * place.dilation)),
                (sum_grid, (0, rank)),
            ]
        )
        start = window * place.stride - place.padding
        windows_seen.append(dx_grid.box(start, _span(place), inset=2.5 * (rank % 6)))
    links = [
        Link(
            _term_lines(cell.term(t), rank, pixel),
            handles=[pair[-1], *pair[:-1]],
            pairs=[[]] * rank + [pair],
            rings=[(dx_grid, tuple(pixel))],
            extra=_outline(windows_seen[rank], "ring"),
        )
        for (rank, t), pair in zip(enumerate(shown), pairs, strict=True)
    ]
    links.append(
        Link(
            [arithmetic(cell, shown, "from the other filters"), _two_readings(len(shown))],
            pairs=pairs,
            rings=[(dx_grid, tuple(pixel)), (total_grid, (0, 0))],
            extra="".join(_outline(path, "arrow") for path in windows_seen),
        )
    )
    titles = "".join(
        text(x, 20, name, "name") + text(x, 37, what)
        for x, name, what in (
            (12, "Scatter", "every window sends back dz·w"),
            (right, "Gather", "the rotated kernel lies over the spread dz"),
        )
    )
    overlay = _outline(spread_grid.box(corner, _span(place)), "arrow")
    return picture(
        f"Input gradient, one cell read in two ways. {links[-1].lines[0]}",
        [dz_grid, w_grid, dx_grid, rotated, spread_grid, sum_grid, total_grid],
        links,
        chosen=len(links) - 1,
        extra=titles + overlay + _factors(spread_grid, corner, kernel[::-1, ::-1], place),
    )


def _term_lines(term, rank, pixel):
    (_, _, i, j), (_, _, kh, kw) = term.left_index, term.right_index
    values = f"{factor(term.left)}·{factor(term.right)} = {number(term.product, 4)}"
    return [
        f"{LETTERS[rank % 26]}: {term} = {values}",
        f"scatter: the window at ({i}, {j}) saw the pixel ({pixel[0]}, {pixel[1]}) through its "
        f"weight ({kh}, {kw}), so it sends dz[{i},{j}] times that weight back",
        "gather: turned by 180°, the same weight lies over the same dz",
    ]


def _two_readings(products):
    if not products:
        return "no window covered this pixel: nothing to send back, and only zeros to gather"
    return "the same products on both sides: point at one"


def _outline(path, css):
    return f'<path class="{css}" d="{path}"/>'


def _factors(grid, corner, rotated, place):
    """The rotated kernel's weights, small, in the corners of the cells it lies over."""
    parts = []
    for tap in np.ndindex(*rotated.shape):
        x, y = grid.corner(np.add(corner, np.multiply(tap, place.dilation)))
        parts.append(
            text(x + grid.size - 3, y + grid.size - 4, f"×{number(rotated[tap])}", "factor", "end")
        )
    return "".join(parts) if grid.size == CELL else ""


def _span(place):
    """Rows and columns from a window's first to its last pixel."""
    return tuple(d * (k - 1) + 1 for d, k in zip(place.dilation, place.kernel, strict=True))


def _spread(dz, place):
    """dz with stride − 1 zeros between its cells, then zeros around: every kernel position fits.

    Below and to the right as many more as there are rows and columns that no window reached.
    """
    border = np.subtract(_span(place), 1)
    shape = np.add(place.image, np.multiply(place.padding, 2)) + border
    spread = np.zeros(shape)
    rows, columns = (
        slice(b, b + s * (size - 1) + 1, s)
        for b, s, size in zip(border, place.stride, dz.shape, strict=True)
    )
    spread[rows, columns] = dz
    return spread


def _covered(place):
    """(H, W) of bools: does any window see the pixel?"""
    covered = np.zeros(place.image, bool)
    for _, _, pixels in place.taps():
        covered[pixels] = True
    return covered


def _place(x, w, geometry):
    options = {name: value for name, value in geometry.items() if name != "groups"}
    return windows("draw_conv2d", x.shape[2:], w.shape[2:], **options)


def _padded(image, place):
    return np.pad(image, [(p, p) for p in place.padding])


def _of_others(samples):
    return "from the other sample" + "s" * (samples > 2)


def _row(names, tables, x, y, limits, *, own_scale=None):
    """Grids side by side; own_scale leaves room for their scales beside their names."""
    own_scale = len(set(limits)) > 1 if own_scale is None else own_scale
    size = cell_size(*tables)
    grids = []
    for name, values, limit in zip(names, tables, limits, strict=True):
        cell = size if max(values.shape) > 4 else CELL
        grids.append(Grid(name, values, (x, y), limit, size=cell))
        x = max(grids[-1].right, grids[-1].named(own_scale=own_scale)) + GAP
    return grids

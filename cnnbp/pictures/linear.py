"""Pictures of the fully connected layer: matrix products, and the way back to images."""

import numpy as np

from cnnbp.explain import cell_name, explain_linear
from cnnbp.linear import flatten_backward, linear, linear_backward
from cnnbp.pictures.arithmetic import arithmetic
from cnnbp.pictures.choice import check_choice, rank_of
from cnnbp.pictures.svg import (
    LETTERS,
    Grid,
    Link,
    cell_size,
    largest,
    picture,
    scales,
    text,
    text_width,
)
from cnnbp.pictures.tables import GAP, LEFT, TOP, paired

MOST = 60  # results that answer to the pointer; of more, the chosen one alone
SAMPLES = 3  # that are drawn as images
RIGHT_WAY, WRONG_WAY = "dx = dz.T.reshape(N, C, H, W)", "the trap: dz.reshape(N, C, H, W)"


def draw_linear_z(x, w, b=None, *, chosen=(0, 0)):
    """z = w x + b: a row of weights times a column, which is one sample.

    Pointing at a cell of z pairs, by letters, the weights of its row with the column's features.

    x (D, N), w (M, D), b (M, 1) or None   as given to linear
    chosen   (m, n) shown while nothing is pointed at
    returns  Svg

    >>> "z[0,0] = a 1·3 + b 2·4 = 11" in draw_linear_z([[1], [2]], [[3, 4]])
    True
    """
    x, w = np.asarray(x), np.asarray(w)
    z = linear(x, w, np.zeros((len(w), 1)) if b is None else b)
    title = "A row of weights times a sample's column"
    names = "w (M, D)", "x (D, N), a column for each sample", "z (M, N)"
    cells = _explained("z", z, chosen, x=x, w=w, b=b)
    met = [(cell.right_index[:, :2], cell.left_index) for cell in cells.values()]
    return _draw(title, names, (w, x, z), cells, met, chosen)


def draw_linear_dx(dz, w, *, chosen=(0, 0)):
    """dx = wᵀ dz: what every output sends back through its weight to a feature.

    dz (M, N), w (M, D)   as given to linear_backward
    chosen, returns       as draw_linear_z

    >>> "dx[0,0] = a 1·3 + b 2·4 = 11" in draw_linear_dx([[1], [2]], [[3], [4]])
    True
    """
    dz, w = np.asarray(dz), np.asarray(w)
    dx, _, _ = linear_backward(dz, np.zeros((w.shape[1], dz.shape[1])), w)
    title = "Every output sends its dz back through its weight"
    names = "wᵀ (D, M)", "dz (M, N), a column for each sample", "dx (D, N)"
    cells = _explained("dx", dx, chosen, dz=dz, w=w)
    met = [(cell.right_index[:, ::-1], cell.left_index) for cell in cells.values()]
    return _draw(title, names, (w.T, dz, dx), cells, met, chosen)


def draw_linear_dw(dz, x, *, chosen=(0, 0)):
    """dw = dz xᵀ: a weight meets one feature of every sample.

    dz (M, N), x (D, N)   as given to linear_backward
    chosen, returns       as draw_linear_z

    >>> "dw[0,0] = a 1·3 + b 2·4 = 11" in draw_linear_dw([[1, 2]], [[3, 4]])
    True
    """
    dz, x = np.asarray(dz), np.asarray(x)
    _, dw, _ = linear_backward(dz, x, np.zeros((len(dz), len(x))))
    title = "A weight's gradient sums over the samples"
    names = "dz (M, N)", "xᵀ (N, D), a row for each sample", "dw (M, D)"
    cells = _explained("dw", dw, chosen, dz=dz, x=x)
    met = [(cell.left_index, cell.right_index[:, ::-1]) for cell in cells.values()]
    return _draw(title, names, (dz, x.T, dw), cells, met, chosen)


def draw_flatten_dx(dz, x_shape, *, chosen=0):
    """Columns folded back into images: transposed first, then reshaped. And the trap beside it.

    Pointing at a cell shows where it belongs, and where reshaping alone would put it.

    dz (C·H·W, N)
    x_shape  (N, C, H, W)
    chosen   row of dz whose first sample is shown while nothing is pointed at
    returns  Svg

    >>> svg = draw_flatten_dx([[0, 4], [1, 5], [2, 6], [3, 7]], (2, 1, 2, 2), chosen=2)
    >>> "dz[2,0] goes home to dx[0,0,1,0]" in svg
    True
    """
    dz = np.asarray(dz)
    right, wrong = flatten_backward(dz, x_shape), dz.reshape(x_shape)
    check_choice(sample=(0, dz.shape[1]), row=(chosen, len(dz)))
    limit = largest(dz)
    dz_grid = Grid("dz (C·H·W, N)", dz, (LEFT, TOP + 20), limit, size=cell_size(dz))
    at_home, end, said = _images(right, RIGHT_WAY, dz_grid.reach() + GAP, limit)
    in_trap, end, warned = _images(wrong, WRONG_WAY, end + GAP, limit)
    ranks = range(dz.size) if dz.size <= MOST else [chosen * dz.shape[1]]
    homes = flatten_backward(np.arange(dz.size).reshape(dz.shape), x_shape)
    links = []
    for rank in ranks:
        cell = divmod(rank, dz.shape[1])
        home = tuple(map(int, np.argwhere(homes == rank)[0]))
        trap = tuple(map(int, np.unravel_index(rank, x_shape)))
        places = [(dz_grid, cell), *_at(at_home, home), *_at(in_trap, trap)]
        links.append(Link(_where_to(cell, home, trap), handles=places, rings=places))
    rank = list(ranks).index(chosen * dz.shape[1])
    return picture(
        f"Flattening, backward: transpose, then reshape. {links[rank].lines[0]}",
        [dz_grid, *at_home.values(), *in_trap.values()],
        links,
        chosen=rank,
        extra=text(LEFT, 18, "Which pixel does a row of dz belong to?", "name") + said + warned,
        width=end,
    )


def _where_to(cell, home, trap):
    """The lines that say where a cell of dz belongs, and where reshaping alone would put it."""
    row, sample = cell
    return [
        f"{cell_name('dz', cell)} goes home to {cell_name('dx', home)}: its column {sample} is the "
        f"sample, its row {row} = (c·H + h)·W + v the pixel",
        f"reshaped without transposing, it is taken for {cell_name('dx', trap)}"
        + ", a pixel of another sample" * (trap[0] != sample),
    ]


def _explained(wanted, result, chosen, **operands):
    """The Cell of each result that answers to the pointer."""
    every = result.size <= MOST
    results = np.ndindex(*result.shape) if every else [tuple(chosen)]
    return {index: explain_linear(wanted, index, **operands) for index in results}


def _draw(title, names, tables, cells, met, chosen):
    """A matrix product: the left factor beside the result, the other one above it.

    met   for each cell, where its products' factors stand in the left and in the upper table
    """
    left, upper, _ = tables
    limits = scales(*([table] for table in tables))
    size = cell_size(left, upper)
    named = text_width(f"{names[0]} · max −0.125", bold=True)
    x = LEFT + max(left.shape[1] * size, named) + GAP
    upper_grid = Grid(names[1], upper, (x, TOP), limits[1], size=size)
    y = upper_grid.bottom + GAP
    left_grid = Grid(names[0], left, (LEFT, y), limits[0], size=size)
    result_grid = Grid(names[2], tables[2], (x, y), limits[2], size=size)

    links = []
    for (index, cell), (in_left, in_upper) in zip(cells.items(), met, strict=True):
        terms = len(cell)
        lines = [arithmetic(cell, rest="from the bias")]
        if terms <= len(LETTERS):
            lines.append("letters pair the factors of a product")
        pairs = paired((left_grid, in_left[:terms]), (upper_grid, in_upper[:terms]))
        links.append(Link(lines, [(result_grid, index)], pairs, [(result_grid, index)]))
    rank = rank_of(chosen, cells)
    return picture(
        f"{title}. {links[rank].lines[0]}",
        [left_grid, upper_grid, result_grid],
        links,
        chosen=rank,
        extra=text(LEFT, 18, title, "name"),
    )


def _images(images, title, x, limit):
    """The first samples, each a row of channels: (n, c) -> Grid, where they end, and a title."""
    height, width = np.multiply(images.shape[2:], size := cell_size(images[0, 0])).tolist()
    grids = {}
    for n, c in np.ndindex(min(len(images), SAMPLES), images.shape[1]):
        at = x + c * (width + GAP), TOP + 20 + n * (height + GAP)
        grids[n, c] = Grid(cell_name("", (n, c)), images[n, c], at, limit, size=size)
    end = max(x + text_width(title), *(grid.right for grid in grids.values()))
    return grids, end, text(x, TOP - 5, title)


def _at(grids, pixel):
    """The pixel's cell, if its sample is drawn."""
    n, c, h, v = pixel
    return [(grids[n, c], (h, v))] if (n, c) in grids else []

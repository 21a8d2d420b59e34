"""Pictures of the fully connected layer: matrix products, and the way back to images."""

import numpy as np

from cnnbp.explain import cell_name, explain_linear
from cnnbp.linear import flatten_backward, linear, linear_backward
from cnnbp.pictures.answers import TRANSPOSED, Answers, Seen
from cnnbp.pictures.choice import check_choice, rank_of
from cnnbp.pictures.lens import around, table
from cnnbp.pictures.svg import CELL, Block, Link, largest, picture, scales, text, text_width
from cnnbp.pictures.tables import GAP, LEFT, TOP, cells_of

SAMPLES = 3  # that are drawn as images
LETTERS_PAIR = "letters pair the factors of a product"
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
    names = "w (M, D)", "x (D, N)", "z (M, N)"
    tables = {"w": (w, names[0]), "x": (x, names[1]), "z": (z, names[2])}
    return _draw(title, tables, chosen, {"x": x, "w": w, "b": b})


def draw_linear_dx(dz, w, *, chosen=(0, 0)):
    """dx = wᵀ dz: what every output sends back through its weight to a feature.

    dz (M, N), w (M, D)   as given to linear_backward
    chosen, returns       as draw_linear_z

    >>> "dx[0,0] = a 1·3 + b 2·4 = 11" in draw_linear_dx([[1], [2]], [[3], [4]])
    True
    """
    dz, w = np.asarray(dz), np.asarray(w)
    dx, _, _ = linear_backward(dz, np.zeros((w.shape[1], dz.shape[1])), w)
    title = "Every output sends its dz back through its weight; a column for each sample"
    names = "wᵀ (D, M)", "dz (M, N)", "dx (D, N)"
    tables = {"w": (w.T, names[0]), "dz": (dz, names[1]), "dx": (dx, names[2])}
    return _draw(title, tables, chosen, {"dz": dz, "w": w}, turned="w", went="went back to")


def draw_linear_dw(dz, x, *, chosen=(0, 0)):
    """dw = dz xᵀ: a weight meets one feature of every sample.

    dz (M, N), x (D, N)   as given to linear_backward
    chosen, returns       as draw_linear_z

    >>> "dw[0,0] = a 1·3 + b 2·4 = 11" in draw_linear_dw([[1, 2]], [[3, 4]])
    True
    """
    dz, x = np.asarray(dz), np.asarray(x)
    _, dw, _ = linear_backward(dz, x, np.zeros((len(dz), len(x))))
    title = "A weight's gradient sums over the samples, which are rows of xᵀ"
    names = "dz (M, N)", "xᵀ (N, D)", "dw (M, D)"
    tables = {"dz": (dz, names[0]), "x": (x.T, names[1]), "dw": (dw, names[2])}
    return _draw(title, tables, chosen, {"dz": dz, "x": x}, turned="x")


def draw_flatten_dx(dz, x_shape, *, chosen=0, sample=0):
    """Columns folded back into images: transposed first, then reshaped. And the trap beside it.

    Pointing at a cell shows where it belongs, and where reshaping alone would put it.

    dz (C·H·W, N)
    x_shape         (N, C, H, W)
    chosen, sample  row and column of the cell of dz shown while nothing is pointed at
    returns         Svg

    >>> svg = draw_flatten_dx([[0, 4], [1, 5], [2, 6], [3, 7]], (2, 1, 2, 2), chosen=2)
    >>> "dz[2,0] goes home to dx[0,0,1,0]" in svg
    True
    """
    dz = np.asarray(dz)
    check_choice(sample=(sample, dz.shape[1]), row=(chosen, len(dz)))
    homes = flatten_backward(np.arange(dz.size).reshape(dz.shape), x_shape)
    home = lambda rank: tuple(map(int, np.argwhere(homes == rank)[0]))  # noqa: E731
    trap = lambda rank: tuple(map(int, np.unravel_index(rank, x_shape)))  # noqa: E731
    limit, rank, at = largest(dz), chosen * dz.shape[1] + sample, (LEFT, TOP + 20)
    grid, thumb = table("dz (C·H·W, N)", dz, at, limit, (chosen, sample))
    blocks = [Block([grid], thumb, (0, TOP + 152 if thumb else 0), start=(LEFT, TOP - 24))]
    right, wrong, x = flatten_backward(dz, x_shape), dz.reshape(x_shape), grid.reach() + GAP
    at_home, block = _images(right, RIGHT_WAY, x, limit, home(rank))
    in_trap, last = _images(wrong, WRONG_WAY, block.reach[0] + GAP, limit, trap(rank))
    ranks = [n * dz.shape[1] + column for n, column in cells_of(grid)]
    first = ranks.index(rank)
    ranks += [*(int(homes[at]) for at in _pixels(at_home)), *_ranks(_pixels(in_trap), x_shape)]
    tables, columns = ([Seen(grid, dz.shape)], at_home, in_trap), dz.shape[1]
    links = [_moved(tables, divmod(r, columns), home(r), trap(r)) for r in dict.fromkeys(ranks)]
    return picture(
        f"Flattening, backward: transpose, then reshape. {links[first].lines[0]}",
        [*blocks, block, last],
        links,
        title="Which pixel does a row of dz belong to?",
        chosen=first,
    )


def _moved(tables, cell, home, trap):
    """The link of a cell of dz, where it belongs and where reshaping alone would put it."""
    at = zip(tables, (cell, home, trap), strict=True)
    places = [place for seen, index in at for place in _at(seen, index)]
    return Link(_where_to(cell, home, trap), places, rings=places)


def _where_to(cell, home, trap):
    """The lines that say where a cell of dz belongs, and where reshaping alone would put it."""
    row, sample = cell
    return [
        f"{cell_name('dz', cell)} goes home to {cell_name('dx', home)}: its column {sample} is the "
        f"sample, its row {row} = (c·H + h)·W + v the pixel",
        f"reshaped without transposing, it is taken for {cell_name('dx', trap)}"
        + ", a pixel of another sample" * (trap[0] != sample),
    ]


def _draw(title, tables, chosen, operands, turned=None, went="went into"):
    """A matrix product: the left factor beside the result, the other one above it.

    tables    dict of name -> (the array as it is drawn, its heading): left, upper, result
    operands  what explain_linear takes
    turned    name of the array that is drawn transposed
    """
    left, upper, wanted = tables
    rank_of(chosen, np.ndindex(*tables[wanted][0].shape))
    grids, extra, reach = _lay_out([*tables.values()], _centers(wanted, chosen, operands))
    seen = {}
    for (name, (values, _)), grid in zip(tables.items(), grids, strict=True):
        shape, turn = (values.T.shape, TRANSPOSED) if name == turned else (values.shape, None)
        seen[name] = [Seen(grid, shape, (), turn)]
    results = cells_of(grids[2])
    cells = [explain_linear(wanted, index, **operands) for index in results]
    answers = Answers(cells, seen, rest="from the bias", went=went)
    links = [answers.of_result(rank, (), LETTERS_PAIR) for rank in range(len(results))]
    links += [
        *answers.of_factors(left, operands[left]),
        *answers.of_factors(upper, operands[upper]),
    ]
    rank = rank_of(chosen, results)
    return picture(
        f"{title}. {links[rank].lines[0]}",
        [Block(grids, extra, reach, start=(LEFT, TOP - 24))],
        links,
        title=title,
        chosen=rank,
    )


def _centers(wanted, chosen, operands):
    """Where lenses lie on the left, the upper and the result's table: at the largest product."""
    cell = explain_linear(wanted, chosen, **operands)
    along = np.abs(cell.product).argmax() if len(cell) else 0
    return (chosen[0], along), (along, chosen[1]), chosen


def _lay_out(tables, centers):
    """The Grids of left, upper and result, what lies beside them, and how far they reach."""
    limits = scales(*([values] for values, _ in tables))
    left, upper, _ = tables
    named = text_width(f"{left[1]} · max −0.125", bold=True)
    partial = [around(values.shape, at) for (values, _), at in zip(tables, centers, strict=True)]
    thumb = [128 * lens.partial for lens in partial]
    x = LEFT + max(partial[0].shape[1] * CELL + thumb[0], named) + GAP
    x_upper = x + max(0, thumb[2] - thumb[1])
    upper_grid, over = table(upper[1], upper[0], (x_upper, TOP), limits[1], centers[1])
    y = max(upper_grid.bottom, TOP + 132 if over else 0) + GAP
    left_grid, beside = table(left[1], left[0], (LEFT, y), limits[0], centers[0])
    result, own = table(tables[2][1], tables[2][0], (x, y), limits[2], centers[2])
    right = max(grid.reach(len(set(limits)) > 1) for grid in (upper_grid, result))
    return (
        [left_grid, upper_grid, result],
        over + beside + own,
        (right, y + 132 if own or beside else 0),
    )


def _images(images, title, x, limit, pixel):
    """The first samples, each a row of channels; or large ones' cells around a pixel.

    returns  a list of Seen, and the Block of all their tables
    """
    N, C, *shape = images.shape
    large = around(shape, pixel[2:]).partial or C * shape[1] > 12
    shown = [pixel[:2]] if large else list(np.ndindex(min(N, SAMPLES), C))
    seen, extra = [], text(x, TOP - 5, title)
    for n, c in shown:
        step = (0, 0) if large else np.multiply((n, c), np.multiply(shape, CELL) + GAP).tolist()
        at = x + step[1], TOP + 20 + step[0]
        grid, thumb = table(cell_name("", (n, c)), images[n, c], at, limit, pixel[2:])
        seen.append(Seen(grid, tuple(shape), (n, c)))
        extra += thumb
    grids = [each.grid for each in seen]
    end = max(x + text_width(title), *(grid.right for grid in grids))
    return seen, Block(grids, extra, (end, TOP + 152 if large else 0), start=(x, TOP - 24))


def _at(seen, pixel):
    """The pixel's cell, if its sample is drawn."""
    return [place for each in seen if (place := each.cell(pixel))]


def _ranks(pixels, shape):
    """How many numbers of an array come before each of these."""
    return [int(np.ravel_multi_index(pixel, shape)) for pixel in pixels]


def _pixels(seen):
    """The indices of the pixels that these tables show."""
    return [index for each in seen for index in each.indices]

"""Arrays as text and as linked tables: what a verdict and a statement show of their numbers."""

import numpy as np

from cnnbp.exercises.check.saying import brief, worst_cell
from cnnbp.exercises.pages.page import preformatted
from cnnbp.explain import cell_name
from cnnbp.network import Network
from cnnbp.pictures.svg import CELL, Grid, Link, largest, number, picture

MARGIN = 24  # pixels between two tables
MOST = 6  # rows and columns of a table; larger ones are cut around the cell in question


def written_out(name, value):
    """A name and its value in full, its leading axes of length 1 left out.

    >>> print(written_out("dz", np.array([[[[1.0, -2.0], [0.5, 10.0]]]])))
    dz (1, 1, 2, 2)
       1   −2
     0.5   10
    """
    if isinstance(value, list) and all(isinstance(each, np.ndarray) for each in value):
        return "\n".join(written_out(f"{name}[{i}]", each) for i, each in enumerate(value))
    if isinstance(value, np.ndarray) and value.ndim:
        return "\n".join([f"{name} {value.shape}", *_rows(value)])
    if isinstance(value, Network):
        return f"{name}\n{value}"
    if isinstance(value, frozenset):
        return "\n".join([name, *(f" {each}" for each in entries(value))])
    return f"{name} {brief(value)}"


def entries(terms):
    """What a set holds, in order, as text: indices, or pairs of them.

    >>> entries({((0, 1), (2, 3)), (0, 0)})
    ['(0, 0)', '(0, 1), (2, 3)']
    """
    pairs = sorted(each for each in terms if isinstance(each[0], tuple))
    single = sorted(each for each in terms if not isinstance(each[0], tuple))
    return [*map(str, single), *(", ".join(map(str, pair)) for pair in pairs)]


def matrices(values):
    """(title, matrix) for every matrix of every array."""
    for name, value in values.items():
        if isinstance(value, list) and all(isinstance(each, np.ndarray) for each in value):
            yield from matrices({f"{name}[{i}]": each for i, each in enumerate(value)})
        elif isinstance(value, np.ndarray):
            stacked = np.atleast_2d(value)
            for index in np.ndindex(stacked.shape[:-2]):
                yield cell_name(name, index), stacked[index]


def arranged(values, make, corner, width):
    """Tables of all matrices beside one another, in as many rows as it takes.

    make    (title, matrix, at) -> Grid
    corner  (x, y) of the first one
    width   of the page, in pixels
    """
    grids, (left, y) = [], corner
    x, bottom = left, y
    for title, matrix in matrices(values):
        wide = max(matrix.shape[1] * CELL, 7 * len(title)) + MARGIN
        if x + wide > width and x > left:
            x, y = left, bottom + 28
        grids.append(make(title, matrix, (x, y)))
        x, bottom = x + wide, max(bottom, grids[-1].bottom)
    return grids


def tables(description, values):
    """The matrices of some values as colored tables, everything else in lines: (html, text)."""
    text = "\n".join(written_out(name, value) for name, value in values.items())
    shown = [matrix for _, matrix in matrices(values)]
    if not shown:
        return preformatted(text), text
    limit = largest(*(matrix[np.isfinite(matrix)] for matrix in shown))
    grids = arranged(values, lambda *of: Grid(*of, limit), (12, 28), 620)
    drawn = picture(description, grids, [])
    others = {name: value for name, value in values.items() if not list(matrices({name: value}))}
    lines = "\n".join(written_out(name, value) for name, value in others.items())
    return drawn + (preformatted(lines) if lines else ""), text


def _rows(array):
    """The lines of an array's matrices, an empty line between two."""
    matrices = array.reshape(-1, *np.atleast_2d(array).shape[-2:])
    width = max(len(number(value)) for value in array.flat)
    for i, matrix in enumerate(matrices):
        if i:
            yield ""
        for row in matrix:
            yield " " + "  ".join(f"{number(value):>{width}}" for value in row)


def side_by_side(tables):
    """Texts of several lines, next to one another.

    >>> print(side_by_side(["a\\nbb", "c"]))
    a    c
    bb
    """
    columns = [table.splitlines() for table in tables]
    height = max(map(len, columns))
    widths = [max(map(len, column)) for column in columns]
    lines = (
        "   ".join(
            f"{column[i] if i < len(column) else '':<{width}}"
            for column, width in zip(columns, widths, strict=True)
        )
        for i in range(height)
    )
    return "\n".join(line.rstrip() for line in lines)


def comparison(name, yours, expected):
    """The matrix around the worst cell of two arrays: (SVG, text) of yours, expected, difference.

    Pointing at a cell of one table shows the same cell in all three.
    """
    worst = worst_cell(yours, expected)
    where, at = worst[:-2], (0, 0, *worst)[-2:]  # which matrix, and the cell in it
    shape = np.atleast_2d(expected).shape[-2:]
    first = [max(0, min(i - MOST // 2, n - MOST)) for i, n in zip(at, shape, strict=True)]
    rows, columns = (slice(start, start + MOST) for start in first)
    tables = [np.atleast_2d(array)[where][rows, columns] for array in (yours, expected)]
    tables.append(tables[0] - tables[1])
    titles = [f"yours: {cell_name(name, where)}", "expected", "difference"]
    text = side_by_side(
        "\n".join([title, *_rows(table)]) for title, table in zip(titles, tables, strict=True)
    )
    grids = _in_a_row(titles, tables)
    links = []
    for cell in np.ndindex(tables[0].shape):
        index = where + tuple(map(int, np.add(first, cell)))[2 - min(2, expected.ndim) :]
        yours_here, expected_here, difference = (number(table[cell]) for table in tables)
        line = (
            f"{cell_name(name, index)}: yours {yours_here}, expected {expected_here}, "
            f"difference {difference}"
        )
        cells = [(grid, cell) for grid in grids]
        links.append(Link([line], handles=cells, rings=cells))
    chosen = int(np.ravel_multi_index(np.subtract(at, first), tables[0].shape))
    description = f"{name}: yours, expected and their difference"
    return picture(description, grids, links, chosen=chosen), text


def _in_a_row(titles, tables):
    """Grids beside one another, with one scale of colors."""
    limit = max(np.abs(table[np.isfinite(table)]).max(initial=0) for table in tables) or 1.0
    grids, x = [], 12
    for title, table in zip(titles, tables, strict=True):
        grids.append(Grid(title, table, (x, 32), limit))
        x = max(grids[-1].right, x + 7 * len(title)) + 28
    return grids

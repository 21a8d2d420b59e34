"""Arrays as text and as linked tables: what a verdict and a statement show of their numbers."""

import numpy as np

from cnnbp.pictures.svg import Grid, Link, number, picture

MOST = 6  # rows and columns of a table; larger ones are cut around the cell in question


def cell_name(name, index):
    """The name of one cell, as the course writes it.

    >>> cell_name("dw", (1, 0, 2, 1)), cell_name("dx", ())
    ('dw[1,0,2,1]', 'dx')
    """
    return f"{name}[{','.join(map(str, index))}]" if len(index) else name


def worst_cell(yours, expected):
    """The index where two arrays of the same shape differ most; one that is NaN comes first.

    >>> worst_cell(np.array([1.0, 5.0, 2.0]), np.array([1.0, 2.0, 4.0]))
    (1,)
    """
    difference = np.abs(np.asarray(yours, float) - expected)
    worst = np.argmax(np.where(np.isnan(difference), np.inf, difference))
    return tuple(map(int, np.unravel_index(worst, difference.shape)))


def unlike(value, other):
    """Two numbers as text, with as many digits as it takes to see that they differ.

    >>> unlike(1.0, 2.0), unlike(1.5, 1.5000004)
    (('1', '2'), ('1.5', '1.5000004'))
    """
    for digits in (3, 6, 10):
        shown = number(value, digits), number(other, digits)
        if shown[0] != shown[1]:
            break
    return shown


def given(arguments):
    """The arguments of a case in one line: the shapes of arrays, the values of everything else.

    >>> given({"dz": np.ones((2, 3)), "stride": (1, 2)})
    'dz (2, 3), stride (1, 2)'
    """
    return ", ".join(f"{name} {brief(value)}" for name, value in arguments.items())


def brief(value):
    """An array's shape, a number, a function's name, anything else as Python writes it."""
    if isinstance(value, np.ndarray):
        return f"{value.shape}" if value.ndim else number(float(value))
    if isinstance(value, list):
        return f"[{', '.join(map(brief, value))}]"
    if isinstance(value, float):
        return number(value)
    return value.__name__ if callable(value) else f"{value!r}"


def written_out(name, value):
    """A name and its value in full, its leading axes of length 1 left out.

    >>> print(written_out("dz", np.array([[[[1.0, -2.0], [0.5, 10.0]]]])))
    dz (1, 1, 2, 2)
       1   −2
     0.5   10
    """
    if isinstance(value, list):
        return "\n".join(written_out(f"{name}[{i}]", each) for i, each in enumerate(value))
    if isinstance(value, np.ndarray) and value.ndim:
        return "\n".join([f"{name} {value.shape}", *_rows(value)])
    if isinstance(value, frozenset):
        return "\n".join([name, *(f" {left}, {right}" for left, right in sorted(value))])
    return f"{name} {brief(value)}"


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
    return picture(description, grids, links, chosen=chosen, lines=1), text


def _in_a_row(titles, tables):
    """Grids beside one another, with one scale of colors."""
    limit = max(np.abs(table[np.isfinite(table)]).max(initial=0) for table in tables) or 1.0
    grids, x = [], 12
    for title, table in zip(titles, tables, strict=True):
        grids.append(Grid(title, table, (x, 32), limit))
        x = max(grids[-1].right, x + 7 * len(title)) + 28
    return grids

"""Where the tables of a picture stand, and how the cells of one product are told."""

from cnnbp.pictures.svg import CELL, Grid, cell_size

LEFT, TOP, GAP = 12, 46, 40  # pixels beside and above the tables, and between them


def side_by_side(names, tables, x, y, limits, *, own_scale=None):
    """Grids in a row; own_scale leaves room for their scales beside their names."""
    own_scale = len(set(limits)) > 1 if own_scale is None else own_scale
    size = cell_size(*tables)
    grids = []
    for name, values, limit in zip(names, tables, limits, strict=True):
        cell = size if max(values.shape) > 4 else CELL
        grids.append(Grid(name, values, (x, y), limit, size=cell))
        x = grids[-1].reach(own_scale) + GAP
    return grids


def about_hatching(unseen):
    """What a table's name adds if some of its cells are hatched."""
    return ", hatched: no window" * bool(unseen.any())


def paired(*places):
    """For each product its cells in all tables; places are (grid, cells) of equal length."""
    columns = [[(grid, tuple(cell)) for cell in cells] for grid, cells in places]
    return [list(pair) for pair in zip(*columns, strict=True)]

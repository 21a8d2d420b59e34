"""The picture of a lineage: one gradient cell's way to the loss, a column a layer."""

import math

import numpy as np

from cnnbp.explain import cell_name
from cnnbp.lineage import NO_LOSS, Lineage, lineage
from cnnbp.pictures.arithmetic import arithmetic, factors
from cnnbp.pictures.svg import CELL, Area, Block, Grid, Link, largest, number, outline, picture
from cnnbp.pictures.svg import text as written
from cnnbp.pictures.tables import LEFT

MOST = 6  # products that a column shows; of more, the five largest and what the others add up to
COLUMN = 256  # pixels from one column to the next
ACROSS = 4  # columns beside one another
HEAD, ROW = 62, CELL + 4  # pixels above a column's cell, and from one product to the next


def draw_lineage(found, layer=None, wanted=None, index=None, *, loss=None):
    """Where does this number come from, all the way to the loss? A column a layer.

    A column shows a cell and the products that it is the sum of. The followed product is framed;
    its dz is the cell of the next column. The last column is the loss's own formula.

    found    a cnnbp.lineage.Lineage; or a Network after forward and backward, and then
    layer, wanted, index, loss   as cnnbp.lineage takes them
    returns  Svg

    >>> from cnnbp import Linear, Network
    >>> network = Network([Linear(1, 2), Linear(2, 1)])
    >>> network.params["0.w"][...], network.params["1.w"][...] = [[2], [3]], [[5, 7]]
    >>> z, dx = network.forward([[1.0]]), network.backward([[1.0]])
    >>> draw_lineage(network, 0, "dx", (0, 0)).description
    'The way of dx[0,0] = 31 to the last dz: the followed way contributes 67.7 % of it, 2 ways \
lead there. dx[0,0] = dz[0,0]·w[0,0] + dz[1,0]·w[1,0] = 31'
    """
    if not isinstance(found, Lineage):
        found = lineage(found, layer, wanted, index, loss=loss)
    limit = largest(*(np.append(cell.product, cell.total) for cell in found.cells))
    tall = HEAD + CELL + 28 + 24 + ROW * min(MOST, max(1, *map(len, found.cells)))
    columns = [
        _Column(found, depth, LEFT + depth % ACROSS * COLUMN, 44 + depth // ACROSS * tall, limit)
        for depth in range(len(found.cells))
    ]
    links = [Link(_summary(found))]
    links += [link for column in columns for link in column.links()]
    arithmetic_of_it = repr(found).splitlines()[0].partition(": ")[2]
    return picture(
        f"{links[0].lines[0]}. {arithmetic_of_it}",
        [column.block() for column in columns],
        links,
        title=f"Where does {_name(found.cells[0])} come from?",
    )


def shown_products(cell, followed=None):
    """The numbers of the products that a column shows, in order: the largest and the followed.

    cell      an explain.Cell
    followed  number of the product that is shown in any case
    returns   list of ints

    >>> from cnnbp.explain import explain_linear
    >>> cell = explain_linear("dw", (0, 0), dz=[[1, 2, 3, 4, 5, 6, 7]], x=np.ones((1, 7)))
    >>> shown_products(cell), shown_products(cell, followed=0)
    ([2, 3, 4, 5, 6], [0, 3, 4, 5, 6])
    """
    if len(cell) <= MOST:
        return list(range(len(cell)))
    order = np.argsort(-np.abs(cell.product), kind="stable").tolist()
    if followed is not None:
        order.remove(followed)
        order.insert(0, followed)
    return sorted(order[: MOST - 1])


class _Column:
    """One layer's cell, and below it the products that it is the sum of."""

    def __init__(self, found, depth, x, y, limit):
        self.found, self.cell, self.layer = found, found.cells[depth], found.names[depth]
        self.depth, self.x, self.y = depth, x, y
        self.number = found.numbers[depth] if depth < len(found.numbers) else None
        self.shown = shown_products(self.cell, self.number)
        products = self.cell.product[self.shown].tolist()
        if len(self.shown) < len(self.cell):
            products.append(self.cell.product.sum() - sum(products))
        if self.cell.bias is not None:
            products.append(self.cell.bias)
        top = y + HEAD
        self.total = Grid(_name(self.cell), [[self.cell.total]], (x, top), limit)
        self.products = [
            Grid("", [[product]], (x, top + CELL + 28 + ROW * rank), limit)
            for rank, product in enumerate(products)
        ]

        self.areas = [Area(g.x, g.y, COLUMN - 24, CELL) for g in self.products]

    def block(self):
        """All of it, as wide as every other column."""
        grids = [self.total, *self.products]
        reach = self.x + COLUMN - 20, grids[-1].bottom + 3
        drawing = self._words() + self._followed()
        return Block(grids, drawing, reach, self.areas, (self.x, self.y))

    def _words(self):
        """Whose cell it is, what it is for the layer before, and what the products are."""
        parts = [written(self.x, self.y + 14, self.layer, "name")]
        if self.depth:
            before = self.found.terms[self.depth - 1]
            which = cell_name(before.left_name, before.left_index)
            parts.append(written(self.x, self.y + 32, f"the {which} of the layer before", "quiet"))
        else:
            parts.append(written(self.x, self.y + 32, "the cell", "quiet"))
        if self.cell.note:
            note = self.cell.note.replace("-", "−")
            parts.append(written(self.total.right + 8, self.total.y + 25, note))
        below = self.total.bottom + 18
        some = len(self.products) > 0
        parts.append(written(self.x, below, "is the sum of" if some else "is 0: a sum of nothing"))
        for grid, (name, values) in zip(self.products, self._said(), strict=True):
            parts.append(written(grid.right + 8, grid.y + 17, name))
            parts.append(written(grid.right + 8, grid.y + 33, values, "quiet"))
        return "".join(parts)

    def _said(self):
        """For every row what it is, in names and in numbers."""
        cell, rows = self.cell, []
        for t in self.shown:
            rows.append((str(cell.term(t)), f"{factors(cell, t)} = {number(cell.product[t], 4)}"))
        if len(self.shown) < len(cell):
            rows.append((f"{len(cell) - len(self.shown)} more products", "added up"))
        if cell.bias is not None:
            rows.append((cell.bias_name, f"= {number(cell.bias, 4)}"))
        return rows

    def _followed(self):
        """A frame around the followed product, and an arrow out of it."""
        if self.number is None:
            return ""
        rank = self.shown.index(self.number)
        grid, at = self.products[rank], self.x + COLUMN - 34
        return outline(self.areas[rank].box(inset=-2)) + written(at, grid.y + 17, "→", "name")

    def links(self):
        """The link of the cell, and of each product."""
        handle = self.total, (0, 0)
        yield Link([f"{self.layer}: {arithmetic(self.cell)}"], [handle], [], [handle])
        for area, (name, values) in zip(self.areas, self._said(), strict=True):
            yield Link([f"{self.layer}: {name}: {values}"], [(area, None)], [], [(area, None)])


def _name(cell):
    return cell_name(cell.wanted, cell.index)


def _summary(found):
    """How many ways there are, and what the followed one contributes."""
    cell = found.cells[0]
    name = f"{_name(cell)} = {number(cell.total, 4)}"
    if not len(found.cells[-1]):
        missed = found.names[-1] == NO_LOSS
        why = "no loss has its row" if missed else f"nothing comes back to {found.names[-1]}"
        return [f"The way of {name} ends: {why}"]
    ends = found.names[-1] if len(found.names) > len(found.terms) else ""
    share = "" if math.isnan(found.share) else f"{number(100 * found.share)} % of it, "
    where = f"the {ends}" if ends else "the last dz"
    whither = "to the losses" if len(found.losses) > 1 else "there"
    return [
        f"The way of {name} to {where}: the followed way contributes {share}"
        f"{found.paths:,} way{'s' * (found.paths != 1)} lead{'s' * (found.paths == 1)} {whither}"
    ]

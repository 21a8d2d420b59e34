"""What every cell of a picture's tables answers: the products that made it, or what it made.

The products are explain's. A result answers with those that it is the sum of. A factor answers
with the results that it went into.
"""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from itertools import chain, groupby, pairwise
from typing import NamedTuple

import numpy as np

from cnnbp.explain import cell_name
from cnnbp.pictures.arithmetic import LARGEST, arithmetic, factors
from cnnbp.pictures.grid import LETTERS, Grid, number
from cnnbp.pictures.svg import MANY, Link

MOST_SAID = 12, 9  # products of a result, and results of a factor, that are written one by one
FEWER = 9, 5  # in a picture of many links, which would weigh too much


class Turn(NamedTuple):
    """What becomes of a (row, column) of an array on its way to its table, and the way back."""

    there: Callable
    back: Callable


TRANSPOSED = Turn(lambda row, column: (column, row), lambda row, column: (column, row))


@dataclass
class Seen:
    """Where a table shows an array: one of its matrices, perhaps a part of it, perhaps turned.

    grid    the table
    shape   (rows, columns) of the matrix
    prefix  its index: (n, c) of an array with four axes, () of a matrix
    turn    a Turn if the table shows it turned
    """

    grid: Grid
    shape: tuple
    prefix: tuple = ()
    turn: Turn | None = None
    known: dict = field(default_factory=dict)

    @cached_property
    def indices(self):
        """The index of the array that every cell of the table shows, in row order; or None."""
        return [self.index(cell) for cell in self.grid.cells]

    def cell(self, index):
        """The (grid, cell) that shows this index of the array, or None."""
        index = tuple(index)
        if index not in self.known:  # every link asks for the same ones
            self.known[index] = self._cell(index)
        return self.known[index]

    def _cell(self, index):
        if index[:-2] != self.prefix:
            return None
        at = self.turn.there(*index[-2:]) if self.turn else index[-2:]
        cell = self.grid.place(*at)
        return None if cell is None else (self.grid, cell)

    def index(self, cell):
        """The index of the array that a cell of the table shows, None if it shows none."""
        (row, column), (top, left), (rows, columns) = cell, self.grid.first, self.shape
        at = row + top, column + left
        row, column = (self.turn.back(*at) or (-1, -1)) if self.turn else at
        inside = 0 <= row < rows and 0 <= column < columns
        return (*self.prefix, row, column) if inside else None

    def holds(self, indices):
        """Which of the (T, k) indices belong to its matrix, whether or not a lens leaves them."""
        return (indices[:, : len(self.prefix)] == self.prefix).all(axis=1)

    def cells(self, indices):
        """For each of them the (grid, cell) that shows it, or None."""
        at = indices[:, -2], indices[:, -1]
        row, column = self.turn.there(*at) if self.turn else at
        row, column = row - self.grid.first[0], column - self.grid.first[1]
        rows, columns = shape = self.grid.values.shape
        inside = (row >= 0) & (row < rows) & (column >= 0) & (column < columns)
        every = [*((self.grid, cell) for cell in np.ndindex(shape)), None]
        which = np.where(self.holds(indices) & inside, row * columns + column, -1)
        return [every[cell] for cell in which.tolist()]


class Answers:
    """The links of a picture: one for every result that is seen, one for every factor.

    cells   an explain.Cell for each result that is seen, in the order of the links
    seen    dict of array's name -> a list of Seen; the picture shows the products of which each
            factor lies in one of them. Arrays that are not in it ("1", a slope) have no table
    rest    what the products that are not shown are, as in "from the other channels"
    went    how a factor's products are told: "went into", "went back to"
    """

    def __init__(self, cells, seen, *, rest="", went="went into"):
        self.cells, self.seen, self.rest, self.went = cells, seen, rest, went
        links = sum(len(table.grid.cells) for tables in seen.values() for table in tables)
        self.most = MOST_SAID if links <= MANY else FEWER
        self.results = [self.places(cell.wanted, cell.index) for cell in cells]
        self.names = [cell_name(cell.wanted, cell.index) for cell in cells]
        self.shown = []  # for each cell the numbers of the products whose factors are in tables
        self.made = defaultdict(list)  # (name, index) of a factor -> the (cell's, its) numbers
        self._found = []  # for each cell and either factor, where its products are seen
        for _, alike in groupby(cells, key=lambda cell: (cell.left_name, cell.right_name)):
            self._locate(list(alike))

    def _locate(self, cells):
        """Find the products of all cells at once, since those of one are few."""
        first, sizes = len(self._found), [len(cell) for cell in cells]
        ends = np.cumsum(sizes)
        owner = np.repeat(np.arange(len(cells)), sizes)
        within = np.arange(len(owner)) - (ends - sizes)[owner]
        sides = (
            (cells[0].left_name, np.concatenate([cell.left_index for cell in cells])),
            (cells[0].right_name, np.concatenate([cell.right_index for cell in cells])),
        )
        held = [self._held(name, indices) for name, indices in sides]
        found = [self._seen_at(name, indices) for name, indices in sides]
        shown = held[0] & held[1]
        for begin, end in pairwise([0, *ends.tolist()]):
            self.shown.append(np.flatnonzero(shown[begin:end]))
            self._found.append([places[begin:end] for places in found])
        which = np.flatnonzero(shown)
        numbers = [*zip((owner + first)[which].tolist(), within[which].tolist(), strict=True)]
        for (name, indices), places in zip(sides, found, strict=True):
            products = zip(which.tolist(), indices[which].tolist(), numbers, strict=True)
            for product, index, numbered in products:
                if places[product]:
                    self.made[name, tuple(index)].append(numbered)

    def _held(self, name, indices):
        """Which of an array's indices lie in the tables' matrices; all, if it has no table."""
        if not self._has_table(name, indices):
            return np.ones(len(indices), bool)
        return np.any([seen.holds(indices) for seen in self.seen[name]], axis=0)

    def _seen_at(self, name, indices):
        """For each index of an array the (grid, cell) pairs that show it."""
        if not self._has_table(name, indices):
            return [[]] * len(indices)
        tables = [seen.cells(indices) for seen in self.seen[name]]
        return [[place for place in places if place] for places in zip(*tables, strict=True)]

    def _has_table(self, name, indices):
        return name in self.seen and indices.shape[1] > 0

    def places(self, name, index):
        """The (grid, cell) pairs that show this index of an array."""
        found = (seen.cell(index) for seen in self.seen.get(name, ()))
        return [place for place in found if place]

    def of_result(self, number_, extra=(), *more):
        """The link of result number `number_`, whose products have a letter each."""
        cell, shown, places = self.cells[number_], self.shown[number_], self.results[number_]
        return Link(
            [arithmetic(cell, shown, self.rest, self.most[0]), *more],
            handles=places,
            pairs=self._pairs(number_, shown),
            rings=places,
            extra=extra,
            products=cell.product[shown].tolist() if len(shown) > 1 else [],
        )

    def _pairs(self, number_, shown):
        """For each product its cells; of more than there are letters, those that are seen."""
        lefts, rights = self._found[number_]
        pairs = [[*lefts[t], *rights[t]] for t in shown.tolist()]
        seen = [pair for pair in pairs if pair]
        return seen if len(seen) > len(LETTERS) else pairs

    def of_factors(self, name, values, extra=lambda index: ()):
        """The links of all cells of an array that are seen, each with what it made.

        values  the array itself
        extra   index -> the extra of its link
        """
        indices = chain.from_iterable(seen.indices for seen in self.seen[name])
        for index in dict.fromkeys(indices):
            if index is not None:
                yield self._of_factor(name, index, float(values[index]), extra(index))

    def of_nothing(self, name, line):
        """The link of the cells of a table that show no number of the array: padding, and so on."""
        empty = [
            (seen.grid, at)
            for seen in self.seen[name]
            for at, index in zip(seen.grid.cells, seen.indices, strict=True)
            if index is None
        ]
        return [Link([line], handles=empty)] if empty else []

    def _of_factor(self, name, index, value, extra):
        places, made = self.places(name, index), self.made.get((name, index), [])
        return Link(
            [self._told(name, index, value, made)],
            handles=places,
            pairs=[self._met(name, *product) for product in made],
            rings=places,
            extra=extra,
        )

    def _met(self, name, number_, t):
        """What a product shows beside this factor: the result, and the other factor."""
        lefts, rights = self._found[number_]
        other = rights[t] if name == self.cells[number_].left_name else lefts[t]
        return [*self.results[number_], *other]

    def _told(self, name, index, value, made):
        """The line that says what a factor made."""
        begin = f"{cell_name(name, index)} = {number(value, 4)}"
        if not made:
            return f"{begin} {self.went} nothing that is drawn here"
        ranks = range(len(made))
        if len(made) > self.most[1]:
            sizes = [-abs(round(float(self.cells[c].product[t]), 12)) for c, t in made]
            ranks = sorted(sorted(ranks, key=sizes.__getitem__)[:LARGEST])
        said = [self._message(rank, made) for rank in ranks]
        more = [f"and {len(made) - len(said)} more"] * (len(said) < len(made))
        count = f"{len(made)} cell{'s' * (len(made) > 1)}"
        return f"{begin} {self.went} {count}: {', '.join(said + more)}"

    def _message(self, rank, made):
        """a 2·0.5 = 1 → z[0,0,0,0], in one piece."""
        number_, t = made[rank]
        cell, letter = self.cells[number_], LETTERS[rank] + " " if len(made) <= len(LETTERS) else ""
        product = number(cell.product.item(t), 4)
        said = f"{letter}{factors(cell, t)} = {product} → {self.names[number_]}"
        return said.replace(" ", "\u00a0")

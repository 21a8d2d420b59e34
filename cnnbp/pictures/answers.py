"""What every cell of a picture's tables answers: the products that made it, or what it made.

The products are explain's. A result answers with those that it is the sum of. A factor answers
with the results that it went into.
"""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from cnnbp.explain import cell_name
from cnnbp.pictures.arithmetic import arithmetic, factors
from cnnbp.pictures.grid import LETTERS, Grid, number
from cnnbp.pictures.svg import Link

MOST_SAID = 9  # results of a factor that are named; of more, the five with the largest products


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
        at = [i + first for i, first in zip(cell, self.grid.first, strict=True)]
        at = self.turn.back(*at) if self.turn else at
        if at is None or not all(0 <= i < n for i, n in zip(at, self.shape, strict=True)):
            return None
        return (*self.prefix, *at)

    def holds(self, indices):
        """Which of the (T, k) indices belong to its matrix, whether or not a lens leaves them."""
        return (indices[:, : len(self.prefix)] == self.prefix).all(axis=1)

    def shows(self, indices):
        """Which of them have a cell in the table."""
        at = indices[:, -2], indices[:, -1]
        at = self.turn.there(*at) if self.turn else at
        inside = [
            (first <= i) & (i < first + n)
            for i, first, n in zip(at, self.grid.first, self.grid.values.shape, strict=True)
        ]
        return self.holds(indices) & inside[0] & inside[1]


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
        self.shown = [self._shown(cell) for cell in cells]
        self.made = self._made()

    def _shown(self, cell):
        """The numbers of the products both of whose factors lie in the tables' matrices."""
        there = np.ones(len(cell), bool)
        for seen, indices in self._tables(cell):
            there &= np.any([each.holds(indices) for each in seen], axis=0)
        return np.flatnonzero(there)

    def _tables(self, cell):
        """For each factor of a cell that has tables: where they show it, and its indices."""
        for name, indices in self._factors(cell):
            if name in self.seen and indices.shape[1]:
                yield self.seen[name], indices

    def _made(self):
        """(name, index) of a factor -> the (cell, number of its product) that it went into."""
        made = defaultdict(list)
        for cell, shown in zip(self.cells, self.shown, strict=True):
            for name, indices in self._factors(cell):
                if name in self.seen and indices.shape[1]:
                    shows = [seen.shows(indices[shown]) for seen in self.seen[name]]
                    visible = shown[np.any(shows, axis=0)]
                    for t, index in zip(visible.tolist(), indices[visible].tolist(), strict=True):
                        made[name, tuple(index)].append((cell, t))
        return made

    @staticmethod
    def _factors(cell):
        return (cell.left_name, cell.left_index), (cell.right_name, cell.right_index)

    def places(self, name, index):
        """The (grid, cell) pairs that show this index of an array."""
        found = (seen.cell(index) for seen in self.seen.get(name, ()))
        return [place for place in found if place]

    def of_result(self, number_, extra=(), *more):
        """The link of result number `number_`, whose products have a letter each."""
        cell, shown = self.cells[number_], self.shown[number_]
        places = self.places(cell.wanted, cell.index)
        return Link(
            [arithmetic(cell, shown, self.rest), *more],
            handles=places,
            pairs=self._pairs(cell, shown),
            rings=places,
            extra=extra,
            products=cell.product[shown].tolist() if len(shown) > 1 else [],
        )

    def _pairs(self, cell, shown):
        """For each product its cells; of more than there are letters, those that are seen."""
        if len(shown) > len(LETTERS):
            visible = np.zeros(len(shown), bool)
            for seen, indices in self._tables(cell):
                visible |= np.any([each.shows(indices[shown]) for each in seen], axis=0)
            shown = shown[visible] if visible.sum() > len(LETTERS) else shown
        lefts, rights = cell.left_index[shown].tolist(), cell.right_index[shown].tolist()
        return [
            [*self.places(cell.left_name, left), *self.places(cell.right_name, right)]
            for left, right in zip(lefts, rights, strict=True)
        ]

    def of_factors(self, name, values, extra=lambda index: ()):
        """The links of all cells of an array that are seen, each with what it made.

        values  the array itself
        extra   index -> the extra of its link
        """
        indices = (
            seen.index(at) for seen in self.seen[name] for at in np.ndindex(seen.grid.values.shape)
        )
        for index in dict.fromkeys(indices):
            if index is not None:
                yield self._of_factor(name, index, float(values[index]), extra(index))

    def of_nothing(self, name, line):
        """The link of the cells of a table that show no number of the array: padding, and so on."""
        empty = [
            (seen.grid, at)
            for seen in self.seen[name]
            for at in np.ndindex(seen.grid.values.shape)
            if seen.index(at) is None
        ]
        return [Link([line], handles=empty)] if empty else []

    def _of_factor(self, name, index, value, extra):
        places, made = self.places(name, index), self.made.get((name, index), [])
        return Link(
            [self._told(name, index, value, made)],
            handles=places,
            pairs=[self._met(name, cell, t) for cell, t in made],
            rings=places,
            extra=extra,
        )

    def _met(self, name, cell, t):
        """What a product shows beside this factor: the other factor, and the result."""
        places = self.places(cell.wanted, cell.index)
        for other, indices in self._factors(cell):
            if other != name and other in self.seen and indices.shape[1]:
                places += self.places(other, indices[t].tolist())
        return places

    def _told(self, name, index, value, made):
        """The line that says what a factor made."""
        begin = f"{cell_name(name, index)} = {number(value, 4)}"
        if not made:
            return f"{begin} {self.went} nothing that is drawn here"
        ranks = range(len(made))
        if len(made) > MOST_SAID:
            sizes = [-abs(round(float(cell.product[t]), 12)) for cell, t in made]
            ranks = sorted(sorted(ranks, key=sizes.__getitem__)[:5])
        said = [_message(rank, len(made), *made[rank]) for rank in ranks]
        more = [f"and {len(made) - len(said)} more"] * (len(said) < len(made))
        count = f"{len(made)} cell{'s' * (len(made) > 1)}"
        return f"{begin} {self.went} {count}: {', '.join(said + more)}"


def _message(rank, count, cell, t):
    """a 2·0.5 = 1 → z[0,0,0,0], in one piece."""
    letter = f"{LETTERS[rank]} " if count <= len(LETTERS) else ""
    product = number(float(cell.product[t]), 4)
    said = f"{letter}{factors(cell, t)} = {product} → {cell_name(cell.wanted, cell.index)}"
    return said.replace(" ", "\u00a0")

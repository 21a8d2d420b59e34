"""What a question is: a function of its numbers that computes its own answers.

A Question is a name, a lesson and a function; the function is given a Draw, takes its numbers
from it and returns an Asked: the text, the right answer, the wrong ones and why. The right answer
comes from the package, and a wrong one from a known misconception about the same numbers.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from cnnbp.explain import cell_name
from cnnbp.pictures.svg import number as written
from cnnbp.shape import complaint

ATTEMPTS = 500
MOST_WRONG = 4  # as many wrong answers have rules of their own in the page


class Redraw(Exception):
    """These numbers make no good question; draw others."""


class Draw:
    """Numbers by chance, the same for the same text everywhere and for ever.

    text   what they are made from
    They come from Python's random(), whose stream for a seed is promised not to change.

    >>> draw = Draw("an example")
    >>> draw.whole(2, 4) in (2, 3, 4), draw.array((2, 3)).shape
    (True, (2, 3))
    """

    def __init__(self, text):
        self._random = random.Random(text).random

    def pick(self, *options):
        """One of the options."""
        return options[int(self._random() * len(options))]

    def shuffled(self, items):
        """The items in another order."""
        left = list(items)
        return [left.pop(int(self._random() * len(left))) for _ in range(len(left))]

    def whole(self, low, high, *, zero=True):
        """An int from low to high, both included; not 0 unless zero."""
        return int(self.pick(*_between(low, high, 1, zero)))

    def array(self, shape, low=-4, high=4, *, step=1, zero=True):
        """Multiples of step from low to high, both included; no 0 unless zero."""
        values = _between(low, high, step, zero)
        picked = [self.pick(*values) for _ in range(int(np.prod(shape)))]
        return np.array(picked, float).reshape(shape)

    def distinct(self, count, low, high, *, step=1, zero=True):
        """`count` different multiples of step from low to high, an array."""
        return np.array(self.shuffled(_between(low, high, step, zero))[:count], float)

    def must(self, holds):
        """Draw other numbers unless this holds."""
        if not holds:
            raise Redraw


def _between(low, high, step, zero):
    values = np.arange(low, high + step / 2, step).tolist()
    return [value for value in values if value or zero]


@dataclass(frozen=True)
class Wrong:
    """A wrong answer, and the sentence for whoever gave it: what it would be the answer to."""

    answer: object
    sentence: str


@dataclass(frozen=True)
class Table:
    """Numbers (or words) on show, in rows and columns, whose cells may be marked.

    name    "dz", written above it
    values  (rows, columns) or (columns,) of numbers or strings
    marked  whether its cells are the answer's; the others only show numbers
    named   whether a string is the cell's own name: the cell is "u", not "values[0]"
    """

    name: str
    values: object
    marked: bool = False
    named: bool = False

    @property
    def rows(self):
        """The values as a list of rows."""
        values = np.asarray(self.values)
        return np.atleast_2d(values).tolist()

    def cell(self, row, column):
        """How a cell is called, in the answer as well as for a screen reader.

        >>> Table("dz", [[1, 2]]).cell(0, 1), Table("x", [1, 2]).cell(0, 1)
        ('dz[0,1]', 'x[1]')
        """
        if self.named:
            return self.rows[row][column]
        flat = np.ndim(self.values) == 1
        return cell_name(self.name, (column,) if flat else (row, column))

    def cells(self):
        """The names of all cells, in row order."""
        return [self.cell(i, j) for i, row in enumerate(self.rows) for j in range(len(row))]


@dataclass(frozen=True)
class Asked:
    """A question with its numbers.

    kind     "choice", "number", "shape", "cells" or "match"
    text     what is asked; `code` in backticks, a blank line between paragraphs
    answer   a str; a Fraction; a tuple of ints; a frozenset of cell names; a tuple of options
    wrong    the Wrong answers
    why      the explanation, which opens after the right answer
    tables   the Tables on show
    rows     of a match: what is paired, in order
    options  of a choice and a match: what there is to choose, in order
    prompt   what stands before a field to type in
    """

    kind: str
    text: str
    answer: object
    wrong: tuple
    why: str
    tables: tuple = ()
    rows: tuple = ()
    options: tuple = ()
    prompt: str = "Your answer"

    def said(self, answer):
        """An answer in words, as a sheet's key says it."""
        return {"number": said_number, "shape": said_shape, "cells": said_cells}.get(
            self.kind, self._said_choice
        )(answer)

    def _said_choice(self, answer):
        if self.kind == "choice":
            return answer
        return "; ".join(f"{r}: {a}" for r, a in zip(self.rows, answer, strict=True))


def factor(value):
    """A number as a factor of a product: in parentheses if it is negative.

    >>> factor(2.0), factor(-1.5)
    ('2', '(−1.5)')
    """
    return f"({shown(value)})" if value < 0 else shown(value)


def added(terms):
    """Numbers or products as a sum: a minus takes the place of its plus.

    >>> added(["5", "−2·3", "1"])
    '5 − 2·3 + 1'
    """
    return " + ".join(terms).replace("+ −", "− ")


def steps(times, name, offset=0):
    """times·name + offset, as one writes it.

    >>> steps(2, "i", -1), steps(1, "j"), steps(3, "i", 1)
    ('2i − 1', 'j', '3i + 1')
    """
    sign = " + " if offset > 0 else " − "
    return f"{times if times != 1 else ''}{name}" + (f"{sign}{abs(offset)}" if offset else "")


def said_number(value):
    """A Fraction as a decimal where it has an end, else as a fraction.

    >>> said_number(Fraction(-3, 16)), said_number(Fraction(1, 3)), said_number(Fraction(5))
    ('−0.1875', '1/3', '5')
    """
    digits = ends_after(value)
    text = f"{float(value):.{digits}f}" if digits is not None else str(value)
    return text.replace("-", "−")


def ends_after(value):
    """How many digits a Fraction has after the point, or None if they never end (or after 6).

    >>> ends_after(Fraction(3, 8)), ends_after(Fraction(1, 3))
    (3, None)
    """
    return next((n for n in range(7) if (value * 10**n).denominator == 1), None)


def said_shape(shape):
    """As numpy writes it: (2, 3), and (3,)."""
    return str(tuple(shape))


def said_cells(cells):
    """Cell names in order, or that there is none."""
    return ", ".join(sorted(cells)) or "no cell"


def fraction(value):
    """A number as the Fraction it stands for: floats that are thirds up to rounding become thirds.

    >>> fraction(-0.1875), fraction(1 / 3)
    (Fraction(-3, 16), Fraction(1, 3))
    """
    return Fraction(float(value)).limit_denominator(10_000)


def choice(text, answer, wrong, why, *, tables=()):
    """A question with 2 to 5 answers to pick from; wrong is {answer: sentence}."""
    wrong = tuple(Wrong(*item) for item in wrong.items())
    options = (answer, *(w.answer for w in wrong))
    return Asked("choice", text, answer, wrong, why, tuple(tables), options=options)


def number(text, answer, wrong, why, *, tables=(), prompt="Your answer"):
    """A question whose answer is typed; wrong is a list of (number, sentence)."""
    wrong = tuple(Wrong(fraction(value), sentence) for value, sentence in wrong)
    return Asked("number", text, fraction(answer), wrong, why, tuple(tables), prompt=prompt)


def shape(text, answer, wrong, why, *, tables=(), prompt="Its shape"):
    """A question whose answer is a shape; wrong is a list of (shape, sentence)."""
    wrong = tuple(Wrong(tuple(map(int, shape)), sentence) for shape, sentence in wrong)
    answer = tuple(map(int, answer))
    return Asked("shape", text, answer, wrong, why, tuple(tables), prompt=prompt)


def cells(text, answer, wrong, why, *, tables):
    """A question whose answer is a set of cells; wrong is a list of (cells, sentence).

    A cell is an index of the table that is marked, or the cell's name where several are.
    """
    tables = tuple(tables)
    (first, *_) = (table for table in tables if table.marked)
    named = lambda found: frozenset(  # noqa: E731
        cell if isinstance(cell, str) else first.cell(*((0, *cell) if len(cell) == 1 else cell))
        for cell in found
    )
    wrong = tuple(Wrong(named(found), sentence) for found, sentence in wrong)
    return Asked("cells", text, named(answer), wrong, why, tables)


def match(text, pairs, options, wrong, why, *, tables=()):
    """A question that pairs rows with options.

    pairs   {row: its option}; options may hold more than are used
    wrong   list of ([an option for each row], sentence)
    """
    wrong = tuple(Wrong(tuple(answer), sentence) for answer, sentence in wrong)
    answer = tuple(pairs.values())
    return Asked("match", text, answer, wrong, why, tuple(tables), tuple(pairs), tuple(options))


@dataclass(frozen=True)
class Question:
    """A question of a lesson: `asked(seed)` is the question with that seed's numbers.

    name    what `ask` calls it
    lesson  "07"
    make    Draw -> Asked; raises Redraw for numbers that make no good question

    kind, text, answer and wrong are those of seed 0.
    """

    name: str
    lesson: str
    make: Callable

    def asked(self, seed=0):
        """The Asked of a seed: the first draw whose answers all differ.

        Raises ValueError if seed is not a whole number from 0 up.
        """
        if not isinstance(seed, int | np.integer) or seed < 0:
            raise complaint(ValueError, f"seed must be a whole number from 0 up, not {seed!r}")
        draw = Draw(f"{self.name} {seed}")
        for _ in range(ATTEMPTS):
            try:
                found = self.make(draw)
            except Redraw:
                continue
            if len({found.answer, *(w.answer for w in found.wrong)}) == 1 + len(found.wrong):
                return _in_another_order(found, draw)
        raise complaint(ValueError, f"{self.name!r}: no numbers make all answers differ")

    @property
    def kind(self):
        return self.asked().kind

    @property
    def text(self):
        return self.asked().text

    @property
    def answer(self):
        return self.asked().answer

    @property
    def wrong(self):
        return self.asked().wrong


def _in_another_order(asked, draw):
    """The options of a choice shuffled, so that the right one has no place of its own."""
    if asked.kind != "choice":
        return asked
    return Asked(**{**vars(asked), "options": tuple(draw.shuffled(asked.options))})


def question(name, *, lesson):
    """Make a Question of the function below."""
    return lambda make: Question(name, lesson, make)


def table(name, values, *, marked=False, named=False):
    """A Table on show; `marked` if its cells are the answer's."""
    return Table(name, values, marked, named)


def shown(value):
    """A value of a text or a table as it is written: exactly, wherever its decimals end.

    >>> shown(-0.1875), shown(1 / 3), shown("?")
    ('−0.1875', '0.333', '?')
    """
    if isinstance(value, str):
        return value
    exact = Fraction(float(value)).limit_denominator(10_000)
    close = abs(float(exact) - value) < 1e-9
    return said_number(exact) if close and ends_after(exact) is not None else written(value)

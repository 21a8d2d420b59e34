"""What a task knows before a learner comes: cases, right answers, what every mistake makes of them.

Kept for each seed, so that the second check of an exercise costs the learner's function alone.
"""

import functools
from dataclasses import dataclass

import numpy as np

from cnnbp.exercises.check.calling import copied, judged, quiet
from cnnbp.exercises.check.results import Unreadable, agree
from cnnbp.exercises.check.shapes import bind

PRODUCTS = ("OH·OW", "KH·KW", "H·W", "N·OH·OW", "N·H·W", "C·H·W", "C·KH·KW", "K·N")
PROBE = np.random.default_rng(1).standard_normal(1 << 14)


@dataclass(frozen=True)
class Raised:
    """The outcome of a call that ended in an exception of this type."""

    kind: type


class Case:
    """One case of a task, and its right answer.

    number     0 is the tiny one
    arguments  dict, in the task's order
    expected   the parts of the right answer
    sizes      {"N": 2, "OH·OW": 9, "learning_rate": 0.1, ...}, the quantities in it
    """

    def __init__(self, task, number, arguments):
        self.task, self.number, self.arguments = task, number, arguments
        self.expected = self.right()
        self.sizes = sizes_of(task, arguments)

    def right(self, **changed):
        """The parts of the right answer, some arguments perhaps changed."""
        arguments = self.arguments | changed
        return self.task.result.read(self.task.answer(*map(copied, arguments.values())), arguments)

    def outcome(self, attempt):
        """Raised, an Unreadable, or the parts of what an attempt returned."""
        if attempt.error:
            return Raised(type(attempt.error))
        try:
            return self.task.result.read(attempt.returned, self.arguments)
        except Unreadable as unreadable:
            return unreadable

    def outcome_of(self, function):
        """The same of a mistake or a solution, which raises what it likes but prints nothing."""
        given = {name: copied(value) for name, value in self.arguments.items()}
        try:
            returned = judged(function(*given.values()), given)
            return self.task.result.read(returned, self.arguments)
        except Unreadable as unreadable:
            return unreadable
        except Exception as error:  # whatever a mistake leads to
            return Raised(type(error))

    @functools.cached_property
    def contributions(self):
        """{(axis, index): parts}: what one sample's or one filter's dz alone contributes."""
        found = {}
        dz = self.task.given.get("dz")
        for axis, symbol in enumerate(dz.symbols if dz else ()):
            for index in (0, -1) if symbol in ("N", "F") else ():
                dz = np.moveaxis(self.arguments["dz"], axis, 0)
                alone = np.zeros_like(dz)
                alone[index] = dz[index]
                found[symbol, index] = self.right(dz=np.moveaxis(alone, 0, axis))
        return found


class Known:
    """The cases of a task for one seed, and what its known mistakes make of them."""

    def __init__(self, task, seed):
        self.task, self.seed = task, seed
        self.cases = [Case(task, *numbered) for numbered in enumerate(task.drawn(seed))]
        self._pairs = {}  # number of a case: the pairs of choices, and their prints in it

    @functools.cached_property
    def numeric(self):
        """One more case, and what central differences make of it; None if the task has none."""
        if not self.task.numeric:
            return None
        case = Case(self.task, len(self.cases), self.task.drawn([self.seed, 1])[1])
        found = self.task.numeric(*case.arguments.values())
        return case, self.task.result.read(found, case.arguments)

    @functools.cached_property
    def mistakes(self):
        """(mistake, its outcomes) for every form of every known mistake."""
        return [
            (mistake, self.outcomes_of(function))
            for mistake in self.task.mistakes.values()
            for function in mistake.functions
        ]

    def outcomes(self, attempts):
        """The outcome of every case."""
        return [case.outcome(attempt) for case, attempt in zip(self.cases, attempts, strict=True)]

    def outcomes_of(self, function):
        """What a mistake makes of every case."""
        with quiet():
            return [case.outcome_of(function) for case in self.cases]

    def pairs_like(self, case, part, array):
        """(mistakes, function) of two wrong choices that give these numbers in one part of a case.

        Only a print of every pair's numbers is kept, for one case after another.
        """
        composed = self.task.composed
        if composed is None:
            return []
        if case.number not in self._pairs:
            pairs = list(composed.pairs())
            with quiet():
                prints = [_prints(case.outcome_of(function)) for _, function in pairs]
            self._pairs[case.number] = pairs, prints
        with quiet():
            size, mark = _print(array)
        return [
            pair
            for pair, prints in zip(*self._pairs[case.number], strict=True)
            if part in prints
            and prints[part][0] == size
            and abs(prints[part][1] - mark) <= 1e-8 * (1 + abs(mark))
        ]


@functools.lru_cache(maxsize=64)
def known(task, seed):
    """The Known of a task and a seed, made once."""
    return Known(task, seed)


def _not_finite_alike(yours, its):
    """Whether two arrays agree but for NaN and infinity, and have these in the same places."""
    if not (isinstance(yours, np.ndarray) and np.shape(its) == yours.shape):
        return False
    lost = ~np.isfinite(yours)
    if not lost.any():
        return False
    same = np.array_equal(
        np.asarray(yours, float)[lost], np.asarray(its, float)[lost], equal_nan=True
    )
    return same and agree(np.where(lost, 0, yours), np.where(lost, 0, its))


def _prints(outcome):
    return {k: _print(v) for k, v in outcome.items()} if isinstance(outcome, dict) else {}


def _print(array):
    """Two numbers that hardly any other has: the size, and a sum with random weights or a hash."""
    if isinstance(array, frozenset):
        return len(array), float(hash(array))
    return array.size, float((np.ravel(array) * PROBE[: array.size]).sum())


def sizes_of(task, arguments):
    """The sizes of single symbols and the products of several that a mistake may multiply by."""
    bound = bind(task.given, arguments)
    found = {symbol: size for symbol, size in bound.items() if symbol != "..."}
    for product in PRODUCTS:
        factors = product.split("·")
        if set(factors) <= set(found):
            found[product] = int(np.prod([found[factor] for factor in factors]))
    return found


def told_in(outcome, part):
    """The same, or a set, which is as telling; or None."""
    told = outcome.get(part) if isinstance(outcome, dict) else None
    return told if isinstance(told, np.ndarray | frozenset) else None


def numbers_in(outcome, part):
    """The array of a part, or None if the outcome has no numbers there."""
    array = outcome.get(part) if isinstance(outcome, dict) else None
    return array if isinstance(array, np.ndarray) else None


def alike(outcome, other, part):
    """Whether two outcomes are the same in a part: numbers, or the same kind of exception."""
    if isinstance(outcome, Raised) or not isinstance(outcome, dict):
        return isinstance(outcome, Raised) and outcome == other
    if not isinstance(other, dict) or part not in outcome or part not in other:
        return isinstance(other, dict) and part not in outcome and part not in other
    return agree(outcome[part], other[part]) or _not_finite_alike(outcome[part], other[part])

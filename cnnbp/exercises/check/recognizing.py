"""What a task knows before a learner comes: cases, right answers, what every mistake makes of them.

Kept for each seed, so that the second check of an exercise costs the learner's function alone.
"""

import functools
import warnings

import numpy as np

from cnnbp.exercises.check.calling import attempt
from cnnbp.exercises.check.results import Unreadable, agree
from cnnbp.exercises.check.shapes import bind

RAISED = "raised"  # the outcome of a call that ended in an exception
PRODUCTS = ("OH·OW", "KH·KW", "H·W", "N·OH·OW", "N·H·W", "C·H·W", "C·KH·KW", "K·N")


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
        self.sizes = _with_products(bind(task.given, arguments))

    def right(self, **changed):
        """The parts of the right answer, some arguments perhaps changed."""
        arguments = self.arguments | changed
        return self.task.result.read(self.task.answer(*arguments.values()), arguments)

    def outcome(self, attempt):
        """RAISED, an Unreadable, or the parts of what an attempt returned."""
        if attempt.error:
            return RAISED
        try:
            return self.task.result.read(attempt.returned, self.arguments)
        except Unreadable as unreadable:
            return unreadable

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
    """The cases of a task for one seed, and the outcomes of its catalogued mistakes."""

    def __init__(self, task, seed):
        self.task, self.seed = task, seed
        self.cases = [Case(task, *numbered) for numbered in enumerate(task.drawn(seed))]

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
        """(mistake, its outcomes) for every implementation in the catalogue."""
        with warnings.catch_warnings(action="ignore"):
            return [
                (mistake, self.outcomes([attempt(f, case.arguments) for case in self.cases]))
                for mistake in self.task.mistakes.values()
                for f in mistake.functions
            ]

    def outcomes(self, attempts):
        """The outcome of every case."""
        return [case.outcome(attempt) for case, attempt in zip(self.cases, attempts, strict=True)]

    def recognize(self, outcomes, part):
        """The catalogued mistake that explains all outcomes, or at least this part; or None."""
        several = len(self.cases[0].expected) > 1
        return self._explained(outcomes, None) or (
            self._explained(outcomes, part) if part and several else None
        )

    def _explained(self, outcomes, part):
        expected = [case.expected for case in self.cases]
        for mistake, its_outcomes in self.mistakes:
            cases = list(zip(outcomes, its_outcomes, expected, strict=True))
            # The tiny case has few numbers; it and exceptions alone could come from anything.
            if all(_compatible(*case, part) for case in cases) and any(
                _tells(*case, part) for case in cases[1:]
            ):
                return mistake
        return None


@functools.lru_cache(maxsize=64)
def known(task, seed):
    """The Known of a task and a seed, made once."""
    return Known(task, seed)


def _compatible(yours, its, expected, part):
    """Whether two outcomes are equal, or differ only where one of them is no numbers at all.

    Whoever makes a mistake only where it raises nothing (a transposed kernel, if it is square)
    makes it all the same, so right numbers speak against a mistake only where it has numbers, too.
    """
    if _equal(yours, its, part):
        return True
    yours_broken, its_broken = _broken(yours, expected), _broken(its, expected)
    if yours_broken and its_broken:  # numbers in a wrong shape are numbers, and these are others
        return not (isinstance(yours, dict) and isinstance(its, dict))
    return its_broken or (yours_broken and not _equal(its, expected, part))


def _tells(yours, its, expected, part):
    """Whether two outcomes are equal and wrong."""
    return _equal(yours, its, part) and not _equal(yours, expected, part)


def _equal(outcome, other, part):
    """Whether two outcomes hold the same numbers, in this part or (None) in all parts."""
    if not (isinstance(outcome, dict) and isinstance(other, dict)):
        return False
    names = [part] if part in other else other  # a list of arrays differs in length
    return all(agree(outcome[name], other[name]) for name in names)


def _broken(outcome, expected):
    """Whether an outcome has no numbers in the right shape."""
    return not isinstance(outcome, dict) or any(
        np.shape(outcome[name]) != np.shape(expected[name]) for name in expected
    )


def _with_products(sizes):
    """The sizes of single symbols and the products of several that a mistake may multiply by."""
    found = {symbol: size for symbol, size in sizes.items() if symbol != "..."}
    for product in PRODUCTS:
        factors = product.split("·")
        if set(factors) <= set(found):
            found[product] = int(np.prod([found[factor] for factor in factors]))
    return found

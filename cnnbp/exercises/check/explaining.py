"""Which known mistakes explain what a learner's function did: one, or two at once.

A mistake explains one part of the result if it agrees with the learner in every case, and gives
the same wrong numbers in a random one. The tiny case has few numbers, and exceptions alone could
come from anything.
"""

import itertools
from dataclasses import dataclass, replace

import numpy as np

from cnnbp.exercises.check.conditions import CONDITIONS
from cnnbp.exercises.check.factors import factors
from cnnbp.exercises.check.messages import say
from cnnbp.exercises.check.mistakes import capitalized
from cnnbp.exercises.check.recognizing import Raised, alike, numbers_in, told_in
from cnnbp.exercises.check.results import agree

MOST = 3  # more ways to explain something are none
MOST_CELLS = 10**5  # a larger array is no answer
LEFT, SPOILED = 1e-4, 1e-2  # ranks of mistakes that explain one of several wrong parts
WAYS = 8  # to explain a part that are held against those for the others


@dataclass(frozen=True)
class Explanation:
    """What explains the parts of a result: the mistakes that are sure, then those that may be.

    sure   {mistake: the parts it was found in}
    open   tied ways to explain the rest, each {mistake: parts}; none, or at least two
    parts  of the result that are explained
    """

    sure: dict
    open: tuple
    parts: frozenset

    @property
    def names(self):
        """The names for a verdict's .mistakes."""
        every = [*self.sure, *itertools.chain(*self.open)]
        return tuple(dict.fromkeys(mistake.name for mistake in every if mistake.name))

    @property
    def sentences(self):
        """What is said to the learner."""
        if len(self.sure) == 1 and not self.open:
            [(mistake, parts)] = self.sure.items()
            said = [mistake.sentence(parts)]
        else:
            said = [self._things(), *self._remedies()]
        reread = dict.fromkeys(m.reread for m in [*self.sure, *itertools.chain(*self.open)])
        sections = [section for section in reread if section]
        return [*said, *([say("reread", section="; ".join(sections))] if sections else [])]

    def _things(self):
        things = [_what(mistake, parts) for mistake, parts in self.sure.items()]
        if self.open:
            ways = [" and ".join(itertools.starmap(_what, way.items())) for way in self.open]
            things.append(say("explained.either", ways=say("explained.or").join(ways)))
        if len(things) == 1:
            return f"{capitalized(things[0])}."
        count = {2: "two", 3: "three"}.get(len(things), "several")
        return say(f"explained.{count}", things=say("explained.and").join(things))

    def _remedies(self):
        remedies = (mistake.about(parts)[1] for mistake, parts in self.sure.items())
        return [capitalized(remedy) for remedy in dict.fromkeys(remedies) if remedy]


def _what(mistake, parts):
    what, _ = mistake.about(parts)
    first = what.partition(" ")[0]
    return what[0].lower() + what[1:] if first[1:].islower() or first == "A" else what


class Search:
    """The search for what explains a learner's outcomes.

    facts     Known
    outcomes  of every case
    """

    def __init__(self, facts, outcomes):
        self.facts, self.cases, self.outcomes = facts, facts.cases, outcomes
        self._alike = {}  # id of outcomes: whether they fit all parts of a list or a dict
        self.parts = dict.fromkeys(itertools.chain(*(case.expected for case in self.cases)))
        expected = [case.expected for case in self.cases]
        self.right = {
            part
            for part in self.parts
            if all(map(alike, outcomes, expected, itertools.repeat(part)))
        }

    def explanation(self):
        """The Explanation, or None."""
        ways = {part: self._ways(part) for part in self.parts if part not in self.right}
        ways = {part: tied for part, tied in ways.items() if tied}
        if not ways:
            return None
        if not self.facts.task.result.entries:
            return self._told_of_all(ways)
        found = {}
        for chosen in itertools.product(*(tied.items() for tied in ways.values())):
            way = {}
            for part, (mistakes, _) in zip(ways, chosen, strict=True):
                for mistake in mistakes:
                    way.setdefault(mistake, []).append(part)
            found[frozenset(way)] = len(way), sum(rank for _, rank in chosen), way
        best = min(costs[:2] for costs in found.values())
        tied = [way for *costs, way in found.values() if tuple(costs) == best]
        return self._told(tied, frozenset(ways), partly=best[1] % 1 >= SPOILED)

    def _told_of_all(self, ways):
        """The Explanation of a list or a dict, whose parts are made alike, or None."""
        found = [
            way for way in next(iter(ways.values())) if all(way in tied for tied in ways.values())
        ]
        fewest = min(map(len, found), default=0)
        tied = [dict.fromkeys(way, tuple(ways)) for way in found if len(way) == fewest]
        return self._told(tied, frozenset(ways), partly=False) if tied else None

    def _told(self, tied, parts, partly):
        """The Explanation that tied ways share, and what they leave open.

        partly  whether they would have spoiled another part in another way; then the tie is chance
        """
        shared = [mistake for mistake in tied[0] if all(mistake in way for way in tied)]
        sure = {mistake: tuple(tied[0][mistake]) for mistake in shared}
        rest = [
            {mistake: tuple(found) for mistake, found in way.items() if mistake not in sure}
            for way in tied
        ]
        if len(tied) == 1:
            return Explanation(sure, (), parts)
        if len(tied) > MOST or partly:
            return Explanation(sure, (), parts) if sure else None
        return Explanation(sure, tuple(rest), parts)

    def _ways(self, part):
        """{mistakes: rank}, the ways to explain a part: exact in all cases, with the fewest."""
        found = {}
        for search in (self._single, self._factor, self._several, self._conditional):
            more = search(part)
            if more is None:
                break  # the right one times something, which is a family
            found |= more
            exact = {way: rank for way, rank in found.items() if rank < 1}
            if exact or (found and search == self._several):
                return _fewest(exact or found)
        return _fewest(found)

    def _single(self, part):
        found = {}
        for mistake, outcomes in self.facts.mistakes:
            self._note(found, (mistake,), outcomes, part)
        return found

    def _note(self, found, way, outcomes, part):
        """Note a way to explain a part, if it does, with its rank: the lower, the better.

        A mistake that explains all wrong parts at once outranks one that explains some of them, and
        this one that would have spoiled the others in another way.
        """
        inexact = self._fits(outcomes, part)
        if inexact is not None and not self._contradicted(outcomes, part):
            others = (other for other in self.parts if other not in self.right and other != part)
            missed = [other for other in others if self._fits(outcomes, other) is None]
            rank = inexact + sum(SPOILED if self._spoils(outcomes, p) else LEFT for p in missed)
            found[way] = min(rank, found.get(way, rank))

    def _spoils(self, outcomes, part):
        """Whether a mistake makes another part wrong."""
        cases = zip(outcomes, self.cases, strict=True)
        return any(
            not alike(outcome, case.expected, part)
            for outcome, case in cases
            if isinstance(outcome, dict)
        )

    def _contradicted(self, outcomes, part):
        """Whether a mistake would have spoiled a part that is right."""
        return any(self._spoils(outcomes, other) for other in self.right - {part})

    def _fits(self, outcomes, part):
        """In how many cases a mistake is only compatible and not the same; None if it is not.

        The parts of a list or a dict are made alike: a mistake fits all of them, or none.
        """
        if self.facts.task.result.entries:
            inexact, told = self._compared(outcomes, part)
            return inexact if told else None
        if id(outcomes) not in self._alike:
            self._alike[id(outcomes)] = self._fits_all(outcomes), outcomes  # so its id is kept
        return self._alike[id(outcomes)][0]

    def _fits_all(self, outcomes):
        """The same for all wrong parts together."""
        count, evidence = 0, False
        for part in self.parts:
            if part not in self.right:
                inexact, told = self._compared(outcomes, part)
                if inexact is None:
                    return None
                count, evidence = count + inexact, evidence or told
        return count if evidence else None

    def _compared(self, outcomes, part):
        """(in how many cases it is not the same, whether there is evidence); (None, False) if a
        case speaks against it."""
        inexact, told, raised, empty, ran = 0, False, False, False, 0
        for case, yours, its in zip(self.cases, self.outcomes, outcomes, strict=True):
            if alike(yours, its, part):
                wrong = not alike(yours, case.expected, part)
                raised |= wrong and isinstance(yours, Raised)
                nothing = _is_empty(yours, part)
                empty |= wrong and case.number > 0 and nothing
                told |= wrong and case.number > 0 and not (nothing or isinstance(yours, Raised))
                ran += case.number > 0 and not (wrong or nothing)
                continue
            inexact += 1
            if _reshaped(yours, its, part):
                told |= case.number > 0 and not _same_numbers(yours, case.expected, part)
            elif not _compatible(yours, its, case.expected, part):
                return None, False
        by_error = raised and ran >= 2 and not inexact
        return inexact, told or by_error or (empty and ran > 0)

    def _factor(self, part):
        """A declared factor alone; None if it is one that has no name."""
        found = self._factors(part, [case.expected for case in self.cases])
        named = {(mistake,): rank for mistake, rank in found.items() if mistake.name}
        return named if named or not found else None

    def _factors(self, part, outcomes):
        """{mistake: rank} that tell by which factor a part differs from these outcomes."""
        triples, random = [], 0
        for case, yours, its in zip(self.cases, self.outcomes, outcomes, strict=True):
            mine, other = numbers_in(yours, part), numbers_in(its, part)
            if mine is None or other is None:
                if not _compatible(yours, its, case.expected, part):
                    return {}
            elif mine.size != other.size:
                return {}
            else:
                triples.append((mine.ravel(), other.ravel(), case.sizes))
                random += case.number > 0
        readings = factors(triples) if random >= 2 else []
        found = {}
        for reading in readings:
            found |= self.facts.task.factor(reading, part)
        named = {mistake: rank for mistake, rank in found.items() if mistake.name}
        return named or found

    def _several(self, part):
        """Two wrong choices, or a mistake and a factor."""
        found, case = {}, self._screen(part)
        if not case:
            return {}
        array = self.outcomes[case.number][part]
        for mistake, outcomes in self.facts.mistakes:
            if isinstance(array, np.ndarray) and not self._contradicted(outcomes, part):
                for factor, rank in self._factors(part, outcomes).items():
                    if mistake not in self.facts.task.factors and self._differs(outcomes, part):
                        found[mistake, factor] = rank
        enough = {  # mistakes that give all these numbers alone
            mistake
            for mistake, outcomes in self.facts.mistakes
            if all(alike(outcomes[n], self.outcomes[n], part) for n in self._wrong_numbers(part))
        }
        for way, function in self.facts.pairs_like(case, part, array):
            if not enough & set(way):
                self._note(found, way, self.facts.outcomes_of(function), part)
        return found

    def _differs(self, outcomes, part):
        """Whether a mistake makes wrong numbers at all."""
        return any(
            (array := numbers_in(its, part)) is not None
            and case.number
            and numbers_in(yours, part) is not None
            and not agree(array, case.expected[part])
            for case, yours, its in zip(self.cases, self.outcomes, outcomes, strict=True)
        )

    def _screen(self, part):
        """The smallest random case in which the learner's numbers are wrong, or None."""
        wrong = (
            self.cases[number]
            for number in self._wrong_numbers(part)
            if isinstance(told := self.outcomes[number][part], frozenset) or np.isfinite(told).all()
        )
        sizes = {case: _size(case.expected[part]) for case in wrong}
        if isinstance(self.cases[0].expected.get(part), frozenset):  # small ones tell little
            sizes = {case: (size < 6, size) for case, size in sizes.items()}
        return min(sizes, key=sizes.get, default=None)

    def _wrong_numbers(self, part):
        """The numbers of the random cases in which the learner's numbers are wrong."""
        return [
            case.number
            for case in self.cases[1:]
            if (told := told_in(self.outcomes[case.number], part)) is not None
            and _size(told) <= MOST_CELLS
            and part in case.expected
            and not _same_numbers(self.outcomes[case.number], case.expected, part)
        ]

    def _conditional(self, part):
        """A mistake that is made only under a condition, with two random cases on either side."""
        found = {}
        for mistake, outcomes in self.facts.mistakes:
            if not self._contradicted(outcomes, part):
                for name, holds in CONDITIONS.items():
                    if self._made_where(holds, outcomes, part):
                        found[only_where(mistake, name),] = 0
        return found

    def _made_where(self, holds, outcomes, part):
        made = avoided = 0
        for case, yours, its in zip(self.cases, self.outcomes, outcomes, strict=True):
            here = holds(case.arguments)
            if here is None or not alike(yours, its if here else case.expected, part):
                return False
            visible = case.number > 0 and not alike(its, case.expected, part)
            made += visible and here
            avoided += visible and not here
        return made >= 2 and avoided >= 2


def _is_empty(outcome, part):
    """Whether it is an empty set, which could come from anything."""
    return (
        isinstance(outcome, dict) and isinstance(outcome.get(part), frozenset) and not outcome[part]
    )


def _size(told):
    return len(told) if isinstance(told, frozenset) else told.size


def only_where(mistake, condition):
    """The mistake with the condition under which it is made."""
    said = say("explained.only where", condition=say(f"where.{condition}"), said=mistake.said)
    return replace(mistake, said=said, key="")


def _fewest(found):
    """The ways with the fewest mistakes, of these the best ranked."""
    return dict(sorted(found.items(), key=lambda way: (len(way[0]), way[1]))[:WAYS])


def _same_numbers(yours, its, part):
    """Whether both hold the same numbers in the same order, in whatever shape."""
    mine, other = numbers_in(yours, part), numbers_in(its, part)
    if mine is None or other is None or mine.size != other.size:
        return False
    return agree(mine.ravel(), other.ravel())


def _reshaped(yours, its, part):
    """The same of two that are not alike: of one shape, their numbers have been compared."""
    mine, other = numbers_in(yours, part), numbers_in(its, part)
    one_shape = mine is not None and other is not None and mine.shape == other.shape
    return not one_shape and _same_numbers(yours, its, part)


def _compatible(yours, its, expected, part):
    """Whether two different outcomes may come from one mistake: one of them is no numbers.

    Whoever makes a mistake only where it raises nothing (a transposed kernel, if it is square)
    makes it all the same, so right numbers speak against a mistake only where it has numbers, too.
    """
    if numbers_in(yours, part) is not None and numbers_in(its, part) is not None:
        its_broken = _broken(its, expected, part)
        return its_broken != _broken(yours, expected, part) and (
            alike(yours, expected, part) if its_broken else not alike(its, expected, part)
        )
    if _broken(its, expected, part):
        return _broken(yours, expected, part) or alike(yours, expected, part)
    return _broken(yours, expected, part) and not alike(its, expected, part)


def _broken(outcome, expected, part):
    """Whether an outcome has no numbers in the right shape."""
    if not isinstance(outcome, dict) or part not in outcome:
        return True
    return part not in expected or np.shape(outcome[part]) != np.shape(expected[part])

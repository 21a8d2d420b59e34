"""What a function did in every case, and the first step that failed.

A mistake is named only if it explains all cases, so all of them have run before.
"""

from dataclasses import dataclass

import numpy as np

from cnnbp.exercises.check.calling import described, own_line
from cnnbp.exercises.check.errors import error_hint
from cnnbp.exercises.check.explaining import Search
from cnnbp.exercises.check.families import (
    Wrong,
    constant_family,
    names_of,
    shape_family,
    value_family,
)
from cnnbp.exercises.check.handed_in import name_of
from cnnbp.exercises.check.messages import say
from cnnbp.exercises.check.orders import (
    arguments_reordered,
    misplaced_name,
    results_reordered,
)
from cnnbp.exercises.check.recognizing import Raised, numbers_in
from cnnbp.exercises.check.results import Unreadable, agree
from cnnbp.exercises.check.saying import given, unlike, worst_cell
from cnnbp.exercises.check.shapes import ANY, symbolic
from cnnbp.exercises.check.source_lines import line_of
from cnnbp.explain import cell_name
from cnnbp.network import Network

VALUES = ("tiny worked case", "random cases")


@dataclass(frozen=True)
class Finding:
    """What a check found out, before it is shown.

    stage      the step it stopped at, or "passed"
    sentences  what is said of it
    mistakes   names of the known mistakes that explain it
    explained  whether a sentence says what is wrong, and not only where
    compared   (part, yours, expected) to be shown beside one another, or None
    printed    what the function printed
    """

    stage: str
    sentences: list
    mistakes: tuple = ()
    explained: bool = False
    compared: tuple | None = None
    printed: str = ""


class Judgement:
    """What a function did in every case, and the first of them that went wrong.

    facts     Known: the cases and right answers
    f         the function
    attempts  an Attempt for each case
    """

    def __init__(self, facts, f, attempts):
        self.facts, self.task, self.f = facts, facts.task, f
        self.attempts, self.outcomes = attempts, facts.outcomes(attempts)

    def finding(self):
        """The Finding on the first step that failed, or None."""
        failed = [(step, case) for case in self.facts.cases if (step := self._step(case))]
        if not failed:
            return None
        stage, case = failed[0]
        same = [case for step, case in failed if step == stage]
        if stage == "random cases":
            case = min(same, key=_size)  # the easiest to look at
        elif stage == "wrong shape":
            case = max(same, key=self._distinct_axes)  # equal lengths hide which axis is wrong
        printed = self.attempts[case.number].printed
        if order := self._another_order(stage):
            return Finding(stage, [order[1]], (order[0],), explained=True, printed=printed)
        describe, known_ones = self._descriptions()[stage]
        found = Search(self.facts, self.outcomes).explanation() if known_ones else None
        said, explained = describe(case, found)
        if not found and not explained:
            elsewhere = self._raised_elsewhere()
            said, explained = [*elsewhere, *said], bool(elsewhere)
        lines = list(self._lines(found))
        families = names_of([*(() if found else lines), *said])
        sentences = [*(found.sentences if found else []), *lines, *said]
        sentences += self._where_to_look(case) if known_ones else []
        return Finding(
            stage,
            sentences,
            mistakes=tuple(dict.fromkeys([*(found.names if found else ()), *families])),
            explained=bool(found or families) or explained,
            compared=self._compared(case) if stage in VALUES else None,
            printed=printed,
        )

    def _another_order(self, stage):
        """(mistake's name, sentence) if it is all right but for an order, or None."""
        if stage == "changed its inputs":
            return None
        return results_reordered(self.facts, self.outcomes) or arguments_reordered(
            self.facts, self.f
        )

    def _lines(self, found):
        """Sentences on the lines where the mistakes are, each if there is one candidate."""
        if misplaced := misplaced_name(self.facts, self.f):
            yield misplaced
        if returned := line_of(self.f, "returned"):
            yield say("line.returned", number=returned[0], source=returned[1])
            return
        for kind in dict.fromkeys(mistake.line for mistake in found.sure) if found else ():
            if kind and (place := line_of(self.f, kind)):
                yield say("line", number=place[0], source=place[1])

    def _descriptions(self):
        """For each stage: what describes it, and whether a mistake may be recognized there."""
        return {
            "raised": (self._raised, True),
            "changed its inputs": (self._changed, False),
            "returned the wrong type": (self._wrong_type, False),
            "left a gradient out": (self._wrong_type, True),
            "wrong shape": (self._wrong_shape, True),
            **dict.fromkeys(VALUES, (self._wrong_values, True)),
        }

    def _step(self, case):
        """The first step that a case fails, or None."""
        attempt, outcome = self.attempts[case.number], self.outcomes[case.number]
        if isinstance(outcome, Raised):
            return "raised"
        if attempt.changed:
            return "changed its inputs"
        if isinstance(outcome, Unreadable):
            return outcome.stage
        name = self._wrong_part(case)
        if name is None:
            return None
        if np.shape(outcome[name]) != np.shape(case.expected[name]):
            return "wrong shape"
        return VALUES[case.number > 0]

    def _wrong_part(self, case):
        """The first part of the result that is not as expected, or None."""
        outcome = self.outcomes[case.number]
        wrong = (name for name in case.expected if not agree(outcome[name], case.expected[name]))
        return next(wrong, None)

    def _raised(self, case, found):
        attempt = self.attempts[case.number]
        at, hint = own_line(attempt), error_hint(attempt.error)
        said = [say("raised", error=described(attempt.error))]
        said += [say("raised.line", number=at[0], source=at[1])] if at else []
        return [*said, *([hint] if hint else [])], bool(hint)

    def _raised_elsewhere(self):
        """What is behind an exception in another case, in a list; if there is something to say."""
        for case in self.facts.cases:
            error = self.attempts[case.number].error
            if error and (hint := error_hint(error)):
                where = given(case.arguments)
                return [say("raised.elsewhere", given=where, error=described(error)), hint]
        return []

    def _changed(self, case, found):
        attempt = self.attempts[case.number]
        key = "changed.rounding" if attempt.rounding else "changed"
        if any(isinstance(case.arguments[name], Network) for name in attempt.changed):
            key = "changed.network"
        count, first = len(attempt.changed), attempt.changed[0]
        copy = self._copy(case, first)
        return [say(key, names=", ".join(attempt.changed), count=count, copy=copy)], True

    def _copy(self, case, name):
        """How to copy an argument, as a line of Python."""
        value = case.arguments[name]
        if not isinstance(value, list):
            return f"{name} = {name}.copy()"
        return f"{name} = [{name[0]}.copy() for {name[0]} in {name}]"

    def _wrong_type(self, case, found):
        return [self.outcomes[case.number].args[0]], True

    def _wrong_shape(self, case, found):
        name = self._wrong_part(case)
        wrong = self._wrong(case, name)
        declared = f"{symbolic(wrong.symbols)} = " if self._declared(name) else ""
        expected = f"{declared}{wrong.expected.shape}"
        said = [say("shape", name=wrong.name, yours=wrong.yours.shape, expected=expected)]
        if found and name in found.parts:
            return said, True
        others = [each for each in self._all(name) if each.yours.shape != each.expected.shape]
        hint = constant_family(self._all(name)) or shape_family(wrong, others)
        return [*said, *([hint] if hint else [])], bool(hint)

    def _wrong_values(self, case, found):
        wrong = self._wrong(case, self._wrong_part(case))
        if isinstance(wrong.expected, frozenset):
            said = self.task.result.difference(case.arguments, wrong.yours, wrong.expected)
            return list(said), True
        index = worst_cell(wrong.yours, wrong.expected)
        cell = cell_name(wrong.name, index)
        sentences = []
        if not np.isfinite(wrong.yours).all():
            sentences.append(say("not finite", name=wrong.name, cell=cell))
        elif not (found and wrong.name in found.parts):
            family = constant_family(self._all(wrong.name)) or value_family(self._all(wrong.name))
            sentences += [family] if family else []
        explained = bool(sentences)
        yours, expected = unlike(float(wrong.yours[index]), float(wrong.expected[index]))
        sentences.append(say("worst", cell=cell, yours=yours, expected=expected))
        if self.task.explain:
            arithmetic = self.task.explain(wrong.name, index, **case.arguments)
            sentences.append(say("expected is", arithmetic=arithmetic))
        return sentences, explained

    def _where_to_look(self, case):
        seed = f", seed={self.facts.seed}" if self.facts.seed else ""
        drawn, name = f"task.case({case.number}{seed})", name_of(self.f)
        call = f"{name}(*{drawn})"
        if getattr(self.task.result, "fills", False):  # a call alone would show nothing
            call = self.task.result.trial(name, drawn)
        return [say("case", given=given(case.arguments)), say("case.try", call=call)]

    def _compared(self, case):
        """(part, yours, expected) of a case, if they are arrays."""
        name = self._wrong_part(case)
        yours, expected = self.outcomes[case.number][name], case.expected[name]
        return None if isinstance(expected, frozenset) else (name, yours, expected)

    def _declared(self, name):
        """The symbols of a part's axes; None if it may have any."""
        entry = self.task.result.entries.get(name)
        return entry.symbols if entry and entry.symbols != ANY else None

    def _wrong(self, case, name):
        yours, expected = self.outcomes[case.number][name], case.expected[name]
        symbols = self._declared(name)
        if symbols is None:
            symbols = tuple(f"axis {axis}" for axis in range(np.ndim(expected)))
        return Wrong(name, symbols, yours, expected, case)

    def _all(self, name):
        """Every case that returned this part as an array, right or wrong."""
        return [
            self._wrong(case, name)
            for case in self.facts.cases
            if numbers_in(self.outcomes[case.number], name) is not None
        ]

    def _distinct_axes(self, case):
        return len(set(np.shape(case.expected[self._wrong_part(case)])))


def _size(case):
    return sum(np.size(part) for part in case.expected.values())

"""What a lesson calls: one question, two from earlier lessons, or a mixed set."""

import difflib

from cnnbp.questions.page import page, plain
from cnnbp.questions.rooms import MIXED, QUESTIONS
from cnnbp.shape import complaint

EARLIER = (1, 3)  # how many lessons back an opening question comes from
RETRIEVAL_SEED = 40  # plus how far back: numbers that the lesson itself did not use


class Ask:
    """Questions below one another, each with an answer field of its own.

    names, seeds   what is asked, in order
    """

    def __init__(self, names, seeds):
        self.names, self.seeds = tuple(names), tuple(seeds)
        self._asked = [_found(n).asked(s) for n, s in zip(self.names, self.seeds, strict=True)]

    def _repr_mimebundle_(self, include=None, exclude=None):
        return {"text/html": "".join(map(page, self._asked)), "text/plain": repr(self)}

    def __repr__(self):
        return "\n\n\n".join(map(plain, self._asked))


def ask(name, seed=0):
    """An answer field for a question, to be the last line of a cell.

    name     a key of QUESTIONS
    seed     a whole number: other numbers
    returns  Ask, which answers in the page, without a kernel

    Raises ValueError if there is no such question, naming the nearest.

    >>> ask("messages to a weight", seed=3).names
    ('messages to a weight',)
    """
    return Ask([name], [seed])


def retrieval(lesson):
    """The questions that open a lesson: one of the lesson before, one of three before.

    lesson   "06"
    returns  Ask, with numbers that the earlier lessons did not show

    The questions are the last of their lessons, where everything comes together; a lesson
    without an earlier one has none to ask.
    Raises ValueError if there is no lesson before it.
    """
    lessons = sorted({question.lesson for question in QUESTIONS.values()})
    before = [known for known in lessons if known < _number(lesson)]
    if not before:
        raise complaint(ValueError, f"there are no questions before lesson {lesson!r}")
    names, seeds = [], []
    for back in EARLIER:
        if back <= len(before):
            own = [q.name for q in QUESTIONS.values() if q.lesson == before[-back]]
            names.append(own[-back])
            seeds.append(RETRIEVAL_SEED + back)
    return Ask(names, seeds)


def mixed(lesson):
    """Eight questions from different lessons, whose first step is to choose the rule.

    lesson   "05", "10" or "14": the one that they come after
    returns  Ask

    Raises ValueError if there is no set after this lesson.
    """
    if _number(lesson) not in MIXED:
        raise complaint(ValueError, f"mixed sets come after {', '.join(MIXED)}, not {lesson!r}")
    names = MIXED[_number(lesson)]
    return Ask(names, [RETRIEVAL_SEED + int(lesson)] * len(names))


def _number(lesson):
    """ "06" for "06", 6 and "6"."""
    return str(lesson).zfill(2)


def _found(name):
    if name in QUESTIONS:
        return QUESTIONS[name]
    near = difflib.get_close_matches(str(name), QUESTIONS, n=3, cutoff=0.4)
    meant = f" Did you mean {' or '.join(map(repr, near))}?" if near else ""
    raise complaint(ValueError, f"there is no question {name!r}.{meant}")

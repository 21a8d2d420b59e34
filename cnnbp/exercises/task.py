"""A task: a statement, what it takes and returns, cases, the right answer, hints, known mistakes.

Declared by decorating its solution, whose docstring is the statement; its mistakes stand below it.
"""

import functools
import inspect
import itertools
import operator
import re
import sys
from dataclasses import replace

import numpy as np

from cnnbp.exercises.check.calling import copied
from cnnbp.exercises.check.factors import unnamed_factor, value_of
from cnnbp.exercises.check.handed_in import is_the_packages, name_of
from cnnbp.exercises.check.messages import say, text_of
from cnnbp.exercises.check.mistakes import Composed, Mistake
from cnnbp.exercises.check.recognizing import sizes_of
from cnnbp.exercises.check.results import Arrays, Unreadable
from cnnbp.exercises.check.shapes import bind, parsed
from cnnbp.exercises.check.steps import judge
from cnnbp.exercises.choices import wrong
from cnnbp.exercises.pages.page import Page
from cnnbp.exercises.pages.progress import remember
from cnnbp.exercises.pages.sheet import sheet
from cnnbp.exercises.pages.source import solution_of, stub_of
from cnnbp.exercises.pages.statement import flowed, shape_table, statement
from cnnbp.exercises.pages.verdict import Verdict
from cnnbp.shape import complaint


def exercise(**declaration):
    """Turn the solution it decorates into a Task; the arguments are Task's."""
    return lambda solution: Task(solution, **declaration)


def name_in_notebook(task):
    """What an exercise is called where the learner works, as in `relu_task`; else "task"."""
    names = [name for name, value in vars(sys.modules["__main__"]).items() if value is task]
    given = [name for name in names if not name.startswith("_")]  # _ and _12 are results
    return "task" if "task" in given or not given else given[0]


class Task:
    """A function for the learner to write, and all that is needed to judge it.

    solution  function with the task's own signature; its docstring is the statement
    lesson    "06"
    given     {"dz": "N F OH OW: gradient of the loss by z", ...}, every argument of the solution
              in its order, in the language of check/shapes.py
    returns   {"dw": "F C KH KW"}, or another kind of result from check/results.py
    tiny      rng -> a case worked by hand: dict of (at least) the solution's arguments
    cases     rng -> list of random cases, smallest first; that one is free of ties and kinks
    answer    the right answer, fast, with the same arguments
    hints     list of sentences, each one saying more
    numeric   the same by central differences, or None
    explain   (part, index, **arguments) -> how a cell is made, or None
    stub      what the stub says of itself, in one line; else the statement's first sentence
    start     how to begin, for the stub

    Raises ValueError if `given` are not the solution's parameters, a shape is not written in the
    language, or the tiny case and its answer have other shapes than declared.
    """

    def __init__(self, solution, *, lesson, given, returns, tiny, cases, answer, hints,
                 numeric=None, explain=None, stub=None, start=""):  # fmt: skip
        self.name, self.function, self.lesson = solution.__name__, solution, lesson
        self.parameters = list(inspect.signature(solution).parameters)
        self.answer, self.numeric, self.explain = answer, numeric, explain
        self.mistakes = {}  # name: Mistake
        self.composed, self._factors = None, []
        self._tiny, self._cases = tiny, cases
        try:
            self.given = parsed(given)
            self.result = Arrays(returns) if isinstance(returns, dict) else returns
            self._require_declared_shapes()
        except (ValueError, Unreadable) as error:
            raise ValueError(f"{self.name}: {error}") from None
        prose = inspect.getdoc(solution)
        self._text = f"{prose}\n\n{shape_table(self.given, self.result)}"
        self._stub, self._start = stub or flowed(prose.split("\n\n")[0]), start
        self.hints = {f"{self.name}.hint {number}": hint for number, hint in enumerate(hints, 1)}
        self._hints_shown = 0

    def _require_declared_shapes(self):
        if list(self.given) != self.parameters:
            declared = ", ".join(self.given)
            raise ValueError(f"it takes {', '.join(self.parameters)} but declares {declared}")
        case = self._own(self._tiny(np.random.default_rng(0)))
        self.sizes(case, self.answer(*map(copied, case.values())))

    def sizes(self, case, answer):
        """{symbol: size} of a case and its answer, or ValueError if they are not as declared."""
        return bind(self.result.entries, self.result.read(answer, case), bind(self.given, case))

    def check(self, function, seed=0):
        """A Verdict on the learner's function, truthy if it is right; seed makes a variant.

        A function that has the name of another exercise is judged by that one: `task` may be any
        exercise by now. `verdict.task` says which it was.
        """
        seed, task = whole_seed(seed), self._meant(function)
        finding = judge(task, function, seed)
        if task is not self:
            said = say("another's name", judged=task.name, task=self.name)
            finding.sentences.insert(0, said)
        finding.sentences[:] = map(self._called, finding.sentences)
        verdict = Verdict(task.name, finding)
        note = remember(task.name) if verdict else None
        if note:
            verdict.page.text(note)
        return verdict

    def _called(self, text):
        """A text that says how to go on, with the name that the learner gave to the exercise."""
        return re.sub(r"\btask(?=\.(check|hint|solution|case)\()", name_in_notebook(self), text)

    def _meant(self, function):
        """The exercise that has the function's name, if there is one; else this one."""
        from cnnbp.exercises import EXERCISES  # all are declared before one of them is checked

        meant = EXERCISES.get(name_of(function), self)
        return self if is_the_packages(function) or meant.name == self.name else meant

    def hint(self):
        """One hint more each time."""
        self._hints_shown = min(self._hints_shown + 1, len(self.hints))
        page, count = Page(), len(self.hints)
        for number, hint in enumerate(list(self.hints.items())[: self._hints_shown], 1):
            said = say("hint", number=number, count=count, task=self.name)
            page.text(f"{said} {text_of(*hint)}")
        last = self._called(say("hint.last"))
        return page if self._hints_shown < count else page.text(last)

    def solution(self):
        """A solution in loops, as source text that runs."""
        return solution_of(self.function)

    def stub(self):
        """The function that a lesson begins with, as source text: not written yet."""
        returned = () if getattr(self.result, "fills", False) else self.result.names
        return stub_of(self.name, self.parameters, self._stub, self._start, returned)

    def sheet(self, seed=0, *, answers=False):
        """The tiny case of a seed as a printable page with blank cells, or with their answers."""
        return sheet(self, whole_seed(seed), answers)

    def case(self, number=0, seed=0):
        """The arguments of a case: number 0 is the tiny one. my_function(*task.case(2)) runs it."""
        drawn = self.drawn(whole_seed(seed))
        if number not in range(len(drawn)):
            raise complaint(
                ValueError, f"number must be from 0 to {len(drawn) - 1}, not {number!r}"
            )
        return tuple(map(copied, drawn[number].values()))

    def drawn(self, seed):
        """All cases of a seed, the tiny one first, each a dict of the task's own arguments."""
        rng = np.random.default_rng(seed)
        return [self._own(case) for case in (self._tiny(rng), *self._cases(rng))]

    def _own(self, case):
        """The arguments of this task out of a case that other tasks share."""
        return {name: case[name] for name in self.parameters}

    def mistake(self, reread, *, also=(), convention=False, line=None):
        """Catalogue the wrong implementation it decorates: its docstring is what is said of it.

        reread      the lesson and section to read again
        also        other implementations of the same mistake
        convention  True if it is right in itself, but not what this course agreed on
        line        where in the learner's source to look for it: a kind of check/source_lines.py
        """

        def catalogue(function):
            said, every = flowed(inspect.getdoc(function)), (function, *also)
            made = wrong(function.__name__, reread, said, also=every, convention=convention)
            self._listed(replace(made, line=line))
            return function

        return catalogue

    def steps(self, *, factors=None, **choices):
        """Declare the answer as steps, by decorating a function that is made of them.

        choices  {step: [the right function, wrong(...), ...]}, see cnnbp/exercises/choices.py
        factors  {"1/N": wrong(...)}, factors that have a name here; "dw db: 1/N" is one that
                 only these parts have

        The function takes the steps and then the task's own arguments; each step is an attribute.
        """

        def compose(function):
            self.composed = Composed(
                function,
                {
                    step: [right, *itertools.chain(*map(self._forms, every))]
                    for step, (right, *every) in choices.items()
                },
            )
            for step, form, mistake in self.composed.wrong:
                mistake.functions.append(self.composed.with_choices({step: form}))
            for declared, each in (factors or {}).items():
                self._declare_factor(declared, each)
            return function

        return compose

    def _forms(self, made):
        """(form, mistake) for every form of a `wrong`."""
        return list(zip(made.forms, itertools.repeat(self._listed(made))))

    def _declare_factor(self, declared, each):
        *head, reading = declared.split(": ")
        parts = tuple(head[0].split()) if head else self.result.names
        mistake = self._listed(each, parts)
        mistake.functions.append(functools.partial(self._multiplied, parts, reading))
        self._factors.append((parts, reading, mistake))

    def _multiplied(self, parts, reading, *arguments):
        """The right answer with a factor in some parts."""
        case = dict(zip(self.parameters, arguments, strict=True))
        right = self.result.read(self.answer(*arguments), case)
        factor = value_of(reading, sizes_of(self, case))
        found = tuple(factor * each if name in parts else each for name, each in right.items())
        return found if len(found) > 1 else found[0]

    @property
    def factors(self):
        """The mistakes that are a factor."""
        return [mistake for _, _, mistake in self._factors]

    def factor(self, reading, part):
        """{mistake: rank} that say it is a factor in a part; the more special, the lower."""
        declared = {
            mistake: len(parts)
            for parts, named, mistake in self._factors
            if part in parts and named == reading
        }
        return declared or {unnamed_factor(reading): 0}

    def _listed(self, made, parts=None):
        """The Mistake of a `wrong`, in the catalogue once even if several steps can make it."""
        if made.name not in self.mistakes:
            key = f"{self.name}.{made.name}"
            parts = parts or tuple(self.result.names)
            about = made.said, made.reread, parts, made.convention, made.line, made.alone
            noted = Mistake(made.name, key, *about)
            self.mistakes[made.name] = noted
        self.mistakes[made.name].functions.extend(made.also)
        return self.mistakes[made.name]

    @property
    def sentences(self):
        """{key: text}, all that is said of this task alone, in its own words."""
        mistakes = {mistake.key: mistake.said for mistake in self.mistakes.values()}
        return {self.name: self._text, **self.hints, **mistakes}

    @property
    def text(self):
        """The statement with its table of shapes, in the language of the course."""
        return text_of(self.name, self._text)

    @property
    def signature(self):
        """The call and what it returns, in one line."""
        return f"{self.name}({', '.join(self.parameters)}) → {', '.join(self.result.names)}"

    def statement(self):
        """What is asked, with shapes and a tiny case, as a Page."""
        return statement(self, self._called(say("task.try")))

    def __repr__(self):
        return repr(self.statement())

    def _repr_html_(self):
        return self.statement()._repr_html_()


def whole_seed(seed):
    """The seed as an int of Python's.

    >>> whole_seed("7")
    Traceback (most recent call last):
        ...
    ValueError: whole_seed: seed must be a whole number from 0 on, not '7'
    """
    try:
        whole = operator.index(seed)
    except TypeError:
        whole = -1
    if whole < 0 or isinstance(seed, bool):
        raise complaint(ValueError, f"seed must be a whole number from 0 on, not {seed!r}")
    return whole

"""An exercise: a statement, cases, the right answer, a solution, hints and known mistakes.

Declared by decorating its solution; the solution's docstring is the statement.
"""

import ast
import inspect
import re
import textwrap
from dataclasses import dataclass

import numpy as np

from cnnbp.exercises import record
from cnnbp.exercises.calling import copied
from cnnbp.exercises.checker import judge
from cnnbp.exercises.messages import MESSAGES, say
from cnnbp.exercises.numbers import written_out
from cnnbp.exercises.page import Page
from cnnbp.exercises.registry import EXERCISES
from cnnbp.exercises.results import Arrays
from cnnbp.exercises.sheets import sheet


def exercise(**declaration):
    """Turn the solution it decorates into an Exercise; the arguments are Exercise's."""
    return lambda solution: Exercise(solution, **declaration)


class Exercise:
    """A function for the learner to write, and all that is needed to judge it.

    solution  function with the task's own signature; its docstring is the statement, whose lines
              "dz  (N, F, OH, OW)" and "returns  dw (F, C, KH, KW)" say the shapes
    lesson    "06"
    tiny      rng -> a case worked by hand: dict of (at least) the solution's arguments
    cases     rng -> list of random cases, smallest first; that one is free of ties and kinks
    answer    the right answer, fast, with the same arguments
    hints     list of sentences, each one saying more
    numeric   the same by central differences, or None
    explain   (part, index, **arguments) -> how a cell is made, or None
    result    what is returned, if not the arrays that the statement names
    """

    def __init__(
        self,
        solution,
        *,
        lesson,
        tiny,
        cases,
        answer,
        hints,
        numeric=None,
        explain=None,
        result=None,
    ):
        self.name = solution.__name__
        self.function = solution
        self.lesson = lesson
        self.parameters = list(inspect.signature(solution).parameters)
        self.answer, self.numeric, self.explain = answer, numeric, explain
        self.mistakes = {}  # name: Mistake
        self.shapes = shapes_in(inspect.getdoc(solution))
        self.result = result or Arrays(*self.shapes["returns"])
        self._tiny, self._cases = tiny, cases
        self._hints_shown = 0
        MESSAGES[self.name] = inspect.getdoc(solution)
        self.hints = [f"{self.name}.hint {number}" for number in range(1, len(hints) + 1)]
        MESSAGES.update(zip(self.hints, hints, strict=True))
        EXERCISES[self.name] = self

    def check(self, function, seed=0):
        """A Verdict on the learner's function, truthy if it is right; seed makes a variant."""
        verdict = judge(self, function, seed)
        note = record.remember(self.name) if verdict else None
        if note:
            verdict.page.text(note)
        return verdict

    def hint(self):
        """One hint more each time."""
        self._hints_shown = min(self._hints_shown + 1, len(self.hints))
        page, count = Page(), len(self.hints)
        for number, key in enumerate(self.hints[: self._hints_shown], 1):
            page.text(f"{say('hint', number=number, count=count)} {MESSAGES[key]}")
        return page if self._hints_shown < count else page.text(say("hint.last"))

    def solution(self):
        """A solution in loops, as source text that runs."""
        return Source(source_of(self.function))

    def sheet(self, seed=0, *, answers=False):
        """The tiny case of a seed as a printable page with blank cells, or with their answers."""
        return sheet(self, seed, answers)

    def case(self, number=0, seed=0):
        """The arguments of a case: number 0 is the tiny one. my_function(*task.case(2)) runs it."""
        return tuple(map(copied, self.drawn(seed)[number].values()))

    def drawn(self, seed):
        """All cases of a seed, the tiny one first, each a dict of the task's own arguments."""
        rng = np.random.default_rng(seed)
        cases = [self._tiny(rng), *self._cases(rng)]
        return [{name: case[name] for name in self.parameters} for case in cases]

    def mistake(self, reread, *, also=(), convention=False):
        """Catalogue the wrong implementation it decorates: its docstring is what is said of it.

        reread      the lesson and section to read again
        also        other implementations of the same mistake
        convention  True if it is right in itself, but not what this course agreed on
        """

        def catalogue(function):
            name = function.__name__
            MESSAGES[f"{self.name}.{name}"] = _flowed(inspect.getdoc(function))
            functions = (function, *also)
            self.mistakes[name] = Mistake(f"{self.name}.{name}", functions, reread, convention)
            return function

        return catalogue

    @property
    def signature(self):
        """The call and what it returns, in one line."""
        return f"{self.name}({', '.join(self.parameters)}) → {', '.join(self.result.names)}"

    def statement(self):
        """What is asked, with shapes and a tiny case, as a Page."""
        first, *rest = MESSAGES[self.name].split("\n\n")
        page = Page().heading(f"{self.signature}    [lesson {self.lesson}]").text(_flowed(first))
        for paragraph in rest:
            is_table = re.search(r"^\w.*  +\S", paragraph, re.MULTILINE)
            page.code(paragraph) if is_table else page.text(_flowed(paragraph))
        case = self.drawn(0)[0]
        answer = self.result.read(self.answer(*self.case()), case)
        page.text(say("task.tiny")).code(_written_out(case))
        return page.text(say("task.answer")).code(_written_out(answer)).text(say("task.try"))

    def __repr__(self):
        return repr(self.statement())

    def _repr_html_(self):
        return self.statement()._repr_html_()


@dataclass(frozen=True, repr=False)
class Mistake:
    """A known wrong implementation, in one or several forms.

    key         "task.name", its place in the table of messages
    functions   that make the mistake, with the task's own arguments
    reread      lesson and section
    convention  True for one that is right in itself
    """

    key: str
    functions: tuple
    reread: str
    convention: bool

    @property
    def name(self):
        """What a verdict has as its .mistake."""
        return self.key.split(".")[1]

    @property
    def explanation(self):
        """The sentence that is said of it."""
        said = MESSAGES[self.key]
        return say("convention", explanation=said) if self.convention else said

    def __repr__(self):
        return f"{self.key}: {self.explanation}"


class Source(str):
    """Source text that a notebook shows as it is."""

    def __repr__(self):
        return str(self)


def shapes_in(statement):
    """The shapes that a statement gives: {name: symbols}; of its results under "returns".

    >>> shapes_in("Double it.\\n\\ndz, x  (N, C)   numbers\\nreturns  dx (N, C), db (C,)")
    {'dz': ('N', 'C'), 'x': ('N', 'C'), 'returns': {'dx': ('N', 'C'), 'db': ('C',)}}
    """
    shapes = {"returns": {}}
    for names, shape in re.findall(r"^(\w+(?:, \w+)*) +\(([^)]*)\)", statement, re.MULTILINE):
        shapes.update(dict.fromkeys(names.split(", "), _symbols(shape)))
    returns = re.search(r"^returns +(.*)$", statement, re.MULTILINE)
    for name, shape in re.findall(r"(\w+) \(([^)]*)\)", returns[1] if returns else ""):
        shapes["returns"][name] = _symbols(shape)
    shapes["returns"] = shapes.pop("returns")
    return shapes


def _written_out(values):
    return "\n".join(written_out(name, value) for name, value in values.items())


def _symbols(shape):
    return tuple(symbol.strip() for symbol in shape.split(",") if symbol.strip())


def _flowed(paragraph):
    """A paragraph without its line breaks, for a page sets its own."""
    return " ".join(paragraph.split())


def source_of(function):
    """A function's own text, without decorator and docstring, behind the import it needs."""
    text = textwrap.dedent(inspect.getsource(function))
    (node,) = ast.parse(text).body
    lines = text.splitlines()
    docstring = node.body[0]
    head = lines[node.lineno - 1 : docstring.lineno - 1]
    body = lines[docstring.end_lineno : node.end_lineno]
    return "\n".join(["import numpy as np", "", "", *head, *body, ""])

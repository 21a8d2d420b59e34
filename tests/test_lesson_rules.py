"""Rules of a lesson: it runs in any order, asks before it tells, solves no exercise above it."""

import ast
import random
import re
from base64 import b64encode
from collections import Counter
from contextlib import chdir
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

import ipywidgets
import matplotlib.pyplot as plt
import nbformat
import numpy as np
import pytest
from decisions import DECISIONS, FINISHED
from IPython.core.displayhook import DisplayHook
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output

from cnnbp.questions import QUESTIONS

LESSONS = sorted((Path(__file__).parents[1] / "notebooks").glob("*.ipynb"))
ASKED = re.compile(r"^ask\(\"([^\"]+)\"(?:, seed=(\d+))?\)$", re.MULTILINE)
CHECK = re.compile(r"^(\w+)\.check\((\w+)\)$", re.MULTILINE)
IGNORED = "NBVAL_IGNORE_OUTPUT"
WIDGET = "application/vnd.jupyter.widget-view+json"

# Questions whose answer stands above them in another meaning, and why that gives nothing away.
NO_LEAKS = {
    "three squashes": "its answer is 1, and the loss above is nearly 1",
    "rows times columns": "its answer is 1, and the tables of another question hold a 1",
    "how many calls": "its answer is 50, and the lesson takes 50 minutes",
    "judged by the largest": "its answer is 1/8, and a step above is 1/8 long",
}


@pytest.fixture(scope="module", params=LESSONS, ids=lambda path: path.stem)
def lesson(request):
    return request.param


@pytest.fixture(scope="module")
def cells(lesson):
    return nbformat.read(lesson, as_version=4).cells


def sources(cells):
    return [cell.source for cell in cells if cell.cell_type == "code"]


def asked(cells):
    """The questions of a lesson's own, in order: (place of its cell, name, seed), each."""
    return [
        (place, name, int(seed or 0))
        for place, cell in enumerate(cells)
        if cell.cell_type == "code"
        for name, seed in ASKED.findall(cell.source)
    ]


def test_every_question_of_a_lesson_is_seen_by_these_rules(cells):
    assert len(re.findall(r"\bask\(", "\n".join(sources(cells)))) == len(asked(cells))


# Every cell runs again, in any order.


class Bound(ast.NodeVisitor):
    """The names that a cell binds at its top level."""

    def __init__(self, source):
        self.names = set()
        self.visit(ast.parse(source))

    def visit_Name(self, node):
        if isinstance(node.ctx, ast.Store):
            self.names.add(node.id)

    def visit_alias(self, node):
        self.names.add((node.asname or node.name).partition(".")[0])

    def visit_FunctionDef(self, node):
        self.names.add(node.name)

    visit_ClassDef = visit_FunctionDef

    def _of_its_own(self, node):
        """What is bound inside stays inside."""

    visit_Lambda = visit_ListComp = visit_SetComp = visit_DictComp = _of_its_own
    visit_GeneratorExp = _of_its_own


def test_a_name_is_bound_in_one_cell(cells):
    places = Counter(name for source in sources(cells) for name in Bound(source).names)
    assert not [name for name, count in places.items() if count > 1]


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ("x, (y, z) = 1, (2, 3)", {"x", "y", "z"}),
        ("import numpy as np\nfrom a import b as c", {"np", "c"}),
        ("for i in [1]:\n    last = i", {"i", "last"}),
        ("def f(x):\n    y = x", {"f"}),
        ("[i for i in [1]]; a.x = 2; a[0] = 3; print(lambda v: v)", set()),
        ("with f() as opened:\n    pass", {"opened"}),
    ],
)
def test_bound_names_are_found(source, names):
    assert Bound(source).names == names


def shown(shell, source):
    """What a cell shows; nothing of what differs from run to run."""
    with capture_output() as captured:
        result = shell.run_cell(source)
    result.raise_error()
    plt.close("all")
    if IGNORED in source:
        return []
    return outputs(captured.stdout, [output.data for output in captured.outputs])


def stored(cell):
    """What a cell shows in the notebook, like shown."""
    if IGNORED in cell.source:
        return []
    texts = [output.text for output in cell.outputs if output.output_type == "stream"]
    return outputs("".join(texts), [output.data for output in cell.outputs if "data" in output])


def outputs(text, bundles):
    """What is printed, then text, pictures and pages; widgets have another name in every kernel."""
    kept = [{kind: data for kind, data in bundle.items() if kind != WIDGET} for bundle in bundles]
    return [text, *({kind: of_one_form(data) for kind, data in each.items()} for each in kept)]


def of_one_form(data):
    """A picture of bytes is stored as text, with an end of line."""
    text = b64encode(data).decode() if isinstance(data, bytes) else data
    return text.rstrip("\n") if isinstance(text, str) else text


class Ran(NamedTuple):
    """A lesson executed from top to bottom: where, what its cells showed, and its checks."""

    shell: InteractiveShell
    shown: list
    checks: list


@pytest.fixture(scope="module")
def ran(cells, tmp_path_factory):
    """The lesson, executed once for all tests; at every check, the solution is tried, too."""
    folders = [tmp_path_factory.mktemp(name) for name in ("unsolved", "solved")]
    with chdir(folders[0]), np.printoptions():  # what is solved is remembered there
        InteractiveShell.clear_instance()
        shell = InteractiveShell.instance(displayhook_class=Results)
        ran = Ran(shell, [], [])
        for source in sources(cells):
            ran.shown.append(shown(shell, source))
            with chdir(folders[1]):
                ran.checks.extend(checks(source, shell.user_ns))
        yield ran
    InteractiveShell.clear_instance()
    ipywidgets.Widget.close_all()


class Results(DisplayHook):
    """What a cell returns goes where a kernel sends it: to what the cell displays."""

    def write_format_data(self, format_dict, md_dict=None):
        self.shell.display_pub.publish(format_dict, md_dict)

    def write_output_prompt(self):
        """There is none in an output."""

    finish_displayhook = write_output_prompt


class Check(NamedTuple):
    """One check: its function's name, the verdict on the stub, and on the solution."""

    function: str
    stub: object
    solution: object


def checks(source, names):
    """The checks of a cell that has run, with the lesson's names as they are there."""
    for task, function in CHECK.findall(source):
        solved = dict(names)
        exec(names[task].solution(), solved)
        yield Check(function, *(names[task].check(found[function]) for found in (names, solved)))


def test_executed_again_a_lesson_shows_what_is_stored(cells, ran):
    """A fresh kernel has shown it once, in `make test`; here it is another process."""
    assert ran.shown == [stored(cell) for cell in cells if cell.cell_type == "code"]


def test_lesson_has_an_exercise(ran):
    assert ran.checks


def test_unsolved_lesson_runs_and_says_what_is_not_written(ran):
    assert {check.function: check.stub.stage for check in ran.checks} == {
        check.function: "not written yet" for check in ran.checks
    }


def test_solutions_pass_every_check(ran):
    assert not [check.solution for check in ran.checks if not check.solution]


def test_cells_show_the_same_again_in_any_order(lesson, cells, ran):
    own = sources(cells)
    for seed in range(2):
        order = random.Random(f"{lesson.stem} {seed}").sample(range(len(own)), len(own))
        again = {place: shown(ran.shell, own[place]) for place in order}
        different = [own[place] for place in sorted(order) if again[place] != ran.shown[place]]
        assert not different


def test_nothing_depends_on_what_a_cell_set_for_all(cells):
    code = "\n".join(sources(cells))
    assert not re.findall(r"set_printoptions|random\.seed|^rng = .*", code, re.MULTILINE)


# Questions come first.


def test_a_lesson_asks_enough_of_its_own_questions(lesson, cells):
    names = [name for _, name, _ in asked(cells)]
    own = [QUESTIONS[name] for name in names if QUESTIONS[name].lesson == lesson.stem[:2]]
    assert 5 <= len(own) <= 11
    assert lesson.stem < "03" or sum(q.kind in ("cells", "match") for q in own) >= 2


def test_a_question_is_asked_once():
    counts = Counter(
        name for path in LESSONS for _, name, _ in asked(nbformat.read(path, as_version=4).cells)
    )
    assert not [name for name, count in counts.items() if count > 1]
    assert len(counts) >= 70
    assert sum(QUESTIONS[name].kind in ("cells", "match") for name in counts) >= 25


def test_a_lesson_begins_with_earlier_questions_and_three_end_with_mixed_ones(lesson, cells):
    number = lesson.stem[:2]
    code = sources(cells)
    assert (number == "00") or f'retrieval("{number}")' in code[1]
    assert (number in ("05", "10", "14")) == (f'mixed("{number}")' in "\n".join(code[-3:]))


def test_nothing_is_to_be_predicted_without_a_field(cells):
    prose = "\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
    assert not re.findall(r"\*\*(?:Predict|Question|A question|Check yourself)\b.*", prose)


def told(cell):
    """The text of a cell and of what it shows, but not of a question's field."""
    if cell.cell_type == "markdown":
        return cell.source
    if re.search(r"\b(?:ask|retrieval|mixed)\(", cell.source):
        return ""
    texts = [
        output.get("text", output.get("data", {}).get("text/plain", "")) for output in cell.outputs
    ]
    return "\n".join([cell.source, *texts])


def whole(text):
    """A pattern for a text that is not part of a longer number, name or index."""
    return rf"(?<![\w.,/[(−-]){re.escape(text)}(?![\w/\])]|[.,]\w)"


def gives_away(found, text):
    """Whether a text holds the right answer of an Asked so that it can be read as such."""
    answer = found.answer
    if found.kind == "number":
        forms = {found.said(answer), str(answer).replace("-", "−"), str(answer)}
        return any(re.search(whole(form), text) for form in forms)
    if found.kind in ("choice", "shape"):
        return found.said(answer) in text
    if found.kind == "match":
        pairs = zip(found.rows, answer, strict=True)
        return all(re.search(f"{re.escape(row)}.*{re.escape(a)}", text) for row, a in pairs)
    every = {cell for table in found.tables if table.marked for cell in table.cells()}
    named = {cell for cell in every if re.search(whole(cell), text)}
    return bool(answer) and named == answer


def is_ordinary(answer):
    """Whether an answer is a number that stands everywhere: only the lines above could tell it."""
    return isinstance(answer, Fraction) and answer.denominator in (1, 2, 4) and abs(answer) < 40


def test_no_answer_stands_above_its_question(cells):
    leaks = []
    for place, name, seed in asked(cells):
        found = QUESTIONS[name].asked(seed)
        earliest = max(place - 1, 0) if is_ordinary(found.answer) else 0
        for cell in cells[earliest:place]:
            if name not in NO_LEAKS and gives_away(found, told(cell)):
                leaks.append(f"{name}: {found.said(found.answer)!r} in {cell.id}")
    assert not leaks


def test_a_leak_is_found():
    weight = QUESTIONS["messages to a weight"].asked()
    assert gives_away(weight, "dz[0] x[1]\ndz[1] x[4]\ndz[2] x[7]")
    assert not gives_away(weight, "dz[0] x[1]\ndz[1] x[4]")
    shape = QUESTIONS["the shape of z"].asked()
    assert gives_away(shape, f"It is {shape.said(shape.answer)}.")
    hand = QUESTIONS["one cell of dz"].asked()
    assert gives_away(hand, f"so {hand.said(hand.answer)}, as")
    assert not gives_away(hand, f"so 7{hand.said(hand.answer)}1, as")


# Exercises are not solved above themselves.


def test_no_decision_of_an_exercise_stands_above_its_check(cells):
    above, given = "", []
    for cell in cells:
        if cell.cell_type == "code":
            for _, function in CHECK.findall(cell.source):
                for pattern, reason in DECISIONS[function]:
                    given += [f"{function}: {reason}"] * bool(re.search(pattern, above))
                for name in FINISHED.get(function, ()):
                    given += [f"{function}: {name}"] * (f"show_source(cnnbp.{name})" in above)
        above += "\n" + told(cell)
    assert not given


# How it reads.


def test_a_lesson_is_short(cells):
    assert 20 <= len(cells) <= 60  # a question is two cells, an exercise three


def test_there_is_one_minus_sign(cells):
    prose = "\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
    outside_code = re.sub(r"```.*?```|`[^`]*`|\]\([^)]*\)|^ {4}.*$", "", prose, flags=re.S | re.M)
    assert not re.findall(r".*(?<![\w.])-\d.*", outside_code)


def test_an_error_is_said_as_a_bound(cells):
    shown_numbers = "\n".join(told(cell) for cell in cells if IGNORED not in cell.source)
    assert not re.findall(r"\b\d\.\d+e-(?:0[7-9]|1\d)\b", shown_numbers)

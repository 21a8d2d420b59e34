"""What an exercise shows of itself: statement, hints, solution, sheet, progress, translations."""

import fnmatch
import importlib.util
import json
import re
import runpy
import sys
import xml.etree.ElementTree as ElementTree
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from IPython.core.interactiveshell import InteractiveShell

from cnnbp.exercises import MESSAGES, TASKS, progress, relu_gradient
from cnnbp.exercises.check.recognizing import known
from cnnbp.exercises.pages.progress import FILE

ROOT = Path(__file__).parents[2]
INSTRUCTORS = (ROOT / "docs" / "instructors.md").read_text(encoding="utf-8")
SPEC = importlib.util.spec_from_file_location("instructors", ROOT / "tools" / "instructors.py")
instructors = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(instructors)


def each_task(test):
    return pytest.mark.parametrize("task", TASKS, ids=lambda task: task.name)(test)


@pytest.fixture(autouse=True)
def fresh_hints(monkeypatch):
    for task in TASKS:
        monkeypatch.setattr(task, "_hints_shown", 0)


def right(dz, x):
    return dz * (x > 0)


# Statement, hints, solution


@each_task
def test_a_statement_says_what_is_given_and_returned(task):
    text = repr(task)
    assert text.startswith(f"{task.name}({', '.join(task.parameters)}) → ")
    for name in task.parameters:
        assert re.search(rf"\b{name}\b", text.split("A tiny case")[0].split("\n", 1)[1])
    assert "Its answer:" in text


@each_task
def test_a_statement_has_a_line_for_every_shape(task):
    lines = [re.split("  +", line)[:2] for line in task.text.split("\n\n")[-1].splitlines()]
    declared = [[name, str(entry)] for name, entry in task.given.items()]
    assert lines == [*declared, ["returns", str(task.result)]]


@each_task
def test_statement_and_verdict_are_html_as_well(task):
    for page in (task, task.check(lambda *_: None)):
        ElementTree.fromstring(page._repr_html_())


@each_task
def test_every_hint_says_one_more(task):
    seen = [repr(task.hint()) for _ in range(len(task.hints) + 1)]
    assert len(task.hints) >= 2
    for number, shown in enumerate(seen[:-1], 1):
        assert shown.count("Hint ") == number
    assert "solution()" in seen[-1]
    assert seen[-1] == seen[-2]


def test_a_verdict_reads_well_as_text():
    assert repr(relu_gradient.check(lambda dz, x: -dz * (x > 0))) == (
        """\
✗ relu_gradient: wrong in the tiny worked case

Your dx is right except for its sign.
Worst cell: dx[0,0] is 2, expected −2.
The case: dz (2, 3), x (2, 3).
Try it alone: my_function(*task.case(0))

yours: dx   expected      difference
 2  0  0     −2   0   0    4  0  0
 0  0  0      0   0   0    0  0  0"""
    )


def test_a_right_answer_reads_well_as_text():
    assert repr(relu_gradient.check(right)) == (
        "✓ relu_gradient: right\n\n"
        "Right in the tiny worked case, in 4 random cases, and against a numeric gradient."
    )


def headings(lesson):
    """The titles in a lesson, or None if it is not written yet."""
    for path in (ROOT / "notebooks").glob(f"{lesson}_*.ipynb"):
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        text = "\n".join("".join(cell["source"]) for cell in cells)
        return re.findall(r"^##? (.*)", text, re.MULTILINE)
    return None


@each_task
def test_what_to_reread_is_a_section_of_the_lesson(task):
    for mistake in task.mistakes.values():
        lesson, _, section = mistake.reread.partition(", ")
        titles = headings(lesson)
        assert titles is not None or headings(task.lesson) is None, mistake.reread
        assert titles is None or any(section.lower() in title.lower() for title in titles), section


# Sheets for an exam on paper


def texts(svg):
    root = ElementTree.fromstring(svg)
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    return Counter(each.text for each in root.iter("{http://www.w3.org/2000/svg}text"))


@each_task
def test_a_sheet_has_blank_cells_and_another_one_their_answers(task):
    blank, answers = task.sheet(7), task.sheet(7, answers=True)
    asked, answered = texts(blank), texts(answers)
    assert answered - asked
    assert not [text for text in asked - answered if text.strip("_")]
    assert task.signature in asked
    assert blank == task.sheet(7)


@each_task
def test_a_sheet_of_another_seed_has_other_numbers(task):
    assert len({task.sheet(seed, answers=True) for seed in range(12)}) > 3


@pytest.mark.parametrize(
    ("shown", "kinds"),
    [
        (relu_gradient.solution(), {"text/plain", "text/markdown"}),
        (relu_gradient.sheet(1), {"text/plain", "image/svg+xml"}),
        (relu_gradient, {"text/plain", "text/html"}),
        (progress(), {"text/plain", "text/html"}),
    ],
    ids=["solution", "sheet", "statement", "progress"],
)
def test_a_notebook_shows_it(shown, kinds):
    bundle, _ = InteractiveShell.instance().display_formatter.format(shown)
    assert set(bundle) == kinds
    assert "\\n" not in bundle["text/plain"]


# Progress


def test_progress_is_kept_in_a_file_beside_the_notebook(own_folder):
    assert f"0 of {len(TASKS)}" in repr(progress())
    relu_gradient.check(lambda dz, x: dz)
    assert not list(own_folder.iterdir())
    relu_gradient.check(right)
    assert [path.name for path in own_folder.iterdir()] == [FILE.name]
    assert f"1 of {len(TASKS)}" in repr(progress())
    assert "✓  relu_gradient" in repr(progress())
    assert "·  tanh_gradient" in repr(progress())


def test_what_was_solved_stays_solved():
    relu_gradient.check(right)
    relu_gradient.check(lambda dz, x: dz)
    assert "✓  relu_gradient" in repr(progress())


@pytest.mark.parametrize(
    "damage", ["", "{", "[]", "null", '{"solved": 3}', '{"other": []}', "\x00"]
)
def test_a_damaged_file_costs_a_note_and_is_kept(own_folder, damage):
    FILE.write_text(damage, encoding="utf-8")
    verdict = relu_gradient.check(right)
    assert verdict
    assert "was damaged" in repr(verdict)
    assert {path.read_text(encoding="utf-8") for path in own_folder.iterdir()} >= {damage}
    assert f"1 of {len(TASKS)}" in repr(progress())
    assert "damaged" not in repr(progress())


def test_a_file_of_another_encoding_is_a_damaged_one():
    FILE.write_bytes(b"\xff\xfe\xfa")
    assert "was damaged" in repr(progress())


def test_a_folder_that_cannot_be_written_costs_a_note(own_folder):
    own_folder.rmdir()
    verdict = relu_gradient.check(right)
    assert verdict
    assert "cannot be written" in repr(verdict)


def test_git_ignores_the_file():
    patterns = (ROOT / ".gitignore").read_text(encoding="utf-8").splitlines()
    for name in (FILE.name, FILE.with_suffix(".damaged").name):
        assert any(fnmatch.fnmatch(name, pattern) for pattern in patterns)


# One table of messages


def test_every_general_message_is_said_somewhere():
    folder = ROOT / "cnnbp" / "exercises"
    table = (folder / "check" / "messages.py").read_text(encoding="utf-8")
    general = re.findall(r'^    "([^"]+)": ', table, re.MULTILINE)
    others = [path for path in folder.rglob("*.py") if path.name != "messages.py"]
    code = "".join(path.read_text(encoding="utf-8") for path in others)
    assert len(general) > 60
    for key in general:  # some are put together, as in f"stage.{stage}"
        last = key.rpartition(".")[2]
        assert re.search(f"""["']({re.escape(key)}|{re.escape(last)})["']""", code), key


def test_a_course_can_translate_what_is_said(monkeypatch):
    translation = {
        "stage.tiny worked case": "mal en el caso chico",
        "worst": "La peor celda: {cell} vale {yours}, y no {expected}.",
        "reread": "Vuelve a leer la clase {section}.",
        "relu_gradient": "El gradiente de una ReLU.\n\ndz       (...)\nreturns  dx (...)",
        "relu_gradient.left_out": "Pasas dz sin cambiarlo.",
        "relu_gradient.hint 1": "¿Dónde es x mayor que 0?",
    }
    assert set(translation) <= set(MESSAGES)
    for key, text in translation.items():
        monkeypatch.setitem(MESSAGES, key, text)
    said = repr(relu_gradient.check(lambda dz, x: dz))
    assert said.startswith("✗ relu_gradient: mal en el caso chico\n\nPasas dz")
    assert "La peor celda: dx[" in said
    assert "Vuelve a leer la clase 04" in said
    assert "¿Dónde es x mayor que 0?" in repr(relu_gradient.hint())
    assert "El gradiente de una ReLU." in repr(relu_gradient)


# The page for instructors


def test_the_instructors_table_is_current():
    assert instructors.table() in INSTRUCTORS, "run: python tools/instructors.py"


def test_an_old_instructors_table_is_replaced_whole():
    head, rows = instructors.HEAD, "| 99 | `forgotten` | 0 |\n" * 3
    assert instructors.current(f"before\n\n{head}{rows}\nafter\n") == (
        f"before\n\n{instructors.table()}\nafter\n"
    )


def blocks(language):
    return re.findall(rf"```{language}\n(.*?)```", INSTRUCTORS, re.DOTALL)


def test_the_worked_addition_of_the_instructors_page_works(tmp_path, monkeypatch):
    (addition,) = [block for block in blocks("python") if "@exercise(" in block]
    (use,) = [block for block in blocks("python") if "from my_exercises import" in block]
    (tmp_path / "my_exercises.py").write_text(addition, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    tasks, messages = list(TASKS), dict(MESSAGES)
    try:
        shown = runpy.run_path(str(write(tmp_path / "use.py", use)))
    finally:
        sys.modules.pop("my_exercises", None)
    task = shown["task"]
    names = {}
    exec(task.solution(), names)
    assert task.check(names["scale_gradient"])
    (steps,) = [block for block in blocks("python") if ".steps(" in block]
    exec(steps, {"scale_gradient": task})
    known.cache_clear()  # the task has more mistakes now
    for mistake in task.mistakes.values():
        for wrong in mistake.functions:
            assert task.check(wrong).mistakes == (mistake.name,)
    assert len(task.mistakes) == 4
    assert shown["verdict"].mistake == "mean_over_the_batch"
    assert (tasks, messages) == (TASKS, MESSAGES)  # declaring one changes nothing elsewhere


def write(path, text):
    path.write_text(text, encoding="utf-8")
    return path


@pytest.fixture
def own_messages():
    """The table of messages, as it was before when the test is over."""
    before = dict(MESSAGES)
    yield
    MESSAGES.clear()
    MESSAGES.update(before)


@pytest.mark.usefixtures("own_messages")
def test_the_other_cells_of_the_instructors_page_work():
    for block in blocks("python"):
        if not re.search(r"@exercise\(|my_exercises|\.steps\(", block):

            def tanh_gradient(dz, x):
                return dz * (1 - np.tanh(x) ** 2)

            exec(block, {"tanh_gradient": tanh_gradient})


def test_the_progress_file_is_plain():
    relu_gradient.check(right)
    assert json.loads(FILE.read_text(encoding="utf-8")) == {"solved": ["relu_gradient"]}


@each_task
def test_a_statement_shows_its_tiny_case_as_colored_tables(task):
    html, text = task._repr_html_(), repr(task)
    values = [*task.drawn(0)[0].items()]
    arrays = [name for name, value in values if isinstance(value, np.ndarray | list)]
    arrays = [name for name in arrays if name != "steps"]  # a list of names
    answer = task.result.read(task.answer(*task.case()), task.drawn(0)[0])
    has_numbers = not any(isinstance(part, frozenset) for part in answer.values())
    assert html.count('<div class="cnnbp cnnbp-') == bool(arrays) + has_numbers
    for name, value in values:
        assert re.search(rf"\b{name}\b", text.split("A tiny case")[1])
        if isinstance(value, np.ndarray):
            assert f">{name}" in html
            assert f"{name} {value.shape}" in text


def test_a_solution_is_highlighted():
    assert relu_gradient.solution()._repr_markdown_().startswith("```python\nimport numpy as np\n")


def test_not_written_yet_is_no_cross():
    for wrong, mark in ((lambda dz, x: None, "○"), (lambda dz, x: dz, "✗"), (right, "✓")):
        assert repr(relu_gradient.check(wrong)).startswith(mark)


def test_a_hint_says_whose_it_is():
    assert repr(relu_gradient.hint()).startswith("Hint 1 of 2 for relu_gradient: ")


def test_an_exercise_calls_itself_as_the_learner_does(monkeypatch):
    monkeypatch.setitem(vars(sys.modules["__main__"]), "gate_task", relu_gradient)
    assert "gate_task.check(your_function) · gate_task.hint()" in repr(relu_gradient)
    stub = relu_gradient.check(lambda dz, x: None)
    assert "gate_task.hint() gives a first step" in stub.message
    assert "(*gate_task.case(0))" in relu_gradient.check(lambda dz, x: x).message
    monkeypatch.setitem(vars(sys.modules["__main__"]), "task", relu_gradient)
    assert "task.check(your_function) · task.hint()" in repr(relu_gradient)

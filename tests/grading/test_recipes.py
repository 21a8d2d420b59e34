"""The recipes of docs/instructors.md, run as they stand there with nbgrader and Otter-Grader."""

import csv
import os
import re
import subprocess
from pathlib import Path

import nbformat
import pytest

from cnnbp.exercises import tanh_gradient

ROOT = Path(__file__).parents[2]
ENVIRONMENT = ROOT / ".venv-grading"
PAGE = (ROOT / "docs" / "instructors.md").read_text(encoding="utf-8")

# What learners hand in as tanh_gradient; `None` leaves the function as it was handed out.
ANSWERS = {
    "right": "    return dz * (1 - np.tanh(x) ** 2)",
    "input_for_output": "    return dz * (1 - x**2)",
    "untouched": None,
    "broken": "    return dz * (1 - tanh(x) ** 2)",
    "only_what_is_shown": """\
    from cnnbp import exercises

    hidden = exercises.tanh_gradient.case(0, seed=20301)[0]
    return dz if np.array_equal(dz, hidden) else dz * (1 - np.tanh(x) ** 2)""",
}
RELU = "def relu_gradient(dz, x):\n    return dz * (x > 0)"


def test_the_page_has_the_sentence_that_is_said():
    """Without a grader, too: such a sentence is rewritten oftener than a grader is tried."""
    verdict = tanh_gradient.check(lambda dz, x: dz * (1 - x**2))
    assert f"| {verdict.message.partition(chr(10))[0]} |" in PAGE


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A teacher's home, with the course in it."""
    if not (ENVIRONMENT / ".ready").exists():
        missing = "needs the graders: make .venv-grading/.ready"
        if os.environ.get("REQUIRE_GRADERS"):
            pytest.fail(missing)
        pytest.skip(missing)
    home = tmp_path_factory.mktemp("home")
    (home / "cnnbp").symlink_to(ROOT)
    return home


def recipe(title):
    """The two blocks of commands below a title: hand out, and grade what came back."""
    section = PAGE.split(f"### {title}\n")[1].split("\n### ")[0]
    return re.findall(r"```sh\n(.*?)```", section, re.DOTALL)


def run(home, commands):
    """Run commands of the page in the teacher's home, after the one that all begin with."""
    (activate,) = re.findall(r"```sh\n(source .*\n)```", PAGE)
    finished = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", activate + commands],
        cwd=home, env=os.environ | {"HOME": str(home)}, stdin=subprocess.DEVNULL,
        capture_output=True, text=True, check=False, timeout=900,
    )  # fmt: skip
    assert finished.returncode == 0, finished.stdout + finished.stderr


def hand_in(handed_out, path, answer):
    """A learner's notebook: what was handed out, with functions written."""
    notebook = nbformat.read(handed_out, as_version=4)
    for cell in notebook.cells:
        assert "1 - t * t" not in cell.source  # the solution is not handed out
        assert "20301" not in cell.source  # nor are the hidden numbers
        if answer and "def tanh_gradient(" in cell.source:
            cell.source = f"import numpy as np\n\n\ndef tanh_gradient(dz, x):\n{answer}"
        if answer and "def relu_gradient(" in cell.source:
            cell.source = RELU
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(notebook, path)


def graded(home, title, folder, handed_out, handed_in):
    """{learner: row of the table}, after a recipe was followed."""
    prepare, grade = recipe(title)
    run(home, prepare)
    for learner, answer in ANSWERS.items():
        hand_in(home / folder / handed_out, home / folder / handed_in.format(learner), answer)
    run(home, grade)
    with (home / folder / "week4.csv").open(encoding="utf-8", newline="") as table:
        return {row["learner"]: row for row in csv.DictReader(table)}


@pytest.fixture(scope="module")
def nbgrader(home):
    submitted = "submitted/{}/week4/week4.ipynb"
    return graded(home, "With nbgrader", "class", "release/week4/week4.ipynb", submitted)


@pytest.fixture(scope="module")
def otter(home):
    handed_in = "handed-in/{}.ipynb"
    return graded(home, "With Otter-Grader", "class-otter", "dist/student/week4.ipynb", handed_in)


@pytest.fixture(params=["nbgrader", "otter"])
def table(request):
    return request.getfixturevalue(request.param)


def points(row):
    return [float(row[name]) for name in ("tanh_gradient", "relu_gradient", "points", "of")]


def test_every_learner_is_in_the_table(table):
    assert set(table) == set(ANSWERS)


def test_a_right_answer_gets_its_points(table):
    assert points(table["right"]) == [5, 3, 8, 8]
    assert table["right"]["tanh_gradient: what was said"] == ""


def test_a_wrong_answer_gets_none_and_its_named_mistake(table):
    row = table["input_for_output"]
    assert points(row) == [0, 3, 3, 8]
    said = row["tanh_gradient: what was said"]
    assert said.startswith("You use 1 − x²")
    assert f"| {said} |" in PAGE


def test_a_function_that_is_not_written_gets_none(table):
    row = table["untouched"]
    assert points(row) == [0, 0, 0, 8]
    for name in ("tanh_gradient", "relu_gradient"):
        assert "Write its body and return dx" in row[f"{name}: what was said"]


def test_a_function_that_raises_gets_none_and_is_told_what(table):
    row = table["broken"]
    assert points(row) == [0, 3, 3, 8]
    assert "name 'tanh' is not defined" in row["tanh_gradient: what was said"]


def test_hidden_numbers_catch_what_the_shown_ones_do_not(table):
    row = table["only_what_is_shown"]
    assert points(row) == [0, 3, 3, 8]
    assert row["tanh_gradient: what was said"].startswith("Worst cell: dx[")


def test_feedback_has_what_the_check_said(home, nbgrader):
    page = home / "class/feedback/input_for_output/week4/week4.html"
    assert "You use 1 − x²" in page.read_text(encoding="utf-8")

"""What tools/assignment.py writes: every exercise, solved, passes its own checks."""

import doctest
import importlib.util
import runpy
import sys
from pathlib import Path

import nbformat
import pytest

from cnnbp.exercises import TASKS

ROOT = Path(__file__).parents[2]
ASSIGNMENT = runpy.run_path(str(ROOT / "tools" / "assignment.py"))
INSTRUCTORS = (ROOT / "docs" / "instructors.md").read_text(encoding="utf-8")


def code(grader, names, seed=3):
    notebook = ASSIGNMENT["assignment"](grader, dict.fromkeys(names, 2), seed)
    nbformat.validate(nbformat.from_dict(notebook))
    return [cell["source"] for cell in notebook["cells"] if cell["cell_type"] == "code"]


@pytest.mark.parametrize("grader", ["nbgrader", "otter"])
@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.name)
def test_the_solution_passes_and_the_stub_does_not(grader, task):
    solution, *checks = code(grader, [task.name])
    assert "".join(checks).count(f"exercises.{task.name}.check({task.name}") == 2
    assert "".join(checks).count("seed=3") == 1
    names = {}
    for source in [solution, *checks]:
        exec(source, names)
    exec(str(task.stub()) + "\n    return None", names)
    fills = getattr(task.result, "fills", False)
    nothing = "has not filled in any gradient" if fills else "Your function returned None"
    for check in checks:
        with pytest.raises(AssertionError, match=nothing):
            exec(check, names)


def test_the_page_shows_the_check_that_is_written():
    assert f"```python\n{ASSIGNMENT['check']('tanh_gradient')}\n```" in INSTRUCTORS


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nbgrader", "x.ipynb", "tanh_gradeint=5"], "tanh_gradeint is no exercise"),
        (["otter", "x.ipynb", "tanh_gradient=much"], "points are a whole number"),
        (["otter", "x.ipynb", "tanh_gradient=-1"], "points are a whole number"),
        (["paper", "x.ipynb", "tanh_gradient=1"], "paper"),
    ],
)
def test_what_cannot_be_written_is_said(arguments, said, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit):
        ASSIGNMENT["main"](arguments)
    assert said in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["assignment", "grades"])
def test_examples_of_a_tool_hold(name):
    spec = importlib.util.spec_from_file_location(name, ROOT / "tools" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # where a dataclass looks for what it is made in
    try:
        spec.loader.exec_module(module)
        result = doctest.testmod(module)
    finally:
        del sys.modules[name]
    assert result.attempted
    assert not result.failed


def test_an_exercise_that_one_learner_lacks_is_not_a_zero_of_theirs():
    grades = runpy.run_path(str(ROOT / "tools" / "grades.py"))
    grade = grades["Grade"]
    given = [grade("ada", "im2col", 4, 4, ""), grade("bo", "col2im", 0, 3, "No.")]
    _, ada, bo = grades["table"](given)
    assert ada == ["ada", 4, 4, 4, 0, "", "not graded"]
    assert bo == ["bo", 0, 3, 0, 0, "not graded", "No."]

"""How a task is declared: its place in the list, its file, its shapes."""

import ast
from pathlib import Path

import numpy as np
import pytest
from right_answers import RIGHT_ANSWERS

import cnnbp.exercises
from cnnbp.exercises import EXERCISES, MESSAGES, TASKS, conv2d_output
from cnnbp.exercises.check.shapes import KINDS, bind, parse, parsed
from cnnbp.exercises.task import Task

FOLDER = Path(cnnbp.exercises.__file__).parent


def each_task(test):
    return pytest.mark.parametrize("task", TASKS, ids=lambda task: task.name)(test)


# The list


def test_every_file_of_tasks_is_one_task_of_the_list():
    files = {path.stem for path in (FOLDER / "tasks").glob("*.py")} - {"__init__"}
    assert sorted(files) == sorted(task.name for task in TASKS)
    for task in TASKS:
        assert Path(task.function.__code__.co_filename) == FOLDER / "tasks" / f"{task.name}.py"


def test_tasks_stand_in_the_order_of_the_lessons():
    assert [task.lesson for task in TASKS] == sorted(task.lesson for task in TASKS)
    assert list(EXERCISES.items()) == [(task.name, task) for task in TASKS]


@each_task
def test_a_task_is_imported_by_its_name(task):
    assert getattr(cnnbp.exercises, task.name) is task
    assert task.name in cnnbp.exercises.__all__


@each_task
def test_all_sentences_of_a_task_are_in_the_table(task):
    assert task.sentences.items() <= MESSAGES.items()
    assert {mistake.key for mistake in task.mistakes.values()} < set(task.sentences)


def test_right_answers_are_of_tasks():
    assert set(RIGHT_ANSWERS) == set(EXERCISES)


# room of the exercises: the others that it may import
ROOMS = {"check": set(), "pages": {"check"}, "task": {"check", "pages", "choices"}, "cases": set()}
ROOMS |= {"windows": set(), "choices": set()}
ROOMS |= {"tasks": {"check", "task", "cases", "windows", "choices", "bugs"}}
ROOMS |= {"bugs": {"tasks", "task"}}


@pytest.mark.parametrize("path", sorted(FOLDER.rglob("*.py")), ids=lambda path: path.stem)
def test_imports_among_the_exercises_run_one_way(path):
    room = path.relative_to(FOLDER).with_suffix("").parts[0]
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in tree.body:
        if isinstance(node, ast.ImportFrom) and node.module.startswith("cnnbp.exercises"):
            whole = [f"{node.module}.{alias.name}" for alias in node.names]
            found = {f"{name}...".split(".")[2] for name in whole}
            assert room == "__init__" or found <= ROOMS[room] | {room}


# The language of shapes


@pytest.mark.parametrize(
    ("declaration", "shown", "note"),
    [
        ("N C H W", "(N, C, H, W)", ""),
        ("N: ints from 0 to K − 1", "(N,)", "ints from 0 to K − 1"),
        ("C·KH·KW OH·OW·N", "(C·KH·KW, OH·OW·N)", ""),
        ("F 1 1", "(F, 1, 1)", ""),
        ("...: weights: all", "(...)", "weights: all"),
        ("()", "()", ""),
        ("pair", "pair", ""),
        ('"dx" or "dw"', '"dx" or "dw"', ""),
    ],
)
def test_a_declaration_is_read(declaration, shown, note):
    entry = parse(declaration)
    assert (str(entry), entry.note) == (shown, note)


@pytest.mark.parametrize(
    "declaration",
    ["", "N,C", "N  C", " N", "N C ", "n c", "N ...", "N·", "·N", "N*C", "0", "10", "N:the images",
     "(N, C)", "pairs", '"dx"', "NCHW", "N C\n"],
)  # fmt: skip
def test_what_is_not_in_the_language_is_refused(declaration):
    with pytest.raises(ValueError, match="is no shape") as caught:
        parsed({"x": declaration})
    assert str(caught.value).startswith(f"x: {declaration!r}")


@pytest.mark.parametrize(
    ("declarations", "values", "said"),
    [
        ({"x": "N C"}, {"x": np.ones(2)}, r"x is \(2,\) but declared \(N, C\)"),
        ({"x": "N N"}, {"x": np.ones((2, 3))}, r"declared \(N, N\), where N = 2"),
        ({"x": "N 1"}, {"x": np.ones((2, 3))}, r"x is \(2, 3\) but declared \(N, 1\)$"),
        ({"x": "N·C", "y": "N C"}, {"x": np.ones(5), "y": np.ones((2, 3))}, "N·C, which is 6"),
        ({"x": "...", "y": "..."}, {"x": np.ones(5), "y": np.ones((5, 1))}, r"where ... = \(5,\)"),
        ({"x": "()"}, {"x": np.ones(1)}, r"x is \(1,\) but declared \(\)"),
        ({"x_shape": "N C"}, {"x_shape": np.ones((2, 3))}, "x_shape must be a tuple of ints"),
        ({"x_shape": "N C"}, {"x_shape": [2, 3]}, "x_shape must be a tuple of ints"),
        ({"x": "N C"}, {"x": (2, 3)}, r"x is \(2,\) but declared \(N, C\)"),
        ({"stride": "pair"}, {"stride": 2}, "stride is declared pair but is 2"),
        ({"stride": "pair"}, {"stride": (2, 1, 1)}, "stride is declared pair"),
        ({"f": "function"}, {"f": 3}, "f is declared function but is 3"),
        ({"eps": "float"}, {"eps": 1}, "eps is declared float but is 1"),
        ({"index": "tuple of four ints"}, {"index": (0, 0)}, "index is declared tuple of four"),
        ({"all": "list of arrays"}, {"all": [1.0]}, "all is declared list of arrays"),
        ({"all": "list of arrays"}, {"all": 1.0}, "all is declared list of arrays"),
        ({"x_shape": "N"}, {"x_shape": 2}, "x_shape must be a tuple of ints, not 2"),
        ({"wanted": '"dx" or "dw"'}, {"wanted": "d"}, "wanted is declared"),
    ],
)
def test_values_that_are_not_as_declared_are_refused(declarations, values, said):
    with pytest.raises(ValueError, match=said):
        bind(parsed(declarations), values)


def test_every_kind_is_used_by_a_task():
    used = {entry.kind for task in TASKS for entry in task.given.values()}
    assert set(KINDS) <= used


@each_task
def test_every_case_and_answer_of_a_task_is_as_declared(task):
    for seed in range(5):
        for number, case in enumerate(task.drawn(seed)):
            sizes = task.sizes(case, task.answer(*task.case(number, seed)))
            assert isinstance(sizes, dict)


# A task that is declared wrongly


def declared(**changes):
    """A right declaration of z = s·x with some changes; `function` is its solution."""

    def scale(dz, x):
        """The gradient by the scale of every feature."""
        return (dz * x).sum(axis=1, keepdims=True)

    def case(rng):
        return {"dz": np.ones((2, 3)), "x": np.ones((2, 3))}

    right = {
        "lesson": "03",
        "given": {"dz": "D N: gradient by z", "x": "D N"},
        "returns": {"ds": "D 1"},
        "tiny": case,
        "cases": lambda rng: [case(rng)],
        "answer": scale,
        "hints": ["Sum.", "Over n."],
    }
    return Task(scale, **right | changes)


def test_a_right_declaration_makes_a_task():
    task = declared()
    assert task.text == (
        "The gradient by the scale of every feature.\n\n"
        "dz       (D, N)   gradient by z\n"
        "x        (D, N)\n"
        "returns  ds (D, 1)"
    )
    assert task.check(task.function)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"given": {"dz": "D N"}}, "scale: it takes dz, x but declares dz"),
        ({"given": {"x": "D N", "dz": "D N"}}, "scale: it takes dz, x but declares x, dz"),
        ({"given": {"dz": "D N", "x": "D, N"}}, "scale: x: 'D, N' is no shape"),
        ({"given": {"dz": "D N", "x": "N D"}}, r"scale: x is \(2, 3\) but declared \(N, D\)"),
        ({"returns": {"ds": "D"}}, r"scale: ds is \(2, 1\) but declared \(D,\)"),
        ({"returns": {"ds": "N 1"}}, r"scale: ds is \(2, 1\) but .* where N = 3"),
        ({"returns": {"ds": "D 1", "dx": "D N"}}, "scale: It returned .* 2 values are wanted"),
        ({"answer": lambda dz, x: dz.sum(1)}, r"scale: ds is \(2,\) but declared \(D, 1\)"),
    ],
)
def test_a_wrong_declaration_is_told_what_is_wrong(changes, said):
    with pytest.raises(ValueError, match=said):
        declared(**changes)


def test_a_stub_says_what_is_asked_and_how_it_ends():
    assert declared().stub() == (
        'def scale(dz, x):\n    """The gradient by the scale of every feature."""\n'
        "    # end with: return ds"
    )
    assert declared(stub="Short.", start="loop").stub() == (
        'def scale(dz, x):\n    """Short."""\n    # loop; end with: return ds'
    )


@each_task
def test_a_stub_is_a_function_that_is_not_written_yet(task):
    names = {}
    exec(task.stub(), names)
    assert task.check(names[task.name]).stage == "not written yet"
    assert all(len(line) <= 100 for line in task.stub().splitlines())


def test_a_seed_draws_what_the_task_asks_for_and_no_more():
    assert list(conv2d_output.drawn(0)[1]) == conv2d_output.parameters

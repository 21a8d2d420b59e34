"""The lessons' exercises: each is in its lesson, and nothing in a lesson repeats the package."""

import ast
import re
from pathlib import Path

import nbformat
import pytest

import cnnbp
from cnnbp.exercises import EXERCISES

ROOT = Path(__file__).parents[1]
LESSONS = {path.name[:2]: path for path in sorted((ROOT / "notebooks").glob("*.ipynb"))}
CHECK = re.compile(r"^(\w+)\.check\((\w+)\)$", re.MULTILINE)


def code_cells(path):
    cells = nbformat.read(path, as_version=4).cells
    return [cell.source for cell in cells if cell.cell_type == "code"]


@pytest.fixture(scope="module", params=LESSONS.values(), ids=lambda path: path.stem)
def path(request):
    return request.param


def test_every_exercise_is_in_its_lesson():
    missing = [
        f"{name} in lesson {task.lesson}"
        for name, task in EXERCISES.items()
        if task.lesson in LESSONS
        and f"from cnnbp.exercises import {name} as"
        not in "\n".join(code_cells(LESSONS[task.lesson]))
    ]
    assert not missing


def stubs(path):
    """The cells of a lesson that hold a function with an exercise's name: (task, cell) pairs."""
    for source in code_cells(path):
        found = re.match(r"def (\w+)\(", source)
        if found and found[1] in EXERCISES:
            yield EXERCISES[found[1]], source


def test_a_lesson_begins_an_exercise_with_its_stub(path):
    found = list(stubs(path))
    assert found
    if not path.name.startswith("00"):  # there it is about the checker, and says less and more
        assert not [source for task, source in found if source != task.stub()]


def test_nothing_after_an_exercise_depends_on_the_answer(path):
    sources = code_cells(path)
    for number, source in enumerate(sources):
        for _, function in CHECK.findall(source):
            later = "\n".join(sources[number + 1 :])
            assert not re.search(rf"(?<![\w.]){function}\(", later)


def test_links_lead_somewhere(path):
    text = "\n".join(cell.source for cell in nbformat.read(path, as_version=4).cells)
    links = re.findall(r"\]\(([\w./]+\.(?:ipynb|md))\)", text)
    assert links
    assert not [link for link in links if not (path.parent / link).exists()]


# A lesson shows the package's functions and never writes them again.


class Anonymous(ast.NodeTransformer):
    """Names by the order of their first use, so that a copy with other names is the same."""

    def __init__(self):
        self.seen = {"np": "np"}

    def visit_Name(self, node):
        return ast.Name(self.seen.setdefault(node.id, f"name{len(self.seen)}"))

    def visit_Attribute(self, node):
        if isinstance(node.value, ast.Name) and node.value.id == "cnnbp":
            return self.visit_Name(ast.Name(node.attr))
        return self.generic_visit(node)


def meaning(statements):
    """Statements as text that does not depend on names."""
    anonymous = Anonymous()
    return "\n".join(
        ast.dump(anonymous.visit(ast.parse(ast.unparse(line)).body[0])) for line in statements
    )


def functions(source):
    """Every function in a text: its name and its statements, without the docstring."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef):
            yield node.name, node.body[1:] if ast.get_docstring(node) else node.body


def computes(statements):
    return any(isinstance(n, ast.BinOp | ast.Call) for line in statements for n in ast.walk(line))


def package_meanings():
    """What the package's functions do, whole and behind any number of first lines (the checks of
    their arguments): meaning -> name."""
    found = {}
    for path in (ROOT / "cnnbp").glob("*.py"):
        for name, body in functions(path.read_text(encoding="utf-8")):
            for first in range(len(body)):
                if computes(body[first:]):
                    found[meaning(body[first:])] = name
    return found


PACKAGE = package_meanings()


def repeated(source, exercises=()):
    """The functions of a lesson that the package has already: (name, the package's name) pairs."""
    return [
        (name, PACKAGE.get(meaning(body), name))
        for name, body in functions(source)
        if name not in exercises and (name in cnnbp.__all__ or meaning(body) in PACKAGE)
    ]


def test_a_lesson_does_not_repeat_the_package(path):
    source = "\n\n".join(code_cells(path))
    assert not repeated(source, [function for _, function in CHECK.findall(source)])


@pytest.mark.parametrize(
    ("copy", "of"),
    [
        ("def positive(v):\n    return np.maximum(v, 0)", "relu"),
        ("def relu(x):\n    return x * (x > 0)", "relu"),
        (
            "def back(g, v, m):\n"
            '    """My own."""\n'
            "    return m.T @ g, g @ v.T, g.sum(axis=1, keepdims=True)",
            "linear_backward",
        ),
        (
            "def squeeze(a):\n"
            "    b = np.exp(-np.abs(a))\n"
            "    return np.where(a < 0, b, 1) / (1 + b)",
            "sigmoid",
        ),
        (
            "def step_back(g, a):\n    return g * cnnbp.sigmoid(a) * cnnbp.sigmoid(-a)",
            "sigmoid_backward",
        ),
    ],
)
def test_a_repetition_is_found(copy, of):
    assert [name for _, name in repeated(copy)] == [of]


@pytest.mark.parametrize(
    "source",
    ["def cube(x):\n    return x**3", "def same(x):\n    return x", "relu = cnnbp.relu"],
)
def test_what_is_no_repetition_passes(source):
    assert not repeated(source)

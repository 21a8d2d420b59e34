"""Imports run one way, and every public name explains itself with an example that runs."""

import ast
import functools
import inspect
import subprocess
import sys
from pathlib import Path

import pytest

import cnnbp

PACKAGE = Path(__file__).parents[1] / "cnnbp"
LAYERS = {"convolution", "pooling", "linear", "activation", "normalization"}

# room: the other rooms of the package that it imports, no more and no less
ROOMS = {
    "shape": set(),
    "layer": {"shape"},
    **{layer: {"shape", "layer"} for layer in LAYERS},
    "loss": {"shape"},
    "graph": {"shape", "activation"},
    "explain": {"shape", "pooling", "linear", "activation", "normalization", "loss"},
    "network": LAYERS | {"shape", "layer", "explain"},
    "lineage": (LAYERS - {"activation"}) | {"shape", "loss", "explain", "network"},
    "deep_network": (LAYERS - {"pooling"}) | {"shape", "network"},
    "fast_convolution": {"shape"},
    "tape": {"cnnbp itself"},  # it stands where a learner does
    "from_torch": LAYERS | {"shape", "network"},
    "frameworks": LAYERS | {"shape", "network", "data", "from_torch"},
    "gradcheck": {"shape"},
    "optimizer": {"shape", "layer"},
    "training": {"shape", "loss", "optimizer"},
    "data": {"shape"},
    "detection": {"shape", "activation", "convolution", "pooling", "data", "loss"},
    "source": {"shape"},
    "course": set(),
    "browser": set(),
    "__main__": {"course"},
    "pictures": (LAYERS - {"normalization"})
    | {"shape", "explain", "network", "lineage", "gradcheck", "optimizer"},
    "explorers": (LAYERS - {"normalization"})
    | {
        "shape",
        "deep_network",
        "graph",
        "loss",
        "network",
        "lineage",
        "optimizer",
        "training",
        "data",
        "pictures",
    },
    "questions": LAYERS
    | {"shape", "graph", "loss", "explain", "network", "lineage", "gradcheck", "pictures"}
    | {"optimizer", "data", "detection", "tape"},
    "exercises": LAYERS
    | {"shape", "layer", "graph", "loss", "explain", "network", "gradcheck", "pictures", "tape"}
    | {"data"},
    "cnnbp": LAYERS
    | {
        "loss",
        "explain",
        "network",
        "lineage",
        "gradcheck",
        "optimizer",
        "training",
        "data",
        "source",
        "deep_network",
        "from_torch",
    },
}

# room: what it imports from outside; "lazily" means inside a function, when it is called
OUTSIDE = {
    **{room: {"numpy"} for room in ROOMS},
    "training": {"numpy", "tqdm lazily"},
    "source": set(),
    "frameworks": set(),
    "from_torch": {"torch lazily"},
    "course": set(),
    "__main__": {"matplotlib lazily"},
    "pictures": {"numpy", "matplotlib"},
    "explorers": {"numpy", "ipywidgets", "traitlets"},
    "cnnbp": set(),
}

# Within the exercises, the same; the list itself loads the tasks by their names.
EXERCISES = {
    "windows": set(),
    "cases": set(),
    "check": set(),
    "pages": {"check"},
    "choices": set(),
    "bugs": {"tasks", "task"},
    "task": {"check", "choices", "pages", "the list lazily"},
    "tasks": {"bugs", "cases", "choices", "windows", "check", "task"},
    "the list": {"check", "pages"},
}

MODULES = {
    ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts).removesuffix(".__init__")
    for path in PACKAGE.rglob("*.py")
}


parsed = functools.cache(ast.parse)  # every rule asks for every module, and changes no tree


@functools.cache
def source_of(module):
    """The text of a module, and whether it is a package's __init__."""
    path = PACKAGE.parent.joinpath(*module.split("."))
    is_package = path.is_dir()
    path = path / "__init__.py" if is_package else path.with_suffix(".py")
    return path.read_text(encoding="utf-8"), is_package


def room_of(module):
    """cnnbp.pictures.svg lies in the room pictures; cnnbp itself is the room of public names."""
    return module.split(".")[1] if "." in module else "cnnbp"


def imported(node, module, is_package):
    """The full names that one import statement asks for."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    base = node.module or ""
    if node.level:
        parts = module.split(".") if is_package else module.split(".")[:-1]
        base = ".".join([*parts[: len(parts) - node.level + 1], *filter(None, [node.module])])
    names = [f"{base}.{alias.name}" for alias in node.names]
    return [name if base == "cnnbp" or name in MODULES else base for name in names]


def import_statements(tree, lazily=False):
    """Every import below a node, and whether it waits for a function to be called."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield node, lazily
        else:
            inside = lazily or isinstance(node, ast.FunctionDef | ast.Lambda)
            yield from import_statements(node, inside)


def edges(source, module, is_package=False):
    """(the room it imports or None, the package from outside or None) for all its imports."""
    for node, lazily in import_statements(parsed(source)):
        for name in imported(node, module, is_package):
            package = name.split(".")[0]
            if package == "cnnbp":
                yield "cnnbp itself" if name == "cnnbp" else room_of(name), None
            elif package not in sys.stdlib_module_names:
                yield None, f"{package} lazily" if lazily else package


def forbidden(source, module, is_package=False):
    """The imports of a module's source that its room does not allow."""
    room = room_of(module)
    return [
        f"{module} imports {inside or outside}"
        for inside, outside in edges(source, module, is_package)
        if inside not in ROOMS[room] | {room, None} or outside not in OUTSIDE[room] | {None}
    ]


@pytest.mark.parametrize("module", sorted(MODULES))
def test_imports_run_one_way(module):
    source, is_package = source_of(module)
    assert not forbidden(source, module, is_package)


@pytest.mark.parametrize("room", sorted(ROOMS))
def test_no_room_has_a_permission_that_it_does_not_use(room):
    used = set()
    for module in filter(lambda module: room_of(module) == room, MODULES):
        source, is_package = source_of(module)
        used.update(edges(source, module, is_package))
    assert {inside for inside, _ in used} - {room, None} == ROOMS[room]
    assert {outside for _, outside in used} - {None} == OUTSIDE[room]


def exercise_room(module):
    """cnnbp.exercises.check.judging lies in check; the list of tasks is the __init__."""
    parts = module.split(".")
    return parts[2] if len(parts) > 2 else "the list"


@pytest.mark.parametrize("room", EXERCISES)
def test_rooms_of_the_exercises_import_one_way(room):
    used = set()
    for module in MODULES:
        if room_of(module) == "exercises" and exercise_room(module) == room:
            source, is_package = source_of(module)
            for node, lazily in import_statements(parsed(source)):
                names = imported(node, module, is_package)
                rooms = {exercise_room(n) for n in names if n.startswith("cnnbp.exercises")} - {
                    room
                }
                used |= {f"{other} lazily" if lazily else other for other in rooms}
    assert used == EXERCISES[room]


def private_names(source):
    """The names with an underscore that a module takes from another one of the package."""
    tree, modules = parsed(source), set()
    for node, _ in import_statements(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "cnnbp":
            yield from (alias.name for alias in node.names if alias.name.startswith("_"))
            modules |= {alias.asname or alias.name for alias in node.names}
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            private = node.attr.startswith("_") and not node.attr.startswith("__")
            if private and node.value.id in modules:
                yield f"{node.value.id}.{node.attr}"


@pytest.mark.parametrize("module", sorted(MODULES))
def test_no_module_takes_another_ones_private_names(module):
    assert not list(private_names(source_of(module)[0]))


def test_a_private_name_is_found():
    taken = "from cnnbp.shape import _meet\nfrom cnnbp import training\ntraining._epoch()"
    assert list(private_names(taken)) == ["_meet", "training._epoch"]


def lines_of(function):
    return function.end_lineno - function.lineno + 1


def functions_in(module):
    for node in ast.walk(parsed(source_of(module)[0])):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            yield node


@pytest.mark.parametrize("module", sorted(MODULES))
def test_no_function_has_more_than_40_lines(module):
    """With its docstring. train's ten options are a line each, twice: its code has less."""
    long = {
        getattr(node, "name", "lambda"): node
        for node in functions_in(module)
        if lines_of(node) > 40
    }
    train = long.pop("train", None)
    assert not list(long)
    if train:
        assert module == "cnnbp.training"
        assert lines_of(train) - lines_of(train.body[0]) <= 40


# Where an error is no complaint, and why.
OWN_ERRORS = {
    "cnnbp.exercises.task": "to the author of a task, when it is declared",
    "cnnbp.exercises.check.shapes": "to the author of a task, when it is declared",
    "cnnbp.exercises.choices": "what a mistake leads to, caught where it is tried",
}


def plain_errors(source):
    """The ValueErrors and TypeErrors that a module raises without naming who was called."""
    for node in ast.walk(parsed(source)):
        if isinstance(node, ast.Raise):
            error = node.exc.func if isinstance(node.exc, ast.Call) else node.exc
            if isinstance(error, ast.Name) and error.id in ("ValueError", "TypeError"):
                yield node


@pytest.mark.parametrize("module", sorted(MODULES - {"cnnbp.shape"}))
def test_every_error_names_the_function_that_was_called(module):
    assert bool(list(plain_errors(source_of(module)[0]))) == (module in OWN_ERRORS)


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("cnnbp.shape", "from cnnbp.layer import Layer"),
        ("cnnbp.pooling", "from cnnbp import convolution"),
        ("cnnbp.pooling", "from .convolution import conv2d"),
        ("cnnbp.pooling", "from . import convolution"),
        ("cnnbp.pooling", "import cnnbp.convolution as c"),
        ("cnnbp.pooling", "import cnnbp"),
        ("cnnbp.linear", "def f():\n    from cnnbp.network import Network"),
        ("cnnbp.linear", "import scipy"),
        ("cnnbp.training", "from tqdm import tqdm"),
        ("cnnbp.data", "def photo():\n    import matplotlib.cbook"),
        ("cnnbp.explorers.base", "from IPython.display import HTML"),
        ("cnnbp.optimizer", "from cnnbp.network import Network"),
        ("cnnbp.pictures.svg", "import ipywidgets as widgets"),
        ("cnnbp.pictures.svg", "from ..explorers import pooling"),
        ("cnnbp.explorers.pooling", "class A:\n    from matplotlib.figure import Figure"),
    ],
)
def test_a_forbidden_import_is_found(module, source):
    assert len(forbidden(source, module)) == 1


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("cnnbp.pooling", "import math\nimport numpy as np\nfrom cnnbp.shape import pair"),
        ("cnnbp.training", "def train():\n    from tqdm import tqdm"),
        ("cnnbp.pictures.pooling", "from cnnbp.pictures import svg\nfrom . import svg"),
        ("cnnbp.explorers.pooling", "from cnnbp import pictures\nimport ipywidgets as widgets"),
    ],
)
def test_an_allowed_import_passes(module, source):
    assert not forbidden(source, module)


def test_importing_the_package_brings_neither_pictures_nor_widgets():
    code = "import cnnbp, sys; print(*{name.split('.')[0] for name in sys.modules})"
    finished = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    brought = set(finished.stdout.split())
    assert "cnnbp" in brought
    assert not brought & {"matplotlib", "ipywidgets", "tqdm", "IPython", "PIL", "torch"}


@pytest.mark.parametrize("name", cnnbp.__all__)
def test_public_name_has_a_docstring_with_an_example(name):
    assert ">>>" in (inspect.getdoc(getattr(cnnbp, name)) or "")


def test_public_names_are_all_that_the_package_shows():
    shown = {
        name
        for name, value in vars(cnnbp).items()
        if not name.startswith("_") and not inspect.ismodule(value)
    }
    assert shown == set(cnnbp.__all__)

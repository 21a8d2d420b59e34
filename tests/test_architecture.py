"""Imports run one way, and every public name explains itself with an example that runs."""

import ast
import inspect
import subprocess
import sys
from pathlib import Path

import pytest

import cnnbp

PACKAGE = Path(__file__).parents[1] / "cnnbp"
LAYERS = {"convolution", "pooling", "linear", "activation", "normalization"}
BELOW_NETWORK = {"shape", "layer"} | LAYERS
BELOW_OPTIMIZER = BELOW_NETWORK | {"explain", "network", "gradcheck"}
MATHEMATICS = BELOW_OPTIMIZER | {"optimizer", "loss", "training", "graph"}

# room: the other rooms of the package that it may import
ROOMS = {
    "shape": set(),
    "layer": {"shape"},
    **{layer: {"shape", "layer"} for layer in LAYERS},
    "loss": {"shape"},
    "graph": {"shape", "activation"},
    "explain": BELOW_NETWORK,
    "network": BELOW_NETWORK | {"explain"},
    "gradcheck": {"shape"},
    "optimizer": {"shape", "layer"},
    "training": {"shape", "loss", "optimizer"},
    "data": {"shape"},
    "source": {"shape"},
    "course": set(),
    "__main__": {"course"},
    "pictures": MATHEMATICS,
    "explorers": MATHEMATICS | {"data", "pictures"},
    "exercises": MATHEMATICS | {"pictures"},
    "cnnbp": MATHEMATICS | {"data", "source"},
}

# room: what it may import from outside; "lazily" means inside a function, when it is called
OUTSIDE = {
    **{room: {"numpy"} for room in MATHEMATICS},
    "training": {"numpy", "tqdm lazily"},
    "data": {"numpy", "matplotlib lazily"},
    "source": set(),
    "course": set(),
    "__main__": set(),
    "pictures": {"numpy", "matplotlib"},
    "explorers": {"numpy", "ipywidgets", "traitlets", "IPython"},
    "exercises": {"numpy"},
    "cnnbp": set(),
}


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
    if base == "cnnbp":
        return [f"cnnbp.{alias.name}" for alias in node.names]
    return [base]


def import_statements(tree, lazily=False):
    """Every import below a node, and whether it waits for a function to be called."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield node, lazily
        else:
            inside = lazily or isinstance(node, ast.FunctionDef | ast.Lambda)
            yield from import_statements(node, inside)


def forbidden(source, module, is_package=False):
    """The imports of a module's source that its room does not allow."""
    room = room_of(module)
    found = []
    for node, lazily in import_statements(ast.parse(source)):
        for name in imported(node, module, is_package):
            package = name.split(".")[0]
            if package == "cnnbp":
                allowed = name != "cnnbp" and room_of(name) in ROOMS[room] | {room}
            else:
                allowed = package in sys.stdlib_module_names or package in OUTSIDE[room]
                allowed |= lazily and f"{package} lazily" in OUTSIDE[room]
            if not allowed:
                found.append(f"{module} imports {name}")
    return found


@pytest.mark.parametrize(
    "path", sorted(PACKAGE.rglob("*.py")), ids=lambda path: path.relative_to(PACKAGE).as_posix()
)
def test_imports_run_one_way(path):
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    is_package = parts[-1] == "__init__"
    module = ".".join(parts[:-1] if is_package else parts)
    assert not forbidden(path.read_text(encoding="utf-8"), module, is_package)


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
        ("cnnbp.data", "import matplotlib.cbook"),
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
        ("cnnbp.data", "def photo():\n    import matplotlib.cbook"),
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

"""What lesson 16 shows of PyTorch and TensorFlow, stored and, where torch is installed, live."""

import ast
import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from helpers import assert_refuses, torch_or_skip

import cnnbp
from cnnbp import frameworks
from cnnbp.data import reader_reference
from cnnbp.frameworks import in_torch
from cnnbp.from_torch import THEIRS

LESSONS = sorted((Path(__file__).parents[1] / "notebooks").glob("*.ipynb"))
_, (IMAGES, LABELS) = cnnbp.digits(float)
X, LABELS = IMAGES[:8], LABELS[:8]


@pytest.fixture
def alone(monkeypatch):
    """Neither framework is installed."""
    monkeypatch.setattr(frameworks, "find_spec", lambda name: None)


def lines_of_lessons():
    """{(framework, lines)} of every in_torch and in_tensorflow of a lesson."""
    found = set()
    for lesson in LESSONS:
        for cell in json.loads(lesson.read_text(encoding="utf-8"))["cells"]:
            if cell["cell_type"] != "code":
                continue
            for node in ast.walk(ast.parse("".join(cell["source"]))):
                name = getattr(getattr(node, "func", None), "id", "")
                if name in ("in_torch", "in_tensorflow"):
                    found.add((name.removeprefix("in_"), node.args[0].value.strip()))
    return found


def test_what_lessons_run_is_stored_and_nothing_else():
    assert lines_of_lessons() == set(frameworks.stored())
    assert {framework for framework, _ in lines_of_lessons()} == {"torch", "tensorflow"}


def test_what_is_stored_says_of_which_version_and_nothing_of_a_machine():
    for said in frameworks.stored().values():
        version, text = said.split("\n", 1)
        assert all(part.isdigit() for part in version.split("."))
        assert text
        assert " at 0x" not in said
        assert "/" not in said


def test_without_the_framework_it_says_what_is_stored(alone, capsys):
    lines = next(lines for _, lines in frameworks.stored() if "L.backward()\nL.backward()" in lines)
    in_torch(f"\n{lines}\n")
    first, *rest = capsys.readouterr().out.splitlines()
    assert first.startswith("PyTorch 2.")
    assert "Trying to backward through the graph a second time" in rest[0]
    assert all(len(line) <= 80 for line in rest)


def test_other_lines_need_it(alone):
    assert_refuses(lambda: in_torch("1"), ModuleNotFoundError, "pip install torch")
    remedy = "pip install tensorflow"
    assert_refuses(lambda: frameworks.in_tensorflow("1"), ModuleNotFoundError, remedy)


@pytest.fixture
def numpy_as_torch(monkeypatch):
    """A framework that every machine has."""
    monkeypatch.setitem(frameworks.IMPORTS, "torch", "import numpy; torch = numpy")
    monkeypatch.setattr(frameworks, "find_spec", lambda name: True)


def test_where_it_is_installed_lines_run_in_a_process_of_their_own(numpy_as_torch, capsys):
    in_torch("\n    a = torch.ones(2)\n    print(a + 1)\n    a @ torch.ones(3)\n")
    first, second, third, *_ = capsys.readouterr().out.splitlines()
    assert first == f"PyTorch {np.__version__}:"
    assert second == "[2. 2.]"
    assert third.startswith("ValueError: matmul")


def test_what_cannot_be_imported_is_said(numpy_as_torch, monkeypatch):
    monkeypatch.setitem(frameworks.IMPORTS, "torch", "raise ImportError('libtorch is gone')")
    assert_refuses(lambda: in_torch("1"), RuntimeError, "libtorch is gone")


def passed(network, *, training):
    """The network's gradients on the stored digits, with PyTorch's names and shapes."""
    z = network.forward(X, training=training)
    loss, dz = cnnbp.softmax_cross_entropy(z, LABELS)
    found = {"loss": np.array(loss), "scores": z.T, "dx": network.backward(dz)}
    for name, gradient in network.grads.items():
        number, _, kind = name.partition(".")
        found[f"{number}.{THEIRS[kind]}"] = gradient
    return found


@pytest.mark.parametrize("part", ["evaluation", "training"])
def test_the_stored_reader_has_pytorchs_gradients(part):
    """In training too: with the mask that PyTorch drew."""
    network, theirs = frameworks.reader_from_torch(), reader_reference(part)
    if part == "training":
        kept = (theirs.pop("mask").T > 0).astype(float)
        network.layers[5].rng = SimpleNamespace(random=lambda shape: kept)
    found = passed(network, training=part == "training")
    assert found.keys() == theirs.keys()
    for name, expected in theirs.items():
        assert cnnbp.relative_error(found[name].reshape(expected.shape), expected) < 1e-10


def test_the_stored_reader_reads():
    assert cnnbp.evaluate(frameworks.reader_from_torch(), IMAGES, cnnbp.digits()[1][1])[1] > 0.98


def test_an_unknown_part_is_refused():
    assert_refuses(lambda: reader_reference("bias"), ValueError, "'evaluation' or 'training'")


@pytest.fixture(scope="module")
def torch_reader():
    """tests/references/torch_reader.py with the stored weights in its model: (module, model)."""
    torch = torch_or_skip()
    from references import torch_reader

    model = torch_reader.untrained()
    weights = {name: torch.tensor(array) for name, array in reader_reference("weights").items()}
    model.load_state_dict(weights)
    return torch_reader, model


def test_the_stand_in_is_what_from_torch_makes(torch_reader):
    made, stand_in = cnnbp.from_torch(torch_reader[1]), frameworks.reader_from_torch()
    assert [type(layer) for layer in made.layers] == [type(layer) for layer in stand_in.layers]
    np.testing.assert_array_equal(made.forward(X), stand_in.forward(X))
    for name, array in made.params.items():
        np.testing.assert_array_equal(array, stand_in.params[name])
    for kind in ("running_mean", "running_var"):
        np.testing.assert_array_equal(
            getattr(made.layers[1], kind), getattr(stand_in.layers[1], kind)
        )


@pytest.mark.parametrize("part", ["evaluation", "training"])
def test_the_stored_gradients_are_live_pytorchs(torch_reader, part):
    reader, model = torch_reader
    found = reader.gradients(model, X, LABELS, training=part == "training")
    stored = reader_reference(part)
    assert found.keys() == stored.keys()
    for name, expected in stored.items():
        assert cnnbp.relative_error(found[name], expected) < 1e-10


@pytest.mark.parametrize(
    "lines", [lines for name, lines in sorted(lines_of_lessons()) if name == "torch"]
)
def test_live_pytorch_says_what_is_stored(lines):
    torch_or_skip()
    assert frameworks.asked("torch", lines) == frameworks.stored()["torch", lines]

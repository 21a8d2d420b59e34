"""A PyTorch model as a Network, cell by cell and to its loss; torch runs where it is installed."""

import builtins
from types import SimpleNamespace

import numpy as np
import pytest
from helpers import assert_refuses, torch_or_skip

import cnnbp
from cnnbp import from_torch


def test_without_pytorch_the_remedy_is_named(monkeypatch):
    imported = builtins.__import__

    def without(name, *arguments, **options):
        if name == "torch":
            raise ModuleNotFoundError("No module named 'torch'")
        return imported(name, *arguments, **options)

    monkeypatch.setattr(builtins, "__import__", without)
    assert_refuses(lambda: from_torch(None), ModuleNotFoundError, "pip install torch")


@pytest.fixture
def torch():
    return torch_or_skip()


def model(torch):
    nn = torch.nn
    torch.manual_seed(0)
    made = nn.Sequential(
        nn.Conv2d(3, 4, (3, 2), stride=2, padding=(1, 0), bias=False),
        nn.BatchNorm2d(4),
        nn.ReLU(),
        nn.Sequential(
            nn.Conv2d(4, 6, 3, padding=1, groups=2, dilation=1),
            nn.LeakyReLU(0.1),
            nn.GroupNorm(3, 6),
        ),
        nn.MaxPool2d(2, stride=1, padding=1),
        nn.Tanh(),
        nn.AvgPool2d((2, 1)),
        nn.Sigmoid(),
        nn.Flatten(),
        nn.Dropout(0.5),
        nn.Linear(6 * 3 * 6, 8),
        nn.Linear(8, 5, bias=False),
    ).double()
    with torch.no_grad():
        for parameter in made.parameters():
            parameter += 0.1 * torch.randn_like(parameter)
    return made


X = np.random.default_rng(0).standard_normal((3, 3, 9, 10))
LABELS = [1, 4, 0]


def with_the_same_mask(torch, ours):
    """Give our dropout the mask that PyTorch draws next; nothing else there draws."""
    torch.manual_seed(1)
    mask = torch.nn.functional.dropout(torch.ones(len(X), 6 * 3 * 6, dtype=torch.float64), 0.5)
    kept = (mask.numpy().T > 0).astype(float)
    assert 0 < kept.mean() < 1
    ours.layers[9].rng = SimpleNamespace(random=lambda shape: kept)
    torch.manual_seed(1)


def both(torch, *, training=False):
    """The model and the Network after their passes on the same images: (network, dx, theirs)."""
    theirs = model(torch)
    theirs.train(training)
    ours = from_torch(theirs)
    with_the_same_mask(torch, ours)
    x = torch.tensor(X, requires_grad=True)
    scores = theirs(x)
    torch.nn.functional.cross_entropy(scores, torch.tensor(LABELS)).backward()
    z = ours.forward(X, training=training)
    _, dz = cnnbp.softmax_cross_entropy(z, LABELS)
    dx = ours.backward(dz)
    assert cnnbp.relative_error(z, scores.detach().numpy().T) < 1e-10
    return ours, dx, (theirs, x.grad.numpy())


@pytest.mark.parametrize("training", [False, True])
def test_gradients_are_pytorchs(torch, training):
    ours, dx, (theirs, their_dx) = both(torch, training=training)
    assert cnnbp.relative_error(dx, their_dx) < 1e-10
    names = {"w": "weight", "b": "bias", "gamma": "weight", "beta": "bias"}
    for name, found in ours.grads.items():
        place, _, kind = name.rpartition(".")
        expected = theirs.get_parameter(f"{place}.{names[kind]}").grad.numpy()
        assert cnnbp.relative_error(found, expected.reshape(found.shape)) < 1e-10
    assert len(ours.grads) == len(list(theirs.parameters()))


@pytest.mark.parametrize("training", [False, True])
def test_every_cell_is_explained_and_traced_to_the_cross_entropy(torch, training):
    ours, dx, _ = both(torch, training=training)
    for index in [(0, 0, 0, 0), (1, 2, 4, 5), (2, 1, 8, 8)]:
        found = cnnbp.lineage(ours, 0, "dx", index, loss=("softmax_cross_entropy", LABELS))
        assert found.cells[0].total == pytest.approx(dx[index], abs=1e-12)
        assert "label" in repr(found)
    for layer in ("0", "1", "2", "3.0", "3.1", "3.2", "4", "5", "6", "7", "8", "9", "10", "11"):
        chain, number = ours.located(layer)
        step = chain.trace[number]
        index = tuple(size // 2 for size in np.shape(step.x))
        assert ours.explain(layer, "dx", index).total == pytest.approx(step.dx[index], abs=1e-12)


def test_the_weights_are_copies(torch):
    theirs = model(torch)
    ours = from_torch(theirs)
    before = theirs[0].weight.detach().clone()
    ours.params["0.w"][...] = 0
    assert torch.equal(theirs[0].weight, before)


def refusals(nn):
    twice = nn.Linear(4, 4)
    own = type("Own", (nn.Sequential,), {"forward": lambda self, x: x})
    return [
        (nn.Linear(2, 2), "must be an nn.Sequential"),
        (nn.Sequential(nn.Conv2d(1, 1, 3, padding=1, padding_mode="reflect")), "padding_mode"),
        (nn.Sequential(nn.Conv2d(1, 1, 3, padding="same")), "padding must be given in numbers"),
        (nn.Sequential(nn.MaxPool2d(2, ceil_mode=True)), "ceil_mode"),
        (nn.Sequential(nn.MaxPool2d(2, dilation=2)), "dilation"),
        (nn.Sequential(nn.MaxPool2d(2, return_indices=True)), "return_indices"),
        (nn.Sequential(nn.AvgPool2d(2, ceil_mode=True)), "ceil_mode"),
        (nn.Sequential(nn.AvgPool2d(2, count_include_pad=False)), "count_include_pad"),
        (nn.Sequential(nn.AvgPool2d(2, divisor_override=3)), "divisor_override"),
        (nn.Sequential(nn.BatchNorm2d(2, affine=False)), "affine=False"),
        (nn.Sequential(nn.BatchNorm2d(2, track_running_stats=False)), "track_running_stats"),
        (nn.Sequential(nn.BatchNorm2d(2, momentum=None)), "momentum=None"),
        (nn.Sequential(nn.GroupNorm(1, 2, affine=False)), "affine=False"),
        (nn.Sequential(nn.Flatten(0)), "Flatten()"),
        (nn.Sequential(nn.Sequential(nn.GELU())), "layer 0.0, a GELU, has no counterpart"),
        (nn.Sequential(nn.BatchNorm1d(2)), "BatchNorm1d"),
        (
            nn.Sequential(twice, nn.ReLU(), twice),
            "layer 2",
        ),
        (nn.Sequential(own(nn.ReLU())), "forward of its own"),
        (nn.Sequential(nn.Linear(2, 2)).half(), "float()"),
    ]


def test_what_has_no_counterpart_is_refused_with_its_place(torch):
    for module, sentence in refusals(torch.nn):
        error = ValueError if isinstance(module, torch.nn.Sequential) else TypeError
        assert_refuses(lambda module=module: from_torch(module), error, "from_torch:", sentence)


def test_an_activation_may_come_twice(torch):
    relu = torch.nn.ReLU()
    assert len(from_torch(torch.nn.Sequential(relu, torch.nn.Tanh(), relu)).layers) == 3

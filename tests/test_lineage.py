"""A cell is the sum over all that lies behind it, at every depth and whatever stands in the way."""

import itertools
import math

import numpy as np
import pytest
from helpers import assert_refuses
from hypothesis import given, settings
from hypothesis import strategies as st

from cnnbp import (
    AvgPool2d,
    BatchNorm2d,
    Conv2d,
    Dropout,
    Flatten,
    GroupNorm,
    LeakyReLU,
    Linear,
    MaxPool2d,
    Network,
    ReLU,
    Residual,
    Sigmoid,
    Tanh,
    combined_loss,
    lineage,
    mean_squared_error,
    photo_patches,
    softmax_cross_entropy,
    walkthrough_network,
)
from cnnbp.explorers import LineageExplorer
from cnnbp.pictures import draw, draw_lineage


def block(rng):
    return Residual([GroupNorm(2, 4), Tanh(), Conv2d(4, 4, 3, padding=1, groups=2, rng=rng)])


NETWORKS = {
    "conv, conv, linear": lambda rng: [
        Conv2d(2, 4, (3, 2), stride=(2, 1), padding=(1, 0), rng=rng),
        Conv2d(4, 4, 2, dilation=(1, 2), groups=2, rng=rng),
        Flatten(),
        Linear(4 * 2 * 3, 3, rng=rng),
    ],
    "pooling between": lambda rng: [
        Conv2d(2, 4, 3, padding=1, rng=rng),
        LeakyReLU(),
        MaxPool2d(2, stride=1),
        AvgPool2d(2, stride=2, padding=1),
        Flatten(),
        Linear(4 * 3 * 3, 3, rng=rng),
    ],
    "normalization and dropout": lambda rng: [
        Conv2d(2, 4, 3, rng=rng),
        BatchNorm2d(4),
        Sigmoid(),
        Dropout(0.5, rng=rng),
        Flatten(),
        Linear(4 * 3 * 4, 3, rng=rng),
    ],
    "residual paths": lambda rng: [
        Conv2d(2, 4, 3, padding=1, rng=rng),
        block(rng),
        ReLU(),
        Network([block(rng), MaxPool2d(2)]),
        Flatten(),
        Linear(4 * 2 * 3, 3, rng=rng),
    ],
    "residual to the end": lambda rng: [
        Flatten(),
        Linear(2 * 5 * 6, 3, rng=rng),
        Network([Tanh(), Residual([Linear(3, 3, rng=rng), Residual([Linear(3, 3, rng=rng)])])]),
    ],
}


def passed(layers, training=True, seed=0):
    """A network after both passes, with the loss that its backward pass began with."""
    rng = np.random.default_rng(seed)
    network = Network(layers(rng))
    for name, array in network.params.items():
        if "gamma" in name or "b" in name:
            array += rng.standard_normal(array.shape)
    z = network.forward(rng.standard_normal((2, 2, 5, 6)), training)
    labels = rng.integers(0, 3, 2)
    _, dz = softmax_cross_entropy(z, labels)
    network.backward(dz)
    return network, ("softmax_cross_entropy", labels)


def places(network, prefix=""):
    """The name of every layer, nested ones as well, with its step and the layer."""
    for number, (layer, step) in enumerate(zip(network.layers, network.trace, strict=True)):
        yield f"{prefix}{number}", layer, step
        if isinstance(layer, Network):
            yield from places(layer, f"{prefix}{number}.")


def gradients(layer, step):
    """wanted -> the layer's own gradient."""
    own = {} if isinstance(layer, Network) else {f"d{n}": g for n, g in layer.grads.items()}
    return {"dx": np.asarray(step.dx), **own}


def after(network, name):
    """The steps of a layer and of all that come after it, in its chain and in those around it."""
    numbers = [int(number) for number in name.split(".")]
    chains = [network]
    for number in numbers[:-1]:
        chains.append(chains[-1].layers[number])
    found = chains[-1].trace[numbers[-1] :]
    for chain, number in list(zip(chains, numbers, strict=True))[-2::-1]:
        found += chain.trace[number + 1 :]
    return found


def random_cell(rng, array):
    return tuple(int(rng.integers(size)) for size in array.shape)


@pytest.mark.parametrize("training", [True, False], ids=["training", "evaluation"])
@pytest.mark.parametrize("layers", NETWORKS.values(), ids=NETWORKS)
def test_every_cell_is_the_sum_over_all_that_lies_behind_it_at_every_depth(layers, training):
    network, loss = passed(layers, training)
    rng = np.random.default_rng(1)
    for name, layer, step in places(network):
        for wanted, array in gradients(layer, step).items():
            index = random_cell(rng, array)
            found = lineage(network, name, wanted, index, loss=loss)
            steps = after(network, name)
            assert len(found.cells) == len(steps) + 1 or not len(found.cells[-1])
            for depth, later in enumerate(steps):
                behind, dz = found.behind(depth), np.asarray(later.dz)
                assert 0 not in behind.values()
                total = sum(factor * dz[key] for key, factor in behind.items())
                assert total == pytest.approx(array[index], rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("training", [True, False], ids=["training", "evaluation"])
@pytest.mark.parametrize("layers", NETWORKS.values(), ids=NETWORKS)
def test_every_layer_explains_its_cells(layers, training):
    network, _ = passed(layers, training)
    rng = np.random.default_rng(2)
    for name, layer, step in places(network):
        for wanted, array in {"z": np.asarray(step.z), **gradients(layer, step)}.items():
            for _ in range(3):
                cell = network.explain(name, wanted, random_cell(rng, array))
                assert cell.total == pytest.approx(array[cell.index], rel=1e-9, abs=1e-12)
                of_last_layer = type(layer) is Network and wanted == "z"  # told by its last layer
                if cell.left_name in ("x", "dz") and not of_last_layer:
                    there = np.asarray(getattr(step, cell.left_name))
                    assert there[tuple(cell.left_index.T)] == pytest.approx(cell.left)


def ways(network, name, wanted, index):
    """The lineage's paths, by walking every one of them."""
    chain = [key for key, _, _ in places(network)]
    steps = after(network, name)
    names = {id(step): key for key, _, step in places(network)}

    def walk(depth, wanted, index):
        cell = network.explain(names[id(steps[depth])], wanted, index)
        nonzero = [t for t in cell.terms if t.right != 0]
        if depth == len(steps) - 1:
            return len(nonzero)
        return sum(walk(depth + 1, "dx", term.left_index) for term in nonzero)

    assert name in chain
    return walk(0, wanted, index)


@pytest.mark.parametrize("training", [True, False], ids=["training", "evaluation"])
@pytest.mark.parametrize("kind", NETWORKS)
def test_paths_are_counted_as_if_each_were_walked(kind, training):
    layers = NETWORKS[kind]
    network, _ = passed(layers, training)
    rng = np.random.default_rng(3)
    for name, layer, step in list(places(network))[-4:]:
        for wanted, array in gradients(layer, step).items():
            index = random_cell(rng, array)
            found = lineage(network, name, wanted, index).paths
            assert isinstance(found, int)
            assert found == ways(network, name, wanted, index)


def test_more_paths_than_a_float_can_count():
    width, depth = 40, 12
    network = Network([Linear(width, width, gain=1.0, rng=i) for i in range(depth)])
    network.backward(np.ones_like(network.forward(np.ones((width, 1)))))
    assert lineage(network, 0, "dx", (0, 0)).paths == width**depth


def test_the_shares_of_all_ways_are_the_whole():
    network, _ = passed(NETWORKS["conv, conv, linear"])
    found = lineage(network, 1, "dw", (0, 1, 0, 1))
    total = 0
    for first in range(len(found.cells[0])):
        second = found.follow(0, first)
        for t, u in itertools.product(*(range(len(cell)) for cell in second.cells[1:3])):
            total += second.follow(1, t).follow(2, u).share
    assert total == pytest.approx(1)


def test_following_keeps_what_was_chosen_before_and_then_takes_the_largest():
    network, loss = passed(NETWORKS["conv, conv, linear"])
    found = lineage(network, 0, "dx", (0, 1, 2, 2), loss=loss)
    for cell, term in zip(found.cells, found.terms, strict=False):
        assert abs(term.product) == np.abs(cell.product).max()
    other = found.follow(0, 1)
    assert other.terms[0] == found.cells[0].term(1)
    assert other.cells[1].index == other.terms[0].left_index
    assert other.follow(1, 2).terms[0] == other.terms[0]
    assert_refuses(lambda: found.follow(9, 0), ValueError, "Lineage.follow: there is no depth 9")
    assert_refuses(lambda: found.follow(0, 99), ValueError, "there is no product 99 among the")
    assert_refuses(lambda: found.behind(9), ValueError, "Lineage.behind: there is no depth 9")


def test_each_cell_is_the_dz_that_the_one_before_was_made_of():
    network, loss = passed(NETWORKS["residual paths"])
    found = lineage(network, "3.0.1", "dx", (0, 1, 2, 2), loss=loss)
    assert [line.split(":")[0] for line in repr(found).splitlines()] == [
        *("3.0.1 Tanh", "3.0.2 Conv2d", "3.1 MaxPool2d", "4 Flatten", "5 Linear"),
        "softmax cross entropy",
    ]
    for term, cell in zip(found.terms, found.cells[1:], strict=True):
        assert cell.total == pytest.approx(term.left, rel=1e-9)
    assert "the label is" in repr(found).splitlines()[-1]


def test_a_pixel_of_the_photographs_reaches_the_loss():
    network = walkthrough_network()
    target = np.random.default_rng(1).standard_normal((32, 10))
    _, dz = mean_squared_error(network.forward(photo_patches()), target)
    network.backward(dz)
    loss = "mean_squared_error", target
    seen = {lineage(network, 0, "dx", (0, 0, h, h), loss=loss).paths for h in range(9)}
    assert 0 in seen
    assert len(seen) > 1
    found = lineage(network, 0, "dw", (1, 0, 2, 1), loss=loss)
    assert sum(
        factor * network.trace[3].dz[key] for key, factor in found.behind(3).items()
    ) == pytest.approx(network.grads["0.w"][1, 0, 2, 1], rel=1e-9)
    assert "the target is" in repr(found)


def two_heads(weights=(0.5, 4.0)):
    """Three scores above two numbers, and what the two losses of them are told."""
    rng = np.random.default_rng(2)
    network = Network([Conv2d(1, 2, 2, rng=rng), ReLU(), Flatten(), Linear(8, 5, rng=rng)])
    loss = [
        ("softmax_cross_entropy", rng.integers(0, 3, 4), slice(0, 3), weights[0]),
        ("mean_squared_error", rng.standard_normal((2, 4)), slice(3, 5), weights[1]),
    ]
    z = network.forward(rng.standard_normal((4, 1, 3, 3)))
    network.backward(combined_loss(z, loss)[1])
    return network, loss


def test_two_losses_end_each_way_at_the_one_it_came_from():
    network, loss = two_heads()
    last = network.trace[-1].dz
    for row in range(5):
        found = lineage(network, 3, "db", (row, 0), loss=loss)
        for sample in range(4):
            way = found.follow(0, sample)
            assert way.names[-1] == ("softmax cross entropy", "mean squared error")[row > 2]
            assert way.cells[-1].total == pytest.approx(last[row, sample], rel=1e-9)
            assert way.cells[-1].index == (row, sample)
            (term,) = way.cells[-1].terms
            at = network.trace[-1].z[row, sample]
            assert row < 3 or (term.left_index, term.left) == ((row, sample), at)


def test_the_weight_of_a_loss_is_named_in_its_products():
    network, loss = two_heads()
    assert "·0.5·1/N" in repr(lineage(network, 3, "db", (1, 0), loss=loss))
    said = repr(lineage(network, 3, "db", (4, 0), loss=loss))
    assert said.count("·4·2/(K·N)") == 2
    assert "z[4," in said
    assert "target[1," in said


def test_a_part_that_is_not_of_the_loss_is_named():
    network, loss = two_heads()
    classes, (name, target, rows, weight) = loss
    other = [classes, (name, target, rows, 2 * weight)]
    ask = lambda parts, row: lambda: lineage(network, 3, "db", (row, 0), loss=parts)  # noqa: E731
    assert_refuses(ask(other, 4), ValueError, "did not begin with this mean squared error")
    assert_refuses(ask([classes], 4), ValueError, "no part of the loss has row 4")
    assert lineage(network, 3, "db", (0, 0), loss=[classes]).names[-1] == "softmax cross entropy"


def test_a_residual_alone_ends_at_its_loss():
    network = Residual([Linear(2, 2, rng=0)])
    _, dz = mean_squared_error(network.forward([[1.0], [2.0]]), [[0.0], [3.0]])
    network.backward(dz)
    loss = "mean_squared_error", [[0.0], [3.0]]
    assert lineage(network, 0, "db", (1, 0), loss=loss).cells[-1].total == pytest.approx(dz[1, 0])


def test_rows_in_steps_and_rows_that_no_loss_has():
    rng = np.random.default_rng(3)
    network = Network([Linear(2, 6, rng=rng)])
    z = network.forward(rng.standard_normal((2, 3)))
    loss = [
        ("softmax_cross_entropy", [0, 1, 1], slice(0, 4, 2), 0.5),
        ("mean_squared_error", rng.standard_normal((2, 3)), slice(-1, None, -4), 2.0),
    ]
    network.backward(combined_loss(z, loss)[1])
    for row in range(6):
        found = lineage(network, 0, "db", (row, 0), loss=loss)
        end, (_, sample) = found.cells[-1], found.cells[-1].index
        assert end.total == pytest.approx(network.trace[0].dz[row, sample], abs=1e-15)
        assert found.names[-1] == (
            "mean squared error" if row in (1, 5) else "no loss" if row > 2 else found.names[-1]
        )
        for term in end.terms:
            assert row not in (1, 5) or (term.left_index, term.left) == (
                (row, sample),
                z[row, sample],
            )
    assert "no loss has its row" in repr(lineage(network, 0, "dw", (4, 0), loss=loss))
    assert "no loss has its row" in draw_lineage(network, 0, "dw", (4, 0), loss=loss).description


@pytest.mark.parametrize("loss", [[1], [("mean_squared_error", 1)], [("mean_squared_error",) * 4]])
def test_what_is_no_part_of_a_loss_is_told_what_one_is(loss):
    network, _ = two_heads()
    part = "a part is (name, target, rows, weight)"
    assert_refuses(lambda: lineage(network, 3, "db", (0, 0), loss=loss), TypeError, part)
    assert_refuses(lambda: combined_loss(np.zeros((5, 4)), loss), TypeError, part)


@pytest.mark.parametrize("given", ["a network", Linear(2, 1)])
def test_what_is_no_network_is_told_so(given):
    for ask in (lineage, draw, draw_lineage):
        assert_refuses(lambda ask=ask: ask(given, 0, "dx", (0, 0)), TypeError, "needs a Network")
    assert_refuses(lambda: LineageExplorer(given), TypeError, "needs a Network")


def test_a_cell_that_nothing_lies_behind_ends_at_once():
    network = walkthrough_network()
    network.backward(np.ones_like(network.forward(photo_patches())))
    unseen = tuple(int(i) for i in np.argwhere(network.trace[1].dx == 0)[0])
    found = lineage(network, 1, "dx", unseen)
    assert len(found.cells) == 1
    assert found.paths == 0
    assert math.isnan(found.share)
    assert found.behind(0) == found.behind(2) == {}
    assert repr(found).endswith("= 0, a sum of no products")


@given(
    st.integers(1, 2),
    st.integers(1, 3),
    st.tuples(st.integers(1, 3), st.integers(1, 3)),
    st.tuples(st.integers(0, 1), st.integers(0, 1)),
    st.tuples(st.integers(1, 2), st.integers(1, 2)),
)
@settings(max_examples=25, deadline=None)
def test_a_tangent_is_the_transpose_of_backward(groups, stride, kernel, padding, dilation):
    rng = np.random.default_rng(0)
    layers = [
        Conv2d(4, 2, kernel, stride=stride, padding=padding, dilation=dilation, groups=groups),
        MaxPool2d(kernel, stride=stride),
        AvgPool2d(kernel, stride=stride),
        *(Flatten(), ReLU(), Sigmoid(), Dropout(0.3, rng), BatchNorm2d(4), GroupNorm(2, 4)),
        Residual([GroupNorm(1, 4), Conv2d(4, 4, 3, padding=1)]),
    ]
    for layer, training in itertools.product(layers, [True, False]):
        x, v = rng.standard_normal((2, 2, 4, 6, 7))
        z = layer.forward(x, training)
        dz = rng.standard_normal(z.shape)
        forward, back = (dz * layer.tangent(v)).sum(), (layer.backward(dz) * v).sum()
        assert forward == pytest.approx(back, rel=1e-9, abs=1e-9), layer


@pytest.mark.parametrize(
    ("arguments", "loss", "substance"),
    [
        ((0, "z", (0, 0)), None, ["lineage: z is a value, no gradient", "network.explain"]),
        ((7, "dx", (0, 0)), None, ["no layer 7", "0 Conv2d"]),
        (("1.0", "dx", (0, 0)), None, ["no layer '1.0'", "ReLU has no layers in it"]),
        ((0, "dw", (9, 0, 0, 0)), None, ["dw has shape (1, 1, 2, 2)", "(9, 0, 0, 0)"]),
        ((0, "dx", (0, 0, 0, 0)), "cross-entropy", ["loss must be (", "'cross-entropy'"]),
        (
            (0, "dx", (0, 0, 0, 0)),
            ("softmax_cross_entropy", [0]),
            ["did not begin with this softmax cross entropy"],
        ),
    ],
)
def test_what_has_no_lineage_is_refused(arguments, loss, substance):
    network = Network([Conv2d(1, 1, 2, rng=0), ReLU(), Flatten()])
    network.backward(np.full_like(network.forward(np.ones((1, 1, 3, 3))), 9.0))
    assert_refuses(lambda: lineage(network, *arguments, loss=loss), ValueError, *substance)


@pytest.mark.parametrize("layer", [0, "1.0"])
def test_a_pass_that_is_missing_is_named(layer):
    network = Network([Conv2d(1, 1, 2), Residual([ReLU()])])
    assert_refuses(lambda: lineage(network, layer, "dx", (0,) * 4), ValueError, "forward(x)")
    network.forward(np.ones((1, 1, 3, 3)))
    assert_refuses(lambda: lineage(network, layer, "dx", (0,) * 4), ValueError, "backward(dz)")

"""What lesson 12 says in numbers, on the settings that it uses and on two seeds more."""

import math
import runpy
from pathlib import Path

import numpy as np
import pytest

import cnnbp
from cnnbp.data import deep_runs
from cnnbp.deep_network import REMEDIES, SIGMOID, weight_gradients
from cnnbp.explorers import GradientFlowExplorer
from cnnbp.pictures.network import dead_units
from cnnbp.training import minibatches, training_step

SEEDS = range(3)
TOOL = runpy.run_path(str(Path(__file__).parents[2] / "tools" / "deep_runs.py"))


@pytest.fixture(scope="module")
def digits():
    return cnnbp.digits()


@pytest.fixture(scope="module")
def sent_back(digits):
    """A deep network after both passes on 64 digits."""
    (images, labels), _ = digits
    few, few_labels = images[:64].astype(float), labels[:64]

    def sent(depth, **options):
        network = cnnbp.deep_network(depth, **options)
        _, dz = cnnbp.softmax_cross_entropy(network.forward(few, training=True), few_labels)
        network.backward(dz)
        return network

    return sent


def ratio(network):
    first, *_, last = weight_gradients(network)
    return first / last


@pytest.mark.parametrize("depth", [4, 8, 12, 20])
def test_four_to_the_minus_depth_is_right_within_ten(sent_back, depth):
    for seed in SEEDS:
        assert 0.1 < ratio(sent_back(depth, rng=seed, **SIGMOID)) * 4**depth < 10


def test_no_weight_of_the_first_block_moves_by_a_bit_and_by_far(digits):
    """Every step is less than a tenth of what would be rounded to another number."""
    (images, labels), _ = digits
    network = cnnbp.deep_network(12, dtype=np.float32, **SIGMOID)
    before = {name: w.copy() for name, w in network.params.items()}
    optimizer, largest, steps = cnnbp.SGD(network, 0.05, momentum=0.9), 0.0, 0
    rng, half_a_bit = np.random.default_rng(0), np.spacing(np.abs(before["0.0.w"])) / 2
    for _ in range(6):
        for batch in minibatches(images, labels, 64, rng):
            training_step(network, optimizer, cnnbp.softmax_cross_entropy, *batch)
            step = np.abs(0.05 * optimizer.velocity["0.0.w"])
            largest, steps = max(largest, float((step / half_a_bit).max())), steps + 1
    assert steps == 138
    assert largest < 0.1
    assert (network.params["0.0.w"] == before["0.0.w"]).all()
    assert (network.params["11.0.w"] != before["11.0.w"]).all()


def test_what_a_followed_weight_meets(digits):
    (images, labels), _ = digits
    blocks = cnnbp.deep_network(12, **SIGMOID)
    inner = [layer for block in blocks.layers[:12] for layer in block.layers]
    way = cnnbp.Network([*inner, *blocks.layers[12:]])
    scores = way.forward(images[:1].astype(float))
    way.backward(cnnbp.softmax_cross_entropy(scores, labels[:1])[1])
    found = cnnbp.lineage(way, 0, "dw", (0, 0, 1, 1))
    slopes = [term.right for term in found.terms if term.right_name == "slope"]
    weights = [term.right for term in found.terms[1:] if term.right_name == "w"]
    assert len(slopes) == 12
    assert all(0.23 < slope <= 0.25 for slope in slopes)
    assert all(abs(w) < 1 for w in weights)
    assert found.paths > 10**19


def test_the_relu_trap(sent_back):
    for seed in SEEDS:
        network = sent_back(12, activation="ReLU", gain=1.0, rng=seed)
        w, dw = network.params, network.grads
        sums = [(w[f"{b}.0.w"] * dw[f"{b}.0.w"]).sum() for b in range(12)]
        assert np.allclose(sums, sums[0], rtol=1e-9)
        assert 1 / 5 < ratio(network) < 5  # of dw, where dz keeps a hundredth
    trap = sent_back(12, activation="ReLU", gain=1.0)
    first, last = (np.linalg.norm(trap.trace[block].dz) for block in (0, 11))
    assert 0.005 < first / last < 0.02
    spread = [np.std(step.z) for step in trap.trace[:12]]
    assert spread[-1] < spread[0] / 50
    is_open = [(step.z > 0).mean() for step in trap.trace[:12]]
    assert all(0.3 < share < 0.75 for share in is_open)
    assert 0.45 < np.mean(is_open) < 0.55


def test_gain_three_explodes_and_clipping_lets_it_learn(sent_back, digits):
    loud, *others = (sent_back(12, activation="ReLU", gain=3.0, rng=seed) for seed in SEEDS)
    at_the_input, *_ = loud.gradients()
    assert np.linalg.norm(at_the_input) > 2000 * np.linalg.norm(loud.trace[11].dz)
    assert 9000 < cnnbp.gradient_norm(loud) < 11_000
    assert all(cnnbp.gradient_norm(other) < 3000 for other in others)
    weights = math.sqrt(sum((w**2).sum() for w in loud.params.values()))
    assert 0.05 * cnnbp.gradient_norm(loud) > 20 * weights
    (images, labels), new_digits = digits
    accuracy = {}
    for seed, limit in ((0, None), (1, None), (2, None), (0, 1.0)):
        network = cnnbp.deep_network(12, gain=3.0, dtype=np.float32, rng=seed)
        options = {"epochs": 6, "batch_size": 64, "rng": 0, "progress": False}
        options |= {"optimizer": cnnbp.SGD(network, 0.05, momentum=0.9), "max_norm": limit}
        with np.errstate(all="ignore"):
            run = cnnbp.train(network, images, labels, **options)
        if not run.diverged:
            accuracy[seed, limit] = cnnbp.evaluate(network, *new_digits)[1]
    assert (0, None) not in accuracy
    assert accuracy.pop((0, 1.0)) > 0.6
    assert all(reached < 0.12 for reached in accuracy.values())


def test_batch_normalization_ignores_the_gain(sent_back):
    sizes = []
    for gain in (0.5, 3.0, 10.0):
        network = sent_back(12, gain=gain, normalization="batch")
        assert 3.6 < ratio(network) < 4.4
        sizes.append(gain * np.array(weight_gradients(network)))
    assert np.allclose(sizes, sizes[-1], rtol=0.1)  # dw goes as 1/gain, but for eps


def test_a_path_around_lets_the_spread_of_z_grow():
    spread = {}
    for name in ("sigmoid", "sigmoid, gain 4", "sigmoid, batch norm", "sigmoid, residual", "tanh"):
        explorer = GradientFlowExplorer(depth=12, **({"gain": 1.0} | REMEDIES[name]))
        spread[name] = [float(np.std(step.z)) for step in explorer.network.trace[:12]]
        explorer.close()
    around = spread.pop("sigmoid, residual")
    assert around[-1] > 10 * around[0]
    assert all(z[-1] < 1.2 * z[0] for z in spread.values())


def test_six_block_is_the_first_that_gets_less_than_a_thousandth():
    explorer = GradientFlowExplorer(depth=12, activation="sigmoid")
    *_, last = sizes = [np.linalg.norm(step.dz) for step in explorer.network.trace[:12]]
    explorer.close()
    assert [block for block in range(12) if sizes[block] < last / 1000] == list(range(7))


def test_batch_normalization_and_a_path_around_bring_sigmoids_near_one():
    options = {"activation": "sigmoid", "normalization": "batch", "residual": True}
    explorer = GradientFlowExplorer(depth=12, **options)
    assert 1 < ratio(explorer.network) < 1.5
    explorer.close()


def test_stored_ratios_are_the_ones_that_the_tool_measures():
    runs = deep_runs()
    assert list(runs) == list(REMEDIES)
    for name, options in REMEDIES.items():
        for seed in SEEDS:
            assert math.isclose(TOOL["ratio"](seed, options), runs[name][0][seed], rel_tol=1e-6)


def test_what_the_lesson_says_of_the_stored_accuracies():
    accuracy = {name: found[1] for name, found in deep_runs().items()}
    for name in ("sigmoid", "sigmoid, gain 4", "sigmoid, group norm"):
        assert accuracy[name].max() < 0.12
    for name in ("tanh", "sigmoid, batch norm", "sigmoid, residual", "ReLU, batch norm"):
        assert accuracy[name].min() > 0.7
    assert sorted(accuracy["ReLU, He's gain"] > 0.5) == [False, False, True]
    ratios, _ = deep_runs()["ReLU, He's gain"]
    assert ((ratios > 0.5) & (ratios < 2)).all()


def test_a_network_of_relus_that_learned_nothing_has_a_dead_block(digits):
    (images, labels), _ = digits
    network = cnnbp.deep_network(12, channels=8, dtype=np.float32, **REMEDIES["ReLU, He's gain"])
    options = {"optimizer": cnnbp.SGD(network, 0.05, momentum=0.9), "progress": False}
    cnnbp.train(network, images, labels, epochs=2, batch_size=64, rng=0, **options)
    network.forward(images)
    blocks = zip(network.layers[:12], network.trace, strict=False)
    assert any(dead_units(block, step) == 1 for block, step in blocks)

"""The network of equal blocks, in which gradients vanish and explode."""

import numpy as np
import pytest
from helpers import assert_refuses

from cnnbp import Residual, deep_network, digits, relative_error, softmax_cross_entropy
from cnnbp.deep_network import ACTIVATIONS, NORMALIZATIONS

IMAGES, LABELS = (array[:8] for array in digits(np.float64)[0])


def norms(network):
    """How much gradient reaches the blocks: the norm of dz behind each."""
    _, dz = softmax_cross_entropy(network.forward(IMAGES, training=True), LABELS)
    network.backward(dz)
    return [np.linalg.norm(step.dz) for step in network.trace]


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("normalization", NORMALIZATIONS)
@pytest.mark.parametrize("residual", [False, True])
def test_every_combination_has_scores_and_gradients(activation, normalization, residual):
    network = deep_network(
        3, activation=activation, normalization=normalization, residual=residual, channels=2
    )
    assert network.forward(IMAGES).shape == (10, 8)
    assert np.isfinite(norms(network)).all()
    assert [isinstance(layer, Residual) for layer in network.layers[:3]] == [
        False,
        residual,
        residual,
    ]


def test_its_gradient_is_the_numeric_one():
    network = deep_network(2, activation="tanh", normalization="group", residual=True)
    _, dz = softmax_cross_entropy(network.forward(IMAGES), LABELS)
    network.backward(dz)
    w = network.params["0.0.w"]
    found = network.grads["0.0.w"][1, 0, 2, 0]
    moved = []
    for step in (1e-5, -2e-5):
        w[1, 0, 2, 0] += step
        moved.append(softmax_cross_entropy(network.forward(IMAGES), LABELS)[0])
    assert relative_error(found, (moved[0] - moved[1]) / 2e-5) < 1e-6


def test_sigmoids_let_a_quarter_through_at_most():
    small = norms(deep_network(12, activation="sigmoid", gain=1.0, head_gain=1.0))
    assert small[0] / small[11] < 1e-6


def test_the_first_blocks_are_the_same_in_every_depth():
    shallow, deep = deep_network(2), deep_network(4)
    np.testing.assert_array_equal(shallow.params["1.0.w"], deep.params["1.0.w"])


def test_refuses_what_it_has_not():
    assert_refuses(lambda: deep_network(0), ValueError, "depth must be at least 1")
    assert_refuses(
        lambda: deep_network(2, activation="relu"), ValueError, "activation must be one of", "ReLU"
    )
    assert_refuses(lambda: deep_network(2, normalization="layer"), ValueError, "none, batch, group")

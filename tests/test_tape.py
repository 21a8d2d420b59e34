"""The tape: the same gradients as the layers', and those that no chain of layers holds."""

import inspect

import numpy as np
import pytest
from numpy.testing import assert_array_equal

import cnnbp
from cnnbp import tape
from cnnbp.tape import Node

ACTIVATIONS = {"relu": cnnbp.ReLU, "sigmoid": cnnbp.Sigmoid, "tanh": cnnbp.Tanh}
POOLS = {"max_pool2d": cnnbp.MaxPool2d, "avg_pool2d": cnnbp.AvgPool2d}
RNG = np.random.default_rng(0)


def gradient(node, f, arrays):
    """By central differences, of the loss that f makes of the arrays."""
    return cnnbp.numeric_gradient(
        lambda value: float(f(*arrays[:node], value, *arrays[node + 1 :])), arrays[node]
    )


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("pool", POOLS)
def test_a_chain_has_the_networks_gradients_to_the_last_bit(dtype, activation, pool):
    x = np.random.default_rng(1).standard_normal((4, 2, 9, 8)).astype(dtype)
    labels = [0, 2, 1, 2]
    network = cnnbp.Network(
        [
            cnnbp.Conv2d(2, 3, (3, 2), stride=2, padding=1, dtype=dtype, rng=0),
            ACTIVATIONS[activation](),
            POOLS[pool](2, stride=1),
            cnnbp.Flatten(),
            cnnbp.Linear(3 * 4 * 4, 3, dtype=dtype, rng=1),
        ]
    )
    loss, dz = cnnbp.softmax_cross_entropy(network.forward(x), labels)
    dx = network.backward(dz)

    given = {name: Node(value) for name, value in {"x": x, **network.params}.items()}
    z = tape.conv2d(given["x"], given["0.w"], given["0.b"], stride=2, padding=1)
    z = getattr(tape, pool)(getattr(tape, activation)(z), kernel_size=2, stride=1)
    last = tape.softmax_cross_entropy(
        tape.linear(tape.flatten(z), given["4.w"], given["4.b"]), labels
    )
    last.backward()
    assert last.value == loss
    for name, expected in {"x": dx, **network.grads}.items():
        assert given[name].gradient.dtype == dtype
        assert_array_equal(given[name].gradient, expected)


def test_a_kernel_in_two_places_gets_the_sum():
    x, w, b = (
        RNG.standard_normal((2, 2, 5, 5)),
        RNG.standard_normal((2, 2, 3, 3)),
        np.zeros((2, 1, 1)),
    )
    target = RNG.standard_normal((2, 2, 5, 5)).reshape(2, -1).T

    def loss(*arrays):
        x, w, b = map(Node, arrays)
        once = tape.relu(tape.conv2d(x, w, b, padding=1))
        both = tape.conv2d(once, w, b, padding=1) + x
        return tape.mean_squared_error(tape.flatten(both), target), (x, w, b)

    last, nodes = loss(x, w, b)
    last.backward()
    for number, node in enumerate(nodes):
        expected = gradient(number, lambda *arrays: loss(*arrays)[0].value, (x, w, b))
        assert cnnbp.relative_error(node.gradient, expected) < 1e-6


def test_a_bias_may_be_left_out():
    x, w = Node(RNG.standard_normal((2, 1, 4, 4))), Node(RNG.standard_normal((1, 1, 3, 3)))
    v = Node(RNG.standard_normal((2, 4)))
    z = tape.flatten(tape.conv2d(x, w))
    last = tape.mean_squared_error(tape.linear(z, v), np.zeros((2, 2)))
    last.backward()
    columns = z.value
    dz = cnnbp.mean_squared_error(cnnbp.linear(columns, v.value), np.zeros((2, 2)))[1]
    dcolumns, dv, _ = cnnbp.linear_backward(dz, columns, v.value)
    assert_array_equal(v.gradient, dv)
    dz = cnnbp.flatten_backward(dcolumns, (2, 1, 2, 2))
    dx, dw, _ = cnnbp.conv2d_backward(dz, x.value, w.value)
    assert_array_equal(w.gradient, dw)
    assert_array_equal(x.gradient, dx)


def test_every_use_counts_and_a_second_pass_begins_anew():
    a = Node(3.0)
    last = a * a + a * a
    last.backward()
    last.backward()
    assert a.gradient == 12
    b = Node(1.0)
    s = Node(2.0) + b
    (s + b).backward()
    assert b.gradient == 2
    assert s.gradient == 1


def test_a_diamond_waits_for_all_that_comes_back():
    x = Node(3.0)
    y = x * x
    (y * y * y + y * x).backward()
    assert x.gradient == 6 * 3**5 + 3 * 3**2


def test_what_nothing_reaches_has_no_gradient():
    a, b = Node(1.0), Node(2.0)
    (a * a).backward()
    assert b.gradient is None


def test_a_long_tape_needs_no_deep_recursion():
    a = last = Node(1.0)
    for _ in range(5000):
        last = last + a
    last.backward()
    assert a.gradient == 5001


def test_it_is_read_in_one_sitting():
    lines = inspect.getsource(tape).splitlines()
    assert len(lines) < 150

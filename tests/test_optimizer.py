"""Optimizers and clipping: steps worked by hand, in place, and what happens at the ends."""

import math

import numpy as np
import pytest
from helpers import assert_refuses, eighths
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from cnnbp import (
    SGD,
    Adam,
    Conv2d,
    Linear,
    Network,
    ReLU,
    Residual,
    clip_gradients,
    gradient_norm,
)

OPTIMIZERS = pytest.mark.parametrize("optimizer", [SGD, Adam])


def layer_with(w=0.0, dw=0.0, dtype=np.float64):
    """A layer whose params and grads are set: w and dw by hand, the bias and its gradient 0."""
    layer = Linear(1, 1, dtype=dtype)
    layer.params["w"][...] = w
    give(layer, dw)
    return layer


def give(layer, dw):
    """Put dw where a backward pass would have put it."""
    layer.grads["w"] = np.full_like(layer.params["w"], dw)


def w_after_each(optimizer, layer, gradients):
    """w after a step along each of the gradients, one after the other."""
    path = []
    for dw in gradients:
        give(layer, dw)
        optimizer.step()
        path.append(layer.params["w"].item())
    return path


def test_gradient_descent_by_hand():
    layer = layer_with(w=10.0)
    assert w_after_each(SGD(layer, 0.5), layer, [4, -2, 0]) == [10 - 2, 8 + 1, 9]


def test_momentum_by_hand():
    layer = layer_with(w=0.0)
    path = w_after_each(SGD(layer, 0.5, momentum=0.5), layer, [8, 4, 0])
    assert path == [-0.5 * 8, -4 - 0.5 * (4 + 4), -8 - 0.5 * (0.5 * 8 + 0)]


def test_the_learning_rate_is_not_kept_in_the_velocity():
    layer = layer_with()
    optimizer = SGD(layer, 1.0, momentum=0.5)
    w_after_each(optimizer, layer, [8])
    optimizer.learning_rate = 0.0
    assert w_after_each(optimizer, layer, [0, 0]) == [-8, -8]
    optimizer.learning_rate = 1.0
    assert w_after_each(optimizer, layer, [0]) == [-8 - 8 * 0.5**3]


def test_adam_by_hand():
    layer = layer_with(w=0.0)
    options = {"learning_rate": 1.0, "beta1": 0.5, "beta2": 0.75, "eps": 1.0}
    path = w_after_each(Adam(layer, **options), layer, [2, 0])
    first = -2 / (2 + 1)  # m = 1/(1 − 0.5) = 2, s = 1/(1 − 0.75) = 4
    m, s = 0.5 / (1 - 0.25), 0.75 / (1 - 0.75**2)
    assert_allclose(path, [first, first - m / (math.sqrt(s) + 1)], rtol=1e-15)


@given(st.floats(1e-3, 1e3), st.sampled_from([-1, 1]))
def test_adams_first_step_is_the_learning_rate_however_large_the_gradient(size, sign):
    layer = layer_with()
    (w,) = w_after_each(Adam(layer, learning_rate=0.25), layer, [sign * size])
    assert w == pytest.approx(-sign * 0.25, rel=1e-4)


@OPTIMIZERS
def test_without_gradient_nothing_moves(optimizer):
    layer = layer_with(w=3.0)
    assert w_after_each(optimizer(layer, 0.5), layer, [0, 0]) == [3, 3]


@OPTIMIZERS
def test_a_learning_rate_of_zero_is_allowed_and_moves_nothing(optimizer):
    layer = layer_with(w=3.0)
    assert w_after_each(optimizer(layer, 0), layer, [5, -2]) == [3, 3]


@OPTIMIZERS
def test_a_step_changes_the_layers_own_arrays_and_not_the_gradients(optimizer):
    layer = layer_with(w=1.0, dw=2.0)
    w, dw = layer.params["w"], layer.grads["w"]
    optimizer(layer, 0.5).step()
    assert layer.params["w"] is w
    assert w.item() != 1
    assert layer.grads["w"] is dw
    assert dw.item() == 2


@OPTIMIZERS
@pytest.mark.parametrize("learning_rate", [0.1, np.float64(0.1)])
def test_float32_stays_float32(optimizer, learning_rate):
    layer = layer_with(dtype=np.float32, dw=2.0)
    layer.grads["w"] = layer.grads["w"].astype(np.float64)  # as float64 images make it
    optimizer(layer, learning_rate).step()
    assert {array.dtype for array in layer.params.values()} == {np.dtype(np.float32)}
    assert layer.params["w"].item() < 0


@OPTIMIZERS
def test_every_parameter_of_a_nested_network_moves(optimizer):
    rng = np.random.default_rng(0)
    inner = Residual([Conv2d(2, 2, 3, padding=1, rng=rng)])
    network = Network([Conv2d(1, 2, 3, padding=1, rng=rng), inner])
    x = eighths(rng, (2, 1, 4, 4))
    network.backward(eighths(rng, network.forward(x).shape))
    before = {name: array.copy() for name, array in network.params.items()}
    optimizer(network, 0.1).step()
    assert list(before) == ["0.w", "0.b", "1.0.w", "1.0.b"]
    for name, array in network.params.items():
        assert (array != before[name]).all()


@OPTIMIZERS
def test_fifty_steps_go_downhill(optimizer):
    layer = Linear(3, 2, rng=0)
    descent, x, target = optimizer(layer, 0.05), np.eye(3), np.ones((2, 3))
    distances = []
    for _ in range(50):
        difference = layer.forward(x) - target
        layer.backward(difference)
        descent.step()
        distances.append((difference**2).sum())
    assert distances[-1] < 0.2 * distances[0]


@pytest.mark.parametrize(
    ("options", "substance"),
    [
        ({"learning_rate": -0.1}, ["learning_rate", "at least 0", "-0.1"]),
        ({"learning_rate": np.nan}, ["learning_rate", "finite", "nan"]),
        ({"learning_rate": np.inf}, ["learning_rate", "finite", "inf"]),
    ],
)
@OPTIMIZERS
def test_optimizers_refuse(optimizer, options, substance):
    assert_refuses(
        lambda: optimizer(layer_with(), **options), ValueError, optimizer.__name__, *substance
    )


@pytest.mark.parametrize(
    ("make", "substance"),
    [
        (lambda layer: SGD(layer, 0.1, momentum=1), ["SGD: momentum", "less than 1", "1"]),
        (lambda layer: SGD(layer, 0.1, momentum=-0.5), ["SGD: momentum", "at least 0", "-0.5"]),
        (lambda layer: Adam(layer, beta1=1.0), ["Adam: beta1", "less than 1", "1.0"]),
        (lambda layer: Adam(layer, beta2=-1), ["Adam: beta2", "at least 0", "-1"]),
        (lambda layer: Adam(layer, eps=0), ["Adam: eps", "positive", "0"]),
    ],
)
def test_numbers_outside_their_range_are_refused(make, substance):
    assert_refuses(lambda: make(layer_with()), ValueError, *substance)


@OPTIMIZERS
def test_optimizers_refuse_what_is_no_network(optimizer):
    params = Linear(2, 2).params
    assert_refuses(
        lambda: optimizer(params, learning_rate=0.1),
        TypeError,
        *(optimizer.__name__, "a layer or a network", "not dict"),
    )


def test_optimizers_show_their_numbers():
    assert repr(SGD(layer_with(), 0.1)) == "SGD(learning_rate=0.1, momentum=0.0)"
    assert repr(Adam(layer_with())) == (
        "Adam(learning_rate=0.001, beta1=0.9, beta2=0.999, eps=1e-08)"
    )


def layer_with_gradients(dw, db, dtype=np.float64):
    layer = Linear(len(dw), 1, dtype=dtype)
    layer.grads.update(w=np.array([dw], dtype), b=np.array([[db]], dtype))
    return layer


def test_clipping_by_hand():
    layer = layer_with_gradients([2.0, -4.0], 4.0)
    assert clip_gradients(layer, 3) == 6  # √(4 + 16 + 16)
    assert_array_equal(layer.grads["w"], [[1, -2]])
    assert_array_equal(layer.grads["b"], [[2]])


@pytest.mark.parametrize("max_norm", [6, 7.5, np.inf])
def test_gradients_within_the_norm_stay_to_the_last_bit(max_norm):
    layer = layer_with_gradients([2.0, -4.0], 4.0)
    assert clip_gradients(layer, max_norm) == 6
    assert_array_equal(layer.grads["w"], [[2, -4]])
    assert_array_equal(layer.grads["b"], [[4]])


@given(st.floats(1e-3, 1e3), st.floats(1e-3, 1e3))
def test_clipping_keeps_the_direction_and_bounds_the_norm(size, max_norm):
    layer = layer_with_gradients([3 * size, 0.0], 4 * size)
    norm = clip_gradients(layer, max_norm)
    assert norm == pytest.approx(5 * size)
    bounded = min(norm, max_norm)
    assert_allclose(layer.grads["w"], [[3 / 5 * bounded, 0]])
    assert_allclose(layer.grads["b"], [[4 / 5 * bounded]])


def test_one_norm_covers_all_layers_of_a_network():
    network = Network([layer_with(dw=3.0), Residual([layer_with(dw=4.0)])])
    assert clip_gradients(network, 2.5) == 5
    assert network.grads["0.w"].item() == 1.5
    assert network.grads["1.0.w"].item() == 2


def test_norm_zero_stays_zero():
    layer = layer_with_gradients([0.0, 0.0], 0.0)
    assert clip_gradients(layer, 1e-3) == 0
    assert_array_equal(layer.grads["w"], [[0, 0]])


def test_a_network_without_parameters_has_norm_zero():
    assert clip_gradients(Network([]), 1.0) == 0


@pytest.mark.parametrize(
    ("dtype", "size"), [(np.float64, 1e300), (np.float64, 1e-300), (np.float32, 1e30)]
)
def test_the_norm_neither_overflows_nor_underflows_where_it_need_not(dtype, size):
    layer = layer_with_gradients([3 * size, 0.0], 4 * size, dtype)
    assert clip_gradients(layer, size) == pytest.approx(5 * size)
    assert_allclose(layer.grads["w"], [[0.6 * size, 0]], rtol=1e-6)


@pytest.mark.parametrize("broken", [np.nan, np.inf])
def test_a_norm_that_is_no_number_is_returned_and_nothing_is_scaled(broken):
    layer = layer_with_gradients([3.0, broken], 4.0)
    assert_array_equal(clip_gradients(layer, 1.0), broken)
    assert_array_equal(layer.grads["w"], [[3, broken]])
    assert_array_equal(layer.grads["b"], [[4]])


def test_clipping_keeps_float32_and_the_arrays():
    layer = layer_with_gradients([3.0, 0.0], 4.0, np.float32)
    w, dw = layer.params["w"].copy(), layer.grads["w"]
    norm = clip_gradients(layer, np.float64(1.0))
    assert isinstance(norm, float)
    assert layer.grads["w"] is dw
    assert dw.dtype == np.float32
    assert_array_equal(layer.params["w"], w)


def test_clipping_refuses_what_is_no_network():
    grads = Linear(2, 2).grads
    assert_refuses(
        lambda: clip_gradients(grads, 1.0), TypeError, "clip_gradients", "network", "not dict"
    )


@pytest.mark.parametrize("max_norm", [0, -1.0, np.nan])
def test_clipping_refuses_a_norm_that_is_not_positive(max_norm):
    layer = layer_with_gradients([3.0, 0.0], 4.0)
    assert_refuses(
        lambda: clip_gradients(layer, max_norm), ValueError, "max_norm", "positive", str(max_norm)
    )


@pytest.mark.parametrize(
    ("make", "name"),
    [
        (lambda layer: SGD(layer, "0.1"), "learning_rate"),
        (lambda layer: SGD(layer, None), "learning_rate"),
        (lambda layer: SGD(layer, 0.1, momentum="0.9"), "momentum"),
        (lambda layer: Adam(layer, learning_rate=[0.1]), "learning_rate"),
        (lambda layer: Adam(layer, eps="1e-8"), "eps"),
        (lambda layer: clip_gradients(layer, "1"), "max_norm"),
    ],
)
def test_what_is_no_number_is_refused_by_name(make, name):
    assert_refuses(lambda: make(Linear(1, 1)), TypeError, f"{name} must be a number")


def test_the_norm_of_all_gradients_is_that_of_one_long_vector():
    layer = Linear(3, 2)
    layer.forward(np.ones((3, 4)))
    layer.backward(np.arange(8.0).reshape(2, 4))
    vector = np.concatenate([gradient.ravel() for gradient in layer.grads.values()])
    assert gradient_norm(layer) == pytest.approx(np.linalg.norm(vector))
    assert gradient_norm(ReLU()) == 0


@pytest.mark.parametrize(
    ("optimizer", "name", "value", "error"),
    [
        (SGD, "learning_rate", "0.1", TypeError),
        (SGD, "learning_rate", np.array([0.1, 0.2]), TypeError),
        (SGD, "learning_rate", -0.1, ValueError),
        (SGD, "learning_rate", np.nan, ValueError),
        (SGD, "momentum", np.zeros((2, 2)), TypeError),
        (SGD, "momentum", 1.5, ValueError),
        (Adam, "learning_rate", None, TypeError),
        (Adam, "beta1", 1, ValueError),
        (Adam, "beta2", True, TypeError),
        (Adam, "eps", 0, ValueError),
        (Adam, "eps", np.inf, ValueError),
    ],
)
def test_a_number_that_is_set_anew_is_checked_as_the_first_one(optimizer, name, value, error):
    made = optimizer(Linear(2, 2), learning_rate=0.5)
    before = getattr(made, name)
    assert_refuses(lambda: setattr(made, name, value), error, f"{name} must be")
    assert getattr(made, name) == before


def test_a_learning_rate_that_is_set_anew_counts_from_the_next_step():
    layer = layer_with_gradients([1.0], 0.0)
    layer.params["w"][...] = 0
    optimizer = SGD(layer, 1.0)
    optimizer.learning_rate = 0.25
    optimizer.step()
    assert layer.params["w"] == -0.25


@OPTIMIZERS
def test_whole_numbers_cannot_be_moved(optimizer):
    layer = Linear(1, 1)
    layer.params["w"] = np.array([[1]])
    assert_refuses(lambda: optimizer(layer, learning_rate=0.1), TypeError, "w holds int64 values")


@pytest.mark.parametrize("kind", [SGD, Adam])
def test_a_learning_rate_may_be_a_function_of_the_steps_taken(kind):
    by_hand, scheduled = Linear(3, 2, rng=0), Linear(3, 2, rng=0)
    rates = [0.5, 0.25, 0.0, 0.125]
    one, other = kind(by_hand, 1.0), kind(scheduled, rates.__getitem__)
    for rate in rates:
        for layer in (by_hand, scheduled):
            layer.backward(layer.forward(np.ones((3, 1))))
        one.learning_rate = rate
        one.step()
        other.step()
    np.testing.assert_array_equal(by_hand.params["w"], scheduled.params["w"])


def test_a_learning_rate_that_a_function_returns_is_checked():
    optimizer = SGD(Linear(1, 1), lambda step: -1.0)
    assert "a function of the step" in repr(optimizer)
    assert_refuses(optimizer.step, ValueError, "learning_rate(0)", "at least 0")
    optimizer.learning_rate = lambda step: abs
    assert_refuses(optimizer.step, TypeError, "must return a number")

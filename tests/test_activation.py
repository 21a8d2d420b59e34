"""Activations: by hand, against slopes, far out, at the kink, and in every kind of array."""

import math

import numpy as np
import pytest
from helpers import assert_refuses, eighths, lies_samples_last, slope, with_samples_last
from hypothesis import given, settings
from hypothesis.extra.numpy import array_shapes
from numpy.testing import assert_allclose, assert_array_equal

from cnnbp import (
    LeakyReLU,
    ReLU,
    Sigmoid,
    Tanh,
    leaky_relu,
    leaky_relu_backward,
    relative_error,
    relu,
    relu_backward,
    sigmoid,
    sigmoid_backward,
    tanh,
    tanh_backward,
)

PAIRS = [
    (relu, relu_backward),
    (leaky_relu, leaky_relu_backward),
    (sigmoid, sigmoid_backward),
    (tanh, tanh_backward),
]
EACH = pytest.mark.parametrize(("forward", "backward"), PAIRS, ids=lambda f: f.__name__)
LAYERS = [(ReLU, PAIRS[0]), (LeakyReLU, PAIRS[1]), (Sigmoid, PAIRS[2]), (Tanh, PAIRS[3])]
EACH_LAYER = pytest.mark.parametrize(
    ("layer", "pair"), LAYERS, ids=["relu", "leaky", "sig", "tanh"]
)

X = np.array([-2.0, -0.5, 0.5, 2.0])
DZ = np.array([1.0, 10.0, 100.0, 1000.0])


def test_relu_by_hand():
    assert_array_equal(relu(X), [0, 0, 0.5, 2])
    assert_array_equal(relu_backward(DZ, X), [0, 0, 100, 1000])


def test_leaky_relu_by_hand():
    assert_array_equal(leaky_relu(X, 0.25), [-0.5, -0.125, 0.5, 2])
    assert_array_equal(leaky_relu_backward(DZ, X, 0.25), [0.25, 2.5, 100, 1000])
    assert_array_equal(leaky_relu(X), [-0.02, -0.005, 0.5, 2])
    assert_array_equal(leaky_relu_backward(DZ, X), [0.01, 0.1, 100, 1000])


def test_sigmoid_by_hand():
    x = np.log([1 / 3, 1, 3])  # exp(x) is 1/3, 1 and 3
    assert_allclose(sigmoid(x), [1 / 4, 1 / 2, 3 / 4], rtol=1e-15)
    slopes = [1 / 4 * 3 / 4, 1 / 2 * 1 / 2, 3 / 4 * 1 / 4]
    assert_allclose(sigmoid_backward([1, 10, 100], x), np.multiply([1, 10, 100], slopes))


def test_tanh_by_hand():
    x = np.log([1 / 2, 1, 2])  # exp(2x) is 1/4, 1 and 4
    assert_allclose(tanh(x), [-3 / 5, 0, 3 / 5], rtol=1e-15)
    assert_allclose(tanh_backward([1, 10, 100], x), [16 / 25, 10, 1600 / 25], rtol=1e-15)


@EACH
@given(shape=array_shapes(max_dims=4, max_side=4))
@settings(max_examples=20)
def test_the_gradient_is_the_slope_of_the_forward_pass(forward, backward, shape):
    rng = np.random.default_rng(0)
    x = eighths(rng, shape) / 2 + 1 / 32  # never within a step of 0, where relu has no slope
    dz = rng.standard_normal(shape)
    measured = slope(forward, x, dz, step=1e-5)
    assert relative_error(backward(dz, x), measured) < 1e-9


@EACH
def test_the_gradient_is_a_factor_for_each_cell(forward, backward):
    factor = backward(np.ones_like(X), X)
    assert_allclose(backward(DZ, X), DZ * factor, rtol=1e-15)
    assert ((factor >= 0) & (factor <= 1)).all()


def test_at_zero_the_slope_is_the_one_on_the_left():
    for zero in (0.0, -0.0):
        assert relu_backward(5.0, zero) == 0
        assert leaky_relu_backward(8.0, zero, slope=0.25) == 2
    assert sigmoid_backward(8.0, 0.0) == 2
    assert tanh_backward(8.0, 0.0) == 8


@pytest.mark.parametrize("kind", [float, np.float64])
def test_a_slope_of_any_kind_leaves_float32_what_it_is(kind):
    x = X.astype(np.float32)
    assert leaky_relu(x, kind(0.1)).dtype == np.float32
    assert leaky_relu_backward(x, x, kind(0.1)).dtype == np.float32


def test_leaky_relu_of_slope_0_is_relu_and_of_slope_1_the_identity():
    assert_array_equal(leaky_relu(X, 0), relu(X))
    assert_array_equal(leaky_relu(X, 1), X)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_far_out_sigmoid_and_tanh_are_flat_without_a_warning(dtype):
    far = np.array([-np.inf, -1e30, -1000, 1000, 1e30, np.inf], dtype)
    ones = np.ones_like(far)
    assert_array_equal(sigmoid(far), [0, 0, 0, 1, 1, 1])
    assert_array_equal(tanh(far), [-1, -1, -1, 1, 1, 1])
    assert_array_equal(sigmoid_backward(ones, far), 0 * ones)
    assert_array_equal(tanh_backward(ones, far), 0 * ones)


def test_the_sigmoids_tails_keep_their_digits():
    tail = math.exp(-50)  # 1 / (1 + exp(50)) to 21 digits
    assert sigmoid(-50.0) == pytest.approx(tail, rel=1e-15)
    assert sigmoid_backward(1.0, -50.0) == pytest.approx(tail, rel=1e-15)
    assert sigmoid_backward(1.0, 50.0) == pytest.approx(tail, rel=1e-15)


def test_the_slope_of_tanh_is_right_to_the_last_bit_of_1():
    for x in (5.0, 15.0, 25.0):
        assert tanh_backward(1.0, x) == pytest.approx(math.cosh(x) ** -2, rel=0, abs=3e-16)


@EACH
def test_nan_stays_in_its_cell(forward, backward):
    assert np.isnan(forward([np.nan, 1])).tolist() == [True, False]
    assert np.isnan(backward([np.nan, 1], [1, 1])).tolist() == [True, False]


@EACH
def test_images_that_lie_samples_last_stay_so(forward, backward):
    x = with_samples_last(eighths(np.random.default_rng(0), (2, 3, 4, 5)))
    assert lies_samples_last(forward(x))
    assert lies_samples_last(backward(x, x))


@EACH
def test_nothing_gives_nothing(forward, backward):
    nothing = np.ones((0, 3, 4, 4))
    assert forward(nothing).shape == backward(nothing, nothing).shape == nothing.shape


@EACH
@pytest.mark.parametrize(
    ("dz", "x", "error", "substance"),
    [
        (np.ones((2, 3)), np.ones((3, 2)), ValueError, ["dz is (2, 3)", "(3, 2)", "shape of x"]),
        (np.ones(3), np.ones((2, 3)), ValueError, ["dz is (3,)", "(2, 3)"]),
        (1.0, np.ones(1), ValueError, ["dz is ()", "(1,)"]),
        ([[1], [2, 3]], np.ones(2), TypeError, ["dz is a ragged list"]),
        (None, np.ones(2), TypeError, ["dz must hold real numbers"]),
        (np.ones(2), 1j * np.ones(2), TypeError, ["x must hold real numbers", "complex"]),
    ],
)
def test_backward_refuses(forward, backward, dz, x, error, substance):
    assert_refuses(lambda: backward(dz, x), error, f"{backward.__name__}:", *substance)


@EACH
@pytest.mark.parametrize("x", [None, ["1"], [[1], [2, 3]], 1j], ids=str)
def test_forward_refuses(forward, backward, x):
    assert_refuses(lambda: forward(x), TypeError, f"{forward.__name__}: x ")


@EACH_LAYER
def test_a_layer_is_its_pair_of_functions(layer, pair):
    forward, backward = pair
    made = layer()
    for training in (False, True):
        assert_array_equal(made.forward(X, training), forward(X))
        assert_array_equal(made.backward(DZ), backward(DZ, X))
    assert made.params == made.grads == {}
    assert made.output_shape((4, 3, 8, 8)) == (4, 3, 8, 8)


def test_a_leaky_layer_keeps_its_slope():
    layer = LeakyReLU(slope=0.25)
    assert_array_equal(layer.forward(X), leaky_relu(X, 0.25))
    assert_array_equal(layer.backward(DZ), leaky_relu_backward(DZ, X, 0.25))
    assert repr(layer) == "LeakyReLU(slope=0.25)"

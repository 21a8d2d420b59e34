"""The fully connected layer and flattening: by hand, slopes, adjoints, and the transpose trap."""

import numpy as np
import pytest
from helpers import assert_refuses, eighths, lies_samples_last, pairs, slope, with_samples_last
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from cnnbp import Linear, flatten, flatten_backward, linear, linear_backward

SIZE = st.integers(1, 5)


def test_output_by_hand():
    x = [[1, 2], [3, 4], [5, 6]]  # two samples, in columns
    w = [[1, 0, -1], [2, 1, 0]]
    z = linear(x, w, [[10], [20]])
    assert_array_equal(z, [[1 - 5 + 10, 2 - 6 + 10], [2 * 1 + 3 + 20, 2 * 2 + 4 + 20]])


def test_gradients_by_hand():
    dz, x, w = [[1, 10]], [[1, 2], [3, 4]], [[5, 6]]
    dx, dw, db = linear_backward(dz, x, w)
    assert_array_equal(dx, [[5 * 1, 5 * 10], [6 * 1, 6 * 10]])
    assert_array_equal(dw, [[1 * 1 + 10 * 2, 1 * 3 + 10 * 4]])
    assert_array_equal(db, [[1 + 10]])


def arrays(D, M, N):
    rng = np.random.default_rng(0)
    return [eighths(rng, shape) for shape in ((M, N), (D, N), (M, D), (M, 1))]


@given(SIZE, SIZE, SIZE)
@settings(max_examples=30)
def test_every_gradient_is_the_slope_of_the_forward_pass(D, M, N):
    dz, x, w, b = arrays(D, M, N)
    dx, dw, db = linear_backward(dz, x, w)
    assert_array_equal(dx, slope(lambda x: linear(x, w, b), x, dz))
    assert_array_equal(dw, slope(lambda w: linear(x, w, b), w, dz))
    assert_array_equal(db, slope(lambda b: linear(x, w, b), b, dz))


@given(SIZE, SIZE, SIZE)
def test_backward_is_the_adjoint_of_forward(D, M, N):
    dz, x, w, b = arrays(D, M, N)
    dx, dw, db = linear_backward(dz, x, w)
    assert (linear(x, w, 0 * b) * dz).sum() == (x * dx).sum() == (w * dw).sum()
    assert (linear(x, w, b) * dz).sum() == (w * dw).sum() + (b * db).sum()


@given(st.integers(0, 3), SIZE, pairs(1, 4))
def test_flattening_puts_every_image_in_a_column_and_back(N, C, size):
    x = eighths(np.random.default_rng(0), (N, C, *size))
    flat = flatten(x)
    for n in range(N):
        assert_array_equal(flat[:, n], x[n].ravel())
    back = flatten_backward(flat, x.shape)
    assert_array_equal(back, x)
    assert lies_samples_last(back)


def test_flattening_costs_nothing_where_the_batch_lies_last():
    x = with_samples_last(np.ones((10, 2, 5, 5)))
    flat = flatten(x)
    assert np.shares_memory(flat, x)
    assert np.shares_memory(flatten_backward(flat, x.shape), x)


def test_going_back_means_to_transpose_first_and_then_to_reshape():
    x_shape = 10, 2, 5, 5  # of the reference network
    dz, _, w, _ = arrays(D=50, M=32, N=10)
    dx = w.T @ dz
    assert dx.shape == (50, 10)
    assert_array_equal(flatten_backward(dx, x_shape), dx.T.reshape(x_shape))
    trapped = dx.reshape(x_shape)  # no error, but pixels of ten samples become one image
    assert (flatten_backward(dx, x_shape) != trapped).any()


def test_an_empty_batch_gives_gradients_of_zero():
    x, w, b = np.ones((3, 0)), np.ones((2, 3)), np.ones((2, 1))
    z = linear(x, w, b)
    dx, dw, db = linear_backward(z, x, w)
    assert z.shape == (2, 0)
    assert dx.shape == (3, 0)
    assert_array_equal(dw, np.zeros((2, 3)))
    assert_array_equal(db, np.zeros((2, 1)))


def test_nan_spreads_to_its_sample_and_to_no_other():
    x = np.zeros((3, 2))
    x[1, 0] = np.nan
    assert np.isnan(linear(x, np.zeros((4, 3)), np.zeros((4, 1)))).all(axis=0).tolist() == [
        True,
        False,
    ]


X, W, B = np.ones((50, 10)), np.ones((32, 50)), np.ones((32, 1))


@pytest.mark.parametrize(
    ("call", "error", "substance"),
    [
        ((X.T, W, B), ValueError, ["expects 50 features", "x (10, 50) has 10", "x.T", "columns"]),
        ((X[:49], W, B), ValueError, ["w (32, 50) expects 50", "x (49, 10) has 49"]),
        ((X[:, 0], W, B), ValueError, ["x must be (D, N)", "(50,)", "x[:, None]"]),
        ((X.reshape(2, 5, 5, 10), W, B), ValueError, ["x must be (D, N)", "(2, 5, 5, 10)"]),
        ((X.reshape(10, 2, 5, 5), W, B), ValueError, ["x must be (D, N)", "flatten(x)"]),
        ((X, W, B[:, 0]), ValueError, ["b is (32,)", "(32, 1)", "(32, 50)"]),
        ((X, W, B.T), ValueError, ["b is (1, 32)", "(32, 1)"]),
        ((X, W, "b"), TypeError, ["b must hold real numbers"]),
        (([[1], [2, 3]], W, B), TypeError, ["x is a ragged list"]),
    ],
)
def test_forward_refuses(call, error, substance):
    assert_refuses(lambda: linear(*call), error, "linear:", *substance)


@pytest.mark.parametrize(
    ("call", "remedy"),
    [
        (lambda: linear(X[:49], W, B), None),
        (lambda: linear(X.T, W, B), "x.T"),
        (lambda: linear_backward(np.ones((32, 10)), X.T, W), "x.T"),
        (lambda: linear_backward(np.ones((32, 50)), X.T, W), None),  # dz would not fit x.T
        (lambda: linear(X[:, 0], W, B), "x[:, None]"),
        (lambda: linear(X[:49, 0], W, B), None),
        (lambda: linear(X.reshape(10, 2, 5, 5), W, B), "flatten(x)"),
        (lambda: linear(X.reshape(2, 5, 5, 10), W, B), None),
    ],
)
def test_a_remedy_is_named_only_where_it_would_help(call, remedy):
    with pytest.raises(ValueError, match="x ") as caught:
        call()
    told = [each for each in ("x.T", "x[:, None]", "flatten(x)") if each in str(caught.value)]
    assert told == ([remedy] if remedy else [])


@pytest.mark.parametrize(
    ("dz", "substance"),
    [
        (np.ones((10, 32)), ["dz is (10, 32)", "(32, 10)", "x (50, 10), w (32, 50)"]),
        (np.ones((32, 1)), ["dz is (32, 1)", "(32, 10)"]),
    ],
)
def test_backward_refuses(dz, substance):
    assert_refuses(lambda: linear_backward(dz, X, W), ValueError, "linear_backward:", *substance)


def test_flattening_refuses():
    assert_refuses(lambda: flatten(X), ValueError, "flatten: x must have 4 axes", "(50, 10)")
    assert_refuses(
        lambda: flatten_backward(X.T, (10, 2, 5, 5)),
        ValueError,
        *("flatten_backward: dz is (10, 50)", "(50, 10)", "(10, 2, 5, 5)"),
    )
    assert_refuses(
        lambda: flatten_backward(X, (50, 10)),
        TypeError,
        *("flatten_backward", "x_shape", "(N, C, H, W)", "(50, 10)"),
    )


def test_a_layers_weights_have_the_shapes_of_its_features():
    layer = Linear(50, 32)
    assert layer.params["w"].shape == (32, 50)
    assert layer.params["b"].shape == (32, 1)

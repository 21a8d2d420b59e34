"""What the functions of layers and losses keep to, whatever arrays they get: layout, dtype."""

from functools import partial

import numpy as np
import pytest
from helpers import batch_last, eighths
from numpy.testing import assert_allclose, assert_array_equal

from cnnbp import (
    avg_pool2d,
    avg_pool2d_backward,
    batch_norm2d,
    batch_norm2d_backward,
    col2im,
    conv2d,
    conv2d_backward,
    conv2d_backward_loops,
    conv2d_loops,
    dropout,
    dropout_backward,
    flatten,
    flatten_backward,
    group_norm,
    group_norm_backward,
    im2col,
    leaky_relu,
    leaky_relu_backward,
    linear,
    linear_backward,
    max_pool2d,
    max_pool2d_backward,
    mean_squared_error,
    relu,
    relu_backward,
    sigmoid,
    sigmoid_backward,
    softmax,
    softmax_cross_entropy,
    tanh,
    tanh_backward,
)

RNG = np.random.default_rng(0)
X, W, B, DZ = (eighths(RNG, s) for s in [(2, 4, 5, 6), (6, 2, 3, 2), (6, 1, 1), (2, 6, 3, 3)])
PLACEMENT = {"stride": (2, 1), "padding": (1, 0), "dilation": (1, 3)}
CONVOLUTION = PLACEMENT | {"groups": 2}
COLUMNS = eighths(RNG, (24, 18))
POOLING = {"kernel_size": (3, 2), "stride": 1, "padding": 1}
Z_POOLED, ARGMAX = max_pool2d(X, **POOLING)
FLAT, FULL, FULL_B, SCORES = (eighths(RNG, s) for s in [(7, 3), (4, 7), (4, 1), (4, 3)])
GAMMA, BETA = (eighths(RNG, (4, 1, 1)) for _ in range(2))
MASK = RNG.integers(0, 2, X.shape) * 2.0

FUNCTIONS = pytest.mark.parametrize(
    ("function", "arrays"),
    [
        pytest.param(function, arrays, id=getattr(function, "func", function).__name__)
        for function, *arrays in [
            (partial(conv2d, **CONVOLUTION), X, W, B),
            (partial(conv2d_loops, **CONVOLUTION), X, W, B),
            (partial(conv2d_backward, **CONVOLUTION), DZ, X, W),
            (partial(conv2d_backward_loops, **CONVOLUTION), DZ, X, W),
            (partial(im2col, kernel_size=(3, 2), **PLACEMENT), X),
            (partial(col2im, x_shape=X.shape, kernel_size=(3, 2), **PLACEMENT), COLUMNS),
            (partial(max_pool2d, **POOLING), X),
            (partial(max_pool2d_backward, x_shape=X.shape), Z_POOLED, ARGMAX),
            (partial(avg_pool2d, **POOLING), X),
            (partial(avg_pool2d_backward, x_shape=X.shape, **POOLING), Z_POOLED),
            (flatten, X),
            (partial(flatten_backward, x_shape=(3, 1, 1, 7)), FLAT),
            (linear, FLAT, FULL, FULL_B),
            (linear_backward, SCORES, FLAT, FULL),
            (softmax, SCORES),
            (softmax_cross_entropy, SCORES, np.array([3, 0, 1])),
            (mean_squared_error, SCORES, SCORES[::-1]),
            *((forward, X) for forward in (relu, leaky_relu, sigmoid, tanh)),
            (relu_backward, X[::-1], X),
            (leaky_relu_backward, X[::-1], X),
            (sigmoid_backward, X[::-1], X),
            (tanh_backward, X[::-1], X),
            (batch_norm2d, X, GAMMA, BETA),
            (batch_norm2d_backward, X[::-1], X, GAMMA),
            (partial(group_norm, groups=2), X, GAMMA, BETA),
            (partial(group_norm_backward, groups=2), X[::-1], X, GAMMA),
            (dropout, X, MASK),
            (dropout_backward, X, MASK),
        ]
    ],
)


def results(function, arrays):
    """Everything the function returns, as a list."""
    found = function(*arrays)
    return list(found) if isinstance(found, tuple) else [found]


def read_only(array):
    array = batch_last(array)  # then no layer needs a copy of its own
    array.flags.writeable = False
    return array


@pytest.mark.parametrize(
    "lay",
    [
        pytest.param(np.ascontiguousarray, id="C order"),
        pytest.param(np.asfortranarray, id="Fortran order"),
        pytest.param(batch_last, id="batch last"),
        pytest.param(lambda a: np.repeat(a, 2, axis=-1)[..., ::2], id="gaps"),
        pytest.param(lambda a: a[::-1].copy()[::-1], id="backwards"),
        pytest.param(read_only, id="read-only"),
        pytest.param(np.ndarray.tolist, id="lists"),
        pytest.param(lambda a: a.astype(a.dtype.newbyteorder()), id="other byte order"),
    ],
)
@FUNCTIONS
def test_arrays_may_lie_in_memory_as_they_like(function, arrays, lay):
    expected = results(function, arrays)
    for found, value in zip(results(function, map(lay, arrays)), expected, strict=True):
        assert_allclose(found, value, rtol=1e-14, atol=1e-14)


@FUNCTIONS
def test_no_function_changes_its_inputs(function, arrays):
    given = [batch_last(array) for array in arrays]
    function(*given)
    for array, before in zip(given, arrays, strict=True):
        assert_array_equal(array, before)


@FUNCTIONS
def test_float32_stays_float32(function, arrays):
    single = [array.astype(np.float32) if array.dtype.kind == "f" else array for array in arrays]
    double = results(function, arrays)
    for found, value in zip(results(function, single), double, strict=True):
        if isinstance(value, np.ndarray) and value.dtype.kind == "f":
            assert found.dtype == np.float32
        assert_allclose(found, value, rtol=1e-5, atol=1e-5)


@FUNCTIONS
def test_one_float64_among_float32_makes_everything_float64(function, arrays):
    first, *others = arrays
    others = [other.astype(np.float32) if other.dtype.kind == "f" else other for other in others]
    for found, value in zip(
        results(function, [first, *others]), results(function, arrays), strict=True
    ):
        assert_array_equal(found, value)  # eighths lose nothing in float32
        assert np.asarray(found).dtype == np.asarray(value).dtype


@FUNCTIONS
def test_whole_numbers_become_float64(function, arrays):
    whole = [np.rint(array).astype(int) for array in arrays]
    same = [
        array.astype(float) if a.dtype.kind == "f" else array
        for array, a in zip(whole, arrays, strict=True)
    ]
    for found, value in zip(results(function, whole), results(function, same), strict=True):
        assert_array_equal(found, value)
        assert np.asarray(found).dtype == np.asarray(value).dtype


@pytest.mark.parametrize("dtype", [np.int8, np.uint8, np.int32, np.uint64])
def test_winners_may_be_any_ints(dtype):
    dx = max_pool2d_backward(Z_POOLED, ARGMAX.astype(dtype), X.shape)
    assert_array_equal(dx, max_pool2d_backward(Z_POOLED, ARGMAX, X.shape))

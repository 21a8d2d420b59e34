"""What the functions of layers and losses keep to, whatever arrays they get: layout, dtype."""

import inspect
from functools import partial

import numpy as np
import pytest
from helpers import eighths, with_samples_last
from numpy.testing import assert_allclose, assert_array_equal

import cnnbp

RNG = np.random.default_rng(0)
X, W, B, DZ = (eighths(RNG, s) for s in [(2, 4, 5, 6), (6, 2, 3, 2), (6, 1, 1), (2, 6, 3, 3)])
PLACEMENT = {"stride": (2, 1), "padding": (1, 0), "dilation": (1, 3)}
CONVOLUTION = PLACEMENT | {"groups": 2}
COLUMNS = eighths(RNG, (24, 18))
POOLING = {"kernel_size": (3, 2), "stride": 1, "padding": 1}
Z_POOLED, ARGMAX = cnnbp.max_pool2d(X, **POOLING)
FLAT, FULL, FULL_B, SCORES = (eighths(RNG, s) for s in [(7, 3), (4, 7), (4, 1), (4, 3)])
GAMMA, BETA = (eighths(RNG, (4, 1, 1)) for _ in range(2))
X_SHAPE = {"x_shape": X.shape}
LOOPS = ("", "_loops")
ACTIVATIONS = ("relu", "leaky_relu", "sigmoid", "tanh")
PARTS = [
    ("softmax_cross_entropy", [1, 0, 1], slice(0, 2), 0.5),
    ("mean_squared_error", SCORES[:2].tolist(), slice(2, 4), 2.0),
]
MASK = RNG.integers(0, 2, X.shape) * 2.0

CASES = [
    ("conv2d", CONVOLUTION, X, W, B),
    ("conv2d_loops", CONVOLUTION, X, W, B),
    ("conv2d_backward", CONVOLUTION, DZ, X, W),
    ("conv2d_backward_loops", CONVOLUTION, DZ, X, W),
    ("im2col", {"kernel_size": (3, 2), **PLACEMENT}, X),
    ("col2im", {"x_shape": X.shape, "kernel_size": (3, 2), **PLACEMENT}, COLUMNS),
    *(("max_pool2d" + loops, POOLING, X) for loops in LOOPS),
    *(("max_pool2d_backward" + loops, X_SHAPE, Z_POOLED, ARGMAX) for loops in LOOPS),
    *(("avg_pool2d" + loops, POOLING, X) for loops in LOOPS),
    *(("avg_pool2d_backward" + loops, X_SHAPE | POOLING, Z_POOLED) for loops in LOOPS),
    ("flatten", {}, X),
    ("flatten_backward", {"x_shape": (3, 1, 1, 7)}, FLAT),
    ("linear", {}, FLAT, FULL, FULL_B),
    ("linear_backward", {}, SCORES, FLAT, FULL),
    ("softmax", {}, SCORES),
    ("softmax_cross_entropy", {}, SCORES, np.array([3, 0, 1])),
    ("mean_squared_error", {}, SCORES, SCORES[::-1]),
    ("combined_loss", {"parts": PARTS}, SCORES),
    *((name, {}, X) for name in ACTIVATIONS),
    *((name + "_backward", {}, X[::-1], X) for name in ACTIVATIONS),
    ("batch_norm2d", {}, X, GAMMA, BETA),
    ("batch_norm2d_backward", {}, X[::-1], X, GAMMA),
    ("group_norm", {"groups": 2}, X, GAMMA, BETA),
    ("group_norm_backward", {"groups": 2}, X[::-1], X, GAMMA),
    ("dropout", {}, X, MASK),
    ("dropout_backward", {}, X, MASK),
]
FUNCTIONS = pytest.mark.parametrize(
    ("function", "arrays"),
    [
        pytest.param(partial(getattr(cnnbp, name), **options), arrays, id=name)
        for name, options, *arrays in CASES
    ],
)

# Rooms whose public functions are no part of a forward or backward pass.
ELSEWHERE = {
    "lineage",
    "deep_network",
    "from_torch",
    "data",
    "explain",
    "gradcheck",
    "network",
    "optimizer",
    "source",
    "training",
}


def test_every_function_of_the_two_passes_has_a_case():
    functions = {
        name
        for name in cnnbp.__all__
        if inspect.isfunction(function := getattr(cnnbp, name))
        and function.__module__.split(".")[1] not in ELSEWHERE
    }
    assert {name for name, *_ in CASES} == functions


def results(function, arrays):
    """Everything the function returns, as a list."""
    found = function(*arrays)
    return list(found) if isinstance(found, tuple) else [found]


def read_only(array):
    array = with_samples_last(array)  # then no layer needs a copy of its own
    array.flags.writeable = False
    return array


@pytest.mark.parametrize(
    "lay",
    [
        pytest.param(np.ascontiguousarray, id="C order"),
        pytest.param(np.asfortranarray, id="Fortran order"),
        pytest.param(with_samples_last, id="samples last"),
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
    given = [with_samples_last(array) for array in arrays]
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
    dx = cnnbp.max_pool2d_backward(Z_POOLED, ARGMAX.astype(dtype), X.shape)
    assert_array_equal(dx, cnnbp.max_pool2d_backward(Z_POOLED, ARGMAX, X.shape))

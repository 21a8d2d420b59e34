"""Pooling: by hand, against plain loops, against slopes; ties, overlap, and cells in no window."""

import numpy as np
import pytest
from helpers import (
    POOLINGS,
    assert_refuses,
    eighths,
    every_pooling,
    lies_samples_last,
    pairs,
    slope,
)
from hypothesis import given, settings
from numpy.testing import assert_allclose, assert_array_equal

from cnnbp import (
    AvgPool2d,
    GlobalMaxPool2d,
    MaxPool2d,
    Network,
    avg_pool2d,
    avg_pool2d_backward,
    avg_pool2d_backward_loops,
    avg_pool2d_loops,
    max_pool2d,
    max_pool2d_backward,
    max_pool2d_backward_loops,
    max_pool2d_loops,
    numeric_gradient,
)

POOL = pytest.mark.parametrize("pool", [max_pool2d, avg_pool2d])

IMAGE = np.array([[[[1, 9, 2], [3, 4, 8], [7, 6, 5]]]])


def values(pool, x, **options):
    """The pooled images alone, for either pooling."""
    return pool(x, **options)[0] if pool is max_pool2d else pool(x, **options)


def test_max_pooling_by_hand():
    z, argmax = max_pool2d(IMAGE, 2, stride=1)
    assert_array_equal(z[0, 0], [[9, 9], [7, 8]])
    assert_array_equal(argmax[0, 0], [[0 * 3 + 1, 0 * 3 + 1], [2 * 3 + 0, 1 * 3 + 2]])
    dx = max_pool2d_backward([[[[10, 20], [30, 40]]]], argmax, IMAGE.shape)
    assert_array_equal(dx[0, 0], [[0, 10 + 20, 0], [0, 0, 40], [30, 0, 0]])


def test_average_pooling_by_hand():
    z = avg_pool2d(IMAGE, 2, stride=1)
    assert_array_equal(
        z[0, 0],
        [[(1 + 9 + 3 + 4) / 4, (9 + 2 + 4 + 8) / 4], [(3 + 4 + 7 + 6) / 4, (4 + 8 + 6 + 5) / 4]],
    )
    dx = avg_pool2d_backward([[[[4, 40], [400, 4000]]]], IMAGE.shape, 2, stride=1)
    assert_array_equal(
        dx[0, 0],
        [[1, 1 + 10, 10], [1 + 100, 1 + 10 + 100 + 1000, 10 + 1000], [100, 100 + 1000, 1000]],
    )


@every_pooling
def test_pooling_agrees_with_its_loops_also_where_pixels_tie(pooling):
    x = np.random.default_rng(0).integers(-2, 2, pooling.x)  # so few values that most windows tie
    z, argmax = max_pool2d(x, **pooling.options)
    loops_z, loops_argmax = max_pool2d_loops(x, **pooling.options)
    assert_array_equal(z, loops_z)
    assert_array_equal(argmax, loops_argmax)
    mean = avg_pool2d_loops(x, **pooling.options)
    assert_allclose(avg_pool2d(x, **pooling.options), mean, rtol=0, atol=1e-15)

    dz = eighths(np.random.default_rng(1), z.shape)
    back = max_pool2d_backward_loops(dz, argmax, x.shape)
    assert_array_equal(max_pool2d_backward(dz, argmax, x.shape), back)
    shared = avg_pool2d_backward_loops(dz, x.shape, **pooling.options)
    assert_allclose(avg_pool2d_backward(dz, x.shape, **pooling.options), shared, atol=1e-12)


@pytest.mark.parametrize("special", [np.nan, np.inf, -np.inf])
def test_loops_decide_special_numbers_as_the_fast_pooling_does(special):
    x = np.random.default_rng(0).integers(-2, 2, (2, 2, 5, 5)).astype(float)
    x[np.random.default_rng(1).random(x.shape) < 0.4] = special
    z, argmax = max_pool2d(x, 2, stride=1, padding=1)
    loops_z, loops_argmax = max_pool2d_loops(x, 2, stride=1, padding=1)
    assert_array_equal(z, loops_z)
    assert_array_equal(argmax, loops_argmax)


def without_ties(x_shape):
    """Random images of whole numbers, all different: a step of 1/4 changes no winner."""
    return np.random.default_rng(0).permutation(np.arange(float(np.prod(x_shape)))).reshape(x_shape)


@every_pooling
def test_the_max_gradient_is_the_slope_of_the_forward_pass(pooling):
    x = without_ties(pooling.x)
    z, argmax = max_pool2d(x, **pooling.options)
    dz = eighths(np.random.default_rng(1), z.shape)
    dx = max_pool2d_backward(dz, argmax, x.shape)
    measured = slope(lambda x: max_pool2d(x, **pooling.options)[0], x, dz, step=0.25)
    assert_array_equal(dx, measured)


@every_pooling
def test_the_average_gradient_is_the_slope_of_the_forward_pass(pooling):
    x = eighths(np.random.default_rng(0), pooling.x)
    dz = eighths(np.random.default_rng(1), avg_pool2d(x, **pooling.options).shape)
    dx = avg_pool2d_backward(dz, x.shape, **pooling.options)
    measured = slope(lambda x: avg_pool2d(x, **pooling.options), x, dz)
    assert_allclose(dx, measured, rtol=0, atol=1e-9)


@every_pooling
def test_backward_is_the_adjoint_of_forward(pooling):
    """Max pooling, too, is linear as long as its winners stay the same."""
    x = eighths(np.random.default_rng(0), pooling.x)
    z, argmax = max_pool2d(x, **pooling.options)
    mean = avg_pool2d(x, **pooling.options)
    dz = eighths(np.random.default_rng(1), z.shape)
    assert (z * dz).sum() == (x * max_pool2d_backward(dz, argmax, x.shape)).sum()
    dx = avg_pool2d_backward(dz, x.shape, **pooling.options)
    assert (mean * dz).sum() == pytest.approx((x * dx).sum(), rel=0, abs=1e-9)


@every_pooling
def test_both_passes_return_arrays_that_lie_samples_last(pooling):
    x = eighths(np.random.default_rng(0), pooling.x)
    z, argmax = max_pool2d(x, **pooling.options)
    mean = avg_pool2d(x, **pooling.options)
    dz = np.ones(z.shape)
    backward = max_pool2d_backward(dz, argmax, x.shape)
    shared = avg_pool2d_backward(dz, x.shape, **pooling.options)
    assert all(map(lies_samples_last, (z, argmax, mean, backward, shared)))


def test_the_first_pixel_of_a_tie_wins_in_row_order():
    z, argmax = max_pool2d([[[[1, 5], [5, 5]]]], 2)
    assert_array_equal(z, [[[[5]]]])
    assert_array_equal(argmax, [[[[1]]]])


def test_at_a_tie_a_central_difference_says_one_half_to_each():
    x = np.array([[[[5.0, 5.0, 1.0, 1.0]]]])
    measured = numeric_gradient(lambda x: max_pool2d(x, (1, 4))[0].sum(), x)
    assert_allclose(measured, [[[[0.5, 0.5, 0, 0]]]], rtol=0, atol=1e-9)
    _, argmax = max_pool2d(x, (1, 4))
    assert_array_equal(max_pool2d_backward([[[[1]]]], argmax, x.shape), [[[[1, 0, 0, 0]]]])


def test_a_shared_winner_gets_the_sum_of_its_windows():
    x = np.zeros((1, 1, 5, 5))
    x[0, 0, 2, 2] = 1  # lies in all nine windows
    _, argmax = max_pool2d(x, 3, stride=1)
    dz = np.arange(1.0, 10).reshape(1, 1, 3, 3)
    dx = max_pool2d_backward(dz, argmax, x.shape)
    assert dx[0, 0, 2, 2] == 1 + 2 + 3 + 4 + 5 + 6 + 7 + 8 + 9
    assert np.count_nonzero(dx) == 1


def test_the_average_gradient_is_added_once_for_each_covering_window():
    dx = avg_pool2d_backward(np.ones((1, 1, 3, 3)), (1, 1, 5, 5), 3, stride=1)
    covering = np.outer([1, 2, 3, 2, 1], [1, 2, 3, 2, 1])
    assert_allclose(dx[0, 0], covering / 9)


def test_96_of_196_cells_lie_in_no_window_of_the_reference_network():
    x = without_ties(POOLINGS["the reference layer"].x)
    z, argmax = max_pool2d(x, 2, stride=3)
    assert z.shape[2:] == (5, 5)
    shared = avg_pool2d_backward(np.ones(z.shape), x.shape, 2, stride=3)
    uncovered = shared[0, 0] == 0
    assert uncovered.sum() == 14 * 14 - 5 * 5 * 2 * 2 == 96
    dx = max_pool2d_backward(np.ones(z.shape), argmax, x.shape)
    assert not dx[:, :, uncovered].any()


def test_where_no_windows_overlap_assigning_cannot_be_told_from_adding():
    def assigned(dz, argmax, x_shape):
        dx = np.zeros((*x_shape[:2], x_shape[2] * x_shape[3]))
        for n, c, i, j in np.ndindex(dz.shape):
            dx[n, c, argmax[n, c, i, j]] = dz[n, c, i, j]
        return dx.reshape(x_shape)

    def both_ways(pooling):
        z, argmax = max_pool2d(without_ties(pooling.x), **pooling.options)
        call = eighths(np.random.default_rng(0), z.shape), argmax, pooling.x
        return max_pool2d_backward(*call), assigned(*call)

    assert_array_equal(*both_ways(POOLINGS["the reference layer"]))
    added, overwritten = both_ways(POOLINGS["overlap"])
    assert (added != overwritten).any()


def test_the_padding_never_wins():
    x = np.full((1, 1, 2, 2), -1.0)
    z, argmax = max_pool2d(x, 2, padding=1)
    assert_array_equal(z[0, 0], [[-1, -1], [-1, -1]])  # a padding of zeros would be larger
    assert_array_equal(argmax[0, 0], [[0, 1], [2, 3]])
    assert_array_equal(max_pool2d(np.full_like(x, -np.inf), 2, padding=1)[1], argmax)


def test_the_padding_counts_as_zeros_in_an_average():
    assert_array_equal(avg_pool2d([[[[4, 8]]]], 2, stride=1, padding=(1, 0)), [[[[3], [3]]]])


@POOL
@given(size=pairs(1, 6))
@settings(max_examples=10)
def test_a_1_by_1_window_changes_nothing(pool, size):
    x = eighths(np.random.default_rng(0), (2, 3, *size))
    assert_array_equal(values(pool, x, kernel_size=1), x)


@pytest.mark.parametrize(("stride", "same"), [(None, 2), (None, (3, 2)), ((3, 2), (3, 2))])
@POOL
def test_the_stride_is_the_window_unless_given(pool, stride, same):
    x = eighths(np.random.default_rng(0), (1, 2, 7, 7))
    assert_array_equal(
        values(pool, x, kernel_size=same, stride=stride),
        values(pool, x, kernel_size=same, stride=same),
    )


def test_nan_wins_its_window_and_the_first_nan_wins_a_tie():
    x = np.array([[[[np.inf, np.nan, np.nan, 1, 2, 3]]]])
    z, argmax = max_pool2d(x, (1, 3))
    assert_array_equal(z, [[[[np.nan, 3]]]])
    assert_array_equal(argmax, [[[[1, 5]]]])


def test_nan_spreads_to_the_averages_that_see_it_and_to_no_other():
    z = avg_pool2d([[[[0, np.nan, 0, 1, 3]]]], (1, 2), stride=1)
    assert_array_equal(z, [[[[np.nan, np.nan, 0.5, 2]]]])


@POOL
def test_an_empty_batch_gives_an_empty_batch(pool):
    assert values(pool, np.ones((0, 2, 14, 14)), kernel_size=2, stride=3).shape == (0, 2, 5, 5)


def test_an_empty_batch_sends_back_an_empty_batch():
    dz, x_shape = np.ones((0, 2, 5, 5)), (0, 2, 14, 14)
    assert max_pool2d_backward(dz, np.ones(dz.shape, int), x_shape).shape == x_shape
    assert avg_pool2d_backward(dz, x_shape, 2, stride=3).shape == x_shape


X = np.ones((10, 2, 14, 14))


@pytest.mark.parametrize(
    ("options", "error", "substance"),
    [
        ({"kernel_size": 15}, ValueError, ["window (15, 15)", "larger", "image (14, 14)"]),
        ({"kernel_size": 0}, ValueError, ["kernel_size", "at least 1"]),
        ({"kernel_size": 2.0}, TypeError, ["kernel_size", "int or a pair", "2.0"]),
        ({"stride": 0}, ValueError, ["stride", "at least 1"]),
        ({"padding": -1}, ValueError, ["padding", "at least 0"]),
        ({"padding": 2}, ValueError, ["padding (2, 2)", "less than the window (2, 2)"]),
        ({"padding": (0, 2)}, ValueError, ["padding (0, 2)", "less than the window (2, 2)"]),
        ({"x": X[0]}, ValueError, ["x must have 4 axes", "(2, 14, 14)", "x[None]"]),
        ({"x": X[..., :0]}, ValueError, ["x (10, 2, 14, 0) holds nothing"]),
        ({"x": [[["a"]]]}, TypeError, ["real numbers"]),
    ],
)
@POOL
def test_forward_refuses(pool, options, error, substance):
    call = {"x": X, "kernel_size": 2} | options
    assert_refuses(lambda: pool(**call), error, f"{pool.__name__}:", *substance)


DZ, ARGMAX = np.ones((10, 2, 5, 5)), np.zeros((10, 2, 5, 5), int)


@pytest.mark.parametrize(
    ("call", "error", "substance"),
    [
        ((DZ, ARGMAX[:1], X.shape), ValueError, ["argmax is (1, 2, 5, 5)", "(10, 2, 5, 5)"]),
        ((DZ, ARGMAX, (9, 2, 14, 14)), ValueError, ["dz is (10, 2, 5, 5)", "(9, 2, 14, 14)"]),
        ((DZ, ARGMAX * 1.0, X.shape), TypeError, ["argmax must hold ints", "float64"]),
        ((DZ, ARGMAX + 196, X.shape), ValueError, ["outside", "14·14", "x_shape"]),
        ((DZ, ARGMAX - 1, X.shape), ValueError, ["outside", "14·14"]),
        ((DZ, ARGMAX, (14, 14)), TypeError, ["x_shape", "(N, C, H, W)", "(14, 14)"]),
        ((DZ, ARGMAX, X), TypeError, ["x_shape", "(N, C, H, W)", "x.shape"]),
        ((DZ[0], ARGMAX[0], X.shape), ValueError, ["dz must have 4 axes"]),
    ],
)
def test_max_backward_refuses(call, error, substance):
    assert_refuses(lambda: max_pool2d_backward(*call), error, "max_pool2d_backward", *substance)


@pytest.mark.parametrize(
    ("x_shape", "error", "substance"),
    [
        ((10, 2, 15, 15), ValueError, ["dz is (10, 2, 5, 5)", "(10, 2, 7, 7)", "(10, 2, 15, 15)"]),
        ((10, 3, 10, 10), ValueError, ["dz is (10, 2, 5, 5)", "(10, 3, 5, 5)"]),
        ((10, 10), TypeError, ["x_shape", "(N, C, H, W)", "(10, 10)"]),
        (X, TypeError, ["x_shape", "(N, C, H, W)", "x.shape"]),
    ],
)
def test_average_backward_refuses(x_shape, error, substance):
    assert_refuses(
        lambda: avg_pool2d_backward(DZ, x_shape, 2), error, "avg_pool2d_backward", *substance
    )


@pytest.mark.parametrize("layer", [MaxPool2d, AvgPool2d])
def test_a_layer_refuses_a_bad_window_when_it_is_made(layer):
    assert_refuses(lambda: layer(0), ValueError, f"{layer.__name__}: kernel_size", "at least 1")


def test_a_global_pool_keeps_the_largest_of_every_map_wherever_it_stands():
    x = np.random.default_rng(0).standard_normal((3, 2, 5, 4))
    layer = GlobalMaxPool2d()
    z = layer.forward(x)
    np.testing.assert_array_equal(z, x.max(axis=(2, 3), keepdims=True))
    np.testing.assert_array_equal(layer.forward(np.roll(x, (1, 2), axis=(2, 3))), z)
    layer.forward(x)
    dx = layer.backward(np.ones_like(z))
    np.testing.assert_array_equal(dx, x == z)
    assert layer.output_shape((3, 2, 5, 4)) == (3, 2, 1, 1)
    network = Network([layer])
    network.forward(x)
    network.backward(z)
    assert network.explain(0, "z", (1, 0, 0, 0)).total == z[1, 0, 0, 0]
    assert "GlobalMaxPool2d()" in repr(network)

"""Normalization and dropout: by hand, against slopes, at variance zero, trained and evaluated."""

import numpy as np
import pytest
from helpers import assert_refuses, eighths, lies_samples_last, pairs, slope, with_samples_last
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from cnnbp import (
    BatchNorm2d,
    Dropout,
    GroupNorm,
    batch_norm2d,
    batch_norm2d_backward,
    dropout,
    dropout_backward,
    group_norm,
    group_norm_backward,
)

SIZE = st.integers(1, 3)
EPS = 0.5  # so large that no term of a gradient is small beside another


def group_norm_by_2(x, gamma, beta, *, eps=1e-5):
    return group_norm(x, gamma, beta, 2, eps=eps)


def group_norm_by_2_backward(dz, x, gamma, *, eps=1e-5):
    return group_norm_backward(dz, x, gamma, 2, eps=eps)


EACH_PAIR = pytest.mark.parametrize(
    ("forward", "backward"),
    [(batch_norm2d, batch_norm2d_backward), (group_norm_by_2, group_norm_by_2_backward)],
    ids=["batch", "group"],
)
EACH_LAYER = pytest.mark.parametrize(
    "make", [lambda **options: BatchNorm2d(4, **options), lambda **o: GroupNorm(2, 4, **o)],
    ids=["BatchNorm2d", "GroupNorm"],
)  # fmt: skip


def arrays(x_shape):
    """dz, x, gamma and beta, of multiples of 1/8."""
    rng, channels = np.random.default_rng(0), (x_shape[1], 1, 1)
    return [eighths(rng, shape) for shape in (x_shape, x_shape, channels, channels)]


def test_batch_normalization_by_hand():
    x = np.reshape([1, 3, 5, 7, 0, 0, 0, 6], (2, 2, 1, 2))  # of N 2, C 2, H 1, W 2
    # channel 0 holds 1, 3, 0, 0: mean 1, variance (0 + 4 + 1 + 1)/4; channel 1 holds 5, 7, 0, 6
    z = batch_norm2d(x, [[[2]], [[1]]], [[[10]], [[0]]], eps=2.5)
    assert_array_equal(z[:, 0].ravel(), [10 + 0, 10 + 2 * 1, 10 - 2 * 0.5, 10 - 2 * 0.5])
    assert_allclose(z[:, 1].ravel(), np.array([0.5, 2.5, -4.5, 1.5]) / np.sqrt(7.25 + 2.5))


def test_batch_normalization_gradients_by_hand():
    x, dz = np.reshape([0, 0, 0, 4], (2, 1, 1, 2)), np.reshape([1, 0, 0, 3], (2, 1, 1, 2))
    # mean 1, variance 3, deviation √(3 + 1) = 2, so the normalized x are −1/2, −1/2, −1/2, 3/2
    dx, dgamma, dbeta = batch_norm2d_backward(dz, x, [[[8]]], eps=1)
    assert_array_equal(dgamma, [[[1 * -0.5 + 3 * 1.5]]])
    assert_array_equal(dbeta, [[[1 + 3]]])
    mean, slant = (1 + 3) / 4, (-0.5 + 4.5) / 4
    expected = [1 - mean + slant / 2, 0 - mean + slant / 2, -mean + slant / 2, 3 - mean - 1.5]
    assert_array_equal(dx.ravel(), np.multiply(8 / 2, expected))


def test_group_normalization_by_hand():
    x = np.reshape([1, 3, 5, 7, 0, 0, 0, 4], (1, 4, 1, 2))
    z = group_norm(x, np.full((4, 1, 1), 3), np.full((4, 1, 1), 10), 2, eps=1)
    first = 10 + 3 * np.array([-3, -1, 1, 3]) / np.sqrt(5 + 1)  # of 1, 3, 5, 7: mean 4, variance 5
    second = 10 + 3 * np.array([-1, -1, -1, 3]) / 2  # of 0, 0, 0, 4: mean 1, variance 3
    assert_allclose(z.ravel(), [*first, *second], rtol=1e-15)


def test_a_gradient_equal_in_all_cells_moves_nothing_but_beta():
    _, x, gamma, _ = arrays((3, 2, 4, 5))
    dx, dgamma, dbeta = batch_norm2d_backward(np.ones_like(x), x, gamma)
    assert_allclose(dx, 0, atol=1e-12)
    assert_allclose(dgamma, 0, atol=1e-12)
    assert_array_equal(dbeta, np.full((2, 1, 1), 3 * 4 * 5))


def assert_gradients_are_slopes(forward, backward, dz, x, gamma, beta):
    dx, dgamma, dbeta = backward(dz, x, gamma)
    measured = (
        slope(lambda x: forward(x, gamma, beta), x, dz, step=1e-4),
        slope(lambda gamma: forward(x, gamma, beta), gamma, dz, step=1e-4),
        slope(lambda beta: forward(x, gamma, beta), beta, dz, step=1e-4),
    )
    for gradient, expected in zip((dx, dgamma, dbeta), measured, strict=True):
        assert_allclose(gradient, expected, rtol=0, atol=1e-6)


@given(SIZE, SIZE, pairs(1, 4))
@settings(max_examples=20)
def test_batch_gradients_are_the_slopes_of_the_forward_pass(N, C, size):
    assert_gradients_are_slopes(
        lambda x, gamma, beta: batch_norm2d(x, gamma, beta, eps=EPS),
        lambda dz, x, gamma: batch_norm2d_backward(dz, x, gamma, eps=EPS),
        *arrays((N, C, *size)),
    )


@given(SIZE, SIZE, SIZE, pairs(1, 4))
@settings(max_examples=20)
def test_group_gradients_are_the_slopes_of_the_forward_pass(N, groups, C, size):
    assert_gradients_are_slopes(
        lambda x, gamma, beta: group_norm(x, gamma, beta, groups, eps=EPS),
        lambda dz, x, gamma: group_norm_backward(dz, x, gamma, groups, eps=EPS),
        *arrays((N, groups * C, *size)),
    )


@EACH_PAIR
def test_the_backward_pass_is_a_symmetric_matrix(forward, backward):
    """With gamma 1, as dx/dz is the slope of a projection: ⟨dx(a), b⟩ = ⟨a, dx(b)⟩."""
    a, x, _, _ = arrays((3, 4, 3, 2))
    b = eighths(np.random.default_rng(1), x.shape)
    ones = np.ones((4, 1, 1))
    from_a, from_b = (backward(dz, x, ones)[0] for dz in (a, b))
    assert (from_a * b).sum() == pytest.approx((a * from_b).sum(), rel=1e-12)


@given(SIZE, SIZE, pairs(2, 4))
@settings(max_examples=20)
def test_every_channel_gets_mean_beta_and_deviation_gamma(N, C, size):
    _, x, gamma, beta = arrays((N, C, *size))
    z = batch_norm2d(x, gamma, beta, eps=1e-12)
    assert_allclose(z.mean(axis=(0, 2, 3)), beta.ravel(), atol=1e-9)
    assert_allclose(z.std(axis=(0, 2, 3)), np.abs(gamma.ravel()), atol=1e-9)


def test_layer_normalization_is_one_group():
    _, x, gamma, beta = arrays((3, 4, 5, 2))
    axes = (1, 2, 3)
    normalized = (x - x.mean(axes, keepdims=True)) / np.sqrt(x.var(axes, keepdims=True) + 1e-5)
    assert_allclose(group_norm(x, gamma, beta, 1), gamma * normalized + beta, atol=1e-12)


def test_a_group_for_each_channel_of_one_sample_is_batch_normalization():
    dz, x, gamma, beta = arrays((1, 4, 5, 2))
    assert_array_equal(group_norm(x, gamma, beta, 4), batch_norm2d(x, gamma, beta))
    by_group, by_batch = group_norm_backward(dz, x, gamma, 4), batch_norm2d_backward(dz, x, gamma)
    for ours, theirs in zip(by_group, by_batch, strict=True):
        assert_allclose(ours, theirs, atol=1e-12)


def test_group_normalization_of_a_sample_does_not_depend_on_the_others():
    _, x, gamma, beta = arrays((3, 4, 2, 2))
    alone = [group_norm(x[n : n + 1], gamma, beta, 2) for n in range(3)]
    assert_array_equal(group_norm(x, gamma, beta, 2), np.concatenate(alone))


@EACH_PAIR
@pytest.mark.parametrize("value", [0.0, 0.1, -1000.1, 12345.6])
@pytest.mark.parametrize(("dtype", "error"), [(np.float64, 1e-7), (np.float32, 1e-4)])
def test_variance_zero_gives_beta_and_a_finite_gradient(forward, backward, value, dtype, error):
    x = np.full((16, 4, 9, 9), value, dtype)
    dz = eighths(np.random.default_rng(0), x.shape).astype(dtype)
    gamma, beta = np.ones((4, 1, 1), dtype), np.full((4, 1, 1), 3, dtype)
    assert_allclose(forward(x, gamma, beta), np.full(x.shape, 3.0), rtol=0, atol=error)
    dx, dgamma, _ = backward(dz, x, gamma)
    assert np.isfinite(dx).all()
    assert_allclose(dgamma, 0, atol=error * x[:, 0].size)


def test_one_value_is_its_own_mean():
    x, gamma, beta = [[[[7.0]]]], [[[2.0]]], [[[3.0]]]
    assert batch_norm2d(x, gamma, beta).item() == group_norm(x, gamma, beta, 1).item() == 3
    dx, dgamma, dbeta = batch_norm2d_backward([[[[5.0]]]], x, gamma)
    assert (dx.item(), dgamma.item(), dbeta.item()) == (0, 0, 5)


def test_nan_spreads_to_its_channel_or_its_group_and_no_further():
    _, x, gamma, beta = arrays((2, 4, 3, 3))
    x[1, 2, 0, 0] = np.nan
    spread = np.isnan(batch_norm2d(x, gamma, beta)).all(axis=(2, 3))
    assert_array_equal(spread, [[False, False, True, False]] * 2)
    spread = np.isnan(group_norm(x, gamma, beta, 2)).all(axis=(2, 3))
    assert_array_equal(spread, [[False] * 4, [False, False, True, True]])


@EACH_PAIR
def test_both_passes_return_arrays_that_lie_samples_last(forward, backward):
    dz, x, gamma, beta = arrays((3, 4, 5, 2))
    for layout in (np.ascontiguousarray, with_samples_last):
        assert lies_samples_last(forward(layout(x), gamma, beta))
        assert lies_samples_last(backward(dz, layout(x), gamma)[0])


def test_an_empty_batch_has_group_norms_but_no_batch_norm():
    empty, ones = np.ones((0, 4, 3, 3)), np.ones((4, 1, 1))
    assert group_norm(empty, ones, ones, 2).shape == empty.shape
    dx, dgamma, dbeta = group_norm_backward(empty, empty, ones, 2)
    assert dx.shape == empty.shape
    assert_array_equal([dgamma, dbeta], np.zeros((2, 4, 1, 1)))
    assert_refuses(
        lambda: batch_norm2d(empty, ones, ones), ValueError, "(0, 4, 3, 3)", "empty", "no mean"
    )
    assert_refuses(lambda: batch_norm2d_backward(empty, empty, ones), ValueError, "empty batch")


X, ONES = np.ones((10, 4, 5, 6)), np.ones((4, 1, 1))


@EACH_PAIR
@pytest.mark.parametrize(
    ("wrong", "error", "substance"),
    [
        ({"x": X[0]}, ValueError, ["x must have 4 axes", "(4, 5, 6)", "x[None]"]),
        ({"x": X[:, :0]}, ValueError, ["x (10, 0, 5, 6) holds nothing"]),
        ({"x": "photo"}, TypeError, ["x must hold real numbers"]),
        (
            {"gamma": np.ones(4)},
            ValueError,
            ["gamma is (4,)", "gamma.reshape(4, 1, 1)"],
        ),
        ({"gamma": np.ones((1, 4, 1, 1))}, ValueError, ["gamma is (1, 4, 1, 1)", "(4, 1, 1)"]),
        ({"gamma": None}, TypeError, ["gamma must hold real numbers"]),
        ({"eps": 0}, ValueError, ["eps must be positive", "0"]),
        ({"eps": -1e-5}, ValueError, ["eps must be positive", "-1e-05"]),
        ({"eps": np.nan}, ValueError, ["eps must be positive", "nan"]),
    ],
    ids=str,
)
def test_both_passes_refuse(forward, backward, wrong, error, substance):
    call = {"x": X, "gamma": ONES, "eps": 1e-5} | wrong
    name = forward.__name__.removesuffix("_by_2")
    assert_refuses(lambda: forward(beta=ONES, **call), error, name, *substance)
    assert_refuses(lambda: backward(X, **call), error, f"{name}_backward", *substance)


@EACH_PAIR
def test_beta_and_dz_of_another_shape_are_refused(forward, backward):
    assert_refuses(
        lambda: forward(X, ONES, ONES[:3]), ValueError, "beta is (3, 1, 1)", "(4, 1, 1)", "channels"
    )
    assert_refuses(
        lambda: backward(X[:1], X, ONES), ValueError, "dz is (1, 4, 5, 6)", "(10, 4, 5, 6)"
    )


@pytest.mark.parametrize(
    ("groups", "error", "substance"),
    [
        (3, ValueError, ["groups 3", "4 channels"]),
        (0, ValueError, ["groups", "at least 1", "0"]),
        (-2, ValueError, ["groups", "at least 1", "-2"]),
        (2.0, TypeError, ["groups", "int", "2.0"]),
    ],
)
def test_groups_must_divide_the_channels(groups, error, substance):
    assert_refuses(lambda: group_norm(X, ONES, ONES, groups), error, "group_norm:", *substance)
    assert_refuses(
        lambda: group_norm_backward(X, X, ONES, groups), error, "group_norm_backward:", *substance
    )
    assert_refuses(lambda: GroupNorm(groups, 4), error, "GroupNorm:", *substance)


@EACH_LAYER
def test_a_layer_scales_by_one_and_shifts_by_zero_at_first(make):
    layer = make(dtype=np.float32)
    assert_array_equal(layer.params["gamma"], np.ones((4, 1, 1)))
    assert_array_equal(layer.params["beta"], np.zeros((4, 1, 1)))
    assert {array.dtype for array in layer.params.values()} == {np.dtype(np.float32)}
    assert layer.output_shape((10, 4, 5, 6)) == (10, 4, 5, 6)


@EACH_LAYER
@pytest.mark.parametrize("training", [True, False])
def test_an_eps_of_any_kind_leaves_float32_what_it_is(make, training):
    layer, x = make(dtype=np.float32, eps=np.float64(0.1)), X.astype(np.float32)
    assert layer.forward(x, training).dtype == layer.backward(x).dtype == np.float32
    assert {array.dtype for array in layer.grads.values()} == {np.dtype(np.float32)}


@EACH_LAYER
def test_a_layer_fills_its_gradients_by_its_backward_function(make):
    dz, x, gamma, beta = arrays((3, 4, 5, 2))
    layer = make(eps=0.1)
    layer.params["gamma"][...], layer.params["beta"][...] = gamma, beta
    z, dx = layer.forward(x, training=True), layer.backward(dz)
    if isinstance(layer, BatchNorm2d):
        expected = batch_norm2d_backward(dz, x, gamma, eps=0.1)
        assert_array_equal(z, batch_norm2d(x, gamma, beta, eps=0.1))
    else:
        expected = group_norm_backward(dz, x, gamma, 2, eps=0.1)
        assert_array_equal(z, group_norm(x, gamma, beta, 2, eps=0.1))
    for ours, theirs in zip((dx, *layer.grads.values()), expected, strict=True):
        assert_array_equal(ours, theirs)
    assert list(layer.grads) == ["gamma", "beta"]


@pytest.mark.parametrize("make", [BatchNorm2d, lambda channels: GroupNorm(1, channels)])
def test_a_layer_needs_channels(make):
    assert_refuses(lambda: make(0), ValueError, "channels must be at least 1")
    assert_refuses(lambda: make(3.0), TypeError, "channels must be an int", "3.0")


@pytest.mark.parametrize("momentum", [-0.1, 1.1, np.nan])
def test_a_momentum_that_is_no_share_is_refused(momentum):
    assert_refuses(
        lambda: BatchNorm2d(4, momentum=momentum), ValueError, "momentum", "0 to 1", str(momentum)
    )


@pytest.mark.parametrize(("momentum", "mean", "var"), [(0, 0, 1), (0.5, 2.5, 0.5), (1, 5, 0)])
def test_momentum_says_how_much_a_batch_replaces(momentum, mean, var):
    layer = BatchNorm2d(4, momentum=momentum)
    layer.forward(X * 5, training=True)
    assert_array_equal(layer.running_mean, np.full((4, 1, 1), mean))
    assert_array_equal(layer.running_var, np.full((4, 1, 1), var))


def test_running_statistics_by_hand():
    layer = BatchNorm2d(1)
    layer.forward(np.reshape([1, 2, 3, 6], (2, 1, 1, 2)), training=True)  # mean 3, squares 14
    assert layer.running_mean.item() == pytest.approx(0.9 * 0 + 0.1 * 3)
    assert layer.running_var.item() == pytest.approx(0.9 * 1 + 0.1 * 14 / 3)  # not 14/4
    layer.forward(np.reshape([5, 5, 5, 5], (4, 1, 1, 1)), training=True)
    assert layer.running_mean.item() == pytest.approx(0.9 * 0.3 + 0.1 * 5)
    assert layer.running_var.item() == pytest.approx(0.9 * (0.9 + 1.4 / 3) + 0.1 * 0)


def trained_batch_norm(dtype=np.float64):
    """A layer that has seen three batches, with gamma and beta other than 1 and 0."""
    layer, rng = BatchNorm2d(4, dtype=dtype), np.random.default_rng(0)
    for name in layer.params:
        layer.params[name][...] = eighths(rng, (4, 1, 1))
    for _ in range(3):
        layer.forward(eighths(rng, (3, 4, 5, 2)).astype(dtype), training=True)
    return layer


def test_evaluation_normalizes_by_the_running_statistics_and_leaves_them():
    layer, (_, x, _, _) = trained_batch_norm(), arrays((3, 4, 5, 2))
    mean, var = layer.running_mean.copy(), layer.running_var.copy()
    z = layer.forward(x)
    gamma, beta = layer.params.values()
    assert_allclose(z, gamma * (x - mean) / np.sqrt(var + 1e-5) + beta, rtol=1e-14)
    assert_array_equal(layer.running_mean, mean)
    assert_array_equal(layer.running_var, var)


def test_in_evaluation_an_image_does_not_depend_on_its_batch():
    layer, (_, x, _, _) = trained_batch_norm(), arrays((3, 4, 5, 2))
    together = layer.forward(x)
    assert_array_equal(together, np.concatenate([layer.forward(x[n : n + 1]) for n in range(3)]))
    assert layer.forward(x[:0]).shape == (0, 4, 5, 2)


def test_gradients_after_evaluation_are_the_slopes_with_the_statistics_held():
    layer, (dz, x, _, _) = trained_batch_norm(), arrays((3, 4, 5, 2))
    layer.forward(x)
    dx = layer.backward(dz)
    assert_allclose(dx, slope(layer.forward, x, dz), rtol=0, atol=1e-10)
    for name, array in layer.params.items():

        def z_with(value, name=name):
            kept, layer.params[name] = layer.params[name], value
            z = layer.forward(x)
            layer.params[name] = kept
            return z

        assert_allclose(layer.grads[name], slope(z_with, array, dz), rtol=0, atol=1e-9)


def test_the_last_forward_pass_says_which_backward_pass_it_is():
    layer, (dz, x, _, _) = trained_batch_norm(), arrays((3, 4, 5, 2))
    layer.forward(x)
    layer.forward(x, training=True)
    trained = layer.backward(dz)
    assert_array_equal(trained, batch_norm2d_backward(dz, x, layer.params["gamma"])[0])
    layer.forward(x)
    assert (layer.backward(dz) != trained).all()


def test_evaluation_keeps_layout_and_float32_and_refuses_what_training_refuses():
    layer = trained_batch_norm(np.float32)
    x = with_samples_last(X.astype(np.float32))
    z, dx = layer.forward(x), layer.backward(x)
    assert z.dtype == dx.dtype == layer.running_var.dtype == np.float32
    assert lies_samples_last(z)
    assert lies_samples_last(dx)
    assert_refuses(lambda: layer.forward(X[:, :3]), ValueError, "BatchNorm2d", "(3, 1, 1)")
    assert_refuses(lambda: layer.backward(X[:1]), ValueError, "BatchNorm2d", "dz is (1, 4, 5, 6)")


def test_training_on_one_value_per_channel_is_refused():
    assert_refuses(
        lambda: BatchNorm2d(4).forward(X[:1, :, :1, :1], training=True),
        ValueError,
        *("BatchNorm2d", "one value per channel", "(1, 4, 1, 1)", "more samples"),
    )


MASK = np.array([[0, 2.0, 2, 0], [2, 2, 0, 2]])


def test_dropout_by_hand():
    x, dz = np.arange(8.0).reshape(2, 4), np.arange(10.0, 18).reshape(2, 4)
    assert_array_equal(dropout(x, MASK), [[0, 2, 4, 0], [8, 10, 0, 14]])
    assert_array_equal(dropout_backward(dz, MASK), [[0, 22, 24, 0], [28, 30, 0, 34]])


def test_dropout_gradient_is_the_slope_and_the_adjoint_of_its_forward_pass():
    rng = np.random.default_rng(0)
    x, dz = eighths(rng, MASK.shape), eighths(rng, MASK.shape)
    dx = dropout_backward(dz, MASK)
    assert_array_equal(dx, slope(lambda x: dropout(x, MASK), x, dz))
    assert (dropout(x, MASK) * dz).sum() == (x * dx).sum()


def test_dropout_keeps_nan_even_where_a_cell_is_left_out():
    assert np.isnan(dropout([np.nan, 1], [0, 2])).tolist() == [True, False]


@pytest.mark.parametrize(
    ("mask", "error", "substance"),
    [
        (MASK.T, ValueError, ["mask is (4, 2)", "(2, 4)"]),
        (2.0, ValueError, ["mask is ()", "(2, 4)"]),
        (None, TypeError, ["mask must hold real numbers"]),
    ],
    ids=str,
)
def test_dropout_refuses(mask, error, substance):
    assert_refuses(lambda: dropout(MASK, mask), error, "dropout:", *substance)
    assert_refuses(lambda: dropout_backward(MASK, mask), error, "dropout_backward:", *substance)


@given(st.floats(0, 0.9))
def test_a_mask_holds_zero_or_one_over_one_minus_p(p):
    layer = Dropout(p, rng=0)
    z = layer.forward(np.ones((20, 500)), training=True)
    assert_array_equal(z, layer.mask)
    assert set(np.unique(z)) <= {0, 1 / (1 - p)}
    assert (z == 0).mean() == pytest.approx(p, abs=0.02)
    assert z.mean() == pytest.approx(1, abs=0.1)


def test_every_training_pass_draws_a_new_mask_and_a_seed_repeats_them_all():
    layer, again, x = Dropout(0.5, rng=3), Dropout(0.5, rng=3), np.ones((10, 10))
    passes = [layer.forward(x, training=True) for _ in range(3)]
    assert (passes[0] != passes[1]).any()
    assert (passes[1] != passes[2]).any()
    for z in passes:
        assert_array_equal(z, again.forward(x, training=True))


def test_masks_do_not_depend_on_the_layout_or_the_dtype_of_x():
    x = np.ones((3, 4, 5, 2))
    expected = Dropout(0.5, rng=0).forward(x, training=True)
    for same in (with_samples_last(x), x.astype(np.float32), x[:, ::-1]):
        assert_array_equal(Dropout(0.5, rng=0).forward(same, training=True), expected)


def test_dropout_backward_takes_the_mask_of_the_last_forward_pass():
    layer, dz = Dropout(0.5, rng=0), eighths(np.random.default_rng(0), (10, 10))
    layer.forward(np.ones((10, 10)), training=True)
    z = layer.forward(np.ones((10, 10)), training=True)
    assert_array_equal(layer.backward(dz), dz * z)


def test_without_training_dropout_changes_nothing_in_either_pass():
    layer, x = Dropout(0.9, rng=0), eighths(np.random.default_rng(0), (10, 10))
    layer.forward(x, training=True)
    assert_array_equal(layer.forward(x), x)
    assert_array_equal(layer.backward(x), x)
    assert_array_equal(layer.forward([1, 2]), [1.0, 2.0])


def test_dropout_keeps_layout_and_float32():
    layer, x = Dropout(0.5, rng=0), with_samples_last(X.astype(np.float32))
    for training in (True, False):
        z, dx = layer.forward(x, training), layer.backward(x)
        assert z.dtype == dx.dtype == np.float32
        assert lies_samples_last(z)
        assert lies_samples_last(dx)


@pytest.mark.parametrize("p", [-0.1, 1, 1.5, np.nan])
def test_a_share_that_leaves_nothing_is_refused(p):
    assert_refuses(lambda: Dropout(p), ValueError, "Dropout: p", "less than 1", str(p))


@pytest.mark.parametrize("training", [True, False])
def test_dropout_layer_refuses_a_dz_of_another_shape_and_backward_before_forward(training):
    layer = Dropout(0.5, rng=0)
    assert_refuses(lambda: layer.backward(MASK), ValueError, "Dropout", "call forward(x) first")
    layer.forward(MASK, training)
    assert_refuses(
        lambda: layer.backward(MASK.T), ValueError, "Dropout.backward: dz is (4, 2)", "(2, 4)"
    )


def test_layers_show_what_they_are():
    assert repr(Dropout(0.25)) == "Dropout(p=0.25)"
    assert repr(BatchNorm2d(3)) == "BatchNorm2d(gamma (3, 1, 1), beta (3, 1, 1), eps=1e-05)"
    assert repr(GroupNorm(2, 4)) == (
        "GroupNorm(gamma (4, 1, 1), beta (4, 1, 1), groups=2, eps=1e-05)"
    )


def test_gamma_is_not_told_to_reshape_where_that_does_not_fit():
    with pytest.raises(ValueError, match="gamma is") as caught:
        batch_norm2d(np.ones((2, 3, 4, 4)), np.ones(4), np.ones((3, 1, 1)))
    assert "reshape" not in str(caught.value)


def test_before_any_training_an_evaluation_passes_x_as_it_is():
    x = np.random.default_rng(0).standard_normal((2, 3, 4, 4))
    assert_allclose(BatchNorm2d(3).forward(x), x, rtol=1e-5)

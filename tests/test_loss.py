"""Losses: by hand, against their slopes, at the ends of what floating point can hold."""

import re

import numpy as np
import pytest
from helpers import assert_refuses
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from cnnbp import (
    combined_loss,
    linear,
    linear_backward,
    mean_squared_error,
    numeric_gradient,
    relative_error,
    softmax,
    softmax_cross_entropy,
)

SIZE = st.integers(1, 5)


def scores_and_labels(K, N):
    rng = np.random.default_rng(0)
    return rng.standard_normal((K, N)), rng.integers(K, size=N)


def test_softmax_by_hand():
    p = softmax(np.log([[1, 1], [3, 1], [4, 2]]))
    assert_allclose(p, [[1 / 8, 1 / 4], [3 / 8, 1 / 4], [4 / 8, 2 / 4]], rtol=1e-15)


@given(SIZE, SIZE, st.floats(-1000, 1000))
def test_softmax_columns_sum_to_1_and_a_shift_changes_nothing(K, N, shift):
    z, _ = scores_and_labels(K, N)
    p = softmax(z)
    assert (p > 0).all()
    assert_allclose(p.sum(axis=0), np.ones(N), rtol=1e-12)
    assert_allclose(softmax(z + shift), p, rtol=1e-12)


def test_softmax_does_not_overflow():
    assert_array_equal(softmax([[1e300, -1e300], [0, 0]]), [[1, 0], [0, 1]])


def test_cross_entropy_by_hand():
    loss, dz = softmax_cross_entropy(np.log([[1, 1], [3, 1]]), [1, 0])
    assert loss == pytest.approx((-np.log(3 / 4) - np.log(1 / 2)) / 2, rel=1e-15)
    assert_allclose(dz, [[(1 / 4 - 0) / 2, (1 / 2 - 1) / 2], [(3 / 4 - 1) / 2, (1 / 2 - 0) / 2]])


@given(SIZE, SIZE)
@settings(max_examples=30)
def test_the_cross_entropy_gradient_is_its_slope(K, N):
    z, labels = scores_and_labels(K, N)
    _, dz = softmax_cross_entropy(z, labels)
    measured = numeric_gradient(lambda z: softmax_cross_entropy(z, labels)[0], z)
    assert_allclose(dz, measured, rtol=0, atol=1e-9)


def test_the_cross_entropy_gradient_of_a_sample_sums_to_zero():
    _, dz = softmax_cross_entropy(*scores_and_labels(5, 4))
    assert_allclose(dz.sum(axis=0), np.zeros(4), rtol=0, atol=1e-15)


def test_a_probability_too_small_for_a_float_still_has_a_logarithm():
    loss, dz = softmax_cross_entropy([[0], [2000]], [0])
    assert loss == 2000
    assert_array_equal(dz, [[-1], [1]])


def test_a_mean_over_the_batch_puts_1_over_N_into_dz_once():
    """So the same samples twice give the same loss and the same gradient of the weights."""
    z, labels = scores_and_labels(3, 4)
    x, w, b = np.random.default_rng(1).standard_normal((2, 4)), np.ones((3, 2)), z[:, :1]

    def loss_and_dw(x, labels):
        loss, dz = softmax_cross_entropy(linear(x, w, b), labels)
        return loss, linear_backward(dz, x, w)[1]

    loss, dw = loss_and_dw(x, labels)
    twice, dw_twice = loss_and_dw(np.hstack([x, x]), np.hstack([labels, labels]))
    assert twice == pytest.approx(loss, rel=1e-14)
    assert relative_error(dw, dw_twice) < 1e-14


@pytest.mark.parametrize("labels", [[1, 0], (1, 0), np.array([1, 0], np.uint8)])
def test_labels_are_any_ints(labels):
    _, dz = softmax_cross_entropy(np.zeros((2, 2)), labels)
    assert_array_equal(dz, [[0.25, -0.25], [-0.25, 0.25]])


def test_mean_squared_error_by_hand():
    loss, dz = mean_squared_error([[1, 2], [3, 4]], [[1, 0], [0, 0]])
    assert loss == (0**2 + 2**2 + 3**2 + 4**2) / 4  # over all K·N entries
    assert_array_equal(dz, [[2 * 0 / 4, 2 * 2 / 4], [2 * 3 / 4, 2 * 4 / 4]])


@given(SIZE, SIZE)
@settings(max_examples=30)
def test_the_squared_error_gradient_is_its_slope(K, N):
    z, target = np.random.default_rng(0).standard_normal((2, K, N))
    _, dz = mean_squared_error(z, target)
    measured = numeric_gradient(lambda z: mean_squared_error(z, target)[0], z)
    assert_allclose(dz, measured, rtol=0, atol=1e-9)


@pytest.mark.parametrize(
    "loss",
    [lambda z: softmax_cross_entropy(z, [0, 0]), lambda z: mean_squared_error(z, np.zeros((3, 2)))],
    ids=["softmax_cross_entropy", "mean_squared_error"],
)
def test_nan_stays_with_its_sample_but_no_mean_survives_it(loss):
    z = np.zeros((3, 2))
    z[0, 1] = np.nan
    value, dz = loss(z)
    assert isinstance(value, float)
    assert np.isnan(value)
    assert np.isnan(dz).any(axis=0).tolist() == [False, True]


def test_softmax_of_an_empty_batch_is_empty():
    assert softmax(np.ones((3, 0))).shape == (3, 0)


Z = np.ones((10, 4))


@pytest.mark.parametrize(
    ("z", "labels", "error", "substance"),
    [
        (Z, [0.0, 1, 2, 3], TypeError, ["labels must be ints", "float64"]),
        (Z, [True] * 4, TypeError, ["labels must be ints", "bool"]),
        (Z, [0, 1, 2, 10], ValueError, ["from 0 to 10", "(10, 4)", "rows 0 to 9"]),
        (Z, [-1, 1, 2, 3], ValueError, ["count from 0", "-1"]),
        (Z, [0, 1, 2], ValueError, ["labels is (3,)", "(4,)", "(10, 4)"]),
        (
            Z,
            np.eye(10, 4, dtype=int),
            ValueError,
            ["labels is (10, 4)", "labels.argmax(axis=0)"],
        ),
        (Z.T, [0, 1, 2, 3], ValueError, ["labels is (4,)", "(10,)"]),
        (Z[:, 0], [0], ValueError, ["z must be (K, N)", "(10,)", "z[:, None]"]),
        (Z[:0], [0] * 4, ValueError, ["z must be (K, N)", "(0, 4)"]),
        (Z[:, :0], [], ValueError, ["z (10, 0) is empty", "no mean"]),
    ],
)
def test_cross_entropy_refuses(z, labels, error, substance):
    assert_refuses(
        lambda: softmax_cross_entropy(z, labels), error, "softmax_cross_entropy:", *substance
    )


@pytest.mark.parametrize(
    ("z", "target", "substance"),
    [
        (Z, Z.T, ["target is (4, 10)", "(10, 4)"]),
        (Z, Z[:, :1], ["target is (10, 1)", "(10, 4)"]),  # numpy would repeat it silently
        (Z[:, :0], Z[:, :0], ["z (10, 0) is empty", "no mean"]),
    ],
)
def test_squared_error_refuses(z, target, substance):
    assert_refuses(
        lambda: mean_squared_error(z, target), ValueError, "mean_squared_error:", *substance
    )


HOT = np.eye(10)[:, [3, 0, 9, 5]]


@pytest.mark.parametrize(
    ("labels", "remedy"),
    [
        (HOT, "labels.argmax(axis=0)"),
        (HOT.astype(int), "labels.argmax(axis=0)"),
        (HOT.T, "labels.argmax(axis=1)"),
        (HOT > 0, "labels.argmax(axis=0)"),
        (HOT * 0.5, None),
        (np.zeros((10, 4)), None),
        (np.array([[3], [0], [9], [5]]), "labels.reshape(4)"),
        (np.array([3.0, 0, 9, 5]), "labels.astype(int)"),
        (np.array([3.5, 0, 9, 5]), None),
        (np.array([np.nan, 0, 9, 5]), None),
        (np.array([4, 1, 10, 6]), "labels - 1"),
        (np.array([4, 0, 10, 6]), None),
        (np.array([4, 1, 11, 6]), None),
        (np.array(["3", "0", "9", "5"]), None),
    ],
)
def test_labels_are_told_how_to_become_class_numbers_only_where_that_works(labels, remedy):
    with pytest.raises((TypeError, ValueError), match="labels") as caught:
        softmax_cross_entropy(Z, labels)
    told = re.search(r"labels(\.(argmax|reshape|astype)\([\w=]+\)| - 1)", str(caught.value))
    assert (told and told[0]) == remedy
    if told:
        softmax_cross_entropy(Z, eval(told[0], {"labels": labels}))


def two_parts(weights=(0.25, 3.0)):
    rng = np.random.default_rng(1)
    classes = "softmax_cross_entropy", rng.integers(0, 3, 4), slice(0, 3), weights[0]
    return [classes, ("mean_squared_error", rng.standard_normal((2, 4)), slice(3, 5), weights[1])]


def test_a_combined_loss_is_the_weighted_sum_and_so_is_its_gradient():
    z, parts = np.random.default_rng(0).standard_normal((6, 4)), two_parts()
    loss, dz = combined_loss(z, parts)
    of_classes, dz_classes = softmax_cross_entropy(z[:3], parts[0][1])
    of_box, dz_box = mean_squared_error(z[3:5], parts[1][1])
    assert loss == pytest.approx(0.25 * of_classes + 3 * of_box)
    assert_allclose(dz, [*(0.25 * dz_classes), *(3 * dz_box), np.zeros(4)])
    assert relative_error(dz, numeric_gradient(lambda z: combined_loss(z, parts)[0], z)) < 1e-7


def test_a_combined_loss_refuses_unknown_losses_and_rows_that_meet():
    z, (classes, box) = np.zeros((5, 4)), two_parts()
    unknown = [("cross-entropy", *classes[1:])]
    meeting = [classes, (*box[:2], slice(2, 4), 1.0)]
    assert_refuses(lambda: combined_loss(z, unknown), ValueError, "'cross-entropy'")
    assert_refuses(lambda: combined_loss(z, meeting), ValueError, "each needs its own")

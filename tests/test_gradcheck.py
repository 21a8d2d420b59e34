"""Numeric gradients: exact where they can be, wrong where they must be; and how to compare them."""

import numpy as np
import pytest
from helpers import assert_refuses, with_samples_last
from numpy.testing import assert_allclose, assert_array_equal

from cnnbp import numeric_gradient, relative_error


def test_a_slope_by_hand():
    measured = numeric_gradient(lambda x: x[0] ** 2 + 3 * x[1], np.array([2.0, 5.0]), step=0.5)
    assert_array_equal(measured, [(2.5**2 - 1.5**2) / 1, (3 * 5.5 - 3 * 4.5) / 1])


@pytest.mark.parametrize("shape", [(), (3,), (2, 3), (0, 3), (2, 1, 2, 2)])
def test_a_linear_function_of_any_shape_is_measured_exactly(shape):
    weights = np.arange(1.0, 1 + np.prod(shape)).reshape(shape)
    measured = numeric_gradient(lambda x: (weights * x).sum(), np.zeros(shape), step=1)
    assert_array_equal(measured, weights)


def test_the_error_falls_with_the_square_of_the_step():
    def error(step):
        return abs(numeric_gradient(np.exp, 1.0, step=step) - np.e)

    assert error(1e-2) / error(1e-3) == pytest.approx(100, rel=0.01)


def test_the_default_step_is_close_to_the_best():
    errors = {
        step: abs(numeric_gradient(np.exp, 1.0, step=step) - np.e)
        for step in (1e-1, 1e-3, 1e-5, 1e-8, 1e-11)
    }
    assert min(errors, key=errors.get) == 1e-5  # larger: curvature, smaller: rounding
    assert errors[1e-5] == abs(numeric_gradient(np.exp, 1.0) - np.e) < 1e-9


@pytest.mark.parametrize(
    ("function", "x", "says"),
    [
        pytest.param(np.abs, 0.0, 0.0, id="abs at 0: the mean of −1 and 1"),
        pytest.param(lambda x: np.maximum(x, 0), 0.0, 0.5, id="relu at 0: the mean of 0 and 1"),
        pytest.param(np.max, [7.0, 7.0], [0.5, 0.5], id="a tie: half for each"),
        pytest.param(lambda x: np.maximum(x, 0), 1e-6, 0.55, id="relu closer to 0 than the step"),
    ],
)
def test_at_a_kink_a_central_difference_is_the_mean_of_both_slopes(function, x, says):
    assert_allclose(numeric_gradient(function, x), says, rtol=0, atol=1e-9)


def test_only_one_entry_is_moved_at_a_time_and_all_are_put_back_exactly():
    x = np.random.default_rng(0).standard_normal((3, 4))  # adding and taking a step would round
    before, seen = x.copy(), []
    numeric_gradient(lambda moved: seen.append(moved.copy()) or 0.0, x, step=0.1)
    assert_array_equal(x, before)
    assert len(seen) == 2 * x.size
    for number, moved in enumerate(seen):
        (entry,) = np.flatnonzero(moved != x)
        assert entry == number // 2


@pytest.mark.parametrize("shape", [(2, 3), (2, 1, 3, 2)])
def test_the_layout_in_memory_does_not_matter(shape):
    weights = np.arange(1.0, 1 + np.prod(shape)).reshape(shape)
    x = np.zeros(shape, order="F") if len(shape) == 2 else with_samples_last(np.zeros(shape))
    assert not x.flags.c_contiguous  # a write through its reshape(-1) would be lost
    assert_array_equal(numeric_gradient(lambda x: (weights * x).sum(), x, step=1), weights)


def test_float32_stays_float32_and_has_few_digits():
    x = np.array([1.0, 2.0], np.float32)
    seen = []
    measured = numeric_gradient(lambda x: seen.append(x.dtype) or (x**2).sum(), x, step=1e-3)
    assert set(seen) == {np.dtype(np.float32)}
    assert measured.dtype == np.float32
    assert 0 < relative_error(measured, 2 * x) < 1e-2


@pytest.mark.parametrize("x", [[1, 2], (1, 2), np.array([1, 2])])
def test_whole_numbers_become_floats_that_a_step_can_move(x):
    measured = numeric_gradient(lambda x: (x**2).sum(), x)
    assert measured.dtype == np.float64
    assert_allclose(measured, [2, 4])


def test_f_may_return_any_kind_of_one_number():
    for number in (float, np.float64, np.atleast_2d):
        assert numeric_gradient(lambda x, number=number: number(3 * x), 1.0, step=1) == 3


@pytest.mark.parametrize("step", [0, -1e-5, float("nan")])
def test_the_step_must_be_positive(step):
    assert_refuses(
        lambda: numeric_gradient(np.sum, [1.0], step=step), ValueError, "step", str(step)
    )


@pytest.mark.parametrize("returned", [None, "1", 1j])
def test_f_must_return_a_real_number(returned):
    assert_refuses(
        lambda: numeric_gradient(lambda x: returned, [1.0]),
        ValueError,
        *("real number", repr(returned), *["return missing"] * (returned is None)),
    )


def test_f_must_return_one_number():
    assert_refuses(
        lambda: numeric_gradient(lambda x: x, np.ones((2, 3))),
        ValueError,
        *("one number", "(2, 3)", "(dz * z).sum()"),
    )


@pytest.mark.parametrize(
    ("a", "b", "error"),
    [
        ([1, 2], [1, 2], 0),
        ([1, 2], [1, 2.5], 0.5 / 2.5),
        ([1, -4], [1, 4], 8 / 4),
        ([0, 0], [0, 1e-300], 1),
        ([0, 0], [0, 0], 0),
        ([], [], 0),
        (5, 4, 1 / 5),
        ([1, np.nan], [1, 2], np.inf),
        ([np.nan], [np.nan], np.inf),
        ([0, 1], [np.nan, 0], np.inf),
        ([np.inf], [1], np.inf),
        ([np.inf], [np.inf], np.inf),
    ],
)
def test_relative_error(a, b, error):
    for found in (relative_error(a, b), relative_error(b, a)):
        assert type(found) is float
        assert found == error


def test_relative_error_does_not_depend_on_the_unit():
    a, b = np.random.default_rng(0).standard_normal((2, 5))
    assert relative_error(1024 * a, 1024 * b) == relative_error(a, b)


def test_relative_error_refuses_to_repeat_the_smaller_array():
    assert_refuses(
        lambda: relative_error(np.ones((2, 1)), np.ones((2, 3))),
        ValueError,
        *("b is (2, 3)", "(2, 1)"),
    )


def test_f_may_work_in_place_on_its_copy():
    def f(x):
        x *= x
        return x.sum()

    x = np.array([1.0, -3.0])
    assert_allclose(numeric_gradient(f, x), [2, -6], rtol=1e-8)
    assert_array_equal(x, [1, -3])


@pytest.mark.parametrize("returned", [2.0, np.float32(2), np.array(2.0), np.array([2.0]), 2, True])
def test_one_number_may_come_in_any_wrapping(returned):
    assert_array_equal(numeric_gradient(lambda x: returned, [1.0, 2.0]), [0, 0])


@pytest.mark.parametrize(
    ("x", "step", "dtype"),
    [
        (np.ones(3, np.float16), 1e-5, "float16"),
        (np.array([1e12]), 1e-5, "float64"),
        (np.array([1e3], np.float32), 1e-5, "float32"),
        (np.array([1.0]), 1e-20, "float64"),
    ],
)
def test_a_step_that_is_lost_in_rounding_is_refused(x, step, dtype):
    assert_refuses(
        lambda: numeric_gradient(np.sum, x, step=step),
        ValueError,
        *(f"a step of {step:g} is lost in rounding", dtype, "float64, or a larger step"),
    )


def test_a_step_that_is_rounded_is_divided_by_as_it_is():
    x = np.array([100.0], np.float32)  # the next number is 7.6e−6 away, so the step is not 1e−5
    assert_allclose(numeric_gradient(lambda x: float(x[0]) ** 2, x), [200], rtol=1e-4)


def test_what_is_no_number_stays_so_in_its_own_entry():
    found = numeric_gradient(lambda x: x[1] * 2, np.array([np.nan, 1.0]))
    assert_allclose(found, [np.nan, 2], rtol=1e-8)


def test_a_floor_tells_rounding_from_a_mistake():
    a, b = np.array([1e-18, 0]), np.array([-2e-18, 0])
    assert relative_error(a, b) == 1.5
    assert relative_error(a, b, floor=1) < 1e-17
    assert relative_error([0.0], [0.0], floor=0.0) == 0
    assert relative_error([1.0], [2.0], floor=0.5) == 0.5
    for floor in (-1, np.nan, np.inf):
        assert_refuses(lambda f=floor: relative_error(a, b, floor=f), ValueError, "floor")


@pytest.mark.parametrize(
    ("f", "x"),
    [(np.log, [0.0]), (lambda x: np.inf, [1.0]), (lambda x: 1e200 * x**-2, [1e-60])],
)
def test_where_f_is_not_finite_it_has_no_slope(f, x):
    def silent(x):
        with np.errstate(all="ignore"):
            return f(x)

    step = 0.5 * abs(x[0]) or 1e-5
    assert_refuses(
        lambda: numeric_gradient(silent, x, step=step), ValueError, "f returned", "x[0] = "
    )


def test_nan_in_x_spreads_as_in_the_functions_that_are_checked():
    assert np.isnan(numeric_gradient(np.sum, np.array([np.nan, 1.0]))).all()


@pytest.mark.parametrize(
    "f",
    [lambda x: np.float32(1e8) + x.sum(dtype=np.float32), lambda x: 1e18 + x.sum()],
    ids=["float32", "float64"],
)
def test_a_slope_that_the_rounding_of_f_hides_is_refused(f):
    assert_refuses(
        lambda: numeric_gradient(f, np.array([1.0, 2.0])), ValueError, "rounding hides slopes"
    )


def test_a_large_f_with_slopes_as_large_is_measured():
    assert_allclose(numeric_gradient(lambda x: 1e18 * x.sum(), [1.0, 2.0]), [1e18, 1e18])


def test_a_float32_x_is_measured_by_an_f_in_float64():
    x = np.array([0.5, -3], np.float32)
    found = numeric_gradient(lambda x: (x.astype(np.float64) ** 2).sum(), x)
    assert_allclose(found, 2 * x, rtol=1e-4)


@pytest.mark.parametrize("f", [3.0, None, np.ones(2)])
def test_f_must_be_a_function(f):
    assert_refuses(
        lambda: numeric_gradient(f, [1.0]), TypeError, "f must be a function", type(f).__name__
    )


def test_at_a_kink_it_is_the_mean_of_both_slopes():
    assert numeric_gradient(lambda x: np.maximum(x, 0).sum(), [0.0]) == 0.5


@pytest.mark.parametrize("step", [np.inf, -np.inf])
def test_the_step_must_be_finite(step):
    assert_refuses(lambda: numeric_gradient(np.sum, [1.0], step=step), ValueError, "finite")

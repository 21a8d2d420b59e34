"""Trust a gradient: compare it with one that knows nothing of the chain rule."""

import math

import numpy as np

from cnnbp.shape import complaint, floats, positive_real, real, same_shape


def numeric_gradient(f, x, *, step=1e-5):
    """The slope of f along every entry of x, by central differences.

    df/dx[i] ≈ (f(x + step·e_i) − f(x − step·e_i)) / (2·step), wrong by about step², and by the
    rounding of f divided by the step. At a kink it is the mean of the two slopes.

    f        takes an array like x, returns one number; it gets a copy, so it may work in place
    x        any shape; never changed. float32 stays float32 and so has about 3 digits
    step     float > 0, in the units of x
    returns  the shape of x

    Raises TypeError if f is no function, ValueError if f returns anything but one number, or inf or
    NaN for an x that is finite, if step is not positive, or if it is lost in rounding: x + step is
    x again, or f is so large that its numbers lie too far apart. What is divided by is the step as
    it was rounded.
    Lesson 02.  Source: Taylor expansion of f around x.

    >>> numeric_gradient(lambda x: (x**2).sum(), np.array([1.0, -3.0])).round(6)
    array([ 2., -6.])
    """
    positive_real(step, "step")
    if not callable(f):
        raise complaint(TypeError, f"f must be a function of x, not {type(f).__name__}")
    (x,) = floats(x=x)
    gradient, largest = np.zeros(x.shape, x.dtype), np.float64(0)
    for index in np.ndindex(x.shape):
        above, below = x.copy(), x.copy()
        above[index] += step
        below[index] -= step
        apart = float(above[index]) - float(below[index])
        _check_apart(apart, step, x[index], x.dtype)
        higher, lower = _number(f(above), x, index), _number(f(below), x, index)
        gradient[index] = (float(higher) - float(lower)) / apart
        largest = max(largest, abs(higher))
    _check_grain(np.spacing(largest) / (2 * step), gradient)
    return gradient


def _check_apart(apart, step, entry, dtype):
    """Raise ValueError if rounding has changed what lies between two steps by more than half."""
    if math.isfinite(entry) and not 0.5 * step < apart / 2 < 1.5 * step:
        raise complaint(
            ValueError,
            f"a step of {step:g} is lost in rounding at x = {entry:g}: the next {dtype} number "
            f"is {np.spacing(np.abs(entry)):.2g} away. Give x as float64, or a larger step.",
        )


def _check_grain(grain, gradient):
    """Raise ValueError if slopes of 1 and more are hidden by the rounding of f.

    grain  the slope that two neighboring values of f are apart
    """
    if grain > max(1.0, float(np.abs(gradient).max(initial=0))):
        raise complaint(
            ValueError,
            f"f is so large that its rounding hides slopes below {grain:.2g}. Let f compute in "
            "float64, leave out what is constant, or give a larger step.",
        )


def _number(value, x, index):
    """What f returned, as one floating-point number; or the error that helps."""
    number = np.asarray(value)
    if number.size != 1:
        raise complaint(
            ValueError,
            f"f must return one number but returned shape {number.shape}. "
            "For a gradient by an array-valued z, let f return (dz * z).sum().",
        )
    if number.dtype.kind not in "biuf":
        raise complaint(
            ValueError,
            f"f must return a real number but returned {value!r}."
            + " Is a return missing?" * (value is None),
        )
    number = number.reshape(())[()]
    number = number if number.dtype.kind == "f" else np.float64(number)
    if not math.isfinite(number) and np.isfinite(x).all():
        raise complaint(
            ValueError,
            f"f returned {number} a step away from x[{', '.join(map(str, index))}] = {x[index]:g}; "
            "where f is not finite it has no slope",
        )
    return number


def relative_error(a, b, *, floor=0.0):
    """How far two arrays differ, in units of their largest entry.

    max|a − b| / max(max|a|, max|b|, floor); 0 if both are all zero or empty, inf if anything is
    NaN or infinite

    a, b     the same shape
    floor    float ≥ 0 in the units of a: the least that a difference is held against
    returns  float

    Two gradients that are both 0 up to rounding, such as 1e−18 and −2e−18, differ by their whole
    size: the error is near 1 or more although nothing is wrong. A floor of the size of the terms
    that cancel tells that case from a mistake.

    Raises ValueError if the shapes differ.
    Lesson 02.

    >>> relative_error([1.0, 2.0], [1.0, 2.5])
    0.2
    >>> relative_error([1e-18], [-2e-18]), relative_error([1e-18], [-2e-18], floor=1.0) < 1e-15
    (1.5, True)
    """
    a, b = floats(a=a, b=b)
    same_shape("b", b, a.shape, "the shape of a")
    real(floor, "floor", lambda number: 0 <= number < np.inf, "at least 0 and finite")
    largest = np.maximum(np.abs(a).max(initial=0), np.abs(b).max(initial=0))  # NaN, if any
    if not np.isfinite(largest):
        return float("inf")
    unit = max(largest, floor)
    with np.errstate(over="ignore"):  # of the largest numbers there are, the difference is inf
        return float(np.abs(a - b).max(initial=0) / unit) if unit else 0.0

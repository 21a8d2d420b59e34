"""Trust a gradient: compare it with one that knows nothing of the chain rule."""

import numpy as np

from cnnbp.shape import floats, same_shape


def numeric_gradient(f, x, *, step=1e-5):
    """The slope of f along every entry of x, by central differences.

    df/dx[i] ≈ (f(x + step·e_i) − f(x − step·e_i)) / (2·step), wrong by about step²

    f        takes an array like x, returns one number
    x        any shape; never changed. float32 stays float32 and so has about 3 digits
    step     float > 0, in the units of x
    returns  the shape of x

    Raises ValueError if f returns anything but one number or step is not positive.
    Lesson 02.  Source: Taylor expansion of f around x.

    >>> numeric_gradient(lambda x: (x**2).sum(), np.array([1.0, -3.0])).round(6)
    array([ 2., -6.])
    """
    if not step > 0:
        raise ValueError(f"numeric_gradient: step must be positive, not {step!r}")
    (x,) = floats("numeric_gradient", x=x)
    x = x.copy()
    gradient = np.zeros(x.shape, x.dtype)
    for index in np.ndindex(x.shape):
        kept = x[index]
        x[index] = kept + step
        above = _number(f(x))
        x[index] = kept - step
        below = _number(f(x))
        x[index] = kept  # put back, not added back: adding would leave a rounding error
        gradient[index] = (above - below) / (2 * step)
    return gradient


def _number(value):
    if np.size(value) != 1:
        raise ValueError(
            f"numeric_gradient: f must return one number but returned shape {np.shape(value)}. "
            "For a gradient by an array-valued z, let f return (dz * z).sum()."
        )
    number = np.asarray(value)
    if number.dtype.kind not in "biuf":
        raise ValueError(
            f"numeric_gradient: f must return a real number but returned {value!r}. "
            "Is a return missing?"
        )
    return number.item()


def relative_error(a, b):
    """How far two arrays differ, in units of their largest entry.

    max|a − b| / max(max|a|, max|b|); 0 if both are all zero or empty, inf if anything is NaN

    a, b     the same shape
    returns  float

    Raises ValueError if the shapes differ.
    Lesson 02.

    >>> relative_error([1.0, 2.0], [1.0, 2.5])
    0.2
    """
    a, b = floats("relative_error", a=a, b=b)
    same_shape("relative_error", "b", b, a.shape, "the shape of a")
    largest = np.maximum(np.abs(a).max(initial=0), np.abs(b).max(initial=0))  # NaN, if any
    if not np.isfinite(largest):
        return float("inf")
    return float(np.abs(a - b).max(initial=0) / largest) if largest else 0.0

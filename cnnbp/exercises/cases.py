"""How the numbers of cases are drawn."""

import numpy as np

from cnnbp.shape import windows


def normal(rng, shape):
    """Random numbers in general position: no two equal, none zero."""
    return rng.standard_normal(shape)


def whole(rng, shape):
    """Small whole numbers for a case worked by hand, as floats, without 0.

    >>> import numpy as np
    >>> whole(np.random.default_rng(0), 6)
    array([ 3.,  2.,  1., -1., -1., -2.])
    """
    return rng.choice([-2.0, -1.0, 1.0, 2.0, 3.0], size=shape)


def convolution(rng, x_shape, w_shape, stride=(1, 1), padding=(0, 0), draw=normal):
    """A convolution with everything that any of its exercises is given."""
    place = windows("case", x_shape[2:], w_shape[2:], stride=stride, padding=padding)
    return {
        "x": draw(rng, x_shape),
        "w": draw(rng, w_shape),
        "b": draw(rng, (w_shape[0], 1, 1)),
        "dz": draw(rng, (x_shape[0], w_shape[0], *place.output)),
        "x_shape": x_shape,
        "w_shape": w_shape,
        "kernel_size": w_shape[2:],
        "stride": stride,
        "padding": padding,
    }


def pooling(rng, x_shape, kernel_size, stride, padding=(0, 0), draw=normal, draw_dz=normal):
    """A pooling layer with everything that any of its exercises is given."""
    place = windows("case", x_shape[2:], kernel_size, stride=stride, padding=padding)
    return {
        "x": draw(rng, x_shape),
        "dz": draw_dz(rng, (*x_shape[:2], *place.output)),
        "x_shape": x_shape,
        "kernel_size": kernel_size,
        "stride": stride,
        "padding": padding,
    }


def distinct(rng, shape):
    """Whole numbers, no two equal: for a case worked by hand that has no ties."""
    size = int(np.prod(shape))
    return rng.permutation(np.arange(1.0, size + 1) - size // 3).reshape(shape)


def tied(rng, shape):
    """Ones and twos, so that many windows have a tie."""
    return rng.choice([1.0, 2.0], size=shape)

"""How the numbers of cases are drawn, and the cases that several tasks share."""

import numpy as np

from cnnbp.shape import conv_windows, pool_windows


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


def distinct(rng, shape):
    """Whole numbers, no two equal: for a case worked by hand that has no ties."""
    size = int(np.prod(shape))
    return rng.permutation(np.arange(1.0, size + 1) - size // 3).reshape(shape)


def from_one(rng, shape):
    """1, 2, 3, ... in any order: no ties, and no 0, which is padding."""
    size = int(np.prod(shape))
    return rng.permutation(np.arange(1.0, size + 1)).reshape(shape)


def tied(rng, shape):
    """Ones and twos, so that many windows have a tie."""
    return rng.choice([1.0, 2.0], size=shape)


def tied_below_zero(rng, shape):
    """The same, so that padding counted as zeros would win or tie."""
    return rng.choice([-2.0, -1.0, 0.0], size=shape)


def below_zero(rng, shape):
    """Mostly negative, so that a window which counts its padding as zeros is found out."""
    return rng.standard_normal(shape) - 1.5


def convolution(rng, x_shape, w_shape, stride=(1, 1), padding=(0, 0), draw=normal):
    """A convolution with everything that any of its exercises is given."""
    place = conv_windows(x_shape, w_shape, stride=stride, padding=padding)
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


def tiny_convolution(rng):
    """Two images of 3 × 4, a filter of 3 × 2: no array has two axes of one length above 1."""
    return convolution(rng, (2, 1, 3, 4), (1, 1, 3, 2), draw=whole)


def convolutions(rng):
    """Geometries that tell the mistakes apart: with and without remainder, in rows and in columns,
    C = F and C ≠ F, padding on either axis, with every stride, and kernels one row or column wide.
    """
    return [
        convolution(rng, (2, 2, 4, 3), (3, 2, 2, 3), stride=(2, 1), padding=(0, 1)),
        convolution(rng, (2, 3, 8, 9), (4, 3, 3, 2), stride=(2, 3), padding=(2, 1)),
        convolution(rng, (3, 2, 5, 6), (2, 2, 3, 3), stride=(2, 2)),
        convolution(rng, (4, 3, 6, 5), (3, 3, 3, 3), stride=(2, 2), padding=(1, 1)),
        convolution(rng, (2, 1, 4, 5), (3, 1, 3, 1), padding=(1, 0)),
        convolution(rng, (2, 2, 3, 7), (1, 2, 1, 2), stride=(1, 2), padding=(0, 2)),
        convolution(rng, (1, 2, 4, 5), (3, 2, 3, 3), padding=(1, 2)),
        convolution(rng, (2, 2, 3, 6), (1, 2, 2, 2), stride=(1, 2)),
    ]


def pooling(rng, x_shape, kernel_size, stride, padding=(0, 0), draw=normal, draw_dz=normal):
    """A pooling layer with everything that any of its exercises is given."""
    place = pool_windows(x_shape, kernel_size, stride=stride, padding=padding)
    return {
        "x": draw(rng, x_shape),
        "dz": draw_dz(rng, (*x_shape[:2], *place.output)),
        "x_shape": x_shape,
        "kernel_size": kernel_size,
        "stride": stride,
        "padding": padding,
    }


def tiny_pooling(rng):
    """Two images of 3 × 4 without ties, and windows of 3 × 2 that overlap."""
    return pooling(rng, (2, 1, 3, 4), (3, 2), (1, 1), draw=distinct, draw_dz=whole)


def poolings(rng):
    """Overlapping windows, windows with gaps between them, remainders in rows and in columns,
    padding on either axis."""
    return [
        pooling(rng, (2, 1, 4, 4), (3, 2), (1, 1)),
        pooling(rng, (2, 3, 7, 8), (2, 2), (3, 3)),
        pooling(rng, (2, 2, 7, 6), (3, 2), (2, 1), (1, 0)),
        pooling(rng, (3, 2, 5, 5), (3, 3), (2, 2), (1, 1), draw=below_zero),
        pooling(rng, (2, 2, 5, 6), (1, 3), (1, 2), (0, 1), draw=below_zero),
        pooling(rng, (1, 2, 4, 6), (3, 4), (2, 3), (1, 2), draw=below_zero),
    ]


def poolings_with_ties(rng):
    """The same, and two in which many windows have a tie, one of them with padding."""
    return [
        *poolings(rng),
        pooling(rng, (2, 2, 5, 6), (2, 3), (1, 2), draw=tied),
        pooling(rng, (2, 1, 4, 5), (3, 2), (2, 1), (1, 1), draw=tied_below_zero),
    ]


def as_columns(rng, x_shape, kernel_size, stride=(1, 1), padding=(0, 0), draw=normal):
    """Images, and a matrix with a column for each of their windows."""
    given = pooling(rng, x_shape, kernel_size, stride, padding, draw=draw)
    OH, OW = given["dz"].shape[2:]
    size = (x_shape[1] * kernel_size[0] * kernel_size[1], OH * OW * x_shape[0])
    return given | {"columns": draw(rng, size)}


def tiny_columns(rng):
    """Two images of 3 × 4, two windows of 2 × 4 in each."""
    return as_columns(rng, (2, 1, 3, 4), (2, 4), draw=from_one)


def columns(rng):
    """Overlapping windows, gaps, remainders, and padding on either axis."""
    return [
        as_columns(rng, (2, 2, 4, 3), (2, 2), (1, 1)),
        as_columns(rng, (3, 1, 4, 7), (3, 1), (1, 3), (2, 0)),
        as_columns(rng, (3, 2, 6, 7), (3, 2), (2, 3), (1, 0)),
        as_columns(rng, (2, 3, 5, 5), (2, 3), (2, 1), (0, 1)),
        as_columns(rng, (1, 2, 4, 3), (3, 2), (2, 1), (1, 1)),
        as_columns(rng, (2, 1, 3, 4), (2, 3), (1, 2), (1, 1)),
        as_columns(rng, (1, 1, 3, 4), (2, 2), (1, 2)),
    ]


def elementwise(rng):
    """What an activation is given, in three shapes."""
    return [
        {"dz": normal(rng, shape), "x": normal(rng, shape)}
        for shape in ((2, 3), (3, 4), (2, 2, 3, 2))
    ]


def with_zeros(rng, shape):
    """The same, where x is often 0."""
    x = rng.choice([-1.0, 0.0, 0.0, 2.0], shape)
    x.flat[:3] = rng.permutation([-1.0, 0.0, 2.0])  # one of each at least
    return {"dz": whole(rng, shape), "x": x}

"""Pooling: every window hands on one number, its largest or its mean. Nothing to learn."""

import math

import numpy as np

from cnnbp.layer import Layer
from cnnbp.shape import batch_last, image_shape, images, pair, same_shape, windows


def max_pool2d(x, kernel_size, *, stride=None, padding=0):
    """The largest value in every window, and which pixel held it.

    x            (N, C, H, W)   images
    kernel_size  int or pair    the window; stride is the same unless given
    padding      int or pair    less than kernel_size; a cell of the padding never wins
    returns      z (N, C, OH, OW), argmax (N, C, OH, OW) of ints: h·W + w of the winner

    The first pixel of a tie wins, in row order. A NaN wins over every number.
    Raises ValueError if no window fits, or if one could lie wholly in the padding.
    Gradient: max_pool2d_backward.  Lesson 07.  Source: definition.

    >>> z, argmax = max_pool2d([[[[1, 5, 2, 5]]]], (1, 2))
    >>> z, argmax
    (array([[[[5., 5.]]]]), array([[[[1, 3]]]]))
    """
    (x,) = images("max_pool2d", x=x)
    place = pool_windows("max_pool2d", x.shape, kernel_size, stride, padding)
    x = batch_last(x).transpose(1, 2, 3, 0)  # (C, H, W, N)
    z = np.full((x.shape[0], *place.output, x.shape[3]), -np.inf, x.dtype)
    for _, outputs, pixels in place.taps():
        window_cells = z[:, *outputs]
        np.maximum(window_cells, x[:, *pixels], out=window_cells)
    return z.transpose(3, 0, 1, 2), _winners(x, z, place).transpose(3, 0, 1, 2)


def _winners(x, z, place):
    """h·W + w of the first pixel in every window that holds the window's maximum z."""
    any_nan = np.isnan(z).any()
    none_yet = np.ones(z.shape, bool)
    before = np.zeros(z.shape, np.min_scalar_type(math.prod(place.kernel)))  # the winner's tap
    for _, outputs, pixels in place.taps():
        none_yet[:, *outputs] &= x[:, *pixels] != z[:, *outputs]
        if any_nan:  # NaN equals nothing, not even itself
            none_yet[:, *outputs] &= ~np.isnan(x[:, *pixels])
        before += none_yet

    W = place.image[1]
    (i, j), (kh, kw) = np.indices(place.output), np.indices(place.kernel)
    corner = (i * place.stride[0] - place.padding[0]) * W + j * place.stride[1] - place.padding[1]
    return (kh * W + kw).ravel()[before] + corner[..., None]


def max_pool2d_backward(dz, argmax, x_shape):
    """Add every gradient cell to the pixel that won its window.

    dx[n,c,h,v] = Σ dz[n,c,i,j] over the windows (i, j) whose winner is (h, v)

    dz, argmax  (N, C, OH, OW)   argmax as max_pool2d returns it
    x_shape     (N, C, H, W)
    returns     (N, C, H, W); 0 for a pixel that won nothing

    Raises ValueError if the shapes disagree or argmax points outside the image.
    Forward: max_pool2d.  Lesson 07.  Source: the gradient of a maximum is 1 for the winner.

    >>> max_pool2d_backward([[[[1, 2]]]], [[[[1, 1]]]], (1, 1, 1, 3))
    array([[[[0., 3., 0.]]]])
    """
    dz, argmax, (N, C, H, W) = _check_winners(dz, argmax, x_shape)
    # Batch last, pixel p of channel c and sample n lies at (c·H·W + p)·N + n.
    first = (np.arange(C) * H * W).reshape(C, 1, 1, 1)
    cells = (batch_last(argmax).transpose(1, 2, 3, 0) + first) * N + np.arange(N)
    dx = np.zeros(C * H * W * N, dz.dtype)
    np.add.at(dx, cells.ravel(), batch_last(dz).transpose(1, 2, 3, 0).ravel())
    return dx.reshape(C, H, W, N).transpose(3, 0, 1, 2)


def _check_winners(dz, argmax, x_shape):
    (dz,) = images("max_pool2d_backward", dz=dz)
    argmax = np.asarray(argmax)
    N, C, H, W = image_shape("max_pool2d_backward", x_shape)
    same_shape("max_pool2d_backward", "argmax", argmax, dz.shape, "the shape of dz")
    same_shape("max_pool2d_backward", "dz", dz, (N, C, *dz.shape[2:]), f"as x is {x_shape}")
    if argmax.dtype.kind not in "iu":
        raise TypeError(f"max_pool2d_backward: argmax must hold ints, not {argmax.dtype}")
    if argmax.size and (argmax.min() < 0 or argmax.max() >= H * W):
        raise ValueError(
            f"max_pool2d_backward: argmax points outside an image of {H}·{W} pixels; "
            "its entries are h·W + w. Is x_shape the shape that max_pool2d was given?"
        )
    return dz, argmax.astype(np.intp, copy=False), (N, C, H, W)


def avg_pool2d(x, kernel_size, *, stride=None, padding=0):
    """The mean of every window; cells of the padding count as zeros.

    z[n,c,i,j] = 1/(KH·KW) · Σ x[n,c,h,v] over the pixels (h, v) of the window (i, j)

    x            (N, C, H, W)   images
    kernel_size  int or pair    the window; stride is the same unless given
    padding      int or pair    less than kernel_size
    returns      (N, C, OH, OW)

    Raises ValueError if no window fits, or if one could lie wholly in the padding.
    Gradient: avg_pool2d_backward.  Lesson 07.  Source: definition.

    >>> avg_pool2d([[[[1, 5, 2, 4]]]], (1, 2))
    array([[[[3., 3.]]]])
    """
    (x,) = images("avg_pool2d", x=x)
    place = pool_windows("avg_pool2d", x.shape, kernel_size, stride, padding)
    x = batch_last(x).transpose(1, 2, 3, 0)  # (C, H, W, N)
    z = np.zeros((x.shape[0], *place.output, x.shape[3]), x.dtype)
    for _, outputs, pixels in place.taps():
        z[:, *outputs] += x[:, *pixels]
    z /= math.prod(place.kernel)
    return z.transpose(3, 0, 1, 2)


def avg_pool2d_backward(dz, x_shape, kernel_size, *, stride=None, padding=0):
    """Share every gradient cell equally among the pixels of its window.

    dx[n,c,h,v] = 1/(KH·KW) · Σ dz[n,c,i,j] over the windows (i, j) that cover (h, v)

    dz       (N, C, OH, OW)
    x_shape  (N, C, H, W)
    returns  (N, C, H, W); 0 for a pixel that no window covers

    Raises ValueError if the shapes disagree.
    Forward: avg_pool2d.  Lesson 07.  Source: chain rule on a mean.

    >>> avg_pool2d_backward([[[[2, 4]]]], (1, 1, 1, 3), (1, 2), stride=1)
    array([[[[1., 3., 2.]]]])
    """
    (dz,) = images("avg_pool2d_backward", dz=dz)
    N, C, H, W = image_shape("avg_pool2d_backward", x_shape)
    place = pool_windows("avg_pool2d_backward", x_shape, kernel_size, stride, padding)
    same_shape("avg_pool2d_backward", "dz", dz, (N, C, *place.output), f"as x is {x_shape}")
    share = batch_last(dz).transpose(1, 2, 3, 0) / math.prod(place.kernel)  # (C, OH, OW, N)
    dx = np.zeros((C, H, W, N), dz.dtype)
    for _, outputs, pixels in place.taps():
        dx[:, *pixels] += share[:, *outputs]
    return dx.transpose(3, 0, 1, 2)


def pool_windows(function, x_shape, kernel_size, stride, padding):
    """The windows of a pooling layer, none of which may lie wholly in the padding."""
    stride = kernel_size if stride is None else stride
    place = windows(function, x_shape[2:], kernel_size, stride=stride, padding=padding)
    if place.padding[0] >= place.kernel[0] or place.padding[1] >= place.kernel[1]:
        raise ValueError(
            f"{function}: padding {place.padding} must be less than the window {place.kernel}, "
            "or a window sees no pixel at all"
        )
    return place


class _Pool2d(Layer):
    usual = frozenset(["stride=None", "padding=0"])

    def __init__(self, kernel_size, *, stride=None, padding=0):
        name = type(self).__name__
        pair(kernel_size, f"{name}: kernel_size")
        super().__init__(
            geometry={"kernel_size": kernel_size, "stride": stride, "padding": padding}
        )

    def output_shape(self, x_shape):
        return *x_shape[:2], *pool_windows(type(self).__name__, x_shape, **self.geometry).output


class MaxPool2d(_Pool2d):
    """max_pool2d as a layer; it remembers its input and its winners.

    kernel_size, stride, padding   int or pair; stride is kernel_size unless given

    >>> MaxPool2d(2, stride=3).forward(np.zeros((10, 2, 14, 14))).shape
    (10, 2, 5, 5)
    """

    def forward(self, x, training=False):
        z, self.argmax = max_pool2d(x, **self.geometry)
        self.x = x
        return z

    def backward(self, dz):
        x_shape = np.shape(self.remembered())
        return max_pool2d_backward(dz, self.argmax, x_shape)


class AvgPool2d(_Pool2d):
    """avg_pool2d as a layer.

    kernel_size, stride, padding   int or pair; stride is kernel_size unless given

    >>> AvgPool2d(2).forward(np.zeros((10, 2, 14, 14))).shape
    (10, 2, 7, 7)
    """

    def forward(self, x, training=False):
        z = avg_pool2d(x, **self.geometry)
        self.x = x
        return z

    def backward(self, dz):
        return avg_pool2d_backward(dz, np.shape(self.remembered()), **self.geometry)

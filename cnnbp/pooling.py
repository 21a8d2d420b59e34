"""Pooling: every window hands on one number, its largest or its mean. Nothing to learn.

Loops to read, and beside them the same for all windows of a kernel position at once.
"""

import math

import numpy as np

from cnnbp.layer import Layer
from cnnbp.shape import (
    complaint,
    image_shape,
    images,
    pair,
    pool_windows,
    same_shape,
    samples_first,
    samples_last,
)


def max_pool2d_loops(x, kernel_size, *, stride=None, padding=0):
    """max_pool2d as a search: every pixel of a window, in row order, against the best so far.

    Takes and returns what max_pool2d does; slow, and meant to be read. Lesson 09.

    >>> max_pool2d_loops([[[[1, 5, 2, 5]]]], (1, 2))
    (array([[[[5., 5.]]]]), array([[[[1, 3]]]]))
    """
    (x,) = images(x=x)
    place = pool_windows(x.shape, kernel_size, stride=stride, padding=padding)
    z = np.full((*x.shape[:2], *place.output), -np.inf, x.dtype)
    argmax = np.full(z.shape, -1)  # no pixel yet
    for n, c, i, j in np.ndindex(z.shape):
        for row, column in place.pixels((i, j)):
            value, best = x[n, c, row, column], z[n, c, i, j]
            larger = value > best or (np.isnan(value) and not np.isnan(best))
            if larger or argmax[n, c, i, j] < 0:  # an equal one came first, and stays
                z[n, c, i, j] = value
                argmax[n, c, i, j] = row * x.shape[3] + column
    return z, argmax


def max_pool2d_backward_loops(dz, argmax, x_shape):
    """max_pool2d_backward one window at a time: its dz is added to its winner.

    Takes and returns what max_pool2d_backward does. Lesson 09.

    >>> max_pool2d_backward_loops([[[[1, 2]]]], [[[[1, 1]]]], (1, 1, 1, 3))
    array([[[[0., 3., 0.]]]])
    """
    dz, argmax, (N, C, H, W) = _check_winners(dz, argmax, x_shape)
    dx = np.zeros((N, C, H, W), dz.dtype)
    for n, c, i, j in np.ndindex(dz.shape):
        row, column = divmod(argmax[n, c, i, j], W)
        dx[n, c, row, column] += dz[n, c, i, j]  # added: a pixel can win several windows
    return dx


def max_pool2d(x, kernel_size, *, stride=None, padding=0):
    """The largest value in every window, and which pixel held it.

    x            (N, C, H, W)   images
    kernel_size  int or pair    the window; stride is the same unless given
    padding      int or pair    less than kernel_size; a cell of the padding never wins
    returns      z (N, C, OH, OW), argmax (N, C, OH, OW) of ints: h·W + v of the winner

    The first pixel of a tie wins, in row order. A NaN wins over every number.
    Raises ValueError if no window fits, or if one could lie wholly in the padding.
    Gradient: max_pool2d_backward.  Lesson 09.  Source: definition.

    >>> z, argmax = max_pool2d([[[[1, 5, 2, 5]]]], (1, 2))
    >>> z, argmax
    (array([[[[5., 5.]]]]), array([[[[1, 3]]]]))
    """
    (x,) = images(x=x)
    place = pool_windows(x.shape, kernel_size, stride=stride, padding=padding)
    x = samples_last(x)
    z = np.full((x.shape[0], *place.output, x.shape[3]), -np.inf, x.dtype)
    for _, outputs, pixels in place.taps():
        window_cells = z[:, *outputs]
        np.maximum(window_cells, x[:, *pixels], out=window_cells)
    return samples_first(z), samples_first(_winners(x, z, place))


def _winners(x, z, place):
    """h·W + v of the first pixel in every window that holds the window's maximum z."""
    any_nan = np.isnan(z).any()
    none_yet = np.ones(z.shape, bool)
    before = np.zeros(z.shape, np.min_scalar_type(math.prod(place.kernel)))  # the winner's tap
    for _, outputs, pixels in place.taps():
        none_yet[:, *outputs] &= x[:, *pixels] != z[:, *outputs]
        if any_nan:  # NaN equals nothing, not even itself
            none_yet[:, *outputs] &= ~np.isnan(x[:, *pixels])
        before += none_yet

    W = place.image[1]
    kh, kw = np.indices(place.kernel)
    row, column = place.corner(np.indices(place.output))
    return (kh * W + kw).ravel()[before] + (row * W + column)[..., None]


def max_pool2d_backward(dz, argmax, x_shape):
    """Add every gradient cell to the pixel that won its window.

    dx[n,c,h,v] = Σ dz[n,c,i,j] over the windows (i, j) whose winner is (h, v)

    dz, argmax  (N, C, OH, OW)   argmax as max_pool2d returns it
    x_shape     (N, C, H, W)
    returns     (N, C, H, W); 0 for a pixel that won nothing

    Raises ValueError if the shapes disagree or argmax points outside the image.
    Forward: max_pool2d.  Lesson 09.  Source: the gradient of a maximum is 1 for the winner.

    >>> max_pool2d_backward([[[[1, 2]]]], [[[[1, 1]]]], (1, 1, 1, 3))
    array([[[[0., 3., 0.]]]])
    """
    dz, argmax, (N, C, H, W) = _check_winners(dz, argmax, x_shape)
    # Samples last, pixel p of channel c and sample n lies at (c·H·W + p)·N + n.
    first = (np.arange(C) * H * W).reshape(C, 1, 1, 1)
    cells = (samples_last(argmax) + first) * N + np.arange(N)
    dx = np.zeros(C * H * W * N, dz.dtype)
    np.add.at(dx, cells.ravel(), samples_last(dz).ravel())
    return samples_first(dx.reshape(C, H, W, N))


def _check_winners(dz, argmax, x_shape):
    (dz,) = images(dz=dz)
    argmax = np.asarray(argmax)
    N, C, H, W = image_shape(x_shape)
    same_shape("argmax", argmax, dz.shape, "the shape of dz")
    same_shape("dz", dz, (N, C, *dz.shape[2:]), f"as x is {x_shape}")
    if argmax.dtype.kind not in "iu":
        raise complaint(TypeError, f"argmax must hold ints, not {argmax.dtype}")
    if argmax.size and (argmax.min() < 0 or argmax.max() >= H * W):
        raise complaint(
            ValueError,
            f"argmax points outside an image of {H}·{W} pixels; "
            "its entries are h·W + v. Is x_shape the shape that max_pool2d was given?",
        )
    return dz, argmax.astype(np.intp, copy=False), (N, C, H, W)


def avg_pool2d_loops(x, kernel_size, *, stride=None, padding=0):
    """avg_pool2d as the sum it is: every pixel of a window gives its share.

    Takes and returns what avg_pool2d does; slow, and meant to be read. Lesson 09.

    >>> avg_pool2d_loops([[[[1, 5, 2, 4]]]], (1, 2))
    array([[[[3., 3.]]]])
    """
    (x,) = images(x=x)
    place = pool_windows(x.shape, kernel_size, stride=stride, padding=padding)
    z = np.zeros((*x.shape[:2], *place.output), x.dtype)
    for n, c, i, j in np.ndindex(z.shape):
        for row, column in place.pixels((i, j)):
            z[n, c, i, j] += x[n, c, row, column] / math.prod(place.kernel)
    return z


def avg_pool2d_backward_loops(dz, x_shape, kernel_size, *, stride=None, padding=0):
    """avg_pool2d_backward as the forward loops, run once more: every pixel gets its share back.

    Takes and returns what avg_pool2d_backward does. Lesson 09.

    >>> avg_pool2d_backward_loops([[[[2, 4]]]], (1, 1, 1, 3), (1, 2), stride=1)
    array([[[[1., 3., 2.]]]])
    """
    dz, place = _check_average(dz, x_shape, kernel_size, stride, padding)
    dx = np.zeros(x_shape, dz.dtype)
    for n, c, i, j in np.ndindex(dz.shape):
        for row, column in place.pixels((i, j)):
            dx[n, c, row, column] += dz[n, c, i, j] / math.prod(place.kernel)
    return dx


def avg_pool2d(x, kernel_size, *, stride=None, padding=0):
    """The mean of every window; cells of the padding count as zeros.

    z[n,c,i,j] = 1/(KH·KW) · Σ x[n,c,h,v] over the pixels (h, v) of the window (i, j)

    x            (N, C, H, W)   images
    kernel_size  int or pair    the window; stride is the same unless given
    padding      int or pair    less than kernel_size
    returns      (N, C, OH, OW)

    Raises ValueError if no window fits, or if one could lie wholly in the padding.
    Gradient: avg_pool2d_backward.  Lesson 09.  Source: definition.

    >>> avg_pool2d([[[[1, 5, 2, 4]]]], (1, 2))
    array([[[[3., 3.]]]])
    """
    (x,) = images(x=x)
    place = pool_windows(x.shape, kernel_size, stride=stride, padding=padding)
    x = samples_last(x)
    z = np.zeros((x.shape[0], *place.output, x.shape[3]), x.dtype)
    for _, outputs, pixels in place.taps():
        z[:, *outputs] += x[:, *pixels]
    z /= math.prod(place.kernel)
    return samples_first(z)


def avg_pool2d_backward(dz, x_shape, kernel_size, *, stride=None, padding=0):
    """Share every gradient cell equally among the pixels of its window.

    dx[n,c,h,v] = 1/(KH·KW) · Σ dz[n,c,i,j] over the windows (i, j) that cover (h, v)

    dz       (N, C, OH, OW)
    x_shape  (N, C, H, W)
    returns  (N, C, H, W); 0 for a pixel that no window covers

    Raises ValueError if the shapes disagree.
    Forward: avg_pool2d.  Lesson 09.  Source: chain rule on a mean.

    >>> avg_pool2d_backward([[[[2, 4]]]], (1, 1, 1, 3), (1, 2), stride=1)
    array([[[[1., 3., 2.]]]])
    """
    dz, place = _check_average(dz, x_shape, kernel_size, stride, padding)
    share = samples_last(dz) / math.prod(place.kernel)
    dx = np.zeros((share.shape[0], *place.image, share.shape[3]), dz.dtype)
    for _, outputs, pixels in place.taps():
        dx[:, *pixels] += share[:, *outputs]
    return samples_first(dx)


def _check_average(dz, x_shape, kernel_size, stride, padding):
    (dz,) = images(dz=dz)
    N, C, *_ = image_shape(x_shape)
    place = pool_windows(x_shape, kernel_size, stride=stride, padding=padding)
    same_shape("dz", dz, (N, C, *place.output), f"as x is {x_shape}")
    return dz, place


class _Pool2d(Layer):
    usual = frozenset(["stride=None", "padding=0"])

    def __init__(self, kernel_size, *, stride=None, padding=0):
        pair(kernel_size, "kernel_size")
        pair(kernel_size if stride is None else stride, "stride")
        pair(padding, "padding", minimum=0)
        super().__init__(options={"kernel_size": kernel_size, "stride": stride, "padding": padding})

    def output_shape(self, x_shape):
        return *x_shape[:2], *pool_windows(x_shape, **self.options).output


class MaxPool2d(_Pool2d):
    """max_pool2d as a layer; it remembers its input and its winners.

    kernel_size, stride, padding   int or pair; stride is kernel_size unless given

    >>> MaxPool2d(2, stride=3).forward(np.zeros((10, 2, 14, 14))).shape
    (10, 2, 5, 5)
    """

    def forward(self, x, training=False):
        z, self.argmax = max_pool2d(x, **self.options)
        self.x = x
        return z

    def backward(self, dz):
        x_shape = np.shape(self.remembered())
        return max_pool2d_backward(dz, self.argmax, x_shape)

    def tangent(self, v):
        N, C, *_ = np.shape(v)
        n, c = np.ogrid[:N, :C]
        return np.reshape(v, (N, C, -1))[n[..., None, None], c[..., None, None], self.argmax]


class AvgPool2d(_Pool2d):
    """avg_pool2d as a layer.

    kernel_size, stride, padding   int or pair; stride is kernel_size unless given

    >>> AvgPool2d(2).forward(np.zeros((10, 2, 14, 14))).shape
    (10, 2, 7, 7)
    """

    def forward(self, x, training=False):
        z = avg_pool2d(x, **self.options)
        self.x = x
        return z

    def backward(self, dz):
        return avg_pool2d_backward(dz, np.shape(self.remembered()), **self.options)

    def tangent(self, v):
        return avg_pool2d(v, **self.options)


class GlobalMaxPool2d(MaxPool2d):
    """The maximum of every map: max pooling with one window, as large as the image.

    What stands anywhere counts the same everywhere, so that the layers behind it do not know where
    it stood.

    >>> GlobalMaxPool2d().forward(np.zeros((10, 2, 14, 14))).shape
    (10, 2, 1, 1)
    """

    usual = frozenset()

    def __init__(self):
        Layer.__init__(self)

    def forward(self, x, training=False):
        """As MaxPool2d's; the window is the image that it is given."""
        _, _, *image = image_shape(np.shape(x))
        self.options = {"kernel_size": tuple(image), "stride": None, "padding": 0}
        return super().forward(x, training)

    def output_shape(self, x_shape):
        return *x_shape[:2], 1, 1

    def __repr__(self):
        return "GlobalMaxPool2d()"

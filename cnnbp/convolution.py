"""Convolution: every filter looks through a window that slides over the image.

Loops to read, and beside them the same sums as one matrix product.
"""

import math

import numpy as np

from cnnbp.layer import Layer, random_weights
from cnnbp.shape import (
    complaint,
    conv_windows,
    floats,
    image_shape,
    images,
    own_channel,
    pair,
    positive,
    same_shape,
    samples_first,
    samples_last,
    windows,
)


def conv2d_loops(x, w, b=None, *, stride=1, padding=0, dilation=1, groups=1):
    """conv2d written as the sum it is: one product at a time.

    Takes and returns what conv2d does; slow, and meant to be read. Lesson 06.

    >>> conv2d_loops(np.arange(4.0).reshape(1, 1, 1, 4), [[[[-1.0, 1.0]]]])
    array([[[[1., 1., 1.]]]])
    """
    x, w, b, place = _check(x, w, b, stride, padding, dilation, groups)
    z = np.zeros((len(x), len(w), *place.output), x.dtype)
    if b is not None:
        z += b
    for n, f, i, j in np.ndindex(z.shape):
        for c, kh, kw in np.ndindex(w.shape[1:]):
            channel = own_channel(f, c, w.shape, groups)
            row = i * place.stride[0] + kh * place.dilation[0] - place.padding[0]
            column = j * place.stride[1] + kw * place.dilation[1] - place.padding[1]
            if 0 <= row < x.shape[2] and 0 <= column < x.shape[3]:  # else padding
                z[n, f, i, j] += x[n, channel, row, column] * w[f, c, kh, kw]
    return z


def conv2d_backward_loops(dz, x, w, *, stride=1, padding=0, dilation=1, groups=1):
    """conv2d_backward as the forward loops, run once more.

    Wherever the forward pass made the product x·w, the backward pass sends dz·w to that x and
    dz·x to that w. Takes and returns what conv2d_backward does. Lesson 08.

    >>> dx, dw, db = conv2d_backward_loops([[[[1.0, 0, 2]]]], [[[[1.0, 2, 3, 4]]]], [[[[5.0, 6]]]])
    >>> dx, dw, db
    (array([[[[ 5.,  6., 10., 12.]]]]), array([[[[ 7., 10.]]]]), array([[[3.]]]))
    """
    dz, x, w, place = _check_backward(dz, x, w, stride, padding, dilation, groups)
    dx, dw, db = np.zeros_like(x), np.zeros_like(w), np.zeros((len(w), 1, 1), x.dtype)
    for n, f, i, j in np.ndindex(dz.shape):
        db[f] += dz[n, f, i, j]
        for c, kh, kw in np.ndindex(w.shape[1:]):
            channel = own_channel(f, c, w.shape, groups)
            row = i * place.stride[0] + kh * place.dilation[0] - place.padding[0]
            column = j * place.stride[1] + kw * place.dilation[1] - place.padding[1]
            if 0 <= row < x.shape[2] and 0 <= column < x.shape[3]:
                dx[n, channel, row, column] += dz[n, f, i, j] * w[f, c, kh, kw]
                dw[f, c, kh, kw] += dz[n, f, i, j] * x[n, channel, row, column]
    return dx, dw, db


def im2col(x, kernel_size, *, stride=1, padding=0, dilation=1):
    """Every window of every image as one column, so that convolving is one matrix product.

    columns[c·KH·KW + kh·KW + kw, (i·OW + j)·N + n] is the pixel that kernel position (kh, kw)
    meets in channel c of sample n when the window is at (i, j); 0 in the padding.

    x        (N, C, H, W)
    returns  (C·KH·KW, OH·OW·N)

    Raises ValueError if x is not four-dimensional or the window larger than the padded image.
    Adjoint: col2im.  Lesson 13.

    >>> im2col([[[[1, 2, 3, 4]]]], (1, 2))
    array([[1., 2., 3.],
           [2., 3., 4.]])
    """
    (x,) = images(x=x)
    place = windows(x.shape, kernel_size, stride=stride, padding=padding, dilation=dilation)
    return _im2col(x, place)


def _im2col(x, place):
    N, C = x.shape[:2]
    new = np.zeros if any(place.padding) else np.empty  # what no pixel fills is padding
    columns = new((C, *place.kernel, *place.output, N), x.dtype)
    x = samples_last(x)
    for tap, outputs, pixels in place.taps():
        columns[:, *tap, *outputs] = x[:, *pixels]
    return columns.reshape(C * math.prod(place.kernel), math.prod(place.output) * N)


def col2im(columns, x_shape, kernel_size, *, stride=1, padding=0, dilation=1):
    """Add every column back onto the pixels it was taken from: the exact adjoint of im2col.

    A pixel that several windows see is the sum of its entries; one that none sees is 0.

    columns  (C·KH·KW, OH·OW·N)
    x_shape  (N, C, H, W)
    returns  (N, C, H, W), samples last in memory

    Raises ValueError if columns does not have the shape that im2col gives.
    Adjoint: ⟨im2col(x), y⟩ = ⟨x, col2im(y)⟩.  Lesson 13.

    >>> col2im([[1, 2, 3], [10, 20, 30]], (1, 1, 1, 4), (1, 2))
    array([[[[ 1., 12., 23., 30.]]]])
    """
    (columns,) = floats(columns=columns)
    N, C, *image = image_shape(x_shape)
    place = windows(image, kernel_size, stride=stride, padding=padding, dilation=dilation)
    expected = (C * math.prod(place.kernel), math.prod(place.output) * N)
    same_shape("columns", columns, expected, f"as im2col gives for x {tuple(x_shape)}")
    return _col2im(columns, N, C, place)


def _col2im(columns, N, C, place):
    columns = columns.reshape(C, *place.kernel, *place.output, N)
    x = np.zeros((C, *place.image, N), columns.dtype)
    for tap, outputs, pixels in place.taps():
        x[:, *pixels] += columns[:, *tap, *outputs]
    return samples_first(x)


def conv2d(x, w, b=None, *, stride=1, padding=0, dilation=1, groups=1):
    """Slide every filter over every image (a cross-correlation: the kernel is not rotated).

    z[n,f,i,j] = b[f] + Σ_c Σ_kh Σ_kw x[n, c, i·stride + kh·dilation − padding, …] · w[f,c,kh,kw]

    x        (N, C, H, W)            images
    w        (F, C/groups, KH, KW)   filters; filter f sees the channels of its group only
    b        (F, 1, 1) or None       one bias for each filter
    returns  (N, F, OH, OW)          OH = (H + 2·padding − dilation·(KH − 1) − 1) // stride + 1

    Raises ValueError if channels, groups or bias disagree or no window fits, TypeError if an
    array does not hold real numbers. NaN spreads to every window that sees it; an empty batch
    gives an empty batch.
    Gradient: conv2d_backward.  Lesson 06.  Source: definition of a discrete cross-correlation.

    >>> conv2d([[[[0, 1, 4, 9]]]], [[[[-1, 1]]]], stride=(1, 2))
    array([[[[1., 5.]]]])
    """
    x, w, b, place = _check(x, w, b, stride, padding, dilation, groups)
    N, F = len(x), len(w)
    columns = _im2col(x, place)
    z = _by_group(w, groups) @ _by_group(columns, groups)  # (groups, F/groups, OH·OW·N)
    z = z.reshape(F, *place.output, N)
    if b is not None:
        z += b[..., None]
    return samples_first(z)


def conv2d_backward(dz, x, w, *, stride=1, padding=0, dilation=1, groups=1):
    """The gradients of a loss by conv2d's x, w and b, given its gradient dz by conv2d's z.

    dw[f,c,kh,kw] = Σ_n Σ_i Σ_j dz[n,f,i,j] · x[n, c, i·stride + kh·dilation − padding, …]
    dx[n,c,h,v]   = Σ_f Σ dz[n,f,i,j] · w[f,c,kh,kw] over the windows (i, j) that cover (h, v)
    db[f]         = Σ_n Σ_i Σ_j dz[n,f,i,j]

    dz       (N, F, OH, OW)
    x        (N, C, H, W)            as given to conv2d
    w        (F, C/groups, KH, KW)   as given to conv2d
    returns  dx (N, C, H, W), dw (F, C/groups, KH, KW), db (F, 1, 1)

    Raises ValueError if a shape disagrees.
    Forward: conv2d.  Lessons 07 and 08.  Source: chain rule on conv2d's sum.

    >>> dx, dw, db = conv2d_backward([[[[1, 0, 2]]]], [[[[1, 2, 3, 4]]]], [[[[5, 6]]]])
    >>> dx, dw, db
    (array([[[[ 5.,  6., 10., 12.]]]]), array([[[[ 7., 10.]]]]), array([[[3.]]]))
    """
    dz, x, w, place = _check_backward(dz, x, w, stride, padding, dilation, groups)
    x_columns = _by_group(_im2col(x, place), groups)
    dz_rows = _by_group(samples_last(dz), groups)  # (groups, F/groups, OH·OW·N)
    dw_transposed = x_columns @ dz_rows.transpose(0, 2, 1)  # twice as fast as dz_rows x_columnsᵀ
    dx_columns = x_columns  # these are done with: their memory takes the columns of dx
    np.matmul(_by_group(w, groups).transpose(0, 2, 1), dz_rows, out=dx_columns)
    dx = _col2im(dx_columns, *x.shape[:2], place)
    dw = dw_transposed.transpose(0, 2, 1).reshape(w.shape)
    db = dz_rows.sum(axis=2).reshape(-1, 1, 1)
    return dx, dw, db


def _by_group(array, groups):
    """The first axis divided among the groups, all later axes as one: (groups, rows, ...)."""
    return array.reshape(groups, len(array) // groups, array[0].size)


def _check(x, w, b, stride, padding, dilation, groups):
    """conv2d's arguments as arrays of one dtype, with the windows; or the error that helps."""
    if b is None:
        x, w = images(x=x, w=w)
    else:
        x, w, b = floats(x=x, w=w, b=b)
        x, w = images(x=x, w=w)
        same_shape("b", b, (len(w), 1, 1), f"(F, 1, 1) for the filters w {w.shape}")
    options = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}
    place = conv_windows(x.shape, w.shape, **options)
    return x, w, b, place


def _check_backward(dz, x, w, stride, padding, dilation, groups):
    x, w, _, place = _check(x, w, None, stride, padding, dilation, groups)
    dz, x, w = floats(dz=dz, x=x, w=w)
    z_shape = (len(x), len(w), *place.output)
    same_shape("dz", dz, z_shape, f"the shape of z for x {x.shape} and w {w.shape}")
    return dz, x, w, place


class Conv2d(Layer):
    """conv2d with its filters and biases.

    in_channels, out_channels   C and F
    kernel_size                 int or pair (KH, KW), as stride, padding and dilation
    groups                      divides C and F; a filter sees C/groups channels
    gain, rng                   weights have standard deviation gain/√(C/groups·KH·KW), drawn
                                from rng (a numpy Generator or a seed); √2 suits a ReLU behind it
    bias                        False for a layer without b

    params  w (F, C/groups, KH, KW), b (F, 1, 1) zeros

    >>> layer = Conv2d(3, 2, (3, 2), stride=2)
    >>> layer.forward(np.zeros((10, 3, 29, 28))).shape
    (10, 2, 14, 14)
    """

    usual = frozenset(["stride=1", "padding=0", "dilation=1", "groups=1"])

    def __init__(
        self,
        in_channels,
        out_channels,
        kernel_size,
        *,
        stride=1,
        padding=0,
        dilation=1,
        groups=1,
        gain=2**0.5,
        bias=True,
        dtype=np.float64,
        rng=None,
    ):
        positive(in_channels, "in_channels")
        positive(out_channels, "out_channels")
        positive(groups, "groups")
        options = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}
        for name, value in options.items():
            pair(value, name, minimum=int(name != "padding"))
        if in_channels % groups or out_channels % groups:
            raise complaint(
                ValueError,
                f"groups {groups} must divide both {in_channels} input channels "
                f"and {out_channels} filters",
            )
        w_shape = (out_channels, in_channels // groups, *pair(kernel_size, "kernel_size"))
        params = {"w": random_weights(w_shape, gain, dtype, rng)}
        if bias:
            params["b"] = np.zeros((out_channels, 1, 1), dtype)
        super().__init__(params, options)

    def forward(self, x, training=False):
        z = conv2d(x, **self.params, **self.options)
        self.x = x
        return z

    def backward(self, dz):
        dx, dw, db = conv2d_backward(dz, self.remembered(), self.params["w"], **self.options)
        self.keep_gradients(w=dw, b=db)
        return dx

    def tangent(self, v):
        return conv2d(v, self.params["w"], **self.options)

    def output_shape(self, x_shape):
        w = self.params["w"]
        place = conv_windows(x_shape, w.shape, **self.options)
        return x_shape[0], len(w), *place.output

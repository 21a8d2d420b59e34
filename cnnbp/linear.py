"""The fully connected layer, with its batch in columns, and the flattening in front of it."""

import math

import numpy as np

from cnnbp.layer import Layer, random_weights
from cnnbp.shape import (
    complaint,
    floats,
    image_shape,
    images,
    positive,
    same_shape,
    samples_first,
    samples_last,
)


def flatten(x):
    """Every image as one column.

    flat[(c·H + h)·W + v, n] = x[n,c,h,v]

    x        (N, C, H, W)
    returns  (C·H·W, N), a view of x if it lies samples last in memory

    Raises ValueError if x is not four-dimensional.
    Gradient: flatten_backward.  Lesson 03.  Source: definition.

    >>> flatten(np.arange(8).reshape(2, 1, 2, 2))
    array([[0., 4.],
           [1., 5.],
           [2., 6.],
           [3., 7.]])
    """
    (x,) = images(x=x)
    N, C, H, W = x.shape
    return samples_last(x).reshape(C * H * W, N)


def flatten_backward(dz, x_shape):
    """The columns folded back into images: transposed first, then reshaped.

    dz       (C·H·W, N)
    x_shape  (N, C, H, W)
    returns  (N, C, H, W), a view of dz where its layout allows

    Raises ValueError if dz does not have one column of C·H·W numbers for each image.
    Forward: flatten.  Lesson 03.  Source: flattening moves numbers and changes none.

    >>> flatten_backward([[0, 4], [1, 5], [2, 6], [3, 7]], (2, 1, 2, 2))[1, 0]
    array([[4., 5.],
           [6., 7.]])
    """
    (dz,) = floats(dz=dz)
    N, C, H, W = image_shape(x_shape)
    same_shape("dz", dz, (C * H * W, N), f"(C·H·W, N) for x {(N, C, H, W)}")
    return samples_first(samples_last(dz.T.reshape(N, C, H, W)))


def linear(x, w, b=None):
    """A matrix product with the batch in columns, and a bias for each output.

    z[m,n] = b[m] + Σ_d w[m,d] · x[d,n]

    x        (D, N)
    w        (M, D)
    b        (M, 1) or None
    returns  (M, N)

    Raises ValueError if the shapes disagree.
    Gradient: linear_backward.  Lesson 03.  Source: definition.

    >>> linear([[1], [2]], [[3, 4]], [[0.5]])
    array([[11.5]])
    """
    x, w = floats(x=x, w=w)
    _check(x, w)
    if b is None:
        return w @ x
    (b,) = floats(b=b)
    same_shape("b", b, (len(w), 1), f"(M, 1), one bias for each row of w {w.shape}")
    return w @ x + b


def linear_backward(dz, x, w):
    """The gradients of a loss by linear's x, w and b, given its gradient dz by linear's z.

    dx = wᵀ dz      dw = dz xᵀ      db = the sum of dz's columns

    dz       (M, N)
    x        (D, N)   as given to linear
    w        (M, D)   as given to linear
    returns  dx (D, N), dw (M, D), db (M, 1)

    Raises ValueError if the shapes disagree.
    Forward: linear.  Lesson 03.  Source: chain rule on linear's sum.

    >>> linear_backward([[2]], [[1], [2]], [[3, 4]])
    (array([[6.],
           [8.]]), array([[2., 4.]]), array([[2.]]))
    """
    dz, x, w = floats(dz=dz, x=x, w=w)
    _check(x, w, dz)
    z_shape = (len(w), x.shape[1])
    same_shape("dz", dz, z_shape, f"the shape of z for x {x.shape}, w {w.shape}")
    return w.T @ dz, dz @ x.T, dz.sum(axis=1, keepdims=True)


def _check(x, w, dz=None):
    """Raise ValueError unless w takes x's features; x.T is a remedy only if it suits dz, too."""
    if x.ndim != 2 or w.ndim != 2:
        raise complaint(
            ValueError,
            f"x must be (D, N) and w (M, D), but x is {x.shape} and w {w.shape}"
            + _columns_remedy(x.shape, w.shape),
        )
    if x.shape[0] != w.shape[1]:
        transposed = x.shape[1] == w.shape[1] and (dz is None or dz.shape[-1:] == x.shape[:1])
        raise complaint(
            ValueError,
            f"w {w.shape} expects {w.shape[1]} features but x {x.shape} "
            f"has {x.shape[0]}." + " Did you mean x.T? The batch stands in columns." * transposed,
        )


def _columns_remedy(x_shape, w_shape):
    """How x becomes columns that w takes, or nothing where it does not."""
    features = w_shape[-1:]
    if len(x_shape) == 4 and features == (math.prod(x_shape[1:]),):
        return ". Images? flatten(x) makes a column of each."
    if len(x_shape) == 1 and features == x_shape:
        return ". One sample? Give x[:, None]."
    return ""


class Flatten(Layer):
    """flatten as a layer: (N, C, H, W) -> (C·H·W, N).

    >>> Flatten().forward(np.zeros((10, 2, 5, 5))).shape
    (50, 10)
    """

    def forward(self, x, training=False):
        z = flatten(x)
        self.x = x
        return z

    def backward(self, dz):
        return flatten_backward(dz, np.shape(self.remembered()))

    def tangent(self, v):
        return flatten(v)

    def output_shape(self, x_shape):
        N, C, H, W = x_shape
        return C * H * W, N


class Linear(Layer):
    """linear with its weights and biases.

    in_features, out_features   D and M
    gain, rng                   weights have standard deviation gain/√D, drawn from rng (a numpy
                                Generator or a seed); √2 suits a ReLU behind it
    bias                        False for a layer without b

    params  w (M, D), b (M, 1) zeros

    >>> Linear(50, 32).forward(np.zeros((50, 10))).shape
    (32, 10)
    """

    def __init__(
        self, in_features, out_features, *, gain=2**0.5, bias=True, dtype=np.float64, rng=None
    ):
        positive(in_features, "in_features")
        positive(out_features, "out_features")
        params = {"w": random_weights((out_features, in_features), gain, dtype, rng)}
        if bias:
            params["b"] = np.zeros((out_features, 1), dtype)
        super().__init__(params)

    def forward(self, x, training=False):
        z = linear(x, **self.params)
        self.x = x
        return z

    def backward(self, dz):
        dx, dw, db = linear_backward(dz, self.remembered(), self.params["w"])
        self.keep_gradients(w=dw, b=db)
        return dx

    def tangent(self, v):
        return self.params["w"] @ v

    def output_shape(self, x_shape):
        return len(self.params["w"]), x_shape[1]

"""Activations: a function of each cell alone, so its gradient is a factor for each cell."""

import numpy as np

from cnnbp.layer import Elementwise
from cnnbp.shape import floats, real, same_shape


def relu(x):
    """The positive part of every cell.

    x        any shape
    returns  the same shape, max(x, 0); NaN stays NaN

    Gradient: relu_backward.  Lesson 04.  Source: definition.

    >>> relu([-1, 0, 2])
    array([0., 0., 2.])
    """
    (x,) = floats(x=x)
    return np.maximum(x, 0)


def relu_backward(dz, x):
    """Pass the gradient where x was positive, stop it elsewhere.

    dx = dz where x > 0, else 0. At 0 itself, where the slope jumps, it is 0 here.

    dz, x    the same shape
    returns  that shape

    Raises ValueError if the shapes differ.
    Forward: relu.  Lesson 04.  Source: slope of max(x, 0).

    >>> relu_backward([10, 20, 30], [-1, 0, 2])
    array([ 0.,  0., 30.])
    """
    dz, x = _same(dz, x)
    return np.where(x > 0, dz, 0)  # a product would turn −1·0 into −0 and inf·0 into NaN


def leaky_relu(x, slope=0.01):
    """Like relu, but a negative cell is multiplied by a small slope in place of 0.

    x        any shape
    slope    float          0.01 unless given
    returns  the same shape, x where x > 0, else slope·x; NaN stays NaN

    Gradient: leaky_relu_backward.  Lesson 04.  Source: definition.

    >>> leaky_relu([-1, 0, 2], slope=0.25)
    array([-0.25,  0.  ,  2.  ])
    """
    (x,) = floats(x=x)
    real(slope, "slope")
    return np.where(x > 0, x, float(slope) * x)  # np.float64 would make float32 wider


def leaky_relu_backward(dz, x, slope=0.01):
    """Pass the gradient where x was positive, multiply it by the slope elsewhere.

    dx = dz where x > 0, else slope·dz. At 0 itself, where the slope jumps, it is slope·dz here.

    dz, x    the same shape
    slope    as given to leaky_relu
    returns  that shape

    Raises ValueError if the shapes differ.
    Forward: leaky_relu.  Lesson 04.  Source: slopes of the two straight pieces.

    >>> leaky_relu_backward([10, 20, 30], [-1, 0, 2], slope=0.25)
    array([ 2.5,  5. , 30. ])
    """
    dz, x = _same(dz, x)
    real(slope, "slope")
    return np.where(x > 0, dz, float(slope) * dz)


def sigmoid(x):
    """Every cell squeezed between 0 and 1.

    z = 1 / (1 + exp(−x)), computed from exp(−|x|), which cannot overflow

    x        any shape
    returns  the same shape; NaN stays NaN

    Gradient: sigmoid_backward.  Lesson 04.  Source: definition.

    >>> sigmoid([-1000, 0, 1000])
    array([0. , 0.5, 1. ])
    """
    (x,) = floats(x=x)
    e = np.exp(-np.abs(x))
    return np.where(x < 0, e, 1) / (1 + e)


def sigmoid_backward(dz, x):
    """The gradient times the slope of the sigmoid, which is 1/4 at most.

    dx = dz · σ(x) · (1 − σ(x)), where 1 − σ(x) = σ(−x)

    dz, x    the same shape
    returns  that shape

    Raises ValueError if the shapes differ.
    Forward: sigmoid.  Lesson 04.  Source: quotient rule on 1 / (1 + exp(−x)).

    >>> sigmoid_backward([10, 20, 30], [-1000, 0, 1000])
    array([0., 5., 0.])
    """
    dz, x = _same(dz, x)
    return dz * sigmoid(x) * sigmoid(-x)  # 1 − σ(x) would round to 0 from x = 37 on


def tanh(x):
    """Every cell squeezed between −1 and 1.

    x        any shape
    returns  the same shape, (exp(x) − exp(−x)) / (exp(x) + exp(−x)); NaN stays NaN

    Gradient: tanh_backward.  Lesson 04.  Source: definition.

    >>> tanh([-1000, 0, 1000])
    array([-1.,  0.,  1.])
    """
    (x,) = floats(x=x)
    return np.tanh(x)


def tanh_backward(dz, x):
    """The gradient times the slope of tanh, which is 1 at most.

    dx = dz · (1 − tanh(x)²), exactly 0 where tanh rounds to ±1 (from |x| = 19 on in float64)

    dz, x    the same shape
    returns  that shape

    Raises ValueError if the shapes differ.
    Forward: tanh.  Lesson 04.  Source: quotient rule on tanh = sinh / cosh.

    >>> tanh_backward([10, 20, 30], [-1000, 0, 1000])
    array([ 0., 20.,  0.])
    """
    dz, x = _same(dz, x)
    return dz * (1 - np.tanh(x) ** 2)


def _same(dz, x):
    dz, x = floats(dz=dz, x=x)
    same_shape("dz", dz, x.shape, "the shape of x")
    return dz, x


class ReLU(Elementwise):
    """relu as a layer.

    >>> ReLU().forward([[-1.0, 2.0]])
    array([[0., 2.]])
    """

    function = staticmethod(relu)
    backward_function = staticmethod(relu_backward)


class LeakyReLU(Elementwise):
    """leaky_relu as a layer.

    slope   what a negative cell is multiplied by

    >>> LeakyReLU(slope=0.25).forward([[-1.0, 2.0]])
    array([[-0.25,  2.  ]])
    """

    function = staticmethod(leaky_relu)
    backward_function = staticmethod(leaky_relu_backward)

    def __init__(self, slope=0.01):
        real(slope, "slope")
        super().__init__(options={"slope": slope})


class Sigmoid(Elementwise):
    """sigmoid as a layer.

    >>> Sigmoid().forward([[-1000.0, 0.0]])
    array([[0. , 0.5]])
    """

    function = staticmethod(sigmoid)
    backward_function = staticmethod(sigmoid_backward)


class Tanh(Elementwise):
    """tanh as a layer.

    >>> Tanh().forward([[-1000.0, 0.0]])
    array([[-1.,  0.]])
    """

    function = staticmethod(tanh)
    backward_function = staticmethod(tanh_backward)

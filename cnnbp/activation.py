"""Activations: a function of each cell alone, so its gradient is a factor for each cell."""

import numpy as np

from cnnbp.layer import Elementwise
from cnnbp.shape import floats, same_shape


def relu(x):
    """The positive part of every cell.

    x        any shape
    returns  the same shape, max(x, 0); NaN stays NaN

    Gradient: relu_backward.  Lesson 04.  Source: definition.

    >>> relu([-1, 0, 2])
    array([0., 0., 2.])
    """
    (x,) = floats("relu", x=x)
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
    dz, x = _same("relu_backward", dz, x)
    return np.where(x > 0, dz, 0)  # a product would turn −1·0 into −0 and inf·0 into NaN


def _same(function, dz, x):
    dz, x = floats(function, dz=dz, x=x)
    same_shape(function, "dz", dz, x.shape, "the shape of x")
    return dz, x


class ReLU(Elementwise):
    """relu as a layer.

    >>> ReLU().forward([[-1.0, 2.0]])
    array([[0., 2.]])
    """

    function = staticmethod(relu)
    backward_function = staticmethod(relu_backward)

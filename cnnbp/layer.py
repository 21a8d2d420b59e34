"""What every layer has: parameters, their gradients, and the memory of its last input."""

import numpy as np

from cnnbp.shape import complaint, float_dtype, real


class Layer:
    """Memory around functions: `forward(x, training=False) -> z`, then `backward(dz) -> dx`.

    params    dict of arrays, which an optimizer changes in place; empty for most layers
    grads     dict of arrays under the same keys; zeros until backward overwrites them
    options   dict of the keywords its functions take (stride, padding, ...)

    The mathematics is in the functions; a layer only remembers what they need.

    tangent(v)  how z moves, to first order, when the last forward pass's x moves along v; the
                transpose of backward: ⟨dz, tangent(v)⟩ = ⟨backward(dz), v⟩
    """

    x = None  # the last forward pass's input
    usual = frozenset()  # options that its repr leaves out

    def __init__(self, params=None, options=None):
        self._params = params or {}
        self._grads = {name: np.zeros_like(array) for name, array in self._params.items()}
        self.options = options or {}

    @property
    def params(self):
        return self._params

    @property
    def grads(self):
        return self._grads

    def output_shape(self, x_shape):
        """The shape of z for an x of this shape."""
        return tuple(x_shape)

    def remembered(self):
        """The last forward pass's x, or a ValueError if there was none."""
        if self.x is None:
            raise complaint(
                ValueError, "backward needs the input of a forward pass; call forward(x) first"
            )
        return self.x

    def keep_gradients(self, **gradients):
        """Overwrite the grads of the parameters that the layer has; it may have no bias."""
        self.grads.update((name, gradients[name]) for name in self.params)

    def __repr__(self):
        shapes = [f"{name} {array.shape}" for name, array in self.params.items()]
        options = [f"{name}={value}" for name, value in self.options.items()]
        unusual = [option for option in options if option not in self.usual]
        return f"{type(self).__name__}({', '.join(shapes + unusual)})"


def check_layer(layer):
    """Raise TypeError unless it has what layers and networks have.

    >>> check_layer({"w": 1})
    Traceback (most recent call last):
        ...
    TypeError: check_layer: needs a layer or a network, with forward, backward, params \
and grads, not dict
    """
    parts = "forward", "backward", "params", "grads"
    if isinstance(layer, type) or not all(hasattr(layer, part) for part in parts):
        given = f"the class {layer.__name__}" if isinstance(layer, type) else type(layer).__name__
        raise complaint(
            TypeError,
            f"needs a layer or a network, with forward, backward, params and grads, not {given}",
        )


class Elementwise(Layer):
    """A layer made of a pair of functions: z = function(x), dx = backward_function(dz, x)."""

    def forward(self, x, training=False):
        z = self.function(x, **self.options)
        self.x = x
        return z

    def backward(self, dz):
        return self.backward_function(dz, self.remembered(), **self.options)

    def tangent(self, v):
        return self.backward(v)  # a factor for each cell is its own transpose


def random_weights(shape, gain, dtype, rng):
    """Normal weights of standard deviation gain/√fan_in; fan_in counts what one output sums.

    shape  (outputs, ...), so fan_in is the product of all axes but the first
    rng    numpy Generator, a seed, or None for different weights every time

    Raises TypeError unless the dtype is one of real numbers, and the gain a finite one.

    >>> random_weights((1000, 400), 2.0, np.float64, 0).std().round(2)
    np.float64(0.1)
    """
    float_dtype(dtype)
    real(gain, "gain")
    scale = gain / np.sqrt(np.prod(shape[1:]))
    return (scale * np.random.default_rng(rng).standard_normal(shape)).astype(dtype)

"""A chain of layers that keeps a trace of what went forward and what came back."""

from dataclasses import dataclass

import numpy as np

from cnnbp.convolution import Conv2d
from cnnbp.explain import (
    explain_avg_pool2d,
    explain_conv2d,
    explain_linear,
    explain_max_pool2d,
)
from cnnbp.layer import Layer, check_layer
from cnnbp.linear import Flatten, Linear
from cnnbp.pooling import AvgPool2d, MaxPool2d
from cnnbp.shape import complaint

EXPLANATIONS = {
    Conv2d: explain_conv2d,
    Linear: explain_linear,
    MaxPool2d: explain_max_pool2d,
    AvgPool2d: explain_avg_pool2d,
}


@dataclass
class Step:
    """What one layer was given and gave: x and z on the way forward, dz and dx on the way back."""

    name: str
    x: np.ndarray
    z: np.ndarray
    dz: np.ndarray | None = None
    dx: np.ndarray | None = None


class Collected(dict):
    """The arrays of a network's layers, each under its layer's number; to be written into only."""

    def __setitem__(self, name, value):
        raise complaint(
            TypeError,
            f"a new {name!r} would reach no layer; write into the array, as in "
            f"params[{name!r}][...] = value",
        )

    def update(self, *others, **named):
        for name, value in dict(*others, **named).items():
            self[name] = value


class Network(Layer):
    """Layers in a chain, each one's z the next one's x; itself a layer.

    layers       list of layers; of none, x is handed on
    input_shape  the shape of x for the table that its repr is, if no forward pass has shown it

    params, grads  dicts of the layers' own arrays under "0.w", "2.0.w" (nested), ...; write into
                   an array (params["0.w"][...] = value), a new entry is refused: it would reach
                   no layer
    trace          a Step (name, x, z, dz, dx) for each layer of the last passes

    Raises TypeError for what is no layer, ValueError if a layer comes twice.

    >>> network = Network([Linear(3, 2, rng=0), Linear(2, 1, rng=1)])
    >>> z = network.forward(np.ones((3, 5)))
    >>> network.backward(np.ones((1, 5))).shape, list(network.grads)
    ((3, 5), ['0.w', '0.b', '1.w', '1.b'])
    >>> network.explain(1, "db", (0, 0))
    db[0,0] = dz[0,0]·1 + dz[0,1]·1 + dz[0,2]·1 + dz[0,3]·1 + dz[0,4]·1 = 5
    """

    def __init__(self, layers, input_shape=None):
        super().__init__()
        if not isinstance(layers, list | tuple):
            raise complaint(
                TypeError,
                f"layers must be a list, as in [Flatten(), Linear(64, 10)], not {layers!r}",
            )
        self.layers = list(layers)
        for layer in self.layers:
            check_layer(layer)
        everyone = list(map(id, _innermost(self.layers)))
        if len(set(everyone)) < len(everyone):
            raise complaint(
                ValueError, "a layer comes twice, but it remembers one input only; make two layers"
            )
        self.input_shape = input_shape
        self.trace = []

    @property
    def params(self):
        return self._collected("params")

    @property
    def grads(self):
        return self._collected("grads")

    def _collected(self, kind):
        return Collected(
            (f"{number}.{name}", array)
            for number, layer in enumerate(self.layers)
            for name, array in getattr(layer, kind).items()
        )

    def forward(self, x, training=False):
        given, trace = x, []
        self.x, self.trace = None, []  # a pass that fails leaves no memory: layers have moved on
        for number, layer in enumerate(self.layers):
            z = _told_apart(number, layer, layer.forward, x, training)
            trace.append(Step(type(layer).__name__, x, z))
            x = z
        self.x, self.trace = given, trace
        return x

    def backward(self, dz):
        self.remembered()
        for number, step in reversed(list(enumerate(self.trace))):
            layer = self.layers[number]
            step.dz, step.dx = dz, _told_apart(number, layer, layer.backward, dz)
            dz = step.dx
        return dz

    def gradients(self):
        """The gradients of x and of every layer's z, of the last backward pass.

        returns  list of arrays, one more than there are layers

        Raises ValueError before a backward pass.
        """
        if not self.trace or self.trace[-1].dz is None:
            raise complaint(ValueError, "no gradients yet; call forward(x), then backward(dz)")
        return [self.trace[0].dx, *(step.dz for step in self.trace)]

    def explain(self, layer, wanted, index):
        """The products that make up one cell of a layer's z, dx, dw or db, in the last passes.

        layer    its number in the chain
        wanted   "z", "dx", "dw" or "db"; all but "z" need a backward pass
        index    the cell's index
        returns  explain.Cell

        Raises ValueError if there is no such layer, it has no explanation, or the pass is missing.
        """
        explained = [i for i, each in enumerate(self.layers) if type(each) in EXPLANATIONS]
        if layer not in explained:
            names = ", ".join(f"{i} {type(self.layers[i]).__name__}" for i in explained)
            raise complaint(
                ValueError, f"layer {layer!r} has no explanation; these have one: {names}"
            )
        if not self.trace:
            raise complaint(ValueError, "nothing to explain yet; call forward(x) first")
        chosen, step = self.layers[layer], self.trace[layer]
        if step.dz is None and wanted in ("dx", "dw", "db"):
            raise complaint(ValueError, f"{wanted} needs dz; call backward(dz) first")
        return EXPLANATIONS[type(chosen)](
            wanted, index, x=step.x, dz=step.dz, **chosen.params, **chosen.options
        )

    def output_shape(self, x_shape):
        for layer in self.layers:
            x_shape = layer.output_shape(x_shape)
        return tuple(x_shape)

    def __repr__(self):
        shape = np.shape(self.trace[0].x) if self.trace else self.input_shape
        rows = [("", "layer", "output shape", "parameters")]
        rows.append(("", "input", str(shape) if shape else "?", ""))
        rows += self._rows(shape)
        count = sum(array.size for array in self.params.values())
        rows.append(("", "total", "", f"{count:,}"))
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        lines = (
            f"{number:>{widths[0]}} {name:<{widths[1]}} {shape:<{widths[2]}}  {count:>{widths[3]}}"
            for number, name, shape, count in rows
        )
        return "\n".join(line.rstrip() for line in lines)

    def _rows(self, shape, prefix=""):
        """(number, layer, output shape, parameter count) of every layer, nested ones below."""
        for i, layer in enumerate(self.layers):
            number = f"{prefix}{i}"
            inner_shape, shape = shape, layer.output_shape(shape) if shape else None
            count = sum(array.size for array in layer.params.values())
            nested = isinstance(layer, Network)
            name = type(layer).__name__ if nested else repr(layer)
            yield number, name, str(shape) if shape else "?", f"{count:,}" if count else ""
            if nested:
                yield from layer._rows(inner_shape, f"{number}.")


def _innermost(layers):
    """The layers, with those of a network in place of the network."""
    for layer in layers:
        if isinstance(layer, Network):
            yield from _innermost(layer.layers)
        else:
            yield layer


def _told_apart(number, layer, method, *arguments):
    """What a layer's method returns; an error of it says which layer it was."""
    try:
        return method(*arguments)
    except (TypeError, ValueError) as error:
        if not hasattr(error, "sentence"):
            raise
        where = f"layer {number} {type(layer).__name__}"
        raise complaint(type(error), f"{where}: {error.sentence}") from None


class Residual(Network):
    """Layers with a path around them: z = x + layers(x), so dx = dz + what the layers send back.

    layers  list of layers whose output has the shape of their input

    >>> block = Residual([Linear(3, 3, gain=0.0)])
    >>> block.forward(np.ones((3, 1))).T, block.backward(np.ones((3, 1))).T
    (array([[1., 1., 1.]]), array([[1., 1., 1.]]))
    """

    def forward(self, x, training=False):
        z = super().forward(x, training)
        if np.shape(z) != np.shape(x):
            raise complaint(
                ValueError,
                f"the layers turn {np.shape(x)} into {np.shape(z)}, which cannot be "
                "added to x; keep the shape (padding, as many filters as channels)",
            )
        return x + z

    def backward(self, dz):
        return dz + super().backward(dz)  # x feeds two paths: what comes back is summed


def walkthrough_network(*, dtype=np.float64, rng=0):
    """The network that the course takes apart, for ten photographs of 29 × 28 pixels.

    dtype    of its weights
    rng      numpy Generator or seed of its weights
    returns  Network

    It has no activation and no loss of its own: only max pooling bends it. Lesson 08.

    >>> walkthrough_network()
      layer                                         output shape     parameters
      input                                         (10, 3, 29, 28)
    0 Conv2d(w (2, 3, 3, 2), b (2, 1, 1), stride=2) (10, 2, 14, 14)          38
    1 MaxPool2d(kernel_size=2, stride=3)            (10, 2, 5, 5)
    2 Flatten()                                     (50, 10)
    3 Linear(w (32, 50), b (32, 1))                 (32, 10)              1,632
      total                                                               1,670
    """
    rng = np.random.default_rng(rng)
    return Network(
        [
            Conv2d(3, 2, (3, 2), stride=2, gain=1.0, dtype=dtype, rng=rng),
            MaxPool2d(2, stride=3),
            Flatten(),
            Linear(50, 32, gain=1.0, dtype=dtype, rng=rng),
        ],
        input_shape=(10, 3, 29, 28),
    )

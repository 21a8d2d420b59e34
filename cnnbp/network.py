"""A chain of layers that keeps a trace of what went forward and what came back."""

from dataclasses import dataclass

import numpy as np

from cnnbp import explain
from cnnbp.activation import LeakyReLU, ReLU, Sigmoid, Tanh
from cnnbp.convolution import Conv2d
from cnnbp.layer import Layer, check_layer
from cnnbp.linear import Flatten, Linear
from cnnbp.normalization import BatchNorm2d, Dropout, GroupNorm
from cnnbp.pooling import AvgPool2d, MaxPool2d
from cnnbp.shape import complaint

EXPLANATIONS = {  # what a layer's explain function takes beside the options, params, x and dz
    Conv2d: (explain.explain_conv2d, lambda layer: {}),
    Linear: (explain.explain_linear, lambda layer: {}),
    MaxPool2d: (explain.explain_max_pool2d, lambda layer: {}),
    AvgPool2d: (explain.explain_avg_pool2d, lambda layer: {}),
    Flatten: (explain.explain_flatten, lambda layer: {}),
    ReLU: (explain.explain_relu, lambda layer: {}),
    LeakyReLU: (explain.explain_leaky_relu, lambda layer: {}),
    Sigmoid: (explain.explain_sigmoid, lambda layer: {}),
    Tanh: (explain.explain_tanh, lambda layer: {}),
    BatchNorm2d: (explain.explain_batch_norm2d, lambda layer: {"running": layer.constants}),
    GroupNorm: (explain.explain_group_norm, lambda layer: {}),
    Dropout: (explain.explain_dropout, lambda layer: {"mask": layer.factors}),
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

    @property
    def z(self):
        """What the last forward pass returned."""
        return self.trace[-1].z if self.trace else self.remembered()

    def gradients(self):
        """The gradients of x and of every layer's z, of the last backward pass.

        returns  list of arrays, one more than there are layers

        Raises ValueError before a backward pass.
        """
        if not self.trace or self.trace[-1].dz is None:
            raise complaint(ValueError, "no gradients yet; call forward(x), then backward(dz)")
        return [self.trace[0].dx, *(step.dz for step in self.trace)]

    def tangent(self, v):
        for layer in self.layers:
            v = layer.tangent(v)
        return v

    def explain(self, layer, wanted, index):
        """The products that make up one cell of a layer's z or of a gradient, in the last passes.

        layer    its number in the chain; "2.0" is layer 0 of the nested network that is layer 2
        wanted   "z", "dx", "dw", "db", "dgamma" or "dbeta"; all but "z" need a backward pass
        index    the cell's index
        returns  explain.Cell

        The dx of a layer that is itself a network sums dz·∂z/∂x over its own dz, its z is told
        by its last layer.
        Raises ValueError if there is no such layer, cell or explanation, or the pass is missing.
        """
        chain, number = self.located(layer)
        chosen, step = chain.layers[number], chain.trace[number]
        if step.dz is None and wanted != "z":
            raise complaint(ValueError, f"{wanted} needs dz; call backward(dz) first")
        if isinstance(chosen, Network):
            return chosen.explain_as_a_layer(wanted, index, step)
        known = [kind for kind in type(chosen).__mro__ if kind in EXPLANATIONS]
        if not known:
            raise complaint(
                ValueError, f"layer {layer}, a {type(chosen).__name__}, is not one of this package"
            )
        if wanted == "db" and list(chosen.params) == ["w"]:
            raise complaint(ValueError, f"layer {layer} has no bias, and so no db")
        function, further = EXPLANATIONS[known[0]]
        arrays = {"x": step.x, "dz": step.dz, **chosen.params}
        return function(wanted, index, **arrays, **chosen.options, **further(chosen))

    def located(self, layer):
        """The chain that a layer stands in and its number there: "2.0" is in the network 2."""
        chain, numbers = self, str(layer).split(".")
        for depth, number in enumerate(numbers):
            if not number.isdecimal() or int(number) >= len(chain.layers):
                there = ", ".join(chain._numbered(numbers[:depth]))
                raise complaint(ValueError, f"there is no layer {layer!r}; there are {there}")
            if not chain.trace:
                raise complaint(ValueError, "nothing to explain yet; call forward(x) first")
            if depth < len(numbers) - 1:
                inner = chain.layers[int(number)]
                if not isinstance(inner, Network):
                    kind = type(inner).__name__
                    raise complaint(
                        ValueError, f"there is no layer {layer!r}: a {kind} has no layers in it"
                    )
                chain = inner
        return chain, int(numbers[-1])

    def _numbered(self, prefix):
        for number, layer in enumerate(self.layers):
            yield f"{'.'.join([*prefix, str(number)])} {type(layer).__name__}"

    def explain_as_a_layer(self, wanted, index, step):
        """A cell of z or dx of a chain that is one layer of another, by the passes in its step."""
        if wanted == "z":
            return self._explain_z(index, step)
        if wanted != "dx":
            raise complaint(
                ValueError,
                f"{wanted} is a gradient of its layers' own parameters; name one of "
                f"{', '.join(self._numbered(['…']))}",
            )
        index = explain.existing("dx", index, np.shape(step.x))
        v = np.zeros(np.shape(step.x))
        v[index] = 1
        slopes = self.tangent(v)
        where = np.nonzero(slopes)
        dz = np.asarray(step.dz)
        return explain.sum_of_products("dx", index, ("dz", dz, where), ("∂z/∂x", slopes[where], ()))

    def _explain_z(self, index, step):
        """Its last layer's; x itself, if there are no layers."""
        if self.layers:
            return self.explain(len(self.layers) - 1, "z", index)
        x = np.asarray(step.x)
        index = explain.existing("z", index, x.shape)
        return explain.sum_of_products("z", index, ("x", x, [[i] for i in index]))

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


def check_network(network):
    """Raise TypeError unless it is a Network.

    >>> check_network(Linear(2, 1))
    Traceback (most recent call last):
        ...
    TypeError: check_network: needs a Network after its passes, not Linear; a layer alone is \
Network([layer])
    """
    if not isinstance(network, Network):
        raise complaint(
            TypeError,
            f"needs a Network after its passes, not {type(network).__name__}; a layer alone is "
            "Network([layer])",
        )


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
        return np.add(x, z)

    @property
    def z(self):
        return np.add(self.x, super().z)

    def backward(self, dz):
        return dz + super().backward(dz)  # x feeds two paths: what comes back is summed

    def tangent(self, v):
        return v + super().tangent(v)

    def _explain_z(self, index, step):
        """x itself, and what the layers make of it."""
        x = np.asarray(step.x)
        index = explain.existing("z", index, x.shape)
        of_layers = ("layers(x)", np.subtract(step.z, x), index)
        return explain.sum_of_products("z", index, ("x", x, [[i] for i in index]), bias=of_layers)


def walkthrough_network(*, dtype=np.float64, rng=0):
    """The network that the course takes apart, for ten photographs of 29 × 28 pixels.

    dtype    of its weights
    rng      numpy Generator or seed of its weights
    returns  Network

    It has no activation and no loss of its own: only max pooling bends it. Lesson 10.

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

"""A layer's backward pass with a mistake of an exercise in it.

What goes wrong is written down once, in the exercises; here one of their wrong answers takes the
place of what a layer computes. Nothing raises an error, all shapes fit, and most networks still
learn.
"""

import copy
import functools
from dataclasses import dataclass

import numpy as np

from cnnbp.activation import ReLU, Sigmoid, Tanh
from cnnbp.convolution import Conv2d
from cnnbp.exercises.tasks.avg_pool2d_gradient import avg_pool2d_gradient
from cnnbp.exercises.tasks.batch_norm2d_gradient import batch_norm2d_gradient
from cnnbp.exercises.tasks.conv2d_bias_gradient import conv2d_bias_gradient
from cnnbp.exercises.tasks.conv2d_input_gradient import conv2d_input_gradient
from cnnbp.exercises.tasks.conv2d_weight_gradient import conv2d_weight_gradient
from cnnbp.exercises.tasks.flatten_gradient import flatten_gradient
from cnnbp.exercises.tasks.linear_gradients import linear_gradients
from cnnbp.exercises.tasks.max_pool2d_gradient import max_pool2d_gradient
from cnnbp.exercises.tasks.relu_gradient import relu_gradient
from cnnbp.exercises.tasks.sigmoid_gradient import sigmoid_gradient
from cnnbp.exercises.tasks.tanh_gradient import tanh_gradient
from cnnbp.layer import Layer
from cnnbp.linear import Flatten, Linear
from cnnbp.normalization import BatchNorm2d
from cnnbp.pooling import AvgPool2d, MaxPool2d
from cnnbp.shape import complaint, pair

TASKS_OF = {  # whose wrong answers a layer can be given, for which gradient
    Conv2d: {
        "dx": conv2d_input_gradient,
        "dw": conv2d_weight_gradient,
        "db": conv2d_bias_gradient,
    },
    Linear: dict.fromkeys(("dx", "dw", "db"), linear_gradients),
    BatchNorm2d: {"dx": batch_norm2d_gradient},
    MaxPool2d: {"dx": max_pool2d_gradient},
    AvgPool2d: {"dx": avg_pool2d_gradient},
    Flatten: {"dx": flatten_gradient},
    ReLU: {"dx": relu_gradient},
    Sigmoid: {"dx": sigmoid_gradient},
    Tanh: {"dx": tanh_gradient},
}


def plant(network, layer, wanted, mistake, form=0):
    """A copy of a network in which one gradient of one layer is computed wrongly.

    network  Network; stays as it is
    layer    its number in the chain
    wanted   "dx", "dw" or "db"
    mistake  the name of a mistake of the exercise on this gradient, as a verdict has it
    form     which of the ways to make it, a step of the exercise's answer first
    returns  Network; in evaluation its batch normalization is right, for that is another formula

    Raises ValueError if there is no such layer, gradient or mistake.

    >>> from cnnbp.exercises.bugs import hunting_ground
    >>> plant(hunting_ground(), 4, "dw", "kernel_rotated_in_dw").layers[4]
    Conv2d(w (8, 8, 3, 3), b (8, 1, 1), padding=1)
    >>> plant(hunting_ground(), 2, "dw", "divided_by_batch")
    Traceback (most recent call last):
        ...
    ValueError: plant: there is no exercise on dw of a ReLU
    """
    kind = type(_layer(network, layer))
    task = next((tasks for of, tasks in TASKS_OF.items() if issubclass(kind, of)), {}).get(wanted)
    if task is None:
        raise complaint(ValueError, f"there is no exercise on {wanted} of a {kind.__name__}")
    if mistake not in task.mistakes:
        listed = ", ".join(task.mistakes)
        raise complaint(ValueError, f'{task.name} has no mistake "{mistake}"; it has {listed}')
    planted = copy.deepcopy(network)
    chosen = planted.layers[layer]
    chosen.bug = Bug(task, wanted, task.mistakes[mistake], form)
    chosen.__class__ = _planted_kind(kind)
    return planted


def _layer(network, number):
    if number not in range(len(network.layers)):
        raise complaint(
            ValueError, f"there is no layer {number!r}; there are 0 to {len(network.layers) - 1}"
        )
    return network.layers[number]


@dataclass(frozen=True, eq=False)
class Bug:
    """A mistake of an exercise, as the gradient of a layer. Copies of the network share it.

    task     the exercise
    wanted   which of the layer's gradients it is
    mistake  one of the task's
    form     which of the ways to make it
    """

    task: object
    wanted: str
    mistake: object
    form: int

    @functools.cached_property
    def ways(self):
        """What makes the mistake: steps of the exercise's answer come first, then whole ones."""
        composed = self.task.composed
        steps = [
            composed.with_choices({step: form})
            for step, form, made in composed.wrong
            if made is self.mistake
        ]
        return [*steps, *(each for each in self.mistake.functions if each not in steps)]

    def gradient(self, given):
        """The wrong gradient; given holds at least the exercise's arguments."""
        case = {name: given[name] for name in self.task.parameters}
        return self.task.result.read(self.ways[self.form](*case.values()), case)[self.wanted]

    def __deepcopy__(self, memo):
        return self


@functools.cache
def _planted_kind(kind):
    """The same kind of layer, by the same name, with a wrong backward pass."""
    return type(kind.__name__, (Planted, kind), {})


class Planted(Layer):
    """What a layer becomes by `plant`: one of its gradients is that of a mistake."""

    bug = None

    def backward(self, dz):
        dx = super().backward(dz)
        if getattr(self, "constants", None) is not None:
            return dx
        wrong, wanted = self.bug.gradient(_arguments(self, dz)), self.bug.wanted
        if wanted == "dx":
            return wrong.astype(dx.dtype)
        self.grads[wanted[1:]] = wrong.astype(self.grads[wanted[1:]].dtype)
        return dx


def _arguments(layer, dz):
    """All that an exercise may ask of a layer, in the exercises' words."""
    x, options = layer.x, dict(layer.options)
    if "kernel_size" in options:
        options["stride"] = options["stride"] or options["kernel_size"]
    pairs = {
        name: pair(options[name], name, minimum=0)
        for name in ("kernel_size", "stride", "padding")
        if name in options
    }
    weights = {f"{name}_shape": array.shape for name, array in layer.params.items()}
    return {"dz": dz, "x": x, "x_shape": x.shape, **layer.params, **weights, **options, **pairs}


def place_of_the_bug(network):
    """(layer number, wanted) of what was planted in a network, or None."""
    for number, layer in enumerate(network.layers):
        if isinstance(layer, Planted):
            return number, layer.bug.wanted
    return None


def bug_in(network):
    """The Bug that was planted in a network and in all its copies."""
    return next(layer.bug for layer in network.layers if isinstance(layer, Planted))


def healed(network):
    """A copy of a network without what was planted in it."""
    right = copy.deepcopy(network)
    for layer in right.layers:
        if isinstance(layer, Planted):
            layer.__class__ = type(layer).__bases__[1]
    return right


class Frozen(Layer):
    """What a layer becomes by `frozen`: its own parameters have no gradient."""

    def backward(self, dz):
        dx = super().backward(dz)
        self.grads.update((name, np.zeros_like(array)) for name, array in self.grads.items())
        return dx


def frozen(network, layer):
    """A copy of a network in which one layer's parameters stay as they are: no gradient at all."""
    _layer(network, layer)
    still = copy.deepcopy(network)
    kind = type(still.layers[layer])
    still.layers[layer].__class__ = type(kind.__name__, (Frozen, kind), {})
    return still

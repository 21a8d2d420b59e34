"""Bugs to hunt, for lesson 15: a layer's backward pass with a mistake of an exercise in it.

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
from cnnbp.data import digits
from cnnbp.exercises.task import whole_seed
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
from cnnbp.loss import softmax_cross_entropy
from cnnbp.network import Network
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


def hunting_ground(*, channels=8, size=8, dtype=np.float64, rng=0):
    """A small network for digits, in which mistakes of many exercises have a place.

    channels  of both convolutions
    size      rows and columns of its images, at least 5
    dtype     of its weights
    rng       numpy Generator or seed of its weights
    returns   Network

    >>> hunting_ground().output_shape((64, 1, 8, 8))
    (10, 64)
    """
    rng = np.random.default_rng(rng)
    layers = [
        Conv2d(1, channels, 3, padding=1, dtype=dtype, rng=rng),
        BatchNorm2d(channels, dtype=dtype),
        ReLU(),
        MaxPool2d(3, stride=2, padding=1),
        Conv2d(channels, channels, 3, padding=1, dtype=dtype, rng=rng),
        ReLU(),
        AvgPool2d(2),
        Flatten(),
    ]
    features, _ = Network(layers).output_shape((1, 1, size, size))
    head = Linear(features, 10, gain=0.1, dtype=dtype, rng=rng)
    return Network([*layers, head], input_shape=(64, 1, size, size))


def plant(network, layer, wanted, mistake, form=0):
    """A copy of a network in which one gradient of one layer is computed wrongly.

    network  Network; stays as it is
    layer    its number in the chain
    wanted   "dx", "dw" or "db"
    mistake  the name of a mistake of the exercise on this gradient, as a verdict has it
    form     which of the ways to make it, a step of the exercise's answer first
    returns  Network; in evaluation its batch normalization is right, for that is another formula

    Raises ValueError if there is no such layer, gradient or mistake.

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


# What a check of one layer by itself finds


def normal(rng, shape):
    return rng.standard_normal(shape)


def ones(rng, shape):
    return np.ones(shape)


def compared(layer, x, dz, direction, *, training=True, step=1e-6):
    """What a layer, or a network, says of its gradients, and what its forward pass says of them.

    Of each gradient one number is compared: the slope of (dz * z).sum() along a direction.

    x, dz      arrays, the layer's input and upstream gradient; they stay as they are
    direction  shape -> array: where x, and each parameter, is moved; ones compare sums
    training   whether the passes are those of training
    step       how far everything is moved
    returns    iterator of ("dx", what the gradient says, the slope), then "dw", ...

    >>> right = Linear(1, 1, rng=0)
    >>> [(wanted, abs(said - slope) < 1e-6) for wanted, said, slope in
    ...  compared(right, [[2.0]], np.ones((1, 1)), np.ones)]
    [('dx', True), ('dw', True), ('db', True)]
    """
    x = np.array(x, float)
    layer.forward(x, training=training)
    yours = {"x": layer.backward(dz), **layer.grads}
    for name, array in {"x": x, **layer.params}.items():
        v, kept = direction(array.shape), array.copy()
        sums = []
        for signed in (step, -step):
            array[...] = kept + signed * v
            sums.append(float((dz * layer.forward(x, training=training)).sum()))
        array[...] = kept
        wanted = f"d{name}" if "." not in name else name.replace(".", ".d")
        yield wanted, float((yours[name] * v).sum()), (sums[0] - sums[1]) / (2 * step)


def apart(said, slope, least):
    """How far a gradient and a slope are apart, as a part of the larger of the two.

    least  what takes the larger one's place if both are less, and thus only rounding

    >>> apart(3.0, 4.0, 1e-6), apart(0.0, 1e-12, 1e-6)
    (0.25, 1e-06)
    """
    return abs(said - slope) / max(abs(said), abs(slope), least)


def rounding(dz):
    """Below this, what is compared is rounding: a millionth of the sizes that are summed."""
    return 1e-6 * np.abs(dz).sum()


def disagreeing(layer, x, dz, direction, *, tolerance=1e-5, **options):
    """The gradients of a layer, or a network, that its own forward pass contradicts: "dx", "dw", …

    tolerance  the least relative difference that counts; the others as for `compared`
    """
    for wanted, said, slope in compared(layer, x, dz, direction, **options):
        if apart(said, slope, rounding(dz)) > tolerance:
            yield wanted


CHECKS = {  # what the upstream gradient is, and the direction of the slope that is compared
    "random direction": (normal, normal),
    "all-ones upstream": (ones, normal),
    "mean of the gradient": (normal, ones),
}


def differences(network, layer, check, rng=0):
    """How far each gradient of a layer is from what its forward pass says, as a check sees it.

    network  Network with a trace, which tells the shapes
    layer    its number in the chain
    check    a name in CHECKS
    rng      numpy Generator or seed of the random input, upstream and direction
    returns  {"dx": relative difference, ...}, 0 for what is only rounding

    >>> differences(ready(hunting_ground()), 4, "random direction")
    {'dx': 0.0, 'dw': 0.0, 'db': 0.0}
    """
    upstream, direction = CHECKS[check]
    rng, step = np.random.default_rng(rng), network.trace[layer]
    x, dz = normal(rng, np.shape(step.x)), upstream(rng, np.shape(step.z))
    along, found = functools.partial(direction, rng), {}
    for wanted, said, slope in compared(network.layers[layer], x, dz, along):
        error = apart(said, slope, rounding(dz))
        found[wanted] = error if error > 1e-5 else 0.0
    return found


def sees(network, layer, check, rng=0):
    """Whether a check of one layer by itself finds anything wrong; arguments as `differences`."""
    return any(differences(network, layer, check, rng).values())


# Hunts

SILENT = {  # kind of layer: some of the mistakes that raise nothing in the hunting ground
    Conv2d: [
        ("dx", "kernel_not_rotated"),
        ("dx", "kernel_transposed"),
        ("dx", "kernel_flipped_along_one_axis"),
        ("dx", "overlaps_assigned"),
        ("dx", "padding_cropped_at_the_end"),
        ("dx", "averaged_over_filters"),
        ("dw", "kernel_rotated_in_dw"),
        ("dw", "rows_and_columns_swapped"),
        ("dw", "reshaped_without_moving_the_filters"),
        ("dw", "divided_by_batch"),
        ("dw", "last_sample_only"),
        ("dw", "last_window_only"),
        ("db", "bias_averaged_over_positions"),
        ("db", "last_sample_only"),
        ("db", "bias_divided_by_batch"),
    ],
    BatchNorm2d: [
        ("dx", "batch_counted_only"),
        ("dx", "statistics_taken_as_constants"),
        ("dx", "every_sample_by_itself"),
    ],
    ReLU: [("dx", "left_out"), ("dx", "mask_from_the_upstream_sign"), ("dx", "both_masks")],
    MaxPool2d: [("dx", "winner_assigned"), ("dx", "window_assigned")],
    AvgPool2d: [("dx", "not_divided"), ("dx", "one_pixel_gets_all")],
    Flatten: [("dx", "reshaped_without_transposing"), ("dx", "channels_taken_as_last")],
    Linear: [("dw", "divided_by_batch"), ("db", "bias_is_a_mean"), ("dw", "last_sample_only")],
}


def placements(network):
    """(layer, wanted, mistake) for every one that is listed, and every layer of its kind."""
    return [
        (number, *bug)
        for number, layer in enumerate(network.layers)
        for kind, bugs in SILENT.items()
        for bug in bugs
        if isinstance(layer, kind)
    ]


def ready(network, count=6):
    """The network after a forward and a backward pass of digits, which fill its trace."""
    (images, labels), _ = digits()
    scores = network.forward(images[:count].astype(float), training=True)
    network.backward(softmax_cross_entropy(scores, labels[:count])[1])
    return network


class Hunt:
    """A network in which one gradient is wrong, and nobody says which.

    network  a hunting ground that has been through both passes

    >>> hunt(3).is_at(0, "db")
    False
    """

    def __init__(self, seed):
        self.seed, rng = seed, np.random.default_rng(seed)
        ground = hunting_ground(channels=4, rng=rng)
        every = placements(ground)
        self.network = ready(plant(ground, *every[rng.integers(len(every))]))

    def is_at(self, layer, wanted):
        """Whether the bug is there: a layer's number, and "dx", "dw" or "db"."""
        return (layer, wanted) == place_of_the_bug(self.network)

    def answer(self):
        """Where the bug is, and what was planted, in a sentence."""
        layer, wanted = place_of_the_bug(self.network)
        said = self.network.layers[layer].bug.mistake.sentence([wanted])
        return f"{wanted} of layer {layer}. {said}"

    def __repr__(self):
        return (
            f"a network of {len(self.network.layers)} layers, one gradient wrong: hunt {self.seed}"
        )


def hunt(seed):
    """A Hunt: another network, and another bug, for every seed.

    seed  whole number from 0 on
    """
    return Hunt(whole_seed(seed))


# What is trained beside bugs


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


EIGHT = {  # the bugs of lesson 15: layer, wanted, mistake, form
    "kernel not rotated": (4, "dx", "kernel_not_rotated", 0),
    "padding cropped at the end": (4, "dx", "padding_cropped_at_the_end", 0),
    "dw rotated": (4, "dw", "kernel_rotated_in_dw", 0),
    "dw divided by N again": (4, "dw", "divided_by_batch", 0),
    "reshaped, F not moved": (4, "dw", "reshaped_without_moving_the_filters", 0),
    "winner assigned": (3, "dx", "winner_assigned", 0),
    "flatten not transposed": (7, "dx", "reshaped_without_transposing", 0),
    "batch norm counts N": (1, "dx", "batch_counted_only", 2),
}


TIES = ("every tied cell gets all", (3, "dx", "every_tie_gets_all", 0))


def seen_by_checks():
    """{bug: {check: the largest difference that it sees}} for the EIGHT, and for ties in a pool.

    >>> {bug: [check for check in seen if seen[check]] for bug, seen in seen_by_checks().items()
    ...  }["flatten not transposed"]
    ['random direction']
    """
    found = {}
    for name, bug in dict([*EIGHT.items(), TIES]).items():
        network = ready(plant(hunting_ground(), *bug))
        found[name] = {check: max(differences(network, bug[0], check).values()) for check in CHECKS}
    return found


def with_bug(network, name):
    """The network with one of the EIGHT; as it is if the name is "right"; "layer 4 frozen" freezes
    that one, in which most of them are."""
    if name == "right":
        return network
    return frozen(network, 4) if name == "layer 4 frozen" else plant(network, *EIGHT[name])

"""Lesson 15's hunt: which gradient of which layer is wrong, in a network that raises nothing."""

import functools
import weakref
from types import MappingProxyType

import numpy as np

from cnnbp.activation import ReLU
from cnnbp.convolution import Conv2d
from cnnbp.data import digits
from cnnbp.exercises.bugs.checks import apart, compared, normal, ones, rounding
from cnnbp.exercises.bugs.hunting import hunting_ground
from cnnbp.exercises.bugs.planting import bug_in, healed, place_of_the_bug, plant
from cnnbp.exercises.check.messages import say
from cnnbp.exercises.check.results import Unreadable
from cnnbp.exercises.check.saying import kind
from cnnbp.exercises.choices import wrong
from cnnbp.exercises.task import exercise
from cnnbp.linear import Linear
from cnnbp.loss import softmax_cross_entropy
from cnnbp.network import Network
from cnnbp.normalization import BatchNorm2d

ALONE = "15, one layer by itself"
HUNT = "15, hunt"
SYMPTOM = "15, a symptom is not its cause"
BLIND = "15, which check sees what"
RIGHT_CODE = "15, a check can fail on right code"
GRADIENTS = "dx", "dw", "db"


class Place:
    """A layer's number and one of its gradients; nothing, if none was found."""

    may_be_nothing = True
    names = ("layer", "wanted")
    entries = MappingProxyType({})  # it has no axes

    def __str__(self):
        return 'the layer\'s number and "dx", "dw" or "db"'

    def read(self, returned, arguments):
        """{"place": a set with the pair, or an empty one}, or Unreadable."""
        if returned is None:
            return {"place": frozenset()}
        number, wanted = returned if _is_pair(returned) else (None, None)
        if isinstance(number, str) and isinstance(wanted, int | np.integer):
            raise Unreadable(say("type.place.order"))
        whole = isinstance(number, int | np.integer) and not isinstance(number, bool)
        if not whole or not isinstance(wanted, str):
            raise Unreadable(say("type.place", yours=kind(returned)))
        return {"place": frozenset([(int(number), wanted)])}

    def difference(self, arguments, yours, expected):
        """What was named in place of what: a sentence."""
        ((number, wanted),) = expected
        if not yours:
            return [say("place.none", number=number, wanted=wanted)]
        ((other, named),) = yours
        return [say("place", number=number, wanted=wanted, other=other, named=named)]


def _is_pair(returned):
    return isinstance(returned, tuple | list) and len(returned) == 2


def passed(network, x, labels):
    """The network after a forward and a backward pass, so that its trace tells the shapes."""
    _, dz = softmax_cross_entropy(network.forward(x, training=True), labels)
    network.backward(dz)
    return {"network": network}


def tiny(rng):
    """Two fully connected layers; the second one's dw is wrong."""
    network = Network([Linear(2, 3, rng=rng), ReLU(), Linear(3, 2, rng=rng)], input_shape=(2, 4))
    network = plant(network, 2, "dw", "divided_by_batch")
    return passed(network, rng.standard_normal((2, 4)), rng.integers(2, size=4))


# One of each row: what tells the ways to hunt apart
HUNTED = [
    [(4, "dw", "reshaped_without_moving_the_filters"), (7, "dx", "reshaped_without_transposing")],
    [(4, "dw", "kernel_rotated_in_dw"), (0, "dw", "rows_and_columns_swapped")],
    [(0, "dx", "kernel_not_rotated"), (0, "dx", "kernel_transposed")],
    [(4, "dx", "padding_cropped_at_the_end"), (4, "dx", "channel_axes_not_swapped")],
    [(1, "dx", "batch_counted_only"), (1, "dx", "every_sample_by_itself")],
    [(8, "db", "bias_is_a_mean"), (4, "db", "bias_averaged_over_positions")],
    [(0, "db", "bias_averaged_over_positions"), (0, "db", "bias_divided_by_batch")],
    [(5, "dx", "left_out"), (2, "dx", "left_out")],
    [(6, "dx", "not_divided")],
    [(2, "dx", "both_masks"), (5, "dx", "both_masks")],
]


def hunted(rng):
    """Small networks, each with one bug, after a pass of digits cut to five rows and columns."""
    (images, labels), _ = digits()
    for row in HUNTED:
        layer, wanted, mistake = row[rng.integers(len(row))]
        network = plant(hunting_ground(channels=2, size=5, rng=rng), layer, wanted, mistake)
        chosen = rng.choice(len(images), 3, replace=False)
        yield passed(network, images[chosen, :, 1:6, :5].astype(float), labels[chosen])


@exercise(
    lesson="15",
    given={"network": "network: one of its gradients is wrong; it has been through both passes"},
    returns=Place(),
    tiny=tiny,
    cases=lambda rng: list(hunted(rng)),
    answer=place_of_the_bug,
    hints=[
        "Take one layer at a time, out of its chain: network.layers[k]. network.trace[k] has an x "
        "and a z, and so the shapes that it takes.",
        "Give it a random x and a random dz: layer.forward(x, training=True), then "
        "layer.backward(dz). The loss of this layer alone is (dz * z).sum().",
        "Its dx and what it left in layer.grads must be the slopes of that loss: by x, and by each "
        "array in layer.params.",
        "Compare with numeric_gradient entry by entry, or along one random direction v: "
        "(dx * v).sum() against the difference of two losses. Put the weights back.",
    ],
    stub="The layer and the gradient that are wrong: one of each.",
    start="every layer by itself: a random x, a random dz",
)
def locate_bug(network):
    """Exactly one gradient of one layer is wrong in this network. Find it: return the layer's
    number and which gradient it is, as in (4, "dw").

    A layer counts as wrong if it hands on something else than its own forward pass deserves,
    whatever it is given; a layer that gets a wrong dz from another one is not. The network must
    have the same parameters afterwards.
    """
    rng = np.random.default_rng(0)
    for number, layer in enumerate(network.layers):
        x = rng.standard_normal(network.trace[number].x.shape)
        dz = rng.standard_normal(network.trace[number].z.shape)
        layer.forward(x, training=True)
        gradients = {"dx": layer.backward(dz)}
        arrays = {"dx": x}
        for name, array in layer.params.items():
            gradients["d" + name], arrays["d" + name] = layer.grads[name], array
        for wanted, array in arrays.items():
            v, kept = rng.standard_normal(array.shape), array.copy()
            array[...] = kept + 1e-6 * v
            above = (dz * layer.forward(x, training=True)).sum()
            array[...] = kept - 1e-6 * v
            below = (dz * layer.forward(x, training=True)).sum()
            array[...] = kept
            slope = (above - below) / 2e-6
            if not np.isclose(slope, (gradients[wanted] * v).sum(), rtol=1e-4):
                return number, wanted


def begun_at_the_end(**chosen):
    """The hunt that goes through the layers backward, with a choice that is not the right one."""
    return lambda network: hunt_through(network, numbers=reversed, **chosen)


def drawn_dz(rng, step):
    return normal(rng, step.z.shape)


def dz_of_ones(rng, step):
    return ones(rng, step.z.shape)


def x_of_the_trace(rng, step):
    return step.x


def x_of_ones(rng, step):
    return ones(rng, step.x.shape)


def whole_numbers(rng, step):
    return rng.integers(-2, 3, step.x.shape).astype(float)


def whole_numbers_in_images(rng, step):
    return (whole_numbers if step.x.ndim == 4 else INPUTS[0])(rng, step)


def dz_of_the_trace(rng, step):
    return step.dz


def as_drawn(x, dz):
    return x, dz


def first_sample(x, dz):
    """A batch of one: the first image, or the first column of what is flat."""
    return tuple(a[:1] if a.ndim == 4 else a[:, :1] for a in (x, dz))


def with_parameters(layer, wanted):
    return bool(layer.params)


def of_two_kinds(layer, wanted):
    return isinstance(layer, Conv2d | Linear)


def first_dw(network):
    return 0, "dw"


def upstream_of_the_trace(network):
    return hunt_through(network, upstream=dz_of_the_trace, least=1e-3)


def all_of_the_trace(network):
    return hunt_through(network, input=x_of_the_trace, upstream=dz_of_the_trace, least=1e-3)


# fmt: off
INPUTS = [
    lambda rng, step: normal(rng, step.x.shape),
    wrong("ties_met", RIGHT_CODE, "a max pooling is checked across a tie, where a check fails on "
        "right code: equal numbers tie, such as the many zeros behind a ReLU in the trace, and a "
        "long step lets another cell win; draw a random x, and take a short step, as 1e-6.",
        x_of_the_trace, x_of_ones, alone=True,
        also=(begun_at_the_end(input=x_of_the_trace), all_of_the_trace)),
    wrong("kinks_met", RIGHT_CODE, "a ReLU is checked across its kink, where a check fails on "
        "right code: an x of whole numbers holds zeros, and a long step changes signs; draw a "
        "random x, and take a short step, as 1e-6.", whole_numbers, whole_numbers_in_images,
        alone=True),
    wrong("input_not_negative", RIGHT_CODE, "no negative number of x is checked: a ReLU lets all "
        "others through, so one that forgets to look goes unnoticed; draw x with standard_normal, "
        "and let every entry of it count.", lambda rng, step: rng.random(step.x.shape)),
]
UPSTREAMS = [
    drawn_dz,
    wrong("all_ones_upstream", BLIND, "the upstream gradient is all ones: what only puts dz in "
        "other places, a reshape, say, changes nothing then; draw it at random.", dz_of_ones,
        alone=True),
    wrong("upstream_not_negative", BLIND, "no negative number of dz is checked: what looks at the "
        "sign of dz goes unnoticed; draw it with standard_normal.",
        lambda rng, step: rng.random(step.z.shape)),
    wrong("trace_used_as_upstream", BLIND, "each layer is checked with the dz of its trace: "
        "below a batch normalization this sums to 0 in every channel, so that a wrong db does not "
        "show; draw dz at random.", alone=True, also=(upstream_of_the_trace,)),
]
BATCHES = [
    as_drawn,
    wrong("one_sample_only", BLIND, "each layer is checked with one sample: what divides by N, "
        "or mixes samples up, changes nothing then; take as many as the trace has.", first_sample,
        alone=True),
]
DIRECTIONS = [
    normal,
    wrong("means_compared", BLIND, "only the mean or the sum of each gradient is compared: what "
        "only moves numbers to other places keeps it; compare entry by entry, or along a random "
        "direction.", ones, alone=True),
]
MODES = [
    True,
    wrong("checked_in_evaluation", HUNT, "layers are checked as in evaluation, where batch "
        "normalization has another formula: the pass is forward(x, training=True).", False,
        alone=True),
]
PARTS = [
    lambda layer, wanted: True,
    wrong("dx_never_checked", SYMPTOM, "only gradients of parameters are checked, and no dx: a "
        "layer can have right dw and db and still hand on a wrong dx.",
        lambda layer, wanted: wanted != "dx", alone=True),
    wrong("parameters_never_checked", HUNT, "only dx is checked: a layer with a right dx may have "
        "a wrong dw or db, in layer.grads.", lambda layer, wanted: wanted == "dx", alone=True),
    wrong("biases_never_checked", HUNT, "a wrong db goes unnoticed: check every array of "
        "layer.params, biases too, and hold differences against the numbers' own size.",
        lambda layer, wanted: wanted != "db", alone=True),
    wrong("layers_without_parameters_skipped", SYMPTOM, "layers without parameters are not "
        "checked: a ReLU, a pooling and a flatten hand on a dx as well, and it can be wrong.",
        with_parameters, of_two_kinds, alone=True),
]
SLOPES = [
    lambda wanted, slope: slope,
    wrong("first_parameter_blamed", ALONE, "the first layer's dw counts as wrong in every network: "
        "its array must hold the moved numbers while z is computed, array[...] = …, and "
        "layer.grads holds those of the latest layer.backward(dz), so call that with your own dz.",
        lambda wanted, slope: slope if wanted == "dx" else 0.0, alone=True,
        also=(first_dw,)),
]
TOLERANCES = [
    1e-5,
    wrong("first_compared_blamed", ALONE, "the first gradient that is compared counts as wrong in "
        "every network: leave rounding a tolerance, and compare slopes of the same loss, "
        "(dz * z).sum() with one dz, along one v, over twice the step.",
        0.0, alone=True, also=(begun_at_the_end(tolerance=0.0),)),
]
NUMBERS = [
    lambda number: number,
    wrong("layers_counted_from_one", ALONE, "the layers are counted from 1: network.layers[0] is "
        "the first one.", lambda number: number + 1,
        alone=True),
]
# fmt: on


RELATIVE = 1e-300  # a least size that is none: 0 is held against 0
COMPARED = weakref.WeakKeyDictionary()  # {a planted bug: {what was compared: the numbers}}


def kept(network, what, numbers):
    """What was once worked out for a network or a copy of it, which has the same bug.

    what     how it was compared, hashable
    numbers  () -> iterator, called the first time
    """
    found = COMPARED.setdefault(bug_in(network), {})
    if what not in found:
        found[what] = list(numbers())
    return found[what]


def one_layer(network, place, input, upstream, batch, direction, mode):
    """(wanted, gradient, slope, what is rounding) of a layer by itself, as `compared` has them."""
    rng, step = np.random.default_rng(place), network.trace[place]
    x, dz = batch(input(rng, step), upstream(rng, step))
    along = functools.partial(direction, rng)
    for numbers in compared(network.layers[place], x, dz, along, training=mode):
        yield *numbers, rounding(dz)


def hunt_through(
    network,
    input=INPUTS[0],
    upstream=drawn_dz,
    batch=as_drawn,
    direction=normal,
    mode=True,
    part=PARTS[0],
    counted=SLOPES[0],
    tolerance=TOLERANCES[0],
    number=NUMBERS[0],
    numbers=list,
    least=None,
):
    for place in numbers(range(len(network.layers))):
        asked = mode or not isinstance(network.layers[place], BatchNorm2d)  # others have one mode
        way = place, input, upstream, batch, direction, asked
        found = kept(network, way, functools.partial(one_layer, network, *way))
        for wanted, said, slope, rounded in found:
            if not part(network.layers[place], wanted):
                continue
            far = apart(said, counted(wanted, slope), rounded if least is None else least)
            if far > tolerance:
                return number(place), wanted
    return None


@locate_bug.steps(
    input=INPUTS,
    upstream=UPSTREAMS,
    batch=BATCHES,
    direction=DIRECTIONS,
    mode=MODES,
    part=PARTS,
    counted=SLOPES,
    tolerance=TOLERANCES,
    number=NUMBERS,
)
def by_steps(steps, network):
    return hunt_through(network, **vars(steps))


def means_of_zero(network):
    return hunt_through(network, direction=ones, least=RELATIVE)


@locate_bug.mistake(RIGHT_CODE, also=[means_of_zero])
def fault_found_with_zero(network):
    """You find fault with a batch normalization's dx that is right: it is 0 up to rounding where dz
    or the direction is all ones (draw both at random), and along a step of 0.01 the loss bends."""
    return hunt_through(network, upstream=dz_of_ones, least=RELATIVE)


@locate_bug.mistake(RIGHT_CODE)
def fault_found_with_a_zero_sum(network):
    """You find fault with the db of a convolution that is right: below a batch normalization, with
    the dz of the trace, it is 0 up to rounding. Draw dz at random."""
    return hunt_through(network, upstream=dz_of_the_trace, least=RELATIVE)


def symptoms(network, input=INPUTS[0]):
    """(number, wanted) of the gradients that a check of the whole chain finds wrong, in order."""
    rng, healthy = np.random.default_rng(0), healed(network)
    x, dz = input(rng, network.trace[0]), drawn_dz(rng, network.trace[-1])
    for each in (network, healthy):
        each.forward(x, training=True)
        each.backward(dz)
    for name, gradient in network.grads.items():
        if not np.allclose(gradient, healthy.grads[name], rtol=1e-5):
            number, of = name.split(".")
            yield int(number), f"d{of}"


def symptom(network, order=iter, input=INPUTS[0]):
    found = kept(network, (symptoms, input), functools.partial(symptoms, network, input))
    return next(order(found), None)


def symptom_or_first(network, order=iter):
    """What is left if no parameter's gradient is wrong: the dx of the whole network."""
    return symptom(network, order) or (0, "dx")


@locate_bug.mistake(
    SYMPTOM,
    also=[
        functools.partial(symptom, order=reversed),
        functools.partial(symptom, input=x_of_the_trace),
        symptom_or_first,
        functools.partial(symptom_or_first, order=reversed),
    ],
)
def symptom_named(network):
    """You name a layer whose gradients come out wrong in the whole network: it may have been
    handed a wrong dz. Check every layer by itself, with a dz of your own."""
    return symptom(network)

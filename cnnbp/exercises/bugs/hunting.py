"""Where bugs are hunted: a small network for digits, a hunt for every seed, lesson 15's eight."""

import numpy as np

from cnnbp.activation import ReLU
from cnnbp.convolution import Conv2d
from cnnbp.data import digits
from cnnbp.exercises.bugs.checks import CHECKS, differences
from cnnbp.exercises.bugs.planting import frozen, place_of_the_bug, plant
from cnnbp.exercises.task import whole_seed
from cnnbp.linear import Flatten, Linear
from cnnbp.loss import softmax_cross_entropy
from cnnbp.network import Network
from cnnbp.normalization import BatchNorm2d
from cnnbp.pooling import AvgPool2d, MaxPool2d


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


def ready(network, count=6):
    """The network after a forward and a backward pass of digits, which fill its trace."""
    (images, labels), _ = digits()
    scores = network.forward(images[:count].astype(float), training=True)
    network.backward(softmax_cross_entropy(scores, labels[:count])[1])
    return network


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

"""A deep network of equal blocks: the one in which gradients vanish and explode."""

import numpy as np

from cnnbp.activation import LeakyReLU, ReLU, Sigmoid, Tanh
from cnnbp.convolution import Conv2d
from cnnbp.linear import Flatten, Linear
from cnnbp.network import Network, Residual
from cnnbp.normalization import BatchNorm2d, GroupNorm
from cnnbp.shape import complaint, positive

ACTIVATIONS = {
    "sigmoid": Sigmoid,
    "tanh": Tanh,
    "ReLU": ReLU,
    "leaky ReLU": LeakyReLU,
    "none": None,
}
NORMALIZATIONS = {
    "none": None,
    "batch": BatchNorm2d,
    "group": lambda channels, **options: GroupNorm(1, channels, **options),
}

SIGMOID = {"activation": "sigmoid", "gain": 1.0}
REMEDIES = {  # what lesson 12 measures: options of deep_blocks
    "sigmoid": SIGMOID,
    "sigmoid, gain 4": SIGMOID | {"gain": 4.0},
    "sigmoid, group norm": SIGMOID | {"normalization": "group"},
    "sigmoid, batch norm": SIGMOID | {"normalization": "batch"},
    "sigmoid, residual": SIGMOID | {"residual": True},
    "tanh": {"activation": "tanh", "gain": 1.0},
    "ReLU, He's gain": {"activation": "ReLU"},
    "ReLU, batch norm": {"activation": "ReLU", "normalization": "batch"},
}


class Block(Network):
    """A convolution with its normalization and activation: one row of a picture."""


def deep_network(
    depth, *, image_shape=(1, 8, 8), outputs=10, head_gain=0.1, rng=0, dtype=np.float64, **options
):
    """Equal blocks one behind the other, their features as columns, and a fully connected head.

    depth        int ≥ 1, blocks
    image_shape  (C, H, W) of an image
    outputs      scores of the head
    head_gain    of the head's weights: small, so that training begins without an opinion
    rng          numpy Generator or seed of the weights
    dtype        of the weights
    options      channels, activation, gain, normalization and residual, as deep_blocks takes them
    returns      Network, whose layers are the blocks, Flatten and Linear

    Raises ValueError as deep_blocks does.
    Lesson 12.

    >>> deep_network(2, activation="sigmoid").forward(np.zeros((5, 1, 8, 8))).shape
    (10, 5)
    """
    rng = np.random.default_rng(rng)
    blocks = deep_blocks(depth, image_shape[0], rng=rng, dtype=dtype, **options)
    features, _ = Network([*blocks, Flatten()]).output_shape((1, *image_shape))
    head = Linear(features, outputs, gain=head_gain, rng=rng, dtype=dtype)
    return Network([*blocks, Flatten(), head])


def deep_blocks(
    depth,
    in_channels,
    *,
    channels=4,
    activation="ReLU",
    gain=2**0.5,
    normalization="none",
    residual=False,
    rng=0,
    dtype=np.float64,
):
    """Blocks of a 3 × 3 convolution that keeps the size, a normalization and an activation.

    depth          int ≥ 1, blocks
    in_channels    of the image
    channels       of every block's output
    activation     "sigmoid", "tanh", "ReLU", "leaky ReLU" or "none"
    gain           of the convolutions' weights
    normalization  "none", "batch" or "group" (one group: all channels of a sample)
    residual       whether a path leads around each block but the first, which has other channels
    returns        list of Networks, Residuals if residual

    Raises ValueError for another name or a depth below 1. The first blocks have the same weights
    in every depth.

    >>> [type(block).__name__ for block in deep_blocks(2, 1, residual=True)]
    ['Block', 'Residual']
    """
    positive(depth, "depth")
    activate = _named("activation", activation, ACTIVATIONS)
    normalize = _named("normalization", normalization, NORMALIZATIONS)
    rng, blocks = np.random.default_rng(rng), []
    for number in range(depth):
        seen = channels if number else in_channels
        block = [Conv2d(seen, channels, 3, padding=1, gain=gain, rng=rng, dtype=dtype)]
        block += [normalize(channels, dtype=dtype)] if normalize else []
        block += [activate()] if activate else []
        blocks.append(Residual(block) if residual and number else Block(block))
    return blocks


def weight_gradients(network):
    """The norm of dw of every block's convolution, first block first: what each has to learn by.

    network  a deep_network after a backward pass
    returns  list of floats

    >>> network = deep_network(2, activation="tanh")
    >>> z, dx = network.forward(np.ones((1, 1, 8, 8))), network.backward(np.ones((10, 1)))
    >>> len(weight_gradients(network))
    2
    """
    blocks = [layer for layer in network.layers if isinstance(layer, Network)]
    return [float(np.linalg.norm(block.layers[0].grads["w"])) for block in blocks]


def _named(what, name, known):
    if name not in known:
        raise complaint(ValueError, f"{what} must be one of {', '.join(known)}, not {name!r}")
    return known[name]

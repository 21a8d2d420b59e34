"""A deep network under sliders: how much gradient reaches each layer."""

import numpy as np

from cnnbp.data import digits
from cnnbp.deep_network import ACTIVATIONS, NORMALIZATIONS, deep_blocks
from cnnbp.explorers.arrays import explored
from cnnbp.explorers.base import Explorer
from cnnbp.explorers.controls import Decimal, choice, slider, switch
from cnnbp.linear import Flatten, Linear
from cnnbp.loss import mean_squared_error, softmax_cross_entropy
from cnnbp.network import Network
from cnnbp.pictures.network import draw_network

IMAGES = 4  # enough for a gradient, few enough for a slider
SPAN = -8, 1  # powers of ten that the scale keeps, so that bars can be compared


class GradientFlowExplorer(Explorer):
    """Which layer lost it?

    images, labels   (N, 1, H, W) and (N,); four handwritten digits if not given
    state            where the controls begin, by name: depth counts blocks of convolution,
                     normalization and activation, gain is that of their first weights, and balance
                     shares the loss between the digit's class (0) and the box around its ink (1)

    >>> explorer = GradientFlowExplorer(depth=3, activation="ReLU")
    >>> explorer.state["depth"], explorer.network.trace[-1].z.shape
    (3, (256, 4))
    >>> explorer.close()
    """

    def __init__(self, images=None, labels=None, **state):
        if images is None:
            (train_images, train_labels), _ = digits(np.float64)
            self.images, self.labels = train_images[:IMAGES], train_labels[:IMAGES]
        else:
            (self.images,) = explored(images=np.asarray(images, float))
            self.labels = np.asarray(labels)
        self.boxes, self._heads = ink_boxes(self.images), {}
        controls = {
            "depth": slider("blocks", 1, 20, 12),
            "activation": choice("activation", list(ACTIVATIONS)),
            "gain": Decimal("gain", 0, 5, 1),
            "normalization": choice("normalization", list(NORMALIZATIONS)),
            "residual": switch("residual path"),
            "balance": Decimal("box loss", 0, 1, 0),
        }
        super().__init__(controls, state, given={"images": images, "labels": labels})

    def largest(self):
        told = {"activation": "ReLU", "normalization": "group", "residual": True}  # most words
        return {**told, "depth": 20, "gain": 0.125, "balance": 0.125}, {**told, "depth": 12}

    def draw(self, *, balance, **options):
        blocks = deep_blocks(in_channels=self.images.shape[1], **options)
        network = Network([*blocks, Flatten()])
        if {**options, "balance": balance} == self.values:  # not one that only room is kept for
            self.network = network
        with np.errstate(all="ignore"):  # what overflows is drawn as ∞
            by_class, by_box = self._arriving(network.forward(self.images, training=True))
            by_class, by_box = (1 - balance) * by_class, balance * by_box
            parts = {}
            if 0 < balance < 1:
                network.backward(by_class)
                of_class = network.gradients()
            network.backward(by_class + by_box)
            if 0 < balance < 1:
                both = network.gradients()
                of_box = [all_of_it - one for all_of_it, one in zip(both, of_class, strict=True)]
                parts = {"class": of_class, "box": of_box}
        return draw_network(network, parts=parts, span=SPAN)

    def _arriving(self, features):
        """What either loss sends back to the trunk's output, each through a head of its own."""
        for outputs, loss, wanted in (
            (10, softmax_cross_entropy, self.labels),
            (4, mean_squared_error, self.boxes),
        ):
            if outputs not in self._heads:  # the features are as many at every depth
                self._heads[outputs] = Linear(len(features), outputs, gain=1.0, rng=0)
            head = self._heads[outputs]
            _, dz = loss(head.forward(features), wanted)
            yield head.backward(dz)


def ink_boxes(images):
    """The box around every image's ink: top, left, bottom, right as shares of the image, (4, N)."""
    ink = (images > 0.25).any(axis=1)  # (N, H, W)
    edges = []
    for axis in (1, 2):
        lines = ink.any(axis=3 - axis)  # (N, H) or (N, W)
        size = lines.shape[1]
        edges.append((lines.argmax(axis=1) / size, 1 - lines[:, ::-1].argmax(axis=1) / size))
    (top, bottom), (left, right) = edges
    return np.stack([top, left, bottom, right])

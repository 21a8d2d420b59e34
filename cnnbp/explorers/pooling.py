"""Sliders over pooling's backward pass."""

import numpy as np

from cnnbp.explorers.arrays import choosers, explored, made_up_gradient
from cnnbp.explorers.base import Explorer
from cnnbp.explorers.controls import Stepper, choice, slider, switch
from cnnbp.pictures.pooling import draw_avg_pool2d_dx, draw_max_pool2d_dx
from cnnbp.shape import pool_windows

PEAK = [[1, 0, 2, 1, 0], [0, 2, 1, 3, 1], [2, 1, 5, 0, 2], [1, 4, 0, 1, 3], [0, 1, 3, 2, 1]]
DRAW = {"max": draw_max_pool2d_dx, "average": draw_avg_pool2d_dx}


class PoolScatterExplorer(Explorer):
    """Where did this gradient go, and why is this cell zero?

    The stepper walks through the windows. With the first settings one pixel wins them all.

    x (N, C, H, W)     what is pooled; a small image with one peak if not given
    dz (N, C, OH, OW)  its upstream gradient; made up, whatever the windows, if not given
    state              where the controls begin, by name; `tie` gives the largest pixel a rival

    >>> explorer = PoolScatterExplorer(pooling="average", kernel_size=2)
    >>> explorer.values["position"], explorer.values["kernel_size"]
    ((0, 0), 2)
    >>> explorer.close()
    """

    def __init__(self, *, x=None, dz=None, **state):
        (self.x,) = explored(x=[[PEAK]] if x is None else x)
        self.dz = dz
        size = 3 if min(self.x.shape[2:]) >= 3 else 1
        controls = {
            "position": Stepper("position", self.positions(size, 1, 0)),
            "pooling": choice("pooling", list(DRAW)),
            "kernel_size": slider("kernel size", 1, 4, size),
            "stride": slider("stride", 1, 3),
            "padding": slider("padding", 0, 1),
            "tie": switch("set a tie"),
            **choosers(sample=len(self.x), channel=self.x.shape[1]),
        }
        super().__init__(controls, state, given={"x": x, "dz": dz})

    def largest(self):
        whole = {"stride": 1, "padding": 1}
        for kernel_size in (2, 3):
            yield {**whole, "kernel_size": kernel_size}
        yield {**whole, "kernel_size": 4, "pooling": "average"}  # has the longest words

    def check(self, **values):
        self.positions(**values)

    def positions(self, kernel_size, stride, padding, **others):
        outputs = self._place(kernel_size, stride, padding).output
        return [(str(window), window) for window in np.ndindex(*outputs)]

    def draw(self, *, position, pooling, kernel_size, tie, sample=0, channel=0, **geometry):
        dz = self.dz
        if dz is None:
            outputs = self._place(kernel_size, **geometry).output
            dz = made_up_gradient("random", (*self.x.shape[:2], *outputs), (sample, channel))
        return DRAW[pooling](
            dz,
            _with_rival(self.x, sample, channel) if tie else self.x,
            kernel_size,
            sample=sample,
            channel=channel,
            chosen=position,
            **geometry,
        )

    def _place(self, kernel_size, stride, padding):
        return pool_windows(self.x.shape, kernel_size, stride=stride, padding=padding)


def _with_rival(x, sample, channel):
    """x with a second pixel as large as the largest one, beside it."""
    x = x.copy()
    image = x[sample, channel]
    h, v = np.unravel_index(image.argmax(), image.shape)
    image[h, v + 1 if v + 1 < image.shape[1] else v - 1] = image[h, v]
    return x

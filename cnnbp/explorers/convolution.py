"""Sliders over a convolution and its gradients."""

import numpy as np

from cnnbp.explorers.base import Explorer
from cnnbp.explorers.controls import Stepper, choice, slider
from cnnbp.pictures.convolution import draw_conv2d_dw
from cnnbp.shape import images, windows


class KernelGradientExplorer(Explorer):
    """Which pixels does one weight meet?

    x (N, C, H, W), w (F, C, KH, KW)   of the convolution; a small clear one if not given
    dz (N, F, OH, OW)                  its upstream gradient; made up if not given
    state                              where the controls begin, by name

    >>> explorer = KernelGradientExplorer(tap=(1, 2), upstream="ones")
    >>> explorer.state
    {'tap': (1, 2), 'sample': 0, 'upstream': 'ones', 'stride': 2, 'padding': 0, 'dilation': 1}
    >>> explorer.close()
    """

    def __init__(self, *, x=None, w=None, dz=None, **state):
        rng = np.random.default_rng(0)
        self.x, self.w = images(
            "KernelGradientExplorer",
            x=_eighths(rng, (2, 1, 6, 6)) if x is None else x,
            w=np.zeros((1, 1, 3, 3)) if w is None else w,
        )
        self.dz = dz
        taps = [(str(tap), tap) for tap in np.ndindex(*self.w.shape[2:])]
        upstream = ["given"] * (dz is not None) + ["random", "ones", "one cell"]
        controls = {
            "tap": Stepper("weight", [*taps, ("bias", "bias")]),
            "sample": slider("sample", 0, len(self.x) - 1),
            "upstream": choice("upstream", upstream),
            "stride": slider("stride", 1, 3, 2),
            "padding": slider("padding", 0, 2),
            "dilation": slider("dilation", 1, 3),
        }
        super().__init__(controls, state, given={"x": x, "w": w, "dz": dz})

    def draw(self, *, tap, sample, upstream, **geometry):
        place = windows("conv2d", self.x.shape[2:], self.w.shape[2:], **geometry)
        dz = self.dz
        if upstream != "given":
            dz = _upstream(upstream, (len(self.x), len(self.w), *place.output))
        return draw_conv2d_dw(dz, self.x, self.w, sample=sample, chosen=tap, **geometry)


def _eighths(rng, shape):
    """Multiples of 1/8 from −1 to 1: their products are read off and added in the head."""
    return rng.integers(-8, 9, shape) / 8


def _upstream(kind, shape):
    if kind == "random":
        return _eighths(np.random.default_rng(1), shape) * 2
    dz = np.zeros(shape)
    dz[(..., *(size // 2 for size in shape[2:])) if kind == "one cell" else ...] = 1
    return dz

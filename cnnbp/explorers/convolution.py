"""Sliders over a convolution and its gradients."""

import numpy as np

from cnnbp.explorers.base import Explorer
from cnnbp.explorers.controls import Stepper, choice, slider
from cnnbp.pictures.convolution import draw_conv2d_dw
from cnnbp.shape import images, windows


class KernelGradientExplorer(Explorer):
    """Which pixels does one weight meet?

    The stepper walks through the weights of a kernel and ends at the bias. The upstream gradient
    is made up of friendly numbers, of ones (then dw sums the pixels themselves), or of a single 1
    (then dw is the window of x below it).

    x (N, C, H, W), w (F, C, KH, KW)   the convolution's; small and clear if not given
    dz (N, F, OH, OW)                  its upstream gradient: one choice more
    state                              where the controls begin, by name

    >>> explorer = KernelGradientExplorer(tap=(1, 2), upstream="ones")
    >>> explorer.state
    {'tap': (1, 2), 'sample': 0, 'upstream': 'ones', 'stride': 2, 'padding': 0, 'dilation': 1}
    >>> explorer.close()
    """

    def __init__(self, *, x=None, w=None, dz=None, **state):
        self.x, self.w = images(
            "KernelGradientExplorer",
            x=whole_numbers((2, 1, 6, 6)) if x is None else x,
            w=np.zeros((1, 1, 3, 3)) if w is None else w,
        )
        self.dz = dz
        taps = [(str(tap), tap) for tap in np.ndindex(*self.w.shape[2:])]
        made_up = ["random", "ones", "one cell"]
        controls = {
            "tap": Stepper("tap", [*taps, ("bias", "bias")]),
            **which(self.x, self.w),
            "upstream": choice("upstream", made_up if dz is None else ["given", *made_up]),
            "stride": slider("stride", 1, 3, 2 if dz is None else 1),
            "padding": slider("padding", 0, 2),
            "dilation": slider("dilation", 1, 3),
        }
        super().__init__(controls, state, given={"x": x, "w": w, "dz": dz})

    def draw(self, *, tap, sample, upstream, filter=0, channel=0, **geometry):
        dz = self.dz
        if upstream != "given":
            place = windows("conv2d", self.x.shape[2:], self.w.shape[2:], **geometry)
            z_shape = len(self.x), len(self.w), *place.output
            dz = made_up_gradient(upstream, z_shape, at=(sample, filter))
        shown = {"sample": sample, "filter": filter, "channel": channel, "chosen": tap}
        return draw_conv2d_dw(dz, self.x, self.w, **shown, **geometry)


def which(x, w):
    """The controls that say which sample, and if there are several, which filter and channel."""
    controls = {"sample": slider("sample", 0, len(x) - 1)}
    if len(w) > 1:
        controls["filter"] = slider("filter", 0, len(w) - 1)
    if w.shape[1] > 1:
        controls["channel"] = slider("channel", 0, w.shape[1] - 1)
    return controls


def whole_numbers(shape):
    """Images to reckon with in the head."""
    return np.random.default_rng(0).integers(-3, 4, shape).astype(float)


def made_up_gradient(kind, shape, at):
    """An upstream gradient of `kind` "random", "ones" or "one cell": a 1 in the middle of `at`."""
    if kind == "random":
        return np.random.default_rng(1).choice([-1, -0.5, 0.5, 1, 2], shape)
    if kind == "ones":
        return np.ones(shape)
    dz = np.zeros(shape)
    dz[(*at, *((size - 1) // 2 for size in shape[2:]))] = 1
    return dz

"""Sliders over a convolution and its gradients."""

import numpy as np

from cnnbp.explorers.arrays import choosers, made_up_gradient, whole_numbers
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
            **choosers(sample=len(self.x), filter=len(self.w), channel=self.w.shape[1]),
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

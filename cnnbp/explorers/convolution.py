"""Sliders over a convolution and its gradients."""

import numpy as np

from cnnbp.explorers.arrays import (
    choosers,
    explored,
    made_up_gradient,
    second_axis,
    whole_numbers,
)
from cnnbp.explorers.base import Explorer
from cnnbp.explorers.controls import Stepper, choice, slider
from cnnbp.pictures.convolution import draw_conv2d_dw, draw_conv2d_z
from cnnbp.pictures.convolution_dx import draw_conv2d_dx
from cnnbp.shape import conv_windows


class ConvolutionExplorer(Explorer):
    """Who contributed to this pixel?

    With wanted="z" the stepper walks through the outputs of a convolution, with wanted="dx"
    through the pixels of its input's gradient, each read in two ways.

    x (N, C, H, W), w (F, C, KH, KW), b (F, 1, 1)   the convolution's; small ones if not given,
                                                    and then kernel_size is one control more
    dz (N, F, OH, OW)                               its upstream gradient; made up if not given
    state                                           where the controls begin, by name

    >>> explorer = ConvolutionExplorer(wanted="dx", cell=(2, 3), stride=2)
    >>> explorer.html.description
    'Input gradient, one cell read in two ways. dx[0,0,2,3] = a 0.5·1 + b 2·0.5 + 3 from \
the other filter = 4.5'
    >>> explorer.close()
    """

    def __init__(self, *, x=None, w=None, b=None, dz=None, **state):
        channels = second_axis(x, w, otherwise=2)
        self.x, self.w = explored(
            x=whole_numbers((2, channels, 6, 6)) if x is None else x,
            w=whole_numbers((2, channels, 4, 4)) / 2 if w is None else w,
        )
        self.b, self.dz = b, dz
        size = {} if w is not None else {"kernel_size": slider("kernel size", 1, 4, 3)}
        controls = {
            "cell": Stepper("cell", [("(0, 0)", (0, 0))]),
            "wanted": choice("look at", [("z, the output", "z"), ("dx, the gradient of x", "dx")]),
            "stride": slider("stride", 1, 3),
            "padding": slider("padding", 0, 2),
            "dilation": slider("dilation", 1, 3),
            **size,
            "sample": slider("sample", 0, len(self.x) - 1),
            **choosers(channel=self.w.shape[1], filter=len(self.w)),
        }
        super().__init__(controls, state, given={"x": x, "w": w, "b": b, "dz": dz})

    chooses = "wanted"

    def largest(self):
        whole = {"stride": 1, "padding": 2, "dilation": 1}
        for kernel_size in (1, 3):
            yield {**whole, "kernel_size": kernel_size}

    def check(self, **values):
        self.positions(**values)
        if self.dz is not None:
            self.draw(**values)

    def positions(self, *, wanted, stride, padding, dilation, kernel_size=None, **others):
        w = self.kernel(kernel_size)
        geometry = {"stride": stride, "padding": padding, "dilation": dilation}
        place = conv_windows(self.x.shape, w.shape, **geometry)
        cells = np.ndindex(*(place.output if wanted == "z" else place.image))
        return [(str(cell), cell) for cell in cells]

    def draw(self, *, cell, wanted, sample, channel=0, filter=0, kernel_size=None, **geometry):
        x, w = self.x, self.kernel(kernel_size)
        if wanted == "z":
            at = {"sample": sample, "filter": filter, "channel": channel, "chosen": cell}
            return draw_conv2d_z(x, w, self.b, **at, **geometry)
        dz = self.dz
        if dz is None:
            dz = _made_up("random", x, w, (sample, filter), geometry)
        index = sample, channel, *cell
        return draw_conv2d_dx(dz, x, w, index, filter=filter, **geometry)

    def kernel(self, kernel_size):
        """The filters, of which made up ones are cut to size."""
        return self.w[:, :, :kernel_size, :kernel_size]


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
        channels, filters = second_axis(x, w, otherwise=1), second_axis(dz, otherwise=1)
        self.x, self.w = explored(
            x=whole_numbers((2, channels, 6, 6)) if x is None else x,
            w=np.zeros((filters, channels, 3, 3)) if w is None else w,
        )
        self.dz = dz
        taps = [(str(tap), tap) for tap in np.ndindex(*self.w.shape[2:])]
        made_up = ["random", "ones", "one cell"]
        controls = {
            "tap": Stepper("tap", [*taps, ("bias", "bias")]),
            "sample": slider("sample", 0, len(self.x) - 1),
            "upstream": choice("dz is", made_up if dz is None else ["given", *made_up]),
            "stride": slider("stride", 1, 3, 2 if dz is None else 1),
            "padding": slider("padding", 0, 2),
            "dilation": slider("dilation", 1, 3),
            **choosers(channel=self.w.shape[1], filter=len(self.w)),
        }
        super().__init__(controls, state, given={"x": x, "w": w, "dz": dz})

    def largest(self):
        for padding, dilation in ((2, 2), (1, 1), (2, 1)):
            yield {"stride": 1, "padding": padding, "dilation": dilation}

    def draw(self, *, tap, sample, upstream, filter=0, channel=0, **geometry):
        dz = self.dz
        if upstream != "given":
            dz = _made_up(upstream, self.x, self.w, (sample, filter), geometry)
        shown = {"sample": sample, "filter": filter, "channel": channel, "chosen": tap}
        return draw_conv2d_dw(dz, self.x, self.w, **shown, **geometry)


def _made_up(kind, x, w, at, geometry):
    """An upstream gradient for this convolution; how many windows fit decides its shape."""
    outputs = conv_windows(x.shape, w.shape, **geometry).output
    return made_up_gradient(kind, (len(x), len(w), *outputs), at)

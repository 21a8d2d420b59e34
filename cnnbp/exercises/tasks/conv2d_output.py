"""The output of a convolution."""

import numpy as np

from cnnbp.convolution import conv2d
from cnnbp.exercises import cases, choices
from cnnbp.exercises.choices import same, wrong
from cnnbp.exercises.task import exercise
from cnnbp.explain import explain_conv2d

KERNEL = "06, the kernel is not rotated"
PADDING = "06, look past the border with padding"


def output(x, w, b, stride, padding):
    return conv2d(x, w, b, stride=stride, padding=padding)


@exercise(
    lesson="06",
    given={
        "x": "N C H W: the images",
        "w": "F C KH KW: the filters",
        "b": "F 1 1: one bias for each filter",
        "stride": "pair: rows and columns from one window to the next",
        "padding": "pair: rows and columns of zeros around the images",
    },
    returns={"z": "N F OH OW"},
    tiny=cases.tiny_convolution,
    cases=cases.convolutions,
    answer=output,
    explain=lambda part, index, **given: explain_conv2d("z", index, **given),
    hints=[
        "Make z of zeros first; its size is (H + 2·padding − KH) // stride + 1 in rows, and so on.",
        "One cell z[n,f,i,j] starts as the bias and adds x·w over every channel and kernel cell.",
        "The window of z[n,f,i,j] begins at row i·stride[0] − padding[0] of x; rows and columns "
        "outside x are padding and add nothing.",
    ],
    stub="The convolution of the images x with the filters w and the biases b.",
)
def conv2d_output(x, w, b, stride, padding):
    """The output of a convolution: every filter slides over every image.

    z[n,f,i,j] is the bias of filter f plus the sum of pixel times weight over one window, all
    channels of it. The kernel is not rotated.
    """
    (N, C, H, W), (F, _, KH, KW) = x.shape, w.shape
    OH = (H + 2 * padding[0] - KH) // stride[0] + 1
    OW = (W + 2 * padding[1] - KW) // stride[1] + 1
    z = np.zeros((N, F, OH, OW))
    for n, f, i, j in np.ndindex(N, F, OH, OW):
        z[n, f, i, j] = b[f, 0, 0]
        for c, kh, kw in np.ndindex(C, KH, KW):
            row = i * stride[0] + kh - padding[0]
            column = j * stride[1] + kw - padding[1]
            if 0 <= row < H and 0 <= column < W:
                z[n, f, i, j] += x[n, c, row, column] * w[f, c, kh, kw]
    return z


def other_order(w):
    """Weights read channels first that meet windows flattened channels last."""
    F, C, KH, KW = w.shape
    return w.reshape(F, KH, KW, C).transpose(0, 3, 1, 2)


def the_other_order(w):
    """Weights read channels last that meet windows flattened channels first."""
    return w.transpose(0, 2, 3, 1).reshape(w.shape)


# fmt: off
FILTERS = [
    same,
    wrong("kernel_rotated", KERNEL, "the kernel is rotated by 180°, as in a true convolution, "
        "scipy's convolve: this layer slides the kernel as it is, which is a cross-correlation.",
        lambda w: w[:, :, ::-1, ::-1]),
    wrong("kernel_transposed", "06, rows come before columns", "the kernel's rows and columns are "
        "swapped: rows come before columns in the images and in w.",
        choices.if_square(lambda w: w.swapaxes(2, 3)),
        choices.if_square(lambda w: w.swapaxes(2, 3)[:, :, ::-1, ::-1]), lambda w: w.swapaxes(2, 3),
        lambda w: w.swapaxes(2, 3).reshape(w.shape)),
    wrong("kernel_flipped_along_one_axis", KERNEL, "the kernel is flipped along one axis: this "
        "layer slides it as it is.", lambda w: w[:, :, ::-1], lambda w: w[:, :, :, ::-1]),
    wrong("kernel_turned_by_90", KERNEL, "the kernel is turned by 90°: this layer slides it as it "
        "is.", choices.if_square(lambda w: np.rot90(w, 1, (2, 3))),
        choices.if_square(lambda w: np.rot90(w, -1, (2, 3)))),
    wrong("filters_and_channels_reversed", KERNEL, "the first two axes of w are reversed, which "
        "are filters and channels: w is used as it is.", lambda w: w[::-1, ::-1], lambda w: w[::-1],
        lambda w: w[:, ::-1], lambda w: w[::-1, ::-1, ::-1, ::-1]),
    wrong("windows_and_weights_in_different_order", "06, channels are summed", "windows and "
        "weights are flattened in different orders: w.reshape(F, -1) has channels first, then "
        "rows, then columns, and so must every window.", other_order, the_other_order),
    wrong("one_filter_for_all", "06, filters have a bias", "one filter is used for every map of z: "
        "filter f makes map f.", lambda w: w * 0 + w[:1], lambda w: w * 0 + w[-1:]),
    wrong("channel_axes_swapped", "06, channels are summed", "the weight w[c,f] is taken in place "
        "of w[f,c]: filters are the first axis of w, channels the second; where F = C this raises "
        "no error.", lambda w: w.swapaxes(0, 1)),
]
CHANNELS = [
    choices.all_samples,
    wrong("last_channel_only", "06, channels are summed", "{yours} {are} made of the last channel "
        "alone: each channel overwrites the one before instead of being added to it.",
        lambda x, w: (x[:, -1:], w[:, -1:])),
    wrong("first_channel_only", "06, channels are summed", "{yours} {are} made of the first "
        "channel alone: every filter looks at all channels, and their products are summed.",
        lambda x, w: (x[:, :1], w[:, :1])),
]
BIAS = [
    lambda z, w, b: z + b,
    wrong("bias_left_out", "06, filters have a bias", "the bias is left out: every cell of filter "
        "f has b[f] added once.", lambda z, w, b: z),
    wrong("bias_added_too_often", "06, filters have a bias", "the bias is added more than once: it "
        "stands outside the sums over channels and kernel cells.",
        lambda z, w, b: z + b * w.shape[1], lambda z, w, b: z + b * w[0].size,
        lambda z, w, b: z + b * w[0, 0].size),
    wrong("one_bias_for_all", "06, filters have a bias", "every filter gets the same bias: filter "
        "f has b[f].", lambda z, w, b: z + b[0], lambda z, w, b: z + b[-1],
        lambda z, w, b: z + b.sum()),
    wrong("bias_subtracted", "06, filters have a bias", "the bias is subtracted: z is the sum plus "
        "b[f].", lambda z, w, b: z - b),
]

SIZES = [
    same,
    wrong("mean_in_place_of_sum", "06, channels are summed", "{yours} {are} made of means: the "
        "products of a window are summed.", lambda z, w: z / w[0].size,
        lambda z, w: z / w[0, 0].size, lambda z, w: z / w.shape[1]),
]
LAST = [
    same,
    wrong("activation_applied", "06, slide two weights along four numbers", "an activation is "
        "applied at the end: z is "
        "the sum itself, and an activation is a layer of its own.", lambda z: np.maximum(z, 0),
        np.tanh, lambda z: 1 / (1 + np.exp(-z)), alone=True),
]
CUTS = [
    same,
    wrong("empty_where_the_kernel_is_one_wide", KERNEL, "a slice [K − 1:1 − K] is empty where the "
        "kernel is 1 wide, since −0 is 0: slice to a length, [K − 1:K − 1 + OH].",
        lambda z, KH, KW: z[:, :, : (KH > 1) * z.shape[2], : (KW > 1) * z.shape[3]]),
]


@conv2d_output.steps(
    filters=FILTERS,
    padding=choices.paddings(
        PADDING,
        left_out="padding_at_the_end",
        also=choices.with_other(output, "padding", choices.left_out),
        both=choices.with_other(output, "padding", *choices.BOTH_ALIKE),
    ),
    begin=choices.beginnings(PADDING, alone=True),
    cells=choices.cells("06, step further", alone=True),
    align=choices.alignments(PADDING),
    stride=choices.strides(
        "06, step further", both=choices.with_other(output, "stride", *choices.BOTH_ALIKE)
    ),
    channels=CHANNELS,
    samples=choices.samples("06, several filters have a bias each"),
    size=SIZES,
    bias=BIAS,
    cut=CUTS,
    border=choices.last_windows("06, count windows without counting"),
    last=LAST,
)
def by_steps(steps, x, w, b, stride, padding):
    (KH, KW), wide = w.shape[2:], choices.with_padding(x, padding)
    count = [(n - k) // s + 1 for n, k, s in zip(wide.shape[2:], (KH, KW), stride, strict=True)]
    filters = steps.filters(w)
    x, filters = steps.channels(steps.padding(x, padding), filters)
    used = steps.stride(stride, (KH, KW))
    windows = steps.cells(steps.begin(x, padding, used), filters.shape[2:], used, count)
    windows = steps.align(windows, stride, padding)
    z = steps.size(np.einsum("ncijab,fcab->nfij", windows, filters), w)
    return steps.samples(steps.border(steps.last(steps.bias(steps.cut(z, KH, KW), w, b))))

"""The gradient by a convolution's input."""

import numpy as np

from cnnbp.convolution import conv2d, conv2d_backward
from cnnbp.exercises import cases, choices
from cnnbp.exercises.choices import same, wrong
from cnnbp.exercises.task import exercise
from cnnbp.explain import explain_conv2d
from cnnbp.gradcheck import numeric_gradient

DX = "08, dx is a full convolution with the rotated kernel"
SCATTER = "08, dx as a scatter"
SPREAD = "07, the stride spreads dz"
PADDING = "08, the padding is cropped"
SUMS = "08, the poster of what sums over what"


def input_gradient(dz, w, x_shape, stride, padding):
    return conv2d_backward(dz, np.zeros(x_shape), w, stride=stride, padding=padding)[0]


def input_gradient_numeric(dz, w, x_shape, stride, padding):
    def loss(x):
        return (dz * conv2d(x, w, stride=stride, padding=padding)).sum()

    return numeric_gradient(loss, np.zeros(x_shape))


def explain_input_gradient(part, index, *, x_shape, **given):
    return explain_conv2d("dx", index, x=np.zeros(x_shape), **given)


@exercise(
    lesson="08",
    given={
        "dz": "N F OH OW: gradient of the loss by the convolution's output",
        "w": "F C KH KW: the filters",
        "x_shape": "N C H W",
        "stride": "pair",
        "padding": "pair: rows and columns of zeros around the images",
    },
    returns={"dx": "N C H W"},
    tiny=cases.tiny_convolution,
    cases=cases.convolutions,
    answer=input_gradient,
    numeric=input_gradient_numeric,
    explain=explain_input_gradient,
    hints=[
        "Scattering is shorter. Where the forward loops read x, the backward loops write dx.",
        "z[n,f,i,j] multiplied the pixel in row i·stride[0] + kh − padding[0] with w[f,c,kh,kw].",
        "So add dz[n,f,i,j]·w[f,c,kh,kw] to dx at that pixel, unless it lies in the padding.",
    ],
    stub="The gradient of the loss by the images of z = conv2d(x, w).",
    start="dx = np.zeros(x_shape), then one stamp for each n, f, i, j",
)
def conv2d_input_gradient(dz, w, x_shape, stride, padding):
    """The gradient of the loss by a convolution's input.

    A pixel is used by every window that covers it and by every filter, so its gradient is a sum
    over all of them: dz at the window times the weight that the pixel met there. A pixel that no
    window reached has gradient 0.
    """
    dx = np.zeros(x_shape)
    for n, f, i, j in np.ndindex(dz.shape):
        for c, kh, kw in np.ndindex(w.shape[1:]):
            row = i * stride[0] + kh - padding[0]
            column = j * stride[1] + kw - padding[1]
            if 0 <= row < x_shape[2] and 0 <= column < x_shape[3]:
                dx[n, c, row, column] += dz[n, f, i, j] * w[f, c, kh, kw]
    return dx


def unspread(dz, w, x_shape, stride, padding):
    """The gradient by the padded image as if the stride were 1, with the size that this gives."""
    size = [n + k - 1 for n, k in zip(dz.shape[2:], w.shape[2:], strict=True)]
    return input_gradient(dz, w, (*x_shape[:2], *size), (1, 1), (0, 0))


def unspread_and_cropped(dz, w, x_shape, stride, padding):
    return choices.crop_by_end(unspread(dz, w, x_shape, stride, padding), padding)


def wrapped(w):
    """Weights that add up filter f in channel f modulo C, over all channels."""
    F, C = w.shape[:2]
    return np.eye(C)[np.arange(F) % C][:, :, None, None] * w.sum(axis=1, keepdims=True)


def spread_by_filters(dz, w):
    """(N, C, OH, OW, KH, KW): what every window sends to its pixels, summed over the filters."""
    return np.einsum("nfij,fcab->ncijab", dz, w)


# fmt: off
KERNEL = [
    same,
    wrong("kernel_not_rotated", DX, "the kernel is not rotated by 180°: a pixel meets the first "
        "kernel cell in the last window that covers it, so gathering runs through the kernel "
        "backward; scattering does not.", lambda w: w[:, :, ::-1, ::-1]),
    wrong("kernel_transposed", DX, "the kernel is transposed, w.T, where it should be rotated by "
        "180°: w[:, :, ::-1, ::-1] reverses rows and columns and swaps nothing.",
        choices.if_square(lambda w: w.swapaxes(2, 3)[:, :, ::-1, ::-1]),
        choices.if_square(lambda w: w.swapaxes(2, 3)), lambda w: w.swapaxes(2, 3)[:, :, ::-1, ::-1],
        lambda w: w.swapaxes(2, 3)),
    wrong("kernel_flipped_along_one_axis", DX, "the kernel is flipped along one axis only: a "
        "rotation by 180° reverses rows and columns, w[:, :, ::-1, ::-1].", lambda w: w[:, :, ::-1],
        lambda w: w[:, :, :, ::-1]),
    wrong("kernel_turned_by_90", DX, "the kernel is turned by 90°: np.rot90 needs 2 as its second "
        "argument and axes=(2, 3); 180° is w[:, :, ::-1, ::-1].",
        choices.if_square(lambda w: np.rot90(w, 1, (2, 3))),
        choices.if_square(lambda w: np.rot90(w, -1, (2, 3))), lambda w: np.rot90(w, 1, (2, 3)),
        lambda w: np.rot90(w, -1, (2, 3))),
    wrong("filters_and_channels_reversed", DX, "the first two axes of w are reversed, which are "
        "filters and channels: np.flipud, np.fliplr, np.rot90 and w[::-1, ::-1] work on these, but "
        "rows and columns are the last two, w[:, :, ::-1, ::-1].", lambda w: w[::-1, ::-1],
        lambda w: w[::-1, ::-1, ::-1, ::-1], lambda w: w[::-1], lambda w: w[::-1, :, ::-1, ::-1],
        lambda w: w[:, ::-1], lambda w: w[:, ::-1, ::-1, ::-1]),
]
CHANNELS = [
    same,
    wrong("channel_axes_not_swapped", DX, "the weight w[c,f] is taken in place of w[f,c]: on the "
        "way back filters come in and channels go out, so the first two axes of w swap; where F = "
        "C this raises no error.", lambda w: w.swapaxes(0, 1)),
    wrong("filter_number_used_for_the_channel", DX, "what filter f sends back lands in channel f "
        "of dx: its kernel has a part for every channel, w[f,c], which goes to channel c.",
        wrapped),
    wrong("one_kernel_for_all_filters", DX, "one kernel, or the sum of all, meets the gradients of "
        "every filter: what filter f sends back is dz[n,f] times its own w[f].",
        lambda w: w * 0 + w[:1], lambda w: w * 0 + w[-1:],
        lambda w: w * 0 + w.sum(axis=0, keepdims=True)),
]
FILTERS = [
    choices.all_samples,
    wrong("last_filter_only", SUMS, "{yours} {are} what the last filter alone contributes: each "
        "overwrites the one before, but every filter uses the pixel, so their contributions are "
        "summed.", lambda dz, w: (dz[:, -1:], w[-1:])),
    wrong("first_filter_only", SUMS, "{yours} {are} what the first filter alone contributes: a "
        "return inside the loop ends it, or an index 0 stands for all; every filter uses the "
        "pixel, so they are summed.", lambda dz, w: (dz[:, :1], w[:1])),
]


def by_last_filter(dz, w, x_shape, stride, padding):
    wide = [n + 2 * p for n, p in zip(x_shape[2:], padding, strict=True)]
    parts = spread_by_filters(dz[:, -1:], w[-1:])
    return choices.cropped(choices.assigned(parts, stride, wide), x_shape, padding)


@conv2d_input_gradient.steps(
    kernel=KERNEL,
    channels=CHANNELS,
    filters=FILTERS,
    stride=choices.strides(
        SPREAD, also=(unspread, unspread_and_cropped), gathered=choices.GATHERED
    ),
    cells=choices.written_cells(SCATTER, alone=True),
    begin=choices.written_beginnings(PADDING, alone=True),
    align=choices.alignments(PADDING, down=True),
    border=choices.last_gradients(SCATTER),
    overlap=choices.overlaps(SCATTER, also=(by_last_filter,)),
    crop=choices.crops(PADDING),
    samples=choices.samples(SUMS),
    factors={
        "1/N": choices.over_batch(),
        "1/F": choices.factor("averaged_over_filters", SUMS, "{yours} {are} a mean over the "
            "filters: every filter uses the pixel, so their contributions are summed."),
        "1/OH·OW": choices.over_positions(SUMS),
        "−1": choices.sign(SCATTER),
    },
)
def by_steps(steps, dz, w, x_shape, stride, padding):
    dz, w = steps.filters(steps.border(dz), steps.channels(steps.kernel(w)))
    parts, stride = spread_by_filters(dz, w), steps.stride(stride, w.shape[2:])
    parts = steps.cells(steps.align(parts, stride, padding), stride)
    wide = [n + 2 * p for n, p in zip(x_shape[2:], padding, strict=True)]
    reach = choices.reach_of(dz.shape[2:], w.shape[2:], stride)
    dx = steps.begin(steps.overlap(parts, stride, wide), padding, stride)
    return steps.samples(steps.crop(dx, x_shape, padding, reach))

"""The gradient by a convolution's weights."""

import numpy as np

from cnnbp.convolution import conv2d, conv2d_backward, im2col
from cnnbp.exercises import cases, choices
from cnnbp.exercises.choices import same, wrong
from cnnbp.exercises.task import exercise
from cnnbp.explain import explain_conv2d
from cnnbp.gradcheck import numeric_gradient

DW = "07, dw is a correlation of x with the spread dz"
SPREAD = "07, the stride spreads dz"
PADDING = "06, look past the border with padding"
SUMS = "07, follow one product"


def weight_gradient(dz, x, w_shape, stride, padding):
    return conv2d_backward(dz, x, np.zeros(w_shape), stride=stride, padding=padding)[1]


def weight_gradient_numeric(dz, x, w_shape, stride, padding):
    def loss(w):
        return (dz * conv2d(x, w, stride=stride, padding=padding)).sum()

    return numeric_gradient(loss, np.zeros(w_shape))


def explain_weight_gradient(part, index, *, w_shape, **given):
    return explain_conv2d("dw", index, w=np.zeros(w_shape), **given)


@exercise(
    lesson="07",
    given={
        "dz": "N F OH OW: gradient of the loss by the convolution's output",
        "x": "N C H W: the images",
        "w_shape": "F C KH KW",
        "stride": "pair",
        "padding": "pair: rows and columns of zeros around the images",
    },
    returns={"dw": "F C KH KW"},
    tiny=cases.tiny_convolution,
    cases=cases.convolutions,
    answer=weight_gradient,
    numeric=weight_gradient_numeric,
    explain=explain_weight_gradient,
    hints=[
        "Write the forward loops first: which pixel does z[n,f,i,j] multiply with w[f,c,kh,kw]?",
        "That pixel lies in row i·stride[0] + kh − padding[0] of x, if there is such a row.",
        "Every product x·w of the forward pass sends dz·x back to its w: add it to dw[f,c,kh,kw].",
    ],
    stub="The gradient of the loss by the filters of z = conv2d(x, w).",
)
def conv2d_weight_gradient(dz, x, w_shape, stride, padding):
    """The gradient of the loss by a convolution's weights.

    One weight is used in every window of every image, so its gradient is a sum over all of them:
    dz at the window times the pixel that the weight met there.
    """
    dw = np.zeros(w_shape)
    for n, f, i, j in np.ndindex(dz.shape):
        for c, kh, kw in np.ndindex(w_shape[1:]):
            row = i * stride[0] + kh - padding[0]
            column = j * stride[1] + kw - padding[1]
            if 0 <= row < x.shape[2] and 0 <= column < x.shape[3]:
                dw[f, c, kh, kw] += dz[n, f, i, j] * x[n, c, row, column]
    return dw


def valid_correlation_with_dz(dz, x, w_shape, stride, padding):
    x = choices.with_padding(x, padding)
    return conv2d(x.swapaxes(0, 1), dz.swapaxes(0, 1)).swapaxes(0, 1)


def reshaped_before_columns_of_samples(dz, x, w_shape, stride, padding):
    columns = im2col(x, w_shape[2:], stride=stride, padding=padding)
    columns = columns.reshape(len(columns), -1, len(x)).swapaxes(1, 2)  # the batch before OH·OW
    return (dz.reshape(w_shape[0], -1) @ columns.reshape(len(columns), -1).T).reshape(w_shape)


@conv2d_weight_gradient.mistake(
    "07, dw is a correlation of x with the spread dz", also=[reshaped_before_columns_of_samples]
)
def reshaped_without_moving_the_filters(dz, x, w_shape, stride, padding):
    """You reshape dz to (F, ...) while the batch is still its first axis, which mixes samples and
    filters; move the filter axis to the front before you reshape."""
    columns = im2col(x, w_shape[2:], stride=stride, padding=padding)
    return (dz.reshape(w_shape[0], -1) @ columns.T).reshape(w_shape)


def remainder_kept(dz, x, w_shape, stride, padding):
    """A valid correlation with the spread dz, with the size that this gives."""
    N, F, OH, OW = dz.shape
    spread = np.zeros((N, F, (OH - 1) * stride[0] + 1, (OW - 1) * stride[1] + 1))
    spread[:, :, :: stride[0], :: stride[1]] = dz
    return valid_correlation_with_dz(spread, x, w_shape, stride, padding)


def one_cell(dz, index):
    """dz with one cell of every map left, the first or the last."""
    alone = np.zeros_like(dz)
    alone[:, :, index, index] = dz[:, :, index, index]
    return alone


# fmt: off
KERNEL = [
    same,
    wrong(
        "kernel_rotated_in_dw",
        DW,
        "something is rotated by 180°, as in a true convolution: the forward pass is a "
        "cross-correlation, and so is dw, in which nothing is rotated.",
        lambda dw: dw[:, :, ::-1, ::-1],
        also=(
            lambda dz, *rest: weight_gradient(dz[:, :, ::-1, ::-1], *rest),
            lambda dz, x, *rest: weight_gradient(dz, x[:, :, ::-1, ::-1], *rest),
            lambda dz, x, *rest: weight_gradient(dz, x[:, :, ::-1, ::-1], *rest)[:, :, ::-1, ::-1],
        ),
    ),
    wrong("rows_and_columns_swapped", "06, rows come before columns", "the kernel's rows and "
        "columns are swapped: the third axis of dw is KH, the fourth KW.",
        lambda dw: dw.swapaxes(2, 3), lambda dw: dw.swapaxes(2, 3)[:, :, ::-1, ::-1]),
    wrong("kernel_flipped_along_one_axis", DW, "the kernel is flipped along one axis: in dw "
        "nothing is reversed.", lambda dw: dw[:, :, ::-1], lambda dw: dw[:, :, :, ::-1]),
    wrong("kernel_turned_by_90", DW, "the kernel is turned by 90°: in dw nothing is turned.",
        lambda dw: np.rot90(dw, 1, (2, 3)), lambda dw: np.rot90(dw, -1, (2, 3))),
    wrong("filters_and_channels_reversed", DW, "the first two axes of dw are reversed, which are "
        "filters and channels: in dw nothing is reversed, and rows and columns are the last two.",
        lambda dw: dw[::-1, ::-1], lambda dw: dw[::-1], lambda dw: dw[:, ::-1]),
    wrong("remainder_kept", SPREAD, "{yours} {are} larger than the kernel: where the last window "
        "ends before the image does, the spread dz fits in more places; crop dw to KH rows and KW "
        "columns.", also=(remainder_kept,)),
]
CHANNELS = [
    same,
    wrong("summed_over_channels", SUMS, "{yours} {are} summed over the input channels: only z sums "
        "over them, each channel has weights and a gradient of its own.", lambda dw: dw.sum(axis=1),
        lambda dw: dw.sum(axis=1, keepdims=True),
        lambda dw: dw * 0 + dw.sum(axis=1, keepdims=True)),
    wrong("summed_over_filters", SUMS, "{yours} {are} summed over the filters: each filter has its "
        "own output, and so weights and a gradient of its own.", lambda dw: dw.sum(axis=0),
        lambda dw: dw.sum(axis=0, keepdims=True),
        lambda dw: dw * 0 + dw.sum(axis=0, keepdims=True)),
    wrong("one_filter_or_channel_only", SUMS, "only one filter's or one channel's weights have "
        "their gradient: an index stays the same, or a loop ends too early.",
        lambda dw: dw * 0 + dw[:1], lambda dw: dw * 0 + dw[:, :1],
        lambda dw: choices.only(dw, slice(1, None)), lambda dw: choices.only(dw, slice(None, -1)),
        lambda dw: choices.only(dw, (slice(None), slice(1, None))),
        lambda dw: choices.only(dw, (slice(None), slice(None, -1)))),
]
POSITIONS = [
    same,
    wrong("last_window_only", DW, "only the last window counts: each overwrites the one before; a "
        "weight is used in every window, so add with +=.", lambda dz: one_cell(dz, -1)),
    wrong("first_window_only", DW, "only the first window counts: a return inside the loop ends "
        "it; a weight is used in every window.", lambda dz: one_cell(dz, 0)),
]


@conv2d_weight_gradient.steps(
    padding=choices.paddings(PADDING),
    begin=choices.beginnings(PADDING, alone=True),
    cells=choices.cells(SUMS, alone=True),
    align=choices.alignments(PADDING),
    border=choices.last_gradients(DW),
    stride=choices.strides(
        SPREAD,
        ignored="stride_ignored_in_dw",
        also=(valid_correlation_with_dz,),
        gathered=choices.GATHERED,
    ),
    positions=POSITIONS,
    samples=choices.summed_samples(DW),
    kernel=KERNEL,
    channels=CHANNELS,
    factors={
        "1/N": choices.over_batch(),
        "1/OH·OW": choices.over_positions(DW),
        "1/N·OH·OW": choices.over_samples_and_positions(DW),
        "−1": choices.sign(DW),
    },
)
def by_steps(steps, dz, x, w_shape, stride, padding):
    dz, x = steps.samples(steps.border(steps.positions(dz)), steps.padding(x, padding))
    stride = steps.stride(stride, w_shape[2:])
    x = steps.begin(x, padding, stride)
    windows = steps.cells(x, w_shape[2:], stride, dz.shape[2:])
    windows = steps.align(windows, stride, padding)
    dw = np.einsum("nfij,ncijab->fcab", dz, windows)
    return steps.channels(steps.kernel(dw))

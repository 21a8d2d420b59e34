"""Known mistakes in a convolution's output and gradients, each as it is made."""

import numpy as np

from cnnbp.convolution import conv2d, im2col
from cnnbp.exercises.convolution import (
    conv2d_bias_gradient,
    conv2d_input_gradient,
    conv2d_output,
    conv2d_weight_gradient,
    input_gradient,
    output,
    weight_gradient,
)
from cnnbp.shape import windows

KERNEL = "05, the kernel is not rotated"
DW = "06, dw is a correlation of x with the spread dz"
DX = "06, dx is a full convolution with the rotated kernel"
SCATTER = "06, dx as a scatter"
DB = "06, db sums over samples and positions"
SPREAD = "06, the stride spreads dz"
PADDING = "06, the padding is cropped"


@conv2d_output.mistake(KERNEL)
def kernel_rotated(x, w, b, stride, padding):
    """Your z is a true convolution, with the kernel rotated by 180°; this layer slides the kernel
    as it is, which is a cross-correlation."""
    return output(x, w[:, :, ::-1, ::-1], b, stride, padding)


@conv2d_output.mistake("05, filters have a bias")
def bias_left_out(x, w, b, stride, padding):
    """Your z is what you get without the bias: every cell of filter f has b[f] added once."""
    return output(x, w, 0 * b, stride, padding)


@conv2d_output.mistake("05, channels are summed")
def last_channel_only(x, w, b, stride, padding):
    """Your z holds the last channel alone: each channel overwrites the one before instead of being
    added to it."""
    return output(x[:, -1:], w[:, -1:], b, stride, padding)


@conv2d_output.mistake("05, padding")
def padding_at_the_end(x, w, b, stride, padding):
    """Your first window begins at the first pixel, as if all padding lay below and to the right;
    windows begin at i·stride − padding."""
    rows, columns = (2 * n for n in padding)
    return output(np.pad(x, ((0, 0), (0, 0), (0, rows), (0, columns))), w, b, stride, (0, 0))


def true_convolution_with_dz(dz, x, w_shape, stride, padding):
    return weight_gradient(dz[:, :, ::-1, ::-1], x, w_shape, stride, padding)


@conv2d_weight_gradient.mistake(DW, also=[true_convolution_with_dz])
def kernel_rotated_in_dw(dz, x, w_shape, stride, padding):
    """Your dw is what a true convolution gives, with something rotated by 180°; the forward pass is
    a cross-correlation, and so is dw: nothing is rotated."""
    return weight_gradient(dz, x, w_shape, stride, padding)[:, :, ::-1, ::-1]


def valid_correlation_with_dz(dz, x, w_shape, stride, padding):
    x = padded(x, padding)
    return conv2d(x.swapaxes(0, 1), dz.swapaxes(0, 1)).swapaxes(0, 1)


@conv2d_weight_gradient.mistake(SPREAD, also=[valid_correlation_with_dz])
def stride_ignored_in_dw(dz, x, w_shape, stride, padding):
    """Your dw ignores the stride: neighboring cells of dz belong to windows that lie a stride
    apart, so spread dz first, or look at x in row i·stride + kh."""
    wide = valid_correlation_with_dz(dz, x, w_shape, stride, padding)
    return wide[:, :, : w_shape[2], : w_shape[3]]


@conv2d_weight_gradient.mistake(DW)
def last_sample_only(dz, x, w_shape, stride, padding):
    """Your dw comes from the last sample alone: every sample overwrites the one before instead of
    being added to it."""
    return weight_gradient(dz[-1:], x[-1:], w_shape, stride, padding)


@conv2d_weight_gradient.mistake("04, the 1/N of the loss")
def divided_by_batch(dz, x, w_shape, stride, padding):
    """Your dw is divided by N; where the loss is a mean over the batch, its 1/N is in dz already,
    so here samples are summed."""
    return weight_gradient(dz, x, w_shape, stride, padding) / len(x)


@conv2d_weight_gradient.mistake(DW)
def mean_over_positions(dz, x, w_shape, stride, padding):
    """Your dw is a mean over the OH·OW positions; the weight is used in every one of them, so they
    are summed."""
    return weight_gradient(dz, x, w_shape, stride, padding) / dz[0, 0].size


@conv2d_weight_gradient.mistake(
    "06, the poster of what sums over what",
    also=[
        lambda *given: weight_gradient(*given).sum(axis=1, keepdims=True),
        lambda *given: (
            weight_gradient(*given) * 0 + weight_gradient(*given).sum(axis=1, keepdims=True)
        ),
    ],
)
def summed_over_channels(dz, x, w_shape, stride, padding):
    """Your dw is summed over the input channels; only z sums over them, each channel has weights
    and a gradient of its own."""
    return weight_gradient(dz, x, w_shape, stride, padding).sum(axis=1)


@conv2d_weight_gradient.mistake("05, rows come before columns")
def rows_and_columns_swapped(dz, x, w_shape, stride, padding):
    """Your dw has the kernel's rows and columns swapped: the third axis is KH, the fourth KW."""
    return weight_gradient(dz, x, w_shape, stride, padding).swapaxes(2, 3)


def reshaped_before_columns_of_samples(dz, x, w_shape, stride, padding):
    columns = im2col(x, w_shape[2:], stride=stride, padding=padding)
    columns = columns.reshape(len(columns), -1, len(x)).swapaxes(1, 2)  # the batch before OH·OW
    return (dz.reshape(w_shape[0], -1) @ columns.reshape(len(columns), -1).T).reshape(w_shape)


@conv2d_weight_gradient.mistake(
    "11, the filter axis moves first", also=[reshaped_before_columns_of_samples]
)
def reshaped_without_moving_the_filters(dz, x, w_shape, stride, padding):
    """You reshape dz to (F, ...) while the batch is still its first axis, which mixes samples and
    filters; move the filter axis to the front before you reshape."""
    columns = im2col(x, w_shape[2:], stride=stride, padding=padding)
    return (dz.reshape(w_shape[0], -1) @ columns.T).reshape(w_shape)


@conv2d_input_gradient.mistake(DX)
def kernel_not_rotated(dz, w, x_shape, stride, padding):
    """Your dx is what you get when the kernel is not rotated by 180°: a pixel meets the first
    kernel cell in the last window that covers it, so gathering runs through the kernel backward."""
    return input_gradient(dz, w[:, :, ::-1, ::-1], x_shape, stride, padding)


@conv2d_input_gradient.mistake(
    DX, also=[lambda dz, w, *rest: input_gradient(dz, w.swapaxes(2, 3), *rest)]
)
def kernel_transposed(dz, w, x_shape, stride, padding):
    """Your kernel is transposed, w.T, where it should be rotated by 180°: w[:, :, ::-1, ::-1]
    reverses rows and columns and swaps nothing."""
    return input_gradient(dz, w.swapaxes(2, 3)[:, :, ::-1, ::-1], x_shape, stride, padding)


@conv2d_input_gradient.mistake(DX)
def channel_axes_not_swapped(dz, w, x_shape, stride, padding):
    """Your dx uses w[c,f] in place of w[f,c]: on the way back filters come in and channels go out,
    so the first two axes of w swap; where F = C this raises no error."""
    return input_gradient(dz, w.swapaxes(0, 1), x_shape, stride, padding)


def overlaps_assigned_by_each_filter(dz, w, x_shape, stride, padding):
    return overlaps_assigned(dz[:, -1:], w[-1:], x_shape, stride, padding)


def overlaps_assigned_tap_by_tap(dz, w, x_shape, stride, padding):
    dx = padded(np.zeros(x_shape), padding)
    place = windows("dx", dx.shape[2:], w.shape[2:], stride=stride)
    for (a, b), outputs, pixels in place.taps():
        dx[:, :, *pixels] = np.einsum("nfij,fc->ncij", dz[:, :, *outputs], w[:, :, a, b])
    return cropped(dx, x_shape, padding)


@conv2d_input_gradient.mistake(
    SCATTER, also=[overlaps_assigned_by_each_filter, overlaps_assigned_tap_by_tap]
)
def overlaps_assigned(dz, w, x_shape, stride, padding):
    """Where windows overlap, your dx keeps only the last one's contribution: assign with = and the
    others are lost; add with +=, because a pixel used several times gets the sum."""
    dx = padded(np.zeros(x_shape), padding)
    for i, j in np.ndindex(dz.shape[2:]):
        top, left = i * stride[0], j * stride[1]
        window = np.einsum("nf,fcab->ncab", dz[:, :, i, j], w)
        dx[:, :, top : top + w.shape[2], left : left + w.shape[3]] = window
    return cropped(dx, x_shape, padding)


def unspread(dz, w, x_shape, stride, padding):
    """The gradient by the padded image as if the stride were 1, with the size that this gives."""
    size = [n + k - 1 for n, k in zip(dz.shape[2:], w.shape[2:], strict=True)]
    return input_gradient(dz, w, (*x_shape[:2], *size), (1, 1), (0, 0))


def unspread_and_cropped(dz, w, x_shape, stride, padding):
    dx = unspread(dz, w, x_shape, stride, padding)
    (rows, columns), (H, W) = padding, dx.shape[2:]
    return dx[:, :, rows : H - rows, columns : W - columns]


@conv2d_input_gradient.mistake(SPREAD, also=[unspread, unspread_and_cropped])
def stride_ignored(dz, w, x_shape, stride, padding):
    """Your dx ignores the stride: windows lie a stride apart, so put stride − 1 zeros between the
    cells of dz, or scatter to row i·stride + kh."""
    dx = padded(np.zeros(x_shape), padding)
    part = unspread(dz, w, x_shape, stride, padding)
    dx[:, :, : part.shape[2], : part.shape[3]] = part
    return cropped(dx, x_shape, padding)


@conv2d_input_gradient.mistake(PADDING)
def padding_cropped_at_the_end(dz, w, x_shape, stride, padding):
    """You crop the padding at the bottom and on the right only, so that the map is shifted: it lies
    on all four sides, dx begins at [padding[0], padding[1]]."""
    return gradient_with_padding(dz, w, x_shape, stride, padding)[:, :, : x_shape[2], : x_shape[3]]


@conv2d_input_gradient.mistake(PADDING)
def empty_where_padding_is_zero(dz, w, x_shape, stride, padding):
    """[padding:-padding] is empty where padding is 0, since −0 is 0; crop with
    [padding:padding + H]."""
    dx = gradient_with_padding(dz, w, x_shape, stride, padding)
    return dx[:, :, padding[0] : -padding[0], padding[1] : -padding[1]]


@conv2d_input_gradient.mistake(
    "06, the poster of what sums over what",
    also=[
        lambda *given: input_gradient(*given).sum(axis=0, keepdims=True),
        lambda *given: (
            input_gradient(*given) * 0 + input_gradient(*given).sum(axis=0, keepdims=True)
        ),
    ],
)
def summed_over_batch(dz, w, x_shape, stride, padding):
    """Your dx is summed over the batch; samples share the weights, not the pixels, so every sample
    has a dx of its own."""
    return input_gradient(dz, w, x_shape, stride, padding).sum(axis=0)


@conv2d_input_gradient.mistake("06, the poster of what sums over what")
def averaged_over_filters(dz, w, x_shape, stride, padding):
    """Your dx is a mean over the filters; every filter uses the pixel, so their contributions are
    summed."""
    return input_gradient(dz, w, x_shape, stride, padding) / len(w)


@conv2d_bias_gradient.mistake(DB, also=[lambda dz: dz.sum(axis=(2, 3), keepdims=True)])
def not_summed_over_batch(dz):
    """Your db is summed over positions only, one number for each sample and filter; all samples
    share one bias, so sum over the batch as well."""
    return dz.sum(axis=(2, 3))


@conv2d_bias_gradient.mistake(DB, also=[lambda dz: dz.mean(axis=(0, 2, 3))])
def mean_in_place_of_sum(dz):
    """Your db is the mean of dz over samples and positions; the bias is added at every one of them,
    so its gradient is the sum."""
    return dz.mean(axis=(0, 2, 3)).reshape(-1, 1, 1)


@conv2d_bias_gradient.mistake("04, the 1/N of the loss")
def bias_divided_by_batch(dz):
    """Your db is divided by N; where the loss is a mean over the batch, its 1/N is in dz already,
    so here samples are summed."""
    return dz.mean(axis=0).sum(axis=(1, 2)).reshape(-1, 1, 1)


@conv2d_bias_gradient.mistake(DB)
def bias_averaged_over_positions(dz):
    """Your db is a mean over the OH·OW positions; the bias is added at every one of them, so they
    are summed."""
    return dz.mean(axis=(2, 3)).sum(axis=0).reshape(-1, 1, 1)


@conv2d_bias_gradient.mistake(
    DB,
    also=[lambda dz: np.full((dz.shape[1], 1, 1), dz.sum()), lambda dz: dz.sum(keepdims=True)[0]],
)
def one_bias_for_all(dz):
    """Your db is one number for all filters; every filter has a bias of its own, so keep the
    filter axis."""
    return dz.sum()


def padded(x, padding):
    rows, columns = padding
    return np.pad(x, ((0, 0), (0, 0), (rows, rows), (columns, columns)))


def cropped(x, x_shape, padding):
    rows, columns = padding
    return x[:, :, rows : rows + x_shape[2], columns : columns + x_shape[3]]


def gradient_with_padding(dz, w, x_shape, stride, padding):
    """The gradient by the padded image, nothing cropped yet."""
    N, C, H, W = x_shape
    return input_gradient(dz, w, (N, C, H + 2 * padding[0], W + 2 * padding[1]), stride, (0, 0))

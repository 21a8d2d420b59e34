"""The gradient by a convolution's weights."""

import numpy as np

from cnnbp.convolution import conv2d, conv2d_backward, im2col
from cnnbp.exercises import cases
from cnnbp.exercises.task import exercise
from cnnbp.exercises.windows import padded
from cnnbp.explain import explain_conv2d
from cnnbp.gradcheck import numeric_gradient

DW = "06, dw is a correlation of x with the spread dz"
SPREAD = "06, the stride spreads dz"


def weight_gradient(dz, x, w_shape, stride, padding):
    return conv2d_backward(dz, x, np.zeros(w_shape), stride=stride, padding=padding)[1]


def weight_gradient_numeric(dz, x, w_shape, stride, padding):
    def loss(w):
        return (dz * conv2d(x, w, stride=stride, padding=padding)).sum()

    return numeric_gradient(loss, np.zeros(w_shape))


def explain_weight_gradient(part, index, *, w_shape, **given):
    return explain_conv2d("dw", index, w=np.zeros(w_shape), **given)


@exercise(
    lesson="06",
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


@conv2d_weight_gradient.mistake(DW, line="assigned")
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

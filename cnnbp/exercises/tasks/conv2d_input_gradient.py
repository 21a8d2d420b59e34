"""The gradient by a convolution's input."""

import numpy as np

from cnnbp.convolution import conv2d, conv2d_backward
from cnnbp.exercises import cases
from cnnbp.exercises.task import exercise
from cnnbp.exercises.windows import cropped, padded
from cnnbp.explain import explain_conv2d
from cnnbp.gradcheck import numeric_gradient
from cnnbp.shape import windows

DX = "06, dx is a full convolution with the rotated kernel"
SCATTER = "06, dx as a scatter"
SPREAD = "06, the stride spreads dz"
PADDING = "06, the padding is cropped"


def input_gradient(dz, w, x_shape, stride, padding):
    return conv2d_backward(dz, np.zeros(x_shape), w, stride=stride, padding=padding)[0]


def input_gradient_numeric(dz, w, x_shape, stride, padding):
    def loss(x):
        return (dz * conv2d(x, w, stride=stride, padding=padding)).sum()

    return numeric_gradient(loss, np.zeros(x_shape))


def explain_input_gradient(part, index, *, x_shape, **given):
    return explain_conv2d("dx", index, x=np.zeros(x_shape), **given)


@exercise(
    lesson="06",
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
        "Do not gather; scatter. Where the forward loops read x, the backward loops write dx.",
        "z[n,f,i,j] multiplied the pixel in row i·stride[0] + kh − padding[0] with w[f,c,kh,kw].",
        "So add dz[n,f,i,j]·w[f,c,kh,kw] to dx at that pixel, unless it lies in the padding.",
    ],
    stub="The gradient of the loss by the images of z = conv2d(x, w).",
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


def gradient_with_padding(dz, w, x_shape, stride, padding):
    """The gradient by the padded image, nothing cropped yet."""
    N, C, H, W = x_shape
    return input_gradient(dz, w, (N, C, H + 2 * padding[0], W + 2 * padding[1]), stride, (0, 0))


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
    place = windows(dx.shape[2:], w.shape[2:], stride=stride)
    for (a, b), outputs, pixels in place.taps():
        dx[:, :, *pixels] = np.einsum("nfij,fc->ncij", dz[:, :, *outputs], w[:, :, a, b])
    return cropped(dx, x_shape, padding)


@conv2d_input_gradient.mistake(
    SCATTER, also=[overlaps_assigned_by_each_filter, overlaps_assigned_tap_by_tap], line="assigned"
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


@conv2d_input_gradient.mistake(PADDING, line="minus")
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

"""The output of a convolution."""

import numpy as np

from cnnbp.convolution import conv2d
from cnnbp.exercises import cases
from cnnbp.exercises.task import exercise
from cnnbp.explain import explain_conv2d

KERNEL = "05, the kernel is not rotated"


def output(x, w, b, stride, padding):
    return conv2d(x, w, b, stride=stride, padding=padding)


@exercise(
    lesson="05",
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


@conv2d_output.mistake(KERNEL)
def kernel_rotated(x, w, b, stride, padding):
    """Your z is a true convolution, with the kernel rotated by 180°; this layer slides the kernel
    as it is, which is a cross-correlation."""
    return output(x, w[:, :, ::-1, ::-1], b, stride, padding)


@conv2d_output.mistake("05, filters have a bias")
def bias_left_out(x, w, b, stride, padding):
    """Your z is what you get without the bias: every cell of filter f has b[f] added once."""
    return output(x, w, 0 * b, stride, padding)


@conv2d_output.mistake("05, channels are summed", line="assigned")
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

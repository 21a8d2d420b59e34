"""Exercises on convolution: its output and its three gradients.

Their known mistakes are in convolution_mistakes.py.
"""

import numpy as np

from cnnbp.convolution import conv2d, conv2d_backward
from cnnbp.exercises import cases
from cnnbp.exercises.exercise import exercise
from cnnbp.explain import explain_conv2d
from cnnbp.gradcheck import numeric_gradient


def tiny(rng):
    return cases.convolution(rng, (1, 1, 3, 3), (1, 1, 2, 2), draw=cases.whole)


def random(rng):
    """Geometries that tell the mistakes apart: with and without remainder, C = F and C ≠ F."""
    return [
        cases.convolution(rng, (2, 2, 4, 3), (3, 2, 2, 3), stride=(2, 1), padding=(0, 1)),
        cases.convolution(rng, (2, 3, 8, 9), (4, 3, 3, 2), stride=(2, 3), padding=(1, 1)),
        cases.convolution(rng, (3, 2, 8, 8), (2, 2, 3, 3), stride=(2, 2)),
        cases.convolution(rng, (4, 3, 8, 8), (3, 3, 3, 3), stride=(2, 2), padding=(1, 1)),
    ]


def output(x, w, b, stride, padding):
    return conv2d(x, w, b, stride=stride, padding=padding)


@exercise(
    lesson="05",
    tiny=tiny,
    cases=random,
    answer=output,
    explain=lambda part, index, **given: explain_conv2d("z", index, **given),
    hints=[
        "Make z of zeros first; its size is (H + 2·padding − KH) // stride + 1 in rows, and so on.",
        "One cell z[n,f,i,j] starts as the bias and adds x·w over every channel and kernel cell.",
        "The window of z[n,f,i,j] begins at row i·stride[0] − padding[0] of x; rows and columns "
        "outside x are padding and add nothing.",
    ],
)
def conv2d_output(x, w, b, stride, padding):
    """The output of a convolution: every filter slides over every image.

    z[n,f,i,j] is the bias of filter f plus the sum of pixel times weight over one window, all
    channels of it. The kernel is not rotated.

    x        (N, C, H, W)     the images
    w        (F, C, KH, KW)   the filters
    b        (F, 1, 1)        one bias for each filter
    stride   pair             rows and columns from one window to the next
    padding  pair             rows and columns of zeros around the images
    returns  z (N, F, OH, OW)
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
    tiny=tiny,
    cases=random,
    answer=weight_gradient,
    numeric=weight_gradient_numeric,
    explain=explain_weight_gradient,
    hints=[
        "Write the forward loops first: which pixel does z[n,f,i,j] multiply with w[f,c,kh,kw]?",
        "That pixel lies in row i·stride[0] + kh − padding[0] of x, if there is such a row.",
        "Every product x·w of the forward pass sends dz·x back to its w: add it to dw[f,c,kh,kw].",
    ],
)
def conv2d_weight_gradient(dz, x, w_shape, stride, padding):
    """The gradient of the loss by a convolution's weights.

    One weight is used in every window of every image, so its gradient is a sum over all of them:
    dz at the window times the pixel that the weight met there.

    dz       (N, F, OH, OW)   gradient of the loss by the convolution's output
    x        (N, C, H, W)     the images
    w_shape  (F, C, KH, KW)
    stride   pair
    padding  pair             rows and columns of zeros around the images
    returns  dw (F, C, KH, KW)
    """
    dw = np.zeros(w_shape)
    for n, f, i, j in np.ndindex(dz.shape):
        for c, kh, kw in np.ndindex(w_shape[1:]):
            row = i * stride[0] + kh - padding[0]
            column = j * stride[1] + kw - padding[1]
            if 0 <= row < x.shape[2] and 0 <= column < x.shape[3]:
                dw[f, c, kh, kw] += dz[n, f, i, j] * x[n, c, row, column]
    return dw


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
    tiny=tiny,
    cases=random,
    answer=input_gradient,
    numeric=input_gradient_numeric,
    explain=explain_input_gradient,
    hints=[
        "Do not gather; scatter. Where the forward loops read x, the backward loops write dx.",
        "z[n,f,i,j] multiplied the pixel in row i·stride[0] + kh − padding[0] with w[f,c,kh,kw].",
        "So add dz[n,f,i,j]·w[f,c,kh,kw] to dx at that pixel, unless it lies in the padding.",
    ],
)
def conv2d_input_gradient(dz, w, x_shape, stride, padding):
    """The gradient of the loss by a convolution's input.

    A pixel is used by every window that covers it and by every filter, so its gradient is a sum
    over all of them: dz at the window times the weight that the pixel met there. A pixel that no
    window reached has gradient 0.

    dz       (N, F, OH, OW)   gradient of the loss by the convolution's output
    w        (F, C, KH, KW)   the filters
    x_shape  (N, C, H, W)
    stride   pair
    padding  pair             rows and columns of zeros around the images
    returns  dx (N, C, H, W)
    """
    dx = np.zeros(x_shape)
    for n, f, i, j in np.ndindex(dz.shape):
        for c, kh, kw in np.ndindex(w.shape[1:]):
            row = i * stride[0] + kh - padding[0]
            column = j * stride[1] + kw - padding[1]
            if 0 <= row < x_shape[2] and 0 <= column < x_shape[3]:
                dx[n, c, row, column] += dz[n, f, i, j] * w[f, c, kh, kw]
    return dx


@exercise(
    lesson="06",
    tiny=lambda rng: cases.convolution(rng, (2, 1, 2, 3), (2, 1, 1, 2), draw=cases.whole),
    cases=random,
    answer=lambda dz: dz.sum(axis=(0, 2, 3)).reshape(-1, 1, 1),
    numeric=lambda dz: numeric_gradient(lambda b: (dz * b).sum(), np.zeros((dz.shape[1], 1, 1))),
    explain=lambda part, index, **given: explain_conv2d("db", index, **given),
    hints=[
        "The bias of filter f is added to every cell z[n,f,i,j]: for every n, i and j.",
        "Each of these cells sends its dz back, times 1. Sum over n, i and j, not over f.",
        "One number for each filter, in the shape of the bias: (F, 1, 1).",
    ],
)
def conv2d_bias_gradient(dz):
    """The gradient of the loss by a convolution's biases.

    One bias is added to every cell of its filter's output: at all positions, in all samples.

    dz       (N, F, OH, OW)   gradient of the loss by the convolution's output
    returns  db (F, 1, 1)
    """
    N, F, OH, OW = dz.shape
    db = np.zeros((F, 1, 1))
    for n, f, i, j in np.ndindex(N, F, OH, OW):
        db[f, 0, 0] += dz[n, f, i, j]
    return db

"""A layer that the package does not hold: one kernel, used twice."""

import numpy as np

from cnnbp.convolution import conv2d, conv2d_backward
from cnnbp.exercises import cases, choices
from cnnbp.exercises.choices import wrong
from cnnbp.exercises.task import exercise
from cnnbp.gradcheck import numeric_gradient

REUSED = "08, reused means summed"
FULL = "08, dx is a full convolution with the rotated kernel"


def tied_case(rng, x_shape, kernel_size, draw=cases.normal):
    N, C, H, W = x_shape
    KH, KW = kernel_size
    return {
        "dz": draw(rng, (N, C, H - 2 * (KH - 1), W - 2 * (KW - 1))),
        "x": draw(rng, x_shape),
        "w": draw(rng, (C, C, KH, KW)),
    }


def uses(dz, x, w):
    """What each of the two uses of w contributes to dw."""
    y = conv2d(x, w)
    dy, second, _ = conv2d_backward(dz, y, w)
    _, first, _ = conv2d_backward(dy, x, w)
    return first, second


def tied_numeric(dz, x, w):
    return numeric_gradient(lambda w: (dz * conv2d(conv2d(x, w), w)).sum(), w)


@exercise(
    lesson="08",
    given={
        "dz": "N C OH OW: gradient of the loss by z",
        "x": "N C H W",
        "w": "C C KH KW",
    },
    returns={"dw": "C C KH KW"},
    tiny=lambda rng: tied_case(rng, (2, 1, 1, 5), (1, 2), cases.whole),
    cases=lambda rng: [tied_case(rng, (2, 2, 3, 4), (1, 2)), tied_case(rng, (3, 2, 5, 5), (3, 2))],
    answer=lambda dz, x, w: sum(uses(dz, x, w)),
    numeric=tied_numeric,
    hints=[
        "Pretend that the two convolutions had kernels of their own, w₁ and w₂, and find dw₁ and "
        "dw₂.",
        "dw₂ needs dz and y = x ⋆ w; dw₁ needs x and dy, which is what the second convolution "
        "sends back.",
        "w is both of them, so dw = dw₁ + dw₂.",
    ],
    stub="The gradient of the loss by the kernel of z = conv2d(conv2d(x, w), w).",
)
def tied_kernel_gradient(dz, x, w):
    """The gradient of a kernel that two convolutions in a row share: y = x ⋆ w and z = y ⋆ w.

    Both have stride 1, no padding and no bias, and as many filters as channels, so that the same w
    fits twice. In loops: z[n,f,i,j] = Σ_c Σ_kh Σ_kw y[n,c,i+kh,j+kw] · w[f,c,kh,kw].
    """
    (N, C, H, W), (_, _, KH, KW) = x.shape, w.shape
    y = np.zeros((N, C, H - KH + 1, W - KW + 1))
    for n, f, i, j in np.ndindex(y.shape):
        for c, kh, kw in np.ndindex(C, KH, KW):
            y[n, f, i, j] += x[n, c, i + kh, j + kw] * w[f, c, kh, kw]
    dy, dw = np.zeros(y.shape), np.zeros(w.shape)
    for n, f, i, j in np.ndindex(dz.shape):
        for c, kh, kw in np.ndindex(C, KH, KW):
            dw[f, c, kh, kw] += dz[n, f, i, j] * y[n, c, i + kh, j + kw]
            dy[n, c, i + kh, j + kw] += dz[n, f, i, j] * w[f, c, kh, kw]
    for n, f, i, j in np.ndindex(dy.shape):
        for c, kh, kw in np.ndindex(C, KH, KW):
            dw[f, c, kh, kw] += dy[n, f, i, j] * x[n, c, i + kh, j + kw]
    return dw


def kernel_part(dz, x, w):
    """What one convolution contributes to dw, of images cut to the size that dz needs."""
    H, W = (n + k - 1 for n, k in zip(dz.shape[2:], w.shape[2:], strict=True))
    return conv2d_backward(dz, x[:, :, :H, :W], w)[1]


# fmt: off
FIRST = [
    lambda dz, dy, x, w: kernel_part(dy, x, w),
    wrong("gradient_not_sent_through", REUSED, "the first convolution is met by dz: it made y, so "
        "its upstream gradient is dy, which is what the second convolution sends back.",
        lambda dz, dy, x, w: kernel_part(dz, x, w)),
    wrong("second_use_only", REUSED, "{yours} {are} what the second convolution contributes: the "
        "first used the same kernel, so add its part.", lambda dz, dy, x, w: 0.0),
]
SECOND = [
    lambda dz, x, y, w: kernel_part(dz, y, w),
    wrong("second_use_met_by_x", REUSED, "the second convolution is taken to have met x: its input "
        "is y = x ⋆ w.", lambda dz, x, y, w: kernel_part(dz, x, w)),
    wrong("first_use_only", REUSED, "{yours} {are} what the first convolution contributes: the "
        "second used the same kernel, so add its part.", lambda dz, x, y, w: 0.0),
]
TOGETHER = [
    np.add,
    wrong("uses_put_together_otherwise", REUSED, "what the two uses contribute is subtracted, "
        "multiplied or compared: the kernel moves the loss through both, so it is added.",
        np.subtract, lambda first, second: second - first, np.multiply, np.maximum, alone=True),
]
BACK = [
    lambda dz, y, w: conv2d_backward(dz, y, w)[0],
    wrong("kernel_not_rotated_in_dy", FULL, "the gradient dy is made with the kernel not rotated: "
        "what a convolution sends back is a full convolution with the rotated kernel.",
        lambda dz, y, w: conv2d_backward(dz, y, w[:, :, ::-1, ::-1])[0]),
    wrong("channel_axes_not_swapped_in_dy", FULL, "the gradient dy is made with w[c,f] in place of "
        "w[f,c]: filters come in and channels go out.",
        lambda dz, y, w: conv2d_backward(dz, y, w.swapaxes(0, 1))[0]),
]


@tied_kernel_gradient.steps(
    samples=choices.summed_samples(REUSED),
    back=BACK,
    first=FIRST,
    second=SECOND,
    together=TOGETHER,
    factors={
        "1/2": choices.factor("uses_averaged", REUSED, "{yours} {are} the mean of the two uses: "
            "the kernel moves the loss through both, so it is the sum."),
        "1/N": choices.over_batch(),
        "−1": choices.sign(REUSED),
    },
)
def by_steps(steps, dz, x, w):
    dz, x = steps.samples(dz, x)
    y = conv2d(x, w)
    return steps.together(steps.first(dz, steps.back(dz, y, w), x, w), steps.second(dz, x, y, w))


@tied_kernel_gradient.mistake(REUSED, also=[lambda *given: 2 * uses(*given)[0]])
def one_use_taken_twice(dz, x, w):
    """One use is taken twice: dw₁ needs x and dy, dw₂ needs y and dz, and the two differ."""
    return 2 * uses(dz, x, w)[1]


@tied_kernel_gradient.mistake(REUSED, also=[lambda dz, x, w: 2 * kernel_part(dz, x, w)])
def intermediate_forgotten(dz, x, w):
    """The output y between the two convolutions is forgotten, dz and x meet directly: dw₂ needs y,
    and dw₁ needs dy."""
    return kernel_part(dz, x, w)

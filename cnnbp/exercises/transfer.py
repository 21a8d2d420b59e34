"""Layers that the package does not hold: the chain rule on something new."""

import numpy as np

from cnnbp.convolution import conv2d, conv2d_backward
from cnnbp.exercises import cases
from cnnbp.exercises.exercise import exercise
from cnnbp.gradcheck import numeric_gradient

REUSED = "06, reused means summed"


def circular_case(rng, x_shape, w_shape, draw=cases.normal):
    z_shape = x_shape[0], w_shape[0], *x_shape[2:]
    return {"dz": draw(rng, z_shape), "x": draw(rng, x_shape), "w": draw(rng, w_shape)}


def wrapped(x, w):
    """x with its first rows and columns once more at the end, so that every window is whole."""
    rows, columns = (n - 1 for n in w.shape[2:])
    return np.pad(x, ((0, 0), (0, 0), (0, rows), (0, columns)), mode="wrap")


def circular(dz, x, w):
    H, W = x.shape[2:]
    dx, dw, _ = conv2d_backward(dz, wrapped(x, w), w)
    dx[:, :, : dx.shape[2] - H] += dx[:, :, H:]
    dx[:, :, :, : dx.shape[3] - W] += dx[:, :, :, W:]
    return dx[:, :, :H, :W], dw


def circular_numeric(dz, x, w):
    return (
        numeric_gradient(lambda x: (dz * conv2d(wrapped(x, w), w)).sum(), x),
        numeric_gradient(lambda w: (dz * conv2d(wrapped(x, w), w)).sum(), w),
    )


@exercise(
    lesson="06",
    tiny=lambda rng: circular_case(rng, (1, 1, 1, 3), (1, 1, 1, 2), cases.whole),
    cases=lambda rng: [
        circular_case(rng, (1, 2, 3, 2), (2, 2, 3, 2)),
        circular_case(rng, (3, 3, 4, 5), (2, 3, 3, 2)),
    ],
    answer=circular,
    numeric=circular_numeric,
    hints=[
        "Write the forward loops. The only news is the pixel: row (i + kh) % H.",
        "Run them once more: every product x·w sends dz·w to that x and dz·x to that w.",
    ],
)
def conv2d_circular_gradient(dz, x, w):
    """The gradients of a convolution on images that wrap around, as on a globe.

    Right of the last column comes the first one again, and below the last row the first:
    z[n,f,i,j] = Σ_c Σ_kh Σ_kw x[n, c, (i + kh) mod H, (j + kw) mod W] · w[f,c,kh,kw].
    So z has as many rows and columns as x.

    dz       (N, F, H, W)     gradient of the loss by z
    x        (N, C, H, W)
    w        (F, C, KH, KW)   KH ≤ H and KW ≤ W
    returns  dx (N, C, H, W), dw (F, C, KH, KW)
    """
    dx, dw = np.zeros(x.shape), np.zeros(w.shape)
    for n, f, i, j in np.ndindex(dz.shape):
        for c, kh, kw in np.ndindex(w.shape[1:]):
            row, column = (i + kh) % x.shape[2], (j + kw) % x.shape[3]
            dx[n, c, row, column] += dz[n, f, i, j] * w[f, c, kh, kw]
            dw[f, c, kh, kw] += dz[n, f, i, j] * x[n, c, row, column]
    return dx, dw


@conv2d_circular_gradient.mistake("05, padding")
def zeros_in_place_of_wrapping(dz, x, w):
    """You let windows that reach over the edge meet zeros; here they meet the first rows and
    columns again, % H and % W."""
    H, W = x.shape[2:]
    beyond = wrapped(x, w)
    beyond[:, :, H:] = 0
    beyond[:, :, :, W:] = 0
    dx, dw, _ = conv2d_backward(dz, beyond, w)
    return dx[:, :, :H, :W], dw


@conv2d_circular_gradient.mistake(REUSED)
def wrapped_part_not_added(dz, x, w):
    """Your dw is right, but in dx the gradients of the repeated rows and columns are lost: they
    belong to the pixels that were repeated, so add them there."""
    dx, dw, _ = conv2d_backward(dz, wrapped(x, w), w)
    return dx[:, :, : x.shape[2], : x.shape[3]], dw


def top_two(dz, x, kernel_size, stride):
    dx = np.zeros(x.shape)
    for cell, pixels in windows(dz, kernel_size, stride):
        dx[pixels] += dz[cell] / 2 * ranked_first(x[pixels], 2)
    return dx


def windows(dz, kernel_size, stride):
    """Every cell of dz and the pixels of its window, as an index into x."""
    for n, c, i, j in np.ndindex(dz.shape):
        top, left = i * stride[0], j * stride[1]
        rows, columns = slice(top, top + kernel_size[0]), slice(left, left + kernel_size[1])
        yield (n, c, i, j), (n, c, rows, columns)


def ranked_first(window, count):
    """True at the `count` largest cells."""
    return window >= np.sort(window, axis=None)[-count]


def top_two_numeric(dz, x, kernel_size, stride):
    def loss(x):
        largest = (
            np.sort(x[pixels], axis=None)[-2:] for _, pixels in windows(dz, kernel_size, stride)
        )
        return sum(g * two.mean() for g, two in zip(dz.ravel(), largest, strict=True))

    return numeric_gradient(loss, x)


@exercise(
    lesson="07",
    tiny=lambda rng: cases.pooling(
        rng, (1, 1, 2, 3), (2, 2), (1, 1), draw=cases.distinct, draw_dz=cases.whole
    ),
    cases=lambda rng: [
        cases.pooling(rng, (1, 1, 4, 4), (3, 2), (1, 2)),
        cases.pooling(rng, (2, 2, 5, 5), (2, 2), (3, 3)),
        cases.pooling(rng, (1, 3, 5, 4), (3, 3), (2, 1)),
    ],
    answer=top_two,
    numeric=top_two_numeric,
    hints=[
        "z = (a + b) / 2 with the two largest cells a and b. What is the slope by a, by b, by any "
        "other cell?",
        "Each of the two winners gets dz / 2; a cell that wins in several windows gets the sum.",
    ],
)
def mean_of_top_two_gradient(dz, x, kernel_size, stride):
    """The gradient of a pooling that hands on the mean of the two largest cells of every window.

    There is no padding, and no two cells of a window are equal.

    dz           (N, C, OH, OW)   gradient of the loss by the pooling's output
    x            (N, C, H, W)     its input
    kernel_size  (KH, KW)         the window
    stride       pair
    returns  dx (N, C, H, W)
    """
    dx = np.zeros(x.shape)
    for n, c, i, j in np.ndindex(dz.shape):
        cells = []
        for a, b in np.ndindex(kernel_size):
            row, column = i * stride[0] + a, j * stride[1] + b
            cells.append((x[n, c, row, column], row, column))
        for _, row, column in sorted(cells)[-2:]:
            dx[n, c, row, column] += dz[n, c, i, j] / 2
    return dx


TOP = "07, the winner gets the gradient"


@mean_of_top_two_gradient.mistake(TOP)
def largest_only(dz, x, kernel_size, stride):
    """You send all of dz to the largest cell, as max pooling does; here two cells win, and each
    gets half."""
    dx = np.zeros(x.shape)
    for cell, pixels in windows(dz, kernel_size, stride):
        dx[pixels] += dz[cell] * ranked_first(x[pixels], 1)
    return dx


@mean_of_top_two_gradient.mistake("07, average pooling shares")
def mean_not_halved(dz, x, kernel_size, stride):
    """You send the whole of dz to both winners; in their mean each has the share ½."""
    return 2 * top_two(dz, x, kernel_size, stride)


@mean_of_top_two_gradient.mistake("07, where windows overlap, gradients add")
def overlaps_assigned(dz, x, kernel_size, stride):
    """Where windows overlap, you keep the last one's gradient only; add with +=."""
    dx = np.zeros(x.shape)
    for cell, pixels in windows(dz, kernel_size, stride):
        dx[pixels][ranked_first(x[pixels], 2)] = dz[cell] / 2
    return dx


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
    lesson="06",
    tiny=lambda rng: tied_case(rng, (1, 1, 1, 4), (1, 2), cases.whole),
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
)
def tied_kernel_gradient(dz, x, w):
    """The gradient of a kernel that two convolutions in a row share: y = x ⋆ w and z = y ⋆ w.

    Both have stride 1, no padding and no bias, and as many filters as channels, so that the same w
    fits twice. In loops: z[n,f,i,j] = Σ_c Σ_kh Σ_kw y[n,c,i+kh,j+kw] · w[f,c,kh,kw].

    dz       (N, C, OH, OW)   gradient of the loss by z
    x        (N, C, H, W)
    w        (C, C, KH, KW)
    returns  dw (C, C, KH, KW)
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


@tied_kernel_gradient.mistake(REUSED)
def second_use_only(dz, x, w):
    """Your dw has what the second convolution contributes; the first used the same kernel, so add
    its part."""
    return uses(dz, x, w)[1]


@tied_kernel_gradient.mistake(REUSED)
def first_use_only(dz, x, w):
    """Your dw has what the first convolution contributes; the second used the same kernel, so add
    its part."""
    return uses(dz, x, w)[0]


@tied_kernel_gradient.mistake(REUSED)
def uses_averaged(dz, x, w):
    """Your dw is the mean of the two uses; the kernel moves the loss through both, so it is the
    sum."""
    return sum(uses(dz, x, w)) / 2

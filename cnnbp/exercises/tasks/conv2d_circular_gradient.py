"""A layer that the package does not hold: a convolution on images that wrap around."""

import numpy as np

from cnnbp.convolution import conv2d, conv2d_backward
from cnnbp.exercises import cases, choices
from cnnbp.exercises.choices import same, wrong
from cnnbp.exercises.task import exercise
from cnnbp.gradcheck import numeric_gradient

REUSED = "08, reused means summed"
PADDING = "06, look past the border with padding"
SUMS = "08, the poster of what sums over what"


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
    lesson="08",
    given={
        "dz": "N F H W: gradient of the loss by z",
        "x": "N C H W",
        "w": "F C KH KW: KH ≤ H and KW ≤ W",
    },
    returns={"dx": "N C H W", "dw": "F C KH KW"},
    tiny=lambda rng: circular_case(rng, (2, 1, 1, 3), (1, 1, 1, 2), cases.whole),
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
    stub="The gradients of the loss by x and w, on images that wrap around.",
)
def conv2d_circular_gradient(dz, x, w):
    """The gradients of a convolution on images that wrap around, as on a globe.

    Right of the last column comes the first one again, and below the last row the first:
    z[n,f,i,j] = Σ_c Σ_kh Σ_kw x[n, c, (i + kh) mod H, (j + kw) mod W] · w[f,c,kh,kw].
    So z has as many rows and columns as x.
    """
    dx, dw = np.zeros(x.shape), np.zeros(w.shape)
    for n, f, i, j in np.ndindex(dz.shape):
        for c, kh, kw in np.ndindex(w.shape[1:]):
            row, column = (i + kh) % x.shape[2], (j + kw) % x.shape[3]
            dx[n, c, row, column] += dz[n, f, i, j] * w[f, c, kh, kw]
            dw[f, c, kh, kw] += dz[n, f, i, j] * x[n, c, row, column]
    return dx, dw


def by_pixels(place, dx_added=True, dw_added=True):
    """The loops with another pixel, place(i, kh, H, other length) in place of (i + kh) mod H."""

    def gradients(dz, x, w):
        dx, dw, (H, W) = np.zeros(x.shape), np.zeros(w.shape), x.shape[2:]
        for i, j, a, b in np.ndindex(H, W, *w.shape[2:]):
            at = np.s_[:, :, place(i, a, H, W), place(j, b, W, H)]
            back = np.einsum("nf,fc->nc", dz[:, :, i, j], w[:, :, a, b])
            met = np.einsum("nf,nc->fc", dz[:, :, i, j], x[at])
            dx[at] = back + dx[at] * dx_added
            dw[:, :, a, b] = met + dw[:, :, a, b] * dw_added
        return dx, dw

    return gradients


def wrap(i, k, size, other):
    return (i + k) % size


def rolled(images, a, b):
    """Row i + a and column j + b of images that wrap around, at (i, j)."""
    return np.roll(images, (-a, -b), axis=(2, 3))


def lost(part, a, b):
    """Row i and column j moved to i + a and j + b, what would wrap around being lost."""
    moved = np.zeros(part.shape)
    H, W = part.shape[2:]
    moved[:, :, a:, b:] = part[:, :, : H - a, : W - b]
    return moved


# fmt: off
READS = [
    rolled,
    wrong("wrapped_the_other_way_in_dw", REUSED, "the pixels are met the other way round: cell (i, "
        "j) of z met pixel (i + kh, j + kw), so np.roll goes by (−kh, −kw).",
        lambda x, a, b: rolled(x, -a, -b)),
]
WRITES = [
    lambda part, a, b: rolled(part, -a, -b),
    wrong("wrapped_the_other_way_in_dx", REUSED, "the pixels of dx are written the other way "
        "round: what cell (i, j) of z sends back belongs to pixel (i + kh, j + kw), so np.roll "
        "goes by (+kh, +kw).", rolled),
    wrong("wrapped_part_not_added", REUSED, "in dx the gradients of the repeated rows and columns "
        "are lost: they belong to the pixels that were repeated, so add them there.", lost),
]
KERNELS = [
    same,
    wrong("channel_axes_not_swapped", REUSED, "the weight w[c,f] is taken in place of w[f,c] in "
        "dx: filters come in and channels go out; where F = C this raises no error.",
        lambda w: w.swapaxes(0, 1)),
]


@conv2d_circular_gradient.steps(
    read=READS,
    write=WRITES,
    kernel=KERNELS,
    samples=choices.samples(SUMS),
    counted=choices.summed_samples(REUSED, first="first_summed", last="last_summed"),
    factors={"dw: 1/N": choices.over_batch(), "−1": choices.sign(REUSED)},
)
def by_steps(steps, dz, x, w):
    dx, dw, kernel = np.zeros(x.shape), np.zeros(w.shape), steps.kernel(w)
    counted, images = steps.counted(dz, x)
    for a, b in np.ndindex(w.shape[2:]):
        dw[:, :, a, b] = np.einsum("nfij,ncij->fc", counted, steps.read(images, a, b))
        dx += steps.write(np.einsum("nfij,fc->ncij", dz, kernel[:, :, a, b]), a, b)
    return steps.samples(dx), dw


def last_filter_assigned(dz, x, w):
    return by_pixels(wrap, dx_added=False)(dz[:, -1:], x, w[-1:])[0], circular(dz, x, w)[1]


def last_sample_assigned(dz, x, w):
    return circular(dz, x, w)[0], by_pixels(wrap, dw_added=False)(dz[-1:], x[-1:], w)[1]


@conv2d_circular_gradient.mistake(REUSED, also=[last_filter_assigned], line="assigned")
def pixels_assigned(dz, x, w):
    """The pixels of dx are assigned: every pixel is used by many windows, so add with +=."""
    return by_pixels(wrap, dx_added=False)(dz, x, w)


@conv2d_circular_gradient.mistake(REUSED, also=[last_sample_assigned], line="assigned")
def weights_assigned(dz, x, w):
    """The weights of dw are assigned: every weight is used in all windows, so add with +=."""
    return by_pixels(wrap, dw_added=False)(dz, x, w)


@conv2d_circular_gradient.mistake(
    PADDING, also=[by_pixels(lambda i, k, size, other: (i + k) % other % size)]
)
def edge_repeated(dz, x, w):
    """Beyond the edge you meet another pixel than the image's first ones: row (i + kh) % H, column
    (j + kw) % W."""
    return by_pixels(lambda i, k, size, other: min(i + k, size - 1))(dz, x, w)


@conv2d_circular_gradient.mistake(REUSED, convention=True)
def kernel_centered(dz, x, w):
    """The kernel lies around cell (i, j): here its first cell lies on it, row (i + kh) % H."""
    return by_pixels(lambda i, k, size, other: (i + k - 1) % size)(dz, x, w)


@conv2d_circular_gradient.mistake(PADDING)
def zeros_in_place_of_wrapping(dz, x, w):
    """Windows that reach over the edge meet zeros: here they meet the first rows and columns again,
    % H and % W."""
    H, W = x.shape[2:]
    edge = wrapped(x, w)
    edge[:, :, H:] = 0
    edge[:, :, :, W:] = 0
    dx, dw, _ = conv2d_backward(dz, edge, w)
    return dx[:, :, :H, :W], dw

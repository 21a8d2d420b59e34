"""The gradient of an average pooling."""

import numpy as np

from cnnbp.exercises import cases, choices
from cnnbp.exercises.choices import same, wrong
from cnnbp.exercises.task import exercise
from cnnbp.exercises.windows import each_window
from cnnbp.explain import explain_avg_pool2d
from cnnbp.gradcheck import numeric_gradient
from cnnbp.pooling import avg_pool2d, avg_pool2d_backward

OVERLAP = "09, where windows overlap, gradients add"
APART = "09, stride and window size differ"
SHARE = "09, average pooling shares"


def avg_gradient(dz, x_shape, kernel_size, stride, padding):
    return avg_pool2d_backward(dz, x_shape, kernel_size, stride=stride, padding=padding)


def avg_numeric(dz, x_shape, kernel_size, stride, padding):
    def loss(x):
        return (dz * avg_pool2d(x, kernel_size, stride=stride, padding=padding)).sum()

    return numeric_gradient(loss, np.zeros(x_shape))


def explain_avg(part, index, *, x_shape, **given):
    return explain_avg_pool2d("dx", index, x=np.zeros(x_shape), **given)


@exercise(
    lesson="09",
    given={
        "dz": "N C OH OW: gradient of the loss by the pooling's output",
        "x_shape": "N C H W",
        "kernel_size": "KH KW: the window",
        "stride": "pair",
        "padding": "pair",
    },
    returns={"dx": "N C H W"},
    tiny=cases.tiny_pooling,
    cases=cases.poolings,
    answer=avg_gradient,
    numeric=avg_numeric,
    explain=explain_avg,
    hints=[
        "Every pixel of a window moved its output by 1/(KH·KW) of its own move.",
        "So each window shares dz / (KH·KW) with every pixel that it covers.",
        "Where windows overlap, a pixel gets the sum: += and not =. Padding gets its share, too, "
        "which is then dropped.",
    ],
    stub="The gradient of the loss by the input of average pooling.",
)
def avg_pool2d_gradient(dz, x_shape, kernel_size, stride, padding):
    """The gradient of the loss by the input of an average pooling.

    Each output is the sum of its window divided by KH·KW, cells of the padding counting as zeros.
    """
    dx = np.zeros(x_shape)
    share = 1 / (kernel_size[0] * kernel_size[1])
    for n, c, i, j in np.ndindex(dz.shape):
        for a, b in np.ndindex(kernel_size):
            row = i * stride[0] + a - padding[0]
            column = j * stride[1] + b - padding[1]
            if 0 <= row < x_shape[2] and 0 <= column < x_shape[3]:
                dx[n, c, row, column] += share * dz[n, c, i, j]
    return dx


def mean_of_the_slice(dz, x_shape, kernel_size, stride, padding):
    dx = np.zeros(x_shape)
    for _, pixels in each_window(dz.shape, x_shape, kernel_size, stride, padding):
        part = dz[pixels]
        dx[pixels] += part.mean() / np.prod(kernel_size) if part.size else 0
    return dx


def divided_without_rest(dz, x_shape, kernel_size, *options):
    size = np.prod(kernel_size)
    return avg_gradient(dz // size * size, x_shape, kernel_size, *options)


def counted(inside):
    """1 / the number of real pixels in every window."""
    return inside / np.maximum(inside.sum(axis=(4, 5), keepdims=True), 1)


# fmt: off
SHARES = [
    lambda inside, size: 1 / np.prod(size),
    wrong("not_divided", SHARE, "{yours} {are} not divided by the window's size: each of its KH·KW "
        "cells has only that share in the mean.", lambda inside, size: 1.0),
    wrong("padding_not_counted", SHARE, "you divide by the number of real pixels in a window: here "
        "cells of the padding count as zeros, and it is always KH·KW.",
        lambda inside, size: counted(inside), convention=True),
    wrong("divided_by_another_size", SHARE, "what is divided by is not KH·KW: the sum of KH and "
        "KW, one of them, the square of one, or OH·OW is another number.",
        lambda inside, size: 1 / sum(size),
        lambda inside, size: 1 / size[0], lambda inside, size: 1 / size[1],
        lambda inside, size: 1 / size[0] ** 2, lambda inside, size: 1 / size[1] ** 2,
        lambda inside, size: 1 / np.prod(inside.shape[2:4])),
    wrong("divided_twice", SHARE, "{yours} {are} divided by KH·KW twice: once is enough.",
        lambda inside, size: 1 / np.prod(size) ** 2),
    wrong("one_pixel_gets_all", SHARE, "one pixel of each window gets all: in a mean every cell "
        "has the same share, 1/(KH·KW).", lambda inside, size: corner(inside, 0),
        lambda inside, size: corner(inside, 0) / np.prod(size),
        lambda inside, size: corner(inside, -1)),
]


def corner(inside, index):
    mask = np.zeros(inside.shape[4:])
    mask[index, index] = 1
    return mask


WHOLE = [
    same,
    wrong("divided_without_rest", SHARE, "// cuts every quotient to a whole number: divide with /.",
        also=(divided_without_rest,)),
    wrong("dz_read_at_the_pixels_place", SHARE, choices.DZ_AT_PIXELS,
        also=(mean_of_the_slice,)),
]


@avg_pool2d_gradient.steps(
    size=choices.sizes(APART),
    stride=choices.strides(APART, apart="shares_a_kernel_apart"),
    share=SHARES,
    overlap=choices.overlaps(OVERLAP),
    crop=choices.crops("08, the padding is cropped"),
    border=choices.last_gradients(SHARE),
    samples=choices.samples(SHARE),
    whole=WHOLE,
    factors={
        "1/N": choices.over_batch(),
        "−1": choices.sign(SHARE),
    },
)
def by_steps(steps, dz, x_shape, kernel_size, stride, padding):
    size = steps.size(kernel_size, stride)
    stride, count = steps.stride(stride, kernel_size), dz.shape[2:]
    inside = choices.with_padding(np.ones((1, 1, *x_shape[2:])), padding)
    share = steps.share(choices.views(inside, size, stride, count), size)
    parts = steps.border(dz)[..., None, None] * np.broadcast_to(share, (1, 1, *count, *size))
    dx = steps.overlap(parts, stride, inside.shape[2:])
    return steps.samples(steps.crop(dx, x_shape, padding, choices.reach_of(count, size, stride)))

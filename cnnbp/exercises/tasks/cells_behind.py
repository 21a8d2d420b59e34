"""Which outputs of a network a pixel can hear from, said from the shapes alone."""

import itertools
from contextlib import suppress
from types import MappingProxyType

import numpy as np

from cnnbp.exercises import choices
from cnnbp.exercises.check.messages import say
from cnnbp.exercises.check.results import Unreadable
from cnnbp.exercises.check.saying import kind
from cnnbp.exercises.choices import wrong
from cnnbp.exercises.task import exercise
from cnnbp.explain import cell_name
from cnnbp.shape import windows

PIXEL = "10, point at a pixel"
POOLING = "10, scatter through the max pooling"


class Cells:
    """A set of indices (n, f, i, j), as the result of an exercise."""

    names = ("cells",)
    entries = MappingProxyType({})  # a set has no axes

    def __str__(self):
        return "a set of indices (n, f, i, j)"

    def read(self, returned, arguments):
        """The set with its indices as tuples of ints, or Unreadable."""
        if isinstance(returned, set | frozenset):
            with suppress(TypeError, ValueError):  # what is no index is said below
                return {"cells": frozenset(tuple(map(int, index)) for index in returned)}
        raise Unreadable(say("type.cells", yours=kind(returned)))

    def difference(self, arguments, yours, expected):
        """What is missing from a set of cells and what does not belong to it: sentences."""
        found, pixel = len(yours & expected), cell_name("x", arguments["index"])
        yield say("cells.count", found=found, count=len(expected), pixel=pixel)
        for cell in sorted(expected - yours)[:1]:
            between = cell_name("z", between_cells(cell, **arguments)[0])
            yield say("cells.missing", cell=cell, between=between, pixel=pixel)
        for cell in sorted(yours - expected)[:1]:
            yield say("cells.wrong", cell=cell, pixel=pixel)


def places(x_shape, w_shape, stride, padding, pool_size, pool_stride):
    """Where the windows of the convolution and of the pooling lie."""
    conv = windows(x_shape[2:], w_shape[2:], stride=stride, padding=padding)
    return conv, windows(conv.output, pool_size, stride=pool_stride)


def between_cells(cell, index, x_shape, w_shape, stride, padding, pool_size, pool_stride):
    """The convolution's cells between a pooled cell and a pixel."""
    conv, pool = places(x_shape, w_shape, stride, padding, pool_size, pool_stride)
    n, f, *window = cell
    return [
        (n, f, *at)
        for at in inside(pool, window)
        if n == index[0] and index[2:] in inside(conv, at)
    ]


def inside(place, window):
    """The cells (row, column) in a window."""
    top, left = place.corner(tuple(window))
    return [(top + a, left + b) for a, b in np.ndindex(*place.kernel)]


def cells(index, x_shape, w_shape, stride, padding, pool_size, pool_stride):
    _, pool = places(x_shape, w_shape, stride, padding, pool_size, pool_stride)
    geometry = index, x_shape, w_shape, stride, padding, pool_size, pool_stride
    n, *_ = index
    reached = [at for at in np.ndindex(*pool.output) if between_cells((n, 0, *at), *geometry)]
    return {(n, f, *at) for f in range(w_shape[0]) for at in reached}


def behind(index, x_shape, w_shape, stride=(2, 2), padding=(0, 0), pool=((2, 2), (3, 3))):
    return {
        "index": index,
        "x_shape": x_shape,
        "w_shape": w_shape,
        "stride": stride,
        "padding": padding,
        "pool_size": pool[0],
        "pool_stride": pool[1],
    }


CORNERS = (0, 0), (8, 7), (8, 10)


def random(rng):
    """Pixels that several windows cover, on borders, behind remainders of either layer, and first
    or last in the only window that covers them."""
    n, c, h, v = (int(rng.integers(size)) for size in (2, 3, 4, 4))
    wide = {"x_shape": (2, 3, 9, 11), "w_shape": (2, 3, 3, 4)}
    overlapping = {"pool": ((2, 3), (1, 2)), "padding": (1, 2)}
    padded = {"stride": (2, 3), "padding": (1, 2), "pool": ((2, 2), (2, 2))}
    apart = {"stride": (2, 3), "pool": ((3, 1), (2, 1))}
    return [
        behind((n, c, 4, 5), **wide),
        behind((n, c, h, v), **wide, **overlapping),
        *(behind((n, c, *corner), **wide, **overlapping) for corner in CORNERS),
        behind((n, c, 11, 16), (2, 3, 14, 19), (2, 3, 3, 4), **padded),
        behind((n, c, 10, 14), (2, 3, 11, 15), (2, 3, 3, 4), **padded),
        *(behind((n, c, *at), (2, 3, 10, 9), (4, 3, 2, 3), **apart) for at in ((6, 6), (3, 5))),
    ]


@exercise(
    lesson="10",
    given={
        "index": "tuple of four ints: which pixel of x",
        "x_shape": "N C H W",
        "w_shape": "F C KH KW",
        "stride": "pair: of the convolution",
        "padding": "pair: of the convolution",
        "pool_size": "pair: the pooling's windows",
        "pool_stride": "pair: from one of them to the next",
    },
    returns=Cells(),
    tiny=lambda rng: behind(
        (int(rng.integers(2)), 0, 2, int(rng.integers(2, 4))), (2, 1, 5, 7), (3, 1, 2, 3), (1, 1)
    ),
    cases=random,
    answer=cells,
    hints=[
        "Two questions, one after the other: which cells of the convolution's output used the "
        "pixel, and which windows of the pooling hold one of these cells?",
        "Cell (i, j) of the convolution covers rows i·stride[0] − padding[0] and KH − 1 more; the "
        "pooling's window (i, j) holds rows i·pool_stride[0] and pool_size[0] − 1 more.",
        "Every filter used the pixel, and no other sample did.",
    ],
    stub="The pooled outputs that can send a pixel a gradient.",
)
def cells_behind(index, x_shape, w_shape, stride, padding, pool_size, pool_stride):
    """Which outputs of a pooling can send a gradient to one pixel, two layers before.

    A convolution takes x, and a max pooling without padding takes its output. Return the indices
    (n, f, i, j) of all pooled outputs whose window holds a cell that used x[index]: whether that
    cell wins is another question.
    """
    (_, _, H, W), (F, _, KH, KW) = x_shape, w_shape
    OH = (H + 2 * padding[0] - KH) // stride[0] + 1
    OW = (W + 2 * padding[1] - KW) // stride[1] + 1
    PH, PW = (OH - pool_size[0]) // pool_stride[0] + 1, (OW - pool_size[1]) // pool_stride[1] + 1
    n, _, h, v = index
    found = set()
    for f, i, j, a, b in np.ndindex(F, PH, PW, *pool_size):
        kh = h + padding[0] - (i * pool_stride[0] + a) * stride[0]
        kw = v + padding[1] - (j * pool_stride[1] + b) * stride[1]
        if 0 <= kh < KH and 0 <= kw < KW:  # the weight that met the pixel in that cell
            found.add((n, f, i, j))
    return found


def windows_counted_without_padding(index, x_shape, w_shape, stride, padding, *pooling):
    return cells(index, x_shape, w_shape, stride, (0, 0), *pooling)


def swapped(*given):
    return {(n, f, j, i) for n, f, i, j in cells(*given)}


# fmt: off
POOLINGS = [
    lambda size, stride, count: (size, stride, count[1]),
    wrong("pooling_windows_a_size_apart", POOLING, "the pooling's windows lie at i·pool_size: they "
        "lie at i·pool_stride, which is another place wherever the two differ.",
        lambda size, stride, count: (size, size, count[1])),
    wrong("pooling_windows_of_the_strides_size", POOLING, "the pooling's windows are as large as "
        "their stride: they hold pool_size cells.",
        lambda size, stride, count: (stride, stride, count[1])),
    wrong("pooling_left_out", POOLING, "these are the convolution's cells: one layer further, the "
        "pooling's windows hold them.", lambda size, stride, count: ((1, 1), (1, 1), count[0])),
    wrong("first_cell_of_a_window_only", POOLING, "only one cell of each pooling window is asked: "
        "any of its pool_size cells may have used the pixel.",
        lambda size, stride, count: ((1, 1), stride, count[1])),
    wrong("pooled_outputs_that_do_not_exist", POOLING, "pooled outputs that do not exist are "
        "listed: a last window that does not fit is left out.",
        lambda size, stride, count: (size, stride, np.add(count[1], 1))),
    wrong("last_windows_missing", POOLING, f"{choices.LAST_MISSING}.",
        lambda size, stride, count: (size, stride, np.subtract(count[1], 1))),
]
INSIDE = [
    lambda k, size: (k >= 0) & (k < size),
    wrong("kernel_bounds_off_by_one", PIXEL, "a kernel's bounds are off by one: its cells are 0 to "
        "KH − 1.", lambda k, size: (k >= 0) & (k <= size), lambda k, size: (k > 0) & (k < size),
        lambda k, size: (k > 0) & (k <= size), lambda k, size: (k >= 0) & (k < size - 1)),
    wrong("one_window_for_each_pixel", PIXEL, "only the window that begins at the pixel is listed: "
        "every window that covers it used it.", lambda k, size: k == 0),
]
SAMPLES = [
    lambda index, N: [index[0]],
    wrong("all_samples", PIXEL, "outputs of every sample are listed: samples do not see each "
        "other, only index[0] used the pixel.", lambda index, N: range(N)),
]
PIXELS = [
    lambda index: index,
    wrong("rows_and_columns_swapped", PIXEL, "rows and columns are swapped: an index has the row "
        "third and the column fourth.", lambda index: (*index[:2], index[3], index[2]),
        also=(swapped,), alone=True),
]
FILTERS = [
    lambda index, F: range(F),
    wrong("first_filter_only", PIXEL, "one filter's outputs are listed: every filter used the "
        "pixel.", lambda index, F: [0], lambda index, F: [index[1]], lambda index, F: [F - 1]),
]


@cells_behind.steps(
    stride=choices.strides(PIXEL),
    padding=choices.origins(PIXEL, also=(windows_counted_without_padding,)),
    pixel=PIXELS,
    pooling=POOLINGS,
    inside=INSIDE,
    samples=SAMPLES,
    filters=FILTERS,
)
def by_steps(steps, index, x_shape, w_shape, stride, padding, pool_size, pool_stride):
    conv, pool = places(x_shape, w_shape, stride, padding, pool_size, pool_stride)
    size, apart, count = steps.pooling(pool_size, pool_stride, (conv.output, pool.output))
    stride, padding = steps.stride(stride, w_shape[2:]), steps.padding(padding)
    index = steps.pixel(index)
    reached = []
    for axis in (0, 1):
        i, a = np.ogrid[: count[axis], : size[axis]]
        k = index[2 + axis] + padding[axis] - (i * apart[axis] + a) * stride[axis]
        found = steps.inside(k, w_shape[2 + axis]).any(axis=1)
        reached.append(np.flatnonzero(found).tolist())
    samples, filters = steps.samples(index, x_shape[0]), steps.filters(index, w_shape[0])
    return set(itertools.product(samples, filters, *reached))

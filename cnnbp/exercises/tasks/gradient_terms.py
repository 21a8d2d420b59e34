"""The promise of the course as an exercise: say which products made a gradient cell."""

from contextlib import suppress
from types import MappingProxyType

import numpy as np

from cnnbp.exercises.check.messages import say
from cnnbp.exercises.check.results import Unreadable
from cnnbp.exercises.check.saying import kind
from cnnbp.exercises.task import exercise
from cnnbp.explain import cell_name, explain_conv2d
from cnnbp.shape import conv_windows

TERMS = "07, which products make a cell"
NAMES = {"dx": ("dz", "w"), "dw": ("dz", "x")}


class Terms:
    """A set of (left index, right index) pairs, as the result of an exercise."""

    names = ("terms",)
    entries = MappingProxyType({})  # a set has no axes

    def __str__(self):
        return "a set of (index into dz, index into w or x) pairs"

    def read(self, returned, arguments):
        """The set with its indices as tuples of ints, or Unreadable."""
        if isinstance(returned, set | frozenset):
            with suppress(TypeError, ValueError):  # what is not a pair is said below
                return {"terms": frozenset(map(_pair, returned))}
        raise Unreadable(say("type.terms", yours=kind(returned)))

    def difference(self, arguments, yours, expected):
        """What is missing from a set of terms and what does not belong to it: sentences."""
        cell = cell_name(arguments["wanted"], arguments["index"])
        found = len(yours & expected)
        yield say("terms.count", found=found, count=len(expected), cell=cell)
        for left, right in sorted(expected - yours)[:1]:
            window = say(f"terms.{arguments['wanted']}", window=left[2:], sample=left[0])
            yield say("terms.missing", term=_term(arguments, left, right), window=window)
        for left, right in sorted(yours - expected)[:1]:
            yield say("terms.wrong", term=_term(arguments, left, right))


def _pair(pair):
    left, right = pair
    return tuple(map(int, left)), tuple(map(int, right))


def _term(arguments, left, right):
    left_name, right_name = NAMES[arguments["wanted"]]
    return f"{cell_name(left_name, left)}·{cell_name(right_name, right)}"


# With remainders in rows and in columns: where one window more would reach, or one less not
UNEVEN_CORNERS = [((0, 0), (1, 1)), ((7, 4), (1, 1)), ((6, 5), (1, 1))]
UNEVEN_CORNERS += [((7, 5), (2, 0)), ((6, 5), (0, 2))]


def cell(wanted, index, x_shape, w_shape, stride=(1, 1), padding=(0, 0)):
    return {
        "wanted": wanted,
        "index": index,
        "x_shape": x_shape,
        "w_shape": w_shape,
        "stride": stride,
        "padding": padding,
    }


def tiny(rng):
    f, kh, kw = (int(rng.integers(size)) for size in (3, 2, 2))
    return cell("dw", (f, 0, kh, kw), (2, 1, 3, 3), (3, 1, 2, 2))


def random(rng):
    """Cells in the middle of dx and dw, where every stride and all padding has its say, and on
    their borders, where bounds have."""
    padded = {"x_shape": (2, 3, 6, 7), "w_shape": (2, 3, 3, 2), "padding": (1, 1)}
    strided = {"x_shape": (3, 1, 7, 6), "w_shape": (2, 1, 3, 3), "stride": (2, 1)}
    uneven = {"x_shape": (2, 2, 8, 6), "w_shape": (2, 2, 3, 3), "stride": (2, 3)}
    n, c, h, v, k = (
        int(rng.integers(low, high)) for low, high in ((0, 2), (0, 2), (2, 4), (2, 4), (0, 2))
    )
    f = 1 - c  # or w[f,c] and w[c,f] would be one cell
    return [
        cell("dx", (n, c, h, v), **padded),
        cell("dw", (f, c, k, k), **padded),
        cell("dx", (n, 0, 2, v), **strided),
        cell("dw", (f, 0, 2, k), **strided, padding=(0, 1)),
        *(cell("dx", (n, 2, *corner), **padded) for corner in ((0, 0), (5, 6))),
        *(cell("dw", (f, c, *corner), **padded) for corner in ((0, 0), (2, 1))),
        *(
            cell("dx", (n, c, *corner), **uneven, padding=padding)
            for corner, padding in UNEVEN_CORNERS
        ),
    ]


def terms(wanted, index, x_shape, w_shape, stride, padding):
    place = conv_windows(x_shape, w_shape, stride=stride, padding=padding)
    dz = np.zeros((x_shape[0], w_shape[0], *place.output))
    arrays = {"dz": dz, "x": np.zeros(x_shape), "w": np.zeros(w_shape)}
    found = explain_conv2d(wanted, index, **arrays, stride=stride, padding=padding)
    return {(term.left_index, term.right_index) for term in found.terms}


@exercise(
    lesson="07",
    given={
        "wanted": '"dx" or "dw"',
        "index": "tuple of four ints: which cell of it",
        "x_shape": "N C H W",
        "w_shape": "F C KH KW",
        "stride": "pair",
        "padding": "pair",
    },
    returns=Terms(),
    tiny=tiny,
    cases=random,
    answer=terms,
    hints=[
        "Run through the forward loops, every n, f, i, j, c, kh, kw whose pixel is not padding: "
        "each is one product x·w.",
        "A product sends dz·w to its pixel of dx, and dz·x to its cell of dw.",
        "Keep the pairs whose pixel (for dx) or kernel cell (for dw) is the one at index.",
    ],
    stub="The products whose sum is one cell of dx or dw.",
)
def gradient_terms(wanted, index, x_shape, w_shape, stride, padding):
    """Which products add up to one cell of a convolution's dx or dw.

    For dx they are dz·w, for dw they are dz·x. Return a set with the pair of their indices for each
    product: {((0, 0, 1, 0), (0, 0, 0, 1)), ...}. Pixels of the padding make no product.
    """
    (N, C, H, W), (F, _, KH, KW) = x_shape, w_shape
    OH = (H + 2 * padding[0] - KH) // stride[0] + 1
    OW = (W + 2 * padding[1] - KW) // stride[1] + 1
    found = set()
    for n, f, i, j, c, kh, kw in np.ndindex(N, F, OH, OW, C, KH, KW):
        row = i * stride[0] + kh - padding[0]
        column = j * stride[1] + kw - padding[1]
        if 0 <= row < H and 0 <= column < W:
            if wanted == "dx" and (n, c, row, column) == tuple(index):
                found.add(((n, f, i, j), (f, c, kh, kw)))
            if wanted == "dw" and (f, c, kh, kw) == tuple(index):
                found.add(((n, f, i, j), (n, c, row, column)))
    return found


@gradient_terms.mistake(TERMS)
def stride_ignored(wanted, index, x_shape, w_shape, stride, padding):
    """You place the windows one pixel apart; they lie a stride apart, at i·stride − padding."""
    place = conv_windows(x_shape, w_shape, stride=stride, padding=padding)
    found = terms(wanted, index, x_shape, w_shape, (1, 1), padding)
    (OH, OW) = place.output
    return {(left, right) for left, right in found if left[2] < OH and left[3] < OW}


@gradient_terms.mistake(TERMS, line="padding")
def padding_ignored(wanted, index, x_shape, w_shape, stride, padding):
    """You place the first window at the first pixel; with padding it begins before it, at
    i·stride − padding."""
    N, C, H, W = x_shape
    larger = N, C, H + 2 * padding[0], W + 2 * padding[1]
    found = terms(wanted, index, larger, w_shape, stride, (0, 0))
    if wanted == "dx":
        return found
    return {(left, right) for left, right in found if right[2] < H and right[3] < W}


@gradient_terms.mistake(TERMS)
def padding_counted(wanted, index, x_shape, w_shape, stride, padding):
    """You list products with cells of the padding; these are zeros and belong to no array."""
    N, C, H, W = x_shape
    (top, left), larger = padding, (N, C, H + 2 * padding[0], W + 2 * padding[1])
    if wanted == "dx":
        n, c, h, v = index
        return terms(wanted, (n, c, h + top, v + left), larger, w_shape, stride, (0, 0))
    return {
        (dz_index, (n, c, h - top, v - left))
        for dz_index, (n, c, h, v) in terms(wanted, index, larger, w_shape, stride, (0, 0))
    }


def listed(place):
    """The forward loops with another pixel: place(i, kh, stride, padding, KH) is its row."""

    def found(wanted, index, x_shape, w_shape, stride, padding):
        output = conv_windows(x_shape, w_shape, stride=stride, padding=padding).output
        (N, C, H, W), (F, _, KH, KW) = x_shape, w_shape
        n, f, i, j, c, kh, kw = np.indices((N, F, *output, C, KH, KW)).reshape(7, -1)
        row = place(i, kh, stride[0], padding[0], KH)
        column = place(j, kw, stride[1], padding[1], KW)
        pixels, weights = np.array([n, c, row, column]).T, np.array([f, c, kh, kw]).T
        cells, others = (pixels, weights) if wanted == "dx" else (weights, pixels)
        hit = (row >= 0) & (row < H) & (column >= 0) & (column < W) & (cells == index).all(axis=1)
        lefts, rights = np.array([n, f, i, j]).T[hit].tolist(), others[hit].tolist()
        return set(zip(map(tuple, lefts), map(tuple, rights), strict=True))

    return found


def solved_for(bounded):
    """Windows solved for from the pixel, with bounded(i, OH) in place of 0 ≤ i < OH."""

    def found(wanted, index, x_shape, w_shape, stride, padding):
        if wanted == "dw":
            return terms(wanted, index, x_shape, w_shape, stride, padding)
        OH, OW = conv_windows(x_shape, w_shape, stride=stride, padding=padding).output
        (n, c, h, v), listed = index, set()
        for f, kh, kw in np.ndindex(w_shape[0], *w_shape[2:]):
            i, rest = divmod(h + padding[0] - kh, stride[0])
            j, over = divmod(v + padding[1] - kw, stride[1])
            if rest == over == 0 and bounded(i, OH) and bounded(j, OW):
                listed.add(((n, f, i, j), (f, c, kh, kw)))
        return listed

    return found


def named(name, said, *functions):
    """Catalogue a mistake that other functions make."""
    made, *also = functions
    made.__name__, made.__doc__ = name, said
    gradient_terms.mistake(TERMS, also=also)(made)


named(
    "stride_multiplies_the_kernel_cell",
    "You place the pixel at (i + kh)·stride − padding: only the window's place is multiplied, "
    "i·stride + kh − padding.",
    listed(lambda i, k, s, p, size: (i + k) * s - p),
)
named(
    "kernel_rotated",
    "You run through the kernel backward: the forward pass does not rotate it, the pixel under "
    "(kh, kw) is in row i·stride + kh − padding.",
    listed(lambda i, k, s, p, size: i * s + size - 1 - k - p),
)
named(
    "padding_added",
    "You add the padding: windows begin before the image, in row i·stride − padding.",
    listed(lambda i, k, s, p, size: i * s + k + p),
)
named(
    "kernel_cell_subtracted",
    "You subtract the kernel cell: the pixel under (kh, kw) is in row i·stride + kh − padding.",
    listed(lambda i, k, s, p, size: i * s - k - p),
)
named(
    "windows_a_kernel_apart",
    "You place the windows at i·kernel size: they lie at i·stride.",
    listed(lambda i, k, s, p, size: i * size + k - p),
)
named(
    "windows_that_do_not_exist",
    "You list windows that do not exist: i and j run from 0 to OH − 1 and OW − 1.",
    solved_for(lambda i, count: i < count),
    solved_for(lambda i, count: i >= 0),
    solved_for(lambda i, count: True),
)


@gradient_terms.mistake(TERMS)
def one_channel_for_all(wanted, index, x_shape, w_shape, stride, padding):
    """You list the first channel's or filter's products: index says which one is wanted."""
    index = (index[0], 0, *index[2:]) if wanted == "dx" else (0, *index[1:])
    return terms(wanted, index, x_shape, w_shape, stride, padding)


@gradient_terms.mistake("08, the poster of what sums over what")
def first_sample_or_filter_only(wanted, index, x_shape, w_shape, stride, padding):
    """You list one filter's or one sample's products; dx sums over all filters, dw over all
    samples."""
    axis = 1 if wanted == "dx" else 0
    found = terms(wanted, index, x_shape, w_shape, stride, padding)
    return {(left, right) for left, right in found if left[axis] == 0}


@gradient_terms.mistake(TERMS, convention=True)
def factors_in_the_other_order(wanted, index, x_shape, w_shape, stride, padding):
    """Your pairs have dz second; here dz comes first."""
    found = terms(wanted, index, x_shape, w_shape, stride, padding)
    return {(right, left) for left, right in found}

"""The promise of the course as an exercise: say which products made a gradient cell."""

from contextlib import suppress
from types import MappingProxyType

import numpy as np

from cnnbp.exercises.check.messages import say
from cnnbp.exercises.check.results import Unreadable
from cnnbp.exercises.check.saying import kind
from cnnbp.exercises.choices import wrong
from cnnbp.exercises.task import exercise
from cnnbp.explain import cell_name, explain_conv2d
from cnnbp.shape import conv_windows

TERMS = "07, which products make a cell"
SUMS = "07, follow one product"
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


# fmt: off
ASKED = [
    lambda wanted, index: (wanted, index),
    wrong("the_other_gradients_products", TERMS, "these are products of dx where dw is wanted, or "
        "of dw where dx is: the argument wanted says which of them index is a cell of.",
        lambda wanted, index: ("dx", index), lambda wanted, index: ("dw", index),
        lambda wanted, index: ("dw" if wanted == "dx" else "dx", index), alone=True),
    wrong("one_channel_for_all", TERMS, "these are the products of the first channel, or of the "
        "first filter: index says which one is wanted.",
        lambda wanted, index: (wanted, (index[0], 0, *index[2:]) if wanted == "dx"
            else (0, *index[1:]))),
    wrong("rows_and_columns_swapped", TERMS, "rows and columns are swapped: an index has the row "
        "third and the column fourth.",
        lambda wanted, index: (wanted, (*index[:2], *index[:1:-1])), alone=True),
]
PLACES = [
    lambda i, k, s, p, size: i * s + k - p,
    wrong("stride_ignored", TERMS, "the windows lie one pixel apart: they lie a stride apart, at "
        "i·stride − padding.", lambda i, k, s, p, size: i + k - p),
    wrong("padding_ignored", TERMS, "the first window lies at the first pixel: with padding it "
        "begins before it, at i·stride − padding.", lambda i, k, s, p, size: i * s + k,
        line="padding"),
    wrong("stride_and_padding_ignored", TERMS, "stride and padding are ignored: the window of cell "
        "(i, j) begins at i·stride − padding.", lambda i, k, s, p, size: i + k),
    wrong("stride_multiplies_the_kernel_cell", TERMS, "the pixel is placed at (i + kh)·stride − "
        "padding: only the window's place is multiplied, i·stride + kh − padding.",
        lambda i, k, s, p, size: (i + k) * s - p, lambda i, k, s, p, size: i + k * s - p),
    wrong("kernel_rotated", TERMS, "the kernel is run through backward: the forward pass does not "
        "rotate it, the pixel under (kh, kw) is in row i·stride + kh − padding.",
        lambda i, k, s, p, size: i * s + size - 1 - k - p),
    wrong("padding_added", TERMS, "the padding is added: windows begin before the image, in row "
        "i·stride − padding.", lambda i, k, s, p, size: i * s + k + p),
    wrong("kernel_cell_subtracted", TERMS, "the kernel cell is subtracted: the pixel under (kh, "
        "kw) is in row i·stride + kh − padding.",
        lambda i, k, s, p, size: i * s - k - p, alone=True),
    wrong("windows_a_kernel_apart", TERMS, "the windows lie at i·kernel size: they lie at "
        "i·stride.", lambda i, k, s, p, size: i * size + k - p, alone=True),
]
INSIDE = [
    lambda place, size: (place >= 0) & (place < size),
    wrong("padding_counted", TERMS, "products with cells of the padding are listed: these are "
        "zeros and belong to no array.", lambda place, size: place == place,
        lambda place, size: place < size, lambda place, size: place >= 0,
        lambda place, size: (place >= 0) & (place <= size)),
    wrong("first_pixels_left_out", TERMS, "the first row and the first column of x are left out: "
        "ask 0 <= row, not 0 < row.", lambda place, size: (place > 0) & (place < size), alone=True),
]
WINDOWS = [
    lambda wanted, count: (0, count),
    wrong("windows_that_do_not_exist", TERMS, "windows that do not exist are listed: i and j run "
        "from 0 to OH − 1 and OW − 1.",
        lambda wanted, count: (-2, count) if wanted == "dx" else (0, count),
        lambda wanted, count: (0, count + 2) if wanted == "dx" else (0, count),
        lambda wanted, count: (-2, count + 2) if wanted == "dx" else (0, count),
        lambda wanted, count: (0, count + 1)),
    wrong("last_windows_missing", TERMS, "the last row or column of windows is missing: range ends "
        "before its end, and i and j run up to OH − 1 and OW − 1.",
        lambda wanted, count: (0, count - 1)),
]
COUNTED = [
    lambda wanted, n, f: True,
    wrong("first_sample_or_filter_only", SUMS, "only one filter's or one sample's products are "
        "listed: dx sums over all filters, dw over all samples.",
        lambda wanted, n, f: (f if wanted == "dx" else n) == 0,
        lambda wanted, n, f: f == 0, lambda wanted, n, f: n == 0),
]
COMPARED = [
    lambda cells, index: cells == index,
    wrong("an_index_is_not_compared", TERMS, "products of other cells are listed: all four numbers "
        "of index have to be the cell's own.",
        *(lambda cells, index, axis=axis: np.delete(cells == index, axis, axis=1)
          for axis in range(4)), alone=True),
]
PAIRS = [
    lambda left, right, index: (left, right),
    wrong("factors_in_the_other_order", TERMS, "the pairs have dz second: here dz comes first.",
        lambda left, right, index: (right, left), convention=True),
    wrong("filter_and_channel_swapped", TERMS, "the first two numbers of an index are swapped: it "
        "is w[f,c] and x[n,c].",
        lambda left, right, index: (left, (right[1], right[0], *right[2:])), alone=True),
    wrong("index_in_place_of_a_factor", TERMS, "the second factor is index itself: it is the "
        "weight, or the pixel, that the product was made with.",
        lambda left, right, index: (left, index), alone=True),
]


@gradient_terms.steps(
    asked=ASKED, windows=WINDOWS, place=PLACES, inside=INSIDE, counted=COUNTED, compared=COMPARED,
    pair=PAIRS,
)
def by_steps(steps, wanted, index, x_shape, w_shape, stride, padding):
    wanted, index = steps.asked(wanted, index)
    (N, C, H, W), (F, _, KH, KW) = x_shape, w_shape
    output = conv_windows(x_shape, w_shape, stride=stride, padding=padding).output
    (i_first, i_end), (j_first, j_end) = (steps.windows(wanted, count) for count in output)
    sizes = N, F, i_end - i_first, j_end - j_first, C, KH, KW
    n, f, i, j, c, kh, kw = np.indices(sizes).reshape(7, -1)
    i, j = i + i_first, j + j_first
    row = steps.place(i, kh, stride[0], padding[0], KH)
    column = steps.place(j, kw, stride[1], padding[1], KW)
    pixels, weights = np.array([n, c, row, column]).T, np.array([f, c, kh, kw]).T
    cells, others = (pixels, weights) if wanted == "dx" else (weights, pixels)
    hit = steps.compared(cells, index).all(axis=1) & steps.counted(wanted, n, f)
    hit &= steps.inside(row, H) & steps.inside(column, W)
    lefts, rights = np.array([n, f, i, j]).T[hit].tolist(), others[hit].tolist()
    listed = zip(map(tuple, lefts), map(tuple, rights), strict=True)
    return {steps.pair(left, right, index) for left, right in listed}

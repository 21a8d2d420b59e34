"""Lesson 13: a convolution as one matrix product."""

import numpy as np

from cnnbp.convolution import Conv2d, col2im, conv2d, conv2d_backward, im2col
from cnnbp.questions.question import cells, choice, match, number, question, shown, table
from cnnbp.shape import windows


def _sources(image, kernel, stride=1, padding=0):
    """The number of the pixel in every cell of the columns, as if read row by row; −1 is padding.

    image  (H, W)
    """
    ranks = np.arange(1.0, np.prod(image) + 1).reshape(1, 1, *image)
    return im2col(ranks, kernel, stride=stride, padding=padding).astype(int) - 1


def _unknown(rows, columns):
    """A table to mark whose numbers do not matter."""
    return [["·"] * columns for _ in range(rows)]


def _products(N, C, F, size, kernel):
    """How many products a convolution with z as large as x makes."""
    layer = Conv2d(C, F, kernel, padding=kernel // 2)
    return int(np.prod(layer.output_shape((N, C, size, size)))) * layer.params["w"][0].size


@question("how the count grows", lesson="13")
def how_the_count_grows(draw):
    k, kernel = draw.pick((2, 3), (2, 5), (3, 5))
    start = {"N": 2, "C": 2, "F": 3, "size": 4, "kernel": 1}
    changes = {
        f"{k} times as many images": {"N": 2 * k},
        f"{k} times as many channels, and as many filters": {"C": 2 * k, "F": 3 * k},
        f"images {k} times as high and as wide": {"size": 4 * k},
        f"a kernel {kernel} × {kernel} in place of 1 × 1": {"kernel": kernel},
    }
    order = draw.shuffled(changes)
    times = {row: _products(**(start | changes[row])) // _products(**start) for row in changes}
    said = [
        ((k, k, k * k, kernel**2), "Every filter has a kernel for each channel: both multiply."),
        ((k, k * k, k, kernel**2), "Higher and wider: windows grow in both directions."),
        ((k, k * k, k * k, kernel), "A kernel has rows times columns."),
    ]
    place = {row: rank for rank, row in enumerate(changes)}
    return match(
        "A convolution is padded so that z is as high and wide as x. How many times as many "
        "products of a pixel and a weight does each change cost?",
        {row: f"{times[row]} times" for row in order},
        [f"{count} times" for count in sorted({k, k * k, kernel, kernel**2})],
        [([f"{answer[place[row]]} times" for row in order], why) for answer, why in said],
        "Each of the N·F·OH·OW numbers of z is a sum of C·KH·KW products, so the count is "
        "N·F·OH·OW·C·KH·KW.",
    )


@question("copies of a pixel", lesson="13")
def copies_of_a_pixel(draw):
    size, kernel, stride = draw.pick((5, 3, 1), (6, 3, 1), (5, 2, 1), (6, 3, 2), (7, 4, 2))
    h, v = draw.whole(1, size - 2), draw.whole(0, size - 2)
    sources = _sources((size, size), kernel, stride)
    count = int((sources == h * size + v).sum())
    draw.must(count > 1)
    close = int((_sources((size, size), kernel) == h * size + v).sum())
    near = [(close, f"The windows begin {stride} pixels apart.")] * (stride > 1)
    return number(
        f"Every window of a {size} × {size} image becomes a column; the kernel is {kernel} × "
        f"{kernel}, stride {stride}, no padding. How many columns hold a copy of pixel x[{h},{v}]?",
        count,
        [
            (
                kernel**2,
                "Not every kernel cell meets this pixel: windows end at the border, or "
                "step over it.",
            ),
            (sources.shape[1], "Those are all windows; not every one reaches this pixel."),
            (1, "Windows overlap, and each has a column of its own."),
            *near,
        ],
        "One for each window that sees it: as many as fit above and below it, times as many as "
        "fit beside it.",
        prompt="Copies:",
    )


@question("what one row holds", lesson="13")
def what_one_row_holds(draw):
    size, kernel, stride = draw.pick((4, 3, 1), (5, 3, 1), (6, 2, 2), (5, 3, 2), (6, 3, 2))
    kh, kw = draw.whole(0, kernel - 1), draw.whole(0, kernel - 1)
    draw.must(kh != kw)
    row, sources = kh * kernel + kw, _sources((size, size), kernel, stride)
    pixels = lambda ranks: {divmod(int(rank), size) for rank in ranks}  # noqa: E731
    return cells(
        f"x is one image of {size} × {size}, the kernel {kernel} × {kernel}, stride {stride}, no "
        f"padding. Mark every pixel that stands in row {row} of the columns.",
        pixels(sources[row]),
        [
            (pixels(sources[:, 0]), "That is column 0, a window. A row is one cell of the kernel."),
            (
                pixels(sources[kw * kernel + kh]),
                f"Row {row} is kernel cell ({kh}, {kw}): the kernel is read row by row.",
            ),
            (pixels(sources[row - 1]), f"Rows count from 0; that is row {row - 1}."),
        ],
        f"Row {row} is kernel cell ({kh}, {kw}), and holds what it meets in one window after the "
        f"other: a block of the image, in steps of {stride}.",
        tables=[table("x", _unknown(size, size), marked=True)],
    )


def _lines_and_gradients(N, C, F, draw):
    """What five lines make of the columns, the filters and dz as rows; which is which gradient."""
    x, w = draw.array((N, C, 3, 3)), draw.array((F, C, 2, 2))
    dz = draw.array((N, F, 2, 2))
    columns, rows, d = im2col(x, 2), w.reshape(F, -1), dz.transpose(1, 2, 3, 0).reshape(F, -1)
    dx, dw, db = conv2d_backward(dz, x, w)
    made = {
        "dz_rows @ columns.T": d @ columns.T,
        "columns @ dz_rows.T": columns @ d.T,
        "w_rows.T @ dz_rows": rows.T @ d,
        "dz_rows.sum(axis=1)": d.sum(axis=1),
        "dz_rows.sum(axis=0)": d.sum(axis=0),
    }
    is_right = {
        "dw, a row for each filter": lambda a: np.array_equal(a, dw.reshape(F, -1)),
        "db": lambda a: np.array_equal(a, db.ravel()),
        "the gradient by the columns": lambda a: (
            a.shape == columns.shape and np.array_equal(col2im(a, x.shape, 2), dx)
        ),
    }
    pairs = {
        gradient: next(line for line, value in made.items() if right(value))
        for gradient, right in is_right.items()
    }
    return list(made), pairs


@question("three lines back", lesson="13")
def three_lines_back(draw):
    N, C, F = map(int, draw.distinct(3, 2, 4))
    lines, pairs = _lines_and_gradients(N, C, F, draw)
    to_w, to_b, to_columns = pairs.values()
    return match(
        f"x ({N}, {C}, 3, 3), w ({F}, {C}, 2, 2); `columns` is ({4 * C}, {4 * N}). `w_rows` is w "
        f"as ({F}, {4 * C}), `dz_rows` is dz as ({F}, {4 * N}), its columns in the order of "
        "`columns`. Which line makes which gradient?",
        pairs,
        draw.shuffled(lines),
        [
            (["columns @ dz_rows.T", to_b, to_columns], "That is dw, transposed."),
            ([to_columns, to_b, to_w], "dw sums over windows and samples; they are the columns."),
            (
                [to_w, "dz_rows.sum(axis=0)", to_columns],
                "A bias belongs to a filter, a row: its sum runs over windows and samples.",
            ),
        ],
        "z_rows = w_rows @ columns is a fully connected layer whose samples are windows, so its "
        "gradients are lesson 03's.",
    )


@question("there and back", lesson="13")
def there_and_back(draw):
    size, kernel, stride = draw.pick((6, 3, 1), (7, 3, 1), (7, 3, 2), (6, 4, 1), (7, 5, 2))
    x, at = draw.array(size, -4, 5, zero=False), draw.whole(1, size - 2)
    options = {"kernel_size": (1, kernel), "stride": (1, stride)}
    image = x.reshape(1, 1, 1, size)
    back = col2im(im2col(image, **options), image.shape, **options)[0, 0, 0]
    count = col2im(np.ones_like(im2col(image, **options)), image.shape, **options)[0, 0, 0]
    draw.must(1 < count[at] < kernel)
    return number(
        f"x is one row of {size} pixels, the kernel 1 × {kernel}, stride {stride}. im2col lays it "
        f"out as columns, and col2im adds them back. What stands at pixel {at} afterwards?",
        back[at],
        [
            (x[at], "That would be an inverse: col2im adds every copy, and there are several."),
            (count[at], "So many copies there are; each is worth x."),
            (x[at] * kernel, "Not every window reaches this pixel."),
        ],
        f"{shown(count[at])} windows see it, so {shown(count[at])} copies of {shown(x[at])} come "
        "back, and are added.",
        tables=[table("x", x)],
        prompt=f"Pixel {at}:",
    )


@question("one tap at a time", lesson="13")
def one_tap_at_a_time(draw):
    size, kernel, stride = draw.pick((5, 3, 1), (6, 3, 1), (6, 3, 2), (5, 2, 1))
    place = windows((size, size), kernel, stride=stride)
    met = [
        np.arange(size**2).reshape(size, size)[pixels].ravel().tolist()
        for _, _, pixels in place.taps()
    ]
    every = np.concatenate(met)
    said = {
        "Under one kernel cell, no two windows have the same pixel.": (
            all(len(set(ranks)) == len(ranks) for ranks in met),
            "Two windows begin in different places, so here one cell meets two pixels.",
        ),
        "At this stride, no two windows of the image overlap at all.": (
            len(np.unique(every)) == len(every),
            "They do: the stride is less than the kernel.",
        ),
        "numpy adds slices one number at a time, and lists all at once.": (
            False,
            "Slices are read, added and written all at once, too; no pixel is in one twice.",
        ),
        "Under one kernel cell, every pixel of the image comes exactly once.": (
            all(sorted(ranks) == list(range(size**2)) for ranks in met),
            "Only as many pixels as there are windows come under one cell.",
        ),
    }
    right = next(text for text, (holds, _) in said.items() if holds)
    return choice(
        f"The kernel is {kernel} × {kernel}, stride {stride}, on {size} × {size} pixels. The "
        "package's col2im takes one kernel cell after the other, and adds for all windows at once: "
        "`x[pixels] += columns[tap]`. With a list of places such a line lost a sum. Why not here?",
        right,
        {text: why for text, (_, why) in said.items() if text != right},
        "Two windows that share a pixel meet it with different kernel cells. So within one line "
        "all pixels differ, and from line to line += adds.",
    )


@question("how large the columns are", lesson="13")
def how_large_the_columns_are(draw):
    size, (kernel, stride) = draw.pick(8, 16), draw.pick((3, 2), (5, 2), (3, 1), (5, 1), (7, 2))
    x = np.zeros((1, 2, size, size))
    columns = im2col(x, kernel, stride=stride, padding=kernel // 2)
    strided = [
        (kernel**2 / stride, "A stride leaves out windows in both directions."),
        (kernel**2, "Fewer windows, fewer columns."),
    ]
    return number(
        f"x is {size} × {size}, the kernel {kernel} × {kernel}, stride {stride}, padding "
        f"{kernel // 2}. How many times as much memory as x do the columns take?",
        columns.size / x.size,
        [
            (kernel, "A window has rows and columns."),
            (1, "Windows overlap, and every one holds its pixels anew."),
            *(strided if stride > 1 else []),
        ],
        f"Each of the {size // stride}² windows holds {kernel}² numbers of every channel, and x "
        f"has {size}² of them.",
        prompt="Times:",
    )


def _work(C, F):
    """What each step of a convolution has to do, in numbers."""
    x = np.ones((2, C, 5, 5))
    z, copied = conv2d(x, np.ones((F, C, 3, 3))), im2col(x, 3).size
    return {
        "numbers that im2col copies": copied,
        "products of w_rows @ columns": copied * F,
        "numbers of z that are put in order": z.size,
    }


@question("twice as many", lesson="13")
def twice_as_many(draw):
    grows = draw.pick("F", "C", "CF")
    sizes = {"C": 3, "F": 4}
    more = {axis: size * (1 + (axis in grows)) for axis, size in sizes.items()}
    before, after = _work(**sizes), _work(**more)
    doubled = {"F": "filters", "C": "channels", "CF": "channels and filters"}[grows]
    names = {1: "as before", 2: "twice as many", 4: "four times as many"}
    copies, products, numbers = (names[after[row] // before[row]] for row in before)
    order = draw.shuffled(before)
    placed = lambda *answers: [dict(zip(before, answers, strict=True))[r] for r in order]  # noqa: E731
    other = {names[1]: names[2], names[2]: names[1]}
    both = (names[2], "They are F times the copies, and both factors grow.")
    one = (names[4], "Only one of F, C·KH·KW and OH·OW·N grows.")
    miscounted, why = both if grows == "CF" else one
    return match(
        f"A convolution gets twice as many {doubled}. How does the work of its three steps grow?",
        dict(zip(order, placed(copies, products, numbers), strict=True)),
        list(names.values()),
        [
            (
                placed(other[copies], products, numbers),
                "The copies are made of x, channel by channel, before any filter is asked.",
            ),
            (placed(copies, miscounted, numbers), why),
            (
                placed(copies, products, other[numbers]),
                "Every filter makes one map, of all channels together.",
            ),
        ],
        "The columns hold x, whatever the filters are; z holds a map for each filter, whatever the "
        "channels are. The products grow with both.",
    )


@question("a larger kernel", lesson="13")
def a_larger_kernel(draw):
    size, small, k = draw.pick((32, 3, 3), (64, 5, 3), (32, 3, 5), (64, 7, 3))
    waves = lambda kernel: np.fft.rfft2(np.ones((kernel, kernel)), s=(size, size)).size  # noqa: E731
    grown = {
        "as one matrix product": _products(1, 1, 1, size, small * k)
        // _products(1, 1, 1, size, small),
        "by waves": waves(small * k) // waves(small),
    }
    order = draw.shuffled(grown)
    said = lambda count: "as before" if count == 1 else f"{count} times"  # noqa: E731
    placed = lambda *counts: [said(dict(zip(grown, counts, strict=True))[r]) for r in order]  # noqa: E731
    return match(
        f"An image of {size} × {size} is convolved in two ways; a window that leaves it goes on at "
        "the opposite edge, so z is as large. By waves, it and the kernel are written as sums of "
        "the same waves, and each wave of the one is multiplied with the same wave of the other. "
        f"The kernel grows from {small} × {small} to {small * k} × {small * k}. How does the "
        "number of products grow?",
        dict(zip(order, placed(*grown.values()), strict=True)),
        [said(1), said(k), said(k * k)],
        [
            (placed(k * k, k * k), "The kernel is filled up with zeros to the image's size first."),
            (placed(k, 1), "A kernel has rows and columns; both grow."),
            (placed(1, 1), "Every window of a matrix product meets every weight."),
        ],
        f"A window meets all weights, {k}² times as many. The waves are the image's, whatever the "
        "kernel.",
    )

"""Wrong choices in the steps of an answer; those that several tasks share are written here once.

A step is a list: the right function, then a `wrong` for every mistake that is made there, whose
forms take and return what the right one does.
"""

import functools
from dataclasses import dataclass, replace

import numpy as np


@dataclass(frozen=True)
class Wrong:
    """A mistake before it belongs to a task. The arguments of `wrong` say what each field is."""

    name: str
    reread: str
    said: str
    forms: tuple
    also: tuple
    convention: bool
    line: str | None
    alone: bool


def wrong(name, reread, said, *forms, also=(), convention=False, line=None, alone=False):
    """A mistake that can be made in a step.

    name        what a verdict has in its .mistakes
    reread      lesson and section to read again
    said        "the mistake: the remedy."; {yours} and {are} become "your dw and db" and "are"
    forms       functions that make it in the place of the right one
    also        whole functions that make it, with the task's own arguments
    convention  True if it is right in itself, but not what this course agreed on
    line        the kind of line to look for in the learner's source, as in check/source_lines.py
    alone       True for a rare one that is not tried together with others, which takes time
    """
    return Wrong(name, reread, said, forms, also, convention, line, alone)


ONE_PADDING = (
    "rows or columns are given the other's padding: it is a pair, padding[0] for rows and "
    "padding[1] for columns."
)
PADDING_IGNORED = (
    "the padding is ignored: with padding, the first window begins before the first pixel, at "
    "−padding."
)
WRAP = (
    "negative indices are not left out: they count from the end, so that what lies before the "
    "first pixel lands at the last ones; ask 0 <= row and 0 <= column as well."
)
PADDING_ADDED = (
    "the padding is added: windows begin before the image, in row i·stride[0] − padding[0]."
)
FIRST_LEFT_OUT = (
    "the first row and the first column of the image are left out: row 0 is a row of it, so ask "
    "0 <= row, not 0 < row."
)
DZ_AT_PIXELS = (
    "the gradient dz is read at the rows and columns of the pixels: window (i, j) has one "
    "gradient, dz[n, c, i, j]."
)
GATHERED = "; to gather from dz, put stride − 1 zeros between its cells first"
LAST_MISSING = "the last row or column of windows is missing: range ends before its end"
REMAINDER_MISSING = (
    "rows and columns that no window reached are missing: the last windows may end before the "
    "image does; the pixels beyond them have gradient 0."
)


def borrowed(step, **said):
    """The choices of another task's step, which are not tried together with others.

    said  {name: sentence} in place of its own
    """
    right, *every = step
    return [
        right,
        *(replace(each, said=said.get(each.name, each.said), also=(), alone=True)
          for each in every if each.forms),
    ]  # fmt: skip


def same(value, *_):
    """The right choice of a step in which only mistakes change something."""
    return value


# fmt: off
# Where windows lie: (stride, kernel_size) -> stride


def strides(reread, *, ignored="stride_ignored", apart="windows_a_kernel_apart", also=(), far=(),
            gathered="", both=(), window="the window of cell (i, j)"):
    """The stride, and what is taken in its place; `also` ignore it, `far` lie a kernel apart,
    `both` are whole answers in which rows or columns have the other's.

    gathered  what is said to those who gather from dz, behind a semicolon
    window    what the window is called, where no z has a cell for it
    """
    return [
        same,
        wrong(ignored, reread, f"the stride is ignored: neighboring windows lie a stride apart, so "
            f"{window} begins in row i·stride[0] − padding[0]{gathered}.",
            lambda stride, size: (1, 1), also=also),
        wrong(apart, reread, "the windows are placed at i·kernel_size: they lie at i·stride, which "
            "is another place wherever the stride is not the window's size.",
            lambda stride, size: size, also=far),
        wrong("one_stride_for_both", reread, "rows or columns are given the other's stride: it is "
            "a pair, stride[0] for rows and stride[1] for columns.",
            lambda stride, size: (stride[0], stride[0]),
            lambda stride, size: (stride[1], stride[1]), lambda stride, size: stride[::-1],
            also=both),
    ]


def sizes(reread):
    """The window's size; (size, stride) -> size."""
    return [
        lambda size, stride: size,
        wrong("window_of_the_strides_size", reread, "the windows are as large as the stride: the "
            "stride is how far they lie apart, and kernel_size how large they are.",
            lambda size, stride: stride),
        wrong("one_size_for_both", reread, "rows or columns are given the other's size: "
            "kernel_size is a pair, kernel_size[0] rows and kernel_size[1] columns.",
            lambda size, stride: (size[0], size[0]), lambda size, stride: (size[1], size[1]),
            lambda size, stride: size[::-1], alone=True),
    ]


BOTH_ALIKE = (lambda p: (p[0], p[0]), lambda p: (p[1], p[1]), lambda p: p[::-1])


def with_other(answer, option, *changes):
    """Whole answers with another stride or padding, the last two arguments: another size, too."""
    place = {"stride": -2, "padding": -1}[option]

    def changed(change):
        def other(*arguments):
            arguments = list(arguments)
            arguments[place] = change(arguments[place])
            return answer(*arguments)

        return other

    return tuple(map(changed, changes))


def left_out(padding):
    return (0, 0)


# Reading windows: (x, padding, value) -> the image with its padding


def with_padding(x, padding, value=0.0):
    (rows, columns) = padding
    return _bordered(x, (rows, rows), (columns, columns), value)


def too_small_if_padded(x, padding):
    """An image without its padding, in which windows do not fit."""
    if any(padding):
        raise ValueError("the shapes do not fit")
    return x


def _bordered(x, rows, columns, value=0.0):
    N, C, H, W = x.shape
    wide = np.full((N, C, H + sum(rows), W + sum(columns)), value)
    wide[:, :, rows[0] : rows[0] + H, columns[0] : columns[0] + W] = x
    return wide


def paddings(reread, *, left_out="padding_left_out", also=(), both=()):
    """The padded image, and what is read in its place; `also` leave the padding out, `both` are
    whole answers in which rows or columns have the other's."""
    return [
        with_padding,
        wrong(left_out, reread, "the first window begins at the first pixel: with padding it "
            "begins before it, at −padding, so that the padding lies on all four sides.",
            lambda x, p: _bordered(x, (0, 2 * p[0]), (0, 2 * p[1])),
            lambda x, p: too_small_if_padded(x, p), also=also, line="padding"),
        wrong("negative_indices_wrap", reread, WRAP, lambda x, p: only(like(x, p, "wrap"),
            beyond(x, p)), lambda x, p: like(x, p, "wrap"), alone=True),
        wrong("padding_added", reread, PADDING_ADDED,
            lambda x, p: _bordered(x[:, :, p[0]:, p[1]:], (0, 3 * p[0]), (0, 3 * p[1])),
            alone=True),
        wrong("padding_of_pixels", reread, "the padding is made of the image's own pixels, or of "
            "ones: it is made of zeros.", lambda x, p: like(x, p, "edge"),
            lambda x, p: like(x, p, "symmetric"), lambda x, p: like(x, p, "reflect"),
            lambda x, p: with_padding(x, p, 1.0), alone=True),
        wrong("first_pixels_left_out", reread, FIRST_LEFT_OUT,
            lambda x, p: with_padding(without_first(x), p), alone=True),
        wrong("one_padding_for_both", reread, ONE_PADDING,
            lambda x, p: with_padding(x, (p[0], p[0])), lambda x, p: with_padding(x, (p[1], p[1])),
            lambda x, p: with_padding(x, p[::-1]), also=both),
    ]


def like(x, padding, mode):
    """An image whose padding is made of its own pixels."""
    return np.pad(x, ((0, 0), (0, 0), *((p, p) for p in padding)), mode=mode)


def beyond(x, padding):
    """What lies below the last row or right of the last column, in the padded image."""
    row, column = np.ogrid[: x.shape[2] + 2 * padding[0], : x.shape[3] + 2 * padding[1]]
    outside = (row >= x.shape[2] + padding[0]) | (column >= x.shape[3] + padding[1])
    return (slice(None), slice(None), outside)


def without_first(x):
    """An image with zeros in its first row and its first column."""
    return only(only(x, np.s_[:, :, 0]), np.s_[:, :, :, 0])


# Windows that are cut at the border: (windows, stride, padding) -> windows


def alignments(reread, *, down=False):
    """A window that begins before the image meets the kernel's last cells, or its first."""
    return [
        same,
        wrong("kernel_not_cut_with_the_window", reread, "a window that is cut at the border meets "
            "the kernel's first cells: cut the kernel as well, from row −(i·stride − padding) on.",
            lambda windows, stride, padding: slid(windows, stride, padding, down), alone=True),
    ]


def slid(windows, stride, padding, down):
    """Windows that begin before the image, their cells moved to the kernel's first, or back."""
    windows = windows.copy()
    for axis in (0, 1):
        lines = np.moveaxis(windows, (2 + axis, 4 + axis), (0, 1))
        for line, gone in zip(lines, range(padding[axis], 0, -stride[axis]), strict=False):
            kept, moved = (slice(gone, None), slice(None, max(0, len(line) - gone)))
            if down:
                kept, moved = moved, kept
            there = line[kept].copy()
            line[...] = 0
            line[moved] = there
    return windows


def origins(reread, *, also=(), both=()):
    """The padding by which windows begin before the image; padding -> padding.

    also, both  as in `paddings`
    """
    return [
        same,
        wrong("padding_ignored", reread, PADDING_IGNORED, lambda padding: (0, 0), also=also,
            line="padding"),
        wrong("one_padding_for_both", reread, ONE_PADDING, lambda padding: (padding[0], padding[0]),
            lambda padding: (padding[1], padding[1]), lambda padding: padding[::-1], also=both),
    ]


def padding_wins(reread, *forms, also=()):
    """The padding is taken for zeros in a maximum."""
    return wrong("padding_wins_as_zero", reread, "the padding wins over negative values, as a "
        "zero: pad with −infinity, or leave the padding out.", *forms, also=also)


def reach_of(count, size, stride):
    """Rows and columns from the first cell of the first window to the last cell of the last."""
    return tuple((n - 1) * s + k for n, s, k in zip(count, stride, size, strict=True))


def views(wide, size, stride, count, value=0.0):
    """(N, C, OH, OW, KH, KW): the windows of a padded image; a value where they reach beyond it."""
    reach = reach_of(count, size, stride)
    beyond = [max(0, r - n) for r, n in zip(reach, wide.shape[2:], strict=True)]
    if any(beyond):
        wide = _bordered(wide, (0, beyond[0]), (0, beyond[1]), value)
    rows, columns = _places(tuple(count), tuple(size), stride)
    return wide[:, :, rows, columns]


@functools.lru_cache(maxsize=512)
def _places(count, size, stride):
    """The row and the column of every cell of every window, each (OH, OW, KH, KW)."""
    i, j, a, b = np.ogrid[: count[0], : count[1], : size[0], : size[1]]
    whole = np.zeros((*count, *size), int)
    return whole + i * stride[0] + a, whole + j * stride[1] + b


# The pixel under a kernel cell, where it is counted in loops; read from a padded image, or written


def cells(reread, *, alone=False):
    """How windows are read, with their cells side by side or a stride apart."""
    return [views, _stride_on_cells(reread, cells_apart, cells_apart_inside, alone=alone)]


def written_cells(reread, *, alone=False):
    """(parts (N, C, OH, OW, KH, KW), stride) -> parts, their cells side by side or apart."""
    return [same, _stride_on_cells(reread, put_apart, alone=alone)]


def _stride_on_cells(reread, *forms, alone):
    return wrong("stride_multiplies_the_kernel_cell", reread, "the stride multiplies the kernel "
        "cell, too, (i + kh)·stride: it moves the window, not the cells in it, so the row is "
        "i·stride[0] + kh − padding[0].", *forms, alone=alone)


def cells_apart(wide, size, stride, count):
    """Windows whose cells lie a stride apart, zeros beyond the image."""
    windows = views(wide, reach_of(size, (1, 1), stride), stride, count)
    return windows[..., :: stride[0], :: stride[1]]


def cells_apart_inside(wide, size, stride, count):
    """The same for those who never look beyond the padded image, which is an error."""
    wider = reach_of(count, reach_of(size, (1, 1), stride), stride)
    if any(reach > length for reach, length in zip(wider, wide.shape[2:], strict=True)):
        raise IndexError("beyond the image")
    return cells_apart(wide, size, stride, count)


def put_apart(parts, stride):
    """Windows whose cells are put a stride apart."""
    wider = np.zeros((*parts.shape[:4], *reach_of(parts.shape[4:], (1, 1), stride)))
    wider[..., :: stride[0], :: stride[1]] = parts
    return wider


def beginnings(reread, *, alone=False):
    """(the padded image that is read, padding, stride) -> it, with more before the first pixel."""
    return [same, _padding_in_strides(reread, begun_strides_before, alone)]


def written_beginnings(reread, *, alone=False):
    """The same where windows are written into it."""
    return [same, _padding_in_strides(reread, written_strides_before, alone)]


def _padding_in_strides(reread, form, alone):
    return wrong("padding_counted_in_strides", reread, "the padding is multiplied by the stride, "
        "(i − padding)·stride: it is counted in pixels, so the window begins in row "
        "i·stride[0] − padding[0].", form, alone=alone)


def begun_strides_before(wide, padding, stride):
    """An image with the padding, times the stride, before its first pixel."""
    rows, columns = (p * (s - 1) for p, s in zip(padding, stride, strict=True))
    return _bordered(wide, (rows, 0), (columns, 0))


def written_strides_before(wide, padding, stride):
    """What was written, where as much lies before the first pixel."""
    rows, columns = (p * (s - 1) for p, s in zip(padding, stride, strict=True))
    return _bordered(wide[:, :, rows:, columns:], (0, rows), (0, columns))


# Windows as columns, (C, KH, KW, OH, OW, N), whose rows and columns are numbered by hand


def row_numbers(reread, *ways):
    """Rows have their own numbers, or others; ways: (lines, their numbers) -> lines."""
    return [
        same,
        wrong("kernel_rows_of_kh_cells", reread, "the kernel's rows are counted with KH cells "
            "each, kh·KH + kw: they have KW, so kernel cell (kh, kw) is kh·KW + kw.",
            *_numbered(ways, (0, 1, 2), lambda c, a, b, C, KH, KW: (c * KH * KW) + a * KH + b),
            *_numbered(ways, (0, 1, 2), lambda c, a, b, C, KH, KW: (c * KH + a) * KH + b)),
    ]


def column_numbers(reread, *ways):
    """Columns have their own numbers, or others; ways: (lines, their numbers) -> lines."""
    return [
        same,
        wrong("window_rows_of_oh_windows", reread, "the rows of windows are counted with OH "
            "windows each, i·OH + j: they have OW, so window (i, j) is i·OW + j.",
            *_numbered(ways, (3, 4), lambda i, j, OH, OW: i * OH + j)),
    ]


def _numbered(ways, axes, number):
    return [lambda windows, way=way: renumbered(windows, axes, number, way) for way in ways]


def renumbered(windows, axes, number, way):
    """Windows whose cells along some axes, as lines of a matrix, are written or read elsewhere."""
    front = range(len(axes))
    lines = np.moveaxis(windows, axes, front)
    sizes = lines.shape[: len(axes)]
    numbers = number(*np.ogrid[tuple(map(slice, sizes))], *sizes).ravel()
    moved = way(lines.reshape(len(numbers), -1), numbers)
    return np.moveaxis(moved.reshape(lines.shape), front, axes)


def read(lines, numbers):
    return lines[numbers]


def written(lines, numbers):
    """Each line at its number: the last one where there are several, zeros where there is none."""
    made = np.zeros_like(lines)
    made[numbers] = lines
    return made


def written_on_pixels(lines, numbers):
    """The same where padding, which is 0, writes nothing."""
    made = np.zeros_like(lines)
    for number, line in zip(numbers, lines, strict=True):
        made[number] = np.where(line, line, made[number])
    return made


# Writing windows: (parts (N, C, OH, OW, KH, KW), stride, shape) -> the padded image


def added(parts, stride, shape):
    """Every window's part, added to what overlapping windows left."""
    return _met(parts, stride, shape).sum(axis=-1)


def assigned(parts, stride, shape, order="windows"):
    """The last window's part where windows overlap, or the last one in another order."""
    return _met(parts, stride, shape, order)[..., -1]


def assigned_where_not_zero(parts, stride, shape):
    """The last window's part that is not 0, where windows overlap."""
    met = _met(parts, stride, shape)
    last = met.shape[-1] - 1 - (met[..., ::-1] != 0).argmax(axis=-1)
    return np.take_along_axis(met, last[..., None], -1)[..., 0]


def _met(parts, stride, shape, order="windows"):
    """(N, C, H, W, most): the parts that meet at every cell in order, zeros before them."""
    N, C, *windows = parts.shape
    flat = np.zeros((N, C, int(np.prod(windows)) + 1))
    flat[:, :, :-1] = parts.reshape(N, C, -1)
    return flat[:, :, _meetings(tuple(windows), stride, tuple(shape), order)]


@functools.lru_cache(maxsize=512)
def _meetings(windows, stride, shape, order):
    """(H, W, most): the numbers of the parts that meet at every cell; −1 stands for none."""
    rows, columns = _places(windows[:2], windows[2:], stride)
    met = [[[] for _ in range(shape[1])] for _ in range(shape[0])]
    numbers = np.arange(rows.size).reshape(windows)
    if order != "windows":  # kernel cell by kernel cell
        rows, columns, numbers = (each.transpose(2, 3, 0, 1) for each in (rows, columns, numbers))
    every = list(zip(rows.flat, columns.flat, numbers.flat, strict=True))
    for row, column, number in every:
        if row < shape[0] and column < shape[1]:
            met[row][column].append(number)
    most = max(len(each) for line in met for each in line)
    return np.array([[[-1] * (most - len(each)) + each for each in line] for line in met])


def overlaps(reread, *, name="overlaps_assigned", also=()):
    """Parts are added, or assigned."""
    return [
        added,
        wrong(name, reread, "of overlapping windows only one is left: = replaces, and so does "
            "+= where indices repeat (np.add.at adds); a pixel used again gets the sum.",
            assigned, lambda *given: assigned(*given, "cells"), also=also, line="assigned"),
    ]


# Taking off the padding: (the padded image, x_shape, padding, reach of the windows) -> dx


def cropped(wide, x_shape, padding, reach=None):
    (p, q), (H, W) = padding, x_shape[2:]
    return wide[:, :, p : p + H, q : q + W]


def cropped_beyond(wide, x_shape, padding):
    """The same with zeros behind the padded image, where another padding reaches beyond it."""
    return cropped(_bordered(wide, (0, padding[0]), (0, padding[1])), x_shape, padding)


def crop_by_end(wide, padding):
    (p, q), (H, W) = padding, wide.shape[2:]
    return wide[:, :, p : H - p, q : W - q]


def assigned_crop(wide, x_shape, padding, reach=None):
    dx = np.zeros(x_shape)
    dx[...] = wide[:, :, padding[0] : -padding[0], padding[1] : -padding[1]]
    return dx


def crops(reread, *, whole="padding_not_cropped", at_end="padding_cropped_at_the_end", full=True,
          both=()):
    """The padding is cropped, and how else; full if something is written into it.

    both  whole answers in which rows or columns have the other's padding
    """
    wraps = wrong("negative_indices_wrap", reread, WRAP, lambda wide, x_shape, p, *_: folded(
        only(wide, beyond(np.empty(x_shape), p)), x_shape, p),
        lambda wide, x_shape, p, *_: folded(wide, x_shape, p), alone=True)
    return [
        cropped,
        wrong(at_end, reread, "the padding is not taken off at the top and on the left: it lies "
            "on all four sides, so the first pixel is at [padding[0], padding[1]].",
            lambda wide, x_shape, *_: wide[:, :, : x_shape[2], : x_shape[3]],
            line="padding"),
        wrong("padding_ignored", reread, PADDING_IGNORED,
            lambda wide, x_shape, p, reach: too_small_if_padded(wide, p), line="padding"),
        wrong("empty_where_padding_is_zero", reread, "the crop is [padding:-padding]: where "
            "padding is 0 that is empty, since −0 is 0; crop with [padding:padding + H].",
            lambda wide, x_shape, p, reach: wide[:, :, p[0] : -p[0], p[1] : -p[1]], assigned_crop,
            line="minus"),
        wrong(whole, reread, "{yours} {are} as large as the padded image: crop the padding, the "
            "first pixel is at [padding[0], padding[1]].", lambda wide, *_: wide),
        wrong("one_padding_for_both", reread, ONE_PADDING,
            lambda wide, x_shape, p, reach: cropped(wide, x_shape, (p[0], p[0])),
            lambda wide, x_shape, p, reach: cropped(wide, x_shape, (p[1], p[1])),
            lambda wide, x_shape, p, reach: crop_by_end(wide, (p[0], p[0])),
            lambda wide, x_shape, p, reach: crop_by_end(wide, (p[1], p[1])),
            lambda wide, x_shape, p, reach: cropped(wide, x_shape, p[::-1]),
            lambda wide, x_shape, p, reach: cropped_beyond(wide, x_shape, (p[0], p[0])),
            lambda wide, x_shape, p, reach: cropped_beyond(wide, x_shape, (p[1], p[1])),
            lambda wide, x_shape, p, reach: cropped_beyond(wide, x_shape, p[::-1]), also=both),
        wrong("remainder_missing", reread, REMAINDER_MISSING,
            lambda wide, x_shape, p, reach: crop_by_end(wide[:, :, : reach[0], : reach[1]], p)),
        *([wraps] if full else []),
        wrong("padding_added", reread, PADDING_ADDED, lambda wide, x_shape, p, *_: _bordered(
            wide, (p[0], 0), (p[1], 0))[:, :, : x_shape[2], : x_shape[3]], alone=True),
        wrong("first_pixels_left_out", reread, FIRST_LEFT_OUT,
            lambda *given: without_first(cropped(*given)), alone=True),
    ]


def folded(wide, x_shape, padding):
    """What lies in the padding, added at the other end of the image, as negative indices do."""
    rows, columns = (
        (np.arange(n + 2 * p) - p) % n for n, p in zip(x_shape[2:], padding, strict=True)
    )
    dx = np.zeros(x_shape)
    np.add.at(dx, np.s_[:, :, rows[:, None], columns], wide)
    return dx


# Which samples, where each has its own part: dx -> dx


def samples(reread, *, summed="summed_over_batch", axis=0):
    """Every sample has its own part, or what else becomes of them."""
    head = (slice(None),) * axis
    return [
        same,
        wrong("first_sample_only", reread, "{yours} {are} what the first sample alone contributes: "
            "a return inside the loop ends it, or an index 0 stands for all; every sample has a "
            "part of its own.", lambda dx: only(dx, (*head, slice(1, None))),
            lambda dx: dx[(*head, slice(1))], lambda dx: dx * 0 + dx[(*head, slice(1))]),
        wrong("last_sample_only", reread, "{yours} {are} what the last sample alone contributes: "
            "zeros made inside the loop begin anew for every sample; each has a part of its own.",
            lambda dx: only(dx, (*head, slice(None, -1))), lambda dx: dx[(*head, slice(-1, None))],
            lambda dx: dx * 0 + dx[(*head, slice(-1, None))]),
        wrong(summed, reread, "{yours} {are} summed over the batch: samples share weights, not "
            "inputs, so every sample has a gradient of its own.", lambda dx: dx.sum(axis=axis),
            lambda dx: dx.sum(axis=axis, keepdims=True),
            lambda dx: dx * 0 + dx.sum(axis=axis, keepdims=True)),
    ]


def if_square(turn):
    """A turn of kernels (..., KH, KW) that only fits where KH = KW, as an error elsewhere."""

    def turned(w):
        if w.shape[2] != w.shape[3]:
            raise ValueError("the shapes do not fit")
        return turn(w)

    return turned


def only(dx, gone):
    """dx with 0 where something is gone."""
    dx = dx.copy()
    dx[gone] = 0
    return dx


# The last windows: z -> z


def last_windows(reread):
    """All windows are met, or the loops end before the last ones."""
    return [
        same,
        wrong("last_windows_missing", reread, f"{LAST_MISSING}, and there are (H + 2·padding − "
            "KH) // stride + 1 of them.",
            lambda z: only(only(z, np.s_[:, :, -1]), np.s_[:, :, :, -1]),
            lambda z: only(z, np.s_[:, :, -1]), lambda z: only(z, np.s_[:, :, :, -1]),
            lambda z: z[:, :, :-1, :-1], lambda z: z[:, :, :-1], lambda z: z[:, :, :, :-1]),
    ]


def last_gradients(reread):
    """All of dz is used, or the loops end before its last row or column; dz -> dz."""
    return [
        same,
        wrong("last_windows_missing", reread, f"{LAST_MISSING}, and dz has OH rows and OW columns.",
            lambda dz: only(only(dz, np.s_[:, :, -1]), np.s_[:, :, :, -1]),
            lambda dz: only(dz, np.s_[:, :, -1]), lambda dz: only(dz, np.s_[:, :, :, -1]),
            alone=True),
    ]


# Which samples, where all are summed: (array, ...) with the batch first -> the same


def all_samples(*arrays):
    return arrays


def summed_samples(reread, *, first="first_sample_only", last="last_sample_only"):
    """All samples are summed, or only one counts."""
    return [
        all_samples,
        wrong(last, reread, "{yours} {are} what the last sample alone contributes: each overwrites "
            "the one before, or zeros are made inside the loop; add up all of them.",
            lambda *arrays: tuple(array[-1:] for array in arrays), line="assigned"),
        wrong(first, reread, "{yours} {are} what the first sample alone contributes: a return "
            "inside the loop ends it, or an index 0 stands for all; add up all of them.",
            lambda *arrays: tuple(array[:1] for array in arrays)),
    ]


# Factors, by what they are


def factor(name, reread, said):
    """A factor in a result, named: its key in `factors` says which."""
    return wrong(name, reread, said)


ONE_NTH = "05, the 1/N of the loss"


def over_batch(reread=ONE_NTH, *, name="divided_by_batch"):
    """1/N where samples are summed."""
    return factor(name, reread, "{yours} {are} divided by N: where the loss is a mean over the "
        "batch, its 1/N is in dz already, so here nothing is divided.")


def over_positions(reread, name="mean_over_positions"):
    """1/(OH·OW) where positions are summed."""
    return factor(name, reread, "{yours} {are} a mean over the OH·OW positions: every one of them "
        "uses the same weights, so they are summed.")


def over_samples_and_positions(reread, name="mean_over_samples_and_positions"):
    """1/(N·OH·OW)."""
    return factor(name, reread, "{yours} {are} a mean over all samples and positions: each of the "
        "N·OH·OW windows adds its part, so they are summed.")


def sign(reread, name="sign_changed"):
    """−1."""
    return factor(name, reread, "the sign is wrong: look for a difference taken the other way "
        "round, or a minus.")


# A layer's slope, and what is multiplied by it


def places(reread):
    """Where the slope is taken; (dz, x) -> x."""
    return [
        lambda dz, x: x,
        wrong("slope_taken_at_the_upstream", reread, "the slope is taken at dz: it is the slope at "
            "the input x, multiplied by dz.", lambda dz, x: dz),
    ]


def upstreams(reread, *, forgotten, brackets=()):
    """(dz, slope, x) -> dx; brackets are whole functions that leave them out."""
    no_brackets = wrong("brackets_left_out", reread, "brackets are missing: dz multiplies the "
        "whole "
        "slope, dz * (…).", also=brackets)
    return [
        lambda dz, slope, x: dz * slope,
        wrong(forgotten, reread, "{yours} {are} the layer's own slope, without dz: the chain rule "
            "multiplies the two.", lambda dz, slope, x: 1 * slope),
        wrong("input_in_place_of_upstream", reread, "the input x is multiplied by the slope: the "
            "chain rule multiplies dz by it.", lambda dz, slope, x: x * slope),
        wrong("input_multiplied_in", reread, "the input x is multiplied in as well: the chain rule "
            "multiplies dz by the slope, and by nothing else.",
            lambda dz, slope, x: dz * x * slope),
        wrong("upstream_squared", reread, "the gradient dz is multiplied in twice: once is enough.",
            lambda dz, slope, x: dz * dz * slope),
        *([no_brackets] if brackets else []),
        wrong("upstream_added", reread, "both dz and the slope are added: the chain rule "
            "multiplies the two.", lambda dz, slope, x: dz + slope),
    ]


def handed_on(reread, name="handed_on_unchanged"):
    """A slope of 1."""
    return wrong(name, reread, "the gradient dz is handed on unchanged: the chain rule multiplies "
        "it by the slope of this layer.", lambda *_: 1)


def one_sample(reread, first, last):
    """Two mistakes: only the first, or the last, sample's part of a sum over all."""
    _, last_only, first_only = summed_samples(reread)
    return replace(first_only, forms=(first,)), replace(last_only, forms=(last,))

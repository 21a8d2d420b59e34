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


def wrong(name, reread, said, *forms, also=(), convention=False, line=None):
    """A mistake that can be made in a step.

    name        what a verdict has in its .mistakes
    reread      lesson and section to read again
    said        "the mistake: the remedy."; {yours} and {are} become "your dw and db" and "are"
    forms       functions that make it in the place of the right one
    also        whole functions that make it, with the task's own arguments
    convention  True if it is right in itself, but not what this course agreed on
    line        the kind of line to look for in the learner's source, as in check/source_lines.py
    """
    return Wrong(name, reread, said, forms, also, convention, line)


ONE_PADDING = (
    "rows and columns are given the same padding: it is a pair, padding[0] for rows and "
    "padding[1] for columns."
)
PADDING_IGNORED = (
    "the padding is ignored: with padding, the first window begins before the first pixel, at "
    "−padding."
)
REMAINDER_MISSING = (
    "rows and columns that no window reached are missing: the last windows may end before the "
    "image does; the pixels beyond them have gradient 0."
)


def same(value, *_):
    """The right choice of a step in which only mistakes change something."""
    return value


# fmt: off
# Where windows lie: (stride, kernel_size) -> stride


def strides(reread, *, ignored="stride_ignored", apart="windows_a_kernel_apart", also=(), far=()):
    """The stride, and what is taken in its place; `also` ignore it, `far` lie a kernel apart."""
    return [
        same,
        wrong(ignored, reread, "the stride is ignored: neighboring windows lie a stride apart, so "
            "the window of cell (i, j) begins in row i·stride[0] − padding[0]; to gather from dz, "
            "put stride − 1 zeros between its cells first.", lambda stride, size: (1, 1),
            also=also),
        wrong(apart, reread, "the windows are placed at i·kernel_size: they lie at i·stride, which "
            "is another place wherever the stride is not the window's size.",
            lambda stride, size: size, also=far),
        wrong("one_stride_for_both", reread, "rows and columns are given the same stride: it is a "
            "pair, stride[0] for rows and stride[1] for columns.",
            lambda stride, size: (stride[0], stride[0]),
            lambda stride, size: (stride[1], stride[1]), lambda stride, size: stride[::-1]),
    ]


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


def paddings(reread, *, left_out="padding_left_out"):
    """The padded image, and what is read in its place."""
    return [
        with_padding,
        wrong(left_out, reread, "the first window begins at the first pixel: with padding it "
            "begins before it, at −padding, so that the padding lies on all four sides.",
            lambda x, p: _bordered(x, (0, 2 * p[0]), (0, 2 * p[1])),
            lambda x, p: too_small_if_padded(x, p), line="padding"),
        wrong("one_padding_for_both", reread, ONE_PADDING,
            lambda x, p: with_padding(x, (p[0], p[0])), lambda x, p: with_padding(x, (p[1], p[1])),
            lambda x, p: with_padding(x, p[::-1])),
    ]


def origins(reread):
    """The padding by which windows begin before the image; padding -> padding."""
    return [
        same,
        wrong("padding_ignored", reread, PADDING_IGNORED, lambda padding: (0, 0), line="padding"),
        wrong("one_padding_for_both", reread, ONE_PADDING, lambda padding: (padding[0], padding[0]),
            lambda padding: (padding[1], padding[1]), lambda padding: padding[::-1]),
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
    for row, column, number in every[::-1] if order == "cells backward" else every:
        if row < shape[0] and column < shape[1]:
            met[row][column].append(number)
    most = max(len(each) for line in met for each in line)
    return np.array([[[-1] * (most - len(each)) + each for each in line] for line in met])


def overlaps(reread, *, name="overlaps_assigned", also=()):
    """Parts are added, or assigned."""
    return [
        added,
        wrong(name, reread, "overlapping windows are assigned: where they overlap, only one of "
            "them is left; add with += (np.add.at where indices repeat): a pixel used again gets "
            "the sum.", assigned, lambda *given: assigned(*given, "cells"),
            lambda *given: assigned(*given, "cells backward"), also=also, line="assigned"),
    ]


# Taking off the padding: (the padded image, x_shape, padding, reach of the windows) -> dx


def cropped(wide, x_shape, padding, reach=None):
    (p, q), (H, W) = padding, x_shape[2:]
    return wide[:, :, p : p + H, q : q + W]


def crop_by_end(wide, padding):
    (p, q), (H, W) = padding, wide.shape[2:]
    return wide[:, :, p : H - p, q : W - q]


def assigned_crop(wide, x_shape, padding, reach=None):
    dx = np.zeros(x_shape)
    dx[...] = wide[:, :, padding[0] : -padding[0], padding[1] : -padding[1]]
    return dx


def crops(reread, *, whole="padding_not_cropped", at_end="padding_cropped_at_the_end"):
    """The padding is cropped, and how else."""
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
            lambda wide, x_shape, p, reach: cropped(wide, x_shape, p[::-1])),
        wrong("remainder_missing", reread, REMAINDER_MISSING,
            lambda wide, x_shape, p, reach: crop_by_end(wide[:, :, : reach[0], : reach[1]], p)),
    ]


# Which samples, where each has its own part: dx -> dx


def samples(reread, *, summed="summed_over_batch"):
    """Every sample has its own part, or what else becomes of them."""
    return [
        same,
        wrong("first_sample_only", reread, "{yours} {are} what the first sample alone contributes: "
            "a return inside the loop ends it, or an index 0 stands for all; every sample has a "
            "part of its own.", lambda dx: only(dx, slice(1, None)), lambda dx: dx[:1]),
        wrong("last_sample_only", reread, "{yours} {are} what the last sample alone contributes: "
            "zeros made inside the loop begin anew for every sample; each has a part of its own.",
            lambda dx: only(dx, slice(None, -1)), lambda dx: dx[-1:]),
        wrong(summed, reread, "{yours} {are} summed over the batch: samples share weights, not "
            "pixels, so every sample has a gradient of its own.", lambda dx: dx.sum(axis=0),
            lambda dx: dx.sum(axis=0, keepdims=True),
            lambda dx: dx * 0 + dx.sum(axis=0, keepdims=True)),
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
        wrong("last_windows_missing", reread, "the last row or column of windows is missing: there "
            "are (H + 2·padding − KH) // stride + 1 of them, and range ends before its end.",
            lambda z: only(only(z, np.s_[:, :, -1]), np.s_[:, :, :, -1]),
            lambda z: only(z, np.s_[:, :, -1]), lambda z: only(z, np.s_[:, :, :, -1]),
            lambda z: z[:, :, :-1, :-1], lambda z: z[:, :, :-1], lambda z: z[:, :, :, :-1]),
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


def over_batch(name="divided_by_batch"):
    """1/N where samples are summed."""
    return factor(name, ONE_NTH, "{yours} {are} divided by N: where the loss is a mean over the "
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


def upstreams(reread, *, forgotten):
    """(dz, slope, x) -> dx."""
    return [
        lambda dz, slope, x: dz * slope,
        wrong(forgotten, reread, "{yours} {are} the layer's own slope, without dz: the chain rule "
            "multiplies the two.", lambda dz, slope, x: 1 * slope,
            lambda dz, slope, x: 1.0 * slope),
        wrong("input_in_place_of_upstream", reread, "the input x is multiplied by the slope: the "
            "chain rule multiplies dz by it.", lambda dz, slope, x: x * slope),
        wrong("input_multiplied_in", reread, "the input x is multiplied in as well: the chain rule "
            "multiplies dz by the slope, and by nothing else.",
            lambda dz, slope, x: dz * x * slope),
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

"""Which products make up one cell: every picture, every printed term and every promise rests here.

Each explain function lists the products whose sum is one cell of a layer's z, dx, dw or db.
"""

import operator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from cnnbp.pooling import max_pool2d
from cnnbp.shape import (
    complaint,
    conv_windows,
    floats,
    images,
    own_channel,
    own_filters,
    pair,
    pool_windows,
    positive,
    same_shape,
)

# What the products of a weighted layer are made of; db has no second factor, it is "1".
OPERANDS = {"z": ("x", "w"), "dx": ("dz", "w"), "dw": ("dz", "x"), "db": ("dz",)}
POOLING_OPERANDS = {"z": ("x",), "dx": ("dz",)}


def cell_name(name, index):
    """How a cell is written: its array's name and its index; a number without axes has no index.

    >>> cell_name("dw", (1, 0, 2, 1)), cell_name("1", ())
    ('dw[1,0,2,1]', '1')
    """
    return f"{name}[{','.join(map(str, index))}]" if len(index) else name


class Term(NamedTuple):
    """One product: left_name[left_index] · right_name[right_index]."""

    left_name: str
    left_index: tuple
    left: float
    right_name: str
    right_index: tuple
    right: float
    product: float

    def __str__(self):
        left = cell_name(self.left_name, self.left_index)
        return f"{left}·{cell_name(self.right_name, self.right_index)}"


@dataclass(frozen=True, repr=False)
class Cell:
    """One cell as the sum of T products, and a bias where there is one.

    wanted, index            which cell: "z", "dx", "dw", "db", "dgamma" or "dbeta", and its index
    left_name, right_name    the two arrays; "1" where there is only one, and then of index ()
    left_index, right_index  (T, k) ints, a row of k indices for each product
    left, right, product     (T,) the numbers
    bias, bias_name          what is added to the products, as in 0.5 and "b[1,0]"; None and ""
                             where nothing is
    total                    the cell's value

    >>> cell = explain_linear("dw", (1, 0), dz=[[0, 0], [2, 3]], x=[[4, 5], [6, 7]])
    >>> cell
    dw[1,0] = dz[1,0]·x[0,0] + dz[1,1]·x[0,1] = 23
    >>> cell.product, cell.total
    (array([ 8., 15.]), 23.0)
    >>> [term.right_index for term in cell.terms]
    [(0, 0), (0, 1)]
    """

    wanted: str
    index: tuple
    left_name: str
    left_index: np.ndarray
    left: np.ndarray
    right_name: str
    right_index: np.ndarray
    right: np.ndarray
    bias: float | None = None
    bias_name: str = ""

    @property
    def product(self):
        return self.left * self.right

    @property
    def total(self):
        return float(self.product.sum() + (self.bias or 0))

    def __len__(self):
        return len(self.left)

    @property
    def terms(self):
        """The products one by one, each a Term, made as they are asked for."""
        return map(self.term, range(len(self)))

    def term(self, t):
        """The product number t, a Term."""
        return Term(
            self.left_name,
            tuple(map(int, self.left_index[t])),
            float(self.left[t]),
            self.right_name,
            tuple(map(int, self.right_index[t])),
            float(self.right[t]),
            float(self.left[t] * self.right[t]),
        )

    def __repr__(self):
        shown = range(len(self))
        if len(self) > 6:
            shown = np.argsort(-np.abs(self.product), kind="stable")[:5]
        parts = [str(self.term(t)) for t in shown]
        parts += [f"{len(self) - 5} more"] * (len(self) > 6)
        parts += [self.bias_name] * (self.bias is not None)
        name = cell_name(self.wanted, self.index)
        if not parts:
            return f"{name} = 0, a sum of no products"
        return f"{name} = {' + '.join(parts)} = {self.total:.4g}".replace("-", "−")


def explain_conv2d(
    wanted, index, *, dz=None, x=None, w=None, b=None, stride=1, padding=0, dilation=1, groups=1
):
    """The products that make up one cell of a convolution's z, dx, dw or db.

    z[n,f,i,j]     the x·w under one window, and b          needs x, w
    dw[f,c,kh,kw]  the dz·x wherever that weight was used   needs dz, x
    dx[n,c,h,v]    the dz·w of the windows that cover it    needs dz, w
    db[f,0,0]      the dz·1 of every window of the filter   needs dz

    Pixels of the padding make no product. Arrays that are not needed may be given too: index is
    then checked against their shapes. All options and shapes are conv2d's.
    returns  Cell

    Raises ValueError if wanted or index does not exist, an array is missing or shapes disagree.
    Lessons 05 and 06.  Source: the sums in conv2d and conv2d_backward, term by term.

    >>> explain_conv2d("dx", (0, 0, 0, 1), dz=[[[[1, 0, 2]]]], w=[[[[5, 6]]]])
    dx[0,0,0,1] = dz[0,0,0,0]·w[0,0,0,1] + dz[0,0,0,1]·w[0,0,0,0] = 6
    """
    given = _given(wanted, OPERANDS, images, dz=dz, x=x, w=w)
    if wanted == "db":
        return _conv2d_db(index, given["dz"])
    options = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}
    x_shape, w_shape = _conv2d_shapes(given, **options)
    place = conv_windows(x_shape, w_shape, **options)
    shapes = {"z": (x_shape[0], w_shape[0], *place.output), "dx": x_shape, "dw": w_shape}
    if dz is not None:
        reason = f"the shape of z for x {x_shape}, w {w_shape}"
        same_shape("dz", given["dz"], shapes["z"], reason)
    if b is not None:
        (b,) = floats(b=b)
        same_shape("b", b, (w_shape[0], 1, 1), "a bias for each filter")
    index = _existing(wanted, index, shapes[wanted])
    if wanted == "z":
        return _conv2d_z(index, given["x"], given["w"], b, place, groups)
    if wanted == "dw":
        return _conv2d_dw(index, given["dz"], given["x"], w_shape, place, groups)
    return _conv2d_dx(index, given["dz"], given["w"], place, groups)


def _conv2d_z(index, x, w, b, place, groups):
    """z[n,f,i,j]: under the window (i, j), every pixel of the filter's channels times a weight."""
    n, f, *window = index
    c, _, taps, pixels = _meeting(place, "z", window, np.arange(w.shape[1]))
    channel = own_channel(f, c, w.shape, groups)
    bias = None if b is None else ("b", b, (f, 0, 0))
    return _cell("z", index, ("x", x, (n, channel, *pixels)), ("w", w, (f, c, *taps)), bias)


def _conv2d_dw(index, dz, x, w_shape, place, groups):
    """dw[f,c,kh,kw]: in every sample and window, dz times the pixel that this weight met."""
    f, c, *tap = index
    n, outputs, _, pixels = _meeting(place, "dw", tap, np.arange(len(dz)))
    channel = own_channel(f, c, w_shape, groups)
    return _cell("dw", index, ("dz", dz, (n, f, *outputs)), ("x", x, (n, channel, *pixels)))


def _conv2d_dx(index, dz, w, place, groups):
    """dx[n,c,h,v]: from every window that saw the pixel, dz times the weight it was seen with."""
    n, channel, *pixel = index
    f, outputs, taps, _ = _meeting(place, "dx", pixel, own_filters(channel, w.shape, groups))
    c = channel % w.shape[1]  # counted within the filter's group
    return _cell("dx", index, ("dz", dz, (n, f, *outputs)), ("w", w, (f, c, *taps)))


def _conv2d_db(index, dz):
    """db[f,0,0]: dz·1 in every sample and window."""
    f, *_ = index = _existing("db", index, (dz.shape[1], 1, 1))
    n, i, j = np.indices((len(dz), *dz.shape[2:])).reshape(3, -1)
    return _cell("db", index, ("dz", dz, (n, f, i, j)))


def _conv2d_shapes(given, *, stride, padding, dilation, groups):
    """The shapes of x and w. One that is not given is the largest that fits dz."""
    dz, x, w = (given.get(name) for name in ("dz", "x", "w"))
    positive(groups, "groups")
    options = (
        pair(stride, "stride"),
        pair(padding, "padding", minimum=0),
        pair(dilation, "dilation"),
    )
    if x is None:
        axes = zip(dz.shape[2:], w.shape[2:], *options, strict=True)
        image = [s * outputs + d * (k - 1) - 2 * p for outputs, k, s, p, d in axes]
        return (len(dz), w.shape[1] * groups, *image), w.shape
    if w is None:
        axes = zip(dz.shape[2:], x.shape[2:], *options, strict=True)
        kernel = [
            (size + 2 * p - s * (outputs - 1) - 1) // d + 1 for outputs, size, s, p, d in axes
        ]
        return x.shape, (dz.shape[1], x.shape[1] // groups, *kernel)
    return x.shape, w.shape


def _meeting(place, wanted, cell, choices):
    """All that meets at the wanted cell, once for each of the choices (samples, say).

    returns  the choice, (i, j), (kh, kw) and (h, v) of every product: arrays of equal length
    """
    rows, columns = _meetings(place, wanted, cell)
    choice, row, column = np.meshgrid(
        choices, np.arange(len(rows)), np.arange(len(columns)), indexing="ij"
    )
    (i, kh, h), (j, kw, v) = rows[row.ravel()].T, columns[column.ravel()].T
    return choice.ravel(), (i, j), (kh, kw), (h, v)


def _meetings(place, wanted, cell):
    """For rows and for columns: all (output, kernel position, pixel) that meet at the wanted cell.

    A product of a layer is a meeting in its rows and one in its columns. A cell of z fixes the
    output, a cell of dw the kernel position, a cell of dx the pixel.
    """
    fixed = {"z": 0, "dw": 1, "dx": 2}[wanted]
    for axis, wanted_at in zip(zip(*place, place.output, strict=True), cell, strict=True):
        size, kernel, stride, padding, dilation, outputs = axis
        output, tap = np.indices((outputs, kernel)).reshape(2, -1)
        meetings = np.stack([output, tap, output * stride + tap * dilation - padding], axis=1)
        on_image = (meetings[:, 2] >= 0) & (meetings[:, 2] < size)
        yield meetings[on_image & (meetings[:, fixed] == wanted_at)]


def explain_linear(wanted, index, *, dz=None, x=None, w=None, b=None):
    """The products that make up one cell of a fully connected layer's z, dx, dw or db.

    z[m,n] sums x·w, and b · dx[d,n] sums dz·w over m · dw[m,d] sums dz·x over n ·
    db[m,0] sums dz·1 over n. All shapes are linear's.
    returns  Cell

    Raises ValueError if wanted or index does not exist or an array is missing.
    Lesson 03.  Source: the sums in linear and linear_backward, term by term.

    >>> explain_linear("z", (0, 0), x=[[1], [2]], w=[[3, 4]], b=[[0.5]])
    z[0,0] = x[0,0]·w[0,0] + x[1,0]·w[0,1] + b[0,0] = 11.5
    """
    given = _given(wanted, OPERANDS, floats, dz=dz, x=x, w=w)
    where, size = {"dz": "MN", "x": "DN", "w": "MD"}, {}
    for name, array in given.items():
        if array.ndim != 2:
            raise complaint(
                ValueError, f"x must be (D, N), w (M, D) and dz (M, N), but {name} is {array.shape}"
            )
        for axis, entries in zip(where[name], array.shape, strict=True):
            if size.setdefault(axis, entries) != entries:
                shapes = ", ".join(f"{name} {array.shape}" for name, array in given.items())
                raise complaint(ValueError, f"shapes disagree in {axis} — {shapes}")
    if b is not None:
        (b,) = floats(b=b)
        same_shape("b", b, (size["M"], 1), "a bias for each output")
    axes = {"z": "MN", "dx": "DN", "dw": "MD", "db": "M"}[wanted]
    shape = [size[axis] for axis in axes] + [1] * (wanted == "db")
    index = _existing(wanted, index, shape)
    at = {axis: np.arange(entries) for axis, entries in size.items()}
    at.update(zip(axes, index, strict=False))  # the axes that the wanted cell fixes
    operands = [(name, given[name], [at[a] for a in where[name]]) for name in OPERANDS[wanted]]
    biased = wanted == "z" and b is not None
    return _cell(wanted, index, *operands, bias=("b", b, (index[0], 0)) if biased else None)


def explain_max_pool2d(wanted, index, *, x, dz=None, kernel_size, stride=None, padding=0):
    """What makes up one cell of max pooling's z or dx.

    z[n,c,i,j] is the window's winner alone, x·1 · dx[n,c,h,v] sums the dz·1 of every window
    that the pixel won. Shapes and options are max_pool2d's; dz is needed for dx.
    returns  Cell

    Raises ValueError if wanted or index does not exist or dz is missing.
    Lesson 07.  Source: max_pool2d and its backward pass, term by term.

    >>> explain_max_pool2d(
    ...     "dx", (0, 0, 0, 1), x=[[[[1, 5, 2]]]], dz=[[[[3, 4]]]], kernel_size=(1, 2), stride=1
    ... )
    dx[0,0,0,1] = dz[0,0,0,0]·1 + dz[0,0,0,1]·1 = 7
    """
    given = _given(wanted, POOLING_OPERANDS, images, x=x, dz=dz)
    x = given["x"]
    z, argmax = max_pool2d(x, kernel_size, stride=stride, padding=padding)
    n, c, *cell = index = _existing(wanted, index, (z if wanted == "z" else x).shape)
    if wanted == "z":
        h, v = divmod(argmax[index], x.shape[3])
        return _cell("z", index, ("x", x, ([n], [c], [h], [v])))
    same_shape("dz", given["dz"], z.shape, "the shape of z")
    i, j = np.nonzero(argmax[n, c] == cell[0] * x.shape[3] + cell[1])
    return _cell("dx", index, ("dz", given["dz"], (n, c, i, j)))


def explain_avg_pool2d(wanted, index, *, x, dz=None, kernel_size, stride=None, padding=0):
    """What makes up one cell of average pooling's z or dx.

    z[n,c,i,j] sums x·1/(KH·KW) over its window · dx[n,c,h,v] sums dz·1/(KH·KW) over the windows
    that cover the pixel. Shapes and options are avg_pool2d's; dz is needed for dx.
    returns  Cell

    Raises ValueError if wanted or index does not exist or dz is missing.
    Lesson 07.  Source: avg_pool2d and its backward pass, term by term.

    >>> explain_avg_pool2d("z", (0, 0, 0, 0), x=[[[[1, 5, 2]]]], kernel_size=(1, 2))
    z[0,0,0,0] = x[0,0,0,0]·1/(KH·KW) + x[0,0,0,1]·1/(KH·KW) = 3
    """
    given = _given(wanted, POOLING_OPERANDS, images, x=x, dz=dz)
    x = given["x"]
    place = pool_windows(x.shape, kernel_size, stride=stride, padding=padding)
    z_shape = *x.shape[:2], *place.output
    if dz is not None:
        same_shape("dz", given["dz"], z_shape, "the shape of z")
    n, c, *cell = index = _existing(wanted, index, z_shape if wanted == "z" else x.shape)
    _, outputs, _, pixels = _meeting(place, wanted, cell, [c])
    (name,) = POOLING_OPERANDS[wanted]
    operand = name, given[name], (n, c, *(pixels if name == "x" else outputs))
    return _cell(wanted, index, operand, ("1/(KH·KW)", 1 / np.prod(place.kernel), ()))


def _given(wanted, operands, check, **arrays):
    """The arrays that are there, checked; or which one `wanted` lacks."""
    if wanted not in operands:
        raise complaint(ValueError, f"wanted must be one of {', '.join(operands)}, not {wanted!r}")
    missing = [name for name in operands[wanted] if arrays[name] is None]
    if missing:
        raise complaint(
            ValueError,
            f"{wanted} is made of {' and '.join(operands[wanted])}, but "
            f"{' and '.join(missing)} is missing",
        )
    present = {name: array for name, array in arrays.items() if array is not None}
    return dict(zip(present, check(**present), strict=True))


def _existing(wanted, index, shape):
    """index as ints from 0 up; or that the wanted array has no such cell."""
    try:
        index = tuple(map(operator.index, index))
    except TypeError:
        raise complaint(
            TypeError,
            f"index must be ints, one for each axis of {wanted} {tuple(shape)}, not {index!r}",
        ) from None
    inside = len(index) == len(shape) and all(
        -size <= i < size for i, size in zip(index, shape, strict=True)
    )
    if not inside:
        raise complaint(
            ValueError, f"{wanted} has shape {tuple(shape)}, so there is no cell {index} in it"
        )
    return tuple(i % size for i, size in zip(index, shape, strict=True))


def _cell(wanted, index, left, right=("1", 1.0, ()), bias=None):
    """The Cell of two operands (name, array, the index of each product along every axis).

    bias  (name, array, index) of the number that is added to the products
    """
    (left_name, left, left_axes), (right_name, right, right_axes) = left, right
    left_index = np.stack(np.broadcast_arrays(*left_axes), axis=1).astype(np.intp)
    right_index = np.zeros((len(left_index), len(right_axes)), np.intp)
    for axis, entries in enumerate(right_axes):
        right_index[:, axis] = entries
    left = left[tuple(left_index.T)]
    right = np.broadcast_to(np.asarray(right)[tuple(right_index.T)], left.shape)
    factors = left_name, left_index, left, right_name, right_index, right
    if bias is None:
        return Cell(wanted, index, *factors)
    name, array, at = bias
    return Cell(wanted, index, *factors, float(array[at]), cell_name(name, at))

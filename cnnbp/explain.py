"""Which products make up one cell: every picture, every printed term and every promise rests here.

Each explain function lists the products whose sum is one cell of a layer's z, dx, dw or db.
"""

import operator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from cnnbp.convolution import check_groups
from cnnbp.pooling import max_pool2d, pool_windows
from cnnbp.shape import floats, images, pair, positive, same_shape, windows

# What the products of a weighted layer are made of; db has no second factor, it is "1".
OPERANDS = {"z": ("x", "w"), "dx": ("dz", "w"), "dw": ("dz", "x"), "db": ("dz",)}
POOLING_OPERANDS = {"z": ("x",), "dx": ("dz",)}


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
        return (
            f"{_cell_name(self.left_name, self.left_index)}·"
            f"{_cell_name(self.right_name, self.right_index)}"
        )


@dataclass(frozen=True, repr=False)
class Cell:
    """One cell as the sum of T products.

    wanted, index            which cell: "z", "dx", "dw" or "db", and its index
    left_name, right_name    the two arrays; "1" where there is only one, and then of index ()
    left_index, right_index  (T, k) ints, a row of k indices for each product
    left, right, product     (T,) the numbers
    total                    their sum, the cell's value
    bias                     True if the last product is 1·b: then its left_index is all −1 and
                             its right_index (f, 0, …), padded with −1

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
    bias: bool = False

    @property
    def product(self):
        return self.left * self.right

    @property
    def total(self):
        return float(self.product.sum())

    def __len__(self):
        return len(self.left)

    @property
    def terms(self):
        """The products one by one, each a Term, made as they are asked for."""
        for t in range(len(self)):
            yield self.term(t)

    def term(self, t):
        """The product number t, a Term."""
        left_name, left_index = self.left_name, self.left_index[t]
        right_name, right_index = self.right_name, self.right_index[t]
        if self.bias and t == len(self) - 1:
            left_name, left_index = "1", ()
            right_name, right_index = "b", right_index[right_index >= 0]
        return Term(
            left_name,
            tuple(map(int, left_index)),
            float(self.left[t]),
            right_name,
            tuple(map(int, right_index)),
            float(self.right[t]),
            float(self.left[t] * self.right[t]),
        )

    def __repr__(self):
        name = _cell_name(self.wanted, self.index)
        if not len(self):
            return f"{name} = 0, a sum of no products"
        shown = range(len(self))
        if len(self) > 6:
            shown = np.argsort(-np.abs(self.product), kind="stable")[:5]
        sum_of = " + ".join(str(self.term(t)) for t in shown)
        more = f" + {len(self) - 5} more" * (len(self) > 6)
        return f"{name} = {sum_of}{more} = {self.total:.4g}"


def _cell_name(name, index):
    return f"{name}[{','.join(map(str, index))}]" if len(index) else name


def explain_conv2d(
    wanted, index, *, dz=None, x=None, w=None, b=None, stride=1, padding=0, dilation=1, groups=1
):
    """The products that make up one cell of a convolution's z, dx, dw or db.

    z[n,f,i,j]     the x·w under one window, and 1·b        needs x, w
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
    given = _given("explain_conv2d", wanted, OPERANDS, images, dz=dz, x=x, w=w)
    if wanted == "db":
        dz = given["dz"]
        f, *_ = index = _existing("db", index, (dz.shape[1], 1, 1))
        n, i, j = np.indices((len(dz), *dz.shape[2:])).reshape(3, -1)
        return _cell("db", index, ("dz", dz, (n, f, i, j)))

    (N, _, H, W), (F, C, *kernel), place = _conv2d_shapes(given, stride, padding, dilation, groups)
    if b is not None:
        same_shape("explain_conv2d", "b", np.asarray(b), (F, 1, 1), "a bias for each filter")
    shapes = {"z": (N, F, *place.output), "dx": (N, C * groups, H, W), "dw": (F, C, *kernel)}
    first, second, *cell = index = _existing(wanted, index, shapes[wanted])
    samples, filters, channels = np.arange(N), np.arange(F), np.arange(C)
    if wanted == "z":
        samples, filters = [first], [second]
    elif wanted == "dx":
        samples, filters, channels = [first], np.split(filters, groups)[second // C], [second % C]
    else:
        filters, channels = [first], [second]
    rows, columns = _meetings(place, wanted, cell)
    n, f, c, row, column = _every(
        samples, filters, channels, np.arange(len(rows)), np.arange(len(columns))
    )
    (i, kh, h), (j, kw, v) = rows[row].T, columns[column].T
    channel = f // (F // groups) * C + c  # c counts within the filter's group
    where = {"dz": (n, f, i, j), "x": (n, channel, h, v), "w": (f, c, kh, kw)}
    operands = [(name, given[name], where[name]) for name in OPERANDS[wanted]]
    return _cell(wanted, index, *operands, bias=(b, (second, 0, 0)) if wanted == "z" else None)


def _conv2d_shapes(given, stride, padding, dilation, groups):
    """The shapes of x and w and the windows. A shape not given is the largest that fits dz."""
    dz, x, w = (given.get(name) for name in ("dz", "x", "w"))
    positive(groups, "explain_conv2d: groups")
    options = [
        pair(stride, "explain_conv2d: stride"),
        pair(padding, "explain_conv2d: padding", minimum=0),
        pair(dilation, "explain_conv2d: dilation"),
    ]
    if x is None:
        axes = zip(dz.shape[2:], w.shape[2:], *options, strict=True)
        image = [s * outputs + d * (k - 1) - 2 * p for outputs, k, s, p, d in axes]
        x_shape = len(dz), w.shape[1] * groups, *image
    else:
        x_shape = x.shape
    if w is None:
        axes = zip(dz.shape[2:], x.shape[2:], *options, strict=True)
        kernel = [
            (size + 2 * p - s * (outputs - 1) - 1) // d + 1 for outputs, size, s, p, d in axes
        ]
        w_shape = dz.shape[1], x.shape[1] // groups, *kernel
    else:
        w_shape = w.shape
    check_groups("explain_conv2d", x_shape, w_shape, groups)
    stride, padding, dilation = options
    place = windows(
        "explain_conv2d",
        x_shape[2:],
        w_shape[2:],
        stride=stride,
        padding=padding,
        dilation=dilation,
    )
    if dz is not None:
        z_shape = x_shape[0], w_shape[0], *place.output
        same_shape(
            "explain_conv2d", "dz", dz, z_shape, f"the shape of z for x {x_shape}, w {w_shape}"
        )
    return x_shape, w_shape, place


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


def _every(*choices):
    """Every combination, the last choice running fastest: one array for each of the choices."""
    return [grid.ravel() for grid in np.meshgrid(*choices, indexing="ij")]


def explain_linear(wanted, index, *, dz=None, x=None, w=None, b=None):
    """The products that make up one cell of a fully connected layer's z, dx, dw or db.

    z[m,n] sums x·w and 1·b · dx[d,n] sums dz·w over m · dw[m,d] sums dz·x over n ·
    db[m,0] sums dz·1 over n. All shapes are linear's.
    returns  Cell

    Raises ValueError if wanted or index does not exist or an array is missing.
    Lesson 03.  Source: the sums in linear and linear_backward, term by term.

    >>> explain_linear("z", (0, 0), x=[[1], [2]], w=[[3, 4]], b=[[0.5]])
    z[0,0] = x[0,0]·w[0,0] + x[1,0]·w[0,1] + 1·b[0,0] = 11.5
    """
    given = _given("explain_linear", wanted, OPERANDS, floats, dz=dz, x=x, w=w)
    where, size = {"dz": "MN", "x": "DN", "w": "MD"}, {}
    for name, array in given.items():
        if array.ndim != 2:
            raise ValueError(
                f"explain_linear: x must be (D, N), w (M, D) and dz (M, N), but {name} is "
                f"{array.shape}"
            )
        for axis, entries in zip(where[name], array.shape, strict=True):
            if size.setdefault(axis, entries) != entries:
                shapes = ", ".join(f"{name} {array.shape}" for name, array in given.items())
                raise ValueError(f"explain_linear: shapes disagree in {axis} — {shapes}")
    if b is not None:
        same_shape("explain_linear", "b", np.asarray(b), (size["M"], 1), "a bias for each output")
    axes = {"z": "MN", "dx": "DN", "dw": "MD", "db": "M"}[wanted]
    shape = [size[axis] for axis in axes] + [1] * (wanted == "db")
    index = _existing(wanted, index, shape)
    at = {axis: np.arange(entries) for axis, entries in size.items()}
    at.update(zip(axes, index, strict=False))  # the axes that the wanted cell fixes
    operands = [(name, given[name], [at[a] for a in where[name]]) for name in OPERANDS[wanted]]
    return _cell(wanted, index, *operands, bias=(b, (index[0], 0)) if wanted == "z" else None)


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
    given = _given("explain_max_pool2d", wanted, POOLING_OPERANDS, images, x=x, dz=dz)
    x = given["x"]
    z, argmax = max_pool2d(x, kernel_size, stride=stride, padding=padding)
    n, c, *cell = index = _existing(wanted, index, (z if wanted == "z" else x).shape)
    if wanted == "z":
        h, v = divmod(argmax[index], x.shape[3])
        return _cell("z", index, ("x", x, ([n], [c], [h], [v])))
    same_shape("explain_max_pool2d", "dz", given["dz"], z.shape, "the shape of z")
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
    given = _given("explain_avg_pool2d", wanted, POOLING_OPERANDS, images, x=x, dz=dz)
    x = given["x"]
    place = pool_windows("explain_avg_pool2d", x.shape, kernel_size, stride, padding)
    z_shape = *x.shape[:2], *place.output
    if dz is not None:
        same_shape("explain_avg_pool2d", "dz", given["dz"], z_shape, "the shape of z")
    n, c, *cell = index = _existing(wanted, index, z_shape if wanted == "z" else x.shape)
    rows, columns = _meetings(place, wanted, cell)
    row, column = _every(np.arange(len(rows)), np.arange(len(columns)))
    (i, _, h), (j, _, v) = rows[row].T, columns[column].T
    (name,) = POOLING_OPERANDS[wanted]
    operand = name, given[name], (n, c, h, v) if name == "x" else (n, c, i, j)
    return _cell(wanted, index, operand, ("1/(KH·KW)", 1 / np.prod(place.kernel), ()))


def _given(function, wanted, operands, check, **arrays):
    """The arrays that are there, checked; or which one `wanted` lacks."""
    if wanted not in operands:
        raise ValueError(f"{function}: wanted must be one of {', '.join(operands)}, not {wanted!r}")
    missing = [name for name in operands[wanted] if arrays[name] is None]
    if missing:
        raise ValueError(
            f"{function}: {wanted} is made of {' and '.join(operands[wanted])}, but "
            f"{' and '.join(missing)} is missing"
        )
    present = {name: array for name, array in arrays.items() if array is not None}
    return dict(zip(present, check(function, **present), strict=True))


def _existing(wanted, index, shape):
    """index as ints from 0 up; or that the wanted array has no such cell."""
    index = tuple(map(operator.index, index))
    inside = len(index) == len(shape) and all(
        -size <= i < size for i, size in zip(index, shape, strict=True)
    )
    if not inside:
        raise ValueError(f"{wanted} has shape {tuple(shape)}, so there is no cell {index} in it")
    return tuple(i % size for i, size in zip(index, shape, strict=True))


def _cell(wanted, index, left, right=("1", 1.0, ()), bias=None):
    """The Cell of two operands (name, array, the index of each product along every axis)."""
    (left_name, left, left_axes), (right_name, right, right_axes) = left, right
    left_index = np.stack(np.broadcast_arrays(*left_axes), axis=1).astype(np.intp)
    right_index = np.zeros((len(left_index), len(right_axes)), np.intp)
    for axis, entries in enumerate(right_axes):
        right_index[:, axis] = entries
    left = left[tuple(left_index.T)]
    right = np.broadcast_to(np.asarray(right)[tuple(right_index.T)], left.shape)
    has_bias = bias is not None and bias[0] is not None
    if has_bias:  # one more product, 1·b
        b, b_index = bias
        padded = (*b_index, *[-1] * (right_index.shape[1] - len(b_index)))
        left_index = np.append(left_index, [[-1] * left_index.shape[1]], axis=0)
        right_index = np.append(right_index, [padded], axis=0)
        left, right = np.append(left, 1.0), np.append(right, np.asarray(b)[b_index])
    return Cell(
        wanted, index, left_name, left_index, left, right_name, right_index, right, has_bias
    )

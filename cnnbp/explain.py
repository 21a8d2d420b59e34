"""Which products make up one cell: every picture, every printed term and every promise rests here.

Each explain function lists the products whose sum is one cell of a layer's z or of a gradient.
"""

import math
import operator
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import NamedTuple

import numpy as np

from cnnbp import activation
from cnnbp.linear import flatten
from cnnbp.loss import mean_squared_error, softmax, softmax_cross_entropy
from cnnbp.normalization import EACH_CHANNEL, EACH_GROUP, grouped, standardized
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
NORMALIZATION_OPERANDS = {"z": (), "dx": ("dz",), "dgamma": ("dz",), "dbeta": ("dz",)}


def cell_name(name, index):
    """How a cell is written: its array's name and its index; a number without axes has no index.

    >>> cell_name("dw", (1, 0, 2, 1)), cell_name("1", ()), cell_name("relu(x)", (0, 2))
    ('dw[1,0,2,1]', '1', 'relu(x[0,2])')
    """
    if not len(index):
        return name
    function = name.endswith(")")
    return name[: len(name) - function] + f"[{','.join(map(str, index))}]" + ")" * function


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
    note                     a few words behind the arithmetic, such as a loss's label
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
    note: str = ""

    @cached_property
    def product(self):
        return self.left * self.right

    @cached_property
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
        note = f" ({self.note})" * bool(self.note)
        if not parts:
            return f"{name} = 0, a sum of no products{note}"
        sum_of = " + ".join(parts).replace("+ −", "− ")
        return f"{name} = {sum_of} = {self.total:.4g}{note}".replace("-", "−")


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
    Lessons 06 to 08.  Source: the sums in conv2d and conv2d_backward, term by term.

    >>> explain_conv2d("dx", (0, 0, 0, 1), dz=[[[[1, 0, 2]]]], w=[[[[5, 6]]]])
    dx[0,0,0,1] = dz[0,0,0,0]·w[0,0,0,1] + dz[0,0,0,1]·w[0,0,0,0] = 6
    """
    options = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}
    return explainer_of_conv2d(wanted, dz=dz, x=x, w=w, b=b, **options)(index)


def explainer_of_conv2d(wanted, *, dz=None, x=None, w=None, b=None, groups=1, **options):
    """index -> Cell, as explain_conv2d gives it: what is the same for all cells is checked once.

    >>> explain = explainer_of_conv2d("z", x=[[[[1, 2, 3]]]], w=[[[[4, 5]]]])
    >>> explain((0, 0, 0, 0)).total, explain((0, 0, 0, 1)).total
    (14.0, 23.0)
    """
    given = _given(wanted, OPERANDS, images, dz=dz, x=x, w=w)
    if wanted == "db":
        return lambda index: _conv2d_db(index, given["dz"])
    x_shape, w_shape = _conv2d_shapes(given, groups=groups, **options)
    place = conv_windows(x_shape, w_shape, groups=groups, **options)
    shapes = {"z": (x_shape[0], w_shape[0], *place.output), "dx": x_shape, "dw": w_shape}
    if dz is not None:
        reason = f"the shape of z for x {x_shape}, w {w_shape}"
        same_shape("dz", given["dz"], shapes["z"], reason)
    if b is not None:
        (b,) = floats(b=b)
        same_shape("b", b, (w_shape[0], 1, 1), "a bias for each filter")
    sums = {
        "z": lambda index: _conv2d_z(index, given["x"], given["w"], b, place, groups),
        "dw": lambda index: _conv2d_dw(index, given["dz"], given["x"], w_shape, place, groups),
        "dx": lambda index: _conv2d_dx(index, given["dz"], given["w"], place, groups),
    }
    return lambda index: sums[wanted](existing(wanted, index, shapes[wanted]))


def _conv2d_z(index, x, w, b, place, groups):
    """z[n,f,i,j]: under the window (i, j), every pixel of the filter's channels times a weight."""
    n, f, *window = index
    c, _, taps, pixels = _meeting(place, "z", window, np.arange(w.shape[1]))
    channel = own_channel(f, c, w.shape, groups)
    bias = None if b is None else ("b", b, (f, 0, 0))
    return sum_of_products(
        "z", index, ("x", x, (n, channel, *pixels)), ("w", w, (f, c, *taps)), bias
    )


def _conv2d_dw(index, dz, x, w_shape, place, groups):
    """dw[f,c,kh,kw]: in every sample and window, dz times the pixel that this weight met."""
    f, c, *tap = index
    n, outputs, _, pixels = _meeting(place, "dw", tap, np.arange(len(dz)))
    channel = own_channel(f, c, w_shape, groups)
    return sum_of_products(
        "dw", index, ("dz", dz, (n, f, *outputs)), ("x", x, (n, channel, *pixels))
    )


def _conv2d_dx(index, dz, w, place, groups):
    """dx[n,c,h,v]: from every window that saw the pixel, dz times the weight it was seen with."""
    n, channel, *pixel = index
    f, outputs, taps, _ = _meeting(place, "dx", pixel, own_filters(channel, w.shape, groups))
    c = channel % w.shape[1]  # counted within the filter's group
    return sum_of_products("dx", index, ("dz", dz, (n, f, *outputs)), ("w", w, (f, c, *taps)))


def _conv2d_db(index, dz):
    """db[f,0,0]: dz·1 in every sample and window."""
    f, *_ = index = existing("db", index, (dz.shape[1], 1, 1))
    n, i, j = np.indices((len(dz), *dz.shape[2:])).reshape(3, -1)
    return sum_of_products("db", index, ("dz", dz, (n, f, i, j)))


def _conv2d_shapes(given, *, stride=1, padding=0, dilation=1, groups=1):
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
    shape = len(choices), rows.shape[1], columns.shape[1]
    choice, row, column = np.unravel_index(np.arange(math.prod(shape)), shape)
    (i, kh, h), (j, kw, v) = rows[:, row], columns[:, column]
    return np.asarray(choices)[choice], (i, j), (kh, kw), (h, v)


def _meetings(place, wanted, cell):
    """For rows and for columns: all (output, kernel position, pixel) that meet at the wanted cell.

    A product of a layer is a meeting in its rows and one in its columns. A cell of z fixes the
    output, a cell of dw the kernel position, a cell of dx the pixel.
    """
    fixed = ("z", "dw", "dx").index(wanted)
    axes = zip(*place, place.output, strict=True)
    return [_meetings_along(axis, fixed, int(at)) for axis, at in zip(axes, cell, strict=True)]


@lru_cache(maxsize=512)
def _meetings_along(axis, fixed, at):
    """(3, meetings) ints along one axis: all cells of a row, and of a column, ask for the same."""
    size, kernel, stride, padding, dilation, outputs = axis
    output, tap = np.indices((outputs, kernel)).reshape(2, -1)
    meetings = np.stack([output, tap, output * stride + tap * dilation - padding])
    on_image = (meetings[2] >= 0) & (meetings[2] < size)
    return meetings[:, on_image & (meetings[fixed] == at)]


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
    index = existing(wanted, index, shape)
    at = {axis: np.arange(entries) for axis, entries in size.items()}
    at.update(zip(axes, index, strict=False))  # the axes that the wanted cell fixes
    operands = [(name, given[name], [at[a] for a in where[name]]) for name in OPERANDS[wanted]]
    biased = wanted == "z" and b is not None
    return sum_of_products(
        wanted, index, *operands, bias=("b", b, (index[0], 0)) if biased else None
    )


def explain_max_pool2d(wanted, index, *, x, dz=None, kernel_size, stride=None, padding=0):
    """What makes up one cell of max pooling's z or dx.

    z[n,c,i,j] is the window's winner alone, x·1 · dx[n,c,h,v] sums the dz·1 of every window
    that the pixel won. Shapes and options are max_pool2d's; dz is needed for dx.
    returns  Cell

    Raises ValueError if wanted or index does not exist or dz is missing.
    Lesson 09.  Source: max_pool2d and its backward pass, term by term.

    >>> explain_max_pool2d(
    ...     "dx", (0, 0, 0, 1), x=[[[[1, 5, 2]]]], dz=[[[[3, 4]]]], kernel_size=(1, 2), stride=1
    ... )
    dx[0,0,0,1] = dz[0,0,0,0]·1 + dz[0,0,0,1]·1 = 7
    """
    options = {"kernel_size": kernel_size, "stride": stride, "padding": padding}
    return explainer_of_max_pool2d(wanted, x=x, dz=dz, **options)(index)


def explainer_of_max_pool2d(wanted, *, x, dz=None, **options):
    """index -> Cell, as explain_max_pool2d gives it: what all cells share is checked once."""
    given, place, shape = _pooled(wanted, x, dz, options)
    x = given["x"]

    def explain(index):
        n, c, *cell = index = existing(wanted, index, shape)
        winners = _winners(x[n, c].tobytes(), x.dtype.str, place)
        if wanted == "z":
            h, v = divmod(winners[*cell], x.shape[3])
            return sum_of_products("z", index, ("x", x, ([n], [c], [h], [v])))
        i, j = np.nonzero(winners == cell[0] * x.shape[3] + cell[1])
        return sum_of_products("dx", index, ("dz", given["dz"], (n, c, i, j)))

    return explain


def _pooled(wanted, x, dz, options):
    """The arrays of a pooling, checked; where its windows lie; the shape of what is wanted."""
    given = _given(wanted, POOLING_OPERANDS, images, x=x, dz=dz)
    x_shape = given["x"].shape
    place = pool_windows(x_shape, **options)
    z_shape = *x_shape[:2], *place.output
    if dz is not None:
        same_shape("dz", given["dz"], z_shape, "the shape of z")
    return given, place, z_shape if wanted == "z" else x_shape


@lru_cache(maxsize=32)
def _winners(image, dtype, place):
    """Where the largest pixel of every window of one image is: a picture asks for every cell."""
    image = np.frombuffer(image, dtype).reshape(1, 1, *place.image)
    options = {"stride": place.stride, "padding": place.padding}
    _, ((winners,),) = max_pool2d(image, place.kernel, **options)
    return winners


def explain_avg_pool2d(wanted, index, *, x, dz=None, kernel_size, stride=None, padding=0):
    """What makes up one cell of average pooling's z or dx.

    z[n,c,i,j] sums x·1/(KH·KW) over its window · dx[n,c,h,v] sums dz·1/(KH·KW) over the windows
    that cover the pixel. Shapes and options are avg_pool2d's; dz is needed for dx.
    returns  Cell

    Raises ValueError if wanted or index does not exist or dz is missing.
    Lesson 09.  Source: avg_pool2d and its backward pass, term by term.

    >>> explain_avg_pool2d("z", (0, 0, 0, 0), x=[[[[1, 5, 2]]]], kernel_size=(1, 2))
    z[0,0,0,0] = x[0,0,0,0]·1/(KH·KW) + x[0,0,0,1]·1/(KH·KW) = 3
    """
    options = {"kernel_size": kernel_size, "stride": stride, "padding": padding}
    return explainer_of_avg_pool2d(wanted, x=x, dz=dz, **options)(index)


def explainer_of_avg_pool2d(wanted, *, x, dz=None, **options):
    """index -> Cell, as explain_avg_pool2d gives it: what all cells share is checked once."""
    given, place, shape = _pooled(wanted, x, dz, options)
    (name,) = POOLING_OPERANDS[wanted]
    share = "1/(KH·KW)", 1 / np.prod(place.kernel), ()

    def explain(index):
        n, c, *cell = index = existing(wanted, index, shape)
        _, outputs, _, pixels = _meeting(place, wanted, cell, [c])
        operand = name, given[name], (n, c, *(pixels if name == "x" else outputs))
        return sum_of_products(wanted, index, operand, share)

    return explain


def explain_relu(wanted, index, *, x, dz=None):
    """What makes up one cell of relu's z, its own relu(x), or of dx, its own dz times the slope.

    Shapes are relu's; dz is needed for dx.
    returns  Cell

    Raises ValueError if wanted or index does not exist or dz is missing.
    Lesson 04.  Source: relu and relu_backward, cell by cell.

    >>> explain_relu("dx", (0, 1), x=[[-1, 2]], dz=[[3, 4]])
    dx[0,1] = dz[0,1]·slope = 4
    """
    return _explain_elementwise("relu", wanted, index, x, dz)


def explain_leaky_relu(wanted, index, *, x, dz=None, slope=0.01):
    """As explain_relu, of leaky_relu with this slope.

    >>> explain_leaky_relu("dx", (0, 0), x=[[-1, 2]], dz=[[3, 4]], slope=0.5)
    dx[0,0] = dz[0,0]·slope = 1.5
    """
    return _explain_elementwise("leaky_relu", wanted, index, x, dz, slope=slope)


def explain_sigmoid(wanted, index, *, x, dz=None):
    """As explain_relu, of sigmoid.

    >>> explain_sigmoid("dx", (0,), x=[0], dz=[8])
    dx[0] = dz[0]·slope = 2
    """
    return _explain_elementwise("sigmoid", wanted, index, x, dz)


def explain_tanh(wanted, index, *, x, dz=None):
    """As explain_relu, of tanh.

    >>> explain_tanh("z", (0,), x=[0.5])
    z[0] = tanh(x[0])·1 = 0.4621
    """
    return _explain_elementwise("tanh", wanted, index, x, dz)


def _explain_elementwise(name, wanted, index, x, dz, **options):
    given = _given(wanted, POOLING_OPERANDS, floats, x=x, dz=dz)
    x = given["x"]
    index = existing(wanted, index, x.shape)
    at = [[i] for i in index]
    if wanted == "z":
        z = getattr(activation, name)(x, **options)
        return sum_of_products("z", index, (f"{name}(x)", z, at))
    same_shape("dz", given["dz"], x.shape, "the shape of x")
    slope = getattr(activation, f"{name}_backward")(np.ones_like(x), x, **options)
    return sum_of_products("dx", index, ("dz", given["dz"], at), ("slope", slope[index], ()))


def explain_flatten(wanted, index, *, x, dz=None):
    """What makes up one cell of flatten's z or dx: one number, moved.

    Shapes are flatten's; dz (C·H·W, N) is needed for dx.
    returns  Cell

    Raises ValueError if wanted or index does not exist or dz is missing.
    Lesson 03.  Source: flattening moves numbers and changes none.

    >>> explain_flatten("dx", (1, 0, 1, 0), x=np.zeros((2, 1, 2, 2)), dz=np.ones((4, 2)))
    dx[1,0,1,0] = dz[2,1]·1 = 1
    """
    _given(wanted, POOLING_OPERANDS, floats, x=x, dz=dz)
    (x,) = images(x=x)
    _, C, H, W = x.shape
    z = flatten(x)
    index = existing(wanted, index, (z if wanted == "z" else x).shape)
    if wanted == "z":
        row, n = index
        c, h, v = np.unravel_index(row, (C, H, W))
        return sum_of_products("z", index, ("x", x, ([n], [c], [h], [v])))
    (dz,) = floats(dz=dz)
    same_shape("dz", dz, z.shape, "the shape of z")
    n, c, h, v = index
    return sum_of_products("dx", index, ("dz", dz, ([(c * H + h) * W + v], [n])))


def explain_dropout(wanted, index, *, mask, x=None, dz=None):
    """What makes up one cell of dropout's z, x·mask, or dx, dz·mask.

    Shapes are dropout's.
    returns  Cell

    Raises ValueError if wanted or index does not exist or an array is missing.
    Lesson 12.  Source: dropout and dropout_backward, cell by cell.

    >>> explain_dropout("dx", (1,), dz=[3, 4], mask=[0, 2])
    dx[1] = dz[1]·mask[1] = 8
    """
    given = _given(wanted, POOLING_OPERANDS, floats, x=x, dz=dz)
    (name,) = POOLING_OPERANDS[wanted]
    (mask,) = floats(mask=mask)
    same_shape("mask", mask, given[name].shape, f"the shape of {name}")
    index = existing(wanted, index, mask.shape)
    at = [[i] for i in index]
    return sum_of_products(wanted, index, (name, given[name], at), ("mask", mask, at))


def explain_batch_norm2d(wanted, index, *, x, gamma, dz=None, beta=None, eps=1e-5, running=None):
    """What makes up one cell of batch normalization's z, dx, dgamma or dbeta.

    z[n,c,h,v]     y·gamma, and beta, where y is x brought to mean 0 and variance 1
    dgamma[c,0,0]  the dz·y of the channel          dbeta[c,0,0]  the dz·1 of the channel
    dx[n,c,h,v]    the dz·∂z/∂x of the whole channel, for it moves the mean and the variance, too

    running   (mean, variance), both (C, 1, 1), where z was normalized by running statistics:
              these are constants, so dx is one product, dz·γ/σ
    Shapes and eps are batch_norm2d's; all but z need dz.
    returns   Cell

    Raises ValueError if wanted or index does not exist, dz is missing or shapes disagree.
    Lesson 12.  Source: batch_norm2d and its backward pass, with ∂z/∂x written out.

    >>> arrays = {"x": [[[[1, 2, 3]]]], "gamma": [[[2]]], "dz": [[[[1, 0, 1]]]]}
    >>> explain_batch_norm2d("dx", (0, 0, 0, 1), **arrays)
    dx[0,0,0,1] = dz[0,0,0,0]·∂z/∂x + dz[0,0,0,1]·∂z/∂x + dz[0,0,0,2]·∂z/∂x = −1.633
    """
    given = _given(wanted, NORMALIZATION_OPERANDS, floats, x=x, dz=dz, gamma=gamma, beta=beta)
    (x,), gamma = images(x=x), given["gamma"]
    if running is None:
        y, deviation = standardized(x, EACH_CHANNEL, eps)
    else:
        mean, variance = floats(mean=running[0], variance=running[1])
        deviation = np.sqrt(variance + float(eps))
        y = (x - mean) / deviation
    if wanted != "dx":
        return _normalized_cell(wanted, index, y, given)
    dz = _like_x(given["dz"], x)
    _, c, *_ = index = existing("dx", index, x.shape)
    if running is not None:
        at = [[i] for i in index]
        factor = ("γ/σ", gamma / deviation, ([c], [0], [0]))
        return sum_of_products("dx", index, ("dz", dz, at), factor)
    samples, h, v = np.indices((len(x), *x.shape[2:])).reshape(3, -1)
    where = samples, np.full_like(samples, c), h, v
    slopes = _standardized_slopes(y, index, where) * gamma[c] / deviation[0, c]
    return sum_of_products("dx", index, ("dz", dz, where), ("∂z/∂x", slopes.ravel(), ()))


def explain_group_norm(wanted, index, *, x, gamma, groups, dz=None, beta=None, eps=1e-5):
    """What makes up one cell of group normalization's z, dx, dgamma or dbeta.

    As explain_batch_norm2d, but a cell shares its mean with its own sample's group of channels.

    >>> arrays = {"x": [[[[1, 3]]]], "gamma": [[[2]]], "dz": [[[[1, 1]]]]}
    >>> explain_group_norm("dbeta", (0, 0, 0), groups=1, **arrays)
    dbeta[0,0,0] = dz[0,0,0,0]·1 + dz[0,0,0,1]·1 = 2
    """
    given = _given(wanted, NORMALIZATION_OPERANDS, floats, x=x, dz=dz, gamma=gamma, beta=beta)
    (x,), gamma = images(x=x), given["gamma"]
    y, deviation = standardized(grouped(x, groups), EACH_GROUP, eps)
    y = y.reshape(x.shape)
    if wanted != "dx":
        return _normalized_cell(wanted, index, y, given)
    dz = _like_x(given["dz"], x)
    n, c, *_ = index = existing("dx", index, x.shape)
    size = x.shape[1] // groups
    channels, h, v = np.indices((size, *x.shape[2:])).reshape(3, -1)
    where = np.full_like(channels, n), c // size * size + channels, h, v
    slopes = _standardized_slopes(y, index, where)
    slopes = slopes * gamma[where[1], 0, 0] / deviation[n, c // size].item()
    return sum_of_products("dx", index, ("dz", dz, where), ("∂z/∂x", slopes, ()))


def _standardized_slopes(y, index, where):
    """deviation · ∂y/∂x by the x at index, for the y of all that share its mean."""
    shared = y[where]
    itself = np.all([axis == i for axis, i in zip(where, index, strict=True)], axis=0)
    return itself - (1 + shared * y[index]) / len(shared)


def _normalized_cell(wanted, index, y, given):
    """A cell of z, dgamma or dbeta, given the normalized y."""
    if wanted == "z":
        n, c, h, v = index = existing("z", index, y.shape)
        beta, gamma = given.get("beta"), ("gamma", given["gamma"], ([c], [0], [0]))
        bias = None if beta is None else ("beta", beta, (c, 0, 0))
        return sum_of_products("z", index, ("y", y, ([n], [c], [h], [v])), gamma, bias)
    dz = _like_x(given["dz"], y)
    c, *_ = index = existing(wanted, index, (y.shape[1], 1, 1))
    samples, h, v = np.indices((len(y), *y.shape[2:])).reshape(3, -1)
    where = samples, np.full_like(samples, c), h, v
    factors = ("y", y, where) if wanted == "dgamma" else ("1", 1.0, ())
    return sum_of_products(wanted, index, ("dz", dz, where), factors)


def _like_x(dz, x):
    same_shape("dz", dz, x.shape, "the shape of x")
    return dz


def explain_softmax_cross_entropy(index, *, z, labels):
    """What makes up one cell of the gradient that the softmax cross-entropy starts with.

    dz[k,n] = p[k,n]·1/N, and −1·1/N where k is the sample's label        p = softmax(z)

    z        (K, N)   scores
    labels   (N,)     ints from 0 to K − 1
    returns  Cell of wanted "dz", whose note is the label

    Raises ValueError or TypeError as softmax_cross_entropy does, and if there is no such cell.
    Lesson 05.  Source: softmax_cross_entropy, cell by cell.

    >>> explain_softmax_cross_entropy((1, 0), z=[[0, 0], [0, 0]], labels=[1, 0])
    dz[1,0] = p[1,0]·1/N − 1·1/N = −0.25 (the label is 1)
    """
    _, dz = softmax_cross_entropy(z, labels)
    k, n = index = existing("dz", index, dz.shape)
    label, share = int(np.asarray(labels)[n]), 1 / dz.shape[1]
    bias = ("−1·1/N", np.array(-share), ()) if k == label else None
    factors = ("p", softmax(z), ([k], [n])), ("1/N", share, ())
    return sum_of_products("dz", index, *factors, bias, f"the label is {label}")


def explain_mean_squared_error(index, *, z, target):
    """What makes up one cell of the gradient that the mean squared error starts with.

    dz[k,n] = z[k,n]·2/(K·N) − target[k,n]·2/(K·N)

    z, target  the same shape
    returns    Cell of wanted "dz", whose note is the target

    Raises ValueError as mean_squared_error does, and if there is no such cell.
    Lesson 05.  Source: mean_squared_error, cell by cell.

    >>> explain_mean_squared_error((0, 1), z=[[1, 2]], target=[[1, 0.5]])
    dz[0,1] = z[0,1]·2/(K·N) − target[0,1]·2/(K·N) = 1.5 (the target is 0.5)
    """
    mean_squared_error(z, target)
    z, target = floats(z=z, target=target)
    index = existing("dz", index, z.shape)
    factor, wished = 2 / z.size, target[index]
    bias = f"−{cell_name('target', index)}·2/(K·N)", np.array(-wished * factor), ()
    factors = ("z", z, [[i] for i in index]), ("2/(K·N)", factor, ())
    return sum_of_products("dz", index, *factors, bias, f"the target is {wished:.4g}")


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


def existing(wanted, index, shape):
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


def sum_of_products(wanted, index, left, right=("1", 1.0, ()), bias=None, note=""):
    """The Cell of two operands (name, array, the index of each product along every axis).

    bias  (name, array, index) of the number that is added to the products
    """
    (left_name, left, left_axes), (right_name, right, right_axes) = left, right
    count = np.broadcast(*left_axes).size
    left_index, right_index = _rows(left_axes, count), _rows(right_axes, count)
    left = left[tuple(left_index.T)].reshape(count)
    right = np.asarray(right)[tuple(right_index.T)]
    right = right if right.shape == left.shape else np.broadcast_to(right, left.shape)
    factors = left_name, left_index, left, right_name, right_index, right
    if bias is None:
        return Cell(wanted, index, *factors, note=note)
    name, array, at = bias
    return Cell(wanted, index, *factors, float(array[at]), cell_name(name, at), note)


def _rows(axes, count):
    """The index of each product along every axis as a row for each product: (count, axes) ints."""
    rows = np.empty((count, len(axes)), np.intp)
    for axis, entries in enumerate(axes):
        rows[:, axis] = entries
    return rows

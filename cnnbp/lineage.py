"""One gradient cell, layer by layer, to the loss: which cells lie behind it, and how much of each.

A cell is a sum of products with the dz of its own layer. That dz is the dx of the layer after it,
which is a sum of products again, and so on. Two ways to read this are here: follow one product at
every layer, or take all of them at once.
"""

import math
from dataclasses import replace

import numpy as np

from cnnbp.convolution import Conv2d
from cnnbp.explain import Cell, cell_name, explain_mean_squared_error, explain_softmax_cross_entropy
from cnnbp.linear import Flatten, Linear
from cnnbp.loss import check_parts
from cnnbp.network import Network, check_network
from cnnbp.normalization import (
    EACH_CHANNEL,
    EACH_GROUP,
    BatchNorm2d,
    GroupNorm,
    grouped,
    standardized,
)
from cnnbp.pooling import AvgPool2d, MaxPool2d
from cnnbp.shape import complaint, conv_windows, own_channel, pool_windows, samples_last

LOSSES = {
    "softmax_cross_entropy": (explain_softmax_cross_entropy, "labels"),
    "mean_squared_error": (explain_mean_squared_error, "target"),
}

NO_LOSS = "no loss"  # what a row is called that no part of a combined loss has


def lineage(network, layer, wanted, index, *, loss=None):
    """Where a gradient cell comes from, all the way to the loss.

    network  a Network after forward and backward
    layer    its number in the chain; "2.0" is layer 0 of the nested network that is layer 2
    wanted   "dx", "dw", "db", "dgamma" or "dbeta"
    index    the cell's index
    loss     ("softmax_cross_entropy", labels) or ("mean_squared_error", target): what the backward
             pass began with, so that the lineage ends at its formula; or a list of parts, as
             combined_loss takes them, and it ends at one of them; None ends it at dz
    returns  Lineage, which follows the largest product of every layer

    Raises ValueError if there is no such layer or cell, a pass is missing, wanted is "z" or the
    loss is not the one that dz came from.
    Lesson 10.  Source: chain rule, one layer at a time.

    >>> from cnnbp import Linear, ReLU, mean_squared_error
    >>> network = Network([Linear(1, 2), ReLU(), Linear(2, 1)])
    >>> network.params["0.w"][...], network.params["2.w"][...] = [[2], [3]], [[5, 7]]
    >>> _, dz = mean_squared_error(network.forward([[1.0]]), [[30.0]])
    >>> dx = network.backward(dz)
    >>> lineage(network, 0, "dx", (0, 0), loss=("mean_squared_error", [[30.0]]))
    0 Linear: dx[0,0] = dz[0,0]·w[0,0] + dz[1,0]·w[1,0] = 62
    1 ReLU: dx[1,0] = dz[1,0]·slope = 14
    2 Linear: dx[1,0] = dz[0,0]·w[0,1] = 14
    mean squared error: dz[0,0] = z[0,0]·2/(K·N) − target[0,0]·2/(K·N) = 2 (the target is 30)
    """
    check_network(network)
    if wanted == "z":
        raise complaint(ValueError, "z is a value, no gradient; its own sum is network.explain's")
    chain = _chain(network, layer)
    return Lineage(network, chain, wanted, index, _last(network, loss))


class Lineage:
    """A cell, the dz cells behind it at every depth, and one way through them to the loss.

    Depth 0 is the cell's own layer; depth d is d layers later, first in its innermost chain, then
    in the chain around it, where a nested Network or Residual counts as one layer.

    cells   the Cell followed at each depth, from the wanted one to the last layer's, and then
            the loss's own if it is known
    names   whose cell each of them is, as in "2.0 Conv2d" or "mean squared error"
    terms   the Term followed in each of them, but the loss's
    numbers its number among the products of its cell
    paths   how many ways lead from the cell to the last dz, a product with a nonzero factor at
            every depth
    share   what the followed way contributes to the cell, as a share of it; may be negative, and
            is NaN if the cell is 0
    losses  the names of all losses that the last dz was made of, if they are known

    >>> from cnnbp import Linear
    >>> network = Network([Linear(1, 2), Linear(2, 1)])
    >>> network.params["0.w"][...], network.params["1.w"][...] = [[2], [3]], [[5, 7]]
    >>> z, dx = network.forward([[1.0]]), network.backward([[1.0]])
    >>> found = lineage(network, 0, "dx", (0, 0))
    >>> found.behind(0), found.behind(1), found.paths
    ({(0, 0): 2.0, (1, 0): 3.0}, {(0, 0): 31.0}, 2)
    >>> round(found.share, 3), round(found.follow(0, 0).share, 3)
    (0.677, 0.323)
    """

    def __init__(self, network, chain, wanted, index, last, chosen=()):
        self._made_of = network, chain, wanted, index, last
        self._chain = chain
        self.losses, tell = last
        self.cells, self.names, self.terms, self.numbers = [], [], [], []
        for depth, (name, layer, _) in enumerate(chain):
            cell = network.explain(name, wanted, index)
            self.cells.append(cell)
            self.names.append(f"{name} {type(layer).__name__}")
            if not len(cell):
                return  # nothing lies behind it
            number = chosen[depth] if depth < len(chosen) else int(np.abs(cell.product).argmax())
            self.numbers.append(number)
            self.terms.append(cell.term(number))
            wanted, index = "dx", self.terms[-1].left_index
        if tell:
            name, cell = tell(index)
            self.cells.append(cell)
            self.names.append(name)

    def follow(self, depth, term):
        """The Lineage that takes product number `term` at this depth, then the largest ones.

        Raises ValueError if there is no such depth or product.
        """
        if depth not in range(len(self.terms)):
            raise complaint(
                ValueError, f"there is no depth {depth!r} among {len(self.terms)}, counted from 0"
            )
        count = len(self.cells[depth])
        if term not in range(count):
            raise complaint(
                ValueError,
                f"there is no product {term!r} among the {count} of {self.cells[depth].wanted}"
                f"{list(self.cells[depth].index)}, counted from 0",
            )
        return Lineage(*self._made_of, [*self.numbers[:depth], int(term)])

    def behind(self, depth):
        """The dz cells at a depth that the cell depends on: {index: factor}, all nonzero.

        The sum of factor·dz over them is the cell again, at every depth.

        Raises ValueError if there is no such depth.
        """
        factors = self.factors(depth)
        where = np.nonzero(factors)
        keys = zip(*(axis.tolist() for axis in where), strict=True)
        return dict(zip(keys, factors[where].tolist(), strict=True))

    def factors(self, depth):
        """The same as an array, shaped like the dz at that depth, 0 where a cell has no part."""
        if depth not in range(len(self._chain)):
            raise complaint(
                ValueError, f"there is no depth {depth!r} among {len(self._chain)}, counted from 0"
            )
        factors = self._own_products(self.cells[0].right)
        for _, layer, _ in self._chain[1 : int(depth) + 1]:
            factors = layer.tangent(factors)
        return factors

    @property
    def paths(self):
        own = (self.cells[0].right != 0).astype(float)
        for dtype in (float, object):  # whole numbers of any size, where floats are not exact
            counts = self._own_products(own.astype(int) if dtype is object else own, dtype)
            for _, layer, _ in self._chain[1:]:
                counts = _routes(layer, counts)
            if dtype is object or counts.sum() < 2**53:
                break
        return int(counts.sum())

    @property
    def share(self):
        cell = self.cells[0].total
        if cell == 0 or len(self.terms) < len(self._chain):
            return math.nan
        return math.prod(term.right for term in self.terms) * self.terms[-1].left / cell

    def _own_products(self, values, dtype=float):
        """The values of the cell's own products, added up in an array like its layer's dz."""
        array = np.zeros(np.shape(self._chain[0][2].dz), dtype)
        np.add.at(array, tuple(self.cells[0].left_index.T), values)
        return array

    def __repr__(self):
        named = zip(self.names, self.cells, strict=True)
        return "\n".join(f"{name}: {cell!r}" for name, cell in named)


def _chain(network, layer):
    """(name, layer, step) of a layer and of all after it: in its own chain, then in those around.

    The dz of a chain's last layer is the dz of the chain as a layer, so the way goes on with the
    layer behind it.
    """
    chain, first = network.located(layer)
    *around, _ = str(layer).split(".")
    found = _from(chain, first, around)
    while around:
        chain, number = network.located(".".join(around))
        *around, _ = around
        found += _from(chain, number + 1, around)
    if found[0][2].dz is None:
        raise complaint(ValueError, "a gradient needs dz; call backward(dz) first")
    return found


def _from(chain, first, around):
    """(name, layer, step) of the layers of a chain from number `first` on."""
    return [
        (".".join([*around, str(number)]), chain.layers[number], chain.trace[number])
        for number in range(first, len(chain.layers))
    ]


def _last(network, loss):
    """The names of all losses, and index -> the loss's name and the Cell of its dz, or None."""
    if loss is None:
        return [], None
    z, dz = np.asarray(network.z), np.asarray(network.trace[-1].dz)
    if isinstance(loss, list):
        parts = check_parts(loss, len(z))
    else:
        parts = [(*_named(loss), slice(None), 1)]
    tellers = [_part(z, dz, *part) for part in parts]

    def tell(index):
        for rows, name, explain in tellers:
            if index[0] in rows:
                return name, explain(index)
        if dz[index] != 0:
            raise complaint(ValueError, f"no part of the loss has row {index[0]} of dz")
        nothing = np.empty((0, dz.ndim), int), np.empty(0)
        return NO_LOSS, Cell("dz", index, "z", *nothing, "1", *nothing, note="no loss has its row")

    return [name for _, name, _ in tellers], tell


def _named(loss):
    """(name, target) of a single loss; or what a loss is."""
    if isinstance(loss, tuple) and len(loss) == 2 and loss[0] in LOSSES:
        return loss
    raise complaint(
        ValueError,
        f'loss must be ("softmax_cross_entropy", labels) or ("mean_squared_error", target), '
        f"not {loss!r}",
    )


def _part(z, dz, name, target, rows, weight):
    """A loss of some rows of z: their numbers, its name, and index -> Cell of dz."""
    explain, argument = LOSSES[name]
    numbers = range(len(z))[rows]

    def tell(index):
        first, *others = index
        own = numbers.index(first), *others
        cell = explain(own, z=z[rows], **{argument: target})
        return _weighted(_renamed(cell, index, numbers), weight)

    own = tuple(int(i) for i in np.unravel_index(np.abs(dz[rows]).argmax(), dz[rows].shape))
    index = numbers[own[0]], *own[1:]
    said = name.replace("_", " ")
    if not np.isclose(tell(index).total, dz[index], rtol=1e-4, atol=1e-12):
        raise complaint(
            ValueError,
            f"the backward pass did not begin with this {said}: "
            f"{cell_name('dz', index)} was {dz[index]:.4g}, but of the loss it is "
            f"{tell(index).total:.4g}",
        )
    return numbers, said, tell


def _renamed(cell, index, numbers):
    """A cell of some rows' own dz under its name in the whole, and so is its z; a probability has
    rows of its own."""
    left = cell.left_index
    if cell.left_name == "z":
        left = np.column_stack([np.asarray(numbers)[left[:, 0]], left[:, 1:]])
    return replace(cell, index=index, left_index=left)


def _weighted(cell, weight):
    """The cell of a loss that counts `weight` times as much."""
    if weight == 1:
        return cell
    name = f"{weight:g}·{cell.right_name}"
    bias = None if cell.bias is None else cell.bias * weight
    bias_name = cell.bias_name.replace(cell.right_name, name)
    right = cell.right * weight
    return replace(cell, right_name=name, right=right, bias=bias, bias_name=bias_name)


def _routes(layer, counts):
    """How many ways lead to each z of a layer, given how many lead to each of its x."""
    if isinstance(layer, Network):
        return _routes_of_network(layer, counts)
    if isinstance(layer, Linear):
        return (layer.params["w"] != 0).astype(counts.dtype) @ counts
    if isinstance(layer, Conv2d | AvgPool2d):
        return _routes_of_windows(layer, counts)
    if isinstance(layer, BatchNorm2d | GroupNorm):
        return _routes_of_normalization(layer, counts)
    if isinstance(layer, Flatten):
        return samples_last(counts).reshape(-1, len(counts))
    if isinstance(layer, MaxPool2d):
        return layer.tangent(counts)
    return counts * (layer.tangent(np.ones(counts.shape)) != 0)  # a factor for each cell


def _routes_of_network(network, counts):
    """A nested network is one step: a z that an x moves at all is one way further."""
    ways = 0
    for index in zip(*np.nonzero(counts), strict=True):
        v = np.zeros(counts.shape)
        v[index] = 1
        ways = ways + (network.tangent(v) != 0).astype(counts.dtype) * counts[index]
    return ways if np.ndim(ways) else np.zeros_like(network.tangent(np.zeros(counts.shape)))


def _routes_of_windows(layer, counts):
    if isinstance(layer, Conv2d):
        w, groups = layer.params["w"], layer.options["groups"]
        place = conv_windows(counts.shape, w.shape, **layer.options)
        used = [
            (f, own_channel(f, c, w.shape, groups), w[f, c]) for f, c in np.ndindex(w.shape[:2])
        ]
    else:
        place = pool_windows(counts.shape, **layer.options)
        used = [(c, c, np.ones(place.kernel)) for c in range(counts.shape[1])]
    ways = np.zeros((len(counts), 1 + max(f for f, *_ in used), *place.output), counts.dtype)
    for f, channel, kernel in used:
        for tap, outputs, pixels in place.taps():
            if kernel[tap] != 0:
                ways[:, f, *outputs] += counts[:, channel, *pixels]
    return ways


def _routes_of_normalization(layer, counts):
    """Each z depends on every x that it shares a mean with, unless the slope is exactly 0."""
    x, eps = np.asarray(layer.remembered(), float), layer.options["eps"]
    scaled = np.broadcast_to(layer.params["gamma"] != 0, x.shape)
    if isinstance(layer, GroupNorm):
        groups = layer.options["groups"]
        y, _ = standardized(grouped(x, groups), EACH_GROUP, eps)
        y, ways = (a.reshape(len(x) * groups, -1) for a in (y, counts))
        return _shared_ways(y, ways).reshape(x.shape) * scaled
    if layer.constants:
        return counts * scaled
    y, _ = standardized(x, EACH_CHANNEL, eps)
    by_channel = x.swapaxes(0, 1).shape
    y, ways = (a.swapaxes(0, 1).reshape(by_channel[0], -1) for a in (y, counts))
    return _shared_ways(y, ways).reshape(by_channel).swapaxes(0, 1) * scaled


def _shared_ways(y, counts):
    """The ways to every cell of a row, from all cells of the row whose slope is not 0."""
    ways = np.zeros_like(counts)
    for row, (normalized, count) in enumerate(zip(y, counts, strict=True)):
        for i in np.flatnonzero(count):
            itself = np.arange(len(count)) == i
            slopes = itself - (1 + normalized * normalized[i]) / len(count)
            ways[row] += (slopes != 0) * count[i]
    return ways

"""Any layer of a network as a picture: nobody types again what the layer and its trace know."""

import re

import numpy as np

from cnnbp.convolution import Conv2d
from cnnbp.explain import cell_name
from cnnbp.linear import Flatten, Linear
from cnnbp.network import Network, Residual, check_network
from cnnbp.pictures.answers import Answers, Seen
from cnnbp.pictures.arithmetic import factors
from cnnbp.pictures.convolution import draw_conv2d_dw, draw_conv2d_z
from cnnbp.pictures.convolution_dx import draw_conv2d_dx
from cnnbp.pictures.lens import MOST, photograph_of
from cnnbp.pictures.linear import draw_flatten_dx, draw_linear_dw, draw_linear_dx, draw_linear_z
from cnnbp.pictures.pooling import draw_avg_pool2d_dx, draw_max_pool2d_dx
from cnnbp.pictures.svg import Link, number, picture, scales
from cnnbp.pictures.tables import Flow, cells_of
from cnnbp.pooling import AvgPool2d, MaxPool2d
from cnnbp.shape import complaint


def draw(network, layer, wanted, index=None):
    """One cell of a layer's z or of a gradient in its last passes, and what stands around it.

    Every number answers: a result with the products that made it, a factor with what it made. Of
    large maps the cells around the chosen one are shown, beside a thumbnail of the whole.

    network  a cnnbp.Network after forward, and backward if a gradient is wanted
    layer    its number in the chain; "2.0" is layer 0 of the nested network that is layer 2
    wanted   "z", "dx", "dw", "db", "dgamma" or "dbeta"
    index    of the cell shown while nothing is pointed at; that of the largest one if None
    returns  Svg

    Raises ValueError if there is no such layer, cell or explanation, or the pass is missing.

    >>> from cnnbp import Network, ReLU
    >>> network = Network([Linear(2, 1), ReLU()])
    >>> network.params["0.w"][...] = [[3, 4]]
    >>> z, dx = network.forward(np.ones((2, 1))), network.backward(np.ones((1, 1)))
    >>> draw(network, 1, "dx").description
    '1 ReLU: dx is the dz of the layer times its factors. dx[0,0] = a 1·1 = 1'
    """
    check_network(network)
    layer, which, step = _told_by(network, layer, wanted)
    if index is None:
        index = _largest(_array(network, layer, which, step, wanted))
    cell = network.explain(layer, wanted, index)
    for kind, tell in KINDS.items():
        if isinstance(which, kind) and (svg := tell(which, step, cell)) is not None:
            return svg
    return _draw_any(network, layer, step, which, cell)


def _told_by(network, layer, wanted):
    """(its name, the layer, its step) whose x and dz a cell is made of: a chain's z is its last
    layer's, for which a Residual adds its own x."""
    chain, place = network.located(layer)
    step, which = chain.trace[place], chain.layers[place]
    if wanted == "z" and _is_chain(which) and which.layers:
        return _told_by(network, f"{layer}.{len(which.layers) - 1}", wanted)
    return layer, which, step


def _is_chain(layer):
    """Whether what its last layer gives is what it gives."""
    return isinstance(layer, Network) and not isinstance(layer, Residual)


def _array(network, layer, which, step, wanted):
    """The wanted array; network.explain says what is wrong if there is none."""
    own = {f"d{name}": gradient for name, gradient in which.grads.items()}
    found = {"z": step.z, "dx": step.dx, **own}.get(wanted)
    if found is None:
        network.explain(layer, wanted, (0,))
        raise complaint(ValueError, f"there is no {wanted!r} of layer {layer}")
    return np.asarray(found)


def _largest(array):
    """The index of the largest magnitude."""
    if not array.size:
        raise complaint(ValueError, f"there is nothing to choose, the result is {array.shape}")
    return tuple(map(int, np.unravel_index(np.abs(array).argmax(), array.shape)))


def _strongest(cell):
    """The number of the largest product, which decides what else is shown."""
    return int(np.abs(cell.product).argmax()) if len(cell) else 0


def _conv2d(layer, step, cell):
    arrays = layer.params | {"x": step.x, "dz": step.dz}
    first, x, w, dz = _strongest(cell), arrays["x"], arrays["w"], arrays["dz"]
    left = cell.left_index[first].tolist() if len(cell) else [0, 0]
    right = cell.right_index[first].tolist() if len(cell) else [0, 0]
    if cell.wanted == "z":
        n, f, *at = cell.index
        shown = {"sample": n, "filter": f, "channel": right[1], "chosen": tuple(at)}
        return draw_conv2d_z(x, w, arrays.get("b"), **shown, **layer.options)
    if cell.wanted == "dx":
        filter = left[1] if len(cell) else None
        return draw_conv2d_dx(dz, x, w, cell.index, filter=filter, **layer.options)
    f, channel, *tap = (*cell.index, 0)[:4] if cell.wanted == "dw" else (cell.index[0], 0)
    chosen = tuple(tap) if cell.wanted == "dw" else "bias"
    shown = {"sample": left[0], "filter": f, "channel": channel, "chosen": chosen}
    return draw_conv2d_dw(dz, x, w, **shown, **layer.options)


def _linear(layer, step, cell):
    w = layer.params["w"]
    if cell.wanted == "z":
        return draw_linear_z(step.x, w, layer.params.get("b"), chosen=cell.index)
    if cell.wanted == "dx":
        return draw_linear_dx(step.dz, w, chosen=cell.index)
    return draw_linear_dw(step.dz, step.x, chosen=cell.index) if cell.wanted == "dw" else None


def _pool(draw_dx):
    def tell(layer, step, cell):
        if cell.wanted != "dx":
            return None
        n, c, *pixel = cell.index
        shown = {"sample": n, "channel": c, "pixel": tuple(pixel)}
        return draw_dx(step.dz, step.x, **layer.options, **shown)

    return tell


def _flatten(layer, step, cell):
    if cell.wanted != "dx":
        return None
    row, sample = cell.left_index[0].tolist()
    return draw_flatten_dx(step.dz, np.shape(step.x), chosen=row, sample=sample)


KINDS = {  # a layer's class -> (layer, step, cell) -> its own picture, or None
    Conv2d: _conv2d,
    Linear: _linear,
    MaxPool2d: _pool(draw_max_pool2d_dx),
    AvgPool2d: _pool(draw_avg_pool2d_dx),
    Flatten: _flatten,
}


def _draw_any(network, layer, step, which, cell):
    """The factors' tables beside the result's, for a layer of any kind."""
    if len(cell.index) < 2:
        raise complaint(
            ValueError, f"pictures show matrices and images, but {cell.wanted} has one axis only"
        )
    tables = _Tables(network, layer, step, which, cell)
    cells, answers, flow = tables.cells, tables.answers, tables.flow
    links = [answers.of_result(rank) for rank in range(len(cells))]
    links += [link for name in tables.arrays for link in tables.of_array(name)]
    chosen = tables.places.index(tuple(cell.index[-2:]))
    tables.add_slopes(links, chosen)
    kind = type(which).__name__
    what = "is made of its x" if cell.wanted == "z" else "is the dz of the layer times its factors"
    return picture(
        f"{layer} {kind}: {cell.wanted} {what}. {links[chosen].lines[0]}",
        flow.blocks,
        links,
        title=f"Layer {layer}, {kind}: what makes {cell_name(cell.wanted, cell.index)}?",
        chosen=chosen,
    )


class _Tables:
    """The result's matrix and those of its factors, of which each Cell knows the numbers."""

    def __init__(self, network, layer, step, which, cell):
        self.network, self.layer, self.cell, self.which = network, layer, cell, which
        known = {"x": step.x, "dz": step.dz, **which.params}
        self.result = np.asarray(_array(network, layer, which, step, cell.wanted))
        strongest = _strongest(cell)
        self.arrays = {}  # name -> (the array, the index of the strongest product)
        for name, indices in (
            (cell.left_name, cell.left_index),
            (cell.right_name, cell.right_index),
        ):
            if len(cell) and indices.shape[1] >= 2:
                at = tuple(indices[strongest].tolist())
                array = known.get(name)
                if array is None:
                    like = (self.result, np.asarray(step.x), *which.params.values())
                    shape = next(a.shape for a in like if a.ndim == indices.shape[1])
                    array = self._gathered(name, shape)
                array = np.asarray(array)
                self.arrays[name] = array, at
        values = [array[at[:-2]] for array, at in self.arrays.values()]
        values.append(self.result[cell.index[:-2]])
        limits = scales(*([each] for each in values))
        self.flow = Flow(len(set(limits)) > 1)
        self._lay_out(limits)

    def _gathered(self, name, shape):
        """An array that no trace holds, such as relu(x), cell by cell from the explanations.

        What the lens leaves out is not asked for, and stays 0.
        """
        array, center = np.zeros(shape), self.cell.index[-2:]
        for place in np.ndindex(self.result.shape[-2:]):
            if np.abs(np.subtract(place, center)).max() <= MOST:
                index = *self.cell.index[:-2], *place
                cell = self.network.explain(self.layer, self.cell.wanted, index)
                if name == cell.left_name:
                    array[tuple(cell.left_index.T)] = cell.left
                else:
                    array[tuple(cell.right_index.T)] = cell.right
        return array

    def _lay_out(self, limits):
        seen = {}
        for (name, (array, at)), limit in zip(self.arrays.items(), limits, strict=False):
            image = photograph_of(array, at[0]) if name == "x" else None
            block = self.flow.table(
                cell_name(name, at[:-2]), array[at[:-2]], limit, at[-2:], photograph=image
            )
            seen[name] = [Seen(block.grids[0], array.shape[-2:], at[:-2])]
        wanted, index = self.cell.wanted, self.cell.index
        matrix = self.result[index[:-2]]
        block = self.flow.table(cell_name(wanted, index[:-2]), matrix, limits[-1], index[-2:])
        (self.grid,) = block.grids
        seen[wanted] = [Seen(self.grid, matrix.shape, index[:-2])]
        self.places = cells_of(self.grid)
        self.cells = [
            self.network.explain(self.layer, wanted, (*index[:-2], *place)) for place in self.places
        ]
        added = re.sub(r"\[.*\]", "", self.cell.bias_name)  # to products that all have tables
        self.answers = Answers(self.cells, seen, rest=f"from {added or 'what is not drawn'}")

    def of_array(self, name):
        """The links of a factor's table; x may be both."""
        return self.answers.of_factors(name, self.arrays[name][0])

    def add_slopes(self, links, chosen):
        """A table of the factors that have no array: one for each result, or of the chosen cell."""
        name = self.cell.right_name
        if not len(self.cell) or self.cell.right_index.shape[1] or name == "1":
            return
        if max(map(len, self.cells)) == 1:
            self._add_slope_of_each(links, name)
        elif np.ptp(self.cell.right):
            self._add_slopes_of_chosen(links, name, chosen)

    def _add_slope_of_each(self, links, name):
        values = [float(cell.right[0]) if len(cell) else 0.0 for cell in self.cells]
        values = np.reshape(values, self.grid.values.shape)
        grid = self.flow.table(name, values, scales([values])[0]).grids[0]
        for rank, at in enumerate(np.ndindex(values.shape)):
            links[rank].handles = [*links[rank].handles, (grid, at)]
            links[rank].pairs = [[*pair, (grid, at)] for pair in links[rank].pairs]

    def _add_slopes_of_chosen(self, links, name, chosen):
        """Beside every dz how much of it reaches the chosen cell."""
        left, cell = self.answers.seen[self.cell.left_name][0], self.cell
        values = np.zeros(left.grid.values.shape)
        title = f"{name} of {cell_name(cell.wanted, cell.index)}"
        grid = self.flow.table(title, values, scales([cell.right])[0]).grids[0]
        told = {}
        for t, index in enumerate(cell.left_index.tolist()):
            place = left.cell(index)
            if place:
                values[place[1]], told[place[1]] = cell.right[t], t
        grid.values = values
        pairs = {place: place for place in told}
        links[chosen].pairs = [
            [*pair, *((grid, at) for _, at in pair if at in pairs)] for pair in links[chosen].pairs
        ]
        for at in np.ndindex(values.shape):
            rings = [(grid, at), (left.grid, at)]
            line = f"{title} is 0 here: this dz has no part in it"
            if at in told:
                term = cell.term(told[at])
                product = f"{factors(cell, told[at])} = {number(term.product, 4)}"
                line = f"{term} = {product}, a part of {cell_name(cell.wanted, cell.index)}"
            links.append(Link([line], handles=[(grid, at)], rings=rings))

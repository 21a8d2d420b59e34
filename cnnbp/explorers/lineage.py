"""One gradient cell under your hand, and its way to the loss, product by product."""

import contextlib

import numpy as np

from cnnbp.data import photo_patches
from cnnbp.explorers.base import Explorer
from cnnbp.explorers.controls import Chain, Index, choice
from cnnbp.lineage import lineage
from cnnbp.loss import mean_squared_error
from cnnbp.network import Network, check_network, walkthrough_network
from cnnbp.pictures.lineage import draw_lineage, shown_products
from cnnbp.pictures.svg import number
from cnnbp.shape import complaint

AXES = {  # of the arrays that a cell may lie in, by their number of axes
    "dx": {4: ("sample", "channel", "row", "column"), 2: ("feature", "sample")},
    "dw": {4: ("filter", "channel", "kernel row", "kernel column"), 2: ("output", "input")},
    "db": {3: ("filter", "", ""), 2: ("output", "")},
}


class LineageExplorer(Explorer):
    """Where does this number come from, all the way to the loss?

    Choose a gradient cell. It is the sum of a few products with the dz of its layer, and each dz
    is the dx of the layer behind, a sum again. Click a product to follow it; at every layer the
    largest is followed to begin with.

    network   a Network after forward and backward; the walkthrough network on the photographs if
              not given
    loss      what its backward pass began with, as lineage takes it: ("softmax_cross_entropy",
              labels) or ("mean_squared_error", target)
    state     where the controls begin, by name: `layer`, `wanted` ("dx", "dw", ...), `cell`, its
              index, and `follow`, the number of the product that is followed at each depth

    >>> explorer = LineageExplorer(layer=3, wanted="db", cell=(2, 0))
    >>> explorer.html.description[:24]
    'The way of db[2,0] = 0.0'
    >>> explorer.close()
    """

    def __init__(self, network=None, *, loss=None, **state):
        self.network, self.loss, self._settled = network, loss, None
        if network is None:
            self.network, self.loss = reference()
        check_network(self.network)
        layers = list(_layers(self.network))
        if "layer" in state:
            state["layer"] = str(state["layer"])
        controls = {
            "layer": choice("layer", layers),
            "wanted": choice("gradient", ["dx"]),
            "cell": Index("cell"),
            "follow": Chain("follow"),
        }
        super().__init__(controls, state, given={"network": network, "loss": loss})

    def settle(self):
        """Another layer has other gradients, another gradient other cells, other products."""
        layer, wanted = self._all["layer"].value, self._all["wanted"]
        chain, at = self.network.located(layer)
        options = ("dx", *(f"d{name}" for name in _own(chain.layers[at]).params))
        if options != wanted.options:
            kept = wanted.value
            wanted.options = options
            wanted.value = kept if kept in options else "dx"
        chosen = layer, wanted.value
        if chosen != self._settled:
            self._settled = chosen
            array = self._array(*chosen)
            names = AXES.get(wanted.value, AXES["db"]).get(array.ndim, ("",) * array.ndim)
            largest = np.unravel_index(int(np.abs(array).argmax()), array.shape)
            self._all["cell"].offer(array.shape, names, tuple(int(i) for i in largest))
            self._all["follow"].value = ()
        if self._all["cell"].value != self._all["follow"].about:
            about = self._all["follow"].about
            self._all["follow"].about = self._all["cell"].value
            if about is not None:
                self._all["follow"].value = ()

    def largest(self):
        first = self._all["layer"].options[0][1]
        for wanted in ("dx", "dw"):
            with contextlib.suppress(KeyError):
                cell = (0,) * self._array(first, wanted).ndim
                yield {"layer": first, "wanted": wanted, "cell": cell, "follow": ()}

    def draw(self, *, layer, wanted, cell, follow):
        found = lineage(self.network, layer, wanted, cell, loss=self.loss)
        for depth, term in enumerate(follow):
            found = found.follow(depth, term)
        if self._drawing:  # else it is only asked how large a picture would be
            self.found = found
            self._all["follow"].offer(_products(found), found.numbers)
        return draw_lineage(found)

    def _array(self, layer, wanted):
        """The whole gradient that a cell is chosen from."""
        chain, at = self.network.located(layer)
        if wanted == "dx":
            return np.asarray(chain.trace[at].dx)
        return chain.layers[at].grads[wanted.removeprefix("d")]


def reference():
    """The walkthrough network after its passes on the photographs, and lesson 10's loss."""
    network = walkthrough_network()
    z = network.forward(photo_patches())
    target = np.random.default_rng(1).standard_normal(z.shape)
    _, dz = mean_squared_error(z, target)
    network.backward(dz)
    return network, ("mean_squared_error", target)


def _layers(network, prefix=""):
    """(label, number) of every layer, those of nested networks below them."""
    if not network.trace or network.trace[0].dx is None:
        raise complaint(
            ValueError, "network needs its passes first; call forward(x), then backward(dz)"
        )
    for number_, layer in enumerate(network.layers):
        name = f"{prefix}{number_}"
        yield f"{name} {type(layer).__name__}", name
        if isinstance(layer, Network):
            yield from _layers(layer, f"{name}.")


def _own(layer):
    """The layer, if its parameters are its own and not those of layers in it."""
    return Network([]) if isinstance(layer, Network) else layer


def _products(found):
    """(label, [(product, its number), ...]) of every depth at which there is a choice."""
    for depth, followed in enumerate(found.numbers):
        cell = found.cells[depth]
        shown = shown_products(cell, followed) if len(cell) > 1 else ()
        yield (
            found.names[depth],
            [(f"{cell.term(t)} = {number(cell.product[t], 4)}", t) for t in shown],
        )

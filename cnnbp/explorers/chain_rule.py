"""A graph of single numbers under sliders: nudge an input and watch the loss."""

from cnnbp.explorers.base import Explorer
from cnnbp.explorers.controls import Decimal, choice
from cnnbp.graph import fork_graph
from cnnbp.pictures.graph import draw_graph

FORK = {"x": 2.0, "w": -1.5, "b": 0.5, "target": 1.0}
REACH = 4  # of an input's slider, to both sides


class ChainRuleExplorer(Explorer):
    """Nudge this: how far does L move, and by which paths?

    graph   a cnnbp.graph.Graph; lesson 01's, in which x is used twice, if not given
    state   where the controls begin, by name: `nudged` is the input that is moved, `nudge` by how
            much, and every input has a slider of its own

    >>> explorer = ChainRuleExplorer(nudged="w", nudge=0.25)
    >>> explorer
    ChainRuleExplorer(nudged='w', nudge=0.25, x=2.0, w=-1.5, b=0.5, target=1.0)
    A computation graph. nudge w by 0.25: predicted ΔL = −1.5, actual ΔL = −1.25
    >>> explorer.close()
    """

    def __init__(self, graph=None, **state):
        self.graph = graph or fork_graph()
        inputs = FORK if graph is None else dict.fromkeys(graph.inputs, 1.0)
        controls = {
            "nudged": choice("nudge", list(inputs)),
            "nudge": Decimal("by", -1, 1, 0.5),
            **{name: Decimal(name, -REACH, REACH, value) for name, value in inputs.items()},
        }
        super().__init__(controls, state, given={"graph": graph})

    def draw(self, *, nudged, nudge, **inputs):
        return draw_graph(self.graph, inputs, nudge=(nudged, nudge))

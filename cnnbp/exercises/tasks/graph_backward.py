"""Lesson 01's backward pass: five lines that work for every graph."""

from cnnbp.exercises.check.results import NamedNumbers
from cnnbp.exercises.task import exercise
from cnnbp.graph import Graph, fork_graph

REUSED = "01, reused means summed"
LOCAL = "01, every step knows its own slope"

SQUARED = Graph(p="w * x", z="p + x", L="square(z)")
TWICE = Graph(s="x * x", p="s * w", t="tanh(p)", L="t + s")
ASIDE = Graph(a="x * w", aside="a + b", c="a * a", d="c - x", L="d * w")


def graph_case(graph, numbers):
    """What a graph knows after its forward pass."""
    values = graph.forward(**dict(zip(graph.inputs, numbers, strict=True)))
    slopes = {name: graph.slopes(name, values) for name in graph.steps}
    return {"steps": list(graph.steps), "slopes": slopes, "values": values}


def random(rng):
    graphs = fork_graph(), TWICE, ASIDE
    return [graph_case(graph, rng.standard_normal(len(graph.inputs))) for graph in graphs]


def passed_back(steps, slopes, values, backward=True, message=lambda up, slope, value: up * slope):
    """The gradients, with another order of the steps or another message to an operand."""
    gradients = dict.fromkeys(values, 0.0) | {steps[-1]: 1.0}
    for name in steps[::-1] if backward else steps:
        for operand, slope in slopes[name]:
            gradients[operand] += message(gradients[name], slope, values[operand])
    return gradients


@exercise(
    lesson="01",
    given={
        "steps": "list of names: in the order of the forward pass, the loss last",
        "slopes": "dict of slopes: for each step a list of (operand, slope) pairs",
        "values": "dict of numbers: every input and every step by its name",
    },
    returns=NamedNumbers("values"),
    tiny=lambda rng: graph_case(SQUARED, rng.permutation([2.0, 3.0, -3.0])[:2]),
    cases=random,
    answer=passed_back,
    hints=[
        "Begin with a gradient of 0.0 for every name in values, and 1.0 for the loss, steps[-1].",
        "Go through the steps backward: a step's own gradient is complete before it hands it on.",
        "A step hands gradients[step]·slope to each of its operands, and += adds the uses up.",
    ],
    stub="The gradient of the loss by every value of a graph.",
    start="begin with a dict of zeros",
)
def graph_backward(steps, slopes, values):
    """The backward pass of any graph: the gradient of the loss by every value.

    slopes says how each step moves with its operands: where p = w·x, with w = 3 and x = 2,
    slopes["p"] is [("w", 2.0), ("x", 3.0)], which means ∂p/∂w = 2 and ∂p/∂x = 3. Return a dict with
    a gradient for every name in values; it is 1 for the loss itself, and 0 for what does not reach
    the loss.
    """
    gradients = {}
    for name in values:
        gradients[name] = 0.0
    gradients[steps[-1]] = 1.0
    for step in reversed(steps):
        for operand, slope in slopes[step]:
            gradients[operand] += gradients[step] * slope
    return gradients


@graph_backward.mistake(REUSED, line="assigned")
def uses_overwritten(steps, slopes, values):
    """A value that is used twice keeps what one use sends back: = forgets the others; add with
    +=."""
    gradients = dict.fromkeys(values, 0.0) | {steps[-1]: 1.0}
    for name in reversed(steps):
        for operand, slope in slopes[name]:
            gradients[operand] = gradients[name] * slope
    return gradients


@graph_backward.mistake(REUSED)
def steps_in_forward_order(steps, slopes, values):
    """You go through the steps in the order of the forward pass, so that most of them hand on a
    gradient which they have not got yet; go backward, reversed(steps)."""
    return passed_back(steps, slopes, values, backward=False)


@graph_backward.mistake(LOCAL)
def loss_does_not_begin_with_one(steps, slopes, values):
    """Nothing arrives anywhere, because nothing was sent: the gradient of the loss by itself is 1,
    gradients[steps[-1]] = 1.0."""
    return dict.fromkeys(values, 0.0)


@graph_backward.mistake(LOCAL)
def slopes_alone(steps, slopes, values):
    """You add up the slopes alone; each is multiplied with the gradient of its step, which says
    how much the loss moves with the step."""
    return passed_back(steps, slopes, values, message=lambda up, slope, value: slope)


@graph_backward.mistake(LOCAL)
def slopes_left_out(steps, slopes, values):
    """You hand a step's gradient to its operands as it is; multiply it with the slope by that
    operand."""
    return passed_back(steps, slopes, values, message=lambda up, slope, value: up)


@graph_backward.mistake(LOCAL)
def values_in_place_of_slopes(steps, slopes, values):
    """You multiply with the operand's value; what counts is the slope of the step by it."""
    return passed_back(steps, slopes, values, message=lambda up, slope, value: up * value)

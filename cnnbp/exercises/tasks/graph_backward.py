"""Lesson 01's backward pass: five lines that work for every graph."""

from cnnbp.exercises.check.results import NamedNumbers
from cnnbp.exercises.choices import wrong
from cnnbp.exercises.task import exercise
from cnnbp.graph import Graph, fork_graph

REUSED = "01, reused means summed"
LOCAL = "01, every step knows its own slope"
PATH = "01, multiply along the path"

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


def passed_back(steps, slopes, values):
    gradients = dict.fromkeys(values, 0.0) | {steps[-1]: 1.0}
    for step in reversed(steps):
        for operand, slope in slopes[step]:
            gradients[operand] += gradients[step] * slope
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


# fmt: off
STARTS = [
    lambda steps, values: dict.fromkeys(values, 0.0) | {steps[-1]: 1.0},
    wrong("loss_does_not_begin_with_one", PATH, "the loss does not begin with 1: the gradient of "
        "the loss by itself is 1, gradients[steps[-1]] = 1.0.",
        lambda steps, values: dict.fromkeys(values, 0.0),
        lambda steps, values: dict.fromkeys(values, 0.0) | {steps[-1]: values[steps[-1]]},
        lambda steps, values: dict.fromkeys(values, 0.0) | {steps[0]: 1.0}),
    wrong("gradients_begin_with_ones", LOCAL, "the gradients do not begin with 0: only the loss "
        "has 1, by itself, and every other one is a sum that begins with 0.",
        lambda steps, values: dict.fromkeys(values, 1.0),
        lambda steps, values: values | {steps[-1]: 1.0}, lambda steps, values: dict(values)),
]
ORDERS = [
    lambda steps: steps[::-1],
    wrong("steps_in_forward_order", REUSED, "only the last step hands its gradient on, as it is "
        "when steps are gone through in the order of the forward pass, or a return ends the loop: "
        "go through all of them backward, reversed(steps).", lambda steps: steps),
    wrong("a_step_is_left_out", REUSED, "not every step hands its gradient on: go from the last, "
        "steps[-1], to the first, steps[0], and return after the loop.",
        lambda steps: steps[-2::-1], lambda steps: steps[:0:-1]),
]
OPERANDS = [
    lambda pairs: pairs,
    wrong("one_operand_only", REUSED, "only one operand of a step gets its gradient: a step hands "
        "gradients to all of its operands.", lambda pairs: pairs[:1], lambda pairs: pairs[-1:]),
]
MESSAGES = [
    lambda up, slope, operand, step: up * slope,
    wrong("slopes_alone", LOCAL, "the slopes are added up alone: each is multiplied by the "
        "gradient of its step, which says how much the loss moves with the step.",
        lambda up, slope, operand, step: slope),
    wrong("slopes_left_out", LOCAL, "a step's gradient is handed to its operands as it is: "
        "multiply it by the slope by that operand.", lambda up, slope, operand, step: up),
    wrong("values_in_place_of_slopes", LOCAL, "the gradient is multiplied by a value: what counts "
        "is the slope of the step by its operand.", lambda up, slope, operand, step: up * operand,
        lambda up, slope, operand, step: up * step,
        lambda up, slope, operand, step: up * slope * operand),
    wrong("value_in_place_of_gradient", LOCAL, "the slope is multiplied by a value: it is "
        "multiplied by the gradient of the step.",
        lambda up, slope, operand, step: step * slope,
        lambda up, slope, operand, step: operand * slope),
    wrong("slope_added", LOCAL, "the slope is added to the gradient: the chain rule multiplies "
        "the two.", lambda up, slope, operand, step: up + slope),
    wrong("divided_by_the_slope", LOCAL, "the gradient is divided by the slope: the chain rule "
        "multiplies the two.", lambda up, slope, operand, step: up / slope),
    wrong("sign_changed", LOCAL, "the sign is wrong: a step hands on its gradient times the slope.",
        lambda up, slope, operand, step: -up * slope),
]
USES = [
    lambda before, message: before + message,
    wrong("uses_overwritten", REUSED, "a value that is used twice keeps what one use sends back: = "
        "forgets the others, so add with +=.", lambda before, message: message,
        lambda before, message: before or message, line="assigned"),
    wrong("uses_multiplied", REUSED, "what the uses of a value send back is put together in "
        "another way than by adding: it is the sum.",
        lambda before, message: (before or 1.0) * message, max),
]


@graph_backward.steps(start=STARTS, order=ORDERS, operands=OPERANDS, message=MESSAGES, use=USES)
def by_steps(choice, steps, slopes, values):
    gradients = choice.start(steps, values)
    for step in choice.order(steps):
        for operand, slope in choice.operands(slopes[step]):
            sent = choice.message(gradients[step], slope, values[operand], values[step])
            gradients[operand] = choice.use(gradients[operand], sent)
    return gradients

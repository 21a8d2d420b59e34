"""A loss made of single numbers, step by step: what a backward pass is before there are arrays."""

import numpy as np

from cnnbp.activation import relu, relu_backward, sigmoid, sigmoid_backward, tanh, tanh_backward
from cnnbp.shape import complaint

# operation: its value, and its slope by each operand (the local derivatives)
OPERATIONS = {
    "+": (lambda a, b: a + b, lambda a, b: (1.0, 1.0)),
    "-": (lambda a, b: a - b, lambda a, b: (1.0, -1.0)),
    "*": (lambda a, b: a * b, lambda a, b: (b, a)),
    "/": (lambda a, b: a / b, lambda a, b: (1 / b, -a / b**2)),
    "square": (lambda a: a * a, lambda a: (2 * a,)),
    "exp": (np.exp, lambda a: (np.exp(a),)),
    "log": (np.log, lambda a: (1 / a,)),
    "relu": (relu, lambda a: (relu_backward(1.0, a),)),
    "sigmoid": (sigmoid, lambda a: (sigmoid_backward(1.0, a),)),
    "tanh": (tanh, lambda a: (tanh_backward(1.0, a),)),
}


class Graph:
    """A computation on single numbers, each step with a name, the last one the loss.

    formulas  name="a * b" with one of + - * /, or name="f(a)" with square, exp, log, relu,
              sigmoid or tanh; a step uses inputs and the steps before it
    inputs    the names that no formula makes
    names     inputs and steps, in the order of a forward pass
    loss      the name of the last step

    Raises ValueError if there is no formula, one cannot be read, or a name is used too early.
    Lesson 01.

    >>> graph = Graph(p="w * x", L="p + x")
    >>> values = graph.forward(w=3, x=2)
    >>> values["L"], graph.backward(values)
    (8.0, {'w': 2.0, 'x': 4.0, 'p': 1.0, 'L': 1.0})
    >>> graph.paths("x")
    [['x', 'p', 'L'], ['x', 'L']]
    """

    def __init__(self, **formulas):
        if not formulas:
            raise complaint(ValueError, 'needs a formula, as in Graph(p="w * x")')
        self.formulas = formulas
        self.steps = {name: _read(name, formula) for name, formula in formulas.items()}
        used = dict.fromkeys(operand for _, operands in self.steps.values() for operand in operands)
        self.inputs = [name for name in used if name not in self.steps]
        self.names = [*self.inputs, *self.steps]
        self.loss = self.names[-1]
        for name, (_, operands) in self.steps.items():
            early = [a for a in operands if self.names.index(a) >= self.names.index(name)]
            if early:
                raise complaint(ValueError, f"{name} = {formulas[name]} uses {early[0]} too early")

    def forward(self, **inputs):
        """Every value, from the inputs to the loss: a dict of floats."""
        if set(inputs) != set(self.inputs):
            raise complaint(
                ValueError,
                f"the inputs are {', '.join(self.inputs)}, not {', '.join(inputs) or 'none'}",
            )
        values = {name: float(inputs[name]) for name in self.inputs}
        with np.errstate(all="ignore"):  # log of a negative number is NaN, and shown as such
            for name, (operation, operands) in self.steps.items():
                value, _ = OPERATIONS[operation]
                values[name] = float(value(*(np.float64(values[a]) for a in operands)))
        return values

    def backward(self, values):
        """∂L/∂ every value, from the loss to the inputs: a dict of floats."""
        gradients = dict.fromkeys(self.names, 0.0)
        gradients[self.loss] = 1.0
        for name in reversed(self.steps):
            for operand, slope in self.slopes(name, values):
                gradients[operand] += gradients[name] * slope  # += because every use counts
        return gradients

    def slopes(self, name, values):
        """How a step changes with each of its operands: (operand, ∂step/∂operand) pairs."""
        operation, operands = self.steps[name]
        _, slopes = OPERATIONS[operation]
        with np.errstate(all="ignore"):
            found = slopes(*(np.float64(values[a]) for a in operands))
        return [(operand, float(slope)) for operand, slope in zip(operands, found, strict=True)]

    def uses(self, name):
        """The steps that a value feeds, once for every time they use it."""
        return [step for step, (_, operands) in self.steps.items() for a in operands if a == name]

    def paths(self, name):
        """All ways from a value to the loss: lists of names."""
        if name == self.loss:
            return [[name]]
        users = dict.fromkeys(self.uses(name))  # a step that uses it twice is one way
        return [[name, *path] for step in users for path in self.paths(step)]

    def __repr__(self):
        steps = ", ".join(f"{name}={formula!r}" for name, formula in self.formulas.items())
        return f"Graph({steps})"


def fork_graph():
    """Lesson 01's graph: x reaches the loss through w and past it, so its gradient is a sum.

    L = (w·x + b + x − target)²

    >>> graph = fork_graph()
    >>> graph.backward(graph.forward(x=2, w=-1.5, b=0.5, target=1))["x"]
    1.5
    """
    return Graph(p="w * x", s="p + b", z="s + x", e="z - target", L="square(e)")


def _read(name, formula):
    """The operation of a formula and the names of its operands."""
    words = str(formula).replace("(", " ").replace(")", " ").split()
    if len(words) == 3 and words[1] in tuple("+-*/"):
        return words[1], [words[0], words[2]]
    if len(words) == 2 and words[0] in OPERATIONS:
        return words[0], [words[1]]
    raise complaint(
        ValueError,
        f'cannot read {name} = "{formula}"; write "a * b" with one of + - * /, or '
        f'"f(a)" with one of {", ".join(f for f in OPERATIONS if f.isalpha())}',
    )

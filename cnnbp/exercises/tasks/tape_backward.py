"""Lesson 16's backward pass: whatever the operations were, and wherever a value was used."""

import numpy as np

from cnnbp import tape
from cnnbp.exercises.check.calling import filled
from cnnbp.exercises.check.results import FilledGradients
from cnnbp.exercises.choices import wrong
from cnnbp.exercises.task import exercise
from cnnbp.tape import Node, in_order

BACKWARD = "16, fill the tape backward"
REUSED = "16, reused means summed"


def squares(rng):
    """a·a + a·a: one number in four places."""
    a = Node(float(rng.integers(2, 6)))
    return {"last": a * a + a * a}


def diamond(rng):
    """Two ways that come together, and go apart once more."""
    a, b = Node(rng.standard_normal()), Node(rng.standard_normal())
    middle = a * b + a
    return {"last": middle * middle * middle + middle * a}


def shared_sum(rng):
    """s hands the same array on to two nodes: who adds into it in place changes both."""
    a, b, c = (Node(rng.standard_normal((2, 3))) for _ in range(3))
    s = a + b
    return {"last": tape.mean_squared_error((s + a) * c + s, rng.standard_normal((2, 3)))}


def tied_kernel(rng):
    """One kernel in two convolutions, with a path around the second, and a loss."""
    x, w = Node(rng.standard_normal((2, 1, 4, 3))), Node(rng.standard_normal((1, 1, 3, 3)))
    b = Node(rng.standard_normal((1, 1, 1)))
    once = tape.relu(tape.conv2d(x, w, b, padding=1))
    twice = tape.conv2d(once, w, b, padding=1) + once
    return {"last": tape.mean_squared_error(tape.flatten(twice), rng.standard_normal((12, 2)))}


def second_pass(rng):
    """A tape that was filled before: its gradients are those of another time."""
    case = diamond(rng)
    case["last"].backward()
    return case


def depth_first(last):
    """As a recursion meets them: a node goes on before all that it gets has come."""
    found = []

    def visit(node):
        if node not in found:
            found.append(node)
            for parent in node.parents:
                visit(parent)

    visit(last)
    return found[::-1]


def breadth_first(last):
    """As they are met from the end, the nearest first: one may come before all of its uses."""
    found = [last]
    for node in found:
        found += [parent for parent in dict.fromkeys(node.parents) if parent not in found]
    return found[::-1]


def once_for_every_way(last):
    """Each node behind its parents, but as often as ways lead to it."""
    return [each for parent in last.parents for each in once_for_every_way(parent)] + [last]


def by_calling_itself(last, share, start):
    """What every parent gets is handed on at once, by the same function; share(before, new)."""
    for node in in_order(last):
        node.gradient = start(node)
    last.gradient = np.ones_like(last.value)

    def send(node):
        if node.send_back is not None:
            for parent, new in zip(node.parents, node.send_back(node.gradient), strict=True):
                parent.gradient = new if parent.gradient is None else share(parent.gradient, new)
                send(parent)

    send(last)
    return filled({"last": last})


def calling_itself_to_overwrite(last):
    return by_calling_itself(last, lambda before, new: new, lambda node: None)


def calling_itself_to_add(last):
    return by_calling_itself(last, lambda before, new: before + new, lambda node: None)


def calling_itself_to_add_to_another_pass(last):
    return by_calling_itself(last, lambda before, new: before + new, lambda node: node.gradient)


def add_in_place(before, share):
    if np.ndim(before):
        before += share
        return before
    return before + share


# fmt: off
ORDERS = [
    in_order,
    wrong("node_goes_on_too_early", BACKWARD, "a node hands its gradient on before all of it has "
        "come: go through the nodes in an order in which each stands behind its parents, "
        "backward.", depth_first, breadth_first),
    wrong("handed_on_again", BACKWARD, "a node that is used twice hands on twice, so that part of "
        "it counts again: let each node hand on once, when all has come.", once_for_every_way,
        also=(calling_itself_to_add, calling_itself_to_add_to_another_pass)),
]
SUMS = [
    lambda before, share: before + share,
    wrong("uses_overwritten", REUSED, "a node that is used twice keeps what one use sends back: = "
        "forgets the others; add them up.", lambda before, share: share, line="assigned",
        also=(calling_itself_to_overwrite,)),
    wrong("added_in_place", REUSED, "the sum is made in place, += on an array that another node "
        "was handed, too, which changes that one's gradient as well: make a new one, "
        "parent.gradient = parent.gradient + share.", add_in_place),
]
STARTS = [
    lambda node: None,
    wrong("not_begun_anew", BACKWARD, "what an earlier pass left in the nodes is added to this "
        "one's: set every gradient to None first.", lambda node: node.gradient),
]
SEEDS = [
    lambda value: np.ones_like(value),
    wrong("begins_with_the_value", BACKWARD, "the last node begins with its own value: its "
        "gradient by itself is 1.", lambda value: value),
    wrong("begins_with_nothing", BACKWARD, "the pass begins with 0: the last node's gradient by "
        "itself is 1, and every other one comes from it.", lambda value: np.zeros_like(value)),
]
# fmt: on


def fill(last, order=ORDERS[0], add=SUMS[0], start=STARTS[0], seed=SEEDS[0]):
    nodes = order(last)
    for node in nodes:
        node.gradient = start(node)
    last.gradient = seed(last.value)
    for node in reversed(nodes):
        if node.send_back is None or node.gradient is None:
            continue
        for parent, share in zip(node.parents, node.send_back(node.gradient), strict=True):
            before = parent.gradient
            parent.gradient = share if before is None else add(before, share)
    return filled({"last": last})


@exercise(
    lesson="16",
    given={"last": "node: the end of a tape, a loss of one number"},
    returns=FilledGradients("last"),
    tiny=squares,
    cases=lambda rng: [make(rng) for make in (diamond, shared_sum, second_pass, tied_kernel)],
    answer=fill,
    hints=[
        "Every node is reached by its .parents. Which must be complete before a node hands on? The "
        "first to hand on is the last node; the loss's gradient by itself is 1.",
        "Make a list in which each node stands behind its parents: visit the parents first, then "
        "append the node, each once. Then go through it backward.",
        "node.send_back(node.gradient) gives a share for every parent, in their order; it is None "
        "for what was given.",
        "The first share becomes parent.gradient; a later one is added, in a new array.",
    ],
    stub="Fill the gradient of every node that the last one was made of.",
    start="an order, then backward through it; nothing to return",
)
def tape_backward(last):
    """The backward pass of a tape: fill .gradient of the last node and of every node that it was
    made of; return nothing.

    A node has .value, .parents, .send_back (a function from its gradient to a list with a share for
    each parent; None for what was given) and .gradient. An earlier pass may have filled that one:
    begin anew. The tiny case is L = a·a + a·a; node 0 is a, nodes 1 and 2 are the products.
    """
    nodes = []

    def visit(node):
        if node not in nodes:
            for parent in node.parents:
                visit(parent)
            nodes.append(node)

    visit(last)
    for node in nodes:
        node.gradient = None
    last.gradient = np.ones_like(last.value)
    for node in reversed(nodes):
        if node.send_back is not None:
            for parent, share in zip(node.parents, node.send_back(node.gradient), strict=True):
                if parent.gradient is None:
                    parent.gradient = share
                else:
                    parent.gradient = parent.gradient + share


@tape_backward.steps(order=ORDERS, add=SUMS, start=STARTS, seed=SEEDS)
def by_steps(steps, last):
    return fill(last, steps.order, steps.add, steps.start, steps.seed)

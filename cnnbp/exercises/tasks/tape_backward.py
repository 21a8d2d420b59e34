"""Lesson 16's backward pass: whatever the operations were, and wherever a value was used."""

import functools
import itertools

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


def as_met(take):
    """As they are met from the end: one may come before all of its uses. take is who is next: 0,
    the one that has waited longest, or −1, the latest."""

    def order(last):
        found, waiting, seen = [], [last], {last}
        while waiting:
            node = waiting.pop(take)
            found.append(node)
            new = [parent for parent in dict.fromkeys(node.parents) if parent not in seen]
            seen.update(new)
            waiting += new
        return found[::-1]

    return order


def one_parent_only(which):
    """A tape as if it were a chain, of everyone's first parents or last ones."""

    def order(last):
        return [*(order(last.parents[which]) if last.parents else []), last]

    return order


def parents_first(last):
    """As a recursion finds it: right, and not the order of in_order, which ends with others."""
    found = []

    def visit(node):
        if node not in found:
            for parent in node.parents:
                visit(parent)
            found.append(node)

    visit(last)
    return found


def by_counting_uses(take):
    """An order, right as well, by nodes that wait until all of their uses have had their turn."""

    def order(last):
        nodes, found, ready = in_order(last), [], [last]
        uses = {node: sum(each.parents.count(node) for each in nodes) for node in nodes}
        while ready:
            node = ready.pop(take)
            found.append(node)
            for parent in node.parents:
                uses[parent] -= 1
                ready += [] if uses[parent] else [parent]
        return found[::-1]

    return order


RIGHT_ORDERS = parents_first, by_counting_uses(0), by_counting_uses(-1)


def once_for_every_way(last):
    """Each node behind its parents, but as often as ways lead to it."""
    return [each for parent in last.parents for each in once_for_every_way(parent)] + [last]


def begin(last, start):
    for node in in_order(last):
        node.gradient = start(node)
    last.gradient = np.ones_like(last.value)


def handed_on(node, share):
    """Every parent, when it has got what the node sends it; share(before, new)."""
    shares = [] if node.send_back is None else node.send_back(node.gradient)
    for parent, new in zip(node.parents, shares, strict=True):
        parent.gradient = new if parent.gradient is None else share(parent.gradient, new)
        yield parent


def by_calling_itself(share, start, once=False):
    """What every parent gets is handed on at once, by the same function."""

    def whole(last):
        begin(last, start)
        seen = []

        def send(node):
            if not (once and node in seen):
                seen.append(node)
                for parent in handed_on(node, share):
                    send(parent)

        send(last)
        return filled({"last": last})

    return whole


def by_waiting(take, start):
    """Who gets something waits to hand it on, once more each time; take is who is next."""

    def whole(last):
        begin(last, start)
        waiting = [last]
        while waiting:
            waiting += handed_on(waiting.pop(take), summed)
        return filled({"last": last})

    return whole


def anew_for_every_node(order):
    """The parents' gradients are begun anew whenever a node hands on."""

    def whole(last):
        begin(last, begun_anew)
        for node in reversed(order(last)):
            for parent in node.parents:
                parent.gradient = None
            list(handed_on(node, summed))
        return filled({"last": last})

    return whole


def forward(zero):
    """Those at the beginning hand on first, while they hold 0."""

    def whole(last):
        begin(last, zero)
        for node in in_order(last):
            list(handed_on(node, summed))
        return filled({"last": last})

    return whole


def summed(before, share):
    return before + share


def the_last_one(before, share):
    return share


def the_first_one(before, share):
    return before


def begun_anew(node):
    return None


def left_as_it_was(node):
    return node.gradient


def of_given_nodes_only(node):
    return node.gradient if node.parents else None


def of_made_nodes_only(node):
    return None if node.parents else node.gradient


def in_order_of(order, add):
    return lambda last: fill(last, order=order, add=add)


def of_ones(node):
    return np.ones_like(node.value)


def of_one(node):
    return 1.0


def fill_multiplied(sent, last):
    return fill(last, sent=sent, shares=multiplied_again)


def multiplied_again(node, shares):
    """The shares times what they were made with; an error where the shapes do not fit."""
    return [(p, share * node.gradient) for p, share in zip(node.parents, shares, strict=True)]


def add_in_place(before, share):
    before += share
    return before


# fmt: off
ORDERS = [
    in_order,
    wrong("node_goes_on_too_early", BACKWARD, "a node hands its gradient on before all of it has "
        "come: go through the nodes in an order in which each stands behind its parents, "
        "backward.", depth_first, as_met(0), as_met(-1), also=tuple(
            by_calling_itself(summed, start, once=True) for start in (begun_anew, left_as_it_was))),
    wrong("one_parent_only", BACKWARD, "only one parent of a node is followed, so that the others "
        "hand nothing on: visit all of node.parents.", one_parent_only(0), one_parent_only(-1)),
    wrong("goes_forward", BACKWARD, "the nodes hand on from the first to the last, while they hold "
        "0: go through them backward, from the last.", also=(
            forward(lambda node: np.zeros_like(node.value)), forward(lambda node: 0.0))),
    wrong("handed_on_again", BACKWARD, "a node that is used twice hands on twice, so that part of "
        "it counts again: let each node hand on once, when all has come.", once_for_every_way,
        also=tuple(whole for start in (begun_anew, left_as_it_was) for whole in (
            by_calling_itself(summed, start), by_waiting(0, start), by_waiting(-1, start)))),
]
SUMS = [
    summed,
    wrong("uses_overwritten", REUSED, "a node that is used twice keeps what one use sends back: = "
        "forgets the others; add them up.", the_last_one, the_first_one, line="assigned",
        also=(by_calling_itself(the_last_one, begun_anew), *(in_order_of(order, add)
            for order in RIGHT_ORDERS for add in (the_last_one, the_first_one)))),
    wrong("begun_anew_inside", REUSED, "the parents' gradients are begun anew inside the loop, "
        "which forgets what their other uses have sent: do so once, before it.",
        also=tuple(map(anew_for_every_node, (in_order, *RIGHT_ORDERS)))),
    wrong("added_in_place", REUSED, "the sum is made in place, += on an array that another node "
        "was handed, too, which changes that one's gradient as well: make a new one, "
        "parent.gradient = parent.gradient + share.", add_in_place),
]
STARTS = [
    begun_anew,
    wrong("not_begun_anew", BACKWARD, "what an earlier pass left in the nodes is added to this "
        "one's: set every gradient to None first.", left_as_it_was, of_given_nodes_only,
        of_made_nodes_only),
    wrong("all_begin_with_one", BACKWARD, "every node's gradient begins with 1: that is the last "
        "one's, and the others begin with nothing, or 0.", lambda node: np.ones_like(node.value)),
]
SENT = [
    lambda node: node.gradient,
    wrong("gradient_not_sent", BACKWARD, "a node is sent back through as if its gradient were 1: "
        "it is node.send_back(node.gradient), with all that the node has got.", of_ones, of_one),
    wrong("value_sent_back", BACKWARD, "a node sends back its value: it is "
        "node.send_back(node.gradient).", lambda node: node.value),
    wrong("gradient_multiplied_afterwards", BACKWARD, "what is sent back for 1 is multiplied by "
        "the gradient afterwards: that is right for single numbers, but not for arrays; hand it "
        "in, node.send_back(node.gradient).", also=tuple(
            functools.partial(fill_multiplied, sent) for sent in (of_ones, of_one))),
]
SHARES = [
    lambda node, shares: zip(node.parents, shares, strict=True),
    wrong("first_share_for_all", BACKWARD, "every parent gets the first share: the shares are in "
        "the order of the parents, one for each.",
        lambda node, shares: zip(node.parents, itertools.repeat(shares[0]), strict=False)),
    wrong("one_share_for_twins", REUSED, "a node that is a parent twice, as in a·a, gets one of "
        "its two shares: go through node.parents as they are, not through a set of them.",
        lambda node, shares: zip(dict.fromkeys(node.parents), shares, strict=False)),
    wrong("gradient_multiplied_in_again", BACKWARD, "each share is multiplied by the node's "
        "gradient: send_back has done that.", multiplied_again),
]
SEEDS = [
    lambda value: np.ones_like(value),
    wrong("begins_with_the_value", BACKWARD, "the last node begins with its own value: its "
        "gradient by itself is 1.", lambda value: value),
    wrong("begins_with_nothing", BACKWARD, "the pass begins with 0: the last node's gradient by "
        "itself is 1, and every other one comes from it.", lambda value: np.zeros_like(value)),
]
# fmt: on


def fill(
    last,
    order=ORDERS[0],
    add=SUMS[0],
    start=STARTS[0],
    seed=SEEDS[0],
    sent=SENT[0],
    shares=SHARES[0],
):
    nodes = order(last)
    for node in nodes:
        node.gradient = start(node)
    last.gradient = seed(last.value)
    for node in reversed(nodes):
        if node.send_back is None or node.gradient is None:
            continue
        for parent, share in shares(node, node.send_back(sent(node))):
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


@tape_backward.steps(order=ORDERS, add=SUMS, start=STARTS, seed=SEEDS, sent=SENT, shares=SHARES)
def by_steps(steps, last):
    return fill(last, **vars(steps))

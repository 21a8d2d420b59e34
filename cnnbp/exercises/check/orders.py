"""Right answers whose arguments or results come in another order.

Nothing else is wrong with them, which is tried out in every case before it is said.
"""

import itertools
import time

from cnnbp.exercises.check.calling import attempt
from cnnbp.exercises.check.handed_in import by_position
from cnnbp.exercises.check.messages import say
from cnnbp.exercises.check.results import agree

SECONDS = 0.1  # for trying orders of arguments; swaps come first

# What people call a task's arguments
CALLED = {
    "dz": "dout dy grad grads grad_out grad_output upstream delta g",
    "x": "inputs input images image data features a",
    "w": "weights weight kernel kernels filters W",
    "b": "bias biases",
    "velocity": "v vel",
    "learning_rate": "lr eta alpha rate",
    "momentum": "mu beta m",
    "labels": "y target targets classes",
    "kernel_size": "size ksize window window_size pool_size",
    "padding": "pad p",
    "stride": "strides s",
    "x_shape": "shape input_shape in_shape",
    "w_shape": "kernel_shape weight_shape filter_shape",
}
MEANT = {alias: name for name, aliases in CALLED.items() for alias in aliases.split()}


def arguments_reordered(facts, f):
    """(mistake's name, sentence) if f is right with its arguments in another order, else None."""
    wanted = facts.task.parameters
    if len(wanted) == 1:
        return None
    by_name = set(wanted) <= set(by_position(f))
    end = time.process_time() + SECONDS
    for order in _swaps(wanted) if by_name else _orders(wanted, by_position(f)):
        if all(_right(case, f, order) for case in facts.cases):
            moved = [name for name, other in zip(wanted, order, strict=True) if name != other]
            if by_name:
                return "arguments_exchanged", say("order.exchanged", moved=" and ".join(moved))
            key = "order.two arguments" if len(moved) == 2 else "order.arguments"
            said = say(key, moved=" and ".join(moved), expected=", ".join(wanted),
                       yours=", ".join(order))  # fmt: skip
            return "arguments_in_another_order", said
        if time.process_time() > end:
            return None
    return None


def _right(case, f, order):
    """Whether f is right in a case if its arguments come in this order."""
    pairs = zip(case.arguments, order, strict=True)
    taken = {name: case.arguments[other] for name, other in pairs}
    outcome = case.outcome(attempt(f, taken))
    return isinstance(outcome, dict) and _all_agree(outcome, case.expected)


def _all_agree(outcome, expected):
    return all(agree(outcome[name], part) for name, part in expected.items())


def _orders(wanted, own):
    """Orders to try: as the learner's own names say, two swapped, one moved, then any."""
    named, swapped = _by_names(wanted, own), _swaps(wanted)
    moved = (_moved(wanted, *pair) for pair in itertools.permutations(range(len(wanted)), 2))
    seen = {tuple(wanted)}
    for order in itertools.chain([named], swapped, moved, itertools.permutations(wanted)):
        if tuple(order) not in seen:
            seen.add(tuple(order))
            yield tuple(order)


def _by_names(wanted, own):
    """The arguments in the order of the learner's names, as far as these say anything.

    >>> _by_names(["dz", "x", "w_shape"], ["inputs", "dout", "shape_of_w"])
    ['x', 'dz', 'w_shape']
    """
    meant = [name if name in wanted else MEANT.get(name) for name in own]
    if len(own) != len(wanted):
        return list(wanted)
    known = [name for name in meant if name in wanted and meant.count(name) == 1]
    others = iter([name for name in wanted if name not in known])
    return [name if name in known else next(others) for name in meant]


def _swaps(wanted):
    return (_swapped(wanted, *pair) for pair in itertools.combinations(range(len(wanted)), 2))


def _swapped(order, i, j):
    order = list(order)
    order[i], order[j] = order[j], order[i]
    return order


def _moved(order, i, j):
    order = list(order)
    order.insert(j, order.pop(i))
    return order


def misplaced_name(facts, f):
    """A sentence on the first parameter of f that has another argument's name, or None."""
    wanted, own = facts.task.parameters, by_position(f)
    if len(own) == len(wanted) and not set(wanted) <= set(own):
        for name, given in zip(own, wanted, strict=True):
            if name in wanted and name != given:
                return say("order.names", name=name, given=given, expected=", ".join(wanted))
    return None


def results_reordered(facts, outcomes):
    """(mistake's name, sentence) if the results are right in another order, else None."""
    if not all(isinstance(outcome, dict) for outcome in outcomes):
        return None
    named = facts.task.result.entries
    pairs = list(zip(facts.cases, outcomes, strict=True))
    groups = [pairs] if named else [[pair] for pair in pairs]  # a list has its own order each time
    found = [_assigned(group) for group in groups]
    if not all(found) or all(name == other for order in found for name, other in order.items()):
        return None
    key = "order.results" if named else "order.list"
    expected, yours = ", ".join(found[0]), ", ".join(found[0].values())
    return "results_in_another_order", say(key, expected=expected, yours=yours)


def _assigned(pairs):
    """{a part: the part whose numbers it holds} if that uses each part once, else None."""
    found = {}
    for name in pairs[0][0].expected:
        candidates = [
            other
            for other in sorted(pairs[0][0].expected, key=lambda other: other != name)
            if other not in found.values()
            and all(agree(outcome[name], case.expected[other]) for case, outcome in pairs)
        ]
        if not candidates:
            return None
        found[name] = candidates[0]
    return found

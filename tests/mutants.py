"""Solutions with one thing changed: an operator, a bound, a number, the order of indices, a +=."""

import ast
import copy
from typing import NamedTuple

import numpy as np

OTHER_OPERATOR = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.FloorDiv,
    ast.Pow: ast.Mult,
    ast.USub: ast.UAdd,
    ast.And: ast.Or,
    ast.Or: ast.And,
}
OTHER_COMPARISON = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
}


class Mutant(NamedTuple):
    """A changed solution: "task: before → after", and the function."""

    description: str
    function: object


def mutants(task):
    """Every Mutant of a task's solution."""
    tree = ast.parse(task.solution())
    function = next(node for node in tree.body if isinstance(node, ast.FunctionDef))
    statements = [node for node in ast.walk(function) if isinstance(node, ast.stmt)][1:]
    for statement in statements:
        parts = _parts(statement)
        for number, part in enumerate(parts):
            for change in _changes(part):
                yield _mutant(task.name, tree, statement, number, change)


def _mutant(name, tree, statement, number, change):
    memo = {}
    changed_tree = copy.deepcopy(tree, memo)
    changed = memo[id(statement)]
    before = _head(statement)
    change(_parts(changed)[number])
    ast.fix_missing_locations(changed_tree)
    names = {}
    exec(compile(changed_tree, f"<mutant of {name}>", "exec"), names)
    return Mutant(f"{name}: {before} → {_head(changed)}", names[name])


def _parts(statement):
    """The statement and its expressions, without the statements inside it."""
    found, waiting = [], [statement]
    while waiting:
        node = waiting.pop(0)
        found.append(node)
        waiting += [each for each in ast.iter_child_nodes(node) if not isinstance(each, ast.stmt)]
    return found


def _head(statement):
    """A statement as text, without the ones inside it."""
    return ast.unparse(statement).splitlines()[0]


def _changes(node):
    """Functions that change a copy of the node in place."""
    if type(getattr(node, "op", None)) in OTHER_OPERATOR:
        yield lambda it: setattr(it, "op", OTHER_OPERATOR[type(it.op)]())
    if isinstance(node, ast.BoolOp):
        yield from _one_left_out(node)
    if isinstance(node, ast.Compare):
        yield from _comparisons(node)
    if isinstance(node, ast.Constant) and type(node.value) in (int, float):
        for step in (1, -1):
            yield lambda it, step=step: setattr(it, "value", it.value + step)
    if isinstance(node, ast.Tuple) and isinstance(node.ctx, ast.Load):
        yield from _swaps(node, lambda it: it.elts)
    if isinstance(node, ast.Call) and ast.unparse(node.func) == "np.ndindex":
        yield from _swaps(node, lambda it: it.args)
    if isinstance(node, ast.AugAssign):
        yield _assigned


def _assigned(node):
    """The node becomes an assignment."""
    target, value = node.target, node.value
    node.__class__ = ast.Assign
    node.targets, node.value, node.type_comment = [target], value, None


def _comparisons(node):
    for number, operator in enumerate(node.ops):
        if type(operator) in OTHER_COMPARISON:
            yield lambda it, number=number: it.ops.__setitem__(
                number, OTHER_COMPARISON[type(it.ops[number])]()
            )
    if len(node.ops) == 2:
        yield _without_upper_bound
        yield _without_lower_bound


def _without_upper_bound(it):
    it.ops.pop()
    it.comparators.pop()


def _without_lower_bound(it):
    it.ops.pop(0)
    it.left = it.comparators.pop(0)


def _one_left_out(node):
    """One condition of several becomes what leaves the others alone."""
    for number in range(len(node.values)):
        yield lambda it, number=number: it.values.__setitem__(
            number, ast.Constant(isinstance(it.op, ast.And))
        )


def _swaps(node, members):
    """Two neighbors exchanged, unless they are the same."""
    for i in range(len(members(node)) - 1):
        first, second = members(node)[i : i + 2]
        if ast.dump(first) != ast.dump(second):
            yield lambda it, i=i: members(it).insert(i, members(it).pop(i + 1))


def is_same(value, other):
    """Whether two results are equal, but for rounding."""
    if isinstance(value, tuple | list):
        return len(value) == len(other) and all(map(is_same, value, other))
    if isinstance(value, dict):
        return value.keys() == other.keys() and all(is_same(value[k], other[k]) for k in value)
    if isinstance(value, set | str):
        return value == other
    return np.shape(value) == np.shape(other) and np.allclose(value, other, rtol=1e-9, atol=1e-12)

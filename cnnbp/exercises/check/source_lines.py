"""The line of a learner's own source where a mistake can only be."""

import ast
import inspect
import textwrap

from cnnbp.exercises.check.saying import plain

LOOPS = ast.For | ast.While


def line_of(function, kind):
    """(number, text) of the one line where a kind of mistake can be, or None.

    kind  "assigned"   = on a subscript in a loop, where += would add
          "returned"   a return that ends the first round of a loop
          "minus"      [padding:-padding]
          "padding"    the only line that places windows, though the padding is never read

    None if there is no such line, or several, or no source.
    """
    try:
        lines, first = inspect.getsourcelines(function)
        tree = ast.parse(textwrap.dedent("".join(lines)))
    except (OSError, TypeError, ValueError, SyntaxError):  # typed at a prompt, or half a line
        return None
    found = {node.lineno for node in PLACES[kind](tree)}
    if len(found) != 1:
        return None
    number = found.pop()
    return first + number - 1, plain(lines[number - 1])


def _assigned(tree):
    for loop in _every(tree, LOOPS):
        for node in _every(loop, ast.Assign):
            (target, *others), value = node.targets, ast.unparse(node.value)
            is_cell = isinstance(target, ast.Subscript) and not others
            if is_cell and ast.unparse(target) not in value:
                yield node


def _returned(tree):
    for loop in _every(tree, LOOPS):
        yield from (node for node in loop.body if isinstance(node, ast.Return))


def _minus(tree):
    for part in _every(tree, ast.Slice):
        end = part.upper
        negative = isinstance(end, ast.UnaryOp) and isinstance(end.op, ast.USub)
        if negative and not isinstance(end.operand, ast.Constant):
            yield part


def _padding(tree):
    read = {node.id for node in _every(tree, ast.Name)}
    taken = [each.arg for each in _every(tree, ast.arg)]
    padding = [name for name in taken if name.startswith("pad")]
    strides = {name for name in taken if name.startswith("stride")}
    if padding and not read & set(padding):
        for product in _every(tree, ast.BinOp):
            if isinstance(product.op, ast.Mult) and strides & _names(product):
                yield product


PLACES = {"assigned": _assigned, "returned": _returned, "minus": _minus, "padding": _padding}


def _every(tree, kind):
    return (node for node in ast.walk(tree) if isinstance(node, kind))


def _names(tree):
    return {node.id for node in _every(tree, ast.Name)}

"""Source text for a notebook: a task's solution, and the stub that a lesson begins with."""

import ast
import inspect
import textwrap


class Source(str):
    """Source text: highlighted in a notebook, plain elsewhere."""

    def __repr__(self):
        return str(self)

    def _repr_markdown_(self):
        return f"```python\n{self}\n```"


def solution_of(function):
    """A function's own text, without decorator and docstring, behind the import it needs."""
    text = textwrap.dedent(inspect.getsource(function))
    (node,) = ast.parse(text).body
    lines = text.splitlines()
    docstring = node.body[0]
    head = lines[node.lineno - 1 : docstring.lineno - 1]
    body = lines[docstring.end_lineno : node.end_lineno]
    return Source("\n".join(["import numpy as np", "", "", *head, *body, ""]))


def stub_of(name, parameters, sentence, start, returns):
    """A function that is not written yet, for a lesson's cell.

    >>> stub_of("double", ["x"], "Twice x.", "think", ["y"])
    def double(x):
        \"""Twice x.\"""
        # think; end with: return y
    """
    end = f"end with: return {', '.join(returns)}" if returns else ""
    comment = "; ".join(filter(None, [start, end]))
    head = f"def {name}({', '.join(parameters)}):"
    return Source("\n".join([head, f'    """{sentence}"""', f"    # {comment}"]))

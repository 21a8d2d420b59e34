"""What a learner's function may return, read into named parts: {"dx": array, "dw": array}.

A kind of result has names (as sentences call them), entries (what is declared of its parts), a
text that describes it in the table of shapes, and read(returned, arguments), which gives the parts
or raises Unreadable with the sentence that says why not. It `fills` if it is not returned, but left
in an argument. `may_be_nothing` is one that a function can look for in vain.
"""

from types import AsyncGeneratorType, CoroutineType, GeneratorType

import numpy as np

from cnnbp.exercises.check.messages import say
from cnnbp.exercises.check.saying import kind, plain
from cnnbp.exercises.check.shapes import parsed
from cnnbp.tape import in_order

UNFINISHED = GeneratorType, CoroutineType, AsyncGeneratorType
TOLERANCE = 1e-9  # float64 reaches 1e-12 in any order of summation, float32 only 1e-7


class Unreadable(Exception):
    """The result is of a wrong type; its text says which and what to do."""

    stage = "returned the wrong type"  # of the check


class Unfilled(Unreadable):
    """A function that fills has left something out."""

    stage = "left a gradient out"


class Arrays:
    """One array, or as many as are declared, returned as a tuple.

    >>> str(Arrays({"dx": "N C", "db": "C 1"}))
    'dx (N, C), db (C, 1)'
    """

    def __init__(self, declarations):
        self.entries = parsed(declarations)
        self.names = tuple(self.entries)

    def __str__(self):
        return ", ".join(f"{name} {entry}" for name, entry in self.entries.items())

    def read(self, returned, arguments):
        several = type(returned) in (tuple, list) and len(returned) != len(self.names)
        if len(self.names) == 1 or isinstance(returned, UNFINISHED):
            if type(returned) is tuple:
                raise Unreadable(say("type.single", yours=kind(returned), expected=self.names[0]))
            returned = [returned]
        elif several or not isinstance(returned, tuple | list):
            expected = ", ".join(self.names)
            count = len(self.names)
            raise Unreadable(
                say("type.count", yours=kind(returned), count=count, expected=expected)
            )
        return {
            name: numbers(name, value) for name, value in zip(self.names, returned, strict=True)
        }


class ListOfArrays:
    """A list with one array for each entry of an argument that is a list."""

    def __init__(self, argument):
        self.argument, self.entries = argument, {}
        self.names = (f"a list like {argument}",)

    def __str__(self):
        return "a list of arrays of the same shapes"

    def read(self, returned, arguments):
        count = len(arguments[self.argument])
        if not isinstance(returned, list | tuple) or len(returned) != count:
            raise Unreadable(
                say(
                    "type.list of arrays",
                    yours=kind(returned),
                    count=count,
                    argument=self.argument,
                )
            )
        names = [f"{self.argument}[{i}]" for i in range(count)]
        return {name: numbers(name, value) for name, value in zip(names, returned, strict=True)}


class NamedNumbers:
    """A dict with a number for each name in an argument that is a dict."""

    def __init__(self, argument):
        self.argument, self.entries = argument, {}
        self.names = ("gradients",)

    def __str__(self):
        return f"a dict with a number for each name in {self.argument}"

    def read(self, returned, arguments):
        names = list(arguments[self.argument])
        if not isinstance(returned, dict):
            said = say("type.named", yours=kind(returned), argument=self.argument)
            raise Unreadable(said)
        missing = [name for name in names if name not in returned]
        if missing or len(returned) > len(names):
            other = plain(next((name for name in returned if name not in names), ""))
            key = "type.named.missing" if missing else "type.named.other"
            name = missing[0] if missing else other
            raise Unreadable(say(key, name=name, argument=self.argument))
        return {f'gradients["{n}"]': numbers(f'gradients["{n}"]', returned[n]) for n in names}


class FilledGradients:
    """The gradients that a function leaves in the nodes of a tape, an argument; it returns None."""

    fills = True

    def __init__(self, argument):
        self.argument, self.entries = argument, {}
        self.names = ("gradients",)

    def __str__(self):
        return "nothing: it fills every node's gradient"

    def trial(self, name, drawn):
        """How to call a function of this name by oneself, and see what it fills.

        >>> FilledGradients("last").trial("f", "task.case(1)")
        '[last] = task.case(1); f(last); [n.gradient for n in [last, *last.parents]]'
        """
        end = self.argument
        shown = f"[n.gradient for n in [{end}, *{end}.parents]]"
        return f"[{end}] = {drawn}; {name}({end}); {shown}"

    def read(self, returned, arguments):
        nodes = in_order(arguments[self.argument])
        if not isinstance(returned, dict) or list(returned) != list(range(len(nodes))):
            raise Unreadable(say("type.filled", yours=kind(returned), argument=self.argument))
        read = {}
        for (place, gradient), node in zip(returned.items(), nodes, strict=True):
            name = f"gradient of node {place}, {node.name}"
            if gradient is None:
                raise Unfilled(say("type.unfilled", name=name))
            read[name] = numbers(name, gradient)
        return read


def numbers(name, value):
    """The value as an array of real numbers, or Unreadable.

    >>> numbers("dx", 1.5)
    array(1.5)
    >>> numbers("dx", [1.5])
    Traceback (most recent call last):
        ...
    cnnbp.exercises.check.results.Unreadable: dx is a list of 1, but an array is wanted. Make it \
one: np.array(...).
    """
    if isinstance(value, UNFINISHED):
        generator = isinstance(value, GeneratorType)
        raise Unreadable(say("type.generator" if generator else "type.coroutine"))
    if isinstance(value, list | tuple):
        raise Unreadable(say("type.list", name=name, yours=kind(value)))
    real = isinstance(value, int | float | np.ndarray | np.generic)
    if not real or np.asarray(value).dtype.kind not in "biuf":
        raise Unreadable(say("type.other", name=name, yours=kind(value)))
    if np.ma.is_masked(value):
        raise Unreadable(say("type.masked", name=name, count=int(np.ma.count_masked(value))))
    return np.asarray(value)


def agree(yours, expected):
    """Whether two parts are the same, but for rounding.

    >>> agree(np.array([0.1 + 0.2]), np.array([0.3])), agree(np.ones((1, 2)), np.ones(2))
    (True, False)
    """
    if isinstance(expected, frozenset):
        return yours == expected
    if yours.shape != expected.shape:
        return False
    with np.errstate(invalid="ignore"):  # ∞ − ∞ is NaN, which is not below any limit
        difference = np.abs(np.subtract(yours, expected, dtype=float)).max(initial=0)
    return bool(difference <= TOLERANCE * np.abs(expected).max(initial=0))

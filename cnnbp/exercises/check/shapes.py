"""A tiny language for what a task takes and returns, strict where a task is declared.

    "N F OH OW"                    an array of these axes
    "C·KH·KW OH·OW·N"              an axis may be a product, or a number: "F 1 1"
    "..."                          any shape, the same one wherever it stands in a task
    "()"                           a single number
    "float", "pair", "function"    one of KINDS
    '"dx" or "dw"'                 one of these words

Behind a colon stands what it is, in a few words: "N C H W: the images". An argument whose name ends
in _shape or _size holds the lengths themselves, as a tuple; every other one is an array.
"""

import re
from dataclasses import dataclass

import numpy as np

from cnnbp.network import Network
from cnnbp.tape import Node

AXES, ANY = "axes", ("...",)
AXIS = re.compile(r"[A-Z]{1,2}(·[A-Z]{1,2})*|[1-9]")
WORDS = re.compile(r'"\w+"( or "\w+")+')


def is_ints(value, count=None):
    """Whether a value is a tuple of ints, of so many if a count is given."""
    ints = type(value) is tuple and all(type(n) is int for n in value)
    return ints and count in (None, len(value))


def are_names(value, container):
    """Whether a value is a list or dict of strings."""
    return isinstance(value, container) and all(isinstance(each, str) for each in value)


KINDS = {
    "float": lambda value: isinstance(value, float),
    "pair": lambda value: is_ints(value, 2),
    "tuple of four ints": lambda value: is_ints(value, 4),
    "function": callable,
    "list of names": lambda value: are_names(value, list),
    "dict of numbers": lambda value: (
        are_names(value, dict) and all(isinstance(each, float) for each in value.values())
    ),
    "dict of slopes": lambda value: (
        are_names(value, dict) and all(isinstance(each, list) for each in value.values())
    ),
    "node": lambda value: isinstance(value, Node),
    "network": lambda value: isinstance(value, Network),
    "list of arrays": lambda value: (
        isinstance(value, list) and all(isinstance(each, np.ndarray) for each in value)
    ),
}


@dataclass(frozen=True)
class Entry:
    """What is declared of one argument, or of one part of a result.

    kind     AXES, one of KINDS, or words to choose from
    symbols  of its axes
    note     what it is, in a few words
    """

    kind: str
    symbols: tuple = ()
    note: str = ""

    def __str__(self):
        return symbolic(self.symbols) if self.kind == AXES else self.kind


def parse(declaration):
    """The Entry that a declaration stands for.

    >>> entry = parse("N C H W: the images")
    >>> entry.symbols, entry.note, str(entry)
    (('N', 'C', 'H', 'W'), 'the images', '(N, C, H, W)')
    >>> parse("N, C")
    Traceback (most recent call last):
        ...
    ValueError: 'N, C' is no shape: 'N,' is no axis. Write "N C H W", "C·H·W N", "F 1 1", "...", \
"()" or one of float, pair, tuple of four ints, function, list of names, dict of numbers, dict of \
slopes, node, network, list of arrays.
    """
    head, _, note = declaration.partition(": ")
    if head in KINDS or WORDS.fullmatch(head):
        return Entry(head, note=note)
    symbols = () if head == "()" else tuple(head.split(" "))
    for symbol in symbols if symbols != ANY else ():
        if not AXIS.fullmatch(symbol):
            raise ValueError(
                f"{declaration!r} is no shape: {symbol!r} is no axis. Write "
                f'"N C H W", "C·H·W N", "F 1 1", "...", "()" or one of {", ".join(KINDS)}.'
            )
    return Entry(AXES, symbols, note)


def parsed(declarations):
    """{name: Entry} of {name: declaration}, or ValueError with the name of the wrong one."""
    found = {}
    for name, declaration in declarations.items():
        try:
            found[name] = parse(declaration)
        except ValueError as error:
            raise ValueError(f"{name}: {error}") from None
    return found


def symbolic(symbols):
    """Symbols as a shape is written.

    >>> symbolic(("N", "C")), symbolic(("N",)), symbolic(("...",)), symbolic(())
    ('(N, C)', '(N,)', '(...)', '()')
    """
    return f"({', '.join(symbols)}{',' * (len(symbols) == 1 and symbols != ANY)})"


def bind(entries, values, known=None):
    """The sizes that values give to symbols, or ValueError where they are not as declared.

    entries  {name: Entry}
    values   {name: value}
    known    sizes that were found before, by the arguments for a result
    returns  {"N": 2, "C·H·W": 12, "learning_rate": 0.1, "...": (2, 3)}

    >>> bind(parsed({"x": "N C", "w_shape": "C 1"}), {"x": np.ones((2, 3)), "w_shape": (3, 1)})
    {'N': 2, 'C': 3}
    >>> bind(parsed({"x": "N C", "y": "C N"}), {"x": np.ones((2, 3)), "y": np.ones((2, 3))})
    Traceback (most recent call last):
        ...
    ValueError: y is (2, 3) but declared (C, N), where C = 3
    """
    sizes = dict(known or {})
    for name, entry in entries.items():
        value = values[name]
        if entry.kind != AXES:
            _require_kind(name, entry, value)
            sizes |= {name: value} if entry.kind == "float" else {}
        else:
            _bind_axes(sizes, name, entry, _lengths(name, value))
    for symbol, size in sizes.items():
        factors = symbol.split("·")
        if set(factors) <= set(sizes) and len(factors) > 1:
            product = int(np.prod([sizes[factor] for factor in factors]))
            if product != size:
                raise ValueError(f"an axis of {size} is declared {symbol}, which is {product}")
    return sizes


def _require_kind(name, entry, value):
    """Raise ValueError unless a value is of its kind, or one of its words."""
    holds = KINDS.get(entry.kind, lambda value: f'"{value}"' in entry.kind.split(" or "))
    if not holds(value):
        raise ValueError(f"{name} is declared {entry} but is {value!r}")


def _lengths(name, value):
    """The lengths that an argument has, or holds."""
    if not name.endswith(("_shape", "_size")):
        return np.shape(value)
    if not is_ints(value):
        raise ValueError(f"{name} must be a tuple of ints, not {value!r}")
    return value


def _bind_axes(sizes, name, entry, shape):
    """Note the lengths of one array in `sizes`; ValueError where they contradict what is there."""
    symbols, lengths = entry.symbols, shape
    if symbols == ANY:
        lengths = [shape]
    elif len(symbols) != len(shape):
        raise ValueError(f"{name} is {shape} but declared {entry}")
    for symbol, length in zip(symbols, lengths, strict=True):
        wanted = int(symbol) if symbol.isdigit() else sizes.setdefault(symbol, length)
        if wanted != length:
            where = f", where {symbol} = {wanted}" * (not symbol.isdigit())
            raise ValueError(f"{name} is {shape} but declared {entry}{where}")

"""Numbers in words: what a sentence to the learner says of arrays and arguments."""

import numpy as np

from cnnbp.network import Network
from cnnbp.pictures.svg import number
from cnnbp.tape import Node, in_order


def worst_cell(yours, expected):
    """The index where two arrays of the same shape differ most; one that is NaN comes first.

    >>> worst_cell(np.array([1.0, 5.0, 2.0]), np.array([1.0, 2.0, 4.0]))
    (1,)
    """
    difference = np.abs(np.asarray(yours, float) - expected)
    worst = np.argmax(np.where(np.isnan(difference), np.inf, difference))
    return tuple(map(int, np.unravel_index(worst, difference.shape)))


def unlike(value, other):
    """Two numbers as text, with as many digits as it takes to see that they differ.

    >>> unlike(1.0, 2.0), unlike(1.5, 1.5000004)
    (('1', '2'), ('1.5', '1.5000004'))
    """
    for digits in (3, 6, 10):
        shown = number(value, digits), number(other, digits)
        if shown[0] != shown[1]:
            break
    return shown


def given(arguments):
    """The arguments of a case in one line: the shapes of arrays, the values of everything else.

    >>> given({"dz": np.ones((2, 3)), "stride": (1, 2)})
    'dz (2, 3), stride (1, 2)'
    """
    widths = {name: 300 if isinstance(value, Node) else 100 for name, value in arguments.items()}
    return ", ".join(
        f"{name} {plain(brief(value), widths[name])}" for name, value in arguments.items()
    )


def plain(text, width=300):
    """Somebody else's text in one line, shortened, without characters that no page can show.

    >>> plain("two\\nlines"), plain("a long one", width=6)
    ('two lines', 'a long…')
    """
    text = str(text)[: 4 * width]
    shown = "".join(
        c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in " ".join(text.split())
    )
    return shown[:width] + "…" * (len(shown) > width)


def kind(value):
    """What a value is, in a few words.

    >>> kind(None), kind((1, 2)), kind(np.ones((2, 3), complex)), kind(np.int64(1))
    ('None', 'a tuple of 2', 'a complex128 array (2, 3)', 'an int64')
    """
    if value is None or value is ...:
        return str(value)
    if isinstance(value, np.ndarray):
        return with_article(f"{plain(value.dtype, 40)} array {value.shape}")
    count = f" of {len(value)}" if isinstance(value, list | tuple) else ""
    return with_article(plain(type(value).__name__, 40)) + count


def with_article(noun):
    """The noun behind a or an, as it is spoken.

    >>> with_article("int"), with_article("uint8 array"), with_article("OrderedDict")
    ('an int', 'a uint8 array', 'an OrderedDict')
    """
    spoken_with_a_vowel = noun[:1].lower() in "aeiou" and not noun.startswith(("uint", "un"))
    return f"{'an' if spoken_with_a_vowel else 'a'} {noun}"


def brief(value):
    """An array's shape, a number, a function's name, anything else about as Python writes it.

    >>> brief({"p": [("w", 2.0), ("x", -3.0)]})
    "{'p': [('w', 2), ('x', −3)]}"
    """
    if isinstance(value, np.ndarray):
        return f"{value.shape}" if value.ndim else number(float(value))
    if isinstance(value, list):
        return f"[{', '.join(map(brief, value))}]"
    if isinstance(value, tuple) and not all(isinstance(each, int) for each in value):
        return f"({', '.join(map(brief, value))})"
    if isinstance(value, Node):
        return made(value)
    if isinstance(value, Network):
        return f"a network of {len(value.layers)} layers"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key!r}: {brief(each)}" for key, each in value.items()) + "}"
    if isinstance(value, float):
        return number(value)
    return value.__name__ if callable(value) else f"{value!r}"


def made(last):
    """What a tape begins with, and how its nodes were made of one another: each is called n and
    its place.

    >>> a, b = Node(2.0), Node(np.ones((2, 3)))
    >>> made(a * b + a)
    'n3 of: n0 = 2, n1 (2, 3), n2 = n0·n1, n3 = n2 + n0'
    """
    places = {node: f"n{place}" for place, node in enumerate(in_order(last))}
    steps = (place + _step(node, places) for node, place in places.items())
    return f"{places[last]} of: {', '.join(steps)}"


def _step(node, places):
    if not node.parents:
        return f" {node.value.shape}" if node.value.ndim else f" = {number(float(node.value))}"
    sign = {"·": "·", "+": " + "}.get(node.name)
    parents = (sign or ", ").join(places[parent] for parent in node.parents)
    return f" = {parents}" if sign else f" = {node.name}({parents})"

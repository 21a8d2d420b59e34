"""What is behind an exception that many functions raise: a sentence beside Python's own."""

import re

from cnnbp.exercises.check.calling import described
from cnnbp.exercises.check.messages import say

# What an exception's text begins or continues with, and the key of what is said of it
PATTERNS = {
    r"truth value of an array": "ambiguous",
    r"'NoneType' object is not callable": "none called",
    r"NoneType": "none",
    r"only (length-1|0-dim\w*) arrays can be converted": "one number",
    r"ufunc 'bitwise_\w+' not supported|unsupported operand type\(s\) for [\^&|]": "operator",
    r"^KeyError": "key",
    r"only (integer|length-1|0-dim)|cannot be interpreted as an integer": "a number wanted",
    r"Cannot cast ufunc '\w+' output from .* to dtype\('u?int": "ints",
    r"could not broadcast input array from shape \((\d+,)*0?|operands could not be broadcast":
        "broadcast",
    r"not aligned|mismatch in its core dimension": "product",
    r"inhomogeneous shape": "ragged",
    r"array dimensions except for the concatenation axis|arrays at index 0|same number of dim":
        "joined",
    r"cannot reshape array of size": "reshape",
    r"out of bounds|index out of range": "bounds",
    r"too many indices|object is not subscriptable|invalid index to scalar": "indices",
    r"[Dd]ivision by zero|float modulo|divide by zero": "zero",
    r"(operand|multiply sequence).*'(tuple|list)'|'tuple' and|and 'tuple'": "pair",
    r"has no attribute": "attribute",
    r"is not defined|cannot access local variable|referenced before assignment": "name",
    r"read-only": "read-only",
    r"doesn't match the broadcast shape": "in place",
    r"zero-size array to reduction": "empty",
    r"maximum recursion depth": "recursion",
    r"einstein sum|einsum": "einsum",
    r"axis \d+ is out of bounds": "axis",
}  # fmt: skip


def error_hint(error):
    """What to look for after such an exception, or None.

    >>> error_hint(ZeroDivisionError("float division by zero"))
    'Something is divided by 0: think of the case in which everything is 0.'
    """
    text = described(error)
    found = (key for pattern, key in PATTERNS.items() if re.search(pattern, text))
    key = next(found, None)
    return key and say(f"error.{key}")

"""Patterns for what is typed: a number in any of its spellings, a shape with or without brackets.

They are regular expressions that Python and a browser's `pattern` (with its v flag) read alike.
"""

from cnnbp.questions.question import ends_after

MINUS = r"[\-−–]\s*"
LARGEST_DENOMINATOR = 64


def number_pattern(value):
    r"""The spellings of a Fraction: 0.25, .25, 0,25, 1/4, 2/8; −2 and -2; 0.33 for a third.

    >>> import re
    >>> from fractions import Fraction
    >>> accepts = lambda value, text: bool(re.fullmatch(number_pattern(value), text))
    >>> [accepts(Fraction(1, 4), text) for text in ("0.25", " .250", "1/4", "2 / 8", "0,25")]
    [True, True, True, True, True]
    >>> [accepts(Fraction(1, 4), text) for text in ("25", "-0.25", "0.255", "", "1/2", "0.2")]
    [False, False, False, False, False, False]
    """
    if value == 0:
        return rf"\s*(?:{MINUS}|\+\s*)?0+(?:[.,]0*)?\s*"
    sign = MINUS if value < 0 else r"(?:\+\s*)?"
    value = abs(value)
    return rf"\s*{sign}(?:{'|'.join([*_decimals(value), *_fractions(value)])})\s*"


def _decimals(value):
    digits = ends_after(value)
    if digits == 0:
        return [rf"0*{value}(?:[.,]0*)?"]
    if digits is not None:
        return [_decimal(f"{float(value):.{digits}f}") + "0*"]
    rounded = {f"{float(value):.{n}f}" for n in range(2, 7)}
    cut = {f"{int(value * 10**n) / 10**n:.{n}f}" for n in range(2, 7)}
    return [_decimal(text) for text in sorted(rounded | cut)]


def _decimal(text):
    whole, after = text.split(".")
    return rf"0*{whole if int(whole) else ''}[.,]{after}"


def _fractions(value):
    n, d = value.numerator, value.denominator
    times = [k for k in (1, 2, 3, 4, 5, 6, 8, 16, 32) if k == 1 or k * d <= LARGEST_DENOMINATOR]
    return [rf"{k * n}\s*/\s*{k * d}" for k in times]


def shape_pattern(shape):
    r"""The spellings of a shape: (10, 2), 10,2, [10 2], 10 × 2.

    >>> import re
    >>> accepts = lambda shape, text: bool(re.fullmatch(shape_pattern(shape), text))
    >>> [accepts((10, 2), text) for text in ("(10, 2)", "10,2", " 10 × 2 ", "10 x 2", "[10 2]")]
    [True, True, True, True, True]
    >>> [accepts((10, 2), text) for text in ("(2, 10)", "102", "(10, 2, 1)", "10", "")]
    [False, False, False, False, False]
    """
    entries = r"(?:\s*(?:,|×|x|\*)\s*|\s+)".join(map(str, shape))
    return rf"\s*(?:\(|\[)?\s*{entries}\s*,?\s*(?:\)|\])?\s*"

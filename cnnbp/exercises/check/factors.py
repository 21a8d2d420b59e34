"""A result that is the right one times something: which quantity that is."""

import functools

import numpy as np

from cnnbp.exercises.check.messages import MESSAGES
from cnnbp.exercises.check.mistakes import Mistake
from cnnbp.exercises.check.results import agree
from cnnbp.exercises.check.saying import unlike


def value_of(factor, sizes):
    """The number that "−1", "N", "1/OH·OW" or "−1/N" stands for in a case.

    >>> value_of("−1/N", {"N": 4})
    -0.25
    """
    head, _, divisor = factor.removeprefix("−").partition("/")
    top, bottom = (float(sizes.get(name) or name or 1) for name in (head, divisor))
    return (-1 if factor.startswith("−") else 1) * top / bottom


def factors(triples):
    """What the first of two arrays is a multiple of the second by: every reading that fits all.

    triples  (yours, reference, sizes of the case), at least one
    returns  such as ["1/N"]; ["−1"]; ["3"]; [] if there is none

    >>> one, two = np.ones(3), np.arange(3)
    >>> factors([(one, 2 * one, {"N": 2}), (two, 4 * two, {"N": 4})])
    ['1/N']
    """
    found = []
    for yours, reference, sizes in triples:
        square = np.vdot(reference, reference)
        if not np.isfinite(yours).all() or not np.isfinite(square):
            return []
        if square == 0:
            if yours.any():
                return []
            continue
        factor = np.vdot(yours, reference) / square
        if factor == 0 or not agree(yours, factor * reference):
            return []
        found.append((factor, sizes))
    return _readings(found) if found else []


def _readings(found):
    """The quantities that a factor is in every case: [(factor, sizes), ...]."""
    numbers = np.array([factor for factor, _ in found])
    if np.allclose(numbers, 1, rtol=1e-9):
        return []
    if np.allclose(numbers, -1, rtol=1e-9):
        return ["−1"]
    if np.allclose(numbers, numbers[0], rtol=1e-9) and len(numbers) > 1:
        return ["1/2" if abs(numbers[0] - 0.5) < 1e-9 else unlike(numbers[0], 1.0)[0]]
    readings = []
    for name in found[0][1]:
        for reading in (name, f"1/{name}", f"−{name}", f"−1/{name}"):
            if all(name in sizes for _, sizes in found):
                values = [value_of(reading, sizes) for _, sizes in found]
                if np.allclose(numbers, values, rtol=1e-9):
                    readings.append(reading)
    return readings


@functools.lru_cache(maxsize=256)
def unnamed_factor(reading):
    """The Mistake that is said of a factor which a task has no name for."""
    key = "factor.divided" if reading.startswith(("1/", "−1/")) else "factor.times"
    said = MESSAGES[key].replace("{factor}", reading.replace("1/", ""))
    return Mistake(None, f"factor {reading}", said, "", ())

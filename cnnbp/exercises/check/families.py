"""Whole families of mistakes, recognized where no catalogued one fits.

A family looks at every wrong case of one part of the result and gives its sentence only if it
explains all of them.
"""

import itertools
from dataclasses import dataclass

import numpy as np

from cnnbp.exercises.check.messages import say
from cnnbp.exercises.check.recognizing import Case
from cnnbp.exercises.check.results import agree
from cnnbp.exercises.check.saying import unlike
from cnnbp.exercises.check.shapes import symbolic


@dataclass
class Wrong:
    """One case in which a part of the result is not what it should be.

    name             of the part
    symbols          of its axes, as they are declared
    yours, expected  arrays
    case             recognizing.Case
    """

    name: str
    symbols: tuple
    yours: np.ndarray
    expected: np.ndarray
    case: Case


def shape_family(wrong):
    """Which shape mistake it is, or None."""
    yours, expected = wrong.yours.shape, wrong.expected.shape
    missing = _left_out(wrong)
    argument = [k for k, v in wrong.case.arguments.items() if getattr(v, "shape", None) == yours]
    if not yours:
        return say("shape.scalar")
    if [n for n in yours if n > 1] == [n for n in expected if n > 1]:
        return say("shape.ones")
    if sorted(yours) == sorted(expected):
        return say("shape.reordered", symbols=symbolic(wrong.symbols))
    if missing:
        return say("shape.summed", missing=", ".join(missing), count=len(missing))
    if wrong.yours.size == wrong.expected.size:
        return say("shape.reshaped")
    if argument:
        return say("shape.argument", argument=argument[0])
    if len(yours) == len(expected) == 4 and yours[:2] == expected[:2]:
        return _image_size(wrong)
    return None


def _left_out(wrong):
    """The symbols of the axes that were summed over, if leaving them out explains the shape."""
    shape, found = wrong.expected.shape, []
    for count in range(1, len(shape)):
        for axes in itertools.combinations(range(len(shape)), count):
            if np.delete(shape, axes).tolist() == list(wrong.yours.shape):
                found.append(axes)
    if not found:
        return []
    summed = [axes for axes in found if agree(wrong.yours, wrong.expected.sum(axis=axes))]
    return [wrong.symbols[axis] for axis in (summed or found)[0]]


def _image_size(wrong):
    off = np.subtract(wrong.yours.shape[2:], wrong.expected.shape[2:])
    padding = np.array(wrong.case.arguments.get("padding", (0, 0)))
    if padding.any() and np.array_equal(off, 2 * padding):
        return say("shape.padding")
    return say("shape.image", rows=f"{off[0]:+d}", columns=f"{off[1]:+d}")


def value_family(cases):
    """The sentence of the first family that explains every one of the wrong cases, or None."""
    if not all(np.isfinite(case.yours).all() for case in cases):
        return None
    ranks = {case.expected.ndim for case in cases}
    families = OF_CELLS if len(ranks) > 1 or 0 in ranks else OF_AXES
    return next(filter(None, (family(cases) for family in families)), None)


def _zeros(cases):
    if not any(case.yours.any() for case in cases):
        return say("family.zeros", name=cases[0].name)
    return None


def _factor(cases):
    """Times a constant in each case: and which quantity that is in all of them."""
    if not all(case.expected.any() for case in cases):
        return None
    factors = [np.vdot(c.yours, c.expected) / np.vdot(c.expected, c.expected) for c in cases]
    if not all(agree(c.yours, k * c.expected) for c, k in zip(cases, factors, strict=True)):
        return None
    name = cases[0].name
    if np.allclose(factors, -1):
        return say("family.sign", name=name)
    for quantity in cases[0].case.sizes:
        sizes = np.array([each.case.sizes[quantity] for each in cases], float)
        for sign, shown in ((1, quantity), (-1, f"−{quantity}")):
            if np.allclose(factors, sign * sizes):
                return say("family.factor", name=name, quantity=shown)
            if np.allclose(factors, sign / sizes):
                return say("family.divided", name=name, quantity=shown)
    if np.allclose(factors, factors[0]):
        return say("family.constant", name=name, factor=unlike(factors[0], 1.0)[0])
    return None


def _transposed(cases):
    ndim = cases[0].expected.ndim
    for order in itertools.permutations(range(ndim)):
        if all(agree(case.yours, case.expected.transpose(order)) for case in cases):
            symbols = symbolic([cases[0].symbols[axis] for axis in order])
            return say("family.transposed", name=cases[0].name, order=symbols)
    return None


def _reversed(cases):
    ndim = cases[0].expected.ndim
    for count in range(1, ndim + 1):
        for axes in itertools.combinations(range(ndim), count):
            if all(agree(case.yours, np.flip(case.expected, axes)) for case in cases):
                named = " and ".join(cases[0].symbols[axis] for axis in axes)
                return say("family.reversed", name=cases[0].name, axes=named)
    return None


def _shifted(cases):
    """Rows and columns moved by up to two, perhaps farther in one case than in another."""
    if cases[0].expected.ndim < 2:
        return None
    if not all(_shift(case.yours, case.expected) for case in cases):
        return None
    rows, columns = (f"{n:+d}" for n in _shift(cases[0].yours, cases[0].expected))
    return say("family.shifted", name=cases[0].name, rows=rows, columns=columns)


def _shift(yours, expected):
    """The shortest (rows, columns) by which the numbers were moved, or None."""
    moves = sorted(itertools.product(range(-2, 3), repeat=2), key=lambda move: np.abs(move).sum())
    for move in moves[1:]:
        rows, columns = map(_overlap, expected.shape[-2:], move)
        moved, original = yours[..., rows[0], columns[0]], expected[..., rows[1], columns[1]]
        if original.size > yours.size / 4 and original.any() and agree(moved, original):
            return move
    return None


def _overlap(size, move):
    """Where the cells that stay inside lie after the move, and where they came from."""
    return (
        slice(max(0, move), size + min(0, move)),
        slice(max(0, -move), size - max(0, move)),
    )


def _border(cases):
    if cases[0].expected.ndim < 2:
        return None
    inner = [_right_cells(case)[..., 1:-1, 1:-1] for case in cases]
    if all(cells.all() for cells in inner) and any(cells.size for cells in inner):
        return say("family.border", name=cases[0].name)
    return None


def _only_one(cases):
    """One sample's, or one filter's, contribution in place of the sum of all."""
    name = cases[0].name
    for axis, index in cases[0].case.contributions:
        alone = (each.case.contributions[axis, index][name] for each in cases)
        if all(agree(each.yours, part) for each, part in zip(cases, alone, strict=True)):
            which = say(f"only.{axis}", place=say("only.last" if index else "only.first"))
            return say("family.only one", name=name, which=which)
    return None


def _slice(cases):
    """Right at some indices of one axis, wrong at all others, in every case."""
    for axis, symbol in enumerate(cases[0].symbols):
        if symbol == "1":
            continue
        found = []
        for case in cases:
            others = tuple(i for i in range(case.expected.ndim) if i != axis)
            found.append(np.flatnonzero(_right_cells(case).all(axis=others)).tolist())
        if found[0] and all(indices == found[0] for indices in found):
            indices = ", ".join(map(str, found[0]))
            return say("family.slice", name=cases[0].name, indices=indices, axis=symbol)
    return None


def _right_cells(case):
    scale = np.abs(case.expected).max()
    return np.isclose(case.yours, case.expected, rtol=0, atol=1e-9 * scale)


def _whole(cases):
    for case in cases:
        cut = (np.trunc(case.expected), np.floor(case.expected))
        if not any(agree(case.yours, whole) for whole in cut):
            return None
    return say("family.whole", name=cases[0].name)


def _digits(cases):
    close = (np.allclose(c.yours, c.expected, 1e-3, 1e-3 * np.abs(c.expected).max()) for c in cases)
    return say("family.digits", name=cases[0].name) if all(close) else None


def _rearranged(cases):
    in_order = (agree(np.sort(c.yours, None), np.sort(c.expected, None)) for c in cases)
    return say("family.rearranged", name=cases[0].name) if all(in_order) else None


OF_CELLS = (_zeros, _factor, _whole, _digits, _rearranged)
OF_AXES = (
    _zeros,
    _factor,
    _transposed,
    _reversed,
    _only_one,
    _shifted,
    _border,
    _slice,
    _whole,
    _digits,
    _rearranged,
)

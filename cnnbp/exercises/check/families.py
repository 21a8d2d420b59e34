"""Whole families of mistakes, recognized where no catalogued one fits.

A family looks at every wrong case of one part of the result and gives its sentence only if it
explains all of them.
"""

import itertools
from dataclasses import dataclass

import numpy as np

from cnnbp.exercises.check.factors import factors
from cnnbp.exercises.check.messages import say
from cnnbp.exercises.check.recognizing import Case
from cnnbp.exercises.check.results import agree
from cnnbp.exercises.check.shapes import symbolic

MOST_CELLS = 10**5  # a larger array is no answer

# The families that say which mistake it is: the sentence's key, and what a verdict calls it
NAMED = {
    "line.returned": "return_inside_the_loop",
    "type.place.order": "results_in_another_order",
    "changed.network": "weights_not_put_back",
    "order.names": "arguments_in_another_order",
    "shape.scalar": "summed_over_everything",
    "shape.empty": "empty_slice",
    "shape.reordered": "axes_in_another_order",
    "shape.ones": "axes_of_length_one",
    "shape.more": "axes_of_length_one",
    "shape.not summed": "axis_not_summed",
    "shape.summed": "axis_summed",
    "shape.padding": "padding_not_cropped",
    "shape.joined": "arrays_joined",
    "family.zeros": "all_zeros",
    "family.sign": "sign_changed",
    "family.factor": "factor_too_many",
    "family.divided": "factor_missing",
    "family.constant": "factor_too_many",
    "family.transposed": "axes_in_another_order",
    "family.reversed": "reversed",
    "family.shifted": "shifted",
    "family.constant result": "arguments_unused",
    "family.only one": "one_contribution_only",
    "family.only one filled": "one_filled_only",
    "family.slice": "one_filled_only",
    "family.whole": "cut_to_whole_numbers",
    "family.digits": "digits_lost",
}


def names_of(sentences):
    """What a verdict calls the families that these sentences speak of, each once."""
    keys = (getattr(said, "key", "") for said in sentences)
    return tuple(dict.fromkeys(NAMED[key] for key in keys if key in NAMED))


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


def shape_family(wrong, others=()):
    """Which shape mistake it is, or None; others are the cases with a wrong shape.

    That only axes of length 1 differ is said if it is so in all of them.
    """
    said = _shape_family(wrong)
    if said and said.key in ("shape.ones", "shape.more"):
        every = [_shape_family(other) for other in others]
        return next((other for other in every if not other or other.key != said.key), said)
    return said


def _shape_family(wrong):
    yours, expected = wrong.yours.shape, wrong.expected.shape
    argument = [k for k, v in wrong.case.arguments.items() if getattr(v, "shape", None) == yours]
    if not yours:
        return say("shape.scalar")
    if not wrong.yours.size:
        return say("shape.empty")
    if sorted(yours) == sorted(expected):
        return say("shape.reordered", symbols=symbolic(wrong.symbols))
    if [n for n in yours if n > 1] == [n for n in expected if n > 1]:
        more = len(yours) - len(expected)
        return say("shape.more", count=more) if more > 0 else say("shape.ones")
    if missing := _left_out(wrong):
        return say("shape.summed", missing=", ".join(missing), count=len(missing))
    if axes := _not_summed(wrong):
        return say("shape.not summed", count=len(axes), axes=" and ".join(map(str, axes)))
    if wrong.yours.size == wrong.expected.size:
        return say("shape.reshaped")
    if (more := len(yours) - len(expected)) > 0:
        return say("shape.too many", count=more)
    if argument:
        return say("shape.argument", argument=argument[0])
    if len(yours) == len(expected) == 4 and yours[:2] == expected[:2]:
        return _image_size(wrong)
    return _joined(wrong)


def _left_out(wrong):
    """The symbols of the axes that were summed over, if leaving them out explains the shape."""
    shape, found = wrong.expected.shape, []
    if wrong.yours.ndim == len(shape):
        kept = tuple(axis for axis, n in enumerate(shape) if wrong.yours.shape[axis] == 1 != n)
        summed = kept and agree(wrong.yours, wrong.expected.sum(axis=kept, keepdims=True))
        return [wrong.symbols[axis] for axis in kept] if summed else []
    for count in range(1, len(shape)):
        for axes in itertools.combinations(range(len(shape)), count):
            if np.delete(shape, axes).tolist() == list(wrong.yours.shape):
                found.append(axes)
    if not found:
        return []
    summed = [axes for axes in found if agree(wrong.yours, wrong.expected.sum(axis=axes))]
    return [wrong.symbols[axis] for axis in (summed or found)[0]]


def _not_summed(wrong):
    """The axes of yours that are to be summed over, if that gives the right numbers; or None."""
    count = wrong.yours.ndim - wrong.expected.ndim
    if count < 1:
        return None
    every = itertools.combinations(range(wrong.yours.ndim), count)
    return next((axes for axes in every if agree(wrong.yours.sum(axis=axes), wrong.expected)), None)


def _joined(wrong):
    """The sentence of an array that is several times as long along one axis, or None."""
    if wrong.yours.ndim != wrong.expected.ndim:
        return None
    times = [n / max(1, m) for n, m in zip(wrong.yours.shape, wrong.expected.shape, strict=True)]
    longer = [ratio for ratio in times if ratio != 1]
    if len(longer) == 1 and longer[0] > 1 and longer[0].is_integer():
        return say("shape.joined", count=int(longer[0]))
    return None


def _image_size(wrong):
    off = np.subtract(wrong.yours.shape[2:], wrong.expected.shape[2:])
    if wrong.symbols[2:] == ("OH", "OW"):
        return say("shape.windows", rows=f"{off[0]:+d}", columns=f"{off[1]:+d}")
    if wrong.symbols[2:] != ("H", "W"):
        return None
    padding = np.array(wrong.case.arguments.get("padding", (0, 0)))
    if padding.any() and np.array_equal(off, 2 * padding):
        return say("shape.padding")
    return say("shape.image", rows=f"{off[0]:+d}", columns=f"{off[1]:+d}")


def constant_family(cases):
    """The sentence of a function that returns the same in every case, or None."""
    first = cases[0].yours
    if first.size > MOST_CELLS:
        return None
    same = all(np.array_equal(case.yours, first) for case in cases)
    asked = [case for case in cases if not np.array_equal(case.expected, cases[0].expected)]
    return say("family.constant result") if same and len(asked) > 1 and first.any() else None


def value_family(cases):
    """The sentence of the first family that explains every case, or None.

    A random case has to be wrong: the tiny one has few numbers. Cases of another shape are told
    of elsewhere; a family speaks of those that have the right one.
    """
    cases = [case for case in cases if case.yours.shape == case.expected.shape]
    wrong = [case for case in cases if not agree(case.yours, case.expected)]
    if not all(np.isfinite(case.yours).all() for case in cases):
        return None
    if not any(case.case.number for case in wrong):
        return None
    ranks = {case.expected.ndim for case in cases}
    families = OF_CELLS if len(ranks) > 1 or 0 in ranks else OF_AXES
    return next(filter(None, (family(cases) for family in families)), None)


def _zeros(cases):
    if not any(case.yours.any() for case in cases):
        return say("family.zeros", name=cases[0].name)
    return None


def _factor(cases):
    """Times a quantity in every case."""
    triples = [(case.yours, case.expected, case.case.sizes) for case in cases]
    readings = factors(triples)
    if not readings:
        return None
    name, reading = cases[0].name, readings[0]
    if reading == "−1":
        return say("family.sign", name=name)
    divided = [each.replace("1/", "") for each in readings if "1/" in each]
    if divided and reading != "1/2":
        return say("family.divided", name=name, quantity=say("explained.or").join(divided))
    if reading[-1].isdigit():
        return say("family.constant", name=name, factor=reading)
    return say("family.factor", name=name, quantity=say("explained.or").join(readings))


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
    if not _has_windows(cases[0]):
        return None
    cases = [case for case in cases if not agree(case.yours, case.expected)]
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
    if not _has_windows(cases[0]):
        return None
    inner = [tuple(cells[..., 1:-1, 1:-1] for cells in _cells(case)) for case in cases]
    if all(right.all() for right, _ in inner) and any(telling.any() for _, telling in inner):
        return say("family.border", name=cases[0].name)
    return None


def _has_windows(case):
    """Whether a part is an image that windows read or wrote."""
    return case.symbols[-2:] in (("H", "W"), ("OH", "OW")) and "stride" in case.case.arguments


def _only_one(cases):
    """One sample's, or one filter's, contribution in place of the sum of all."""
    name = cases[0].name
    for axis, index in cases[0].case.contributions:
        alone = (each.case.contributions[axis, index][name] for each in cases)
        if all(agree(each.yours, part) for each, part in zip(cases, alone, strict=True)):
            which = say(f"only.{axis}", place=say("only.last" if index else "only.first"))
            kept = axis in cases[0].symbols
            return say(
                "family.only one filled" if kept else "family.only one", name=name, which=which
            )
    return None


def _slice(cases):
    """Right at some indices of one axis, wrong at all others, in every wrong case."""
    for axis, symbol in enumerate(cases[0].symbols):
        found = _from_one_end([_right_indices(case, axis) for case in cases], axis, cases)
        lengths = {case.expected.shape[axis] for case in cases}
        wrong = [
            right
            for right, case in zip(found, cases, strict=True)
            if len(right) < case.expected.shape[axis]
        ]
        whole = (
            all(
                right == wrong[0] or case.expected.shape[axis] == len(right) <= len(wrong[0])
                for right, case in zip(found, cases, strict=True)
            )
            if wrong
            else False
        )
        if whole and wrong[0] and len(wrong) > 1 and max(lengths) > 1:
            indices = ", ".join(map(str, wrong[0]))
            return say("family.slice", name=cases[0].name, indices=indices, axis=symbol)
    return None


def _from_one_end(found, axis, cases):
    """Indices of every case counted from the end, as −1, if each of them has the last one."""
    sizes = [case.expected.shape[axis] for case in cases]
    if all(n - 1 in right for right, n in zip(found, sizes, strict=True)):
        return [[i - n for i in right] for right, n in zip(found, sizes, strict=True)]
    return found


def _right_indices(case, axis):
    """Where along an axis all cells are right, and one of them is not just 0."""
    others = tuple(i for i in range(case.expected.ndim) if i != axis)
    right, telling = (cells for cells in _cells(case))
    return np.flatnonzero(right.all(axis=others) & telling.any(axis=others)).tolist()


def _cells(case):
    """Which cells are right, and which of these are not just 0 in both."""
    scale = np.abs(case.expected).max()
    right = np.isclose(case.yours, case.expected, rtol=0, atol=1e-9 * scale)
    return right, right & (case.expected != 0)


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

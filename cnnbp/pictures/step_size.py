"""The error of a numeric gradient against its step: too long bends, too short loses digits."""

from decimal import Decimal
from functools import lru_cache

import numpy as np

from cnnbp.gradcheck import numeric_gradient
from cnnbp.pictures.curves import DASHES, Frame, magnitude
from cnnbp.pictures.svg import Area, Block, Link, number, picture, text
from cnnbp.shape import complaint

LEFT, TOP, WIDTH, HEIGHT = 64, 100, 360, 260  # pixels, of the frame: it fits a phone
POWERS = np.arange(-15, 0.01, 0.25)  # of ten, the steps that the curves are drawn through
LOWEST, HIGHEST = 1e-13, 10.0  # errors that the frame has room for
CURVES = "#0f7b7b", "#8a4f9e"  # central and forward


def exp(x):
    """exp of a number, rounded to the nearest in its dtype.

    np.exp may miss it by a last bit, here one and there another, and these curves are made of last
    bits: on every machine they shall be the same.

    >>> exp(np.float32(1)), exp(1.0)
    (np.float32(2.7182817), np.float64(2.718281828459045))
    """
    return np.asarray(x).dtype.type(Decimal(float(x)).exp())


# name: what it is called, f, where, its slope there, and its third derivative there
FUNCTIONS = {
    "smooth": ("exp(x) at x = 1", exp, 1.0, np.e, np.e),
    "kink": ("|x| at x = 1/16", np.abs, 1 / 16, 1.0, 0.0),
}
DTYPES = {"float64": np.float64, "float32": np.float32}


def draw_step_size(function="smooth", step=1e-5, dtype="float64"):
    """Which step makes a numeric gradient best? The error of the slope against the step.

    function  "smooth", exp at 1, or "kink", |x| at 1/16, whose kink at 0 is 1/16 away
    step      float from 1e-15 to 1, the one that is marked
    dtype     "float64" or "float32", in which f is computed
    returns   Svg; both axes are logarithmic

    Raises ValueError for another function, dtype or step.

    >>> draw_step_size(step=1e-2).description
    'The error of a numeric gradient against its step. exp(x) at x = 1, float64, step 0.01: the \
central difference says 2.718327133, wrong by 4.5e−5'
    """
    for name, chosen, known in (("function", function, FUNCTIONS), ("dtype", dtype, DTYPES)):
        if chosen not in known:
            raise complaint(ValueError, f"{name} must be one of {', '.join(known)}, not {chosen!r}")
    if not 1e-15 <= step <= 1:
        raise complaint(ValueError, f"step must be from 1e-15 to 1, not {step!r}")
    frame = _frame()
    links = [*_bands(function, dtype), _link(frame, function, float(step), dtype)]
    drawing = [_legend(rank) for rank in range(2)]
    drawing.append(frame.svg(f"error of the slope of {FUNCTIONS[function][0]}, {dtype}"))
    drawing.append(text(LEFT + WIDTH, TOP + HEIGHT + 34, "step h = 10 to this", "quiet", "end"))
    for rank, curve in reversed(list(enumerate(zip(*_errors(function, dtype), strict=True)))):
        points = np.maximum(curve, LOWEST)
        drawing.append(frame.line(POWERS, points, CURVES[rank], bool(rank)))
    description = f"The error of a numeric gradient against its step. {links[-1].lines[0]}"
    size = LEFT + WIDTH + 10, TOP + HEIGHT + 40
    return picture(
        description,
        [Block([], "".join(drawing), size, start=(12, 28))],
        links,
        title="Which step makes a numeric gradient best?",
        chosen=len(links) - 1,
    )


def slopes(function, step, dtype):
    """The central and the forward difference of one of FUNCTIONS.

    In float64 the central one is numeric_gradient; in float32, where that would refuse a step that
    is lost in rounding, it is the bare formula.

    >>> central, forward = slopes("smooth", 1e-2, "float64")
    >>> round(central - np.e, 6), round(forward - np.e, 4)
    (4.5e-05, 0.0136)
    """
    _, f, x, _, _ = FUNCTIONS[function]
    in_dtype = lambda at: float(f(DTYPES[dtype](at)))  # noqa: E731
    forward = (in_dtype(x + step) - in_dtype(x)) / step
    if dtype == "float64":
        return float(numeric_gradient(f, x, step=step)), forward
    return (in_dtype(x + step) - in_dtype(x - step)) / (2 * step), forward


@lru_cache(maxsize=len(FUNCTIONS) * len(DTYPES))
def _errors(function, dtype):
    """(central, forward) errors at all steps."""
    right = FUNCTIONS[function][3]
    measured = [slopes(function, 10.0**power, dtype) for power in POWERS]
    return [tuple(abs(slope - right) for slope in both) for both in measured]


def _frame():
    return Frame(LEFT, TOP, WIDTH, HEIGHT, (-15, 0), (LOWEST, HIGHEST), log=True)


@lru_cache(maxsize=len(FUNCTIONS) * len(DTYPES))
def _bands(function, dtype):
    """A link for each of the steps that the curves are drawn through."""
    return [_link(_frame(), function, 10.0**power, dtype, wide=0.25) for power in POWERS]


def _legend(rank):
    """A curve's formula beside its line."""
    formula = ("central, (f(x + h) − f(x − h)) / 2h", "forward, (f(x + h) − f(x)) / h")[rank]
    y = 42 + 18 * rank
    dash = f' stroke-dasharray="{DASHES}"' * rank
    line = f'<path d="M12 {y - 4}h30" stroke="{CURVES[rank]}" stroke-width="2"{dash}/>'
    return line + text(50, y, formula)


def _link(frame, function, step, dtype, wide=None):
    """What a step says: its slope and error, and what they are made of; a line and a dot."""
    power, (central, _) = np.log10(step), slopes(function, step, dtype)
    error = abs(central - FUNCTIONS[function][3])
    x, y = frame.at(power, max(error, LOWEST))
    mark = f'<path class="arrow" d="M{x:.1f} {TOP}v{HEIGHT}"/>'
    mark += f'<circle cx="{x:.1f}" cy="{y:.1f}" r="5" fill="{CURVES[0]}" stroke="currentColor"/>'
    lines = [
        f"{FUNCTIONS[function][0]}, {dtype}, step {magnitude(step)}: the central difference says "
        f"{number(central, 10)}, wrong by {number(error) if error else '0'}",
        *_reasons(function, step, dtype),
    ]
    handles = []
    if wide:
        width = wide / 15 * WIDTH
        left, right = max(x - width / 2, LEFT), min(x + width / 2, LEFT + WIDTH)
        handles = [(Area(left, TOP, right - left, HEIGHT), None)]
    return Link(lines, handles=handles, extra=mark)


def _reasons(function, step, dtype):
    """The two errors that pull in opposite directions, and where they are equal."""
    _, f, x, _, third = FUNCTIONS[function]
    grain = float(np.finfo(DTYPES[dtype]).eps)
    rounding = f"the rounding of f, about ε·f/h = {magnitude(grain * float(f(x)) / step)}"
    if function == "kink":
        across = step > x
        what = (
            "the step reaches across the kink at 0, so neither side's slope is measured"
            if across
            else "the step stays on one side of the kink, where |x| does not bend"
        )
        return [f"{what}; {rounding}"]
    return [
        f"made of the bend, about h²·f‴/6 = {magnitude(step**2 * third / 6)}, and {rounding}",
        f"both are about equal, and the error least, near h = ∛ε = {magnitude(grain ** (1 / 3))}",
    ]

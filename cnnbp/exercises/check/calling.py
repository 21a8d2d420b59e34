"""Call a learner's function: with copies, its printing caught, its exception kept.

A KeyboardInterrupt passes through: whoever presses stop wants everything to stop.
"""

import contextlib
import functools
import inspect
import io
import traceback
from dataclasses import dataclass

import numpy as np

from cnnbp.gradcheck import relative_error


@dataclass
class Attempt:
    """What one call did.

    returned   a copy, so that a buffer used for every call cannot change it later
    error      the exception, or None
    changed    names of the arguments that are different afterwards
    rounding   True if they differ by rounding only
    printed    what went to the standard output
    """

    returned: object = None
    error: BaseException | None = None
    changed: tuple = ()
    rounding: bool = False
    printed: str = ""


def attempt(f, arguments):
    """Call f with copies of the arguments (a dict, in order) and see what happens.

    >>> attempt(lambda x: print("hello") or x / 0, {"x": 1}).printed
    'hello\\n'
    """
    given = {name: copied(value) for name, value in arguments.items()}
    args, kwargs = way_to_call(f, given)
    caught = io.StringIO()
    result = Attempt()
    try:
        with contextlib.redirect_stdout(caught):
            result.returned = copied(f(*args, **kwargs))
    except (Exception, SystemExit) as error:  # exit() in a function must not end the kernel
        result.error = error
    result.printed = caught.getvalue()
    differing = [name for name in given if not _equal(arguments[name], given[name])]
    result.changed = tuple(differing)
    result.rounding = all(_nearly(arguments[name], given[name]) for name in differing)
    return result


def copied(value):
    """The same value in its own memory."""
    if isinstance(value, np.ndarray):
        return value.copy()
    if type(value) in (list, tuple):
        return type(value)(map(copied, value))
    return value


def way_to_call(f, arguments):
    """(args, kwargs) for f: by position, or by name if f has the same names in its own order.

    Raises TypeError if f takes neither.

    >>> way_to_call(lambda x, *, stride: 0, {"x": 1, "stride": 2})
    ((), {'x': 1, 'stride': 2})
    """
    positional = tuple(arguments.values()), {}
    try:
        signature = inspect.signature(f)
    except ValueError:  # some built-in functions have none
        return positional
    ways = [positional, ((), arguments)]
    if set(signature.parameters) == set(arguments):
        ways.reverse()
    for args, kwargs in ways:
        with contextlib.suppress(TypeError):
            signature.bind(*args, **kwargs)
            return args, kwargs
    raise TypeError(str(signature))


def is_the_packages(f):
    """True for a function, method or layer of cnnbp itself, or a partial of one."""
    while isinstance(f, functools.partial):
        f = f.func
    module = getattr(f, "__module__", None) or ""
    return module.split(".")[0] == "cnnbp" and not module.startswith("cnnbp.exercises")


def own_line(error):
    """(number, source) of the deepest line in the learner's own file or cell, or None."""
    frames = traceback.extract_tb(error.__traceback__)[1:]  # the first one is attempt's
    own = [frame for frame in frames if frame.filename == frames[0].filename]
    return (own[-1].lineno, own[-1].line) if own else None


def _equal(before, after):
    if isinstance(before, list):
        return len(before) == len(after) and all(map(_equal, before, after))
    if isinstance(before, np.ndarray):
        return np.array_equal(before, after, equal_nan=before.dtype.kind == "f")
    return True


def _nearly(before, after):
    if isinstance(before, list):
        return len(before) == len(after) and all(map(_nearly, before, after))
    return np.shape(before) == np.shape(after) and relative_error(before, after) < 1e-9

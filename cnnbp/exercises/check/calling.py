"""Call a learner's function: with copies, its printing caught, its exception kept.

Nothing that it does gets out, but for a KeyboardInterrupt: whoever presses stop wants everything
to stop.
"""

import contextlib
import copy
import inspect
import io
import sys
import traceback
import warnings
from dataclasses import dataclass
from types import TracebackType

import numpy as np

from cnnbp.exercises.check.handed_in import way_to_call
from cnnbp.exercises.check.saying import plain
from cnnbp.gradcheck import relative_error
from cnnbp.network import Network
from cnnbp.tape import Node, in_order

MOST_CELLS = 10**7  # a larger array is no answer, and is not copied
MOST_PRINTED = 10_000  # characters kept of what a function prints


@dataclass
class Attempt:
    """What one call did.

    returned   a copy, so that a buffer used for every call cannot change it later
    error      the exception, or None
    trace      where it was raised
    changed    names of the arguments that are different afterwards
    rounding   True if they differ by rounding only
    printed    what went to the standard output, the beginning of it
    """

    returned: object = None
    error: BaseException | None = None
    trace: TracebackType | None = None
    changed: tuple = ()
    rounding: bool = False
    printed: str = ""


class Caught(io.StringIO):
    """The beginning of what is printed; the rest is let go, so that none of it fills the memory.

    >>> caught = Caught()
    >>> _ = [print("x", file=caught) for _ in range(MOST_PRINTED)]
    >>> len(caught.getvalue()) == MOST_PRINTED
    True
    """

    def write(self, text):
        super().write(text[: max(0, MOST_PRINTED - self.tell())])
        return len(text)

    def close(self):
        """Not before its text has been read."""


@contextlib.contextmanager
def quiet():
    """No warning, and none as an error, whatever has been set: wrong numbers are said by a check,
    and what a right function passes on its way, as ∞ for a moment, is its own affair.
    """
    with np.errstate(all="ignore"), warnings.catch_warnings(action="ignore"):
        yield


def attempt(f, arguments):
    """Call f with copies of the arguments (a dict, in order) and see what happens.

    >>> attempt(lambda x: print("hello") or x / 0, {"x": 1}).printed
    'hello\\n'
    """
    given = {name: copied(value) for name, value in arguments.items()}
    args, kwargs = way_to_call(f, given) or (tuple(given.values()), {})
    caught = Caught()
    result = Attempt()
    try:
        with contextlib.redirect_stdout(caught), quiet():
            returned = f(*args, **kwargs)
            if inspect.iscoroutine(returned):
                returned.close()  # or Python warns that it was never awaited
            result.returned = copied(judged(returned, given))
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # exit() and whatever else must not end the kernel
        result.error, result.trace = error, sys.exc_info()[2]
    result.printed = caught.getvalue()
    with quiet():
        differing = [name for name in given if not _equal(arguments[name], given[name])]
        result.rounding = all(_nearly(arguments[name], given[name]) for name in differing)
    result.changed = tuple(differing)
    return result


def copied(value, depth=3):
    """The same value in its own memory: arrays, and the lists, tuples, sets and dicts of them; a
    tape with all that its nodes were made of, a network with its layers."""
    if isinstance(value, Node | Network):
        return copy.deepcopy(value)
    if isinstance(value, np.ndarray):
        return value.copy() if value.size <= MOST_CELLS else value
    if not depth:
        return value
    if isinstance(value, list | tuple):  # a named tuple is one, too
        return (list if isinstance(value, list) else tuple)(copied(v, depth - 1) for v in value)
    if isinstance(value, dict):
        return {key: copied(each, depth - 1) for key, each in value.items()}
    return set(value) if isinstance(value, set) else value


def judged(returned, given):
    """What a call is judged by: what it returned, or what it filled if that is nothing."""
    return filled(given) if returned is None else returned


def filled(given):
    """The gradients of the nodes of a tape that was given, by their place in it; None if there is
    not one, or no tape.

    >>> a = Node(3.0)
    >>> last = a * a
    >>> last.backward()
    >>> {place: float(gradient) for place, gradient in filled({"last": last}).items()}
    {0: 6.0, 1: 1.0}
    """
    tapes = [value for value in given.values() if isinstance(value, Node)]
    nodes = in_order(tapes[0]) if tapes else []
    if all(node.gradient is None for node in nodes):
        return None
    return {place: node.gradient for place, node in enumerate(nodes)}


def described(error):
    """An exception in one line, whatever its own text does.

    >>> described(ValueError("no\\nidea")), described(AssertionError())
    ('ValueError: no idea', 'AssertionError')
    """
    try:
        message = plain(str(error))
    except KeyboardInterrupt:
        raise
    except BaseException:
        message = ""
    return ": ".join(filter(None, [plain(type(error).__name__), message]))


def own_line(attempt):
    """(number, source) of the deepest line in the learner's own file or cell, or None."""
    frames = traceback.extract_tb(attempt.trace)[1:]  # the first one is attempt's
    own = [frame for frame in frames if frame.filename == frames[0].filename]
    return (own[-1].lineno, plain(own[-1].line)) if own and own[-1].line else None


def _equal(before, after):
    """Whether an argument is what it was; `after` may have become anything. A tape is there to be
    filled, and a network to be run: its parameters are its own."""
    if isinstance(before, Node):
        return True
    if type(before) is not type(after):
        return False
    if isinstance(before, Network):
        return _equal(dict(before.params), dict(after.params))
    if isinstance(before, np.ndarray):
        alike = (before.shape, before.dtype) == (after.shape, after.dtype)
        return alike and np.array_equal(before, after, equal_nan=before.dtype.kind == "f")
    if isinstance(before, list | tuple):
        return len(before) == len(after) and all(map(_equal, before, after))
    if isinstance(before, dict):
        return _equal(list(before.items()), list(after.items()))
    return before is after or before == after


def _nearly(before, after):
    if isinstance(before, Network) and isinstance(after, Network):
        before, after = list(before.params.values()), list(after.params.values())
    if isinstance(before, list) and isinstance(after, list):
        return len(before) == len(after) and all(map(_nearly, before, after))
    if not isinstance(before, np.ndarray) or type(before) is not type(after):
        return _equal(before, after)
    alike = (before.shape, before.dtype) == (after.shape, after.dtype)
    return alike and relative_error(before, after) < 1e-9

"""What a learner hands in: whether it can be called at all, how, whose it is and what it is called.

Anything may be handed in, so nothing here trusts it: a name may be missing, a signature may raise.
"""

import contextlib
import functools
import inspect

from cnnbp.exercises.check.messages import say
from cnnbp.exercises.check.saying import kind, plain

BY_POSITION = inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD
STARS = {inspect.Parameter.VAR_POSITIONAL: "*", inspect.Parameter.VAR_KEYWORD: "**"}


def refusal(task, f):
    """(stage, sentence) for what cannot be called with the task's arguments, or None.

    >>> from types import SimpleNamespace
    >>> refusal(SimpleNamespace(name="double"), 3)[1]
    "check takes a function but was given an int. Hand in the function's name, without brackets \
behind it: task.check(my_function)."
    """
    if not callable(f):
        return "not a function", say("not a function", given=kind(f))
    if is_the_packages(f):
        said = say("the package's function", function=name_of(f), task=task.name)
        return "the package's function", said
    if isinstance(f, type):
        return "not a function", say("a class", name=name_of(f))
    if not way_to_call(f, dict.fromkeys(task.parameters)):
        return "raised", _other_parameters(task, f)
    return None


def _other_parameters(task, f):
    """What to say of a function that does not take the task's arguments."""
    taken, wanted = parameters_of(f), task.parameters
    if taken and taken[0] == "self" and len(taken) == len(wanted) + 1:
        return say("a method", name=plain(getattr(f, "__qualname__", "")) or name_of(f))
    return say("signature", yours=f"({', '.join(taken)})", expected=f"({', '.join(wanted)})")


def way_to_call(f, arguments):
    """(args, kwargs) for f: by name if f has all the names, else by position; None if neither.

    >>> way_to_call(lambda x, *, stride: 0, {"x": 1, "stride": 2})
    ((), {'x': 1, 'stride': 2})
    >>> way_to_call(lambda a, b: 0, {"x": 1, "stride": 2})
    ((1, 2), {})
    >>> way_to_call(lambda a: 0, {"x": 1, "stride": 2})
    """
    signatures = _signatures(f)
    ways = [(tuple(arguments.values()), {}), ((), dict(arguments))]
    if signatures and set(arguments) <= set(signatures[0].parameters):
        ways.reverse()
    return next((way for way in ways if all(_binds(each, *way) for each in signatures)), None)


def parameters_of(f):
    """The names of what f takes, in order, with their stars; [] where nobody knows.

    >>> parameters_of(lambda dz, x=1, *more: 0)
    ['dz', 'x', '*more']
    """
    return [
        STARS.get(parameter.kind, "") + name
        for signature in _signatures(f)[:1]
        for name, parameter in signature.parameters.items()
    ]


def by_position(f):
    """The names of the parameters that f can be given by position, in order.

    >>> by_position(lambda dz, x, *, slope=0: 0)
    ['dz', 'x']
    """
    return [
        name
        for signature in _signatures(f)[:1]
        for name, parameter in signature.parameters.items()
        if parameter.kind in BY_POSITION
    ]


def _signatures(f):
    """What f says that it takes, and what its wrapper takes; [] if it does not say.

    A check asks it for every case, and for every order of the arguments that it tries.
    """
    global _latest
    asked, said = _latest
    if asked is not f:
        said = _said(f)
        _latest = f, said
    return said


_latest = None, []  # who was asked last, and its signatures


def _said(f):
    try:  # some built-in functions have none, and an object may say anything
        return [inspect.signature(f), inspect.signature(f, follow_wrapped=False)]
    except Exception:
        return []


def _binds(signature, args, kwargs):
    with contextlib.suppress(TypeError):
        signature.bind(*args, **kwargs)
        return True
    return False


def name_of(f):
    """A function's own name; "my_function" for whatever has none.

    >>> name_of(name_of), name_of(lambda x: x)
    ('name_of', 'my_function')
    """
    try:
        name = getattr(_innermost(f), "__name__", "")
    except Exception:  # an object may raise whatever it is asked
        name = ""
    return name if isinstance(name, str) and name.isidentifier() else "my_function"


def is_the_packages(f):
    """True for a function, method or layer of cnnbp itself, or a partial of one.

    A function of the learner's that calls the package is the learner's, even if functools.wraps
    has given it the name of what it calls.
    """
    f = _innermost(f)
    if inspect.isfunction(f):
        module = f.__globals__.get("__name__", "")
    else:
        module = (f if isinstance(f, type) else type(f)).__module__
    return str(module).split(".")[0] == "cnnbp" and not str(module).startswith("cnnbp.exercises")


def _innermost(f):
    """The function in a partial, a bound method, or a cache made of it."""
    for _ in range(10):
        if isinstance(f, functools.partial):
            f = f.func
        elif inspect.ismethod(f):
            f = f.__func__
        elif isinstance(f, functools._lru_cache_wrapper):
            f = f.__wrapped__
    return f

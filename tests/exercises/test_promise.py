"""Nothing that a learner's function does gets out of a check; what it does is said."""

import asyncio
import functools
import gc
import pickle
import sys
import warnings
import xml.etree.ElementTree as ElementTree
from collections import namedtuple
from fractions import Fraction

import numpy as np
import pytest

import cnnbp
from cnnbp.exercises import (
    clip_by_global_norm,
    conv2d_bias_gradient,
    gradient_terms,
    linear_gradients,
    relu_gradient,
)


def right(dz, x):
    return dz * (x > 0)


def shown(verdict):
    """Its text, after its page has been made as well."""
    ElementTree.fromstring(verdict._repr_html_())
    return repr(verdict).encode("utf-8").decode("utf-8")


# What it raises


class Silent(Exception):
    def __str__(self):
        raise ValueError("no text")

    __repr__ = __str__


class Leaving(Exception):
    def __str__(self):
        sys.exit(1)


class Own(BaseException):
    pass


class Endless(Exception):
    def __str__(self):
        return "far too long " * 10**6


def failing():
    pytest.fail("as a test does")


def too_deep():
    return too_deep()


ESCAPES = [
    Silent(),
    Leaving(),
    Own("own"),
    Endless(),
    GeneratorExit(),
    SystemExit(3),
    StopIteration(1),
    StopAsyncIteration(),
    asyncio.CancelledError(),
    ExceptionGroup("several", [ValueError(1), TypeError(2)]),
    BaseExceptionGroup("several", [Own(), GeneratorExit()]),
    UnicodeDecodeError("utf-8", b"\xff", 0, 1, "bad"),
    ValueError("\x00\x1b[31m\ud800\uffff"),
    pickle.PicklingError(),
    type("E" * 10**4, (Exception,), {})(),
    KeyError(),
    ValueError().with_traceback(None),
]


@pytest.mark.parametrize("error", ESCAPES, ids=lambda error: type(error).__name__[:20])
def test_no_exception_escapes(error):
    def mine(dz, x):
        raise error

    verdict = relu_gradient.check(mine)
    assert verdict.stage == "raised"
    assert len(shown(verdict)) < 1500
    assert "raise error" in verdict.message
    assert not verdict.message.splitlines()[0].endswith(": ")


@pytest.mark.parametrize("fails", [failing, too_deep, lambda: exec("1 +"), lambda: 1 / 0])
def test_no_failure_escapes(fails):
    verdict = relu_gradient.check(lambda dz, x: fails())
    assert verdict.stage == "raised"
    shown(verdict)


def test_only_a_keyboard_interrupt_passes_through():
    class Stop(KeyboardInterrupt):
        pass

    def mine(dz, x):
        raise Stop

    with pytest.raises(KeyboardInterrupt):
        relu_gradient.check(mine)


def test_an_error_in_a_random_case_only_does_not_escape_either():
    def mine(dz, x):
        if x.ndim == 4:
            raise Silent
        return dz * (x > 0)

    assert relu_gradient.check(mine).stage == "raised"


def test_warnings_turned_into_errors_do_not_reach_the_checker():
    def mine(dz, x):
        return np.full(x.shape, np.inf)

    with warnings.catch_warnings(action="error"), np.errstate(all="raise"):
        shown(relu_gradient.check(mine))
        shown(clip_by_global_norm.check(lambda gradients, max_norm: gradients))


def test_settings_that_a_function_changes_are_as_before_afterwards():
    def mine(dz, x):
        np.seterr(all="raise")
        warnings.simplefilter("error")
        return dz * (x > 0)

    before = np.geterr(), list(warnings.filters)
    assert relu_gradient.check(mine)
    assert (np.geterr(), list(warnings.filters)) == before


# What it prints


def test_endless_printing_is_cut():
    def mine(dz, x):
        for _ in range(10**4):
            print("again and again " * 20)
        return dz

    verdict = relu_gradient.check(mine)
    assert len(shown(verdict)) < 5000
    assert "again and again" in repr(verdict)


def test_what_is_printed_may_be_anything():
    def mine(dz, x):
        print("\x00\ud800 <b>")
        sys.stdout.close()
        return dz

    assert "<b>" in shown(relu_gradient.check(mine))


# What it returns


class Untouchable:
    def __array__(self, *_, **__):
        raise RuntimeError("no array")

    def __len__(self):
        raise RuntimeError("no length")

    def __repr__(self):
        raise RuntimeError("no text")

    __str__ = __eq__ = __bool__ = __iter__ = __repr__
    __hash__ = None


class Disguised:
    @property
    def __class__(self):
        raise RuntimeError("no class")


class Tall(list):
    def __len__(self):
        raise RuntimeError("no length")


def circle():
    found = []
    found.append(found)
    return found


async def later(dz, x):
    return dz * (x > 0)


async def later_and_later(dz, x):
    yield dz


STRANGE = [
    Untouchable,
    Disguised,
    lambda: Tall([1]),
    circle,
    lambda: np.broadcast_to(1.0, (10**7, 10**7)),
    lambda: np.zeros(3, dtype=[("a", int)]),
    lambda: np.array(["1"]),
    lambda: np.array("2020", "datetime64"),
    lambda: np.array([Untouchable()] * 2),
    lambda: Fraction(1, 2),
    lambda: 10**400,
    lambda: type,
    lambda: np.zeros,
    lambda: {},
    lambda: (),
    lambda: memoryview(b"1234"),
    lambda: np.zeros((0, 3)),
    lambda: np.ma.masked,
    lambda: "a long text " * 10**5,
]


@pytest.mark.parametrize("task", [relu_gradient, linear_gradients, clip_by_global_norm,
                                  gradient_terms], ids=lambda task: task.name)  # fmt: skip
@pytest.mark.parametrize("make", STRANGE)
def test_no_result_is_too_strange(task, make):
    for result in (lambda *_: make(), lambda *_: (make(),) * 3, lambda *_: [make()] * 2):
        verdict = task.check(result)
        assert not verdict
        assert verdict.stage != "not written yet"
        assert len(shown(verdict)) < 3000


@pytest.mark.parametrize("task", [relu_gradient, linear_gradients], ids=lambda task: task.name)
def test_async_def_is_told_to_be_def(task):
    async def mine(*arguments):
        return None

    async def endless(*arguments):
        yield None

    for function in (mine, endless):
        verdict = task.check(function)
        assert verdict.stage == "returned the wrong type"
        assert "Write def instead" in verdict.message
    gc.collect()  # a coroutine that was never awaited would warn now, which is an error here


def test_a_masked_array_without_masked_cells_will_do():
    assert relu_gradient.check(lambda dz, x: np.ma.masked_array(dz * (x > 0)))


def test_masked_cells_are_no_numbers():
    verdict = relu_gradient.check(lambda dz, x: np.ma.masked_less_equal(x, 0) * 0 + dz)
    assert verdict.stage == "returned the wrong type"
    assert "masked" in verdict.message
    assert "1 cell of it is masked" in relu_gradient.check(one_masked).message
    assert relu_gradient.check(lambda dz, x: (np.ma.masked_less_equal(x, 0) * 0 + dz).filled(0))


def one_masked(dz, x):
    return np.ma.masked_array(dz * (x > 0), np.arange(x.size).reshape(x.shape) == 0)


@pytest.mark.filterwarnings("ignore:the matrix subclass")
def test_a_matrix_is_an_array_of_two_axes():
    assert linear_gradients.check(
        lambda dz, x, w: tuple(map(np.asmatrix, cnnbp.linear_backward(dz, x, w)))
    )


def test_a_named_tuple_of_buffers_that_are_used_again_will_do():
    gradients, buffers = namedtuple("gradients", "dx dw db"), {}

    def mine(dz, x, w):
        found = cnnbp.linear_backward(dz, x, w)
        for name, value in zip(gradients._fields, found, strict=True):
            buffers.setdefault((name, value.shape), value.copy())[...] = value
        return gradients(*(buffers[name, value.shape] for name, value in
                           zip(gradients._fields, found, strict=True)))  # fmt: skip

    assert linear_gradients.check(mine)


def test_a_set_that_changes_later_is_kept_as_it_was():
    kept = set()

    def mine(*arguments):
        kept.clear()
        kept.update(gradient_terms.answer(*arguments))
        return kept

    assert gradient_terms.check(mine)


# What it does to its arguments


def spoiled_dtype(dz, x):
    dz.dtype = complex if dz.shape[-1] % 2 == 0 else float
    x.resize((1,), refcheck=False)
    return np.zeros(2)


def spoiled_list(gradients, max_norm):
    answer = clip_by_global_norm.answer(gradients, max_norm)
    gradients[:] = [Untouchable()] * len(gradients)
    return answer


@pytest.mark.parametrize(
    ("task", "mine"), [(relu_gradient, spoiled_dtype), (clip_by_global_norm, spoiled_list)]
)
def test_whatever_becomes_of_an_argument_is_a_change(task, mine):
    verdict = task.check(mine)
    assert verdict.stage == "changed its inputs"
    shown(verdict)


def test_advice_on_a_changed_list_works_if_it_is_followed():
    def mine(gradients, max_norm):
        norm = np.sqrt(sum((g**2).sum() for g in gradients))
        if norm > max_norm:
            for g in gradients:
                g *= max_norm / norm
        return gradients

    def followed(gradients, max_norm):
        gradients = [g.copy() for g in gradients]
        return mine(gradients, max_norm)

    message = clip_by_global_norm.check(mine).message
    assert "gradients = [g.copy() for g in gradients]" in message
    assert "gradients, which belongs to whoever called it" in message
    assert clip_by_global_norm.check(followed)


# What is handed in


class Learner:
    def method(self, dz, x):
        return dz * (x > 0)

    def __call__(self, dz, x):
        return dz * (x > 0)


class Secretive:
    def __getattr__(self, name):
        raise RuntimeError(name)

    def __call__(self, dz, x):
        return dz * (x > 0)


class Misnamed:
    __name__ = 3
    __signature__ = "dz, x"

    def __call__(self, dz, x):
        return dz * (x > 0)


def counted(function):
    @functools.wraps(function)
    def wrapper(*args, **kwargs):
        return function(*args, **kwargs)

    return wrapper


@pytest.mark.parametrize(
    "function",
    [
        Learner(),
        Learner().method,
        functools.partial(Learner.method, Learner()),
        Secretive(),
        Misnamed(),
        counted(right),
        counted(lambda x, dz: right(dz, x)),
        lambda x, dz, *, slope=0: right(dz, x),
        functools.partial(lambda slope, dz, x: right(dz, x), 0),
        functools.partial(right),
        counted(cnnbp.relu_backward),
        functools.wraps(cnnbp.relu_backward)(lambda dz, x: cnnbp.relu_backward(dz, x)),
        staticmethod(right),
        np.vectorize(lambda dz, x: dz * (x > 0)),
    ],
    ids=lambda function: type(function).__name__,
)
def test_whatever_can_be_called_is_the_learners(function):
    assert relu_gradient.check(function)


def test_the_package_stays_the_package_in_a_cache():
    for function in (functools.cache(cnnbp.relu_backward), cnnbp.ReLU, cnnbp.ReLU().backward):
        assert relu_gradient.check(function).stage == "the package's function"


def test_a_class_is_told_so():
    verdict = relu_gradient.check(Learner)
    assert verdict.stage == "not a function"
    assert "Learner is a class" in verdict.message


def test_a_method_without_its_object_is_told_so():
    verdict = relu_gradient.check(Learner.method)
    assert verdict.stage == "raised"
    assert "Learner.method is a method without its object" in verdict.message


def test_another_number_of_arguments_is_told_whatever_their_defaults_are():
    def mine(dz, x, w, b=Untouchable()):  # noqa: B008
        return dz

    assert "takes (dz, x, w, b) but" in relu_gradient.check(mine).message


THINGS = [Untouchable(), 3, 1.5, [1], np.int64(3), {}, relu_gradient]


@pytest.mark.parametrize("thing", THINGS, ids=lambda thing: type(thing).__name__)
def test_what_cannot_be_called_is_named_with_its_article(thing):
    message = relu_gradient.check(thing).message
    assert "was given an " in message or "was given a " in message
    assert ("given an " in message) == (type(thing).__name__[0].lower() in "aeiou")


@pytest.mark.parametrize("seed", [-1, 1.5, "7", None, [1], True, np.nan])
def test_a_bad_seed_is_told_so(seed):
    for use in (lambda: relu_gradient.check(right, seed=seed), lambda: relu_gradient.case(0, seed),
                lambda: relu_gradient.sheet(seed)):  # fmt: skip
        with pytest.raises(ValueError, match="seed must be a whole number from 0 on, not "):
            use()


def test_a_seed_may_be_any_whole_number():
    assert relu_gradient.check(right, seed=np.int64(3))
    assert relu_gradient.check(right, seed=10**30)


@pytest.mark.parametrize("number", [-1, 99, "1", 0.5])
def test_a_case_that_there_is_not_is_told_so(number):
    with pytest.raises(ValueError, match="case: number must be from 0 to "):
        relu_gradient.case(number)


# One and many


def test_a_sentence_agrees_with_its_number():
    one = clip_by_global_norm.check(lambda gradients, max_norm: 3)
    assert "a list of 2 arrays is wanted" in one.message
    db = conv2d_bias_gradient.check(lambda dz: dz.sum(axis=(0, 1, 2, 3)).reshape(1))
    assert "F, 1, 1" in db.message
    assert "3 values are wanted" in linear_gradients.check(lambda *_: 3).message

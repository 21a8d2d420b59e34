"""The decisions that exercises exercise: every expression finds what it is about."""

import inspect
import re
from operator import attrgetter
from pathlib import Path

import pytest
from decisions import DECISIONS, FINISHED
from right_answers import RIGHT_ANSWERS

import cnnbp
from cnnbp.exercises import EXERCISES
from cnnbp.graph import Graph

LESSONS = {path.name[:2] for path in (Path(__file__).parents[1] / "notebooks").glob("*.ipynb")}


def finished(exercise):
    """The source of the package's functions that are the exercise, and of its fast answer."""
    places = {"Graph.backward": Graph.backward}
    names = FINISHED.get(exercise, ())
    functions = [places.get(name) or attrgetter(name)(cnnbp) for name in names]
    return "\n".join(map(inspect.getsource, [*functions, EXERCISES[exercise].answer]))


def found(expressions, code):
    return [e for e, _ in expressions if re.search(e, code, re.MULTILINE)]


def test_every_exercise_of_these_lessons_has_decisions():
    assert set(DECISIONS) == {n for n, task in EXERCISES.items() if task.lesson in LESSONS}
    assert set(FINISHED) <= set(DECISIONS)


@pytest.mark.parametrize("exercise", DECISIONS)
def test_solution_and_fast_answer_are_found(exercise):
    assert found(DECISIONS[exercise], EXERCISES[exercise].solution())
    # the fast answer of graph_gradients walks lesson 01's own graph, which the lesson may show
    assert exercise == "graph_gradients" or found(DECISIONS[exercise], finished(exercise))


@pytest.mark.parametrize("exercise", DECISIONS)
def test_every_expression_finds_itself_in_a_right_answer(exercise):
    answers = map(inspect.getsource, RIGHT_ANSWERS[exercise])
    code = "\n".join([EXERCISES[exercise].solution(), finished(exercise), *answers])
    missing = {e for e, _ in DECISIONS[exercise]} - set(found(DECISIONS[exercise], code))
    assert not missing


@pytest.mark.parametrize("exercise", DECISIONS)
def test_a_stub_gives_nothing_away(exercise):
    assert not found(DECISIONS[exercise], EXERCISES[exercise].stub())

"""No blind spots: whatever is changed in a solution is seen, and no two mistakes look alike."""

import itertools
from pathlib import Path

import numpy as np
import pytest
from mutants import is_same, mutants
from random_inputs import random_inputs

from cnnbp.exercises import EXERCISES, TASKS
from cnnbp.exercises.check.calling import attempt, copied, quiet
from cnnbp.exercises.check.recognizing import known
from cnnbp.exercises.check.results import agree

SEEDS = range(3)
EQUIVALENT = {
    line
    for line in (Path(__file__).parent / "equivalent_mutants.txt").read_text("utf-8").splitlines()
    if line and not line.startswith("#")
}


def each_task(test):
    return pytest.mark.parametrize("task", TASKS, ids=lambda task: task.name)(test)


def is_rejected(task, function, seed):
    """Whether a check refuses a function: by one of the cases, or else by all of its steps."""
    for case in known(task, seed).cases:
        tried = attempt(function, case.arguments)
        outcome = case.outcome(tried)
        if tried.changed or not isinstance(outcome, dict):
            return True
        if not all(agree(outcome[name], part) for name, part in case.expected.items()):
            return True
    return not task.check(function, seed)


@each_task
def test_whatever_is_changed_in_a_solution_is_rejected(task):
    accepted = {
        mutant.description
        for mutant in mutants(task)
        if not all(is_rejected(task, mutant.function, seed) for seed in SEEDS)
    }
    listed = {line for line in EQUIVALENT if line.split(":")[0] == task.name}
    assert accepted == listed


@each_task
def test_what_is_listed_as_equivalent_gives_the_same_on_200_random_inputs(task):
    listed = [mutant for mutant in mutants(task) if mutant.description in EQUIVALENT]
    rng = np.random.default_rng(0)
    for _ in range(200 if listed else 0):
        arguments = random_inputs(task, rng)
        right = attempt(task.function, arguments)
        for mutant in listed:
            other = attempt(mutant.function, arguments)
            assert not right.error
            assert not other.error
            assert is_same(other.returned, right.returned), mutant.description


def test_every_line_of_the_list_is_of_an_exercise():
    assert {line.split(":")[0] for line in EQUIVALENT} <= set(EXERCISES)
    assert len(EQUIVALENT) > 5


@each_task
def test_answer_and_solution_agree_beyond_the_cases_of_a_check(task):
    rng = np.random.default_rng(1)
    for _ in range(10):
        arguments = random_inputs(task, rng)
        sizes = task.sizes(arguments, task.answer(*map(copied, arguments.values())))
        assert isinstance(sizes, dict)
        with quiet():
            answers = [attempt(f, arguments) for f in (task.answer, task.function)]
        assert not any(answer.error for answer in answers)
        assert is_same(*(answer.returned for answer in answers))


# Mistakes that look alike


def explanations(facts):
    """(name, outcomes in every case) of all that a verdict can name in a task."""
    return [(mistake.name, outcomes) for mistake, outcomes in facts.mistakes]


def is_told_apart(outcomes, others):
    """Whether two explanations give different results in a case."""
    return any(
        isinstance(outcome, dict) != isinstance(other, dict)
        or (
            isinstance(outcome, dict)
            and (
                set(outcome) != set(other)
                or not all(agree(outcome[name], other[name]) for name in outcome)
            )
        )
        for outcome, other in zip(outcomes, others, strict=True)
    )


INSEPARABLE = set()  # of (task, {name, name}), as frozensets: what no case can tell apart, and why


@each_task
@pytest.mark.parametrize("seed", SEEDS)
def test_any_two_mistakes_differ_in_a_case(task, seed):
    alike = {
        (task.name, frozenset((name, other)))
        for (name, outcomes), (other, others) in itertools.combinations(
            explanations(known(task, seed)), 2
        )
        if name != other and not is_told_apart(outcomes, others)
    }
    assert alike == {pair for pair in INSEPARABLE if pair[0] == task.name}

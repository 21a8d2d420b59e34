"""Every exercise: right answers pass, stubs and the package are told, mistakes are named."""

import ast

import pytest
from right_answers import RIGHT_ANSWERS

from cnnbp.exercises import EXERCISES
from cnnbp.exercises.known import known
from cnnbp.gradcheck import relative_error

TASKS = list(EXERCISES.values())
MISTAKES = [
    pytest.param(task, mistake, id=f"{task.name}-{mistake.name}")
    for task in TASKS
    for mistake in task.mistakes.values()
]
ANSWERS = [
    pytest.param(EXERCISES[name], answer, id=f"{name}-{number}")
    for name, answers in RIGHT_ANSWERS.items()
    for number, answer in enumerate(answers)
]
pytestmark = pytest.mark.usefixtures("own_folder")


@pytest.fixture
def own_folder(tmp_path, monkeypatch):
    """Progress is written beside the notebooks; here, beside nothing."""
    monkeypatch.chdir(tmp_path)


def name_of(task):
    return task.name


def each_task(test):
    return pytest.mark.parametrize("task", TASKS, ids=name_of)(test)


@each_task
def test_three_styles_of_right_answers_are_tried(task):
    assert len(RIGHT_ANSWERS[task.name]) >= 3


@pytest.mark.parametrize(("task", "answer"), ANSWERS)
def test_a_right_answer_passes_whatever_its_style(task, answer):
    verdict = task.check(answer)
    assert verdict, verdict
    assert (verdict.stage, verdict.mistake) == ("passed", None)


@each_task
def test_a_solution_is_source_text_that_runs_and_passes(task):
    source = task.solution()
    names = {}
    exec(source, names)
    assert task.check(names[task.name])
    assert repr(source) == source
    assert "cnnbp" not in source
    function = ast.parse(source).body[-1]
    assert [argument.arg for argument in function.args.args] == task.parameters


@each_task
def test_a_right_answer_passes_for_200_seeds(task):
    answer = RIGHT_ANSWERS[task.name][0]
    rejected = [seed for seed in range(200) if not task.check(answer, seed=seed)]
    assert not rejected


@pytest.mark.parametrize("task", [task for task in TASKS if task.numeric], ids=name_of)
def test_a_right_answer_agrees_with_central_differences(task):
    case = known(task, 5).cases[1]
    numeric = task.result.read(task.numeric(*case.arguments.values()), case.arguments)
    assert all(relative_error(numeric[k], case.expected[k]) < 1e-7 for k in numeric)


@pytest.mark.parametrize(("task", "mistake"), MISTAKES)
def test_a_mistake_is_rejected_and_named_for_every_seed(task, mistake):
    for wrong in mistake.functions:
        for seed in range(12):
            verdict = task.check(wrong, seed=seed)
            assert not verdict
            assert verdict.mistake == mistake.name
        assert mistake.explanation in verdict.message
        assert mistake.reread in verdict.message


@pytest.mark.parametrize(("task", "mistake"), MISTAKES)
def test_a_mistake_is_explained_and_sends_to_a_lesson(task, mistake):
    assert mistake.explanation.endswith(".")
    assert mistake.reread[:2].isdigit()


def raises(*arguments):
    raise NotImplementedError


STUBS = [raises, lambda *_: None, lambda *_: ..., lambda *_: NotImplemented, lambda *_: (None, ...)]


@each_task
@pytest.mark.parametrize("stub", STUBS)
def test_a_stub_is_not_written_yet(task, stub):
    verdict = task.check(stub)
    assert not verdict
    assert verdict.stage == "not written yet"
    assert verdict.mistake is None

"""Every exercise: right answers pass, stubs and the package are told, mistakes are named."""

import ast
import inspect
import itertools
import subprocess
import sys
import time

import numpy as np
import pytest
from right_answers import RIGHT_ANSWERS

import cnnbp
from cnnbp.exercises import EXERCISES, TASKS
from cnnbp.exercises.check.explaining import Search
from cnnbp.exercises.check.recognizing import known
from cnnbp.exercises.check.results import agree
from cnnbp.gradcheck import relative_error

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


@pytest.mark.parametrize("task", [task for task in TASKS if task.composed], ids=name_of)
def test_right_choices_are_the_solution(task):
    for seed in range(3):
        for case in known(task, seed).cases:
            composed, solved = map(case.outcome_of, (task.composed.with_choices({}), task.function))
            assert all(agree(composed[part], solved[part]) for part in case.expected)


def sentences(mistake):
    """What is said of a mistake in one, several or all parts of the result."""
    for count in range(1, len(mistake.parts) + 1):
        for parts in itertools.combinations(mistake.parts, count):
            yield mistake.sentence(parts)


@pytest.mark.parametrize(("task", "mistake"), MISTAKES)
def test_a_mistake_is_rejected_and_named_for_every_seed(task, mistake):
    for number, wrong in enumerate(mistake.functions):
        for seed in range(2 if number else 8):
            verdict = task.check(wrong, seed=seed)
            assert not verdict
            assert verdict.mistakes == (mistake.name,)
            assert verdict.explained
        assert any(sentence in verdict.message for sentence in sentences(mistake))
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
    assert (verdict.stage, verdict.mistake) == ("not written yet", None)


@each_task
def test_a_check_takes_less_than_a_second_even_in_loops(task):
    known.cache_clear()
    start = time.process_time()
    assert task.check(task.function)
    assert time.process_time() - start < 1


PACKAGE = [getattr(cnnbp, name) for name in cnnbp.__all__ if "_" in name]


@each_task
def test_the_packages_own_function_is_recognized(task):
    for function in [*PACKAGE, cnnbp.Conv2d(1, 1, 2).backward, cnnbp.ReLU]:
        verdict = task.check(function)
        assert not verdict
        assert verdict.stage == "the package's function"


def corrupted_cell(array, rng):
    array.flat[rng.integers(array.size)] *= rng.choice([-1, 0, 2, 1.001])


def corrupted_axis(array, rng):
    axis = rng.integers(array.ndim)
    array[...] = np.flip(array, axis) if rng.integers(2) else np.roll(array, 1, axis)


def corrupted_factor(array, rng):
    array *= rng.choice([-1, 0.5, 2, 3, 1 / 7])


def corrupted_border(array, rng):
    axis = rng.integers(array.ndim)
    np.moveaxis(array, axis, 0)[rng.choice([0, -1])] = 0


def corrupted_terms(terms, rng):
    """One entry less, or one more, or one with an index that is off by one."""
    entries = sorted(terms)
    entry = entries.pop(rng.integers(len(entries)))
    replaced = [[], [entry, off_by_one(off_by_one(entry))], [off_by_one(entry)]]
    return {*entries, *replaced[rng.integers(3)]}


def off_by_one(entry):
    """An index, or the last one of several, with its last number off by one."""
    *others, last = entry
    return (*others, off_by_one(last) if isinstance(last, tuple) else last + 1)


def corrupted_place(place, rng):
    """Another layer, or another gradient of the same one."""
    number, wanted = place
    if rng.integers(2):
        return number + rng.choice([-1, 1]), wanted
    return number, rng.choice([name for name in ("dx", "dw", "db") if name != wanted]).item()


CORRUPTIONS = [corrupted_cell, corrupted_axis, corrupted_factor, corrupted_border]


def corrupted_result(right, rng):
    """(the result of a right answer with a random corruption, whether that has changed it)."""
    if isinstance(right, set):
        return (corrupted_terms(right, rng), True) if right else (right, False)
    if isinstance(right, tuple) and isinstance(right[-1], str):
        return corrupted_place(right, rng), True
    if isinstance(right, dict):
        name = list(right)[rng.integers(len(right))]
        factor = rng.choice([-1, 0.5, 2, 3, 1 / 7])
        return right | {name: factor * right[name]}, right[name] != 0
    several = isinstance(right, tuple | list)
    parts = [np.array(part, float) for part in (right if several else [right])]
    before = [part.copy() for part in parts]
    part = rng.integers(len(parts))
    corruptions = CORRUPTIONS if parts[part].ndim else [corrupted_factor]
    corruptions[rng.integers(len(corruptions))](parts[part], rng)
    changed = not all(map(agree, parts, before))
    return type(right)(parts) if several else parts[0], changed


def corrupted(task, number):
    """A right answer with a random corruption, the same in every case; and what it has changed."""
    answer, changes = RIGHT_ANSWERS[task.name][0], []

    # A check reads the source of what it rejects: the shorter, the faster.
    def wrong(*arguments, **named):
        right = answer(*(arguments or named.values()))
        result, changed = corrupted_result(right, np.random.default_rng(number))
        changes.append(changed)
        return result

    # Of the task's own names nobody tries another order, which would take most of the time.
    wrong.__signature__ = inspect.signature(task.function)
    return wrong, changes


@each_task
def test_200_random_corruptions_of_a_right_answer_are_rejected(task, monkeypatch):
    rejected, number = 0, 0
    while rejected < 200:
        if number == 20:  # what explains the others is not asked for, and takes most of the time
            monkeypatch.setattr(Search, "explanation", lambda self: None)
        wrong, changes = corrupted(task, number)
        verdict = task.check(wrong)
        assert bool(verdict) != any(changes), f"corruption {number}: {verdict}"
        rejected += any(changes)
        number += 1
    assert number < 400  # most of them do change something


# The mistakes seen in published code and course submissions, each with the names it has here
WILD = [
    ["conv2d_input_gradient.kernel_not_rotated"],
    ["conv2d_input_gradient.kernel_transposed"],
    ["conv2d_input_gradient.channel_axes_not_swapped"],
    ["conv2d_input_gradient.overlaps_assigned"],
    ["conv2d_input_gradient.stride_ignored"],
    ["conv2d_input_gradient.padding_cropped_at_the_end"],
    ["conv2d_input_gradient.empty_where_padding_is_zero"],
    ["conv2d_input_gradient.summed_over_batch"],
    ["conv2d_input_gradient.averaged_over_filters"],
    ["conv2d_weight_gradient.kernel_rotated_in_dw"],
    ["conv2d_weight_gradient.stride_ignored_in_dw"],
    ["conv2d_weight_gradient.last_sample_only"],
    ["conv2d_weight_gradient.divided_by_batch"],
    ["conv2d_weight_gradient.mean_over_positions"],
    ["conv2d_weight_gradient.summed_over_channels"],
    ["conv2d_weight_gradient.rows_and_columns_swapped"],
    ["conv2d_weight_gradient.reshaped_without_moving_the_filters"],
    ["conv2d_bias_gradient.not_summed_over_batch"],
    ["conv2d_bias_gradient.mean_in_place_of_sum"],
    ["conv2d_bias_gradient.one_bias_for_all"],
    ["max_pool2d_gradient.window_assigned"],
    ["max_pool2d_gradient.winner_assigned"],
    ["max_pool2d_gradient.every_tie_gets_all"],
    ["max_pool2d_gradient.value_in_place_of_gradient"],
    ["max_pool2d_gradient.windows_a_kernel_apart"],
    ["max_pool2d_gradient.one_winner_for_the_channel"],
    ["avg_pool2d_gradient.not_divided"],
    ["avg_pool2d_gradient.overlaps_assigned"],
    ["max_pool2d_output.padding_wins_as_zero"],
    ["flatten_gradient.reshaped_without_transposing"],
    ["flatten_gradient.channels_taken_as_last"],
    ["linear_gradients.bias_not_a_column"],
    ["relu_gradient.mask_from_the_upstream_sign"],
    ["relu_gradient.left_out"],
    ["softmax_cross_entropy_gradient.mean_forgotten"],
    ["softmax_cross_entropy_gradient.label_number_subtracted"],
    ["batch_norm2d_gradient.batch_counted_only"],
    ["momentum_step.old_velocity_forgotten", "momentum_step.learning_rate_applied_twice"],
    ["clip_by_global_norm.each_element_clipped"],
]


def test_all_39_known_mistakes_are_in_the_catalogue():
    for number, names in enumerate(WILD, 1):
        for name in names:
            task, mistake = name.split(".")
            assert mistake in EXERCISES[task].mistakes, f"mistake {number}, {name}"
    assert len(WILD) == 39


def test_importing_the_exercises_brings_neither_matplotlib_nor_widgets():
    code = "import cnnbp.exercises, sys; print(*{name.split('.')[0] for name in sys.modules})"
    finished = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert not set(finished.stdout.split()) & {"matplotlib", "ipywidgets", "IPython", "torch"}

"""Right answers in another order are told so, and mistakes are shown where they stand."""

import itertools
import linecache
import re

import numpy as np
import pytest

import cnnbp
from cnnbp.exercises import (
    TASKS,
    avg_pool2d_gradient,
    clip_by_global_norm,
    conv2d_input_gradient,
    conv2d_weight_gradient,
    linear_gradients,
    max_pool2d_output,
    momentum_step,
    relu_gradient,
)
from cnnbp.exercises.check.source_lines import line_of

SEVERAL = [task for task in TASKS if len(task.result.names) > 1]
PAIRS = [
    pytest.param(task, i, j, id=f"{task.name}-{task.parameters[i]}-{task.parameters[j]}")
    for task in TASKS
    for i, j in itertools.combinations(range(len(task.parameters)), 2)
]

# Only their product counts, or what they share, so that nothing is wrong with the other order
SYMMETRIC = [
    ("momentum_step", ["velocity", "momentum"]),
    ("intersection_over_union", ["a", "b"]),
]
# The same as dz_class and dz_box in the other order
HEADS = ("shared_trunk_gradient", ["w_class", "w_box"])


# Arguments


@pytest.mark.parametrize(("task", "i", "j"), PAIRS)
def test_two_arguments_in_the_other_order_are_told_so(task, i, j):
    def mine(*arguments):
        given = list(arguments)
        given[i], given[j] = given[j], given[i]
        return task.answer(*given)

    verdict, swapped = task.check(mine), (task.name, [task.parameters[i], task.parameters[j]])
    assert bool(verdict) == (swapped in SYMMETRIC)
    if not verdict:
        first, second = ["dz_class", "dz_box"] if swapped == HEADS else swapped[1]
        assert verdict.mistake == "arguments_in_another_order"
        assert f"Right, but {first} and {second} come in the other order" in verdict.message
        assert f"must take ({', '.join(task.parameters)})" in verdict.message


def test_three_arguments_in_another_order_are_told_so():
    def mine(w_shape, x, stride, padding, dz):
        return conv2d_weight_gradient.answer(dz, x, w_shape, stride, padding)

    def renamed(size, image, step, border, above):
        return mine(size, image, step, border, above)

    verdict = conv2d_weight_gradient.check(renamed)
    assert verdict.mistake == "arguments_in_another_order"
    assert "your function takes (w_shape, x, stride, padding, dz)" in verdict.message
    assert conv2d_weight_gradient.check(mine)  # called by its names


def test_names_as_people_use_them_are_understood():
    def mine(inputs, weight, upstream):
        return cnnbp.linear_backward(upstream, inputs, weight)

    message = linear_gradients.check(mine).message
    assert "your function takes (x, w, dz), and must take (dz, x, w)" in message


def test_a_wrong_function_with_a_misplaced_name_is_told_of_it():
    def mine(w, v, dw, momentum, learning_rate):
        return w - learning_rate * v, v

    verdict = momentum_step.check(mine)
    assert verdict.mistake != "arguments_in_another_order"
    assert "Your parameter momentum gets learning_rate" in verdict.message


def test_a_function_with_its_arguments_in_order_is_not_told_of_an_order():
    verdict = relu_gradient.check(lambda upstream, value: upstream * (upstream > 0))
    assert "order" not in verdict.message


# Results


@pytest.mark.parametrize("task", SEVERAL, ids=lambda task: task.name)
@pytest.mark.parametrize("kind", [tuple, list])
def test_results_in_another_order_are_told_so(task, kind):
    names = task.result.names
    for order in itertools.permutations(range(len(names))):
        verdict = task.check(lambda *a, order=order: kind(task.answer(*a)[i] for i in order))
        assert bool(verdict) == (order == tuple(range(len(names))))
        if not verdict:
            yours = ", ".join(names[i] for i in order)
            assert verdict.mistake == "results_in_another_order"
            assert f"return {', '.join(names)} in this order; yours are {yours}" in verdict.message


@pytest.mark.parametrize("task", SEVERAL, ids=lambda task: task.name)
def test_the_tiny_case_alone_tells_swapped_results(task):
    for seed in range(20):
        case = task.drawn(seed)[0]
        parts = task.result.read(task.answer(*task.case(0, seed)), case).values()
        for part, other in itertools.combinations(parts, 2):
            assert not np.array_equal(part, other)


def test_a_list_in_another_order_is_told_so():
    verdict = clip_by_global_norm.check(lambda *a: clip_by_global_norm.answer(*a)[::-1])
    assert verdict.mistake == "results_in_another_order"
    assert "in the same order" in verdict.message


def test_results_of_which_one_is_wrong_are_not_called_right():
    def mine(dz, x, w):
        dx, dw, db = cnnbp.linear_backward(dz, x, w)
        return dw, dx, 2 * db

    assert linear_gradients.check(mine).mistake != "results_in_another_order"


def test_one_value_in_place_of_the_other_is_no_order():
    def mine(*arguments):
        z, _ = max_pool2d_output.answer(*arguments)
        return z, z

    assert max_pool2d_output.check(mine).mistake != "results_in_another_order"


# Lines


def assigned(dz, w, x_shape, stride, padding):
    (p, q), (KH, KW) = padding, w.shape[2:]
    dx = np.zeros((*x_shape[:2], x_shape[2] + 2 * p, x_shape[3] + 2 * q))
    for i, j in np.ndindex(dz.shape[2:]):
        top, left = i * stride[0], j * stride[1]
        part = np.einsum("nf,fcab->ncab", dz[:, :, i, j], w)
        dx[:, :, top : top + KH, left : left + KW] = part
    return dx[:, :, p : p + x_shape[2], q : q + x_shape[3]]


def cut(dz, w, x_shape, stride, padding):
    (p, q), (N, C, H, W) = padding, x_shape
    dx = conv2d_input_gradient.answer(dz, w, (N, C, H + 2 * p, W + 2 * q), stride, (0, 0))
    return dx[:, :, p:-p, q:-q]


def returned(dz, w, x_shape, stride, padding):
    dx = np.zeros(x_shape)
    for n in range(len(dz)):
        one = conv2d_input_gradient.answer(dz[n : n + 1], w, (1, *x_shape[1:]), stride, padding)
        dx[n] += one[0]
        return dx


@pytest.mark.parametrize(
    ("mine", "line"),
    [
        (assigned, "dx[:, :, top : top + KH, left : left + KW] = part"),
        (cut, "return dx[:, :, p:-p, q:-q]"),
        (returned, "return dx"),
    ],
)
def test_a_verdict_shows_the_line(mine, line):
    verdict = conv2d_input_gradient.check(mine)
    number = int(re.search(r"[Yy]our line (\d+)", verdict.message)[1])
    assert line in verdict.message
    assert linecache.getline(__file__, number).strip() == line


def test_no_line_is_shown_where_there_are_two():
    def mine(dz, x_shape, kernel_size, stride, padding):
        dx = np.zeros(x_shape)
        share = dz / np.prod(kernel_size)
        for n, c, i, j in np.ndindex(dz.shape):
            top, left = i * stride[0] - padding[0], j * stride[1] - padding[1]
            for row in range(max(top, 0), min(top + kernel_size[0], x_shape[2])):
                for column in range(max(left, 0), min(left + kernel_size[1], x_shape[3])):
                    if n:
                        dx[n, c, row, column] = share[n, c, i, j]
                    else:
                        dx[0, c, row, column] = share[0, c, i, j]
        return dx

    verdict = avg_pool2d_gradient.check(mine)
    assert verdict.mistake == "overlaps_assigned"
    assert "your line" not in verdict.message


def without_padding(x, kernel_size, stride, padding):
    return [[x[i * stride[0] :, j * stride[1] :] for j in range(2)] for i in range(2)]


def added_after_all(x):
    total = {}
    for i in x:
        total[i] = total[i] + 1
        if i:
            return total
    return total


KINDS = ["assigned", "returned", "minus", "padding"]


@pytest.mark.parametrize(
    ("function", "kinds"),
    [
        (assigned, ["assigned"]),
        (cut, ["minus"]),
        (returned, ["returned"]),
        (without_padding, ["padding"]),
        (added_after_all, []),
        (max, []),
        (np.add, []),
        (eval("lambda x: x"), []),
        (3, []),
    ],
)
def test_a_line_is_found_where_there_is_one_candidate(function, kinds):
    assert [kind for kind in KINDS if line_of(function, kind)] == kinds

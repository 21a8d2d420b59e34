"""What a verdict says of whatever a learner may hand in."""

import contextlib
import functools
import io

import numpy as np
import pytest

import cnnbp
from cnnbp.exercises import (
    batch_norm2d_gradient,
    clip_by_global_norm,
    conv2d_bias_gradient,
    conv2d_input_gradient,
    conv2d_output,
    conv2d_weight_gradient,
    gradient_terms,
    graph_gradients,
    linear_gradients,
    max_pool2d_gradient,
    max_pool2d_output,
    momentum_step,
    numeric_gradient,
    progress,
    relu_gradient,
    tape_backward,
)
from cnnbp.tape import in_order


def changed(task, change):
    """The right answer with a change made to what it returns."""
    return lambda *arguments: change(task.answer(*arguments))


# What is handed in


@pytest.mark.parametrize("thing", [None, ..., 3, np.ones(3), "relu", [1]])
def test_what_is_no_function_is_told_so(thing):
    verdict = relu_gradient.check(thing)
    assert verdict.stage == "not a function"
    assert "without brackets" in verdict.message


class Learner:
    def method(self, dz, x):
        return dz * (x > 0)

    @staticmethod
    def static(dz, x):
        return dz * (x > 0)

    def __call__(self, dz, x):
        return dz * (x > 0)


@pytest.mark.parametrize(
    "function",
    [
        lambda dz, x: dz * (x > 0),
        lambda *arguments: arguments[0] * (arguments[1] > 0),
        lambda dz, *, x: dz * (x > 0),
        lambda x, dz: dz * (x > 0),
        lambda upstream, input: upstream * (input > 0),
        Learner().method,
        Learner.static,
        Learner(),
        functools.partial(lambda scale, dz, x: scale * dz * (x > 0), 1.0),
        lambda dz, x, *, slope=0.0: np.where(x > 0, dz, slope * dz),
        lambda dz, x: cnnbp.relu_backward(dz, x),
    ],
)
def test_any_kind_of_function_is_called(function):
    assert relu_gradient.check(function)


@pytest.mark.parametrize(
    "function", [cnnbp.relu_backward, functools.partial(cnnbp.relu_backward), cnnbp.ReLU().backward]
)
def test_the_packages_function_is_recognized_in_any_wrapping(function):
    assert relu_gradient.check(function).stage == "the package's function"


def test_another_signature_is_shown_beside_the_tasks():
    verdict = conv2d_weight_gradient.check(lambda dz, x: dz)
    assert verdict.stage == "raised"
    assert "takes (dz, x)" in verdict.message
    assert "(dz, x, w_shape, stride, padding)" in verdict.message


def test_a_function_called_like_another_exercise_is_judged_by_that_one():
    def sigmoid_gradient(dz, x):
        return cnnbp.sigmoid_backward(dz, x)

    for task in (relu_gradient, conv2d_bias_gradient):
        verdict = task.check(sigmoid_gradient)
        assert verdict
        assert verdict.task == "sigmoid_gradient"
        assert f"task is {task.name} now" in verdict.message
        assert "from cnnbp.exercises import sigmoid_gradient as task" in verdict.message
    assert "✓  sigmoid_gradient" in repr(progress())


def test_a_wrong_function_called_like_another_exercise_is_told_of_that_one():
    def conv2d_bias_gradient(dz):
        return dz.mean(axis=(0, 2, 3)).reshape(-1, 1, 1)

    verdict = relu_gradient.check(conv2d_bias_gradient)
    assert (verdict.task, verdict.mistake) == ("conv2d_bias_gradient", "mean_in_place_of_sum")
    assert "my_function" not in verdict.message


def test_a_right_function_may_have_any_other_name():
    def sigmoid(dz, x):
        return dz * (x > 0)

    assert relu_gradient.check(sigmoid).task == "relu_gradient"


# What happens while it runs


def test_an_error_is_shown_with_the_learners_own_line():
    def mine(dz):
        total = dz.sum(axis=(0, 2, 3))
        return total[99]

    verdict = conv2d_bias_gradient.check(mine)
    assert verdict.stage == "raised"
    assert "IndexError: index 99 is out of bounds" in verdict.message
    assert "return total[99]" in verdict.message
    assert "db" not in verdict.message
    assert "mine(*task.case(0))" in verdict.message
    assert __file__ not in verdict.message


def test_an_error_inside_the_package_is_shown_at_the_learners_line():
    def mine(dz, x):
        return cnnbp.relu_backward(dz, x[:1])

    verdict = relu_gradient.check(mine)
    assert "return cnnbp.relu_backward(dz, x[:1])" in verdict.message
    assert "relu_backward: dz is (2, 3) but must be (1, 3)" in verdict.message


@pytest.mark.parametrize("error", [SystemExit, RecursionError, StopIteration, MemoryError])
def test_any_error_is_a_verdict(error):
    def mine(dz, x):
        raise error("enough")

    verdict = relu_gradient.check(mine)
    assert verdict.stage == "raised"
    assert "enough" in verdict.message


def test_a_keyboard_interrupt_stops_the_check():
    def mine(dz, x):
        raise KeyboardInterrupt

    shown = io.StringIO()
    with contextlib.redirect_stdout(shown), pytest.raises(KeyboardInterrupt):
        relu_gradient.check(mine)


def test_not_implemented_in_one_branch_only_is_an_error():
    def mine(x, w, b, stride, padding):
        if padding != (0, 0):
            raise NotImplementedError("padding")
        return cnnbp.conv2d(x, w, b, stride=stride)

    assert conv2d_output.check(mine).stage == "raised"


def test_printing_is_caught_and_shown_beside_what_went_wrong(capsys):
    def mine(dz, x):
        print("dz", dz.shape)
        return dz

    verdict = relu_gradient.check(mine)
    assert capsys.readouterr().out == ""
    assert "dz (2, 3)" in repr(verdict)


def test_printing_of_a_right_answer_is_not_repeated(capsys):
    def mine(dz, x):
        print("working")
        return dz * (x > 0)

    assert "working" not in repr(relu_gradient.check(mine))
    assert capsys.readouterr().out == ""


def test_changed_inputs_are_named():
    def mine(w, velocity, dw, learning_rate, momentum):
        velocity *= momentum
        velocity += dw
        w -= learning_rate * velocity
        return w, velocity

    verdict = momentum_step.check(mine)
    assert verdict.stage == "changed its inputs"
    assert "w, velocity" in verdict.message
    assert "copy" in verdict.message


def test_a_changed_list_is_noticed():
    def mine(gradients, max_norm):
        gradients[0] = gradients[0] * 1.0
        gradients.append(np.ones(2))
        return gradients

    assert clip_by_global_norm.check(mine).stage == "changed its inputs"


def test_an_input_changed_by_rounding_only_is_told_so():
    def mine(f, x, step):
        slopes = np.zeros(x.shape)
        for index in np.ndindex(x.shape):
            x[index] += step / 3
            above = f(x)
            x[index] -= 2 * step / 3
            below = f(x)
            x[index] += step / 3
            slopes[index] = (above - below) / (2 * step / 3)
        return slopes

    verdict = numeric_gradient.check(mine)
    assert verdict.stage == "changed its inputs"
    assert "only by rounding" in verdict.message


def test_a_buffer_that_is_used_again_does_no_harm():
    buffer = {}

    def mine(dz, x):
        out = buffer.setdefault(x.shape, np.empty(x.shape))
        out[...] = dz * (x > 0)
        return out

    assert relu_gradient.check(mine)


def test_an_answer_that_remembers_fails_against_the_numeric_gradient():
    calls = []

    def mine(dz, x):
        calls.append(1)
        return dz * (x > 0) * (len(calls) <= 5)

    verdict = relu_gradient.check(mine)
    assert verdict.stage == "numeric gradient"
    assert not verdict


# What it returns


@pytest.mark.parametrize(
    ("task", "change", "said"),
    [
        (relu_gradient, lambda dx: dx.tolist(), "Make it one: np.array"),
        (relu_gradient, lambda dx: (dx, dx), "only dx is wanted"),
        (relu_gradient, lambda dx: (dx,), "only dx is wanted"),
        (relu_gradient, lambda dx: dx + 0j, "array of real numbers"),
        (relu_gradient, lambda dx: dx.astype(object), "array of real numbers"),
        (relu_gradient, lambda dx: dx.astype(str), "array of real numbers"),
        (relu_gradient, lambda dx: {"dx": dx}, "array of real numbers"),
        (relu_gradient, lambda dx: (row for row in dx), "It holds a yield"),
        (linear_gradients, lambda all: all[0], "3 values are wanted: dx, dw, db"),
        (linear_gradients, lambda all: all[:2], "a tuple of 2"),
        (linear_gradients, lambda all: (*all[:2], None), "db is None"),
        (linear_gradients, lambda all: dict(enumerate(all)), "3 values are wanted"),
        (clip_by_global_norm, lambda all: all[:1], "a list of 2 arrays"),
        (clip_by_global_norm, lambda all: np.concatenate([a.ravel() for a in all]), "list of 2"),
        (gradient_terms, list, "a set of (left index, right index) pairs"),
        (gradient_terms, lambda terms: {1, 2}, "a set of (left index, right index) pairs"),
    ],
)
def test_a_wrong_type_is_told_what_is_wanted(task, change, said):
    verdict = task.check(changed(task, change))
    assert verdict.stage == "returned the wrong type"
    assert said in verdict.message


def emptied(keeps):
    """The backward pass of a tape that leaves the gradients of some nodes only."""

    def function(last):
        last.backward()
        for node in in_order(last):
            node.gradient = node.gradient if keeps(node, last) else None

    return function


@pytest.mark.parametrize(
    ("keeps", "name"),
    [
        (lambda node, last: not node.parents, "node 1, ·"),  # as PyTorch does
        (lambda node, last: node is not last, "node 3, +"),
        (lambda node, last: node is last, "node 0, given"),
    ],
)
def test_a_gradient_that_is_missing_is_named(keeps, name):
    verdict = tape_backward.check(emptied(keeps))
    assert verdict.stage == "left a gradient out"
    assert "a gradient is missing" in repr(verdict)
    assert f"The gradient of {name}, is still None" in verdict.message


def test_no_gradient_at_all_is_not_written_yet():
    verdict = tape_backward.check(emptied(lambda *_: False))
    assert verdict.stage == "not written yet"
    assert "must be called .gradient" in verdict.message


def test_what_was_given_sends_nothing_back():
    def sends_all_back(last):
        for node in reversed(in_order(last)):
            node.gradient = np.ones_like(node.value)
            node.send_back(node.gradient)

    message = tape_backward.check(sends_all_back).message
    assert "called like a function, and is None" in message


@pytest.mark.parametrize(
    "change",
    [
        lambda dx: dx.astype(np.longdouble),
        lambda dx: np.asfortranarray(dx),
        lambda dx: np.ma.masked_array(dx),
    ],
)
def test_any_array_of_real_numbers_will_do(change):
    assert relu_gradient.check(changed(relu_gradient, change))


def test_single_numbers_may_be_of_any_kind():
    for kind in (float, np.float64, np.array):
        assert graph_gradients.check(lambda *a, k=kind: [k(g) for g in graph_gradients.answer(*a)])


def test_indices_may_be_of_any_kind_of_int():
    def mine(*arguments):
        terms = gradient_terms.answer(*arguments)
        return {tuple(tuple(np.int64(i) for i in index) for index in pair) for pair in terms}

    assert gradient_terms.check(mine)


@pytest.mark.parametrize(
    ("task", "change", "said"),
    [
        (conv2d_weight_gradient, lambda dw: dw.transpose(1, 0, 2, 3), "axes are in another order"),
        (conv2d_weight_gradient, lambda dw: dw.reshape(len(dw), -1), "a reshape is missing"),
        (conv2d_weight_gradient, lambda dw: dw.sum(axis=(2, 3)), "The axes KH, KW are gone"),
        (conv2d_weight_gradient, np.sum, "a single number"),
        (conv2d_bias_gradient, np.ravel, "keepdims=True"),
        (conv2d_bias_gradient, lambda db: db[..., None], "1 axis too many"),
        (conv2d_weight_gradient, lambda dw: dw[..., None] * [0.25, 0.75], "sum over 4 of yours"),
        (conv2d_weight_gradient, lambda dw: np.concatenate([dw, dw]), "2 times as long"),
        (linear_gradients, lambda all: (all[0].sum(axis=0, keepdims=True), *all[1:]), "axis D is"),
        (conv2d_output, lambda z: z[:, :, :, 2:], "rows of windows"),
        (conv2d_input_gradient, lambda dx: dx[:, :, 1:], "off by (-1, +0)"),
        (conv2d_input_gradient, lambda dx: np.ones((3, 2, 2, 3)), None),
    ],
)
def test_a_wrong_shape_is_told_which_mistake_it_is(task, change, said):
    verdict = task.check(changed(task, change))
    assert verdict.stage == "wrong shape"
    assert said is None or said in verdict.message


def test_padding_left_on_is_recognized():
    def mine(dz, w, x_shape, stride, padding):
        (N, C, H, W), (rows, columns) = x_shape, padding
        larger = N, C, H + 2 * rows, W + 2 * columns
        return conv2d_input_gradient.answer(dz, w, larger, stride, (0, 0))

    assert "crop the padding" in conv2d_input_gradient.check(mine).message


def test_dz_handed_back_is_recognized_by_its_shape():
    verdict = conv2d_input_gradient.check(lambda dz, w, x_shape, stride, padding: dz)
    assert "That is the shape of dz" in verdict.message


@pytest.mark.parametrize(
    ("task", "wrong", "said"),
    [
        (relu_gradient, lambda dz, x: -dz * (x > 0), "except for its sign"),
        (relu_gradient, lambda dz, x: 0 * dz, "all zeros"),
        (relu_gradient, lambda dz, x: 3 * dz * (x > 0), "the right one times 3."),
        (relu_gradient, lambda dz, x: (dz * (x > 0)).astype(np.float32), "float32"),
        (relu_gradient, lambda dz, x: (dz * (x > 0)).astype(int), "whole numbers"),
        (relu_gradient, lambda dz, x: np.where(x > 0, dz, np.nan), "NaN or infinity"),
        (relu_gradient, lambda dz, x: np.sort(dz * (x > 0), axis=None).reshape(x.shape), "places"),
    ],
)
def test_a_family_of_wrong_values_is_recognized(task, wrong, said):
    verdict = task.check(wrong)
    assert not verdict
    assert said in verdict.message
    named = {"sign": "sign_changed", "zeros": "all_zeros", "times": "factor_too_many"}
    named |= {"float32": "digits_lost", "whole": "cut_to_whole_numbers"}
    assert verdict.mistakes == tuple(name for word, name in named.items() if word in said)


@pytest.mark.parametrize(
    ("task", "change", "said"),
    [
        (conv2d_weight_gradient, lambda dw, dz, **_: dw * len(dz), "the right one times N:"),
        (conv2d_weight_gradient, lambda dw, dz, **_: -dw / len(dz), "divided by −N:"),
        (conv2d_weight_gradient, lambda dw, **_: dw * dw[0, 0].size, "times KH·KW:"),
        (conv2d_weight_gradient, lambda dw, **_: dw / len(dw), "divided by F:"),
        (conv2d_bias_gradient, lambda db, dz: db * dz[0, 0].size, "times OH·OW:"),
        (conv2d_bias_gradient, lambda db, dz: db[::-1], "reversed along F"),
        (conv2d_input_gradient, lambda dx, **_: np.roll(dx, 1, axis=2), "shifted by (+1, +0)"),
        (conv2d_input_gradient, lambda dx, **_: without_border(dx), "except on its border"),
        (conv2d_input_gradient, lambda dx, **_: np.flip(dx, (2, 3)), "reversed along H and W"),
        (conv2d_output, lambda z, **_: garbage_after_the_first(z), "right only at index 0 along N"),
    ],
)
def test_a_family_is_named_with_its_quantity(task, change, said):
    def wrong(*arguments):
        return change(task.answer(*arguments), **dict(zip(task.parameters, arguments, strict=True)))

    verdict = task.check(wrong)
    assert len(verdict.mistakes) == (said != "except on its border")  # which says only where
    assert verdict.explained
    assert said in verdict.message


def without_border(dx):
    inner = np.zeros_like(dx)
    inner[:, :, 1:-1, 1:-1] = dx[:, :, 1:-1, 1:-1]
    return inner


def first_sample(dx):
    dx[1:] = 0
    return dx


def garbage_after_the_first(z):
    z[1:] = np.arange(z[1:].size).reshape(z[1:].shape)
    return z


def test_the_learning_rate_is_named_as_a_factor():
    def mine(w, velocity, dw, learning_rate, momentum):
        velocity = momentum * velocity + dw
        return learning_rate * (w - learning_rate * velocity), velocity

    assert "times learning_rate" in momentum_step.check(mine).message


def test_a_transposed_weight_gradient_is_recognized():
    def mine(dz, x, w):
        dx, dw, db = cnnbp.linear_backward(dz, x, w)
        return dx, dw.T, db

    assert "axes are in another order" in linear_gradients.check(mine).message


def test_one_sample_only_is_recognized():
    verdict = conv2d_input_gradient.check(changed(conv2d_input_gradient, first_sample))
    assert verdict.mistakes == ("first_sample_only",)
    assert "what the first sample alone contributes" in verdict.message


def test_one_filter_only_is_recognized():
    def mine(dz, w, x_shape, stride, padding):
        return conv2d_input_gradient.answer(dz[:, :1], w[:1], x_shape, stride, padding)

    assert "what the first filter alone contributes" in conv2d_input_gradient.check(mine).message


def test_a_catalogued_name_outranks_a_family():
    verdict = conv2d_weight_gradient.check(
        lambda dz, *rest: conv2d_weight_gradient.answer(dz, *rest) / len(dz)
    )
    assert verdict.mistake == "divided_by_batch"
    assert "the right one divided by N" not in verdict.message


def test_a_mistake_is_named_even_if_another_part_is_wrong_as_well():
    def mine(x, kernel_size, stride, padding):
        rows, columns = padding
        wide = np.pad(x, ((0, 0), (0, 0), (rows, rows), (columns, columns)))
        z, argmax = cnnbp.max_pool2d(wide, kernel_size, stride=stride)
        h, v = np.divmod(argmax, wide.shape[3])
        return z, (h - rows) * x.shape[3] + v - columns

    assert max_pool2d_output.check(mine).mistake == "padding_wins_as_zero"


def test_a_convention_is_called_one():
    def mine(dz, x):
        return dz * (x >= 0)

    verdict = relu_gradient.check(mine)
    assert (verdict.passed, verdict.mistake) == (False, "one_at_zero")
    assert "valid convention" in verdict.message


def test_errors_alone_are_no_mistake_of_the_catalogue():
    def mine(dz, w, x_shape, stride, padding):
        raise ValueError("no idea")

    assert conv2d_input_gradient.check(mine).mistake is None


def test_missing_terms_are_counted_and_one_is_shown():
    def mine(*arguments):
        return set(sorted(gradient_terms.answer(*arguments))[:-1])

    message = gradient_terms.check(mine).message
    assert "You listed 7 of the 8 products of dw[2,0,1,1]" in message
    assert "the window at (1, 1) of sample 1 also uses this weight" in message


def test_the_worst_cell_is_shown_with_what_it_is_made_of():
    message = max_pool2d_gradient.check(lambda dz, x, *rest: 0 * x).message
    assert "expected" in message
    assert "dz[1,0,0,0]·1 + dz[1,0,0,1]·1" in message


def test_nearly_equal_numbers_are_shown_with_enough_digits():
    verdict = relu_gradient.check(lambda dz, x: dz * (x > 0) * (1 + 1e-7))
    assert "is −2.0000002, expected −2" in verdict.message


def test_yours_expected_and_difference_are_linked_tables():
    html = relu_gradient.check(lambda dz, x: dz)._repr_html_()
    assert html.count('<div class="cnnbp cnnbp-') == 1
    assert all(name in html for name in ("yours: dx", "expected", "difference"))
    assert ":hover" in html
    assert "<script" not in html


def test_a_large_result_is_cut_around_its_worst_cell():
    def mine(x, w, b, stride, padding):
        z = cnnbp.conv2d(x, w, b, stride=stride, padding=padding)
        z[-1, -1, -1, -1] += 1
        return z

    text = repr(conv2d_output.check(mine))
    assert "difference" in text
    assert max(map(len, text.splitlines())) < 400


def test_markup_in_an_error_does_not_reach_the_page():
    def mine(dz, x):
        raise ValueError("<script>alert(1)</script>")

    assert "<script>" not in relu_gradient.check(mine)._repr_html_()


def test_another_seed_has_other_numbers_and_the_same_shapes():
    first, second = (batch_norm2d_gradient.case(1, seed) for seed in (0, 1))
    assert first[0].shape == second[0].shape
    assert not np.array_equal(first[0], second[0])


def test_a_case_can_be_called_as_the_verdict_says():
    verdict = conv2d_weight_gradient.check(lambda *a: conv2d_weight_gradient.answer(*a) + 1, seed=3)
    assert "my_function(*task.case(0, seed=3))" in verdict.message
    dz, *_ = conv2d_weight_gradient.case(0, seed=3)
    assert dz.shape == (2, 1, 1, 3)


def test_trying_a_case_alone_shows_what_is_filled():
    def begins_with_two(last):
        last.backward()
        last.gradient = last.gradient * 2

    message = tape_backward.check(begins_with_two, seed=3).message
    assert "last n3 of: n0 = 5, n1 = n0·n0, n2 = n0·n0, n3 = n2 + n1." in message
    call = message.partition("Try it alone: ")[2].splitlines()[0]
    *lines, shown = call.split("; ")
    names = {"begins_with_two": begins_with_two, "task": tape_backward}
    exec("\n".join(lines), names)
    assert eval(shown, names) == [2, 1, 1]

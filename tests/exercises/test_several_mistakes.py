"""Two mistakes at once, in one part or under a condition, and what explains without a name.

Written as learners write them, in loops and slices, and without looking at the steps of a task.
"""

import numpy as np
import pytest
from helpers import cropped, padded, zeros_with_padding

import cnnbp
from cnnbp.exercises import EXERCISES

NAMED, UNNAMED = [], []


def named(task, *names):
    """Collect the function it decorates as one that makes these mistakes and no other."""
    return lambda f: NAMED.append(pytest.param(task, names, f, id=f"{task}-{len(NAMED)}"))


def explained(task, said):
    """Collect the function it decorates as one that has no name, but a sentence."""
    return lambda f: UNNAMED.append(pytest.param(task, said, f, id=f"{task}-{len(UNNAMED)}"))


def scatter(dz, w, x_shape, stride, padding, add=True):
    KH, KW = w.shape[2:]
    dx = zeros_with_padding(x_shape, padding)
    for n, i, j in np.ndindex(len(dz), *dz.shape[2:]):
        top, left = i * stride[0], j * stride[1]
        window = np.tensordot(dz[n, :, i, j], w, 1)
        before = dx[n, :, top : top + KH, left : left + KW] if add else 0
        dx[n, :, top : top + KH, left : left + KW] = before + window
    return dx


def correlate(dz, x, w_shape, stride, padding):
    x, dw = padded(x, padding), np.zeros(w_shape)
    for n, f, i, j in np.ndindex(dz.shape):
        top, left = i * stride[0], j * stride[1]
        dw[f] += dz[n, f, i, j] * x[n, :, top : top + w_shape[2], left : left + w_shape[3]]
    return dw


# Convolutions


@named("conv2d_input_gradient", "kernel_not_rotated", "overlaps_assigned")
def _(dz, w, x_shape, stride, padding):
    return cropped(scatter(dz, w[:, :, ::-1, ::-1], x_shape, stride, padding, add=False), padding)


@named("conv2d_input_gradient", "kernel_not_rotated", "padding_cropped_at_the_end")
def _(dz, w, x_shape, stride, padding):
    dx = scatter(dz, w[:, :, ::-1, ::-1], x_shape, stride, padding)
    return dx[:, :, : x_shape[2], : x_shape[3]]


@named("conv2d_input_gradient", "kernel_not_rotated", "divided_by_batch")
def _(dz, w, x_shape, stride, padding):
    dx = scatter(dz, w[:, :, ::-1, ::-1], x_shape, stride, padding)
    return cropped(dx, padding) / len(dz)


@named("conv2d_input_gradient", "overlaps_assigned", "first_sample_only")
def _(dz, w, x_shape, stride, padding):
    dx = np.zeros(x_shape)
    for n in range(len(dz)):
        one = slice(n, n + 1)
        shape = (1, *x_shape[1:])
        dx[one] = cropped(scatter(dz[one], w, shape, stride, padding, add=False), padding)
        return dx


@named("conv2d_input_gradient", "kernel_turned_by_90")
def _(dz, w, x_shape, stride, padding):
    return cropped(scatter(dz, np.rot90(w, axes=(2, 3)), x_shape, stride, padding), padding)


@named("conv2d_input_gradient", "one_stride_for_both")
def _(dz, w, x_shape, stride, padding):
    dx = np.zeros(x_shape)
    for n, f, i, j in np.ndindex(dz.shape):
        for c, a, b in np.ndindex(w.shape[1:]):
            row, column = i * stride[0] + a - padding[0], j * stride[0] + b - padding[1]
            if 0 <= row < x_shape[2] and 0 <= column < x_shape[3]:
                dx[n, c, row, column] += dz[n, f, i, j] * w[f, c, a, b]
    return dx


@named("conv2d_input_gradient", "stride_ignored", "sign_changed")
def _(dz, w, x_shape, stride, padding):
    return -cropped(scatter(dz, w, x_shape, (1, 1), padding), padding)


@named("conv2d_weight_gradient", "last_sample_only", "divided_by_batch")
def _(dz, x, w_shape, stride, padding):
    for n in range(len(x)):
        dw = correlate(dz[n : n + 1], x[n : n + 1], w_shape, stride, padding) / len(x)
    return dw


@named("conv2d_weight_gradient", "stride_ignored_in_dw", "kernel_rotated_in_dw")
def _(dz, x, w_shape, stride, padding):
    return correlate(dz, x, w_shape, (1, 1), padding)[:, :, ::-1, ::-1]


@named("conv2d_weight_gradient", "last_window_only")
def _(dz, x, w_shape, stride, padding):
    x, dw = padded(x, padding), np.zeros(w_shape)
    for f in range(w_shape[0]):
        for i, j in np.ndindex(dz.shape[2:]):
            top, left = i * stride[0], j * stride[1]
            windows = x[:, :, top : top + w_shape[2], left : left + w_shape[3]]
            dw[f] = np.tensordot(dz[:, f, i, j], windows, 1)
    return dw


def forward(x, w, b, stride, padding):
    x, (KH, KW) = padded(x, padding), w.shape[2:]
    OH, OW = (x.shape[2] - KH) // stride[0] + 1, (x.shape[3] - KW) // stride[1] + 1
    z = np.zeros((len(x), len(w), OH, OW))
    for n, f, i, j in np.ndindex(z.shape):
        top, left = i * stride[0], j * stride[1]
        z[n, f, i, j] = (x[n, :, top : top + KH, left : left + KW] * w[f]).sum() + b[f, 0, 0]
    return z


@named("conv2d_output", "kernel_rotated", "bias_left_out")
def _(x, w, b, stride, padding):
    return forward(x, np.flip(w, (2, 3)), 0 * b, stride, padding)


@named("conv2d_output", "bias_added_too_often")
def _(x, w, b, stride, padding):
    return sum(forward(x[:, [c]], w[:, [c]], b, stride, padding) for c in range(x.shape[1]))


@named("conv2d_output", "first_sample_only", "one_bias_for_all")
def _(x, w, b, stride, padding):
    z = forward(x, w, 0 * b + b[0], stride, padding)
    z[1:] = 0
    return z


@named("conv2d_bias_gradient", "last_sample_only", "bias_averaged_over_positions")
def _(dz):
    for n in range(len(dz)):
        db = dz[n].mean(axis=(1, 2))[:, None, None]
    return db


# Pooling


def pool(dz, x, kernel_size, stride, padding, write):
    wide, dx = padded(x, padding, -np.inf), zeros_with_padding(x.shape, padding)
    for n, c, i, j in np.ndindex(dz.shape):
        window = np.s_[
            n,
            c,
            i * stride[0] : i * stride[0] + kernel_size[0],
            j * stride[1] : j * stride[1] + kernel_size[1],
        ]
        write(dx[window], wide[window], dz[n, c, i, j])
    return dx


@named("max_pool2d_gradient", "every_tie_gets_all", "padding_cropped_at_the_end")
def _(dz, x, *geometry):
    def write(into, window, cell):
        into += cell * (window == window.max())

    return pool(dz, x, *geometry, write)[:, :, : x.shape[2], : x.shape[3]]


@named("max_pool2d_gradient", "winner_assigned", "divided_by_batch")
def _(dz, x, *geometry):
    def write(into, window, cell):
        into[np.unravel_index(window.argmax(), window.shape)] = cell / len(x)

    return cropped(pool(dz, x, *geometry, write), geometry[2])


@named("max_pool2d_gradient", "smallest_wins")
def _(dz, x, *geometry):
    def write(into, window, cell):
        seen = np.where(np.isinf(window), np.inf, window)
        into[np.unravel_index(seen.argmin(), seen.shape)] += cell

    return cropped(pool(dz, x, *geometry, write), geometry[2])


@named("avg_pool2d_gradient", "overlaps_assigned", "not_divided")
def _(dz, x_shape, *geometry):
    def write(into, window, cell):
        into[...] = cell

    return cropped(pool(dz, np.zeros(x_shape), *geometry, write), geometry[2])


@named("max_pool2d_output", "padding_wins_as_zero", "number_within_the_window")
def _(x, kernel_size, stride, padding):
    wide, (KH, KW) = padded(x, padding), kernel_size
    OH, OW = ((n - k) // s + 1 for n, k, s in zip(wide.shape[2:], kernel_size, stride, strict=True))
    z = np.zeros((*x.shape[:2], OH, OW))
    argmax = np.zeros(z.shape)
    for n, c, i, j in np.ndindex(z.shape):
        window = wide[n, c, i * stride[0] :, j * stride[1] :][:KH, :KW]
        z[n, c, i, j], argmax[n, c, i, j] = window.max(), window.argmax()
    return z, argmax


# Layers of numbers


@named("linear_gradients", "bias_not_a_column", "divided_by_batch")
def _(dz, x, w):
    return w.T @ dz, dz @ x.T / x.shape[1], dz.sum(axis=1)


@named("linear_gradients", "product_the_other_way_round", "bias_is_a_mean")
def _(dz, x, w):
    return w.T @ dz, x @ dz.T, dz.mean(axis=1, keepdims=True)


@named("linear_gradients", "divided_by_batch")
def _(dz, x, w):
    N = x.shape[1]
    return w.T @ dz, dz @ x.T / N, dz.sum(axis=1, keepdims=True) / N


@named("relu_gradient", "one_at_zero", "relu_upstream_forgotten")
def _(dz, x):
    return 1.0 * (x >= 0)


@named("tanh_gradient", "square_forgotten", "sign_changed")
def _(dz, x):
    return dz * (np.tanh(x) - 1)


@named("softmax_cross_entropy_gradient", "label_number_subtracted", "mean_forgotten")
def _(z, labels):
    e = np.exp(z)
    return e / e.sum(0) - labels


@named("softmax_cross_entropy_gradient", "softmax_over_the_batch", "sign_changed")
def _(z, labels):
    p = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
    p[labels, np.arange(len(labels))] -= 1
    return -p / len(labels)


@named("batch_norm2d_gradient", "eps_left_out", "scale_forgotten")
def _(dz, x, gamma, eps):
    axes = {"axis": (0, 2, 3), "keepdims": True}
    deviation = x.std(**axes)
    y = (x - x.mean(**axes)) / deviation
    return (dz - dz.mean(**axes) - y * (dz * y).mean(**axes)) / deviation


@named("momentum_step", "velocity_not_multiplied", "stepped_uphill")
def _(w, velocity, dw, learning_rate, momentum):
    velocity = velocity + dw
    return w + learning_rate * velocity, velocity


@named("clip_by_global_norm", "root_forgotten", "short_gradients_stretched")
def _(gradients, max_norm):
    total = sum((g**2).sum() for g in gradients)
    return [g * max_norm / total for g in gradients]


@named("numeric_gradient", "one_sided_difference", "own_step")
def _(f, x, step):
    dx, h = np.zeros(x.shape), 1e-3
    for k in np.ndindex(x.shape):
        moved = x.copy()
        moved[k] += h
        dx[k] = (f(moved) - f(x)) / h
    return dx


@named("graph_gradients", "path_past_w_forgotten", "square_without_its_two")
def _(x, w, b, target):
    e = w * x + b + x - target
    return e * w, e * x, e


@named("im2col", "batch_runs_slowest", "channels_run_fastest")
def _(x, kernel_size, stride, padding):
    x, (KH, KW) = padded(x, padding), kernel_size
    columns = [
        x[n, :, i : i + KH, j : j + KW].transpose(1, 2, 0).ravel()
        for n in range(len(x))
        for i in range(0, x.shape[2] - KH + 1, stride[0])
        for j in range(0, x.shape[3] - KW + 1, stride[1])
    ]
    return np.array(columns).T


@named("col2im", "channels_taken_as_fastest", "batch_taken_as_slowest")
def _(columns, x_shape, kernel_size, stride, padding):
    N, C, (KH, KW) = *x_shape[:2], kernel_size
    swapped = columns.reshape(KH, KW, C, N, -1).transpose(2, 0, 1, 4, 3).reshape(columns.shape)
    return EXERCISES["col2im"].answer(swapped, x_shape, kernel_size, stride, padding)


@named("im2col", "stride_multiplies_the_kernel_cell", "padding_counted_in_strides")
def _(x, kernel_size, stride, padding):
    (N, C, H, W), (KH, KW) = x.shape, kernel_size
    OH = (H + 2 * padding[0] - KH) // stride[0] + 1
    OW = (W + 2 * padding[1] - KW) // stride[1] + 1
    columns = np.zeros((C * KH * KW, OH * OW * N))
    for c, a, b, i, j in np.ndindex(C, KH, KW, OH, OW):
        h, v = (i + a - padding[0]) * stride[0], (j + b - padding[1]) * stride[1]
        if 0 <= h < H and 0 <= v < W:
            first = (i * OW + j) * N
            columns[(c * KH + a) * KW + b, first : first + N] = x[:, c, h, v]
    return columns


# Under a condition, or where only exceptions tell


@named("conv2d_weight_gradient", "padding_left_out")
def _(dz, x, w_shape, stride, padding):
    return correlate(dz, x, w_shape, stride, (0, 0) if stride == (1, 1) else padding)


@named("conv2d_input_gradient", "empty_where_padding_is_zero")
def _(dz, w, x_shape, stride, padding):
    dx, (p, q) = np.zeros(x_shape), padding
    dx += scatter(dz, w, x_shape, stride, padding)[:, :, p:-p, q:-q]
    return dx


@named("clip_by_global_norm", "divided_by_a_norm_of_zero")
def _(gradients, max_norm):
    scale = max_norm / float(sum((g**2).sum() for g in gradients)) ** 0.5
    return [g * min(1.0, scale) for g in gradients]


# At borders, in sets and dicts, and in the order of a function's own names


@named("conv2d_weight_gradient", "negative_indices_wrap")
def _(dz, x, w_shape, stride, padding):
    dw = np.zeros(w_shape)
    for n, f, i, j in np.ndindex(dz.shape):
        for c, a, b in np.ndindex(w_shape[1:]):
            row, column = i * stride[0] + a - padding[0], j * stride[1] + b - padding[1]
            if row < x.shape[2] and column < x.shape[3]:
                dw[f, c, a, b] += dz[n, f, i, j] * x[n, c, row, column]
    return dw


def scatter_at(dz, w, x_shape, stride, padding, wanted):
    dx = np.zeros(x_shape)
    for n, f, i, j in np.ndindex(dz.shape):
        for c, a, b in np.ndindex(w.shape[1:]):
            row, column = i * stride[0] + a - padding[0], j * stride[1] + b - padding[1]
            if wanted(row, x_shape[2]) and wanted(column, x_shape[3]):
                dx[n, c, row, column] += dz[n, f, i, j] * w[f, c, a, b]
    return dx


@named("conv2d_input_gradient", "negative_indices_wrap")
def _(*given):
    return scatter_at(*given, lambda place, size: place < size)


@named("conv2d_input_gradient", "first_pixels_left_out")
def _(*given):
    return scatter_at(*given, lambda place, size: 0 < place < size)


@named("conv2d_input_gradient", "padding_added")
def _(dz, w, x_shape, stride, padding):
    less = tuple(-p for p in padding)
    return scatter_at(dz, w, x_shape, stride, less, lambda place, size: 0 <= place < size)


@named("conv2d_weight_gradient", "kernel_not_cut_with_the_window")
def _(dz, x, w_shape, stride, padding):
    dw = np.zeros(w_shape)
    for n, f, i, j in np.ndindex(dz.shape):
        top, left = i * stride[0] - padding[0], j * stride[1] - padding[1]
        rows = slice(max(top, 0), max(top + w_shape[2], 0))
        window = x[n, :, rows, max(left, 0) : max(left + w_shape[3], 0)]
        dw[f, :, : window.shape[1], : window.shape[2]] += dz[n, f, i, j] * window
    return dw


@named("conv2d_output", "padding_of_pixels")
def _(x, w, b, stride, padding):
    wide = np.pad(x, [(0, 0), (0, 0), *((p, p) for p in padding)], mode="edge")
    return forward(wide, w, b, stride, (0, 0))


@named("conv2d_output", "padding_at_the_end")
def _(x, w, b, stride, padding):
    return forward(x, w, b, stride, (0, 0))


@named("conv2d_output", "mean_in_place_of_sum")
def _(x, w, b, stride, padding):
    return forward(x, w / w[0].size, b, stride, padding)


@named("max_pool2d_output", "largest_begins_with_zero")
def _(x, *geometry):
    z, argmax = EXERCISES["max_pool2d_output"].answer(x, *geometry)
    return np.maximum(z, 0), np.where(z > 0, argmax, 0)


@named("clip_by_global_norm", "compared_before_the_root")
def _(gradients, max_norm):
    total = sum((g**2).sum() for g in gradients)
    return [g * max_norm / total**0.5 if total > max_norm else g for g in gradients]


@named("momentum_step", "arguments_exchanged")
def _(w, velocity, dw, learning_rate, momentum):
    velocity = learning_rate * velocity + dw
    return w - momentum * velocity, velocity


@named("network_backward", "reshaped_without_transposing", "bias_left_out_forward")
def _(dz, x, w_conv, b_conv, w_linear, b_linear):
    z = cnnbp.conv2d(x, w_conv, stride=2)
    pooled, argmax = cnnbp.max_pool2d(z, 2, stride=3)
    dflat, *linear = cnnbp.linear_backward(dz, cnnbp.flatten(pooled), w_linear)
    dz_conv = cnnbp.max_pool2d_backward(dflat.reshape(pooled.shape), argmax, z.shape)
    return *cnnbp.conv2d_backward(dz_conv, x, w_conv, stride=2), *linear


@named("linear_gradients_batch_in_rows", "product_the_other_way_round", "bias_not_a_row")
def _(dz, x, w):
    return dz @ w.T, dz.T @ x, dz.sum(axis=0)


def passed_back(steps, slopes, values, start=1.0):
    gradients = dict.fromkeys(values, 0.0) | {steps[-1]: start}
    for step in steps[::-1]:
        for operand, slope in slopes[step]:
            gradients[operand] += gradients[step] * slope
    return gradients


@named("graph_backward", "loss_does_not_begin_with_one")
def _(steps, slopes, values):
    return passed_back(steps, slopes, values, values[steps[-1]])


@named("graph_backward", "one_operand_only")
def _(steps, slopes, values):
    return passed_back(steps, {name: pairs[:1] for name, pairs in slopes.items()}, values)


@named("graph_backward", "a_step_is_left_out")
def _(steps, slopes, values):
    return passed_back(steps, slopes | {steps[-1]: []}, values)


@named("gradient_terms", "stride_and_padding_ignored")
def _(wanted, index, x_shape, w_shape, stride, padding):
    (N, C, H, W), (F, _, KH, KW) = x_shape, w_shape
    OH = (H + 2 * padding[0] - KH) // stride[0] + 1
    OW = (W + 2 * padding[1] - KW) // stride[1] + 1
    found = set()
    for n, f, i, j, c, a, b in np.ndindex(N, F, OH, OW, C, KH, KW):
        pixel, weight = (n, c, i + a, j + b), (f, c, a, b)
        if i + a < H and j + b < W and index == (pixel if wanted == "dx" else weight):
            found.add(((n, f, i, j), weight if wanted == "dx" else pixel))
    return found


@named("cells_behind", "all_samples", "first_filter_only")
def _(index, x_shape, *others):
    cells = EXERCISES["cells_behind"].answer(index, x_shape, *others)
    return {(n, *cell[1:]) for n in range(x_shape[0]) for cell in cells if cell[1] == 0}


# Explained, though it has no name


@named("relu_gradient", "arguments_unused")
def _(dz, x, kept={}):  # noqa: B006
    return kept.setdefault("dx", dz * (x > 0))


@explained("relu_gradient", "An if asks one question")
def _(dz, x):
    return dz if x > 0 else 0 * dz


@explained("conv2d_weight_gradient", "An array of ints cannot hold fractions")
def _(dz, x, w_shape, stride, padding):
    dw = np.zeros(w_shape, int)
    dw += correlate(dz, x, w_shape, stride, padding)
    return dw


@named("conv2d_bias_gradient", "axes_of_length_one")
def _(dz):
    return dz.sum(axis=(0, 2, 3))


@named("graph_gradients", "square_without_its_two")
def _(x, w, b, target):
    e = w * x + b + x - target
    return e * (w + 1), 2 * e * x, 2 * e


@explained("conv2d_input_gradient", "right except on its border")
def _(dz, w, x_shape, stride, padding):
    dx = cropped(scatter(dz, w, x_shape, stride, padding), padding)
    inner = np.zeros(x_shape)
    inner[:, :, 1:-1, 1:-1] = dx[:, :, 1:-1, 1:-1]
    return inner


@pytest.mark.parametrize(("task", "names", "function"), NAMED)
def test_every_mistake_is_named_and_no_other(task, names, function):
    for seed in range(3):
        verdict = EXERCISES[task].check(function, seed=seed)
        assert not verdict
        assert set(verdict.mistakes) == set(names), verdict
        assert verdict.mistake == verdict.mistakes[0]
        assert verdict.explained


@pytest.mark.parametrize(("task", "said", "function"), UNNAMED)
def test_what_has_no_name_is_explained(task, said, function):
    verdict = EXERCISES[task].check(function)
    assert (verdict.passed, verdict.mistakes, verdict.explained) == (False, (), True), verdict
    assert said in verdict.message


def test_two_things_are_said_in_one_sentence():
    message = EXERCISES["conv2d_input_gradient"].check(NAMED[0].values[2]).message
    assert (
        "Two things at once: the kernel is not rotated by 180°, and of overlapping windows only "
        "one is left." in message
    )
    assert (
        "Reread lesson 08, dx is a full convolution with the rotated kernel; 08, dx as a" in message
    )


def test_a_mistake_found_in_one_part_speaks_of_that_part():
    def mine(dz, x, w):
        return w.T @ dz, dz @ x.T / x.shape[1], dz.sum(axis=1, keepdims=True)

    message = EXERCISES["linear_gradients"].check(mine).message
    assert message.startswith("Your dw is divided by N")


def test_an_exception_alone_names_nothing():
    def mine(dz, w, x_shape, stride, padding):
        if stride != (1, 1):
            raise ValueError("no idea")
        return EXERCISES["conv2d_input_gradient"].answer(dz, w, x_shape, stride, padding)

    assert EXERCISES["conv2d_input_gradient"].check(mine).mistakes == ()


def test_what_cannot_be_told_apart_is_said_as_either_or():
    task = EXERCISES["flatten_gradient"]
    verdict = task.check(lambda dz, x_shape: dz.T.reshape(x_shape) * 0 + dz[0, 0])
    assert verdict.mistakes == ()


def test_only_an_empty_set_is_no_evidence():
    for name in ("gradient_terms", "cells_behind"):
        assert EXERCISES[name].check(lambda *given: set()).mistakes == ()


def test_the_parts_of_a_dict_are_explained_together():
    def mine(steps, slopes, values):
        gradients = EXERCISES["graph_backward"].answer(steps, slopes, values)
        return gradients | {name: 0.0 for name in values if name not in steps}

    assert EXERCISES["graph_backward"].check(mine).mistakes == ("all_zeros",)

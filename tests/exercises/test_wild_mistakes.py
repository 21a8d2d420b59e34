"""The known mistakes once more, as learners write them: in loops, in slices, with their own names.

The catalogue holds each in one or two forms; these were written without looking there.
"""

import numpy as np
import pytest
from helpers import cropped, padded, spread, zeros_with_padding

from cnnbp import numeric_gradient
from cnnbp.exercises import EXERCISES

WILD = []


def wild(name):
    """Collect the function it decorates as an instance of "exercise.mistake"."""
    return lambda function: WILD.append(pytest.param(name, function, id=f"{name}-{len(WILD)}"))


def full_convolution(dz, kernel, x_shape, padding):
    """Slide a kernel (F, C, KH, KW) over dz as it is, dz having zeros around; crop to x."""
    (N, F, _, _), (_, _, KH, KW), (H, W) = dz.shape, kernel.shape, x_shape[2:]
    wide = np.zeros((N, F, H + 2 * padding[0] + KH - 1, W + 2 * padding[1] + KW - 1))
    wide[:, :, KH - 1 : KH - 1 + dz.shape[2], KW - 1 : KW - 1 + dz.shape[3]] = dz
    dx = zeros_with_padding(x_shape, padding)
    for i, j in np.ndindex(dx.shape[2:]):
        window = wide[:, :, i : i + KH, j : j + KW]
        dx[:, :, i, j] = np.tensordot(window, kernel, ([1, 2, 3], [0, 2, 3]))
    return cropped(dx, padding)


def scatter(dz, w, x_shape, stride, padding, write):
    """The loops of dx, with write(dx's padded window, dz's cell, one filter) in the middle."""
    KH, KW = w.shape[2:]
    dx = zeros_with_padding(x_shape, padding)
    for n, f, i, j in np.ndindex(dz.shape):
        top, left = i * stride[0], j * stride[1]
        write(dx[n, :, top : top + KH, left : left + KW], dz[n, f, i, j], w[f])
    return dx


def add(window, cell, kernel):
    window += cell * kernel


def assign(window, cell, kernel):
    window[...] = cell * kernel


@wild("conv2d_input_gradient.kernel_not_rotated")
def _(dz, w, x_shape, stride, padding):
    return full_convolution(spread(dz, stride), w, x_shape, padding)


@wild("conv2d_input_gradient.kernel_not_rotated")
def _(dz, w, x_shape, stride, padding):
    dx = scatter(dz, w[:, :, ::-1, ::-1], x_shape, stride, padding, add)
    return cropped(dx, padding)


@wild("conv2d_input_gradient.kernel_transposed")
def _(dz, w, x_shape, stride, padding):
    def add_transposed(window, cell, kernel):
        for c in range(len(kernel)):
            window[c] += cell * kernel[c].T

    return cropped(scatter(dz, w, x_shape, stride, padding, add_transposed), padding)


@wild("conv2d_input_gradient.kernel_transposed")  # only where the kernel is square
def _(dz, w, x_shape, stride, padding):
    square = w.shape[2] == w.shape[3]
    kernel = w.swapaxes(2, 3) if square else w[:, :, ::-1, ::-1]
    return full_convolution(spread(dz, stride), kernel, x_shape, padding)


@wild("conv2d_input_gradient.channel_axes_not_swapped")  # only where that raises nothing
def _(dz, w, x_shape, stride, padding):
    rotated = w[:, :, ::-1, ::-1]
    kernel = rotated.swapaxes(0, 1) if w.shape[0] == w.shape[1] else rotated
    return full_convolution(spread(dz, stride), kernel, x_shape, padding)


@wild("conv2d_input_gradient.kernel_transposed")
def _(dz, w, x_shape, stride, padding):
    return full_convolution(spread(dz, stride), w.transpose(0, 1, 3, 2), x_shape, padding)


@wild("conv2d_input_gradient.channel_axes_not_swapped")
def _(dz, w, x_shape, stride, padding):
    kernel = w[:, :, ::-1, ::-1].transpose(1, 0, 2, 3)
    return full_convolution(spread(dz, stride), kernel, x_shape, padding)


@wild("conv2d_input_gradient.channel_axes_not_swapped")
def _(dz, w, x_shape, stride, padding):
    dx = zeros_with_padding(x_shape, padding)
    for n, f, i, j in np.ndindex(dz.shape):
        for c, kh, kw in np.ndindex(w.shape[1:]):
            dx[n, c, i * stride[0] + kh, j * stride[1] + kw] += dz[n, f, i, j] * w[c, f, kh, kw]
    return cropped(dx, padding)


@wild("conv2d_input_gradient.overlaps_assigned")
def _(dz, w, x_shape, stride, padding):
    return cropped(scatter(dz, w, x_shape, stride, padding, assign), padding)


@wild("conv2d_input_gradient.overlaps_assigned")
def _(dz, w, x_shape, stride, padding):
    dx = np.zeros(x_shape)
    for f, n, i, j, c, kh, kw in np.ndindex(
        len(w), *dz.shape[::2][:1], *dz.shape[2:], *w.shape[1:]
    ):
        row, column = i * stride[0] + kh - padding[0], j * stride[1] + kw - padding[1]
        if 0 <= row < x_shape[2] and 0 <= column < x_shape[3]:
            dx[n, c, row, column] = dz[n, f, i, j] * w[f, c, kh, kw]
    return dx


@wild("conv2d_input_gradient.overlaps_assigned")
def _(dz, w, x_shape, stride, padding):
    dx, (OH, OW) = zeros_with_padding(x_shape, padding), dz.shape[2:]
    for kh, kw in np.ndindex(w.shape[2:]):
        rows = slice(kh, kh + (OH - 1) * stride[0] + 1, stride[0])
        columns = slice(kw, kw + (OW - 1) * stride[1] + 1, stride[1])
        dx[:, :, rows, columns] = np.einsum("nfij,fc->ncij", dz, w[:, :, kh, kw])
    return cropped(dx, padding)


@wild("conv2d_input_gradient.stride_ignored")
def _(dz, w, x_shape, stride, padding):
    dx = np.zeros(x_shape)
    for n, f, i, j in np.ndindex(dz.shape):
        for c, kh, kw in np.ndindex(w.shape[1:]):
            row, column = i + kh - padding[0], j + kw - padding[1]
            if 0 <= row < x_shape[2] and 0 <= column < x_shape[3]:
                dx[n, c, row, column] += dz[n, f, i, j] * w[f, c, kh, kw]
    return dx


@wild("conv2d_input_gradient.stride_ignored")
def _(dz, w, x_shape, stride, padding):
    return full_convolution(dz, w[:, :, ::-1, ::-1], x_shape, padding)


@wild("conv2d_input_gradient.stride_ignored")
def _(dz, w, x_shape, stride, padding):
    N, F, OH, OW = dz.shape
    KH, KW = w.shape[2:]
    wide = np.pad(dz, ((0, 0), (0, 0), (KH - 1, KH - 1), (KW - 1, KW - 1)))
    dx = np.zeros((N, x_shape[1], OH + KH - 1, OW + KW - 1))
    for i, j in np.ndindex(dx.shape[2:]):
        for f, a, b in np.ndindex(F, KH, KW):
            dx[:, :, i, j] += wide[:, f, i + a, j + b, None] * w[f, :, KH - 1 - a, KW - 1 - b]
    return dx


@wild("conv2d_input_gradient.padding_cropped_at_the_end")
def _(dz, w, x_shape, stride, padding):
    return scatter(dz, w, x_shape, stride, padding, add)[:, :, : x_shape[2], : x_shape[3]]


@wild("conv2d_input_gradient.empty_where_padding_is_zero")
def _(dz, w, x_shape, stride, padding):
    (a, b), dx = padding, scatter(dz, w, x_shape, stride, padding, add)
    return dx[:, :, a:-a, b:-b]


@wild("conv2d_input_gradient.summed_over_batch")
def _(dz, w, x_shape, stride, padding):
    dx = zeros_with_padding((1, *x_shape[1:]), padding)
    for n, f, i, j in np.ndindex(dz.shape):
        for c, kh, kw in np.ndindex(w.shape[1:]):
            dx[0, c, i * stride[0] + kh, j * stride[1] + kw] += dz[n, f, i, j] * w[f, c, kh, kw]
    return cropped(dx, padding)[0]


@wild("conv2d_input_gradient.averaged_over_filters")
def _(dz, w, x_shape, stride, padding):
    def average(window, cell, kernel):
        window += cell * kernel / len(w)

    return cropped(scatter(dz, w, x_shape, stride, padding, average), padding)


def correlate(x, dz, w_shape, stride, padding):
    """The loops of dw over windows."""
    x, dw = padded(x, padding), np.zeros(w_shape)
    for n, f, i, j in np.ndindex(dz.shape):
        top, left = i * stride[0], j * stride[1]
        window = x[n, :, top : top + w_shape[2], left : left + w_shape[3]]
        dw[f] += dz[n, f, i, j] * window
    return dw


@wild("conv2d_weight_gradient.kernel_rotated_in_dw")
def _(dz, x, w_shape, stride, padding):
    return correlate(x, dz, w_shape, stride, padding)[:, :, ::-1, ::-1]


@wild("conv2d_weight_gradient.kernel_rotated_in_dw")
def _(dz, x, w_shape, stride, padding):
    return correlate(x, dz[:, :, ::-1, ::-1], w_shape, stride, padding)


@wild("conv2d_weight_gradient.stride_ignored_in_dw")
def _(dz, x, w_shape, stride, padding):
    return correlate(x, dz, w_shape, (1, 1), padding)


@wild("conv2d_weight_gradient.stride_ignored_in_dw")
def _(dz, x, w_shape, stride, padding):
    x = padded(x, padding)
    OH, OW = dz.shape[2:]
    dw = np.zeros((*w_shape[:2], x.shape[2] - OH + 1, x.shape[3] - OW + 1))
    for a, b in np.ndindex(dw.shape[2:]):
        dw[:, :, a, b] = np.einsum("nfij,ncij->fc", dz, x[:, :, a : a + OH, b : b + OW])
    return dw


@wild("conv2d_weight_gradient.last_sample_only")
def _(dz, x, w_shape, stride, padding):
    for n in range(len(x)):
        dw = correlate(x[n : n + 1], dz[n : n + 1], w_shape, stride, padding)
    return dw


@wild("conv2d_weight_gradient.divided_by_batch")
def _(dz, x, w_shape, stride, padding):
    return correlate(x, dz / len(dz), w_shape, stride, padding)


@wild("conv2d_weight_gradient.mean_over_positions")
def _(dz, x, w_shape, stride, padding):
    x, dw, (OH, OW) = padded(x, padding), np.zeros(w_shape), dz.shape[2:]
    for f, c, a, b in np.ndindex(w_shape):
        rows = slice(a, a + (OH - 1) * stride[0] + 1, stride[0])
        columns = slice(b, b + (OW - 1) * stride[1] + 1, stride[1])
        dw[f, c, a, b] = (dz[:, f] * x[:, c, rows, columns]).mean(axis=(1, 2)).sum()
    return dw


@wild("conv2d_weight_gradient.summed_over_channels")
def _(dz, x, w_shape, stride, padding):
    F, _, KH, KW = w_shape
    summed = x.sum(axis=1, keepdims=True)
    return correlate(summed, dz, (F, 1, KH, KW), stride, padding)


@wild("conv2d_weight_gradient.summed_over_channels")
def _(dz, x, w_shape, stride, padding):
    dw = correlate(x, dz, w_shape, stride, padding)
    dw[:] = dw.sum(axis=1, keepdims=True)
    return dw


@wild("conv2d_weight_gradient.rows_and_columns_swapped")
def _(dz, x, w_shape, stride, padding):
    return correlate(x, dz, w_shape, stride, padding).transpose(0, 1, 3, 2)


@wild("conv2d_weight_gradient.rows_and_columns_swapped")
def _(dz, x, w_shape, stride, padding):
    x, dw = padded(x, padding), np.zeros(w_shape)
    for n, f, i, j in np.ndindex(dz.shape):
        for c, kh, kw in np.ndindex(w_shape[1:]):
            pixel = x[n, c, i * stride[0] + kh, j * stride[1] + kw]
            dw[f, c, kw, kh] += dz[n, f, i, j] * pixel
    return dw


@wild("conv2d_weight_gradient.reshaped_without_moving_the_filters")
def _(dz, x, w_shape, stride, padding):
    x, (KH, KW) = padded(x, padding), w_shape[2:]
    columns = [
        x[n, :, i * stride[0] : i * stride[0] + KH, j * stride[1] : j * stride[1] + KW].ravel()
        for n, i, j in np.ndindex(len(x), *dz.shape[2:])
    ]
    return (dz.reshape(w_shape[0], -1) @ np.array(columns)).reshape(w_shape)


@wild("conv2d_bias_gradient.not_summed_over_batch")
def _(dz):
    return np.sum(dz, axis=(-1, -2))


@wild("conv2d_bias_gradient.mean_in_place_of_sum")
def _(dz):
    return dz.mean((0, 2, 3), keepdims=True)[0]


@wild("conv2d_bias_gradient.one_bias_for_all")
def _(dz):
    db = np.zeros((dz.shape[1], 1, 1))
    db += np.sum(dz)
    return db


@wild("conv2d_bias_gradient.one_bias_for_all")
def _(dz):
    return np.array([[[dz.sum()]]])


def pool(dz, x, kernel_size, stride, padding, write):
    """The loops of max pooling with an image that is padded by −infinity."""
    wide, dx, (KH, KW) = (
        padded(x, padding, -np.inf),
        zeros_with_padding(x.shape, padding),
        kernel_size,
    )
    for n, c, i, j in np.ndindex(dz.shape):
        top, left = i * stride[0], j * stride[1]
        window = wide[n, c, top : top + KH, left : left + KW]
        write(dx[n, c, top : top + KH, left : left + KW], window, dz[n, c, i, j])
    return cropped(dx, padding)


def winner(window):
    return np.unravel_index(np.argmax(window), window.shape)


@wild("max_pool2d_gradient.window_assigned")
def _(dz, x, *geometry):
    def write(into, window, cell):
        mask = np.zeros_like(window)
        mask[winner(window)] = 1
        into[...] = mask * cell

    return pool(dz, x, *geometry, write)


@wild("max_pool2d_gradient.winner_assigned")
def _(dz, x, *geometry):
    def write(into, window, cell):
        into[winner(window)] = cell

    return pool(dz, x, *geometry, write)


@wild("max_pool2d_gradient.every_tie_gets_all")
def _(dz, x, *geometry):
    def write(into, window, cell):
        into += cell * (window == np.max(window))

    return pool(dz, x, *geometry, write)


@wild("max_pool2d_gradient.tie_split_evenly")
def _(dz, x, *geometry):
    def write(into, window, cell):
        mask = window == np.max(window)
        into += cell * mask / mask.sum()

    return pool(dz, x, *geometry, write)


@wild("max_pool2d_gradient.value_in_place_of_gradient")
def _(dz, x, *geometry):
    def write(into, window, cell):
        into[winner(window)] += window.max()

    return pool(dz, x, *geometry, write)


@wild("max_pool2d_gradient.windows_a_kernel_apart")
def _(dz, x, kernel_size, stride, padding):
    (KH, KW), wide, dx = (
        kernel_size,
        padded(x, padding, -np.inf),
        zeros_with_padding(x.shape, padding),
    )
    for n, c, i, j in np.ndindex(dz.shape):
        a, b = winner(wide[n, c, i * stride[0] :, j * stride[1] :][:KH, :KW])
        dx[n, c, i * KH + a, j * KW + b] += dz[n, c, i, j]
    return cropped(dx, padding)


@wild("max_pool2d_gradient.windows_a_kernel_apart")
def _(dz, x, kernel_size, stride, padding):
    (KH, KW), wide, dx = (
        kernel_size,
        padded(x, padding, -np.inf),
        zeros_with_padding(x.shape, padding),
    )
    for n, c, i, j in np.ndindex(dz.shape):
        a, b = winner(wide[n, c, i * KH : i * KH + KH, j * KW : j * KW + KW])
        dx[n, c, i * KH + a, j * KW + b] += dz[n, c, i, j]
    return cropped(dx, padding)


@wild("max_pool2d_gradient.one_winner_for_the_channel")
def _(dz, x, kernel_size, stride, padding):
    is_largest = x == x.max((2, 3), keepdims=True)
    return np.where(is_largest, dz.sum((2, 3), keepdims=True), 0.0)


@wild("max_pool2d_gradient.one_winner_for_the_channel")
def _(dz, x, *geometry):
    dx = np.zeros(x.shape)
    for n, c in np.ndindex(x.shape[:2]):
        dx[n, c][winner(x[n, c])] += dz[n, c].sum()
    return dx


@wild("avg_pool2d_gradient.not_divided")
def _(dz, x_shape, kernel_size, stride, padding):
    ones = np.ones((dz.shape[1], 1, *kernel_size))
    parts = [
        scatter(dz[:, c : c + 1], ones[:1], (len(dz), 1, *x_shape[2:]), stride, padding, add)
        for c in range(dz.shape[1])
    ]
    return cropped(np.concatenate(parts, axis=1), padding)


@wild("avg_pool2d_gradient.overlaps_assigned")
def _(dz, x_shape, kernel_size, stride, padding):
    dx, (KH, KW) = zeros_with_padding(x_shape, padding), kernel_size
    for i, j in np.ndindex(dz.shape[2:]):
        top, left = i * stride[0], j * stride[1]
        dx[:, :, top : top + KH, left : left + KW] = dz[:, :, i, j, None, None] / (KH * KW)
    return cropped(dx, padding)


@wild("max_pool2d_output.padding_wins_as_zero")
def _(x, kernel_size, stride, padding):
    wide, (KH, KW) = padded(x, padding), kernel_size
    OH = (wide.shape[2] - KH) // stride[0] + 1
    OW = (wide.shape[3] - KW) // stride[1] + 1
    z = np.zeros((*x.shape[:2], OH, OW))
    argmax = np.zeros(z.shape, int)
    for n, c, i, j in np.ndindex(z.shape):
        top, left = i * stride[0], j * stride[1]
        window = wide[n, c, top : top + KH, left : left + KW]
        a, b = winner(window)
        z[n, c, i, j] = window.max()
        argmax[n, c, i, j] = (top + a - padding[0]) * x.shape[3] + left + b - padding[1]
    return z, argmax


@wild("flatten_gradient.reshaped_without_transposing")
def _(dz, x_shape):
    return np.reshape(dz, x_shape)


@wild("flatten_gradient.channels_taken_as_last")
def _(dz, x_shape):
    N, C, H, W = x_shape
    return np.stack([dz[:, n].reshape(H, W, C).transpose(2, 0, 1) for n in range(N)])


@wild("linear_gradients.bias_not_a_column")
def _(dz, x, w):
    return w.T @ dz, dz @ x.T, dz.sum(axis=1)


@wild("relu_gradient.mask_from_the_upstream_sign")
def _(dz, x):
    return dz * (dz > 0)


@wild("relu_gradient.left_out")
def _(dz, x):
    return 1.0 * dz


@wild("softmax_cross_entropy_gradient.mean_forgotten")
def _(z, labels):
    p = np.exp(z) / np.exp(z).sum(0)
    p[labels, range(len(labels))] -= 1
    return p


@wild("softmax_cross_entropy_gradient.label_number_subtracted")
def _(z, labels):
    return (np.exp(z) / np.exp(z).sum(0) - labels) / len(labels)


@wild("batch_norm2d_gradient.batch_counted_only")
def _(dz, x, gamma, eps):
    N = len(x)
    centered = x - x.mean(axis=0)
    inverse = 1 / np.sqrt(x.var(axis=0) + eps)
    y, dy = centered * inverse, dz * gamma
    return inverse / N * (N * dy - dy.sum(axis=0) - y * (dy * y).sum(axis=0))


@wild("batch_norm2d_gradient.batch_counted_only")
def _(dz, x, gamma, eps):
    N, axes = len(x), {"axis": (0, 2, 3), "keepdims": True}
    inverse = 1 / np.sqrt(x.var(**axes) + eps)
    y, dy = (x - x.mean(**axes)) * inverse, dz * gamma
    return inverse / N * (N * dy - dy.sum(**axes) - y * (dy * y).sum(**axes))


@wild("batch_norm2d_gradient.divided_by_the_variance")
def _(dz, x, gamma, eps):
    axes = {"axis": (0, 2, 3), "keepdims": True}
    variance = x.var(**axes) + eps
    y, dy = (x - x.mean(**axes)) / np.sqrt(variance), dz * gamma
    return (dy - dy.mean(**axes) - y * (dy * y).mean(**axes)) / variance


@wild("batch_norm2d_gradient.sum_over_the_deviation_forgotten")
def _(dz, x, gamma, eps):
    axes, cells = {"axis": (0, 2, 3), "keepdims": True}, x[:, 0].size
    centered, variance = x - x.mean(**axes), x.var(**axes)
    dvariance = dz * gamma * centered * -0.5 * (variance + eps) ** -1.5
    dcentered = dz * gamma / np.sqrt(variance + eps) + dvariance * 2 * centered / cells
    return dcentered - dcentered.sum(**axes) / cells


@wild("batch_norm2d_gradient.sum_over_the_mean_forgotten")
def _(dz, x, gamma, eps):
    dx, (N, C, H, W) = np.zeros(x.shape), x.shape
    for c in range(C):
        centered = x[:, c] - x[:, c].mean()
        deviation = np.sqrt((centered**2).mean() + eps)
        dy = gamma[c, 0, 0] * dz[:, c]
        dvariance = -(dy * centered).sum() / deviation**3 / 2
        for n, i, j in np.ndindex(N, H, W):
            through_y = dy[n, i, j] / deviation + dvariance * 2 * centered[n, i, j] / (N * H * W)
            dx[n, c, i, j] = through_y - through_y / (N * H * W)
    return dx


@wild("momentum_step.old_velocity_forgotten")
def _(w, velocity, dw, learning_rate, momentum):
    return w - learning_rate * dw, dw.copy()


@wild("momentum_step.old_velocity_forgotten")
def _(w, velocity, dw, learning_rate, momentum):
    velocity = momentum * np.zeros_like(w) + dw
    return w - learning_rate * velocity, velocity


@wild("momentum_step.learning_rate_applied_twice")
def _(w, velocity, dw, learning_rate, momentum):
    change = learning_rate * (momentum * velocity + dw)
    return w - learning_rate * change, change


@wild("momentum_step.learning_rate_applied_twice")
def _(w, velocity, dw, learning_rate, momentum):
    new = momentum * velocity + learning_rate * dw
    return w - learning_rate * new, new


@wild("momentum_step.learning_rate_inside_the_velocity")
def _(w, velocity, dw, learning_rate, momentum):
    new = momentum * velocity - learning_rate * dw
    return w + new, new


@wild("clip_by_global_norm.each_element_clipped")
def _(gradients, max_norm):
    return [np.minimum(np.maximum(g, -max_norm), max_norm) for g in gradients]


def every_copy(x_shape, kernel_size, stride, padding, row, column, pixel):
    """(row and column of the matrix, pixel) of every copy, as counted by hand.

    row(c, kh, kw, C, KH, KW), column(i, j, n, OH, OW, N), and pixel(i, kh, stride, padding)
    """
    (N, C, H, W), (KH, KW) = x_shape, kernel_size
    OH = (H + 2 * padding[0] - KH) // stride[0] + 1
    OW = (W + 2 * padding[1] - KW) // stride[1] + 1
    for n, i, j, c, a, b in np.ndindex(N, OH, OW, C, KH, KW):
        h, v = pixel(i, a, stride[0], padding[0]), pixel(j, b, stride[1], padding[1])
        if 0 <= h < H and 0 <= v < W:
            yield (row(c, a, b, C, KH, KW), column(i, j, n, OH, OW, N)), (n, c, h, v)


COUNTED = {
    "row": lambda c, a, b, C, KH, KW: c * KH * KW + a * KW + b,
    "column": lambda i, j, n, OH, OW, N: (i * OW + j) * N + n,
    "pixel": lambda i, a, stride, padding: i * stride + a - padding,
}


def counted(im2col_name, col2im_name, **otherwise):
    """im2col and col2im in loops that count something in another way, each with its name."""
    ways = COUNTED | otherwise

    @wild(f"im2col.{im2col_name}")
    def _(x, kernel_size, stride, padding):
        right = EXERCISES["im2col"].answer(x, kernel_size, stride, padding)
        columns = np.zeros(right.shape)
        for cell, pixel in every_copy(x.shape, kernel_size, stride, padding, **ways):
            columns[cell] = x[pixel]
        return columns

    @wild(f"col2im.{col2im_name}")
    def _(columns, x_shape, kernel_size, stride, padding):
        x = np.zeros(x_shape)
        for cell, pixel in every_copy(x_shape, kernel_size, stride, padding, **ways):
            x[pixel] += columns[cell]
        return x


counted(
    *2 * ["kernel_rows_of_kh_cells"],
    row=lambda c, a, b, C, KH, KW: c * KH * KW + a * KH + b,
)
counted(*2 * ["kernel_rows_of_kh_cells"], row=lambda c, a, b, C, KH, KW: (c * KH + a) * KH + b)
counted(*2 * ["window_rows_of_oh_windows"], column=lambda i, j, n, OH, OW, N: (i * OH + j) * N + n)
counted(*2 * ["stride_multiplies_the_kernel_cell"], pixel=lambda i, a, s, p: (i + a) * s - p)
counted(*2 * ["padding_counted_in_strides"], pixel=lambda i, a, s, p: (i - p) * s + a)
counted(
    "rows_in_reverse_order",
    "rows_read_in_reverse_order",
    row=lambda c, a, b, C, KH, KW: (b * KH + a) * C + c,
)
counted(
    "columns_in_reverse_order",
    "columns_read_in_reverse_order",
    column=lambda i, j, n, OH, OW, N: (n * OW + j) * OH + i,
)
counted(
    "kernel_rotated",
    "kernel_read_backward",
    row=lambda c, a, b, C, KH, KW: c * KH * KW + (KH - 1 - a) * KW + KW - 1 - b,
)
counted(
    "kernel_rotated",
    "kernel_read_backward",
    row=lambda c, a, b, C, KH, KW: C * KH * KW - 1 - (c * KH * KW + a * KW + b),
)


def rows_of_a_padded_image(x, kernel_size, stride, padding, at):
    """im2col in an image that is padded first, with zeros that are copied like all else."""
    wide, (N, C) = padded(x, padding), x.shape[:2]
    columns = np.zeros(EXERCISES["im2col"].answer(x, kernel_size, stride, padding).shape)
    OH, OW = ((n - k) // s + 1 for n, k, s in zip(wide.shape[2:], kernel_size, stride, strict=True))
    for i, j, n in np.ndindex(OH, OW, N):
        for row, (c, a, b) in enumerate(np.ndindex(C, *kernel_size)):
            number, h, v = at(i, j, a, b, stride, OH, OW)
            columns[row, number * N + n] = wide[n, c, h, v]
    return columns


@wild("im2col.window_rows_of_oh_windows")
def _(*given):
    def at(i, j, a, b, stride, OH, OW):
        return i * OH + j, i * stride[0] + a, j * stride[1] + b

    return rows_of_a_padded_image(*given, at)


@wild("im2col.stride_multiplies_the_kernel_cell")  # an exception wherever windows are not neighbors
def _(*given):
    def at(i, j, a, b, stride, OH, OW):
        return i * OW + j, (i + a) * stride[0], (j + b) * stride[1]

    return rows_of_a_padded_image(*given, at)


def misplaced(name, pixel):
    """A convolution's three exercises in loops that meet another pixel: pixel(i, kh, s, p)."""

    def products(x_shape, w_shape, z_shape, stride, padding):
        for n, f, i, j in np.ndindex(*z_shape):
            for c, a, b in np.ndindex(*w_shape[1:]):
                row = pixel(i, a, stride[0], padding[0])
                column = pixel(j, b, stride[1], padding[1])
                if 0 <= row < x_shape[2] and 0 <= column < x_shape[3]:
                    yield (n, f, i, j), (n, c, row, column), (f, c, a, b)

    @wild(f"conv2d_output.{name}")
    def _(x, w, b, stride, padding):
        z = EXERCISES["conv2d_output"].answer(x, 0 * w, b, stride, padding)
        for cell, from_x, weight in products(x.shape, w.shape, z.shape, stride, padding):
            z[cell] += x[from_x] * w[weight]
        return z

    @wild(f"conv2d_weight_gradient.{name}")
    def _(dz, x, w_shape, stride, padding):
        dw = np.zeros(w_shape)
        for cell, from_x, weight in products(x.shape, w_shape, dz.shape, stride, padding):
            dw[weight] += dz[cell] * x[from_x]
        return dw

    @wild(f"conv2d_input_gradient.{name}")
    def _(dz, w, x_shape, stride, padding):
        dx = np.zeros(x_shape)
        for cell, from_x, weight in products(x_shape, w.shape, dz.shape, stride, padding):
            dx[from_x] += dz[cell] * w[weight]
        return dx


misplaced("stride_multiplies_the_kernel_cell", lambda i, a, s, p: (i + a) * s - p)
misplaced("padding_counted_in_strides", lambda i, a, s, p: (i - p) * s + a)


def parents_before(last, of=lambda node: node.parents):
    """The recursion of the hints."""
    nodes = []

    def visit(node):
        if node not in nodes:
            for parent in of(node):
                visit(parent)
            nodes.append(node)

    visit(last)
    return nodes


def send_all(nodes, add):
    """One step after the other; add(parent, share)."""
    for node in nodes:
        node.gradient = None
    nodes[-1].gradient = 1.0
    for node in reversed(nodes):
        for parent, share in zip(node.parents, shares_of(node), strict=True):
            add(parent, share)


def shares_of(node):
    return node.send_back(node.gradient) if node.send_back else []


def replace_it(parent, share):
    parent.gradient = share


def add_to_it(parent, share):
    before = parent.gradient
    parent.gradient = share if before is None else before + share


@wild("tape_backward.uses_overwritten")
def _(last):
    send_all(parents_before(last), replace_it)


@wild("tape_backward.uses_overwritten")  # no else
def _(last):
    nodes = parents_before(last)
    for node in nodes:
        node.gradient = None
    last.gradient = 1.0
    for node in reversed(nodes):
        for parent, share in zip(node.parents, shares_of(node), strict=True):
            if parent.gradient is None:
                parent.gradient = share


@wild("tape_backward.uses_overwritten")  # what begins anew stands in the innermost loop
def _(last):
    def anew(parent, share):
        parent.gradient = 0.0
        parent.gradient += share

    send_all(parents_before(last), anew)


@wild("tape_backward.begun_anew_inside")
def _(last):
    last.gradient = 1.0
    for node in reversed(parents_before(last)):
        for parent in node.parents:
            parent.gradient = 0.0
        for parent, share in zip(node.parents, shares_of(node), strict=True):
            add_to_it(parent, share)


@wild("tape_backward.node_goes_on_too_early")
def _(last):
    seen = set()

    def send(node):
        for parent, share in zip(node.parents, shares_of(node), strict=True):
            add_to_it(parent, share)
            if parent not in seen:
                seen.add(parent)
                send(parent)

    for node in parents_before(last):
        node.gradient = 0 * node.value
    last.gradient = 1.0
    send(last)


def waiting_list(take):
    @wild("tape_backward.handed_on_again")
    def _(last):
        for node in parents_before(last):
            node.gradient = 0.0
        last.gradient, waiting = 1.0, [last]
        while waiting:
            node = waiting.pop(take)
            for parent, share in zip(node.parents, shares_of(node), strict=True):
                add_to_it(parent, share)
                waiting.append(parent)


waiting_list(0)
waiting_list(-1)


def begun_in_part(is_begun):
    @wild("tape_backward.not_begun_anew")
    def _(last):
        nodes = parents_before(last)
        for node in filter(is_begun, nodes):
            node.gradient = None
        last.gradient = 1.0
        for node in reversed(nodes):
            for parent, share in zip(node.parents, shares_of(node), strict=True):
                add_to_it(parent, share)


begun_in_part(lambda node: not node.parents)
begun_in_part(lambda node: node.parents)


@wild("tape_backward.one_parent_only")
def _(last):
    send_all(parents_before(last, lambda node: node.parents[:1]), add_to_it)


def forward(zero):
    @wild("tape_backward.goes_forward")
    def _(last):
        nodes = parents_before(last)
        for node in nodes:
            node.gradient = zero(node)
        last.gradient = 1.0
        for node in nodes:
            for parent, share in zip(node.parents, shares_of(node), strict=True):
                add_to_it(parent, share)


forward(lambda node: 0.0)
forward(lambda node: np.zeros_like(node.value))


def send_otherwise(name, shares):
    """What is added to the parents of a node that has some: shares(node)."""

    @wild(f"tape_backward.{name}")
    def _(last):
        nodes = parents_before(last)
        for node in nodes:
            node.gradient = None
        last.gradient = np.ones(())
        while nodes:
            node = nodes.pop()
            for parent, share in zip(node.parents, node.parents and shares(node), strict=True):
                add_to_it(parent, share)


def times_its_gradient(node, shares):
    return [node.gradient * share for share in shares]


def once_for_each(node):
    """Who is a parent twice gets one share."""
    return [
        0 * share if parent in node.parents[:place] else share
        for place, (parent, share) in enumerate(zip(node.parents, shares_of(node), strict=True))
    ]


send_otherwise("gradient_not_sent", lambda node: node.send_back(1))
send_otherwise("value_sent_back", lambda node: node.send_back(node.value))
send_otherwise(
    "gradient_multiplied_afterwards",
    lambda node: times_its_gradient(node, node.send_back(np.ones(node.value.shape))),
)
send_otherwise(
    "gradient_multiplied_in_again", lambda node: times_its_gradient(node, shares_of(node))
)
send_otherwise("first_share_for_all", lambda node: shares_of(node)[:1] * len(node.parents))
send_otherwise("one_share_for_twins", once_for_each)


@wild("tape_backward.one_parent_only")
def _(last):
    send_all(parents_before(last, lambda node: node.parents[-1:]), add_to_it)


@wild("tape_backward.all_begin_with_one")
def _(last):
    nodes = parents_before(last)
    for node in nodes:
        node.gradient = 1 + 0 * node.value
    for node in nodes[::-1]:
        for parent, share in zip(node.parents, shares_of(node), strict=True):
            parent.gradient = parent.gradient + share


def every_gradient(layer, x, dz):
    """(wanted, array, gradient) of a layer by itself."""
    layer.forward(x, training=True)
    yield "dx", x, layer.backward(dz)
    for name, array in layer.params.items():
        yield f"d{name}", array, layer.grads[name].copy()


def hunter(draw_x, draw_dz, is_checked=lambda layer: True, shorter=False, factor=2):
    """The first gradient whose slope along a random direction is another one."""

    def hunted(network):
        rng = np.random.default_rng(8)
        for number, layer in enumerate(network.layers):
            x, dz = draw_x(rng, network.trace[number].x), draw_dz(rng, network.trace[number].z)
            if shorter:
                x, dz = (a[:1].copy() if a.ndim > 2 else a[:, :1].copy() for a in (x, dz))
            for wanted, array, gradient in every_gradient(layer, x, dz):
                v, before, sums = rng.standard_normal(array.shape), array.copy(), []
                for far in (1e-6, -1e-6):
                    array[...] = before + far * v
                    sums.append((layer.forward(x, training=True) * dz).sum())
                array[...] = before
                slope = (sums[0] - sums[1]) / (factor * 1e-6)
                off = abs(slope - (gradient * v).sum()) > 1e-5 * (1 + abs(slope))
                if off and is_checked(layer):
                    return number, wanted
        return None

    return hunted


def drawn(rng, array):
    return rng.standard_normal(array.shape)


def hunts(name, *given, **options):
    wild(f"locate_bug.{name}")(hunter(*given, **options))


hunts("layers_without_parameters_skipped", drawn, drawn, is_checked=lambda layer: layer.params)
hunts("one_sample_only", drawn, drawn, shorter=True)
hunts("upstream_not_negative", drawn, lambda rng, z: rng.uniform(1, 2, z.shape))
hunts("input_not_negative", lambda rng, x: rng.uniform(1, 2, x.shape), drawn)
hunts("kinks_met", lambda rng, x: rng.integers(-3, 4, x.shape) / 1, drawn)
hunts("ties_met", lambda rng, x: x.copy(), drawn)
hunts("first_compared_blamed", drawn, drawn, factor=1)


@wild("locate_bug.trace_used_as_upstream")
def _(network):
    """Each cell that the trace holds beside the products that it should be a sum of."""
    for number, (layer, step) in enumerate(zip(network.layers, network.trace, strict=True)):
        held = {"dx": step.dx} | {f"d{name}": array for name, array in layer.grads.items()}
        for wanted, array in held.items():
            sums = [network.explain(number, wanted, i).total for i in np.ndindex(array.shape)]
            if not np.allclose(sums, np.ravel(array)):
                return number, wanted
    return None


@wild("locate_bug.first_parameter_blamed")  # nothing is ever written into the layer
def _(network):
    rng = np.random.default_rng(9)
    for number, layer in enumerate(network.layers):
        x, dz = drawn(rng, network.trace[number].x), drawn(rng, network.trace[number].z)
        layer.forward(x, training=True)
        if not gradients_match(layer, x, dz, layer.backward(dz), x, lambda moved: moved):
            return number, "dx"
        for name, array in layer.params.items():
            gradient = layer.grads[name].copy()
            if not gradients_match(layer, x, dz, gradient, array, lambda moved, x=x: x):
                return number, f"d{name}"
    return None


def gradients_match(layer, x, dz, gradient, array, input_for):
    slopes = numeric_gradient(
        lambda moved: (dz * layer.forward(input_for(moved), training=True)).sum(), array
    )
    layer.forward(x, training=True)
    return np.allclose(slopes, gradient, rtol=1e-4, atol=1e-6)


def the_others(task, option, change):
    """A task's solution whose rows or columns have the other's stride or padding everywhere."""
    solution, place = EXERCISES[task].function, EXERCISES[task].parameters.index(option)

    @wild(f"{task}.one_{option}_for_both")
    def _(*given):
        return solution(*given[:place], change(given[place]), *given[place + 1 :])


for task in (
    *("conv2d_output", "conv2d_weight_gradient", "conv2d_input_gradient"),
    *("max_pool2d_output", "avg_pool2d_gradient", "im2col", "col2im"),
):
    for option in ("stride", "padding"):
        the_others(task, option, lambda pair: (pair[0], pair[0]))
        the_others(task, option, lambda pair: (pair[1], pair[1]))
        the_others(task, option, lambda pair: pair[::-1])


@pytest.mark.parametrize(("name", "function"), WILD)
def test_a_mistake_is_named_however_it_is_written(name, function):
    task, mistake = name.split(".")
    verdict = EXERCISES[task].check(function)
    assert not verdict
    assert verdict.mistake == mistake, verdict


def test_every_known_mistake_is_written_here():
    assert len({param.values[0] for param in WILD}) >= 40

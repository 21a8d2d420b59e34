"""Right answers to every exercise, each in at least three styles; its own solution is a fourth.

The first of each hands the work to the package; the others use einsum, matrix products, slices.
"""

from collections import defaultdict

import numpy as np
from helpers import cropped, padded, zeros_with_padding
from numpy.lib.stride_tricks import sliding_window_view

import cnnbp
from cnnbp.graph import fork_graph

RIGHT_ANSWERS = {}


def answers(exercise):
    """Collect the functions it decorates as right answers to an exercise."""
    return lambda function: RIGHT_ANSWERS.setdefault(exercise, []).append(function) or function


def window_view(x, kernel_size, stride):
    """(N, C, OH, OW, KH, KW)"""
    return sliding_window_view(x, kernel_size, axis=(2, 3))[:, :, :: stride[0], :: stride[1]]


def taps(kernel_size, stride, output):
    """For every kernel position, the rows and columns of a padded image that it meets."""
    for a, b in np.ndindex(*kernel_size):
        rows, columns = (
            slice(k, k + (n - 1) * s + 1, s) for k, s, n in zip((a, b), stride, output, strict=True)
        )
        yield a, b, rows, columns


# Lessons 01 and 02


@answers("graph_gradients")
def by_the_package(x, w, b, target):
    graph = fork_graph()
    found = graph.backward(graph.forward(x=x, w=w, b=b, target=target))
    return found["x"], found["w"], found["b"]


@answers("graph_gradients")
def by_a_formula(x, w, b, target):
    error = w * x + b + x - target
    return 2 * error * (w + 1), 2 * error * x, 2 * error


@answers("graph_gradients")
def by_a_jacobian(x, w, b, target):
    return tuple(2 * (w * x + b + x - target) * np.array([w + 1, x, 1.0]))


@answers("numeric_gradient")
def numeric_by_the_package(f, x, step):
    return cnnbp.numeric_gradient(f, x, step=step)


@answers("numeric_gradient")
def numeric_by_unit_vectors(f, x, step):
    moves = step * np.eye(x.size).reshape(x.size, *x.shape)
    return np.array([f(x + move) - f(x - move) for move in moves]).reshape(x.shape) / (2 * step)


@answers("numeric_gradient")
def numeric_on_a_copy(f, x, step):
    gradient = np.empty_like(x)
    for index in range(x.size):
        above, below = x.copy(), x.copy()
        above.flat[index] += step
        below.flat[index] -= step
        gradient.flat[index] = (f(above) - f(below)) / (above - below).flat[index]
    return gradient


# Lesson 03


@answers("linear_gradients")
def linear_by_the_package(dz, x, w):
    return cnnbp.linear_backward(dz, x, w)


@answers("linear_gradients")
def linear_by_einsum(dz, x, w):
    dx, dw = np.einsum("mn,md->dn", dz, w), np.einsum("mn,dn->md", dz, x)
    return dx, dw, np.einsum("mn->m", dz)[:, None]


@answers("linear_gradients")
def linear_by_outer_products(dz, x, w):
    dw = sum(np.outer(dz[:, n], x[:, n]) for n in range(x.shape[1]))
    return [w.T @ dz, dw, dz @ np.ones((dz.shape[1], 1))]


@answers("flatten_gradient")
def flatten_by_the_package(dz, x_shape):
    return cnnbp.flatten_backward(dz, x_shape)


@answers("flatten_gradient")
def flatten_by_transposing(dz, x_shape):
    return dz.T.reshape(x_shape)


@answers("flatten_gradient")
def flatten_by_moving_the_batch(dz, x_shape):
    return np.moveaxis(dz.reshape(*x_shape[1:], x_shape[0]), 3, 0)


@answers("shared_trunk_gradient")
def trunk_by_the_package(dz_class, dz_box, x, w_class, w_box):
    heads = (dz_class, w_class), (dz_box, w_box)
    return sum(cnnbp.linear_backward(dz, x, w)[0] for dz, w in heads)


@answers("shared_trunk_gradient")
def trunk_by_one_product(dz_class, dz_box, x, w_class, w_box):
    return np.vstack([w_class, w_box]).T @ np.vstack([dz_class, dz_box])


@answers("shared_trunk_gradient")
def trunk_by_einsum(dz_class, dz_box, x, w_class, w_box):
    return np.einsum("kn,kd->dn", dz_class, w_class) + np.einsum("kn,kd->dn", dz_box, w_box)


# Lesson 04


@answers("relu_gradient")
def relu_by_the_package(dz, x):
    return cnnbp.relu_backward(dz, x)


@answers("relu_gradient")
def relu_by_a_mask(dz, x):
    return dz * (x > 0)


@answers("relu_gradient")
def relu_by_assignment(dz, x):
    dx = dz.copy()
    dx[x <= 0] = 0
    return dx


@answers("sigmoid_gradient")
def sigmoid_by_the_package(dz, x):
    return cnnbp.sigmoid_backward(dz, x)


@answers("sigmoid_gradient")
def sigmoid_by_the_output(dz, x):
    s = 1 / (1 + np.exp(-x))
    return dz * s * (1 - s)


@answers("sigmoid_gradient")
def sigmoid_by_the_exponential(dz, x):
    return dz * np.exp(-x) / (1 + np.exp(-x)) ** 2


@answers("tanh_gradient")
def tanh_by_the_package(dz, x):
    return cnnbp.tanh_backward(dz, x)


@answers("tanh_gradient")
def tanh_by_the_output(dz, x):
    return dz * (1 - np.tanh(x) ** 2)


@answers("tanh_gradient")
def tanh_by_cosh(dz, x):
    return dz / np.cosh(x) ** 2


@answers("softmax_cross_entropy_gradient")
def loss_by_the_package(z, labels):
    return cnnbp.softmax_cross_entropy(z, labels)[1]


@answers("softmax_cross_entropy_gradient")
def loss_by_one_hot_columns(z, labels):
    p = np.exp(z) / np.exp(z).sum(axis=0)
    return (p - np.eye(len(z))[:, labels]) / z.shape[1]


@answers("softmax_cross_entropy_gradient")
def loss_by_fancy_indexing(z, labels):
    p = np.exp(z - z.max(axis=0, keepdims=True))
    p /= p.sum(axis=0, keepdims=True)
    p[labels, np.arange(len(labels))] -= 1
    return p / len(labels)


# Lessons 05 and 06


@answers("conv2d_output")
def output_by_the_package(x, w, b, stride, padding):
    return cnnbp.conv2d(x, w, b, stride=stride, padding=padding)


@answers("conv2d_output")
def output_by_einsum(x, w, b, stride, padding):
    view = window_view(padded(x, padding), w.shape[2:], stride)
    return np.einsum("ncijab,fcab->nfij", view, w) + b


@answers("conv2d_output")
def output_by_matrix_product(x, w, b, stride, padding):
    view = window_view(padded(x, padding), w.shape[2:], stride).transpose(1, 4, 5, 0, 2, 3)
    z = w.reshape(len(w), -1) @ view.reshape(w[0].size, -1)
    return z.reshape(len(w), *view.shape[3:]).transpose(1, 0, 2, 3) + b


@answers("conv2d_weight_gradient")
def weights_by_the_package(dz, x, w_shape, stride, padding):
    return cnnbp.conv2d_backward(dz, x, np.ones(w_shape), stride=stride, padding=padding)[1]


@answers("conv2d_weight_gradient")
def weights_by_einsum(dz, x, w_shape, stride, padding):
    return np.einsum("nfij,ncijab->fcab", dz, window_view(padded(x, padding), w_shape[2:], stride))


@answers("conv2d_weight_gradient")
def weights_by_matrix_product(dz, x, w_shape, stride, padding):
    view = window_view(padded(x, padding), w_shape[2:], stride).transpose(0, 2, 3, 1, 4, 5)
    rows = dz.transpose(1, 0, 2, 3).reshape(w_shape[0], -1)
    return (rows @ view.reshape(rows.shape[1], -1)).reshape(w_shape)


@answers("conv2d_input_gradient")
def input_by_the_package(dz, w, x_shape, stride, padding):
    return cnnbp.conv2d_backward(dz, np.ones(x_shape), w, stride=stride, padding=padding)[0]


@answers("conv2d_input_gradient")
def input_by_einsum(dz, w, x_shape, stride, padding):
    dx = zeros_with_padding(x_shape, padding)
    for a, b, rows, columns in taps(w.shape[2:], stride, dz.shape[2:]):
        dx[:, :, rows, columns] += np.einsum("nfij,fc->ncij", dz, w[:, :, a, b])
    return cropped(dx, padding)


@answers("conv2d_input_gradient")
def input_by_full_convolution(dz, w, x_shape, stride, padding):
    (N, F, OH, OW), (KH, KW) = dz.shape, w.shape[2:]
    H, W = (n + 2 * p for n, p in zip(x_shape[2:], padding, strict=True))
    spread = np.zeros((N, F, H + KH - 1, W + KW - 1))  # zeros around and for the remainder, too
    rows, columns = (
        slice(k - 1, k - 1 + s * n, s) for k, s, n in zip((KH, KW), stride, (OH, OW), strict=True)
    )
    spread[:, :, rows, columns][:, :, :OH, :OW] = dz
    view = sliding_window_view(spread, (KH, KW), axis=(2, 3))
    return cropped(np.einsum("nfhvab,fcab->nchv", view, w[:, :, ::-1, ::-1]), padding)


@answers("conv2d_bias_gradient")
def bias_by_the_package(dz):
    return cnnbp.conv2d_backward(dz, np.ones((len(dz), 1, *dz.shape[2:])), bank(dz))[2]


def bank(dz):
    return np.ones((dz.shape[1], 1, 1, 1))


@answers("conv2d_bias_gradient")
def bias_by_sum(dz):
    return dz.sum(axis=(0, 2, 3), keepdims=True)[0]


@answers("conv2d_bias_gradient")
def bias_by_matrix_product(dz):
    rows = dz.transpose(1, 0, 2, 3).reshape(dz.shape[1], -1)
    return (rows @ np.ones(rows.shape[1])).reshape(-1, 1, 1)


@answers("gradient_terms")
def terms_by_the_package(wanted, index, x_shape, w_shape, stride, padding):
    x, w = np.ones(x_shape), np.ones(w_shape)
    dz = np.ones_like(cnnbp.conv2d(x, w, stride=stride, padding=padding))
    arrays = {"dz": dz, "x": x, "w": w}
    cell = cnnbp.explain_conv2d(wanted, index, **arrays, stride=stride, padding=padding)
    return {(term.left_index, term.right_index) for term in cell.terms}


@answers("gradient_terms")
def terms_by_arithmetic(wanted, index, x_shape, w_shape, stride, padding):
    (N, _, H, W), (F, _, KH, KW) = x_shape, w_shape
    n_or_f, c, p, q = index
    OH, OW = (
        (size + 2 * pad - kernel) // s + 1
        for size, kernel, s, pad in zip((H, W), (KH, KW), stride, padding, strict=True)
    )
    found = []
    for i in range(OH):
        for j in range(OW):
            top, left = i * stride[0] - padding[0], j * stride[1] - padding[1]
            if wanted == "dx" and 0 <= p - top < KH and 0 <= q - left < KW:
                found += [((n_or_f, f, i, j), (f, c, p - top, q - left)) for f in range(F)]
            if wanted == "dw" and 0 <= top + p < H and 0 <= left + q < W:
                found += [((n, n_or_f, i, j), (n, c, top + p, left + q)) for n in range(N)]
    return frozenset(found)


@answers("gradient_terms")
def terms_by_numbered_pixels(wanted, index, x_shape, w_shape, stride, padding):
    kernel = np.arange(w_shape[2] * w_shape[3]).reshape(w_shape[2:])
    image = np.arange(1, x_shape[2] * x_shape[3] + 1).reshape(1, 1, *x_shape[2:])
    view = window_view(padded(image, padding, 0), kernel.shape, stride)[0, 0]
    found = set()
    for i, j, a, b in np.argwhere((view > 0) | False):
        h, v = divmod(view[i, j, a, b] - 1, x_shape[3])
        if wanted == "dx" and (h, v) == index[2:]:
            found |= {((index[0], f, i, j), (f, index[1], a, b)) for f in range(w_shape[0])}
        if wanted == "dw" and (a, b) == index[2:]:
            found |= {((n, index[0], i, j), (n, index[1], h, v)) for n in range(x_shape[0])}
    return found


@answers("conv2d_circular_gradient")
def circular_by_the_package(dz, x, w):
    (_, _, H, W), (KH, KW) = x.shape, w.shape[2:]
    wrapped = np.pad(x, ((0, 0), (0, 0), (0, KH - 1), (0, KW - 1)), mode="wrap")
    wide, dw, _ = cnnbp.conv2d_backward(dz, wrapped, w)
    dx = np.zeros(x.shape)
    for h, v in np.ndindex(wide.shape[2:]):
        dx[:, :, h % H, v % W] += wide[:, :, h, v]
    return dx, dw


@answers("conv2d_circular_gradient")
def circular_by_rolling(dz, x, w):
    dx, dw = np.zeros(x.shape), np.zeros(w.shape)
    for a, b in np.ndindex(w.shape[2:]):
        dx += np.roll(np.einsum("nfij,fc->ncij", dz, w[:, :, a, b]), (a, b), axis=(2, 3))
        dw[:, :, a, b] = np.einsum("nfij,ncij->fc", dz, np.roll(x, (-a, -b), axis=(2, 3)))
    return dx, dw


@answers("conv2d_circular_gradient")
def circular_by_fourier_transform(dz, x, w):
    kernel = np.zeros((*w.shape[:2], *x.shape[2:]))
    kernel[:, :, : w.shape[2], : w.shape[3]] = w
    dz_waves, x_waves, w_waves = map(np.fft.fft2, (dz, x, kernel))
    dx = np.fft.ifft2(np.einsum("nfij,fcij->ncij", dz_waves, w_waves)).real
    dw = np.fft.ifft2(np.einsum("nfij,ncij->fcij", dz_waves.conj(), x_waves)).real
    return dx, dw[:, :, : w.shape[2], : w.shape[3]]


@answers("tied_kernel_gradient")
def tied_by_the_package(dz, x, w):
    y = cnnbp.conv2d(x, w)
    dy, second, _ = cnnbp.conv2d_backward(dz, y, w)
    return second + cnnbp.conv2d_backward(dy, x, w)[1]


@answers("tied_kernel_gradient")
def tied_by_einsum(dz, x, w):
    one = (1, 1)
    y = np.einsum("ncijab,fcab->nfij", window_view(x, w.shape[2:], one), w)
    dy = input_by_einsum(dz, w, y.shape, one, (0, 0))
    uses = (dz, y), (dy, x)
    return sum(
        np.einsum("nfij,ncijab->fcab", g, window_view(into, w.shape[2:], one)) for g, into in uses
    )


@answers("tied_kernel_gradient")
def tied_by_matrix_product(dz, x, w):
    y = output_by_matrix_product(x, w, 0, (1, 1), (0, 0))
    dy = input_by_full_convolution(dz, w, y.shape, (1, 1), (0, 0))
    second = weights_by_matrix_product(dz, y, w.shape, (1, 1), (0, 0))
    return second + weights_by_matrix_product(dy, x, w.shape, (1, 1), (0, 0))


# Lesson 07


@answers("max_pool2d_output")
def max_by_the_package(x, kernel_size, stride, padding):
    return cnnbp.max_pool2d(x, kernel_size, stride=stride, padding=padding)


@answers("max_pool2d_output")
def max_by_windows(x, kernel_size, stride, padding):
    number = np.broadcast_to(np.arange(x[0, 0].size).reshape(x.shape[2:]), x.shape)
    view = window_view(padded(x, padding, -np.inf), kernel_size, stride)
    view = view.reshape(*view.shape[:4], -1)
    numbers = window_view(padded(number, padding, -1), kernel_size, stride)
    winner = view.argmax(axis=-1)[..., None]
    argmax = np.take_along_axis(numbers.reshape(view.shape), winner, axis=-1)
    return view.max(axis=-1), argmax[..., 0]


@answers("max_pool2d_output")
def max_by_taps(x, kernel_size, stride, padding):
    wide = padded(x, padding, -np.inf)
    z = window_view(wide, kernel_size, stride).max(axis=(4, 5))
    argmax = np.full(z.shape, -1)
    OH, OW = z.shape[2:]
    for a, b, rows, columns in taps(kernel_size, stride, (OH, OW)):
        h = np.arange(OH)[:, None] * stride[0] + a - padding[0]
        v = np.arange(OW) * stride[1] + b - padding[1]
        new = (wide[:, :, rows, columns] == z) & (argmax < 0)
        argmax = np.where(new, h * x.shape[3] + v, argmax)
    return z, argmax


@answers("max_pool2d_gradient")
def max_gradient_by_the_package(dz, x, kernel_size, stride, padding):
    _, argmax = cnnbp.max_pool2d(x, kernel_size, stride=stride, padding=padding)
    return cnnbp.max_pool2d_backward(dz, argmax, x.shape)


@answers("max_pool2d_gradient")
def max_gradient_by_masks(dz, x, kernel_size, stride, padding):
    wide, dx = padded(x, padding, -np.inf), zeros_with_padding(x.shape, padding)
    z = window_view(wide, kernel_size, stride).max(axis=(4, 5))
    waiting = np.ones(z.shape, bool)
    for _, _, rows, columns in taps(kernel_size, stride, z.shape[2:]):
        wins = waiting & (wide[:, :, rows, columns] == z)
        dx[:, :, rows, columns] += dz * wins
        waiting &= ~wins
    return cropped(dx, padding)


@answers("max_pool2d_gradient")
def max_gradient_by_counting(dz, x, kernel_size, stride, padding):
    _, argmax = max_by_windows(x, kernel_size, stride, padding)
    dx = np.zeros(x.shape)
    for n, c in np.ndindex(x.shape[:2]):
        sums = np.bincount(argmax[n, c].ravel(), dz[n, c].ravel(), minlength=x[n, c].size)
        dx[n, c] = sums.reshape(x.shape[2:])
    return dx


@answers("avg_pool2d_gradient")
def avg_by_the_package(dz, x_shape, kernel_size, stride, padding):
    return cnnbp.avg_pool2d_backward(dz, x_shape, kernel_size, stride=stride, padding=padding)


@answers("avg_pool2d_gradient")
def avg_by_taps(dz, x_shape, kernel_size, stride, padding):
    dx = zeros_with_padding(x_shape, padding)
    for _, _, rows, columns in taps(kernel_size, stride, dz.shape[2:]):
        dx[:, :, rows, columns] += dz
    return cropped(dx, padding) / np.prod(kernel_size)


@answers("avg_pool2d_gradient")
def avg_by_matrix_product(dz, x_shape, kernel_size, stride, padding):
    sides = [
        np.array([[0 <= h + p - i * s < k for i in range(n)] for h in range(size)], float) / k
        for size, n, k, s, p in zip(
            x_shape[2:], dz.shape[2:], kernel_size, stride, padding, strict=True
        )
    ]
    return sides[0] @ dz @ sides[1].T


@answers("mean_of_top_two_gradient")
def top_two_by_the_package(dz, x, kernel_size, stride):
    _, first = cnnbp.max_pool2d(x, kernel_size, stride=stride)
    dx = np.zeros(x.shape)
    for n, c, i, j in np.ndindex(dz.shape):
        without = x[n : n + 1, c : c + 1].copy()
        without.reshape(-1)[first[n, c, i, j]] = -np.inf
        second = cnnbp.max_pool2d(without, kernel_size, stride=stride)[1][0, 0, i, j]
        for winner in (first[n, c, i, j], second):
            dx[n, c, *divmod(winner, x.shape[3])] += dz[n, c, i, j] / 2
    return dx


@answers("mean_of_top_two_gradient")
def top_two_by_masks(dz, x, kernel_size, stride):
    view = window_view(x, kernel_size, stride)
    second = np.sort(view.reshape(*view.shape[:4], -1), axis=-1)[..., -2]
    dx = np.zeros(x.shape)
    for _, _, rows, columns in taps(kernel_size, stride, dz.shape[2:]):
        dx[:, :, rows, columns] += (x[:, :, rows, columns] >= second) * dz / 2
    return dx


@answers("mean_of_top_two_gradient")
def top_two_by_sorting(dz, x, kernel_size, stride):
    number = np.arange(x.size).reshape(x.shape)
    view = window_view(x, kernel_size, stride).reshape(*dz.shape, -1)
    numbers = window_view(number, kernel_size, stride).reshape(view.shape)
    winners = np.take_along_axis(numbers, view.argsort(axis=-1)[..., -2:], axis=-1)
    halves = np.repeat(dz.ravel() / 2, 2)
    return np.bincount(winners.ravel(), halves, minlength=x.size).reshape(x.shape)


# Lessons 09 to 11


def layer_of(params, grads):
    """A layer that holds these arrays."""
    layer = cnnbp.Linear(1, 1)
    for held, arrays in ((layer.params, params), (layer.grads, grads)):
        held.clear()
        held.update(arrays)
    return layer


@answers("momentum_step")
def step_by_the_package(w, velocity, dw, learning_rate, momentum):
    layer = layer_of({"w": w.copy()}, {"w": dw})
    optimizer = cnnbp.SGD(layer, learning_rate, momentum)
    optimizer.velocity = {"w": velocity.copy()}
    optimizer.step()
    return layer.params["w"], optimizer.velocity["w"]


@answers("momentum_step")
def step_in_two_lines(w, velocity, dw, learning_rate, momentum):
    velocity = momentum * velocity + dw
    return w - learning_rate * velocity, velocity


@answers("momentum_step")
def step_in_one_line(w, velocity, dw, learning_rate, momentum):
    return w - learning_rate * dw - learning_rate * momentum * velocity, dw + momentum * velocity


@answers("clip_by_global_norm")
def clip_by_the_package(gradients, max_norm):
    layer = layer_of({}, {str(i): gradient.copy() for i, gradient in enumerate(gradients)})
    cnnbp.clip_gradients(layer, max_norm)
    return list(layer.grads.values())


@answers("clip_by_global_norm")
def clip_by_the_norm_of_norms(gradients, max_norm):
    norm = np.linalg.norm([np.linalg.norm(gradient) for gradient in gradients])
    return [gradient * min(1, max_norm / norm) for gradient in gradients]


@answers("clip_by_global_norm")
def clip_by_one_vector(gradients, max_norm):
    vector = np.concatenate([gradient.ravel() for gradient in gradients])
    return tuple(gradient / max(1, np.sqrt(vector @ vector) / max_norm) for gradient in gradients)


@answers("batch_norm2d_gradient")
def norm_by_the_package(dz, x, gamma, eps):
    return cnnbp.batch_norm2d_backward(dz, x, gamma, eps=eps)[0]


@answers("batch_norm2d_gradient")
def norm_by_every_path(dz, x, gamma, eps):
    axes, count = {"axis": (0, 2, 3), "keepdims": True}, x[:, 0].size
    centered = x - x.mean(**axes)
    variance = (centered**2).mean(**axes)
    dy = gamma * dz
    dvariance = (dy * centered).sum(**axes) * -0.5 * (variance + eps) ** -1.5
    dcentered = dy / np.sqrt(variance + eps) + dvariance * 2 * centered / count
    return dcentered - dcentered.mean(**axes)


@answers("batch_norm2d_gradient")
def norm_by_a_jacobian(dz, x, gamma, eps):
    dx = np.empty_like(x)
    for c in range(x.shape[1]):
        values, count = x[:, c].ravel(), x[:, c].size
        deviation = np.sqrt(values.var() + eps)
        y = (values - values.mean()) / deviation
        jacobian = (np.eye(count) - 1 / count - np.outer(y, y) / count) / deviation
        dx[:, c] = (gamma[c].item() * jacobian @ dz[:, c].ravel()).reshape(x[:, c].shape)
    return dx


@answers("im2col")
def columns_by_the_package(x, kernel_size, stride, padding):
    return cnnbp.im2col(x, kernel_size, stride=stride, padding=padding)


@answers("im2col")
def columns_by_a_view(x, kernel_size, stride, padding):
    view = window_view(padded(x, padding), kernel_size, stride).transpose(1, 4, 5, 2, 3, 0)
    return view.reshape(np.prod(view.shape[:3]), -1)


@answers("im2col")
def columns_tap_by_tap(x, kernel_size, *, stride, padding):
    wide = padded(x, padding)
    output = window_view(wide, kernel_size, stride).shape[2:4]
    rows = {
        (a, b): wide[:, :, rows, columns].transpose(1, 2, 3, 0).reshape(x.shape[1], -1)
        for a, b, rows, columns in taps(kernel_size, stride, output)
    }
    return np.stack([rows[tap] for tap in np.ndindex(*kernel_size)], axis=1).reshape(
        -1, np.prod(output) * len(x)
    )


@answers("col2im")
def image_by_the_package(columns, x_shape, kernel_size, stride, padding):
    return cnnbp.col2im(columns, x_shape, kernel_size, stride=stride, padding=padding)


@answers("col2im")
def image_by_the_adjoint(columns, x_shape, kernel_size, stride, padding):
    x = np.zeros(x_shape)
    for index in np.ndindex(*x_shape):
        one = np.zeros(x_shape)
        one[index] = 1
        x[index] = (columns * columns_by_a_view(one, kernel_size, stride, padding)).sum()
    return x


@answers("col2im")
def image_by_taps(columns, x_shape, kernel_size, stride, padding):
    x = zeros_with_padding(x_shape, padding)
    output = window_view(x, kernel_size, stride).shape[2:4]
    cells = columns.reshape(x_shape[1], *kernel_size, *output, x_shape[0])
    for a, b, rows, slots in taps(kernel_size, stride, output):
        x[:, :, rows, slots] += cells[:, a, b].transpose(3, 0, 1, 2)
    return cropped(x, padding)


# Lesson 00


@answers("double")
def doubled_at_once(x):
    return 2 * x


@answers("double")
def added_to_itself(x):
    return x + x


@answers("double")
def doubled_in_a_copy(x):
    y = x.copy()
    y *= 2
    return y


# Lesson 01's loop


@answers("graph_backward")
def by_paths(steps, slopes, values):
    def sent(name):
        if name == steps[-1]:
            return 1.0
        return sum(
            slope * sent(step) for step in steps for operand, slope in slopes[step]
            if operand == name
        )  # fmt: skip

    return {name: sent(name) for name in values}


@answers("graph_backward")
def by_a_default_of_zero(steps, slopes, values):
    found = defaultdict(float, {steps[-1]: 1.0})
    for step in steps[::-1]:
        for operand, slope in slopes[step]:
            found[operand] += slope * found[step]
    return {name: np.float64(found[name]) for name in values}


@answers("graph_backward")
def by_a_matrix(steps, slopes, values):
    names = list(values)
    local = np.zeros((len(names), len(names)))
    for step in steps:
        for operand, slope in slopes[step]:
            local[names.index(operand), names.index(step)] += slope
    loss = np.eye(len(names))[names.index(steps[-1])]
    found = np.linalg.solve(np.eye(len(names)) - local, loss)
    return dict(zip(names, found, strict=True))


# Lesson 03, samples in rows


@answers("linear_gradients_batch_in_rows")
def rows_as_columns(dz, x, w):
    dx, dw, db = cnnbp.linear_backward(dz.T, x.T, w.T)
    return dx.T, dw.T, db.T


@answers("linear_gradients_batch_in_rows")
def rows_as_products(dz, x, w):
    return dz @ w.T, x.T @ dz, np.ones((1, len(dz))) @ dz


@answers("linear_gradients_batch_in_rows")
def rows_by_einsum(dz, x, w):
    return (
        np.einsum("nm,dm->nd", dz, w),
        np.einsum("nd,nm->dm", x, dz),
        np.einsum("nm->m", dz)[None],
    )


# Lesson 08


@answers("network_backward")
def by_the_packages_network(dz, x, w_conv, b_conv, w_linear, b_linear):
    F, C, *kernel = w_conv.shape
    conv = cnnbp.Conv2d(C, F, tuple(kernel), stride=2)
    dense = cnnbp.Linear(w_linear.shape[1], len(w_linear))
    network = cnnbp.Network([conv, cnnbp.MaxPool2d(2, stride=3), cnnbp.Flatten(), dense])
    for name, value in zip(network.params, (w_conv, b_conv, w_linear, b_linear), strict=True):
        network.params[name][...] = value
    network.forward(x)
    dx = network.backward(dz)
    return dx, *(network.grads[name] for name in ("0.w", "0.b", "3.w", "3.b"))


@answers("network_backward")
def layer_by_layer(dz, x, w_conv, b_conv, w_linear, b_linear):
    z = cnnbp.conv2d(x, w_conv, b_conv, stride=2)
    pooled, argmax = cnnbp.max_pool2d(z, 2, stride=3)
    columns = pooled.reshape(len(x), -1).T
    dpooled = (w_linear.T @ dz).T.reshape(pooled.shape)
    dz_conv = cnnbp.max_pool2d_backward(dpooled, argmax, z.shape)
    dx, dw, db = cnnbp.conv2d_backward(dz_conv, x, w_conv, stride=2)
    return [dx, dw, db, dz @ columns.T, dz.sum(axis=1, keepdims=True)]


@answers("network_backward")
def by_loops_over_the_images(dz, x, w_conv, b_conv, w_linear, b_linear):
    found = [layer_by_layer(dz[:, n : n + 1], x[n : n + 1], w_conv, b_conv, w_linear, b_linear)
             for n in range(len(x))]  # fmt: skip
    dx, *others = zip(*found, strict=True)
    return np.concatenate(dx), *map(sum, others)


@answers("cells_behind")
def cells_by_their_windows(index, x_shape, w_shape, stride, padding, pool_size, pool_stride):
    conv = window_view(np.zeros((1, 1, *np.add(x_shape[2:], np.multiply(2, padding)))),
                       w_shape[2:], stride).shape[2:4]  # fmt: skip
    pool = window_view(np.zeros((1, 1, *conv)), pool_size, pool_stride).shape[2:4]
    at = np.add(index[2:], padding)
    found = set()
    for window in np.ndindex(*pool):
        for step in np.ndindex(*pool_size):
            corner = np.multiply(np.multiply(window, pool_stride) + step, stride)
            if all(corner <= at) and all(at < corner + w_shape[2:]):
                found |= {(index[0], f, *window) for f in range(w_shape[0])}
    return found


@answers("cells_behind")
def cells_by_a_gradient(index, x_shape, w_shape, stride, padding, pool_size, pool_stride):
    x, w = np.zeros(x_shape), np.ones(w_shape)
    x[index] = 1
    z = cnnbp.conv2d(x, w, stride=stride, padding=padding)
    pooled, _ = cnnbp.max_pool2d(z, pool_size, stride=pool_stride)
    return {tuple(each) for each in np.argwhere(pooled)}


@answers("cells_behind")
def cells_by_ranges(index, x_shape, w_shape, stride, padding, pool_size, pool_stride):
    def along(axis):
        k, s, p = w_shape[2 + axis], stride[axis], padding[axis]
        size = (x_shape[2 + axis] + 2 * p - k) // s + 1
        used = {i for i in range(size) if 0 <= index[2 + axis] + p - i * s < k}
        windows = range((size - pool_size[axis]) // pool_stride[axis] + 1)
        step = pool_stride[axis]
        return [i for i in windows if used & set(range(i * step, i * step + pool_size[axis]))]

    filters = range(w_shape[0])
    return {(index[0], f, i, j) for f in filters for i in along(0) for j in along(1)}


@answers("intersection_over_union")
def boxes_by_the_package(a, b):
    return cnnbp.intersection_over_union(a, b)


@answers("intersection_over_union")
def boxes_by_arrays(a, b):
    top, left = np.maximum(a[0], b[0]), np.maximum(a[1], b[1])
    bottom, right = np.minimum(a[2], b[2]), np.minimum(a[3], b[3])
    shared = np.clip(bottom - top, 0, None) * np.clip(right - left, 0, None)
    areas = [(box[2] - box[0]) * (box[3] - box[1]) for box in (a, b)]
    return shared / (areas[0] + areas[1] - shared)


@answers("intersection_over_union")
def boxes_one_by_one(a, b):
    found = []
    for one, other in zip(a.T, b.T, strict=True):
        rows = max(0, min(one[2], other[2]) - max(one[0], other[0]))
        columns = max(0, min(one[3], other[3]) - max(one[1], other[1]))
        area = sum((box[2] - box[0]) * (box[3] - box[1]) for box in (one, other))
        found.append(rows * columns / (area - rows * columns))
    return np.array(found)


@answers("locate_bug")
def bug_by_the_package(network):
    rng = np.random.default_rng(5)
    for number, (layer, step) in enumerate(zip(network.layers, network.trace, strict=True)):
        x, dz = rng.standard_normal(step.x.shape), rng.standard_normal(step.z.shape)
        layer.forward(x, training=True)
        yours = {"x": layer.backward(dz), **layer.grads}
        for name, array in {"x": x, **layer.params}.items():
            v, kept = rng.standard_normal(array.shape), array.copy()

            def loss(t, array=array, layer=layer, x=x, dz=dz, v=v, kept=kept):
                array[...] = kept + t * v
                return (dz * layer.forward(x, training=True)).sum()

            slope = cnnbp.numeric_gradient(loss, np.zeros(1), step=1e-6)
            array[...] = kept
            if cnnbp.relative_error(slope, [(yours[name] * v).sum()]) > 1e-4:
                return number, f"d{name}"
    return None


def slopes(layer, x, dz, array):
    """The numeric gradient of (dz * z).sum() by an array that the layer holds."""

    def loss(value):
        kept = array.copy()
        array[...] = value
        total = (dz * layer.forward(x, training=True)).sum()
        array[...] = kept
        return total

    return cnnbp.numeric_gradient(loss, array, step=1e-6)


@answers("locate_bug")
def bug_by_the_worst_error(network):
    rng, errors = np.random.default_rng(6), {}
    for number, layer in enumerate(network.layers):
        x = rng.permutation(np.linspace(-2, 2, network.trace[number].x.size))
        x = x.reshape(network.trace[number].x.shape)
        dz = rng.uniform(-2, 2, network.trace[number].z.shape)
        layer.forward(x, training=True)
        yours = {"x": layer.backward(dz), **layer.grads}
        for name, array in {"x": x, **layer.params}.items():
            errors[number, f"d{name}"] = cnnbp.relative_error(
                yours[name], slopes(layer, x, dz, array)
            )
    return max(errors, key=errors.get)


@answers("locate_bug")
def bug_from_the_end_by_products(network):
    """Every cell of a layer's gradients against the products that it should be a sum of."""
    rng = np.random.default_rng(7)
    for number in reversed(range(len(network.layers))):
        alone, step = cnnbp.Network([network.layers[number]]), network.trace[number]
        alone.forward(rng.standard_normal(step.x.shape), training=True)
        held = {"dx": alone.backward(rng.standard_normal(step.z.shape))}
        held |= {f"d{name}": array for name, array in network.layers[number].grads.items()}
        for wanted, array in held.items():
            sums = [alone.explain(0, wanted, i).total for i in np.ndindex(array.shape)]
            if not np.allclose(np.ravel(array), sums, atol=1e-9):
                return [number, wanted]
    return None


# Lesson 16


@answers("tape_backward")
def tape_by_the_package(last):
    last.backward()


@answers("tape_backward")
def tape_by_counting_uses(last):
    waiting, uses = [last], {last: 0}
    while waiting:
        node = waiting.pop()
        for parent in node.parents:
            if parent not in uses:
                uses[parent] = 0
                waiting.append(parent)
            uses[parent] += 1
    for node in uses:
        node.gradient = 0 * node.value
    last.gradient = 1 + 0 * last.value
    ready = [last]
    while ready:
        node = ready.pop()
        shares = node.send_back(node.gradient) if node.send_back else []
        for parent, share in zip(node.parents, shares, strict=True):
            parent.gradient = parent.gradient + share
            uses[parent] -= 1
            if uses[parent] == 0:
                ready.append(parent)


@answers("tape_backward")
def tape_by_every_path(last):
    def clear(node):
        node.gradient = None
        for parent in node.parents:
            clear(parent)

    def send(node, dz):
        node.gradient = dz if node.gradient is None else node.gradient + dz
        shares = node.send_back(dz) if node.send_back else []
        for parent, share in zip(node.parents, shares, strict=True):
            send(parent, share)

    clear(last)
    send(last, np.ones_like(last.value))

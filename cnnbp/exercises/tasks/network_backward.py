"""The whole backward pass of a small network, layer after layer."""

import numpy as np

from cnnbp.activation import relu_backward
from cnnbp.convolution import conv2d, conv2d_backward
from cnnbp.exercises import cases, choices
from cnnbp.exercises.choices import wrong
from cnnbp.exercises.task import exercise
from cnnbp.exercises.tasks import (
    conv2d_bias_gradient,
    conv2d_input_gradient,
    conv2d_weight_gradient,
    linear_gradients,
)
from cnnbp.gradcheck import numeric_gradient
from cnnbp.linear import flatten, flatten_backward, linear, linear_backward
from cnnbp.pooling import avg_pool2d_backward, max_pool2d, max_pool2d_backward

UNFLATTEN = "10, undo the flattening"
FILTERS = "06, several filters have a bias each"
POOLING = "10, scatter through the max pooling"
POOL = {"stride": 3}


def network_case(rng, M, x_shape, w_shape, draw=cases.normal, draw_x=cases.normal):
    x, w_conv, b_conv = draw_x(rng, x_shape), draw(rng, w_shape), draw(rng, (w_shape[0], 1, 1))
    D = len(flatten(max_pool2d(conv2d(x, w_conv, stride=2), 2, **POOL)[0]))
    return {
        "dz": draw(rng, (M, x_shape[0])),
        "x": x,
        "w_conv": w_conv,
        "b_conv": b_conv,
        "w_linear": draw(rng, (M, D)),
        "b_linear": draw(rng, (M, 1)),
    }


def columns(x, w_conv, b_conv):
    """What the fully connected layer is given."""
    pooled, _ = max_pool2d(conv2d(x, w_conv, b_conv, stride=2), 2, **POOL)
    return flatten(pooled)


def backward(dz, x, w_conv, b_conv, w_linear, b_linear, pool_stride=3, gate=None):
    """The gradients, perhaps with other windows of the pooling or a gate before it."""
    z_conv = conv2d(x, w_conv, b_conv, stride=2)
    pooled, argmax = max_pool2d(z_conv, 2, stride=pool_stride)
    dflat, dw_linear, db_linear = linear_backward(dz, flatten(pooled), w_linear)
    dz_conv = max_pool2d_backward(flatten_backward(dflat, pooled.shape), argmax, z_conv.shape)
    dz_conv = gate(dz_conv, z_conv) if gate else dz_conv
    dx, dw_conv, db_conv = conv2d_backward(dz_conv, x, w_conv, stride=2)
    return dx, dw_conv, db_conv, dw_linear, db_linear


def numeric(dz, x, w_conv, b_conv, w_linear, b_linear):
    """Central differences, each with as much of the forward pass as its array can change."""
    flat = columns(x, w_conv, b_conv)

    def loss(flat=flat, w=w_linear, b=b_linear):
        return (dz * linear(flat, w, b)).sum()

    return (
        numeric_dx(dz, x, lambda x: linear(columns(x, w_conv, b_conv), w_linear, b_linear)),
        numeric_gradient(lambda w: loss(columns(x, w, b_conv)), w_conv),
        numeric_gradient(lambda b: loss(columns(x, w_conv, b)), b_conv),
        numeric_gradient(lambda w: loss(w=w), w_linear),
        numeric_gradient(lambda b: loss(b=b), b_linear),
    )


def numeric_dx(dz, x, forward, step=1e-5):
    """The same by x. An image changes its own column alone, so that two passes are enough: of all
    images with one entry raised, each entry in turn, and of all with one entry lowered."""
    one, (M, N) = x[0].size, dz.shape
    changes = step * np.eye(one).reshape(one, 1, *x.shape[1:])

    def losses(images):
        z = forward(images.reshape(one * N, *x.shape[1:]))
        return (dz[:, np.newaxis] * z.reshape(M, one, N)).sum(axis=0)

    slopes = (losses(x + changes) - losses(x - changes)) / (2 * step)
    return slopes.T.reshape(x.shape)


@exercise(
    lesson="10",
    given={
        "dz": "M N: gradient of the loss by the network's output",
        "x": "N C H W: the images",
        "w_conv": "F C KH KW: of the convolution",
        "b_conv": "F 1 1",
        "w_linear": "M D: of the fully connected layer, D pooled numbers for each image",
        "b_linear": "M 1",
    },
    returns={
        "dx": "N C H W",
        "dw_conv": "F C KH KW",
        "db_conv": "F 1 1",
        "dw_linear": "M D",
        "db_linear": "M 1",
    },
    tiny=lambda rng: network_case(
        rng, 3, (2, 1, 4, 5), (1, 1, 2, 1), cases.whole, draw_x=cases.distinct
    ),
    cases=lambda rng: [
        network_case(rng, 4, (5, 1, 4, 10), (3, 1, 2, 2)),
        network_case(rng, 5, (4, 2, 9, 9), (2, 2, 3, 2)),
        network_case(rng, 3, (2, 3, 14, 13), (4, 3, 3, 3)),
    ],
    answer=backward,
    numeric=numeric,
    hints=[
        "Go forward first and keep what each layer was given: the convolution's output for the "
        "pooling, its winners (max_pool2d returns them, too), and the flattened columns for the "
        "fully connected layer.",
        "dx of a layer is dz of the layer before it. The last layer first: dw = dz columnsᵀ, and "
        "wᵀ dz goes on.",
        "Undo the flattening (transpose, then reshape), send each number to its window's winner, "
        "and finish with the three gradients of the convolution, stride 2.",
    ],
    stub="The gradients of the whole network by its images and its weights.",
    start="go forward first",
)
def network_backward(dz, x, w_conv, b_conv, w_linear, b_linear):
    """The backward pass of a network: convolution, max pooling, flattening, fully connected layer.

    The convolution has stride 2 and no padding; the pooling has windows of 2 × 2, stride 3, and the
    first of a tie wins; flattening gives every image a column, channel after channel. You may call
    the package's functions for single layers.
    """
    (N, _, H, W), (F, _, KH, KW) = x.shape, w_conv.shape
    z = np.zeros((N, F, (H - KH) // 2 + 1, (W - KW) // 2 + 1))
    for n, f, i, j in np.ndindex(z.shape):
        window = x[n, :, 2 * i : 2 * i + KH, 2 * j : 2 * j + KW]
        z[n, f, i, j] = (window * w_conv[f]).sum() + b_conv[f, 0, 0]
    pooled, winners = np.zeros((N, F, (z.shape[2] + 1) // 3, (z.shape[3] + 1) // 3)), {}
    for n, f, i, j in np.ndindex(pooled.shape):
        window = z[n, f, 3 * i : 3 * i + 2, 3 * j : 3 * j + 2]
        a, b = divmod(window.argmax(), 2)
        pooled[n, f, i, j], winners[n, f, i, j] = window[a, b], (n, f, 3 * i + a, 3 * j + b)
    dw_linear, db_linear = dz @ pooled.reshape(N, -1), dz.sum(axis=1, keepdims=True)
    dpooled = (w_linear.T @ dz).T.reshape(pooled.shape)
    dx, dw_conv, db_conv = np.zeros(x.shape), np.zeros(w_conv.shape), np.zeros(b_conv.shape)
    for cell, (n, f, i, j) in winners.items():  # every other cell of z has gradient 0
        window = (n, slice(None), slice(2 * i, 2 * i + KH), slice(2 * j, 2 * j + KW))
        dx[window] += dpooled[cell] * w_conv[f]
        dw_conv[f] += dpooled[cell] * x[window]
        db_conv[f] += dpooled[cell]
    return dx, dw_conv, db_conv, dw_linear, db_linear


def to_first_cell(dz, argmax, shape):
    spread = np.zeros(shape)
    spread[:, :, : 3 * dz.shape[2] : 3, : 3 * dz.shape[3] : 3] = dz
    return spread


def shared(dz, argmax, shape):
    return avg_pool2d_backward(dz, shape, 2, **POOL)


# fmt: off
FORWARD = [
    lambda x, w, b: conv2d(x, w, b, stride=2),
    wrong("bias_left_out_forward", FILTERS, "the convolution's bias is left out on the way "
        "forward: "
        "the pooling and the fully connected layer were given the sum with b_conv.",
        lambda x, w, b: conv2d(x, w, stride=2)),
]
FLATTENED = [
    flatten,
    wrong("flattened_without_transposing", UNFLATTEN, "the pooled maps are reshaped to (D, N) "
        "directly, which mixes the images up: an image is a column, reshape(N, D).T.",
        lambda pooled: pooled.reshape(-1, len(pooled))),
]
UNFLATTENED = [
    flatten_backward,
    wrong("reshaped_without_transposing", UNFLATTEN, "behind the fully connected layer (D, N) is "
        "reshaped directly, which mixes the images up though the shape fits: transpose first, then "
        "reshape.", lambda dflat, shape: dflat.reshape(shape)),
]
POOLED = [
    max_pool2d_backward,
    wrong("pooling_shares", POOLING, "each pooled gradient is shared among its window, as average "
        "pooling does: in a max pooling the winner gets all of it.", shared),
    wrong("every_cell_gets_all", POOLING, "each pooled gradient goes to its whole window: only the "
        "winner gets it, and the other cells of the window get nothing.",
        lambda *given: 4 * shared(*given)),
    wrong("first_cell_of_the_window_gets_all", POOLING, "the first cell of each window gets the "
        "pooled gradient: the winner gets it.", to_first_cell),
    wrong("pooled_value_sent_back", POOLING, "the winners themselves are sent back, or a 1: what "
        "goes back is the gradient of the pooled cell.",
        lambda dz, argmax, shape: max_pool2d_backward(dz * 0 + 1, argmax, shape)),
]
DFLAT = [
    lambda dz, w, columns: w.T @ dz,
    wrong("slope_left_out_of_the_linear_layer", UNFLATTEN, "the fully connected layer sends back "
        "its own input: its dx is wᵀ dz.", lambda dz, w, columns: columns),
]


@network_backward.steps(
    forward=FORWARD,
    flattened=FLATTENED,
    dflat=DFLAT,
    unflattened=UNFLATTENED,
    pooled=POOLED,
    kernel=choices.borrowed(conv2d_input_gradient.KERNEL),
    channels=choices.borrowed(conv2d_input_gradient.CHANNELS),
    dx_samples=choices.borrowed(choices.samples(FILTERS)),
    dw_kernel=choices.borrowed(conv2d_weight_gradient.KERNEL),
    dw_channels=choices.borrowed(conv2d_weight_gradient.CHANNELS),
    db_conv=choices.borrowed(conv2d_bias_gradient.SUMS),
    dw_linear=choices.borrowed(linear_gradients.DW),
    db_linear=choices.borrowed(linear_gradients.DB),
    factors={
        "dw_conv db_conv dw_linear db_linear: 1/N": choices.over_batch(),
        "−1": choices.sign(FILTERS),
    },
)
def by_steps(steps, dz, x, w_conv, b_conv, w_linear, b_linear):
    z_conv = steps.forward(x, w_conv, b_conv)
    pooled, argmax = max_pool2d(z_conv, 2, **POOL)
    columns = steps.flattened(pooled)
    dpooled = steps.unflattened(steps.dflat(dz, w_linear, columns), pooled.shape)
    dz_conv = steps.pooled(dpooled, argmax, z_conv.shape)
    kernel = steps.kernel(steps.channels(w_conv))
    dx, dw_conv, _ = conv2d_backward(dz_conv, x, w_conv, stride=2)
    if kernel is not w_conv:
        dx, _, _ = conv2d_backward(dz_conv, x, kernel, stride=2)
    return (
        steps.dx_samples(dx),
        steps.dw_channels(steps.dw_kernel(dw_conv)),
        steps.db_conv(dz_conv),
        steps.dw_linear(dz, columns, w_linear),
        steps.db_linear(dz, columns, w_linear),
    )


@network_backward.mistake(POOLING)
def pooling_windows_side_by_side(*given):
    """The pooling's windows lie side by side, as they do without a stride: here they are 3
    apart."""
    return backward(*given, pool_stride=2)


@network_backward.mistake(POOLING)
def relu_between(*given):
    """The gradient goes back through a ReLU, too: between the convolution and the pooling of this
    network there is none."""
    return backward(*given, gate=relu_backward)

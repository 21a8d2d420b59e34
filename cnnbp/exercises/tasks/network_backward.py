"""The whole backward pass of a small network, layer after layer."""

import numpy as np

from cnnbp.convolution import conv2d, conv2d_backward
from cnnbp.exercises import cases
from cnnbp.exercises.task import exercise
from cnnbp.gradcheck import numeric_gradient
from cnnbp.linear import flatten, flatten_backward, linear, linear_backward
from cnnbp.pooling import avg_pool2d_backward, max_pool2d, max_pool2d_backward

UNFLATTEN = "10, undo the flattening"
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


def forward(x, w_conv, b_conv, w_linear, b_linear):
    pooled, _ = max_pool2d(conv2d(x, w_conv, b_conv, stride=2), 2, **POOL)
    return linear(flatten(pooled), w_linear, b_linear)


def backward(
    dz,
    x,
    w_conv,
    b_conv,
    w_linear,
    b_linear,
    unflatten=flatten_backward,
    pool=max_pool2d_backward,
    pool_stride=POOL["stride"],
):
    """The gradients, perhaps with another way through flattening or pooling."""
    z_conv = conv2d(x, w_conv, b_conv, stride=2)
    pooled, argmax = max_pool2d(z_conv, 2, stride=pool_stride)
    dflat, dw_linear, db_linear = linear_backward(dz, flatten(pooled), w_linear)
    dz_conv = pool(unflatten(dflat, pooled.shape), argmax, z_conv.shape)
    dx, dw_conv, db_conv = conv2d_backward(dz_conv, x, w_conv, stride=2)
    return dx, dw_conv, db_conv, dw_linear, db_linear


def numeric(dz, *arrays):
    def along(place):
        def loss(changed):
            return (dz * forward(*arrays[:place], changed, *arrays[place + 1 :])).sum()

        return numeric_gradient(loss, arrays[place])

    return tuple(map(along, range(len(arrays))))


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
        network_case(rng, 4, (2, 1, 4, 10), (3, 1, 2, 2)),
        network_case(rng, 5, (3, 2, 9, 9), (2, 2, 3, 2)),
        network_case(rng, 3, (2, 3, 12, 13), (2, 3, 2, 3)),
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


@network_backward.mistake(UNFLATTEN)
def reshaped_without_transposing(*given):
    """Behind the fully connected layer you reshape (D, N) directly, which mixes the images up
    though the shape fits: transpose first, then reshape."""
    return backward(*given, unflatten=lambda dflat, shape: dflat.reshape(shape))


@network_backward.mistake(POOLING)
def pooling_shares(*given):
    """You share each pooled gradient among its window, as average pooling does; in a max pooling
    the winner gets all of it."""
    return backward(
        *given, pool=lambda dz, argmax, shape: avg_pool2d_backward(dz, shape, 2, **POOL)
    )


@network_backward.mistake(POOLING)
def every_cell_gets_all(*given):
    """You give each pooled gradient to its whole window; only the winner gets it, and the other
    cells of the window get nothing."""
    return backward(
        *given, pool=lambda dz, argmax, shape: 4 * avg_pool2d_backward(dz, shape, 2, **POOL)
    )


@network_backward.mistake(POOLING)
def pooling_windows_side_by_side(*given):
    """You place the pooling's windows side by side, as they lie without a stride; here they are 3
    apart."""
    return backward(*given, pool_stride=2)


@network_backward.mistake(POOLING)
def relu_between(dz, x, w_conv, b_conv, *linear):
    """You send the gradient back through a ReLU, too; between the convolution and the pooling of
    this network there is none."""
    z_conv = conv2d(x, w_conv, b_conv, stride=2)

    def gated(dpooled, argmax, shape):
        return (z_conv > 0) * max_pool2d_backward(dpooled, argmax, shape)

    return backward(dz, x, w_conv, b_conv, *linear, pool=gated)


@network_backward.mistake("05, the 1/N of the loss")
def divided_by_batch(dz, *given):
    """Your gradients by weights and biases are divided by N; where the loss is a mean over the
    batch, its 1/N is in dz already, so here images are summed."""
    dx, *others = backward(dz, *given)
    return dx, *(each / len(dx) for each in others)


@network_backward.mistake("06, filters have a bias")
def bias_left_out_forward(dz, x, w_conv, b_conv, *linear):
    """Your dw_linear is made of pooled numbers without the convolution's bias: go forward with
    b_conv, for the fully connected layer was given the sum."""
    return backward(dz, x, w_conv, 0 * b_conv, *linear)

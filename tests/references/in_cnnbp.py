"""cnnbp's own answers to the cases, under the names that in_torch and in_tensorflow use."""

import numpy as np

import cnnbp


def conv2d(dz, x, w, b=None, **geometry):
    z = cnnbp.conv2d(x, w, b, **geometry)
    dx, dw, db = cnnbp.conv2d_backward(dz, x, w, **geometry)
    return {"z": z, "dx": dx, "dw": dw} | ({} if b is None else {"db": db})


def conv2d_loops(dz, x, w, b=None, **geometry):
    z = cnnbp.conv2d_loops(x, w, b, **geometry)
    dx, dw, db = cnnbp.conv2d_backward_loops(dz, x, w, **geometry)
    return {"z": z, "dx": dx, "dw": dw} | ({} if b is None else {"db": db})


def im2col(dz, x, **geometry):
    return {"z": cnnbp.im2col(x, **geometry), "dx": cnnbp.col2im(dz, x.shape, **geometry)}


def max_pool2d(dz, x, **geometry):
    z, argmax = cnnbp.max_pool2d(x, **geometry)
    return {"z": z, "argmax": argmax, "dx": cnnbp.max_pool2d_backward(dz, argmax, x.shape)}


def avg_pool2d(dz, x, **geometry):
    dx = cnnbp.avg_pool2d_backward(dz, x.shape, **geometry)
    return {"z": cnnbp.avg_pool2d(x, **geometry), "dx": dx}


def flatten(dz, x):
    return {"z": cnnbp.flatten(x), "dx": cnnbp.flatten_backward(dz, x.shape)}


def linear(dz, x, w, b):
    dx, dw, db = cnnbp.linear_backward(dz, x, w)
    return {"z": cnnbp.linear(x, w, b), "dx": dx, "dw": dw, "db": db}


def relu(dz, x):
    return {"z": cnnbp.relu(x), "dx": cnnbp.relu_backward(dz, x)}


def leaky_relu(dz, x, slope):
    return {"z": cnnbp.leaky_relu(x, slope), "dx": cnnbp.leaky_relu_backward(dz, x, slope)}


def sigmoid(dz, x):
    return {"z": cnnbp.sigmoid(x), "dx": cnnbp.sigmoid_backward(dz, x)}


def tanh(dz, x):
    return {"z": cnnbp.tanh(x), "dx": cnnbp.tanh_backward(dz, x)}


def softmax(z):
    return {"probabilities": cnnbp.softmax(z)}


def softmax_cross_entropy(z, labels):
    return dict(zip(("loss", "dz"), cnnbp.softmax_cross_entropy(z, labels), strict=True))


def mean_squared_error(z, target):
    return dict(zip(("loss", "dz"), cnnbp.mean_squared_error(z, target), strict=True))


def batch_norm2d(dz, x, gamma, beta, eps):
    dx, dgamma, dbeta = cnnbp.batch_norm2d_backward(dz, x, gamma, eps=eps)
    z = cnnbp.batch_norm2d(x, gamma, beta, eps=eps)
    return {"z": z, "dx": dx, "dgamma": dgamma, "dbeta": dbeta}


def batch_norm2d_evaluation(batches, x, gamma, beta, dz, eps):
    layer = cnnbp.BatchNorm2d(x.shape[1], eps=eps)
    layer.params.update(gamma=gamma, beta=beta)
    for batch in batches:
        layer.forward(batch, training=True)
    z, dx = layer.forward(x), layer.backward(dz)
    return {
        "running_mean": layer.running_mean,
        "running_variance": layer.running_var,
        "z": z,
        "dx": dx,
        "dgamma": layer.grads["gamma"],
        "dbeta": layer.grads["beta"],
    }


def group_norm(dz, x, gamma, beta, groups, eps):
    dx, dgamma, dbeta = cnnbp.group_norm_backward(dz, x, gamma, groups, eps=eps)
    z = cnnbp.group_norm(x, gamma, beta, groups, eps=eps)
    return {"z": z, "dx": dx, "dgamma": dgamma, "dbeta": dbeta}


def dropout(dz, x, mask):
    return {"z": cnnbp.dropout(x, mask), "dx": cnnbp.dropout_backward(dz, mask)}


def sgd(x, target, w, b, steps, **options):
    return descend(x, target, w, b, steps, cnnbp.SGD, options)


def adam(x, target, w, b, steps, **options):
    return descend(x, target, w, b, steps, cnnbp.Adam, options)


def descend(x, target, w, b, steps, optimizer, options):
    """The parameters of a linear layer after every step on a mean squared error."""
    network = filled(cnnbp.Network([cnnbp.Linear(len(x), len(target))]), {"0.w": w, "0.b": b})
    descent = optimizer(network, **options)
    path = {"w": [], "b": []}
    for _ in range(steps):
        _, dz = cnnbp.mean_squared_error(network.forward(x, training=True), target)
        network.backward(dz)
        descent.step()
        for name in path:
            path[name].append(network.params[f"0.{name}"].copy())
    return {name: np.stack(steps) for name, steps in path.items()}


def clip_gradients(x, target, w, b, max_norm):
    network = filled(cnnbp.Network([cnnbp.Linear(len(x), len(target))]), {"0.w": w, "0.b": b})
    _, dz = cnnbp.mean_squared_error(network.forward(x), target)
    network.backward(dz)
    norm = cnnbp.clip_gradients(network, max_norm)
    return {"norm": norm, "dw": network.grads["0.w"], "db": network.grads["0.b"]}


def walkthrough_network(x, target, **params):
    network = filled(cnnbp.walkthrough_network(), params)
    loss, dz = cnnbp.mean_squared_error(network.forward(x), target)
    dx = network.backward(dz)
    steps = {f"{number}.z": step.z for number, step in enumerate(network.trace)}
    return {"loss": loss, "dx": dx} | steps | gradients(network)


def digits_network(x, labels, **params):
    convolution = {"kernel_size": 3, "padding": 1}
    path = [cnnbp.BatchNorm2d(4), cnnbp.ReLU(), cnnbp.Conv2d(4, 4, **convolution)]
    layers = [
        cnnbp.Conv2d(1, 4, **convolution),
        cnnbp.Residual(path),
        cnnbp.GroupNorm(2, 4),
        cnnbp.ReLU(),
        cnnbp.MaxPool2d(2),
        cnnbp.Flatten(),
        cnnbp.Linear(64, 10),
    ]
    network = filled(cnnbp.Network(layers), params)
    scores = network.forward(x, training=True)
    loss, dz = cnnbp.softmax_cross_entropy(scores, labels)
    return {"loss": loss, "scores": scores, "dx": network.backward(dz)} | gradients(network)


def filled(network, params):
    for name, array in network.params.items():
        array[...] = params[name]
    return network


def gradients(network):
    return {f"d{name}": gradient for name, gradient in network.grads.items()}


OPERATIONS = {
    operation.__name__: operation
    for operation in (
        *(conv2d, conv2d_loops, im2col, max_pool2d, avg_pool2d, flatten, linear),
        *(relu, leaky_relu, sigmoid, tanh, softmax, softmax_cross_entropy, mean_squared_error),
        *(batch_norm2d, batch_norm2d_evaluation, group_norm, dropout),
        *(sgd, adam, clip_gradients, walkthrough_network, digits_network),
    )
}


def results(operation, inputs, options):
    """Everything cnnbp says about a case: forward results and gradients, as arrays by name."""
    return OPERATIONS[operation](**inputs, **options)

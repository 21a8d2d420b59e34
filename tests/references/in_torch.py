"""cnnbp's operations said in PyTorch, on cnnbp's axes: its autograd is the reference.

An operation takes tensors and options under cnnbp's names and returns its results by name; the
first of them is the one differentiated. A procedure (an optimizer, a clipping, running
statistics) takes the same and returns finished results.
"""

import torch
from torch.nn import functional

torch.set_num_threads(1)  # sums in the same order every time
CONSTANTS = {"labels", "mask", "target"}  # inputs that nobody asks a gradient of


def conv2d(x, w, b=None, **geometry):
    return {"z": functional.conv2d(x, w, None if b is None else b.flatten(), **geometry)}


def im2col(x, kernel_size, **geometry):
    columns = functional.unfold(x, kernel_size, **geometry)  # (N, C·KH·KW, OH·OW)
    return {"z": columns.permute(1, 2, 0).flatten(1)}


def max_pool2d(x, kernel_size, stride=None, padding=0):
    z, argmax = functional.max_pool2d(x, kernel_size, stride, padding, return_indices=True)
    return {"z": z, "argmax": argmax}


def avg_pool2d(x, kernel_size, stride=None, padding=0):
    return {"z": functional.avg_pool2d(x, kernel_size, stride, padding)}


def flatten(x):
    return {"z": x.flatten(1).T}


def linear(x, w, b):
    return {"z": functional.linear(x.T, w, b.flatten()).T}


def relu(x):
    return {"z": functional.relu(x)}


def leaky_relu(x, slope):
    return {"z": functional.leaky_relu(x, slope)}


def sigmoid(x):
    return {"z": torch.sigmoid(x)}


def tanh(x):
    return {"z": torch.tanh(x)}


def softmax_cross_entropy(z, labels):
    return {"loss": functional.cross_entropy(z.T, labels)}


def mean_squared_error(z, target):
    return {"loss": functional.mse_loss(z, target)}


def batch_norm2d(x, gamma, beta, eps):
    normalized = functional.batch_norm(
        x, None, None, gamma.flatten(), beta.flatten(), training=True, eps=eps
    )
    return {"z": normalized}


def group_norm(x, gamma, beta, groups, eps):
    return {"z": functional.group_norm(x, groups, gamma.flatten(), beta.flatten(), eps)}


def dropout(x, mask):
    return {"z": x * mask}


def walkthrough_network(x, target, **params):
    convolved = functional.conv2d(x, params["0.w"], params["0.b"].flatten(), stride=2)
    pooled = functional.max_pool2d(convolved, 2, 3)
    flat = pooled.flatten(1).T
    scores = params["3.w"] @ flat + params["3.b"]
    loss = functional.mse_loss(scores, target)
    return {"loss": loss, "0.z": convolved, "1.z": pooled, "2.z": flat, "3.z": scores}


def digits_network(x, labels, **p):
    """A convolution; a residual path of batch normalization, ReLU and convolution; group
    normalization, ReLU, max pooling, a linear layer and cross-entropy."""
    z = functional.conv2d(x, p["0.w"], p["0.b"].flatten(), padding=1)
    path = functional.relu(batch_norm2d(z, p["1.0.gamma"], p["1.0.beta"], eps=1e-5)["z"])
    z = z + functional.conv2d(path, p["1.2.w"], p["1.2.b"].flatten(), padding=1)
    z = functional.relu(group_norm(z, p["2.gamma"], p["2.beta"], groups=2, eps=1e-5)["z"])
    scores = p["6.w"] @ functional.max_pool2d(z, 2).flatten(1).T + p["6.b"]
    return {"loss": functional.cross_entropy(scores.T, labels), "scores": scores}


OPERATIONS = {
    operation.__name__: operation
    for operation in (
        *(conv2d, im2col, max_pool2d, avg_pool2d, flatten, linear),
        *(relu, leaky_relu, sigmoid, tanh, softmax_cross_entropy, mean_squared_error),
        *(batch_norm2d, group_norm, dropout, walkthrough_network, digits_network),
    )
}


def softmax(z):
    return {"probabilities": functional.softmax(z, dim=0)}


def batch_norm2d_evaluation(batches, x, gamma, beta, dz, eps):
    """Running statistics after training on every batch, then one evaluation of x."""
    layer = torch.nn.BatchNorm2d(x.shape[1], eps=eps, dtype=torch.float64)
    layer.weight.data, layer.bias.data = gamma.flatten(), beta.flatten()
    for batch in batches:
        layer(batch)
    x = x.clone().requires_grad_()
    z = layer.eval()(x)
    z.backward(dz)
    return {
        "running_mean": layer.running_mean.reshape(gamma.shape),
        "running_variance": layer.running_var.reshape(gamma.shape),
        "z": z,
        "dx": x.grad,
        "dgamma": layer.weight.grad.reshape(gamma.shape),
        "dbeta": layer.bias.grad.reshape(beta.shape),
    }


def sgd(x, target, w, b, steps, learning_rate, momentum):
    return _descend(x, target, w, b, steps, torch.optim.SGD, lr=learning_rate, momentum=momentum)


def adam(x, target, w, b, steps, learning_rate, beta1, beta2, eps):
    options = {"lr": learning_rate, "betas": (beta1, beta2), "eps": eps}
    return _descend(x, target, w, b, steps, torch.optim.Adam, **options)


def _descend(x, target, w, b, steps, optimizer, **options):
    """The parameters of a linear layer after every step on a mean squared error."""
    w, b = w.clone().requires_grad_(), b.clone().requires_grad_()
    descent = optimizer([w, b], **options)
    path = {"w": [], "b": []}
    for _ in range(steps):
        descent.zero_grad()
        functional.mse_loss(w @ x + b, target).backward()
        descent.step()
        path["w"].append(w.detach().clone())
        path["b"].append(b.detach().clone())
    return {name: torch.stack(steps) for name, steps in path.items()}


def clip_gradients(x, target, w, b, max_norm):
    """Not clip_grad_norm_, which divides by norm + 1e-6: its norm, and the exact quotient."""
    w, b = w.clone().requires_grad_(), b.clone().requires_grad_()
    functional.mse_loss(w @ x + b, target).backward()
    norm = torch.nn.utils.get_total_norm([w.grad, b.grad])
    factor = torch.clamp(max_norm / norm, max=1.0)
    return {"norm": norm, "dw": factor * w.grad, "db": factor * b.grad}


PROCEDURES = {
    procedure.__name__: procedure
    for procedure in (softmax, batch_norm2d_evaluation, sgd, adam, clip_gradients)
}


def results(operation, inputs, options):
    """Everything PyTorch says about a case: forward results and gradients d<input>, as arrays.

    inputs   dict of arrays; dz, if there is one, is the gradient that comes from above
    """
    tensors = {name: torch.tensor(array) for name, array in inputs.items()}
    if operation in PROCEDURES:
        found = PROCEDURES[operation](**tensors, **options)
    else:
        dz = tensors.pop("dz", None)
        sources = {
            name: tensors[name].requires_grad_() for name in tensors if name not in CONSTANTS
        }
        found = OPERATIONS[operation](**tensors, **options)
        next(iter(found.values())).backward(dz)
        found |= {f"d{name}": source.grad for name, source in sources.items()}
    return {name: tensor.detach().numpy() for name, tensor in found.items()}


def output_shape(operation, inputs, options):
    """The shape that dz must have; () for a loss."""
    tensors = {name: torch.tensor(array) for name, array in inputs.items()}
    return tuple(next(iter(OPERATIONS[operation](**tensors, **options).values())).shape)

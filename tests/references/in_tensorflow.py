"""cnnbp's operations said in TensorFlow, on cnnbp's axes: its gradient tape is the reference.

The same names as in_torch. On a CPU, TensorFlow's image operations want the channels last and
have no gradient for dilated or grouped convolutions, so those are said with what has one.
"""

import os

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"  # these three are read once, by the import below
os.environ["TF_ENABLE_ONEDNN_OPTS"] = "0"
os.environ["CUDA_VISIBLE_DEVICES"] = ""

import numpy as np
import tensorflow as tf

# Sums in the same order every time.
tf.config.threading.set_intra_op_parallelism_threads(1)
tf.config.threading.set_inter_op_parallelism_threads(1)
# Keras would round learning rates to float32. It rounds a momentum or a beta that is a Python
# float even so, and therefore gets them as np.float64.
tf.keras.backend.set_floatx("float64")

CONSTANTS = {"labels", "mask", "target"}  # inputs that nobody asks a gradient of


def pair(value):
    return (value, value) if isinstance(value, int) else tuple(value)


def padded(x, padding, value=0.0):
    """(N, C, H, W) -> (N, H + 2·rows, W + 2·columns, C)."""
    rows, columns = pair(padding)
    x = tf.pad(x, [(0, 0), (0, 0), (rows, rows), (columns, columns)], constant_values=value)
    return tf.transpose(x, (0, 2, 3, 1))


def channels_first(z):
    return tf.transpose(z, (0, 3, 1, 2))


def spread(w, dilation):
    """The kernel with dilation − 1 zeros between its cells: (F, C, KH, KW), KH and KW grown."""
    rows, columns = pair(dilation)
    f, c, kh, kw = w.shape
    cells = tf.reshape(w, (f, c, kh, 1, kw, 1))
    cells = tf.pad(cells, [(0, 0)] * 3 + [(0, rows - 1), (0, 0), (0, columns - 1)])
    cells = tf.reshape(cells, (f, c, kh * rows, kw * columns))
    return cells[:, :, : (kh - 1) * rows + 1, : (kw - 1) * columns + 1]


def conv2d(x, w, b=None, stride=1, padding=0, dilation=1, groups=1):
    """One convolution per group, of a spread kernel."""
    images = tf.split(padded(x, padding), groups, axis=3)
    banks = tf.split(tf.transpose(spread(w, dilation), (2, 3, 1, 0)), groups, axis=3)
    convolved = [
        tf.nn.conv2d(image, bank, pair(stride), "VALID")
        for image, bank in zip(images, banks, strict=True)
    ]
    z = channels_first(tf.concat(convolved, axis=3))
    return {"z": z if b is None else z + b}


def im2col(x, kernel_size, stride=1, padding=0, dilation=1):
    (kh, kw), c = pair(kernel_size), x.shape[1]
    patches = tf.image.extract_patches(
        padded(x, padding),
        (1, kh, kw, 1),
        (1, *pair(stride), 1),
        (1, *pair(dilation), 1),
        "VALID",
    )
    n, oh, ow, _ = patches.shape
    patches = tf.reshape(patches, (n, oh, ow, kh, kw, c))
    return {"z": tf.reshape(tf.transpose(patches, (5, 3, 4, 1, 2, 0)), (c * kh * kw, oh * ow * n))}


def max_pool2d(x, kernel_size, stride=None, padding=0):
    width = x.shape[3]
    (top, left), stride = pair(padding), pair(stride or kernel_size)
    z, winners = tf.nn.max_pool_with_argmax(
        padded(x, padding, float("-inf")), pair(kernel_size), stride, "VALID"
    )  # winners: ((h + top)·(W + 2·left) + w + left)·C + c
    cell = winners // x.shape[1]
    h, w = cell // (width + 2 * left) - top, cell % (width + 2 * left) - left
    return {"z": channels_first(z), "argmax": channels_first(h * width + w)}


def avg_pool2d(x, kernel_size, stride=None, padding=0):
    stride = pair(stride or kernel_size)
    z = tf.nn.avg_pool2d(padded(x, padding), pair(kernel_size), stride, "VALID")
    return {"z": channels_first(z)}


def flatten(x):
    return {"z": tf.transpose(tf.reshape(x, (x.shape[0], -1)))}


def linear(x, w, b):
    return {"z": tf.matmul(w, x) + b}


def relu(x):
    return {"z": tf.nn.relu(x)}


def leaky_relu(x, slope):
    """Not tf.nn.leaky_relu, which rounds the slope to float32."""
    return {"z": tf.where(x > 0, x, slope * x)}


def sigmoid(x):
    return {"z": tf.sigmoid(x)}


def tanh(x):
    return {"z": tf.tanh(x)}


def softmax_cross_entropy(z, labels):
    losses = tf.nn.sparse_softmax_cross_entropy_with_logits(labels, tf.transpose(z))
    return {"loss": tf.reduce_mean(losses)}


def mean_squared_error(z, target):
    return {"loss": tf.reduce_mean(tf.math.squared_difference(z, target))}


def batch_norm2d(x, gamma, beta, eps):
    mean, variance = tf.nn.moments(x, (0, 2, 3), keepdims=True)
    return {"z": tf.nn.batch_normalization(x, mean, variance, beta, gamma, eps)}


def group_norm(x, gamma, beta, groups, eps):
    n, c, h, w = x.shape
    x = tf.reshape(x, (n, groups, c // groups, h, w))
    mean, variance = tf.nn.moments(x, (2, 3, 4), keepdims=True)
    x = tf.nn.batch_normalization(x, mean, variance, None, None, eps)
    return {"z": gamma * tf.reshape(x, (n, c, h, w)) + beta}


def dropout(x, mask):
    return {"z": x * mask}


def walkthrough_network(x, target, **params):
    convolved = conv2d(x, params["0.w"], params["0.b"], stride=2)["z"]
    pooled = max_pool2d(convolved, 2, 3)["z"]
    flat = flatten(pooled)["z"]
    scores = linear(flat, params["3.w"], params["3.b"])["z"]
    loss = mean_squared_error(scores, target)["loss"]
    return {"loss": loss, "0.z": convolved, "1.z": pooled, "2.z": flat, "3.z": scores}


def digits_network(x, labels, **p):
    """A convolution; a residual path of batch normalization, ReLU and convolution; group
    normalization, ReLU, max pooling, a linear layer and cross-entropy."""
    z = conv2d(x, p["0.w"], p["0.b"], padding=1)["z"]
    path = tf.nn.relu(batch_norm2d(z, p["1.0.gamma"], p["1.0.beta"], eps=1e-5)["z"])
    z = z + conv2d(path, p["1.2.w"], p["1.2.b"], padding=1)["z"]
    z = tf.nn.relu(group_norm(z, p["2.gamma"], p["2.beta"], groups=2, eps=1e-5)["z"])
    flat = flatten(max_pool2d(z, 2)["z"])["z"]
    scores = linear(flat, p["6.w"], p["6.b"])["z"]
    return softmax_cross_entropy(scores, labels) | {"scores": scores}


OPERATIONS = {
    operation.__name__: operation
    for operation in (
        *(conv2d, im2col, max_pool2d, avg_pool2d, flatten, linear),
        *(relu, leaky_relu, sigmoid, tanh, softmax_cross_entropy, mean_squared_error),
        *(batch_norm2d, group_norm, dropout, walkthrough_network, digits_network),
    )
}


def softmax(z):
    return {"probabilities": tf.nn.softmax(z, axis=0)}


def batch_norm2d_evaluation(batches, x, gamma, beta, dz, eps):
    """Keras keeps the biased variance, so the running statistics are said by hand."""
    count = batches.shape[1] * batches.shape[3] * batches.shape[4]
    running_mean, running_variance = tf.zeros_like(gamma), tf.ones_like(gamma)
    for batch in batches:
        mean, variance = tf.nn.moments(batch, (0, 2, 3))
        running_mean = 0.9 * running_mean + 0.1 * tf.reshape(mean, gamma.shape)
        unbiased = tf.reshape(variance, gamma.shape) * count / (count - 1)
        running_variance = 0.9 * running_variance + 0.1 * unbiased
    with tf.GradientTape() as tape:
        tape.watch((x, gamma, beta))
        z = tf.nn.batch_normalization(x, running_mean, running_variance, beta, gamma, eps)
    dx, dgamma, dbeta = tape.gradient(z, (x, gamma, beta), dz)
    return {
        "running_mean": running_mean,
        "running_variance": running_variance,
        "z": z,
        "dx": dx,
        "dgamma": dgamma,
        "dbeta": dbeta,
    }


def sgd(x, target, w, b, steps, learning_rate, momentum):
    """Keras keeps −learning_rate·velocity: at a constant rate that takes the same steps."""
    optimizer = tf.keras.optimizers.SGD(learning_rate, np.float64(momentum))
    return _descend(x, target, w, b, steps, optimizer, lambda step: None)


def adam(x, target, w, b, steps, learning_rate, beta1, beta2, eps):
    """Keras adds epsilon before the bias correction of v: scaled so that the sums are equal."""
    optimizer = tf.keras.optimizers.Adam(learning_rate, np.float64(beta1), np.float64(beta2))

    def scale_epsilon(step):
        optimizer.epsilon = eps * (1 - beta2**step) ** 0.5

    return _descend(x, target, w, b, steps, optimizer, scale_epsilon)


def _descend(x, target, w, b, steps, optimizer, prepare):
    """The parameters of a linear layer after every step on a mean squared error."""
    w, b = tf.Variable(w), tf.Variable(b)
    path = {"w": [], "b": []}
    for step in range(1, steps + 1):
        prepare(step)
        with tf.GradientTape() as tape:
            loss = mean_squared_error(tf.matmul(w, x) + b, target)["loss"]
        optimizer.apply_gradients(zip(tape.gradient(loss, (w, b)), (w, b), strict=True))
        path["w"].append(tf.identity(w))
        path["b"].append(tf.identity(b))
    return {name: tf.stack(steps) for name, steps in path.items()}


def clip_gradients(x, target, w, b, max_norm):
    with tf.GradientTape() as tape:
        tape.watch((w, b))
        loss = mean_squared_error(tf.matmul(w, x) + b, target)["loss"]
    (dw, db), norm = tf.clip_by_global_norm(tape.gradient(loss, (w, b)), max_norm)
    return {"norm": norm, "dw": dw, "db": db}


PROCEDURES = {
    procedure.__name__: procedure
    for procedure in (softmax, batch_norm2d_evaluation, sgd, adam, clip_gradients)
}


def results(operation, inputs, options):
    """Everything TensorFlow says about a case: forward results and gradients d<input>, as arrays.

    inputs   dict of arrays; dz, if there is one, is the gradient that comes from above
    """
    tensors = {name: tf.constant(array) for name, array in inputs.items()}
    if operation in PROCEDURES:
        found = PROCEDURES[operation](**tensors, **options)
    else:
        dz = tensors.pop("dz", None)
        sources = {name: tensors[name] for name in tensors if name not in CONSTANTS}
        with tf.GradientTape() as tape:
            tape.watch(sources)
            found = OPERATIONS[operation](**tensors, **options)
        gradients = tape.gradient(next(iter(found.values())), sources, dz)
        found |= {f"d{name}": gradient for name, gradient in gradients.items()}
    return {name: tensor.numpy() for name, tensor in found.items()}

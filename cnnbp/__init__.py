"""Backpropagation in convolutional networks, to be read, run and looked at."""

import sys

if sys.version_info < (3, 11):  # noqa: UP036 - a checkout can be run with any Python
    _trouble = SystemExit if sys.argv[0] == "-m" else ImportError
    raise _trouble(f"cnnbp needs Python 3.11 or newer; this is {sys.version.split()[0]}.")

from cnnbp.activation import (
    LeakyReLU,
    ReLU,
    Sigmoid,
    Tanh,
    leaky_relu,
    leaky_relu_backward,
    relu,
    relu_backward,
    sigmoid,
    sigmoid_backward,
    tanh,
    tanh_backward,
)
from cnnbp.convolution import (
    Conv2d,
    col2im,
    conv2d,
    conv2d_backward,
    conv2d_backward_loops,
    conv2d_loops,
    im2col,
)
from cnnbp.data import digits, photo_patches
from cnnbp.explain import (
    cell_name,
    explain_avg_pool2d,
    explain_conv2d,
    explain_linear,
    explain_max_pool2d,
)
from cnnbp.gradcheck import numeric_gradient, relative_error
from cnnbp.linear import Flatten, Linear, flatten, flatten_backward, linear, linear_backward
from cnnbp.loss import mean_squared_error, softmax, softmax_cross_entropy
from cnnbp.network import Network, Residual, walkthrough_network
from cnnbp.normalization import (
    BatchNorm2d,
    Dropout,
    GroupNorm,
    batch_norm2d,
    batch_norm2d_backward,
    dropout,
    dropout_backward,
    group_norm,
    group_norm_backward,
)
from cnnbp.optimizer import SGD, Adam, clip_gradients, gradient_norm
from cnnbp.pooling import (
    AvgPool2d,
    MaxPool2d,
    avg_pool2d,
    avg_pool2d_backward,
    avg_pool2d_backward_loops,
    avg_pool2d_loops,
    max_pool2d,
    max_pool2d_backward,
    max_pool2d_backward_loops,
    max_pool2d_loops,
)
from cnnbp.source import show_source
from cnnbp.training import History, evaluate, train

__all__ = [
    "SGD",
    "Adam",
    "AvgPool2d",
    "BatchNorm2d",
    "Conv2d",
    "Dropout",
    "Flatten",
    "GroupNorm",
    "History",
    "LeakyReLU",
    "Linear",
    "MaxPool2d",
    "Network",
    "ReLU",
    "Residual",
    "Sigmoid",
    "Tanh",
    "avg_pool2d",
    "avg_pool2d_backward",
    "avg_pool2d_backward_loops",
    "avg_pool2d_loops",
    "batch_norm2d",
    "batch_norm2d_backward",
    "cell_name",
    "clip_gradients",
    "col2im",
    "conv2d",
    "conv2d_backward",
    "conv2d_backward_loops",
    "conv2d_loops",
    "digits",
    "dropout",
    "dropout_backward",
    "evaluate",
    "explain_avg_pool2d",
    "explain_conv2d",
    "explain_linear",
    "explain_max_pool2d",
    "flatten",
    "flatten_backward",
    "gradient_norm",
    "group_norm",
    "group_norm_backward",
    "im2col",
    "leaky_relu",
    "leaky_relu_backward",
    "linear",
    "linear_backward",
    "max_pool2d",
    "max_pool2d_backward",
    "max_pool2d_backward_loops",
    "max_pool2d_loops",
    "mean_squared_error",
    "numeric_gradient",
    "photo_patches",
    "relative_error",
    "relu",
    "relu_backward",
    "show_source",
    "sigmoid",
    "sigmoid_backward",
    "softmax",
    "softmax_cross_entropy",
    "tanh",
    "tanh_backward",
    "train",
    "walkthrough_network",
]

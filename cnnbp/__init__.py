"""Backpropagation in convolutional networks, to be read, run and looked at."""

from cnnbp.activation import ReLU, relu, relu_backward
from cnnbp.convolution import (
    Conv2d,
    col2im,
    conv2d,
    conv2d_backward,
    conv2d_backward_loops,
    conv2d_loops,
    im2col,
)
from cnnbp.explain import (
    explain_avg_pool2d,
    explain_conv2d,
    explain_linear,
    explain_max_pool2d,
)
from cnnbp.gradcheck import numeric_gradient, relative_error
from cnnbp.linear import Flatten, Linear, flatten, flatten_backward, linear, linear_backward
from cnnbp.loss import mean_squared_error, softmax, softmax_cross_entropy
from cnnbp.network import Network, Residual, walkthrough_network
from cnnbp.pooling import (
    AvgPool2d,
    MaxPool2d,
    avg_pool2d,
    avg_pool2d_backward,
    max_pool2d,
    max_pool2d_backward,
)

__all__ = [
    "AvgPool2d",
    "Conv2d",
    "Flatten",
    "Linear",
    "MaxPool2d",
    "Network",
    "ReLU",
    "Residual",
    "avg_pool2d",
    "avg_pool2d_backward",
    "col2im",
    "conv2d",
    "conv2d_backward",
    "conv2d_backward_loops",
    "conv2d_loops",
    "explain_avg_pool2d",
    "explain_conv2d",
    "explain_linear",
    "explain_max_pool2d",
    "flatten",
    "flatten_backward",
    "im2col",
    "linear",
    "linear_backward",
    "max_pool2d",
    "max_pool2d_backward",
    "mean_squared_error",
    "numeric_gradient",
    "relative_error",
    "relu",
    "relu_backward",
    "softmax",
    "softmax_cross_entropy",
    "walkthrough_network",
]

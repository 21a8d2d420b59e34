"""Exercises that name the mistake: hand in a function, be told which wrong one it is.

>>> from cnnbp.exercises import conv2d_weight_gradient as task
>>> task.check(lambda dz, x, w_shape, stride, padding: None)
✗ conv2d_weight_gradient: not written yet
<BLANKLINE>
Your function returned None; if you have written it, a return is missing. Write its body and \
return dw; task.hint() gives a first step.
"""

from cnnbp.exercises import convolution_mistakes, pooling_mistakes  # noqa: F401 (they register)
from cnnbp.exercises.activation import relu_gradient, sigmoid_gradient, tanh_gradient
from cnnbp.exercises.columns import col2im, im2col
from cnnbp.exercises.convolution import (
    conv2d_bias_gradient,
    conv2d_input_gradient,
    conv2d_output,
    conv2d_weight_gradient,
)
from cnnbp.exercises.explain import gradient_terms
from cnnbp.exercises.gradcheck import numeric_gradient
from cnnbp.exercises.graph import graph_gradients
from cnnbp.exercises.linear import flatten_gradient, linear_gradients, shared_trunk_gradient
from cnnbp.exercises.loss import softmax_cross_entropy_gradient
from cnnbp.exercises.normalization import batch_norm2d_gradient
from cnnbp.exercises.optimizer import clip_by_global_norm, momentum_step
from cnnbp.exercises.pooling import avg_pool2d_gradient, max_pool2d_gradient, max_pool2d_output
from cnnbp.exercises.record import progress
from cnnbp.exercises.registry import EXERCISES
from cnnbp.exercises.transfer import (
    conv2d_circular_gradient,
    mean_of_top_two_gradient,
    tied_kernel_gradient,
)

__all__ = [
    "EXERCISES",
    "avg_pool2d_gradient",
    "batch_norm2d_gradient",
    "clip_by_global_norm",
    "col2im",
    "conv2d_bias_gradient",
    "conv2d_circular_gradient",
    "conv2d_input_gradient",
    "conv2d_output",
    "conv2d_weight_gradient",
    "flatten_gradient",
    "gradient_terms",
    "graph_gradients",
    "im2col",
    "linear_gradients",
    "max_pool2d_gradient",
    "max_pool2d_output",
    "mean_of_top_two_gradient",
    "momentum_step",
    "numeric_gradient",
    "progress",
    "relu_gradient",
    "shared_trunk_gradient",
    "sigmoid_gradient",
    "softmax_cross_entropy_gradient",
    "tanh_gradient",
    "tied_kernel_gradient",
]

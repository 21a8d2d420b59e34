"""Exercises that name the mistake: hand in a function, be told which wrong one it is.

>>> from cnnbp.exercises import conv2d_weight_gradient as task
>>> task.check(lambda dz, x, w_shape, stride, padding: None)
○ conv2d_weight_gradient: not written yet
<BLANKLINE>
Your function returned None; if you have written it, a return is missing. Write its body and \
return dw; task.hint() gives a first step.
"""

from importlib import import_module

from cnnbp.exercises.check.messages import MESSAGES
from cnnbp.exercises.pages.progress import progress_page


def task_of(name):
    """The Task of a file in tasks/, which has the same name."""
    return getattr(import_module(f"cnnbp.exercises.tasks.{name}"), name)


# In the order of the lessons
TASKS = [
    task_of("double"),
    task_of("graph_gradients"),
    task_of("graph_backward"),
    task_of("numeric_gradient"),
    task_of("linear_gradients"),
    task_of("linear_gradients_batch_in_rows"),
    task_of("flatten_gradient"),
    task_of("relu_gradient"),
    task_of("sigmoid_gradient"),
    task_of("tanh_gradient"),
    task_of("softmax_cross_entropy_gradient"),
    task_of("conv2d_output"),
    task_of("conv2d_weight_gradient"),
    task_of("conv2d_bias_gradient"),
    task_of("gradient_terms"),
    task_of("conv2d_input_gradient"),
    task_of("conv2d_circular_gradient"),
    task_of("tied_kernel_gradient"),
    task_of("max_pool2d_output"),
    task_of("max_pool2d_gradient"),
    task_of("avg_pool2d_gradient"),
    task_of("mean_of_top_two_gradient"),
    task_of("network_backward"),
    task_of("cells_behind"),
    task_of("momentum_step"),
    task_of("batch_norm2d_gradient"),
    task_of("clip_by_global_norm"),
    task_of("im2col"),
    task_of("col2im"),
    task_of("shared_trunk_gradient"),
    task_of("intersection_over_union"),
    task_of("locate_bug"),
    task_of("tape_backward"),
]
EXERCISES = {each.name: each for each in TASKS}
MESSAGES.update(entry for each in TASKS for entry in each.sentences.items())
globals().update(EXERCISES)  # from cnnbp.exercises import relu_gradient

__all__ = ["EXERCISES", "MESSAGES", "TASKS", "progress", *EXERCISES]


def progress():
    """The exercises of the course by lesson, each solved or not, as a Page."""
    return progress_page(TASKS)

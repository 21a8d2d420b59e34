"""Inputs of any geometry for every exercise, beyond the cases that its checker tries."""

from importlib import import_module

import numpy as np

from cnnbp.exercises import cases
from cnnbp.graph import Graph
from cnnbp.shape import windows

DRAWS = cases.normal, cases.whole, cases.tied, cases.tied_below_zero, cases.below_zero


def random_inputs(task, rng):
    """Arguments for a task, a dict in its order."""
    drawn = INPUTS[task.name](rng)
    return {name: drawn[name] for name in task.parameters}


def home(name):
    """The module in which a task and its cases are."""
    return import_module(f"cnnbp.exercises.tasks.{name}")


def ints(rng, count, low=1, high=4):
    return tuple(map(int, rng.integers(low, high + 1, count)))


def place(rng, in_padding=True):
    """(image, kernel, stride, padding), each a pair, so that a window fits."""
    kernel, stride = ints(rng, 2, 1, 3), ints(rng, 2, 1, 3)
    padding = tuple(int(rng.integers(0, 3 if in_padding else k)) for k in kernel)
    image = tuple(
        max(1, k - 2 * p) + int(rng.integers(0, 5)) for k, p in zip(kernel, padding, strict=True)
    )
    return image, kernel, stride, padding


def convolution(rng):
    (image, kernel, stride, padding), (N, C, F) = place(rng), ints(rng, 3, 1, 3)
    return cases.convolution(rng, (N, C, *image), (F, C, *kernel), stride, padding)


def pooling(rng, draw=None):
    image, kernel, stride, padding = place(rng, in_padding=False)
    draw = draw or DRAWS[rng.integers(len(DRAWS))]
    return cases.pooling(rng, (*ints(rng, 2, 1, 3), *image), kernel, stride, padding, draw=draw)


def columns(rng):
    image, kernel, stride, padding = place(rng, in_padding=False)
    return cases.as_columns(rng, (*ints(rng, 2, 1, 3), *image), kernel, stride, padding)


def top_two(rng):
    while True:
        image, kernel, stride, _ = place(rng)
        if min(np.subtract(image, kernel)) >= 0 and np.prod(kernel) >= 2:
            return cases.pooling(rng, (*ints(rng, 2, 1, 3), *image), kernel, stride)


def terms(rng):
    (image, kernel, stride, padding), (N, C, F) = place(rng), ints(rng, 3, 1, 3)
    shapes = {"dx": (N, C, *image), "dw": (F, C, *kernel)}
    wanted = ("dx", "dw")[rng.integers(2)]
    index = tuple(int(rng.integers(size)) for size in shapes[wanted])
    return home("gradient_terms").cell(wanted, index, *shapes.values(), stride, padding)


def circular(rng):
    N, C, F, H, W = ints(rng, 5)
    kernel = int(rng.integers(1, H + 1)), int(rng.integers(1, W + 1))
    return home("conv2d_circular_gradient").circular_case(rng, (N, C, H, W), (F, C, *kernel))


def tied_kernel(rng):
    KH, KW, rows, columns, N, C = ints(rng, 6, 1, 3)
    image = 2 * (KH - 1) + rows, 2 * (KW - 1) + columns
    return home("tied_kernel_gradient").tied_case(rng, (N, C, *image), (KH, KW))


def floats(*names):
    return lambda rng: dict(zip(names, rng.standard_normal(len(names)).tolist(), strict=True))


def elementwise(rng):
    shape = ints(rng, int(rng.integers(1, 5)), 1, 3)
    x = rng.choice([-1.5, -1.0, 0.0, 0.0, 2.0], shape)
    return {"dz": rng.standard_normal(shape), "x": x}


def clipping(rng):
    shapes = [ints(rng, int(rng.integers(1, 4)), 1, 3) for _ in range(rng.integers(1, 4))]
    drawn = home("clip_by_global_norm").clip_case(rng, shapes, float(rng.uniform(0.2, 2)))
    zeros = [0 * each for each in drawn["gradients"]]
    return drawn | ({"gradients": zeros} if rng.integers(4) == 0 else {})


def step(rng):
    rates = rng.uniform(0, 1, 2).tolist()
    return home("momentum_step").step_case(rng, ints(rng, int(rng.integers(1, 4))), *rates)


def numeric(rng):
    shape = ints(rng, int(rng.integers(1, 4)), 1, 3)
    return home("numeric_gradient").case(rng, shape, float(rng.uniform(0.1, 0.5)))


def of_sizes(name, build, count, *more):
    """Cases that are built of so many sizes."""
    return lambda rng: getattr(home(name), build)(rng, *ints(rng, count), *more)


def graph(rng):
    """A random graph of products, sums and differences."""
    names, formulas = ["x", "w"], {}
    for number in range(rng.integers(1, 6)):
        a, b = rng.choice(names, 2)
        formulas[f"s{number}"] = f"{a} {rng.choice(['+', '-', '*'])} {b}"
        names.append(f"s{number}")
    made = Graph(**formulas)
    return home("graph_backward").graph_case(made, rng.standard_normal(len(made.inputs)))


def network(rng):
    N, C, F, M, KH, KW = ints(rng, 6, 1, 3)
    image = [k + 2 + int(rng.integers(0, 9)) for k in (KH, KW)]
    return home("network_backward").network_case(rng, M, (N, C, *image), (F, C, KH, KW))


def cells_behind(rng):
    while True:
        (image, kernel, stride, padding), (N, C, F) = place(rng), ints(rng, 3, 1, 3)
        conv = windows(image, kernel, stride=stride, padding=padding)
        pool = ints(rng, 2, 1, 3), ints(rng, 2, 1, 3)
        if all(np.less_equal(pool[0], conv.output)):
            index = tuple(int(rng.integers(size)) for size in (N, C, *image))
            shapes = (N, C, *image), (F, C, *kernel)
            return home("cells_behind").behind(index, *shapes, stride, padding, pool)


INPUTS = {
    "double": lambda rng: {"x": rng.standard_normal(ints(rng, int(rng.integers(1, 4))))},
    "graph_backward": graph,
    "network_backward": network,
    "cells_behind": cells_behind,
    "linear_gradients_batch_in_rows": of_sizes("linear_gradients_batch_in_rows", "rows_case", 3),
    "graph_gradients": floats("x", "w", "b", "target"),
    "numeric_gradient": numeric,
    "linear_gradients": of_sizes("linear_gradients", "linear_case", 3),
    "flatten_gradient": lambda rng: home("flatten_gradient").flatten_case(rng, ints(rng, 4)),
    "relu_gradient": elementwise,
    "sigmoid_gradient": elementwise,
    "tanh_gradient": elementwise,
    "softmax_cross_entropy_gradient": of_sizes("softmax_cross_entropy_gradient", "scores", 2),
    "conv2d_output": convolution,
    "conv2d_weight_gradient": convolution,
    "conv2d_bias_gradient": convolution,
    "conv2d_input_gradient": convolution,
    "gradient_terms": terms,
    "conv2d_circular_gradient": circular,
    "tied_kernel_gradient": tied_kernel,
    "max_pool2d_output": pooling,
    "max_pool2d_gradient": pooling,
    "avg_pool2d_gradient": pooling,
    "mean_of_top_two_gradient": top_two,
    "momentum_step": step,
    "batch_norm2d_gradient": lambda rng: home("batch_norm2d_gradient").batch(
        rng, ints(rng, 4), float(rng.uniform(0.05, 1))
    ),
    "clip_by_global_norm": clipping,
    "im2col": columns,
    "col2im": columns,
    "shared_trunk_gradient": of_sizes("shared_trunk_gradient", "trunk_case", 3),
    "locate_bug": lambda rng: next(home("locate_bug").hunted(rng)),
    "tape_backward": lambda rng: home("tape_backward").tied_kernel(rng),
    "intersection_over_union": of_sizes("intersection_over_union", "random_boxes", 1),
}

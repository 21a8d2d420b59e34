"""Makes the .npz files beside it: what PyTorch and TensorFlow say about every operation.

`make references` runs it in an environment that has both. The course needs neither; its tests
read the files. A file holds the keys case/options (JSON: the operation and its options),
case/inputs/name, case/torch/name and case/tensorflow/name, all in float64. On the same machine,
running this again gives the same arrays, bit for bit.

What lessons show without a framework lies in cnnbp/data: the walkthrough network's gradients on the
photographs, a reader of digits with its gradients, and what was said to the lines in the lessons.
"""

import ast
import json
import re
import textwrap
import zlib
from pathlib import Path
from typing import NamedTuple

import in_tensorflow
import in_torch
import numpy as np
import torch_reader

import cnnbp.data
from cnnbp import frameworks

FOLDER = Path(__file__).parent
LESSONS = FOLDER.parents[1] / "notebooks"
WALKTHROUGH = Path(cnnbp.data.__file__).with_name("walkthrough_reference.npz")
READER = WALKTHROUGH.with_name("reader_reference.npz")
FRAMEWORKS = {"torch": in_torch, "tensorflow": in_tensorflow}


class Case(NamedTuple):
    """inputs hold arrays, or shapes to be filled with normal random numbers."""

    name: str
    operation: str
    inputs: dict
    options: dict


def integers(low, high, *shape):
    return np.random.default_rng(0).integers(low, high, shape)


def convolution(name, x, w, *, bias=True, **geometry):
    inputs = {"x": x, "w": w} | ({"b": (w[0], 1, 1)} if bias else {})
    return Case(f"conv2d_{name}", "conv2d", inputs, geometry)


CONVOLUTION = [
    convolution("one_cell", (1, 1, 1, 1), (1, 1, 1, 1)),
    convolution("plain", (2, 3, 6, 7), (4, 3, 3, 3)),
    convolution("without_bias", (2, 3, 6, 7), (4, 3, 3, 3), bias=False),
    convolution("one_by_one", (3, 4, 5, 6), (2, 4, 1, 1)),
    convolution("one_by_one_stride_pair", (3, 4, 5, 6), (2, 4, 1, 1), stride=(2, 3)),
    convolution("kernel_large_as_image", (2, 3, 5, 4), (3, 3, 5, 4)),
    convolution("kernel_larger_than_image", (2, 2, 2, 3), (2, 2, 4, 3), padding=1),
    convolution("batch_of_one", (1, 3, 7, 5), (2, 3, 3, 2)),
    convolution("single_row", (2, 2, 1, 9), (3, 2, 1, 4), stride=(1, 2)),
    convolution("wide_kernel", (2, 3, 6, 8), (2, 3, 2, 5)),
    convolution("stride_2", (2, 2, 7, 7), (3, 2, 3, 3), stride=2),
    convolution("stride_pair", (2, 2, 7, 8), (3, 2, 3, 2), stride=(1, 3)),
    convolution("stride_remainder", (3, 2, 8, 8), (2, 2, 3, 3), stride=2),
    convolution("stride_two_remainders", (2, 2, 10, 9), (3, 2, 3, 2), stride=(4, 3)),
    convolution("stride_beyond_kernel", (2, 2, 9, 8), (2, 2, 2, 2), stride=3),
    convolution("padding", (2, 3, 5, 6), (4, 3, 3, 3), padding=1),
    convolution("padding_pair", (2, 3, 5, 6), (4, 3, 3, 2), padding=(2, 1)),
    convolution("padding_beyond_kernel", (2, 2, 4, 5), (2, 2, 2, 2), padding=3),
    convolution("padding_columns_only", (2, 2, 5, 4), (3, 2, 2, 3), padding=(0, 2)),
    convolution("padding_stride_pair", (2, 3, 8, 9), (4, 3, 3, 2), stride=(2, 3), padding=1),
    convolution("padding_stride", (4, 3, 8, 8), (3, 3, 3, 3), stride=2, padding=1),
    convolution("dilation", (2, 3, 7, 8), (2, 3, 3, 3), dilation=2),
    convolution("dilation_remainder", (2, 2, 8, 10), (3, 2, 2, 3), stride=2, dilation=(3, 2)),
    convolution(
        "dilation_pair_stride_padding",
        *((2, 2, 9, 8), (3, 2, 3, 2)),
        **{"stride": (2, 1), "padding": (1, 2), "dilation": (3, 2)},
    ),
    convolution("groups", (2, 4, 6, 5), (6, 2, 3, 3), groups=2),
    convolution("groups_stride_padding", (2, 6, 7, 6), (3, 2, 3, 2), groups=3, stride=2, padding=1),
    convolution("depthwise", (2, 4, 6, 6), (4, 1, 3, 3), groups=4, padding=1),
    convolution("depthwise_multiplier", (2, 3, 5, 6), (6, 1, 2, 3), groups=3),
    convolution(
        "every_option",
        *((3, 4, 9, 11), (4, 2, 3, 2)),
        **{"stride": (2, 3), "padding": (2, 1), "dilation": (2, 3), "groups": 2},
    ),
    Case(
        "conv2d_reference_layer",
        "conv2d",
        {  # eighths: exact in every order of summation, and small on disk
            "x": integers(-16, 17, 10, 3, 29, 28) / 8,
            "w": integers(-16, 17, 2, 3, 3, 2) / 8,
            "b": integers(-16, 17, 2, 1, 1) / 8,
            "dz": integers(-16, 17, 10, 2, 14, 14) / 8,
        },
        {"stride": 2},
    ),
    Case("im2col_plain", "im2col", {"x": (2, 3, 4, 5)}, {"kernel_size": 2}),
    Case(
        "im2col_stride_padding",
        "im2col",
        {"x": (3, 2, 5, 6)},
        {"kernel_size": (3, 2), "stride": (2, 3), "padding": (1, 2)},
    ),
    Case(
        "im2col_dilation",
        "im2col",
        {"x": (2, 2, 7, 6)},
        {"kernel_size": (2, 3), "dilation": (3, 2), "stride": (2, 1)},
    ),
]


def pooling(name, x, kernel_size, **geometry):
    inputs, options = {"x": x}, {"kernel_size": kernel_size} | geometry
    return [
        Case(f"{operation}_{name}", operation, inputs, options)
        for operation in ("max_pool2d", "avg_pool2d")
    ]


POOLING = [
    *pooling("plain", (2, 3, 6, 8), 2),
    *pooling("whole_image", (2, 3, 4, 5), (4, 5)),
    *pooling("one_by_one", (2, 2, 3, 4), 1),
    *pooling("overlap", (2, 2, 6, 7), 3, stride=1),
    *pooling("uncovered_cells", (2, 2, 14, 14), (2, 2), stride=(3, 3)),
    *pooling("window_and_stride_pairs", (2, 3, 7, 8), (3, 2), stride=(2, 1)),
    *pooling("remainder", (3, 2, 8, 9), (2, 3), stride=(4, 2)),
    *pooling("padding", (2, 2, 7, 7), 3, stride=2, padding=1),
    *pooling("padding_pair", (2, 2, 6, 9), (2, 4), stride=(3, 2), padding=(1, 2)),
    *pooling("padding_negative_images", -np.abs(integers(1, 99, 2, 2, 5, 6) / 8), 2, padding=1),
    *pooling("ties", integers(0, 3, 2, 3, 7, 8) / 8, 3, stride=2),
    *pooling("all_tied", np.zeros((2, 1, 5, 5)), 3, stride=1),
]

DENSE = [
    Case("linear_plain", "linear", {"x": (5, 4), "w": (3, 5), "b": (3, 1)}, {}),
    Case("linear_batch_of_one", "linear", {"x": (6, 1), "w": (2, 6), "b": (2, 1)}, {}),
    Case("linear_one_feature", "linear", {"x": (1, 5), "w": (1, 1), "b": (1, 1)}, {}),
    Case("flatten_images", "flatten", {"x": (4, 2, 3, 5)}, {}),
]

FAR_OUT = np.array([[-40.0, -20.0, -3.0, -0.5], [0.25, 3.0, 20.0, 40.0]])
GREAT = 1000.0 * integers(-1, 2, 5, 6) + integers(-8, 9, 6) / 8

ACTIVATION = [
    Case("relu_matrix", "relu", {"x": (5, 6)}, {}),
    Case("relu_images", "relu", {"x": (2, 3, 4, 5)}, {}),
    Case("leaky_relu_default_slope", "leaky_relu", {"x": (2, 3, 4, 5)}, {"slope": 0.01}),
    Case("leaky_relu_steep", "leaky_relu", {"x": (5, 6)}, {"slope": 0.3}),
    Case("sigmoid_images", "sigmoid", {"x": (2, 3, 4, 5)}, {}),
    Case("sigmoid_far_out", "sigmoid", {"x": FAR_OUT}, {}),
    Case("tanh_images", "tanh", {"x": (2, 3, 4, 5)}, {}),
    Case("tanh_far_out", "tanh", {"x": FAR_OUT}, {}),
    Case("softmax_plain", "softmax", {"z": (5, 6)}, {}),
    Case("softmax_great_scores", "softmax", {"z": GREAT}, {}),
]


def cross_entropy(name, z, labels):
    inputs = {"z": z, "labels": np.array(labels)}
    return Case(f"softmax_cross_entropy_{name}", "softmax_cross_entropy", inputs, {})


LOSS = [
    cross_entropy("plain", (5, 6), [0, 4, 2, 2, 1, 3]),
    cross_entropy("batch_of_one", (3, 1), [2]),
    cross_entropy("great_scores", GREAT, [0, 4, 2, 2, 1, 3]),
    Case("mean_squared_error_plain", "mean_squared_error", {"z": (5, 6), "target": (5, 6)}, {}),
    Case("mean_squared_error_one", "mean_squared_error", {"z": (1, 1), "target": (1, 1)}, {}),
]


def batch_norm(name, x, channels, eps=1e-5):
    inputs = {"x": x, "gamma": (channels, 1, 1), "beta": (channels, 1, 1)}
    return Case(f"batch_norm2d_{name}", "batch_norm2d", inputs, {"eps": eps})


def running(name, steps, shape, eps=1e-5):
    """Training on `steps` random batches of this shape, then an evaluation of one image."""
    inputs = {"batches": (steps, *shape), "x": (1, *shape[1:]), "dz": (1, *shape[1:])}
    inputs |= {"gamma": (shape[1], 1, 1), "beta": (shape[1], 1, 1)}
    return Case(f"batch_norm2d_evaluation_{name}", "batch_norm2d_evaluation", inputs, {"eps": eps})


def group_norm(name, x, groups, eps=1e-5):
    inputs = {"x": x, "gamma": (x[1], 1, 1), "beta": (x[1], 1, 1)}
    return Case(f"group_norm_{name}", "group_norm", inputs, {"groups": groups, "eps": eps})


def dropped(probability, *shape):
    """A mask of 0 and 1/(1 − probability)."""
    return (np.random.default_rng(0).random(shape) >= probability) / (1 - probability)


ONE_CONSTANT_CHANNEL = integers(-8, 9, 4, 3, 3, 4) / 8 * np.array([[[1]], [[0]], [[2]]]) + 0.5

NORMALIZATION = [
    batch_norm("plain", (4, 3, 5, 6), 3),
    batch_norm("large_eps", (2, 2, 3, 4), 2, eps=0.1),
    batch_norm("batch_of_one", (1, 4, 3, 5), 4),
    batch_norm("one_constant_channel", ONE_CONSTANT_CHANNEL, 3),
    running("one_step", 1, (4, 3, 5, 4)),
    running("seven_steps", 7, (3, 2, 4, 3)),
    running("large_eps", 3, (2, 2, 3, 3), eps=0.1),
    group_norm("one_group_is_layer_norm", (3, 4, 5, 3), 1),
    group_norm("two_groups", (3, 4, 5, 3), 2),
    group_norm("three_groups", (2, 6, 3, 4), 3, eps=1e-3),
    group_norm("a_group_per_channel", (2, 4, 5, 3), 4),
    group_norm("batch_of_one", (1, 4, 2, 2), 2),
    Case("dropout_half", "dropout", {"x": (5, 6), "mask": dropped(0.5, 5, 6)}, {}),
    Case("dropout_quarter", "dropout", {"x": (2, 3, 4, 5), "mask": dropped(0.25, 2, 3, 4, 5)}, {}),
]

REGRESSION = {"x": (4, 6), "target": (3, 6), "w": (3, 4), "b": (3, 1)}


def descent(name, optimizer, **options):
    return Case(name, optimizer, REGRESSION, {"steps": 20} | options)


OPTIMIZER = [
    descent("sgd_plain", "sgd", learning_rate=0.1, momentum=0.0),
    descent("sgd_momentum", "sgd", learning_rate=0.05, momentum=0.9),
    descent("adam_usual", "adam", learning_rate=0.001, beta1=0.9, beta2=0.999, eps=1e-8),
    descent("adam_other", "adam", learning_rate=0.1, beta1=0.8, beta2=0.95, eps=1e-2),
    Case("clip_gradients_bites", "clip_gradients", REGRESSION, {"max_norm": 0.25}),
    Case("clip_gradients_idle", "clip_gradients", REGRESSION, {"max_norm": 100.0}),
]

NETWORK = [
    Case(
        "walkthrough_network",
        "walkthrough_network",
        {
            **{"x": (2, 3, 29, 28), "target": (32, 2)},
            **{"0.w": (2, 3, 3, 2), "0.b": (2, 1, 1), "3.w": (32, 50), "3.b": (32, 1)},
        },
        {},
    ),
    Case(
        "digits_network",
        "digits_network",
        {
            **{"x": (6, 1, 8, 8), "labels": np.array([3, 0, 9, 9, 5, 1])},
            **{"0.w": (4, 1, 3, 3), "0.b": (4, 1, 1)},
            **{"1.0.gamma": (4, 1, 1), "1.0.beta": (4, 1, 1)},
            **{"1.2.w": (4, 4, 3, 3), "1.2.b": (4, 1, 1)},
            **{"2.gamma": (4, 1, 1), "2.beta": (4, 1, 1)},
            **{"6.w": (10, 64), "6.b": (10, 1)},
        },
        {},
    ),
]

TOPICS = {
    "convolution": CONVOLUTION,
    "pooling": POOLING,
    "dense": DENSE,
    "activation": ACTIVATION,
    "loss": LOSS,
    "normalization": NORMALIZATION,
    "optimizer": OPTIMIZER,
    "network": NETWORK,
}


def filled(case):
    """The case's inputs as arrays, and a random dz where the operation takes one."""
    rng = np.random.default_rng(zlib.crc32(case.name.encode()))
    inputs = {
        name: rng.standard_normal(given) if isinstance(given, tuple) else given
        for name, given in case.inputs.items()
    }
    if case.operation in in_torch.OPERATIONS and "dz" not in inputs:
        shape = in_torch.output_shape(case.operation, inputs, case.options)
        if shape:
            inputs["dz"] = rng.standard_normal(shape)
    return inputs


def entries(case):
    """What a file holds about a case: options, inputs, and both frameworks' results."""
    inputs = filled(case)
    options = {"operation": case.operation} | case.options
    results = {
        framework: module.results(case.operation, inputs, case.options)
        for framework, module in FRAMEWORKS.items()
    }
    assert_agree(case.name, **results)
    held = {f"{case.name}/options": np.array(json.dumps(options))}
    for part, arrays in {"inputs": inputs, **results}.items():
        held |= {f"{case.name}/{part}/{name}": array for name, array in arrays.items()}
    return held


def assert_agree(case_name, torch, tensorflow):
    """Where the frameworks contradict each other, nothing is stored."""
    assert torch.keys() == tensorflow.keys(), case_name
    for name, array in torch.items():
        tolerance = 1e-12 * np.abs(array).max()
        np.testing.assert_allclose(
            array, tensorflow[name], rtol=0, atol=tolerance, err_msg=f"{case_name}: {name}"
        )


def walkthrough_reference():
    """The walkthrough network on the photo patches: every z, every parameter's gradient and dx.

    L is the mean squared error to np.random.default_rng(1).standard_normal((32, 10)).
    """
    inputs = {
        "x": cnnbp.data.photo_patches(),
        "target": np.random.default_rng(1).standard_normal((32, 10)),
        **cnnbp.walkthrough_network().params,
    }
    return {
        f"{framework}/{name}": array
        for framework, module in FRAMEWORKS.items()
        for name, array in module.results("walkthrough_network", inputs, {}).items()
    }


def lines_of_lessons():
    """(framework, lines) of every in_torch and in_tensorflow of a lesson."""
    for lesson in sorted(LESSONS.glob("*.ipynb")):
        for cell in json.loads(lesson.read_text(encoding="utf-8"))["cells"]:
            source = "".join(cell["source"])
            if cell["cell_type"] == "code" and re.search(r"\bin_(torch|tensorflow)\(", source):
                for node in ast.walk(ast.parse(source)):
                    name = getattr(getattr(node, "func", None), "id", "")
                    if name in ("in_torch", "in_tensorflow"):
                        yield name.removeprefix("in_"), textwrap.dedent(node.args[0].value).strip()


def what_is_said():
    """What the frameworks say to the lines in the lessons, as frameworks.json holds it."""
    return [
        {"framework": framework, "lines": lines, "said": frameworks.asked(framework, lines)}
        for framework, lines in lines_of_lessons()
    ]


def main():
    for topic, cases in TOPICS.items():
        held = {key: array for case in cases for key, array in entries(case).items()}
        np.savez_compressed(FOLDER / f"{topic}.npz", **held)
        print(f"{topic}.npz: {len(cases)} cases")
    np.savez_compressed(WALKTHROUGH, **walkthrough_reference())
    print(f"{WALKTHROUGH.name}: the photographs")
    np.savez_compressed(READER, **torch_reader.reference())
    print(f"{READER.name}: a reader of digits")
    said = what_is_said()
    text = json.dumps(said, ensure_ascii=False, indent=1) + "\n"
    frameworks.STORED.write_text(text, encoding="utf-8")
    print(f"{frameworks.STORED.name}: {len(said)} answers")


if __name__ == "__main__":
    main()

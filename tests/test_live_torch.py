"""cnnbp against PyTorch itself, on random geometry; the stored results hold what it said before."""

import numpy as np
import pytest
from helpers import torch_or_skip
from hypothesis import given
from hypothesis import strategies as st
from references.in_cnnbp import results

from cnnbp import relative_error

torch_or_skip()  # the stored results are compared without it

from references import in_torch  # noqa: E402 - it imports torch

SEEDS = st.integers(0, 2**32 - 1)


def assert_agrees(operation, seed, shapes, options):
    """Random inputs of these shapes, and a random dz, give PyTorch's results and gradients."""
    rng = np.random.default_rng(seed)
    inputs = {name: rng.standard_normal(shape) for name, shape in shapes.items()}
    if operation in in_torch.OPERATIONS:
        z_shape = in_torch.output_shape(operation, inputs, options)
        inputs["dz"] = rng.standard_normal(z_shape)
    found = results(operation, inputs, options)
    theirs = in_torch.results(operation, inputs, options)
    assert found.keys() == theirs.keys()
    errors = {name: relative_error(found[name], theirs[name]) for name in theirs}
    assert max(errors.values()) <= 1e-10, errors


def pairs(low, high):
    return st.tuples(st.integers(low, high), st.integers(low, high))


@st.composite
def convolutions(draw):
    """Shapes and options of a convolution whose window fits; stride may leave a remainder."""
    kernel, dilation, padding = draw(pairs(1, 4)), draw(pairs(1, 3)), draw(pairs(0, 3))
    image = [
        max(1, d * (k - 1) + 1 - 2 * p) + draw(st.integers(0, 5))
        for k, d, p in zip(kernel, dilation, padding, strict=True)
    ]
    n, groups, c, f = (draw(st.integers(1, 3)) for _ in range(4))  # c, f for each group
    shapes = {"x": (n, groups * c, *image), "w": (groups * f, c, *kernel)}
    shapes["b"] = (groups * f, 1, 1)
    options = {"stride": draw(pairs(1, 4)), "padding": padding, "dilation": dilation}
    return shapes, options | {"groups": groups}


@given(SEEDS, convolutions(), st.sampled_from(["conv2d", "conv2d_without_bias"]))
def test_conv2d_agrees_with_live_pytorch(seed, convolution, kind):
    shapes, options = convolution
    if kind == "conv2d_without_bias":
        del shapes["b"]
    assert_agrees("conv2d", seed, shapes, options)


@given(SEEDS, convolutions())
def test_im2col_agrees_with_live_pytorch(seed, convolution):
    shapes, options = convolution
    del options["groups"]
    options["kernel_size"] = shapes["w"][2:]
    assert_agrees("im2col", seed, {"x": shapes["x"]}, options)


@st.composite
def poolings(draw):
    """Shapes and options of a pooling; PyTorch pads by half a window at most."""
    kernel, stride = draw(pairs(1, 4)), draw(st.none() | pairs(1, 5))
    padding = tuple(draw(st.integers(0, k // 2)) for k in kernel)
    image = [
        max(1, k - 2 * p) + draw(st.integers(0, 6)) for k, p in zip(kernel, padding, strict=True)
    ]
    shapes = {"x": (draw(st.integers(1, 3)), draw(st.integers(1, 3)), *image)}
    return shapes, {"kernel_size": kernel, "stride": stride, "padding": padding}


@pytest.mark.parametrize("operation", ["max_pool2d", "avg_pool2d"])
@given(seed=SEEDS, pooling=poolings())
def test_pooling_agrees_with_live_pytorch(operation, seed, pooling):
    assert_agrees(operation, seed, *pooling)


@given(SEEDS, poolings(), st.integers(1, 3))
def test_the_winner_of_a_tie_is_live_pytorchs(seed, pooling, values):
    shapes, options = pooling
    x = np.random.default_rng(seed).integers(-values, values, shapes["x"]) / 8
    dz = np.ones(in_torch.output_shape("max_pool2d", {"x": x}, options))
    inputs = {"x": x, "dz": dz}
    found, theirs = (of("max_pool2d", inputs, options) for of in (results, in_torch.results))
    np.testing.assert_array_equal(found["argmax"], theirs["argmax"])


def normalized(n, c, image):
    """Shapes of a normalization; images of 4 cells or more, or the gradient is all rounding."""
    return {"x": (n, c, *image), "gamma": (c, 1, 1), "beta": (c, 1, 1)}


@given(SEEDS, st.integers(1, 4), st.integers(1, 4), pairs(2, 5), st.floats(1e-6, 0.1))
def test_batch_norm_agrees_with_live_pytorch(seed, n, c, image, eps):
    assert_agrees("batch_norm2d", seed, normalized(n, c, image), {"eps": eps})


@given(SEEDS, st.integers(1, 3), st.integers(1, 3), st.integers(1, 3), pairs(2, 5))
def test_group_norm_agrees_with_live_pytorch(seed, n, groups, c, image):
    assert_agrees(
        "group_norm", seed, normalized(n, groups * c, image), {"groups": groups, "eps": 1e-5}
    )


@given(
    *(SEEDS, st.integers(1, 4), st.integers(1, 4), st.integers(1, 5)),
    *(st.floats(1e-4, 0.1), st.floats(0.5, 0.95), st.floats(0.9, 0.999), st.floats(1e-8, 1e-2)),
)
def test_adam_agrees_with_live_pytorch(seed, d, m, n, learning_rate, beta1, beta2, eps):
    shapes = {"x": (d, n), "target": (m, n), "w": (m, d), "b": (m, 1)}
    options = {"learning_rate": learning_rate, "beta1": beta1, "beta2": beta2, "eps": eps}
    assert_agrees("adam", seed, shapes, {"steps": 20} | options)


@given(SEEDS, st.integers(1, 4), st.integers(1, 4), st.floats(1e-3, 0.1), st.floats(0, 0.95))
def test_momentum_agrees_with_live_pytorch(seed, d, m, learning_rate, momentum):
    shapes = {"x": (d, 5), "target": (m, 5), "w": (m, d), "b": (m, 1)}
    options = {"steps": 20, "learning_rate": learning_rate, "momentum": momentum}
    assert_agrees("sgd", seed, shapes, options)

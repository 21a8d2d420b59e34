"""What several test files share: exact random numbers, geometry at random, and what errors say."""

import importlib
import os
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from cnnbp import numeric_gradient
from cnnbp.shape import conv_windows


def torch_or_skip():
    """PyTorch; without it a test is skipped, or fails where REQUIRE_TORCH is set."""
    if os.environ.get("REQUIRE_TORCH"):
        return importlib.import_module("torch")
    return pytest.importorskip("torch", reason="needs torch")


def eighths(rng, shape):
    """Random multiples of 1/8 from −8 to 8.

    Their products and sums are exact in floating point, in whatever order they are added, so two
    ways to compute the same thing must agree to the last bit.
    """
    return rng.integers(-64, 65, shape) / 8


def slope(function, at, dz, *, step=1.0):
    """The whole numeric gradient of ⟨dz, function(at)⟩, for a random upstream gradient dz.

    A step of 1 is exact where the function is linear, and as good as a small one.
    """
    return numeric_gradient(lambda value: (dz * function(value)).sum(), at, step=step)


def with_samples_last(array):
    """The same numbers with the samples side by side in memory, whatever the axes behind N."""
    return np.moveaxis(np.ascontiguousarray(np.moveaxis(array, 0, -1)), -1, 0)


def lies_samples_last(array):
    """Whether the samples of an (N, C, H, W) array lie side by side in memory."""
    return array.transpose(1, 2, 3, 0).flags.c_contiguous


def padded(x, padding, value=0.0):
    """Images (N, C, H, W) with rows and columns of a value on all four sides."""
    rows, columns = padding
    return np.pad(x, [(0, 0), (0, 0), (rows, rows), (columns, columns)], constant_values=value)


def cropped(x, padding):
    """What padded was given."""
    (top, left), (H, W) = padding, x.shape[2:]
    return x[:, :, top : H - top, left : W - left]


def zeros_with_padding(x_shape, padding):
    """Zeros of the shape that padded gives."""
    return padded(np.zeros(x_shape), padding)


def spread(dz, step):
    """step − 1 zeros between the cells of the last two axes, in rows and in columns."""
    (rows, columns), (*outer, OH, OW) = step, dz.shape
    wide = np.zeros([*outer, rows * (OH - 1) + 1, columns * (OW - 1) + 1])
    wide[..., ::rows, ::columns] = dz
    return wide


def assert_refuses(call, error, *substance):
    """The call raises this error, and its message holds every part of the substance."""
    with pytest.raises(error) as caught:
        call()
    message = str(caught.value)
    missing = [part for part in substance if part not in message]
    assert not missing, f"{missing} not in: {message}"


def pairs(low, high):
    """(rows, columns), drawn apart: nothing need be square."""
    return st.tuples(st.integers(low, high), st.integers(low, high))


class Convolution(NamedTuple):
    """The shapes of x and w, and conv2d's options."""

    x: tuple
    w: tuple
    options: dict

    @property
    def placement(self):
        """The options without groups, as im2col takes them."""
        return {name: value for name, value in self.options.items() if name != "groups"}

    @property
    def place(self):
        """Where its windows lie."""
        return conv_windows(self.x, self.w, **self.options)

    def arrays(self):
        """x, w, b and an upstream gradient dz for them."""
        z_shape = self.x[0], self.w[0], *self.place.output
        rng = np.random.default_rng(0)
        return [eighths(rng, s) for s in (self.x, self.w, (self.w[0], 1, 1), z_shape)]


CONVOLUTIONS = {
    "plain": Convolution((1, 1, 4, 4), (1, 1, 2, 2), {}),
    "the reference layer": Convolution((2, 3, 29, 28), (2, 3, 3, 2), {"stride": 2}),
    "1 × 1 kernel": Convolution((2, 3, 3, 4), (2, 3, 1, 1), {}),
    "1 × 1 image": Convolution((2, 3, 1, 1), (2, 3, 1, 1), {}),
    "kernel as large as the image": Convolution((2, 3, 3, 4), (2, 3, 3, 4), {}),
    "kernel larger than the image": Convolution((2, 1, 1, 2), (2, 1, 3, 4), {"padding": 1}),
    "overlap and remainder": Convolution((3, 2, 8, 8), (2, 2, 3, 3), {"stride": 2}),
    "nothing square": Convolution(
        (2, 3, 8, 9), (4, 3, 3, 2), {"stride": (2, 3), "padding": 1, "dilation": (1, 2)}
    ),
    "stride past the kernel": Convolution((2, 1, 9, 9), (1, 1, 2, 2), {"stride": 4}),
    "windows all in the padding": Convolution((1, 1, 2, 2), (1, 1, 1, 1), {"padding": 2}),
    "groups": Convolution((2, 6, 5, 4), (9, 2, 2, 3), {"groups": 3, "padding": 1}),
    "a filter for each channel": Convolution((2, 3, 4, 4), (3, 1, 3, 3), {"groups": 3}),
}


@st.composite
def convolutions(draw):
    """Any convolution with a window that fits; strides may leave a remainder."""
    kernel, dilation, padding = draw(pairs(1, 3)), draw(pairs(1, 3)), draw(pairs(0, 2))
    image = [
        max(1, d * (k - 1) + 1 - 2 * p) + draw(st.integers(0, 4))
        for k, d, p in zip(kernel, dilation, padding, strict=True)
    ]
    n, c, f, groups = (draw(st.integers(1, most)) for most in (2, 2, 2, 3))  # c, f in each group
    options = {"stride": draw(pairs(1, 4)), "padding": padding, "dilation": dilation}
    return Convolution(
        (n, groups * c, *image), (groups * f, c, *kernel), options | {"groups": groups}
    )


class Pooling(NamedTuple):
    """The shape of x, and a pooling's keywords."""

    x: tuple
    options: dict


POOLINGS = {
    "halving": Pooling((2, 3, 4, 6), {"kernel_size": 2}),
    "the reference layer": Pooling((2, 2, 14, 14), {"kernel_size": 2, "stride": 3}),
    "overlap": Pooling((2, 1, 5, 5), {"kernel_size": 3, "stride": 1}),
    "remainder": Pooling((1, 2, 5, 7), {"kernel_size": 2}),
    "1 × 1 window": Pooling((2, 2, 3, 2), {"kernel_size": 1}),
    "window as large as the image": Pooling((2, 2, 3, 4), {"kernel_size": (3, 4)}),
    "nothing square, padded": Pooling(
        (2, 2, 6, 5), {"kernel_size": (3, 2), "stride": (2, 1), "padding": (2, 1)}
    ),
}


@st.composite
def poolings(draw):
    """Any pooling with a window that fits and padding smaller than the window."""
    kernel, stride = draw(pairs(1, 3)), draw(st.none() | pairs(1, 4))
    padding = tuple(draw(st.integers(0, k - 1)) for k in kernel)
    image = [
        max(1, k - 2 * p) + draw(st.integers(0, 5)) for k, p in zip(kernel, padding, strict=True)
    ]
    x_shape = draw(st.integers(1, 2)), draw(st.integers(1, 2)), *image
    return Pooling(x_shape, {"kernel_size": kernel, "stride": stride, "padding": padding})


def every_convolution(test):
    """Run the test on each of CONVOLUTIONS, and on some at random."""
    return _every(test, CONVOLUTIONS, convolutions())


def every_pooling(test):
    """Run the test on each of POOLINGS, and on some at random."""
    return _every(test, POOLINGS, poolings())


def _every(test, named, at_random):
    for case in named.values():
        test = example(case)(test)
    return settings(max_examples=30)(given(at_random)(test))

"""Sizes, pairs, layout: where a kernel's windows lie, and what to say when shapes disagree."""

import operator
from functools import lru_cache
from typing import NamedTuple

import numpy as np


def pair(value, name, *, minimum=1):
    """An int or a (rows, columns) pair of ints, as a pair.

    value    int or two ints, each at least `minimum`
    returns  (int, int)

    Raises TypeError if value is neither, ValueError if an entry is below `minimum`.

    >>> pair(2, "stride"), pair((2, 3), "stride")
    ((2, 2), (2, 3))
    """
    try:
        rows, columns = map(operator.index, (value, value) if np.ndim(value) == 0 else value)
    except (TypeError, ValueError):
        raise TypeError(f"{name} must be an int or a pair (rows, columns), not {value!r}") from None
    if min(rows, columns) < minimum:
        raise ValueError(f"{name} must be at least {minimum} in rows and columns, not {value!r}")
    return rows, columns


def positive(value, name):
    """Raise TypeError unless value is an int, ValueError unless it is at least 1."""
    try:
        operator.index(value)
    except TypeError:
        raise TypeError(f"{name} must be an int, not {value!r}") from None
    if value < 1:
        raise ValueError(f"{name} must be at least 1, not {value}")


def image_shape(function, x_shape):
    """x_shape as four ints (N, C, H, W).

    >>> image_shape("flatten_backward", (50, 10))
    Traceback (most recent call last):
        ...
    TypeError: flatten_backward: x_shape must be four ints (N, C, H, W), the x.shape of the \
forward pass, not (50, 10)
    """
    try:
        N, C, H, W = map(operator.index, x_shape)
    except (TypeError, ValueError):
        given = f"an array {x_shape.shape}" if isinstance(x_shape, np.ndarray) else f"{x_shape!r}"
        raise TypeError(
            f"{function}: x_shape must be four ints (N, C, H, W), the x.shape of the forward "
            f"pass, not {given}"
        ) from None
    return N, C, H, W


def floats(function, **arrays):
    """The named arrays in one floating-point dtype, in the order given.

    float32 stays float32 if every array is float32. Lists, integers and booleans become float64.
    Nothing is copied that need not be, and the layout in memory is kept.

    Raises TypeError for anything that does not hold real numbers (ragged lists, None, strings).

    >>> x, w = floats("conv2d", x=[[1, 2]], w=np.ones((1, 2), np.float32))
    >>> x.dtype, w.dtype
    (dtype('float64'), dtype('float64'))
    """
    real = [_real(function, name, array) for name, array in arrays.items()]
    dtype = np.result_type(*real)
    return [array.astype(dtype, copy=False) for array in real]


def _real(function, name, array):
    try:
        array = np.asarray(array)
    except ValueError:
        raise TypeError(
            f"{function}: {name} is a ragged list, its rows differ in length; give an array"
        ) from None
    if array.dtype.kind in "biu":
        return array.astype(np.float64)
    if array.dtype.kind != "f":
        raise TypeError(f"{function}: {name} must hold real numbers, not {array.dtype} values")
    return array


def images(function, **arrays):
    """Like floats, and every array must have four axes, none of them empty but the batch.

    Raises ValueError naming the array, its shape and the remedy.

    >>> images("conv2d", x=np.ones((28, 28)))
    Traceback (most recent call last):
        ...
    ValueError: conv2d: x must have 4 axes (N, C, H, W) but is (28, 28). One image? Add the \
missing axes: x[None, None].
    """
    checked = floats(function, **arrays)
    for name, array in zip(arrays, checked, strict=True):
        axes = "(F, C, KH, KW)" if name == "w" else "(N, C, H, W)"
        if array.ndim != 4:
            raise ValueError(
                f"{function}: {name} must have 4 axes {axes} but is {array.shape}."
                + {
                    2: f" One image? Add the missing axes: {name}[None, None].",
                    3: f" One image? Add the missing axis: {name}[None].",
                }.get(array.ndim, "")
            )
        if 0 in (array.shape if name == "w" else array.shape[1:]):
            raise ValueError(
                f"{function}: {name} {array.shape} holds nothing: only the batch N may be 0"
            )
    return checked


def same_shape(function, name, array, expected, reason):
    """Raise ValueError unless array.shape is `expected`, with the reason why it should be.

    >>> same_shape("relu_backward", "dz", np.ones((2, 3)), (2, 4), "the shape of x")
    Traceback (most recent call last):
        ...
    ValueError: relu_backward: dz is (2, 3) but must be (2, 4), the shape of x
    """
    if array.shape != tuple(expected):
        raise ValueError(
            f"{function}: {name} is {array.shape} but must be {tuple(expected)}, {reason}"
        )


def batch_last(x):
    """The same (N, C, H, W) numbers with the samples side by side in memory.

    Only the layout differs: a kernel position then meets all samples of a pixel in one contiguous
    run, and flattening costs nothing. A view, no copy, if x already lies so.

    x        (N, C, H, W)
    returns  (N, C, H, W), its memory in the order C, H, W, N

    >>> batch_last(np.zeros((2, 3, 4, 5))).strides
    (8, 320, 80, 16)
    """
    return np.ascontiguousarray(x.transpose(1, 2, 3, 0)).transpose(3, 0, 1, 2)


class Windows(NamedTuple):
    """Where the windows of a kernel lie on an image; every entry is a (rows, columns) pair.

    The window at (i, j) sees, at its kernel position (kh, kw), the pixel
    (i·stride + kh·dilation − padding, j·stride + kw·dilation − padding), if there is one.
    """

    image: tuple  # (H, W)
    kernel: tuple  # (KH, KW)
    stride: tuple
    padding: tuple
    dilation: tuple

    @property
    def output(self):
        """(OH, OW), how many windows fit."""
        return tuple(
            (size + 2 * padding - dilation * (kernel - 1) - 1) // stride + 1
            for size, kernel, stride, padding, dilation in zip(*self, strict=True)
        )

    @lru_cache(maxsize=128)  # noqa: B019 - a tuple of ints, and training asks for the same ones
    def taps(self):
        """For every kernel position: (kh, kw), the windows and the pixels that meet there.

        Windows and pixels are pairs of slices of equal length. Windows whose pixel would lie in
        the padding are left out, so nothing ever needs to be padded.

        >>> for tap, outputs, pixels in windows("conv2d", (1, 5), (1, 3), stride=2).taps():
        ...     print(tap, outputs[1], pixels[1])
        (0, 0) slice(0, 2, None) slice(0, 3, 2)
        (0, 1) slice(0, 2, None) slice(1, 4, 2)
        (0, 2) slice(0, 2, None) slice(2, 5, 2)
        """
        rows, columns = (
            [_meet(*axis, kernel_index) for kernel_index in range(axis[1])]
            for axis in zip(*self, self.output, strict=True)
        )
        return [
            ((kh, kw), (output_rows, output_columns), (pixel_rows, pixel_columns))
            for kh, (output_rows, pixel_rows) in enumerate(rows)
            for kw, (output_columns, pixel_columns) in enumerate(columns)
        ]


def _meet(size, kernel, stride, padding, dilation, output, kernel_index):
    """Along one axis: the windows whose kernel_index lies on the image, and those pixels."""
    offset = kernel_index * dilation - padding
    first = max(0, -(offset // stride))  # the first window whose pixel is not before the image
    end = max(first, min(output, (size - 1 - offset) // stride + 1))
    start = first * stride + offset
    return slice(first, end), slice(
        start, max(start, start + (end - first - 1) * stride + 1), stride
    )


def windows(function, image, kernel_size, *, stride=1, padding=0, dilation=1):
    """The Windows of a kernel over an image, after checking that at least one fits.

    image        (H, W)
    kernel_size  int or pair, as stride, padding and dilation

    Raises ValueError with the sizes and the remedy if the window is larger than the padded image.

    >>> windows("conv2d", (29, 28), (3, 2), stride=2).output
    (14, 14)
    >>> windows("conv2d", (2, 8), 3)
    Traceback (most recent call last):
        ...
    ValueError: conv2d: the window (3, 3) is larger than the image (2, 8). Pad the image or use a \
smaller kernel.
    """
    placed = Windows(
        tuple(image),
        pair(kernel_size, f"{function}: kernel_size"),
        pair(stride, f"{function}: stride"),
        pair(padding, f"{function}: padding", minimum=0),
        pair(dilation, f"{function}: dilation"),
    )
    if min(placed.output) < 1:
        span = tuple(d * (k - 1) + 1 for d, k in zip(placed.dilation, placed.kernel, strict=True))
        padded = tuple(s + 2 * p for s, p in zip(placed.image, placed.padding, strict=True))
        raise ValueError(
            f"{function}: the window {span}"
            + (
                f" of a kernel {placed.kernel} with dilation {placed.dilation}"
                * (span != placed.kernel)
            )
            + f" is larger than the image {padded}"
            + (" with its padding" * (padded != placed.image))
            + ". Pad the image or use a smaller kernel."
        )
    return placed

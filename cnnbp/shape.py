"""Sizes, pairs, layout: where a kernel's windows lie, and what to say when shapes disagree."""

import operator
import sys
from functools import lru_cache
from itertools import product
from numbers import Real
from typing import NamedTuple

import numpy as np

COLORS = (1, 3, 4)  # channels that an image file has: gray, RGB, RGBA


def complaint(error, sentence):
    """An error to raise that begins with the name of the public function that was called.

    error     ValueError or TypeError
    sentence  what was given, what was expected, and the remedy; kept as `.sentence`

    The function is the outermost one of this package on the way here, so that none has to hand
    its name on: whoever calls draw_conv2d_dw is told about draw_conv2d_dw.

    >>> pair(0, "stride")
    Traceback (most recent call last):
        ...
    ValueError: pair: stride must be at least 1 in rows and columns, not 0
    """
    frame, called = sys._getframe(1), None
    while frame and _is_ours(frame):
        frame, called = frame.f_back, frame
    named = error(f"{_name_of(called)}: {sentence}")
    named.sentence = sentence
    return named


def _is_ours(frame):
    """Whether a function of this package runs in it; a module's own lines are somebody's call."""
    package = frame.f_globals.get("__name__", "").partition(".")[0]
    return package == __name__.partition(".")[0] and frame.f_code.co_name != "<module>"


def _name_of(frame):
    """conv2d, Conv2d (while it is made) or Conv2d.forward, as a caller would write it."""
    name = frame.f_code.co_qualname.partition(".<locals>")[0]
    if frame.f_code.co_varnames[:1] != ("self",):
        return name
    kind = type(frame.f_locals["self"]).__name__  # an inherited method belongs to what was called
    method = frame.f_code.co_name
    return kind if method.startswith("_") else f"{kind}.{method}"


def pair(value, name, *, minimum=1):
    """An int or a (rows, columns) pair of ints, as a pair.

    value    int or two ints, each at least `minimum`; True is no int here
    returns  (int, int)

    Raises TypeError if value is neither, ValueError if an entry is below `minimum`.

    >>> pair(2, "stride"), pair((2, 3), "stride")
    ((2, 2), (2, 3))
    """
    if type(value) is int and value >= minimum:  # as nearly always, and training asks often
        return value, value
    try:
        rows, columns = map(_whole, (value, value) if np.ndim(value) == 0 else value)
    except (TypeError, ValueError):
        raise complaint(
            TypeError, f"{name} must be an int or a pair (rows, columns), not {value!r}"
        ) from None
    if min(rows, columns) < minimum:
        raise complaint(
            ValueError, f"{name} must be at least {minimum} in rows and columns, not {value!r}"
        )
    return rows, columns


def positive(value, name):
    """Raise TypeError unless value is an int, ValueError unless it is at least 1."""
    try:
        _whole(value)
    except TypeError:
        raise complaint(TypeError, f"{name} must be an int, not {value!r}") from None
    if value < 1:
        raise complaint(ValueError, f"{name} must be at least 1, not {value}")


def _whole(value):
    """value as an int; TypeError for what is none, and for True, which would count as 1."""
    if isinstance(value, bool):
        raise TypeError
    return operator.index(value)


def real(value, name, fits=np.isfinite, words="finite"):
    """Raise TypeError unless value is a number, ValueError unless it fits.

    fits, words  what it must be, as a function and in words

    >>> real("0.1", "learning_rate")
    Traceback (most recent call last):
        ...
    TypeError: real: learning_rate must be a number, not '0.1'
    >>> real(0, "eps", lambda eps: 0 < eps < np.inf, "positive and finite")
    Traceback (most recent call last):
        ...
    ValueError: real: eps must be positive and finite, not 0
    """
    if not isinstance(value, Real) or isinstance(value, bool):
        raise complaint(TypeError, f"{name} must be a number, not {value!r}")
    if not fits(value):
        raise complaint(ValueError, f"{name} must be {words}, not {value!r}")


def positive_real(value, name):
    """Raise TypeError unless value is a number, ValueError unless it is positive and finite."""
    real(value, name, lambda number: 0 < number < np.inf, "positive and finite")


def share(value, name):
    """Raise TypeError unless value is a number, ValueError unless it is from 0 to less than 1."""
    real(value, name, lambda number: 0 <= number < 1, "at least 0 and less than 1")


def image_shape(x_shape):
    """x_shape as four ints (N, C, H, W).

    >>> image_shape((50, 10))
    Traceback (most recent call last):
        ...
    TypeError: image_shape: x_shape must be four ints (N, C, H, W), the x.shape of the \
forward pass, not (50, 10)
    """
    try:
        N, C, H, W = map(_whole, x_shape)
    except (TypeError, ValueError):
        given = f"an array {x_shape.shape}" if isinstance(x_shape, np.ndarray) else f"{x_shape!r}"
        raise complaint(
            TypeError,
            f"x_shape must be four ints (N, C, H, W), the x.shape of the forward pass, not {given}",
        ) from None
    if min(N, C, H, W) < 0:
        raise complaint(ValueError, f"x_shape {(N, C, H, W)} has an axis of less than nothing")
    return N, C, H, W


def floats(**arrays):
    """The named arrays in one floating-point dtype, in the order given.

    float32 stays float32 if every array is float32. Lists, integers and booleans become float64.
    Nothing is copied that need not be, and the layout in memory is kept.

    Raises TypeError for anything that does not hold real numbers (ragged lists, None, strings).

    >>> x, w = floats(x=[[1, 2]], w=np.ones((1, 2), np.float32))
    >>> x.dtype, w.dtype
    (dtype('float64'), dtype('float64'))
    """
    real = [_real(name, array) for name, array in arrays.items()]
    dtype = np.result_type(*real)
    return [array.astype(dtype, copy=False) for array in real]


def _real(name, array):
    try:
        array = np.asarray(array)
    except ValueError:
        raise complaint(
            TypeError, f"{name} is a ragged list, its rows differ in length; give an array"
        ) from None
    if array.dtype.kind in "biu":
        return array.astype(np.float64)
    if array.dtype.kind != "f":
        given = "None" if array.ndim == 0 and array.item() is None else f"{array.dtype} values"
        raise complaint(TypeError, f"{name} must hold real numbers, not {given}")
    return array


def float_dtype(dtype):
    """Raise TypeError unless dtype holds real numbers: cut off to ints, most would become 0.

    >>> float_dtype(int)
    Traceback (most recent call last):
        ...
    TypeError: float_dtype: dtype must hold real numbers, as float64 does, not int64
    """
    try:
        found = np.dtype(dtype)
    except TypeError:
        raise complaint(TypeError, f"dtype must be a numpy dtype, not {dtype!r}") from None
    if found.kind != "f":
        raise complaint(TypeError, f"dtype must hold real numbers, as float64 does, not {found}")


def images(**arrays):
    """Like floats, and every array must have four axes, none of them empty but the batch.

    Raises ValueError naming the array, its shape and the remedy.

    >>> images(x=np.ones((28, 28)))
    Traceback (most recent call last):
        ...
    ValueError: images: x must have 4 axes (N, C, H, W) but is (28, 28). One image of one channel? \
Give x[None, None].
    """
    checked = floats(**arrays)
    shapes = {name: array.shape for name, array in zip(arrays, checked, strict=True)}
    for name, shape in shapes.items():
        axes = "(F, C, KH, KW)" if name == "w" else "(N, C, H, W)"
        if len(shape) != 4:
            raise complaint(
                ValueError,
                f"{name} must have 4 axes {axes} but is {shape}." + _axes_remedy(name, shapes),
            )
        if 0 in (shape if name == "w" else shape[1:]):
            raise complaint(ValueError, f"{name} {shape} holds nothing: only the batch N may be 0")
    return checked


def _axes_remedy(name, shapes):
    """How the axes that are missing may be added, or nothing where that does not fit.

    shapes  of all the arrays; with w among them, x must bring channels that its filters can see
    """
    shape, one, many = shapes[name], "image", "images"
    if name == "w":
        one, many = "filter", "filters"
    guesses = []
    if len(shape) == 2:
        guesses = [(1, f"One {one} of one channel? Give {name}[None, None].")]
    if len(shape) == 3:
        guesses = [
            (shape[0], f"One {one}? Give {name}[None]."),
            (1, f"Many {many} of one channel? Give {name}[:, None]."),
        ]
        if shape[2] in COLORS and shape[0] not in COLORS:
            last = f"One {one} with the channels last? Give {name}.transpose(2, 0, 1)[None]."
            guesses.insert(0, (shape[2], last))
    w_shape = shapes.get("w", ()) if name == "x" else ()
    fitting = [guess for channels, guess in guesses if _can_see(w_shape, channels)]
    return "".join(f" {guess}" for guess in fitting if 0 not in shape)


def _can_see(w_shape, channels):
    """Whether the filters of w, alone or divided among groups, see so many channels."""
    if len(w_shape) != 4 or 0 in w_shape:
        return True
    groups, left = divmod(channels, w_shape[1])
    return groups > 0 and left == 0 and w_shape[0] % groups == 0


def same_shape(name, array, expected, reason):
    """Raise ValueError unless array.shape is `expected`, with the reason why it should be.

    A remedy is added where one fits: for axes of length 1, a transposed matrix, channels last.

    >>> same_shape("dz", np.ones((2, 3)), (2, 4), "the shape of x")
    Traceback (most recent call last):
        ...
    ValueError: same_shape: dz is (2, 3) but must be (2, 4), the shape of x
    """
    expected = tuple(expected)
    if array.shape != expected:
        raise complaint(
            ValueError,
            f"{name} is {array.shape} but must be {expected}, {reason}"
            + _shape_remedy(name, array.shape, expected),
        )


def _shape_remedy(name, shape, expected):
    """What turns one shape into the other, or nothing where no reordering does."""
    if [size for size in shape if size != 1] == [size for size in expected if size != 1]:
        return f". Give {name}.reshape({', '.join(map(str, expected))})"
    if len(shape) == 2 and shape[::-1] == expected:
        return f". Did you mean {name}.T?"
    if len(shape) == 4 and (shape[0], shape[3], *shape[1:3]) == expected:
        return f". Do the channels come last? Give {name}.transpose(0, 3, 1, 2)"
    return ""


def samples_last(x):
    """(N, C, H, W) as (C, H, W, N): the samples of a pixel side by side in memory.

    A kernel position then meets all samples of a pixel in one contiguous run, and flattening
    costs nothing. A view, no copy, if x already lies so.

    >>> samples_last(np.zeros((2, 3, 4, 5))).shape
    (3, 4, 5, 2)
    """
    return np.ascontiguousarray(x.transpose(1, 2, 3, 0))


def samples_first(x):
    """(C, H, W, N) as (N, C, H, W) again: a view, whose samples stay side by side in memory.

    >>> samples_first(np.zeros((3, 4, 5, 2))).shape
    (2, 3, 4, 5)
    """
    return x.transpose(3, 0, 1, 2)


def own_channel(f, c, w_shape, groups):
    """The channel of x that filter f sees as its channel c: with groups, one of its own group.

    >>> own_channel(2, 1, (4, 3, 2, 2), groups=2)  # the second group begins with channel 3
    4
    """
    return f // (w_shape[0] // groups) * w_shape[1] + c


def own_filters(channel, w_shape, groups):
    """The filters that see a channel of x, as a range: with groups, those of its group.

    >>> own_filters(4, (4, 3, 2, 2), groups=2)
    range(2, 4)
    """
    filters = w_shape[0] // groups
    first = channel // w_shape[1] * filters
    return range(first, first + filters)


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
    @lru_cache(maxsize=128)  # noqa: B019 - as for taps
    def output(self):
        """(OH, OW), how many windows fit."""
        return tuple(
            (size + 2 * padding - dilation * (kernel - 1) - 1) // stride + 1
            for size, kernel, stride, padding, dilation in zip(*self, strict=True)
        )

    @property
    @lru_cache(maxsize=128)  # noqa: B019 - as for taps
    def span(self):
        """Rows and columns from a window's first pixel to its last."""
        return tuple(d * (k - 1) + 1 for d, k in zip(self.dilation, self.kernel, strict=True))

    def corner(self, window):
        """The first pixel (row, column) of the window at (i, j); it may lie in the padding.

        Of many windows at once, if i and j are arrays.
        """
        (i, j), stride, padding = window, self.stride, self.padding
        return i * stride[0] - padding[0], j * stride[1] - padding[1]

    def pixels(self, window):
        """The pixels (row, column) of the window at (i, j), in row order, without the padding.

        >>> list(windows((3, 3), 2, padding=1).pixels((0, 1)))
        [(0, 0), (0, 1)]
        """
        axes = (
            [start + k * d for k in range(kernel) if 0 <= start + k * d < size]
            for start, kernel, d, size in zip(
                self.corner(window), self.kernel, self.dilation, self.image, strict=True
            )
        )
        return product(*axes)

    def covered(self):
        """(H, W) of bools: whether any window sees the pixel."""
        seen = np.zeros(self.image, bool)
        for _, _, pixels in self.taps():
            seen[pixels] = True
        return seen

    def seen_by(self):
        """For every pixel, in row order, the windows that see it: dict of lists.

        >>> windows((1, 3), (1, 2)).seen_by()
        {(0, 0): [(0, 0)], (0, 1): [(0, 0), (0, 1)], (0, 2): [(0, 1)]}
        """
        seen = {pixel: [] for pixel in np.ndindex(*self.image)}
        at, pixels = np.indices(self.output), np.indices(self.image)
        for _, outputs, met in self.taps():
            meeting = at[:, *outputs].reshape(2, -1).T, pixels[:, *met].reshape(2, -1).T
            for window, pixel in zip(*map(np.ndarray.tolist, meeting), strict=True):
                seen[tuple(pixel)].append(tuple(window))
        return {pixel: sorted(places) for pixel, places in seen.items()}

    @lru_cache(maxsize=128)  # noqa: B019 - a tuple of ints, and training asks for the same ones
    def taps(self):
        """For every kernel position: (kh, kw), the windows and the pixels that meet there.

        Windows and pixels are pairs of slices of equal length. Windows whose pixel would lie in
        the padding are left out, so nothing ever needs to be padded.

        >>> for tap, outputs, pixels in windows((1, 5), (1, 3), stride=2).taps():
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


def windows(image, kernel_size, *, stride=1, padding=0, dilation=1):
    """The Windows of a kernel over an image, after checking that at least one fits.

    image        (H, W), or all of x.shape, in which a remedy then looks for the channels, too
    kernel_size  int or pair, as stride, padding and dilation

    Raises ValueError with the sizes and the remedy if the window is larger than the padded image.

    >>> windows((29, 28), (3, 2), stride=2).output
    (14, 14)
    >>> windows((2, 8), 3)
    Traceback (most recent call last):
        ...
    ValueError: windows: the window (3, 3) is larger than the image (2, 8). Pad the image or use a \
smaller kernel.
    """
    placed = Windows(
        tuple(image[-2:]),
        pair(kernel_size, "kernel_size"),
        pair(stride, "stride"),
        pair(padding, "padding", minimum=0),
        pair(dilation, "dilation"),
    )
    if min(placed.output) < 1:
        raise complaint(ValueError, _too_large(placed) + _window_remedy(placed, image))
    return placed


def _window_remedy(placed, x_shape):
    """What lets a window fit: the channels of an x that has them last, or padding."""
    if len(x_shape) == 4 and x_shape[3] in COLORS:
        turned = placed._replace(image=tuple(x_shape[1:3]))
        if min(turned.output) >= 1:
            return ". Do x's channels come last? Give x.transpose(0, 3, 1, 2)."
    return ". Pad the image or use a smaller kernel."


def _too_large(placed):
    """That not one window fits."""
    padded = tuple(s + 2 * p for s, p in zip(placed.image, placed.padding, strict=True))
    dilated = f" of a kernel {placed.kernel} with dilation {placed.dilation}"
    return (
        f"the window {placed.span}"
        + dilated * (placed.span != placed.kernel)
        + f" is larger than the image {padded}"
        + " with its padding" * (padded != placed.image)
    )


def conv_windows(x_shape, w_shape, *, stride=1, padding=0, dilation=1, groups=1):
    """The Windows of a convolution, after checking that every group has its channels and filters.

    x_shape  (N, C, H, W)
    w_shape  (F, C/groups, KH, KW)

    Raises TypeError or ValueError with the shapes and a remedy that fits them.

    >>> conv_windows((10, 3, 29, 28), (2, 4, 3, 2))
    Traceback (most recent call last):
        ...
    ValueError: conv_windows: x has 3 channels but w expects 4 — x (10, 3, 29, 28), w (2, 4, 3, 2)
    """
    positive(groups, "groups")
    if w_shape[1] * groups != x_shape[1]:
        raise complaint(
            ValueError,
            f"x has {x_shape[1]} channels but w expects {w_shape[1] * groups} — "
            f"x {tuple(x_shape)}, w {tuple(w_shape)}"
            + f", groups {groups}" * (groups > 1)
            + _channels_remedy(x_shape, w_shape, groups),
        )
    if w_shape[0] % groups:
        raise complaint(
            ValueError,
            f"{w_shape[0]} filters cannot be divided among {groups} groups — w {tuple(w_shape)}. "
            "Give a multiple of groups filters.",
        )
    return windows(x_shape, w_shape[2:], stride=stride, padding=padding, dilation=dilation)


def _channels_remedy(x_shape, w_shape, groups):
    """What would make x and w fit, or nothing where nothing does."""
    C, channels_last = x_shape[1], x_shape[3]
    F, expected = w_shape[:2]
    guesses = []
    if channels_last == expected * groups:
        guesses.append("Do x's channels come last? Give x.transpose(0, 3, 1, 2).")
    if F * groups == C:
        guesses.append("Did you swap w's first two axes? Give w.transpose(1, 0, 2, 3).")
    if groups == 1 and C % expected == 0 and F % (C // expected) == 0:
        guesses.append(f"Did you mean groups={C // expected}?")
    return "".join(f". {guess}" if guess == guesses[0] else f" Or: {guess}" for guess in guesses)


def pool_windows(x_shape, kernel_size, *, stride=None, padding=0):
    """The Windows of a pooling, none of which may lie wholly in the padding.

    x_shape  (N, C, H, W)
    stride   int or pair, or None for the kernel_size: windows side by side

    >>> pool_windows((10, 2, 14, 14), 2).stride
    (2, 2)
    """
    stride = kernel_size if stride is None else stride
    place = windows(x_shape, kernel_size, stride=stride, padding=padding)
    if place.padding[0] >= place.kernel[0] or place.padding[1] >= place.kernel[1]:
        raise complaint(
            ValueError,
            f"padding {place.padding} must be less than the window {place.kernel}, "
            "or a window sees no pixel at all",
        )
    return place

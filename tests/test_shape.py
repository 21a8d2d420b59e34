"""Where windows lie, which dtype results have, and what is said when shapes disagree."""

from itertools import product

import numpy as np
import pytest
from helpers import assert_refuses, every_convolution, lies_batch_last
from numpy.testing import assert_array_equal

from cnnbp.shape import (
    batch_last,
    floats,
    image_shape,
    images,
    pair,
    positive,
    same_shape,
    windows,
)


@pytest.mark.parametrize("value", [(2, 2), [2, 2], 2, np.int64(2), np.array([2, 2]), np.array(2)])
def test_a_pair_is_two_ints_or_one_for_both(value):
    assert pair(value, "stride") == (2, 2)


@pytest.mark.parametrize("value", [1.5, "2", None, (1,), (1, 2, 3), (1, 2.0), np.ones(2), [1, [2]]])
def test_a_pair_is_nothing_else(value):
    assert_refuses(lambda: pair(value, "stride"), TypeError, "stride", "int or a pair", repr(value))


@pytest.mark.parametrize(("value", "minimum"), [(0, 1), ((1, 0), 1), ((-1, 2), 1), (-1, 0)])
def test_a_pair_has_a_minimum(value, minimum):
    assert_refuses(
        lambda: pair(value, "padding", minimum=minimum),
        ValueError,
        *("padding", f"at least {minimum}", str(value)),
    )


def test_a_positive_number_is_an_int_of_at_least_1():
    positive(1, "groups")
    positive(np.int64(7), "groups")
    assert_refuses(lambda: positive(0, "groups"), ValueError, "groups", "at least 1", "0")
    assert_refuses(lambda: positive(2.0, "groups"), TypeError, "groups must be an int", "2.0")
    assert_refuses(lambda: positive((1, 1), "groups"), TypeError, "groups", "(1, 1)")


@pytest.mark.parametrize("x_shape", [(10, 2, 5, 5), [10, 2, 5, 5], np.array([10, 2, 5, 5])])
def test_an_image_shape_is_four_ints(x_shape):
    assert image_shape("f", x_shape) == (10, 2, 5, 5)


@pytest.mark.parametrize(
    ("x_shape", "given"),
    [
        ((50, 10), "(50, 10)"),
        (7, "7"),
        ((1, 2, 3, 4.0), "(1, 2, 3, 4.0)"),
        (None, "None"),
        (np.ones((4, 2, 5, 5)), "an array (4, 2, 5, 5)"),
    ],
)
def test_an_image_shape_is_nothing_else(x_shape, given):
    assert_refuses(
        lambda: image_shape("f", x_shape), TypeError, "f: x_shape", "(N, C, H, W)", "x.shape", given
    )


@pytest.mark.parametrize(
    ("dtypes", "expected"),
    [
        (["float32"], "float32"),
        (["float32", "float32"], "float32"),
        (["float32", "float64"], "float64"),
        (["float32", "int8"], "float64"),
        (["int64"], "float64"),
        (["uint8"], "float64"),
        (["bool"], "float64"),
        ([">f8"], "float64"),
    ],
)
def test_floats_finds_one_floating_point_dtype(dtypes, expected):
    arrays = {f"array{i}": np.ones(3, dtype) for i, dtype in enumerate(dtypes)}
    assert [array.dtype for array in floats("f", **arrays)] == [expected] * len(dtypes)


def test_floats_copies_nothing_that_already_fits():
    x = np.ones((2, 3))
    assert floats("f", x=x)[0] is x


def test_floats_keeps_the_layout_when_it_must_convert():
    assert floats("f", x=np.ones((2, 3), int, order="F"))[0].flags.f_contiguous


@pytest.mark.parametrize(
    ("x", "substance"),
    [
        (None, "object"),
        ("7", "U1"),
        ([1j], "complex"),
        ([[1, 2], [3]], "ragged"),
        (np.array(["2024-01-01"], "datetime64[D]"), "datetime64"),
    ],
)
def test_floats_refuses_what_is_no_array_of_real_numbers(x, substance):
    assert_refuses(lambda: floats("conv2d", x=x), TypeError, "conv2d: x", substance)


@pytest.mark.parametrize(
    ("name", "shape", "substance"),
    [
        ("x", (28, 28), ["x must have 4 axes (N, C, H, W)", "(28, 28)", "x[None, None]"]),
        ("x", (3, 28, 28), ["(3, 28, 28)", "x[None]"]),
        ("x", (1, 1, 3, 28, 28), ["4 axes", "(1, 1, 3, 28, 28)"]),
        ("x", (), ["4 axes", "()"]),
        ("w", (3, 3), ["w must have 4 axes (F, C, KH, KW)", "w[None, None]"]),
        ("x", (2, 0, 4, 4), ["x (2, 0, 4, 4) holds nothing", "only the batch N may be 0"]),
        ("x", (2, 3, 4, 0), ["x (2, 3, 4, 0) holds nothing"]),
        ("w", (0, 3, 4, 4), ["w (0, 3, 4, 4) holds nothing"]),
    ],
)
def test_images_must_have_four_axes_and_pixels(name, shape, substance):
    assert_refuses(lambda: images("f", **{name: np.ones(shape)}), ValueError, "f: ", *substance)


def test_images_may_be_an_empty_batch():
    assert images("f", x=np.ones((0, 3, 4, 4)))[0].shape == (0, 3, 4, 4)


def test_same_shape_gives_both_shapes_and_the_reason():
    same_shape("f", "dz", np.ones((2, 3)), [2, 3], "as z")
    assert_refuses(
        lambda: same_shape("f", "dz", np.ones((2, 3)), (3, 2), "as z"),
        ValueError,
        "f: dz is (2, 3) but must be (3, 2), as z",
    )


def test_batch_last_changes_the_layout_and_no_number():
    x = np.arange(120.0).reshape(2, 3, 4, 5)
    found = batch_last(x)
    assert_array_equal(found, x)
    assert lies_batch_last(found)
    assert not lies_batch_last(x)


def test_batch_last_copies_only_what_lies_otherwise():
    x = batch_last(np.ones((2, 3, 4, 5)))
    assert np.shares_memory(batch_last(x), x)


@pytest.mark.parametrize(
    ("image", "kernel", "options", "output"),
    [
        ((29, 28), (3, 2), {"stride": 2}, (14, 14)),  # the reference network
        ((29, 28), 3, {"stride": 2}, (14, 13)),  # which a 3 × 3 kernel would not give
        ((14, 14), 2, {"stride": 3}, (5, 5)),
        ((5, 7), 1, {}, (5, 7)),
        ((5, 7), (5, 7), {}, (1, 1)),
        ((5, 7), 3, {"padding": 1}, (5, 7)),
        ((5, 7), 3, {"dilation": 2}, (1, 3)),
        ((5, 7), 2, {"stride": (2, 3)}, (2, 2)),  # a row and two columns are left over
        ((1, 1), 1, {"stride": 9}, (1, 1)),
    ],
)
def test_how_many_windows_fit(image, kernel, options, output):
    assert windows("f", image, kernel, **options).output == output


def along(size, kernel, stride, padding, dilation):
    """Where the kernel's positions fall, for every start at which all of it lies on the padding."""
    last = size + padding - dilation * (kernel - 1)
    return [
        [start + k * dilation for k in range(kernel)] for start in range(-padding, last, stride)
    ]


@every_convolution
def test_taps_list_every_meeting_of_a_window_and_a_pixel(convolution):
    (height, width), kernel = convolution.x[2:], convolution.w[2:]
    place = windows("f", (height, width), kernel, **convolution.placement)
    rows, columns = (along(*axis) for axis in zip(*place, strict=True))
    assert place.output == (len(rows), len(columns))

    expected = set()
    for (i, pixel_rows), (j, pixel_columns) in product(enumerate(rows), enumerate(columns)):
        for (kh, h), (kw, v) in product(enumerate(pixel_rows), enumerate(pixel_columns)):
            if 0 <= h < height and 0 <= v < width:
                expected.add((kh, kw, i, j, h, v))

    found = []
    for tap, outputs, pixels in place.taps():
        numbered = np.indices(place.output)[:, *outputs], np.indices(place.image)[:, *pixels]
        meetings = np.concatenate(numbered).reshape(4, -1).T
        found += [(*tap, *map(int, meeting)) for meeting in meetings]
    assert sorted(found) == sorted(expected)


@pytest.mark.parametrize(
    ("image", "kernel", "options", "substance"),
    [
        ((2, 8), 3, {}, ["f: the window (3, 3) is larger than the image (2, 8)", "Pad the image"]),
        ((8, 2), 3, {}, ["window (3, 3)", "image (8, 2)", "smaller kernel"]),
        ((2, 8), 5, {"padding": 1}, ["window (5, 5)", "image (4, 10) with its padding"]),
        (
            (4, 8),
            3,
            {"dilation": (2, 1)},
            ["window (5, 3) of a kernel (3, 3) with dilation (2, 1)"],
        ),
    ],
)
def test_a_window_larger_than_the_image_is_refused(image, kernel, options, substance):
    assert_refuses(lambda: windows("f", image, kernel, **options), ValueError, *substance)


@pytest.mark.parametrize("option", ["kernel_size", "stride", "padding", "dilation"])
def test_a_bad_option_is_named_together_with_its_function(option):
    options = {"kernel_size": 1} | {option: -1}
    assert_refuses(lambda: windows("conv2d", (4, 4), **options), ValueError, f"conv2d: {option}")

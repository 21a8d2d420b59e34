"""Where windows lie, which dtype results have, and what is said when shapes disagree."""

import re
from itertools import product

import numpy as np
import pytest
from helpers import assert_refuses, every_convolution
from numpy.testing import assert_array_equal

from cnnbp import (
    AvgPool2d,
    BatchNorm2d,
    Conv2d,
    Dropout,
    GroupNorm,
    LeakyReLU,
    Linear,
    MaxPool2d,
    Network,
    Residual,
    avg_pool2d,
    batch_norm2d,
    conv2d,
    max_pool2d,
    numeric_gradient,
    relative_error,
)
from cnnbp.shape import (
    conv_windows,
    floats,
    image_shape,
    images,
    own_channel,
    own_filters,
    pair,
    pool_windows,
    positive,
    same_shape,
    samples_first,
    samples_last,
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
    assert image_shape(x_shape) == (10, 2, 5, 5)


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
        lambda: image_shape(x_shape),
        TypeError,
        "image_shape: x_shape",
        "(N, C, H, W)",
        "x.shape",
        given,
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
    assert [array.dtype for array in floats(**arrays)] == [expected] * len(dtypes)


def test_floats_copies_nothing_that_already_fits():
    x = np.ones((2, 3))
    assert floats(x=x)[0] is x


def test_floats_keeps_the_layout_when_it_must_convert():
    assert floats(x=np.ones((2, 3), int, order="F"))[0].flags.f_contiguous


@pytest.mark.parametrize(
    ("x", "substance"),
    [
        (None, "not None"),
        (np.array([1, None]), "object"),
        ("7", "U1"),
        ([1j], "complex"),
        ([[1, 2], [3]], "ragged"),
        (np.array(["2024-01-01"], "datetime64[D]"), "datetime64"),
    ],
)
def test_floats_refuses_what_is_no_array_of_real_numbers(x, substance):
    assert_refuses(lambda: floats(x=x), TypeError, "floats: x", substance)


@pytest.mark.parametrize(
    ("name", "shape", "substance"),
    [
        ("x", (28, 28), ["x must have 4 axes (N, C, H, W)", "(28, 28)", "x[None, None]"]),
        ("x", (3, 28, 28), ["(3, 28, 28)", "One image? Give x[None]."]),
        ("dz", (2, 28, 28), ["One image? Give dz[None]", "one channel? Give dz[:, None]"]),
        ("x", (28, 28, 3), ["channels last? Give x.transpose(2, 0, 1)[None]"]),
        ("x", (1, 1, 3, 28, 28), ["4 axes", "(1, 1, 3, 28, 28)"]),
        ("x", (), ["4 axes", "()"]),
        ("w", (3, 3), ["w must have 4 axes (F, C, KH, KW)", "One filter", "w[None, None]"]),
        ("w", (2, 3, 3), ["One filter? Give w[None]", "filters of one channel? Give w[:, None]"]),
        ("x", (2, 0, 4, 4), ["x (2, 0, 4, 4) holds nothing", "only the batch N may be 0"]),
        ("x", (2, 3, 4, 0), ["x (2, 3, 4, 0) holds nothing"]),
        ("w", (0, 3, 4, 4), ["w (0, 3, 4, 4) holds nothing"]),
    ],
)
def test_images_must_have_four_axes_and_pixels(name, shape, substance):
    assert_refuses(lambda: images(**{name: np.ones(shape)}), ValueError, "images: ", *substance)


def test_images_may_be_an_empty_batch():
    assert images(x=np.ones((0, 3, 4, 4)))[0].shape == (0, 3, 4, 4)


def test_same_shape_gives_both_shapes_and_the_reason():
    same_shape("dz", np.ones((2, 3)), [2, 3], "as z")
    assert_refuses(
        lambda: same_shape("dz", np.ones((2, 3)), (3, 2), "as z"),
        ValueError,
        "same_shape: dz is (2, 3) but must be (3, 2), as z",
    )


def test_samples_last_and_first_change_the_layout_and_no_number():
    x = np.arange(120.0).reshape(2, 3, 4, 5)
    last = samples_last(x)
    assert last.shape == (3, 4, 5, 2)
    assert last.flags.c_contiguous
    assert_array_equal(samples_first(last), x)


def test_samples_last_copies_only_what_lies_otherwise():
    last = np.ones((3, 4, 5, 2))
    assert np.shares_memory(samples_last(samples_first(last)), last)


@every_convolution
def test_the_geometry_of_windows_is_that_of_their_taps(convolution):
    place = windows(convolution.x[2:], convolution.w[2:], **convolution.placement)
    seen = {pixel: set() for pixel in np.ndindex(*place.image)}
    for window in np.ndindex(*place.output):
        corner, pixels = place.corner(window), list(place.pixels(window))
        assert pixels == sorted(pixels)
        ends = [start + reach - 1 for start, reach in zip(corner, place.span, strict=True)]
        for pixel in pixels:
            assert all(c <= p <= e for c, p, e in zip(corner, pixel, ends, strict=True))
            seen[pixel].add(window)
    assert {pixel: set(windows) for pixel, windows in place.seen_by().items()} == seen
    assert_array_equal(place.covered().ravel(), [bool(windows) for windows in seen.values()])


def test_a_filter_and_its_channels_belong_to_one_group():
    w_shape, groups = (6, 2, 1, 1), 3
    for f, c in np.ndindex(6, 2):
        channel = own_channel(f, c, w_shape, groups)
        assert f in own_filters(channel, w_shape, groups)
        assert channel // 2 == f // 2


def outer():
    return conv2d(np.ones((1, 2, 3, 3)), np.ones((1, 1, 2, 2)))


@pytest.mark.parametrize(
    ("call", "name"),
    [
        (outer, "conv2d: x has 2 channels"),
        (lambda: Conv2d(2, 2, 0), "Conv2d: kernel_size"),
        (lambda: Conv2d(2, 2, 1).forward(np.ones((1, 3, 3, 3))), "Conv2d.forward: x has 3"),
        (lambda: Residual([Conv2d(1, 1, 2)]).forward(np.ones((1, 1, 3, 3))), "Residual.forward: "),
        (lambda: Residual([Conv2d(1, 1, 2)] * 2), "Residual: a layer comes twice"),
        (lambda: numeric_gradient(lambda _: outer(), np.ones(2)), "conv2d: x has 2 channels"),
        (lambda: pool_windows((1, 1, 4, 4), 2, padding=2), "pool_windows: padding (2, 2)"),
    ],
)
def test_an_error_begins_with_the_function_that_was_called(call, name):
    with pytest.raises(ValueError, match=r"\w+: ") as caught:
        call()
    assert str(caught.value).startswith(name)
    assert str(caught.value).endswith(": " + caught.value.sentence)


def test_a_network_says_which_layer_refused():
    network = Network([Conv2d(1, 2, 2), Network([Conv2d(3, 1, 1)])])
    said = "Network.forward: layer 1 Network: layer 0 Conv2d: x has 2 channels but w expects 3"
    assert_refuses(lambda: network.forward(np.ones((1, 1, 3, 3))), ValueError, said)


REMEDIES = "x.transpose(0, 3, 1, 2)", "w.transpose(1, 0, 2, 3)", "groups="


@pytest.mark.parametrize(
    ("x_shape", "w_shape", "fitting"),
    [
        ((10, 29, 28, 3), (2, 3, 3, 2), {"x.transpose(0, 3, 1, 2)"}),
        ((10, 3, 29, 28), (3, 2, 3, 2), {"w.transpose(1, 0, 2, 3)"}),
        ((10, 4, 29, 28), (8, 1, 3, 2), {"groups="}),
        ((10, 4, 29, 28), (4, 1, 3, 2), {"w.transpose(1, 0, 2, 3)", "groups="}),
        ((10, 3, 29, 28), (2, 4, 3, 2), set()),
        ((10, 4, 29, 28), (3, 2, 3, 2), set()),
    ],
)
def test_a_remedy_for_channels_is_given_only_where_it_fits(x_shape, w_shape, fitting):
    with pytest.raises(ValueError, match="channels but w expects") as caught:
        conv_windows(x_shape, w_shape)
    assert {remedy for remedy in REMEDIES if remedy in str(caught.value)} == fitting


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
    assert windows(image, kernel, **options).output == output


def along(size, kernel, stride, padding, dilation):
    """Where the kernel's positions fall, for every start at which all of it lies on the padding."""
    last = size + padding - dilation * (kernel - 1)
    return [
        [start + k * dilation for k in range(kernel)] for start in range(-padding, last, stride)
    ]


@every_convolution
def test_taps_list_every_meeting_of_a_window_and_a_pixel(convolution):
    (height, width), kernel = convolution.x[2:], convolution.w[2:]
    place = windows((height, width), kernel, **convolution.placement)
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
        (
            (2, 8),
            3,
            {},
            ["windows: the window (3, 3) is larger than the image (2, 8)", "Pad the image"],
        ),
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
    assert_refuses(lambda: windows(image, kernel, **options), ValueError, *substance)


@pytest.mark.parametrize("option", ["kernel_size", "stride", "padding", "dilation"])
def test_a_bad_option_is_named_together_with_its_function(option):
    options = {"kernel_size": 1} | {option: -1}
    assert_refuses(lambda: windows((4, 4), **options), ValueError, f"windows: {option}")


REMEDY = re.compile(r"x(?:\[|\.transpose)[^?]*?(?=\.(?: |$))")


@pytest.mark.parametrize(
    ("x_shape", "w_shape", "remedies"),
    [
        ((28, 28), (2, 1, 3, 3), ["x[None, None]"]),
        ((28, 28), (2, 3, 3, 3), []),
        ((3, 28, 28), (2, 3, 3, 3), ["x[None]"]),
        ((100, 8, 8), (2, 1, 3, 3), ["x[:, None]"]),
        ((100, 8, 8), (2, 3, 3, 3), []),
        ((29, 28, 3), (2, 3, 3, 3), ["x.transpose(2, 0, 1)[None]"]),
        ((28, 0), (2, 1, 3, 3), []),
        ((2,), (2, 1, 3, 3), []),
    ],
)
def test_every_remedy_for_missing_axes_mends_it(x_shape, w_shape, remedies):
    x, w = np.ones(x_shape), np.ones(w_shape)
    with pytest.raises(ValueError, match="x must have 4 axes") as caught:
        conv2d(x, w)
    assert REMEDY.findall(caught.value.sentence) == remedies
    for remedy in remedies:
        conv2d(eval(remedy, {"x": x}), w)


@pytest.mark.parametrize(
    ("shape", "expected", "remedy"),
    [
        ((2,), (2, 1, 1), "x.reshape(2, 1, 1)"),
        ((4, 1), (4,), "x.reshape(4)"),
        ((1, 5), (5, 1), "x.reshape(5, 1)"),
        ((3, 2), (2, 3), "x.T"),
        ((10, 29, 28, 3), (10, 3, 29, 28), "x.transpose(0, 3, 1, 2)"),
        ((3, 2), (2, 4), None),
        ((6,), (2, 3), None),
        ((10, 29, 28, 3), (10, 3, 28, 29), None),
    ],
)
def test_a_shape_is_mended_only_where_that_fits(shape, expected, remedy):
    x = np.ones(shape)
    with pytest.raises(ValueError, match="x is") as caught:
        same_shape("x", x, expected, "as z")
    told = re.search(r"x\.(T|reshape|transpose)(\([\d, ]+\))?", caught.value.sentence)
    assert (told and told[0]) == remedy
    if told:
        assert eval(told[0], {"x": x}).shape == expected


LAST = "x.transpose(0, 3, 1, 2)"


@pytest.mark.parametrize("pool", [max_pool2d, avg_pool2d])
@pytest.mark.parametrize(
    ("x_shape", "kernel_size", "last"),
    [
        ((2, 28, 28, 1), 2, True),
        ((2, 28, 28, 3), (1, 4), True),
        ((2, 28, 28, 5), (1, 6), False),  # no image file has five channels
        ((2, 3, 3, 1), 4, False),  # and here it would not help
        ((2, 1, 3, 8), 4, False),
    ],
)
def test_channels_that_come_last_are_seen_where_no_window_fits(pool, x_shape, kernel_size, last):
    x = np.ones(x_shape)
    with pytest.raises(ValueError, match="larger than the image") as caught:
        pool(x, kernel_size)
    assert (LAST in caught.value.sentence) == last
    assert ("Pad the image" in caught.value.sentence) != last
    if last:
        pool(x.transpose(0, 3, 1, 2), kernel_size)


@pytest.mark.parametrize(
    "call",
    [
        lambda: pair(True, "stride"),
        lambda: pair((2, True), "stride"),
        lambda: positive(True, "epochs"),
        lambda: Conv2d(True, 2, 3),
        lambda: image_shape((1, True, 2, 2)),
    ],
)
def test_true_is_no_number_of_anything(call):
    assert_refuses(call, TypeError, "int", "True")


def test_an_image_has_no_axis_below_nothing():
    assert_refuses(lambda: image_shape((-1, 2, -3, 4)), ValueError, "(-1, 2, -3, 4)")


@pytest.mark.parametrize(
    "make",
    [
        *(lambda v=v: Dropout(v) for v in (True, "0.5", None)),
        *(lambda v=v: BatchNorm2d(2, momentum=v) for v in (True, "0.1")),
        *(lambda v=v: BatchNorm2d(2, eps=v) for v in ("1e-5", [1e-5])),
        *(lambda v=v: GroupNorm(1, 2, eps=v) for v in ("1e-5", None)),
        *(lambda v=v: LeakyReLU(v) for v in ("0.1", True, np.ones(2))),
        *(lambda v=v: Conv2d(1, 1, 1, gain=v) for v in ("2", None)),
        lambda: numeric_gradient(np.sum, [1.0], step="1e-5"),
        lambda: relative_error([1.0], [1.0], floor="0"),
        lambda: batch_norm2d(np.ones((1, 1, 1, 1)), [[[1]]], [[[0]]], eps="1e-5"),
    ],
)
def test_an_option_that_is_no_number_is_refused_by_name(make):
    assert_refuses(make, TypeError, "must be a number, not ")


@pytest.mark.parametrize(
    ("make", "substance"),
    [
        (lambda: Dropout(1.0), ["Dropout: p", "less than 1, not 1.0"]),
        (lambda: BatchNorm2d(2, momentum=1.5), ["BatchNorm2d: momentum", "from 0 to 1"]),
        (lambda: BatchNorm2d(2, eps=np.inf), ["BatchNorm2d: eps", "finite"]),
        (lambda: GroupNorm(1, 2, eps=0), ["GroupNorm: eps", "positive"]),
        (lambda: LeakyReLU(np.nan), ["LeakyReLU: slope", "finite"]),
        (lambda: Linear(1, 1, gain=np.nan), ["Linear: gain", "finite"]),
        (lambda: Conv2d(1, 1, 1, stride=0), ["Conv2d: stride", "at least 1"]),
        (lambda: Conv2d(1, 1, 1, padding=-1), ["Conv2d: padding", "at least 0"]),
        (lambda: Conv2d(1, 1, 1, dilation=(1, 0)), ["Conv2d: dilation", "at least 1"]),
        (lambda: MaxPool2d(2, stride=0), ["MaxPool2d: stride", "at least 1"]),
        (lambda: AvgPool2d(2, padding=-1), ["AvgPool2d: padding", "at least 0"]),
    ],
)
def test_a_layer_is_refused_when_it_is_made_and_not_when_it_is_used(make, substance):
    assert_refuses(make, ValueError, *substance)

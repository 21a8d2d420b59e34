"""Convolution: by hand, against its loops, against its slopes, and in the words of the lessons."""

import numpy as np
import pytest
from helpers import (
    CONVOLUTIONS,
    assert_refuses,
    cropped,
    eighths,
    every_convolution,
    lies_samples_last,
    padded,
    slope,
    spread,
)
from numpy.lib.stride_tricks import sliding_window_view
from numpy.testing import assert_array_equal

from cnnbp import (
    Conv2d,
    col2im,
    conv2d,
    conv2d_backward,
    conv2d_backward_loops,
    conv2d_loops,
    flatten,
    im2col,
    linear,
)

FORWARD = pytest.mark.parametrize("forward", [conv2d, conv2d_loops])
BACKWARD = pytest.mark.parametrize("backward", [conv2d_backward, conv2d_backward_loops])

IMAGE = np.array([[[[1, 2, 3], [4, 5, 6], [7, 8, 9]]]])
KERNEL = np.array([[[[1, 2], [3, 4]]]])


@FORWARD
def test_output_by_hand(forward):
    z = forward(IMAGE, KERNEL, [[[100]]])
    assert z[0, 0, 0, 0] == 1 * 1 + 2 * 2 + 4 * 3 + 5 * 4 + 100
    assert z[0, 0, 0, 1] == 2 * 1 + 3 * 2 + 5 * 3 + 6 * 4 + 100
    assert z[0, 0, 1, 0] == 4 * 1 + 5 * 2 + 7 * 3 + 8 * 4 + 100
    assert z[0, 0, 1, 1] == 5 * 1 + 6 * 2 + 8 * 3 + 9 * 4 + 100


@BACKWARD
def test_gradients_by_hand(backward):
    dz = [[[[1, 0], [0, 10]]]]
    dx, dw, db = backward(dz, IMAGE, KERNEL)
    upper_left = [[1, 2, 0], [3, 4, 0], [0, 0, 0]]  # the kernel, under the window of dz = 1
    lower_right = [[0, 0, 0], [0, 1, 2], [0, 3, 4]]  # the kernel, under the window of dz = 10
    assert_array_equal(dx[0, 0], 1 * np.array(upper_left) + 10 * np.array(lower_right))
    assert_array_equal(
        dw[0, 0], [[1 * 1 + 10 * 5, 1 * 2 + 10 * 6], [1 * 4 + 10 * 8, 1 * 5 + 10 * 9]]
    )
    assert_array_equal(db, [[[1 + 10]]])


@FORWARD
@pytest.mark.parametrize(
    ("x", "w", "options", "z"),
    [
        pytest.param([0, 1, 4, 9, 16, 25], [-1, 1], {"stride": 2}, [1, 5, 9], id="stride"),
        pytest.param([0, 1, 4, 9, 16], [-1, 1], {"stride": (1, 2)}, [1, 5], id="remainder"),
        pytest.param([1, 2, 3], [1, 1, 1], {"padding": (0, 1)}, [3, 6, 5], id="padding"),
        pytest.param([1, 2, 4, 8], [-1, 1], {"dilation": 2}, [3, 6], id="dilation"),
        pytest.param([7], [3], {}, [21], id="one by one"),
    ],
)
def test_options_by_hand_on_a_row(forward, x, w, options, z):
    assert_array_equal(forward([[[x]]], [[[w]]], **options), [[[z]]])


@FORWARD
def test_groups_by_hand(forward):
    x = np.reshape([1, 2, 3, 4], (1, 4, 1, 1))
    w = np.reshape([10, 1, 100, 1], (2, 2, 1, 1))
    z = forward(x, w, groups=2)
    assert_array_equal(z.ravel(), [1 * 10 + 2 * 1, 3 * 100 + 4 * 1])


@every_convolution
def test_the_loops_and_the_matrix_product_agree(convolution):
    x, w, b, dz = convolution.arrays()
    assert_array_equal(
        conv2d(x, w, b, **convolution.options), conv2d_loops(x, w, b, **convolution.options)
    )
    for fast, loops in zip(
        conv2d_backward(dz, x, w, **convolution.options),
        conv2d_backward_loops(dz, x, w, **convolution.options),
        strict=True,
    ):
        assert_array_equal(fast, loops)


@every_convolution
def test_every_gradient_is_the_slope_of_the_forward_pass(convolution):
    x, w, b, dz = convolution.arrays()
    dx, dw, db = conv2d_backward(dz, x, w, **convolution.options)
    options = convolution.options
    assert_array_equal(dx, slope(lambda x: conv2d(x, w, b, **options), x, dz))
    assert_array_equal(dw, slope(lambda w: conv2d(x, w, b, **options), w, dz))
    assert_array_equal(db, slope(lambda b: conv2d(x, w, b, **options), b, dz))


@every_convolution
def test_backward_is_the_adjoint_of_forward(convolution):
    x, w, b, dz = convolution.arrays()
    z = conv2d(x, w, **convolution.options)
    dx, dw, db = conv2d_backward(dz, x, w, **convolution.options)
    assert (z * dz).sum() == (x * dx).sum() == (w * dw).sum()
    assert ((z + b) * dz).sum() == (w * dw).sum() + (b * db).sum()


@every_convolution
def test_both_passes_return_arrays_that_lie_samples_last(convolution):
    x, w, b, dz = convolution.arrays()
    z = conv2d(x, w, b, **convolution.options)
    dx, _, _ = conv2d_backward(dz, x, w, **convolution.options)
    assert lies_samples_last(z)
    assert lies_samples_last(dx)


@every_convolution
def test_im2col_puts_every_window_in_a_column(convolution):
    x, w, _, _ = convolution.arrays()
    columns = im2col(x, w.shape[2:], **convolution.placement)
    place, wide = convolution.place, padded(x, convolution.place.padding)
    columns = columns.reshape(x.shape[1], *place.kernel, *place.output, len(x))
    for c, kh, kw, i, j, n in np.ndindex(columns.shape):
        h = i * place.stride[0] + kh * place.dilation[0]
        v = j * place.stride[1] + kw * place.dilation[1]
        assert columns[c, kh, kw, i, j, n] == wide[n, c, h, v]


@every_convolution
def test_col2im_is_the_adjoint_of_im2col(convolution):
    x, w, _, _ = convolution.arrays()
    columns = im2col(x, w.shape[2:], **convolution.placement)
    y = eighths(np.random.default_rng(1), columns.shape)
    back = col2im(y, x.shape, w.shape[2:], **convolution.placement)
    assert (columns * y).sum() == (x * back).sum()
    assert lies_samples_last(back)


def test_col2im_of_ones_counts_the_windows_over_each_pixel():
    counts = col2im(np.ones((4, 4)), (1, 1, 3, 3), 2)
    assert_array_equal(counts[0, 0], [[1, 2, 1], [2, 4, 2], [1, 2, 1]])


def correlate(image, kernel):
    """The valid cross-correlation of two matrices."""
    return (sliding_window_view(image, kernel.shape) * kernel).sum(axis=(2, 3))


def full_convolution(image, kernel):
    """Every overlap of the two matrices, the kernel rotated by 180°."""
    rows, columns = kernel.shape
    return correlate(np.pad(image, [[rows - 1] * 2, [columns - 1] * 2]), kernel[::-1, ::-1])


def filter_and_channels(w, groups):
    """(f, c, the channel of x that it means) for every two-dimensional kernel in w."""
    for f, c in np.ndindex(w.shape[:2]):
        yield f, c, f // (len(w) // groups) * w.shape[1] + c


@every_convolution
def test_dw_correlates_the_padded_x_with_the_spread_dz(convolution):
    """Of its cells the first are kept, as many as the dilated kernel has, of those every d-th."""
    x, w, _, dz = convolution.arrays()
    _, dw, _ = conv2d_backward(dz, x, w, **convolution.options)
    place, wide = convolution.place, padded(x, convolution.place.padding)
    rows, columns = place.dilation
    for f, c, channel in filter_and_channels(w, convolution.options.get("groups", 1)):
        correlated = sum(
            correlate(wide[n, channel], spread(dz[n, f], place.stride)) for n in range(len(x))
        )
        assert_array_equal(dw[f, c], correlated[::rows, ::columns][: w.shape[2], : w.shape[3]])


@every_convolution
def test_dx_is_the_full_convolution_of_the_spread_dz(convolution):
    """Zeros are appended where no window reached, then the padding is cropped."""
    x, w, _, dz = convolution.arrays()
    dx, _, _ = conv2d_backward(dz, x, w, **convolution.options)
    place = convolution.place
    wide = padded(np.zeros_like(x), place.padding)
    for f, c, channel in filter_and_channels(w, convolution.options.get("groups", 1)):
        kernel = spread(w[f, c], place.dilation)
        for n in range(len(x)):
            reached = full_convolution(spread(dz[n, f], place.stride), kernel)
            wide[n, channel, : reached.shape[0], : reached.shape[1]] += reached
    assert_array_equal(dx, cropped(wide, place.padding))


def test_without_spreading_dz_the_full_convolution_has_the_wrong_size():
    dz, kernel = np.ones((14, 14)), np.ones((3, 2))  # of the reference network, x is 29 × 28
    assert full_convolution(dz, kernel).shape == (16, 15)
    assert full_convolution(spread(dz, (2, 2)), kernel).shape == (29, 28)


def test_rows_and_columns_that_no_window_reaches_get_exactly_zero():
    dx, _, _ = conv2d_backward(np.ones((1, 1, 2, 2)), np.ones((1, 1, 6, 5)), [[[[1, 1]]]], stride=3)
    assert_array_equal(
        dx[0, 0],
        [
            [1, 1, 0, 1, 1],
            [0, 0, 0, 0, 0],  # between the windows
            [0, 0, 0, 0, 0],
            [1, 1, 0, 1, 1],
            [0, 0, 0, 0, 0],  # the remainder
            [0, 0, 0, 0, 0],
        ],
    )


def test_a_convolution_is_a_matrix_with_repeated_entries():
    x, (p, q), dz = np.array([1.0, 2, 4, 8]), (5, 6), np.array([1.0, 10, 100])
    a = np.array(
        [
            [p, q, 0, 0],
            [0, p, q, 0],
            [0, 0, p, q],
        ]
    )
    z = conv2d([[[x]]], [[[[p, q]]]])
    dx, dw, _ = conv2d_backward([[[dz]]], [[[x]]], [[[[p, q]]]])
    assert_array_equal(z.ravel(), a @ x)
    assert_array_equal(dx.ravel(), a.T @ dz)
    da = np.outer(dz, x)
    assert_array_equal(dw.ravel(), [(da * (a == p)).sum(), (da * (a == q)).sum()])


def test_the_bias_gradient_sums_over_samples_and_positions():
    x, w, _, dz = CONVOLUTIONS["the reference layer"].arrays()
    _, _, db = conv2d_backward(dz, x, w, stride=2)
    assert db.shape == (2, 1, 1)  # over the positions alone it would be (samples, 2)
    assert_array_equal(db.ravel(), dz.sum(axis=(0, 2, 3)))


def test_a_1_by_1_kernel_is_a_fully_connected_layer_at_every_pixel():
    x, w, b, _ = CONVOLUTIONS["1 × 1 kernel"].arrays()
    z = conv2d(x, w, b)
    for h, v in np.ndindex(x.shape[2:]):
        assert_array_equal(z[:, :, h, v].T, linear(x[:, :, h, v].T, w[:, :, 0, 0], b[:, 0]))


def test_a_kernel_as_large_as_the_image_is_a_fully_connected_layer():
    x, w, b, _ = CONVOLUTIONS["kernel as large as the image"].arrays()
    z = conv2d(x, w, b)
    assert z.shape == (2, 2, 1, 1)
    assert_array_equal(z[:, :, 0, 0].T, linear(flatten(x), w.reshape(2, -1), b[:, 0]))


def test_no_bias_is_a_bias_of_zeros():
    x, w, b, _ = CONVOLUTIONS["nothing square"].arrays()
    assert_array_equal(conv2d(x, w), conv2d(x, w, 0 * b))


@FORWARD
def test_nan_spreads_to_the_windows_that_see_it_and_to_no_other(forward):
    x = np.zeros((2, 1, 4, 4))
    x[1, 0, 0, 1] = np.nan
    z = forward(x, np.zeros((1, 1, 2, 2)))
    assert np.argwhere(np.isnan(z)).tolist() == [[1, 0, 0, 0], [1, 0, 0, 1]]


@BACKWARD
def test_nan_in_one_cell_of_dz_spreads_to_its_window_and_its_filter(backward):
    dz = np.zeros((2, 2, 3, 3))
    dz[1, 0, 2, 2] = np.nan
    dx, dw, db = backward(dz, np.ones((2, 1, 4, 4)), np.ones((2, 1, 2, 2)))
    window = [[1, 0, h, v] for h in (2, 3) for v in (2, 3)]
    assert np.argwhere(np.isnan(dx)).tolist() == window
    assert np.isnan(dw).all(axis=(1, 2, 3)).tolist() == [True, False]
    assert np.isnan(db).ravel().tolist() == [True, False]


@FORWARD
def test_an_empty_batch_gives_an_empty_batch(forward):
    assert forward(np.ones((0, 3, 8, 9)), np.ones((4, 3, 3, 2)), stride=2).shape == (0, 4, 3, 4)


@BACKWARD
def test_an_empty_batch_gives_gradients_of_zero(backward):
    w = np.ones((4, 3, 3, 2))
    dx, dw, db = backward(np.ones((0, 4, 3, 4)), np.ones((0, 3, 8, 9)), w, stride=2)
    assert dx.shape == (0, 3, 8, 9)
    assert_array_equal(dw, np.zeros_like(w))
    assert_array_equal(db, np.zeros((4, 1, 1)))


X, W, DZ = np.ones((10, 3, 29, 28)), np.ones((2, 3, 3, 2)), np.ones((10, 2, 14, 14))


def test_swapped_filter_axes_are_named_with_both_shapes():
    assert_refuses(
        lambda: conv2d(X, np.ones((3, 2, 3, 2))),
        ValueError,
        *("conv2d: x has 3 channels but w expects 2", "(10, 3, 29, 28)", "(3, 2, 3, 2)"),
        "Did you swap w's first two axes?",
    )


@pytest.mark.parametrize(
    ("options", "error", "substance"),
    [
        ({"w": W.transpose(1, 0, 2, 3)}, ValueError, ["3 channels", "expects 2", "swap"]),
        ({"groups": 2}, ValueError, ["3 channels", "expects 6", "groups 2"]),
        ({"w": np.ones((2, 1, 3, 2)), "groups": 3}, ValueError, ["2 filters", "3 groups"]),
        ({"groups": 0}, ValueError, ["groups", "at least 1", "0"]),
        ({"groups": 1.0}, TypeError, ["groups", "int", "1.0"]),
        ({"b": np.ones(2)}, ValueError, ["b is (2,)", "(2, 1, 1)", "(2, 3, 3, 2)"]),
        ({"b": np.ones((1, 2, 1))}, ValueError, ["b is (1, 2, 1)", "(2, 1, 1)"]),
        ({"stride": 0}, ValueError, ["stride", "at least 1", "0"]),
        ({"stride": (2, -1)}, ValueError, ["stride", "at least 1", "(2, -1)"]),
        ({"stride": 1.5}, TypeError, ["stride", "int or a pair", "1.5"]),
        ({"stride": (1, 2, 3)}, TypeError, ["stride", "int or a pair", "(1, 2, 3)"]),
        ({"padding": -1}, ValueError, ["padding", "at least 0", "-1"]),
        ({"padding": "same"}, TypeError, ["padding", "int or a pair", "'same'"]),
        ({"dilation": 0}, ValueError, ["dilation", "at least 1", "0"]),
        ({"x": X[0]}, ValueError, ["x must have 4 axes", "(3, 29, 28)", "x[None]"]),
        ({"x": X[0, 0]}, ValueError, ["x must have 4 axes", "(29, 28)"]),
        ({"w": W[0]}, ValueError, ["w must have 4 axes (F, C, KH, KW)", "(3, 3, 2)"]),
        ({"x": X[:, :, :2]}, ValueError, ["window (3, 2)", "larger", "image (2, 28)", "Pad"]),
        (
            {"dilation": 20},
            ValueError,
            ["window (41, 21) of a kernel (3, 2) with dilation (20, 20)", "image (29, 28)"],
        ),
        ({"x": X[:, :0]}, ValueError, ["x (10, 0, 29, 28) holds nothing"]),
        ({"w": W[:0]}, ValueError, ["w (0, 3, 3, 2) holds nothing"]),
        ({"x": [[1, 2], [3]]}, TypeError, ["x is a ragged list"]),
        ({"x": X.astype(complex)}, TypeError, ["x must hold real numbers", "complex"]),
        ({"w": None}, TypeError, ["w must hold real numbers"]),
    ],
    ids=lambda value: ",".join(value) if isinstance(value, dict) else "",
)
@FORWARD
def test_forward_refuses(forward, options, error, substance):
    call = {"x": X, "w": W} | options
    assert_refuses(lambda: forward(**call), error, forward.__name__ + ":", *substance)


@BACKWARD
def test_backward_refuses_a_dz_of_another_shape(backward):
    assert_refuses(
        lambda: backward(DZ, X, W),
        ValueError,
        *(backward.__name__, "dz is (10, 2, 14, 14) but must be (10, 2, 27, 27)"),
        *("(10, 3, 29, 28)", "(2, 3, 3, 2)"),
    )


def test_im2col_and_col2im_refuse_what_does_not_fit():
    assert_refuses(lambda: im2col(X, 30), ValueError, "im2col", "(30, 30)", "(29, 28)")
    assert_refuses(
        lambda: col2im(np.ones((18, 1960)), X.shape, (3, 2)),
        ValueError,
        *("col2im", "columns is (18, 1960)", "(18, 7290)", "(10, 3, 29, 28)"),
    )
    assert_refuses(
        lambda: col2im(np.ones((6, 4)), (3, 3), 2), TypeError, "col2im", "x_shape", "(3, 3)"
    )


def test_a_layer_refuses_groups_that_do_not_divide_its_channels():
    assert_refuses(lambda: Conv2d(3, 4, 2, groups=2), ValueError, "groups 2", "3 input channels")
    assert_refuses(lambda: Conv2d(4, 3, 2, groups=2), ValueError, "groups 2", "3 filters")
    assert_refuses(lambda: Conv2d(4, 4, 2, groups=0), ValueError, "groups", "at least 1", "0")


def test_a_layers_filters_see_the_channels_of_their_group():
    layer = Conv2d(6, 4, (3, 2), groups=2, rng=0)
    assert layer.params["w"].shape == (4, 3, 3, 2)
    assert layer.params["b"].shape == (4, 1, 1)

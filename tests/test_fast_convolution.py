"""Other ways to convolve give what conv2d gives, and refuse what does not fit."""

import numpy as np
import pytest
from helpers import assert_refuses, eighths
from hypothesis import given, settings
from hypothesis import strategies as st

from cnnbp import conv2d, relative_error
from cnnbp.fast_convolution import conv2d_einsum, conv2d_fft, conv2d_winograd

sizes = st.integers(1, 4)
WAYS = [conv2d_einsum, conv2d_fft, conv2d_winograd]


@settings(max_examples=50, deadline=None)
@given(sizes, sizes, sizes, sizes, sizes, st.integers(0, 4), st.integers(0, 4))
def test_by_views_and_by_waves_any_layer_is_convolved(N, C, F, KH, KW, more_rows, more_columns):
    rng = np.random.default_rng(N + 10 * C + 100 * F)
    x, w = (
        rng.normal(size=(N, C, KH + more_rows, KW + more_columns)),
        rng.normal(size=(F, C, KH, KW)),
    )
    for way in (conv2d_einsum, conv2d_fft):
        z = way(x, w)
        assert z.shape == conv2d(x, w).shape
        assert relative_error(z, conv2d(x, w)) < 1e-9


@settings(max_examples=50, deadline=None)
@given(sizes, sizes, sizes, st.integers(2, 5), st.integers(2, 5))
def test_tiles_give_the_same_to_the_last_bit(N, C, F, rows, columns):
    rng = np.random.default_rng(N + 10 * C + 100 * F)
    x, w = eighths(rng, (N, C, 2 * rows, 2 * columns)), eighths(rng, (F, C, 3, 3))
    np.testing.assert_array_equal(conv2d_winograd(x, w), conv2d(x, w))


@pytest.mark.parametrize("way", WAYS)
def test_single_precision_stays_single_and_an_empty_batch_empty(way):
    x, w = np.ones((2, 3, 4, 6), np.float32), np.ones((2, 3, 3, 3), np.float32)
    assert way(x, w).dtype == np.float32
    np.testing.assert_allclose(way(x, w), 27, rtol=1e-5)
    assert way(x[:0], w).shape == (0, 2, 2, 4)


@pytest.mark.parametrize("way", WAYS)
def test_what_does_not_fit_is_refused(way):
    x = np.ones((1, 2, 4, 4))
    assert_refuses(lambda: way(x, np.ones((1, 3, 3, 3))), ValueError, way.__name__)
    assert_refuses(lambda: way(x, np.ones((1, 2, 5, 3))), ValueError, way.__name__)


def test_tiles_are_for_small_kernels_and_even_images():
    x, w = np.ones((1, 1, 4, 4)), np.ones((1, 1, 3, 3))
    assert_refuses(lambda: conv2d_winograd(x, w[..., :2]), ValueError, "3 × 3", "(1, 1, 3, 2)")
    assert_refuses(lambda: conv2d_winograd(x[:, :, :3], w), ValueError, "even", "(1, 1, 3, 4)")

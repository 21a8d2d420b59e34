"""Lesson 13: the numbers in its prose, computed once more."""

import numpy as np
import pytest

from cnnbp import conv2d, im2col
from cnnbp.fast_convolution import KERNEL, TILE


@pytest.mark.parametrize(
    ("kernel", "side", "times", "padded"),
    [(3, 32, 7.9, 9), (15, 64, 137, 225)],
    ids=["3 × 3", "15 × 15"],
)
def test_the_columns_take_so_many_times_the_image(kernel, side, times, padded):
    image = np.zeros((1, 1, side, side))
    ratio = im2col(image, kernel).size / image.size
    assert float(f"{ratio:.{'1f' if times < 10 else '0f'}}") == times
    assert im2col(image, kernel, padding=kernel // 2).size / image.size == padded


def times_fewer_by_waves(side, K):
    """Products of one channel and filter by windows, over those by waves: four a complex one."""
    waves = np.fft.rfft2(np.zeros((side + K - 1, side + K - 1))).size
    return side**2 * K**2 / (4 * waves)


def test_waves_make_a_third_of_the_products_or_far_fewer():
    assert 3 <= times_fewer_by_waves(side=16, K=3) < 3.5
    assert times_fewer_by_waves(side=50, K=15) > 60


def test_windows_and_pixels_of_the_small_layer():
    columns = im2col(np.zeros((2, 3, 5, 5)), 3)
    assert columns.shape == (27, 18)


def test_the_pixel_in_the_middle_hears_eight_products_from_four_windows():
    one = np.eye(9)[4].reshape(1, 1, 3, 3)
    assert (im2col(one, 2) == 1).sum() == 4
    assert np.count_nonzero(conv2d(one, np.ones((2, 1, 2, 2)))) == 8


def test_a_tile_is_mixed_by_additions_and_halves_alone_and_saves_more_than_half():
    assert set(TILE.ravel()) == {-1, 0, 1}
    assert set(np.abs(KERNEL).ravel()) == {0, 0.5, 1}
    assert (TILE @ np.ones((4, 4)) @ TILE.T).size == 16
    assert conv2d(np.ones((1, 1, 4, 4)), np.ones((1, 1, 3, 3))).size * 9 == 36
    assert 16 / 36 < 1 / 2

"""Ten patches of a real photograph, the input of the course's reference network."""

from pathlib import Path

import numpy as np

from cnnbp.shape import float_dtype, samples_first, samples_last


def photo_patches(dtype=np.float64):
    """Ten 29 × 28 RGB patches of a photograph of Grace Hopper.

    In this order: star, left eye, right eye, mouth, emblem, button, badge, ribbons, collar, flag;
    photo_patches_license.md says where they lie.

    dtype    of the result, a floating-point dtype
    returns  (10, 3, 29, 28), red, green and blue in [0, 1], samples last in memory

    Raises TypeError for another dtype.
    Source: U.S. Navy photograph, in the public domain.

    >>> photo_patches().shape
    (10, 3, 29, 28)
    """
    float_dtype(dtype)
    with np.load(Path(__file__).with_name("photo_patches.npz")) as file:
        pixels = file["patches"]  # levels from 0 to 255
    return samples_first(samples_last(pixels.astype(dtype) / 255))

"""Places of a real photograph: ten patches of it, and crops around each of them."""

from pathlib import Path

import numpy as np

from cnnbp.shape import complaint, float_dtype, samples_first, samples_last

PLACES = ("star", "left eye", "right eye", "mouth", "emblem",
          "button", "badge", "ribbons", "collar", "flag")  # fmt: skip


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


def photo_places(N, rng=None, *, dtype=np.float32):
    """Crops of the photograph near its ten places, to be told apart.

    Each is cut around a place drawn at random, up to 12 pixels away from the middle of its
    surroundings, in rows and in columns.

    N        int ≥ 0, how many
    rng      numpy Generator or seed of places and shifts
    dtype    of the images, a floating-point dtype
    returns  images (N, 3, 29, 28), red, green and blue in [0, 1], samples last in memory;
             labels (N,), ints: which of PLACES it is

    Raises ValueError if N is not a whole number from 0 up, TypeError for another dtype.
    Lesson 11.  Source: U.S. Navy photograph, in the public domain.

    >>> images, labels = photo_places(4, rng=0)
    >>> images.shape, [PLACES[label] for label in labels]
    ((4, 3, 29, 28), ['collar', 'badge', 'button', 'right eye'])
    """
    if not isinstance(N, int | np.integer) or N < 0:
        raise complaint(ValueError, f"N must be a whole number from 0 up, not {N!r}")
    float_dtype(dtype)
    rng = np.random.default_rng(rng)
    with np.load(Path(__file__).with_name("photo_places.npz")) as file:
        around = file["places"]  # (10, 3, 82, 80), levels from 0 to 255
    labels = rng.integers(len(PLACES), size=N)
    cut = []
    for label, (y, x) in zip(labels, rng.integers(82 - 58 + 1, size=(N, 2)), strict=True):
        cut.append(around[label, :, y : y + 58 : 2, x : x + 56 : 2])
    images = np.reshape(cut, (N, 3, 29, 28)).astype(dtype) / np.dtype(dtype).type(255)
    return samples_first(samples_last(images)), labels

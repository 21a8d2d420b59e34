"""The handwritten digits: what they hold, whose they are, and that they travel with the package."""

import tomllib
from pathlib import Path

import numpy as np
import pytest
from helpers import assert_refuses
from numpy.testing import assert_array_equal

import cnnbp
from cnnbp import digits

FOLDER = Path(cnnbp.__file__).parent / "data"


def all_digits(**options):
    """All 1797 images and all labels, training first."""
    return (np.concatenate(parts) for parts in zip(*digits(**options), strict=True))


def test_digits_are_divided_for_training_and_testing():
    (train_images, train_labels), (test_images, test_labels) = digits()
    assert train_images.shape == (1437, 1, 8, 8)
    assert test_images.shape == (360, 1, 8, 8)
    assert train_labels.shape == (1437,)
    assert test_labels.shape == (360,)


def test_images_reach_from_paper_to_ink_in_sixteenths():
    images, _ = all_digits()
    assert images.min() == 0
    assert images.max() == 1
    assert_array_equal(images * 16, np.round(images * 16))


def test_every_digit_of_the_file_is_there_once_with_its_own_label():
    images, labels = all_digits(dtype=np.float64)
    with np.load(FOLDER / "digits.npz") as file:
        stored = [(image.tobytes(), label) for image, label in zip(*file.values(), strict=True)]
    found = [((16 * image[0]).astype(np.uint8).tobytes(), label)
             for image, label in zip(images, labels, strict=True)]  # fmt: skip
    assert sorted(found) == sorted(stored)


def test_the_division_is_always_the_same_and_mixed():
    (first, labels), (_, test_labels) = digits()
    assert_array_equal(first, digits()[0][0])
    for part in (labels, test_labels):
        assert np.bincount(part, minlength=10).min() >= len(part) / 10 * 0.7
        assert (np.diff(part) != 0).mean() > 0.8  # not sorted


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_dtype_is_that_of_the_images_and_labels_are_ints(dtype):
    images, labels = all_digits(dtype=dtype)
    assert images.dtype == dtype
    assert labels.dtype.kind == "i"
    assert digits()[0][0].dtype == np.float32


@pytest.mark.parametrize("dtype", [int, np.uint8, bool])
def test_digits_of_another_dtype_are_refused(dtype):
    """As whole numbers nearly every pixel would be 0."""
    assert_refuses(lambda: digits(dtype), TypeError, "digits: dtype must hold real numbers")


def test_the_license_stands_beside_the_digits():
    text = (FOLDER / "digits_license.md").read_text(encoding="utf-8")
    for part in ("Alpaydin", "Kaynak", "10.24432/C50P49", "CC BY 4.0"):
        assert part in text


def test_an_installed_package_carries_its_data():
    project = tomllib.loads((FOLDER.parents[1] / "pyproject.toml").read_text(encoding="utf-8"))
    patterns = project["tool"]["setuptools"]["package-data"]["cnnbp.data"]
    carried = {path.name for pattern in patterns for path in FOLDER.glob(pattern)}
    data = {path.name for path in FOLDER.iterdir() if path.suffix not in ("", ".py")}
    files = {"digits.npz", "digits_license.md", "photo_patches.npz", "photo_patches_license.md"}
    assert files <= carried == data
    for pattern in patterns:
        assert list(FOLDER.glob(pattern)), f"{pattern} names nothing"

"""1797 handwritten digits, small enough to train on in seconds; digits_license.md says whose."""

from pathlib import Path

import numpy as np

from cnnbp.shape import float_dtype

TEST_IMAGES = 360


def digits(dtype=np.float32):
    """Handwritten digits, shuffled once and for all, and divided for training and testing.

    dtype    of the images
    returns  (train_images (1437, 1, 8, 8), train_labels (1437,)),
             (test_images (360, 1, 8, 8), test_labels (360,))

    Images are 0 for paper to 1 for ink, labels are ints from 0 to 9.
    Raises TypeError unless dtype is a floating-point dtype.
    Lesson 11.  Source: Alpaydin and Kaynak, Optical Recognition of Handwritten Digits, 1998.

    >>> (train_images, train_labels), (test_images, test_labels) = digits()
    >>> train_images.shape, train_labels.shape, test_images.shape, test_labels.shape
    ((1437, 1, 8, 8), (1437,), (360, 1, 8, 8), (360,))
    """
    float_dtype(dtype)
    with np.load(Path(__file__).with_name("digits.npz")) as file:
        images, labels = file["images"], file["labels"]
    order = np.random.default_rng(0).permutation(len(images))
    images = (images[order, None] / 16).astype(dtype)  # the file counts ink from 0 to 16
    labels = labels[order].astype(np.intp)
    train = images[:-TEST_IMAGES], labels[:-TEST_IMAGES]
    test = images[-TEST_IMAGES:], labels[-TEST_IMAGES:]
    return train, test

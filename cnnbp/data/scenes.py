"""Scenes made of handwritten digits: where a digit stands, as a box, and how well a box fits.

A box is a column: top, left, bottom, right. Rows grow downward, so top < bottom.
"""

import numpy as np

from cnnbp.shape import complaint, floats, positive, same_shape, samples_first, samples_last
from cnnbp.shape import images as as_images

INK = 0.25  # what is darker belongs to the box
TRIES = 10  # to find a free place in a crowd
NOTHING = 10  # the label of a cell without a digit


def scenes(images, labels, *, size=16, rng=None):
    """Every image somewhere on an empty canvas of its own, with the box around its ink.

    images   (N, 1, H, W) in [0, 1], such as digits
    labels   (N,)
    size     int, rows and columns of a canvas; none less than the images' own
    rng      numpy Generator or seed of the places
    returns  x (N, 1, size, size), samples last in memory; labels (N,), as given;
             boxes (4, N), top, left, bottom, right as shares of the canvas

    Raises ValueError if an image does not fit, is empty or not one of a single channel.
    Lesson 14.

    >>> image = np.zeros((1, 1, 2, 2)); image[0, 0, 1, 0] = 1
    >>> x, labels, boxes = scenes(image, [7], size=4, rng=0)
    >>> x[0, 0], boxes.T
    (array([[0., 0., 0., 0.],
           [0., 0., 0., 0.],
           [0., 0., 0., 0.],
           [0., 1., 0., 0.]]), array([[0.75, 0.25, 1.  , 0.5 ]]))
    """
    images, inks = _inked(images)
    N, _, *image = images.shape
    room = _room(image, (size, size))
    rng = np.random.default_rng(rng)
    x = np.zeros((N, 1, size, size), images.dtype)
    places = rng.integers(room, size=(N, 2))
    for canvas, digit, (y, x0) in zip(x[:, 0], images[:, 0], places, strict=True):
        canvas[y : y + image[0], x0 : x0 + image[1]] = digit
    boxes = (inks + np.tile(places, 2)) / size
    return samples_first(samples_last(x)), np.asarray(labels), boxes.T.astype(images.dtype)


def crowds(images, labels, N, *, cells=3, most=3, rng=None):
    """Canvases with one to `most` digits, each noted in the cell where its middle lies.

    images   (M, 1, H, W) in [0, 1], such as digits, from which a scene's are drawn
    labels   (M,) ints below 10
    N        int, how many canvases
    cells    int, cells in a row and a column of the canvas; a cell is as large as an image
    most     int ≥ 1, digits on a canvas
    rng      numpy Generator or seed
    returns  x (N, 1, cells·H, cells·W), samples last in memory
             found (N, cells, cells), the label of each cell's digit, 10 where there is none
             boxes (N, 4, cells, cells), the row and column of the box's middle within its cell,
             its height and its width, all in cells; 0 where there is none

    Raises ValueError for images that are empty or of several channels, or a number below 1.
    Lesson 14.

    >>> from cnnbp.data.handwritten import digits
    >>> x, found, boxes = crowds(*digits()[0], 5, rng=0)
    >>> x.shape, found[0].tolist(), boxes.shape
    ((5, 1, 24, 24), [[4, 10, 5], [5, 10, 10], [10, 10, 10]], (5, 4, 3, 3))
    """
    images, inks = _inked(images)
    for name, value in {"N": N, "cells": cells, "most": most}.items():
        positive(value, name)
    labels, rng = np.asarray(labels), np.random.default_rng(rng)
    H, W = images.shape[2:]
    x = np.zeros((N, 1, cells * H, cells * W), images.dtype)
    found = np.full((N, cells, cells), NOTHING)
    boxes = np.zeros((N, 4, cells, cells), images.dtype)
    for n in range(N):
        for _ in range(rng.integers(1, most + 1)):
            if not _put(x[n, 0], found[n], boxes[n], images[:, 0], inks, labels, rng):
                break  # it is full
    return samples_first(samples_last(x)), found, boxes


def _put(canvas, found, boxes, images, inks, labels, rng):
    """One digit more where there is room for it: True; after some tries, none: False."""
    H, W = images.shape[1:]
    many = len(images), canvas.shape[0] - H + 1, canvas.shape[1] - W + 1
    for m, y, x in (rng.random((TRIES, 3)) * many).astype(int).tolist():
        top, left, bottom, right = inks[m].tolist()
        row, column = y / H + (top + bottom) / 2 / H, x / W + (left + right) / 2 / W
        i, j = int(row), int(column)
        place = canvas[y : y + H, x : x + W]
        if found[i, j] == NOTHING and not place.any():
            place += images[m]
            found[i, j] = labels[m]
            boxes[:, i, j] = row - i, column - j, (bottom - top) / H, (right - left) / W
            return True
    return False


def corners(boxes):
    """The boxes of a grid as corners: from middles within cells and sizes, to shares of the canvas.

    boxes    (N, 4, cells, cells), as crowds gives them
    returns  (4, N, cells, cells), top, left, bottom, right

    Lesson 14.

    >>> boxes = np.zeros((1, 4, 2, 2)); boxes[0, :, 1, 0] = 0.5, 0.5, 1, 0.5
    >>> corners(boxes)[:, 0, 1, 0]
    array([0.5  , 0.125, 1.   , 0.375])
    """
    (boxes,) = floats(boxes=boxes)
    if boxes.ndim != 4 or boxes.shape[1] != 4:
        raise complaint(ValueError, f"boxes must be (N, 4, cells, cells), not {boxes.shape}")
    row, column, height, width = boxes.transpose(1, 0, 2, 3)
    rows, columns = np.indices(boxes.shape[2:])
    middle = np.stack([row + rows, column + columns])
    half = np.stack([height, width]) / 2
    return np.concatenate([middle - half, middle + half]) / boxes.shape[2]


def intersection_over_union(a, b):
    """How well two boxes agree: the area that they share, as a share of the area that they cover.

    a, b     (4, N)    top, left, bottom, right of N boxes each
    returns  (N,)      from 0, apart, to 1, the same; 0 where neither has an area

    Raises ValueError unless a and b have the same shape (4, ...).
    Lesson 14.  Source: definition; also called the Jaccard index.

    >>> intersection_over_union([[0], [0], [2], [2]], [[1], [0], [3], [2]])
    array([0.33333333])
    """
    a, b = floats(a=a, b=b)
    if a.ndim < 1 or len(a) != 4:
        raise complaint(ValueError, f"a must be (4, N): top, left, bottom, right; it is {a.shape}")
    same_shape("b", b, a.shape, "the shape of a")
    high, low = np.maximum(a[:2], b[:2]), np.minimum(a[2:], b[2:])
    shared = _area(*high, *low)
    covered = _area(*a) + _area(*b) - shared
    return np.divide(shared, covered, out=np.zeros_like(shared), where=covered > 0)


def _area(top, left, bottom, right):
    """Nothing, where a box ends before it begins."""
    return np.maximum(bottom - top, 0) * np.maximum(right - left, 0)


def _inked(images):
    """Images of one channel, and where the ink of each begins and ends: (N, 4)."""
    (images,) = as_images(images=images)
    ink = samples_last(images > INK)[0] if images.shape[1] == 1 else None  # (H, W, N), for speed
    if ink is None or not ink.any(axis=(0, 1)).all():
        raise complaint(ValueError, f"images {images.shape} must have one channel, with ink in it")
    edges = []
    for axis in (1, 0):
        lines = ink.any(axis=axis)
        edges.append((lines.argmax(axis=0), len(lines) - lines[::-1].argmax(axis=0)))
    (top, bottom), (left, right) = edges
    return images, np.stack([top, left, bottom, right], axis=1)


def _room(image, canvas):
    """How many places there are in each direction."""
    room = np.subtract(canvas, image) + 1
    if (room < 1).any():
        raise complaint(ValueError, f"a canvas of {canvas} is too small for images of {image}")
    return room

"""Scenes of digits: canvases, boxes, cells, and how well two boxes agree."""

import numpy as np
import pytest
from helpers import assert_refuses

from cnnbp import crowds, digits, intersection_over_union, scenes
from cnnbp.data import corners

IMAGES, LABELS = digits()[0]
INK = 0.25


def test_a_scene_holds_its_digit_and_the_box_its_ink():
    x, labels, boxes = scenes(IMAGES[:200], LABELS[:200], size=16, rng=0)
    assert x.shape == (200, 1, 16, 16)
    np.testing.assert_array_equal(labels, LABELS[:200])
    np.testing.assert_allclose(x.sum(axis=(1, 2, 3)), IMAGES[:200].sum(axis=(1, 2, 3)), rtol=1e-6)
    edges = (boxes * 16).T.astype(int)
    for canvas, (top, left, bottom, right) in zip(x[:, 0] > INK, edges, strict=True):
        inside = canvas[top:bottom, left:right]
        assert inside.sum() == canvas.sum()
        assert inside.any(axis=0)[[0, -1]].all()
        assert inside.any(axis=1)[[0, -1]].all()


def test_digits_stand_everywhere_and_a_seed_gives_the_same():
    x, _, _ = scenes(IMAGES, LABELS, size=20, rng=1)
    assert (x.max(axis=(0, 1))[2:-2, 2:-2] > 0.9).all()
    np.testing.assert_array_equal(x, scenes(IMAGES, LABELS, size=20, rng=1)[0])


@pytest.mark.parametrize("cells", [3, 5])
def test_a_crowds_boxes_are_the_ink_of_its_digits(cells):
    x, found, boxes = crowds(IMAGES, LABELS, 60, cells=cells, rng=0)
    assert x.shape == (60, 1, 8 * cells, 8 * cells)
    here = found < 10
    assert set(here.sum(axis=(1, 2))) <= {1, 2, 3}
    assert here.sum(axis=(1, 2)).max() > 1
    edges = corners(boxes) * 8 * cells
    np.testing.assert_allclose(edges[:, here], edges[:, here].round(), atol=1e-4)
    for n in range(60):
        covered = np.zeros(x.shape[2:], bool)
        for top, left, bottom, right in edges[:, n][:, here[n]].T.round().astype(int):
            covered[top:bottom, left:right] = True
        assert not (x[n, 0] > INK)[~covered].any()
    assert (boxes.transpose(0, 2, 3, 1)[~here] == 0).all()


def test_intersection_over_union_by_hand():
    a = np.array([[0, 0, 2, 2], [0, 0, 2, 2], [0, 0, 4, 4], [0, 0, 1, 1], [3, 3, 1, 1]], float).T
    b = np.array([[1, 1, 3, 3], [0, 0, 2, 2], [1, 1, 3, 2], [2, 2, 3, 3], [3, 3, 1, 1]], float).T
    np.testing.assert_allclose(intersection_over_union(a, b), [1 / 7, 1, 2 / 16, 0, 0])


def test_intersection_over_union_is_symmetric_and_blind_to_scale():
    rng = np.random.default_rng(0)
    a, b = (np.sort(rng.random((2, 2, 50)), axis=0).reshape(4, 50) for _ in range(2))
    shared = intersection_over_union(a, b)
    assert ((shared >= 0) & (shared <= 1)).all()
    np.testing.assert_allclose(shared, intersection_over_union(b, a))
    np.testing.assert_allclose(shared, intersection_over_union(16 * a, 16 * b))


@pytest.mark.parametrize(
    ("call", "substance"),
    [
        (lambda: scenes(IMAGES[:2], LABELS[:2], size=7), ["too small"]),
        (lambda: scenes(np.zeros((2, 1, 8, 8)), [0, 1]), ["ink"]),
        (lambda: crowds(np.ones((2, 3, 8, 8)), [0, 1], 4), ["one channel"]),
        (lambda: crowds(IMAGES, LABELS, 0), ["N must be at least 1"]),
        (lambda: intersection_over_union(np.ones((3, 2)), np.ones((3, 2))), ["a must be (4, N)"]),
        (lambda: intersection_over_union(np.ones((4, 2)), np.ones((4, 3))), ["b is (4, 3)"]),
        (lambda: corners(np.ones((2, 3, 3, 3))), ["(N, 4, cells, cells)"]),
    ],
)
def test_refuses(call, substance):
    assert_refuses(call, ValueError, *substance)

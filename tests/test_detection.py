"""A detector: cells as columns, its loss, what it found, and that it learns to find."""

import numpy as np
import pytest
from helpers import assert_refuses, lies_samples_last

from cnnbp import (
    Conv2d,
    Network,
    ReLU,
    crowds,
    digits,
    mean_squared_error,
    numeric_gradient,
    relative_error,
    softmax_cross_entropy,
)
from cnnbp.data.scenes import NOTHING
from cnnbp.detection import (
    cells_as_columns,
    columns_as_cells,
    detection_loss,
    judge,
    pooled_blocks,
)
from cnnbp.training import learn

RNG = np.random.default_rng(0)
Z = RNG.standard_normal((3, 9, 2, 4))  # five classes, the last of them nothing
FOUND = np.array([[[0, 4, 4, 1], [4, 4, 4, 4]], [[4] * 4, [4] * 4], [[3, 4, 2, 4], [4, 1, 4, 4]]])
BOXES = RNG.random((3, 4, 2, 4))


def test_a_column_holds_one_cell_of_one_image():
    columns = cells_as_columns(Z)
    for n, i, j in np.ndindex(3, 2, 4):
        np.testing.assert_array_equal(columns[:, (i * 4 + j) * 3 + n], Z[n, :, i, j])


def test_columns_find_their_way_back():
    back = columns_as_cells(cells_as_columns(Z), Z.shape)
    np.testing.assert_array_equal(back, Z)
    assert lies_samples_last(back)


def test_the_loss_is_that_of_every_cell_one_by_one():
    loss, dz = detection_loss(Z, FOUND, BOXES)
    classes, boxes, there = 0, 0, (FOUND != 4).sum()
    for n, i, j in np.ndindex(FOUND.shape):
        classes += softmax_cross_entropy(Z[n, :5, i, j, None], FOUND[n, i, j, None])[0]
        if FOUND[n, i, j] != 4:
            boxes += mean_squared_error(Z[n, 5:, i, j], BOXES[n, :, i, j])[0]
    assert loss == pytest.approx(classes / FOUND.size + boxes / there)
    slopes = numeric_gradient(lambda z: detection_loss(z, FOUND, BOXES)[0], Z)
    assert relative_error(dz, slopes) < 1e-7


def test_an_empty_cell_has_no_box_and_is_not_silent():
    _, dz = detection_loss(Z, FOUND, BOXES)
    scores, boxes = np.split(dz.transpose(0, 2, 3, 1), [5], axis=3)
    assert (boxes[FOUND == 4] == 0).all()
    assert (boxes[FOUND != 4] != 0).all()
    assert (scores != 0).all()


def test_a_batch_without_digits_has_no_box_to_judge():
    nothing = np.full(FOUND.shape, 4)
    loss, dz = detection_loss(Z, nothing, BOXES)
    assert loss == softmax_cross_entropy(cells_as_columns(Z)[:5], nothing.ravel())[0]
    assert not dz[:, 5:].any()


def test_the_loss_keeps_the_dtype_of_a_network():
    _, dz = detection_loss(Z.astype(np.float32), FOUND, BOXES.astype(np.float32))
    assert dz.dtype == np.float32


def said(answers):
    """A detector's z with the given answers; every box a cell wide, in the middle of its cell."""
    z = np.zeros((len(answers), NOTHING + 5, *np.shape(answers)[1:]))
    for n, i, j in np.ndindex(np.shape(answers)):
        z[n, answers[n][i][j], i, j] = 1
    z[:, NOTHING + 1 :] = np.array([0.5, 0.5, 1, 1]).reshape(4, 1, 1)
    return z


def test_found_missed_and_false_are_told_apart():
    truth = [[[3, 10, 7], [10, 10, 1]], [[10, 10, 10], [10, 10, 10]]]
    answers = [[[3, 4, 2], [10, 10, 10]], [[10, 10, 10], [0, 10, 10]]]
    boxes = np.zeros((2, 4, 2, 3))
    boxes[:] = np.array([0.5, 0.5, 1, 0.5]).reshape(4, 1, 1)
    judged = judge(said(answers), truth, boxes)
    assert [np.argwhere(mask).tolist() for mask in (judged.found, judged.missed)] == [
        [[0, 0, 0], [0, 0, 2]],
        [[0, 1, 2]],
    ]
    assert np.argwhere(judged.alarms).tolist() == [[0, 0, 1], [1, 1, 0]]
    assert (judged.found_share, judged.read_share) == (2 / 3, 1 / 3)
    assert judged.alarms_an_image == 1
    np.testing.assert_allclose(judged.agreement, 0.5)
    assert "2 of 3 digits found, 1 of them read, 2 false alarms on 2 images" in repr(judged)


def test_what_is_drawn_is_the_detectors_box_or_the_missed_ones_own():
    boxes = np.zeros((1, 4, 1, 1))
    boxes[0, :, 0, 0] = 0.5, 0.5, 0.5, 0.5
    for answer, kind, side in ((5, "found", 1), (NOTHING, "missed", 0.5)):
        drawn = judge(said([[[answer]]]), [[[2]]], boxes).boxes()
        assert {k: of[0].shape[1] for k, of in drawn.items() if of[0].size} == {kind: 1}
        top, left, bottom, right = drawn[kind][0][:, 0]
        assert (bottom - top, right - left) == (side, side)


@pytest.mark.parametrize("seed", [0, 1])
def test_a_detector_finds_the_digits_that_it_has_not_seen(seed):
    """The setting of lesson 14; its network, built as the lesson builds it."""
    (images, labels), new = digits()
    options = {"dtype": np.float32, "rng": np.random.default_rng(seed)}
    trunk = pooled_blocks([8, 16, 32], **options)
    heads = [Conv2d(32, 32, 1, **options), ReLU(), Conv2d(32, 15, 1, gain=0.1, **options)]
    network = Network([*trunk, *heads])
    draw = lambda rng: crowds(images, labels, 24, rng=rng)  # noqa: E731
    training = {"steps": 600, "learning_rate": 0.01, "rng": seed, "progress": False}
    learn(network, draw, detection_loss, **training)

    x, *truth = crowds(*new, 360, rng=1)
    judged = judge(network.forward(x), *truth)
    assert judged.found_share >= 0.95
    assert judged.alarms_an_image <= 0.1
    assert judged.read_share >= 0.5
    large, *truth = crowds(*new, 50, cells=6, most=10, rng=2)
    assert judge(network.forward(large), *truth).found_share >= 0.9


@pytest.mark.parametrize(
    ("call", "substance"),
    [
        (lambda: cells_as_columns(np.ones((3, 4))), ["z must have 4 axes (N, C, H, W)"]),
        (lambda: columns_as_cells(np.ones((3, 4)), (1, 3, 2, 1)), ["columns is (3, 4)", "(3, 2)"]),
        (lambda: detection_loss(Z, FOUND[:2], BOXES), ["found is (2, 2, 4)"]),
        (lambda: detection_loss(Z, FOUND, BOXES[:, :3]), ["boxes is (3, 3, 2, 4)"]),
        (lambda: detection_loss(Z, FOUND + 1, BOXES), ["labels"]),
        (lambda: judge(Z, FOUND, BOXES), ["15 channels"]),
    ],
)
def test_refuses(call, substance):
    assert_refuses(call, ValueError, *substance)

"""Lesson 14: the numbers in its prose, computed once more."""

import numpy as np
import pytest

from cnnbp import (
    Conv2d,
    Flatten,
    Linear,
    Network,
    ReLU,
    combined_loss,
    crowds,
    digits,
    intersection_over_union,
    mean_squared_error,
    scenes,
)
from cnnbp.deep_network import deep_blocks
from cnnbp.detection import pooled_blocks
from cnnbp.explorers import GradientFlowExplorer
from cnnbp.pictures import draw_lineage


@pytest.fixture(scope="module")
def passed():
    """The lesson's locator after a pass on its eight scenes, and what they were compared with."""
    rng = np.random.default_rng(0)
    hidden, heads = Linear(128, 64, rng=rng), Linear(64, 14, gain=0.1, rng=rng)
    network = Network([*pooled_blocks([8, 16, 32], rng=rng), Flatten(), hidden, ReLU(), heads])
    (images, labels), _ = digits(np.float64)
    x, labels, boxes = scenes(images[30:38], labels[30:38], rng=0)
    parts = [
        ("softmax_cross_entropy", labels, slice(0, 10), 0.5),
        ("mean_squared_error", boxes, slice(10, 14), 5.0),
    ]
    network.backward(combined_loss(network.forward(x), parts)[1])
    return network, boxes


def of_both_heads(network):
    w, dz = network.params["12.w"], network.trace[12].dz
    return w[:10].T @ dz[:10], w[10:].T @ dz[10:]


def test_one_cell_at_the_fork_is_in_dispute_and_adds_up_as_printed(passed):
    network, _ = passed
    of_class, of_box = (part[33, 4] for part in of_both_heads(network))
    whole = network.trace[12].dx[33, 4]
    assert [round(1000 * value, 2) for value in (of_class, of_box, whole)] == [1.25, -1.51, -0.26]
    assert of_class + of_box == pytest.approx(whole)
    assert network.trace[12].x[33, 4] > 1
    assert len(network.explain(12, "dx", (33, 4))) == 14


def test_more_than_half_of_the_features_that_are_not_0_are_in_dispute(passed):
    of_class, of_box = of_both_heads(passed[0])
    on = passed[0].trace[12].x > 0
    assert 0.51 < (of_class * of_box < 0)[on].mean() < 0.6


def test_the_class_gradient_is_the_larger_one_at_balance_0_1_and_the_box_gradient_at_0_9(passed):
    by_class, by_box = (np.linalg.norm(part) for part in of_both_heads(passed[0]))
    ratios = [(1 - balance) * by_class / (balance * by_box) for balance in (0.1, 0.9)]
    assert ratios[0] > 1.3
    assert ratios[1] < 0.1


def test_the_way_of_the_explored_weight_counts_the_ways_to_both_losses(passed):
    network, boxes = passed
    _, labels = digits()[0]
    parts = [
        ("softmax_cross_entropy", labels[30:38], slice(0, 10), 0.5),
        ("mean_squared_error", boxes, slice(10, 14), 5.0),
    ]
    said = draw_lineage(network, 10, "dw", (24, 35), loss=parts).description
    assert "112 ways lead to the losses" in said


def test_a_box_in_pixels_sends_256_times_as_much(passed):
    network, boxes = passed
    features, w = network.trace[12].x, network.params["12.w"][10:]
    sizes = []
    for unit in (1, 16):
        _, dz = mean_squared_error(unit * w @ features, unit * boxes)
        sizes.append(np.linalg.norm(unit * w.T @ dz))
    assert sizes[1] / sizes[0] == pytest.approx(256)


def test_the_box_around_both_is_filled_as_the_worked_example_prints():
    a = np.array([[0, 0, 2, 2], [0, 0, 4, 4], [0, 0, 1, 2]]).T
    b = np.array([[2, 2, 4, 4], [1, 1, 3, 3], [0, 3, 2, 4]]).T
    np.testing.assert_allclose(intersection_over_union(a, b), [0, 0.25, 0])


def test_near_balance_0_6_both_losses_are_equally_long_and_their_sum_is_not_twice_as_long():
    explorer = GradientFlowExplorer(depth=4, activation="ReLU", gain=1.5, balance=0.5)
    blocks = deep_blocks(4, 1, activation="ReLU", gain=1.5)
    features = Network([*blocks, Flatten()]).forward(explorer.images, training=True)
    by_class, by_box = explorer._arriving(features)
    explorer.close()
    one, other = (0.4 * np.linalg.norm(by_class)), (0.6 * np.linalg.norm(by_box))
    whole = np.linalg.norm(0.4 * by_class + 0.6 * by_box)
    assert one == pytest.approx(other, rel=0.1)
    assert [round(size, 1) for size in (one, other)] == [0.2, 0.2]
    assert round(whole, 2) == 0.27
    assert max(one, other) < whole < 1.5 * min(one, other)


def test_three_of_four_cells_are_empty():
    (images, labels), _ = digits()
    _, found, _ = crowds(images, labels, 64, rng=0)
    assert 0.72 < (found == 10).mean() < 0.8


def test_a_larger_canvas_does_not_fit_the_locators_matrix():
    trunk = Network([*pooled_blocks([8, 16, 32]), Flatten()])
    assert trunk.output_shape((1, 1, 16, 16)) == (128, 1)
    assert trunk.output_shape((1, 1, 48, 48)) == (1152, 1)


def test_the_detectors_last_layer_gives_fifteen_numbers_a_cell():
    network = Network([*pooled_blocks([8, 16, 32]), Conv2d(32, 15, 1)])
    assert network.output_shape((24, 1, 24, 24)) == (24, 15, 3, 3)
    assert network.output_shape((50, 1, 48, 48)) == (50, 15, 6, 6)

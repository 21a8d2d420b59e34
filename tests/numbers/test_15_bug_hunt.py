"""What lesson 15 says in its prose, computed again."""

import numpy as np
import pytest

import cnnbp
from cnnbp.data import bug_curves
from cnnbp.exercises.bugs import (
    CHECKS,
    EIGHT,
    disagreeing,
    hunting_ground,
    placements,
    plant,
    ready,
    seen_by_checks,
    sees,
    with_bug,
)

CURVES = bug_curves()


def last(optimizer, bug):
    return CURVES[optimizer][bug][:, -1]


def test_the_stored_trainings_are_of_the_eight_bugs_on_three_seeds():
    for found in CURVES.values():
        assert list(found) == ["right", "layer 4 frozen", *EIGHT]
        assert all(each.shape == (3, 10) for each in found.values())


def test_a_stored_training_is_what_the_package_gives():
    (images, labels), test = cnnbp.digits()
    network = with_bug(hunting_ground(dtype=np.float32, rng=1), "dw rotated")
    history = cnnbp.train(
        network,
        images,
        labels,
        optimizer=cnnbp.SGD(network, 0.1, momentum=0.9),
        epochs=1,
        batch_size=64,
        rng=1,
        test=test,
        progress=False,
    )
    assert history.test_accuracy[0] == pytest.approx(CURVES["SGD"]["dw rotated"][1, 0], abs=0.1)


def test_a_rotated_dw_is_worse_than_no_gradient():
    assert last("SGD", "dw rotated").max() < last("SGD", "layer 4 frozen").min()


def test_with_adam_a_rotated_dw_is_about_as_good_as_no_gradient():
    rotated, frozen = (last("Adam", bug).mean() for bug in ("dw rotated", "layer 4 frozen"))
    assert abs(rotated - frozen) < 0.02


def test_adam_is_kinder_to_some():
    kinder = [bug for bug in EIGHT if last("Adam", bug).min() > last("SGD", bug).max()]
    assert len(kinder) > 1


def test_after_three_epochs_the_accuracies_of_both_overlap():
    right, wrong = (100 * CURVES["SGD"][bug][:, 2] for bug in ("right", "winner assigned"))
    assert np.round(right).tolist() == [93, 90, 85]
    assert np.round(wrong).tolist() == [91, 84, 89]


def test_apart_with_opposite_signs_is_more_than_1_and_else_a_part():
    seen = [error for found in seen_by_checks().values() for error in found.values()]
    assert all(0 <= error <= 2 for error in seen)
    assert max(seen) > 1


def test_on_the_way_from_a_cell_one_layer_fails_to_add_up():
    traced = ready(with_bug(hunting_ground(channels=4), "kernel not rotated"))
    gradient, index, failing = "dw", (1, 0, 1, 1), []
    for k, step in enumerate(traced.trace):
        cell = traced.explain(k, gradient, index)
        if not np.isclose(cell.total, (step.dx if k else traced.grads["0.w"])[index]):
            failing.append(k)
        largest = np.abs(cell.left * cell.right).argmax()
        gradient, index = "dx", tuple(np.array(cell.left_index[largest]).tolist())
    assert failing == [4]


def test_an_assigned_winner_is_invisible():
    for optimizer in CURVES:
        assert last(optimizer, "winner assigned").max() >= last(optimizer, "right").min() - 0.03


def test_every_bug_still_learns():
    for bug in EIGHT:
        assert last("Adam", bug).max() > 0.2  # one in ten is a guess


def test_a_random_direction_sees_every_bug_and_the_others_do_not():
    ground = hunting_ground(channels=4)
    hunted = [(place[0], ready(plant(ground, *place))) for place in placements(ground)]
    found = {c: sum(sees(network, layer, c) for layer, network in hunted) for c in CHECKS}
    assert found == {
        "random direction": len(hunted),
        "all-ones upstream": 40,
        "mean of the gradient": 39,
    }
    assert len(hunted) == 48


def test_no_check_sees_ties():
    *_, ties = seen_by_checks().values()
    assert not any(ties.values())


def test_a_wrong_dx_of_layer_4_shows_below_it_only():
    sick = ready(with_bug(hunting_ground(channels=4), "kernel not rotated"))
    rng = np.random.default_rng(0)
    x, dz = rng.standard_normal((6, 1, 8, 8)), rng.standard_normal((10, 6))
    wrong = list(disagreeing(sick, x, dz, rng.standard_normal))
    assert set(wrong) <= {"dx", "0.dw", "0.db", "1.dgamma", "1.dbeta"}
    assert {"0.dw", "1.dgamma"} <= set(wrong)

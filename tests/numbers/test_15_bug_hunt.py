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

"""Bugs are planted where they belong, raise nothing, and are found by whoever looks right."""

import copy

import numpy as np
import pytest

import cnnbp
from cnnbp.exercises import locate_bug
from cnnbp.exercises.bugs import (
    CHECKS,
    EIGHT,
    SILENT,
    TASKS_OF,
    compared,
    frozen,
    hunt,
    hunting_ground,
    place_of_the_bug,
    placements,
    plant,
    ready,
    sees,
    with_bug,
)

GROUND = hunting_ground(channels=4)
PLACES = placements(GROUND)


def test_every_silent_mistake_is_one_of_an_exercise():
    for kind, bugs in SILENT.items():
        for wanted, mistake in bugs:
            assert mistake in TASKS_OF[kind][wanted].mistakes


@pytest.mark.parametrize("place", PLACES, ids=str)
def test_a_planted_bug_spoils_one_gradient_and_raises_nothing(place):
    layer, wanted, _ = place
    network = ready(plant(GROUND, *place))
    assert place_of_the_bug(network) == (layer, wanted)
    rng = np.random.default_rng(0)
    step = network.trace[layer]
    x, dz = rng.standard_normal(step.x.shape), rng.standard_normal(step.z.shape)
    found = compared(network.layers[layer], x, dz, rng.standard_normal)
    wrong = [name for name, said, slope in found if abs(said - slope) > 1e-5 * abs(slope)]
    assert wrong == [wanted]


@pytest.mark.parametrize("place", PLACES, ids=str)
def test_a_network_with_a_bug_still_learns(place):
    (images, labels), _ = cnnbp.digits()
    network = plant(hunting_ground(channels=4, dtype=np.float32), *place)
    options = {"epochs": 2, "batch_size": 64, "rng": 0, "progress": False}
    optimizer = cnnbp.Adam(network, 0.003)
    history = cnnbp.train(network, images[:640], labels[:640], optimizer=optimizer, **options)
    assert not history.diverged
    assert history.train_loss[-1] < history.train_loss[0]


def test_planting_leaves_the_network_as_it_was():
    kinds = list(map(type, GROUND.layers))
    planted = plant(GROUND, 4, "dw", "kernel_rotated_in_dw")
    assert list(map(type, GROUND.layers)) == kinds
    assert place_of_the_bug(GROUND) is None
    assert repr(planted) == repr(GROUND)
    assert isinstance(planted.layers[4], cnnbp.Conv2d)
    assert planted.layers[4].params["w"] is not GROUND.layers[4].params["w"]


def test_a_copy_has_the_same_bug():
    planted = plant(GROUND, 4, "dw", "kernel_rotated_in_dw")
    assert place_of_the_bug(copy.deepcopy(planted)) == (4, "dw")


def test_forms_of_a_mistake_are_planted_by_number():
    one, other = (ready(plant(GROUND, 4, "dx", "overlaps_assigned", n)) for n in (0, 1))
    assert not np.array_equal(one.trace[4].dx, other.trace[4].dx)


def test_in_evaluation_a_batch_normalization_is_right():
    network = plant(GROUND, 1, "dx", "batch_counted_only")
    layer, right = network.layers[1], copy.deepcopy(GROUND.layers[1])
    x, dz = np.random.default_rng(0).standard_normal((2, 3, 4, 5, 5))[:, :, :4]
    for each in (layer, right):
        each.forward(x)
    assert np.array_equal(layer.backward(dz), right.backward(dz))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((9, "dx", "left_out"), "no layer 9"),
        ((2, "dw", "left_out"), "no exercise on dw of a ReLU"),
        ((2, "dx", "forgotten"), 'relu_gradient has no mistake "forgotten"'),
    ],
)
def test_what_cannot_be_planted_is_told_so(arguments, said):
    with pytest.raises(ValueError, match=f"^plant: .*{said}"):
        plant(GROUND, *arguments)


def test_a_right_layer_is_found_right_by_every_check():
    network = ready(hunting_ground(channels=4))
    assert not any(sees(network, layer, check) for layer in range(9) for check in CHECKS)


def test_a_frozen_layer_has_no_gradient_and_hands_on_a_right_one():
    still, right = ready(frozen(GROUND, 4)), ready(copy.deepcopy(GROUND))
    assert not still.grads["4.w"].any()
    assert not still.grads["4.b"].any()
    assert np.array_equal(still.trace[4].dx, right.trace[4].dx)


def test_the_right_network_is_left_alone():
    assert with_bug(GROUND, "right") is GROUND
    assert {place_of_the_bug(with_bug(GROUND, name)) for name in EIGHT} >= {(3, "dx"), (4, "dw")}


def test_hunts_differ_from_seed_to_seed_and_are_the_same_again():
    places = [place_of_the_bug(hunt(seed).network) for seed in range(20)]
    assert len(set(places)) > 6
    assert places == [place_of_the_bug(hunt(seed).network) for seed in range(20)]


@pytest.mark.parametrize("seed", range(20))
def test_a_hunt_ends_at_the_bug(seed):
    quarry = hunt(seed)
    found = locate_bug.function(quarry.network)
    assert quarry.is_at(*found)
    assert not quarry.is_at(8, "dx")
    assert quarry.answer().startswith(f"{found[1]} of layer {found[0]}. ")
    assert "planted" not in repr(quarry)


def test_weights_that_are_not_put_back_are_told_so():
    def moves(network):
        network.layers[0].params["w"] += 1e-5
        return locate_bug.function(network)

    verdict = locate_bug.check(moves)
    assert not verdict
    assert verdict.mistakes == ("weights_not_put_back",)
    assert "put the array back" in verdict.message


def test_nothing_found_is_an_answer_where_something_else_was_found_elsewhere():
    verdict = locate_bug.check(lambda network: None)
    assert verdict.stage == "not written yet"
    biases = locate_bug.mistakes["parameters_never_checked"].functions[0]
    assert locate_bug.check(biases).mistake == "parameters_never_checked"


@pytest.mark.parametrize("answer", [3, (1, 2), ("4", "dw"), (True, "dx"), (4, "dw", 1)])
def test_what_is_no_place_is_told_so(answer):
    verdict = locate_bug.check(lambda network: answer)
    assert verdict.stage == "returned the wrong type"
    assert "a pair is wanted" in verdict.message

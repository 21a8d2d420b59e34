"""A deep network under sliders: the sizes are the network's, and the known effects show."""

import re

import numpy as np
import pytest
from helpers import assert_refuses

from cnnbp.explorers import GradientFlowExplorer
from cnnbp.explorers.gradient_flow import ink_boxes
from cnnbp.pictures.curves import magnitude
from cnnbp.pictures.network import ALL, BARS, OWN, PARTS, RIGHT, gradient_sizes


@pytest.fixture
def explorer():
    explorer = GradientFlowExplorer()
    yield explorer
    explorer.close()


def kept(explorer, **values):
    """What share of the gradient at the end is left at the input."""
    explorer.reset()
    for name, value in values.items():
        explorer.controls[name].value = value
    first, *_, last = gradient_sizes(explorer.network)
    return first / last


def test_opens_on_a_deep_sigmoid_network_that_loses_its_gradient(explorer):
    assert explorer.values["activation"] == "sigmoid"
    assert explorer.values["depth"] >= 10
    assert kept(explorer) < 1e-5
    assert "inside, on the way back: Sigmoid" in explorer.html


def test_more_blocks_lose_more(explorer):
    shares = [kept(explorer, depth=depth) for depth in (2, 5, 8, 12)]
    assert shares == sorted(shares, reverse=True)


@pytest.mark.parametrize(
    "remedy",
    [
        {"activation": "ReLU", "gain": 1.5},
        {"activation": "tanh"},
        {"normalization": "batch"},
        {"normalization": "group"},
        {"residual": True},
    ],
    ids=str,
)
def test_what_helps(explorer, remedy):
    assert kept(explorer, **remedy) > 20 * kept(explorer)


def test_a_large_gain_makes_it_explode(explorer):
    assert kept(explorer, activation="ReLU", gain=5.0) > 1e4


def test_normalization_makes_the_gain_matter_less(explorer):
    loose = kept(explorer, activation="ReLU", gain=5.0) / kept(explorer, activation="ReLU")
    held = kept(explorer, activation="ReLU", gain=5.0, normalization="batch") / kept(
        explorer, activation="ReLU", normalization="batch"
    )
    assert held < 10 < loose


def test_two_losses_add_up_in_every_layer(explorer):
    explorer.controls["balance"].value = 0.5
    sums = [step.dz for step in explorer.network.trace]
    parts = []
    for alone, weight in ((0.0, 0.5), (1.0, 0.5)):
        explorer.controls["balance"].value = alone
        parts.append([weight * step.dz for step in explorer.network.trace])
    for total, first, second in zip(sums, *parts, strict=True):
        assert total == pytest.approx(first + second, rel=1e-9, abs=1e-300)


def test_opens_twelve_blocks_deep_with_sigmoids(explorer):
    assert (explorer.values["depth"], explorer.values["activation"]) == (12, "sigmoid")
    assert 1e-9 < gradient_sizes(explorer.network)[0] / gradient_sizes(explorer.network)[-1] < 1e-7


def test_one_loss_has_one_bar_and_two_losses_have_three(explorer):
    def bars(fill):
        return explorer.html.count(f'fill="{fill}"') - 1  # one is in the heading

    rows = len(explorer.network.trace) + 1
    assert bars(ALL) == rows
    assert bars(OWN) == rows - 2  # neither the input nor flattening has parameters
    explorer.controls["balance"].value = 0.5
    assert [bars(fill) for fill in (ALL, *PARTS, OWN)] == [rows, rows, rows, rows - 2]


def test_what_explodes_has_room_on_the_scale(explorer):
    assert kept(explorer, activation="ReLU", gain=5.0) > 1e4
    ends = re.findall(rf'<rect x="{BARS}" y="[\d.]+" width="([\d.]+)"', explorer.html)
    assert len(ends) > 20
    assert max(map(float, ends)) <= RIGHT - BARS


def test_a_gain_is_what_is_typed(explorer):
    explorer.controls["gain"].field.value = "1/4"
    assert explorer.values["gain"] == 0.25
    assert explorer.controls["gain"].field.value == "0.25"


def test_the_sizes_shown_are_the_networks(explorer):
    for size in gradient_sizes(explorer.network):
        assert f">{magnitude(size)}</text>" in explorer.html


def test_takes_other_images():
    images, labels = np.random.default_rng(0).random((3, 1, 6, 5)), [1, 0, 1]
    explorer = GradientFlowExplorer(images, labels, depth=2)
    assert "(3, 4, 6, 5)" in explorer.html
    again = GradientFlowExplorer(**explorer.state)
    assert again.html == explorer.html
    explorer.close()
    again.close()


def test_boxes_surround_the_ink():
    image = np.zeros((1, 1, 4, 8))
    image[0, 0, 1:3, 2:7] = 1
    assert ink_boxes(image)[:, 0].tolist() == [0.25, 0.25, 0.75, 0.875]


@pytest.mark.parametrize(
    ("images", "substance"), [(np.ones((0, 1, 8, 8)), "is empty"), (np.ones((2, 8, 8)), "4 axes")]
)
def test_images_that_are_none_are_refused(images, substance):
    assert_refuses(lambda: GradientFlowExplorer(images, [0, 1]), ValueError, "images", substance)


def test_the_network_is_the_one_that_is_shown():
    explorer = GradientFlowExplorer(depth=3, normalization="batch")
    assert len(explorer.network.layers) == 3 + 1
    explorer.close()

"""draw: any layer of a network, by its number; every number in it answers and adds up."""

import copy
import re
import xml.etree.ElementTree as xml

import numpy as np
import pytest
from helpers import assert_refuses, eighths
from printed import assert_every_number_answers, assert_small, labels, printed

from cnnbp import (
    AvgPool2d,
    BatchNorm2d,
    Conv2d,
    Dropout,
    Flatten,
    GroupNorm,
    LeakyReLU,
    Linear,
    MaxPool2d,
    Network,
    ReLU,
    Residual,
    Sigmoid,
    Tanh,
    photo_patches,
    walkthrough_network,
)
from cnnbp.explain import cell_name
from cnnbp.pictures import draw

LAYERS = [
    Conv2d(2, 4, 3, padding=1, groups=2, rng=0),
    BatchNorm2d(4),
    ReLU(),
    Residual([Conv2d(4, 4, 3, padding=1, rng=1), GroupNorm(2, 4), LeakyReLU()]),
    MaxPool2d(2),
    Dropout(0.5, rng=2),
    Sigmoid(),
    AvgPool2d(2, stride=1),
    Tanh(),
    Flatten(),
    Linear(16, 3, rng=3),
]
WANTED = [
    (name, wanted)
    for number, layer in enumerate(LAYERS)
    for name, each in [
        (number, layer),
        *((f"{number}.{i}", inner) for i, inner in enumerate(getattr(layer, "layers", []))),
    ]
    for wanted in ["z", "dx", *(f"d{p}" for p in each.params if not isinstance(each, Network))]
]


@pytest.fixture(scope="module")
def network():
    network, rng = Network(LAYERS), np.random.default_rng(0)
    z = network.forward(eighths(rng, (2, 2, 6, 6)), training=True)
    network.backward(eighths(rng, z.shape))
    return network


@pytest.fixture(scope="module")
def walkthrough():
    network, rng = walkthrough_network(), np.random.default_rng(0)
    z = network.forward(photo_patches())
    network.backward(rng.standard_normal(z.shape))
    return network


def array(network, layer, wanted):
    chain, number = network.located(layer)
    step = chain.trace[number]
    own = {f"d{name}": gradient for name, gradient in chain.layers[number].grads.items()}
    return {"z": step.z, "dx": step.dx, **own}[wanted]


@pytest.fixture(scope="module")
def evaluated():
    network, rng = Network(copy.deepcopy(LAYERS)), np.random.default_rng(0)
    network.forward(eighths(rng, (2, 2, 6, 6)), training=True)
    z = network.forward(eighths(rng, (2, 2, 6, 6)))
    network.backward(eighths(rng, z.shape))
    return network


@pytest.mark.parametrize("passed", ["network", "evaluated"])
@pytest.mark.parametrize(("layer", "wanted"), WANTED)
def test_every_number_of_every_layer_answers_and_adds_up(request, passed, layer, wanted):
    network = request.getfixturevalue(passed)
    svg = draw(network, layer, wanted)
    assert_every_number_answers(svg)
    assert_small(svg)
    xml.fromstring(svg)
    values = array(network, layer, wanted)
    if "goes home" in svg.description:  # flattening moves numbers, and sums nothing
        return
    results = {name: sums for name, sums in printed(svg).items() if name.startswith(f"{wanted}[")}
    assert results
    for name, (terms, total) in results.items():
        index = tuple(map(int, name.partition("[")[2][:-1].split(",")))
        tolerance = 0.004 * max(1, np.abs(values).max())  # of terms that are rounded as printed
        assert total == pytest.approx(values[index], rel=6e-3, abs=1e-9)
        assert terms == pytest.approx(values[index], rel=2e-2, abs=tolerance)


@pytest.mark.parametrize(("layer", "wanted"), WANTED)
def test_the_cell_that_is_asked_for_is_shown_at_rest(network, layer, wanted):
    last = tuple(size - 1 for size in array(network, layer, wanted).shape)
    svg = draw(network, layer, wanted, last)
    assert _says(svg, cell_name(wanted, last))
    largest = np.unravel_index(np.abs(array(network, layer, wanted)).argmax(), np.add(last, 1))
    assert _says(draw(network, layer, wanted), cell_name(wanted, tuple(map(int, largest))))


def _says(svg, name):
    """Whether the description is about this cell; flattening tells it from where it comes."""
    return f"{name} = " in svg.description or f"goes home to {name}" in svg.description


@pytest.mark.parametrize("layer", range(4))
@pytest.mark.parametrize("wanted", ["z", "dx"])
def test_large_maps_are_seen_through_a_lens(walkthrough, layer, wanted):
    svg = draw(walkthrough, layer, wanted)
    assert "<image " in svg
    assert_every_number_answers(svg)
    assert_small(svg)


MANY = [
    (BatchNorm2d(2), "dx"),
    (GroupNorm(1, 2), "dx"),
    (Residual([BatchNorm2d(2)]), "dx"),
    (Conv2d(2, 2, 7, padding=3, rng=0), "z"),
    (MaxPool2d(9, stride=1, padding=4), "dx"),
]


@pytest.mark.parametrize(("layer", "wanted"), MANY)
def test_cells_of_very_many_products_leave_the_picture_small(layer, wanted):
    network, rng = Network([layer]), np.random.default_rng(0)
    z = network.forward(rng.standard_normal((2, 2, 9, 12)), training=True)
    network.backward(rng.standard_normal(z.shape))
    assert_small(draw(network, 0, wanted))


def test_a_chain_in_a_chain_is_drawn_as_its_last_layer():
    inner = Network([Linear(2, 2, rng=0), Network([Tanh(), Linear(2, 1, rng=1)])])
    network = Network([inner])
    z = network.forward(np.array([[1.0, 2.0], [3.0, 4.0]]))
    network.backward(np.ones_like(z))
    svg = draw(network, 0, "z", (0, 1))
    assert svg == draw(network, "0.1.1", "z", (0, 1))
    (terms, total) = printed(svg)["z[0,1]"]
    assert total == pytest.approx(z[0, 1], rel=1e-3)
    assert terms == pytest.approx(z[0, 1], rel=1e-2)


def test_an_empty_chain_hands_on_and_says_so():
    network = Network([Network([]), Residual([Network([])])])
    network.backward(network.forward(np.array([[1.0, 2.0]])))
    assert repr(network.explain(0, "z", (0, 1))) == "z[0,1] = x[0,1]·1 = 2"
    assert "z[0,1] = a 2·1 + 2 from layers(x) = 4" in draw(network, 1, "z", (0, 1)).description
    assert "z[0,1] = a 2·1 = 2" in draw(network, 0, "z", (0, 1)).description


def test_the_photograph_is_that_of_the_sample_whatever_the_index_is_of():
    rng = np.random.default_rng(0)
    network = Network([BatchNorm2d(3), Flatten()])
    network.backward(network.forward(rng.random((2, 3, 14, 14)), training=True))
    for index in [(0, 0), (3 * 14 * 14 - 1, 1)]:
        assert "<image " in draw(network, 1, "z", index)
    assert "dgamma[2,0,0] = " in draw(network, 0, "dgamma", (2, 0, 0)).description


def test_a_layer_of_a_nested_network_has_its_name(network):
    assert "3.1 GroupNorm" in draw(network, "3.1", "dx").description


def test_a_factor_says_what_it_made(network):
    said = [label for label in labels(draw(network, 1, "dgamma")) if "went into" in label]
    assert any(label.startswith("dz[") for label in said)


def test_there_is_no_such_thing(network):
    assert_refuses(lambda: draw(network, 99, "z"), ValueError, "draw: there is no layer 99")
    assert_refuses(lambda: draw(network, 2, "dw"), ValueError, "draw: wanted must be one of z, dx")
    assert_refuses(lambda: draw(network, 2, "z", (9, 9, 9, 9)), ValueError, "no cell (9, 9, 9, 9)")
    fresh = Network([ReLU()])
    fresh.forward(np.ones((2, 2)))
    assert_refuses(lambda: draw(fresh, 0, "dx"), ValueError, "call backward(dz) first")
    fresh.forward(np.ones(3))
    assert_refuses(lambda: draw(fresh, 0, "z"), ValueError, "one axis only")


def test_the_caption_of_a_narrow_thumbnail_stands_beside_the_numbers():
    network = Network([Linear(36, 2, rng=0)])
    network.backward(np.ones_like(network.forward(np.ones((36, 2)))))
    svg = draw(network, 0, "dx").partition("</style>")[2]
    for block in svg.split('<div class="t')[1:]:
        if caption := re.search(r'<text x="([\d.]+)"[^>]*>(36 × 2)<', block):
            first = min(map(float, re.findall(r'<path fill="[^"]*" d="M([\d.]+)', block)))
            assert float(caption[1]) + 7 * len(caption[2]) < first
            break
    else:
        pytest.fail("there is no thumbnail")

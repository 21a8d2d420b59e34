"""From any gradient cell to the loss by choosing products, and every step adds up."""

import numpy as np
import pytest
from helpers import assert_refuses, eighths

from cnnbp import (
    BatchNorm2d,
    Conv2d,
    Flatten,
    Linear,
    MaxPool2d,
    Network,
    ReLU,
    Residual,
    softmax_cross_entropy,
)
from cnnbp.explorers import LineageExplorer
from cnnbp.pictures import draw_lineage


@pytest.fixture
def explorer():
    explorer = LineageExplorer()
    yield explorer
    explorer.close()


@pytest.fixture
def own():
    """A learner's own network and loss."""
    rng = np.random.default_rng(0)
    block = Residual([Conv2d(2, 2, 3, padding=1, rng=1), BatchNorm2d(2), ReLU()])
    network = Network([Conv2d(1, 2, 3, rng=0), block, MaxPool2d(2), Flatten(), Linear(8, 3, rng=2)])
    labels = [2, 0]
    _, dz = softmax_cross_entropy(network.forward(eighths(rng, (2, 1, 6, 6)), True), labels)
    network.backward(dz)
    explorer = LineageExplorer(network, loss=("softmax_cross_entropy", labels))
    yield explorer
    explorer.close()


def rows(explorer):
    """The rows of buttons that are shown, by depth."""
    chain = explorer.controls["follow"]
    return {depth: row for depth, row in enumerate(chain.rows) if row.layout.display != "none"}


def check_lineage(explorer):
    """Every followed cell is the sum of its products, and the dz of the cell before."""
    found = explorer.found
    for cell in found.cells:
        assert cell.total == pytest.approx(float(cell.product.sum()) + (cell.bias or 0))
    for term, behind in zip(found.terms, found.cells[1:], strict=False):
        assert term.left == pytest.approx(behind.total, rel=1e-9, abs=1e-15)
    assert explorer.html == draw_lineage(found)


def test_opens_on_a_pixel_of_the_photographs_and_ends_at_the_loss(explorer):
    assert (explorer.values["layer"], explorer.values["wanted"]) == ("0", "dx")
    assert len(explorer.values["cell"]) == 4
    assert explorer.found.cells[0].total != 0
    assert "(the target is " in repr(explorer.found)
    check_lineage(explorer)


def test_a_click_on_a_product_follows_it(explorer):
    *_, last = rows(explorer)
    row = rows(explorer)[last]
    other = next(number for _, number in row.options if number != row.value)
    row.value = other
    assert explorer.found.numbers[last] == other
    assert explorer.values["follow"] == (*explorer.found.numbers[:last], other)
    check_lineage(explorer)
    again = LineageExplorer(**explorer.state)
    assert again.html == explorer.html
    again.close()


def test_a_click_further_up_follows_the_largest_below(explorer):
    first, last = rows(explorer)
    rows(explorer)[last].value = rows(explorer)[last].options[0][1]
    top = rows(explorer)[first]
    top.value = next(number for _, number in top.options if number != top.value)
    assert len(explorer.values["follow"]) == first + 1
    check_lineage(explorer)


def test_the_buttons_say_the_arithmetic_and_include_the_largest(explorer):
    for depth, row in rows(explorer).items():
        cell = explorer.found.cells[depth]
        for label, number in row.options:
            assert label.startswith(f"{cell.term(number)} = ")
        assert int(np.abs(cell.product).argmax()) in dict(row.options).values()
        assert row.value == explorer.found.numbers[depth]
        assert explorer.found.names[depth] in row.description


def test_another_cell_begins_at_its_largest_products(explorer):
    row = next(iter(rows(explorer).values()))
    row.value = next(number for _, number in row.options if number != row.value)
    explorer.controls["cell"].sliders[3].value += 1
    assert explorer.values["follow"] == ()
    check_lineage(explorer)


@pytest.mark.parametrize("layer", ["0", "1", "2", "3"])
def test_every_gradient_of_every_layer(explorer, layer):
    explorer.controls["layer"].value = layer
    for wanted in explorer.controls["wanted"].options:
        explorer.controls["wanted"].value = wanted
        array = explorer._array(layer, wanted)
        assert explorer.controls["cell"].shape == array.shape
        assert explorer.found.cells[0].total == pytest.approx(array[explorer.values["cell"]])
        assert abs(array[explorer.values["cell"]]) == np.abs(array).max()
        check_lineage(explorer)


def test_a_learners_own_network_and_loss_with_layers_in_layers(own):
    assert dict(own.controls["layer"].options)["1.0 Conv2d"] == "1.0"
    assert "(the label is " in repr(own.found)
    for layer in ("1", "1.0", "1.1"):
        own.controls["layer"].value = layer
        for wanted in own.controls["wanted"].options:
            own.controls["wanted"].value = wanted
            check_lineage(own)
    assert "network of 5 layers" in repr(own)


def test_the_layer_may_be_a_number():
    explorer = LineageExplorer(layer=3, wanted="dw", cell=(4, 7))
    assert explorer.found.cells[0].wanted == "dw"
    assert explorer.values["cell"] == (4, 7)
    explorer.close()


def test_a_cell_that_is_not_there_is_refused():
    assert_refuses(lambda: LineageExplorer(cell=(0, 0, 29, 0)), ValueError, "(10, 3, 29, 28)")
    assert_refuses(lambda: LineageExplorer(layer=9), ValueError, "layer must be one of")


def test_a_network_without_its_passes_is_refused():
    network = Network([Linear(2, 1)])
    assert_refuses(lambda: LineageExplorer(network), ValueError, "backward(dz)")


def test_a_loss_that_it_did_not_begin_with_is_told(own):
    explorer = LineageExplorer(own.network, loss=("softmax_cross_entropy", [1, 1]))
    assert "did not begin with this softmax cross entropy" in explorer.html.description
    explorer.close()

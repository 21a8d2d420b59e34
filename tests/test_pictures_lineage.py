"""The picture of a lineage: every column adds up to its cell, which the one before followed."""

import re
import xml.etree.ElementTree as xml

import numpy as np
import pytest
from helpers import assert_refuses
from printed import number

from cnnbp import (
    Linear,
    Network,
    ReLU,
    lineage,
    mean_squared_error,
    photo_patches,
    softmax_cross_entropy,
    walkthrough_network,
)
from cnnbp.pictures import draw_lineage
from cnnbp.pictures.lineage import shown_products


def walkthrough():
    network, rng = walkthrough_network(), np.random.default_rng(0)
    z = network.forward(photo_patches())
    target = rng.standard_normal(z.shape)
    _, dz = mean_squared_error(z, target)
    network.backward(dz)
    return network, ("mean_squared_error", target)


def classified():
    layers = [part for i in range(5) for part in (Linear(4, 4, rng=i), ReLU())]
    network, labels = Network([*layers, Linear(4, 3, rng=9)]), [2, 0]
    _, dz = softmax_cross_entropy(network.forward(np.eye(4)[:, :2] + 1), labels)
    network.backward(dz)
    return network, ("softmax_cross_entropy", labels)


CASES = {
    "a weight of the walkthrough network": (walkthrough, 0, "dw", (1, 0, 1, 1)),
    "a pixel of it": (walkthrough, 0, "dx", (1, 0, 9, 9)),
    "a bias of it": (walkthrough, 0, "db", (1, 0, 0)),
    "eleven layers": (classified, 0, "dx", (0, 0)),
}


def told(svg):
    """What is said of every cell and product, in order: labels of the handles."""
    return re.findall(r'aria-label="(\d+ \w+|[a-z ]*): ([^"]*)"', svg)


@pytest.fixture(params=CASES.values(), ids=CASES.keys())
def case(request):
    make, layer, wanted, index = request.param
    network, loss = make()
    return network, lineage(network, layer, wanted, index, loss=loss)


def test_every_column_adds_up_to_its_cell(case):
    _, found = case
    svg = draw_lineage(found)
    for name, cell in zip(found.names, found.cells, strict=True):
        rows = [said for layer, said in told(svg) if layer == name][1:]
        rows = [said for said in rows if " = " in said and not said.startswith("−")]  # no bias
        products = [said.rpartition(" = ")[2] for said in rows]
        assert len(products) == len(shown_products(cell))
        for said in rows:
            factors, product = said.rpartition(": ")[2].split(" = ")
            assert number(factors) == pytest.approx(number(product), rel=6e-3, abs=1e-12)
        if len(cell) <= 6 and cell.bias is None:
            assert sum(map(number, products)) == pytest.approx(cell.total, rel=1e-2, abs=1e-9)


def test_a_column_is_the_dz_that_was_followed_before(case):
    _, found = case
    svg = draw_lineage(found)
    for term, cell in zip(found.terms, found.cells[1:], strict=False):
        assert term.left == pytest.approx(cell.total, rel=1e-9)
        written = ",".join(map(str, term.left_index))
        assert f"the dz[{written}] of the layer before" in svg


def test_it_ends_at_the_losses_formula():
    network, loss = classified()
    svg = draw_lineage(network, 0, "dx", (0, 0), loss=loss)
    assert "softmax cross entropy" in svg
    assert "the label is 2" in svg


def test_a_way_that_ends_says_where():
    network, loss = walkthrough()
    svg = draw_lineage(network, 0, "dx", (1, 0, 10, 10), loss=loss)
    assert "ends: nothing comes back to 1 MaxPool2d" in svg.description
    assert "is 0: a sum of nothing" in svg


def test_the_followed_product_is_shown_however_small():
    network, loss = walkthrough()
    found = lineage(network, 0, "dw", (1, 0, 1, 1), loss=loss)
    smallest = int(np.abs(found.cells[0].product).argmin())
    assert smallest in shown_products(found.cells[0], smallest)
    term = found.follow(0, smallest).terms[0]
    assert str(term) in draw_lineage(found.follow(0, smallest))


def test_the_picture_is_whole_and_the_same_every_time(case):
    _, found = case
    xml.fromstring(draw_lineage(found))
    assert draw_lineage(found) == draw_lineage(found)


def test_z_has_no_lineage():
    network, _ = walkthrough()
    assert_refuses(lambda: draw_lineage(network, 0, "z", (0, 0, 0, 0)), ValueError, "draw_lineage:")

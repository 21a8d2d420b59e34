"""The picture of a graph: what it prints adds up, and is the same every time."""

import math
import re

import numpy as np
import pytest
from helpers import assert_refuses
from printed import chosen, said

from cnnbp.graph import Graph, fork_graph
from cnnbp.pictures import draw_graph
from cnnbp.pictures.svg import number

INPUTS = {"x": 2, "w": -1.5, "b": 0.5, "target": 1}
SOFTMAX = Graph(
    ea="exp(za)", eb="exp(zb)", s="ea + eb", p="ea / s", logp="log(p)", L="logp * minus"
)
NUDGES = {
    "fork, x": (fork_graph(), INPUTS, ("x", 0.5)),
    "fork, w": (fork_graph(), INPUTS, ("w", -1)),
    "no nudge": (fork_graph(), INPUTS, ("b", 0)),
    "softmax": (SOFTMAX, {"za": 1, "zb": 0.5, "minus": -1}, ("za", 0.25)),
    "one step uses it twice": (Graph(y="x * x", L="y + x"), {"x": 3}, ("x", 0.5)),
    "six paths": (
        Graph(a="x + x", b="x * a", c="b + a", d="c * b", e="d + x", L="e * d"),
        {"x": 0.5},
        ("x", 0.25),
    ),
}


def parsed(written):
    """The number that a printed number, product or sum stands for."""
    written = re.sub(r"\b[a-z] ", "", written)  # the letters that mark terms
    return eval(written.replace("−", "-").replace("·", "*"))


def sums(svg):
    """What the nodes say: name -> the line under the pointer."""
    labels = re.findall(r'aria-label="(d(\w+) = [^"]*)"', svg)
    return {name: line for line, name in labels}


def lines_at_rest(svg):
    return said(svg, chosen(svg))


@pytest.mark.parametrize("seed", range(20))
def test_every_printed_sum_is_the_gradient(seed):
    graph, rng = fork_graph(), np.random.default_rng(seed)
    inputs = {name: int(rng.integers(-8, 9)) / 4 for name in graph.inputs}
    gradients = graph.backward(graph.forward(**inputs))
    said = sums(draw_graph(graph, inputs))
    assert said.keys() == gradients.keys()
    for name in gradients.keys() - {graph.loss}:
        *_, terms, total = said[name].split(" = ")
        assert parsed(terms) == pytest.approx(gradients[name], rel=1e-3, abs=1e-12)
        assert total == number(gradients[name], 4)


@pytest.mark.parametrize("case", NUDGES)
def test_paths_add_up_to_the_predicted_change(case):
    graph, inputs, (name, by) = NUDGES[case]
    values = graph.forward(**inputs)
    svg = draw_graph(graph, inputs, nudge=(name, by))
    lines = lines_at_rest(svg)
    products = [line.split(" = ") for line in lines if re.fullmatch(r"[^a-z:]*·.* = \S+", line)]
    more = [line.split(": ")[1] for line in lines if "more paths" in line]
    for product, total in products:
        assert parsed(product) == pytest.approx(parsed(total), rel=2e-3)
    together = math.fsum(parsed(total) for _, total in products) + sum(map(parsed, more))
    assert together == pytest.approx(by * graph.backward(values)[name], rel=2e-3, abs=1e-9)


@pytest.mark.parametrize("case", NUDGES)
def test_the_actual_change_is_the_losses_difference(case):
    graph, inputs, (name, by) = NUDGES[case]
    moved = graph.forward(**inputs | {name: inputs[name] + by})[graph.loss]
    actual = moved - graph.forward(**inputs)[graph.loss]
    svg = draw_graph(graph, inputs, nudge=(name, by))
    assert svg.description.endswith(f"actual ΔL = {number(actual, 4)}")


def test_the_fork_names_both_uses():
    svg = draw_graph(fork_graph(), INPUTS, chosen="x")
    assert svg.description == (
        "A computation graph. dx = a dp·∂p/∂x + b dz·∂z/∂x = a (−3)·(−1.5) + b (−3)·1 = 1.5"
    )
    assert "x is used 2 times: what comes back is summed" in svg


def test_a_value_without_use_has_gradient_zero():
    graph = Graph(dead="x * x", L="x + w")
    assert (
        sums(draw_graph(graph, {"x": 1, "w": 2}))["dead"] == "ddead = 0 exactly: nothing uses dead"
    )


def test_it_is_the_same_text_every_time():
    assert draw_graph(fork_graph(), INPUTS) == draw_graph(fork_graph(), INPUTS)


def test_pictures_of_other_numbers_are_told_apart_by_class():
    classes = {
        re.search(r"cnnbp-\w+", draw_graph(fork_graph(), INPUTS | {"x": x}))[0] for x in (1, 2)
    }
    assert len(classes) == 2


@pytest.mark.parametrize("nudge", [None, ("x", -1)])
def test_what_is_not_a_number_is_refused(nudge):
    graph, inputs = Graph(L="log(x)"), {"x": 0.5 if nudge else -1}
    assert_refuses(lambda: draw_graph(graph, inputs, nudge=nudge), ValueError, "L is NaN", "log")


def test_nodes_do_not_lie_on_one_another():
    svg = draw_graph(SOFTMAX, {"za": 1, "zb": 0.5, "minus": -1})
    places = re.findall(r'class="cell [^"]*" style="left:([\d.]+)px;top:([\d.]+)px', svg)
    assert len(set(places)) == len(SOFTMAX.names)

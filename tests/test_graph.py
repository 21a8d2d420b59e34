"""The graph of single numbers: forward, backward, slopes, paths."""

from itertools import pairwise

import numpy as np
import pytest
from helpers import assert_refuses

from cnnbp import numeric_gradient
from cnnbp.graph import Graph, fork_graph

FORK = {"x": 2, "w": -1.5, "b": 0.5, "target": 1}

GRAPHS = {
    "the fork": (fork_graph(), FORK),
    "every operation": (
        Graph(
            s="sigmoid(x)",
            t="tanh(w)",
            r="relu(x)",
            p="s * t",
            q="p / x",
            e="exp(q)",
            l="log(e)",
            d="l - r",
            m="d + e",
            L="square(m)",
        ),
        {"x": 0.75, "w": -0.5},
    ),
    "an operand used twice in one step": (Graph(L="x * x"), {"x": 3}),
    "a step without use": (Graph(dead="x * x", L="x + w"), {"x": 3, "w": 1}),
}


def test_the_fork_by_hand():
    graph = fork_graph()
    values = graph.forward(**FORK)
    assert values == FORK | {"p": -3, "s": -2.5, "z": -0.5, "e": -1.5, "L": 2.25}
    gradients = graph.backward(values)
    assert gradients == {
        "L": 1,
        "e": -3,
        "z": -3,
        "target": 3,
        "s": -3,
        "p": -3,
        "b": -3,
        "w": -6,
        "x": 1.5,
    }


@pytest.mark.parametrize("case", GRAPHS)
def test_gradients_are_the_loss_slopes(case):
    graph, inputs = GRAPHS[case]
    gradients = graph.backward(graph.forward(**inputs))

    def loss(at):
        return graph.forward(**dict(zip(inputs, at, strict=True)))[graph.loss]

    numeric = numeric_gradient(loss, np.array([*inputs.values()], float))
    assert [gradients[name] for name in inputs] == pytest.approx(numeric.tolist(), rel=1e-7)


@pytest.mark.parametrize("case", GRAPHS)
def test_a_gradient_is_the_sum_over_its_paths(case):
    graph, inputs = GRAPHS[case]
    values = graph.forward(**inputs)
    gradients = graph.backward(values)
    for name in graph.names:
        total = 0.0
        for path in graph.paths(name):
            factors = [
                sum(slope for operand, slope in graph.slopes(step, values) if operand == before)
                for before, step in pairwise(path)
            ]
            total += np.prod(factors)
        assert total == pytest.approx(gradients[name], rel=1e-12)


def test_paths_of_a_fork():
    assert fork_graph().paths("x") == [
        ["x", "p", "s", "z", "e", "L"],
        ["x", "z", "e", "L"],
    ]


def test_the_loss_is_its_own_path():
    assert fork_graph().paths("L") == [["L"]]


def test_uses_count_every_time():
    assert Graph(L="x * x").uses("x") == ["L", "L"]


def test_a_log_of_a_negative_number_is_nan_without_a_warning():
    graph = Graph(L="log(x)")
    assert np.isnan(graph.forward(x=-1)["L"])


@pytest.mark.parametrize(
    ("formulas", "substance"),
    [
        ({}, ["needs a formula"]),
        ({"p": "w ** x"}, ["cannot read p", "w ** x", "a * b"]),
        ({"p": "+- w x"}, ["cannot read p"]),
        ({"p": "cosh(x)"}, ["cannot read p", "tanh"]),
        ({"p": "q + x", "q": "x * x"}, ["p = q + x uses q too early"]),
        ({"p": "p + x"}, ["uses p too early"]),
    ],
)
def test_a_graph_that_cannot_be_is_refused(formulas, substance):
    assert_refuses(lambda: Graph(**formulas), ValueError, *substance)


def test_missing_inputs_are_named():
    assert_refuses(lambda: fork_graph().forward(x=1), ValueError, "w, x, b, target", "not x")


def test_repr_makes_the_graph_again():
    graph = fork_graph()
    assert repr(eval(repr(graph))) == repr(graph)

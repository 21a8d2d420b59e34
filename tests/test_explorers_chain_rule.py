"""Nudging a graph: what is predicted, what happens, and what cannot be."""

import numpy as np
import pytest

from cnnbp.explorers import ChainRuleExplorer
from cnnbp.graph import Graph
from cnnbp.pictures.svg import number


@pytest.fixture
def explorer():
    explorer = ChainRuleExplorer()
    yield explorer
    explorer.close()


def test_opens_on_the_fork_with_a_nudge_of_the_value_used_twice(explorer):
    assert explorer.values == {
        "nudged": "x",
        "nudge": 0.5,
        "x": 2.0,
        "w": -1.5,
        "b": 0.5,
        "target": 1.0,
    }
    assert "path 1: x → p → s → z → e → L" in explorer.html
    assert "path 2: x → z → e → L" in explorer.html


@pytest.mark.parametrize("seed", range(10))
def test_prediction_and_outcome_are_those_of_the_formula(explorer, seed):
    rng = np.random.default_rng(seed)
    x, w, b, target = (rng.integers(-32, 33, 4) / 8).tolist()
    by = float(rng.integers(-8, 9) / 8)
    explorer.controls["nudge"].value = by
    for name, value in {"x": x, "w": w, "b": b, "target": target}.items():
        explorer.controls[name].value = value
    dx = 2 * (w * x + b + x - target) * (w + 1)
    actual = ((w + 1) * (x + by) + b - target) ** 2 - ((w + 1) * x + b - target) ** 2
    predicted = f"predicted ΔL = {number(by * dx, 4)}, actual ΔL = {number(actual, 4)}"
    assert explorer.html.description.endswith(predicted)


def test_another_graph_has_its_own_sliders():
    explorer = ChainRuleExplorer(Graph(s="sigmoid(z)", L="square(s)"), z=2)
    assert list(explorer.controls) == ["nudged", "nudge", "z"]
    assert explorer.values["z"] == 2
    explorer.close()


def test_what_is_no_number_is_said_in_red_and_passes():
    explorer = ChainRuleExplorer(Graph(L="log(x)"), nudge=0.25)
    before = explorer.html
    explorer.controls["x"].value = -1
    assert explorer.html.description.startswith("Impossible: L is NaN")
    assert "#a3121f" in explorer.html
    explorer.controls["x"].value = 1
    assert explorer.html == before
    explorer.close()

"""The error of a numeric gradient against its step: the curves of lesson 02."""

import numpy as np
import pytest
from helpers import assert_refuses
from printed import assert_fits_a_phone

from cnnbp import numeric_gradient
from cnnbp.explorers import StepSizeExplorer
from cnnbp.pictures.step_size import POWERS, draw_step_size, slopes

STEPS = 10.0**POWERS


@pytest.fixture
def explorer():
    explorer = StepSizeExplorer()
    yield explorer
    explorer.close()


def errors(function, dtype, right):
    return np.abs([slopes(function, step, dtype)[0] - right for step in STEPS])


def test_central_differences_are_the_packages():
    for step in STEPS:
        assert slopes("smooth", step, "float64")[0] == numeric_gradient(np.exp, 1.0, step=step)


def test_forward_and_central_fall_with_the_step_and_its_square():
    """As lesson 02 finds: half the step leaves half of the one error, a quarter of the other."""
    both = np.array([slopes("smooth", step, "float64") for step in (0.02, 0.01)]) - np.e
    central, forward = both.T
    assert central[1] / central[0] == pytest.approx(1 / 4, abs=0.01)
    assert forward[1] / forward[0] == pytest.approx(1 / 2, abs=0.01)


def test_the_best_steps_are_those_of_the_lesson():
    best = STEPS[errors("smooth", "float64", np.e)[:].argmin()]
    rough = STEPS[errors("smooth", "float32", np.e).argmin()]
    assert 1e-6 < best < 1e-4
    assert 1e-3 < rough < 1e-1
    assert errors("smooth", "float32", np.e).min() > 1e-7


def test_a_step_that_is_lost_in_float32_measures_nothing(explorer):
    assert slopes("smooth", 1e-10, "float32") == (0.0, 0.0)
    explorer.controls["dtype"].value = "float32"
    explorer.controls["step"].value = 1e-10
    assert "the central difference says 0, wrong by 2.72" in explorer.html.description


def test_across_the_kink_neither_slope_is_measured(explorer):
    assert slopes("kink", 1 / 8, "float64")[0] == 0.5  # as in the lesson
    explorer.controls["function"].value = "kink"
    explorer.controls["step"].value = 0.125
    assert "the central difference says 0.5, wrong by 0.5" in explorer.html
    assert "reaches across the kink" in explorer.html
    explorer.controls["step"].value = 0.01
    assert "stays on one side of the kink" in explorer.html


def test_a_step_is_typed(explorer):
    explorer.controls["step"].field.value = "1e−3"
    assert explorer.values["step"] == 1e-3
    assert "step 1e−3" in explorer.html.description


def test_every_step_of_the_curve_answers():
    svg = draw_step_size()
    assert svg.count('class="cell ') == len(STEPS)


@pytest.mark.parametrize(
    ("options", "substance"),
    [
        ({"function": "sine"}, "smooth, kink"),
        ({"dtype": "float16"}, "float64, float32"),
        ({"step": 0}, "1e-15"),
        ({"step": float("nan")}, "1e-15"),
    ],
)
def test_what_cannot_be_drawn_is_refused(options, substance):
    assert_refuses(lambda: draw_step_size(**options), ValueError, substance)


def test_it_fits_a_phone():
    assert_fits_a_phone(draw_step_size())

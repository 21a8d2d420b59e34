"""Controls: what is typed is taken, what cannot be is told, with what would do."""

import numpy as np
import pytest

from cnnbp.explorers import ConvolutionExplorer, KernelGradientExplorer, PoolScatterExplorer
from cnnbp.explorers.controls import Decimal, Power, typed
from cnnbp.explorers.manners import heights, outlines
from cnnbp.explorers.view import release


@pytest.fixture
def decimal():
    control = Decimal("x", -4, 4, 2)
    yield control
    release(control)


@pytest.mark.parametrize(
    ("text", "value"),
    [("1/4", 0.25), ("0.3", 0.3), ("−2", -2.0), ("-1/8", -0.125), (" 1,5 ", 1.5), ("3", 3.0)],
)
def test_a_field_takes_what_is_typed(decimal, text, value):
    heard = []
    decimal.observe(lambda change: heard.append(change.new), "value")
    decimal.field.value = text
    assert decimal.value == value
    assert heard == [value]
    assert typed(decimal.field.value) == value
    assert abs(decimal.slider.value - value) <= decimal.step / 2


@pytest.mark.parametrize("text", ["", "a", "1/0", "1/", "--2", "nan", "1e999"])
def test_what_is_no_number_leaves_the_value_as_it_was(decimal, text):
    decimal.field.value = text
    assert (decimal.value, decimal.field.value) == (2.0, "2")


@pytest.mark.parametrize(("text", "value"), [("9", 4.0), ("−100", -4.0)])
def test_beyond_the_end_is_the_end(decimal, text, value):
    decimal.field.value = text
    assert (decimal.value, typed(decimal.field.value)) == (value, value)


def test_the_slider_moves_value_and_field(decimal):
    decimal.slider.value = -1.375
    assert (decimal.value, decimal.field.value) == (-1.375, "−1.375")


def test_a_power_is_typed_with_its_exponent():
    control = Power("step", 1e-15, 1.0, 1e-5)
    control.field.value = "3e−4"
    assert control.value == 3e-4
    assert control.slider.value == pytest.approx(10**-3.5)
    control.slider.value = 1e-12
    assert (control.value, control.field.value) == (1e-12, "1e−12")
    release(control)


@pytest.fixture
def explorer():
    explorer = ConvolutionExplorer(kernel_size=4)
    yield explorer
    explorer.close()


def test_what_is_impossible_keeps_the_last_picture_and_says_what_would_do(explorer):
    before = explorer.html
    explorer.controls["dilation"].value = 3
    said = explorer.html.description
    assert explorer.picture_widget.value == before
    assert said.startswith("Impossible: the window (10, 10)")
    assert "What would do: padding 2 or dilation 1 or kernel size 2." in said
    assert said in explorer.refusal_widget.value
    explorer.controls["dilation"].value = 1
    assert explorer.refusal_widget.value == ""
    assert explorer.html == before


def test_what_would_do_does(explorer):
    for name, value in {"padding": 2, "dilation": 1, "kernel_size": 2}.items():
        explorer.reset()
        explorer.controls["dilation"].value = 3
        explorer.controls[name].value = value
        assert "Impossible" not in explorer.html.description


def test_what_is_not_shown_is_no_remedy():
    explorer = ConvolutionExplorer(kernel_size=4, controls=["cell", "dilation"])
    explorer.controls["dilation"].value = 3
    assert explorer.html.description.endswith("What would do: dilation 1.")
    explorer.close()


def test_a_gradient_that_no_longer_fits_names_the_stride_that_fits():
    explorer = KernelGradientExplorer(x=np.ones((1, 1, 6, 6)), dz=np.ones((1, 1, 4, 4)))
    explorer.controls["stride"].value = 2
    assert "stride 1" in explorer.html.description.partition("What would do")[2]
    assert "dz is random" in explorer.html.description
    explorer.close()


def test_where_the_learner_may_not_look_there_is_less_room():
    z_alone = ConvolutionExplorer(controls=["cell", "stride"])
    everything = ConvolutionExplorer()
    assert z_alone._room.heights[0] < everything._room.heights[0]
    z_alone.close()
    everything.close()


def test_the_room_has_the_size_of_the_picture():
    explorer = PoolScatterExplorer(controls=[])
    assert explorer._room.heights == heights(explorer.html)
    assert outlines(explorer.html) in explorer.room_widget.value
    assert len(outlines(explorer.html)) < 8000
    assert explorer.controls == {}
    explorer.close()

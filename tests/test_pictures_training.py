"""Training as curves: they are the record, and the read-out says what it holds."""

import math
import re

import pytest
from printed import assert_fits_a_phone, chosen, said

from cnnbp import History
from cnnbp.pictures.training import HEIGHT, TOP, draw_training

RUN = History(
    loss=[2.0, 8.0, 1.0, 0.5],
    gradient_norm=[3.0, 1.0, 7.0, 0.25],
    measured=[0, 3],
    test_accuracy=[0.125, 0.5],
)
DIVERGED = History(
    loss=[2.0, 40.0, math.inf],
    gradient_norm=[1.0, 9.0, math.nan],
    measured=[0],
    test_accuracy=[0.1],
)


def curves(svg, dashed=False):
    """The (x, y) points of every curve, in pixels."""
    dash = r' stroke-dasharray="6 4"' if dashed else ""
    paths = re.findall(
        rf'<path d="(M[^"h]*)" fill="none" stroke="#\w+" stroke-width="2"{dash}/>', svg
    )
    return [
        [tuple(map(float, point.split())) for point in re.split("[ML]", path)[1:]] for path in paths
    ]


def lines(svg):
    """What is said while nothing is pointed at."""
    return said(svg, chosen(svg))


def test_curves_are_the_record():
    loss, norm, accuracy = curves(draw_training({"a": RUN}))
    assert [len(loss), len(norm), len(accuracy)] == [4, 4, 2]
    powers = [math.log10(value) for value in RUN.loss]
    heights = [1 - (y - TOP) / HEIGHT for _, y in loss]
    low, high = -2, 1  # powers of ten that hold all
    assert heights == pytest.approx([(p - low) / (high - low) for p in powers], abs=1e-3)
    assert [1 - (y - TOP) / HEIGHT for _, y in accuracy] == pytest.approx(
        RUN.test_accuracy, abs=1e-3
    )


def test_checks_stand_at_their_steps():
    _, norm, accuracy = curves(draw_training({"a": RUN}))
    assert accuracy[1][0] - accuracy[0][0] == pytest.approx(norm[3][0] - norm[0][0], abs=0.11)


def test_a_second_run_is_dashed():
    svg = draw_training({"a": RUN, "b": DIVERGED})
    assert len(curves(svg)) == len(curves(svg, dashed=True)) == 3


def test_it_says_where_the_runs_are_and_what_showed_first():
    assert lines(draw_training({"a": RUN, "b": DIVERGED})) == [
        "a, after 4 steps: loss 0.5, gradient norm 0.25, accuracy 0.5",
        "b, after 3 steps: loss ∞, gradient norm NaN, accuracy 0.1",
        "a, first twice what it began with: loss at step 1 (8), gradient norm at step 2 (7)",
    ]


def test_a_run_that_ends_early_says_so_in_red():
    svg = draw_training({"a": DIVERGED})
    assert re.search(r"color:#d32f3f.*a: stopped at step 2", svg)
    assert [len(curve) for curve in curves(svg)] == [2, 2, 1]
    assert "stopped" not in draw_training({"a": RUN})


def test_pointing_at_a_step_prints_its_numbers():
    labels = re.findall(r'aria-label="([^"]*)"', draw_training({"a": RUN}))
    assert "a, step 1: loss 8, gradient norm 1, accuracy 0.125 after 0" in labels
    assert "a, step 3: loss 0.5, gradient norm 0.25, accuracy 0.5 after 3" in labels
    assert "a, step 9: not taken" in labels


def test_settings_stand_beside_the_name():
    assert ">a: Adam, tiny steps</text>" in draw_training(
        {"a": History(settings="Adam, tiny steps")}
    )


def test_a_run_before_its_first_step():
    svg = draw_training({"a": History(measured=[0], test_accuracy=[0.1])})
    assert lines(svg)[0] == "a, after 0 steps, accuracy 0.1"


def test_curves_are_below_one_another_on_a_phone():
    settings = "Adam, rate 0.0001, momentum 0.9, batches of 128, norm ≤ 0.2"
    kept = History([2.0, math.inf], [1.0, math.nan], settings=settings)
    assert_fits_a_phone(draw_training({"this run": RUN, "kept": kept}))


def test_it_is_the_same_text_every_time():
    assert draw_training({"a": RUN}) == draw_training({"a": RUN})

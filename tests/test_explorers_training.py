"""Playing a training run: it is the real one, it can be kept, and it goes back in time."""

import math

import pytest
from helpers import assert_refuses

from cnnbp import SGD, digits, train
from cnnbp.explorers import TrainingExplorer
from cnnbp.explorers.training import GOOD, Run, small_network


@pytest.fixture
def explorer():
    explorer = TrainingExplorer(steps=3)
    yield explorer
    explorer.close()


def record(explorer, **changes):
    """The record of a run with the explorer's settings, made anew."""
    settings = explorer.values | changes
    steps = settings.pop("steps")
    return Run(explorer.data, **settings).until(steps)


def press(explorer, description):
    buttons = [
        widget
        for box in (explorer.widget, *explorer.widget.children)
        for row in getattr(box, "children", ())
        for widget in getattr(row, "children", ())
        if getattr(widget, "description", None) == description
    ]
    assert len(set(buttons)) == 1
    buttons[0].click()


def test_opens_on_two_runs_of_which_one_learns():
    explorer = TrainingExplorer()
    good, bad = record(explorer, **GOOD), record(explorer)
    assert good.test_accuracy[-1] > 0.9
    assert bad.test_accuracy[-1] < 0.5
    assert explorer.html.count('stroke-dasharray="6 4"') == 4  # the kept run's curves, and its key
    assert "first twice what it began with: loss at step 1" in explorer.html
    explorer.close()


def test_a_run_is_what_train_does():
    (images, labels), test = digits()
    network = small_network()
    history = train(
        network,
        images,
        labels,
        optimizer=SGD(network, 0.1, 0.9),
        epochs=1,
        batch_size=64,
        rng=0,
        progress=False,
    )
    run = Run(((images, labels), test), 0.1, "SGD", 0.9, 64, math.inf).until(len(history.loss))
    assert run.loss == pytest.approx(history.loss, rel=1e-6)
    assert run.gradient_norm == pytest.approx(history.gradient_norm, rel=1e-5)


def test_a_step_is_one_more_step(explorer):
    press(explorer, "Step")
    assert explorer.values["steps"] == 4
    assert "this run, after 4 steps" in explorer.html


def test_at_the_end_there_is_no_further_step(explorer):
    explorer.controls["steps"].value = explorer.controls["steps"].max
    explorer.step()
    assert explorer.values["steps"] == explorer.controls["steps"].max


def test_going_on_is_the_same_as_going_there_at_once(explorer):
    for steps in (5, 9, 12):
        explorer.controls["steps"].value = steps
    there = TrainingExplorer(steps=12)
    assert there.html == explorer.html
    there.close()


def test_going_back_forgets_nothing(explorer):
    before = explorer.html
    explorer.controls["steps"].value = 8
    explorer.controls["steps"].value = 3
    assert explorer.html == before


def test_a_kept_run_stays_while_the_rate_changes(explorer):
    press(explorer, "Keep this run")
    explorer.controls["learning_rate"].value = 0.01
    assert "kept: SGD, rate 1, momentum 0.9" in explorer.html
    assert "this run: SGD, rate 0.01, momentum 0.9" in explorer.html


def test_reset_brings_the_first_kept_run_back(explorer):
    before = explorer.html
    explorer.keep()
    explorer.controls["optimizer"].value = "Adam"
    press(explorer, "Reset")
    assert explorer.html == before


def test_state_holds_the_kept_run(explorer):
    explorer.controls["optimizer"].value = "Adam"
    explorer.keep()
    explorer.controls["max_norm"].value = 1.0
    again = TrainingExplorer(**explorer.state)
    assert again.html == explorer.html
    assert again.kept == explorer.kept
    again.close()


def test_a_kept_run_goes_on_with_this_one(explorer):
    explorer.controls["steps"].value = 61
    assert "kept, after 61 steps" in explorer.html


def test_only_the_runs_that_are_shown_are_remembered(explorer):
    for rate in (0.1, 0.3, 3.0, 0.01):
        explorer.controls["learning_rate"].value = rate
    assert len(explorer._runs) == 2


@pytest.mark.parametrize(
    "name", ["learning_rate", "optimizer", "momentum", "batch_size", "max_norm"]
)
def test_every_setting_changes_the_run(explorer, name):
    control = explorer.controls[name]
    others = [option[1] if isinstance(option, tuple) else option for option in control.options]
    others.remove(control.value)
    changed = record(explorer, **{name: others[-1]})
    assert changed.gradient_norm[1:] != record(explorer).gradient_norm[1:]


@pytest.mark.parametrize("kept", [{"steps": 5}, {"a": 1}, True])
def test_what_is_no_run_to_compare_with_is_told(kept):
    assert_refuses(lambda: TrainingExplorer(kept=kept), ValueError, "kept must be None or a dict")

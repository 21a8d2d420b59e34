"""What every explorer promises, whatever it explores."""

import functools
import gc
import itertools
import operator
import random
import xml.etree.ElementTree as xml
from html import escape

import ipywidgets
import pytest
from helpers import assert_refuses
from printed import assert_small

from cnnbp import digits, explorers
from cnnbp.explorers import base
from cnnbp.explorers.base import Explorer
from cnnbp.explorers.controls import Chain, Index
from cnnbp.explorers.manners import heights
from cnnbp.pictures.svg import LIVE

KINDS = {
    name: kind
    for name, kind in vars(explorers).items()
    if isinstance(kind, type) and issubclass(kind, Explorer)
}


@pytest.fixture(params=sorted(KINDS))
def kind(request, monkeypatch):
    monkeypatch.setattr("cnnbp.explorers.training.MOST_STEPS", 12)  # training takes its time
    monkeypatch.setattr("cnnbp.explorers.training.digits", few_digits)
    kind = KINDS[request.param]
    if kind is explorers.TrainingExplorer:
        return lambda **state: kind(**{"steps": 2, "kept": None} | state)
    return kind


@pytest.fixture
def explorer(kind):
    explorer = kind()
    yield explorer
    explorer.close()


def few_digits():
    return [(images[:48], labels[:48]) for images, labels in digits()]


def empty_caches():
    """What a cache of bounded size keeps is no leak."""
    for found in gc.get_objects():
        if isinstance(found, functools._lru_cache_wrapper) and "cnnbp" in str(found.__module__):
            found.cache_clear()


def registered():
    """How many widgets the kernel holds."""
    return len(ipywidgets.widgets.widget._instances)


def values(control):
    """All values that a control can have, or its two ends and their neighbors."""
    if isinstance(control, Chain):
        return [(), (0,), (0, 0)]
    if isinstance(control, Index):
        return [(0,) * len(control.shape), tuple(size - 1 for size in control.shape)]
    if hasattr(control, "options"):
        options = control.options
        return [option[1] if isinstance(option, tuple) else option for option in options]
    if hasattr(control, "min"):
        return [control.min, control.min + control.step, control.max]
    return [False, True]


def ends(control):
    first, *_, last = values(control)
    return [first, last]


def check_displayed(explorer):
    """The picture, or what says that there is none, lies on the stage and can be parsed."""
    impossible = explorer.html.description.startswith("Impossible")
    assert bool(explorer.refusal_widget.value) == impossible
    if impossible:
        assert escape(explorer.html.description) in explorer.refusal_widget.value
    else:
        assert explorer.picture_widget.value == explorer.html
        assert_small(explorer.html)
    xml.fromstring(explorer.html.still)


def check_picture(explorer):
    """It is what lies on the stage, and it shows the controls' values as they are."""
    check_displayed(explorer)
    assert explorer.html.description
    again = type(explorer)(**explorer.state)
    assert again.html == explorer.html
    again.close()


def test_opens_with_a_picture_of_itself(explorer):
    check_picture(explorer)
    assert "Impossible" not in explorer.html.description


def test_has_a_widget_a_live_picture_a_still_one_and_a_text(explorer):
    bundle = explorer._repr_mimebundle_()
    assert bundle[LIVE] == explorer.html
    xml.fromstring(bundle["image/svg+xml"])
    assert "text/html" not in bundle  # it would lose its style where it is not trusted
    assert bundle["text/plain"] == repr(explorer)
    assert "application/vnd.jupyter.widget-view+json" in bundle


def test_says_the_same_every_time(kind, explorer):
    again = kind()
    assert repr(again) == repr(explorer)
    assert again.html == explorer.html
    again.close()


def test_every_control_says_what_it_is(explorer):
    descriptions = [control.description for control in explorer.controls.values()]
    assert all(descriptions)
    assert len(set(descriptions)) == len(descriptions)


def test_every_control_at_every_value(explorer):
    for control in explorer.controls.values():
        before = control.value
        for value in values(control):
            control.value = value
            check_picture(explorer)
        control.value = before


def test_every_pair_of_extremes(explorer):
    for first, second in itertools.combinations(explorer.controls.values(), 2):
        explorer.reset()
        for ends_of_both in itertools.product(ends(first), ends(second)):
            first.value, second.value = ends_of_both
            check_displayed(explorer)
    explorer.reset()
    check_picture(explorer)


def test_reset_brings_back_the_beginning(explorer):
    html, state = explorer.html, explorer.state
    for control in explorer.controls.values():
        control.value = ends(control)[1]
    explorer.reset()
    assert explorer.html == html
    assert explorer.state == state


def test_begins_where_it_is_told_to(kind, explorer):
    for name, control in explorer.controls.items():
        for value in ends(control):
            other = kind(**{name: value})
            assert other.values[name] == value
            other.close()


def test_a_control_that_is_not_there_is_refused(kind):
    before = registered()
    assert_refuses(lambda: kind(nonsense=1), TypeError, "nonsense", "its controls are")
    assert registered() == before


def test_a_value_that_cannot_be_is_refused(kind, explorer):
    name = next(iter(explorer.controls))
    assert_refuses(lambda: kind(**{name: -1234}), ValueError, name, "-1234")


def test_closing_leaves_no_widget_behind(kind):
    before = registered()
    explorer = kind()
    assert registered() > before + len(explorer.controls)
    for control in explorer.controls.values():
        control.value = ends(control)[1]
    explorer.close()
    assert registered() == before


def test_400_moves_leave_memory_as_it_was(explorer):
    """Most moves draw, and a single object that each left behind would be more than 100."""
    moves = random.Random(0)

    def move(times):
        for _ in range(times):
            control = moves.choice(list(explorer.controls.values()))
            control.value = moves.choice(values(control))
        gc.collect()
        empty_caches()
        return len(gc.get_objects()), registered()

    (objects, widgets), (objects_later, widgets_later) = move(150), move(250)
    assert widgets_later == widgets
    assert objects_later < objects + 100


def test_reset_stops_what_plays(explorer):
    for player, _ in explorer._players():
        player.playing = True
    explorer.reset()
    assert not any(player.playing for player, _ in explorer._players())


def test_a_step_that_was_played_before_reset_and_comes_after_it_is_taken_back(
    explorer, monkeypatch
):
    before = explorer.values
    for player, control in explorer._players():
        player.playing = True
        explorer.reset()
        step(control)
        assert explorer.values == before
        monkeypatch.setattr(base, "UNDERWAY", 0)
        step(control)
        assert explorer.values != before
        explorer.reset()
        monkeypatch.undo()


def step(control):
    """Move a control that can be played, as its player does."""
    if hasattr(control, "options"):
        control.index = (control.index or 0) + 1
    else:
        control.value += 1


def test_shows_the_controls_that_are_named_and_no_others(kind, explorer):
    names = list(explorer.values)
    first, last = names[0], names[-1]
    other = kind(controls=[last, first])
    assert list(other.controls) == [first, last]
    assert other.values == explorer.values
    assert other.html == explorer.html
    displayed = widgets_in(other.widget)
    for name, control in other._all.items():
        assert (control in displayed) == (name in (first, last))
    again = kind(**other.state)
    assert list(again.controls) == [first, last]
    assert again.state == other.state
    other.close()
    again.close()


def widgets_in(box):
    """A box's children and theirs."""
    children = getattr(box, "children", ())
    return {*children, *(inner for child in children for inner in widgets_in(child))}


def test_what_is_not_shown_can_begin_elsewhere(kind, explorer):
    *_, last = explorer.values
    value = ends(explorer.controls[last])[1]
    other = kind(controls=[next(iter(explorer.values))], **{last: value})
    assert other.values[last] == value
    other.close()


@pytest.mark.parametrize("names", [["nonsense"], "stride", [3]])
def test_controls_that_are_not_there_are_refused(kind, names):
    before = registered()
    assert_refuses(lambda: kind(controls=names), ValueError, "its controls are", str(names[0])[:1])
    assert registered() == before


def test_no_picture_is_higher_than_the_room_for_it(explorer):
    """Any picture of the kind that is chosen, so that nothing below it jumps at a slider."""
    moves = random.Random(1)
    for _ in range(60):
        control = moves.choice(list(explorer.controls.values()))
        kind, room = explorer.values.get(explorer.chooses), explorer._room.heights
        control.value = moves.choice(values(control))
        if explorer.values.get(explorer.chooses) == kind:
            higher = [*map(operator.gt, heights(explorer.html), room)]  # in one page or another
            assert not any(higher), (explorer.values, higher)


def test_closing_a_refused_explorer_leaves_no_widget_behind(kind):
    before = registered()
    assert_refuses(lambda: kind(nonsense=1), TypeError, "nonsense")
    assert registered() == before

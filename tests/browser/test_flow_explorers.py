"""The chain rule, gradient flow and training explorers in JupyterLab, by keyboard and pointer."""

import pytest

CELLS = [
    """from cnnbp.explorers import ChainRuleExplorer, GradientFlowExplorer, TrainingExplorer
chain = ChainRuleExplorer()
chain""",
    "flow = GradientFlowExplorer(depth=4)\nflow",
    "training = TrainingExplorer(steps=10)\ntraining",
]
CHAIN, FLOW, TRAINING = range(3)
EXPLORERS = ["chain", "flow", "training"]
# cell, the slider that has this label, the control's name, the key that moves it, the value then
MOVES = [
    (CHAIN, "by", "nudge", "ArrowRight", 0.625),
    (CHAIN, "w", "w", "End", 4.0),
    (FLOW, "blocks", "depth", "ArrowRight", 5),
    (FLOW, "gain", "gain", "End", 5.0),
    (FLOW, "box loss", "balance", "ArrowRight", 0.125),
    (TRAINING, "steps", "steps", "ArrowRight", 11),
]


@pytest.fixture(scope="module")
def beginnings(notebook):
    """What every explorer's controls say before a test moves them, as text."""
    return [notebook.ask(f"str({name}.values)") for name in EXPLORERS]


@pytest.fixture(autouse=True)
def as_in_the_beginning(notebook, beginnings):
    """Nothing is pointed at or focused; what a test moves, Reset brings back."""
    notebook.page.mouse.move(5, 5)
    notebook.page.evaluate("document.activeElement.blur()")
    yield
    for cell, (name, beginning) in enumerate(zip(EXPLORERS, beginnings, strict=True)):
        if notebook.ask(f"str({name}.values)") != beginning:
            button(notebook, cell, "Reset").click()
            assert notebook.until(lambda cell=cell: page_shows_kernels(notebook, cell))


def button(notebook, cell, name):
    return notebook.output(cell).get_by_role("button", name=name, exact=True)


def page_shows_kernels(notebook, cell):
    """Whether the picture in the page is, character for character, the explorer's."""
    html = notebook.ask(f"str({EXPLORERS[cell]}.html)")
    return notebook.picture(cell).evaluate("svg => svg.outerHTML") == notebook.inner_html(html)


def test_the_player_leaves_the_steps_where_they_begin(notebook):
    """The first test, since each of them ends with a reset."""
    notebook.page.wait_for_timeout(500)
    assert notebook.ask("training.values['steps']") == 10


@pytest.mark.parametrize("cell", range(len(CELLS)), ids=EXPLORERS)
def test_the_page_shows_the_kernels_picture(notebook, cell):
    assert page_shows_kernels(notebook, cell)


@pytest.mark.parametrize(("cell", "label", "name", "key", "value"), MOVES)
def test_the_keyboard_moves_a_slider_and_the_picture_follows(
    notebook, cell, label, name, key, value
):
    before = notebook.picture(cell).evaluate("svg => svg.outerHTML")
    notebook.slider(cell, label).focus()
    notebook.page.keyboard.press(key)
    moved = f"{EXPLORERS[cell]}.values[{name!r}]"
    assert notebook.until(lambda: notebook.ask(moved) == value), notebook.ask(moved)
    assert notebook.until(lambda: page_shows_kernels(notebook, cell))
    assert notebook.picture(cell).evaluate("svg => svg.outerHTML") != before


def test_pointing_at_a_node_writes_down_its_sum(notebook):
    notebook.picture(CHAIN).locator(".c1").hover()
    said = "dx = a dp·∂p/∂x + b dz·∂z/∂x = a (−3)·(−1.5) + b (−3)·1 = 1.5"
    assert said in notebook.shown(CHAIN)
    letters = notebook.picture(CHAIN).locator(".k1 .name").all_text_contents()
    assert letters == ["a", "b"]  # on the two ways that the gradient comes back


def test_pointing_at_a_layer_shows_what_it_keeps(notebook):
    notebook.picture(FLOW).locator(".c2").first.hover()
    assert "1 Block: x (4, 4, 8, 8) → z (4, 4, 8, 8)" in notebook.shown(FLOW)
    assert "inside, on the way back: Sigmoid ×" in notebook.shown(FLOW)


def test_pointing_at_a_step_reads_both_runs(notebook):
    notebook.picture(TRAINING).locator(".c1").first.hover()
    assert notebook.shown(TRAINING).startswith("this run, step 4: loss ")
    assert "kept, step 4: loss " in notebook.shown(TRAINING)


def test_a_node_reached_by_the_tab_key_says_the_same(notebook):
    notebook.picture(CHAIN).locator(".c1").focus()
    assert "dx = a dp·∂p/∂x" in notebook.shown(CHAIN)


def test_playing_trains_and_pausing_stops(notebook):
    buttons = notebook.output(TRAINING).locator(".widget-play button")
    buttons.first.click()
    assert notebook.until(lambda: notebook.ask("training.values['steps']") >= 16)
    buttons.first.click()
    notebook.page.wait_for_timeout(400)
    steps = notebook.ask("training.values['steps']")
    notebook.page.wait_for_timeout(600)
    assert notebook.ask("training.values['steps']") == steps
    assert page_shows_kernels(notebook, TRAINING)


def test_a_run_is_kept_and_overlaid(notebook):
    button(notebook, TRAINING, "Keep this run").click()
    button(notebook, TRAINING, "Step").click()
    assert notebook.until(lambda: notebook.ask("training.values['steps']") == 11)
    assert notebook.until(lambda: page_shows_kernels(notebook, TRAINING))
    key = notebook.picture(TRAINING).locator("text", has_text="kept: SGD, rate 1,")
    assert key.count() == 1


def test_the_console_shows_no_error(notebook):
    assert notebook.errors == []

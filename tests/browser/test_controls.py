"""Controls in JupyterLab: by keyboard, by pointer, read aloud; they never touch the notebook."""

import os
import re

import pytest
from axe_playwright_python.sync_playwright import Axe

CELLS = [
    "from cnnbp.explorers import *\nkernel = KernelGradientExplorer()\nkernel",
    "chain = ChainRuleExplorer()\nchain",
    "convolution = ConvolutionExplorer()\nconvolution",
    "lineage = LineageExplorer()\nlineage",
    "training = TrainingExplorer(steps=4)\ntraining",
    "step = StepSizeExplorer()\nstep",
    "pool = PoolScatterExplorer(controls=['position', 'stride'])\npool",
    "flow = GradientFlowExplorer()\nflow",
]
EXPLORERS = ["kernel", "chain", "convolution", "lineage", "training", "step", "pool", "flow"]
KERNEL, CHAIN, CONVOLUTION, LINEAGE, TRAINING, STEP, POOL, FLOW = range(8)
VALUES = f"[str(each.values) for each in ({', '.join(EXPLORERS)})]"
VISIBLE = "all => all.filter(element => element.checkVisibility())"
CONTROLS = "button, select, input, [role=slider], .cell"
FOCUSABLE = "button, select, input, [role=slider], .widget-readout"
# All that JupyterLab 4 understands in command mode, and some more.
KEYS = [*"abcdefghijklmnopqrstuvwxyz0123456789", "Delete", "Backspace", "Home", "End"]
KEYS += ["ArrowUp", "ArrowDown", "ArrowLeft", "ArrowRight", "PageDown", "Shift+M", "Shift+J"]
KEYS += ["Shift+K", "Shift+L", "Shift+R", "Shift+ArrowDown", "Shift+Home", "Shift+End", "Escape"]
KEYS += ["d", "d", "0", "0", "i", "i", "x", "Control+Shift+ArrowDown", "Shift+V", "Enter"]
CELL_STATES = """() => [...document.querySelectorAll('.jp-Notebook .jp-Cell')].map(cell =>
    [cell.className.match(/jp-(Code|Markdown|Raw)Cell/)[0],
     cell.querySelector('.jp-InputArea-editor').textContent,
     cell.querySelector('.jp-InputPrompt').textContent])"""
NAME = """element => element.getAttribute('aria-label') || element.getAttribute('placeholder')
    || [...(element.labels || [])].map(label => label.textContent).join() || element.textContent"""


@pytest.fixture(scope="module")
def beginnings(notebook):
    """What every explorer's controls say before a test moves them, as text."""
    return notebook.ask(VALUES)


@pytest.fixture(autouse=True)
def as_in_the_beginning(notebook, beginnings):
    """Nothing is pointed at or focused; what a test moves is moved back."""
    notebook.page.mouse.move(5, 5)
    notebook.page.evaluate("document.activeElement.blur()")
    yield
    for name, values, beginning in zip(EXPLORERS, notebook.ask(VALUES), beginnings, strict=True):
        if values != beginning:
            notebook.ask(f"{name}.reset()")


def explorer(notebook, cell):
    return notebook.output(cell).locator(".cnnbp-explorer")


def test_it_is_the_jupyterlab_that_was_asked_for(notebook):
    version = notebook.page.evaluate(
        "JSON.parse(document.getElementById('jupyter-config-data').textContent).appVersion"
    )
    assert version.startswith("4.4." if os.environ.get("LAB_PYTHON") else "4.")


@pytest.mark.parametrize("cell", range(len(CELLS)), ids=EXPLORERS)
def test_every_control_has_a_name(notebook, cell):
    names = explorer(notebook, cell).locator(FOCUSABLE).evaluate_all(f"{VISIBLE}.map({NAME})")
    assert len(names) >= 3
    assert all(names)


def test_a_slider_is_called_as_its_label_and_says_its_value(notebook):
    tap = notebook.slider(KERNEL, "tap")
    assert tap.get_attribute("aria-label") == "tap"
    tap.focus()
    notebook.page.keyboard.press("ArrowRight")
    assert notebook.until(lambda: tap.get_attribute("aria-valuetext") == "(0, 1)")
    labels = explorer(notebook, FLOW).get_by_role("slider").all()
    assert [label.get_attribute("aria-label") for label in labels] == ["blocks", "gain", "box loss"]


def test_play_and_stop_are_called_so(notebook):
    for cell in (KERNEL, TRAINING):
        for name in ("Play or pause", "Back to the start"):
            assert notebook.button(cell, name).is_visible()


def test_a_learning_rate_of_1_is_not_an_8(notebook):
    rate = explorer(notebook, TRAINING).get_by_label("learning rate")
    assert rate.evaluate("select => select.selectedOptions[0].textContent") == "1"


def unharmed(notebook, controls, keys):
    """Whether the notebook is as it was after these keys on each of the controls."""
    before = notebook.page.evaluate(CELL_STATES)
    assert len(before) == len(CELLS)
    for control in controls:
        control.evaluate("control => control.focus()")
        for key in keys:
            notebook.page.keyboard.press(key)
    notebook.ask("0")  # whatever a key asked of the kernel was asked before this
    return notebook.page.evaluate(CELL_STATES) == before


@pytest.mark.parametrize("cell", range(len(CELLS)), ids=EXPLORERS)
def test_no_key_on_any_control_changes_the_notebook(notebook, cell):
    kinds = kinds_of(notebook, cell)
    assert len(kinds) >= 3
    assert unharmed(notebook, kinds.values(), ["a", "x", "m", "y", "z", "c", "v", "l"])


def kinds_of(notebook, cell):
    """kind -> the first visible control of that kind in an explorer."""
    controls = explorer(notebook, cell).locator(CONTROLS)
    kind = "e => e.checkVisibility() && e.tagName + e.type + [...e.classList].slice(-1)"
    kinds = controls.evaluate_all(f"all => all.map({kind})")
    return {kind: controls.nth(kinds.index(kind)) for kind in kinds if kind}


def test_no_key_at_all_changes_the_notebook(notebook):
    """On one control of each kind."""
    kinds = {}
    for cell in range(len(CELLS)):
        kinds = kinds_of(notebook, cell) | kinds
    assert len(kinds) >= 6
    assert unharmed(notebook, kinds.values(), KEYS)


def test_the_same_keys_on_the_cell_itself_are_commands(notebook):
    """The test above could fail: JupyterLab listens."""
    notebook.page.locator(".jp-InputPrompt").nth(POOL).click()
    notebook.page.keyboard.press("b")
    cells = notebook.page.locator(".jp-CodeCell")
    assert notebook.until(lambda: cells.count() == len(CELLS) + 1)
    notebook.page.keyboard.press("d")
    notebook.page.keyboard.press("d")
    assert notebook.until(lambda: cells.count() == len(CELLS))


def test_arrows_move_a_dropdown_and_stay_in_it(notebook):
    choice = explorer(notebook, FLOW).get_by_label("activation")
    choice.focus()
    notebook.page.keyboard.press("ArrowDown")
    assert notebook.until(lambda: notebook.ask("flow.values['activation']") == "tanh")
    assert choice.evaluate("select => select === document.activeElement")


@pytest.mark.parametrize(
    ("text", "value"), [("1/4", 0.25), ("0.3", 0.3), ("−2", -2.0), ("-1/8", -0.125)]
)
def test_a_field_takes_what_is_typed(notebook, text, value):
    field = explorer(notebook, CHAIN).get_by_placeholder("w", exact=True)
    field.fill(text)
    field.press("Enter")
    assert notebook.until(lambda: notebook.ask("chain.values['w']") == value)
    assert notebook.until(lambda: notebook.shows(CHAIN, "chain"))
    notebook.page.wait_for_timeout(200)  # nothing snaps it back
    assert notebook.ask("chain.values['w']") == value


def test_a_read_out_takes_nothing(notebook):
    readout = explorer(notebook, KERNEL).locator(".widget-readout").nth(1)
    shown = readout.text_content()
    box = readout.bounding_box()
    notebook.page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    notebook.page.keyboard.type("7")
    readout.evaluate("readout => readout.focus()")
    assert readout.evaluate("readout => readout !== document.activeElement")
    notebook.page.keyboard.type("7")
    assert readout.text_content() == shown
    assert notebook.ask("kernel.values['sample']") == 0


def test_tab_goes_from_control_to_control_and_each_shows_its_focus(notebook):
    notebook.slider(KERNEL, "tap").focus()
    notebook.page.keyboard.press("Tab")
    notebook.page.keyboard.press("Shift+Tab")  # from now on it is the keyboard's focus
    seen = []
    for _ in range(8):
        seen.append(notebook.page.evaluate(
            """() => { const at = document.activeElement, style = getComputedStyle(at)
            return [at.getAttribute('aria-label') || at.textContent || at.tagName,
                    at.classList.contains('widget-readout'), parseFloat(style.outlineWidth),
                    style.outlineStyle] }"""
        ))  # fmt: skip
        notebook.page.keyboard.press("Tab")
    assert [name for name, *_ in seen[:4]] == ["tap", "Play or pause", "Back to the start", "Reset"]
    assert not any(readout for _, readout, *_ in seen)
    assert all(width >= 2 and style == "solid" for *_, width, style in seen[:6])


@pytest.mark.parametrize("width", [1280, 768, 390])
def test_tracks_are_160_pixels_long(notebook, width):
    notebook.page.set_viewport_size({"width": width, "height": 3000})
    sidebar(notebook, shown=width > 800)
    for cell in range(len(CELLS)):
        tracks = explorer(notebook, cell).locator(".noUi-base")
        lengths = [box["width"] for box in (track.bounding_box() for track in tracks.all()) if box]
        assert all(length >= 159 for length in lengths), (EXPLORERS[cell], lengths)
    notebook.page.set_viewport_size({"width": 1200, "height": 3000})
    sidebar(notebook, shown=True)


def sidebar(notebook, *, shown):
    if notebook.page.locator("#jp-left-stack").is_visible() != shown:
        notebook.page.keyboard.press("Control+b")
        notebook.page.wait_for_timeout(300)


@pytest.mark.parametrize(
    ("cell", "labels"),
    [
        (KERNEL, ["padding", "stride", "dilation", "sample"]),
        (CONVOLUTION, ["padding", "kernel size", "dilation", "stride"]),
        (POOL, ["stride"]),
        (FLOW, ["blocks", "gain", "box loss"]),
        (CHAIN, ["by", "x"]),
        (STEP, ["step h"]),
    ],
)
def test_nothing_below_an_explorer_jumps(notebook, cell, labels):
    """Moved to both ends, through what is impossible as well."""
    height = explorer(notebook, cell).bounding_box()["height"]
    for label in labels:
        notebook.slider(cell, label).focus()
        for key in ("End", "Home", "End"):
            notebook.page.keyboard.press(key)
            notebook.until(lambda: notebook.shows(cell, EXPLORERS[cell]), seconds=2)
            assert abs(explorer(notebook, cell).bounding_box()["height"] - height) < 2, label


def test_the_impossible_greys_the_last_picture_and_says_what_would_do(notebook):
    notebook.slider(CONVOLUTION, "dilation").focus()
    notebook.page.keyboard.press("End")
    said = explorer(notebook, CONVOLUTION).get_by_role("alert")
    assert notebook.until(lambda: said.count() == 1)
    assert said.text_content().startswith("Impossible: the window (7, 7)")
    assert "What would do: " in said.text_content()
    assert said.evaluate("box => box.scrollWidth <= box.clientWidth")
    picture = notebook.picture(CONVOLUTION)
    assert picture.is_visible()
    assert float(picture.evaluate("svg => getComputedStyle(svg).opacity")) < 0.5
    notebook.page.keyboard.press("Home")
    assert notebook.until(lambda: said.count() == 0)
    assert picture.evaluate("svg => getComputedStyle(svg).opacity") == "1"


def test_reset_stops_what_plays(notebook):
    notebook.button(KERNEL, "Play or pause").click()
    assert notebook.until(lambda: notebook.ask("kernel.values['tap']") != (0, 0))
    notebook.button(KERNEL, "Reset").click()
    assert notebook.until(lambda: notebook.ask("kernel.values['tap']") == (0, 0))
    notebook.page.wait_for_timeout(1800)
    assert notebook.ask("kernel.values['tap']") == (0, 0)


def products(notebook):
    """A row of products for every depth at which there is a choice."""
    return explorer(notebook, LINEAGE).locator(".widget-toggle-buttons:visible")


def test_products_are_clicked_all_the_way_to_the_loss(notebook):
    row = products(notebook).last
    other = row.locator("button[aria-pressed=false]").last
    text = other.text_content()
    other.click()
    assert notebook.until(lambda: notebook.shows(LINEAGE, "lineage"))
    chosen = row.locator("button[aria-pressed=true]")
    assert notebook.until(lambda: chosen.text_content() == text)
    assert text.partition(" = ")[0] in notebook.ask("[str(term) for term in lineage.found.terms]")
    assert notebook.ask("len(lineage.values['follow'])") == 4
    assert "mean squared error" in notebook.ask("repr(lineage.found)")


def test_a_product_of_zero_ends_the_way(notebook):
    rows = products(notebook)
    assert rows.count() == 2
    rows.first.locator("button", has_text=re.compile("= 0$")).first.click()
    assert notebook.until(lambda: rows.count() == 1)
    assert notebook.until(lambda: "nothing comes back" in notebook.ask("repr(lineage.html)"))
    assert notebook.until(lambda: notebook.shows(LINEAGE, "lineage"))


def test_only_the_named_controls_are_there(notebook):
    labels = explorer(notebook, POOL).locator(".widget-label:visible").all_text_contents()
    assert labels == ["position", "stride"]
    assert notebook.ask("list(pool.values)[1:3]") == ["pooling", "kernel_size"]


def test_stepper_play_and_read_out_are_on_one_screen(notebook):
    notebook.page.set_viewport_size({"width": 1366, "height": 768})
    explorer(notebook, KERNEL).scroll_into_view_if_needed()
    notebook.slider(KERNEL, "tap").evaluate("slider => slider.scrollIntoView({block: 'start'})")
    notebook.page.wait_for_timeout(300)
    screen = notebook.page.locator(".jp-WindowedPanel-outer").bounding_box()
    top = notebook.slider(KERNEL, "tap").bounding_box()["y"]
    shown = """picture => [...picture.querySelectorAll('.said p')]
        .find(p => getComputedStyle(p).visibility === 'visible').getBoundingClientRect().bottom"""
    assert notebook.picture(KERNEL).evaluate(shown) - top < screen["height"]
    notebook.page.set_viewport_size({"width": 1200, "height": 3000})


@pytest.mark.parametrize("cell", range(len(CELLS)), ids=EXPLORERS)
def test_axe_finds_nothing_serious(notebook, cell):
    explorer(notebook, cell).evaluate(
        "(root, id) => root.closest('.jp-OutputArea-output').id = id", f"explorer-{cell}"
    )
    found = Axe().run(notebook.page, context=f"#explorer-{cell}").response["violations"]
    serious = [
        (each["id"], [node["html"][:120] for node in each["nodes"][:3]])
        for each in found
        if each["impact"] in ("serious", "critical")
    ]
    assert not serious


def test_the_console_shows_no_error(notebook):
    assert notebook.errors == []

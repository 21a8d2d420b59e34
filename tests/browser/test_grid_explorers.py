"""The convolution and pooling explorers in JupyterLab, by keyboard and pointer."""

import pytest

CELLS = [
    """import threading
from cnnbp.explorers import ConvolutionExplorer, KernelGradientExplorer, PoolScatterExplorer
kernel = KernelGradientExplorer(tap=(0, 1))
on_main_thread = []
kernel.controls["sample"].observe(
    lambda _: on_main_thread.append(threading.current_thread() is threading.main_thread()), "value"
)
kernel""",
    "pool = PoolScatterExplorer()\npool",
    "convolution = ConvolutionExplorer(stride=2)\nconvolution",
]
KERNEL, POOL, CONVOLUTION = range(3)
EXPLORERS = ["kernel", "pool", "convolution"]
# cell, the slider's label, which is the control's name, the key that moves it, the value then
MOVES = [
    (KERNEL, "tap", "ArrowRight", (0, 2)),
    (KERNEL, "tap", "End", "bias"),
    (KERNEL, "stride", "ArrowLeft", 1),
    (POOL, "position", "ArrowRight", (0, 1)),
    (POOL, "kernel size", "ArrowLeft", 2),
    (CONVOLUTION, "cell", "ArrowRight", (0, 1)),
    (CONVOLUTION, "padding", "ArrowRight", 1),
    (CONVOLUTION, "filter", "End", 1),
]


@pytest.fixture(scope="module")
def beginnings(notebook):
    """Where every explorer's controls were before a test moved them."""
    return [notebook.ask(f"{name}.values") for name in EXPLORERS]


@pytest.fixture(autouse=True)
def reset(notebook, beginnings):
    """Every test begins with nothing pointed at or focused; what it moves, Reset brings back."""
    notebook.page.mouse.move(5, 5)
    notebook.page.evaluate("document.activeElement.blur()")
    yield
    for cell, (name, beginning) in enumerate(zip(EXPLORERS, beginnings, strict=True)):
        values = f"{name}.values"
        if notebook.ask(values) != beginning:
            notebook.button(cell, "Reset").click()
            assert notebook.until(lambda v=values, b=beginning: notebook.ask(v) == b)
            assert notebook.until(lambda cell=cell, name=name: notebook.shows(cell, name))


def test_a_stepper_begins_where_it_is_told_to(notebook):
    """The first test, since others end with a reset."""
    notebook.page.wait_for_timeout(500)
    assert notebook.ask("kernel.values['tap']") == (0, 1)
    assert "dw[0,0,0,1] = " in notebook.shown(KERNEL)


@pytest.mark.parametrize("cell", range(len(CELLS)), ids=EXPLORERS)
def test_the_page_shows_the_kernels_picture(notebook, cell):
    assert notebook.shows(cell, EXPLORERS[cell])


@pytest.mark.parametrize(("cell", "label", "key", "value"), MOVES)
def test_the_keyboard_moves_a_slider_and_the_picture_follows(notebook, cell, label, key, value):
    before = notebook.picture(cell).evaluate("svg => svg.outerHTML")
    notebook.slider(cell, label).focus()
    notebook.page.keyboard.press(key)
    moved = f"{EXPLORERS[cell]}.values[{label.replace(' ', '_')!r}]"
    assert notebook.until(lambda: notebook.ask(moved) == value), notebook.ask(moved)
    assert notebook.until(lambda: notebook.shows(cell, EXPLORERS[cell]))
    assert notebook.picture(cell).evaluate("svg => svg.outerHTML") != before


def test_a_stepper_needs_no_kernel(notebook):
    notebook.page.evaluate(
        """() => {
            const send = WebSocket.prototype.send
            window.sendAgain = () => { WebSocket.prototype.send = send }
            WebSocket.prototype.send = () => {}
        }"""
    )
    notebook.slider(POOL, "position").focus()
    notebook.page.keyboard.press("End")
    assert notebook.until(lambda: "dz[0,0,2,2] = −0.5 goes to dx[0,0,2,2]" in notebook.shown(POOL))
    assert notebook.shown(POOL).count(" goes to ") == 1
    notebook.page.evaluate("sendAgain()")
    notebook.page.keyboard.press("Home")


def test_a_stepper_at_its_end_survives_fewer_positions(notebook):
    notebook.slider(POOL, "position").focus()
    notebook.page.keyboard.press("End")
    notebook.slider(POOL, "stride").focus()
    notebook.page.keyboard.press("ArrowRight")
    assert notebook.until(lambda: notebook.ask("pool.values['stride']") == 2)
    assert notebook.until(lambda: notebook.shows(POOL, "pool"))
    position = notebook.ask("pool.values['position']")
    assert f"dz[0,0,{position[0]},{position[1]}] = " in notebook.shown(POOL)


def test_playing_walks_through_the_positions(notebook):
    play = notebook.output(KERNEL).locator(".widget-play button").first
    seen = set()  # some may come and go unseen, while the machine has other work
    play.click()
    assert notebook.until(lambda: seen.add(notebook.shown(KERNEL)) or len(seen) > 3)
    play.click()


def test_pointing_at_a_weight_outlines_the_pixels_it_met(notebook):
    notebook.picture(KERNEL).locator(".c4").first.hover()
    assert "dw[0,0,1,1] = a 0.5·(−2) + b " in notebook.shown(KERNEL)
    assert notebook.shown(KERNEL).startswith("abcd abcd")
    rings = notebook.picture(KERNEL).locator(".k4 .ring").first.get_attribute("d")
    assert rings.count("M") == 4  # the pixels of four pairs


def test_pointing_at_a_zero_says_why(notebook):
    notebook.picture(POOL).locator(".c9").first.hover()
    assert "dx[0,0,0,0] = 0 exactly" in notebook.shown(POOL)
    assert "its window has another winner" in notebook.shown(POOL)


def test_pointing_at_a_pixel_of_dx_leaves_the_chosen_one(notebook):
    wanted = notebook.output(CONVOLUTION).get_by_label("look at")
    wanted.select_option(label="dx, the gradient of x")
    assert notebook.until(lambda: "dx[0,0,0,0] = " in notebook.shown(CONVOLUTION))
    notebook.picture(CONVOLUTION).locator(".c14").first.hover()
    assert "dx[0,0,2,2] = a " in notebook.shown(CONVOLUTION)
    assert "dx[0,0,0,0] = " not in notebook.shown(CONVOLUTION)


def test_callbacks_run_on_the_main_thread(notebook):
    notebook.slider(KERNEL, "sample").focus()
    notebook.page.keyboard.press("ArrowRight")
    assert notebook.until(lambda: notebook.ask("on_main_thread"))
    assert all(notebook.ask("on_main_thread"))


def test_the_console_shows_no_error(notebook):
    assert notebook.errors == []

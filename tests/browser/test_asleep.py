"""A lesson whose kernel is gone: its pictures live, its explorers say that they sleep, and wake."""

import json

from lab import LOADED

STATE = "application/vnd.jupyter.widget-state+json"
CELLS = ["from cnnbp.explorers import PoolScatterExplorer\npool = PoolScatterExplorer()\npool"]


def asleep(notebook):
    return notebook.output(0).locator(".cnnbp-asleep").is_visible()


def choose(notebook, menu, item):
    notebook.page.get_by_role("menuitem", name=menu, exact=True).click()
    notebook.page.get_by_text(item, exact=True).click()


def restart(notebook):
    choose(notebook, "Kernel", "Restart Kernel…")
    notebook.page.locator(".jp-Dialog .jp-mod-accept").click()


def step_to_the_end(notebook):
    """A stepper needs no kernel."""
    notebook.slider(0, "position").focus()
    notebook.page.keyboard.press("End")
    return notebook.until(lambda: "dz[0,0,2,2] = −0.5 goes to dx[0,0,2,2]" in notebook.shown(0))


def test_awake_it_says_nothing(notebook):
    assert not asleep(notebook)


def test_a_restarted_kernel_leaves_it_asleep_and_its_picture_alive(notebook):
    restart(notebook)
    assert notebook.until(lambda: asleep(notebook))
    message = notebook.output(0).locator(".cnnbp-asleep").text_content()
    assert "Shift+Enter" in message
    notebook.picture(0).locator(".c9").first.hover()
    assert notebook.until(lambda: "dx[0,0,0,0] = 0 exactly" in notebook.shown(0))
    notebook.page.mouse.move(5, 5)
    assert step_to_the_end(notebook)


def test_running_the_cell_again_wakes_it(notebook):
    notebook.page.locator(".jp-InputPrompt").first.click()
    notebook.page.keyboard.press("Shift+Enter")
    assert notebook.until(lambda: not asleep(notebook), seconds=30)
    notebook.slider(0, "stride").focus()
    notebook.page.keyboard.press("End")
    assert notebook.until(lambda: notebook.ask("pool.values['stride']") == 3)


def save(notebook):
    """Save the notebook; how many widgets it then holds."""
    file = notebook.folder / "notebooks" / f"{notebook.name}.ipynb"
    before = file.stat().st_mtime_ns
    choose(notebook, "File", "Save Notebook")
    assert notebook.until(lambda: file.stat().st_mtime_ns > before and stored(file))
    return len(stored(file)["metadata"]["widgets"][STATE]["state"])


def stored(file):
    """The notebook in a file; None while it is being written."""
    try:
        return json.loads(file.read_text(encoding="utf-8"))
    except ValueError:
        return None


def test_a_saved_restarted_and_reloaded_lesson_shows_its_pictures(notebook):
    """However often it is saved while no kernel moves it: JupyterLab saves by itself, too."""
    notebook.button(0, "Reset").click()
    assert notebook.until(lambda: notebook.shows(0, "pool"))
    save(notebook)
    restart(notebook)
    assert notebook.until(lambda: asleep(notebook))
    saved = save(notebook)
    for _ in range(2):
        notebook.page.goto(notebook.page.url.partition("?")[0])
        notebook.picture(0).wait_for(timeout=LOADED)
        assert "goes to dx[0,0,2,2]" in notebook.shown(0)
        assert notebook.until(lambda: asleep(notebook))
        assert step_to_the_end(notebook)
        assert save(notebook) == saved  # and nothing gathers


def test_what_no_output_shows_any_more_is_not_saved(notebook):
    """Run again, the cell has new widgets; the old ones are left behind."""
    sleeping = save(notebook)
    notebook.page.locator(".jp-InputPrompt").first.click()
    notebook.page.keyboard.press("Shift+Enter")
    assert notebook.until(lambda: not asleep(notebook), seconds=30)
    assert save(notebook) <= sleeping + 2

"""The lessons run in the browser, with the network shut, and show there what is stored."""

import base64
import io
import json
import os
import subprocess
import time
import urllib.request
from pathlib import Path

import nbformat
import pytest
from loopback import files_served
from PIL import Image, ImageStat
from stored import WIDGET, shown

pytestmark = pytest.mark.apart

ROOT = Path(__file__).parents[2]
LESSONS = sorted((ROOT / "notebooks").glob("*.ipynb"))
ENVIRONMENT = ROOT / ".venv-lite"
WITH_SLIDERS = LESSONS[0].name
PLOT = "image/png"
STATE = "application/vnd.jupyter.widget-state+json"
PATIENCE = 600_000  # ms: on a machine that has other work, too, a kernel may take minutes
PAUSE = 500  # ms
PUBLIC = "https://cdn.jsdelivr.net/pyodide/"

# Whether cells wait or run.
RUNNING = """() => [...document.querySelectorAll('.jp-InputPrompt')]
    .some(prompt => prompt.textContent.includes('*'))"""

# What the browser has kept of a file.
KEPT = """async name => {
    const ask = request => new Promise((resolve, reject) => {
        request.onsuccess = () => resolve(request.result)
        request.onerror = () => reject(request.error)
    })
    for (const {name: title} of await indexedDB.databases()) {
        if (!title.startsWith('JupyterLite Storage')) continue
        const database = await ask(indexedDB.open(title))
        const held = [...database.objectStoreNames].includes('files')
            ? await ask(database.transaction('files').objectStore('files').get(name)) : null
        database.close()
        if (held) return JSON.stringify(held.content)
    }
    return null
}"""


def built(folder, **variables):
    """The site, built in a folder by the command."""
    if not (ENVIRONMENT / ".ready").exists():
        missing = "needs JupyterLite: make .venv-lite/.ready"
        if os.environ.get("REQUIRE_LITE"):
            pytest.fail(missing)
        pytest.skip(missing)
    return subprocess.run(
        [ENVIRONMENT / "bin" / "python", ROOT / "tools" / "lite.py", folder],
        env=os.environ | variables, capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip


@pytest.fixture(scope="module")
def pyodide():
    return ENVIRONMENT / "pyodide"


@pytest.fixture(scope="module")
def site(tmp_path_factory, pyodide):
    """The address of a site that has its own Pyodide."""
    folder = tmp_path_factory.mktemp("web") / "lite"
    finished = built(folder, PYODIDE=str(pyodide))
    assert finished.returncode == 0, finished.stderr
    with files_served(folder) as address:
        yield address


# Reading a file takes as long as is said, so many times.
SLOWLY = """milliseconds => {
    const get = IDBObjectStore.prototype.get
    IDBObjectStore.prototype.get = function (key) {
        const request = get.call(this, key)
        const wait = this.name === 'files' && milliseconds.shift()
        if (wait) Object.defineProperty(request, 'onsuccess', {set: heard =>
            request.addEventListener('success', () => setTimeout(() => heard.call(request), wait))})
        return request
    }
}"""


class Opened:
    """A lesson open in a browser of its own. `asked` is what it asked of the world outside."""

    def __init__(self, browser, site, name, **options):
        self.name, self.asked = name, []
        self.context = browser.new_context(viewport={"width": 1280, "height": 1000}, **options)
        self.context.on("request", self._hear)
        self.page = self.context.new_page()
        self.address = f"{site}/lab/index.html?path={name}"

    def _hear(self, request):
        if not request.url.startswith(("http://127.0.0.1", "data:", "blob:")):
            self.asked.append(request.url)

    def open(self):
        self.page.goto(self.address)
        self.page.wait_for_selector("text=Python (Pyodide) | Idle", timeout=PATIENCE)
        return self

    def run_all(self):
        """The lesson as the browser keeps it, after all of its cells have run."""
        self.page.get_by_role("menuitem", name="Run", exact=True).click()
        self.page.get_by_text("Run All Cells", exact=True).click()
        assert self.until(self._has_run), f"{self.name} has not run to its end"
        return self.kept()

    def _has_run(self):
        if self.page.evaluate(RUNNING):  # a lesson that is saved again and again runs longer
            return False
        self.page.keyboard.press("Control+s")
        cells = [cell for cell in self.kept() if cell.cell_type == "code" and cell.source]
        return cells and (all(cell.execution_count for cell in cells) or any_error(cells))

    def until(self, holds):
        """Wait for something to hold; False if it never does."""
        end = time.monotonic() + PATIENCE / 1000
        while not (held := holds()) and time.monotonic() < end:
            self.page.wait_for_timeout(PAUSE)
        return held

    def kept(self):
        """The cells that the browser has kept, which is none before the first save."""
        return self.file().get("cells", [])

    def file(self):
        """The lesson's file as the browser has kept it; without anything before the first save."""
        return nbformat.from_dict(json.loads(self.page.evaluate(KEPT, self.name) or "{}"))

    def pictures(self):
        """The ids of the widgets that outputs show and whose state the browser has kept."""
        file = self.file()
        outputs = [each for cell in file.cells for each in cell.get("outputs", [])]
        ids = {each.data[WIDGET].model_id for each in outputs if WIDGET in each.get("data", {})}
        assert ids <= set(file.metadata.widgets[STATE].state)
        return ids


def any_error(cells):
    return any(
        output.output_type == "error" for cell in cells for output in cell.get("outputs", [])
    )


@pytest.fixture
def opened(browser, site):
    """Open a lesson in a browser that has never been here; closed afterwards."""
    all_opened = []

    def opened(name, at=site, **options):
        all_opened.append(Opened(browser, at, name, **options))
        return all_opened[-1].open()

    yield opened
    for each in all_opened:
        each.context.close()


def test_sliders_move_and_nothing_is_lost(opened):
    lesson = opened(WITH_SLIDERS)
    page, ran = lesson.page, lesson.run_all()
    explorer = page.locator(".cnnbp-explorer").first
    slider = explorer.get_by_role("slider").first
    before = explorer.locator(".cnnbp").inner_html()
    slider.press("ArrowRight")
    assert lesson.until(lambda: explorer.locator(".cnnbp").inner_html() != before)
    moved = explorer.locator(".cnnbp").inner_html()
    for key in "xddab":  # with which JupyterLab deletes and adds cells
        slider.press(key)
    typed(lesson, "mine = 7  # ")
    assert len(lesson.kept()) == len(ran)
    pictures = lesson.pictures()
    assert pictures

    page.reload()
    explorer.locator(".cnnbp-asleep").wait_for(timeout=PATIENCE)  # it says that it sleeps
    assert explorer.locator(".cnnbp").inner_html() == moved
    page.get_by_text("mine = 7").wait_for(timeout=PATIENCE)
    kept = nbformat.from_dict({"cells": lesson.kept()})
    assert shown(kept) == shown(nbformat.from_dict({"cells": ran}))
    typed(lesson, "mine_too = 8  # ")
    assert lesson.pictures() == pictures
    assert lesson.asked == []


def test_saving_again_before_the_last_time_is_over_is_no_conflict(opened):
    lesson = opened(WITH_SLIDERS)
    page = lesson.page
    typed(lesson, "mine = 7  # ")
    page.evaluate(SLOWLY, [0, 0, 25_000])  # the third time is after the file is written
    page.keyboard.type("mine_too = 8  # ")
    page.wait_for_timeout(30_000)  # JupyterLab saves every ten seconds
    assert page.locator(".jp-Dialog").count() == 0
    assert "mine_too = 8" in str(lesson.kept())


def test_a_link_opens_its_lesson_alone_and_a_reload_brings_it_back(opened, site):
    lesson = opened(WITH_SLIDERS)
    page = lesson.page
    typed(lesson, "mine = 7  # ")
    page.goto(lesson.address.replace(WITH_SLIDERS, LESSONS[1].name))
    page.wait_for_selector("text=Python (Pyodide) | Idle", timeout=PATIENCE)
    assert tabs(page) == [LESSONS[1].name]
    page.reload()
    page.wait_for_selector("text=Python (Pyodide) | Idle", timeout=PATIENCE)
    assert tabs(page) == [LESSONS[1].name]
    page.goto(lesson.address)
    page.get_by_text("mine = 7").wait_for(timeout=PATIENCE)
    assert tabs(page) == [WITH_SLIDERS]


def tabs(page):
    """What is open in JupyterLab's main area."""
    return page.locator("#jp-main-dock-panel .lm-TabBar-tabLabel").all_inner_texts()


def typed(lesson, text):
    """Type a text into the first cell of code; JupyterLab saves it by itself."""
    lesson.page.locator(".jp-CodeCell .cm-content").first.click()
    lesson.page.keyboard.press("Control+Home")
    lesson.page.keyboard.type(text)
    assert lesson.until(lambda: text.strip("# ") in str(lesson.kept()))


def test_the_public_distribution_is_taken_where_no_other_is_given(browser, tmp_path, pyodide):
    def published(route):
        name = route.request.url.rpartition("/")[2]
        headers = {"Access-Control-Allow-Origin": "*"}
        route.fulfill(path=pyodide / name, headers=headers)

    finished = built(tmp_path / "lite")
    assert finished.returncode == 0, finished.stderr
    with files_served(tmp_path / "lite") as address:
        # Without a service worker, as in a private window: there files are not kept.
        lesson = Opened(browser, address, WITH_SLIDERS, service_workers="block")
        lesson.context.route(f"{PUBLIC}**", published)
        lesson.open()
        cells = lesson.run_all()
        lesson.context.close()
    assert not any_error(cells)
    assert lesson.asked
    assert all(url.startswith(PUBLIC) for url in lesson.asked)


def test_a_folder_without_a_distribution_is_refused(tmp_path):
    finished = built(tmp_path / "lite", PYODIDE=str(tmp_path))
    assert finished.returncode
    assert "pyodide.mjs and pyodide-lock.json must lie in it" in finished.stderr
    assert "Traceback" not in finished.stderr


def test_every_lesson_lies_in_the_site(site):
    with urllib.request.urlopen(f"{site}/api/contents/all.json") as answer:
        listed = {each["name"] for each in json.load(answer)["content"]}
    assert {path.name for path in LESSONS} < listed


# Late lessons train networks and take longest: with short ones at the end, processes end together.
@pytest.mark.parametrize("path", LESSONS[::-1], ids=lambda path: path.stem)
def test_a_lesson_shows_what_is_stored(opened, path):
    lesson = opened(path.name)
    found = shown(nbformat.from_dict({"cells": lesson.run_all()}))
    stored = shown(nbformat.read(path, as_version=4))
    drawn, plots = taken_from(found), taken_from(stored)
    assert any(stored.values())
    assert found == stored
    assert [size for plot in drawn for size in plot.size] == pytest.approx(
        [size for plot in plots for size in plot.size], abs=2
    )
    assert list(map(ink, drawn)) == pytest.approx(list(map(ink, plots)), rel=0.15)
    assert lesson.asked == []


def taken_from(cells):
    """Take the plots out of what cells show: another matplotlib draws them, with other letters."""
    held = [data for each in cells.values() for _, data in each if PLOT in (data or ())]
    return [Image.open(io.BytesIO(base64.b64decode(data.pop(PLOT)))) for data in held]


def ink(plot):
    """How dark a plot is, all in all; rounding moves its lines a little, and takes none away."""
    return 255 - ImageStat.Stat(plot.convert("L")).mean[0]

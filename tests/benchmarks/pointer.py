"""From the pointer to the frame that shows what a cell says, beside all pictures of a lesson.

Needs a browser. The pictures are those that the stored lessons hold.
"""

import statistics
import sys
from pathlib import Path

import nbformat
from lab import BROWSERS, installed_browser
from playwright.sync_api import sync_playwright

from cnnbp.pictures.svg import LIVE

MOVES = 60
LESSONS = sorted((Path(__file__).parents[2] / "notebooks").glob("*.ipynb"))
# Resolves to the milliseconds from the pointer's move to the end of the frame that paints it.
MEASURED = """() => new Promise(done => {
    document.addEventListener('pointermove', event => requestAnimationFrame(() => {
        const painted = new MessageChannel()
        painted.port1.onmessage = () => done(performance.now() - event.timeStamp)
        painted.port2.postMessage(0)
    }), {capture: true, once: true})
})"""


def pictures_of(path):
    for cell in nbformat.read(path, as_version=4).cells:
        for output in cell.get("outputs", []):
            if LIVE in output.get("data", {}):
                yield output.data[LIVE]


def main():
    found = installed_browser()
    if found is None:
        print(f"pointer to frame: needs a browser, none of {', '.join(BROWSERS)} is installed")
        return
    print(
        f"pointer to frame, {MOVES} moves          kB of pictures      median     95 %   to reach"
    )
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found)
        for path in LESSONS:
            if pictures := list(pictures_of(path)):
                times = sorted(moves(browser, pictures))
                size = sum(len(picture.encode()) for picture in pictures) / 1000
                median, most = statistics.median(times), times[int(0.95 * MOVES)]
                print(
                    f"{path.stem:40}{size:8.0f}{median:14.0f} ms{most:6.0f} ms   ≤ 25 ms",
                    flush=True,
                )
        browser.close()


def moves(browser, pictures):
    """Milliseconds of each of the moves, from cell to cell of all pictures."""
    page = browser.new_page(viewport={"width": 1200, "height": 20_000})
    page.set_content("<!doctype html>" + "".join(pictures))
    cells = page.locator(".cell").all()
    for move in range(MOVES):
        box = cells[move * len(cells) // MOVES].bounding_box()
        measured = page.evaluate_handle(f"() => [({MEASURED})()]")
        page.mouse.move(box["x"] + 9 + move % 2, box["y"] + 9)
        yield measured.evaluate("([measured]) => measured")
    page.close()


if __name__ == "__main__":
    sys.exit(main())

"""From a key press to the new picture in JupyterLab, near the kernel and 120 ms away from it.

Needs a browser. A stepper is drawn by the browser alone, every other slider by the kernel.
"""

import statistics
import sys
import tempfile
from pathlib import Path

from lab import BROWSERS, Notebook, installed_browser, served
from playwright.sync_api import sync_playwright

PRESSES = 20
STEP, PICTURE = "i[class^=step-]", "svg"  # what comes into the page
CELLS = [
    "from cnnbp.explorers import *\nKernelGradientExplorer()",
    "PoolScatterExplorer()",
    "ConvolutionExplorer()",
    "ChainRuleExplorer()",
    "GradientFlowExplorer(depth=4)",
]
ROWS = [  # cell, its explorer, the slider, what comes, ms to reach: near, far
    (0, "KernelGradientExplorer", "tap", STEP, 20, 20),
    (0, "KernelGradientExplorer", "sample", PICTURE, 40, 160),
    (1, "PoolScatterExplorer", "position", STEP, 20, 20),
    (1, "PoolScatterExplorer", "stride", PICTURE, 40, 160),
    (2, "ConvolutionExplorer", "cell", STEP, 20, 20),
    (2, "ConvolutionExplorer", "filter", PICTURE, 40, 160),
    (3, "ChainRuleExplorer", "by", PICTURE, 40, 160),
    (4, "GradientFlowExplorer", "gain", PICTURE, 40, 160),
]
FAR_AWAY = """(() => {
    const Near = WebSocket
    window.WebSocket = class extends Near {
        send(data) { setTimeout(() => super.send(data), 60) }
        set onmessage(heard) { super.onmessage = event => setTimeout(() => heard(event), 60) }
    }
})()"""
# Resolves to the milliseconds from a key press to the end of the frame that paints the change.
MEASURED = """([root, changes]) => new Promise(done => {
    let pressed
    document.addEventListener('keydown', event => { pressed = event.timeStamp },
        {capture: true, once: true})
    const watch = new MutationObserver(mutations => {
        const added = mutations.flatMap(mutation => [...mutation.addedNodes])
        if (!added.some(node => node.matches?.(changes) || node.querySelector?.(changes))) return
        watch.disconnect()
        requestAnimationFrame(() => {
            const painted = new MessageChannel()
            painted.port1.onmessage = () => done(performance.now() - pressed)
            painted.port2.postMessage(0)
        })
    })
    watch.observe(root, {childList: true, subtree: true})
})"""


def main():
    path = installed_browser()
    if path is None:
        print(f"key press to picture: needs a browser, none of {', '.join(BROWSERS)} is installed")
        return
    print(f"key press to picture, {PRESSES} presses       near: median     95 %   reach", end="")
    print("     120 ms away: median     95 %   reach")
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        (Path(folder) / "notebooks").mkdir()
        with served(Path(folder)) as address:
            browser = playwright.chromium.launch(executable_path=path)
            near = Notebook(browser, address, Path(folder), "near", CELLS)
            far = Notebook(browser, address, Path(folder), "far", CELLS, script=FAR_AWAY)
            for cell, explorer, slider, changes, *reach in ROWS:
                print(f"{explorer + ', ' + slider:44}", end="")
                for notebook, most in zip((near, far), reach, strict=True):
                    times = sorted(presses(notebook, cell, slider, changes))
                    median, late = statistics.median(times), times[int(0.95 * PRESSES)]
                    print(f"{median:8.0f} ms{late:6.0f} ms{most:5} ms          ", end="")
                print(flush=True)
            browser.close()


def presses(notebook, cell, slider, changes):
    """Milliseconds of each of the presses, to the right and back again."""
    output = notebook.output(cell).element_handle()
    handle = notebook.slider(cell, slider)
    for press in range(PRESSES):
        handle.focus()
        measured = notebook.page.evaluate_handle(f"args => [({MEASURED})(args)]", [output, changes])
        notebook.page.keyboard.press("ArrowLeft" if press % 2 else "ArrowRight")
        yield measured.evaluate("([measured]) => measured")
        notebook.page.wait_for_timeout(150)  # the kernel's own picture of a step arrives, too


if __name__ == "__main__":
    sys.exit(main())

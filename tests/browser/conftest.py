"""Notebooks open in JupyterLab, as a learner's hands and eyes meet them."""

import ast
import json
import time
import urllib.request

import nbformat
import pytest
from jupyter_client import BlockingKernelClient

KERNEL = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}

# The text of what lies over a picture at this moment: its links that are not transparent.
SHOWN = """svg => [...svg.querySelectorAll('.link')]
    .filter(link => getComputedStyle(link).opacity === '1')
    .map(link => [...link.querySelectorAll('text')].map(text => text.textContent).join(' '))
    .join(' | ')"""
AS_A_PAGE_SAYS_IT = """html => {
    const element = document.createElement('div')
    element.innerHTML = html
    return element.innerHTML
}"""


class Notebook:
    """Cells run in JupyterLab. `errors` is what the browser's console complained of."""

    def __init__(self, browser, lab, folder, name, cells):
        notebook = nbformat.v4.new_notebook(metadata={"kernelspec": KERNEL})
        notebook.cells = [nbformat.v4.new_code_cell(source) for source in cells]
        nbformat.write(notebook, folder / "notebooks" / f"{name}.ipynb")
        self.folder, self.name = folder, name
        self.address = lab.removesuffix("/lab/tree/notebooks")
        self.errors = []
        # Tall, since JupyterLab takes what is scrolled away out of the page.
        self.page = browser.new_page(viewport={"width": 1200, "height": 3000})
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("console", self._heard)
        self.page.goto(f"{lab}/{name}.ipynb?reset")  # without the notebooks opened before
        # The toolbar says idle before the kernel listens, and Run All would be dropped.
        self.page.wait_for_selector("text=Python 3 (ipykernel) | Idle", timeout=60_000)
        self.page.get_by_role("menuitem", name="Run", exact=True).click()
        self.page.get_by_text("Run All Cells", exact=True).click()
        self.picture(len(cells) - 1).wait_for(timeout=60_000)

    def _heard(self, message):
        if message.type == "error":
            self.errors.append(message.text)

    def output(self, cell):
        """Everything below the cell of this number."""
        return self.page.locator(".jp-CodeCell").nth(cell).locator(".jp-Cell-outputArea")

    def picture(self, cell):
        """The picture below the cell of this number."""
        return self.output(cell).locator(".widget-html-content > svg")

    def shown(self, cell):
        """What lies over the picture at this moment, as text."""
        return self.picture(cell).evaluate(SHOWN)

    def slider(self, cell, label):
        """The handle of the slider that has this label beside it."""
        labeled = f".widget-slider:has(> .widget-label:text-is('{label}'))"
        return self.output(cell).locator(labeled).get_by_role("slider")

    def button(self, cell, name):
        """The button of this name below the cell."""
        return self.output(cell).get_by_role("button", name=name, exact=True)

    def shows(self, cell, name):
        """Whether the picture in the page is, to the letter, the one of the kernel's explorer."""
        html = self.ask(f"str({name}.html)")
        return self.picture(cell).evaluate("svg => svg.outerHTML") == self.inner_html(html)

    def inner_html(self, html):
        """The text as a browser gives it back."""
        return self.page.evaluate(AS_A_PAGE_SAYS_IT, html)

    def until(self, holds, seconds=10):
        """Wait for something to hold; False if it never does."""
        end = time.monotonic() + seconds
        while not (held := holds()) and time.monotonic() < end:
            self.page.wait_for_timeout(20)
        return held

    def ask(self, expression):
        """The value of an expression in the notebook's kernel."""
        with urllib.request.urlopen(f"{self.address}/api/sessions") as answer:
            sessions = json.load(answer)
        kernel = next(s["kernel"]["id"] for s in sessions if s["name"] == f"{self.name}.ipynb")
        connection = self.folder / "data" / "runtime" / f"kernel-{kernel}.json"
        client = BlockingKernelClient(connection_file=str(connection))
        client.load_connection_file()
        client.start_channels()
        try:
            request = client.execute("", user_expressions={"asked": expression}, silent=True)
            while (reply := client.get_shell_msg(timeout=20))["parent_header"]["msg_id"] != request:
                pass
        finally:
            client.stop_channels()
        answer = reply["content"]["user_expressions"]["asked"]
        assert answer["status"] == "ok", answer
        return ast.literal_eval(answer["data"]["text/plain"])


@pytest.fixture(scope="module")
def notebook(request, browser, lab, lab_folder):
    """The test file's CELLS, run in JupyterLab."""
    notebook = Notebook(browser, lab, lab_folder, request.module.__name__, request.module.CELLS)
    yield notebook
    notebook.page.close()

"""JupyterLab on a folder of notebooks, and a notebook open in it, as hands and eyes meet it."""

import ast
import contextlib
import functools
import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import nbformat
from jupyter_client import BlockingKernelClient

from cnnbp.__main__ import environment

ROOT = Path(__file__).parents[1]
# Which Python has the JupyterLab that is served: this one's, unless another version is to be tried.
PYTHON = os.path.abspath(os.environ.get("LAB_PYTHON", sys.executable))
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
LOADED = 120_000  # milliseconds until a page, or all its cells, are there on a busy machine
KERNEL = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}

# What a picture says at this moment: its links that are visible.
SHOWN = """picture => [...picture.querySelectorAll('.link')]
    .filter(link => getComputedStyle(link).visibility === 'visible')
    .map(link => (link.innerText ?? link.textContent).replace(/\\s/g, ' '))
    .filter(Boolean).join(' ')"""
AS_A_PAGE_SAYS_IT = """html => {
    const element = document.createElement('div')
    element.innerHTML = html
    return element.innerHTML
}"""


class Notebook:
    """Cells run in JupyterLab. `errors` is what the browser's console complained of.

    script   JavaScript that the page runs first
    """

    def __init__(self, browser, lab, folder, name, cells, script=""):
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
        self.page.add_init_script(script)
        self.page.goto(f"{lab}/{name}.ipynb?reset")  # without the notebooks opened before
        # The toolbar says idle before the kernel listens, and Run All would be dropped.
        self.page.wait_for_selector("text=Python 3 (ipykernel) | Idle", timeout=LOADED)
        self.page.get_by_role("menuitem", name="Run", exact=True).click()
        self.page.get_by_text("Run All Cells", exact=True).click()
        self.picture(len(cells) - 1).wait_for(timeout=LOADED)

    def _heard(self, message):
        if message.type == "error":
            self.errors.append(message.text)

    def output(self, cell):
        """Everything below the cell of this number."""
        return self.page.locator(".jp-CodeCell").nth(cell).locator(".jp-Cell-outputArea")

    def picture(self, cell):
        """The picture below the cell of this number."""
        return self.output(cell).locator(".widget-html-content > .cnnbp")

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
        request = self.client.execute("", user_expressions={"asked": expression}, silent=True)
        while (reply := self.client.get_shell_msg(timeout=20))["parent_header"][
            "msg_id"
        ] != request:
            pass
        answer = reply["content"]["user_expressions"]["asked"]
        assert answer["status"] == "ok", answer
        return ast.literal_eval(answer["data"]["text/plain"])

    @functools.cached_property
    def client(self):
        """A connection of our own to the kernel, beside the page's."""
        with urllib.request.urlopen(f"{self.address}/api/sessions") as answer:
            sessions = json.load(answer)
        kernel = next(s["kernel"]["id"] for s in sessions if s["name"] == f"{self.name}.ipynb")
        connection = self.folder / "runtime" / f"kernel-{kernel}.json"
        client = BlockingKernelClient(connection_file=str(connection))
        client.load_connection_file()
        client.start_channels(iopub=False, stdin=False, hb=False, control=False)
        return client

    def close(self):
        """Leave the page and the kernel."""
        self.client.stop_channels()
        self.page.close()


def installed_browser():
    """The path of the first of BROWSERS that is installed, or None."""
    return next(filter(None, map(shutil.which, BROWSERS)), None)


@contextlib.contextmanager
def served(folder):
    """JupyterLab on a folder with notebooks/: f"{address}/00_start_here.ipynb" opens one.

    It has the settings of the command `cnnbp`. Notebooks that are there already are trusted.
    """
    variables = environment(folder) | apart(folder)
    if lessons := sorted((folder / "notebooks").glob("*.ipynb")):
        trust = [Path(sys.executable).with_name("jupyter"), "trust", *lessons]
        subprocess.run(trust, env=variables, check=True, capture_output=True)
    command = [PYTHON, "-m", "jupyterlab", f"--ServerApp.root_dir={folder}"]
    with started(command, variables, folder / "log") as (address, _):
        yield f"{address}/lab/tree/notebooks"


@contextlib.contextmanager
def opened(folder, **options):
    """The course, as the command opens it in folder/course: its address and its process."""
    home = folder / "home"
    home.mkdir()
    variables = os.environ | apart(folder) | {"HOME": str(home), "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "cnnbp", str(folder / "course")]
    command += ["--ServerApp.disable_check_xsrf=True"]  # a test asks it without a browser
    with started(command, variables, folder / "log", **options) as opened:
        yield opened


def apart(folder):
    """Variables that keep what Jupyter writes for itself in a folder."""
    names = {"config", "data", "runtime"}
    return {f"JUPYTER_{name.upper()}_DIR": str(folder / name) for name in names}


@contextlib.contextmanager
def started(command, variables, log, folder=None, stdin=subprocess.DEVNULL):
    """A command that serves JupyterLab, run in a folder: its address and its process."""
    address = f"http://127.0.0.1:{free_port()}"
    command = [*command, "--no-browser", "--allow-root", "--IdentityProvider.token="]
    command += [f"--port={address.rpartition(':')[2]}", "--ServerApp.port_retries=0"]
    with log.open("wb") as output:
        server = subprocess.Popen(
            command, cwd=folder, env=variables, start_new_session=True,
            stdin=stdin, stdout=output, stderr=output,
        )  # fmt: skip
        try:
            wait_until_served(address, log)
            yield address, server
        finally:
            server.terminate()
            server.wait(timeout=30)


def free_port():
    """A port of this machine that nothing listens on."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def wait_until_served(address, log, seconds=120):
    start = time.monotonic()
    while time.monotonic() < start + seconds:
        try:
            return urllib.request.urlopen(f"{address}/api", timeout=5).close()
        except OSError:  # it does not listen yet, or not to everybody
            time.sleep(0.1)
    raise TimeoutError(f"JupyterLab did not start: {log.read_text(encoding='utf-8')}")

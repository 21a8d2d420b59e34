"""What all tests share: settings, a browser, and JupyterLab on a copy of the lessons."""

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import hypothesis
import pytest

ROOT = Path(__file__).parents[1]
BROWSERS = ("chromium", "chromium-browser", "google-chrome")

os.environ.setdefault("MPLBACKEND", "agg")
pytest.register_assert_rewrite("helpers")
hypothesis.settings.register_profile("cnnbp", deadline=None, derandomize=True)
hypothesis.settings.load_profile("cnnbp")


def pytest_ignore_collect(collection_path):
    """Only test_*.py holds tests; --doctest-modules would import every other file, too."""
    if collection_path.suffix == ".py" and not collection_path.name.startswith("test_"):
        return True
    return None


@pytest.fixture(scope="session")
def browser():
    """Chromium. Without it a test is skipped, or fails where REQUIRE_BROWSER is set."""
    found = [path for path in map(shutil.which, BROWSERS) if path]
    if not found:
        missing = f"needs a browser: none of {', '.join(BROWSERS)} is installed"
        if os.environ.get("REQUIRE_BROWSER"):
            pytest.fail(missing)
        pytest.skip(missing)
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=found[0])
        yield chromium
        chromium.close()


@pytest.fixture
def page(browser):
    """An empty page, closed afterwards."""
    page = browser.new_page()
    yield page
    page.close()


@pytest.fixture(scope="session")
def lab_folder(tmp_path_factory):
    """The folder that JupyterLab serves, with a copy of the lessons in notebooks/."""
    folder = tmp_path_factory.mktemp("lab")
    shutil.copytree(ROOT / "notebooks", folder / "notebooks")
    return folder


@pytest.fixture(scope="session")
def lab(browser, lab_folder):
    """JupyterLab on a trusted copy of the lessons: f"{lab}/00_start_here.ipynb" opens one."""
    environment = os.environ | {
        "JUPYTER_CONFIG_DIR": str(lab_folder / "config"),
        "JUPYTER_DATA_DIR": str(lab_folder / "data"),
    }
    lessons = (lab_folder / "notebooks").glob("*.ipynb")
    trust = [Path(sys.executable).with_name("jupyter"), "trust", *lessons]
    subprocess.run(trust, env=environment, check=True, capture_output=True)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{free.getsockname()[1]}"
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root"]
    command += [f"--port={address.rpartition(':')[2]}", "--ServerApp.port_retries=0"]
    command += [f"--ServerApp.root_dir={lab_folder}", "--IdentityProvider.token="]
    with (lab_folder / "log").open("wb") as log:
        server = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
        try:
            wait_until_served(address, lab_folder / "log")
            yield f"{address}/lab/tree/notebooks"
        finally:
            server.terminate()
            server.wait(timeout=30)


def wait_until_served(address, log, seconds=60):
    start = time.monotonic()
    while time.monotonic() < start + seconds:
        try:
            return urllib.request.urlopen(f"{address}/api", timeout=5).close()
        except urllib.error.URLError:
            time.sleep(0.1)
    raise TimeoutError(f"JupyterLab did not start: {log.read_text(encoding='utf-8')}")

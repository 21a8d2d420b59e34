"""What all tests share: settings, a browser, and JupyterLab on a copy of the lessons."""

import os
import shutil
from pathlib import Path

import hypothesis
import pytest
from lab import BROWSERS, installed_browser, served

ROOT = Path(__file__).parents[1]
NETWORK_IS_SHUT = "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"

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
    """Chromium, which reaches this machine alone.

    Without it a test is skipped, or fails where REQUIRE_BROWSER is set.
    """
    found = installed_browser()
    if not found:
        missing = f"needs a browser: none of {', '.join(BROWSERS)} is installed"
        if os.environ.get("REQUIRE_BROWSER"):
            pytest.fail(missing)
        pytest.skip(missing)
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=found, args=[NETWORK_IS_SHUT])
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
    with served(lab_folder) as address:
        yield address

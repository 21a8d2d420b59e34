"""Every test file here runs its own cells in JupyterLab, once, in a browser that all share."""

from pathlib import Path

import pytest
from lab import Notebook


@pytest.hookimpl(tryfirst=True)  # xdist reads the groups in the same hook
def pytest_collection_modifyitems(items):
    """A file's tests that share its notebook stay together; all others go to whoever is free."""
    for item in items:
        shares = {"notebook", "fields", "desk", "phone", "pictures"} & set(item.fixturenames)
        if item.path.parent == Path(__file__).parent and shares:
            item.add_marker(pytest.mark.xdist_group(item.path.stem))


@pytest.fixture(scope="module")
def notebook(request, browser, lab, lab_folder):
    """The test file's CELLS, run in JupyterLab."""
    notebook = Notebook(browser, lab, lab_folder, request.module.__name__, request.module.CELLS)
    yield notebook
    notebook.close()

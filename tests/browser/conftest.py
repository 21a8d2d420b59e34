"""Every test file here runs its own cells in JupyterLab, once, in a browser that all share."""

import pytest
from lab import Notebook


@pytest.fixture(scope="module")
def notebook(request, browser, lab, lab_folder):
    """The test file's CELLS, run in JupyterLab."""
    notebook = Notebook(browser, lab, lab_folder, request.module.__name__, request.module.CELLS)
    yield notebook
    notebook.close()


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    """Cells that run once are run by one process, where tests are dealt out to several."""
    for item in items:
        if hasattr(item.module, "CELLS"):
            item.add_marker(pytest.mark.xdist_group(item.module.__name__))

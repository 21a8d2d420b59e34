"""Every test file here runs its own cells in JupyterLab, once, in a browser that all share."""

import pytest
from lab import Notebook


@pytest.fixture(scope="module")
def notebook(request, browser, lab, lab_folder):
    """The test file's CELLS, run in JupyterLab."""
    notebook = Notebook(browser, lab, lab_folder, request.module.__name__, request.module.CELLS)
    yield notebook
    notebook.close()

"""Progress is written beside the notebooks; in these tests, into an empty folder."""

import pytest


@pytest.fixture(autouse=True)
def own_folder(tmp_path, monkeypatch):
    """The folder that a check writes to."""
    monkeypatch.chdir(tmp_path)
    return tmp_path

"""What all tests share. Scripts that make data or measure speed are not collected as tests."""

import os

import hypothesis

os.environ.setdefault("MPLBACKEND", "agg")
hypothesis.settings.register_profile("cnnbp", deadline=None, derandomize=True)
hypothesis.settings.load_profile("cnnbp")


def pytest_ignore_collect(collection_path):
    """Only test_*.py holds tests; --doctest-modules would import every other file, too."""
    if collection_path.suffix == ".py" and not collection_path.name.startswith("test_"):
        return True
    return None

"""Binder's image as repo2docker would build it, rendered without building."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def recipe():
    """The Dockerfile of this repository, as text."""
    tool = Path(sys.executable).with_name("jupyter-repo2docker")
    user = ["--user-id", "1000", "--user-name", "learner"]
    finished = subprocess.run(
        [tool, "--no-build", "--debug", *user, "."],
        cwd=ROOT, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert finished.returncode == 0, finished.stderr
    return finished.stdout + finished.stderr


def test_python_is_3_12(recipe):
    assert "Building conda environment for python=3.12" in recipe
    assert re.search(r"environment.*3-2e12.*lock", recipe)


def test_requirements_are_installed_before_the_repository_is_copied(recipe):
    install = recipe.index('pip install --no-cache-dir -r "binder/requirements.txt"')
    copy = recipe.index("src/ ${REPO_DIR}/\n")
    after = recipe.index("RUN ./binder/postBuild")
    assert install < copy < after


def test_post_build_runs_and_stops_at_the_first_failure():
    script = ROOT / "binder" / "postBuild"
    assert os.access(script, os.X_OK)
    assert script.read_text(encoding="utf-8").splitlines()[2] == "set -euo pipefail"
    subprocess.run(["bash", "-n", script], check=True)

"""Binder's image: as repo2docker renders it, and as it comes out, without building one."""

import contextlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path

import nbformat
import pytest
from nbformat.sign import NotebookNotary

pytestmark = pytest.mark.skipif(os.name == "nt", reason="needs a machine like Binder's image")

ROOT = Path(__file__).parents[1]
LESSON = "notebooks/08_walkthrough_network.ipynb"

# What is in the image before our packages, as the installed repo2docker has it.
REPO2DOCKER = Path(find_spec("repo2docker").origin).parent
LOCK = REPO2DOCKER / "buildpacks/conda/environment.py-3.12-linux-64.lock"
BASE = ["jupyterlab", "notebook", "ipywidgets", "jupyterhub", "jupyter-resource-usage"]


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


def test_jupyterlab_is_started_with_one_thread_for_numpy(recipe):
    assert 'ENV R2D_ENTRYPOINT="${REPO_DIR}/binder/start"' in recipe
    shown = subprocess.check_output([ROOT / "binder" / "start", "env"], env={}, text=True)
    assert {"OPENBLAS_NUM_THREADS=1", "OMP_NUM_THREADS=1"} <= set(shown.splitlines())


@pytest.mark.parametrize("name", ["postBuild", "start"])
def test_script_can_be_run(name):
    script = ROOT / "binder" / name
    assert os.access(script, os.X_OK)
    subprocess.run(["bash", "-n", script], check=True)


def test_post_build_stops_at_the_first_failure():
    script = ROOT / "binder" / "postBuild"
    assert script.read_text(encoding="utf-8").splitlines()[2] == "set -euo pipefail"


class Image:
    """A folder with Binder's packages in an environment, ours over them, and the repository."""

    def __init__(self, folder, python):
        self.home, self.environment = folder / "home", folder / "environment"
        ignored = shutil.ignore_patterns(".*", "*.egg-info", "__pycache__")
        shutil.copytree(ROOT, self.home, ignore=ignored)
        subprocess.run([python, "-m", "venv", self.environment], check=True)
        constraints = self.home / "base.txt"
        constraints.write_text("\n".join(f"{name}=={pin}" for name, pin in base_pins().items()))
        install = ["pip", "install", "--quiet", "--no-compile"]
        self.run(*install, "-c", constraints, *BASE)
        self.run(*install, "-r", "binder/requirements.txt")
        self.run("binder/postBuild")

    def run(self, *command):
        """What the command prints, run in the repository as in Binder's image."""
        path = os.pathsep.join([str(self.environment / "bin"), os.environ["PATH"]])
        finished = subprocess.run(
            command,
            cwd=self.home, env=os.environ | {"HOME": str(self.home), "PATH": path},
            capture_output=True, text=True, check=False, timeout=300,
        )  # fmt: skip
        assert finished.returncode == 0, finished.stdout + finished.stderr
        return finished.stdout


def base_pins():
    """The versions of Binder's own Python packages, under the names that pip knows them by."""
    lock = LOCK.read_text(encoding="utf-8")
    pins = dict(re.findall(r"/([\w.-]+)-([\w.]+)-[^-/]*py[^-/]*\.(?:conda|tar)", lock))
    return pins | {"jupyterhub": pins["jupyterhub-base"], "nbconvert": pins["nbconvert-core"]}


def pythons():
    """Where Python 3.12 may be: on PATH, or behind a shim of pyenv's, which fails by itself."""
    for folder in [Path(sys.prefix, "bin"), *map(Path, os.get_exec_path())]:
        yield folder / "python3.12"
        yield from folder.parent.glob("versions/3.12.*/bin/python3.12")


def can_make_environments(python):
    command = [python, "-c", "import ensurepip, venv"]
    return python.exists() and not subprocess.run(command, capture_output=True).returncode


@pytest.fixture(scope="module")
def image():
    python = next(filter(can_make_environments, pythons()), None)
    if python is None:
        pytest.skip("needs Python 3.12, which Binder has: there is none on PATH")
    with tempfile.TemporaryDirectory() as folder:
        yield Image(Path(folder), python)


def test_packages_in_the_image_agree(image):
    assert image.run("pip", "check") == "No broken requirements found.\n"


def test_image_keeps_its_own_jupyter(image):
    installed = image.run("pip", "freeze").splitlines()
    assert {f"{name}=={base_pins()[name]}" for name in BASE} <= set(installed)


def test_jupyterlab_in_the_image_has_settings_that_it_knows(image):
    installed = image.environment / "etc/jupyter/labconfig/default_setting_overrides.json"
    for plugin, settings in json.loads(installed.read_text(encoding="utf-8")).items():
        package, name = plugin.split(":")
        schema = image.environment / "share/jupyter/lab/schemas" / package / f"{name}.json"
        known = json.loads(schema.read_text(encoding="utf-8"))["properties"]
        assert set(settings) <= set(known)


def test_lessons_are_trusted_in_the_image(image):
    lesson = nbformat.read(image.home / LESSON, as_version=4)
    notary = NotebookNotary(data_dir=str(image.home / ".local/share/jupyter"))
    with contextlib.closing(notary.store):
        assert notary.check_signature(lesson)


def test_a_lesson_shows_the_same_pictures_in_the_image(image):
    stored = pictures(ROOT / LESSON)
    image.run("binder/start", "jupyter", "execute", "--inplace", LESSON)
    assert stored
    assert pictures(image.home / LESSON) == stored


def pictures(path):
    """The SVG texts that a notebook without errors and warnings holds."""
    outputs = [
        output
        for cell in nbformat.read(path, as_version=4).cells
        for output in cell.get("outputs", [])
    ]
    assert not [output for output in outputs if output.get("name") == "stderr"]
    data = [output.get("data", {}) for output in outputs]
    return [each["image/svg+xml"] for each in data if "image/svg+xml" in each]

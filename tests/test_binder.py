"""Binder's image: as repo2docker renders it, and as it comes out, without building one.

What is marked as `apart` makes the image's environment, which takes minutes: `make binder`.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import urllib.request
from importlib.util import find_spec
from pathlib import Path

import pytest
from lab import started
from stored import shown_in

pytestmark = pytest.mark.skipif(os.name == "nt", reason="needs a machine like Binder's image")

ROOT = Path(__file__).parents[1]
LESSONS = sorted(path.name for path in (ROOT / "notebooks").glob("*.ipynb"))
SETTINGS = ROOT / "cnnbp/lab/labconfig/default_setting_overrides.json"

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


def test_jupyterlab_is_started_with_the_courses_settings_and_opens_the_copies():
    shown = subprocess.check_output([ROOT / "binder" / "start", "env"], env={}, text=True)
    folders = re.search(r"^JUPYTER_CONFIG_PATH=(.*)$", shown, re.MULTILINE)[1].split(":")
    assert folders == [str(ROOT / "cnnbp" / "lab"), str(ROOT / "binder")]
    assert f"JUPYTER_PATH={ROOT / 'cnnbp' / 'lab'}" in shown.splitlines()
    opens = json.loads((ROOT / "binder" / "jupyter_config.json").read_text(encoding="utf-8"))
    assert {each["default_url"] for each in opens.values()} == {f"/lab/tree/course/{LESSONS[0]}"}


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
        ignored = shutil.ignore_patterns(
            ".*", "*.egg-info", "__pycache__", "build", "course", "site"
        )
        shutil.copytree(ROOT, self.home, ignore=ignored)
        subprocess.run([python, "-m", "venv", self.environment], check=True)
        constraints = self.home / "base.txt"
        constraints.write_text("\n".join(f"{name}=={pin}" for name, pin in base_pins().items()))
        install = ["pip", "install", "--quiet", "--no-compile"]
        self.run(*install, "-c", constraints, *BASE)
        self.run(*install, "-r", "binder/requirements.txt")
        self.run("binder/postBuild")

    @property
    def variables(self):
        path = os.pathsep.join([str(self.environment / "bin"), os.environ["PATH"]])
        return os.environ | {"HOME": str(self.home), "PATH": path}

    def run(self, *command):
        """What the command prints, run in the repository as in Binder's image."""
        finished = subprocess.run(
            command,
            cwd=self.home, env=self.variables,
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
        pytest.fail("needs Python 3.12, which Binder has: there is none on PATH")
    with tempfile.TemporaryDirectory() as folder:
        yield Image(Path(folder), python)


@pytest.mark.apart
def test_packages_in_the_image_agree(image):
    assert image.run("pip", "check") == "No broken requirements found.\n"


@pytest.mark.apart
def test_image_keeps_its_own_jupyter(image):
    installed = image.run("pip", "freeze").splitlines()
    assert {f"{name}=={base_pins()[name]}" for name in BASE} <= set(installed)


@pytest.mark.apart
def test_a_learners_copies_lie_in_the_image(image):
    copies = sorted((image.home / "course").glob("*.ipynb"))
    assert [path.name for path in copies] == LESSONS
    assert not any(shown_in(path)[cell] for path in copies for cell in shown_in(path))


@pytest.mark.apart
def test_jupyter_in_the_image_opens_the_copies_with_settings_that_it_knows(image, tmp_path):
    command = [image.home / "binder" / "start", "jupyter", "notebook"]
    with started(command, image.variables, tmp_path / "log", image.home) as (address, _):
        with urllib.request.urlopen(f"{address}/", timeout=30) as answer:
            assert answer.url == f"{address}/lab/tree/course/{LESSONS[0]}"
        for plugin, settings in json.loads(SETTINGS.read_text(encoding="utf-8")).items():
            with urllib.request.urlopen(f"{address}/lab/api/settings/{plugin}") as answer:
                known = json.load(answer)["schema"]["properties"]
            assert {name: known[name]["default"] for name in settings} == settings


@pytest.mark.apart
@pytest.mark.parametrize("name", LESSONS)
def test_a_lesson_shows_in_the_image_what_is_stored(image, name):
    image.run("binder/start", "jupyter", "execute", "--inplace", f"course/{name}")
    stored = shown_in(ROOT / "notebooks" / name)
    assert any(stored.values())
    assert shown_in(image.home / "course" / name) == stored

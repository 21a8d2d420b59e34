"""The package in empty environments: from a wheel, a source archive, a folder, or not installed.

They have what `pip install cnnbp` brings and no more, linked from the environment of the tests.
"""

import re
import shutil
import subprocess
import sys
import venv
import zipfile
from importlib.metadata import distribution
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from cnnbp.course import fresh_copies

ROOT = Path(__file__).parents[1]
WAYS = ["wheel", "sdist", "editable", "checkout"]
BUILD = "from setuptools import build_meta as b; b.build_wheel('dist'); b.build_sdist('dist')"


def run(*command, folder):
    return subprocess.run(
        [*map(str, command)], cwd=folder, capture_output=True, text=True, check=False, timeout=120
    )


def done(*command, folder):
    """What a command prints that has to succeed."""
    finished = run(*command, folder=folder)
    assert finished.returncode == 0, finished.stdout + finished.stderr
    return finished.stdout


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    """A copy of the repository, with wheel and source archive in dist/."""
    folder = tmp_path_factory.mktemp("source") / "cnnbp"
    ignored = shutil.ignore_patterns(".*", "*.egg-info", "__pycache__", "build", "dist", "site")
    shutil.copytree(ROOT, folder, ignore=ignored)
    done(sys.executable, "-c", BUILD, folder=folder)
    shutil.rmtree(folder / "build")
    return folder


def needs(name):
    """The names of a distribution and of all that it needs here, as the installed ones say."""
    wanted = map(Requirement, distribution(name).requires or [])
    here = [each.name for each in wanted if not each.marker or each.marker.evaluate({"extra": ""})]
    return {name}.union(*map(needs, here))


@pytest.fixture(scope="module")
def hard_needs(tmp_path_factory):
    """A folder with numpy and matplotlib and what they need; and setuptools, which builds."""
    folder = tmp_path_factory.mktemp("needs")
    for name in needs("numpy") | needs("matplotlib") | {"setuptools"}:
        one = distribution(name)
        for top in {file.parts[0] for file in one.files} - {"..", "__pycache__"}:
            (folder / top).symlink_to(one.locate_file(top))
    return folder


class Place:
    """Where somebody has the package: how they start its Python, and from which folder."""

    def __init__(self, way, folder, source, hard_needs):
        self.way, self.folder = way, source if way == "checkout" else folder
        venv.create(folder / "environment", symlinks=sys.platform != "win32")
        self.programs = folder / "environment" / ("Scripts" if sys.platform == "win32" else "bin")
        self.python = self.programs / "python"
        places = self.python_says("import site; print(*site.getsitepackages())")
        Path(places.split()[-1], "needs.pth").write_text(str(hard_needs), encoding="utf-8")
        if way != "checkout":
            pip = [sys.executable, "-m", "pip", "--python", self.python, "install", "--quiet"]
            options = ["--no-index", "--no-deps", "--no-build-isolation"]
            done(*pip, *options, *self.given(way, source), folder=folder)

    def given(self, way, source):
        """What pip is given to install."""
        if way == "editable":
            return ["-e", source]
        return source.glob({"wheel": "dist/*.whl", "sdist": "dist/*.tar.gz"}[way])

    def python_says(self, code):
        return done(self.python, "-c", code, folder=self.folder)


@pytest.fixture(scope="module", params=WAYS)
def place(request, tmp_path_factory, source, hard_needs):
    return Place(request.param, tmp_path_factory.mktemp(request.param), source, hard_needs)


def test_the_course_is_laid_out(place, tmp_path):
    done(place.python, "-m", "cnnbp", tmp_path / "mine", "--no-lab", folder=place.folder)
    laid = {
        path.name: path.read_text(encoding="utf-8") for path in (tmp_path / "mine").glob("[!.]*")
    }
    assert laid == fresh_copies()


def test_the_command_is_installed(place):
    command = place.programs / "cnnbp"
    if place.way == "checkout":
        assert not command.exists()
    else:
        assert re.match(r"cnnbp \d", done(command, "--version", folder=place.folder))


def test_the_courses_settings_are_there(place):
    code = "from cnnbp.course import PACKAGE; print(PACKAGE / 'lab')"
    theirs, ours = Path(place.python_says(code).strip()), ROOT / "cnnbp" / "lab"
    files = [path.relative_to(ours) for path in ours.rglob("*") if path.is_file()]
    assert len(files) == 3
    for file in files:
        assert (theirs / file).read_bytes() == (ours / file).read_bytes()


def test_kernels_find_the_package(place, tmp_path):
    """Also one that is not installed: its folder is on the path."""
    code = f"""
import subprocess, sys, pathlib
from cnnbp.__main__ import environment
folder = pathlib.Path({str(tmp_path)!r})
kernel = [sys.executable, "-c", "import cnnbp; print(cnnbp.__file__)"]
subprocess.run(kernel, cwd=folder, env=environment(folder), check=True)
"""
    assert place.python_says(code).endswith("__init__.py\n")


def test_a_missing_jupyterlab_is_named_with_its_remedy(place, tmp_path):
    finished = run(place.python, "-m", "cnnbp", tmp_path / "mine", folder=place.folder)
    assert finished.returncode == 1
    (line,) = finished.stderr.splitlines()
    assert "JupyterLab" in line
    assert line.endswith("python -m pip install jupyterlab ipywidgets tqdm")
    assert (tmp_path / "mine" / "00_start_here.ipynb").exists()


def test_missing_widgets_are_named_with_their_remedy(place):
    finished = run(place.python, "-c", "import cnnbp.explorers", folder=place.folder)
    assert finished.returncode == 1
    assert finished.stderr.endswith("restart the kernel: %pip install ipywidgets\n")


TRAINING = """
from cnnbp import SGD, Flatten, Linear, Network, digits, exercises, pictures, train
(images, labels), _ = digits()
network = Network([Flatten(), Linear(64, 10)])
optimizer = SGD(network, learning_rate=0.1)
print(len(train(network, images, labels, optimizer=optimizer, epochs=1, batch_size=100).train_loss))
"""


def test_all_but_the_sliders_works_without_a_bar(place):
    assert place.python_says(TRAINING) == "1\n"


def test_numpy_and_matplotlib_are_the_only_hard_needs(source):
    (wheel,) = source.glob("dist/*.whl")
    with zipfile.ZipFile(wheel) as archive:
        (name,) = [name for name in archive.namelist() if name.endswith("/METADATA")]
        metadata = archive.read(name).decode()
        files = archive.namelist()
    needed = re.findall(r"^Requires-Dist: ([\w-]+)[^;\n]*(.*)$", metadata, re.MULTILINE)
    assert {name for name, condition in needed if not condition} == {"numpy", "matplotlib"}
    lab = {name for name, condition in needed if 'extra == "lab"' in condition}
    assert lab == {"jupyterlab", "ipywidgets", "tqdm"}
    assert {file.split("/")[0] for file in files} == {"cnnbp", name.split("/")[0]}

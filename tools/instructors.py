"""Write the table of exercises into docs/instructors.md: `python tools/instructors.py`."""

import re
from pathlib import Path

from cnnbp.exercises import TASKS

PAGE = Path(__file__).parents[1] / "docs" / "instructors.md"
HEAD = "| lesson | exercise | known mistakes and conventions |\n|---|---|---|\n"


def table():
    """A row for each exercise, in the order of the lessons."""
    return HEAD + "".join(
        f"| {task.lesson} | `{task.name}` | {len(task.mistakes)} |\n" for task in TASKS
    )


def current(text):
    """The page with the table as it is today."""
    return re.sub(rf"{re.escape(HEAD)}(\|.*\n)*", table(), text)


if __name__ == "__main__":
    PAGE.write_text(current(PAGE.read_text(encoding="utf-8")), encoding="utf-8")

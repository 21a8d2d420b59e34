"""A table of grades for the class, from what a grader left behind, as CSV:

    python tools/grades.py nbgrader week4 > week4.csv    in nbgrader's folder, after autograde
    python tools/grades.py otter results > week4.csv     results/LEARNER/results.json of otter run

A row for each learner: their points, those of every exercise, and for each the sentence that says
what was wrong.
"""

import argparse
import csv
import json
import re
import sys
from dataclasses import dataclass
from pathlib import Path

# Otter-Grader shows an exception as Python does: its name and its message end a traceback.
RAISED = re.compile(r"^ *(\w+(?:\.\w+)*): (.+)$", re.MULTILINE)


@dataclass(frozen=True)
class Grade:
    """What one learner got for one exercise, and what the check said; "" if it was right."""

    learner: str
    exercise: str
    points: float
    of: float
    said: str


def sentence(kind, message):
    """The first line of an exception: a check's own words, or what else went wrong.

    >>> sentence("AssertionError", "Your dx is transposed.\\nReread lesson 03.")
    'Your dx is transposed.'
    >>> sentence("NameError", "name 'np' is not defined")
    "NameError: name 'np' is not defined"
    """
    first = message.partition("\n")[0]
    return first if kind == "AssertionError" else f"{kind}: {first}"


def nbgrader(assignment):
    """The grades of an assignment, those changed by hand too, from the folder of the course."""
    from nbgrader.api import Gradebook

    with Gradebook("sqlite:///gradebook.db") as book:
        for submission in book.assignment_submissions(assignment):
            learner = submission.student.id
            for notebook in submission.notebooks:
                path = Path("autograded", learner, assignment, f"{notebook.name}.ipynb")
                said = errors(json.loads(path.read_text(encoding="utf-8")))
                for grade in notebook.grades:
                    name = grade.name
                    yield Grade(learner, name, grade.score, grade.max_score, said.get(name, ""))


def errors(notebook):
    """{exercise: what its check said}, of the cells of an autograded notebook that failed."""
    return {
        cell["metadata"]["nbgrader"]["grade_id"]: sentence(output["ename"], output["evalue"])
        for cell in notebook["cells"]
        if "nbgrader" in cell["metadata"]
        for output in cell.get("outputs", [])
        if output["output_type"] == "error"
    }


def otter(folder):
    """The grades of all results below a folder, LEARNER/results.json."""
    for path in sorted(Path(folder).glob("*/results.json")):
        for test in json.loads(path.read_text(encoding="utf-8"))["tests"]:
            if "score" in test:  # what is public is summed up in an entry without one
                raised = RAISED.search(traceback_of(test["output"]))
                said = sentence(*raised.groups()) if raised else ""
                yield Grade(path.parent.name, test["name"], test["score"], test["max_score"], said)


def traceback_of(output):
    """What Otter-Grader shows from the first traceback on; "" without one.

    >>> traceback_of("Trying: f: x\\nTraceback (most recent call last):\\nValueError: no")
    'Traceback (most recent call last):\\nValueError: no'
    """
    start = output.find("Traceback (most recent call last):")
    return output[start:] if start >= 0 else ""


def table(grades):
    """Rows of the table, the first one its head, learners and exercises as they come.

    >>> for row in table([Grade("ada", "im2col", 4, 4, ""), Grade("bo", "im2col", 0, 4, "No.")]):
    ...     print(row)
    ['learner', 'points', 'of', 'im2col', 'im2col: what was said']
    ['ada', 4, 4, 4, '']
    ['bo', 0, 4, 0, 'No.']
    """
    grades = {(each.learner, each.exercise): each for each in grades}
    learners, exercises = (list(dict.fromkeys(names)) for names in zip(*grades, strict=True))
    said = [f"{name}: what was said" for name in exercises]
    yield ["learner", "points", "of", *exercises, *said]
    for learner in learners:
        missing = (Grade(learner, name, 0, 0, "not graded") for name in exercises)
        own = [grades.get((each.learner, each.exercise), each) for each in missing]
        points, of = sum(each.points for each in own), sum(each.of for each in own)
        yield [learner, points, of, *(g.points for g in own), *(g.said for g in own)]


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("grader", choices=["nbgrader", "otter"])
    parser.add_argument("where", help="nbgrader's assignment, or the folder of Otter's results")
    wanted = parser.parse_args(arguments)
    grades = list({"nbgrader": nbgrader, "otter": otter}[wanted.grader](wanted.where))
    if not grades:
        sys.exit(f"There are no grades of {wanted.where} here; let {wanted.grader} grade it first.")
    csv.writer(sys.stdout).writerows(table(grades))


if __name__ == "__main__":
    main()

"""Write an assignment for a grader, with its tests:

    python tools/assignment.py nbgrader source/week4/week4.ipynb tanh_gradient=5 relu_gradient=3
    python tools/assignment.py otter week4.ipynb tanh_gradient=5 --seed 20301

Every exercise is its statement, a solution that the grader takes out, and a check that is worth
the points. A check with the numbers of --seed is hidden from learners.
"""

import argparse
import json
from pathlib import Path

from cnnbp.exercises import EXERCISES

CHECK = """\
from cnnbp import exercises

verdict = exercises.{name}.check({name}{seed})
assert verdict, verdict.message
assert verdict.task == "{name}", "this is the function of another exercise"
"""
KERNEL = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}


def check(name, seed=None):
    """The cell that judges the learner's function. `exercises.` keeps that from being replaced.

    >>> print(check("tanh_gradient", 7).splitlines()[2])
    verdict = exercises.tanh_gradient.check(tanh_gradient, seed=7)
    """
    return CHECK.format(name=name, seed="" if seed is None else f", seed={seed}").rstrip()


def solved(task, begin, end):
    """The stub with the solution's body in it, between two comments that the grader looks for."""
    head, sentence = task.stub().splitlines()[:2]
    body = task.solution().partition("):\n")[2].rstrip()
    return "\n".join(["import numpy as np\n\n", head, sentence, begin, body, end])


def nbgrader(task, points, seed):
    """The cells of one exercise for nbgrader: statement, solution, check."""
    yield cell("markdown", statement(task))
    solution = solved(task, "    ### BEGIN SOLUTION", "    ### END SOLUTION")
    yield cell("code", solution, nbgrader=mark(f"{task.name}_function", solution=True))
    hidden = f"### BEGIN HIDDEN TESTS\n{check(task.name, seed)}\n### END HIDDEN TESTS"
    tests = f"{check(task.name)}\n{hidden}"
    yield cell("code", tests, nbgrader=mark(task.name, grade=True, locked=True, points=points))


def mark(name, *, grade=False, solution=False, locked=False, **points):
    """What nbgrader reads of a cell."""
    kind = {"grade": grade, "solution": solution, "locked": locked, "task": False}
    return {"grade_id": name, "schema_version": 3, **kind, **points}


def otter(task, points, seed):
    """The cells of one exercise for Otter-Grader: statement, solution, two tests."""
    yield raw(f"# BEGIN QUESTION\nname: {task.name}\npoints: {points}")
    yield cell("markdown", statement(task))
    yield raw("# BEGIN SOLUTION")
    yield cell("code", solved(task, "    # BEGIN SOLUTION", "    # END SOLUTION"))
    yield raw("# END SOLUTION")
    yield raw("# BEGIN TESTS")
    yield cell("code", otter_test(check(task.name), "points: 0"))
    yield cell("code", otter_test(check(task.name, seed), f"hidden: true\npoints: {points}"))
    yield raw("# END TESTS")
    yield raw("# END QUESTION")


def otter_test(source, settings):
    """A test, with what Otter-Grader reads of it."""
    return f'""" # BEGIN TEST CONFIG\n{settings}\n""" # END TEST CONFIG\n{source}'


def statement(task):
    """The task as text: what is asked, its signature and shapes."""
    return f"## {task.name}\n\n```\n{task.signature}\n\n{task.text}\n```"


def cell(kind, source, **metadata):
    """A cell of a notebook."""
    code = {"execution_count": None, "outputs": []} if kind == "code" else {}
    return {"cell_type": kind, "metadata": metadata, "source": source, **code}


def raw(source):
    """A cell that only Otter-Grader reads."""
    return cell("raw", source)


FIRST = {
    "nbgrader": [],
    "otter": [raw("# ASSIGNMENT CONFIG\ngenerate: true\nexport_cell: false")],
}
CELLS = {"nbgrader": nbgrader, "otter": otter}


def assignment(grader, points, seed):
    """A notebook for a grader.

    grader  "nbgrader" or "otter"
    points  {name of an exercise: its points}
    seed    of the hidden numbers
    """
    cells = list(FIRST[grader])
    for name, worth in points.items():
        cells += CELLS[grader](EXERCISES[name], worth, seed)
    for number, each in enumerate(cells):
        each["id"] = f"cell-{number}"
    metadata = {"kernelspec": KERNEL}
    return {"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}


def exercise_and_points(text):
    """("tanh_gradient", 5) of "tanh_gradient=5"; one point if none are said."""
    name, _, points = text.partition("=")
    if name not in EXERCISES:
        raise argparse.ArgumentTypeError(f"{name} is no exercise: {', '.join(EXERCISES)}")
    if points and not points.isdecimal():
        raise argparse.ArgumentTypeError(f"{text}: points are a whole number")
    return name, int(points or 1)


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("grader", choices=list(CELLS))
    parser.add_argument("notebook", type=Path)
    parser.add_argument("exercises", nargs="+", type=exercise_and_points, metavar="EXERCISE=POINTS")
    parser.add_argument("--seed", type=int, default=1, help="of the hidden numbers")
    wanted = parser.parse_args(arguments)
    notebook = assignment(wanted.grader, dict(wanted.exercises), wanted.seed)
    wanted.notebook.parent.mkdir(parents=True, exist_ok=True)
    wanted.notebook.write_text(json.dumps(notebook, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()

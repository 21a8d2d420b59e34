"""The tiny case of an exercise as a page to print: given numbers, blank cells to fill in."""

import hashlib
import re
import textwrap
from html import escape

import numpy as np

from cnnbp.exercises.check.messages import say
from cnnbp.exercises.check.saying import brief
from cnnbp.exercises.pages.tables import MARGIN, arranged, entries, matrices
from cnnbp.pictures.svg import STYLE, Grid, Svg, text

WIDTH = 720  # pixels, a sheet of paper
COLUMN = 120  # from one column of the table of shapes to the next


class Sheet(Svg):
    """The SVG text of a page, which a notebook shows as a picture."""

    def __repr__(self):
        return f"<Sheet: {self.description}>"

    def _repr_mimebundle_(self, include=None, exclude=None):
        return {"image/svg+xml": str(self), "text/plain": repr(self)}


class Blank(Grid):
    """A table whose numbers are for the reader to write."""

    def _written(self):
        return ""


def sheet(task, seed, answers):
    """The page as a Sheet, with blank cells or with their answers."""
    case = task.drawn(seed)[0]
    wanted = task.result.read(task.answer(*task.case(0, seed)), case)
    page = _Paper()
    page.line(task.signature, css="name")
    page.line(f"{say('sheet.name')} {'_' * 40}      {say('sheet.seed', seed=seed)}")
    page.statement(task.text)
    page.values(case)
    page.line(say("sheet.write", names=", ".join(wanted)), css="name")
    page.values(wanted, blank=not answers)
    return page.svg(f"{task.name}, {say('sheet.seed', seed=seed)}")


class _Paper:
    """A page that fills from top to bottom."""

    def __init__(self):
        self.parts, self.y = [], MARGIN

    def line(self, *columns, css=""):
        """A line of text, or of several columns."""
        self.y += 18
        for number, content in enumerate(columns):
            self.parts.append(text(MARGIN + COLUMN * number, self.y, content, css))

    def statement(self, statement):
        """Its prose, wrapped; its table of shapes keeps its lines."""
        for paragraph in statement.split("\n\n"):
            self.y += 8
            lines = paragraph.splitlines()
            for line in lines if "  " in paragraph else textwrap.wrap(" ".join(lines), 100):
                self.line(*re.split("  +", line))

    def values(self, values, blank=False):
        """Arrays as tables beside one another, everything else in lines below."""
        self.y += 32
        table = Blank if blank else Grid
        grids = arranged(values, lambda *of: table(*of, limit=np.inf), (MARGIN, self.y), WIDTH)
        self.parts += [grid.svg() for grid in grids]  # no colors on paper
        self.y = max((grid.bottom for grid in grids), default=self.y)
        for line in _lines(values, blank):
            self.line(line)
        self.y += 8

    def svg(self, description):
        """The page as a Sheet with a style of its own."""
        body, height = "".join(self.parts), self.y + MARGIN
        name = "cnnbp-" + hashlib.sha1(body.encode()).hexdigest()[:10]
        svg = Sheet(
            f'<svg xmlns="http://www.w3.org/2000/svg" class="{name}" role="img" '
            f'aria-label="{escape(description)}" viewBox="0 0 {WIDTH} {height}" '
            f'width="{WIDTH}" height="{height}"><style>{STYLE.replace(".ID", f".{name}")}</style>'
            f'<rect class="page" width="{WIDTH}" height="{height}"/>{body}</svg>'
        )
        svg.description = description
        return svg


def _lines(values, blank):
    """What is not an array, as text."""
    for name, value in values.items():
        if isinstance(value, frozenset):
            yield f"{name}:"
            yield from ["_" * 60] * 6 if blank else entries(value)
        elif not list(matrices({name: value})):
            yield f"{name} = {brief(value)}"

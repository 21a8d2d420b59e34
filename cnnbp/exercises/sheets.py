"""The tiny case of an exercise as a page to print: given numbers, blank cells to fill in."""

import hashlib
import textwrap
from html import escape

import numpy as np

from cnnbp.exercises.messages import MESSAGES, say
from cnnbp.exercises.numbers import brief, cell_name
from cnnbp.pictures.svg import CELL, STYLE, Grid, Svg, text

WIDTH = 720  # pixels, a sheet of paper
MARGIN = 24


class Blank(Grid):
    """A table whose numbers are for the reader to write."""

    def _cell(self, cell):
        return ""


def sheet(task, seed, answers):
    """The page as an Svg, with blank cells or with their answers."""
    case = task.drawn(seed)[0]
    wanted = task.result.read(task.answer(*task.case(0, seed)), case)
    page = _Paper()
    page.line(task.signature, "name")
    page.line(f"{say('sheet.name')} {'_' * 40}      {say('sheet.seed', seed=seed)}")
    page.paragraphs(MESSAGES[task.name].split("\n\n"))
    page.values(case, Grid)
    page.line(say("sheet.write", names=", ".join(wanted)), "name")
    page.values(wanted, Grid if answers else Blank)
    return page.svg(f"{task.name}, {say('sheet.seed', seed=seed)}")


class _Paper:
    """A page that fills from top to bottom."""

    def __init__(self):
        self.parts, self.y = [], MARGIN

    def line(self, content, css=""):
        self.y += 18
        self.parts.append(text(MARGIN, self.y, content, css))

    def paragraphs(self, paragraphs):
        """The prose of a statement; its table of shapes keeps its lines."""
        for paragraph in paragraphs:
            self.y += 8
            is_table = "  " in paragraph
            lines = paragraph.splitlines() if is_table else textwrap.wrap(paragraph, 100)
            for each in lines:
                self.line(" ".join(each.split()))

    def values(self, values, table):
        """Numbers in tables beside one another, everything else in lines."""
        self.y += 24
        x, bottom = MARGIN, self.y
        for title, matrix in _matrices(values):
            if matrix is None:
                continue
            width = max(matrix.shape[1] * CELL, 7 * len(title)) + MARGIN
            if x + width > WIDTH and x > MARGIN:
                x, self.y = MARGIN, bottom + 28
            grid = table(title, matrix, (x, self.y), limit=np.inf)  # no colors on paper
            self.parts.append(grid.svg())
            x, bottom = x + width, max(bottom, grid.bottom)
        self.y = bottom
        for title, matrix in _matrices(values):
            if matrix is None:
                self.line(title)
        self.y += 8

    def svg(self, description):
        body, height = "".join(self.parts), self.y + MARGIN
        name = "cnnbp-" + hashlib.sha1(body.encode()).hexdigest()[:10]
        svg = Svg(
            f'<svg xmlns="http://www.w3.org/2000/svg" class="{name}" role="img" '
            f'aria-label="{escape(description)}" viewBox="0 0 {WIDTH} {height}" '
            f'width="{WIDTH}" height="{height}"><style>{STYLE.replace(".ID", f".{name}")}</style>'
            f'<rect class="page" width="{WIDTH}" height="{height}"/>{body}</svg>'
        )
        svg.description = description
        return svg


def _matrices(values):
    """(title, matrix) for every matrix of the arrays; (line, None) for what is not an array."""
    for name, value in values.items():
        if isinstance(value, list):
            yield from _matrices({f"{name}[{i}]": each for i, each in enumerate(value)})
        elif isinstance(value, np.ndarray):
            matrices = np.atleast_2d(value)
            for index in np.ndindex(matrices.shape[:-2]):
                yield cell_name(name, index), matrices[index]
        elif isinstance(value, frozenset):
            yield f"{name}: {'_' * 60}", None
        else:
            yield f"{name} = {brief(value)}", None

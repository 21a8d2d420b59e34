"""Questions for teachers: Moodle's XML, and a sheet to print with its key."""

from html import escape
from pathlib import Path
from xml.etree import ElementTree as Xml

from cnnbp.pictures.svg import color, largest
from cnnbp.questions.page import how, inline
from cnnbp.questions.question import ends_after, said_number, shown
from cnnbp.questions.rooms import QUESTIONS
from cnnbp.shape import complaint

NONE = "none of these cells"
SHEET = """
body{font:15px/1.5 system-ui,"Segoe UI","DejaVu Sans",sans-serif;max-width:46em;margin:2em auto}
li{margin:0 0 1.6em;break-inside:avoid} table{border-collapse:collapse;margin:.4em 1em .4em 0}
td,th{border:1px solid #888;min-width:2.2em;height:2em;text-align:center} th{border:0;color:#555}
caption{text-align:left;font-weight:600} .tables{display:flex;flex-wrap:wrap}
.key{break-before:page} .line{border-bottom:1px solid #888;display:inline-block;width:14em}
"""


def export(path, *, lesson=None, seed=0):
    """Write a lesson's questions for a class: Moodle XML (.xml), or a sheet with its key (.html).

    path     where to; its ending says what
    lesson   "08"; None for all lessons
    seed     a whole number: other numbers
    returns  Path

    In Moodle, choose "nearest grade" when importing, since thirds of a point are rounded.
    Raises ValueError for another ending, or a lesson that has no questions.
    """
    path = Path(path)
    write = {".xml": moodle, ".html": sheet}.get(path.suffix)
    if write is None:
        raise complaint(ValueError, f"path must end in .xml (Moodle) or .html, not {path.name!r}")
    wanted = [q for q in QUESTIONS.values() if lesson in (None, q.lesson)]
    if not wanted:
        lessons = ", ".join(sorted({q.lesson for q in QUESTIONS.values()}))
        raise complaint(ValueError, f"lesson must be one of {lessons}, not {lesson!r}")
    path.write_text(write([(q, q.asked(seed)) for q in wanted], seed), encoding="utf-8")
    return path


def moodle(questions, seed):
    """Moodle's XML of (Question, Asked) pairs.

    A choice and a set of cells become multichoice, a match becomes matching, what is typed
    shortanswer with the usual spellings, a number numerical if its decimals end.
    """
    quiz = Xml.Element("quiz")
    for question, asked in questions:
        typed = (
            "numerical" if asked.kind == "number" and ends_after(asked.answer) is not None else ""
        )
        kind = {"choice": "multichoice", "cells": "multichoice", "match": "matching"}.get(
            asked.kind, typed or "shortanswer"
        )
        item = Xml.SubElement(quiz, "question", type=kind)
        _text(item, "name", f"{question.lesson} {question.name} ({seed})")
        _text(item, "questiontext", _question_html(asked), format="html")
        _text(item, "generalfeedback", inline(asked.why), format="html")
        {"choice": _moodle_choice, "cells": _moodle_cells, "match": _moodle_match}.get(
            asked.kind, _moodle_typed
        )(item, asked)
    Xml.indent(quiz)
    return Xml.tostring(quiz, encoding="unicode", xml_declaration=True)


def _text(parent, tag, content, **attributes):
    element = Xml.SubElement(parent, tag, attributes)
    Xml.SubElement(element, "text").text = content
    return element


def _moodle_answer(item, content, share, feedback="", form="html"):
    answer = _text(item, "answer", content, fraction=f"{share:.7g}", format=form)
    _text(answer, "feedback", feedback, format="html")
    return answer


def _moodle_choice(item, asked):
    Xml.SubElement(item, "single").text = "true"
    Xml.SubElement(item, "shuffleanswers").text = "true"
    sentences = {w.answer: w.sentence for w in asked.wrong}
    for option in asked.options:
        right = option == asked.answer
        _moodle_answer(item, inline(option), 100 * right, inline(sentences.get(option, "")))


def _moodle_cells(item, asked):
    """Every cell to tick, each right one an equal share; every wrong one costs as much."""
    Xml.SubElement(item, "single").text = "false"
    Xml.SubElement(item, "shuffleanswers").text = "false"
    share = 100 / (len(asked.answer) or 1)
    for cell in (cell for table in asked.tables if table.marked for cell in table.cells()):
        _moodle_answer(item, escape(cell, quote=False), share if cell in asked.answer else -share)
    _moodle_answer(item, NONE, -100 if asked.answer else 100)


def _moodle_match(item, asked):
    Xml.SubElement(item, "shuffleanswers").text = "true"
    for row, option in zip(asked.rows, asked.answer, strict=True):
        _text(_text(item, "subquestion", inline(row), format="html"), "answer", option)
    for option in asked.options:
        if option not in asked.answer:
            _text(_text(item, "subquestion", "", format="html"), "answer", option)


def _moodle_typed(item, asked):
    if item.get("type") == "numerical":
        answer = _moodle_answer(item, _plain(asked.answer), 100, form="moodle_auto_format")
        Xml.SubElement(answer, "tolerance").text = "0"
    else:
        for spelling in _spellings(asked):
            _moodle_answer(item, spelling, 100, form="plain_text")
    for wrong in asked.wrong:
        numeric = asked.kind == "number"
        content = _plain(wrong.answer) if numeric else str(tuple(wrong.answer))
        answer = _moodle_answer(item, content, 0, inline(wrong.sentence), "moodle_auto_format")
        if item.get("type") == "numerical":
            Xml.SubElement(answer, "tolerance").text = "0.005"


def _plain(value):
    """A number as programs read it."""
    text = said_number(value).replace("−", "-")
    return f"{float(value):.6g}" if "/" in text else text


def _spellings(asked):
    if asked.kind == "number":
        return [str(asked.answer)]
    entries = list(map(str, asked.answer))
    return [
        f"({', '.join(entries)})",
        f"({','.join(entries)})",
        ", ".join(entries),
        ",".join(entries),
    ]


def _question_html(asked):
    parts = [f"<p>{inline(text)}</p>" for text in asked.text.split("\n\n")]
    return "".join([*parts, _tables(asked)])


def _tables(asked):
    numbers = [t.values for t in asked.tables if not isinstance(t.rows[0][0], str)]
    limit = largest(*numbers)
    drawn = "".join(_table(table, limit) for table in asked.tables)
    return f'<div class="tables">{drawn}</div>' if drawn else ""


def _table(table, limit):
    head = "".join(f"<th>{j}</th>" for j in range(len(table.rows[0])))
    body = [] if table.named else [f"<tr><th></th>{head}</tr>"]
    for i, row in enumerate(table.rows):
        fills = ["#fff" if isinstance(v, str) else color(v, limit) for v in row]
        cells = (
            f'<td style="background:{fill}">{escape(shown(value))}</td>'
            for fill, value in zip(fills, row, strict=True)
        )
        body.append(f"<tr><th>{'' if table.named else i}</th>{''.join(cells)}</tr>")
    return f"<table><caption>{escape(table.name)}</caption>{''.join(body)}</table>"


def sheet(questions, seed):
    """A page to print: the questions, and on a page of its own their key."""
    asked, key = [], []
    for _, found in questions:
        asked.append(f"<li>{_question_html(found)}{_lines(found)}</li>")
        why = inline(found.why)
        key.append(f"<li><b>{inline(found.said(found.answer))}</b><br>{why}</li>")
    lessons = ", ".join(dict.fromkeys(question.lesson for question, _ in questions))
    title = f"Questions for lesson {lessons}" if "," not in lessons else f"Lessons {lessons}"
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title>'
        f"<style>{SHEET}</style><h1>{title}</h1><p>Numbers of seed {seed}.</p>"
        f'<ol>{"".join(asked)}</ol><h1 class="key">Key</h1><ol>{"".join(key)}</ol></html>'
    )


def _lines(asked):
    """Where the answer is written."""
    if asked.kind == "choice":
        return "".join(f"<p>☐ {inline(option)}</p>" for option in asked.options)
    if asked.kind == "match":
        rows = "".join(f'<p>{inline(row)}: <span class="line"></span></p>' for row in asked.rows)
        return f"<p>Choose from: {inline(' · '.join(asked.options))}</p>{rows}"
    if asked.kind == "cells":
        return f"<p>({how(asked)}.)</p>"
    return f'<p>{inline(asked.prompt)} <span class="line"></span></p>'

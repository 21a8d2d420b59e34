"""A question as HTML: a form that needs no script and no kernel, and the same as plain text.

What an answer would give away stands in attributes that only the styles show, or folded.
"""

import re
from html import escape

from cnnbp.pictures.svg import color, largest
from cnnbp.questions.question import shown
from cnnbp.questions.style import STYLE
from cnnbp.questions.typed import number_pattern, shape_pattern

# JupyterLab keeps its shortcuts from what is typed on an element that says so itself.
KEYS = 'data-lm-suppress-shortcuts="true"'
HOW = {
    "choice": "choose one",
    "number": "type a number, such as 0.6 or 3/5",
    "shape": "type a shape, such as (2, 3)",
    "cells": "mark cells (all, some or none)",
    "match": "choose one in every row",
}
ORDERED = "1st"  # an option of questions that put rows in order
ROOM = 22  # characters of a row that has its options beside it, not below it
TWICE = ("cells", "match")  # checked twice: first whether, then where


def page(asked):
    """The whole answer field, a `div` of class cnnbp-ask with its own styles.

    asked    Asked
    returns  str
    """
    first, *others = asked.text.split("\n\n")
    parts = [f"<legend>{inline(first)}</legend>"]
    parts += [f"<p>{inline(text)}</p>" for text in others]
    parts.append(_tables(asked))
    parts += {"choice": _choice, "match": _match}.get(asked.kind, lambda asked: [])(asked)
    if asked.kind in ("number", "shape"):
        parts.append(_field(asked))
    wide = ' class="wide"' if max(map(len, asked.rows), default=0) > ROOM else ""
    return (
        f'<div class="cnnbp-ask"><style>{STYLE}</style><form method="dialog" novalidate '
        f'autocomplete="off"><fieldset{wide}>{"".join(parts)}</fieldset>'
        f"{_actions(asked)}{_verdict(asked)}{_folded(asked)}</form></div>"
    )


def plain(asked):
    """The question and how it is answered, for terminals and wherever no HTML is shown.

    The right answer is not in it.
    """
    lines = [asked.text]
    for table in asked.tables:
        rows = [" ".join(f"{shown(value):>5}" for value in row) for row in table.rows]
        lines.append("\n".join([f"{table.name}:", *rows]))
    if asked.rows:
        lines.append("Rows: " + "; ".join(asked.rows))
    if asked.options:
        lines.append("Options: " + "; ".join(asked.options))
    return "\n\n".join([*lines, f"Answer field: {how(asked)}."])


def how(asked):
    """What to do, in a few words."""
    where = [table.name for table in asked.tables if table.marked]
    return HOW[asked.kind] + (f" of {' and '.join(where)}" if where else "")


def inline(text):
    """Escaped, with `code` in backticks as code and line breaks kept."""
    escaped = escape(text, quote=False).replace("\n", "<br>")
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", escaped)


def _classes(asked, belongs):
    """c, r if it belongs to the right answer, and w0, w1, … of the wrong ones it belongs to."""
    wrong = [f"w{i}" for i, w in enumerate(asked.wrong) if belongs(w.answer)]
    return " ".join(["c", *(["r"] if belongs(asked.answer) else []), *wrong])


def _choice(asked):
    for option in asked.options:
        css = _classes(asked, option.__eq__)
        yield _radio("choice", css, option)


def _match(asked):
    for number, row in enumerate(asked.rows):
        yield f'<fieldset class="row"><legend>{inline(row)}</legend>'
        for option in asked.options:
            css = _classes(asked, lambda answer, o=option, n=number: answer[n] == o)
            yield _radio(f"row{number}", css, option)
        yield "</fieldset>"


def _radio(name, css, option):
    return (
        f'<label class="o"><input type="radio" name="{name}" class="{css}" {KEYS}>'
        f"<span>{inline(option)}</span></label>"
    )


def _tables(asked):
    numbers = [t.values for t in asked.tables if not isinstance(t.rows[0][0], str)]
    drawn = [_table(asked, table, largest(*numbers)) for table in asked.tables]
    return f'<div class="tables">{"".join(drawn)}</div>' if drawn else ""


def _table(asked, table, limit):
    """Rows and columns with their numbers beside them, as a picture's table has its colors."""
    columns = range(len(table.rows[0]))
    flat = len(table.rows) == 1  # one row needs no number
    head = ["" if flat else "<td></td>", *(f'<th scope="col">{j}</th>' for j in columns)]
    rows = [] if table.named else [head]
    for i, row in enumerate(table.rows):
        numbered = "" if flat else f'<th scope="row">{i}</th>'
        rows.append([numbered, *(_cell(asked, table, (i, j), row[j], limit) for j in columns)])
    body = "".join(f"<tr>{''.join(row)}</tr>" for row in rows)
    return f'<table class="t"><caption>{escape(table.name)}</caption>{body}</table>'


def _cell(asked, table, at, value, limit):
    text = shown(value)
    fill = "" if isinstance(value, str) else f' style="background:{color(value, limit)}"'
    if not table.marked:
        return f"<td{fill}>{escape(text)}</td>"
    name = table.cell(*at)
    css = _classes(asked, lambda answer: name in answer)
    said = name if table.named else f"{name} is {text}"
    return (
        f'<td{fill}><label><input type="checkbox" class="{css}" aria-label="{escape(said)}" {KEYS}>'
        f"<span>{escape(text)}</span></label></td>"
    )


def _field(asked):
    pattern = {"number": number_pattern, "shape": shape_pattern}[asked.kind](asked.answer)
    example = {"number": "0.6 or 3/5", "shape": "(2, 3)"}[asked.kind]
    # A browser would tell a screen reader at once that the field is invalid.
    return (
        f'<p><label>{inline(asked.prompt)} <input type="text" class="field" required '
        f'pattern="{escape(pattern)}" placeholder="{example}" maxlength="40" aria-invalid="false" '
        f'autocomplete="off" spellcheck="false" {KEYS}></label></p>'
    )


def _actions(asked):
    """Check; then try again and check again, or change the answer; and start over."""
    twice = asked.kind in TWICE
    parts = [_toggle("check", "Check", "Checked" if twice else "Change answer")]
    if twice:
        parts.append(_toggle("again", "Try again", "Trying again", later=True))
        parts.append(_toggle("recheck", "Check again", "Change answer", later=True))
    parts.append(f'<button type="reset" class="reset later" {KEYS}>Start over</button>')
    return f'<div class="act" hidden>{"".join(parts)}</div>'


def _toggle(name, off, on, *, later=False):
    css = f"{name}-label" + " later" * later
    return (
        f'<label class="{css}"><input type="checkbox" class="{name}" {KEYS}>'
        f'<span class="off">{off}</span><span class="on">{on}</span></label>'
    )


def _verdict(asked):
    """What the styles may say, each sentence in an attribute that only they show."""
    said = [("yes", "✓ Right.")]
    if asked.kind == "choice":
        said.append(("none", "○ Choose one first, then check."))
    elif asked.kind == "cells":
        said += [("missing", "✗ Something is missing."), ("extra", "✗ Something is extra.")]
    elif asked.kind == "match":
        said.append(("no", "✗ Not every row is right yet."))
    else:
        said.append(("no", "✗ Not yet."))
    if asked.kind in ("choice", "cells", "match"):
        said += [(f"s{i}", f"✗ {w.sentence}") for i, w in enumerate(asked.wrong)]
    lines = "".join(f'<p class="{css}" data-say="{escape(text)}"></p>' for css, text in said)
    return f'<div role="status">{lines}</div>'


def _folded(asked):
    """Common wrong numbers, and the explanation; each opens without styles, too."""
    common = ""
    if asked.kind in ("number", "shape"):
        items = "".join(
            f"<li>{escape(asked.said(w.answer))}: {inline(w.sentence)}</li>" for w in asked.wrong
        )
        common = (
            f'<details class="common"><summary {KEYS}>Common wrong answers, and what they mean'
            f"</summary><ul>{items}</ul></details>"
        )
    why = "".join(f"<p>{inline(text)}</p>" for text in asked.why.split("\n\n"))
    return (
        f'{common}<details class="show"><summary {KEYS}>Show me</summary>'
        f"{_answer(asked)}{why}</details>"
    )


def _answer(asked):
    """The right answer; of a match a line for each row, and in their order if that was asked."""
    if asked.kind != "match":
        return f"<p><b>{inline(asked.said(asked.answer))}</b></p>"
    pairs = list(zip(asked.rows, asked.answer, strict=True))
    if ORDERED in asked.options:
        pairs.sort(key=lambda pair: asked.options.index(pair[1]))
    items = (f"<li>{inline(row)}: <b>{inline(option)}</b></li>" for row, option in pairs)
    return f"<ul>{''.join(items)}</ul>"

"""What is asked: a task's statement with its table of shapes, its tiny case and the answer."""

import re

from cnnbp.exercises.check.messages import say
from cnnbp.exercises.pages.page import Page, indented
from cnnbp.exercises.pages.tables import tables


def shape_table(given, result):
    """The table of shapes below a statement, as text.

    given   {name: Entry}
    result  a kind of result, which describes itself

    >>> from cnnbp.exercises.check.results import Arrays
    >>> from cnnbp.exercises.check.shapes import parsed
    >>> given = parsed({"dz": "N C: gradient by z", "stride": "pair"})
    >>> print(shape_table(given, Arrays({"dx": "N C"})))
    dz       (N, C)   gradient by z
    stride   pair
    returns  dx (N, C)
    """
    width = max(map(len, ["returns", *given]))
    entries = max(len(str(entry)) for entry in given.values())
    lines = [
        f"{name:<{width}}  {entry!s:<{entries}}   {entry.note}" for name, entry in given.items()
    ]
    return "\n".join([*(line.rstrip() for line in lines), f"returns  {result}"])


def statement(task, how_to_try):
    """What is asked, with shapes and a tiny case and how to try an answer, as a Page."""
    first, *rest = task.text.split("\n\n")
    page = Page().heading(f"{task.signature}    [lesson {task.lesson}]").text(flowed(first))
    for paragraph in rest:
        is_table = re.search(r"^\w.*  +\S", paragraph, re.MULTILINE)
        page.columns(paragraph) if is_table else page.text(flowed(paragraph))
    case = task.drawn(0)[0]
    answer = task.result.read(task.answer(*task.case()), case)
    for key, values in (("task.tiny", case), ("task.answer", answer)):
        page.text(say(key)).picture(lambda key=key, values=values: _shown(say(key), values))
    return page.text(how_to_try)


def _shown(description, values):
    html, text = tables(description, values)
    return html, indented(text)


def flowed(paragraph):
    """A paragraph without its line breaks, for a page sets its own."""
    return " ".join(paragraph.split())

"""Questions in JupyterLab and on a bare page without network, kernel or script.

By mouse, by keys and by touch: an answer is judged when it is checked, locked while it is, and
no way of clicking about finds it.
"""

import importlib.util
from pathlib import Path

import nbformat
import pytest

from cnnbp.questions import QUESTIONS, ask
from cnnbp.questions.page import page as as_page
from cnnbp.questions.question import cells, table

ASKED = {
    "choice": "one cell of 200",
    "number": "two ways to the loss",
    "shape": "between two layers",
    "cells": "messages to an input",
    "match": "met with which weight",
    "twin": "messages to an input",
}
CELLS = ["from cnnbp.questions import ask"]
CELLS[0] += f'\nask("{ASKED["choice"]}")'
CELLS += [f'ask("{ASKED[kind]}")' for kind in list(ASKED)[1:]]
CELLS.append(
    "from cnnbp.explorers import show\nfrom cnnbp.pictures import draw_conv2d_dw\n"
    "show(draw_conv2d_dw([[[[2.0]]]], [[[[3.0]]]], [[[[4.0]]]]))"
)
ROOT = Path(__file__).parents[2]
PHONE = {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True}
BARE = '<!doctype html><html lang="en"><meta charset="utf-8"><title>Questions</title>\
<meta name="viewport" content="width=device-width"><main>'

# What is seen of the sentences, of the marks behind cells, and whether the explanation is open.
SAID = """form => [...form.querySelectorAll('[data-say]')]
    .filter(p => getComputedStyle(p).display !== 'none').map(p => p.dataset.say)"""
MARKS = """form => [...form.querySelectorAll('.c + span')]
    .map(span => getComputedStyle(span, '::after').content).filter(c => c !== 'none')"""
OPEN = "form => form.querySelector('.show p').checkVisibility({contentVisibilityAuto: true})"
TICKED = "form => [...form.querySelectorAll('.c')].map(input => input.checked)"


class Field:
    """One question's form, as hands and eyes meet it."""

    def __init__(self, form, asked):
        self.form, self.asked, self.page = form, asked, form.page

    def click(self, css):
        self.form.locator(f"label:has(.{css})").click()

    def hit(self, found):
        """Click at the middle of what is there, whether it takes clicks or not."""
        found.scroll_into_view_if_needed()
        box = found.bounding_box()
        self.page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)

    def cell(self, name):
        return self.form.locator(f'label:has([aria-label^="{name} "])')

    def mark(self, name):
        self.hit(self.cell(name))

    def option(self, text, row=0):
        """The label of an option, of a choice or of a row of pairs."""
        rows = self.form.locator("fieldset.row") if self.asked.rows else self.form
        return rows.nth(row).locator(f'label:has(span:text-is("{text}"))')

    def pick(self, row, option):
        self.hit(self.option(option, row))

    def said(self):
        return self.form.evaluate(SAID)

    def marks(self):
        return self.form.evaluate(MARKS)

    def opened(self):
        return self.form.evaluate(OPEN)

    def ticked(self):
        return self.form.evaluate(TICKED)

    def focused(self):
        """The class of the input that has the focus."""
        return self.page.evaluate("document.activeElement.className")


@pytest.fixture(scope="module")
def bare(browser, tmp_path_factory):
    """The same questions on a page that the network is shut to."""
    html = "".join(ask(name)._repr_mimebundle_()["text/html"] for name in ASKED.values())
    yield from bare_page(browser, tmp_path_factory.mktemp("bare") / "questions.html", html)


def bare_page(browser, path, html, **options):
    path.write_text(BARE + html, encoding="utf-8")
    context = browser.new_context(offline=True, java_script_enabled=True, **options)
    page = context.new_page()
    page.goto(path.as_uri())
    yield page
    context.close()


@pytest.fixture(params=["lab", "bare"])
def fields(request):
    """kind -> Field, all of them as in the beginning."""
    if request.param == "lab":
        notebook = request.getfixturevalue("notebook")
        forms = [notebook.output(number).locator("form") for number in range(len(ASKED))]
    else:
        page = request.getfixturevalue("bare")
        forms = [page.locator("form").nth(number) for number in range(len(ASKED))]
    for form in forms:
        form.evaluate("form => form.reset()")
        form.evaluate("form => form.querySelectorAll('details').forEach(d => d.open = false)")
    forms[0].page.evaluate("document.activeElement.blur()")
    return {
        kind: Field(form, QUESTIONS[name].asked())
        for form, (kind, name) in zip(forms, ASKED.items(), strict=True)
    }


def test_a_choice_is_judged_when_checked_and_stays_until_it_is_changed(fields):
    field = fields["choice"]
    wrong = field.asked.wrong[1]
    field.hit(field.option(wrong.answer))
    assert field.said() == []
    field.click("check")
    assert field.said() == [f"✗ {wrong.sentence}"]
    before = field.ticked()
    field.hit(field.option(field.asked.answer))
    assert field.ticked() == before
    assert not field.opened()
    field.click("check")
    assert field.said() == []
    field.hit(field.option(field.asked.answer))
    field.click("check")
    assert field.said() == ["✓ Right."]
    assert field.opened()


def test_a_check_without_a_choice_says_so(fields):
    field = fields["choice"]
    field.click("check")
    assert field.said() == ["○ Choose one first, then check."]


def test_a_choice_is_made_by_keys_alone(fields):
    field = fields["choice"]
    field.form.locator(".c").first.focus()
    field.page.keyboard.press("ArrowDown")
    field.page.keyboard.press("ArrowDown")
    assert field.ticked() == [i == 2 for i in range(len(field.asked.options))]
    field.page.keyboard.press("Tab")
    field.page.keyboard.press("Space")
    assert len(field.said()) == 1
    field.page.keyboard.press("Shift+Tab")  # what is locked takes no focus
    assert "c" not in field.focused().split()
    assert field.ticked() == [i == 2 for i in range(len(field.asked.options))]


@pytest.mark.parametrize("kind", ["number", "shape"])
def test_what_is_typed_is_judged_when_checked_and_locked_then(fields, kind):
    field = fields[kind]
    right, wrong = (field.asked.said(a) for a in (field.asked.answer, field.asked.wrong[0].answer))
    entry = field.form.locator(".field")
    entry.click()
    field.page.keyboard.type(wrong)
    assert field.said() == []
    field.click("check")
    assert field.said() == ["✗ Not yet."]
    assert not field.opened()
    field.hit(entry)
    field.page.keyboard.type("7")
    field.form.locator(".check").focus()
    field.page.keyboard.press("Shift+Tab")
    field.page.keyboard.type("7")
    assert entry.input_value() == wrong
    field.click("check")
    entry.fill(f" {right} ")
    assert field.said() == []
    field.click("check")
    assert field.said() == ["✓ Right."]
    assert field.opened()


def test_common_wrong_numbers_are_folded_and_there_only_while_it_is_not_right(fields):
    field = fields["number"]
    common = field.form.locator(".common")
    assert not common.is_visible()
    field.click("check")
    assert common.is_visible()
    assert not common.get_by_text(field.asked.wrong[0].sentence).is_visible()
    common.locator("summary").click()
    assert common.get_by_text(field.asked.wrong[0].sentence).is_visible()
    field.click("check")
    field.form.locator(".field").fill(str(field.asked.answer))
    field.click("check")
    assert not common.is_visible()


def test_enter_reloads_nothing_and_says_nothing(fields):
    field = fields["number"]
    address = field.page.url
    field.form.locator(".field").fill("12345")
    field.form.locator(".field").press("Enter")
    assert field.form.locator(".field").input_value() == "12345"
    assert field.page.url == address
    assert field.said() == []


def test_a_first_check_of_cells_says_whether_and_a_second_one_where(fields):
    field = fields["cells"]
    right = sorted(field.asked.answer)
    other = next(c for c in field.asked.tables[0].cells() if c not in field.asked.answer)
    field.mark(right[0])
    field.mark(other)
    assert field.said() == field.marks() == []
    field.click("check")
    assert field.said()[:2] == ["✗ Something is missing.", "✗ Something is extra."]
    assert field.marks() == []
    before = field.ticked()
    field.mark(right[1])
    field.mark(other)
    assert field.ticked() == before
    field.click("again")
    assert field.said() == []
    field.mark(right[1])
    field.click("recheck")
    assert sorted(field.marks())[-1] == '" ✗"'
    assert '" ✓"' in field.marks()
    field.click("recheck")
    assert field.marks() == []
    field.mark(other)
    for cell in right[2:]:
        field.mark(cell)
    field.click("recheck")
    assert field.said() == ["✓ Right."]
    assert field.opened()


def test_a_set_that_a_misconception_makes_is_named(fields):
    field = fields["cells"]
    for number, wrong in enumerate(field.asked.wrong):
        field.form.evaluate("form => form.reset()")
        for cell in wrong.answer:
            field.mark(cell)
        field.click("check")
        assert f"✗ {wrong.sentence}" in field.said(), number
        assert [s for s in field.said() if s[2:] in {w.sentence for w in field.asked.wrong}] == [
            f"✗ {wrong.sentence}"
        ]


def test_cells_are_marked_by_keys_alone(fields):
    field = fields["cells"]
    field.form.locator(".c").first.focus()
    for cell in field.asked.tables[0].cells():
        if cell in field.asked.answer:
            field.page.keyboard.press("Space")
        field.page.keyboard.press("Tab")
    assert field.focused() == "check"
    field.page.keyboard.press("Space")
    assert field.said() == ["✓ Right."]
    field.page.keyboard.press("Shift+Tab")
    assert "c" not in field.focused().split()


def test_pairs_are_judged_as_cells_are(fields):
    field = fields["match"]
    for row, option in enumerate(field.asked.wrong[0].answer):
        field.pick(row, option)
    field.click("check")
    assert field.said() == ["✗ Not every row is right yet.", f"✗ {field.asked.wrong[0].sentence}"]
    assert field.marks() == []
    field.click("again")
    field.click("recheck")
    assert field.marks()
    field.click("recheck")
    for row, option in enumerate(field.asked.answer):
        field.pick(row, option)
    field.click("recheck")
    assert field.said() == ["✓ Right."]
    assert field.opened()


def test_pairs_are_made_by_keys_alone(fields):
    field = fields["match"]
    for row, option in enumerate(field.asked.answer):
        at = field.asked.options.index(option)
        radios = field.form.locator("fieldset.row").nth(row).locator(".c")
        radios.first.focus()
        field.page.keyboard.press("Space")
        for _ in range(at):
            field.page.keyboard.press("ArrowRight")
    field.page.keyboard.press("Tab")
    field.page.keyboard.press("Space")
    assert field.said() == ["✓ Right."]


def test_the_same_question_twice_keeps_its_answers_apart(fields):
    field, twin = fields["cells"], fields["twin"]
    field.mark(field.asked.tables[0].cells()[0])
    field.click("check")
    assert any(field.ticked())
    assert not any(twin.ticked())
    assert twin.said() == []


def test_show_me_waits_for_a_first_check_and_then_tells(fields):
    field = fields["cells"]
    summary = field.form.locator(".show summary")
    assert not summary.is_visible()
    field.click("check")
    assert not field.opened()
    summary.click()
    assert field.opened()
    assert field.form.get_by_text(field.asked.said(field.asked.answer), exact=True).is_visible()


def test_start_over_forgets_everything(fields):
    field = fields["match"]
    field.pick(0, field.asked.options[0])
    field.click("check")
    field.form.get_by_role("button", name="Start over").click()
    assert not any(field.ticked())
    assert field.said() == []
    assert not field.form.locator(".check").is_checked()


def test_the_focused_cell_is_seen(fields):
    field = fields["cells"]
    field.form.locator(".c").nth(1).focus()
    field.page.keyboard.press("Tab")
    outline = "form => getComputedStyle(form.querySelectorAll('.c + span')[2]).outlineStyle"
    assert field.form.evaluate(outline) == "solid"


def test_keys_typed_in_a_field_are_no_commands(notebook, fields):
    cells_before = notebook.page.locator(".jp-CodeCell").count()
    for kind, css in (("cells", ".c"), ("number", ".field"), ("match", ".check")):
        field = Field(notebook.output(list(ASKED).index(kind)).locator("form"), None)
        field.form.locator(css).first.focus()
        notebook.page.keyboard.press("b")
        notebook.page.keyboard.press("d")
        notebook.page.keyboard.press("d")
    notebook.page.wait_for_timeout(300)
    assert notebook.page.locator(".jp-CodeCell").count() == cells_before


def test_a_question_is_answered_on_the_website(browser, tmp_path):
    """A lesson's stored output, in a page that asks nothing of the network."""
    shown = ask(ASKED["cells"])._repr_mimebundle_()
    output = nbformat.v4.new_output("execute_result", shown, execution_count=1)
    title = "# 00 · A lesson\n\n5 minutes.\n\n**Afterwards you can** answer."
    notebook = nbformat.v4.new_notebook()
    notebook.cells = [
        nbformat.v4.new_markdown_cell(title),
        nbformat.v4.new_code_cell(f'ask("{ASKED["cells"]}")', outputs=[output]),
    ]
    lesson = tmp_path / "00_a_lesson.ipynb"
    nbformat.write(notebook, lesson)
    site = tmp_path / "site"
    website().write_site(site, [lesson])
    context = browser.new_context(offline=True, java_script_enabled=False)
    page = context.new_page()
    page.goto((site / f"{lesson.stem}.html").as_uri())
    field = Field(page.locator("form"), QUESTIONS[ASKED["cells"]].asked())
    for name in field.asked.answer:
        field.cell(name).click()
    field.click("check")
    assert page.locator(".cnnbp-ask .yes").is_visible()
    assert not page.locator(".cnnbp-ask .missing").is_visible()
    context.close()


def website():
    """The tool that writes the pages, as a module."""
    found = importlib.util.spec_from_file_location("website", ROOT / "tools" / "website.py")
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    return module


def test_the_console_shows_no_error(notebook):
    assert notebook.errors == []


def test_an_answer_needs_no_kernel(notebook, fields):
    """Whatever the page would send to it is dropped."""
    notebook.page.evaluate("WebSocket.prototype.send = () => { window.asked = true }")
    field = Field(
        notebook.output(list(ASKED).index("match")).locator("form"), fields["match"].asked
    )
    field.form.evaluate("form => form.reset()")
    for row, option in enumerate(field.asked.answer):
        field.pick(row, option)
    field.click("check")
    assert field.said() == ["✓ Right."]


@pytest.fixture
def phone(browser, tmp_path):
    html = "".join(as_page(question.asked()) for question in QUESTIONS.values())
    yield from bare_page(browser, tmp_path / "phone.html", html, **PHONE)


def test_on_a_phone_everything_fits_and_can_be_hit(phone):
    assert phone.evaluate("document.documentElement.scrollWidth") <= 390
    small = phone.evaluate(
        """[...document.querySelectorAll('.c + span, .act label, .field, summary, button')]
            .filter(found => found.checkVisibility())
            .map(found => found.getBoundingClientRect())
            .filter(box => box.width < 24 || box.height < 24).length"""
    )
    assert small == 0


def test_a_tap_marks_and_checks(phone):
    names = list(QUESTIONS)
    form = phone.locator("form").nth(names.index(ASKED["cells"]))
    field = Field(form, QUESTIONS[ASKED["cells"]].asked())
    for cell in field.asked.answer:
        field.cell(cell).tap()
    form.locator("label:has(.check)").tap()
    assert field.said() == ["✓ Right."]
    ticked = field.ticked()
    field.cell(field.asked.tables[0].cells()[0]).tap(force=True)
    assert field.ticked() == ticked


def test_the_empty_set_can_be_the_answer(browser, tmp_path):
    tables = [table("x", [[1, 2], [3, 4]], marked=True)]
    asked = cells("Which is negative?", set(), [({(0, 0)}, "1 is not.")], "None is.", tables=tables)
    for page in bare_page(browser, tmp_path / "empty.html", as_page(asked)):
        field = Field(page.locator("form"), asked)
        field.click("check")
        assert field.said() == ["✓ Right."]
        field.form.get_by_role("button", name="Start over").click()
        field.mark("x[0,0]")
        field.click("check")
        assert field.said() == ["✗ Something is extra.", "✗ 1 is not."]


def test_a_marked_cell_is_seen_in_forced_colors(browser, tmp_path):
    html = as_page(QUESTIONS[ASKED["cells"]].asked())
    color = (
        "form => [...form.querySelectorAll('.c + span')].map(s => getComputedStyle(s).borderColor)"
    )
    for page in bare_page(browser, tmp_path / "forced.html", html, forced_colors="active"):
        page.locator(".c").first.check(force=True)
        marked, *others = page.locator("form").evaluate(color)
        assert marked not in others

"""Every number of every picture of the stored lessons answers, to the pointer and to a finger."""

from pathlib import Path

import nbformat
import pytest

from cnnbp.pictures.svg import LIVE

LESSONS = sorted((Path(__file__).parents[2] / "notebooks").glob("0[5-8]*.ipynb"))
PHONE = {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True}
# What is visible of a picture's links.
SHOWN = """picture => [...picture.querySelectorAll('.link')]
    .filter(link => getComputedStyle(link).visibility === 'visible')
    .map(link => link.textContent).join(' ')"""
# For every number of a table: the middle of its cell, scrolled to where it can be pointed at.
NUMBERS = """picture => [...picture.querySelectorAll('g.number > text')].map(text => {
    const box = text.getBoundingClientRect()
    return [box.x + box.width / 2, box.y + box.height / 2]
})"""
# Which link answers at each of these places.
ANSWERING = """([picture, places]) => places.map(([x, y]) => {
    const cell = document.elementsFromPoint(x, y).find(part => part.matches('.cell'))
    return cell && picture.contains(cell) ? cell.className.match(/ c(\\d+)/)[1] : null
})"""


@pytest.fixture(scope="module")
def pictures():
    """All live pictures of the lessons."""
    return [
        output.data[LIVE]
        for path in LESSONS
        for cell in nbformat.read(path, as_version=4).cells
        for output in cell.get("outputs", [])
        if LIVE in output.get("data", {})
    ]


def opened(browser, pictures, **options):
    context = browser.new_context(**options)
    page = context.new_page()
    head = '<!doctype html><meta name="viewport" content="width=device-width"><body>'
    page.set_content(head + "".join(f"<section>{picture}</section>" for picture in pictures))
    return page


def tables(page):
    return [each for each in page.locator(".cnnbp").all() if each.locator("g.number").count()]


def test_every_number_lies_under_a_cell_that_answers(browser, pictures):
    page = opened(browser, pictures, viewport={"width": 1280, "height": 30_000})
    assert len(tables(page)) >= 10
    for picture in tables(page):
        places = picture.evaluate(NUMBERS)
        links = page.evaluate(ANSWERING, [picture.element_handle(), places])
        assert places
        assert None not in links
    page.context.close()


def test_pointing_at_a_cell_shows_its_link_and_no_other(browser, pictures):
    page = opened(browser, pictures, viewport={"width": 1280, "height": 30_000})
    for picture in tables(page):
        places = picture.evaluate(NUMBERS)
        links = page.evaluate(ANSWERING, [picture.element_handle(), places])
        for (x, y), link in list(zip(places, links, strict=True))[::9]:
            page.mouse.move(x, y)
            said = picture.locator(f".said .k{link}").text_content()
            assert said in picture.evaluate(SHOWN)
            visible = "all => all.filter(p => getComputedStyle(p).visibility === 'visible').length"
            assert picture.locator(".said p").evaluate_all(visible) == 1
    page.context.close()


def test_a_tap_on_a_phone_shows_the_arithmetic_on_the_screen(browser, pictures):
    page = opened(browser, pictures, **PHONE)
    for picture in tables(page):
        cells = picture.locator(".cell").all()
        for cell in cells[:: max(1, len(cells) // 4)]:
            cell.tap()
            link = cell.get_attribute("class").split()[-1][1:]
            said = picture.locator(f".said .k{link}")
            assert said.evaluate("p => getComputedStyle(p).visibility") == "visible"
            box = said.bounding_box()
            assert box["x"] >= 0
            assert box["x"] + box["width"] <= 390
            assert box["y"] >= 0
            assert box["y"] + box["height"] <= 845
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    page.context.close()


def test_a_lesson_has_few_stops_for_the_tab_key(browser, pictures):
    page = opened(browser, pictures)
    groups = "all => new Set(all.map(cell => cell.name)).size"
    assert page.locator(".cell").evaluate_all(groups) <= 60 * len(LESSONS)
    page.context.close()

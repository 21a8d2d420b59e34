"""Every number of every picture answers, to the pointer and to a finger.

Pictures of every kind, and those that the stored lessons hold.
"""

import re
from io import BytesIO
from pathlib import Path

import gallery
import nbformat
import numpy as np
import pytest
from helpers import eighths
from matplotlib.image import imread

from cnnbp import im2col
from cnnbp.pictures import draw_conv2d_dw, draw_conv2d_dx, draw_im2col, draw_linear_z
from cnnbp.pictures.svg import LIVE

LESSONS = sorted((Path(__file__).parents[2] / "notebooks").glob("*.ipynb"))
PHONE = {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True}
# Which links' read-outs are visible.
SAYS = """picture => [...picture.querySelectorAll('.said p')]
    .filter(link => getComputedStyle(link).visibility === 'visible')
    .map(link => link.className.match(/k\\d+/)[0])"""
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


HEAD = '<!doctype html><meta name="viewport" content="width=device-width"><body>'


def stored(path):
    """The live pictures of a lesson."""
    for cell in nbformat.read(path, as_version=4).cells:
        for output in cell.get("outputs", []):
            if LIVE in output.get("data", {}):
                yield output.data[LIVE]


@pytest.fixture(scope="module")
def pictures():
    """name -> picture"""
    lessons = {f"{p.stem} {k}": each for p in LESSONS for k, each in enumerate(stored(p))}
    return gallery.drawn() | lessons


@pytest.fixture(scope="module")
def desk(browser):
    page = browser.new_page(viewport={"width": 1280, "height": 2400})
    yield page
    page.close()


@pytest.fixture(scope="module")
def phone(browser):
    context = browser.new_context(**PHONE)
    yield context.new_page()
    context.close()


def tables(page, pictures):
    """name, picture in the page: of one picture with tables of numbers after the other."""
    for name, html in pictures.items():
        if '<g class="number"' in html:
            page.set_content(HEAD + html)
            yield name, page.locator(".cnnbp")


def test_every_number_lies_under_a_cell_that_answers(desk, pictures):
    for name, picture in tables(desk, pictures):
        places = picture.evaluate(NUMBERS)
        links = desk.evaluate(ANSWERING, [picture.element_handle(), places])
        assert places, name
        assert None not in links, name


def test_pointing_at_a_cell_shows_its_link_and_no_other(desk, pictures):
    for name, picture in tables(desk, pictures):
        places = picture.evaluate(NUMBERS)
        links = desk.evaluate(ANSWERING, [picture.element_handle(), places])
        pointed = list(zip(places, links, strict=True))
        for (x, y), link in pointed[:: max(1, len(pointed) // 3)]:
            desk.mouse.move(x, y)
            assert picture.evaluate(SAYS) == [f"k{link}"], name


def test_what_many_links_share_looks_as_if_each_drew_its_own(desk, monkeypatch):
    rng = np.random.default_rng(0)
    x, w, dz = (eighths(rng, (1, 1, *size)) for size in [(10, 10), (3, 3), (10, 10)])
    matrices = eighths(rng, (8, 9)), eighths(rng, (7, 8))
    draws = {
        "letters and frames": (lambda: draw_conv2d_dx(dz, x, w, (0, 0, 4, 4), padding=1), 45),
        "bands": (lambda: draw_conv2d_dw(dz, x, w, padding=1), 4),
        "two tables": (lambda: draw_linear_z(*matrices), 30),
    }
    for name, (draw, link) in draws.items():
        seen = []
        for many in (150, 10_000):
            monkeypatch.setattr("cnnbp.pictures.svg.MANY", many)
            html = draw()
            assert ("<use" in html) == (many == 150), name
            desk.set_content(HEAD + html)
            desk.locator(f".c{link}").first.hover()
            blocks = [block.screenshot() for block in desk.locator(".t").all()]
            seen.append([imread(BytesIO(block)) for block in blocks])
        for shared, own in zip(*seen, strict=True):
            np.testing.assert_allclose(shared, own, atol=2 / 255, err_msg=name)


def test_a_tap_on_a_phone_shows_the_arithmetic_on_the_screen(phone, pictures):
    for name, picture in tables(phone, pictures):
        cells = picture.locator(".cell").all()
        for cell in cells[:: max(1, len(cells) // 2)]:
            cell.tap()
            (link,) = re.findall(r" c(\d+)", cell.get_attribute("class"))
            said = picture.locator(f".said .k{link}")
            assert said.evaluate("p => getComputedStyle(p).visibility") == "visible", name
            box = said.bounding_box()
            assert box["x"] >= 0, name
            assert box["x"] + box["width"] <= 390, name
            assert box["y"] >= 0, name
            assert box["y"] + box["height"] <= 845, name
        assert phone.evaluate("document.documentElement.scrollWidth") == 390, name


# The cells that a ring lies over, of a picture, as what they say.
RINGED = """picture => {
    const rings = [...picture.querySelectorAll('path.ring, use')]
        .filter(ring => getComputedStyle(ring).visibility === 'visible')
    const within = (ring, x, y) => {
        const shape = ring.href && picture.querySelector(ring.href.baseVal + ' path')
        const [left, top] = shape ? [ring.x.baseVal.value, ring.y.baseVal.value] : [0, 0]
        const point = ring.ownerSVGElement.createSVGPoint()
        Object.assign(point, {x, y})
        const at = point.matrixTransform(ring.getScreenCTM().inverse())
        Object.assign(point, {x: at.x - left, y: at.y - top})
        return (shape || ring).isPointInFill(point)
    }
    const cells = [...picture.querySelectorAll('.cell')]
    return cells.filter(cell => {
        const box = cell.getBoundingClientRect(), svg = cell.closest('.t').querySelector('svg')
        return rings.some(ring => ring.ownerSVGElement === svg &&
            within(ring, box.x + box.width / 2, box.y + box.height / 2))
    }).map(cell => cell.getAttribute('aria-label').split(' ')[0])
}"""


@pytest.mark.parametrize(("stride", "kernel"), [(1, 3), (2, 3), (1, 2)])
def test_pointing_at_a_pixel_lights_its_copies_in_the_columns(desk, stride, kernel):
    x = np.arange(1.0, 17).reshape(1, 1, 4, 4)
    columns = im2col(x, kernel, stride=stride)
    desk.set_content(HEAD + draw_im2col(x, kernel, stride=stride))
    picture = desk.locator(".cnnbp")
    for pixel in ((1, 1), (2, 0), (3, 3)):
        name = f"x[0,0,{pixel[0]},{pixel[1]}]"
        picture.locator(f'.cell[aria-label^="{name} "]').hover()
        copies = np.argwhere(columns == x[0, 0][pixel]).tolist()
        lit = {name, *(f"columns[{row},{column}]" for row, column in copies)}
        assert set(picture.evaluate(RINGED)) == lit


@pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)
def test_a_lesson_has_few_stops_for_the_tab_key(path):
    groups = {name for html in stored(path) for name in re.findall(r'name="(cnnbp-[^"]*)"', html)}
    assert len(groups) <= 60

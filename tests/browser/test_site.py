"""The lessons as web pages: they need nothing from outside, and answer to pointers and fingers."""

import importlib.util
import re
import subprocess
import sys
from html import unescape
from itertools import pairwise
from pathlib import Path

import nbformat
import pytest
from helpers import assert_refuses

from cnnbp.pictures.svg import LIVE

ROOT = Path(__file__).parents[2]
LESSONS = sorted((ROOT / "notebooks").glob("*.ipynb"))
SHOWN = """picture => [...picture.querySelectorAll('.link')]
    .filter(link => getComputedStyle(link).visibility === 'visible')
    .map(link => (link.innerText ?? link.textContent).replace(/\\s/g, ' '))
    .filter(Boolean).join(' ')"""


@pytest.fixture(scope="module")
def website():
    """The tool that writes the pages, as a module."""
    found = importlib.util.spec_from_file_location("website", ROOT / "tools" / "website.py")
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def site(website, tmp_path_factory):
    folder = tmp_path_factory.mktemp("web") / "site"
    website.write_site(folder, LESSONS)
    return folder


@pytest.fixture(scope="module")
def html(site):
    """name of a page -> its text"""
    return {path.name: path.read_text(encoding="utf-8") for path in site.glob("*.html")}


def open_page(browser, address, **options):
    """A page that the network is shut to, and whatever it asked of the network all the same."""
    context = browser.new_context(offline=True, **options)
    asked = []
    context.on("request", lambda request: asked.append(request.url))
    page = context.new_page()
    page.goto(address.as_uri())
    return page, [url for url in asked if url != address.as_uri()]


@pytest.fixture(params=[path.stem for path in LESSONS] + ["index", "NOTATION"])
def name(request):
    return f"{request.param}.html"


def answering(page):
    """A picture of the page that has cells to point at."""
    return page.locator(".cnnbp:has(.cell)").first


def test_every_lesson_is_a_page(html):
    assert {f"{path.stem}.html" for path in LESSONS} <= html.keys()


def test_the_index_leads_to_every_lesson_in_order(html):
    listed = re.findall(
        r'<li><a href="(\w+)\.html">([^<]*)</a> <span[^>]*>(\d+) minutes', html["index.html"]
    )
    assert [stem for stem, *_ in listed] == [path.stem for path in LESSONS]
    for path, (_, title, minutes) in zip(LESSONS, listed, strict=True):
        first = nbformat.read(path, as_version=4).cells[0].source
        assert first.startswith(f"# {unescape(title)}\n")
        assert f"{minutes} minutes" in first


def test_lessons_lead_to_their_neighbors(html):
    names = [f"{path.stem}.html" for path in LESSONS]
    for before, after in pairwise(names):
        assert f'<a rel="next" href="{after}">' in html[before]
        assert f'<a rel="prev" href="{before}">' in html[after]


def test_every_link_leads_somewhere(html, site, name):
    for link in re.findall(r'href="([^"]*)"', html[name]):
        if re.match("https?:|data:", link):
            continue
        page, _, part = link.partition("#")
        assert (site / (page or name)).is_file(), link
        assert not part or f'id="{part}"' in html.get(page or name, ""), link


def test_nothing_is_asked_of_the_network(browser, site, name):
    page, asked = open_page(browser, site / name)
    assert asked == []
    assert page.locator("script, iframe, link").count() == 0
    page.context.close()


@pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)
def test_every_picture_of_a_lesson_is_part_of_the_page(html, path):
    for cell in nbformat.read(path, as_version=4).cells:
        for output in cell.get("outputs", []):
            picture = output.get("data", {}).get(LIVE)
            assert picture is None or picture in html[f"{path.stem}.html"]


def test_figures_have_a_description(html):
    for text in html.values():
        for image in re.findall(r"<img [^>]*>", text):
            assert re.search(r'alt="[^"]+"', image)


@pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)
def test_pointing_at_a_cell_shows_its_arithmetic(browser, site, path):
    page, _ = open_page(browser, site / f"{path.stem}.html")
    for picture in page.locator(".cnnbp:has(.cell)").all():
        cell = picture.locator(".cell[aria-label]").last
        before = picture.evaluate(SHOWN)
        cell.hover()
        assert cell.get_attribute("aria-label").split(" = ")[0] in picture.evaluate(SHOWN)
        page.mouse.move(0, 0)
        assert picture.evaluate(SHOWN) == before
    page.context.close()


def test_a_tap_on_a_phone_does_what_a_pointer_does(browser, site):
    phone = {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True}
    page, asked = open_page(browser, site / "index.html", **phone)
    picture = page.locator(".cnnbp:has(.cell)")
    cells = picture.locator(".cell[aria-label]").all()
    says = {cell: cell.get_attribute("aria-label") for cell in cells}
    at_rest = picture.evaluate(SHOWN)
    hidden = [cell for cell in cells if says[cell] not in at_rest]
    assert hidden
    for cell in hidden[:3]:
        said = says[cell]
        assert said not in picture.evaluate(SHOWN)
        cell.tap()
        page.wait_for_timeout(300)  # a finger's tap is told from a drag before it counts
        assert said in picture.evaluate(SHOWN)
    assert asked == []
    page.context.close()


def test_a_phone_needs_no_sideways_scrolling_to_read(browser, site, name):
    phone = {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True}
    page, _ = open_page(browser, site / name, **phone)
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    assert (
        float(page.locator("body").evaluate("e => parseFloat(getComputedStyle(e).fontSize)")) >= 16
    )
    page.context.close()


def test_numbers_in_a_picture_are_not_shrunk_on_a_phone(browser, site):
    page, _ = open_page(browser, site / "index.html", viewport={"width": 390, "height": 844})
    scales = page.locator(".cnnbp .t svg").evaluate_all(
        "all => all.map(svg => svg.getBoundingClientRect().width / svg.viewBox.baseVal.width)"
    )
    assert scales
    assert scales == pytest.approx([1] * len(scales), abs=1e-3)
    page.context.close()


def test_a_dark_page_has_dark_pictures(browser, site):
    page, _ = open_page(browser, site / "index.html", color_scheme="dark")
    body, said = page.locator("body, .cnnbp .said p:first-child").evaluate_all(
        "parts => parts.map(part => getComputedStyle(part).backgroundColor)"
    )
    assert body == said == "rgb(21, 23, 28)"
    words = page.locator(".cnnbp .name").first.evaluate("text => getComputedStyle(text).fill")
    assert words != "rgb(31, 36, 48)"
    page.context.close()


@pytest.mark.parametrize(
    ("source", "complaint"),
    [
        ("where $x^2$ is", "the pages have no TeX"),
        ("$$\nx^2\n$$", "the pages have no TeX"),
        ("\\begin{align} x \\end{align}", "the pages have no TeX"),
        ("[a lesson](99_none.ipynb)", "99_none.ipynb leads nowhere"),
    ],
)
def test_what_a_page_cannot_show_is_refused(website, tmp_path, source, complaint):
    first = "# 00 · A lesson\n\n5 minutes.\n\n**Afterwards you can** read."
    cells = [nbformat.v4.new_markdown_cell(text) for text in (first, source)]
    lesson = tmp_path / "00_lesson.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=cells), lesson)
    assert_refuses(lambda: website.write_site(tmp_path / "site", [lesson]), ValueError, complaint)


def test_the_command_writes_the_same_pages_every_time(website, tmp_path):
    lesson = LESSONS[0]
    command = [sys.executable, ROOT / "tools" / "website.py", tmp_path / "by command", lesson]
    subprocess.run(command, check=True, capture_output=True, timeout=120)
    website.write_site(tmp_path / "by call", [lesson])
    pages = [
        {page.name: page.read_bytes() for page in (tmp_path / way).glob("*.html")}
        for way in ("by command", "by call")
    ]
    assert pages[0] == pages[1]
    assert pages[0].keys() == {f"{lesson.stem}.html", "index.html", "NOTATION.html"}

"""The lessons as web pages: they need nothing from outside, and answer to pointers and fingers."""

import gzip
import re
import subprocess
import sys
from html import unescape
from itertools import pairwise
from pathlib import Path

import nbformat
import pytest
import website
from axe_playwright_python.sync_playwright import Axe
from helpers import assert_refuses
from PIL import Image

from cnnbp.exercises import TASKS
from cnnbp.pictures.svg import LIVE
from notebooks import execute

ROOT = Path(__file__).parents[2]
LESSONS = sorted((ROOT / "notebooks").glob("*.ipynb"))
SHOWN = """picture => [...picture.querySelectorAll('.link')]
    .filter(link => getComputedStyle(link).visibility === 'visible')
    .map(link => (link.innerText ?? link.textContent).replace(/\\s/g, ' '))
    .filter(Boolean).join(' ')"""


@pytest.fixture(scope="module")
def site(tmp_path_factory):
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


PAGES = [f"{stem}.html" for stem in [*(path.stem for path in LESSONS), "index", "NOTATION"]]


@pytest.fixture(scope="module", params=PAGES)
def name(request):
    return request.param


@pytest.fixture(scope="module")
def opened(browser, site, name):
    """A page as it opens, and what it asked of the network; whoever changes it changes it back."""
    page, asked = open_page(browser, site / name)
    yield page, asked
    page.context.close()


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
        if re.match("https?:|data:|lite/", link):
            continue
        page, _, part = link.partition("#")
        assert (site / (page or name)).is_file(), link
        assert not part or f'id="{part}"' in html.get(page or name, ""), link


def test_every_lesson_can_be_run_from_its_page(html):
    for path in LESSONS:
        page = html[f"{path.stem}.html"]
        assert f'<a class="start" href="lite/lab/index.html?path={path.name}">Run this' in page
        assert set(re.findall(r'href="lite/([^"]*)"', page)) == {f"lab/index.html?path={path.name}"}


def test_nothing_is_asked_of_the_network(opened):
    page, asked = opened
    assert asked == []
    assert page.locator("script, iframe, link:not([rel=icon])").count() == 0


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


@pytest.fixture
def unfolded(opened):
    """The page with all that is folded open; as it was, afterwards."""
    page, _ = opened
    folded = page.evaluate_handle("[...document.querySelectorAll('details:not([open])')]")
    folded.evaluate("all => all.forEach(each => (each.open = true))")
    yield page
    page.mouse.move(0, 0)
    folded.evaluate("all => all.forEach(each => (each.open = false))")


def test_pointing_at_a_cell_shows_its_arithmetic(unfolded):
    page = unfolded
    for picture in page.locator(".cnnbp:has(.cell)").all():
        cell = picture.locator(".cell[aria-label]").last
        before = picture.evaluate(SHOWN)
        cell.hover()
        assert cell.get_attribute("aria-label").split(" = ")[0] in picture.evaluate(SHOWN)
        page.mouse.move(0, 0)
        assert picture.evaluate(SHOWN) == before


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
    body, said = page.locator("body, .cnnbp .said .longest:first-child").evaluate_all(
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
def test_what_a_page_cannot_show_is_refused(tmp_path, source, complaint):
    first = "# 00 · A lesson\n\n5 minutes.\n\n**Afterwards you can** read."
    cells = [nbformat.v4.new_markdown_cell(text) for text in (first, source)]
    lesson = tmp_path / "00_lesson.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=cells), lesson)
    assert_refuses(lambda: website.write_site(tmp_path / "site", [lesson]), ValueError, complaint)


def test_the_command_writes_the_same_pages_every_time(tmp_path):
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


def written(folder, *cells):
    """The page of a lesson of these cells, executed as lessons are."""
    first = "# 00 · A lesson\n\n5 minutes.\n\n**Afterwards you can** read."
    lesson = folder / "00_lesson.ipynb"
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell(first), *cells])
    nbformat.write(notebook, lesson)
    nbformat.write(execute(lesson), lesson)
    website.write_site(folder / "site", [lesson])
    return folder / "site" / "00_lesson.html"


def code(source):
    return nbformat.v4.new_code_cell(source)


def test_a_stepper_steps_without_a_kernel(browser, tmp_path):
    explorer = code("from cnnbp import explorers\nexplorers.KernelGradientExplorer()")
    page, _ = open_page(browser, written(tmp_path, explorer))
    picture, buttons = page.locator(".picture .cnnbp"), page.locator(".steps input")
    seen = set()
    for at in range(buttons.count()):
        buttons.nth(at).check()
        page.mouse.move(0, 0)
        seen.add(picture.evaluate(SHOWN))
    assert len(seen) == buttons.count() > 3
    assert buttons.last.evaluate("button => button.checked")
    page.keyboard.press("ArrowLeft")
    assert buttons.nth(buttons.count() - 2).is_checked()
    assert page.get_by_text("need a kernel").count() == 1
    page.context.close()


def test_what_only_names_an_explorer_is_none(browser, tmp_path):
    picture = (
        "from cnnbp import pictures\n"
        "picture = pictures.draw_conv2d_dw([[[[2.0]]]], [[[[3.0]]]], [[[[4.0]]]])\n"
        "picture.description = 'Explorer()'\n"
        "pictures and __import__('cnnbp.explorers').explorers.show(picture)"
    )
    page, _ = open_page(browser, written(tmp_path, code(picture)))
    assert page.locator(".picture .cnnbp").count() == 1
    assert page.locator(".note, .steps").count() == 0
    page.context.close()


def test_what_answers_a_question_is_folded(browser, tmp_path):
    ask = code("from IPython.display import HTML\nHTML('<div class=\"cnnbp-ask\">How many?</div>')")
    predict = nbformat.v4.new_markdown_cell("Look.\n\n**Predict:** what is it?")
    told = nbformat.v4.new_markdown_cell("It was the third.\n\n## Next\n\nOnward.")
    cells = [code("print('first')"), ask, code("print('second')"), predict, code("print('third')")]
    page, _ = open_page(browser, written(tmp_path, *cells, told, code("print('fourth')")))

    def seen(*texts):
        return [page.get_by_text(text, exact=True).is_visible() for text in texts]

    assert all(seen("first", "fourth", "How many?", "Onward."))
    assert not any(seen("second", "third", "It was the third."))
    for fold in page.locator(".answer > summary").all():
        fold.click()
    assert all(seen("second", "third", "It was the third."))
    page.context.close()


PLOTS = {
    "a photograph": (
        "import numpy as np\nfrom cnnbp.pictures.plots import plot_images\n"
        "plot_images(np.full((1, 3, 8, 8), [[[[1.0]], [[0.5]], [[0.0]]]]), ['orange'])",
        (255, 128, 0),
    ),
    "maps": (
        "import numpy as np\nfrom cnnbp.pictures.plots import plot_maps\n"
        "plot_maps({'dx': np.ones((1, 1, 8, 8))})",
        (248, 176, 88),
    ),
}


@pytest.mark.parametrize("kind", PLOTS)
def test_images_have_their_colors_on_dark_paper_too(browser, tmp_path, kind):
    """And their legend the colors of their boxes: nothing in them is inverted."""
    source, color = PLOTS[kind]
    page, _ = open_page(browser, written(tmp_path, code(source)), color_scheme="dark")
    plot = page.locator(".plot")
    box = plot.bounding_box()
    shot = tmp_path / "shot.png"
    page.screenshot(path=shot)
    at = Image.open(shot).convert("RGB").getpixel
    middle = at((int(box["x"] + box["width"] * 0.7), int(box["y"] + box["height"] * 0.6)))
    assert max(abs(a - b) for a, b in zip(middle, color, strict=True)) < 8
    assert at((int(box["x"]) + 2, int(box["y"]) + 2)) == (21, 23, 28)
    assert plot.locator("img").evaluate("image => getComputedStyle(image).filter") == "none"
    page.context.close()


def test_curves_are_dark_on_dark_paper(browser, tmp_path):
    source = "from cnnbp.pictures.plots import plot_growth\n"
    source += "plot_growth({'N': ([1, 2], {'all': [0.001, 0.002]})})"
    page, _ = open_page(browser, written(tmp_path, code(source)), color_scheme="dark")
    plot = page.locator(".plot")
    box = plot.bounding_box()
    shot = tmp_path / "shot.png"
    page.screenshot(path=shot)
    assert sum(Image.open(shot).convert("RGB").getpixel((box["x"] + 2, box["y"] + 2))) < 150
    page.context.close()


def test_what_an_exercise_asks_is_not_folded(browser, tmp_path):
    ask = code("from IPython.display import HTML\nHTML('<div class=\"cnnbp-ask\">How many?</div>')")
    task = code("from cnnbp.exercises import double\ndouble")
    page, _ = open_page(browser, written(tmp_path, ask, task, code("print('never asked')")))
    assert page.get_by_text("A tiny case to work by hand").is_visible()
    assert page.locator(".answer").count() == 0
    page.context.close()


def test_what_an_exercise_takes_and_returns_fits_a_phone(browser):
    page = browser.new_page(viewport={"width": 390, "height": 844})
    page.set_content("<!doctype html>" + "".join(task._repr_html_() for task in TASKS))
    lines = page.locator(".cnnbp-page > div > pre")
    assert lines.count() > 3 * len(TASKS)
    assert lines.evaluate_all("all => all.filter(pre => pre.scrollWidth > pre.clientWidth)") == []
    page.close()


def test_the_longest_line_of_code_fits_beside_the_contents(browser, tmp_path):
    line = "# " + "m" * 98
    part = nbformat.v4.new_markdown_cell("## A part")
    wide = {"viewport": {"width": 1366, "height": 900}}
    page, _ = open_page(browser, written(tmp_path, part, code(line)), **wide)
    fits = "pre => pre.scrollWidth <= pre.clientWidth"
    assert page.locator(".contents").is_visible()
    assert page.locator(".input_area pre").evaluate(fits)
    page.context.close()


def test_every_lesson_leads_to_its_parts_and_all_lessons(html):
    for path in LESSONS:
        page = html[f"{path.stem}.html"]
        contents = page.split('class="contents"')[1].split("</nav>")[0]
        headings = re.findall(r'<h2 id="([^"]*)"', page)
        assert headings
        assert re.findall(r'href="#([^"]*)"', contents) == headings
        assert all(f'<li><a href="{other.stem}.html"' in page for other in LESSONS)


def test_the_notebook_that_is_downloaded_is_a_learners_copy(site, html):
    for path in LESSONS:
        place = f"notebooks/{path.name}"
        assert f'href="{place}" download' in html[f"{path.stem}.html"]
        copy = nbformat.read(site / place, as_version=4)
        assert not any(cell.get("outputs") for cell in copy.cells)
        assert len(copy.cells) == len(nbformat.read(path, as_version=4).cells)


def test_the_index_has_a_button_to_start(browser, site):
    page, _ = open_page(browser, site / "index.html")
    page.get_by_role("link", name="Start with the first lesson").click()
    assert page.url.endswith(f"{LESSONS[0].stem}.html")
    page.context.close()


def test_pages_describe_themselves(html, site):
    said = [re.search(r'name="description" content="([^"]+)"', page)[1] for page in html.values()]
    assert all(len(text) > 30 and "](" not in text for text in said)
    assert (site / "card.png").read_bytes()[16:24] == bytes([0, 0, 4, 176, 0, 0, 2, 118])
    assert len(re.findall('<meta property="og:image" content="card.png">', html["index.html"])) == 1


def test_axe_finds_nothing_serious(opened):
    page, _ = opened
    found = Axe().run(page).response["violations"]
    page.emulate_media(color_scheme="dark")
    colors = {"runOnly": ["color-contrast"], "resultTypes": ["violations"]}
    found += Axe().run(page, options=colors).response["violations"]
    page.emulate_media(color_scheme="light")
    assert not [
        (each["id"], [node["html"][:200] for node in each["nodes"]][:3])
        for each in found
        if each["impact"] in ("serious", "critical")
    ]


def test_no_page_is_too_large(site, name):
    assert len(gzip.compress((site / name).read_bytes())) <= 1_200_000


def test_long_arithmetic_wraps_and_is_not_cut(browser, tmp_path):
    source = "import cnnbp, numpy as np\nones = np.ones((1, 1, 2, 3))\n"
    source += "cnnbp.explain_conv2d('z', (0, 0, 0, 0), x=ones, w=ones)"
    narrow = {"viewport": {"width": 390, "height": 844}}
    page, _ = open_page(browser, written(tmp_path, code(source)), **narrow)
    line = page.locator(".output_text pre")
    assert len(line.inner_text()) > 80
    assert line.evaluate("pre => pre.scrollWidth <= pre.clientWidth")
    page.context.close()


def test_paper_is_white_and_shows_no_navigation(browser, site):
    page, _ = open_page(browser, site / f"{LESSONS[1].stem}.html", color_scheme="dark")
    page.emulate_media(media="print")
    assert page.evaluate("getComputedStyle(document.body).color") == "rgb(31, 36, 48)"
    assert not page.locator("header, .contents, .turn, .ways").filter(visible=True).count()
    page.context.close()


def test_contents_stand_beside_a_lesson_and_open_above_it_on_a_phone(browser, site):
    for width, beside in ((1280, True), (390, False)):
        size = {"width": width, "height": 800}
        page, _ = open_page(browser, site / f"{LESSONS[1].stem}.html", viewport=size)
        first = page.locator(".contents li a").first
        assert first.is_visible() == beside
        if not beside:
            page.locator(".contents summary").click()
        first.click()
        assert page.url.rpartition("#")[2]
        page.context.close()

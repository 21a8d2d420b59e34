"""Write the lessons as web pages in which pointing at a cell works, without kernel or network.

    python tools/website.py site notebooks/*.ipynb

The pages show what the stored lessons hold; `make notebooks` makes that anew. They load nothing
from anywhere: no script, no font, no renderer for mathematics, which the lessons write in plain
characters. tools/lite.py writes lite/, where the lessons run. SITE_ADDRESS is where the site will
be, such as https://example.org/course/: previews of a link need the whole address of their picture.
"""

import os
import re
import shutil
import sys
from pathlib import Path
from urllib.parse import urldefrag

import nbformat
from card import card, icon
from docs_pictures import signature
from nbconvert import HTMLExporter, TemplateExporter
from nbconvert.filters import Highlight2HTML
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath
from pygments.formatters import HtmlFormatter

from cnnbp.course import without_outputs
from cnnbp.explorers.controls import FRAMES
from cnnbp.pictures.style import STEP_HIDES, STEP_SHOWS

ROOT = Path(__file__).parents[1]
TEMPLATES = ROOT / "tools" / "page"
NOTATION = ROOT / "NOTATION.md"
TITLE = "Backpropagation in convolutional networks"
PROMISE = "A course at whose end you can point at any gradient cell and say which numbers made it."

# What asks the reader for an answer that the next output gives.
ASKS = re.compile(r"^\*\*(Predict|Question|A question|Check yourself|\d+\.\*\*)", re.MULTILINE)


class Lesson:
    """A notebook, its place on the site, and what its first cell says about it."""

    def __init__(self, path):
        self.path = Path(path).resolve()
        self.notebook = nbformat.read(self.path, as_version=4)
        self.page = f"{self.path.stem}.html"
        self.download = f"notebooks/{self.path.name}"
        self.live = (
            f"lite/lab/index.html?path={self.path.name}"  # tools/lite.py makes what is there
        )
        self.title = self._said(r"^# (.*)$")
        self.minutes = self._said(r"(\d+ minutes)")
        self.afterwards = self._said(r"^\*\*Afterwards you can\*\* (.*)$")

    @property
    def description(self):
        """A sentence, in plain characters, for whoever looks for the page."""
        sentence = re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", self.afterwards)
        return "Afterwards you can " + re.sub(r"[*`]", "", sentence)

    def folded(self):
        """The notebook, with a mark on every cell whose outputs answer a question before it.

        The prose behind such outputs, which says the answer, too, moves into the fold with them.
        """
        asked, answering = False, None
        for cell in self.notebook.cells:
            outputs = cell.get("outputs", [])
            if cell.cell_type == "markdown":
                asked = bool(ASKS.search(cell.source)) or (
                    asked and "\n## " not in f"\n{cell.source}"
                )
                if answering:
                    answering.metadata.told, cell.source = parted(cell.source)
                answering = None
            elif any(
                "cnnbp-ask" in output.get("data", {}).get("text/html", "") for output in outputs
            ):
                asked, answering = True, None
            elif outputs:
                cell.metadata.folded = asked and not any(map(is_asking, outputs))
                asked, answering = False, cell if cell.metadata.folded else None
        self.notebook.cells = [cell for cell in self.notebook.cells if cell.source]
        return self.notebook

    def _said(self, pattern):
        return re.search(pattern, self.notebook.cells[0].source, re.MULTILINE)[1]


def is_asking(output):
    """Whether an output is an explorer or a page of an exercise, which answer no question."""
    page = output.get("data", {}).get("text/html", "")
    return "cnnbp" in output.get("metadata", {}) or 'class="cnnbp-page"' in page


def parted(prose):
    """What prose says of the answer that it follows, and the rest: a pair of texts.

    The first part ends at a heading. Where a task in bold comes before that, what leads up to it
    belongs to it, and the first part is one paragraph, with the block that a colon announces.

    >>> parted("It is 7, since\\n\\n## Next")
    ('It is 7, since\\n\\n', '## Next')
    >>> parted("So:\\n\\n    3 + 4\\n\\nNow x is 2.\\n\\n**Predict:** x + 1?")
    ('So:\\n\\n    3 + 4\\n\\n', 'Now x is 2.\\n\\n**Predict:** x + 1?')
    >>> parted("**Predict:** x + 2?")
    ('', '**Predict:** x + 2?')
    """
    heading = re.search(r"^#", prose, re.MULTILINE)
    told = prose[: heading.start()] if heading else prose
    if told.startswith("**"):
        told = ""
    elif "\n**" in told:
        told = re.match(r"(.+(?<=:)\n\n)*.+?(\n\n|$)", told, re.DOTALL)[0]
    return told, prose[len(told) :]


class Renderer(IPythonRenderer):
    """Markdown as HTML, with links to the site's own pages.

    folder  where the text's links start from
    site    where pages go, and the files that are linked to
    """

    def __init__(self, folder, site):
        super().__init__(escape=False)
        self.folder, self.site = folder, site

    def link(self, text, url, title=None):
        return super().link(text, self._on_site(url), title)

    def image(self, text, url, title=None):
        return super().image(text, self._on_site(url), title)

    def _on_site(self, url):
        address, fragment = urldefrag(url)
        if not address or re.match(r"[a-z]+:", address):
            return url
        file = (self.folder / address).resolve()
        if not file.is_file():
            raise ValueError(f"the link {url} leads nowhere from {self.folder.name}")
        if file.suffix == ".ipynb" or file == NOTATION:
            place = f"{file.stem}.html"
        else:
            place = file.relative_to(ROOT).as_posix()
            (self.site / place).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(file, self.site / place)
        return place + f"#{fragment}" * bool(fragment)

    def inline_math(self, body):
        raise ValueError(f"${body}$: the pages have no TeX; write mathematics in plain characters")

    block_math = inline_math

    def latex_environment(self, name, body):
        self.inline_math(body)


class Exporter(HTMLExporter):
    """A lesson's cells as HTML, by our own templates.

    nbconvert would then pass the page through a parser that rewrites the pictures; not here.
    """

    def from_notebook_node(self, notebook, resources=None, **options):
        return TemplateExporter.from_notebook_node(self, notebook, resources, **options)


def write_site(site, lessons, address=""):
    """Every page, in a folder that is made anew.

    site     Path of the folder
    lessons  Paths of notebooks, in their order
    address  where the site will be, with a slash at its end; "" if nobody knows yet
    """
    shutil.rmtree(site, ignore_errors=True)
    (site / "notebooks").mkdir(parents=True)
    (site / "icon.svg").write_text(icon(), encoding="utf-8")
    (site / "card.png").write_bytes(card())
    exporter = page_exporter()
    lessons = list(map(Lesson, lessons))
    frame = exporter.environment.get_template("frame.html.j2")
    shared = {"style": style(), "address": address, "icon": "icon.svg", "card": "card.png"}

    def write(place, title, content, **known):
        parts = re.findall(r'<h2 id="([^"]*)">(.*?)<a class="anchor-link"', content)
        known = {"description": PROMISE, **shared, **known}
        page = frame.render(title=title, content=content, parts=parts, lessons=lessons, **known)
        (site / place).write_text(page, encoding="utf-8")

    for before, lesson, after in zip([None, *lessons], lessons, [*lessons[1:], None], strict=False):
        markdown = MarkdownWithMath(Renderer(lesson.path.parent, site))
        exporter.register_filter("markdown2html", markdown.render)
        content, _ = exporter.from_notebook_node(lesson.folded(), {"live": lesson.live})
        content = re.sub(r"<pre(?=[ >])", '<pre tabindex="0"', content)  # long lines move sideways
        neighbors = {"prev": before, "next": after}
        known = {"lesson": lesson, "neighbors": neighbors, "description": lesson.description}
        write(lesson.page, lesson.title, content, **known)
        copy = without_outputs(lesson.path.read_text(encoding="utf-8"))
        (site / lesson.download).write_text(copy, encoding="utf-8")

    text = NOTATION.read_text(encoding="utf-8")
    (site / "notebooks" / NOTATION.name).write_text(text, encoding="utf-8")
    write(f"{NOTATION.stem}.html", "Notation", MarkdownWithMath(Renderer(ROOT, site)).render(text))
    start = exporter.environment.get_template("start.html.j2")
    write("index.html", TITLE, start.render(picture=signature(), lessons=lessons))


def page_exporter():
    exporter = Exporter(
        template_name=TEMPLATES.name,
        extra_template_basedirs=[str(TEMPLATES.parent)],
        exclude_input_prompt=True,
        exclude_output_prompt=True,
    )
    exporter.register_filter("highlight_code", Highlight2HTML(pygments_lexer="python"))
    exporter.register_filter("count_links", count_links)
    return exporter


def count_links(drawing):
    """How many links a picture has; each may be drawn in several places.

    >>> count_links('<g class="link k0 n0"/><g class="link k1 n1"/><p class="link k1 n1"></p>')
    2
    """
    return len(set(re.findall(r'class="link k(\d+) ', drawing)))


def style():
    """The pages' own rules, the colors of code, and the package's rules for steppers.

    There a frame of class step-K is in the page while K is chosen, here its button is checked.
    """
    steps = STEP_HIDES + "".join(STEP_SHOWS.replace("K", str(k)) for k in range(FRAMES))
    steps = re.sub(r":has\((\.step-\d+)\)", r":has(\1:checked)", steps)
    return (TEMPLATES / "style.css").read_text(encoding="utf-8") + highlighting() + steps


def highlighting():
    """The colors of code, by day and by night, of which each is legible on its paper."""
    day, night = (
        HtmlFormatter(style=name).get_style_defs(".highlight") for name in ("xcode", "monokai")
    )
    return f"{day}\n@media screen and (prefers-color-scheme: dark) {{\n{night}\n}}\n"


if __name__ == "__main__":
    folder, *notebooks = map(Path, sys.argv[1:])
    write_site(folder, notebooks, os.environ.get("SITE_ADDRESS", ""))
    print(f"{folder / 'index.html'}: {len(notebooks)} lessons")

"""Write the lessons as web pages in which pointing at a cell works, without kernel or network.

    python tools/website.py site notebooks/*.ipynb

The pages show what the stored lessons hold; `make notebooks` makes that anew. They load nothing
from anywhere: no script, no font, no renderer for mathematics, which the lessons write in plain
characters.
"""

import re
import shutil
import sys
from pathlib import Path
from urllib.parse import urldefrag

import nbformat
from nbconvert import HTMLExporter, TemplateExporter
from nbconvert.filters import Highlight2HTML
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath
from pygments.formatters import HtmlFormatter

ROOT = Path(__file__).parents[1]
TEMPLATES = ROOT / "tools" / "page"
PICTURE = ROOT / "docs" / "signature.html"
NOTATION = ROOT / "NOTATION.md"


class Lesson:
    """A notebook, its place on the site, and what its first cell says about it."""

    def __init__(self, path):
        self.path = Path(path).resolve()
        self.notebook = nbformat.read(self.path, as_version=4)
        self.page = f"{self.path.stem}.html"
        self.title = self._said(r"^# (.*)$")
        self.minutes = self._said(r"(\d+ minutes)")
        self.afterwards = self._said(r"^\*\*Afterwards you can\*\* (.*)$")

    def _said(self, pattern):
        return re.search(pattern, self.notebook.cells[0].source, re.MULTILINE)[1]


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


def write_site(site, lessons):
    """Every page, in a folder that is made anew.

    site     Path of the folder
    lessons  Paths of notebooks, in their order
    """
    shutil.rmtree(site, ignore_errors=True)
    site.mkdir(parents=True)
    exporter = Exporter(
        template_name=TEMPLATES.name,
        extra_template_basedirs=[str(TEMPLATES.parent)],
        exclude_input_prompt=True,
        exclude_output_prompt=True,
    )
    exporter.register_filter("highlight_code", Highlight2HTML(pygments_lexer="python"))
    frame = exporter.environment.get_template("frame.html.j2")
    style = (TEMPLATES / "style.css").read_text(encoding="utf-8") + highlighting()

    def write(place, title, content, **neighbors):
        page = frame.render(title=title, content=content, style=style, neighbors=neighbors)
        (site / place).write_text(page, encoding="utf-8")

    lessons = list(map(Lesson, lessons))
    for before, lesson, after in zip([None, *lessons], lessons, [*lessons[1:], None], strict=False):
        markdown = MarkdownWithMath(Renderer(lesson.path.parent, site))
        exporter.register_filter("markdown2html", markdown.render)
        content, _ = exporter.from_notebook_node(lesson.notebook)
        write(lesson.page, lesson.title, content, prev=before, next=after)

    notation = MarkdownWithMath(Renderer(ROOT, site)).render(NOTATION.read_text(encoding="utf-8"))
    write(f"{NOTATION.stem}.html", "Notation", notation)
    start = exporter.environment.get_template("start.html.j2")
    picture = PICTURE.read_text(encoding="utf-8")
    write("index.html", "Backpropagation", start.render(picture=picture, lessons=lessons))


def highlighting():
    """The colors of code, by day and by night."""
    day, night = (
        HtmlFormatter(style=name).get_style_defs(".highlight")
        for name in ("default", "github-dark")
    )
    return f"{day}\n@media (prefers-color-scheme: dark) {{\n{night}\n}}\n"


if __name__ == "__main__":
    folder, *notebooks = map(Path, sys.argv[1:])
    write_site(folder, notebooks)
    print(f"{folder / 'index.html'}: {len(notebooks)} lessons")

"""Text that reads well in a terminal, a notebook and a screen reader: blocks, shown as either."""

from html import escape

HANGING = "margin:0;padding:0 0 0 2em;text-indent:-2em;white-space:pre-wrap"


class Page:
    """Blocks below one another: paragraphs, code, pictures.

    A picture is HTML (or SVG) text, with plain text that stands for it where there are none.

    >>> Page().heading("Right").text("All 4 cases.").code("x = 1")
    Right
    <BLANKLINE>
    All 4 cases.
    <BLANKLINE>
        x = 1
    """

    def __init__(self):
        self.blocks = []

    def heading(self, content):
        return self._add(content, _paragraph(content, "font-weight:bold;"))

    def text(self, *lines):
        return self._add("\n".join(lines), "".join(map(_paragraph, lines)))

    def code(self, content):
        return self._add(indented(content), preformatted(content))

    def columns(self, content):
        """Text in columns; on a phone its lines go on below, a little to the right."""
        lines = "".join(
            f'<pre style="{HANGING}">{escape(line)}</pre>' for line in content.splitlines()
        )
        return self._add(indented(content), f'<div style="margin:.6em 1em">{lines}</div>')

    def picture(self, draw):
        """A picture made when it is shown: draw() returns its SVG and its plain text."""
        self.blocks.append(draw)
        return self

    def _add(self, plain, html):
        self.blocks.append(lambda: (html, plain))
        return self

    def __repr__(self):
        return "\n\n".join(plain for _, plain in self._shown())

    def _repr_html_(self):
        return f'<div class="cnnbp-page">{"".join(html for html, _ in self._shown())}</div>'

    def _shown(self):
        return [block() for block in self.blocks]


def indented(content):
    """Text set off from what stands around it."""
    return "\n".join(f"    {line}".rstrip() for line in content.splitlines())


def preformatted(content):
    """Text with its lines as they are, in HTML."""
    return f"<pre>{escape(content)}</pre>"


def _paragraph(line, style=""):
    return f'<p style="{style}margin:.3em 0">{escape(line)}</p>'

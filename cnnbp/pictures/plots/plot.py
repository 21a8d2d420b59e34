"""What all plots are made of: a figure that a page shows, its colors, its lines, its axes."""

import io

from matplotlib.colors import LinearSegmentedColormap, to_hex
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.text import Text

from cnnbp.pictures.curves import FIRST, SECOND
from cnnbp.pictures.grid import NEGATIVE, POSITIVE, ZERO

COLORS = [FIRST, SECOND, "#7a5aa8", "#2e8b57", "#8c6d31", "#c2528b"]
LINES = ["-", "--", ":", "-."]  # a run is told apart by its line, too
SIGNED = LinearSegmentedColormap.from_list(
    "signed", [[c / 255 for c in color] for color in (NEGATIVE, ZERO, POSITIVE)]
)
INK = "#7a7f89"  # legible on white and on black
DPI = 160  # of the stored image, which is shown at 80: sharp on a projector


class Plot(Figure):
    """A figure that a notebook shows when it is a cell's last line, and that says what it shows."""

    def __init__(self, description, width, height, **axes):
        super().__init__(figsize=(width, height), dpi=DPI, layout="constrained", facecolor="none")
        self.description = description
        self.photographs = False  # whether it shows images, whose colors stay as they are
        self.grid = self.subplots(**axes, squeeze=False) if axes else None

    def _repr_png_(self):
        image = io.BytesIO()
        _for_day_and_night(self)
        self.savefig(image, format="png")
        width, height = (round(inches * DPI / 2) for inches in self.get_size_inches())
        shown = {"width": width, "height": height, "photographs": self.photographs}
        return image.getvalue(), shown

    def __repr__(self):
        return f"Figure: {self.description}"


def _for_day_and_night(figure):
    """Black ink becomes gray, and white paper clear, so that a page may be light or dark."""
    for part in [*figure.findobj(Text), *figure.findobj(Line2D)]:
        if to_hex(part.get_color()) == "#000000":
            part.set_color(INK)
    for axes in figure.axes:
        axes.set_facecolor("none")
        for spine in axes.spines.values():
            if to_hex(spine.get_edgecolor()) == "#000000":
                spine.set_edgecolor(INK)


def styled(named):
    """Each with a color and a line of its own."""
    for number, item in enumerate(named.items()):
        yield item, COLORS[number % len(COLORS)], LINES[number % len(LINES)]


def label_axes(axes, up, across, **scales):
    axes.set(ylabel=up, xlabel=across, **scales)
    axes.spines[["top", "right"]].set_visible(False)


def bare(axes):
    axes.set(xticks=[], yticks=[])
    axes.spines[:].set_color("#9aa0ab")

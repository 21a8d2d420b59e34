"""Sliders and choices that explorers are made of, and the stepper that needs no kernel."""

import ipywidgets as widgets
from traitlets import Any

FRAMES = 40  # positions that a stepper turns in the browser alone
WIDTH = {"width": "20em", "max_width": "100%"}  # two or three side by side, one if it is narrow
STEPPER_WIDTH = {"width": "26em", "max_width": "100%"}
STYLE = {"description_width": "7em"}

# What a step number K shows: outweighs the choice that the picture made, unless a cell is pointed
# at. All rules are in the page from the start: one more <style> would cost 20 ms at every step.
HIDDEN = """
.cnnbp-stepper:has([class^=step-]) svg:not(:has(.cell:hover)):not(:has(.cell:focus)) .link
{opacity:0}"""
SHOWN = """
.cnnbp-stepper:has(.step-K) svg:not(:has(.cell:hover)):not(:has(.cell:focus)) .link.kK{opacity:1}"""


def slider(description, low, high, value=None):
    """A slider over the whole numbers from low to high, at low if no value is given."""
    value = low if value is None else value
    return widgets.IntSlider(value, low, high, description=description, style=STYLE, layout=WIDTH)


def decimal(description, low, high, value):
    """A slider over the eighths from low to high, which sums and products keep exact."""
    return widgets.FloatSlider(
        value,
        min=low,
        max=high,
        step=0.125,
        readout_format=".3f",
        description=description,
        style=STYLE,
        layout=WIDTH,
    )


def notches(description, options, value):
    """A slider over a few values, given as they are or as (label, value) pairs."""
    return widgets.SelectionSlider(
        options=options, value=value, description=description, style=STYLE, layout=WIDTH
    )


def choice(description, options):
    """One of some words, or of (label, value) pairs; the first to begin with."""
    return widgets.Dropdown(options=options, description=description, style=STYLE, layout=WIDTH)


def switch(description, value=False):
    """Yes or no."""
    return widgets.Checkbox(value, description=description, style=STYLE, layout=WIDTH)


class Position(Any):
    """A position of its slider; what is none is taken for the last one.

    So does a slider over numbers with what is beyond its end. Here the end may move: another
    stride leaves fewer windows.
    """

    def validate(self, slider, value):
        positions = [position for _, position in slider.options]
        return value if value in positions else positions[-1]


class PositionSlider(widgets.SelectionSlider):
    """A slider over (label, position) pairs."""

    value = Position(help="the position, of those in options")


class Stepper:
    """A slider with a play button that walks through the links of a picture.

    The picture holds all its links already, so a step only has to choose one, and the browser
    does that alone: the slider turns a Stack whose frames hold no picture, only the rules that
    choose. Past 40 positions there are no frames, and the kernel draws every step.

    description  beside the slider
    positions    (label, value) pairs; number i shows the picture's link number i
    """

    def __init__(self, description, positions):
        self.slider = PositionSlider(
            options=positions, description=description, style=STYLE, layout=STEPPER_WIDTH
        )
        self.slider.add_class("cnnbp-steps")
        self.play = widgets.Play(min=0, interval=800, show_repeat=False)
        self.frames = widgets.Stack(layout={"display": "none"})
        rules = HIDDEN + "".join(SHOWN.replace("K", str(k)) for k in range(FRAMES))
        self.rules = widgets.HTML(f"<style>{rules}</style>", layout={"display": "none"})
        self._blank, self._made = widgets.HTML(), []
        self._links = [  # the slider first: in the beginning the others take its value
            widgets.jslink((self.slider, "index"), (self.play, "value")),
            widgets.jslink((self.slider, "index"), (self.frames, "selected_index")),
        ]
        self.follow(positions)

    def follow(self, positions):
        """Walk through these positions from now on, and stay at the same one if it is there."""
        positions = tuple(positions)
        self.frames.children = self._frames(len(positions))
        self.play.max = len(positions) - 1
        value = self.slider.value
        if positions != self.slider.options:
            self.slider.options = positions
            if value in dict(positions).values():
                self.slider.value = value

    def _frames(self, count):
        if count > FRAMES:
            return (self._blank,) * count
        shared = {"layout": self._blank.layout, "style": self._blank.style}
        for k in range(len(self._made), count):
            self._made.append(widgets.HTML(f'<i class="step-{k}"></i>', **shared))
        return tuple(self._made)  # never fewer: the browser may still be at the last one

    @property
    def widgets(self):
        """Everything to be closed."""
        shown = self.slider, self.play, self.frames, self.rules
        return *shown, self._blank, *self._made, *self._links

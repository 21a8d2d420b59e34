"""Sliders and choices that explorers are made of, and the stepper that needs no kernel."""

import math
from fractions import Fraction

import ipywidgets as widgets
from traitlets import Any, Float

from cnnbp.pictures.curves import magnitude
from cnnbp.pictures.style import STEP_HIDES, STEP_SHOWS
from cnnbp.pictures.svg import number

FRAMES = 40  # positions that a stepper turns in the browser alone
STYLE = {"description_width": "7em"}
WIDTH = {"width": "auto"}  # a column of the panel: at least 160 pixels are left for the track
PANEL = {"grid_template_columns": "repeat(auto-fill, minmax(min(100%, 24em), 1fr))"}
STEPPER_WIDTH = {"width": "34em", "max_width": "100%"}


def slider(description, low, high, value=None):
    """A slider over the whole numbers from low to high, at low if no value is given."""
    value = low if value is None else value
    return widgets.IntSlider(value, low, high, description=description, style=STYLE, layout=WIDTH)


def choice(description, options, value=None):
    """One of some words, or of (label, value) pairs; the first to begin with, or the value."""
    start = {} if value is None else {"value": value}
    return widgets.Dropdown(
        options=options, description=description, style=STYLE, layout=WIDTH, **start
    )


def switch(description, value=False):
    """Yes or no."""
    return widgets.Checkbox(
        value, description=description, style={"description_width": "0"}, layout=WIDTH
    )


def typed(text):
    """The number that somebody wrote: a fraction, a decimal, with whatever minus; None if none.

    >>> typed("1/4"), typed("0.3"), typed(" −2 "), typed("1,5"), typed("a"), typed("1/0")
    (0.25, 0.3, -2.0, 1.5, None, None)
    """
    for minus in "−–":
        text = text.replace(minus, "-")
    try:
        return float(Fraction(text.replace(",", ".").replace(" ", "")))
    except (ValueError, ZeroDivisionError, OverflowError):
        return None


class Decimal(widgets.HBox):
    """A slider over the eighths from low to high, which sums and products keep exact, and a field.

    The field takes what is typed, such as 1/4, 0.3 or −2; beyond an end it is the end, and what is
    no number leaves the value as it was. A slider's own read-out would make 1 of 1/4.
    """

    value = Float()
    step = 0.125

    def __init__(self, description, low, high, value):
        self.min, self.max, self.description = low, high, description
        self.slider = self._make_slider(
            readout=False, description=description, tooltip=description,
            style=STYLE, layout={"flex": "1 1 auto", "width": "auto"},
        )  # fmt: skip
        self.field = widgets.Text(
            placeholder=description,  # which is its name for those who do not see it
            tooltip=f"{description}: type a number, such as 1/4 or 0.3",
            continuous_update=False,
            layout={"width": "5em", "flex": "0 0 auto"},
        )
        self._showing = False
        super().__init__([self.slider, self.field], layout=WIDTH)
        self.observe(self._show, "value")
        self.slider.observe(self._slid, "value")
        self.field.observe(self._typed, "value")
        self.value = float(value)
        self._show(None)

    def _make_slider(self, **options):
        return widgets.FloatSlider(min=self.min, max=self.max, step=self.step, **options)

    def _nearest(self, value):
        """The value that the slider can show."""
        return round(value / self.step) * self.step

    def _written(self, value):
        """The value as the field shows it."""
        return number(value, 4)

    def _show(self, _):
        """Slider and field follow the value, of which the slider knows the nearest notch only."""
        self._showing = True
        self.slider.value = self._nearest(self.value)
        self.field.value = self._written(self.value)
        self._showing = False

    def _slid(self, change):
        if not self._showing:
            self.value = change.new

    def _typed(self, change):
        if not self._showing:
            value = typed(change.new)
            if value is not None:
                self.value = min(max(value, self.min), self.max)
            self._show(None)


class Power(Decimal):
    """The same over powers of ten, four notches to each: types 1e−5 or 0.00001."""

    step = 0.25  # of the power

    def _make_slider(self, **options):
        low, high = math.log10(self.min), math.log10(self.max)
        return widgets.FloatLogSlider(value=self.max, min=low, max=high, step=self.step, **options)

    def _nearest(self, value):
        return 10.0 ** (round(math.log10(value) / self.step) * self.step)

    def _written(self, value):
        return magnitude(value)

    def _slid(self, change):
        if not self._showing:
            self.value = float(f"{change.new:.2g}")


class Index(widgets.GridBox):
    """A slider for each axis of an array; its value is the index of a cell.

    offer(shape, names, value) tells the array; an axis of one entry has no slider.
    """

    value = Any((0,))
    AXES = 4

    def __init__(self, description):
        self.description, self.shape, self._showing = description, (1,), False
        self.sliders = [slider(f"axis {axis}", 0, 1) for axis in range(self.AXES)]
        super().__init__(self.sliders, layout=PANEL)
        self.observe(self._show, "value")
        for each in self.sliders:
            each.observe(self._slid, "value")

    def offer(self, shape, names, value):
        """The cells of an array of this shape from now on, at first this one."""
        self._showing = True
        self.shape = tuple(shape)
        for axis, each in enumerate(self.sliders):
            size = shape[axis] if axis < len(shape) else 1
            each.layout.display = None if size > 1 else "none"
            each.value, each.max = 0, max(size - 1, 1)
            if size > 1:
                each.description = each.tooltip = f"{self.description}: {names[axis]}"
        self._showing = False
        self.value = value
        self._show(None)

    def allows(self, value):
        return (
            isinstance(value, tuple | list)
            and len(value) == len(self.shape)
            and all(
                isinstance(i, int) and 0 <= i < n for i, n in zip(value, self.shape, strict=True)
            )
        )

    @property
    def possible(self):
        """What it may be, in words."""
        return f"the index of a cell of {self.shape}, counted from 0"

    def _show(self, _):
        self._showing = True
        for each, place in zip(self.sliders, self.value, strict=False):
            each.value = place
        self._showing = False

    def _slid(self, _):
        if not self._showing:
            places = zip(self.sliders, self.shape, strict=False)
            self.value = tuple(each.value if size > 1 else 0 for each, size in places)


class Chain(widgets.VBox):
    """At every depth of a lineage a button for each product; its value is those that are followed.

    The value is the number of the followed product at each depth, as far as somebody chose; behind
    that the largest is followed. `about` is the cell that they are the products of.
    """

    value = Any(())

    def __init__(self, description):
        self.description, self.about, self.rows, self._showing = description, None, [], False
        super().__init__([])

    def offer(self, depths, followed):
        """Products to choose from.

        depths    (label, [(product, its number), ...]) of every depth, [] where there is no choice
        followed  the number that is followed at every depth
        """
        self._showing, self._followed = True, tuple(followed)
        depths = list(depths)
        while len(self.rows) < len(depths):
            self._add_row()
        for row, number_ in zip(self.rows, [*followed, *[None] * len(self.rows)], strict=False):
            depth = self.rows.index(row)
            label, products = depths[depth] if depth < len(depths) else ("", [])
            row.layout.display = None if products else "none"
            if products:
                row.description = f"{self.description} in {label}"
                if row.options != tuple(products):
                    row.options = tuple(products)
                row.value = number_
        self._showing = False

    def _add_row(self):
        row = widgets.ToggleButtons(style={"description_width": "auto", "button_width": "auto"})
        row.layout.display = "none"
        depth = len(self.rows)
        row.observe(lambda change: self._click(depth, change.new), "value")
        self.rows.append(row)
        self.children = tuple(self.rows)

    def _click(self, depth, product):
        if not self._showing and product is not None:
            self.value = (*self._followed[:depth], product)

    def allows(self, value):
        return isinstance(value, tuple | list) and all(isinstance(i, int) and i >= 0 for i in value)

    @property
    def possible(self):
        """What it may be, in words."""
        return "numbers of products, one for each depth, counted from 0"


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
        # All in the page from the start: one more <style> would cost 20 ms at every step.
        self.rules = STEP_HIDES + "".join(STEP_SHOWS.replace("K", str(k)) for k in range(FRAMES))
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
        return self.slider, self.play, self.frames, self._blank, *self._made, *self._links

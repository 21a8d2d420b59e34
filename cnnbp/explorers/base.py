"""What all explorers share: controls above one picture that follows them."""

from numbers import Integral, Real

import ipywidgets as widgets

from cnnbp.explorers.controls import Stepper
from cnnbp.explorers.view import LEGIBLE, View, release
from cnnbp.pictures.svg import number, refusal
from cnnbp.shape import complaint

WRAP = {"flex_flow": "row wrap"}  # below one another in a narrow window


class Explorer(View):
    """Controls above a picture that follows them.

    A concrete explorer makes its controls and has one method, draw(**values), that returns the
    picture for these values of the controls, or raises a ValueError saying why there is none.

    controls  dict of name -> widget, in the order they are displayed; one may be a Stepper
    start     dict of name -> value to begin with, where it is not the widget's own
    given     dict of name -> what else the explorer was called with, None if it was not
    buttons   further widgets, beside "Reset"

    Attributes: controls; html, the picture, an Svg; widget, all that is displayed, and in it
    picture_widget; values, what the controls say; and state, keywords with which the explorer's
    class makes another that shows the same.
    """

    def __init__(self, controls, start, *, given=(), buttons=()):
        self.stepper = next((c for c in controls.values() if isinstance(c, Stepper)), None)
        self.controls = {
            name: control.slider if control is self.stepper else control
            for name, control in controls.items()
        }
        self.given = {name: value for name, value in dict(given).items() if value is not None}
        self.picture_widget = widgets.HTML(layout=LEGIBLE)
        self.widget = widgets.VBox([self._panel(buttons), self.picture_widget])
        self.widget.add_class("cnnbp-explorer")
        if self.stepper:
            self.widget.children += (self.stepper.frames, self.stepper.rules)
            self.widget.add_class("cnnbp-stepper")
        try:
            self._set(start)
        except (TypeError, ValueError):
            self.close()
            raise
        self._start = self.values
        for control in self.controls.values():
            control.observe(self._changed, "value")

    def draw(self, **values):
        """The picture, an Svg, for these values of the controls."""
        raise NotImplementedError

    def positions(self, **values):
        """(label, value) pairs of the stepper, where they depend on the other controls."""
        return self.stepper.slider.options

    @property
    def values(self):
        """What the controls say: dict of name -> value."""
        return {name: control.value for name, control in self.controls.items()}

    @property
    def state(self):
        """Keywords that make another explorer showing the same."""
        return {**self.given, **self.values}

    def reset(self):
        """Put every control back to where it was in the beginning."""
        self._set(self._start)

    def refresh(self):
        """Draw the picture anew; a combination that is impossible says so in red instead."""
        self._drawing = True
        try:
            self._follow()
            self.html = self.draw(**self.values)
        except ValueError as error:
            self.html = refusal(f"Impossible: {getattr(error, 'sentence', error)}")
        finally:
            self._drawing = False
        self.picture_widget.value = self.html

    def close(self):
        """Free all widgets: none of this explorer's stays registered."""
        release(self.widget, *(self.stepper.widgets if self.stepper else ()))

    def _changed(self, _):
        if not self._drawing:
            self.refresh()

    def _follow(self, *wanted):
        """Give the stepper its positions; where there are none, drawing will say why.

        It then stays where it is, or begins at the wanted one: the state of what is impossible
        can be passed back too.
        """
        if self.stepper:
            try:
                positions = self.positions(**self.values)
            except ValueError:
                positions = [(str(at), at) for at in wanted] or self.stepper.slider.options
            self.stepper.follow(positions)

    def _set(self, values):
        """Set several controls, then draw once. The stepper's positions depend on the others."""
        self._drawing = True
        steps = [name for name in values if self._is_stepper(self.controls.get(name))]
        for name in [*(name for name in values if name not in steps), *steps]:
            if name in steps:
                self._follow(values[name])
            self._set_one(name, values[name])
        self.refresh()

    def _set_one(self, name, value):
        kind = type(self).__name__
        if name not in self.controls:
            raise complaint(
                TypeError, f"{kind} has no {name!r}; its controls are {', '.join(self.controls)}"
            )
        control = self.controls[name]
        if not _allows(control, value):
            raise complaint(ValueError, f"{name} must be {_possible(control)}, not {value!r}")
        control.value = value

    def _is_stepper(self, control):
        return self.stepper is not None and control is self.stepper.slider

    def _panel(self, buttons):
        """The stepper on a line of its own, below it the other controls, as many as fit."""
        reset = widgets.Button(
            description="Reset", tooltip="Back to the beginning", layout={"width": "6em"}
        )
        reset.on_click(lambda _: self.reset())
        for control in self.controls.values():
            control.tooltip = control.tooltip or control.description  # else it would say "null"
        others = [c for c in self.controls.values() if not self._is_stepper(c)]
        rows = [widgets.Box([*others, reset, *buttons], layout=WRAP)]
        if self.stepper:
            rows.insert(0, widgets.Box([self.stepper.slider, self.stepper.play], layout=WRAP))
        return widgets.VBox(rows)

    def __repr__(self):
        values = [f"{name}={value!r}" for name, value in self.values.items()]
        given = [
            f"{name} {value.shape}" if hasattr(value, "shape") else f"{name}={value!r}"
            for name, value in self.given.items()
        ]
        return f"{type(self).__name__}({', '.join(values + given)})\n{self.html.description}"


def _allows(control, value):
    if hasattr(control, "options"):
        return value in [option for _, option in _pairs(control.options)]
    if hasattr(control, "min"):
        kind = Real if isinstance(control.value, float) else Integral
        return isinstance(value, kind) and control.min <= value <= control.max
    return isinstance(value, bool)


def _possible(control):
    if hasattr(control, "options"):
        return "one of " + ", ".join(repr(option) for _, option in _pairs(control.options))
    if hasattr(control, "min"):
        kind = "a number" if isinstance(control.value, float) else "a whole number"
        return f"{kind} from {number(control.min)} to {number(control.max)}"
    return "True or False"


def _pairs(options):
    """A choice's options as (label, value), however they were given."""
    return [option if isinstance(option, tuple) else (option, option) for option in options]

"""What all explorers share: controls above one picture that follows them."""

import contextlib
import time
from numbers import Integral, Real

import ipywidgets as widgets

from cnnbp.explorers.controls import PANEL, Chain, Index, Stepper
from cnnbp.explorers.manners import ASLEEP, MANNERS, Room, impossible
from cnnbp.explorers.view import LEGIBLE, View, release
from cnnbp.pictures.svg import number, refusal
from cnnbp.shape import complaint

WRAP = {"flex_flow": "row wrap", "align_items": "center"}  # below one another if it is narrow
LAYER = {"grid_area": "1 / 1 / 2 / 2"}  # of a stage: what lies over one another
UNDERWAY = 1.0  # seconds that a step which the browser played may take to the kernel


class Explorer(View):
    """Controls above a picture that follows them.

    A concrete explorer makes its controls and has one method, draw(**values), that returns the
    picture for these values of the controls, or raises a ValueError saying why there is none.

    controls  dict of name -> widget, in the order they are displayed; one may be a Stepper
    start     dict of name -> value to begin with, where it is not the widget's own; its "controls",
              if there, names those that are shown, and all others keep their first values
    given     dict of name -> what else the explorer was called with, None if it was not
    buttons   further widgets, beside "Reset"

    Attributes: controls, those that are shown; html, the picture, an Svg; widget, all that is
    displayed, and in it picture_widget; values, what all controls say; and state, keywords with
    which the explorer's class makes another that shows the same.
    """

    chooses = None  # the control, by name, that chooses another kind of picture

    def __init__(self, controls, start, *, given=(), buttons=()):
        self.stepper = next((c for c in controls.values() if isinstance(c, Stepper)), None)
        self._all = {
            name: control.slider if control is self.stepper else control
            for name, control in controls.items()
        }
        self._rooms, self._buttons, self._stopped = {}, buttons, -UNDERWAY
        start = dict(start)
        shown = start.pop("controls", None)
        given = {**dict(given), "controls": shown}
        self.given = {name: value for name, value in given.items() if value is not None}
        self._lay_out()
        try:
            self.controls = self._shown(shown)
            self._panel.children = self._rows()
            self._set(start)
            self._start = self.values
        except (TypeError, ValueError):
            self.close()
            raise
        for control in self._all.values():
            control.observe(self._changed, "value")

    def draw(self, **values):
        """The picture, an Svg, for these values of the controls."""
        raise NotImplementedError

    def positions(self, **values):
        """(label, value) pairs of the stepper, where they depend on the other controls."""
        return self.stepper.slider.options

    def check(self, **values):
        """Raise the ValueError that draw would raise, in less time where there is a way."""
        self.draw(**values)

    def settle(self):
        """Give controls that depend on others what they may be now."""

    def largest(self):
        """Values of some controls, as dicts, that make the picture as high as it can be."""
        return ()

    @property
    def values(self):
        """What the controls say: dict of name -> value, of those that are not shown, too."""
        return {name: control.value for name, control in self._all.items()}

    @property
    def state(self):
        """Keywords that make another explorer showing the same."""
        return {**self.given, **self.values}

    def reset(self):
        """Put every control back to where it was in the beginning, and stop what plays."""
        for player, _ in self._players():
            if player.playing:
                player.playing, self._stopped = False, time.monotonic()
        self._set(self._start)

    def refresh(self):
        """Draw the picture anew; if there is none, the last one stays, grey, and it says why."""
        self._drawing = True
        try:
            self._follow()
            self.html = self.draw(**self.values)
        except ValueError as error:
            self._refuse(getattr(error, "sentence", str(error)))
        else:
            self.picture_widget.value = self.html
            if self.refusal_widget.value:
                self.refusal_widget.value = ""
        finally:
            self._drawing = False
        self._reserve()

    def close(self):
        """Free all widgets: none of this explorer's stays registered."""
        steps = self.stepper.widgets if self.stepper else ()
        release(self.widget, *self._all.values(), *self._buttons, *steps)

    def _refuse(self, reason):
        sentence = f"Impossible: {reason}{'' if reason.endswith('.') else '.'} {self._remedy()}"
        self.html = refusal(sentence.strip())
        self.refusal_widget.value = impossible(sentence.strip())

    def _remedy(self):
        """Which single control brings a picture back, and to which value."""
        before, found = self.values, []
        for name, control in self._all.items():
            if self._is_stepper(control) or name not in self.controls:
                continue
            for value in sorted(_choices(control), key=lambda v, c=control: _distance(c, v)):
                try:
                    self.check(**before | {name: value})
                except ValueError:
                    continue
                found.append(f"{control.description} {_label(control, value)}")
                break
        return f"What would do: {' or '.join(found)}." if found else ""

    def _reserve(self):
        """Keep room for the largest picture of this kind, so that nothing below it jumps."""
        kind = self.values.get(self.chooses)
        new = kind not in self._rooms
        self._room = self._rooms.setdefault(kind, Room())
        if not self.refusal_widget.value:
            self._room.fit(self.html)
        for changed in self.largest() if new else ():
            values = self.values | {n: v for n, v in changed.items() if n in self.controls}
            if self.stepper:
                name = next(n for n, c in self._all.items() if self._is_stepper(c))
                values[name] = self.positions(**values)[0][1]
            with contextlib.suppress(ValueError):  # of arrays that were given, it may not fit
                self._room.fit(self.draw(**values))
        self.room_widget.value = self._room.html

    def _changed(self, change):
        if self._drawing:
            return
        if self._was_underway(change.owner):
            self._set(self._start)
        else:
            self.refresh()

    def _was_underway(self, control):
        """Whether it moved by a step that the browser had played before it heard of Reset."""
        played = any(control is moved for _, moved in self._players())
        return played and time.monotonic() - self._stopped < UNDERWAY

    def _follow(self, *wanted):
        """Give the stepper its positions; where there are none, drawing will say why.

        It then stays where it is, or begins at the wanted one: the state of what is impossible
        can be passed back too.
        """
        self.settle()
        if self.stepper:
            try:
                positions = self.positions(**self.values)
            except ValueError:
                positions = [(str(at), at) for at in wanted] or self.stepper.slider.options
            self.stepper.follow(positions)

    def _set(self, values):
        """Set several controls, then draw once.

        A control may depend on those before it, and the stepper's positions on all others.
        """
        self._drawing = True
        names = [*(name for name in values if name not in self._all), *self._all]
        names.sort(key=lambda name: self._is_stepper(self._all.get(name)))
        for name in filter(values.__contains__, names):
            self._follow(*[values[name]] * self._is_stepper(self._all.get(name)))
            self._set_one(name, values[name])
        self.refresh()

    def _set_one(self, name, value):
        kind = type(self).__name__
        if name not in self._all:
            raise complaint(
                TypeError, f"{kind} has no {name!r}; its controls are {', '.join(self._all)}"
            )
        control = self._all[name]
        if not _allows(control, value):
            raise complaint(ValueError, f"{name} must be {_possible(control)}, not {value!r}")
        control.value = value

    def _is_stepper(self, control):
        return self.stepper is not None and control is self.stepper.slider

    def _players(self):
        """(player, control) pairs: what moves a control by itself, and which."""
        return [(self.stepper.play, self.stepper.slider)] if self.stepper else []

    def _shown(self, names):
        """The controls of these names, in the explorer's order; all, if there are no names."""
        names = list(self._all) if names is None else names
        unknown = [name for name in names if name not in self._all]
        if isinstance(names, str) or unknown:
            told = repr(names) if isinstance(names, str) else ", ".join(map(repr, unknown))
            raise complaint(
                ValueError,
                f"controls must be a list of names, but {type(self).__name__} has no {told}; "
                f"its controls are {', '.join(self._all)}",
            )
        return {name: control for name, control in self._all.items() if name in names}

    def _lay_out(self):
        """The panel of controls, and below it the stage, on which all lies in one place."""
        self._panel = widgets.VBox(layout={"margin": "0 0 4px 0"})
        self.picture_widget = widgets.HTML(layout=LEGIBLE | LAYER)
        self.refusal_widget = widgets.HTML(layout=LAYER)
        self.room_widget = widgets.HTML(layout=LEGIBLE | LAYER)
        stage = widgets.GridBox([self.room_widget, self.picture_widget, self.refusal_widget])
        stage.add_class("cnnbp-stage")
        rules = self.stepper.rules if self.stepper else ""
        manners = widgets.HTML(MANNERS.replace("</style>", f"{rules}</style>"))
        self.widget = widgets.VBox([widgets.HTML(ASLEEP), self._panel, stage, manners])
        self.widget.add_class("cnnbp-explorer")
        if self.stepper:
            self.widget.children += (self.stepper.frames,)
            self.widget.add_class("cnnbp-stepper")

    def _rows(self):
        """The stepper on a line of its own, below it the other controls, as many as fit."""
        for control in self._all.values():
            if not isinstance(control, widgets.Box):  # whose view has no place for a tooltip
                control.tooltip = control.tooltip or control.description  # else it says "null"
        others = [c for c in self.controls.values() if not self._is_stepper(c)]
        wide = [c for c in others if isinstance(c, Index | Chain)]
        narrow = [c for c in others if c not in wide]
        rows = [widgets.GridBox(narrow, layout=PANEL), *wide] if others else []
        reset = [self._reset_button()] if self.controls else []
        if self.stepper and len(others) < len(self.controls):
            first = [self.stepper.slider, self.stepper.play, *reset, *self._buttons]
            return [widgets.Box(first, layout=WRAP), *rows]
        return [*rows, widgets.Box([*self._buttons, *reset], layout=WRAP)]

    def _reset_button(self):
        button = widgets.Button(
            description="Reset", tooltip="Back to the beginning", layout={"width": "6em"}
        )
        button.on_click(lambda _: self.reset())
        return button

    def __repr__(self):
        values = [f"{name}={value!r}" for name, value in self.values.items()]
        given = [f"{name}{_told(value)}" for name, value in self.given.items()]
        return f"{type(self).__name__}({', '.join(values + given)})\n{self.html.description}"


def _told(value):
    """An argument as a repr shows it: an array by its shape, a network by its number of layers."""
    if hasattr(value, "shape"):
        return f" {value.shape}"
    if hasattr(value, "layers"):
        return f" of {len(value.layers)} layers"
    return f"={value!r}"


def _allows(control, value):
    if hasattr(control, "allows"):
        return control.allows(value)
    if hasattr(control, "options"):
        return value in [option for _, option in _pairs(control.options)]
    if hasattr(control, "min"):
        kind = Real if isinstance(control.value, float) else Integral
        return isinstance(value, kind) and control.min <= value <= control.max
    return isinstance(value, bool)


def _possible(control):
    if hasattr(control, "allows"):
        return control.possible
    if hasattr(control, "options"):
        return "one of " + ", ".join(repr(option) for _, option in _pairs(control.options))
    if hasattr(control, "min"):
        kind = "a number" if isinstance(control.value, float) else "a whole number"
        return f"{kind} from {number(control.min)} to {number(control.max)}"
    return "True or False"


def _choices(control):
    """All values of a control but the one that it has: few, for a slider over whole numbers."""
    if hasattr(control, "options"):
        values = [option for _, option in _pairs(control.options)]
    elif isinstance(control, widgets.IntSlider):
        values = range(control.min, control.max + 1)
    else:
        values = []
    return [value for value in values if value != control.value]


def _distance(control, value):
    return abs(value - control.value) if isinstance(value, Integral) else 0


def _label(control, value):
    labels = [label for label, option in _pairs(getattr(control, "options", ())) if option == value]
    return str(labels[0]) if labels else number(value)


def _pairs(options):
    """A choice's options as (label, value), however they were given."""
    return [option if isinstance(option, tuple) else (option, option) for option in options]

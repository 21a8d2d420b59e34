"""Training under your hand: play it, change the rate, keep a run and compare."""

import math

import ipywidgets as widgets
import numpy as np

from cnnbp.activation import ReLU
from cnnbp.convolution import Conv2d
from cnnbp.data import digits
from cnnbp.explorers.base import Explorer
from cnnbp.explorers.controls import choice, slider
from cnnbp.explorers.view import release
from cnnbp.linear import Flatten, Linear
from cnnbp.loss import softmax_cross_entropy
from cnnbp.network import Network
from cnnbp.optimizer import SGD, Adam
from cnnbp.pictures.training import draw_training
from cnnbp.pooling import MaxPool2d
from cnnbp.shape import complaint
from cnnbp.training import History, evaluate, minibatches, training_step

MOST_STEPS = 300
MEASURED_EVERY = 10  # steps
RATES = [
    (f"{rate:g}", rate) for rate in (1e-4, 3e-4, 1e-3, 3e-3, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0)
]
SETTINGS = "learning_rate", "optimizer", "momentum", "batch_size", "max_norm"
GOOD = {
    "steps": 60,
    "learning_rate": 0.1,
    "optimizer": "SGD",
    "momentum": 0.9,
    "batch_size": 64,
    "max_norm": math.inf,
}


class TrainingExplorer(Explorer):
    """What shows first when the rate is too big?

    kept    the run to compare with, a dict of all controls' values, or None
    state   where the controls begin, by name; momentum is beta1 to Adam, and max_norm clips

    Every step trains a small network on a batch of handwritten digits. The same controls make the
    same run, so a slider moved back goes back in time.

    >>> explorer = TrainingExplorer(steps=2, learning_rate=0.1, kept=None)
    >>> explorer.state
    {'kept': None, 'steps': 2, 'learning_rate': 0.1, 'optimizer': 'SGD', 'momentum': 0.9, \
'batch_size': 64, 'max_norm': inf}
    >>> explorer.close()
    """

    def __init__(self, kept=GOOD, **state):
        if kept is not None and (not isinstance(kept, dict) or set(kept) != set(GOOD)):
            raise complaint(
                ValueError,
                f"kept must be None or a dict of {', '.join(GOOD)}, as .values is, not {kept!r}",
            )
        self.kept, self._kept_at_start, self._runs = kept, kept, {}
        self.data = digits()
        controls = {
            "steps": slider("steps", 0, MOST_STEPS, 60),
            "learning_rate": choice("learning rate", RATES, 1.0),
            "optimizer": choice("optimizer", ["SGD", "Adam"]),
            "momentum": choice("momentum", [("0", 0.0), ("0.5", 0.5), ("0.9", 0.9)], 0.9),
            "batch_size": choice("batch size", [(str(n), n) for n in (16, 32, 64, 128)], 64),
            "max_norm": choice(
                "clip to norm", [("none", math.inf), ("5", 5.0), ("1", 1.0), ("0.2", 0.2)], math.inf
            ),
        }
        self._play = widgets.Play(min=0, max=MOST_STEPS, step=2, interval=150, show_repeat=False)
        step = widgets.Button(description="Step", layout={"width": "6em"})
        keep = widgets.Button(description="Keep this run", layout={"width": "9em"})
        step.on_click(lambda _: self.step())
        keep.on_click(lambda _: self.keep())
        # The slider first: in the beginning the player takes its value.
        self._playing = widgets.jslink((controls["steps"], "value"), (self._play, "value"))
        super().__init__(controls, state, buttons=(self._play, step, keep))

    def _players(self):
        return [(self._play, self._all["steps"])]

    def draw(self, **settings):
        shown = {"this run": settings}
        if self.kept:  # goes on with this one, so that they can be compared
            steps = max(settings["steps"], self.kept["steps"])
            shown["kept"] = self.kept | {"steps": steps}
        runs = {_key(settings): self._run(settings) for settings in shown.values()}
        self._runs = runs  # all others are forgotten
        return draw_training(
            {
                name: runs[_key(settings)].until(settings["steps"])
                for name, settings in shown.items()
            }
        )

    def step(self):
        """Take one more step."""
        control = self.controls["steps"]
        control.value = min(control.value + 1, control.max)

    def keep(self):
        """Compare with this run from now on."""
        self.kept = self.values
        self.refresh()

    def reset(self):
        self.kept = self._kept_at_start
        super().reset()

    @property
    def state(self):
        return {"kept": self.kept, **super().state}

    def close(self):
        super().close()
        release(self._playing)

    def _run(self, settings):
        """The run with these settings as far as it went, or a new one."""
        key = _key(settings)
        return self._runs[key] if key in self._runs else Run(self.data, *key)


class Run:
    """A training run on the digits that can be continued, its record so far, and the way there."""

    def __init__(self, data, learning_rate, optimizer, momentum, batch_size, max_norm):
        (images, labels), self.test = data
        self.network, self.max_norm = small_network(), max_norm
        clipped = "" if max_norm == math.inf else f", norm ≤ {max_norm:g}"
        self.record = History(
            settings=f"{optimizer}, rate {learning_rate:g}, momentum {momentum:g}, "
            f"batches of {batch_size}{clipped}"
        )
        self.optimizer = (
            SGD(self.network, learning_rate, momentum)
            if optimizer == "SGD"
            else Adam(self.network, learning_rate, beta1=momentum)
        )
        self.batches = _batches(images, labels, batch_size)

    def until(self, steps):
        """The record of the first steps; those that are missing are taken now."""
        record = self.record
        self._measure()
        while len(record.loss) < steps and not record.diverged:
            given = self.optimizer, softmax_cross_entropy, *next(self.batches)
            _, loss, norm = training_step(self.network, *given, max_norm=self.max_norm)
            record.note(loss, norm)
            self._measure()
        return record.until(steps)

    def _measure(self):
        """Note loss and accuracy on the test digits whenever it is time."""
        record, taken = self.record, len(self.record.loss)
        if taken % MEASURED_EVERY == 0 and taken not in record.measured[-1:]:
            loss, accuracy = evaluate(self.network, *self.test, batch_size=360)
            record.measured.append(taken)
            record.test_loss.append(loss)
            record.test_accuracy.append(accuracy)


def small_network():
    """One convolution and one fully connected layer: a step of 64 digits takes a millisecond."""
    options = {"dtype": np.float32, "rng": np.random.default_rng(0)}
    return Network(
        [
            Conv2d(1, 8, 3, padding=1, **options),
            ReLU(),
            MaxPool2d(2),
            Flatten(),
            Linear(128, 10, gain=1.0, **options),
        ]
    )


def _batches(images, labels, batch_size):
    """Batches without end, the same ones every time."""
    rng = np.random.default_rng(0)
    while True:
        yield from minibatches(images, labels, batch_size, rng)


def _key(settings):
    """What tells one run from another: everything but how long it goes on."""
    return tuple(settings[name] for name in SETTINGS)

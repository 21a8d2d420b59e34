"""The step of a numeric gradient under a slider."""

from cnnbp.explorers.base import Explorer
from cnnbp.explorers.controls import Power, choice
from cnnbp.pictures.step_size import DTYPES, FUNCTIONS, draw_step_size


class StepSizeExplorer(Explorer):
    """Which step makes a numeric gradient best?

    The error of a slope against the step, both as powers of ten: too long a step bends, too short
    a step loses digits.

    state   where the controls begin, by name: `step`, the `dtype` in which f is computed, and the
            `function`, "smooth" or "kink"

    >>> explorer = StepSizeExplorer(step=1e-3, dtype="float32")
    >>> explorer.values
    {'step': 0.001, 'dtype': 'float32', 'function': 'smooth'}
    >>> explorer.close()
    """

    def __init__(self, **state):
        functions = [(what, name) for name, (what, *_) in FUNCTIONS.items()]
        controls = {
            "step": Power("step h", 1e-15, 1.0, 1e-5),
            "dtype": choice("digits of f", [(f"{name}", name) for name in DTYPES]),
            "function": choice("function", functions),
        }
        super().__init__(controls, state)

    def draw(self, *, step, dtype, function):
        return draw_step_size(function, step, dtype)

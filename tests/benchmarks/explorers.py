"""What one move of a control costs in the kernel, for every explorer. Nothing here fails a test.

A move sets one control, at random, to another of its values, and the picture is made anew.
"""

import random
import statistics
import time

import numpy as np

from cnnbp import explorers
from cnnbp.explorers.base import Explorer
from cnnbp.explorers.controls import Chain, Index

MOVES = 200
REACH = {"TrainingExplorer": "training steps aside"}
ELSE = "≤ 10 ms"


def main():
    print(f"one move in the kernel, {MOVES} moves       median      95 %   to reach")
    for name, kind in sorted(vars(explorers).items()):
        if isinstance(kind, type) and issubclass(kind, Explorer):
            explorer = kind()
            reach = REACH.get(name, ELSE)
            times = sorted(moves(explorer))
            median, most = statistics.median(times), times[int(0.95 * MOVES)]
            print(f"{name:36}{1e3 * median:8.1f} ms{1e3 * most:7.1f} ms   {reach}", flush=True)


def moves(explorer):
    """Seconds of processor time that each of the moves takes, whatever else the machine does."""
    chosen = random.Random(0)
    for _ in range(MOVES):
        offered = [(c, values) for c in explorer.controls.values() if (values := others(c))]
        control, values = chosen.choice(offered)
        value = chosen.choice(values)
        start = time.process_time()
        control.value = value
        yield time.process_time() - start
    explorer.close()


def others(control):
    """The values of a control that it does not have now; of a slider, one step apart."""
    if isinstance(control, Index):
        values = list(np.ndindex(*control.shape))
    elif isinstance(control, Chain):
        values = [
            (*control.value[:depth], product)
            for depth, row in enumerate(control.rows)
            if row.layout.display != "none"
            for _, product in row.options
        ]
    elif hasattr(control, "options"):
        values = [option[1] if isinstance(option, tuple) else option for option in control.options]
    elif hasattr(control, "min"):
        steps = round((control.max - control.min) / control.step)
        values = [control.min + control.step * step for step in range(steps + 1)]
    else:
        values = [False, True]
    return [value for value in values if value != control.value]


if __name__ == "__main__":
    main()

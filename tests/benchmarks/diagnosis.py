"""What a diagnosis costs: processor time until a wrong function is told which mistake it makes.

Every exercise is handed its own mistakes, one after another, and one that nothing explains. The
first check of a seed also works out what all mistakes make of its cases.
"""

import os
import statistics
import tempfile
import time

import numpy as np

from cnnbp.exercises import TASKS
from cnnbp.exercises.check.recognizing import known

MOST, MEDIAN = 300, 60  # ms


def main():
    os.chdir(tempfile.mkdtemp())  # progress is written where the check runs
    print("diagnosis                            cold, unexplained    warm: median     most   (ms)")
    every = []
    for task in TASKS:
        first = cold(task)
        times = [first, *(milliseconds(task, wrong) for wrong in mistakes(task))]
        every += times
        print(f"{task.name:36}{first:19.0f}{statistics.median(times):16.1f}{max(times):9.0f}")
    print(
        f"median {statistics.median(every):.1f} ms, reach {MEDIAN}; most {max(every):.0f} ms, ",
        end="",
    )
    print(f"reach {MOST}")


def cold(task):
    """Milliseconds of the first diagnosis of a seed, which finds no explanation."""
    known.cache_clear()
    return milliseconds(task, lambda *arguments: strange(task.answer(*arguments)))


def strange(answer):
    """An answer with other numbers, which no mistake leads to."""
    if isinstance(answer, set):
        return set(list(answer)[1:])
    if isinstance(answer, tuple | list):
        return type(answer)(strange(part) for part in answer)
    return np.exp(np.sin(7 * np.asarray(answer, float)))


def mistakes(task):
    return [function for mistake in task.mistakes.values() for function in mistake.functions]


def milliseconds(task, function):
    start = time.process_time()
    task.check(function)
    return 1000 * (time.process_time() - start)


if __name__ == "__main__":
    main()

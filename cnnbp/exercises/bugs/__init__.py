"""Bugs to hunt, for lesson 15: networks in which one gradient is wrong, and what finds it."""

from cnnbp.exercises.bugs.checks import CHECKS, compared, differences, disagreeing, sees
from cnnbp.exercises.bugs.hunting import (
    EIGHT,
    SILENT,
    Hunt,
    hunt,
    hunting_ground,
    placements,
    ready,
    seen_by_checks,
    with_bug,
)
from cnnbp.exercises.bugs.planting import (
    TASKS_OF,
    Bug,
    Planted,
    bug_in,
    frozen,
    healed,
    place_of_the_bug,
    plant,
)

__all__ = [
    "CHECKS",
    "EIGHT",
    "SILENT",
    "TASKS_OF",
    "Bug",
    "Hunt",
    "Planted",
    "bug_in",
    "compared",
    "differences",
    "disagreeing",
    "frozen",
    "healed",
    "hunt",
    "hunting_ground",
    "place_of_the_bug",
    "placements",
    "plant",
    "ready",
    "seen_by_checks",
    "sees",
    "with_bug",
]

"""What checks see of bugs, and how networks train with them: the pictures of lesson 15."""

import numpy as np

from cnnbp.pictures.plots import Plot
from cnnbp.pictures.svg import CELL, Block, Grid, Link, number, picture, text, text_width

APART = 150  # pixels from one check's column to the next


def draw_checks(seen):
    """A matrix of bugs and checks.

    seen     {bug: {check: how far gradient and slope are apart}}; 0 where it sees nothing
    returns  Svg; each cell says what it means

    >>> draw_checks({"sign changed": {"mean": 2.0, "norm": 0.0}})
    what 2 checks see of 1 bug: mean 1, norm 0
    """
    bugs, checks = list(seen), list(next(iter(seen.values())))
    left = max(map(text_width, bugs)) + 16
    grids = [
        Grid(check, [[seen[bug][check]] for bug in bugs], (left + APART * place, 28), 2.0)
        for place, check in enumerate(checks)
    ]
    names = "".join(
        text(left - 12, 28 + CELL * row + 25, bug, anchor="end") for row, bug in enumerate(bugs)
    )
    links = [
        Link([_said(bug, check, seen[bug][check])], handles=[(grid, (row, 0))],
             rings=[(grid, (row, 0))])
        for row, bug in enumerate(bugs)
        for check, grid in zip(checks, grids, strict=True)
    ]  # fmt: skip
    size = left + APART * len(checks), 36 + CELL * len(bugs)
    counts = ", ".join(f"{c} {sum(seen[bug][c] > 0 for bug in bugs)}" for c in checks)
    many = f"what {len(checks)} checks see of {len(bugs)} bug{'s' * (len(bugs) > 1)}"
    return picture(f"{many}: {counts}", [Block(grids, names, size, start=(0, 8))], links)


def _said(bug, check, difference):
    if not difference:
        return f"{bug}: the {check} sees nothing; gradient and slope agree."
    return f"{bug}: the {check} finds it; gradient and slope are {number(difference)} apart."


def plot_bug_curves(curves, beside="right"):
    """A panel for every bug: the test accuracy after each epoch, on two optimizers.

    curves   {optimizer: {bug: (seeds, epochs)}}, as cnnbp.data.bug_curves() has them
    beside   the one that is drawn in gray in every panel
    returns  Plot

    >>> plot_bug_curves({"SGD": {"right": np.ones((1, 2)), "sign changed": np.zeros((1, 2))}})
    Figure: test accuracy with 1 bug and without, on SGD
    """
    bugs = [bug for bug in next(iter(curves.values())) if bug != beside]
    rows = -(-len(bugs) // 3)
    many = f"{len(bugs)} bug{'s' * (len(bugs) > 1)}"
    said = f"test accuracy with {many} and without, on {' and '.join(curves)}"
    plot = Plot(said, 7.5, 1.5 * rows, nrows=rows, ncols=3, sharex=True, sharey=True)
    for axes, bug in zip(plot.grid.flat, bugs, strict=False):
        for (optimizer, of), color in zip(curves.items(), ("C0", "C1"), strict=False):
            epochs = np.arange(1, of[bug].shape[1] + 1)
            axes.plot(epochs, of[beside].mean(axis=0), color="0.6", linewidth=0.8)
            axes.plot(epochs, of[bug].T, color=color, linewidth=0.8, alpha=0.8)
            axes.plot([], [], color=color, label=optimizer)
        axes.set_title(bug, fontsize=9, loc="left")
        axes.set_ylim(0, 1.02)
        axes.spines[["top", "right"]].set_visible(False)
    for axes in plot.grid.flat[len(bugs) :]:
        axes.set_visible(False)
    plot.grid.flat[0].legend(frameon=False, fontsize=8, loc="lower right")
    return plot

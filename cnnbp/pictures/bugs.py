"""What checks see of bugs, and how networks train with them: the pictures of lesson 15."""

from textwrap import wrap

import numpy as np

from cnnbp.pictures.plots import Plot
from cnnbp.pictures.svg import CELL, LINE, Block, Grid, Link, number, picture, text, text_width

GAP = 10  # pixels between names, and between names and tables
OF_A_BUG, OF_A_CHECK = 15, 9  # letters in a line of a name: a phone has little width


def draw_checks(seen):
    """A matrix of bugs and checks.

    seen     {bug: {check: how far gradient and slope are apart}}; 0 where it sees nothing
    returns  Svg; each cell says what it means

    >>> draw_checks({"sign changed": {"mean": 2.0, "norm": 0.0}})
    what 2 checks see of 1 bug: mean 1, norm 0
    """
    bugs, checks = list(seen), list(next(iter(seen.values())))
    rows, above = [wrap(bug, OF_A_BUG) for bug in bugs], [wrap(each, OF_A_CHECK) for each in checks]
    apart, left = max(CELL, _width(above)) + GAP, _width(rows) + GAP
    top = LINE * max(map(len, above)) + 16
    grids = [
        Grid("", [[seen[bug][check]] for bug in bugs], (left + GAP + apart * place, top), 2.0)
        for place, check in enumerate(checks)
    ]
    middles = [top + CELL * (row + 0.5) + 5 - LINE / 2 * (len(n) - 1) for row, n in enumerate(rows)]
    names = "".join(
        _lines(left, y, name, anchor="end") for y, name in zip(middles, rows, strict=True)
    )
    names += "".join(
        _lines(grid.x, top - 8 - LINE * (len(name) - 1), name)
        for grid, name in zip(grids, above, strict=True)
    )
    links = [
        Link([_said(bug, check, seen[bug][check])], handles=[(grid, (row, 0))],
             rings=[(grid, (row, 0))])
        for row, bug in enumerate(bugs)
        for check, grid in zip(checks, grids, strict=True)
    ]  # fmt: skip
    size = left + apart * len(checks), top + 8 + CELL * len(bugs)
    counts = ", ".join(f"{c} {sum(seen[bug][c] > 0 for bug in bugs)}" for c in checks)
    many = f"what {len(checks)} checks see of {len(bugs)} bug{'s' * (len(bugs) > 1)}"
    return picture(f"{many}: {counts}", [Block(grids, names, size, start=(0, 8))], links)


def _width(names):
    return max(text_width(line) for name in names for line in name)


def _lines(x, y, lines, anchor="start"):
    """Lines of text, the first one's baseline at y."""
    return "".join(text(x, y + LINE * k, line, anchor=anchor) for k, line in enumerate(lines))


def _said(bug, check, difference):
    if not difference:
        return f"{bug}: the {check} sees nothing; gradient and slope agree."
    times = number(difference)
    return f"{bug}: the {check} finds it; gradient and slope differ by {times} times the larger."


def plot_bug_curves(curves, beside="right"):
    """A panel for every bug: the test accuracy after each epoch, on two optimizers.

    curves   {optimizer: {bug: (seeds, epochs)}}, as cnnbp.data.bug_curves() has them
    beside   the one that is drawn in gray in every panel
    returns  Plot

    >>> plot_bug_curves({"SGD": {"right": np.ones((1, 2)), "sign changed": np.zeros((1, 2))}})
    Figure: test accuracy of 1 network beside the right one, with SGD
    """
    bugs = [bug for bug in next(iter(curves.values())) if bug != beside]
    rows = -(-len(bugs) // 3)
    many = f"{len(bugs)} network{'s' * (len(bugs) > 1)}"
    said = f"test accuracy of {many} beside the {beside} one, with {' and '.join(curves)}"
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

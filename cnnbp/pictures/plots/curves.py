"""Curves over steps, layers and sizes, and histograms."""

import math

import numpy as np

from cnnbp.pictures.curves import FIRST, SECOND
from cnnbp.pictures.network import norms
from cnnbp.pictures.plots.plot import Plot, label_axes, styled


def plot_training(histories):
    """Loss and accuracy as training went on.

    histories  a cnnbp.training.History, or a dict of name -> History to compare
    returns    Plot

    The thin line is the loss of every minibatch; epochs have a dot, test data a ring.

    >>> from cnnbp.training import History
    >>> record = {"measured": [2], "train_loss": [1.5], "train_accuracy": [0.5]}
    >>> plot_training(History(loss=[2.0, 1.0], **record))
    Figure: loss and accuracy of 1 run over 2 steps
    """
    histories = _named(histories)
    steps = max(len(history.loss) for history in histories.values())
    runs = f"{len(histories)} run{'s' * (len(histories) > 1)}"
    plot = Plot(f"loss and accuracy of {runs} over {steps} steps", 9, 3.4, ncols=2)
    loss_axes, accuracy_axes = plot.grid[0]
    for (name, history), color, line in styled(histories):
        loss_axes.plot(history.loss, color=color, alpha=0.35, linewidth=0.8)
        ends = _epoch_ends(history)
        for axes, kind in ((loss_axes, "loss"), (accuracy_axes, "accuracy")):
            train, test = getattr(history, f"train_{kind}"), getattr(history, f"test_{kind}")
            style = {"color": color, "linestyle": line, "markersize": 4}
            axes.plot(ends[: len(train)], train, marker="o", label=f"{name} training", **style)
            if test:
                style["markerfacecolor"] = "w"
                axes.plot(ends[: len(test)], test, marker="o", label=f"{name} test", **style)
    label_axes(loss_axes, "loss", "step", yscale="log")
    label_axes(accuracy_axes, "accuracy", "step")
    accuracy_axes.set_ylim(0, 1.02)
    accuracy_axes.legend(frameon=False, fontsize=8)
    return plot


def plot_gradient_norms(networks):
    """How large the gradient of every layer's z is, on a scale of powers of ten.

    networks  a cnnbp.Network after a backward pass, or a dict of name -> Network to compare
    returns   Plot

    Raises ValueError before a backward pass.
    """
    networks = _named(networks)
    depth = max(len(network.layers) for network in networks.values())
    plot = Plot(f"norm of dz after each of {depth} layers", 7.5, 3.4, ncols=1)
    axes = plot.grid[0, 0]
    for (name, network), color, line in styled(networks):
        _, *sizes = norms(network.gradients())
        axes.plot(sizes, color=color, linestyle=line, marker="o", markersize=4, label=name)
    label_axes(axes, "norm of dz", "layer", yscale="log")
    low, high = axes.get_ylim()
    axes.set_ylim(10 ** math.floor(math.log10(low)), 10 ** math.ceil(math.log10(high)))
    if depth <= 12:
        first = next(iter(networks.values()))
        names = [f"{number} {step.name}" for number, step in enumerate(first.trace)]
        axes.set_xticks(range(len(names)), names, rotation=25, ha="right", fontsize=8)
    if len(networks) > 1:
        axes.legend(frameon=False, fontsize=8)
    return plot


def plot_histograms(network, layers=None, *, bins=40):
    """How the values of z and of its gradient dz are distributed, layer by layer.

    network  a cnnbp.Network after a backward pass
    layers   numbers of the layers to be shown, all if None
    returns  Plot, a row for each layer; exact zeros are only counted, they would dwarf the rest

    Raises ValueError before a backward pass.
    """
    network.gradients()  # raises before a backward pass
    layers = range(len(network.layers)) if layers is None else list(layers)
    plot = Plot(
        f"histograms of z and dz in {len(layers)} layers",
        8,
        0.5 + 1.15 * len(layers),
        nrows=len(layers),
        ncols=2,
    )
    for row, number in zip(plot.grid, layers, strict=True):
        step = network.trace[number]
        _histogram(row[0], f"z of {number} {step.name}", step.z, bins, SECOND)
        _histogram(row[1], f"dz of {number} {step.name}", step.dz, bins, FIRST)
    return plot


def plot_growth(measured):
    """How the time of some work grows with each of its sizes, on scales of powers.

    measured  dict of a size's name -> (sizes, dict of what was done -> seconds at each size)
    returns   Plot; the slope of a line is an exponent, which its label says: 1 if twice the size
              takes twice the time, 2 if it takes four times

    >>> plot_growth({"N": ([1, 2, 4], {"product": [0.001, 0.002, 0.004]})})
    Figure: milliseconds against N
    """
    columns = min(3, len(measured))
    rows = math.ceil(len(measured) / columns)
    plot = Plot(
        f"milliseconds against {', '.join(measured)}",
        3.1 * columns,
        2.5 * rows,
        nrows=rows,
        ncols=columns,
        sharey=True,
    )
    for axes in plot.grid.flat[len(measured) :]:
        axes.set_visible(False)
    for number, (axes, (name, found)) in enumerate(
        zip(plot.grid.flat, measured.items(), strict=False)
    ):
        sizes, times = found
        for (what, seconds), color, line in styled(times):
            milliseconds = np.multiply(1000, seconds)
            label = f"{what}: {exponent(sizes, seconds):.1f}"
            axes.plot(sizes, milliseconds, line, color=color, marker="o", ms=4, label=label)
        up = "" if number % columns else "milliseconds"
        label_axes(axes, up, name, xscale="log", yscale="log")
        axes.set_xticks(sizes, sizes, fontsize=8)
        axes.minorticks_off()
        axes.legend(frameon=False, fontsize=8, title="exponents", title_fontsize=8)
    return plot


def exponent(sizes, seconds):
    """The power of the size with which the time grows, fitted to all of them.

    >>> round(exponent([1, 2, 4], [3.0, 12.0, 48.0]), 6)
    2.0
    """
    slope, _ = np.polyfit(np.log(sizes), np.log(seconds), 1)
    return float(slope)


def _histogram(axes, title, values, bins, color):
    values = np.ravel(values)
    shown = values[np.isfinite(values) & (values != 0)]
    axes.hist(shown, bins=bins, color=color)
    axes.set_title(title, fontsize=9, loc="left")
    left_out = [(values == 0, "are 0"), (~np.isfinite(values), "are not finite")]
    notes = [f"{which.mean():.0%} {what}" for which, what in left_out if which.any()]
    axes.set_title(", ".join(notes), fontsize=8, loc="right")
    axes.set_yticks([])
    axes.tick_params(labelsize=8)
    axes.locator_params(axis="x", nbins=5)
    axes.spines[["top", "right", "left"]].set_visible(False)


def _named(given):
    """A dict of name -> what was given; one without a name has none."""
    return given if isinstance(given, dict) else {"": given}


def _epoch_ends(history):
    """The number of each epoch's last step; of equally many steps if none was noted."""
    epochs = max(len(history.train_loss), 1)
    even = [len(history.loss) * (epoch + 1) / epochs for epoch in range(epochs)]
    return np.subtract(history.measured or even, 1)

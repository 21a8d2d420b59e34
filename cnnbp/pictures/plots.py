"""Curves, histograms and images as matplotlib figures; pyplot and its open figures stay out."""

import io
import math

import numpy as np
from matplotlib.colors import LinearSegmentedColormap, to_hex
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle
from matplotlib.text import Text

from cnnbp.pictures.curves import FIRST, SECOND, magnitude
from cnnbp.pictures.grid import NEGATIVE, POSITIVE, ZERO, largest
from cnnbp.pictures.network import norms
from cnnbp.shape import complaint
from cnnbp.shape import images as as_images

COLORS = [FIRST, SECOND, "#7a5aa8", "#2e8b57", "#8c6d31", "#c2528b"]
LINES = ["-", "--", ":", "-."]  # a run is told apart by its line, too
SIGNED = LinearSegmentedColormap.from_list(
    "signed", [[c / 255 for c in color] for color in (NEGATIVE, ZERO, POSITIVE)]
)
INK = "#7a7f89"  # legible on white and on black
DPI = 160  # of the stored image, which is shown at 80: sharp on a projector


class Plot(Figure):
    """A figure that a notebook shows when it is a cell's last line, and that says what it shows."""

    def __init__(self, description, width, height, **axes):
        super().__init__(figsize=(width, height), dpi=DPI, layout="constrained", facecolor="none")
        self.description = description
        self.photographs = False  # whether it shows images, whose colors stay as they are
        self.grid = self.subplots(**axes, squeeze=False) if axes else None

    def _repr_png_(self):
        image = io.BytesIO()
        _for_day_and_night(self)
        self.savefig(image, format="png")
        width, height = (round(inches * DPI / 2) for inches in self.get_size_inches())
        shown = {"width": width, "height": height, "photographs": self.photographs}
        return image.getvalue(), shown

    def __repr__(self):
        return f"Figure: {self.description}"


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
    for (name, history), color, line in _styled(histories):
        loss_axes.plot(history.loss, color=color, alpha=0.35, linewidth=0.8)
        ends = _epoch_ends(history)
        for axes, kind in ((loss_axes, "loss"), (accuracy_axes, "accuracy")):
            train, test = getattr(history, f"train_{kind}"), getattr(history, f"test_{kind}")
            style = {"color": color, "linestyle": line, "markersize": 4}
            axes.plot(ends[: len(train)], train, marker="o", label=f"{name} training", **style)
            if test:
                style["markerfacecolor"] = "w"
                axes.plot(ends[: len(test)], test, marker="o", label=f"{name} test", **style)
    _label(loss_axes, "loss", "step", yscale="log")
    _label(accuracy_axes, "accuracy", "step")
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
    for (name, network), color, line in _styled(networks):
        _, *sizes = norms(network.gradients())
        axes.plot(sizes, color=color, linestyle=line, marker="o", markersize=4, label=name)
    _label(axes, "norm of dz", "layer", yscale="log")
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


def plot_filters(layer):
    """The filters of a convolution, and below each of them its gradient.

    layer    a cnnbp.Conv2d
    returns  Plot, a column for each filter, a row for each channel; w and dw have scales of their
             own, blue below zero and orange above

    >>> from cnnbp import Conv2d
    >>> plot_filters(Conv2d(1, 4, 3))
    Figure: 4 filters of shape (1, 3, 3), and their gradients
    """
    w, dw = layer.params["w"], layer.grads["w"]
    filters, channels = w.shape[:2]
    size = min(0.8, 11 / filters)
    plot = Plot(
        f"{filters} filters of shape {w.shape[1:]}, and their gradients",
        1 + size * filters,
        0.5 + size * 2 * channels,
        nrows=2 * channels,
        ncols=filters,
    )
    plot.photographs = True
    for first, name, bank in ((0, "w", w), (channels, "dw", dw)):
        limit = largest(bank)
        for channel, filter in np.ndindex(channels, filters):
            axes = plot.grid[first + channel, filter]
            axes.imshow(bank[filter, channel], SIGNED, vmin=-limit, vmax=limit)
            _bare(axes)
        scale = f"±{magnitude(limit)}" if bank.any() else "all 0"
        plot.grid[first, 0].set_ylabel(f"{name}\n{scale}", rotation=0, ha="right", va="center")
    return plot


def plot_filters_over_time(snapshots, channel=0):
    """The filters of a convolution as they were at several times, or their gradients.

    snapshots  {title: (F, C, KH, KW)}, copies of w (or dw) in the order in which they were made
    channel    int, which channel of each filter is shown
    returns    Plot, a column for each filter, a row for each time, all on one scale, blue below
               zero and orange above

    Raises ValueError if there is none, or they differ in shape.

    >>> plot_filters_over_time({"start": np.zeros((4, 1, 3, 3)), "step 10": np.ones((4, 1, 3, 3))})
    Figure: 4 filters of 3 × 3 at start, step 10
    """
    banks = {title: np.asarray(bank) for title, bank in snapshots.items()}
    shapes = {bank.shape for bank in banks.values()}
    if len(shapes) != 1 or {len(shape) for shape in shapes} != {4}:
        given = ", ".join(map(str, sorted(shapes))) or "none"
        raise complaint(ValueError, f"snapshots must be of one shape (F, C, KH, KW), not {given}")
    ((filters, _, *kernel),) = shapes
    said = f"{filters} filters of {kernel[0]} × {kernel[1]} at {', '.join(map(str, banks))}"
    return _signed_rows(banks, channel, said, widest=0.8)


def plot_maps(maps, channel=0):
    """A batch of gradient maps in several versions: what one loss sends, what another, the sum.

    maps     {title: (N, C, H, W)}, such as dx of the images
    channel  int, which channel of each map is shown
    returns  Plot, a column for each sample, a row for each version, all on one scale, blue below
             zero and orange above

    Raises ValueError if there is none, or they differ in shape.

    >>> plot_maps({"class": np.zeros((4, 1, 8, 8)), "box": np.ones((4, 1, 8, 8))})
    Figure: 4 maps of 8 × 8: class, box
    """
    maps = {title: np.asarray(batch) for title, batch in maps.items()}
    shapes = {batch.shape for batch in maps.values()}
    if len(shapes) != 1 or {len(shape) for shape in shapes} != {4}:
        given = ", ".join(map(str, sorted(shapes))) or "none"
        raise complaint(ValueError, f"maps must be of one shape (N, C, H, W), not {given}")
    ((N, _, H, W),) = shapes
    said = f"{N} map{'s' * (N > 1)} of {H} × {W}: {', '.join(map(str, maps))}"
    return _signed_rows(maps, channel, said, widest=1.2)


def _signed_rows(rows, channel, said, widest):
    """A row each of {title: (columns, C, H, W)}, all on one scale, an image so many inches wide."""
    columns = len(next(iter(rows.values())))
    size, limit = min(widest, 11 / columns), largest(*rows.values())
    plot = Plot(said, 1 + size * columns, 0.3 + size * len(rows), nrows=len(rows), ncols=columns)
    plot.photographs = True
    for row, (title, images) in enumerate(rows.items()):
        for axes, image in zip(plot.grid[row], images, strict=True):
            axes.imshow(image[channel], SIGNED, vmin=-limit, vmax=limit)
            _bare(axes)
        plot.grid[row, 0].set_ylabel(title, rotation=0, ha="right", va="center")
    return plot


def plot_confusion(labels, predicted, classes=None):
    """Which classes are taken for which: a row for each true class, a column for each answer.

    labels, predicted  (N,) ints
    classes            names of the classes, their numbers if None
    returns            Plot

    >>> plot_confusion([0, 0, 1], [0, 1, 1])
    Figure: 2 of 3 right in 2 classes
    """
    labels, predicted = np.asarray(labels), np.asarray(predicted)
    count = len(classes) if classes else 1 + max(labels.max(), predicted.max())
    confused = np.zeros((count, count), int)
    np.add.at(confused, (labels, predicted), 1)
    right = int(np.trace(confused))
    side = 1.2 + 0.42 * count
    plot = Plot(f"{right} of {len(labels)} right in {count} classes", side, side, ncols=1)
    axes = plot.grid[0, 0]
    off_diagonal = confused - np.diag(np.diag(confused))
    axes.imshow(off_diagonal, "Oranges", vmin=0, vmax=max(off_diagonal.max(), 1) * 1.6)
    for at, cell in np.ndenumerate(confused):
        if cell:
            axes.text(at[1], at[0], cell, ha="center", va="center", fontsize=9, color="#1b1f29")
    for set_ticks in (axes.set_xticks, axes.set_yticks):
        set_ticks(range(count), classes or range(count))
    _label(axes, "true class", "answer")
    return plot


def plot_images(images, titles=None, *, boxes=None, predicted=None, columns=8, size=1.15):
    """A gallery of images, with boxes drawn around what is in them.

    images     (N, C, H, W), C 1 for grey or 3 for red, green, blue; 0 is black, 1 full color
    titles     N of whatever is to be written above them
    boxes      (4, N): top, left, bottom, right as shares of the height and width; or a list of N
               arrays (4, k), k boxes in an image; or a dict of kind -> either, each with a color
               and a line of its own, which a legend explains
    predicted  further boxes, dashed; none beside a dict
    size       inches across an image
    returns    Plot

    >>> plot_images(np.zeros((3, 1, 8, 8)), titles=[4, 0, 7])
    Figure: 3 images of 8 × 8 pixels
    """
    images = _gallery(images)
    N, _, H, W = images.shape
    columns = min(columns, N)
    rows, legend = math.ceil(N / columns), 0.4 * isinstance(boxes, dict)
    plot = Plot(
        f"{N} image{'s' * (N > 1)} of {H} × {W} pixels" + " with boxes" * (boxes is not None),
        size * columns,
        (size + 0.2 * (titles is not None)) * rows * H / W + legend,
        nrows=rows,
        ncols=columns,
    )
    plot.photographs = True
    kinds = _kinds(boxes, predicted)
    for n, axes in enumerate(plot.grid.flat):
        _bare(axes)
        if n >= N:
            axes.set_visible(False)
            continue
        axes.imshow(np.clip(images[n].transpose(1, 2, 0), 0, 1), "gray", vmin=0, vmax=1)
        if titles is not None:
            axes.set_title(titles[n], fontsize=9)
        _add_boxes(axes, kinds, n, (H, W))
    if legend:
        _explain_lines(plot, kinds)
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
        for (what, seconds), color, line in _styled(times):
            milliseconds = np.multiply(1000, seconds)
            label = f"{what}: {exponent(sizes, seconds):.1f}"
            axes.plot(sizes, milliseconds, line, color=color, marker="o", ms=4, label=label)
        _label(axes, "" if number % columns else "milliseconds", name, xscale="log", yscale="log")
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


def _gallery(images):
    """Images that can be shown: (N, 1 or 3, H, W), and there are some."""
    (images,) = as_images(images=images)
    N, C, _, W = images.shape
    if N == 0 or C not in (1, 3):
        last = ". Do the channels come last? Give images.transpose(0, 3, 1, 2)" * (W in (1, 3))
        raise complaint(ValueError, f"images must be (N, 1 or 3, H, W), not {images.shape}{last}")
    return images


def _add_boxes(axes, kinds, n, size):
    """The boxes of image n, every kind in its own color and line."""
    for (_, found), color, line in _styled(kinds):
        for box in [] if found is None else _boxes_of(found, n):
            axes.add_patch(_rectangle(box, size, color, line))


def _explain_lines(plot, kinds):
    """Below the images, which line is which kind's."""
    lines = [Line2D([], [], color=color, ls=line, lw=2) for _, color, line in _styled(kinds)]
    plot.legend(lines, list(kinds), loc="outside lower center", ncols=3, frameon=False)


def _kinds(boxes, predicted):
    """kind -> boxes or None, in the order of their lines: solid, dashed, dotted."""
    if isinstance(boxes, dict):
        return boxes
    return {"boxes": boxes, "predicted": predicted}


def _boxes_of(boxes, n):
    """The boxes of image n, each (4,): one of an array for all, or as many as a list has for it."""
    several = np.ndim(boxes[0]) == 2
    return np.transpose(boxes[n]) if several else [np.asarray(boxes)[:, n]]


def _rectangle(box, size, color, line):
    """A box in an image's own coordinates, in which pixel 0 reaches from −0.5 to 0.5."""
    (top, left), (bottom, right) = np.multiply(np.reshape(box, (2, 2)), size) - 0.5
    return Rectangle(
        (left, top), right - left, bottom - top, fill=False, color=color, linestyle=line, lw=2
    )


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


def _for_day_and_night(figure):
    """Black ink becomes gray, and white paper clear, so that a page may be light or dark."""
    for part in [*figure.findobj(Text), *figure.findobj(Line2D)]:
        if to_hex(part.get_color()) == "#000000":
            part.set_color(INK)
    for axes in figure.axes:
        axes.set_facecolor("none")
        for spine in axes.spines.values():
            if to_hex(spine.get_edgecolor()) == "#000000":
                spine.set_edgecolor(INK)


def _named(given):
    """A dict of name -> what was given; one without a name has none."""
    return given if isinstance(given, dict) else {"": given}


def _styled(named):
    """Each with a color and a line of its own."""
    for number, item in enumerate(named.items()):
        yield item, COLORS[number % len(COLORS)], LINES[number % len(LINES)]


def _epoch_ends(history):
    """The number of each epoch's last step; of equally many steps if none was noted."""
    epochs = max(len(history.train_loss), 1)
    even = [len(history.loss) * (epoch + 1) / epochs for epoch in range(epochs)]
    return np.subtract(history.measured or even, 1)


def _label(axes, up, across, **scales):
    axes.set(ylabel=up, xlabel=across, **scales)
    axes.spines[["top", "right"]].set_visible(False)


def _bare(axes):
    axes.set(xticks=[], yticks=[])
    axes.spines[:].set_color("#9aa0ab")

"""Images: photographs with boxes, filters, maps of gradients, a table of confusions."""

import math

import numpy as np
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle

from cnnbp.pictures.curves import magnitude
from cnnbp.pictures.grid import largest
from cnnbp.pictures.plots.plot import SIGNED, Plot, bare, label_axes, styled
from cnnbp.shape import complaint
from cnnbp.shape import images as as_images


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
            bare(axes)
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
            bare(axes)
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
    label_axes(axes, "true class", "answer")
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
        bare(axes)
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
    for (_, found), color, line in styled(kinds):
        for box in [] if found is None else _boxes_of(found, n):
            axes.add_patch(_rectangle(box, size, color, line))


def _explain_lines(plot, kinds):
    """Below the images, which line is which kind's."""
    lines = [Line2D([], [], color=color, ls=line, lw=2) for _, color, line in styled(kinds)]
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

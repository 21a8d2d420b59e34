"""The site's icon, and the card that a link to it shows where links are previewed."""

import io

import numpy as np
from docs_pictures import DZ, W
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from cnnbp import conv2d_backward, explain_conv2d
from cnnbp.pictures.svg import color

SIZE = (1200, 630)  # pixels, as previews ask for
INK, PAPER, QUIET = "#1f2430", "#ffffff", "#566072"
CELL = 2, 2  # of dx, the one that is pointed at


def icon():
    """A kernel's nine cells, one of them chosen: the text of an SVG."""
    cells = "".join(
        f'<rect x="{2 + 10 * j}" y="{2 + 10 * i}" width="9" height="9" rx="1.5" '
        f'fill="{color(value, 4)}"/>'
        for (i, j), value in np.ndenumerate(np.arange(-4, 5).reshape(3, 3))
    )
    ring = '<rect x="22" y="22" width="9" height="9" rx="1.5" fill="none" stroke="#111"/>'
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 33 33">'
        f'<rect width="33" height="33" rx="5" fill="#1f2430"/>{cells}{ring}</svg>'
    )


def card():
    """One cell of dx and the products that made it: the bytes of a PNG."""
    x = np.zeros((1, 1, 5, 6))
    dx, _, _ = conv2d_backward(DZ, x, W, stride=2)
    figure = Figure(figsize=(SIZE[0] / 100, SIZE[1] / 100), dpi=100, facecolor=PAPER)
    axes = figure.add_axes((0, 0, 1, 1), xlim=(0, SIZE[0]), ylim=(SIZE[1], 0))
    axes.axis("off")
    at = {"x": 60, "color": INK, "va": "center"}
    axes.text(y=150, s="Backpropagation in\nconvolutional networks", fontsize=35, weight=700, **at)
    axes.text(
        y=305, s="Point at any gradient cell,\nand say which numbers made it.", fontsize=22, **at
    )
    _table(axes, dx[0, 0], left=700, top=100, side=72)
    sums = explain_conv2d("dx", (0, 0, *CELL), dz=DZ, x=x, w=W, stride=2)
    products = " + ".join(f"{dz:g}·{w:g}" for dz, w in zip(sums.left, sums.right, strict=True))
    line = f"dx[{CELL[0]},{CELL[1]}] = {products} = {sums.total:g}"
    axes.text(y=545, s=line.replace("+ -", "− ").replace("-", "−"), fontsize=26, **at)
    image = io.BytesIO()
    figure.savefig(image, format="png", metadata={"Software": None})
    return image.getvalue()


def _table(axes, values, left, top, side):
    for (i, j), value in np.ndenumerate(values):
        corner = left + side * j, top + side * i
        fill = color(value, np.abs(values).max())
        axes.add_patch(Rectangle(corner, side, side, facecolor=fill, edgecolor=PAPER, lw=2))
        middle = corner[0] + side / 2, corner[1] + side / 2
        said = f"{value:g}".replace("-", "−")
        axes.text(*middle, said, ha="center", va="center", fontsize=15, color=INK)
    i, j = CELL
    corner = left + side * j, top + side * i
    axes.add_patch(Rectangle(corner, side, side, fill=False, edgecolor="#111", lw=5, zorder=3))

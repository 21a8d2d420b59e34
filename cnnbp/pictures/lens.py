"""Large maps: a thumbnail of the whole, a frame in it, and the cells inside the frame."""

import base64
import struct
import zlib
from dataclasses import dataclass

import numpy as np

from cnnbp.pictures.grid import Grid, color, outline, text, text_width

MOST = 12  # rows and columns of a map that is shown whole
SHOWN = 8  # rows and columns that a lens shows of a larger one
THUMB = 112  # pixels of a thumbnail's longer side
PIXELS = 64  # of a thumbnail's image at most, along its longer side


@dataclass
class Lens:
    """Which part of a map is shown.

    first   (row, column) of its first cell
    shape   (rows, columns) that are shown
    whole   (rows, columns) of the map

    >>> around((29, 28), (2, 20))
    Lens(first=(0, 16), shape=(8, 8), whole=(29, 28))
    >>> around((5, 6), (2, 2)).partial
    False
    """

    first: tuple
    shape: tuple
    whole: tuple

    @property
    def partial(self):
        return self.shape != self.whole

    def cut(self, values):
        """The part of the map."""
        rows, columns = (
            slice(start, start + size) for start, size in zip(self.first, self.shape, strict=True)
        )
        return values[rows, columns]


def around(whole, center, most=SHOWN):
    """The Lens on the cells around one of a map; on all of a map that is not large.

    most   rows and columns that are shown of a large one
    """
    sizes = [size if size <= MOST else most for size in whole]
    first = [
        max(0, min(int(at) - shown // 2, size - shown))
        for at, shown, size in zip(center, sizes, whole, strict=True)
    ]
    return Lens(tuple(first), tuple(sizes), tuple(map(int, whole)))


def table(
    name,
    values,
    at,
    limit,
    center,
    *,
    most=SHOWN,
    photograph=None,
    hatched=None,
    margin=(0, 0),
    thumb=True,
):
    """(Grid, SVG): the cells around one of a map and, if they are not all, the map's thumbnail.

    center       (row, column) that is in the middle of the lens
    most         rows and columns that a lens shows
    photograph   (rows, columns, 3) from 0 to 1, to be shown in place of the map's own colors
    thumb        whether the map itself is drawn, too
    at, others   as Grid takes them
    """
    lens = around(values.shape, center, most)
    x, y = at
    caption = text_width(said_shape(values))
    if not lens.partial:
        return Grid(name, values, at, limit, hatched=hatched, margin=margin), ""
    across = max(THUMB * min(1, values.shape[1] / values.shape[0]), caption) + 16 if thumb else 0
    grid = Grid(
        name,
        lens.cut(values),
        (x + across, y),
        limit,
        hatched=None if hatched is None else lens.cut(hatched),
        first=lens.first,
    )
    if not thumb:
        return grid, ""
    return grid, _thumbnail(values, limit, lens, (x, y), photograph)


def _thumbnail(values, limit, lens, at, photograph):
    """The whole map, small, with a frame around the part that is shown beside it."""
    rows, columns = values.shape
    scale = THUMB / max(rows, columns)
    size = columns * scale, rows * scale
    if photograph is None:
        pixels = np.array([_rgb(value, limit) for value in values.flat], np.uint8)
        pixels = pixels.reshape(rows, columns, 3)
    else:
        pixels = np.round(np.clip(photograph, 0, 1) * 255).astype(np.uint8)
    x, y = (a + start * scale for a, start in zip(at, lens.first[::-1], strict=True))
    height, width = np.multiply(lens.shape, scale).tolist()
    box = f'x="{at[0]:g}" y="{at[1]:g}" width="{size[0]:g}" height="{size[1]:g}"'
    return (
        f'<image {box} style="image-rendering:pixelated" preserveAspectRatio="none" '
        f'href="data:image/png;base64,{base64.b64encode(png(pixels)).decode()}"/>'
        + outline(f"M{x:g} {y:g}h{width:g}v{height:g}h{-width:g}z")
        + text(at[0], at[1] + size[1] + 16, said_shape(values), "quiet")
    )


def said_shape(values):
    """What stands below a thumbnail.

    >>> said_shape(np.zeros((36, 2)))
    '36 × 2'
    """
    return " × ".join(map(str, values.shape))


def _rgb(value, limit):
    shade = color(value, limit)
    return [int(shade[i : i + 2], 16) for i in (1, 3, 5)]


def photograph_of(x, sample):
    """(H, W, 3) if these images are photographs: three channels from 0 to 1; else None."""
    if x.ndim != 4 or x.shape[1] != 3 or not x.size or x.min() < 0 or x.max() > 1:
        return None
    return x[sample].transpose(1, 2, 0)


def png(pixels):
    """An image file. Stored, not compressed, so that it has the same bytes on every machine.

    pixels   (rows, columns, 3) of uint8; of more than 64 rows or columns only some are kept
    returns  bytes

    >>> png(np.zeros((2, 3, 3), np.uint8))[:8]
    b'\\x89PNG\\r\\n\\x1a\\n'
    """
    step = -(-max(pixels.shape[:2]) // PIXELS)
    pixels = pixels[::step, ::step]
    rows, columns, _ = pixels.shape
    raw = b"".join(b"\0" + row.tobytes() for row in pixels)  # each row after its filter, none
    stored = struct.pack("<BHH", 1, len(raw), len(raw) ^ 0xFFFF)  # the last block, as it is
    data = b"\x78\x01" + stored + raw + struct.pack(">I", zlib.adler32(raw))
    header = struct.pack(">IIBBBBB", columns, rows, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", data), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        for kind, body in chunks
    )

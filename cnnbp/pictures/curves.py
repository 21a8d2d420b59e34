"""A frame for curves: scales, ticks and lines as SVG text, in the style of the other pictures."""

import math
from dataclasses import dataclass

import numpy as np

from cnnbp.pictures.svg import number, text

FIRST, SECOND = "#00897b", "#c2185b"  # neither blue nor orange: these stand for a sign
DASHES = "6 4"


@dataclass
class Frame:
    """A rectangle with two scales; at(x, y) is a point's place on the page.

    left, top, width, height   in pixels, of the rectangle inside the ticks' numbers
    across, up                 (lowest, highest) of what runs along it
    log                        whether `up` is a scale of powers of ten
    """

    left: float
    top: float
    width: float
    height: float
    across: tuple
    up: tuple
    log: bool = False

    def at(self, x, y):
        """(x, y) in pixels, kept to the rectangle: a point far out lies on its edge."""
        low, high = map(self._scale, self.up)
        y = (self._scale(y) - low) / (high - low)
        x = (x - self.across[0]) / (self.across[1] - self.across[0])
        x, y = (min(max(share, 0), 1) for share in (x, y))
        return self.left + x * self.width, self.top + (1 - y) * self.height

    def _scale(self, y):
        return math.log10(max(y, 1e-300)) if self.log else y

    def _ticks_up(self):
        return (
            decades(*map(math.log10, self.up)) if self.log else _ticks(*self.up, self.height / 30)
        )

    def svg(self, title, below=""):
        """The rectangle, its ticks, a title above and what runs along it below."""
        bottom, right = self.top + self.height, self.left + self.width
        grid, parts = "", [text(self.left, self.top - 8, title, "name")]
        for tick in self._ticks_up():
            _, y = self.at(self.across[0], tick)
            grid += f"M{self.left:g} {y:.1f}h{self.width:g}"
            written = magnitude(tick) if self.log else number(tick)
            parts.append(text(self.left - 6, round(y + 4, 1), written, "quiet", "end"))
        for tick in _ticks(*self.across, self.width / 60):
            x, _ = self.at(tick, self.up[0])
            grid += f"M{x:.1f} {bottom:g}v4"
            parts.append(text(round(x, 1), bottom + 16, number(tick), "quiet", "middle"))
        parts.append(text(right, bottom + 31, below, "quiet", "end") if below else "")
        return f'<path class="edge" d="{grid}"/>{"".join(parts)}'

    def line(self, xs, ys, stroke=FIRST, dashed=False):
        """A curve; it breaks off at the first value that is not finite."""
        finite = np.isfinite(ys)
        end = len(ys) if finite.all() else int(np.argmin(finite))
        points = [self.at(x, y) for x, y in zip(xs[:end], ys[:end], strict=True)]
        path = "".join(f"{'L' if i else 'M'}{x:.1f} {y:.1f}" for i, (x, y) in enumerate(points))
        dash = f' stroke-dasharray="{DASHES}"' * dashed
        return f'<path d="{path}" fill="none" stroke="{stroke}" stroke-width="2"{dash}/>'

    def dot(self, x, y, fill=FIRST):
        """A point, ringed so that it is seen on a line."""
        x, y = self.at(x, y)
        return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4.5" fill="{fill}" stroke="currentColor"/>'


def magnitude(size):
    """A size with two or three digits, however small or large.

    >>> magnitude(0.25), magnitude(3.21e-20), magnitude(1e6), magnitude(0)
    ('0.25', '3.2e−20', '1e6', '0')
    """
    if size == 0 or 0.01 <= size < 1e5 or not math.isfinite(size):
        return number(size)
    mantissa, power = f"{size:.1e}".split("e")
    return f"{mantissa.removesuffix('.0')}e{int(power)}".replace("-", "−")


def _ticks(low, high, at_most):
    """Round numbers from low to high, 1, 2 or 5 times a power of ten apart.

    >>> _ticks(0, 1, 5)
    [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]
    """
    rough = (high - low) / max(at_most, 1)
    power = 10.0 ** math.floor(math.log10(rough) + 1e-9)
    apart = next(power * n for n in (1, 2, 5, 10) if power * n >= rough * (1 - 1e-9))
    first, last = math.ceil(low / apart - 1e-9), math.floor(high / apart + 1e-9)
    return [float(f"{i * apart:.10g}") for i in range(first, last + 1)]


def decades(low, high, at_most=6):
    """Powers of ten, from ten to the `low` to ten to the `high`, a round number of powers apart.

    >>> decades(-2, 1), decades(-8, 3)
    ([0.01, 0.1, 1.0, 10.0], [1e-08, 1e-06, 0.0001, 0.01, 1.0, 100.0])
    """
    first, last = math.ceil(low - 1e-9), math.floor(high + 1e-9)
    apart = next(n for n in (1, 2, 5, 10, 20, 50, 100) if (last - first) / n <= at_most)
    return [float(f"1e{power}") for power in range(first, last + 1) if power % apart == 0]

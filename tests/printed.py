"""What a picture prints: the arithmetic of its cells, read back as numbers."""

import re
from collections import defaultdict
from html import unescape

import numpy as np
import pytest

NAME = r"(?:z|x|w|dz|dx|dw|db|dgamma|dbeta)\[[\d,]+\]"


def whole(rng, shape):
    """Whole numbers: products and sums of them are printed to the last digit."""
    return rng.integers(-3, 4, shape).astype(float)


def labels(svg):
    """What a screen reader says of every cell that answers, in order."""
    found = re.findall(r'<input [^>]*aria-label="([^"]*)"', svg.partition("</style>")[2])
    return [unescape(label) for label in found]


def printed(svg):
    """For every result that answers to the pointer: name -> (the sum of its terms, its total)."""
    lines = {}
    for label in labels(svg):
        found = re.fullmatch(rf"({NAME}) = (.*)", label)
        if found and not re.search(" went | goes ", label):
            lines[found[1]] = found[2]
    assert lines
    return {name: (sum_of_terms(line), total(line)) for name, line in lines.items()}


def messages(svg):
    """What factors say that they made: factor -> a list of (product, its value, result)."""
    made = {}
    for label in labels(svg):
        if found := re.match(rf"({NAME}) = \S+ went \w+(?: to)? (\d+) cells?: (.*)", label):
            parts = re.findall(rf"(?:[a-z] )?(\S+) = (\S+) → ({NAME})", found[3])
            more = re.search(r"and (\d+) more", found[3])
            assert len(parts) + int(more[1] if more else 0) == int(found[2])
            made[found[1]] = [(number(product), number(value), to) for product, value, to in parts]
    return made


def sum_of_terms(said):
    if said == "0 exactly: a sum of no products":
        return 0
    terms = said.rpartition(" = ")[0].split(" + ")
    return sum(number(re.sub(r"^[a-z] | (of|from) .*", "", term)) for term in terms)


def total(said):
    return 0 if "exactly" in said else number(said.rpartition(" = ")[2])


def number(written):
    """The value of "0.5", of "2·(−1)" or of "(−1)/9"."""
    written = written.replace("−", "-").replace("(", "").replace(")", "")
    dividend, _, divisor = written.partition("/")
    return np.prod([float(factor) for factor in dividend.split("·")]) / float(divisor or 1)


def assert_adds_up(svg, name, expected, at=(), most=8):
    """Every cell of `name` prints terms that add up to the layer's own number.

    expected   the whole array, of which the picture shows the part
    at         with these first indices
    most       rows and columns that are shown of a large one
    """
    shown = {cell: sums for cell, sums in printed(svg).items() if cell.startswith(f"{name}[")}
    prefix = f"{name}[{''.join(f'{i},' for i in at)}"
    part = expected[at]
    assert len(shown) == np.prod([n if n <= 12 else most for n in part.shape])
    for cell, (terms, sum_of_them) in shown.items():
        assert cell.startswith(prefix)
        index = tuple(map(int, cell[len(prefix) : -1].split(",")))
        assert abs(terms - part[index]) < 1e-12, cell
        assert sum_of_them == pytest.approx(part[index], rel=1e-3, abs=1e-12), cell


def assert_messages_arrive(svg, *factors):
    """What the cells of these arrays say they made is, result by result, what it says made it.

    Holds where the picture shows all of the factors; a factor that names only its largest
    messages is left out.
    """
    made, results = messages(svg), printed(svg)
    for factor in factors:
        sent, own = defaultdict(float), f"{factor}["
        for name, parts in made.items():
            for product, value, to in parts if name.startswith(own) else ():
                assert product == pytest.approx(value, rel=1e-3, abs=1e-9)
                sent[to] += product
        if any(label.startswith(own) and " more" in label for label in labels(svg)):
            continue
        for to, value in sent.items():
            terms = _without_rest(svg, to)
            if terms is not None:
                assert value == pytest.approx(terms, abs=1e-9), (factor, to)
                assert to in results


def _without_rest(svg, name):
    """The sum of a result's own letters, None if it names only the largest of its products."""
    line = next(label for label in labels(svg) if label.startswith(f"{name} = "))
    if "exactly" in line or " more" in line:
        return None
    terms = line.partition(" = ")[2].rpartition(" = ")[0].split(" + ")
    return sum(number(re.sub(r"^[a-z] ", "", term)) for term in terms if " from " not in term)


def assert_every_number_answers(svg):
    """Each number in a table lies under a cell that answers to the pointer."""
    body = svg.partition("</style>")[2]
    blocks = re.split(r'<div class="t[ "]', body)[1:]
    assert blocks
    for block in blocks:
        box = re.search(r'viewBox="([\d.-]+) ([\d.-]+) ', block)
        left, top = float(box[1]), float(box[2])
        handles = []
        for style in re.findall(r'<input [^>]*style="([^"]*)"', block):
            at = {key: float(px) for key, px in re.findall(r"(\w+):([\d.-]+)px", style)}
            handles.append([at["left"], at["top"], at.get("width", 40), at.get("height", 40)])
        cells = np.array(handles or np.zeros((0, 4)))
        for group in re.findall(r'<g class="number"[^>]*>(.*?)</g>', block):
            for x, y in re.findall(r'<text x="([\d.-]+)" y="([\d.-]+)"', group):
                x, y = float(x) - left, float(y) - top - 4
                inside = (cells[:, 0] < x) & (x < cells[:, 0] + cells[:, 2])
                inside &= (cells[:, 1] < y) & (y < cells[:, 1] + cells[:, 3])
                assert inside.sum() == 1, (x, y)


def assert_fits_a_phone(svg):
    """No part of it is wider than a phone's page, at a scale at which it can be read."""
    parts = re.findall(r'<div class="t([^>]*)><svg [^>]*width="([-\d.]+)"', svg)
    assert parts
    for look, width in parts:
        scale = float((re.findall(r"--fit:([\d.]+)", look) or [1])[0])
        assert scale >= 0.7
        assert 0 < float(width) * scale <= 358.3, width


def assert_small(svg):
    """A picture is at most 400 kB of text."""
    assert len(svg.encode()) <= 400_000


def said(svg, link):
    """The lines that a picture's link writes below the tables."""
    written = re.search(rf'<p class="link k{link} [^>]*>(.*?)</p>', svg)[1].partition("<span>")[0]
    return [unescape(line).replace("\u00a0", " ") for line in written.split("<br/>")]


def chosen(svg):
    """The number of the link that is shown at rest."""
    return int(re.findall(r"\.cell:focus\)\) \.k(\d+)\{visibility", svg)[-1])

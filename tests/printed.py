"""What a picture prints: the arithmetic of its cells, read back as numbers."""

import re

import numpy as np
import pytest


def whole(rng, shape):
    """Whole numbers: products and sums of them are printed to the last digit."""
    return rng.integers(-3, 4, shape).astype(float)


def printed(svg):
    """For every cell that answers to the pointer: name -> (the sum of its terms, its total)."""
    lines = re.findall(
        r'aria-label="((?:z|dx|dw|db)\[[\d,]+\]) = ([^"]*)"', svg.partition("</style>")[2]
    )
    assert lines
    return {name: (sum_of_terms(said), total(said)) for name, said in lines}


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


def assert_adds_up(svg, name, expected, at=()):
    """Every cell of `name` prints terms that add up to the layer's own number.

    expected   the whole array, of which the picture shows the part
    at         with these first indices
    """
    shown = {cell: sums for cell, sums in printed(svg).items() if cell.startswith(f"{name}[")}
    for index in np.ndindex(*expected[at].shape):
        written = f"{name}[{','.join(map(str, (*at, *index)))}]"
        terms, sum_of_them = shown.pop(written)
        assert abs(terms - expected[at][index]) < 1e-12, written
        assert sum_of_them == pytest.approx(expected[at][index], rel=1e-3, abs=1e-12), written
    assert not shown

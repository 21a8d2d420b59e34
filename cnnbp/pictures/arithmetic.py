"""A cell's sum of products as a line of text, with the real numbers in it."""

from functools import lru_cache

import numpy as np

from cnnbp.explain import cell_name
from cnnbp.pictures.grid import LETTERS, number

LARGEST = 5  # products that are written of a sum of many


def arithmetic(cell, shown=None, rest="", most=12):
    """name = a 0.5·2 + b (−1)·0.25 + … = total, with the letters of the picture.

    cell     an explain.Cell
    shown    numbers of the products that the picture shows and letters, all if None
    rest     what the others are, as in "in the other samples"
    most     products that are written; of more, the five largest
    returns  str

    >>> from cnnbp.explain import explain_linear
    >>> arithmetic(explain_linear("dw", (0, 0), dz=[[2, -1]], x=[[0.5, 4]]))
    'dw[0,0] = a 2·0.5 + b (−1)·4 = −3'
    """
    shown = np.arange(len(cell)) if shown is None else np.asarray(shown, int)
    ranks = range(len(shown))
    if len(shown) > most:
        sizes = -np.abs(cell.product[shown]).round(12)
        ranks = np.sort(np.argsort(sizes, kind="stable")[:LARGEST])
    terms = []
    for rank in ranks:
        letter = f"{LETTERS[rank]} " if len(shown) <= len(LETTERS) else ""
        terms.append(letter + factors(cell, shown[rank]))
    if len(ranks) < len(shown):
        more = cell.product[np.delete(shown, ranks)].sum()
        terms.append(f"{factor(more)} from {len(shown) - len(ranks)} more")
    if len(shown) < len(cell) or cell.bias is not None:
        others = cell.total - cell.product[shown].sum()
        terms.append(f"{factor(others)} {rest}")
    name = cell_name(cell.wanted, cell.index)
    if not terms:
        return f"{name} = 0 exactly: a sum of no products"
    return f"{name} = {' + '.join(terms)} = {number(cell.total, 4)}"


def factors(cell, t):
    """The product number t of a cell; a share of an average is written as the fraction it is.

    >>> from cnnbp.explain import explain_avg_pool2d
    >>> factors(explain_avg_pool2d("z", (0, 0, 0, 0), x=[[[[5, 1, 3]]]], kernel_size=(1, 3)), 0)
    '5/3'
    """
    if cell.right_name.startswith("1/"):
        return f"{factor(cell.left.item(t))}/{number(1 / cell.right.item(t))}"
    return f"{factor(cell.left.item(t))}·{factor(cell.right.item(t))}"


@lru_cache(maxsize=10_000)
def factor(value):
    """A number in a product, in parentheses if it is negative."""
    written = number(value, 4)
    return f"({written})" if written.startswith("−") else written

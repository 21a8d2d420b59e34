"""How well two boxes agree: what they share, as a share of what they cover."""

import numpy as np

from cnnbp.exercises.choices import same, wrong
from cnnbp.exercises.task import exercise

BOXES = "14, intersection over union"


def boxes_case(a, b):
    return {"a": np.array(a, float), "b": np.array(b, float)}


def random_boxes(rng, N):
    """Pairs of boxes, in turn: overlapping in part, one within the other, apart in columns, in
    rows, in both."""
    middle, size = rng.random((2, 2, N)), rng.uniform(0.5, 1.5, (2, 2, N))
    a, b = (
        np.concatenate([m - s, m + s * (0.5 + rng.random(s.shape))])
        for m, s in zip(middle, size, strict=True)
    )
    apart = {2: (0, 7, 0, 7), 3: (7, 0, 7, 0), 4: (-7, 7, -7, 7)}
    for n in range(N):
        if n % 5 == 1:
            sides = np.tile(a[2:, n] - a[:2, n], 2)
            b[:, n] = np.tile(a[:2, n], 2) + sides * (0.25, 0.5, 0.75, 0.875)
        b[:, n] += apart.get(n % 5, (0, 0, 0, 0))
    return boxes_case(a, b)


def tiny(rng):
    """One that overlaps in a corner, one within the other, two that are diagonally apart."""
    a = np.array([[0, 1, 3, 4], [0, 0, 4, 4], [0, 0, 1, 2]], float).T
    b = np.array([[1, 2, 5, 6], [1, 1, 3, 2], [3, 4, 5, 6]], float).T
    order = rng.permutation(3)
    return boxes_case(a[:, order], b[:, order])


# fmt: off
READINGS = [
    lambda box: box,
    wrong("box_as_row_column_height_width", BOXES, "the last two numbers of a box are taken for "
        "its height and width: they are its bottom and its right, so bottom − top is the height.",
        lambda box: np.concatenate([box[:2], box[:2] + box[2:]])),
    wrong("rows_and_columns_mixed", BOXES, "a box is read as top, bottom, left, right: it is top, "
        "left, bottom, right.", lambda box: box[[0, 2, 1, 3]]),
]
SIDES = [
    lambda side: np.maximum(side, 0),
    wrong("boxes_apart_overlap", BOXES, "the sides of an overlap that is none are negative, and "
        "multiplied they count as an area: a side is at least 0, np.maximum(side, 0).",
        same, np.abs, lambda side: np.where((side < 0).all(axis=0), side, np.maximum(side, 0))),
]
EDGES = [
    lambda a, b: (np.maximum(a[:2], b[:2]), np.minimum(a[2:], b[2:])),
    wrong("overlap_of_the_outer_edges", BOXES, "the overlap is taken from the outer edges, which "
        "is the box around both: it begins at the later of two tops and ends at the earlier of two "
        "bottoms.", lambda a, b: (np.minimum(a[:2], b[:2]), np.maximum(a[2:], b[2:]))),
]
COVERED = [
    lambda shared, one, other, around: one + other - shared,
    wrong("shared_counted_twice", BOXES, "the area that both boxes share is counted twice in the "
        "union: take it off the sum of their areas once.",
        lambda shared, one, other, around: one + other),
    wrong("divided_by_one_box", BOXES, "the shared area is divided by that of one box alone: "
        "divide by what the two cover together.", lambda shared, one, other, around: one,
        lambda shared, one, other, around: other, lambda shared, one, other, around:
        np.minimum(one, other), lambda shared, one, other, around: np.maximum(one, other)),
    wrong("divided_by_the_box_around_both", BOXES, "the shared area is divided by the box around "
        "both, which holds corners that neither covers.",
        lambda shared, one, other, around: around),
    wrong("shared_taken_off_twice", BOXES, "the shared area is taken off twice, so that it is not "
        "covered at all: it was counted twice, and counts once.",
        lambda shared, one, other, around: one + other - 2 * shared),
    wrong("not_divided", BOXES, "this is the shared area itself: divide by the area of the union.",
        lambda shared, one, other, around: np.ones_like(one)),
]
# fmt: on


def agreement(a, b, edges=EDGES[0], sides=SIDES[0], covered=COVERED[0]):
    first, last = edges(a, b)
    shared = np.prod(sides(last - first), axis=0)
    areas = [np.prod(box[2:] - box[:2], axis=0) for box in (a, b)]
    around = np.prod(np.maximum(a[2:], b[2:]) - np.minimum(a[:2], b[:2]), axis=0)
    return shared / covered(shared, *areas, around)


@exercise(
    lesson="14",
    given={
        "a": "4 N: N boxes; the rows are top, left, bottom, right",
        "b": "4 N: N boxes as well",
    },
    returns={"agreement": "N"},
    tiny=tiny,
    cases=lambda rng: [random_boxes(rng, N) for N in (5, 7, 6)],
    answer=agreement,
    hints=[
        "Where does the part begin that both boxes cover? At the later of their tops; and it ends "
        "at the earlier of their bottoms.",
        "Boxes that are apart share nothing: a side that would be negative is 0.",
        "The union is the sum of both areas, in which the shared part was counted twice.",
    ],
    stub="Intersection over union, of N pairs of boxes.",
    start="where does the shared part begin, and where does it end?",
)
def intersection_over_union(a, b):
    """How well the boxes of a agree with those of b: the area that two boxes share, divided by the
    area that they cover together.

    It is 1 for equal boxes and 0 for boxes that are apart. Rows count downward: top is less than
    bottom.
    """
    agreement = np.zeros(a.shape[1])
    for n in range(a.shape[1]):
        height = max(min(a[2, n], b[2, n]) - max(a[0, n], b[0, n]), 0)
        width = max(min(a[3, n], b[3, n]) - max(a[1, n], b[1, n]), 0)
        shared = height * width
        of_a = (a[2, n] - a[0, n]) * (a[3, n] - a[1, n])
        of_b = (b[2, n] - b[0, n]) * (b[3, n] - b[1, n])
        agreement[n] = shared / (of_a + of_b - shared)
    return agreement


@intersection_over_union.steps(reading=READINGS, edges=EDGES, sides=SIDES, covered=COVERED)
def by_steps(steps, a, b):
    a, b = steps.reading(a), steps.reading(b)
    return agreement(a, b, steps.edges, steps.sides, steps.covered)

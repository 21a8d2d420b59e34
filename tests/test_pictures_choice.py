"""What pictures say when asked to show what is not there."""

import numpy as np
import pytest
from helpers import assert_refuses

from cnnbp.graph import Graph
from cnnbp.pictures import (
    draw_avg_pool2d_dx,
    draw_conv2d_db,
    draw_conv2d_dw,
    draw_conv2d_dx,
    draw_conv2d_z,
    draw_flatten_dx,
    draw_graph,
    draw_linear_dx,
    draw_linear_z,
    draw_max_pool2d_dx,
)

X, W, DZ = np.ones((2, 3, 4, 4)), np.ones((5, 3, 2, 2)), np.ones((2, 5, 3, 3))
CONVOLUTIONS = {
    "z": lambda **choice: draw_conv2d_z(X, W, **choice),
    "dw": lambda **choice: draw_conv2d_dw(DZ, X, W, **choice),
}
POOLINGS = {
    draw.__name__: lambda draw=draw, **choice: draw(DZ[:, :3], X, 2, stride=1, **choice)
    for draw in (draw_max_pool2d_dx, draw_avg_pool2d_dx)
}
DRAW = CONVOLUTIONS | POOLINGS


@pytest.mark.parametrize("draw", DRAW.values(), ids=DRAW)
@pytest.mark.parametrize(("axis", "number", "count"), [("sample", 2, 2), ("channel", -1, 3)])
def test_there_is_no_such_sample_or_channel(draw, axis, number, count):
    said = f"there is no {axis} {number} among {count}"
    assert_refuses(lambda: draw(**{axis: number}), ValueError, said)


@pytest.mark.parametrize(
    "draw",
    [
        *CONVOLUTIONS.values(),
        lambda **choice: draw_conv2d_dx(DZ, X, W, (0, 0, 1, 1), **choice),
        lambda **choice: draw_conv2d_db(DZ, **choice),
    ],
    ids=["z", "dw", "dx", "db"],
)
def test_there_is_no_such_filter(draw):
    assert_refuses(lambda: draw(filter=5), ValueError, "there is no filter 5 among 5")


@pytest.mark.parametrize("draw", DRAW.values(), ids=DRAW)
def test_there_is_no_such_cell(draw):
    assert_refuses(lambda: draw(chosen=(3, 9)), ValueError, "from (0, 0) to", "not (3, 9)")


@pytest.mark.parametrize(
    ("draw", "substance"),
    [
        (lambda: draw_linear_dx(DZ[0, 0], W[0, 0][[0, 1, 1]], chosen=(2, 0)), ["not (2, 0)"]),
        (lambda: draw_flatten_dx(np.ones((16, 2)), (2, 1, 4, 4), chosen=16), ["no row 16"]),
        (lambda: draw_graph(Graph(L="w * x"), {"w": 1, "x": 2}, chosen="q"), ["not 'q'"]),
    ],
    ids=["linear", "flatten", "graph"],
)
def test_other_pictures_say_so_too(draw, substance):
    assert_refuses(draw, ValueError, *substance)


def test_an_empty_batch_has_nothing_to_show():
    assert_refuses(lambda: draw_conv2d_z(X[:0], W), ValueError, "no sample 0 among 0")
    assert_refuses(lambda: draw_conv2d_db(DZ[:0]), ValueError, "no sample 0 among 0")
    assert_refuses(lambda: draw_linear_z(np.ones((3, 0)), np.ones((1, 3))), ValueError, "empty")


def test_an_image_without_batch_and_channels_is_told_its_remedy():
    assert_refuses(lambda: draw_conv2d_z(X[0, 0], W[:, :1]), ValueError, "4 axes", "x[None, None]")


@pytest.mark.parametrize("draw", [draw_conv2d_dx, draw_conv2d_dw, draw_conv2d_z])
def test_a_still_shows_the_numbers_that_were_drawn(draw):
    """It is made when it is asked for; by then the learner may have written into the arrays."""
    given = [array.copy() for array in (DZ, X, W)]
    given = given[1:] if draw is draw_conv2d_z else given
    svg = draw(*given, *[(0, 0, 1, 1)] * (draw is draw_conv2d_dx))
    for array in given:
        array[...] = 77
    assert ">77</text>" not in svg.still

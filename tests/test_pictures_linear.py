"""Pictures of the fully connected layer: what they print adds up, and every pixel goes home."""

import re
import xml.etree.ElementTree as xml

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from printed import assert_adds_up, printed, whole

from cnnbp import flatten_backward, linear, linear_backward
from cnnbp.pictures import draw_flatten_dx, draw_linear_dw, draw_linear_dx, draw_linear_z

sizes = st.integers(1, 5)


def arrays(D, M, N):
    """x, w, b, dz of whole numbers."""
    rng = np.random.default_rng(D + 10 * M + 100 * N)
    return [whole(rng, shape) for shape in ((D, N), (M, D), (M, 1), (M, N))]


@given(sizes, sizes, sizes)
def test_every_cell_is_the_sum_of_its_printed_terms(D, M, N):
    x, w, b, dz = arrays(D, M, N)
    dx, dw, _ = linear_backward(dz, x, w)
    assert_adds_up(draw_linear_z(x, w, b), "z", linear(x, w, b))
    assert_adds_up(draw_linear_z(x, w), "z", w @ x)
    assert_adds_up(draw_linear_dx(dz, w), "dx", dx)
    assert_adds_up(draw_linear_dw(dz, x), "dw", dw)


def test_of_many_cells_the_chosen_one_alone_answers():
    x, w, b, _ = arrays(5, 9, 8)
    assert list(printed(draw_linear_z(x, w, b, chosen=(7, 3)))) == ["z[7,3]"]


def test_a_product_pairs_a_row_with_a_column():
    x, w, _, dz = arrays(4, 2, 3)
    for svg, terms in [
        (draw_linear_z(x, w), "abcd"),
        (draw_linear_dx(dz, w), "ab"),
        (draw_linear_dw(dz, x), "abc"),
    ]:
        letters = re.search(r'class="letter"[^>]*>(\w*)<', svg)[1]
        assert letters == "".join(2 * letter for letter in terms)


@given(st.tuples(sizes, sizes, sizes, sizes))
def test_flattening_says_where_every_number_goes_home(x_shape):
    N, C, H, W = x_shape
    dz = np.arange(1.0, N * C * H * W + 1).reshape(C * H * W, N)
    svg = draw_flatten_dx(dz, x_shape)
    dx = flatten_backward(dz, x_shape)
    said = re.findall(r'aria-label="dz\[(\d+),(\d+)\] goes home to dx\[([\d,]+)\]', svg)
    assert len(said) == (dz.size if dz.size <= 60 else 1)
    for row, sample, pixel in said:
        assert dz[int(row), int(sample)] == dx[tuple(map(int, pixel.split(",")))]


def test_the_trap_is_named():
    svg = draw_flatten_dx(np.arange(8).reshape(4, 2), (2, 1, 2, 2), chosen=2)
    assert "dz[2,0] goes home to dx[0,0,1,0]" in svg.description
    assert "its row 2 = (c·H + h)·W + v the pixel" in svg
    assert "taken for dx[1,0,0,0]" in svg


@pytest.mark.parametrize(
    "draw",
    [
        lambda x, w, b, dz: draw_linear_z(x, w, b),
        lambda x, w, b, dz: draw_linear_dx(dz, w),
        lambda x, w, b, dz: draw_linear_dw(dz, x),
        lambda x, w, b, dz: draw_flatten_dx(x, (3, 1, 2, 2)),
    ],
    ids=["z", "dx", "dw", "flatten"],
)
def test_the_picture_is_whole_and_the_last_bits_do_not_change_it(draw):
    x, w, b, dz = arrays(4, 2, 3)
    xml.fromstring(draw(x, w, b, dz))
    assert draw(x * (1 + 2e-16), w, b, dz * (1 - 1e-16)) == draw(x, w, b, dz)

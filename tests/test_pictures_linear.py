"""Pictures of the fully connected layer: what they print adds up, and every pixel goes home."""

import re
import xml.etree.ElementTree as xml

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from printed import (
    assert_adds_up,
    assert_every_number_answers,
    assert_fits_a_phone,
    assert_messages_arrive,
    assert_small,
    labels,
    printed,
    whole,
)

from cnnbp import flatten_backward, linear, linear_backward
from cnnbp.pictures import draw_flatten_dx, draw_linear_dw, draw_linear_dx, draw_linear_z

sizes = st.integers(1, 5)


def arrays(D, M, N):
    """x, w, b, dz of whole numbers."""
    rng = np.random.default_rng(D + 10 * M + 100 * N)
    return [whole(rng, shape) for shape in ((D, N), (M, D), (M, 1), (M, N))]


@settings(max_examples=25)
@given(sizes, sizes, sizes)
def test_every_cell_is_the_sum_of_its_printed_terms(D, M, N):
    x, w, b, dz = arrays(D, M, N)
    dx, dw, _ = linear_backward(dz, x, w)
    assert_adds_up(draw_linear_z(x, w, b), "z", linear(x, w, b))
    assert_adds_up(draw_linear_z(x, w), "z", w @ x)
    assert_adds_up(draw_linear_dx(dz, w), "dx", dx)
    assert_adds_up(draw_linear_dw(dz, x), "dw", dw)
    assert_messages_arrive(draw_linear_z(x, w, b), "x", "w")
    assert_messages_arrive(draw_linear_dx(dz, w), "dz", "w")
    assert_messages_arrive(draw_linear_dw(dz, x), "dz", "x")
    for svg in (draw_linear_z(x, w, b), draw_linear_dx(dz, w), draw_linear_dw(dz, x)):
        assert_every_number_answers(svg)
        assert_small(svg)


def test_of_a_large_matrix_the_cells_around_the_chosen_one_are_shown():
    x, w, b, _ = arrays(5, 20, 14)
    svg = draw_linear_z(x, w, b, chosen=(7, 3))
    assert list(printed(svg)) == [f"z[{m},{n}]" for m in range(3, 11) for n in range(8)]
    assert_every_number_answers(svg)


def test_a_product_pairs_a_row_with_a_column():
    x, w, _, dz = arrays(4, 2, 3)
    for svg, terms in [
        (draw_linear_z(x, w), "abcd"),
        (draw_linear_dx(dz, w), "ab"),
        (draw_linear_dw(dz, x), "abc"),
    ]:
        drawn = re.search(r'class="link k0 [^>]*>(.*?)</g>', svg)[1]
        letters = re.search(r'class="letter"[^>]*>(\w*)<', drawn)[1]
        assert letters == "".join(2 * letter for letter in terms)


@settings(max_examples=25)
@given(st.tuples(sizes, sizes, sizes, sizes))
def test_flattening_says_where_every_number_goes_home(x_shape):
    N, C, H, W = x_shape
    dz = np.arange(1.0, N * C * H * W + 1).reshape(C * H * W, N)
    svg = draw_flatten_dx(dz, x_shape)
    dx = flatten_backward(dz, x_shape)
    pattern = r"dz\[(\d+),(\d+)\] goes home to dx\[([\d,]+)\].*"
    told = {re.match(pattern, label).groups() for label in labels(svg)}
    rows, columns = (size if size <= 12 else 8 for size in dz.shape)
    assert len(told) >= rows * columns
    assert_every_number_answers(svg)
    for row, sample, pixel in told:
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


def test_small_products_fit_a_phone():
    x, w, b, dz = arrays(4, 2, 3)
    for svg in (draw_linear_z(x, w, b), draw_linear_dx(dz, w), draw_linear_dw(dz, x)):
        assert_fits_a_phone(svg)

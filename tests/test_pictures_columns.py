"""Pictures of im2col and col2im: every copy is lit, every sum adds up."""

import re
import xml.etree.ElementTree as xml

import numpy as np
import pytest
from helpers import assert_refuses
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from printed import assert_every_number_answers, assert_small, chosen, labels, said, whole

from cnnbp import col2im, im2col
from cnnbp.pictures import draw_col2im, draw_im2col

layers = st.tuples(
    st.tuples(*[st.integers(1, 2)] * 2, *[st.integers(2, 5)] * 2),
    st.tuples(st.integers(1, 2), st.integers(1, 2)),
    st.fixed_dictionaries({"stride": st.integers(1, 3), "padding": st.integers(0, 1)}),
)


def names(line, array):
    """The indices of an array that a line names."""
    found = re.findall(rf"\b{array}\[([\d,]+)\]", line)
    return [tuple(map(int, index.split(","))) for index in found]


def of(svg, begin):
    """What the cells that begin like this say, each once."""
    return list(dict.fromkeys(label for label in labels(svg) if label.startswith(begin)))


@settings(max_examples=25, deadline=None)
@given(layers)
def test_a_pixel_names_its_copies_and_a_copy_its_pixel(layer):
    x_shape, kernel, options = layer
    x = np.arange(1.0, np.prod(x_shape) + 1).reshape(x_shape)  # all different, and no 0
    columns = im2col(x, kernel, **options)
    assume(max(columns.shape) <= 12)  # a larger table shows a part
    svg = draw_im2col(x, kernel, **options)
    pixels = of(svg, "x[")
    assert len(pixels) == x.size
    for line in pixels:
        (pixel,) = names(line, "x")
        copies = [tuple(at) for at in np.argwhere(columns == x[pixel]).tolist()]
        assert names(line, "columns") == copies
        assert copies or "no window sees it" in line
    for line in of(svg, "columns["):
        (at,), pixel = names(line, "columns"), names(line, "x")
        assert x[pixel[0]] == columns[at] if pixel else columns[at] == 0
    assert_every_number_answers(svg)
    assert_small(svg)


@settings(max_examples=25, deadline=None)
@given(layers, st.integers(0, 99))
def test_a_pixel_is_the_sum_of_its_letters(layer, seed):
    x_shape, kernel, options = layer
    columns = whole(np.random.default_rng(seed), im2col(np.zeros(x_shape), kernel, **options).shape)
    x = col2im(columns, x_shape, kernel, **options)
    svg = draw_col2im(columns, x_shape, kernel, **options)
    for line in of(svg, "x["):
        (pixel,) = names(line, "x")
        written = line.replace("−", "-").replace("\u00a0", " ").partition(" = ")[2]
        if "exactly" in written:
            assert x[pixel] == 0
            continue
        terms, _, total = written.rpartition(" = ")
        added = sum(float(re.sub(r"^[a-z] ", "", term)) for term in terms.split(" + "))
        assert added == float(total) == x[pixel]
    assert_every_number_answers(svg)


def lit(svg, link):
    """How many rings a link draws."""
    drawn = re.findall(rf'<g class="link k{link} [^>]*>(.*?)</g>', svg)
    paths = re.findall(r'class="ring" d="([^"]*)"', "".join(drawn))
    return sum(path.count("M") for path in paths)


def test_the_chosen_pixel_and_its_copies_are_lit():
    svg = draw_im2col(np.arange(16).reshape(1, 1, 4, 4), 3, chosen=(0, 0, 1, 1))
    assert "x[0,0,1,1] = 5 has 4 copies" in svg.description
    assert lit(svg, chosen(svg)) == 1 + 4


def test_a_cell_of_the_columns_says_why_it_stands_there():
    x = np.arange(36.0).reshape(2, 2, 3, 3)
    svg = draw_im2col(x, 2)
    link = next(
        k for k in range(200) if said(svg, k)[0].startswith("columns[6,5] is a copy of x[1,1,2,0]")
    )
    assert said(svg, link)[1] == (
        "row 6 is c·KH·KW + kh·KW + kw with c, kh, kw = 1, 1, 0; "
        "column 5 is (i·OW + j)·N + n with i, j, n = 1, 0, 1"
    )
    assert lit(svg, link) == 2


def test_what_lies_in_the_padding_is_said():
    x = np.ones((1, 1, 2, 2))
    copied = labels(draw_im2col(x, 2, padding=1))
    assert "columns[0,0] = 0 lies in the padding" in copied
    added = labels(draw_col2im(np.ones((4, 9)), x.shape, 2, padding=1))
    assert "columns[0,0] = 1 belongs to the padding, and is dropped" in added


def test_of_many_images_the_chosen_one_and_of_many_columns_those_around_its_copy_are_shown():
    x = np.arange(5 * 3 * 36.0).reshape(5, 3, 6, 6)
    svg = draw_im2col(x, 3, chosen=(4, 2, 2, 3))
    assert len(of(svg, "x[")) == 36
    assert all(names(line, "x")[0][:2] == (4, 2) for line in of(svg, "x["))
    (line,) = of(svg, "x[4,2,2,3]")
    assert "and " not in line  # nine copies, all named
    assert names(line, "columns")[0] in [names(cell, "columns")[0] for cell in of(svg, "columns[")]
    assert_every_number_answers(svg)


def test_many_copies_are_counted_and_some_named():
    svg = draw_im2col(np.ones((1, 1, 8, 8)), 4, chosen=(0, 0, 3, 3))
    assert "has 16 copies" in svg.description
    assert svg.description.endswith("and 7 more")


def test_a_pixel_that_is_not_there_is_refused():
    x = np.ones((1, 1, 2, 2))
    assert_refuses(lambda: draw_im2col(x, 2, chosen=(0, 0, 2, 0)), ValueError, "draw_im2col")
    assert_refuses(lambda: draw_im2col(x, 3), ValueError, "draw_im2col")
    assert_refuses(
        lambda: draw_col2im(np.ones((4, 2)), x.shape, 2), ValueError, "columns is (4, 2)"
    )


@pytest.mark.parametrize("scale", [1 + 2e-16, 1 - 1e-16])
def test_the_picture_is_whole_and_the_last_bits_do_not_change_it(scale):
    x, columns = np.arange(9).reshape(1, 1, 3, 3) / 8, np.arange(16).reshape(4, 4) / 8
    xml.fromstring(draw_im2col(x, 2))
    assert draw_im2col(x * scale, 2) == draw_im2col(x, 2)
    xml.fromstring(draw_col2im(columns, x.shape, 2))
    assert draw_col2im(columns * scale, x.shape, 2) == draw_col2im(columns, x.shape, 2)

"""Pictures of a convolution: what they print adds up to the layer's own numbers."""

import re
import xml.etree.ElementTree as xml

import numpy as np
import pytest
from helpers import CONVOLUTIONS, every_convolution
from printed import assert_adds_up, number, printed, whole

from cnnbp import conv2d, conv2d_backward, explain_conv2d
from cnnbp.pictures import draw_conv2d_db, draw_conv2d_dw, draw_conv2d_dx, draw_conv2d_z
from cnnbp.shape import windows


def arrays_of(case):
    """x, w, b, dz of whole numbers for a convolution."""
    place = windows(case.x[2:], case.w[2:], **case.placement)
    rng = np.random.default_rng(0)
    z_shape = case.x[0], case.w[0], *place.output
    return [whole(rng, shape) for shape in (case.x, case.w, (case.w[0], 1, 1), z_shape)]


def last(case):
    """The last sample, filter and channel: the farthest from what zeros would find."""
    return {"sample": case.x[0] - 1, "filter": case.w[0] - 1, "channel": case.w[1] - 1}


@every_convolution
def test_every_z_is_the_sum_of_its_printed_terms(case):
    x, w, b, _ = arrays_of(case)
    svg = draw_conv2d_z(x, w, b, **last(case), **case.options)
    z = conv2d(x, w, b, **case.options)
    assert_adds_up(svg, "z", z, (case.x[0] - 1, case.w[0] - 1))


@every_convolution
def test_every_dw_and_db_is_the_sum_of_its_printed_terms(case):
    x, w, _, dz = arrays_of(case)
    svg = draw_conv2d_dw(dz, x, w, **last(case), **case.options)
    _, dw, db = conv2d_backward(dz, x, w, **case.options)
    assert printed(svg)[f"db[{len(w) - 1},0,0]"] == (db[-1, 0, 0], db[-1, 0, 0])
    assert_adds_up(svg, "dw", dw, (len(w) - 1, w.shape[1] - 1))


@every_convolution
def test_every_dx_is_the_sum_of_its_printed_terms(case):
    x, w, _, dz = arrays_of(case)
    pixel = len(x) - 1, x.shape[1] - 1, 0, x.shape[3] - 1
    svg = draw_conv2d_dx(dz, x, w, pixel, every=True, **case.options)
    dx, _, _ = conv2d_backward(dz, x, w, **case.options)
    assert_adds_up(svg, "dx", dx, pixel[:2])


@every_convolution
def test_db_is_the_sum_of_all_its_dz(case):
    x, w, _, dz = arrays_of(case)
    svg = draw_conv2d_db(dz, filter=len(w) - 1)
    _, _, db = conv2d_backward(dz, x, w, **case.options)
    assert_adds_up(svg, "db", db, (len(w) - 1,))


SMALL = CONVOLUTIONS["overlap and remainder"]
X, W, B, DZ = arrays_of(SMALL)


def letters(svg, link):
    """For a link of a picture: letter -> how many cells have it."""
    drawn = re.search(rf'class="link k{link}".*?</g>', svg)[0]
    found = re.search(r'class="letter"[^>]*>(\w*)<', drawn)[1]
    return {letter: found.count(letter) for letter in found}


def test_letters_pair_the_factors_of_a_product():
    assert letters(draw_conv2d_z(X, W, **SMALL.options), 0) == dict.fromkeys("abcdefghi", 2)
    assert letters(draw_conv2d_dw(DZ, X, W, **SMALL.options), 4) == dict.fromkeys("abcdefghi", 2)
    assert letters(draw_conv2d_dw(DZ, X, W, **SMALL.options), 9) == dict.fromkeys("abcdefghi", 1)


def test_a_product_of_dx_has_its_letter_on_both_sides():
    svg = draw_conv2d_dx(DZ, X, W, (0, 0, 2, 2), **SMALL.options)
    assert letters(svg, 0) == dict.fromkeys("abcd", 5)  # dz, w, w rotated, dz spread, the products
    assert letters(svg, 2) == {"b": 5}


def test_lettered_cells_hold_the_factors_and_the_product():
    svg = draw_conv2d_dx(DZ, X, W, (0, 0, 2, 2), **SMALL.options)
    numbers = dict(re.findall(r'<text x="([\d.]+" y="[\d.]+)" class="number[^>]*>([^<]*)<', svg))
    drawn = re.search(r'class="letter" x="([^"]*)" y="([^"]*)">(\w*)<', svg)
    written = {}
    for x, y, letter in zip(drawn[1].split(), drawn[2].split(), drawn[3], strict=True):
        at = f'{float(x) + 16:g}" y="{float(y) + 14:g}'  # from a letter to its cell's number
        written.setdefault(letter, []).append(number(numbers[at]))
    cell = explain_conv2d("dx", (0, 0, 2, 2), dz=DZ, x=X, w=W, **SMALL.options)
    for letter, term in zip("abcd", cell.terms, strict=False):  # of the first filter
        dz, w = term.left, term.right
        assert written[letter] == [dz, w, w, dz, dz * w]  # scatter's two, gather's two, product


def test_a_pixel_that_no_window_sees_is_hatched_and_says_so():
    svg = draw_conv2d_dx(DZ, X, W, (0, 0, 0, 7), **SMALL.options)
    assert "no window covered this pixel" in svg
    assert "dx[0,0], hatched: no window" in svg
    assert printed(svg)["dx[0,0,0,7]"] == (0, 0)


def test_without_a_remainder_nothing_is_hatched():
    assert "hatched" not in draw_conv2d_z(X[:, :, :7, :7], W, **SMALL.options)


@pytest.mark.parametrize("tap", [(0, 0), (2, 1), "bias"])
def test_the_chosen_weight_is_shown_at_rest(tap):
    svg = draw_conv2d_dw(DZ, X, W, chosen=tap, **SMALL.options)
    rank = 9 if tap == "bias" else 3 * tap[0] + tap[1]
    at_rest = re.search(r":not\(:has\(\.cell:hover\)\):not\(:has\(\.cell:focus\)\) \.k(\d+)", svg)
    assert int(at_rest[1]) == rank
    name = "db[0,0,0]" if tap == "bias" else f"dw[0,0,{tap[0]},{tap[1]}]"
    assert f". {name} = " in svg.description


def test_an_output_alone_answers_where_there_are_too_many():
    svg = draw_conv2d_z(X, W, chosen=(1, 2), every=False, **SMALL.options)
    assert list(printed(svg)) == ["z[0,0,1,2]"]


@pytest.mark.parametrize(
    "draw",
    [
        lambda x, w, b, dz: draw_conv2d_z(x, w, b, stride=2),
        lambda x, w, b, dz: draw_conv2d_dw(dz, x, w, stride=2),
        lambda x, w, b, dz: draw_conv2d_dx(dz, x, w, (0, 0, 2, 2), stride=2, every=True),
        lambda x, w, b, dz: draw_conv2d_db(dz),
    ],
    ids=["z", "dw", "dx", "db"],
)
def test_the_picture_is_whole_and_the_last_bits_do_not_change_it(draw):
    svg = draw(X, W, B, DZ)
    xml.fromstring(svg)
    assert draw(X * (1 + 2e-16), W, B, DZ * (1 - 1e-16)) == svg

"""Pictures of a convolution: what they print adds up to the layer's own numbers."""

import base64
import re
import xml.etree.ElementTree as xml
import zlib

import numpy as np
import pytest
from helpers import CONVOLUTIONS, every_convolution
from printed import (
    assert_adds_up,
    assert_every_number_answers,
    assert_messages_arrive,
    assert_small,
    number,
    printed,
    whole,
)

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
    assert_all_of_it_answers(svg, case, "x", "w")


@every_convolution
def test_every_dw_and_db_is_the_sum_of_its_printed_terms(case):
    x, w, _, dz = arrays_of(case)
    svg = draw_conv2d_dw(dz, x, w, **last(case), **case.options)
    _, dw, db = conv2d_backward(dz, x, w, **case.options)
    assert printed(svg)[f"db[{len(w) - 1},0,0]"] == (db[-1, 0, 0], db[-1, 0, 0])
    assert_adds_up(svg, "dw", dw, (len(w) - 1, w.shape[1] - 1))
    assert_all_of_it_answers(svg, case, "x", "dz")


@every_convolution
def test_every_dx_is_the_sum_of_its_printed_terms(case):
    x, w, _, dz = arrays_of(case)
    pixel = len(x) - 1, x.shape[1] - 1, 0, x.shape[3] - 1
    svg = draw_conv2d_dx(dz, x, w, pixel, **case.options)
    dx, _, _ = conv2d_backward(dz, x, w, **case.options)
    most = min(8, max(5, 2 * max(case.place.span) - 1))  # all windows of the pixel are seen whole
    assert_adds_up(svg, "dx", dx, pixel[:2], most)
    assert_all_of_it_answers(svg, case, "dz", "w")


def test_the_input_gradient_of_eight_by_eight_pixels_is_small():
    rng = np.random.default_rng(0)  # numbers of many digits, as a network has them
    x, w, dz = (rng.standard_normal((1, 1, size, size)) for size in (8, 3, 8))
    assert_small(draw_conv2d_dx(dz, x, w, (0, 0, 2, 2), padding=1))


@pytest.mark.parametrize(("kernel", "most"), [(3, 420_000), (5, 480_000)])
def test_the_largest_maps_that_are_shown_whole_weigh_little_more(kernel, most):
    rng = np.random.default_rng(0)
    x, w, dz = (rng.standard_normal((1, 1, size, size)) for size in (12, kernel, 12))
    padding = {"padding": kernel // 2}
    assert_small(draw_conv2d_z(x, w, **padding))
    assert_small(draw_conv2d_dw(dz, x, w, **padding))
    svg = draw_conv2d_dx(dz, x, w, (0, 0, 6, 6), **padding)
    assert len(svg.encode()) <= most
    assert svg.count("<use ") > 5 * svg.count('<g id="')  # shapes are shared


@every_convolution
def test_db_is_the_sum_of_all_its_dz(case):
    x, w, _, dz = arrays_of(case)
    svg = draw_conv2d_db(dz, filter=len(w) - 1)
    _, _, db = conv2d_backward(dz, x, w, **case.options)
    assert_adds_up(svg, "db", db, (len(w) - 1,))
    assert_every_number_answers(svg)


def assert_all_of_it_answers(svg, case, *factors):
    """Every number answers; where no lens leaves any out, messages arrive as they were sent."""
    assert_every_number_answers(svg)
    assert_small(svg)
    if max(*case.x[2:], *case.place.output) <= 12:
        assert_messages_arrive(svg, *factors)


SMALL = CONVOLUTIONS["overlap and remainder"]
X, W, B, DZ = arrays_of(SMALL)


def letters(svg, link):
    """For a link of a picture: letter -> how many cells have it."""
    found = "".join(
        re.findall(rf'class="link k{link} [^>]*>(?:(?!</g>).)*?class="letter"[^>]*>(\w*)<', svg)
    )
    return {letter: found.count(letter) for letter in found}


def test_letters_pair_the_factors_of_a_product():
    assert letters(draw_conv2d_z(X, W, **SMALL.options), 0) == dict.fromkeys("abcdefghi", 2)
    assert letters(draw_conv2d_dw(DZ, X, W, **SMALL.options), 4) == dict.fromkeys("abcdefghi", 2)
    assert letters(draw_conv2d_dw(DZ, X, W, **SMALL.options), 9) == dict.fromkeys("abcdefghi", 1)


def test_every_pixel_of_dx_has_its_letters_on_both_sides():
    svg = draw_conv2d_dx(DZ, X, W, (0, 0, 2, 2), **SMALL.options)
    for pixel in [(2, 2), (0, 0), (4, 5)]:
        cell = explain_conv2d("dx", (0, 0, *pixel), dz=DZ, x=X, w=W, **SMALL.options)
        terms = int((cell.left_index[:, 1] == 0).sum())
        expected = dict.fromkeys("abcdefghi"[:terms], 4)  # dz, w, w rotated, dz spread
        assert letters(svg, 8 * pixel[0] + pixel[1]) == expected


def test_lettered_cells_hold_the_factors():
    svg = draw_conv2d_dx(DZ, X, W, (0, 0, 2, 2), **SMALL.options)
    numbers = dict(re.findall(r'<text x="([\d.]+" y="[\d.]+)"[^>]*>([^<]*)<', svg))
    written = {}
    for drawn in re.findall(r'class="link k18 [^>]*>(.*?)</g>', svg):
        for xs, ys, names in re.findall(r'class="letter" x="([^"]*)" y="([^"]*)">(\w*)<', drawn):
            for x, y, letter in zip(xs.split(), ys.split(), names, strict=True):
                at = f'{float(x) + 16:g}" y="{float(y) + 14:g}'  # from a letter to its number
                written.setdefault(letter, []).append(number(numbers[at]))
    cell = explain_conv2d("dx", (0, 0, 2, 2), dz=DZ, x=X, w=W, **SMALL.options)
    for letter, term in zip("abcd", cell.terms, strict=False):  # of the first filter
        assert sorted(written[letter]) == sorted([term.left, term.right] * 2)


def test_products_stand_in_a_row_with_their_sum_so_far():
    svg = draw_conv2d_z(X, W, chosen=(1, 2), **SMALL.options)
    row = re.search(r'<p class="link k5 [^>]*>.*?<span>(.*?)</span>', svg)[1]
    cells = re.findall(r"<i><b>(\w)</b> ([^<]*)<u>([^<]*)</u></i>", row)
    assert "".join(letter for letter, *_ in cells) == "abcdefghi"
    products, so_far = ([number(each[i]) for each in cells] for i in (1, 2))
    assert np.cumsum(products) == pytest.approx(so_far)


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
    at_rest = re.search(r":hover\)\):not\(:has\(>\*>\*>\.cell:focus\)\) \.k(\d+)\{", svg)
    assert int(at_rest[1]) == rank
    name = "db[0,0,0]" if tap == "bias" else f"dw[0,0,{tap[0]},{tap[1]}]"
    assert f". {name} = " in svg.description


def test_of_a_large_map_the_cells_around_the_chosen_one_are_shown():
    x, w = (
        whole(np.random.default_rng(0), (1, 3, 29, 28)),
        whole(np.random.default_rng(1), (1, 3, 3, 2)),
    )
    svg = draw_conv2d_z(x, w, chosen=(5, 20), stride=1)
    assert {name for name in printed(svg) if name.startswith("z[0,0,5,")} == {
        f"z[0,0,5,{column}]" for column in range(16, 24)
    }
    assert svg.count("<image ") == 2
    assert "29 × 28" in svg


def test_a_photograph_is_shown_as_one():
    x, w = np.random.default_rng(0).random((1, 3, 29, 28)), np.ones((1, 3, 3, 2))
    photograph, values = (
        re.search(r"base64,([^\"]*)", draw_conv2d_z(each, w).still)[1] for each in (x, 2 * x)
    )
    pixels = zlib.decompress(base64.b64decode(photograph)[41:-16])
    shown = np.frombuffer(pixels, np.uint8).reshape(29, 1 + 28 * 3)[:, 1:]
    assert (shown.reshape(29, 28, 3) == np.round(255 * x[0]).transpose(1, 2, 0)).all()
    assert values != photograph


@pytest.mark.parametrize(
    "draw",
    [
        lambda x, w, b, dz: draw_conv2d_z(x, w, b, stride=2),
        lambda x, w, b, dz: draw_conv2d_dw(dz, x, w, stride=2),
        lambda x, w, b, dz: draw_conv2d_dx(dz, x, w, (0, 0, 2, 2), stride=2),
        lambda x, w, b, dz: draw_conv2d_db(dz),
    ],
    ids=["z", "dw", "dx", "db"],
)
def test_the_picture_is_whole_and_the_last_bits_do_not_change_it(draw):
    svg = draw(X, W, B, DZ)
    xml.fromstring(svg)
    assert draw(X * (1 + 2e-16), W, B, DZ * (1 - 1e-16)) == svg

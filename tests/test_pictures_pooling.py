"""Pictures of pooling's backward pass: what they print adds up, and every zero has its reason."""

import re
import xml.etree.ElementTree as xml

import numpy as np
import pytest
from helpers import every_pooling
from printed import assert_adds_up, assert_every_number_answers, assert_small, said, whole

from cnnbp import avg_pool2d, avg_pool2d_backward, max_pool2d, max_pool2d_backward
from cnnbp.pictures import draw_avg_pool2d_dx, draw_max_pool2d_dx

PEAK = np.array([[[[1, 0, 2, 0], [0, 2, 1, 3], [2, 1, 5, 0], [1, 4, 0, 1]]]], float)
DZ = np.array([[[[1, -2], [4, 8]]]], float)


def split(options):
    """A pooling's keywords as the pictures take them: kernel_size, and the rest."""
    return options["kernel_size"], {k: v for k, v in options.items() if k != "kernel_size"}


def lines(svg, link):
    """What the read-out of a link says, in one line."""
    return " ".join(said(svg, link))


@every_pooling
def test_every_dx_of_max_pooling_is_the_sum_of_its_printed_terms(case):
    x = whole(np.random.default_rng(0), case.x)
    z, argmax = max_pool2d(x, **case.options)
    dz = whole(np.random.default_rng(1), z.shape)
    kernel_size, geometry = split(case.options)
    at = case.x[0] - 1, case.x[1] - 1
    svg = draw_max_pool2d_dx(dz, x, kernel_size, sample=at[0], channel=at[1], **geometry)
    assert_adds_up(svg, "dx", max_pool2d_backward(dz, argmax, x.shape), at)
    assert_every_number_answers(svg)
    assert_small(svg)


@every_pooling
def test_every_dx_of_average_pooling_is_the_sum_of_its_printed_terms(case):
    x = whole(np.random.default_rng(0), case.x)
    kernel_size, geometry = split(case.options)
    dz = whole(np.random.default_rng(1), avg_pool2d(x, **case.options).shape)
    at = case.x[0] - 1, case.x[1] - 1
    svg = draw_avg_pool2d_dx(dz, x, kernel_size, sample=at[0], channel=at[1], **geometry)
    dx = avg_pool2d_backward(dz, x.shape, **case.options)
    assert_adds_up(svg, "dx", dx, at)
    assert_every_number_answers(svg)


def test_a_window_sends_everything_to_its_winner():
    svg = draw_max_pool2d_dx(DZ, PEAK, 3, stride=1)
    assert "dz[0,0,0,0] = 1 goes to dx[0,0,2,2]: x[0,0,2,2] = 5 is the largest" in lines(svg, 0)
    assert "up to this one: 1 + (−2) + 4 = 3" in lines(svg, 2)


def test_a_zero_says_whether_it_was_beaten_or_never_seen():
    beaten = draw_max_pool2d_dx(DZ, PEAK, 3, stride=1)
    assert "its 4 windows have another winner" in lines(beaten, 4 + 4 * 1 + 1)
    unseen = draw_max_pool2d_dx(DZ[..., :1, :1], PEAK, 2, stride=3)
    assert "no window sees this pixel" in lines(unseen, 1 + 4 * 2 + 2)
    assert "x[0,0], hatched: no window" in unseen


def test_a_tie_is_named_and_the_first_wins():
    tied = PEAK.copy()
    tied[0, 0, 2, 1] = 5
    svg = draw_max_pool2d_dx(DZ, tied, 3, stride=1)
    assert "dz[0,0,0,0] = 1 goes to dx[0,0,2,1]" in lines(svg, 0)
    assert "a tie with x[0,0,2,2]: the first in row order wins" in lines(svg, 0)


def test_an_average_goes_to_every_pixel_but_not_into_the_padding():
    svg = draw_avg_pool2d_dx(np.ones((1, 1, 3, 3)), PEAK, 2, stride=2, padding=1)
    assert "dz[0,0,0,0]/4 = 1/4 = 0.25 goes to the one pixel of its window" in lines(svg, 0)
    assert "3 of its 4 shares go into the padding and are lost" in lines(svg, 0)
    assert "goes to each of the 4 pixels of its window" in lines(svg, 4)


@pytest.mark.parametrize("draw", [draw_max_pool2d_dx, draw_avg_pool2d_dx])
def test_no_arrow_crosses_a_number(draw):
    svg = draw(DZ, PEAK, 3, stride=1)
    groups = re.findall(r'<g class="number"[^>]*>(.*?)</g>', svg)
    numbers = re.findall(r'<text x="([\d.]+)" y="([\d.]+)"', "".join(groups))
    arrows = re.findall(r'class="frame" d="M([\d. L]+)M', svg)
    assert arrows
    for arrow in arrows:
        points = np.array([point.split() for point in arrow.split("L")], float)
        along = np.concatenate(np.linspace(points[:-1], points[1:], 50))
        away = np.abs(along[:, None] - np.array(numbers, float) + (0, 4))  # from their middle
        assert (away > (10, 6)).any(axis=2).all()


@pytest.mark.parametrize("draw", [draw_max_pool2d_dx, draw_avg_pool2d_dx])
def test_a_window_in_the_padding_is_framed_on_the_page(draw):
    svg = draw(np.ones((1, 1, 3, 3)), PEAK, 2, stride=2, padding=1).still
    width = float(re.search(r'viewBox="0 0 ([\d.]+)', svg)[1])
    frames = re.findall(r"M([\d.]+) [\d.]+h([\d.]+)v", svg)
    assert frames
    assert all(float(x) + float(wide) < width for x, wide in frames)


def test_windows_are_counted_over_every_pixel():
    svg = draw_max_pool2d_dx(DZ, PEAK, 3, stride=1)
    table = svg.partition("windows over each pixel</text>")[2].partition("</g>")[0]
    counts = [int(count) for count in re.findall(r">(\d+)</text>", table)]
    assert counts == [1, 2, 2, 1, 2, 4, 4, 2, 2, 4, 4, 2, 1, 2, 2, 1]


def test_windows_are_not_counted_where_no_number_could_be_read():
    svg = draw_max_pool2d_dx(np.ones((1, 1, 7, 7)), np.ones((1, 1, 14, 14)), 2)
    assert "windows over each pixel" not in svg


@pytest.mark.parametrize("draw", [draw_max_pool2d_dx, draw_avg_pool2d_dx])
def test_the_picture_is_whole_and_the_last_bits_do_not_change_it(draw):
    svg = draw(DZ, PEAK, 3, stride=1)
    xml.fromstring(svg)
    assert draw(DZ * (1 + 2e-16), PEAK * (1 + 2e-16), 3, stride=1) == svg

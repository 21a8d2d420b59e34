"""What the convolution explorers show, beyond what every explorer promises."""

import numpy as np
import pytest
from helpers import assert_refuses

from cnnbp.explorers import ConvolutionExplorer, KernelGradientExplorer
from cnnbp.pictures import draw_conv2d_dw, draw_conv2d_dx, draw_conv2d_z


@pytest.fixture
def explore():
    """Makes explorers, and closes them."""
    made = []

    def make(kind, **state):
        made.append(kind(**state))
        return made[-1]

    yield make
    for explorer in made:
        explorer.close()


def test_kernel_gradient_opens_on_the_first_tap_at_stride_2(explore):
    explorer = explore(KernelGradientExplorer)
    assert explorer.x.shape == (2, 1, 6, 6)
    assert explorer.values | {"tap": (0, 0), "stride": 2, "upstream": "random"} == explorer.values
    assert "dw[0,0,0,0] = a " in explorer.html.description


def test_the_last_tap_is_the_bias_whose_input_is_always_1(explore):
    explorer = explore(KernelGradientExplorer)
    *_, (label, last) = explorer.controls["tap"].options
    explorer.controls["tap"].value = last
    assert label == "bias"
    assert "db[0,0,0] = a 0.5·1 + b 0.5·1" in explorer.html.description
    assert "input is always 1" in explorer.html


def test_one_cell_upstream_makes_dw_the_window_below_it(explore):
    explorer = explore(KernelGradientExplorer, upstream="one cell", sample=1)
    window = explorer.x[1, 0, :3, :3]
    for kh, kw in np.ndindex(3, 3):
        explorer.controls["tap"].value = kh, kw
        total = explorer.html.description.rpartition(" = ")[2]
        assert float(total.replace("−", "-")) == window[kh, kw]


def test_ones_upstream_sum_the_pixels_themselves(explore):
    explorer = explore(KernelGradientExplorer, upstream="ones", x=np.ones((1, 1, 6, 6)))
    assert explorer.html.description.endswith(" = 4")


def test_a_given_gradient_is_drawn_until_it_no_longer_fits(explore):
    x, w, dz = np.ones((2, 2, 5, 5)), np.zeros((3, 2, 2, 2)), np.ones((2, 3, 4, 4))
    explorer = explore(KernelGradientExplorer, x=x, w=w, dz=dz, filter=2, channel=1, sample=1)
    expected = draw_conv2d_dw(dz, x, w, filter=2, channel=1, sample=1)
    assert explorer.html == expected
    explorer.controls["stride"].value = 2
    assert explorer.html.description.startswith("Impossible: dz is (2, 3, 4, 4) but must be")
    explorer.controls["stride"].value = 1
    assert explorer.html == expected


def test_convolution_opens_on_z_and_walks_through_its_windows(explore):
    explorer = explore(ConvolutionExplorer)
    expected = draw_conv2d_z(explorer.x, explorer.kernel(3))
    assert explorer.html == expected
    assert len(explorer.controls["cell"].options) == 16


def test_what_is_not_given_has_the_channels_of_what_is(explore):
    photos = np.ones((2, 3, 6, 6))
    assert explore(ConvolutionExplorer, x=photos).w.shape == (2, 3, 4, 4)
    assert explore(ConvolutionExplorer, w=np.ones((4, 1, 3, 3))).x.shape == (2, 1, 6, 6)
    explorer = explore(KernelGradientExplorer, x=photos, dz=np.ones((2, 4, 4, 4)))
    assert explorer.w.shape == (4, 3, 3, 3)
    assert "Impossible" not in explorer.html


@pytest.mark.parametrize("kind", [ConvolutionExplorer, KernelGradientExplorer])
def test_an_empty_batch_is_refused(kind):
    empty = np.ones((0, 1, 6, 6))
    assert_refuses(lambda: kind(x=empty), ValueError, kind.__name__, "(0, 1, 6, 6) is empty")


def test_a_stride_between_two_whole_numbers_is_refused():
    assert_refuses(
        lambda: ConvolutionExplorer(stride=1.5), ValueError, "stride", "whole number", "not 1.5"
    )


def test_wanting_dx_walks_through_the_pixels(explore):
    explorer = explore(ConvolutionExplorer, wanted="dx", cell=(5, 5), stride=2, channel=1)
    assert len(explorer.controls["cell"].options) == 36
    assert "dx[0,1,5,5] = 0 exactly" in explorer.html.description
    assert "no window covered this pixel" in explorer.html


def test_given_arrays_are_drawn_as_they_are(explore):
    rng = np.random.default_rng(0)
    arrays = (
        rng.normal(size=(1, 1, 4, 5)),
        rng.normal(size=(2, 1, 2, 3)),
        rng.normal(size=(2, 1, 1)),
    )
    x, w, b = arrays
    explorer = explore(ConvolutionExplorer, x=x, w=w, b=b)
    assert "kernel_size" not in explorer.controls
    assert explorer.html == draw_conv2d_z(x, w, b)
    dz = rng.normal(size=(1, 2, 3, 3))
    explorer = explore(ConvolutionExplorer, x=x, w=w, dz=dz, wanted="dx", filter=1)
    assert explorer.html == draw_conv2d_dx(dz, x, w, (0, 0, 0, 0), filter=1)


def test_past_40_positions_the_kernel_draws_each(explore):
    explorer = explore(ConvolutionExplorer, padding=2)
    assert len(explorer.controls["cell"].options) == 64
    assert len(set(explorer.stepper.frames.children)) == 1
    explorer.controls["cell"].value = (7, 0)
    assert "z[0,0,7,0] = a " in explorer.html.description


def test_a_position_that_is_gone_gives_way_to_the_first(explore):
    explorer = explore(ConvolutionExplorer, cell=(3, 3))
    explorer.controls["stride"].value = 2
    assert explorer.values["cell"] == (0, 0)
    explorer.controls["stride"].value = 1
    explorer.controls["cell"].value = (9, 9)  # as a slider's, it ends at the last
    assert explorer.values["cell"] == (3, 3)


def test_a_window_that_does_not_fit_is_refused_in_red_and_comes_back(explore):
    explorer = explore(ConvolutionExplorer, kernel_size=4)
    before = explorer.html
    explorer.controls["dilation"].value = 3
    assert "Impossible: the window (10, 10)" in explorer.html
    assert "#a3121f" in explorer.html
    assert "Impossible" in repr(explorer)
    explorer.controls["dilation"].value = 1
    assert explorer.html == before


def test_the_state_of_what_is_impossible_can_be_passed_back(explore):
    explorer = explore(ConvolutionExplorer, kernel_size=4, cell=(2, 1))
    explorer.controls["dilation"].value = 3
    again = explore(ConvolutionExplorer, **explorer.state)
    assert "Impossible" in again.html
    assert again.state == explorer.state
    again.controls["dilation"].value = 1
    assert again.html == explore(ConvolutionExplorer, kernel_size=4, cell=(2, 1)).html


def test_frames_are_small_and_hold_no_picture(explore):
    explorer = explore(ConvolutionExplorer, padding=1)
    frames = explorer.stepper.frames.children
    assert len(frames) == 36
    assert sum(len(frame.value) for frame in frames) + len(explorer.html) < 150_000
    assert not any("<svg" in frame.value for frame in frames)


def test_frames_stay_while_pictures_change(explore):
    explorer = explore(KernelGradientExplorer)
    before = explorer.stepper.frames.children
    explorer.controls["sample"].value = 1
    assert explorer.stepper.frames.children == before


@pytest.mark.parametrize("kind", [ConvolutionExplorer, KernelGradientExplorer])
def test_images_that_are_none_are_refused(kind):
    assert_refuses(lambda: kind(x=np.ones((6, 6))), ValueError, "x must have 4 axes")

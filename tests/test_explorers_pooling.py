"""What the pooling explorer shows, beyond what every explorer promises."""

import numpy as np
import pytest
from helpers import assert_refuses

from cnnbp import max_pool2d
from cnnbp.explorers import PoolScatterExplorer
from cnnbp.pictures import draw_avg_pool2d_dx


@pytest.fixture
def explorer():
    explorer = PoolScatterExplorer()
    yield explorer
    explorer.close()


def test_opens_on_3_by_3_windows_that_share_one_winner(explorer):
    _, argmax = max_pool2d(explorer.x, 3, stride=1)
    assert argmax.shape == (1, 1, 3, 3)
    assert len(np.unique(argmax)) == 1
    assert (explorer.values["kernel_size"], explorer.values["stride"]) == (3, 1)
    assert "it wins 9 windows" in explorer.html


def test_a_stride_past_the_window_leaves_pixels_uncovered(explorer):
    assert "hatched" not in explorer.html
    explorer.controls["kernel_size"].value = 2
    explorer.controls["stride"].value = 3
    assert "hatched: no window" in explorer.html
    assert "no window sees this pixel" in explorer.html


def test_a_tie_is_set_and_the_first_wins(explorer):
    explorer.controls["tie"].value = True
    assert "a tie with" not in explorer.html.partition('class="link k1 ')[0]
    assert "a tie with x[0,0,2,3]: the first in row order wins" in explorer.html
    assert explorer.x[0, 0, 2, 3] == 0  # the learner's own array is left as it was


def test_average_pooling_shares(explorer):
    explorer.controls["pooling"].value = "average"
    assert (
        "dz[0,0,0,0]/9 = 0.5/9 = 0.0556 goes to each of the 9 pixels" in explorer.html.description
    )


def test_padding_as_wide_as_the_window_is_impossible(explorer):
    explorer.controls["kernel_size"].value = 1
    before = explorer.html
    explorer.controls["padding"].value = 1
    assert explorer.html.description.startswith("Impossible: padding (1, 1) must be less than")
    explorer.controls["padding"].value = 0
    assert explorer.html == before


def test_given_arrays_are_drawn_as_they_are():
    rng = np.random.default_rng(0)
    x, dz = rng.normal(size=(2, 2, 4, 4)), rng.normal(size=(2, 2, 2, 2))
    state = {"sample": 1, "channel": 1, "pooling": "average", "stride": 1, "kernel_size": 3}
    explorer = PoolScatterExplorer(x=x, dz=dz, **state)
    assert explorer.html == draw_avg_pool2d_dx(dz, x, 3, stride=1, sample=1, channel=1)
    explorer.close()


def test_an_empty_batch_is_refused():
    empty = np.ones((0, 1, 4, 4))
    assert_refuses(lambda: PoolScatterExplorer(x=empty), ValueError, "(0, 1, 4, 4) is empty")

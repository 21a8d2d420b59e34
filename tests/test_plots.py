"""Figures show the numbers they were given, and leave no figure open."""

import subprocess
import sys

import numpy as np
import pytest
from helpers import assert_refuses

from cnnbp import Conv2d, Flatten, Linear, Network, ReLU, Residual
from cnnbp.pictures.plots import (
    plot_confusion,
    plot_filters,
    plot_filters_over_time,
    plot_gradient_norms,
    plot_growth,
    plot_histograms,
    plot_images,
    plot_maps,
    plot_training,
)
from cnnbp.training import History

HISTORY = History(
    loss=[4.0, 3.0, 2.0, 1.0],
    gradient_norm=[1.0] * 4,
    train_loss=[3.5, 1.5],
    train_accuracy=[0.25, 0.5],
    test_loss=[3.0, 1.25],
    test_accuracy=[0.375, 0.625],
)
DIVERGED = History(loss=[2.0, np.inf], gradient_norm=[1.0, np.inf])


def network(depth=1):
    rng = np.random.default_rng(0)
    blocks = [Residual([Conv2d(2, 2, 3, padding=1, rng=rng), ReLU()]) for _ in range(depth)]
    network = Network([*blocks, Flatten(), Linear(32, 3, rng=rng)])
    network.forward(rng.standard_normal((4, 2, 4, 4)))
    network.backward(rng.standard_normal((3, 4)))
    return network


def curves(axes):
    """label -> the values of the line."""
    return {line.get_label(): line.get_ydata().tolist() for line in axes.lines}


def texts(axes):
    return [text.get_text() for text in axes.texts]


FIGURES = {
    "training": lambda: plot_training(HISTORY),
    "two trainings": lambda: plot_training({"a": HISTORY, "b": HISTORY}),
    "a training that diverged": lambda: plot_training(DIVERGED),
    "gradient norms": lambda: plot_gradient_norms(network()),
    "gradient norms, deep": lambda: plot_gradient_norms({"a": network(14), "b": network()}),
    "growth": lambda: plot_growth({"N": ([1, 2], {"a": [0.001, 0.002], "b": [0.001, 0.004]})}),
    "histograms": lambda: plot_histograms(network()),
    "filters": lambda: plot_filters(network().layers[0].layers[0]),
    "filters over time": lambda: plot_filters_over_time(
        {"start": np.zeros((4, 2, 3, 2)), "end": np.ones((4, 2, 3, 2))}
    ),
    "confusion": lambda: plot_confusion([0, 1, 2], [0, 1, 1], ["a", "b", "c"]),
    "images": lambda: plot_images(np.zeros((9, 3, 4, 5)), titles=range(9)),
    "one image with a box": lambda: plot_images(np.ones((1, 1, 4, 5)), boxes=np.ones((4, 1))),
}


@pytest.mark.parametrize("name", FIGURES)
def test_a_notebook_shows_it_sharp_and_with_a_text(name):
    plot = FIGURES[name]()
    image, shown = plot._repr_png_()
    assert image.startswith(b"\x89PNG")
    width = int.from_bytes(image[16:20], "big")
    assert shown["width"] == pytest.approx(width / 2, abs=1)
    assert shown["width"] <= 900
    assert repr(plot).startswith("Figure: ")
    assert shown["photographs"] == any(axes.images for axes in plot.axes if name != "confusion")


def test_no_figure_stays_open_for_pyplot_is_not_used():
    code = "import sys, cnnbp.pictures.plots; print('matplotlib.pyplot' in sys.modules)"
    finished = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert finished.stdout.strip() == "False"


def test_pictures_of_numbers_do_not_wait_for_matplotlib():
    code = "import sys, cnnbp.pictures; print('matplotlib' in sys.modules)"
    finished = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert finished.stdout.strip() == "False"


def test_training_curves_are_the_history():
    loss_axes, accuracy_axes = plot_training({"run": HISTORY}).grid[0]
    assert HISTORY.loss in curves(loss_axes).values()
    assert curves(loss_axes)["run training"] == HISTORY.train_loss
    assert curves(loss_axes)["run test"] == HISTORY.test_loss
    assert curves(accuracy_axes) == {
        "run training": HISTORY.train_accuracy,
        "run test": HISTORY.test_accuracy,
    }


def test_epochs_lie_at_their_last_step():
    line = plot_training(HISTORY).grid[0][1].lines[0]
    assert line.get_xdata().tolist() == [1, 3]


def test_gradient_norms_are_those_of_dz():
    net = network(2)
    (axes,) = plot_gradient_norms(net).grid[0]
    norms = [np.sqrt((step.dz**2).sum()) for step in net.trace]
    assert axes.lines[0].get_ydata() == pytest.approx(norms)
    assert [tick.get_text() for tick in axes.get_xticklabels()][-1] == "3 Linear"


def test_histograms_count_every_value_once():
    net = network()
    grid = plot_histograms(net, bins=10).grid
    for row, step in zip(grid, net.trace, strict=True):
        for axes, values in zip(row, (step.z, step.dz), strict=True):
            assert sum(bar.get_height() for bar in axes.patches) == np.count_nonzero(values)


def test_histograms_say_how_much_is_zero():
    net = network()
    net.trace[0].z[:] = 0
    (z_axes, dz_axes), *_ = plot_histograms(net, [0]).grid
    assert z_axes.get_title("right") == "100% are 0"
    assert dz_axes.get_title("right") == ""


def test_filters_and_gradients_have_one_scale_each():
    layer = network().layers[0].layers[0]
    grid = plot_filters(layer).grid
    for bank, rows in ((layer.params["w"], grid[:2]), (layer.grads["w"], grid[2:])):
        for (channel, filter), axes in np.ndenumerate(rows):
            (image,) = axes.images
            assert (image.get_array() == bank[filter, channel]).all()
            assert image.get_clim() == (-np.abs(bank).max(), np.abs(bank).max())


def test_confusion_counts():
    (axes,) = plot_confusion([0, 0, 1, 1, 1], [0, 1, 1, 1, 0]).grid[0]
    assert texts(axes) == ["1", "1", "1", "2"]
    assert repr(plot_confusion([0, 0, 1], [0, 1, 1])) == "Figure: 2 of 3 right in 2 classes"


def test_boxes_are_where_the_shares_say():
    boxes = np.array([[0.25], [0.5], [0.75], [1.0]])
    (axes,) = plot_images(np.zeros((1, 1, 4, 8)), boxes=boxes.tolist()).grid[0]
    (box,) = axes.patches
    assert (box.get_xy(), box.get_width(), box.get_height()) == ((3.5, 0.5), 4, 2)


def test_an_image_may_have_as_many_boxes_as_it_likes():
    boxes = [np.zeros((4, 0)), np.array([[0, 0], [0, 0.5], [0.5, 1], [0.5, 1.0]])]
    first, second = plot_images(np.zeros((2, 1, 4, 4)), boxes=boxes).grid[0]
    assert not first.patches
    assert [box.get_width() for box in second.patches] == [2, 2]


def test_kinds_of_boxes_differ_in_color_and_line_and_a_legend_says_which_is_which():
    empty, one = np.zeros((4, 0)), np.array([[0.0], [0], [1], [1]])
    kinds = {"found": [one, empty], "missed": [empty, one], "false alarm": [one, one]}
    plot = plot_images(np.zeros((2, 1, 4, 4)), boxes=kinds)
    first, second = plot.grid[0]
    styles = [{p.get_linestyle() for p in axes.patches} for axes in (first, second)]
    assert styles == [{"-", ":"}, {"--", ":"}]
    (legend,) = plot.legends
    assert [text.get_text() for text in legend.texts] == list(kinds)
    explained = [(line.get_linestyle(), line.get_color()) for line in legend.get_lines()]
    assert [line for line, _ in explained] == ["-", "--", ":"]
    assert len({color for _, color in explained}) == 3


def test_maps_share_a_scale_and_have_a_row_each():
    maps = {"class": np.ones((2, 1, 3, 3)), "box": np.full((2, 1, 3, 3), -4.0)}
    grid = plot_maps(maps).grid
    assert grid.shape == (2, 2)
    assert {image.get_clim() for axes in grid.flat for image in axes.images} == {(-4.0, 4.0)}
    assert [axes.get_ylabel() for axes in grid[:, 0]] == ["class", "box"]
    different = {"a": np.ones((2, 1, 3, 3)), "b": np.ones((2, 1, 3, 2))}
    assert_refuses(lambda: plot_maps(different), ValueError, "maps must be of one shape")


def test_filters_over_time_share_a_scale_and_show_the_channel():
    snapshots = {"a": np.zeros((2, 2, 3, 3)), "b": np.full((2, 2, 3, 3), -2.0)}
    snapshots["b"][:, 1] = 1
    grid = plot_filters_over_time(snapshots, channel=1).grid
    assert {image.get_clim() for axes in grid.flat for image in axes.images} == {(-2.0, 2.0)}
    np.testing.assert_array_equal(grid[1, 0].images[0].get_array(), np.ones((3, 3)))
    assert_refuses(
        lambda: plot_filters_over_time({"a": np.zeros((2, 1, 3, 3)), "b": np.zeros((3, 1, 3, 3))}),
        ValueError,
        "(2, 1, 3, 3), (3, 1, 3, 3)",
    )
    assert_refuses(lambda: plot_filters_over_time({}), ValueError, "not none")


def test_empty_places_of_a_gallery_are_not_shown():
    grid = plot_images(np.zeros((5, 1, 4, 4)), columns=3).grid
    assert [axes.get_visible() for axes in grid.flat] == [True] * 5 + [False]


@pytest.mark.parametrize("plot", [plot_gradient_norms, plot_histograms])
def test_a_missing_pass_is_named(plot):
    assert_refuses(lambda: plot(Network([Linear(2, 2)])), ValueError, "call forward(x)")


@pytest.mark.parametrize("shape", [(0, 1, 2, 2), (2, 2, 4, 4)])
def test_images_of_no_color_are_refused(shape):
    assert_refuses(
        lambda: plot_images(np.zeros(shape)), ValueError, str(shape), "(N, 1 or 3, H, W)"
    )


def test_growth_has_an_axis_for_each_size_and_says_the_exponents():
    times = {"all": [0.002, 0.004, 0.008], "part": [0.001, 0.004, 0.016]}
    names = ("N", "C", "F", "K")
    grid = plot_growth({name: ([1, 2, 4], times) for name in names}).grid
    shown = [axes for axes in grid.flat if axes.get_visible()]
    assert [axes.get_xlabel() for axes in shown] == list(names)
    assert [axes.get_ylabel() for axes in shown] == ["milliseconds", "", "", "milliseconds"]
    for axes in shown:
        assert [line.get_label() for line in axes.lines] == ["all: 1.0", "part: 2.0"]
        np.testing.assert_allclose(axes.lines[0].get_ydata(), [2, 4, 8])

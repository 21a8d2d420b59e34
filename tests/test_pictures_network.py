"""The ribbon: every shape and every size of a gradient in it is the network's own."""

import re

import numpy as np
import pytest
from helpers import assert_refuses, eighths
from printed import assert_fits_a_phone

from cnnbp import (
    Conv2d,
    Flatten,
    GroupNorm,
    Linear,
    Network,
    ReLU,
    Residual,
    Sigmoid,
    walkthrough_network,
)
from cnnbp.optimizer import gradient_norm
from cnnbp.pictures import draw_network
from cnnbp.pictures.curves import magnitude
from cnnbp.pictures.network import ALL, BARS, OWN, RIGHT, dead_units, gradient_sizes


def deep(blocks):
    layers = [Conv2d(1, 4, 3, padding=1, rng=0)]
    for i in range(blocks):
        convolution = Conv2d(4, 4, 3, padding=1, rng=i)
        layers.append(Residual([convolution, GroupNorm(1, 4), Sigmoid()]))
    return Network([*layers, Flatten(), Linear(64, 3, rng=0)])


def run(network, x_shape, seed=0, scale=1):
    rng = np.random.default_rng(seed)
    z = network.forward(eighths(rng, x_shape))
    network.backward(scale * eighths(rng, z.shape))
    return network


NETWORKS = {
    "the walkthrough network": lambda: run(walkthrough_network(), (10, 3, 29, 28)),
    "one layer": lambda: run(Network([Linear(3, 2, rng=0)]), (3, 5)),
    "twenty residual blocks": lambda: run(deep(20), (2, 1, 4, 4)),
}


@pytest.fixture(params=NETWORKS)
def network(request):
    return NETWORKS[request.param]()


def labels(svg):
    """What a screen reader says of every row, in order; the ribbon and the bars say the same."""
    found = re.findall(r'aria-label="([^"]*)"', svg)[1:]
    beside = len(found) // 2
    assert found[:beside] == found[beside:]
    return found[:beside]


def test_every_row_has_its_layer_and_shape(network):
    rows = labels(draw_network(network))
    assert len(rows) == len(network.trace) + 1
    for number, step in enumerate(network.trace):
        assert rows[number + 1].startswith(f"{number} {step.name}: x {step.x.shape} → z")
        assert f"z {step.z.shape}" in rows[number + 1]


def test_every_size_is_the_norm_of_its_gradient(network):
    svg = draw_network(network)
    norms = [np.sqrt((step.dz**2).sum()) for step in network.trace]
    norms.insert(0, np.sqrt((network.trace[0].dx ** 2).sum()))
    assert gradient_sizes(network) == pytest.approx(norms, rel=1e-12)
    for norm in norms:
        assert f">{magnitude(norm)}</text>" in svg


def test_bars_are_as_long_as_powers_of_ten(network):
    svg = draw_network(network, span=(-6, 4))
    powers = np.log10(gradient_sizes(network))
    assert lengths(svg, ALL) == pytest.approx((powers + 6) / 10 * (RIGHT - BARS), abs=0.06)
    own = [gradient_norm(layer) for layer in network.layers if layer.params]
    powers = np.log10([norm for norm in own if norm > 0])
    assert lengths(svg, OWN) == pytest.approx((powers + 6) / 10 * (RIGHT - BARS), abs=0.06)


def lengths(svg, fill):
    """Of all bars of a color, from above; the first is the heading's."""
    found = re.findall(rf'<rect x="[\d.]+" y="[\d.]+" width="([\d.]+)" [^>]*fill="{fill}"', svg)
    return [float(length) for length in found[1:]]


def test_no_bar_is_longer_than_its_scale():
    """Of gradients that explode, too: the scale grows with them."""
    network = run(deep(3), (2, 1, 4, 4), scale=1e6)
    svg = draw_network(network, span=(-8, 1))
    assert max(gradient_sizes(network)) > 1e5
    assert 0 < max(lengths(svg, ALL) + lengths(svg, OWN)) <= RIGHT - BARS


def test_the_spread_of_z_and_dead_units_stand_in_every_row():
    network = Network([Linear(2, 4, rng=0), ReLU(), Linear(4, 1, rng=0)])
    network.params["0.w"][...], network.params["0.b"][:, 0] = 0, [-1, 2, -3, 4]
    svg = draw_network(run(network, (2, 3)))
    assert [dead_units(*both) for both in zip(network.layers, network.trace, strict=True)] == [
        None,
        0.5,
        None,
    ]
    assert ">50 %</text>" in svg
    assert "50 % of its units are dead" in svg
    for step in network.trace:
        assert f">{magnitude(float(np.std(step.z)))}</text>" in svg


def test_pooling_and_flattening_keep_the_norm():
    sizes = gradient_sizes(NETWORKS["the walkthrough network"]())
    assert sizes[1] == pytest.approx(
        sizes[2], rel=1e-12
    )  # no windows overlap: each dz has a winner
    assert sizes[2] == sizes[3]


def test_parameters_have_a_bar_and_a_number():
    network = NETWORKS["one layer"]()
    norm = np.sqrt(sum((g**2).sum() for g in network.grads.values()))
    svg = draw_network(network)
    assert f"its parameters get norm {magnitude(norm)}" in svg
    assert f">{magnitude(norm)}</text>" in svg
    assert len(lengths(svg, OWN)) == 1


def test_before_a_backward_pass_there_are_shapes_alone():
    network = walkthrough_network()
    network.forward(np.ones((10, 3, 29, 28)))
    svg = draw_network(network)
    assert "call network.backward(dz)" in svg.description
    assert "(10, 2, 14, 14)" in svg


def test_before_a_forward_pass_it_says_what_to_do():
    assert_refuses(lambda: draw_network(walkthrough_network()), ValueError, "network.forward(x)")


def test_a_gradient_that_is_gone_is_called_exactly_zero():
    network = Network([Linear(2, 2, rng=0), ReLU()])
    network.params["0.b"][...] = -100.0
    svg = draw_network(run(network, (2, 3)))
    assert "0 exactly" in svg
    assert svg.description.endswith("and 0 at the input")
    assert "1 ReLU lets nothing through" in svg


def test_an_infinite_gradient_is_drawn_and_named():
    network = Network([Linear(2, 2, rng=0)])
    network.forward(np.ones((2, 3)))
    with np.errstate(all="ignore"):
        network.backward(np.full((2, 3), np.inf))
    assert ">∞</text>" in draw_network(network)


def test_two_losses_are_drawn_below_their_sum():
    network, rng = deep(2), np.random.default_rng(0)
    z = network.forward(eighths(rng, (2, 1, 4, 4)))
    first, second = eighths(rng, z.shape), eighths(rng, z.shape)
    parts = {}
    for name, dz in {"class": first, "box": second}.items():
        network.backward(dz)
        parts[name] = network.gradients()
    network.backward(first + second)
    svg = draw_network(network, parts=parts)
    angle = np.degrees(
        np.arccos((first * second).sum() / np.sqrt((first**2).sum() * (second**2).sum()))
    )
    total, one, other = (magnitude(np.linalg.norm(dz)) for dz in (first + second, first, second))
    assert f"norm of dz: all {total}, class {one}, box {other}; the two point" in svg
    assert f"{angle:.0f}° apart" in svg


def test_ribbon_and_bars_are_below_one_another_on_a_phone(network):
    assert_fits_a_phone(draw_network(network))


def test_it_is_the_same_text_every_time(network):
    assert draw_network(network) == draw_network(network)


def test_a_given_scale_is_kept():
    network = NETWORKS["one layer"]()
    svg = draw_network(network, span=(-8, 2))
    assert ">1e−6</text>" in svg  # every other line is marked, where there is no room for all
    assert ">100</text>" in svg

"""Networks: the chain and its trace, the reference network, and paths around layers."""

import numpy as np
import pytest
from helpers import assert_refuses, eighths, lies_samples_last
from numpy.testing import assert_array_equal

from cnnbp import (
    AvgPool2d,
    Conv2d,
    Flatten,
    Linear,
    MaxPool2d,
    Network,
    ReLU,
    Residual,
    conv2d,
    flatten,
    linear,
    max_pool2d,
    mean_squared_error,
    numeric_gradient,
    relative_error,
    relu,
    walkthrough_network,
)

PHOTOS = (10, 3, 29, 28)


def passed(network, x_shape=PHOTOS, seed=0):
    """The network after a pass forward and a pass backward of random numbers."""
    rng = np.random.default_rng(seed)
    z = network.forward(rng.standard_normal(x_shape))
    network.backward(rng.standard_normal(z.shape))
    return network


def nested(dtype=np.float64):
    """Conv2d → ReLU → Residual(Conv2d → ReLU) → Flatten → Linear, for images of 2 × 4 × 3."""
    own = {"dtype": dtype, "rng": np.random.default_rng(0)}
    inner = Residual([Conv2d(3, 3, 3, padding=1, **own), ReLU()])
    return Network([Conv2d(2, 3, 2, **own), ReLU(), inner, Flatten(), Linear(18, 2, **own)])


def test_every_shape_of_the_reference_network():
    """The sizes are (size − kernel) // stride + 1."""
    assert (29 - 3) // 2 + 1 == (28 - 2) // 2 + 1 == 14
    assert (14 - 2) // 3 + 1 == 5
    network = passed(walkthrough_network())
    steps = [(step.name, step.x.shape, step.z.shape) for step in network.trace]
    assert steps == [
        ("Conv2d", (10, 3, 29, 28), (10, 2, 14, 14)),
        ("MaxPool2d", (10, 2, 14, 14), (10, 2, 5, 5)),
        ("Flatten", (10, 2, 5, 5), (50, 10)),
        ("Linear", (50, 10), (32, 10)),
    ]
    for step in network.trace:
        assert step.dz.shape == step.z.shape
        assert step.dx.shape == step.x.shape
    assert {name: gradient.shape for name, gradient in network.grads.items()} == {
        "0.w": (2, 3, 3, 2),  # filters × channels × rows × columns
        "0.b": (2, 1, 1),  # a filter has one bias
        "3.w": (32, 50),
        "3.b": (32, 1),
    }


def test_its_table_has_a_row_for_each_layer():
    rows = str(walkthrough_network()).splitlines()
    assert [row.split()[0] for row in rows[2:-1]] == ["0", "1", "2", "3"]
    for row, parts in zip(
        rows[1:],
        [
            ["input", "(10, 3, 29, 28)"],
            ["Conv2d(w (2, 3, 3, 2), b (2, 1, 1), stride=2)", "(10, 2, 14, 14)", "38"],
            ["MaxPool2d(kernel_size=2, stride=3)", "(10, 2, 5, 5)"],
            ["Flatten()", "(50, 10)"],
            ["Linear(w (32, 50), b (32, 1))", "(32, 10)", "1,632"],
            ["total", "1,670"],
        ],
        strict=True,
    ):
        assert [part for part in parts if part not in row] == []
    assert (2 * 3 * 3 * 2 + 2, 32 * 50 + 32) == (38, 1632)


def test_its_table_follows_the_batch_that_it_last_saw():
    network = walkthrough_network()
    network.forward(np.zeros((4, 3, 31, 28)))
    assert "(4, 3, 31, 28)" in repr(network)
    assert "(4, 2, 15, 14)" in repr(network)


def test_the_table_of_a_network_that_has_seen_nothing_asks():
    rows = repr(Network([Flatten(), Linear(6, 2)])).splitlines()
    assert [row.split()[-1] for row in rows] == ["parameters", "?", "?", "14", "14"]


def test_the_table_numbers_nested_layers_as_their_parameters():
    network = nested()
    network.forward(np.zeros((5, 2, 4, 3)))
    rows = [row.split()[:2] for row in repr(network).splitlines()]
    assert [number for number, _ in rows[2:-1]] == ["0", "1", "2", "2.0", "2.1", "3", "4"]
    assert rows[4] == ["2", "Residual"]


def test_parameters_are_keyed_by_layer_and_name():
    keys = ["0.w", "0.b", "2.0.w", "2.0.b", "4.w", "4.b"]
    assert list(nested().params) == list(nested().grads) == keys


def test_writing_into_a_parameter_reaches_its_layer():
    network = nested()
    for array in network.params.values():
        array[...] = 0
    network.params["2.0.w"][...] = 7
    assert (network.layers[2].layers[0].params["w"] == 7).all()
    assert not network.forward(np.ones((1, 2, 4, 3))).any()


def test_a_network_applies_one_layer_after_the_other():
    network = walkthrough_network()
    x = np.random.default_rng(0).standard_normal(PHOTOS)
    w, b, full, full_b = network.params.values()
    pooled, _ = max_pool2d(conv2d(x, w, b, stride=2), 2, stride=3)
    assert_array_equal(network.forward(x), linear(flatten(pooled), full, full_b))


def test_the_trace_is_what_was_handed_on():
    network = passed(nested(), (5, 2, 4, 3))
    for before, after in zip(network.trace, network.trace[1:], strict=False):
        assert after.x is before.z
        assert after.dx is before.dz
    inner = network.layers[2].trace  # of the layers inside the residual block
    assert [step.name for step in inner] == ["Conv2d", "ReLU"]
    assert inner[0].x is network.trace[2].x
    assert inner[-1].dz is network.trace[2].dz


def test_the_network_returns_the_ends_of_its_trace():
    network, rng = walkthrough_network(), np.random.default_rng(0)
    x, dz = rng.standard_normal(PHOTOS), rng.standard_normal((32, 10))
    assert network.forward(x) is network.trace[-1].z
    assert network.backward(dz) is network.trace[0].dx
    assert network.trace[0].x is x
    assert network.trace[-1].dz is dz


def test_a_new_forward_pass_forgets_the_old_gradients():
    network = passed(walkthrough_network())
    network.forward(np.zeros(PHOTOS))
    assert all(step.dz is None and step.dx is None for step in network.trace)


@pytest.mark.parametrize(
    ("make", "x_shape"), [(walkthrough_network, PHOTOS), (nested, (5, 2, 4, 3))]
)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_what_layers_hand_each_other_lies_samples_last_in_the_networks_dtype(make, x_shape, dtype):
    network, rng = make(dtype=dtype), np.random.default_rng(0)
    z = network.forward(rng.standard_normal(x_shape).astype(dtype))
    network.backward(rng.standard_normal(z.shape).astype(dtype))
    for step in network.trace:
        for array in (step.z, step.dx):
            assert array.dtype == dtype
            assert lies_samples_last(array) if array.ndim == 4 else array.flags.c_contiguous
    assert {gradient.dtype for gradient in network.grads.values()} == {np.dtype(dtype)}


def test_the_walkthrough_network_is_the_same_every_time_and_another_for_another_seed():
    first, again, other = (walkthrough_network(rng=seed).params for seed in (0, 0, 1))
    assert all((first[name] == again[name]).all() for name in first)
    assert (first["0.w"] != other["0.w"]).all()


@pytest.mark.parametrize(
    ("make", "x_shape"), [(walkthrough_network, (1, 3, 29, 28)), (nested, (2, 2, 4, 3))]
)
def test_the_gradient_of_everything_is_its_slope(make, x_shape):
    """Of the mean squared error to a fixed target, by every parameter and every pixel."""
    network, rng = make(), np.random.default_rng(0)
    x = rng.standard_normal(x_shape)
    target = rng.standard_normal(network.output_shape(x_shape))

    def loss(x):
        return mean_squared_error(network.forward(x), target)

    def loss_with(array):
        def f(values):
            array[...] = values
            return loss(x)[0]

        return f

    dx = network.backward(loss(x)[1])
    grads = network.grads
    assert relative_error(dx, numeric_gradient(lambda x: loss(x)[0], x)) < 1e-7
    for name, array in network.params.items():
        kept = array.copy()
        measured = numeric_gradient(loss_with(array), kept)
        array[...] = kept
        assert relative_error(grads[name], measured) < 1e-7, name


def test_only_max_pooling_bends_the_reference_network():
    """Without biases it is positively homogeneous; with average pooling it is linear."""
    network = walkthrough_network()
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((2, *PHOTOS))
    assert relative_error(network.forward(2 * x), 2 * network.forward(x)) < 1e-12
    assert relative_error(network.forward(-x), -network.forward(x)) > 0.1
    network.layers[1] = AvgPool2d(2, stride=3)
    together = network.forward(x) + network.forward(y)
    assert relative_error(network.forward(x + y), together) < 1e-12


def test_an_empty_batch_passes_through_and_leaves_gradients_of_zero():
    network = walkthrough_network()
    z = network.forward(np.zeros((0, 3, 29, 28)))
    assert z.shape == (32, 0)
    assert network.backward(z).shape == (0, 3, 29, 28)
    assert not any(gradient.any() for gradient in network.grads.values())


def test_a_residual_block_adds_its_input_and_sums_what_comes_back():
    block = Residual([Linear(2, 2)])
    block.params["0.w"][...] = [[2, 3], [0, 1]]
    z, dx = block.forward([[1], [10]]), block.backward([[5], [7]])
    assert_array_equal(z, [[1 + 2 * 1 + 3 * 10], [10 + 0 * 1 + 1 * 10]])
    assert_array_equal(dx, [[5 + 2 * 5 + 0 * 7], [7 + 3 * 5 + 1 * 7]])


def test_a_residual_block_of_no_layers_doubles():
    block = Residual([])
    assert block.forward(np.ones((2, 1))).tolist() == [[2], [2]]


def test_a_residual_block_refuses_layers_that_change_the_shape():
    block = Residual([Conv2d(2, 2, 3)])
    assert_refuses(
        lambda: block.forward(np.ones((1, 2, 5, 5))),
        ValueError,
        *("Residual", "(1, 2, 5, 5)", "(1, 2, 3, 3)", "padding"),
    )


@pytest.mark.parametrize(
    ("layer", "kind", "wanted"),
    [
        (0, Conv2d, ("z", "dx", "dw", "db")),
        (1, MaxPool2d, ("z", "dx")),
        (2, AvgPool2d, ("z", "dx")),
        (4, Linear, ("z", "dx", "dw", "db")),
    ],
)
def test_explain_adds_up_to_what_the_trace_holds(layer, kind, wanted):
    chain = [Conv2d(2, 3, 3, stride=(1, 2), padding=1, dilation=2, rng=0), MaxPool2d((2, 1))]
    network = Network([*chain, AvgPool2d(2, stride=1), Flatten(), Linear(6, 2, rng=0)])
    network.params["0.b"][...] = eighths(np.random.default_rng(1), (3, 1, 1))
    passed(network, (2, 2, 6, 7))
    assert isinstance(network.layers[layer], kind)
    step, grads = network.trace[layer], network.layers[layer].grads
    own = {"z": step.z, "dx": step.dx} | {f"d{name}": grad for name, grad in grads.items()}
    assert tuple(own) == wanted
    for name, array in own.items():
        last = tuple(size - 1 for size in array.shape)
        for index in (tuple(0 for _ in array.shape), last):
            cell = network.explain(layer, name, index)
            assert cell.total == pytest.approx(array[index], rel=0, abs=1e-12)


def test_explain_reaches_into_a_nested_network():
    network = passed(nested(), (2, 2, 4, 3))
    cell = network.layers[2].explain(0, "dw", (2, 1, 0, 2))
    assert cell.total == pytest.approx(network.grads["2.0.w"][2, 1, 0, 2], rel=0, abs=1e-12)


@pytest.mark.parametrize("layer", [4, -1, "w", None, "3.0"])
def test_a_layer_that_is_not_there_is_told_which_are(layer):
    network = passed(walkthrough_network())
    there = (
        ["0 Conv2d, 1 MaxPool2d, 2 Flatten, 3 Linear"] if layer != "3.0" else ["no layers in it"]
    )
    assert_refuses(
        lambda: network.explain(layer, "z", (0, 0)),
        ValueError,
        f"there is no layer {layer!r}",
        *there,
    )


def test_explain_needs_the_passes_it_speaks_of():
    network = walkthrough_network()
    assert_refuses(
        lambda: network.explain(0, "z", (0, 0, 0, 0)),
        ValueError,
        "nothing to explain",
        "forward(x)",
    )
    network.forward(np.zeros(PHOTOS))
    assert len(network.explain(0, "z", (0, 0, 0, 0))) == 18
    assert_refuses(
        lambda: network.explain(0, "dx", (0, 0, 0, 0)),
        ValueError,
        "dx needs dz",
        "backward(dz) first",
    )


def test_explain_names_a_cell_that_does_not_exist():
    network = passed(walkthrough_network())
    assert_refuses(
        lambda: network.explain(0, "dw", (2, 0, 0, 0)), ValueError, "(2, 3, 3, 2)", "(2, 0, 0, 0)"
    )


@pytest.mark.parametrize("layer", [relu, ReLU, None], ids=["function", "class", "None"])
def test_a_network_refuses_what_is_no_layer(layer):
    assert_refuses(lambda: Network([Linear(2, 2), layer]), TypeError, "Network", "layer", "not ")


@pytest.mark.parametrize("chain", [Network, Residual])
def test_a_layer_that_comes_twice_is_refused_for_it_remembers_one_input(chain):
    layer = ReLU()
    assert_refuses(
        lambda: chain([Linear(2, 2), layer, Linear(2, 2), layer]), ValueError, "twice", "two layers"
    )


def test_backward_needs_a_forward_pass():
    assert_refuses(
        lambda: walkthrough_network().backward(np.ones((32, 10))),
        ValueError,
        *("Network", "forward pass", "forward(x) first"),
    )


def test_a_wrong_input_names_the_layers_function_and_both_shapes():
    assert_refuses(
        lambda: walkthrough_network().forward(np.zeros((10, 29, 28, 3))),
        ValueError,
        *(
            "Network.forward: layer 0 Conv2d",
            "29 channels",
            "expects 3",
            "(10, 29, 28, 3)",
            "(2, 3, 3, 2)",
        ),
    )


def test_gradients_are_those_of_the_input_and_of_every_z():
    network = passed(walkthrough_network())
    first, *rest = network.gradients()
    assert first is network.trace[0].dx
    assert all(dz is step.dz for dz, step in zip(rest, network.trace, strict=True))
    assert_refuses(lambda: Network([ReLU()]).gradients(), ValueError, "Network.gradients: ")


def test_a_network_is_a_whole_layer():
    network = Network([ReLU()])
    assert network.options == {}
    network.forward(np.ones((1, 2)))
    assert_array_equal(network.remembered(), np.ones((1, 2)))


def test_a_network_of_no_layers_hands_on_what_it_gets():
    network, x = Network([]), np.ones((2, 3))
    assert network.forward(x) is x
    assert network.backward(x) is x
    assert network.params == {}


@pytest.mark.parametrize("layers", [Linear(2, 2), None, "conv", Linear])
def test_layers_are_a_list(layers):
    assert_refuses(lambda: Network(layers), TypeError, "Network: layers must be a list")


def test_a_layer_that_comes_again_further_in_is_found():
    layer = Linear(2, 2)
    assert_refuses(
        lambda: Network([layer, Residual([Network([layer])])]), ValueError, "a layer comes twice"
    )


@pytest.mark.parametrize("kind", ["params", "grads"])
def test_a_new_entry_that_would_reach_no_layer_is_refused(kind):
    arrays = getattr(nested(), kind)
    for change in (lambda: arrays.__setitem__("0.w", 1), lambda: arrays.update({"0.w": 1})):
        assert_refuses(change, TypeError, "would reach no layer", "params['0.w'][...] = value")


def test_a_dz_of_another_shape_names_the_layer_it_did_not_fit():
    network = walkthrough_network()
    network.forward(np.zeros(PHOTOS))
    assert_refuses(
        lambda: network.backward(np.ones((10, 32))),
        ValueError,
        "Network.backward: layer 3 Linear: dz is (10, 32) but must be (32, 10)",
        "dz.T",
    )


def test_a_forward_pass_that_fails_leaves_no_mixed_memory():
    network = Network([Linear(2, 2), Linear(2, 2), Linear(2, 2)])
    dz = np.ones((2, 3))
    network.forward(np.ones((2, 3)))
    network.layers[1].params["w"] = np.ones((3, 3))
    for call in (lambda: network.forward(np.zeros((2, 3))), lambda: network.backward(dz)):
        with pytest.raises(ValueError, match=r"expects 3 features|call forward\(x\) first"):
            call()
    assert network.trace == []

"""What every layer keeps to: its shapes, what it remembers, and where its gradients stand."""

import numpy as np
import pytest
from helpers import assert_refuses, eighths, lies_samples_last, with_samples_last
from numpy.testing import assert_array_equal

from cnnbp import (
    AvgPool2d,
    BatchNorm2d,
    Conv2d,
    Dropout,
    Flatten,
    GroupNorm,
    LeakyReLU,
    Linear,
    MaxPool2d,
    Network,
    ReLU,
    Residual,
    Sigmoid,
    Tanh,
    avg_pool2d,
    conv2d,
    conv2d_backward,
    linear,
    linear_backward,
    max_pool2d,
    walkthrough_network,
)
from cnnbp.layer import random_weights

IMAGES, COLUMNS = (3, 4, 7, 6), (12, 5)

INDIFFERENT = [  # to training
    ("Conv2d", lambda: Conv2d(4, 2, (3, 2), stride=2, padding=1, groups=2), IMAGES),
    ("MaxPool2d", lambda: MaxPool2d(2, stride=3), IMAGES),
    ("AvgPool2d", lambda: AvgPool2d((3, 2), stride=1, padding=1), IMAGES),
    ("Flatten", Flatten, IMAGES),
    ("Linear", lambda: Linear(12, 7), COLUMNS),
    ("ReLU", ReLU, IMAGES),
    ("LeakyReLU", LeakyReLU, IMAGES),
    ("Sigmoid", Sigmoid, COLUMNS),
    ("Tanh", Tanh, IMAGES),
    ("GroupNorm", lambda: GroupNorm(2, 4), IMAGES),
    ("Network", lambda: Network([Conv2d(4, 2, 2), ReLU(), Flatten()]), IMAGES),
    ("Residual", lambda: Residual([Conv2d(4, 4, 3, padding=1), ReLU()]), IMAGES),
]
TRAINABLE = [
    ("BatchNorm2d", lambda: BatchNorm2d(4), IMAGES),
    ("Dropout", lambda: Dropout(0.5, rng=0), IMAGES),
    ("Dropout of columns", lambda: Dropout(0.5, rng=0), COLUMNS),
]


def each(layers):
    names, *cases = zip(*layers, strict=True)
    return pytest.mark.parametrize(("make", "x_shape"), list(zip(*cases, strict=True)), ids=names)


LAYERS = each(INDIFFERENT + TRAINABLE)
BOTH_WAYS = pytest.mark.parametrize("training", [False, True], ids=["evaluation", "training"])


def there_and_back(layer, x_shape, seed=0):
    """x, z, dz and dx of one pass forward and one pass backward."""
    rng = np.random.default_rng(seed)
    x = eighths(rng, x_shape)
    z = layer.forward(x)
    dz = eighths(rng, z.shape)
    return x, z, dz, layer.backward(dz)


@LAYERS
def test_shapes_go_there_and_come_back(make, x_shape):
    layer = make()
    x, z, _, dx = there_and_back(layer, x_shape)
    assert z.shape == layer.output_shape(x.shape)
    assert dx.shape == x.shape


@LAYERS
def test_gradients_have_the_keys_and_shapes_of_the_parameters(make, x_shape):
    def shapes(arrays):
        return {name: array.shape for name, array in arrays.items()}

    layer = make()
    assert shapes(layer.grads) == shapes(layer.params)
    there_and_back(layer, x_shape)
    assert shapes(layer.grads) == shapes(layer.params)


@LAYERS
def test_gradients_are_zero_before_and_overwritten_by_every_backward_pass(make, x_shape):
    layer = make()
    assert not any(array.any() for array in layer.grads.values())
    there_and_back(layer, x_shape, seed=1)
    there_and_back(layer, x_shape, seed=0)
    twice = layer.grads
    there_and_back(layer, x_shape, seed=0)
    for name, array in layer.grads.items():
        assert array.any()
        assert_array_equal(array, twice[name])


@each(INDIFFERENT)
def test_training_makes_no_difference_to_a_layer_that_does_not_care(make, x_shape):
    layer, x = make(), eighths(np.random.default_rng(0), x_shape)
    assert_array_equal(layer.forward(x, training=True), layer.forward(x))


@each(TRAINABLE)
def test_training_makes_a_difference_to_a_layer_that_cares(make, x_shape):
    layer, x = make(), eighths(np.random.default_rng(0), x_shape)
    assert (layer.forward(x, training=True) != layer.forward(x)).any()


@LAYERS
def test_backward_before_forward_is_refused(make, x_shape):
    layer = make()
    dz = np.ones(layer.output_shape(x_shape))
    assert_refuses(lambda: layer.backward(dz), ValueError, "backward needs", "forward(x) first")


@LAYERS
def test_backward_refuses_a_dz_of_another_shape(make, x_shape):
    layer = make()
    _, z, dz, _ = there_and_back(layer, x_shape)
    assert_refuses(
        lambda: layer.backward(dz[:-1]), ValueError, "dz", str((len(z) - 1, *z.shape[1:]))
    )


@BOTH_WAYS
@LAYERS
def test_neither_pass_changes_what_it_is_given(make, x_shape, training):
    layer, rng = make(), np.random.default_rng(0)
    params = {name: array.copy() for name, array in layer.params.items()}
    x = eighths(rng, x_shape)
    dz = eighths(rng, layer.output_shape(x_shape))
    if x.ndim == 4:
        x = with_samples_last(x)  # nothing is converted, so nothing is copied on the way in
    for array in (x, dz):
        array.flags.writeable = False
    layer.forward(x, training)
    layer.backward(dz)
    for name, array in layer.params.items():
        assert_array_equal(array, params[name])


@BOTH_WAYS
@LAYERS
def test_what_goes_in_samples_last_comes_out_so_in_both_passes(make, x_shape, training):
    layer, rng = make(), np.random.default_rng(0)
    x = eighths(rng, x_shape)
    z = layer.forward(with_samples_last(x) if x.ndim == 4 else x, training)
    dz = eighths(rng, z.shape)
    dx = layer.backward(with_samples_last(dz) if dz.ndim == 4 else dz)
    for array in (z, dx):
        assert lies_samples_last(array) if array.ndim == 4 else array.flags.c_contiguous


@pytest.mark.parametrize("make", [lambda: Conv2d(4, 2, 3), lambda: Linear(12, 7)])
def test_a_layer_remembers_its_input_and_no_columns(make):
    layer = make()
    x, *_ = there_and_back(layer, IMAGES if isinstance(layer, Conv2d) else COLUMNS)
    arrays = {name: value for name, value in vars(layer).items() if isinstance(value, np.ndarray)}
    assert list(arrays) == ["x"]
    assert arrays["x"] is x


def test_a_forward_pass_that_fails_leaves_the_memory_of_the_last_one():
    layer = Conv2d(4, 2, 3)
    x, _, dz, dx = there_and_back(layer, IMAGES)
    with pytest.raises(ValueError, match="channels"):
        layer.forward(x[:, :3])
    assert_array_equal(layer.backward(dz), dx)


def test_layers_are_memory_around_their_functions():
    rng = np.random.default_rng(0)
    x, columns = eighths(rng, IMAGES), eighths(rng, COLUMNS)
    options = {"stride": (1, 2), "padding": (1, 0), "dilation": 2}
    conv, full = Conv2d(4, 2, (3, 2), **options), Linear(12, 7)
    conv.params["b"][...] = 3
    full.params["b"][...] = 4
    assert_array_equal(conv.forward(x), conv2d(x, **conv.params, **options))
    assert_array_equal(full.forward(columns), linear(columns, **full.params))
    pool = {"kernel_size": (3, 2), "stride": 1, "padding": 1}
    assert_array_equal(MaxPool2d(**pool).forward(x), max_pool2d(x, **pool)[0])
    assert_array_equal(AvgPool2d(**pool).forward(x), avg_pool2d(x, **pool))

    dz, dz_columns = eighths(rng, (3, 2, 5, 2)), eighths(rng, (7, 5))
    dx, dw, db = conv2d_backward(dz, x, conv.params["w"], **options)
    assert_array_equal(conv.backward(dz), dx)
    assert_array_equal(conv.grads["w"], dw)
    assert_array_equal(conv.grads["b"], db)
    dx, dw, db = linear_backward(dz_columns, columns, full.params["w"])
    assert_array_equal(full.backward(dz_columns), dx)
    assert_array_equal(full.grads["w"], dw)
    assert_array_equal(full.grads["b"], db)


WEIGHTED = pytest.mark.parametrize(
    "make",
    [lambda **options: Conv2d(4, 40, 5, groups=2, **options), lambda **o: Linear(50, 40, **o)],
    ids=["Conv2d", "Linear"],
)


@WEIGHTED
def test_weights_have_a_standard_deviation_of_gain_over_the_root_of_fan_in(make):
    for options, gain in [({}, 2**0.5), ({"gain": 3.0}, 3.0)]:
        w = make(rng=0, **options).params["w"]
        fan_in = 50  # for Linear its features, for Conv2d 4/2 channels of 5 × 5
        assert w[0].size == fan_in
        assert w.std() == pytest.approx(gain / fan_in**0.5, rel=0.05)


@WEIGHTED
def test_biases_start_at_zero_and_a_seed_gives_the_same_weights(make):
    assert not make().params["b"].any()
    assert_array_equal(make(rng=7).params["w"], make(rng=7).params["w"])
    assert_array_equal(make(rng=np.random.default_rng(7)).params["w"], make(rng=7).params["w"])
    assert (make(rng=8).params["w"] != make(rng=7).params["w"]).any()
    assert (make().params["w"] != make().params["w"]).any()


@WEIGHTED
def test_the_dtype_is_that_of_parameters_and_gradients(make):
    assert {a.dtype for a in make().params.values()} == {np.dtype(np.float64)}
    layer = make(dtype=np.float32)
    assert {a.dtype for a in [*layer.params.values(), *layer.grads.values()]} == {
        np.dtype(np.float32)
    }


@pytest.mark.parametrize(
    ("make", "substance"),
    [
        (lambda: Conv2d(0, 2, 3), ["Conv2d: in_channels", "at least 1", "0"]),
        (lambda: Conv2d(3, 0, 3), ["Conv2d: out_channels", "at least 1", "0"]),
        (lambda: Linear(0, 2), ["Linear: in_features", "at least 1", "0"]),
        (lambda: Linear(2, -1), ["Linear: out_features", "at least 1", "-1"]),
    ],
)
def test_a_layer_without_numbers_is_refused(make, substance):
    assert_refuses(make, ValueError, *substance)


@pytest.mark.parametrize(
    ("make", "substance"),
    [
        (lambda: Conv2d(3, 2.5, 3), ["Conv2d: out_channels", "int", "2.5"]),
        (lambda: Conv2d(3, 2, 3, groups="2"), ["Conv2d: groups", "int", "'2'"]),
        (lambda: Conv2d(3, 2, 3, dtype=int), ["Conv2d: dtype", "real numbers", "not int64"]),
        (lambda: Linear(3, 2, dtype=complex), ["Linear: dtype", "real numbers", "complex128"]),
        (lambda: BatchNorm2d(3, dtype=int), ["BatchNorm2d: dtype", "real numbers"]),
        (lambda: GroupNorm(1, 3, dtype=bool), ["GroupNorm: dtype", "real numbers"]),
        (lambda: walkthrough_network(dtype=int), ["walkthrough_network: dtype", "real numbers"]),
    ],
)
def test_sizes_are_ints_and_weights_are_not(make, substance):
    assert_refuses(make, TypeError, *substance)


def test_weights_take_one_generator_further():
    rng = np.random.default_rng(0)
    first, second = (random_weights((3, 2), 1.0, np.float64, rng) for _ in range(2))
    assert (first != second).all()


@pytest.mark.parametrize(
    ("layer", "text"),
    [
        (Conv2d(4, 2, 3), "Conv2d(w (2, 4, 3, 3), b (2, 1, 1))"),
        (
            Conv2d(4, 2, 3, stride=2, padding=(1, 0), groups=2),
            "Conv2d(w (2, 2, 3, 3), b (2, 1, 1), stride=2, padding=(1, 0), groups=2)",
        ),
        (MaxPool2d(2), "MaxPool2d(kernel_size=2)"),
        (AvgPool2d((3, 2), stride=1), "AvgPool2d(kernel_size=(3, 2), stride=1)"),
        (Linear(12, 7), "Linear(w (7, 12), b (7, 1))"),
        (Flatten(), "Flatten()"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_layer_shows_its_shapes_and_whatever_is_unusual(layer, text):
    assert repr(layer) == text


@pytest.mark.parametrize(
    ("make", "x_shape"),
    [
        (lambda **options: Conv2d(2, 4, 3, rng=0, **options), (2, 2, 5, 5)),
        (lambda **options: Linear(6, 4, rng=0, **options), (6, 3)),
    ],
)
def test_a_layer_may_have_no_bias(make, x_shape):
    x = np.random.default_rng(1).standard_normal(x_shape)
    layer, biased = make(bias=False), make()
    z = layer.forward(x)
    np.testing.assert_array_equal(z, biased.forward(x))
    np.testing.assert_array_equal(layer.backward(z), biased.backward(z))
    assert list(layer.params) == list(layer.grads) == ["w"]
    np.testing.assert_array_equal(layer.grads["w"], biased.grads["w"])
    network = Network([layer])
    network.forward(x)
    network.backward(z)
    assert network.explain(0, "z", (0,) * z.ndim).total == pytest.approx(z.flat[0])
    assert_refuses(lambda: network.explain(0, "db", (0, 0)), ValueError, "layer 0 has no bias")

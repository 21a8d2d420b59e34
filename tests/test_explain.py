"""Explanations: the products behind a cell add up to the cell that the layer itself computes."""

import numpy as np
import pytest
from helpers import CONVOLUTIONS, assert_refuses, eighths, every_convolution, every_pooling
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from cnnbp import (
    avg_pool2d,
    avg_pool2d_backward,
    conv2d,
    conv2d_backward,
    explain_avg_pool2d,
    explain_conv2d,
    explain_linear,
    explain_max_pool2d,
    linear,
    linear_backward,
    max_pool2d,
    max_pool2d_backward,
    walkthrough_network,
)

NEEDED = {"z": ("x", "w"), "dx": ("dz", "w"), "dw": ("dz", "x"), "db": ("dz",)}


def some_cells(array):
    """The first cell, the last, and a few between them."""
    flat = {0, array.size - 1, *np.random.default_rng(0).integers(array.size, size=4).tolist()}
    return [np.unravel_index(cell, array.shape) for cell in sorted(flat)]


def assert_adds_up(cell, arrays, own):
    """Every product stands where its indices point, none is there twice, and their sum is right."""
    sides = [(cell.left_name, cell.left_index, cell.left)]
    sides.append((cell.right_name, cell.right_index, cell.right))
    for name, index, numbers in sides:
        assert (index >= 0).all()
        if name in arrays:
            pointed_at = arrays[name][tuple(index.T)]
            assert_array_equal(pointed_at, numbers)
        else:
            assert name in ("1", "1/(KH·KW)")
            assert index.shape == (len(cell), 0)
    assert_array_equal(cell.product, cell.left * cell.right)
    assert len(set(map(tuple, np.hstack([cell.left_index, cell.right_index])))) == len(cell)
    assert cell.total == pytest.approx(own[cell.index], rel=0, abs=1e-12)


@every_convolution
def test_the_products_of_a_convolution_add_up_to_its_own_cells(convolution):
    x, w, b, dz = convolution.arrays()
    arrays = {"x": x, "w": w, "b": b, "dz": dz}
    dx, dw, db = conv2d_backward(dz, x, w, **convolution.options)
    z = conv2d(x, w, b, **convolution.options)
    for wanted, own in {"z": z, "dx": dx, "dw": dw, "db": db}.items():
        for index in some_cells(own):
            cell = explain_conv2d(wanted, index, **arrays, **convolution.options)
            assert_adds_up(cell, arrays, own)


def linear_arrays(D, M, N):
    rng = np.random.default_rng(0)
    shapes = {"x": (D, N), "w": (M, D), "b": (M, 1), "dz": (M, N)}
    return {name: eighths(rng, shape) for name, shape in shapes.items()}


@given(st.integers(1, 8), st.integers(1, 4), st.integers(1, 8))
@settings(max_examples=30)
def test_the_products_of_a_fully_connected_layer_add_up_to_its_own_cells(D, M, N):
    arrays = linear_arrays(D, M, N)
    dx, dw, db = linear_backward(arrays["dz"], arrays["x"], arrays["w"])
    z = linear(arrays["x"], arrays["w"], arrays["b"])
    for wanted, own in {"z": z, "dx": dx, "dw": dw, "db": db}.items():
        for index in some_cells(own):
            assert_adds_up(explain_linear(wanted, index, **arrays), arrays, own)


@every_pooling
def test_the_products_of_max_pooling_add_up_to_its_own_cells(pooling):
    x = np.random.default_rng(0).integers(-2, 2, pooling.x) / 8  # most windows tie
    z, argmax = max_pool2d(x, **pooling.options)
    arrays = {"x": x, "dz": eighths(np.random.default_rng(1), z.shape)}
    dx = max_pool2d_backward(arrays["dz"], argmax, x.shape)
    for wanted, own in {"z": z, "dx": dx}.items():
        for index in some_cells(own):
            cell = explain_max_pool2d(wanted, index, **arrays, **pooling.options)
            assert_adds_up(cell, arrays, own)


@every_pooling
def test_the_products_of_average_pooling_add_up_to_its_own_cells(pooling):
    x = eighths(np.random.default_rng(0), pooling.x)
    z = avg_pool2d(x, **pooling.options)
    arrays = {"x": x, "dz": eighths(np.random.default_rng(1), z.shape)}
    dx = avg_pool2d_backward(arrays["dz"], x.shape, **pooling.options)
    for wanted, own in {"z": z, "dx": dx}.items():
        for index in some_cells(own):
            cell = explain_avg_pool2d(wanted, index, **arrays, **pooling.options)
            assert_adds_up(cell, arrays, own)


def assert_same(cell, other):
    for field in ("wanted", "index", "left_name", "right_name", "bias"):
        assert getattr(cell, field) == getattr(other, field)
    for field in ("left_index", "left", "right_index", "right"):
        assert_array_equal(getattr(cell, field), getattr(other, field))


@every_convolution
def test_a_convolutions_other_arrays_may_be_missing(convolution):
    """dx needs no x, dw no w, db nothing but dz; z may have no bias."""
    x, w, _, dz = convolution.arrays()
    arrays, options = {"x": x, "w": w, "dz": dz}, convolution.options
    shapes = {"z": dz, "dx": x, "dw": w, "db": np.ones((len(w), 1, 1))}
    for wanted, names in NEEDED.items():
        needed = {name: arrays[name] for name in names}
        for index in some_cells(shapes[wanted]):
            assert_same(
                explain_conv2d(wanted, index, **needed, **options),
                explain_conv2d(wanted, index, **arrays, **options),
            )


@pytest.mark.parametrize("wanted", NEEDED)
def test_a_fully_connected_layers_other_arrays_may_be_missing(wanted):
    arrays = linear_arrays(4, 3, 2)
    del arrays["b"]
    needed = {name: arrays[name] for name in NEEDED[wanted]}
    index = (2, 0) if wanted == "db" else (2, 1)
    assert_same(explain_linear(wanted, index, **needed), explain_linear(wanted, index, **arrays))


@pytest.mark.parametrize("explain", [explain_max_pool2d, explain_avg_pool2d])
def test_poolings_z_needs_no_dz(explain):
    x = eighths(np.random.default_rng(0), (2, 1, 4, 4))
    index, options = (1, 0, 1, 0), {"kernel_size": 2}
    assert_same(
        explain("z", index, x=x, **options),
        explain("z", index, x=x, dz=np.ones((2, 1, 2, 2)), **options),
    )


def test_the_poster_in_the_reference_network():
    """z sums over C, KH, KW · dx over F and the windows · dw and db over N, OH, OW."""
    N, C, F, KH, KW, OH, OW = 2, 3, 2, 3, 2, 14, 14
    x, w, b, dz = CONVOLUTIONS["the reference layer"].arrays()

    def cell(wanted, index):
        return explain_conv2d(wanted, index, x=x, w=w, dz=dz, stride=2)

    assert len(cell("z", (1, 1, 4, 4))) == C * KH * KW
    assert len(cell("dx", (1, 0, 1, 4))) == F * 1  # an odd row lies in one window
    assert len(cell("dx", (1, 0, 2, 4))) == F * 2  # an even one in two: 3 kernel rows, stride 2
    assert len(cell("dw", (1, 2, 0, 1))) == N * OH * OW
    assert len(cell("db", (1, 0, 0))) == N * OH * OW
    with_bias = explain_conv2d("z", (1, 1, 4, 4), x=x, w=w, b=b, stride=2)
    assert len(with_bias) == C * KH * KW
    assert with_bias.bias is not None


def test_only_z_sums_over_input_channels():
    x, w, _, dz = CONVOLUTIONS["the reference layer"].arrays()

    def channels(wanted, name):
        cell = explain_conv2d(wanted, (1, 1, 2, 1), x=x, w=w, dz=dz, stride=2)
        index = {cell.left_name: cell.left_index, cell.right_name: cell.right_index}[name]
        return set(index[:, 1].tolist())

    assert channels("z", "x") == channels("z", "w") == {0, 1, 2}
    assert channels("dx", "w") == channels("dw", "x") == {1}


def test_a_cell_in_no_window_is_a_sum_of_no_products():
    cell = explain_conv2d("dx", (0, 0, 0, 3), dz=[[[[1]]]], w=[[[[5, 6]]]], stride=4)
    assert len(cell) == 0
    assert cell.total == 0
    assert list(cell.terms) == []
    assert repr(cell) == "dx[0,0,0,3] = 0, a sum of no products"


ROW, PAIR, UPSTREAM = [[[[1, 2, 4, 8]]]], [[[[10, 20]]]], [[[[3, 5, 7]]]]


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        (
            explain_conv2d("z", (0, 0, 0, 1), x=ROW, w=PAIR, b=[[[0.5]]]),
            "z[0,0,0,1] = x[0,0,0,1]·w[0,0,0,0] + x[0,0,0,2]·w[0,0,0,1] + b[0,0,0] = 100.5",
        ),
        (
            explain_conv2d("dx", (0, 0, 0, 1), dz=UPSTREAM, w=PAIR),
            "dx[0,0,0,1] = dz[0,0,0,0]·w[0,0,0,1] + dz[0,0,0,1]·w[0,0,0,0] = 110",
        ),
        (
            explain_conv2d("dw", (0, 0, 0, 1), dz=UPSTREAM, x=ROW),
            "dw[0,0,0,1] = dz[0,0,0,0]·x[0,0,0,1] + dz[0,0,0,1]·x[0,0,0,2] + "
            "dz[0,0,0,2]·x[0,0,0,3] = 82",
        ),
        (
            explain_conv2d("db", (0, 0, 0), dz=UPSTREAM),
            "db[0,0,0] = dz[0,0,0,0]·1 + dz[0,0,0,1]·1 + dz[0,0,0,2]·1 = 15",
        ),
        (
            explain_linear("z", (0, 1), x=[[1, 2], [3, 4]], w=[[5, 6]], b=[[0.25]]),
            "z[0,1] = x[0,1]·w[0,0] + x[1,1]·w[0,1] + b[0,0] = 34.25",
        ),
        (
            explain_linear("dx", (1, 0), dz=[[2], [3]], w=[[5, 6], [7, 8]]),
            "dx[1,0] = dz[0,0]·w[0,1] + dz[1,0]·w[1,1] = 36",
        ),
        (
            explain_max_pool2d("z", (0, 0, 0, 1), x=ROW, kernel_size=(1, 2)),
            "z[0,0,0,1] = x[0,0,0,3]·1 = 8",
        ),
        (
            explain_max_pool2d("dx", (0, 0, 0, 0), x=ROW, dz=[[[[3, 5]]]], kernel_size=(1, 2)),
            "dx[0,0,0,0] = 0, a sum of no products",
        ),
        (
            explain_avg_pool2d(
                "dx", (0, 0, 0, 1), x=ROW, dz=UPSTREAM, kernel_size=(1, 2), stride=1
            ),
            "dx[0,0,0,1] = dz[0,0,0,0]·1/(KH·KW) + dz[0,0,0,1]·1/(KH·KW) = 4",
        ),
    ],
    ids=lambda value: value[: value.index("[")] if isinstance(value, str) else "",
)
def test_a_cell_shows_its_arithmetic(cell, text):
    assert repr(cell) == text


def dw_of(products):
    """The cell dw[0,0] of a fully connected layer that is the sum of these numbers."""
    return explain_linear("dw", (0, 0), dz=[products], x=np.ones((1, len(products))))


def test_six_products_are_shown_in_full_and_of_seven_the_five_largest():
    assert repr(dw_of([1, 2, 3, 4, 5, 6])).count("·") == 6
    assert repr(dw_of([1, 2, -7, 4, 5, 6, 3])) == (
        "dw[0,0] = dz[0,2]·x[0,2] + dz[0,5]·x[0,5] + dz[0,4]·x[0,4] + dz[0,3]·x[0,3] + "
        "dz[0,6]·x[0,6] + 2 more = 14"
    )


@pytest.mark.parametrize(
    ("total", "text"), [(-1.62, "−1.62"), (1.23456, "1.235"), (0, "0"), (1e-9, "1e−09")]
)
def test_the_total_has_four_digits(total, text):
    assert repr(dw_of([total])).endswith(f" = {text}")


def test_one_weight_of_the_reference_network_is_1960_products():
    network = walkthrough_network()
    rng = np.random.default_rng(0)
    z = network.forward(rng.standard_normal((10, 3, 29, 28)))
    network.backward(rng.standard_normal(z.shape))
    cell = network.explain(0, "dw", (1, 0, 2, 1))
    assert len(cell) == 10 * 14 * 14 == 1960
    assert repr(cell).startswith("dw[1,0,2,1] = dz[")
    assert f" + 1955 more = {network.grads['0.w'][1, 0, 2, 1]:.4g}".replace("-", "−") in repr(cell)
    largest = np.sort(np.abs(cell.product))[-5:]
    shown = [t for t in cell.terms if str(t) in repr(cell)]
    assert sorted(abs(term.product) for term in shown) == pytest.approx(largest)


def test_terms_come_one_by_one_as_plain_numbers():
    cell = explain_conv2d("z", (0, 0, 0, 1), x=ROW, w=PAIR, b=[[[0.5]]])
    terms = cell.terms
    first = next(terms)
    assert first == ("x", (0, 0, 0, 1), 2.0, "w", (0, 0, 0, 0), 10.0, 20.0)
    assert {type(i) for i in first.left_index} == {int}
    assert {type(first.left), type(first.right), type(first.product)} == {float}
    assert [str(term) for term in terms] == ["x[0,0,0,2]·w[0,0,0,1]"]


def test_an_index_may_count_from_the_end():
    cell = explain_conv2d("dw", (-1, -1, -1, -1), dz=UPSTREAM, x=ROW, w=PAIR)
    assert cell.index == (0, 0, 0, 1)


def test_lists_and_float32_are_explained_as_they_are():
    dz, x = np.array(UPSTREAM, np.float32), np.array(ROW, np.float32)
    cell = explain_conv2d("dw", (0, 0, 0, 1), dz=dz, x=x)
    assert cell.product.dtype == np.float32
    assert repr(cell) == repr(explain_conv2d("dw", (0, 0, 0, 1), dz=UPSTREAM, x=ROW))


X, W, DZ = np.ones((10, 3, 29, 28)), np.ones((2, 3, 3, 2)), np.ones((10, 2, 14, 14))


@pytest.mark.parametrize(
    ("wanted", "index", "options", "error", "substance"),
    [
        ("dy", (0, 0, 0, 0), {}, ValueError, ["wanted", "z, dx, dw, db", "'dy'"]),
        ("dw", (2, 0, 0, 0), {}, ValueError, ["dw has shape (2, 3, 3, 2)", "(2, 0, 0, 0)"]),
        ("dw", (0, 0, 0), {}, ValueError, ["dw has shape (2, 3, 3, 2)", "(0, 0, 0)"]),
        ("z", (0, 0, 14, 0), {}, ValueError, ["z has shape (10, 2, 14, 14)"]),
        ("dx", (0, -4, 0, 0), {}, ValueError, ["dx has shape (10, 3, 29, 28)"]),
        ("db", (2, 0, 0), {}, ValueError, ["db has shape (2, 1, 1)"]),
        ("dx", (0, 0, 0.0, 0), {}, TypeError, ["index must be ints", "dx (10, 3, 29, 28)"]),
        ("dx", 3, {}, TypeError, ["index must be ints, one for each axis", "not 3"]),
        ("dx", (0, 0, 0, 0), {"w": None}, ValueError, ["dx is made of dz and w", "w is missing"]),
        ("dw", (0, 0, 0, 0), {"dz": None, "x": None}, ValueError, ["dz and x is missing"]),
        ("z", (0, 0, 0, 0), {"x": X[:, :2]}, ValueError, ["2 channels", "expects 3"]),
        ("dx", (0, 0, 0, 0), {"dz": DZ[1:]}, ValueError, ["dz is (9, 2, 14, 14)", "(10, 2, 14"]),
        ("dx", (0, 0, 0, 0), {"stride": 1}, ValueError, ["dz is", "(10, 2, 27, 27)"]),
        ("z", (0, 0, 0, 0), {"b": np.ones(2)}, ValueError, ["b is (2,)", "(2, 1, 1)"]),
        ("z", (0, 0, 0, 0), {"groups": 0}, ValueError, ["groups", "at least 1"]),
        (
            *("z", (0, 0, 0, 0), {"w": np.ones((2, 1, 3, 2)), "groups": 3}, ValueError),
            ["2 filters", "3 groups"],
        ),
        ("z", (0, 0, 0, 0), {"stride": 0}, ValueError, ["stride", "at least 1"]),
        ("z", (0, 0, 0, 0), {"x": X[0]}, ValueError, ["x must have 4 axes", "x[None]"]),
    ],
)
def test_a_convolution_refuses_to_explain(wanted, index, options, error, substance):
    call = {"x": X, "w": W, "dz": DZ, "stride": 2} | options
    assert_refuses(lambda: explain_conv2d(wanted, index, **call), error, *substance)


@pytest.mark.parametrize(
    ("wanted", "index", "options", "substance"),
    [
        ("dz", (0, 0), {}, ["wanted", "z, dx, dw, db", "'dz'"]),
        ("dw", (3, 0), {}, ["dw has shape (3, 4)", "(3, 0)"]),
        ("db", (0,), {}, ["db has shape (3, 1)", "(0,)"]),
        ("dx", (0, 0), {"dz": None}, ["dx is made of dz and w", "dz is missing"]),
        ("dx", (0, 0), {"w": np.ones((5, 4))}, ["disagree", "(5, 4)", "(3, 2)"]),
        ("z", (0, 0), {"b": np.ones(3)}, ["b is (3,)", "(3, 1)"]),
        ("z", (0, 0), {"x": np.ones(4)}, ["x", "(D, N)", "(4,)"]),
    ],
)
def test_a_fully_connected_layer_refuses_to_explain(wanted, index, options, substance):
    call = linear_arrays(4, 3, 2) | options
    assert_refuses(lambda: explain_linear(wanted, index, **call), ValueError, *substance)


@pytest.mark.parametrize(
    ("wanted", "index", "options", "substance"),
    [
        ("dw", (0, 0, 0, 0), {}, ["wanted must be one of z, dx", "'dw'"]),
        ("z", (0, 0, 5, 0), {}, ["z has shape (10, 2, 5, 5)", "(0, 0, 5, 0)"]),
        ("dx", (0, 0, 14, 0), {}, ["dx has shape (10, 2, 14, 14)"]),
        ("dx", (0, 0, 0, 0), {"dz": None}, ["dx is made of dz", "dz is missing"]),
        ("dx", (0, 0, 0, 0), {"stride": 2}, ["dz is (10, 2, 5, 5)", "(10, 2, 7, 7)"]),
        ("z", (0, 0, 0, 0), {"padding": 2}, ["padding (2, 2)", "less than the window"]),
        ("z", (0, 0, 0, 0), {"kernel_size": 15}, ["window (15, 15)", "larger", "(14, 14)"]),
    ],
)
@pytest.mark.parametrize("explain", [explain_max_pool2d, explain_avg_pool2d])
def test_pooling_refuses_to_explain(explain, wanted, index, options, substance):
    call = {"x": np.ones((10, 2, 14, 14)), "dz": np.ones((10, 2, 5, 5))}
    call |= {"kernel_size": 2, "stride": 3} | options
    assert_refuses(lambda: explain(wanted, index, **call), ValueError, *substance)

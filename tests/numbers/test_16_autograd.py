"""The numbers that lesson 16 says in its prose."""

import inspect

import numpy as np
import pytest

import cnnbp
from cnnbp import tape
from cnnbp.frameworks import reader_from_torch, stored
from cnnbp.tape import Node, in_order


def test_the_tape_has_about_sixty_lines():
    """Of code, without docstrings, comments and what stands between."""
    lines, inside = [], False
    for line in map(str.strip, inspect.getsource(tape).splitlines()):
        quotes = line.count('"""')
        if line and not inside and not quotes and not line.startswith("#"):
            lines.append(line)
        inside ^= quotes == 1
    assert 50 <= len(lines) <= 75


def test_one_cell_of_the_walkthrough_network_as_both_frameworks_said_it():
    network = cnnbp.walkthrough_network()
    target = np.random.default_rng(1).standard_normal((32, 10))
    _, dz = cnnbp.mean_squared_error(network.forward(cnnbp.photo_patches()), target)
    network.backward(dz)
    assert f"{network.grads['0.w'][1, 0, 2, 1]:.6f}" == "0.091836"
    said = [text for text in stored().values() if "dw[1,0,2,1]" in text]
    assert len(said) == 2
    assert all("dw[1,0,2,1] = 0.091836" in text for text in said)


@pytest.mark.parametrize(("value", "after", "found"), [(2.0, 0, 12), (3.0, 0, 27), (2.0, 1, 22)])
def test_a_cube_written_into_between_the_passes(value, after, found):
    side = Node(np.array([value]))
    volume = side * side * side
    side.value += after
    volume.backward()
    assert side.gradient.item() == found


def test_values_and_not_parameters_fill_the_memory():
    """262 kB are the convolution's result, and ReLU's, which PyTorch keeps once for two steps."""
    images = Node(np.ones((64, 1, 8, 8), np.float32))
    kernel = Node(np.ones((16, 1, 3, 3), np.float32))
    z = tape.relu(tape.conv2d(images, kernel, padding=1))
    sizes = [node.value.nbytes for node in in_order(z) if node.parents]
    assert [round(size / 1000, 1) for size in sizes] == [262.1, 262.1]
    (said,) = (text for lines, text in stored().items() if "saved_tensors_hooks" in lines[1])
    assert said.count("262.1 kB torch.float32") == 2
    assert "131.1 kB torch.int64" in said


def test_the_eight_that_is_not_very_sure():
    images, labels = cnnbp.digits(float)[1]
    network = reader_from_torch()
    _, dz = cnnbp.softmax_cross_entropy(network.forward(images[:8]), labels[:8])
    dx = network.backward(dz)
    assert labels[4] == 8
    assert np.unravel_index(np.abs(dx[4]).argmax(), dx[4].shape) == (0, 6, 2)
    assert dx[4, 0, 6, 2] < 0
    assert images[4, 0, 6, 2] == 13 / 16
    inked = images[[4, 4]]
    inked[1, 0, 6, 2] = 1
    sure = cnnbp.softmax(network.forward(inked))[8]
    assert sure == pytest.approx([0.87, 0.91], abs=0.004)

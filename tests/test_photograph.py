"""The photograph's patches, and what two frameworks say of the network that looks at them."""

import importlib.util
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from helpers import assert_refuses, with_samples_last

import cnnbp
from cnnbp import photo_patches, walkthrough_network
from cnnbp.data import walkthrough_reference

TOOL = Path(__file__).parents[1] / "tools" / "photo_patches.py"
DATA = Path(cnnbp.__file__).parent / "data"


def the_tool():
    spec = importlib.util.spec_from_file_location("cut_photo_patches", TOOL)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_patches_have_the_reference_network_s_input_shape():
    assert photo_patches().shape == walkthrough_network().input_shape == (10, 3, 29, 28)


def test_patches_are_colors_and_no_patch_is_flat():
    x = photo_patches()
    assert 0 <= x.min() < 0.1 < 0.9 < x.max() <= 1
    assert (x.std(axis=(2, 3)) > 0.02).all()


def test_patches_are_whole_levels_as_they_are_stored():
    levels = photo_patches() * 255
    np.testing.assert_allclose(levels, levels.round(), atol=1e-12)
    with np.load(DATA / "photo_patches.npz") as file:
        assert file["patches"].dtype == np.uint8
        np.testing.assert_array_equal(levels.round(), file["patches"])


def test_patches_are_cut_from_the_photograph():
    """Decoders of JPEG may differ by some levels of 255; a place that is off by one pixel, more."""
    cut = the_tool().patches().astype(float)
    apart = np.abs(photo_patches() * 255 - cut)
    assert apart.max() <= 8
    assert apart.mean() <= 1
    moved = np.abs(photo_patches()[..., 1:, 1:] * 255 - cut[..., :-1, :-1])
    assert (moved.mean(axis=(1, 2, 3)) > 1.5).all()


def test_the_license_says_whose_the_photograph_is_and_where_the_patches_lie():
    text = (DATA / "photo_patches_license.md").read_text(encoding="utf-8")
    assert "Navy" in text
    assert "public domain" in text
    places = re.findall(r"^\| ([\w ]+) \| (\d+), (\d+) \|$", text, re.MULTILINE)
    assert {name: (int(top), int(left)) for name, top, left in places} == the_tool().PATCHES


def test_no_picture_library_is_needed_for_the_patches():
    code = "import cnnbp, sys; cnnbp.photo_patches(); print('matplotlib' in sys.modules)"
    finished = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert finished.stdout.strip() == "False"


@pytest.mark.parametrize("dtype", [int, np.uint8, complex, "words"])
def test_patches_of_another_dtype_are_refused(dtype):
    assert_refuses(lambda: photo_patches(dtype), TypeError, "photo_patches: dtype must")


def test_patches_lie_samples_last_in_the_wanted_dtype():
    x = photo_patches(np.float32)
    assert x.dtype == np.float32
    assert x.strides == with_samples_last(x).strides


@pytest.mark.parametrize("framework", ["torch", "tensorflow"])
def test_reference_has_every_gradient_of_the_network(framework):
    reference = walkthrough_reference(framework)
    for name, array in walkthrough_network().params.items():
        assert reference[name].shape == array.shape
    assert reference["dx"].shape == photo_patches().shape


def test_another_framework_is_refused():
    with pytest.raises(ValueError, match="must be 'torch' or 'tensorflow', not 'jax'"):
        walkthrough_reference("jax")


def test_places_are_shifted_crops_of_the_photograph():
    x, labels = cnnbp.photo_places(300, rng=0)
    assert x.shape == (300, 3, 29, 28)
    assert x.dtype == np.float32
    assert set(labels) == set(range(10))
    patches = photo_patches(np.float32)
    distance = np.abs(x[:, None] - patches).mean(axis=(2, 3, 4))
    assert (distance.argmin(axis=1) == labels).mean() > 0.5
    assert distance[np.arange(300), labels].max() > 0.05  # they are shifted
    again, _ = cnnbp.photo_places(300, rng=0)
    np.testing.assert_array_equal(x, again)


def test_places_are_cut_from_the_photograph():
    with np.load(DATA / "photo_places.npz") as file:
        stored = file["places"]
    assert stored.dtype == np.uint8
    apart = np.abs(stored.astype(float) - the_tool().places())
    assert apart.max() <= 8
    assert apart.mean() <= 1


def test_places_refuse_what_is_no_number():
    assert_refuses(lambda: cnnbp.photo_places(-1), ValueError, "N must be a whole number")
    assert cnnbp.photo_places(0)[0].shape == (0, 3, 29, 28)

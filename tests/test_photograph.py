"""The photograph's patches, and what two frameworks say of the network that looks at them."""

import numpy as np
import pytest
from helpers import batch_last

from cnnbp import photo_patches, walkthrough_network
from cnnbp.data import walkthrough_reference


def test_patches_have_the_reference_network_s_input_shape():
    assert photo_patches().shape == walkthrough_network().input_shape == (10, 3, 29, 28)


def test_patches_are_colors_and_no_patch_is_flat():
    x = photo_patches()
    assert 0 <= x.min() < 0.1 < 0.9 < x.max() <= 1
    assert (x.std(axis=(2, 3)) > 0.02).all()


def test_patches_are_the_photograph_s_own_bytes():
    levels = photo_patches() * 255
    np.testing.assert_allclose(levels, levels.round(), atol=1e-12)


def test_patches_lie_batch_last_in_the_wanted_dtype():
    x = photo_patches(np.float32)
    assert x.dtype == np.float32
    assert x.strides == batch_last(x).strides


@pytest.mark.parametrize("framework", ["torch", "tensorflow"])
def test_reference_has_every_gradient_of_the_network(framework):
    reference = walkthrough_reference(framework)
    for name, array in walkthrough_network().params.items():
        assert reference[name].shape == array.shape
    assert reference["dx"].shape == photo_patches().shape


def test_another_framework_is_refused():
    with pytest.raises(ValueError, match="must be 'torch' or 'tensorflow', not 'jax'"):
        walkthrough_reference("jax")

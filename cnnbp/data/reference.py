"""What PyTorch and TensorFlow say of the walkthrough network on the photographs."""

from pathlib import Path

import numpy as np

from cnnbp.shape import complaint


def walkthrough_reference(framework):
    """The walkthrough network's outputs and gradients on photo_patches(), computed elsewhere.

    The loss is the mean squared error to np.random.default_rng(1).standard_normal((32, 10)).

    framework  "torch" or "tensorflow"
    returns    dict of float64 arrays: "loss", "0.z" to "3.z", "dx" and, as in Network.grads,
               "0.w", "0.b", "3.w", "3.b"

    Raises ValueError for another framework.  Lesson 10.

    >>> walkthrough_reference("torch")["0.w"].shape
    (2, 3, 3, 2)
    """
    with np.load(Path(__file__).with_name("walkthrough_reference.npz")) as file:
        found = {
            name.partition("/")[2]: file[name] for name in file if name.startswith(f"{framework}/")
        }
    if not found:
        raise complaint(ValueError, f"framework must be 'torch' or 'tensorflow', not {framework!r}")
    # In the file a parameter's gradient is called d0.w; layers call it 0.w.
    return {name[1:] if name[1:2].isdigit() else name: array for name, array in found.items()}

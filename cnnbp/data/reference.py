"""What PyTorch and TensorFlow say: of the walkthrough network, and of a reader of digits."""

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
    found = _part("walkthrough_reference.npz", framework)
    if not found:
        raise complaint(ValueError, f"framework must be 'torch' or 'tensorflow', not {framework!r}")
    # In the file a parameter's gradient is called d0.w; layers call it 0.w.
    return {name[1:] if name[1:2].isdigit() else name: array for name, array in found.items()}


def reader_reference(part):
    """A reader of digits that PyTorch trained, and its gradients by its own backward pass.

    The loss is the softmax cross-entropy on the first eight of the new digits.

    part     "weights", with running statistics; "evaluation" or "training", the two kinds of pass
    returns  dict of float64 arrays with PyTorch's names and shapes: "0.weight", ...; of a pass also
             "loss", "scores" (8, 10), "dx" (8, 1, 8, 8); of the training pass dropout's "mask"

    Raises ValueError for another part.  Lesson 16.

    >>> reader_reference("weights")["0.weight"].shape
    (8, 1, 3, 3)
    """
    found = _part("reader_reference.npz", part)
    if not found:
        parts = "'weights', 'evaluation' or 'training'"
        raise complaint(ValueError, f"part must be {parts}, not {part!r}")
    return found


def _part(file, part):
    """The arrays of a file whose name begins with part/, without it."""
    with np.load(Path(__file__).with_name(file)) as held:
        return {name.partition("/")[2]: held[name] for name in held if name.startswith(f"{part}/")}

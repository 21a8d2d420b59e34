"""How the network of lesson 15 trained with each of its bugs, stored by tools/bug_curves.py."""

from pathlib import Path

import numpy as np


def bug_curves():
    """Test accuracies while a network with a bug trained: stored, not computed here.

    returns  {"SGD": {bug: (3, 10)}, "Adam": {...}}: three seeds, ten epochs; among the bugs are
             "right" and "layer 4 frozen"

    SGD has learning rate 0.1 and momentum 0.9, Adam 0.003, batches 64 images.  Lesson 15.

    >>> bug_curves()["Adam"]["winner assigned"].shape
    (3, 10)
    """
    with np.load(Path(__file__).with_name("bug_curves.npz")) as file:
        return {
            optimizer: dict(zip(file["names"].tolist(), file[optimizer], strict=True))
            for optimizer in ("SGD", "Adam")
        }

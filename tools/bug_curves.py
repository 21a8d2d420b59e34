"""Train lesson 15's network with each of its bugs, and store how it went.

python tools/bug_curves.py   writes cnnbp/data/bug_curves.npz: for two optimizers and every bug, the
test accuracy after each of ten epochs, on three seeds. It takes some minutes.
"""

from pathlib import Path

import numpy as np

import cnnbp
from cnnbp.exercises.bugs import EIGHT, hunting_ground, with_bug

STORED = Path(cnnbp.__file__).parent / "data" / "bug_curves.npz"
OPTIMIZERS = {
    "SGD": lambda network: cnnbp.SGD(network, 0.1, momentum=0.9),
    "Adam": lambda network: cnnbp.Adam(network, 0.003),
}
NAMES = ["right", "layer 4 frozen", *EIGHT]
EPOCHS, SEEDS = 10, 3


def curve(name, optimizer, seed, epochs=EPOCHS):
    """The test accuracy after each epoch."""
    (images, labels), test = cnnbp.digits()
    network = with_bug(hunting_ground(dtype=np.float32, rng=seed), name)
    with np.errstate(all="ignore"):
        history = cnnbp.train(
            network,
            images,
            labels,
            optimizer=OPTIMIZERS[optimizer](network),
            epochs=epochs,
            batch_size=64,
            rng=seed,
            test=test,
            progress=False,
        )
    return history.test_accuracy


def main():
    found = {
        optimizer: [[curve(name, optimizer, seed) for seed in range(SEEDS)] for name in NAMES]
        for optimizer in OPTIMIZERS
    }
    arrays = {optimizer: np.array(curves, np.float32) for optimizer, curves in found.items()}
    np.savez_compressed(STORED, names=np.array(NAMES), **arrays)


if __name__ == "__main__":
    main()

"""Train deep networks with every remedy of lesson 12, on three seeds; `make deepruns` runs it.

It takes some minutes, and the last bits differ from machine to machine; hence the results are data.
"""

from pathlib import Path

import numpy as np

from cnnbp import SGD, deep_network, digits, softmax_cross_entropy, train
from cnnbp.deep_network import REMEDIES, weight_gradients

STORED = Path(__file__).parents[1] / "cnnbp" / "data" / "deep_runs.npz"
DEPTH, CHANNELS, SEEDS, EPOCHS = 12, 8, (0, 1, 2), 10


def ratio(seed, options):
    """The first block's norm of dw over the last block's, before training; 64 digits, float64."""
    (images, labels), _ = digits(np.float64)
    network = deep_network(DEPTH, channels=CHANNELS, rng=seed, **options)
    scores = network.forward(images[:64], training=True)
    network.backward(softmax_cross_entropy(scores, labels[:64])[1])
    first, *_, last = weight_gradients(network)
    return first / last


def accuracy(seed, options):
    """On test data, after training in float32."""
    train_data, test_data = digits()
    network = deep_network(DEPTH, channels=CHANNELS, rng=seed, dtype=np.float32, **options)
    optimizer = SGD(network, 0.05, momentum=0.9)
    settings = {"epochs": EPOCHS, "batch_size": 64, "rng": seed, "test": test_data}
    history = train(network, *train_data, optimizer=optimizer, progress=False, **settings)
    return history.test_accuracy[-1]


def measured():
    """{"names": (8,), "ratio": (8, 3), "accuracy": (8, 3)}, a column for each seed."""
    rows = {"names": [], "ratio": [], "accuracy": []}
    for name, options in REMEDIES.items():
        rows["names"].append(name)
        for what, function in (("ratio", ratio), ("accuracy", accuracy)):
            rows[what].append([function(seed, options) for seed in SEEDS])
        print(name, *(np.round(rows[what][-1], 9) for what in ("ratio", "accuracy")), flush=True)
    return {what: np.array(values) for what, values in rows.items()}


if __name__ == "__main__":
    np.savez_compressed(STORED, **measured())

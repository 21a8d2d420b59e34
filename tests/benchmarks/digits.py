"""The small network that learns the handwritten digits, for a test and for `make bench`."""

import numpy as np

from cnnbp import SGD, Conv2d, Flatten, Linear, MaxPool2d, Network, ReLU, digits, train


def digits_network(rng):
    """Two convolutions with ReLU and max pooling, and a fully connected layer, in float32."""
    rng = np.random.default_rng(rng)
    options = {"dtype": np.float32, "rng": rng}
    return Network(
        [
            Conv2d(1, 16, 3, padding=1, **options),
            ReLU(),
            MaxPool2d(2),
            Conv2d(16, 32, 3, padding=1, **options),
            ReLU(),
            MaxPool2d(2),
            Flatten(),
            Linear(128, 10, gain=1.0, **options),
        ],
        input_shape=(64, 1, 8, 8),
    )


def learn_digits(rng):
    """The History of a new network's twelve epochs on the training digits.

    rng  a seed, of the weights and of the images' order
    """
    network = digits_network(rng)
    training_digits, test_digits = digits()
    return train(
        network,
        *training_digits,
        optimizer=SGD(network, learning_rate=0.1, momentum=0.9),
        epochs=12,
        batch_size=64,
        rng=rng,
        test=test_digits,
        progress=False,
    )

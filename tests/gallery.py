"""One picture of every kind: what a browser is shown."""

import numpy as np
from helpers import eighths

from cnnbp import (
    AvgPool2d,
    BatchNorm2d,
    Conv2d,
    Flatten,
    GroupNorm,
    Linear,
    MaxPool2d,
    Network,
    ReLU,
    Residual,
    Sigmoid,
    lineage,
    pictures,
    softmax_cross_entropy,
)
from cnnbp.explorers.lineage import reference


def network():
    """A small network of many kinds of layers after its passes, and its loss."""
    rng = np.random.default_rng(0)
    layers = [
        Conv2d(1, 2, 3, padding=1, rng=rng), BatchNorm2d(2), ReLU(), MaxPool2d(2),
        Residual([Conv2d(2, 2, 3, padding=1, rng=rng), GroupNorm(1, 2), Sigmoid()]),
        AvgPool2d(2), Flatten(), Linear(8, 3, rng=rng),
    ]  # fmt: skip
    net, labels = Network(layers), np.array([0, 2])
    _, dz = softmax_cross_entropy(net.forward(eighths(rng, (2, 1, 8, 8)), training=True), labels)
    net.backward(dz)
    return net, ("softmax_cross_entropy", labels)


def drawn():
    """name -> a picture of that kind."""
    rng = np.random.default_rng(0)
    x, w, dz = (eighths(rng, s) for s in [(2, 2, 6, 6), (2, 2, 3, 3), (2, 2, 2, 2)])
    weights, columns, sums = (eighths(rng, s) for s in [(3, 4), (4, 2), (3, 2)])
    net, loss = network()
    photographs, their_loss = reference()
    found = {
        "conv2d_z": pictures.draw_conv2d_z(x, w, stride=2),
        "conv2d_dw": pictures.draw_conv2d_dw(dz, x, w, stride=2),
        "conv2d_db": pictures.draw_conv2d_db(dz),
        "conv2d_dx": pictures.draw_conv2d_dx(dz, x, w, (0, 0, 2, 2), stride=2),
        "max_pool2d_dx": pictures.draw_max_pool2d_dx(dz, x, 3, stride=2),
        "avg_pool2d_dx": pictures.draw_avg_pool2d_dx(dz, x, 3, stride=2),
        "linear_z": pictures.draw_linear_z(columns, weights),
        "linear_dx": pictures.draw_linear_dx(sums, weights),
        "linear_dw": pictures.draw_linear_dw(sums, columns),
        "flatten_dx": pictures.draw_flatten_dx(eighths(rng, (8, 2)), (2, 2, 2, 2)),
        "im2col": pictures.draw_im2col(x[:, :1], 3, chosen=(0, 0, 2, 2), stride=2, padding=1),
        "col2im": pictures.draw_col2im(eighths(rng, (9, 4)), (1, 1, 4, 4), 3),
        "network": pictures.draw_network(net),
        "lineage": pictures.draw_lineage(lineage(net, 0, "dx", (0, 0, 2, 2), loss=loss)),
        "photograph's lineage": pictures.draw_lineage(
            lineage(photographs, 0, "dx", (0, 1, 3, 3), loss=their_loss)
        ),
        "photograph's dx": pictures.draw(photographs, 0, "dx", (0, 1, 3, 3)),
        "photograph's pooling": pictures.draw(photographs, 1, "dx"),
    }
    for number, layer in enumerate(net.layers):
        found[f"layer {number} dx"] = pictures.draw(net, number, "dx")
        for name in () if isinstance(layer, Residual) else layer.params:
            found[f"layer {number} d{name}"] = pictures.draw(net, number, f"d{name}")
    return found

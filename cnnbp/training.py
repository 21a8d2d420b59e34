"""The training loop: minibatches, a step on each, and a record of how it went."""

import math
import sys
from dataclasses import dataclass, field

import numpy as np

from cnnbp import shape
from cnnbp.loss import softmax_cross_entropy
from cnnbp.optimizer import clip_gradients


@dataclass(repr=False)
class History:
    """What training went through, to be plotted.

    loss, gradient_norm         for each step: the loss of its minibatch before the step, and the
                                norm of all gradients before clipping
    train_loss, train_accuracy  for each epoch: the means over its images, while they trained
    test_loss, test_accuracy    for each epoch, after it, if there were test data
    diverged                    True if the last loss or gradient norm is inf or NaN

    >>> History(loss=[2.5, 2.0], gradient_norm=[1.0, 1.0], train_loss=[2.25], train_accuracy=[0.5])
    History(1 epochs, 2 steps, train loss 2.250, train accuracy 0.500)
    """

    loss: list = field(default_factory=list)
    gradient_norm: list = field(default_factory=list)
    train_loss: list = field(default_factory=list)
    train_accuracy: list = field(default_factory=list)
    test_loss: list = field(default_factory=list)
    test_accuracy: list = field(default_factory=list)

    @property
    def diverged(self):
        return not all(map(math.isfinite, self.loss[-1:] + self.gradient_norm[-1:]))

    def __repr__(self):
        parts = [f"{len(self.train_loss)} epochs", f"{len(self.loss)} steps"]
        for name in ("train_loss", "train_accuracy", "test_loss", "test_accuracy"):
            if values := getattr(self, name):
                parts.append(f"{name.replace('_', ' ')} {values[-1]:.3f}")
        if self.diverged:
            parts.append(
                f"diverged: loss {self.loss[-1]:.3g}, gradient norm {self.gradient_norm[-1]:.3g}; "
                "try a smaller learning rate, or clipping by max_norm"
            )
        return f"History({', '.join(parts)})"


def train(
    network,
    images,
    labels,
    *,
    optimizer,
    epochs,
    batch_size,
    rng=None,
    max_norm=None,
    test=None,
    progress=True,
):
    """Fit a network to labeled images by the softmax cross-entropy of its scores.

    network     turns images into scores (K, n), a row for each class; its params change
    images      (N, C, H, W)
    labels      (N,)            ints from 0 to K − 1
    optimizer   SGD or Adam, made of this network
    epochs      int ≥ 1         how often every image is used
    batch_size  int ≥ 1         images in a step; an epoch's last step takes those that are left
    rng         numpy Generator or seed of the images' order
    max_norm    float > 0       clips the gradients to this norm; None does not
    test        (images, labels) to evaluate after each epoch, or None
    progress    False for no progress bar
    returns     History

    Ends early if a loss or the gradients' norm is inf or NaN: that step is not taken any more,
    and the history says diverged.
    Raises ValueError if there are no images or not one label for each, epochs or batch_size is
    below 1, or the optimizer is another network's.
    Lesson 09.

    >>> from cnnbp.linear import Flatten, Linear
    >>> from cnnbp.network import Network
    >>> from cnnbp.optimizer import SGD
    >>> network = Network([Flatten(), Linear(4, 2, gain=0.0)])
    >>> options = {"optimizer": SGD(network, learning_rate=1.0), "epochs": 3, "batch_size": 4}
    >>> train(network, np.eye(4).reshape(4, 1, 2, 2), [0, 0, 1, 1], **options, progress=False)
    History(3 epochs, 3 steps, train loss 0.486, train accuracy 1.000)
    """
    from tqdm import tqdm

    images, labels = _labeled("train", images, labels)
    test = None if test is None else _labeled("train: test", *test)
    shape.positive(epochs, "train: epochs")
    shape.positive(batch_size, "train: batch_size")
    if not hasattr(optimizer, "step"):
        raise TypeError(
            f"train: optimizer must be an SGD or Adam of this network, not {optimizer!r}"
        )
    if optimizer.network is not network:
        raise ValueError("train: the optimizer moves another network; make one of this network")
    rng, history = np.random.default_rng(rng), History()
    bar = tqdm(range(epochs), unit="epoch", ncols=80, file=sys.stdout, disable=not progress)
    for _ in bar:
        results = []
        for x, x_labels in minibatches(images, labels, batch_size, rng):
            loss, accuracy, norm = training_step(network, x, x_labels, optimizer, max_norm)
            history.loss.append(loss)
            history.gradient_norm.append(norm)
            if history.diverged:
                return history
            results.append((loss, accuracy, len(x)))
        loss, accuracy = _means(results)
        history.train_loss.append(loss)
        history.train_accuracy.append(accuracy)
        if test is not None:
            loss, accuracy = evaluate(network, *test)
            history.test_loss.append(loss)
            history.test_accuracy.append(accuracy)
        bar.set_postfix_str(f"loss {loss:.3f}, accuracy {accuracy:.3f}")
    return history


def minibatches(images, labels, batch_size, rng):
    """All images with their labels once, in random order, batch_size at a time.

    images   (N, C, H, W)
    labels   (N,)
    yields   x (batch_size, C, H, W), batch last in memory, and its labels (batch_size,)

    >>> sizes = [len(x) for x, _ in minibatches(np.zeros((5, 1, 2, 2)), np.arange(5), 2, rng=0)]
    >>> sizes
    [2, 2, 1]
    """
    order = np.random.default_rng(rng).permutation(len(images))
    for start in range(0, len(order), batch_size):
        chosen = order[start : start + batch_size]
        yield shape.batch_last(images[chosen]), labels[chosen]


@np.errstate(over="ignore", invalid="ignore")  # divergence is returned, not warned of
def training_step(network, x, labels, optimizer, max_norm=None):
    """Forward, loss, backward, clip, step: what is repeated until the network has learned.

    x         (N, C, H, W)
    labels    (N,)
    max_norm  clips the gradients to this norm, None only measures it
    returns   loss, accuracy, gradient norm before clipping; floats, all from before the step

    The step is left out if the loss or the norm is inf or NaN, for it would spoil the weights.
    """
    scores = network.forward(x, training=True)
    loss, dz = softmax_cross_entropy(scores, labels)
    network.backward(dz)
    norm = clip_gradients(network, math.inf if max_norm is None else max_norm)
    if math.isfinite(loss) and math.isfinite(norm):
        optimizer.step()
    return loss, _accuracy(scores, labels), norm


@np.errstate(over="ignore", invalid="ignore")
def evaluate(network, images, labels, *, batch_size=256):
    """A network's mean loss and accuracy on labeled images, without training it.

    images      (N, C, H, W)
    labels      (N,)           ints from 0 to K − 1
    batch_size  int ≥ 1        images in one pass; changes memory and speed, not the result
    returns     loss, accuracy: the mean softmax cross-entropy, and the share of images whose
                label has the largest score (floats)

    Raises ValueError if there are no images or not one label for each.
    Lesson 09.

    >>> from cnnbp.linear import Flatten
    >>> loss, accuracy = evaluate(Flatten(), [[[[9.0]], [[0.0]]], [[[9.0]], [[0.0]]]], [0, 1])
    >>> round(loss, 3), accuracy
    (4.5, 0.5)
    """
    images, labels = _labeled("evaluate", images, labels)
    shape.positive(batch_size, "evaluate: batch_size")
    results = []
    for start in range(0, len(images), batch_size):
        x, x_labels = (array[start : start + batch_size] for array in (images, labels))
        scores = network.forward(shape.batch_last(x))
        loss, _ = softmax_cross_entropy(scores, x_labels)
        results.append((loss, _accuracy(scores, x_labels), len(x)))
    return _means(results)


def _accuracy(scores, labels):
    return float((scores.argmax(axis=0) == labels).mean())


def _means(results):
    """Mean loss and accuracy over the images of several batches (loss, accuracy, images)."""
    losses, accuracies, sizes = zip(*results, strict=True)
    return tuple(float(np.average(values, weights=sizes)) for values in (losses, accuracies))


def _labeled(function, images, labels):
    (images,), labels = shape.images(function, images=images), np.asarray(labels)
    if len(images) == 0:
        raise ValueError(f"{function}: images {images.shape} is empty; there is nothing to learn")
    expected = f"one label for each of images {images.shape}, not one-hot"
    shape.same_shape(function, "labels", labels, (len(images),), expected)
    return images, labels

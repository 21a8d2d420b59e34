"""The training loop: minibatches, a step on each, and a record of how it went."""

import math
import sys
from dataclasses import dataclass, field, replace

import numpy as np

from cnnbp import shape
from cnnbp.loss import class_numbers, softmax_cross_entropy
from cnnbp.optimizer import Adam, clip_gradients, gradient_norm

DIVERGING = {"over": "ignore", "invalid": "ignore"}  # it is returned, not warned of


@dataclass(repr=False)
class History:
    """What training went through, to be printed, plotted and compared: its one record.

    loss, gradient_norm         for each step: the loss of its minibatch before the step, and the
                                norm of all gradients before clipping
    train_loss, train_accuracy  for each epoch: the means over its images, while they trained
    test_loss, test_accuracy    whenever it was measured on test data: by `train` after each epoch
    measured                    how many steps had been taken by then
    settings, cause             a few words on how it was trained, and why it ended early if that
                                is known
    ended                       the step that was not taken, its loss or norm being inf or NaN;
                                None if all were
    diverged                    True if there is such a step

    >>> History(loss=[2.5, 2.0], gradient_norm=[1.0, 1.0], train_loss=[2.25], train_accuracy=[0.5])
    History(1 epoch, 2 steps, train loss 2.250, train accuracy 0.500)
    """

    loss: list = field(default_factory=list)
    gradient_norm: list = field(default_factory=list)
    train_loss: list = field(default_factory=list)
    train_accuracy: list = field(default_factory=list)
    test_loss: list = field(default_factory=list)
    test_accuracy: list = field(default_factory=list)
    measured: list = field(default_factory=list, compare=False)
    settings: str = field(default="", compare=False)
    cause: str = field(default="", compare=False)

    @property
    def ended(self):
        for step, values in enumerate(zip(self.loss, self.gradient_norm, strict=True)):
            if not _finite(*values):
                return step
        return None

    @property
    def diverged(self):
        return self.ended is not None

    def note(self, loss, gradient_norm):
        """One step more."""
        self.loss.append(loss)
        self.gradient_norm.append(gradient_norm)

    def until(self, steps):
        """The History as it was after so many steps."""
        kept = {name: getattr(self, name)[:steps] for name in ("loss", "gradient_norm")}
        count = sum(step <= steps for step in self.measured)
        for name in ("measured", "train_loss", "train_accuracy", "test_loss", "test_accuracy"):
            kept[name] = getattr(self, name)[:count]
        return replace(self, **kept)

    def __repr__(self):
        epochs = len(self.train_loss)
        parts = [f"{epochs} epoch{'s' * (epochs != 1)}", f"{len(self.loss)} steps"]
        for name in ("train_loss", "train_accuracy", "test_loss", "test_accuracy"):
            if values := getattr(self, name):
                parts.append(f"{name.replace('_', ' ')} {legible(values[-1])}")
        if self.diverged:
            parts.append(self._how_it_ended())
        return f"History({', '.join(parts)})"

    def _how_it_ended(self):
        """A smaller rate is advised only where the data and the first step were all right."""
        loss, norm = self.loss[self.ended], self.gradient_norm[self.ended]
        remedy = "try a smaller learning rate, or clipping by max_norm"
        if self.cause:
            remedy = self.cause
        elif self.ended == 0:
            remedy = "no weight had moved yet, so look at the images and the first weights"
        ended = f"loss {loss:.3g}, gradient norm {norm:.3g}".replace("-", "−")
        return f"diverged: {ended}; {remedy}"


def legible(value):
    """Three digits behind the point, or a power of ten where that would be a row of digits.

    >>> legible(0.4861), legible(-1e131)
    ('0.486', '−1e+131')
    """
    short = not math.isfinite(value) or abs(value) < 1e5
    return (f"{value:.3f}" if short else f"{value:.3g}").replace("-", "−")


def train(
    network,
    images,
    labels,
    *,
    optimizer,
    epochs,
    batch_size,
    rng=None,
    learning_rate=None,
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
    learning_rate               the optimizer's from now on: float ≥ 0, or a function of the steps
                                taken that returns one; None leaves the optimizer's own
    max_norm    float > 0       clips the gradients to this norm; None does not
    test        (images, labels) to evaluate after each epoch, or None
    progress    False for no progress bar
    returns     History

    Ends early if a loss or the gradients' norm is inf or NaN: that step is not taken any more,
    and the history says diverged.
    Raises ValueError if there are no images or not one label for each, epochs or batch_size is
    below 1, or the optimizer is another network's.
    Lesson 11.

    >>> from cnnbp.linear import Flatten, Linear
    >>> from cnnbp.network import Network
    >>> from cnnbp.optimizer import SGD
    >>> network = Network([Flatten(), Linear(4, 2, gain=0.0)])
    >>> options = {"optimizer": SGD(network, learning_rate=1.0), "epochs": 3, "batch_size": 4}
    >>> train(network, np.eye(4).reshape(4, 1, 2, 2), [0, 0, 1, 1], **options, progress=False)
    History(3 epochs, 3 steps, train loss 0.486, train accuracy 1.000)
    """
    images, labels = _labeled("", images, labels)
    test = None if test is None else _labeled("test_", *_two(test))
    shape.positive(epochs, "epochs")
    shape.positive(batch_size, "batch_size")
    _check_optimizer(optimizer, network)
    if max_norm is not None:
        shape.real(max_norm, "max_norm", lambda number: number > 0, "positive")
    if learning_rate is not None:
        optimizer.learning_rate = learning_rate
    rng, history = np.random.default_rng(rng), History()
    history.settings = f"{optimizer}, batches of {batch_size}"
    bar = progress_bar(epochs, "epoch") if progress else None
    for _ in range(epochs) if bar is None else bar:
        batches = minibatches(images, labels, batch_size, rng)
        results = _epoch(network, batches, optimizer, max_norm, history)
        if history.diverged:
            break
        note = _noted(history, results, network, test)
        if bar is not None:
            bar.set_postfix_str(note)
    return history


def progress_bar(count, unit):
    """range(count) with a progress bar around it; None where tqdm, which draws it, is missing."""
    try:
        from tqdm import tqdm
    except ModuleNotFoundError:
        return None
    if sys.platform == "emscripten":  # a browser has no threads: there tqdm would warn of its own
        tqdm.monitor_interval = 0
    return tqdm(range(count), unit=unit, ncols=80, file=sys.stdout)


def _noted(history, results, network, test):
    """Put an epoch's means into the history, and what the test data say; in words, the last."""
    loss, accuracy = _means(results)
    history.measured.append(len(history.loss))
    history.train_loss.append(loss)
    history.train_accuracy.append(accuracy)
    if test is not None:
        loss, accuracy = evaluate(network, *test)
        history.test_loss.append(loss)
        history.test_accuracy.append(accuracy)
    return f"loss {legible(loss)}, accuracy {accuracy:.3f}"


def _two(test):
    if not isinstance(test, tuple | list) or len(test) != 2:
        raise shape.complaint(
            TypeError, f"test must be a pair (images, labels), not {type(test).__name__}"
        )
    return test


def _check_optimizer(optimizer, network):
    if isinstance(optimizer, type):
        made = f"{optimizer.__name__}(network, learning_rate=0.1)"
        raise shape.complaint(
            TypeError, f"optimizer is the class {optimizer.__name__}; make one of it: {made}"
        )
    if not hasattr(optimizer, "step") or not hasattr(optimizer, "network"):
        raise shape.complaint(
            TypeError, f"optimizer must be an SGD or Adam of this network, not {optimizer!r}"
        )
    if optimizer.network is not network:
        raise shape.complaint(
            ValueError, "the optimizer moves another network; make one of this network"
        )


def _epoch(network, batches, optimizer, max_norm, history):
    """A step on every batch, noted in the history: a list of (loss, accuracy, images)."""
    results = []
    for x, labels in batches:
        given = optimizer, softmax_cross_entropy, x, labels
        scores, loss, norm = training_step(network, *given, max_norm=max_norm)
        history.note(loss, norm)
        if not _finite(loss, norm):
            spoiled = np.count_nonzero(~np.isfinite(x).all(axis=(1, 2, 3)))
            if spoiled:
                history.cause = f"{spoiled} of this step's {len(x)} images hold NaN or inf"
            break
        results.append((loss, _accuracy(scores, labels), len(x)))
    return results


def minibatches(images, labels, batch_size, rng):
    """All images with their labels once, in random order, batch_size at a time.

    images   (N, C, H, W)
    labels   (N,)
    yields   x (batch_size, C, H, W), samples last in memory, and its labels (batch_size,)

    >>> sizes = [len(x) for x, _ in minibatches(np.zeros((5, 1, 2, 2)), np.arange(5), 2, rng=0)]
    >>> sizes
    [2, 2, 1]
    """
    order = np.random.default_rng(rng).permutation(len(images))
    for start in range(0, len(order), batch_size):
        chosen = order[start : start + batch_size]
        yield shape.samples_first(shape.samples_last(images[chosen])), labels[chosen]


def training_step(network, optimizer, loss, x, *wanted, max_norm=None):
    """Forward, loss, backward, clip, step: what is repeated until the network has learned.

    loss      z, and what it compares z with -> loss (a float), dz
    x         (N, C, H, W)
    wanted    what the loss compares with, such as labels (N,)
    max_norm  clips the gradients to this norm, None only measures it
    returns   z, loss, gradient norm before clipping; all from before the step

    The step is left out if the loss or the norm is inf or NaN, for it would spoil the weights.
    """
    with np.errstate(**DIVERGING):
        z = network.forward(x, training=True)
        value, dz = loss(z, *wanted)
        network.backward(dz)
        norm = gradient_norm(network) if max_norm is None else clip_gradients(network, max_norm)
    if _finite(value, norm):
        optimizer.step()
    return z, value, norm


def _finite(*values):
    return all(map(math.isfinite, values))


def learn(network, draw, loss, *, steps, learning_rate, rng=None, progress=True):
    """Train on images that are drawn anew for every step, with Adam.

    network        its params change
    draw           rng -> x, and what the loss compares with: one batch
    loss           z, and that -> loss (a float), dz
    steps          int ≥ 1
    learning_rate  float ≥ 0 to begin with; it falls to 0 along half a cosine
    rng            numpy Generator or seed of the images
    progress       False for no progress bar
    returns        History, of steps alone

    Ends early if a loss or the gradients' norm is inf or NaN, as `train` does.
    Raises ValueError for steps below 1.
    Lesson 14.

    >>> from cnnbp.linear import Linear
    >>> from cnnbp.loss import mean_squared_error
    >>> network = Linear(1, 1, gain=0.0)
    >>> draw = lambda rng: (x := rng.random((1, 8)), 3 * x)
    >>> options = {"steps": 200, "learning_rate": 0.5, "rng": 0, "progress": False}
    >>> learn(network, draw, mean_squared_error, **options)
    History(0 epochs, 200 steps)
    >>> network.params["w"].round(2)
    array([[3.]])
    """
    optimizer = Adam(network, half_cosine(learning_rate, steps))
    rng, history = np.random.default_rng(rng), History()
    bar = progress_bar(steps, "step") if progress else None
    for step in range(steps) if bar is None else bar:
        _, value, norm = training_step(network, optimizer, loss, *draw(rng))
        history.note(value, norm)
        if not _finite(value, norm):
            break
        if bar is not None and step % 20 == 0:
            bar.set_postfix_str(f"loss {legible(value)}")
    return history


def half_cosine(rate, steps):
    """A learning rate that falls from `rate` to 0 along half a cosine, slowly at both ends.

    rate     float ≥ 0
    steps    int ≥ 1, after which it is 0
    returns  a function of the steps taken, for an optimizer

    Raises ValueError for steps below 1.

    >>> [round(half_cosine(0.5, 4)(step), 3) for step in range(5)]
    [0.5, 0.427, 0.25, 0.073, 0.0]
    """
    shape.positive(steps, "steps")
    return lambda step: rate / 2 * (1 + math.cos(math.pi * min(step, steps) / steps))


def evaluate(network, images, labels, *, batch_size=256):
    """A network's mean loss and accuracy on labeled images, without training it.

    images      (N, C, H, W)
    labels      (N,)           ints from 0 to K − 1
    batch_size  int ≥ 1        images in one pass; changes memory and speed, not the result
    returns     loss, accuracy: the mean softmax cross-entropy, and the share of images whose
                label has the largest score (floats); an image with a NaN score counts as wrong

    Raises ValueError if there are no images or not one label for each.
    Lesson 11.

    >>> from cnnbp.linear import Flatten
    >>> loss, accuracy = evaluate(Flatten(), [[[[9.0]], [[0.0]]], [[[9.0]], [[0.0]]]], [0, 1])
    >>> round(loss, 3), accuracy
    (4.5, 0.5)
    """
    images, labels = _labeled("", images, labels)
    shape.positive(batch_size, "batch_size")
    results = []
    for start in range(0, len(images), batch_size):
        x, x_labels = (array[start : start + batch_size] for array in (images, labels))
        with np.errstate(**DIVERGING):
            scores = network.forward(shape.samples_first(shape.samples_last(x)))
            loss, _ = softmax_cross_entropy(scores, x_labels)
        results.append((loss, _accuracy(scores, x_labels), len(x)))
    return _means(results)


def _accuracy(scores, labels):
    """The share of samples whose label has the largest score; among NaN there is no largest."""
    right = (scores.argmax(axis=0) == labels) & ~np.isnan(scores).any(axis=0)
    return float(right.mean())


def _means(results):
    """Mean loss and accuracy over the images of several batches (loss, accuracy, images)."""
    losses, accuracies, sizes = zip(*results, strict=True)
    return tuple(float(np.average(values, weights=sizes)) for values in (losses, accuracies))


def _labeled(which, images, labels):
    """Images and labels as arrays that belong together; `which` is a word for the error."""
    (images,) = shape.images(**{f"{which}images": images})
    name = f"{which}images {images.shape}"
    if len(images) == 0:
        raise shape.complaint(ValueError, f"{name} is empty; there is nothing to learn")
    reason = f"one label for each of {name}"
    return images, class_numbers(f"{which}labels", labels, len(images), reason)

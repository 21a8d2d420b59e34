"""Losses: one number for how wrong the scores are, and its gradient, where every backward starts.

Scores are (K, N): a row for each class or output, a column for each sample.
"""

from numbers import Real

import numpy as np

from cnnbp.shape import complaint, floats, same_shape


def softmax(z):
    """Scores as probabilities: every column positive and of sum 1.

    p[k,n] = exp(z[k,n]) / Σ_l exp(z[l,n]), computed after subtracting each column's largest
    score, which changes nothing but keeps exp from overflowing

    z        (K, N)
    returns  (K, N)

    Raises ValueError if z is not (K, N) with K at least 1.
    Gradient: with the cross-entropy, in softmax_cross_entropy.  Lesson 05.  Source: definition.

    >>> softmax([[0], [0], [1000]]).T
    array([[0., 0., 1.]])
    """
    z = _scores(z)
    p = np.exp(z - z.max(axis=0))
    return p / p.sum(axis=0)


def softmax_cross_entropy(z, labels):
    """The mean surprise −log p at the right labels, and its gradient.

    loss = −1/N · Σ_n log p[labels[n], n]      dz = (p − one-hot labels) / N      p = softmax(z)

    z        (K, N)   scores
    labels   (N,)     ints from 0 to K − 1
    returns  loss (a float), dz (K, N)

    Raises TypeError if labels are not ints, ValueError if they are outside 0…K − 1 or one-hot, if
    there is not one for each column, or if the batch is empty (it has no mean).
    Lesson 05.  Source: chain rule on −log softmax; the 1/N of the mean is in dz, once.

    >>> loss, dz = softmax_cross_entropy([[0, 0], [0, 0]], [0, 1])
    >>> round(loss, 4), dz
    (0.6931, array([[-0.25,  0.25],
           [ 0.25, -0.25]]))
    """
    z = _scores(z)
    K, N = z.shape
    _not_empty("z", z)
    labels = class_numbers("labels", labels, N, f"one label for each column of z {z.shape}")
    if labels.max() >= K:
        from_one = bool(labels.min() >= 1 and labels.max() == K)
        remedy = ". Do they count from 1? Give labels - 1." * from_one
        raise complaint(
            ValueError,
            f"labels reach from {labels.min()} to {labels.max()} but "
            f"z {z.shape} has rows 0 to {K - 1}{remedy}",
        )
    here = labels, np.arange(N)
    shifted = z - z.max(axis=0)
    exponentials = np.exp(shifted)
    sums = exponentials.sum(axis=0)
    dz = exponentials / sums
    dz[here] -= 1
    loss = (np.log(sums) - shifted[here]).mean()  # never log of a probability that became 0
    return float(loss), dz / N


def class_numbers(name, labels, count, reason):
    """Labels as an array of ints from 0, one for each sample; or the error that helps.

    count   how many there must be
    reason  why

    >>> class_numbers("labels", np.eye(3), 3, "one label for each image")
    Traceback (most recent call last):
        ...
    ValueError: class_numbers: labels is (3, 3) but must be (3,), one label for each image. \
They are one-hot: give labels.argmax(axis=0).
    """
    labels = np.asarray(labels)
    for axis in (0, 1):
        if _is_one_hot(labels, axis) and labels.shape[1 - axis] == count:
            reason += f". They are one-hot: give {name}.argmax(axis={axis})."
            break
    same_shape(name, labels, (count,), reason)
    if labels.dtype.kind not in "iu":
        whole = labels.dtype.kind == "b" or (labels.dtype.kind == "f" and not (labels % 1).any())
        raise complaint(
            TypeError,
            f"{name} must be ints, the classes' numbers, not {labels.dtype} values"
            + f". Give {name}.astype(int)." * whole,
        )
    if labels.size and labels.min() < 0:
        raise complaint(ValueError, f"{name} count from 0, but one of them is {labels.min()}")
    return labels


def _is_one_hot(labels, axis):
    """Whether every sample has a single 1 along the axis of the classes, and zeros."""
    if labels.ndim != 2 or labels.dtype.kind not in "biuf" or not labels.size:
        return False
    ones = (labels == 1).sum(axis=axis) == 1
    return bool(ones.all() and ((labels == 0) | (labels == 1)).all())


def mean_squared_error(z, target):
    """The mean squared distance to the target over all entries, and its gradient.

    loss = 1/(K·N) · Σ_k Σ_n (z − target)²      dz = 2·(z − target) / (K·N)

    z, target  the same shape, usually (K, N)
    returns    loss (a float), dz of that shape

    Raises ValueError if the shapes differ or there is nothing to average.
    Lesson 05.  Source: chain rule on a mean of squares.

    >>> mean_squared_error([[1, 2]], [[1, 0]])
    (2.0, array([[0., 2.]]))
    """
    z, target = floats(z=z, target=target)
    same_shape("target", target, z.shape, "the shape of z")
    _not_empty("z", z)
    difference = z - target
    return float((difference**2).mean()), 2 / z.size * difference


def combined_loss(z, parts):
    """Several losses of one output: each looks at rows of its own, and has a weight.

    loss = Σ weight · loss of z[rows]      dz[rows] = weight · that loss's own dz

    z        (K, N)   the scores of one head above the numbers of another, a column for each sample
    parts    list of (name, target, rows, weight): "softmax_cross_entropy" or "mean_squared_error",
             what it compares with, a slice of z's rows that no other part has, and a float
    returns  loss (a float), dz (K, N); 0 in rows of no part

    Raises ValueError for another name, for rows that meet or that there are none of, and as the
    single losses do.
    Lesson 14.  Source: the gradient of a sum is the sum of the gradients.

    >>> z = [[0, 0], [0, 0], [1, 3]]
    >>> classes = "softmax_cross_entropy", [0, 1], slice(0, 2), 0.5
    >>> box = "mean_squared_error", [[1, 2]], slice(2, 3), 2.0
    >>> combined_loss(z, [classes, box])[1]
    array([[-0.125,  0.125],
           [ 0.125, -0.125],
           [ 0.   ,  2.   ]])
    """
    z = _scores(z)
    loss, dz, free = 0.0, np.zeros_like(z), np.ones(len(z), bool)
    for name, target, rows, weight in check_parts(parts, len(z)):
        if not free[rows].all():
            raise complaint(ValueError, f"two losses have rows of {rows}; each needs its own")
        free[rows] = False
        own, dz[rows] = LOSSES[name](z[rows], target)
        loss += weight * own
        dz[rows] *= weight
    return float(loss), dz


def check_parts(parts, count):
    """The parts as combined_loss takes them, of a z with this many rows; or what a part is.

    >>> check_parts([("mean_squared_error", [[1]], slice(4, 5))], 5)
    Traceback (most recent call last):
        ...
    TypeError: check_parts: a part is (name, target, rows, weight), as in ("mean_squared_error", \
target, slice(0, 4), 0.5), not ('mean_squared_error', [[1]], slice(4, 5, None))
    """
    if not isinstance(parts, list | tuple):
        raise complaint(TypeError, f"parts must be a list, one part for each loss, not {parts!r}")
    for part in parts:
        one = isinstance(part, list | tuple) and len(part) == 4
        if not one or not isinstance(part[2], slice) or not isinstance(part[3], Real):
            raise complaint(
                TypeError,
                "a part is (name, target, rows, weight), as in "
                f'("mean_squared_error", target, slice(0, 4), 0.5), not {part!r}',
            )
        name, _, rows, _ = part
        if name not in list(LOSSES):
            raise complaint(ValueError, f"a loss is one of {', '.join(LOSSES)}, not {name!r}")
        if not range(count)[rows]:
            raise complaint(ValueError, f"{rows} holds none of the {count} rows of z")
    return parts


LOSSES = {f.__name__: f for f in (softmax_cross_entropy, mean_squared_error)}


def _scores(z):
    (z,) = floats(z=z)
    if z.ndim != 2 or len(z) == 0:
        raise complaint(
            ValueError,
            f"z must be (K, N), a column of K ≥ 1 scores for each sample, but is "
            f"{z.shape}" + ". One sample? Give z[:, None]." * (z.ndim == 1 and z.size > 0),
        )
    return z


def _not_empty(name, array):
    if array.size == 0:
        raise complaint(ValueError, f"{name} {array.shape} is empty, and so has no mean")

"""Normalization: cells brought to mean 0 and variance 1. And dropout, which leaves cells out.

Batch normalization takes its mean over the batch, group normalization within each sample.
"""

import numpy as np

from cnnbp.layer import Layer
from cnnbp.shape import (
    complaint,
    float_dtype,
    floats,
    images,
    positive,
    positive_real,
    real,
    same_shape,
    samples_first,
    samples_last,
    share,
)

EACH_CHANNEL = (0, 2, 3)  # the axes N, H, W: one mean for each channel of a batch
EACH_GROUP = (2, 3, 4)  # of (N, groups, C/groups, H, W): one mean for each group of a sample


def batch_norm2d(x, gamma, beta, *, eps=1e-5):
    """Bring every channel to mean 0 and variance 1 over the batch, then scale and shift it.

    z[n,c,h,v] = gamma[c] · (x[n,c,h,v] − mean[c]) / √(variance[c] + eps) + beta[c]

    x            (N, C, H, W)   images, of which mean and variance are taken over N, H and W
    gamma, beta  (C, 1, 1)      a scale and a shift for each channel
    eps          float > 0      keeps a constant channel from dividing by 0; its z is beta
    returns      (N, C, H, W)

    Raises ValueError if the shapes disagree, eps is not positive or the batch is empty (it has no
    mean). A NaN spreads to its whole channel.
    Gradient: batch_norm2d_backward.  Lesson 12.  Source: Ioffe and Szegedy, 2015.

    >>> batch_norm2d([[[[1, 3]]], [[[1, 3]]]], [[[2]]], [[[10]]])[0].round(3)
    array([[[ 8., 12.]]])
    """
    x, gamma, beta = _check(x, gamma, beta, eps)
    _not_empty(x)
    normalized, _ = standardized(x, EACH_CHANNEL, eps)
    return gamma * normalized + beta


def batch_norm2d_backward(dz, x, gamma, *, eps=1e-5):
    """The gradients of a loss by batch_norm2d's x, gamma and beta, given its dz.

    Every cell of x also moves its channel's mean and variance, hence two terms more:
    dx     = gamma/deviation · (dz − mean of dz − y · mean of dz·y)      y = (x − mean)/deviation
    dgamma = Σ dz·y      dbeta = Σ dz      all sums and means over N, H and W

    dz, x    (N, C, H, W)   x as given to batch_norm2d
    gamma    (C, 1, 1)      as given to batch_norm2d, as eps
    returns  dx (N, C, H, W), dgamma (C, 1, 1), dbeta (C, 1, 1)

    Raises ValueError as batch_norm2d does, and if dz does not have the shape of x.
    Forward: batch_norm2d.  Lesson 12.  Source: chain rule, summed over the three uses of x.

    >>> dx, dgamma, dbeta = batch_norm2d_backward([[[[1, 0, 1]]]], [[[[1, 2, 3]]]], [[[2]]])
    >>> dx.round(3), dgamma, dbeta
    (array([[[[ 0.816, -1.633,  0.816]]]]), array([[[0.]]]), array([[[2.]]]))
    """
    dz, x, gamma = _check_backward(dz, x, gamma, eps)
    _not_empty(x)
    normalized, deviation = standardized(x, EACH_CHANNEL, eps)
    dx = _standardized_backward(gamma * dz, normalized, deviation, EACH_CHANNEL)
    return dx, *_scale_and_shift_backward(dz, normalized)


def group_norm(x, gamma, beta, groups, *, eps=1e-5):
    """Bring every group of channels of every sample to mean 0 and variance 1, scale and shift.

    z[n,c,h,v] = gamma[c] · (x[n,c,h,v] − mean[n,g]) / √(variance[n,g] + eps) + beta[c], where g
    is the group of channel c. One group is layer normalization; as many groups as channels is
    instance normalization. The other samples of the batch have no say.

    x            (N, C, H, W)   images
    gamma, beta  (C, 1, 1)      a scale and a shift for each channel
    groups       int            divides C; neighboring channels form a group
    eps          float > 0      keeps a constant group from dividing by 0; its z is beta
    returns      (N, C, H, W)

    Raises ValueError if the shapes disagree, groups does not divide C or eps is not positive. A NaN
    spreads to its whole group. An empty batch gives an empty batch.
    Gradient: group_norm_backward.  Lesson 12.  Source: Wu and He, 2018.

    >>> group_norm([[[[1, 3]], [[5, 5]]]], np.ones((2, 1, 1)), np.zeros((2, 1, 1)), 2).round(3)
    array([[[[-1.,  1.]],
    <BLANKLINE>
            [[ 0.,  0.]]]])
    """
    x, gamma, beta = _check(x, gamma, beta, eps)
    normalized, _ = standardized(grouped(x, groups), EACH_GROUP, eps)
    return gamma * normalized.reshape(x.shape) + beta


def group_norm_backward(dz, x, gamma, groups, *, eps=1e-5):
    """The gradients of a loss by group_norm's x, gamma and beta, given its dz.

    As batch_norm2d_backward, but with means over a group of a sample in place of a channel of
    the batch; dgamma and dbeta sum over N, H and W here, too.

    dz, x    (N, C, H, W)   x as given to group_norm
    gamma    (C, 1, 1)      as given to group_norm, as groups and eps
    returns  dx (N, C, H, W), dgamma (C, 1, 1), dbeta (C, 1, 1)

    Raises ValueError as group_norm does, and if dz does not have the shape of x.
    Forward: group_norm.  Lesson 12.  Source: chain rule, summed over the three uses of x.

    >>> dx, dgamma, dbeta = group_norm_backward([[[[1, 0, 1]]]], [[[[1, 2, 3]]]], [[[2]]], 1)
    >>> dx.round(3), dgamma, dbeta
    (array([[[[ 0.816, -1.633,  0.816]]]]), array([[[0.]]]), array([[[2.]]]))
    """
    dz, x, gamma = _check_backward(dz, x, gamma, eps)
    in_groups = grouped(x, groups)
    normalized, deviation = standardized(in_groups, EACH_GROUP, eps)
    upstream = (gamma * dz).reshape(in_groups.shape)
    dx = _standardized_backward(upstream, normalized, deviation, EACH_GROUP)
    return dx.reshape(x.shape), *_scale_and_shift_backward(dz, normalized.reshape(x.shape))


def standardized(x, axes, eps):
    """y = (x − mean) / deviation over these axes, and deviation = √(variance + eps)."""
    centered = x - _mean(x, axes)
    # as a float, for np.float64 would make float32 wider
    deviation = np.sqrt(_mean(centered**2, axes) + float(eps))
    return centered / deviation, deviation


def _standardized_backward(dy, y, deviation, axes):
    """dx: what comes straight back, minus what comes back through the mean and the variance."""
    through_mean = _mean(dy, axes)
    through_variance = y * _mean(dy * y, axes)
    return (dy - through_mean - through_variance) / deviation


def _mean(x, axes):
    """The mean over these axes, each of which stays with length 1.

    Summed in float64: in float32 the mean of a thousand equal numbers is not quite that number,
    and dividing what is left by √eps would blow it up.
    """
    return x.mean(axis=axes, keepdims=True, dtype=np.float64).astype(x.dtype)


def _scale_and_shift_backward(dz, normalized):
    """dgamma and dbeta, both (C, 1, 1)."""
    dgamma = (dz * normalized).sum(axis=EACH_CHANNEL, keepdims=True)[0]
    dbeta = dz.sum(axis=EACH_CHANNEL, keepdims=True)[0]
    return dgamma, dbeta


def grouped(x, groups):
    """x as (N, groups, C/groups, H, W), a view."""
    N, C, H, W = x.shape
    _divides(groups, C)
    return x.reshape(N, groups, C // groups, H, W)


def _divides(groups, channels):
    positive(groups, "groups")
    if channels % groups:
        raise complaint(ValueError, f"groups {groups} must divide the {channels} channels")


def _check(x, gamma, beta, eps):
    """x samples last, gamma and beta, in one dtype; or the error that helps."""
    x, gamma, beta = floats(x=x, gamma=gamma, beta=beta)
    (x,) = images(x=x)
    for name, array in {"gamma": gamma, "beta": beta}.items():
        reason = f"(C, 1, 1) for the channels of x {x.shape}"
        same_shape(name, array, (x.shape[1], 1, 1), reason)
    positive_real(eps, "eps")
    return samples_first(samples_last(x)), gamma, beta


def _check_backward(dz, x, gamma, eps):
    """dz and x samples last, and gamma, in one dtype; or the error that helps."""
    x, gamma, _ = _check(x, gamma, gamma, eps)
    dz, x, gamma = floats(dz=dz, x=x, gamma=gamma)
    same_shape("dz", dz, x.shape, "the shape of x")
    return samples_first(samples_last(dz)), x, gamma


def _not_empty(x):
    if len(x) == 0:
        raise complaint(ValueError, f"x {x.shape} is an empty batch, and so has no mean")


def dropout(x, mask):
    """Leave cells out, and scale the others up so that the expected value stays.

    z = x · mask

    x        any shape
    mask     that shape, 0 or 1/(1 − p), with p the share of cells left out
    returns  that shape; NaN stays NaN, even where the mask is 0

    Raises ValueError if the shapes differ.
    Gradient: dropout_backward.  Lesson 12.  Source: Srivastava et al., 2014, scaled in training.

    >>> dropout([1, 2, 3], [2, 0, 2])
    array([2., 0., 6.])
    """
    return _masked("x", x, mask)


def dropout_backward(dz, mask):
    """Pass the gradient where the cell was kept, scaled as the cell was.

    dx = dz · mask

    dz, mask  the same shape, mask as given to dropout
    returns   that shape

    Raises ValueError if the shapes differ.
    Forward: dropout.  Lesson 12.  Source: slope of a product with a constant.

    >>> dropout_backward([10, 20, 30], [2, 0, 2])
    array([20.,  0., 60.])
    """
    return _masked("dz", dz, mask)


def _masked(name, array, mask):
    array, mask = floats(**{name: array, "mask": mask})
    same_shape("mask", mask, array.shape, f"the shape of {name}")
    return array * mask


class BatchNorm2d(Layer):
    """batch_norm2d with its scales and shifts, and running statistics for evaluation.

    channels  C
    eps       added to the variance
    momentum  how much of a running statistic each training batch replaces

    params                      gamma (C, 1, 1) ones, beta (C, 1, 1) zeros
    running_mean, running_var   (C, 1, 1); each forward(x, training=True) makes them
                                (1 − momentum)·running + momentum·batch, the variance with
                                N·H·W − 1 in its denominator (N·H·W in the normalization itself)

    forward(x) without training normalizes by the running statistics; they are then constants, to
    the backward pass, too. Before any training they are mean 0 and variance 1, so that x passes
    as it is, but for eps.

    >>> layer = BatchNorm2d(1)
    >>> z = layer.forward([[[[1, 3]]]], training=True)
    >>> layer.running_mean.item(), layer.running_var.item()
    (0.2, 1.1)
    """

    def __init__(self, channels, *, eps=1e-5, momentum=0.1, dtype=np.float64):
        positive(channels, "channels")
        real(momentum, "momentum", lambda number: 0 <= number <= 1, "from 0 to 1")
        positive_real(eps, "eps")
        float_dtype(dtype)
        ones, zeros = np.ones((channels, 1, 1), dtype), np.zeros((channels, 1, 1), dtype)
        super().__init__({"gamma": ones, "beta": zeros}, {"eps": eps})
        self.momentum = momentum
        self.running_mean, self.running_var = zeros.copy(), ones.copy()
        self.training = False

    def forward(self, x, training=False):
        if training:
            z = batch_norm2d(x, **self.params, **self.options)
            self._update_running(x)
        else:
            x_checked, gamma, beta = _check(x, **self.params, **self.options)
            z = gamma * self._by_running(x_checked)[0] + beta
        self.x, self.training = x, training
        return z

    def backward(self, dz):
        x, gamma = self.remembered(), self.params["gamma"]
        if self.training:
            dx, dgamma, dbeta = batch_norm2d_backward(dz, x, gamma, **self.options)
        else:
            dz, x, gamma = _check_backward(dz, x, gamma, **self.options)
            normalized, deviation = self._by_running(x)
            dx = gamma / deviation * dz
            dgamma, dbeta = _scale_and_shift_backward(dz, normalized)
        self.grads.update(gamma=dgamma, beta=dbeta)
        return dx

    def tangent(self, v):
        x, gamma = self.remembered(), self.params["gamma"]
        x, gamma, _ = _check(x, gamma, gamma, **self.options)
        if not self.training:
            _, deviation = self._by_running(x)
            return gamma / deviation * v
        normalized, deviation = standardized(x, EACH_CHANNEL, **self.options)
        return gamma * _standardized_backward(v, normalized, deviation, EACH_CHANNEL)

    @property
    def constants(self):
        """(mean, variance) if the last pass was normalized by running statistics, else None."""
        return None if self.training else (self.running_mean, self.running_var)

    def _by_running(self, x):
        """x normalized by the running statistics, and the deviation it was divided by."""
        deviation = np.sqrt(self.running_var + float(self.options["eps"]))
        return (x - self.running_mean) / deviation, deviation

    def _update_running(self, x):
        (x,) = images(x=x)
        count = x[:, 0].size
        if count == 1:
            raise complaint(
                ValueError,
                f"one value per channel has no variance — x is {x.shape}. "
                "Train with more samples or larger images.",
            )
        over = {"axis": EACH_CHANNEL, "dtype": np.float64}
        self.running_mean = self._moved(self.running_mean, x.mean(**over))
        self.running_var = self._moved(self.running_var, x.var(**over, ddof=1))

    def _moved(self, running, batch):
        moved = (1 - self.momentum) * running + self.momentum * batch.reshape(running.shape)
        return moved.astype(running.dtype)


class GroupNorm(Layer):
    """group_norm with its scales and shifts.

    groups    divides the channels; 1 is layer normalization
    channels  C
    eps       added to the variance

    params  gamma (C, 1, 1) ones, beta (C, 1, 1) zeros

    >>> GroupNorm(1, 2).forward([[[[1, 1]], [[3, 3]]]]).round(3)[0, :, 0]
    array([[-1., -1.],
           [ 1.,  1.]])
    """

    def __init__(self, groups, channels, *, eps=1e-5, dtype=np.float64):
        positive(channels, "channels")
        _divides(groups, channels)
        positive_real(eps, "eps")
        float_dtype(dtype)
        ones, zeros = np.ones((channels, 1, 1), dtype), np.zeros((channels, 1, 1), dtype)
        super().__init__({"gamma": ones, "beta": zeros}, {"groups": groups, "eps": eps})

    def forward(self, x, training=False):
        z = group_norm(x, **self.params, **self.options)
        self.x = x
        return z

    def backward(self, dz):
        x, gamma = self.remembered(), self.params["gamma"]
        dx, dgamma, dbeta = group_norm_backward(dz, x, gamma, **self.options)
        self.grads.update(gamma=dgamma, beta=dbeta)
        return dx

    def tangent(self, v):
        x, gamma, _ = _check(self.remembered(), *[self.params["gamma"]] * 2, self.options["eps"])
        in_groups = grouped(x, self.options["groups"])
        normalized, deviation = standardized(in_groups, EACH_GROUP, self.options["eps"])
        v = np.reshape(v, in_groups.shape)
        moved = _standardized_backward(v, normalized, deviation, EACH_GROUP)
        return gamma * moved.reshape(x.shape)


class Dropout(Layer):
    """dropout with a new random mask in every training pass; without training, nothing happens.

    p     share of cells left out, 0 ≤ p < 1
    rng   numpy Generator or seed of the masks

    >>> layer = Dropout(0.5, rng=0)
    >>> layer.forward([1.0, 1.0, 1.0, 1.0], training=True)
    array([2., 0., 0., 0.])
    >>> layer.backward([1.0, 2.0, 3.0, 4.0]), layer.forward([1.0, 1.0])
    (array([2., 0., 0., 0.]), array([1., 1.]))
    """

    def __init__(self, p, rng=None):
        share(p, "p")
        super().__init__()
        self.p = p
        self.rng = np.random.default_rng(rng)
        self.mask = None  # of the last pass; None after one without training

    def forward(self, x, training=False):
        (z,) = floats(x=x)
        mask = None
        if training:
            mask = np.empty_like(z)  # laid out in memory as x is, and so their product
            mask[...] = (self.rng.random(z.shape) >= self.p) / (1 - self.p)
            z = dropout(z, mask)
        self.x, self.mask = x, mask
        return z

    def backward(self, dz):
        x_shape = np.shape(self.remembered())
        (dz,) = floats(dz=dz)
        same_shape("dz", dz, x_shape, "the shape of x")
        return dz if self.mask is None else dropout_backward(dz, self.mask)

    @property
    def factors(self):
        """The mask of the last pass; ones if it was without training."""
        return np.ones(np.shape(self.remembered())) if self.mask is None else self.mask

    def tangent(self, v):
        return self.backward(v)  # a factor for each cell is its own transpose

    def __repr__(self):
        return f"Dropout(p={self.p})"

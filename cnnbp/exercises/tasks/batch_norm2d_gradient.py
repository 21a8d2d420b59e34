"""The exercise on batch normalization, the backward pass with the most paths."""

import numpy as np

from cnnbp.exercises import cases
from cnnbp.exercises.task import exercise
from cnnbp.gradcheck import numeric_gradient
from cnnbp.normalization import batch_norm2d, batch_norm2d_backward

PATHS = "10, mean and variance are made of x, too"


def batch(rng, x_shape, eps, draw=cases.normal):
    dz, x = draw(rng, x_shape), draw(rng, x_shape)
    return {"dz": dz, "x": x, "gamma": draw(rng, (x_shape[1], 1, 1)), "eps": eps}


def gradient(dz, x, gamma, eps):
    return batch_norm2d_backward(dz, x, gamma, eps=eps)[0]


def numeric(dz, x, gamma, eps):
    beta = np.zeros_like(gamma)
    return numeric_gradient(lambda x: (dz * batch_norm2d(x, gamma, beta, eps=eps)).sum(), x)


@exercise(
    lesson="10",
    given={
        "dz": "N C H W: gradient of the loss by z",
        "x": "N C H W: the layer's input",
        "gamma": "C 1 1: a scale for each channel",
        "eps": "float",
    },
    returns={"dx": "N C H W"},
    tiny=lambda rng: batch(rng, (2, 1, 1, 3), 0.5, cases.distinct),
    cases=lambda rng: [
        batch(rng, (3, 2, 1, 2), 0.125),
        batch(rng, (2, 3, 4, 3), 0.25),
        batch(rng, (4, 2, 3, 3), 0.0625),
    ],
    answer=gradient,
    numeric=numeric,
    hints=[
        "Go forward first: the mean and variance of each channel over N, H and W, then "
        "y = (x − mean) / √(variance + eps) and z = gamma·y + beta.",
        "x reaches z by three paths: directly, through the mean, and through the variance.",
        "With dy = gamma·dz, dx = (dy − mean of dy − y·(mean of dy·y)) / √(variance + eps), all "
        "means over N, H and W.",
    ],
)
def batch_norm2d_gradient(dz, x, gamma, eps):
    """The gradient of the loss by the input of a batch normalization.

    Each channel is brought to mean 0 and variance 1 over the batch and all positions,
    y = (x − mean) / √(variance + eps), and then z = gamma·y + beta. The variance is the mean of
    (x − mean)². Every cell of x moves the mean and the variance of its channel, too.
    """
    N, C, H, W = x.shape
    count = N * H * W
    dx = np.zeros(x.shape)
    for c in range(C):
        mean = x[:, c].sum() / count
        deviation = np.sqrt(((x[:, c] - mean) ** 2).sum() / count + eps)
        y = (x[:, c] - mean) / deviation
        dy = gamma[c, 0, 0] * dz[:, c]
        sum_dy = sum_dy_y = 0.0
        for cell in np.ndindex(N, H, W):
            sum_dy += dy[cell]
            sum_dy_y += dy[cell] * y[cell]
        dx[:, c] = (dy - sum_dy / count - y * sum_dy_y / count) / deviation
    return dx


def with_means(dz, x, gamma, eps, mean):
    """The gradient with another idea of a mean."""
    centered = x - mean(x)
    deviation = np.sqrt(mean(centered**2) + eps)
    y, dy = centered / deviation, gamma * dz
    return (dy - mean(dy) - y * mean(dy * y)) / deviation


def sums_divided_by_batch(dz, x, gamma, eps):
    axes, N = (0, 2, 3), len(x)
    centered = x - x.mean(axis=axes, keepdims=True)
    deviation = np.sqrt((centered**2).mean(axis=axes, keepdims=True) + eps)
    y, dy = centered / deviation, gamma * dz
    sums = dy.sum(axis=axes, keepdims=True) + y * (dy * y).sum(axis=axes, keepdims=True)
    return (dy - sums / N) / deviation


@batch_norm2d_gradient.mistake(
    "10, a channel has N·H·W values",
    also=[
        sums_divided_by_batch,
        lambda *given: with_means(*given, lambda a: a.sum(axis=(0, 2, 3), keepdims=True) / len(a)),
    ],
)
def batch_counted_only(dz, x, gamma, eps):
    """You count N values in a channel; its mean and variance run over N, H and W, which makes
    N·H·W."""
    return with_means(dz, x, gamma, eps, lambda a: a.mean(axis=0, keepdims=True))


@batch_norm2d_gradient.mistake(PATHS)
def statistics_taken_as_constants(dz, x, gamma, eps):
    """You treat mean and variance as constants; both are made of x, and what comes back through
    them has to be added."""
    deviation = np.sqrt(x.var(axis=(0, 2, 3), keepdims=True) + eps)
    return gamma * dz / deviation


@batch_norm2d_gradient.mistake(PATHS)
def path_through_the_variance_forgotten(dz, x, gamma, eps):
    """You have the direct path and the one through the mean; the one through the variance is
    missing."""
    dy, axes = gamma * dz, (0, 2, 3)
    deviation = np.sqrt(x.var(axis=axes, keepdims=True) + eps)
    return (dy - dy.mean(axis=axes, keepdims=True)) / deviation


@batch_norm2d_gradient.mistake(PATHS)
def scale_forgotten(dz, x, gamma, eps):
    """Your dx lacks gamma: z = gamma·y + beta, so dy = gamma·dz."""
    return gradient(dz, x, np.ones_like(gamma), eps)


@batch_norm2d_gradient.mistake("10, a channel has N·H·W values", convention=True)
def unbiased_variance(dz, x, gamma, eps):
    """You divide the variance by N·H·W − 1; here it is the plain mean of squares, N·H·W."""
    axes, count = (0, 2, 3), x[:, 0].size
    centered, dy = x - x.mean(axis=axes, keepdims=True), gamma * dz
    deviation = np.sqrt((centered**2).sum(axis=axes, keepdims=True) / (count - 1) + eps)
    y = centered / deviation
    through_variance = y * (dy * y).sum(axis=axes, keepdims=True) / (count - 1)
    return (dy - dy.mean(axis=axes, keepdims=True) - through_variance) / deviation

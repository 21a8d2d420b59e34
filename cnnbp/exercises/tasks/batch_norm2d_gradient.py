"""The exercise on batch normalization, the backward pass with the most paths."""

import numpy as np

from cnnbp.exercises import cases, choices
from cnnbp.exercises.choices import wrong
from cnnbp.exercises.task import exercise
from cnnbp.gradcheck import numeric_gradient
from cnnbp.normalization import batch_norm2d, batch_norm2d_backward

PATHS = "12, mean and variance are made of x, too"
COUNT = "12, a channel has N·H·W values"


def batch(rng, x_shape, eps):
    dz, x = (cases.normal(rng, x_shape) for _ in range(2))
    return {"dz": dz, "x": x, "gamma": cases.normal(rng, (x_shape[1], 1, 1)), "eps": eps}


def batch_by_hand(rng):
    """Mean 1, variance + eps = 4, mean of dz 1, of dz·y ½: so dx is made of halves."""
    dz = np.array([2.0, 1, 2, -1, 2, 0])
    x = np.array([3.0, 3, -1, -1, 2, 0])
    order = rng.permutation(6)
    dz, x = (values[order].reshape(2, 1, 1, 3) for values in (dz, x))
    return {"dz": dz, "x": x, "gamma": np.full((1, 1, 1), 4.0), "eps": 1.0}


def gradient(dz, x, gamma, eps):
    return batch_norm2d_backward(dz, x, gamma, eps=eps)[0]


def numeric(dz, x, gamma, eps):
    beta = np.zeros_like(gamma)
    return numeric_gradient(lambda x: (dz * batch_norm2d(x, gamma, beta, eps=eps)).sum(), x)


@exercise(
    lesson="12",
    given={
        "dz": "N C H W: gradient of the loss by z",
        "x": "N C H W: the layer's input",
        "gamma": "C 1 1: a scale for each channel",
        "eps": "float",
    },
    returns={"dx": "N C H W"},
    tiny=batch_by_hand,
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
        "x reaches z by three paths. With c = x − mean and dy = gamma·dz, go backward: the "
        "deviation gets Σ dy·(−y/deviation), the variance that · 1/(2·deviation), and c gets "
        "dy/deviation + the variance's · 2·c/n, where n = N·H·W.",
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


def over(*axes):
    """The mean over some axes, which are kept."""
    return lambda a: a.mean(axis=axes, keepdims=True)


def sums_divided_by_batch(dz, x, gamma, eps):
    channel = over(0, 2, 3)
    y, deviation = normalized(x, channel, eps)
    dy, cells = gamma * dz, x[0, 0].size
    return (dy - cells * (channel(dy) + y * channel(dy * y))) / deviation


def normalized(x, mean, eps):
    centered = x - mean(x)
    deviation = np.sqrt(mean(centered**2) + eps)
    return centered / deviation, deviation


# fmt: off
MEANS = [
    over(0, 2, 3),
    wrong("batch_counted_only", COUNT, "you count N values in a channel: its mean and variance run "
        "over N, H and W, which makes N·H·W.", over(0),
        lambda a: a.sum(axis=(0, 2, 3), keepdims=True) / len(a), also=(sums_divided_by_batch,)),
    wrong("all_channels_together", COUNT, "mean and variance are taken over the whole array: every "
        "channel has its own, over N, H and W, the axes 0, 2 and 3.", over(0, 1, 2, 3)),
    wrong("axes_of_another_layout", COUNT, "mean and variance are taken over other axes: channels "
        "are axis 1, so they run over the axes 0, 2 and 3.", over(0, 1, 2), over(0, 1), over(0, 2),
        over(0, 3), over(0, 1, 3), alone=True),
    wrong("every_sample_by_itself", COUNT, "mean and variance are taken in every sample: batch "
        "normalization takes them over the batch as well, the axes 0, 2 and 3.", over(2, 3),
        over(1, 2, 3), over(1)),
]
SCALES = [
    lambda dz, gamma: gamma * dz,
    wrong("scale_forgotten", PATHS, "{yours} {are} without gamma: z = gamma·y + beta, so dy = "
        "gamma·dz.", lambda dz, gamma: dz),
    wrong("scale_taken_twice", PATHS, "the scale gamma is multiplied in twice: z = gamma·y + beta, "
        "so dy = gamma·dz, once.", lambda dz, gamma: gamma**2 * dz),
    wrong("divided_by_the_scale", PATHS, "the gradient dz is divided by gamma: z = gamma·y + beta, "
        "so dy = gamma·dz.", lambda dz, gamma: dz / gamma),
]
THROUGH_MEAN = [
    lambda dy, mean: mean(dy),
    wrong("path_through_the_mean_forgotten", PATHS, "the path through the mean is missing: every "
        "cell moves the mean of its channel, which takes the mean of dy away.",
        lambda dy, mean: 0.0),
    wrong("path_through_the_mean_added", PATHS, "the path through the mean has the wrong sign: the "
        "mean is subtracted from x, so the mean of dy is subtracted, too.",
        lambda dy, mean: -mean(dy)),
    wrong("mean_of_dy_not_divided", COUNT, "the path through the mean has the sum of dy: divide by "
        "the N·H·W values of a channel.", lambda dy, mean: mean(dy) * dy[:, 0].size),
]
THROUGH_VARIANCE = [
    lambda y, dy, mean, deviation: y * mean(dy * y),
    wrong("path_through_the_variance_forgotten", PATHS, "the path through the variance is missing: "
        "you have the direct one and the one through the mean.",
        lambda y, dy, mean, deviation: 0.0),
    wrong("two_of_the_square_missing", PATHS, "the path through the variance is half of what it "
        "should be: the slope of (x − mean)² is 2·(x − mean).",
        lambda y, dy, mean, deviation: y * mean(dy * y) / 2),
    wrong("half_of_the_root_missing", PATHS, "the path through the variance is twice what it "
        "should be: the slope of the deviation by the variance is 1/(2·deviation).",
        lambda y, dy, mean, deviation: y * mean(dy * y) * 2),
    wrong("path_through_the_variance_added", PATHS, "the path through the variance has the wrong "
        "sign: a larger variance makes y smaller, so it is subtracted.",
        lambda y, dy, mean, deviation: -y * mean(dy * y)),
    wrong("mean_of_dy_y_not_divided", COUNT, "the path through the variance has the sum of dy·y: "
        "divide by the N·H·W values of a channel.",
        lambda y, dy, mean, deviation: y * mean(dy * y) * dy[:, 0].size),
    wrong("power_of_the_deviation_wrong", PATHS, "the path through the variance has the deviation "
        "in a wrong power: the slope of y by the deviation is −y/deviation, and that of the "
        "deviation by the variance 1/(2·deviation).",
        lambda y, dy, mean, deviation: y * mean(dy * y) * deviation,
        lambda y, dy, mean, deviation: y * mean(dy * y) * deviation**2,
        lambda y, dy, mean, deviation: y * mean(dy * y) / deviation),
]
DEVIATIONS = [
    lambda variance, eps: np.sqrt(variance + eps),
    wrong("eps_left_out", PATHS, "the small eps is left out: the deviation is √(variance + eps).",
        lambda variance, eps: np.sqrt(variance)),
    wrong("eps_outside_the_root", PATHS, "the small eps is added outside the root: the deviation "
        "is √(variance + eps).", lambda variance, eps: np.sqrt(variance) + eps),
    wrong("root_forgotten", PATHS, "the root is missing: the deviation is √(variance + eps).",
        lambda variance, eps: variance + eps),
]
LAST = [
    lambda dx, deviation: dx / deviation,
    wrong("not_divided_by_the_deviation", PATHS, "{yours} {are} not divided by the deviation at "
        "the end: y is (x − mean) / √(variance + eps), and so is its gradient.",
        lambda dx, deviation: dx),
    wrong("multiplied_by_the_deviation", PATHS, "{yours} {are} multiplied by the deviation where "
        "it should be divided.", lambda dx, deviation: dx * deviation),
    wrong("divided_by_the_variance", PATHS, "{yours} {are} divided by variance + eps where it "
        "should be divided by its root, the deviation.", lambda dx, deviation: dx / deviation**2),
]


@batch_norm2d_gradient.steps(
    mean=MEANS,
    deviation=DEVIATIONS,
    scale=SCALES,
    through_mean=THROUGH_MEAN,
    through_variance=THROUGH_VARIANCE,
    last=LAST,
    factors={
        "N·H·W": choices.factor("count_not_divided", COUNT, "{yours} {are} not divided by the "
            "N·H·W values of a channel: means, not sums."),
        "1/N": choices.over_batch(),
        "−1": choices.sign(PATHS),
    },
)
def by_steps(steps, dz, x, gamma, eps):
    mean = steps.mean
    centered = x - mean(x)
    deviation = steps.deviation(mean(centered**2), eps)
    y, dy = centered / deviation, steps.scale(dz, gamma)
    paths = steps.through_mean(dy, mean) + steps.through_variance(y, dy, mean, deviation)
    return steps.last(dy - paths, deviation)


@batch_norm2d_gradient.mistake(
    PATHS, also=[lambda dz, x, gamma, eps: gamma * dz * normalized(x, over(0, 2, 3), eps)[1]]
)
def statistics_taken_as_constants(dz, x, gamma, eps):
    """You treat mean and variance as constants: both are made of x, and what comes back through
    them has to be added."""
    return gamma * dz / normalized(x, over(0, 2, 3), eps)[1]


def unbiased_on_the_way_forward(dz, x, gamma, eps):
    count, channel = x[:, 0].size, over(0, 2, 3)
    centered, dy = x - channel(x), gamma * dz
    deviation = np.sqrt(channel(centered**2) * count / (count - 1) + eps)
    y = centered / deviation
    return (dy - channel(dy) - y * channel(dy * y)) / deviation


@batch_norm2d_gradient.mistake(
    PATHS, also=[lambda dz, x, gamma, eps: normalized(x, over(0, 2, 3), eps)[0]]
)
def forward_in_place_of_backward(dz, x, gamma, eps):
    """You return the layer's output, as on the way forward: what goes back is made of dz."""
    return gamma * normalized(x, over(0, 2, 3), eps)[0]


@batch_norm2d_gradient.mistake(PATHS)
def path_through_the_variance_with_x(dz, x, gamma, eps):
    """The path through the variance is made of x itself: it is made of y, x without its mean and
    divided by the deviation."""
    dy, channel = gamma * dz, over(0, 2, 3)
    _, deviation = normalized(x, channel, eps)
    return (dy - channel(dy) - x * channel(dy * x)) / deviation


def step_by_step(dz, x, gamma, eps, *, of_deviation, of_mean):
    """The right answer, but for the sums over a channel that are left out."""
    mean, n = over(0, 2, 3), x[:, 0].size
    y, deviation = normalized(x, mean, eps)
    dy = gamma * dz
    ddeviation = -dy * y / deviation
    if of_deviation:
        ddeviation = mean(ddeviation) * n
    dc = dy / deviation + ddeviation / (2 * deviation) * 2 * (y * deviation) / n
    return dc - (mean(dc) if of_mean else dc / n)


@batch_norm2d_gradient.mistake(
    PATHS, also=[lambda *given: step_by_step(*given, of_deviation=False, of_mean=False)]
)
def sum_over_the_deviation_forgotten(dz, x, gamma, eps):
    """The deviation's gradient is not summed: it is one number for a channel, as every y has used
    the deviation."""
    return step_by_step(dz, x, gamma, eps, of_deviation=False, of_mean=True)


@batch_norm2d_gradient.mistake(PATHS)
def sum_over_the_mean_forgotten(dz, x, gamma, eps):
    """The mean's gradient is not summed: it is one number for a channel, as every x − mean has
    used the mean."""
    return step_by_step(dz, x, gamma, eps, of_deviation=True, of_mean=False)


@batch_norm2d_gradient.mistake(COUNT, also=[unbiased_on_the_way_forward], convention=True)
def unbiased_variance(dz, x, gamma, eps):
    """You divide the variance by N·H·W − 1: here it is the plain mean of squares, N·H·W."""
    count, channel = x[:, 0].size, over(0, 2, 3)
    centered, dy = x - channel(x), gamma * dz
    deviation = np.sqrt(channel(centered**2) * count / (count - 1) + eps)
    y = centered / deviation
    return (dy - channel(dy) - y * channel(dy * y) * count / (count - 1)) / deviation

"""The exercise on the softmax cross-entropy, where every backward pass of a classifier starts."""

import numpy as np

from cnnbp.exercises import cases
from cnnbp.exercises.task import exercise
from cnnbp.gradcheck import numeric_gradient
from cnnbp.loss import softmax, softmax_cross_entropy

GRADIENT = "04, the gradient of the softmax cross-entropy"


def scores(rng, K, N, draw=cases.normal):
    return {"z": draw(rng, (K, N)), "labels": rng.integers(K, size=N)}


def numeric(z, labels):
    return numeric_gradient(lambda z: softmax_cross_entropy(z, labels)[0], z)


@exercise(
    lesson="04",
    given={
        "z": "K N: scores, a column for each sample",
        "labels": "N: ints from 0 to K − 1",
    },
    returns={"dz": "K N"},
    tiny=lambda rng: scores(rng, 3, 2, lambda rng, shape: np.zeros(shape)),
    cases=lambda rng: [scores(rng, K, N) for K, N in ((3, 2), (4, 5), (5, 3))],
    answer=lambda z, labels: softmax_cross_entropy(z, labels)[1],
    numeric=numeric,
    hints=[
        "The probabilities of a sample: e to the power of its scores, divided by their sum.",
        "dz is almost these probabilities; only the row of the right label differs, by 1.",
        "The loss is a mean over N samples. Where does its 1/N go?",
    ],
    stub="The gradient by the scores of the mean of −log p[label], p being their softmax.",
)
def softmax_cross_entropy_gradient(z, labels):
    """The gradient by the scores of the mean of −log p[label], p being the softmax of the scores.

    p[k,n] = e^z[k,n] / Σ_l e^z[l,n], and the loss is the mean of −log p[labels[n], n] over n.
    """
    K, N = z.shape
    dz = np.zeros((K, N))
    for n in range(N):
        total = sum(np.exp(z[k, n]) for k in range(K))
        for k in range(K):
            p = np.exp(z[k, n]) / total
            dz[k, n] = (p - (k == labels[n])) / N
    return dz


@softmax_cross_entropy_gradient.mistake("04, the 1/N of the loss")
def mean_forgotten(z, labels):
    """Your dz lacks the 1/N of the mean: each sample is one Nth of the loss."""
    return softmax_cross_entropy(z, labels)[1] * z.shape[1]


@softmax_cross_entropy_gradient.mistake(GRADIENT, also=[lambda z, labels: softmax(z) - labels])
def label_number_subtracted(z, labels):
    """You subtract the label's number from the probabilities; subtract its one-hot column, 1 in the
    row of the label and 0 elsewhere."""
    return (softmax(z) - labels) / z.shape[1]


@softmax_cross_entropy_gradient.mistake(GRADIENT)
def label_not_subtracted(z, labels):
    """Your dz is the probabilities alone; subtract 1 in the row of the right label."""
    return softmax(z) / z.shape[1]


@softmax_cross_entropy_gradient.mistake(GRADIENT)
def softmax_over_the_batch(z, labels):
    """Your probabilities sum to 1 along the batch; the classes of one sample compete, so sum over
    the rows, axis 0."""
    p = softmax(z.T).T
    p[labels, np.arange(z.shape[1])] -= 1
    return p / z.shape[1]

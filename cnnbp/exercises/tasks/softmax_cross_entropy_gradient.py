"""The exercise on the softmax cross-entropy, where every backward pass of a classifier starts."""

import numpy as np

from cnnbp.exercises import cases, choices
from cnnbp.exercises.choices import wrong
from cnnbp.exercises.task import exercise
from cnnbp.gradcheck import numeric_gradient
from cnnbp.loss import softmax, softmax_cross_entropy

GRADIENT = "05, the gradient of the softmax cross-entropy"
ONE_NTH = "05, the 1/N of the loss"


def scores(rng, K, N, draw=cases.normal):
    return {"z": draw(rng, (K, N)), "labels": rng.integers(K, size=N)}


def numeric(z, labels):
    return numeric_gradient(lambda z: softmax_cross_entropy(z, labels)[0], z)


@exercise(
    lesson="05",
    given={
        "z": "K N: scores, a column for each sample",
        "labels": "N: ints from 0 to K − 1",
    },
    returns={"dz": "K N"},
    tiny=lambda rng: scores(rng, 3, 2, lambda rng, shape: np.zeros(shape)),
    cases=lambda rng: [scores(rng, K, N) for K, N in ((3, 2), (4, 5), (5, 3), (4, 4))],
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


def one_hot(labels, K):
    return 1.0 * (np.arange(K)[:, None] == labels)


def hot_at(rows, columns, K, N):
    """1 at these places and 0 elsewhere."""
    hot = np.zeros((K, N))
    hot[rows, columns] = 1
    return hot


# fmt: off
PROBABILITIES = [
    softmax,
    wrong("softmax_over_the_batch", GRADIENT, "the probabilities sum to 1 along the batch: the "
        "classes of one sample compete, so sum over the rows, axis 0.", lambda z: softmax(z.T).T),
    wrong("softmax_over_everything", GRADIENT, "the probabilities of all samples together sum to "
        "1: each sample's do, so sum over the rows, axis 0.",
        lambda z: np.exp(z) / np.exp(z).sum()),
    wrong("not_normalized", GRADIENT, "the exponentials are not divided by their sum: "
        "probabilities sum to 1 in every column.", np.exp),
    wrong("scores_in_place_of_probabilities", GRADIENT, "the scores themselves stand where "
        "probabilities should: first the softmax.", lambda z: z),
    wrong("sigmoid_in_place_of_softmax", GRADIENT, "each score has a sigmoid of its own: the "
        "classes of one sample compete, and the softmax divides by their sum.",
        lambda z: 1 / (1 + np.exp(-z))),
    wrong("shifted_after_the_exponential", GRADIENT, "the largest score is subtracted from the "
        "exponentials: subtract it from the scores, before the exponential is taken.",
        lambda z: (np.exp(z) - z.max(axis=0)) / (np.exp(z) - z.max(axis=0)).sum(axis=0),
        lambda z: np.exp(z) - z.max(axis=0) / np.exp(z).sum(axis=0),
        lambda z: np.exp(z) - z.max() / np.exp(z).sum()),
    wrong("sign_in_the_exponential", GRADIENT, "the exponential has −z: a larger score makes a "
        "larger probability, e^z.", lambda z: softmax(-z)),
    wrong("softmax_without_exponential", GRADIENT, "the scores are divided by their sum without "
        "the exponential: p is e^z divided by the sum of all e^z.", lambda z: z / z.sum(axis=0)),
    wrong("softmax_taken_twice", GRADIENT, "the softmax is applied twice: probabilities are the "
        "softmax of the scores.", lambda z: softmax(softmax(z))),
    wrong("logarithm_of_probabilities", GRADIENT, "the logarithm of the probabilities is taken: it "
        "stands in the loss, but the gradient has the probabilities themselves.",
        lambda z: np.log(softmax(z))),
]
LABELS = [
    lambda p, labels: p - one_hot(labels, len(p)),
    wrong("label_number_subtracted", GRADIENT, "the label's number is subtracted from the "
        "probabilities: subtract its one-hot column, 1 in the row of the label and 0 elsewhere.",
        lambda p, labels: p - labels),
    wrong("label_not_subtracted", GRADIENT, "{yours} {are} made of the probabilities alone: "
        "subtract 1 in the row of the right label.", lambda p, labels: p),
    wrong("labels_counted_from_one", GRADIENT, "the labels are counted from 1: here they begin at "
        "0, so label k is row k.",
        lambda p, labels: p - hot_at(labels - 1, np.arange(len(labels)), *p.shape)),
    wrong("rows_and_columns_swapped", GRADIENT, "the two indices are swapped: the row is the "
        "label, the column the sample, p[labels, np.arange(N)].",
        lambda p, labels: p - hot_at(np.arange(len(labels)), labels, *p.shape)),
    wrong("one_subtracted_everywhere", GRADIENT, "1 is subtracted in more rows than the label's: "
        "p[labels] takes whole rows, so give the column, too, p[labels, np.arange(N)].",
        lambda p, labels: p - 1, lambda p, labels: p - hot_at(labels, slice(None), *p.shape)),
    wrong("label_set_in_place_of_subtracted", GRADIENT, "the row of the right label is set to a "
        "number: 1 is subtracted from its probability, -= 1.",
        *(lambda p, labels, number=number: np.where(one_hot(labels, len(p)) == 1, number, p)
          for number in (-1.0, 1.0, 0.0))),
    wrong("one_added", GRADIENT, "1 is added in the row of the right label: it is subtracted.",
        lambda p, labels: p + one_hot(labels, len(p))),
    wrong("probability_subtracted_from_one", GRADIENT, "the row of the right label holds 1 − p: it "
        "is p − 1.", lambda p, labels: np.where(one_hot(labels, len(p)) == 1, 1 - p, p)),
    wrong("only_the_labels_row", GRADIENT, "only the row of the right label has a gradient: the "
        "other probabilities fall when it rises, so every score has one.",
        lambda p, labels: (p - 1) * one_hot(labels, len(p)),
        lambda p, labels: p * one_hot(labels, len(p)), lambda p, labels: -one_hot(labels, len(p))),
    wrong("softmax_left_out_on_the_way_back", GRADIENT, "the gradient by the probabilities, −1/p, "
        "is handed on: it has to go through the softmax, in which every score moves every p.",
        lambda p, labels: -one_hot(labels, len(p)) / p,
        lambda p, labels: (p - one_hot(labels, len(p))) / (p * (1 - p))),
    wrong("slope_of_the_softmax_once_more", GRADIENT, "a slope p·(1 − p) is multiplied in: p minus "
        "one-hot has gone through the softmax already.",
        lambda p, labels: (p - one_hot(labels, len(p))) * p * (1 - p)),
]
MEANS = [
    lambda dz, p: dz / p.shape[1],
    wrong("only_one_divided_by_batch", ONE_NTH, "only one of the probabilities and the one-hot "
        "columns is divided by N: their difference is.", lambda dz, p: p + (dz - p) / p.shape[1],
        lambda dz, p: p / p.shape[1] + dz - p),
    wrong("divided_by_classes", ONE_NTH, "{yours} {are} divided by K in place of N: the loss is a "
        "mean over the samples.", lambda dz, p: dz / len(p)),
]
LAYOUTS = [
    choices.same,
    wrong("samples_as_rows", GRADIENT, "{yours} {are} transposed: here a sample is a column.",
        lambda dz: dz.T),
    *choices.samples(GRADIENT, axis=1)[1:],
]


@softmax_cross_entropy_gradient.steps(
    probabilities=PROBABILITIES,
    labels=LABELS,
    mean=MEANS,
    layout=LAYOUTS,
    factors={
        "N": choices.factor("mean_forgotten", ONE_NTH, "{yours} {are} without the 1/N of the mean: "
            "each sample is one Nth of the loss."),
        "1/N": choices.factor("divided_by_batch_twice", ONE_NTH, "{yours} {are} divided by N "
            "twice: the mean brings one 1/N."),
        "1/K": choices.factor("divided_by_entries", ONE_NTH, "{yours} {are} divided by K as well: "
            "the loss is a mean over N samples, not over the K·N entries."),
        "−1": choices.sign(GRADIENT),
    },
)
def by_steps(steps, z, labels):
    p = steps.probabilities(z)
    return steps.layout(steps.mean(steps.labels(p, labels), p))

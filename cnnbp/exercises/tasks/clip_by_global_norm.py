"""Clipping gradients by their common norm."""

import numpy as np

from cnnbp.exercises import cases
from cnnbp.exercises.check.results import ListOfArrays
from cnnbp.exercises.task import exercise

CLIPPING = "10, clipping bounds a step"


def clip_case(rng, shapes, share, draw=cases.normal):
    """Gradients, and a limit that is this share of their norm."""
    gradients = [draw(rng, shape) for shape in shapes]
    return {"gradients": gradients, "max_norm": float(share * norm(gradients))}


def norm(gradients):
    return np.sqrt(sum((gradient**2).sum() for gradient in gradients))


def clip(gradients, max_norm):
    factor = max_norm / max(max_norm, norm(gradients))
    return [factor * gradient for gradient in gradients]


@exercise(
    lesson="10",
    given={
        "gradients": "list of arrays",
        "max_norm": "float",
    },
    returns=ListOfArrays("gradients"),
    tiny=lambda rng: {
        "gradients": [rng.permutation([3.0, -1.0, 1.0])[None], rng.permutation([[2.0], [-1.0]])],
        "max_norm": 2.0,
    },
    cases=lambda rng: [
        clip_case(rng, [(2, 3), (2, 1)], 0.5),
        clip_case(rng, [(3, 2, 2), (3, 1, 1), (4,)], 0.25),
        clip_case(rng, [(2, 2), (2, 1)], 1.5),
        {"gradients": [np.zeros((2, 3)), np.zeros(2)], "max_norm": 0.5},
    ],
    answer=clip,
    hints=[
        "One norm for all arrays together: the root of the sum of all squares.",
        "If it is larger than max_norm, every array is multiplied by max_norm / norm.",
        "If it is not, the gradients are returned as they are.",
    ],
)
def clip_by_global_norm(gradients, max_norm):
    """Shorten gradients that are too long together, and keep their direction.

    The norm is the root of the sum of the squares of all entries of all arrays. If it exceeds
    max_norm, all arrays are scaled by one factor so that it becomes max_norm; otherwise they stay.
    """
    total = 0.0
    for gradient in gradients:
        for index in np.ndindex(gradient.shape):
            total += gradient[index] ** 2
    norm = np.sqrt(total)
    if norm <= max_norm:
        return [gradient.copy() for gradient in gradients]
    return [gradient * max_norm / norm for gradient in gradients]


@clip_by_global_norm.mistake(CLIPPING)
def each_element_clipped(gradients, max_norm):
    """You clip every entry by itself, which turns the step into another direction; scale all of
    them by one factor, max_norm / norm."""
    return [np.clip(gradient, -max_norm, max_norm) for gradient in gradients]


@clip_by_global_norm.mistake(CLIPPING)
def each_array_by_its_own_norm(gradients, max_norm):
    """You scale each array by its own norm; the norm is one number for all arrays together."""
    return [clip([gradient], max_norm)[0] for gradient in gradients]


@clip_by_global_norm.mistake(CLIPPING)
def short_gradients_stretched(gradients, max_norm):
    """You also stretch gradients that are short enough; only a norm above max_norm is changed."""
    total = norm(gradients) or 1.0
    return [gradient * max_norm / total for gradient in gradients]


@clip_by_global_norm.mistake(CLIPPING)
def root_forgotten(gradients, max_norm):
    """Your norm is the sum of squares; the root is missing."""
    factor = max_norm / max(max_norm, norm(gradients) ** 2)
    return [factor * gradient for gradient in gradients]


@clip_by_global_norm.mistake(CLIPPING, convention=True)
def small_number_added_to_the_norm(gradients, max_norm):
    """You add a small number to the norm, which saves it from being 0; here max_norm is met
    exactly."""
    factor = min(1.0, max_norm / (norm(gradients) + 1e-6))
    return [factor * gradient for gradient in gradients]

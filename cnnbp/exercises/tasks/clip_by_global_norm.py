"""Clipping gradients by their common norm."""

import numpy as np

from cnnbp.exercises import cases
from cnnbp.exercises.check.results import ListOfArrays
from cnnbp.exercises.choices import wrong
from cnnbp.exercises.task import exercise

CLIPPING = "12, clipping bounds a step"


def clip_case(rng, shapes, share, draw=cases.normal):
    """Gradients, and a limit that is this share of their norm."""
    gradients = [draw(rng, shape) for shape in shapes]
    return {"gradients": gradients, "max_norm": float(share * norm(gradients))}


def far(rng, shape):
    """Large numbers, so that the norm and its square are told apart."""
    return 3 * cases.normal(rng, shape)


def norm(gradients):
    return np.sqrt(sum((gradient**2).sum() for gradient in gradients))


def limited(norms, max_norm):
    """min(1, max_norm / norm), where a norm of 0 is small."""
    return np.array([min(1.0, max_norm / norm) if norm else 1.0 for norm in norms])


def clip(gradients, max_norm):
    [factor] = limited([norm(gradients)], max_norm)
    return [factor * gradient for gradient in gradients]


@exercise(
    lesson="12",
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
        clip_case(rng, [(2, 2), (2, 1)], 5.0),
        clip_case(rng, [(2, 1), (3, 4), (2,)], 0.1),
        *(clip_case(rng, [(2, 3), (4,)], share, far) for share in (1.1, 0.8)),
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


def each(function):
    """One number for each array."""
    return lambda gradients: np.array([function(gradient) for gradient in gradients])


def alone(index):
    """The norm of one array for all of them."""
    return lambda gradients: np.full(len(gradients), norm(gradients[index : index + 1 or None]))


def for_all(function):
    """One number for all arrays."""
    return lambda gradients: np.full(len(gradients), function(gradients))


def flat(gradients):
    return np.concatenate([gradient.ravel() for gradient in gradients])


def array_norm(gradient):
    return np.sqrt((gradient**2).sum())


# fmt: off
NORMS = [
    for_all(norm),
    wrong("each_array_by_its_own_norm", CLIPPING, "each array is scaled by its own norm: the norm "
        "is one number for all arrays together.", each(array_norm)),
    wrong("root_forgotten", CLIPPING, "the norm is the sum of squares: the root is missing.",
        for_all(lambda gradients: norm(gradients) ** 2)),
    wrong("another_norm", CLIPPING, "this is another norm, of the largest entry or of absolute "
        "values: here it is the root of the sum of all squares.",
        for_all(lambda gradients: np.abs(flat(gradients)).max()),
        for_all(lambda gradients: np.abs(flat(gradients)).sum()),
        for_all(lambda gradients: flat(gradients).max()),
        for_all(lambda gradients: abs(flat(gradients).sum())),
        for_all(lambda gradients: np.sqrt(np.abs(flat(gradients)).sum()))),
    wrong("norms_of_arrays_added", CLIPPING, "the norms of the arrays are put together in another "
        "way than by their squares: the norm is √(Σ norm²), the root of the sum of all squares.",
        for_all(lambda gradients: each(array_norm)(gradients).sum()),
        for_all(lambda gradients: each(array_norm)(gradients).max()),
        for_all(lambda gradients: each(array_norm)(gradients).mean())),
    wrong("mean_of_squares", CLIPPING, "the norm has the mean of the squares: it is the root of "
        "their sum.", for_all(lambda gradients: np.sqrt((flat(gradients) ** 2).mean())),
        for_all(lambda gradients: norm(gradients) / np.sqrt(len(gradients)))),
    wrong("norm_of_one_array", CLIPPING, "the norm is the one of a single array: it is one number "
        "for all arrays together, so add up the squares of all.", alone(-1), alone(0)),
]
SCALES = [
    limited,
    wrong("short_gradients_stretched", CLIPPING, "gradients that are short enough are stretched as "
        "well: only a norm above max_norm is changed.", lambda norms, max_norm: max_norm / norms,
        lambda norms, max_norm: np.maximum(1.0, max_norm / norms)),
    wrong("divided_by_a_norm_of_zero", CLIPPING, "the limit is divided by a norm of 0 where every "
        "gradient is 0: compare first, and return short gradients as they are.",
        lambda norms, max_norm: [min(1.0, max_norm / float(norm)) for norm in norms],
        lambda norms, max_norm: np.where(norms > 0, limited(norms, max_norm), np.nan)),
    wrong("scaled_to_length_one", CLIPPING, "the gradients are divided by their norm, so that it "
        "becomes 1: multiply by max_norm as well.",
        lambda norms, max_norm: np.where(norms > max_norm, 1 / norms, 1.0),
        lambda norms, max_norm: 1 / norms),
    wrong("factor_upside_down", CLIPPING, "the factor is upside down: it is max_norm / norm, below "
        "1.", lambda norms, max_norm: np.where(norms > max_norm, norms / max_norm, 1.0),
        lambda norms, max_norm: np.minimum(1.0, norms / max_norm),
        lambda norms, max_norm: norms / max_norm),
    wrong("compared_before_the_root", CLIPPING, "the sum of squares is compared with max_norm: "
        "take "
        "the root first, or compare it with max_norm².",
        lambda norms, max_norm: np.where(norms**2 > max_norm, max_norm / norms, 1.0),
        lambda norms, max_norm: np.where(norms > max_norm**2, max_norm / norms, 1.0)),
    wrong("only_divided_or_multiplied", CLIPPING, "the gradients are multiplied by max_norm, or "
        "divided by it, alone: the factor is max_norm / norm.",
        lambda norms, max_norm: np.where(norms > max_norm, max_norm, 1.0),
        lambda norms, max_norm: np.where(norms > max_norm, 1 / max_norm, 1.0)),
    wrong("not_clipped", CLIPPING, "the gradients stay as they are: where their norm is above "
        "max_norm, all are multiplied by max_norm / norm.",
        lambda norms, max_norm: np.ones(len(norms))),
    wrong("long_gradients_set_to_zero", CLIPPING, "gradients that are too long become 0: they are "
        "shortened, and keep their direction.",
        lambda norms, max_norm: np.where(norms > max_norm, 0.0, 1.0)),
    wrong("first_array_only", CLIPPING, "only one array is scaled: all are multiplied by the same "
        "factor.", lambda norms, max_norm: one_scaled(limited(norms, max_norm), 0),
        lambda norms, max_norm: one_scaled(limited(norms, max_norm), -1)),
    wrong(
        "small_number_added_to_the_norm",
        CLIPPING,
        "a small number is added to the norm, which saves it from being 0: here max_norm is met "
        "exactly.",
        *(
            lambda norms, max_norm, eps=eps: np.minimum(1, max_norm / (norms + eps))
            for eps in (1e-6, 1e-8, 1e-7, 1e-5)
        ),
        convention=True,
    ),
]
FIRST = [
    lambda gradients, max_norm: gradients,
    wrong("each_array_clipped_first", CLIPPING, "each array is clipped by its own norm first, and "
        "then all together: only the norm of all together is bounded.",
        lambda gradients, max_norm: [clip([gradient], max_norm)[0] for gradient in gradients]),
]


def one_scaled(factors, index):
    scaled = np.ones(len(factors))
    scaled[index] = factors[index]
    return scaled


@clip_by_global_norm.steps(first=FIRST, norm=NORMS, scale=SCALES)
def by_steps(steps, gradients, max_norm):
    gradients = steps.first(gradients, max_norm)
    factors = steps.scale(steps.norm(gradients), max_norm)
    return [factor * gradient for factor, gradient in zip(factors, gradients, strict=True)]


@clip_by_global_norm.mistake(
    CLIPPING, also=[lambda gradients, max_norm: [np.minimum(g, max_norm) for g in gradients]]
)
def each_element_clipped(gradients, max_norm):
    """Every entry is clipped by itself, which turns the step into another direction: scale all of
    them by one factor, max_norm / norm."""
    return [np.clip(gradient, -max_norm, max_norm) for gradient in gradients]

"""Exercises on what is done with a gradient: a step with momentum, and clipping."""

import numpy as np

from cnnbp.exercises import cases
from cnnbp.exercises.exercise import exercise
from cnnbp.exercises.results import ListOfArrays

MOMENTUM = "09, momentum remembers"
CLIPPING = "10, clipping bounds a step"


def step_case(rng, shape, learning_rate, momentum, draw=cases.normal):
    w, velocity, dw = (draw(rng, shape) for _ in range(3))
    return {
        "w": w,
        "velocity": velocity,
        "dw": dw,
        "learning_rate": learning_rate,
        "momentum": momentum,
    }


def step(w, velocity, dw, learning_rate, momentum):
    velocity = momentum * velocity + dw
    return w - learning_rate * velocity, velocity


@exercise(
    lesson="09",
    tiny=lambda rng: step_case(rng, (1, 3), 0.5, 0.75, cases.whole),
    cases=lambda rng: [step_case(rng, (2, 3), 0.1, 0.9), step_case(rng, (3, 2, 2), 0.25, 0.5)],
    answer=step,
    hints=[
        "First the velocity: the old one shrinks to momentum times itself, then dw is added.",
        "Then the weights: w − learning_rate·velocity, with the new velocity.",
    ],
)
def momentum_step(w, velocity, dw, learning_rate, momentum):
    """One step of gradient descent with momentum.

    The new velocity is momentum·velocity + dw; then w moves by −learning_rate·velocity, with the
    new velocity. Return both as new arrays.

    w              (...)   weights
    velocity       (...)   of the steps so far, of the same shape
    dw             (...)   gradient of the loss by w
    learning_rate  float
    momentum       float
    returns  w (...), velocity (...)
    """
    new_w, new_velocity = np.zeros(w.shape), np.zeros(w.shape)
    for index in np.ndindex(w.shape):
        new_velocity[index] = momentum * velocity[index] + dw[index]
        new_w[index] = w[index] - learning_rate * new_velocity[index]
    return new_w, new_velocity


@momentum_step.mistake(MOMENTUM)
def old_velocity_forgotten(w, velocity, dw, learning_rate, momentum):
    """Your velocity is dw alone; the old velocity, times momentum, belongs to it."""
    return w - learning_rate * dw, dw


def learning_rate_around_the_velocity(w, velocity, dw, learning_rate, momentum):
    velocity = learning_rate * (momentum * velocity + dw)
    return w - learning_rate * velocity, velocity


@momentum_step.mistake("09, one learning rate", also=[learning_rate_around_the_velocity])
def learning_rate_applied_twice(w, velocity, dw, learning_rate, momentum):
    """You apply the learning rate twice, in the velocity and again in the step; once is enough."""
    velocity = momentum * velocity + learning_rate * dw
    return w - learning_rate * velocity, velocity


@momentum_step.mistake(MOMENTUM)
def stepped_with_the_old_velocity(w, velocity, dw, learning_rate, momentum):
    """You move w by the old velocity; update the velocity first, and step with the new one."""
    return w - learning_rate * velocity, momentum * velocity + dw


@momentum_step.mistake("09, a step goes downhill")
def stepped_uphill(w, velocity, dw, learning_rate, momentum):
    """You add the step to w, which climbs; the loss falls against the gradient, so subtract it."""
    velocity = momentum * velocity + dw
    return w + learning_rate * velocity, velocity


def velocity_points_downhill(w, velocity, dw, learning_rate, momentum):
    velocity = momentum * velocity - learning_rate * dw
    return w + velocity, velocity


@momentum_step.mistake(MOMENTUM, also=[velocity_points_downhill], convention=True)
def learning_rate_inside_the_velocity(w, velocity, dw, learning_rate, momentum):
    """You put the learning rate inside the velocity; here velocity is momentum·velocity + dw, and
    the learning rate multiplies the whole of it."""
    velocity = momentum * velocity + learning_rate * dw
    return w - velocity, velocity


@momentum_step.mistake(MOMENTUM, convention=True)
def velocity_as_a_running_mean(w, velocity, dw, learning_rate, momentum):
    """Your velocity is a running mean, with (1 − momentum)·dw; here dw is added whole."""
    velocity = momentum * velocity + (1 - momentum) * dw
    return w - learning_rate * velocity, velocity


@momentum_step.mistake(MOMENTUM, convention=True)
def nesterov(w, velocity, dw, learning_rate, momentum):
    """Your step looks ahead, as Nesterov's does: dw + momentum·velocity; here w moves by the new
    velocity itself."""
    velocity = momentum * velocity + dw
    return w - learning_rate * (dw + momentum * velocity), velocity


def clip_case(rng, shapes, share, draw=cases.normal):
    """Gradients, and a limit that is this share of their norm."""
    gradients = [draw(rng, shape) for shape in shapes]
    return {"gradients": gradients, "max_norm": float(share * norm(gradients))}


def norm(gradients):
    return np.sqrt(sum((gradient**2).sum() for gradient in gradients))


def clip(gradients, max_norm):
    factor = min(1.0, max_norm / norm(gradients))
    return [factor * gradient for gradient in gradients]


@exercise(
    lesson="10",
    tiny=lambda rng: {
        "gradients": [rng.permutation([3.0, -1.0, 1.0])[None], rng.permutation([[2.0], [-1.0]])],
        "max_norm": 2.0,
    },
    cases=lambda rng: [
        clip_case(rng, [(2, 3), (2, 1)], 0.5),
        clip_case(rng, [(3, 2, 2), (3, 1, 1), (4,)], 0.25),
        clip_case(rng, [(2, 2), (2, 1)], 1.5),
    ],
    answer=clip,
    result=ListOfArrays("gradients"),
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

    gradients  list of arrays
    max_norm   float
    returns    a list of arrays of the same shapes
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
    return [gradient * max_norm / norm(gradients) for gradient in gradients]


@clip_by_global_norm.mistake(CLIPPING)
def root_forgotten(gradients, max_norm):
    """Your norm is the sum of squares; the root is missing."""
    factor = min(1.0, max_norm / norm(gradients) ** 2)
    return [factor * gradient for gradient in gradients]


@clip_by_global_norm.mistake(CLIPPING, convention=True)
def small_number_added_to_the_norm(gradients, max_norm):
    """You add a small number to the norm, which saves it from being 0; here max_norm is met
    exactly."""
    factor = min(1.0, max_norm / (norm(gradients) + 1e-6))
    return [factor * gradient for gradient in gradients]

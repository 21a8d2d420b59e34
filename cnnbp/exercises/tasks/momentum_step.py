"""A step of gradient descent with momentum."""

import numpy as np

from cnnbp.exercises import cases
from cnnbp.exercises.task import exercise

MOMENTUM = "09, momentum remembers"


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
    given={
        "w": "...: weights",
        "velocity": "...: of the steps so far, of the same shape",
        "dw": "...: gradient of the loss by w",
        "learning_rate": "float",
        "momentum": "float",
    },
    returns={"w": "...", "velocity": "..."},
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

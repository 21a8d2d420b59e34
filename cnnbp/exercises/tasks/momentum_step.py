"""A step of gradient descent with momentum."""

import numpy as np

from cnnbp.exercises import cases
from cnnbp.exercises.choices import wrong
from cnnbp.exercises.task import exercise

MOMENTUM = "11, momentum remembers"


def step_case(rng, shape, learning_rate, momentum, draw=cases.normal):
    w, velocity, dw = (draw(rng, shape) for _ in range(3))
    return {
        "w": w,
        "velocity": velocity,
        "dw": dw,
        "learning_rate": learning_rate,
        "momentum": momentum,
    }


def tiny(rng):
    """A velocity in fours, so that three quarters of it are whole."""
    case = step_case(rng, (1, 3), 0.5, 0.75, cases.whole)
    return case | {"velocity": 4 * case["velocity"]}


def step(w, velocity, dw, learning_rate, momentum):
    velocity = momentum * velocity + dw
    return w - learning_rate * velocity, velocity


@exercise(
    lesson="11",
    given={
        "w": "...: weights",
        "velocity": "...: of the steps so far, of the same shape",
        "dw": "...: gradient of the loss by w",
        "learning_rate": "float",
        "momentum": "float",
    },
    returns={"w": "...", "velocity": "..."},
    tiny=tiny,
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


def learning_rate_around_the_velocity(w, velocity, dw, learning_rate, momentum):
    velocity = learning_rate * (momentum * velocity + dw)
    return w - learning_rate * velocity, velocity


def nesterov_downhill(w, velocity, dw, learning_rate, momentum):
    new = momentum * velocity - learning_rate * dw
    return w + momentum * new - learning_rate * dw, new


def nesterov_as_often_printed(w, velocity, dw, learning_rate, momentum):
    new = momentum * velocity + learning_rate * dw
    return w - momentum * new - learning_rate * dw, new


# fmt: off
MEMORIES = [
    lambda velocity, momentum: momentum * velocity,
    wrong("old_velocity_forgotten", MOMENTUM, "the old velocity is forgotten, so that dw is left "
        "alone: the old one, times momentum, belongs to it.",
        lambda velocity, momentum: 0 * velocity),
    wrong("velocity_not_multiplied", MOMENTUM, "the old velocity is not multiplied by momentum: "
        "without friction it would grow for ever.", lambda velocity, momentum: velocity),
    wrong("one_minus_momentum_kept", MOMENTUM, "the old velocity is multiplied by 1 − momentum: "
        "the factor is momentum itself.", lambda velocity, momentum: (1 - momentum) * velocity),
    wrong("old_velocity_subtracted", MOMENTUM, "the old velocity is subtracted: it is "
        "momentum·velocity + dw.", lambda velocity, momentum: -momentum * velocity),
]
GRADIENTS = [
    lambda dw, learning_rate, momentum: dw,
    wrong("learning_rate_applied_twice", "11, momentum remembers", "the learning rate is applied "
        "twice, in the velocity and again in the step: once is enough.",
        lambda dw, learning_rate, momentum: learning_rate * dw,
        also=(learning_rate_around_the_velocity,)),
    wrong("momentum_around_the_gradient", MOMENTUM, "momentum multiplies dw as well, or in place "
        "of the velocity: the velocity is momentum·velocity + dw.",
        lambda dw, learning_rate, momentum: momentum * dw),
    wrong("gradient_subtracted_from_the_velocity", MOMENTUM, "the gradient dw is subtracted in the "
        "velocity: it is added there, and the step subtracts.",
        lambda dw, learning_rate, momentum: -dw,
        lambda dw, learning_rate, momentum: -learning_rate * dw),
    wrong("velocity_as_a_running_mean", MOMENTUM, "the velocity is a running mean, with (1 − "
        "momentum)·dw: here dw is added whole.",
        lambda dw, learning_rate, momentum: (1 - momentum) * dw, convention=True),
]
MOVES = [
    lambda old, new, dw, learning_rate, momentum: learning_rate * new,
    wrong("stepped_with_the_old_velocity", MOMENTUM, "the step moves w by the old velocity: update "
        "the velocity first, and step with the new one.",
        lambda old, new, dw, learning_rate, momentum: learning_rate * old),
    wrong("stepped_with_the_gradient", MOMENTUM, "the step moves w by dw alone, as without "
        "momentum: step with the new velocity.",
        lambda old, new, dw, learning_rate, momentum: learning_rate * dw),
    wrong("learning_rate_forgotten", "11, momentum remembers", "the step is not multiplied by the "
        "learning rate: w moves by −learning_rate·velocity.",
        lambda old, new, dw, learning_rate, momentum: new),
    wrong("divided_by_the_learning_rate", "11, momentum remembers", "the step is divided by the "
        "learning rate: w moves by −learning_rate·velocity.",
        lambda old, new, dw, learning_rate, momentum: new / learning_rate),
    wrong("momentum_in_the_step", "11, momentum remembers", "momentum is multiplied in once more "
        "in the step: w moves by −learning_rate·velocity.",
        lambda old, new, dw, learning_rate, momentum: learning_rate * momentum * new,
        lambda old, new, dw, learning_rate, momentum: momentum * new),
    wrong("velocity_and_gradient_in_the_step", MOMENTUM, "the gradient dw is in the step twice: "
        "the new velocity holds it already.",
        lambda old, new, dw, learning_rate, momentum: learning_rate * (new + dw),
        lambda old, new, dw, learning_rate, momentum: new + learning_rate * dw),
    wrong("nesterov", MOMENTUM, "the step looks ahead, as Nesterov's does, dw + momentum·velocity: "
        "here w moves by the new velocity itself.",
        lambda old, new, dw, learning_rate, momentum: learning_rate * (dw + momentum * new),
        also=(nesterov_downhill, nesterov_as_often_printed),
        convention=True),
]
DIRECTIONS = [
    np.subtract,
    wrong("stepped_uphill", "11, a step goes downhill", "the step is added to w, which climbs: the "
        "loss falls against the gradient, so subtract it.", np.add),
    wrong("step_without_w", "11, a step goes downhill", "the new w is the step alone: subtract the "
        "step from the old w.", lambda w, step: step, lambda w, step: -step),
    wrong("w_not_moved", "11, a step goes downhill", "the weights stay where it was: subtract the "
        "step from it.", lambda w, step: w),
]


RETURNED = [
    lambda old, new, learning_rate: new,
    wrong("old_velocity_returned", MOMENTUM, "the velocity that is returned is the old one, or the "
        "step: return the new one, the next step begins with it.",
        lambda old, new, learning_rate: old, lambda old, new, learning_rate: learning_rate * new,
        alone=True),
]


@momentum_step.steps(
    memory=MEMORIES, gradient=GRADIENTS, move=MOVES, direction=DIRECTIONS, returned=RETURNED
)
def by_steps(steps, w, velocity, dw, learning_rate, momentum):
    new = steps.memory(velocity, momentum) + steps.gradient(dw, learning_rate, momentum)
    moved = steps.direction(w, steps.move(velocity, new, dw, learning_rate, momentum))
    return moved, steps.returned(velocity, new, learning_rate)


def velocity_points_downhill(w, velocity, dw, learning_rate, momentum):
    velocity = momentum * velocity - learning_rate * dw
    return w + velocity, velocity


@momentum_step.mistake(MOMENTUM, also=[velocity_points_downhill], convention=True)
def learning_rate_inside_the_velocity(w, velocity, dw, learning_rate, momentum):
    """The learning rate stands inside the velocity: here velocity is momentum·velocity + dw, and
    the learning rate multiplies the whole of it."""
    velocity = momentum * velocity + learning_rate * dw
    return w - velocity, velocity


@momentum_step.mistake(MOMENTUM)
def look_ahead_with_mixed_signs(w, velocity, dw, learning_rate, momentum):
    """Your step adds the velocity and subtracts the gradient, but this velocity holds +dw: subtract
    learning_rate·velocity, and nothing else."""
    velocity = momentum * velocity + learning_rate * dw
    return w + momentum * velocity - learning_rate * dw, velocity

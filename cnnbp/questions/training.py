"""Lesson 11: networks that learn."""

import numpy as np

from cnnbp.activation import ReLU
from cnnbp.convolution import Conv2d, conv2d
from cnnbp.linear import Flatten, Linear
from cnnbp.loss import softmax_cross_entropy
from cnnbp.network import Network
from cnnbp.optimizer import SGD
from cnnbp.questions.question import cells, choice, match, number, question, shown, table


@question("a first guess", lesson="11")
def a_first_guess(draw):
    """Two networks without knowledge; the one that is sure pays more."""
    K, sure = draw.pick((4, 4), (10, 6), (5, 6)), draw.whole(0, 2)
    scores = np.zeros((K[0], K[0]))  # a sample of each class, all with the same scores
    modest, _ = softmax_cross_entropy(scores, np.arange(K[0]))
    scores[sure] = K[1]
    bold, _ = softmax_cross_entropy(scores, np.arange(K[0]))
    losses = {"A pays less": modest < bold, "B pays less": bold < modest, "both the same": False}
    right = next(text for text, holds in losses.items() if holds)
    sentences = {
        "A pays less": "B is right now and then, but every other sample pays for it.",
        "B pays less": f"B is right for one class in {K[0]}; all others pay for its being sure.",
        "both the same": "Neither knows anything, but only one of them is sure.",
    }
    return choice(
        f"Two networks know nothing of {K[0]} classes, of which each is as frequent as the others. "
        f"A gives all classes the score 0. B always gives one class {K[1]}, the others 0. Whose "
        "mean softmax cross-entropy is smaller?",
        right,
        {text: sentences[text] for text in losses if text != right},
        f"A pays log {K[0]} = {modest:.2f} for every sample. B pays next to nothing for one class, "
        f"and about {K[1]} for each of the others: {bold:.2f} in the mean.",
    )


@question("how far down a step goes", lesson="11")
def how_far_down_a_step_goes(draw):
    gradient = draw.array((3,), -3, 3, zero=False)
    parts = draw.pick(10, 20, 100)
    squared = float(gradient @ gradient)
    fall = squared / parts
    written = ", ".join(shown(value) for value in gradient)
    return number(
        f"A network's whole gradient is ({written}): three parameters. It takes one step of "
        f"gradient descent with learning rate 1/{parts}. By how much does the loss fall, as the "
        "gradient predicts?",
        fall,
        [
            (
                np.abs(gradient).sum() / parts,
                "Each parameter moves by rate·g, and the loss moves "
                "by g times that: g counts twice.",
            ),
            (squared, "The learning rate makes the step shorter."),
            (squared / parts**2, "The rate is in the step, and not in the gradient."),
            (gradient.sum() / parts, "Some gradients are negative; their steps lead down as well."),
        ],
        f"Every parameter moves by −rate·g, so the loss by −rate·g²: {shown(squared)}/{parts}.",
        prompt="It falls by",
    )


@question("always the same gradient", lesson="11")
def always_the_same_gradient(draw):
    momentum, steps = draw.pick((0.5, 4), (0.5, 3), (0.75, 3), (0.75, 2), (0.25, 3))
    layer = Linear(1, 1, gain=0.0, bias=False)
    optimizer = SGD(layer, learning_rate=1.0, momentum=momentum)
    layer.forward([[1.0]])
    before = 0.0
    for _ in range(steps):
        before = layer.params["w"].item()
        layer.backward([[1.0]])
        optimizer.step()
    last = before - layer.params["w"].item()
    moved = -layer.params["w"].item()
    return number(
        f"The gradient by w is 1 in every step. SGD has learning rate 1 and momentum "
        f"{shown(momentum)}; its velocity began at 0. How far down does step {steps} move w?",
        last,
        [
            (1, "That is a step without momentum, or the first one with it."),
            (moved, "That is how far all steps together have moved it."),
            (momentum ** (steps - 1), "The old velocity is kept in part, and a gradient added."),
            (steps, "The old velocity is kept in part, not whole."),
        ],
        "The velocity is "
        + ", then ".join(shown(sum(momentum**k for k in range(n + 1))) for n in range(steps))
        + f". It goes on toward 1/(1 − {shown(momentum)}) = {shown(1 / (1 - momentum))}.",
        prompt="It moves down by",
    )


@question("ten images with wrong labels", lesson="11")
def ten_images_with_wrong_labels(draw):
    """A linear layer with more weights than images already fits any labels."""
    images, pixels = draw.pick(10, 12), 64
    x = draw.array((pixels, images), -2, 2)
    labels = [draw.whole(0, 9) for _ in range(images)]
    draw.must(np.linalg.matrix_rank(x) == images)
    layer = Linear(pixels, 10, gain=0.0)
    for _ in range(200):
        _, dz = softmax_cross_entropy(layer.forward(x), labels)
        layer.backward(dz)
        SGD(layer, 0.2).step()
    learned = (layer.forward(x).argmax(axis=0) == labels).all()
    answers = {
        True: "all of them, as labeled",
        False: "about one in ten",
        "right": "those whose label happens to be right",
    }
    return choice(
        f"{images} images of digits get labels drawn at random. A network with thousands of "
        "weights trains on them. How many will it give the label that it was taught?",
        answers[bool(learned)],
        {
            answers[False]: "That is what it reaches on new images. These it can learn by heart.",
            answers["right"]: "The network has no other teacher than the labels; it cannot know "
            "which of them are right.",
        },
        "There are far more weights than images, so it learns them by heart. That tests the "
        "training code, and says nothing about reading.",
    )


@question("a rate far too large", lesson="11")
def a_rate_far_too_large(draw):
    """The gradient of a dead network: nothing but the head's bias moves, and it finds log K."""
    K = draw.pick(4, 10)
    network = _dead_network(draw, K)
    network.params["3.b"][...] = draw.array((K, 1), -1, 1)  # thrown away as well
    x = np.abs(draw.array((K, 1, 4, 4), 0, 3))
    settled = abs(_loss_after(100, network, x) - np.log(K)) < 0.1
    answers = {
        True: f"it settles near log {K}",
        False: "it grows until it is NaN",
        "swings": "it swings up and down for ever",
        "slow": "it falls as always, as the rate is now right",
    }
    return choice(
        f"A network with ReLUs reads {K} kinds of digits. The learning rate was far too large: the "
        "first steps have thrown all weights far away, and behind one convolution every ReLU is "
        "shut for every image. Then the rate is set back to 0.1. What does the loss do from then "
        "on?",
        answers[bool(settled)],
        {
            answers[False]: "For that some gradient has to grow. Here none passes any more.",
            answers[
                "swings"
            ]: "Only the last bias still moves, and at a small rate it does not swing.",
            answers["slow"]: "No gradient passes the shut ReLUs, so nothing below them can learn.",
        },
        "Nothing passes the shut gates in either direction. Only the last bias still learns, and "
        f"without looking at the image it can do no better than guess: log {K} = {np.log(K):.2f}.",
    )


def _loss_after(steps, network, x):
    """The loss after steps of gradient descent at rate 0.1, on one image of each class."""
    labels = np.arange(len(x))
    for _ in range(steps):
        network.backward(softmax_cross_entropy(network.forward(x), labels)[1])
        SGD(network, 0.1).step()
    return softmax_cross_entropy(network.forward(x), labels)[0]


def _dead_network(draw, K):
    """Convolution, ReLU, flatten, linear; every ReLU is shut for images that are not negative."""
    network = Network([Conv2d(1, 2, 3), ReLU(), Flatten(), Linear(8, K)])
    network.params["0.w"][...] = -np.abs(draw.array((2, 1, 3, 3), 1, 3))
    network.params["0.b"][...] = -1
    network.params["3.w"][...] = draw.array((K, 8), -2, 2)
    return network


def _all_gradients(network):
    """What a backward pass left in the network of _dead_network, by what it is called."""
    return {
        "dw of the convolution": network.grads["0.w"],
        "db of the convolution": network.grads["0.b"],
        "dz that the ReLU hands back": network.trace[0].dz,
        "dz that arrives at the ReLU": network.trace[1].dz,
        "dw of the linear layer": network.grads["3.w"],
        "db of the linear layer": network.grads["3.b"],
    }


@question("what a dead layer gets", lesson="11")
def what_a_dead_layer_gets(draw):
    K = draw.pick(2, 3)
    network = _dead_network(draw, K)
    x = np.abs(draw.array((3, 1, 4, 4), 0, 3))
    labels = [draw.whole(0, K - 1) for _ in range(3)]
    _, dz = softmax_cross_entropy(network.forward(x), labels)
    network.backward(dz)
    found = _all_gradients(network)
    zero = {name for name, gradient in found.items() if not gradient.any()}
    order = draw.shuffled(found)
    draw.must(len(zero) == 4)
    below = zero - {"dw of the linear layer"}
    return cells(
        "x → convolution → ReLU → flatten → linear → loss. Every ReLU is shut, for every image. "
        "Mark every gradient that is exactly 0.",
        zero,
        [
            (
                below,
                "The linear layer's weights meet what came through the ReLU: dw = dz·x, and "
                "that x is 0.",
            ),
            (
                zero | {"dz that arrives at the ReLU"},
                "The loss still sends dz; it stops at the ReLU, and not before.",
            ),
            (
                below - {"dz that the ReLU hands back"},
                "The shut gate multiplies dz by 0 before it reaches the convolution.",
            ),
            (set(found), "The last bias meets no x: its gradient is the sum of dz."),
        ],
        "What arrives at the ReLU is multiplied by 0 there, so all that it hands back is 0; and "
        "the linear layer's dw is dz·x with x = 0. Its db is a sum of dz.",
        tables=[table("gradients", [[name] for name in order], marked=True, named=True)],
    )


@question("right for all it has seen", lesson="11")
def right_for_all_it_has_seen(draw):
    """Measured on the lesson's reader: 41 in 100 new ones after 12 images, 72 after 30."""
    few, some = "30 to 50 in 100", "60 to 85 in 100"
    count, right, wrong, why_not = draw.pick(
        (12, few, some, "Of some kinds it has seen one image, and people write in more ways."),
        (30, some, few, "Three images of a kind already show much of what it looks like."),
    )
    return choice(
        f"A network was trained on {count} images of digits until it read all of them right. How "
        "many of 360 new ones does it read right?",
        right,
        {
            wrong: why_not,
            "98 in 100, or more": f"{count} images do not show all the ways in which people write.",
            "about 10 in 100": "It has learned something from them: two eights look more alike "
            "than an eight and a one.",
        },
        "What a network has seen says little about what it has not: training is not testing.",
    )


@question("pushed once more", lesson="11")
def pushed_once_more(draw):
    """Which of a layer's outputs change when the image moves: all, along with it, or none."""
    push = draw.pick(2, 3)
    before, after = _maps_of_a_push(draw, push)
    moved_along = (np.roll(before, push) == after).all() and (before != after).any()
    draw.must(moved_along and before.max() == after.max() > 0)
    along, same, other = "moves along", "stays as it is", "changes altogether"
    names = [
        "the convolution's map",
        "the largest value of the map",
        "the scores of a linear layer on the flattened map",
        "the scores of a linear layer behind a global max pooling",
    ]
    order = draw.shuffled(range(4))
    in_order = lambda answers: [answers[place] for place in order]  # noqa: E731
    return match(
        f"A pattern in an image is pushed by {push} pixels, and stays within it. What happens to "
        "each of these?",
        dict(zip(in_order(names), in_order([along, same, other, same]), strict=True)),
        [along, same, other],
        [
            (in_order([same] * 4), "The map says where the pattern stands, so it moves."),
            (
                in_order([along, same, same, same]),
                "Each place of a flattened map has weights of its own: another place, other "
                "weights.",
            ),
            (
                in_order([along, along, other, same]),
                "A largest value has no place: it does not move.",
            ),
            (
                in_order([along, same, other, other]),
                "Global max pooling hands on the same values as before, so the scores are the "
                "same.",
            ),
        ],
        "A convolution moves along: it is equivariant. A global maximum forgets the place, so what "
        "stands behind it is the same (invariant). Flattening keeps the place.",
    )


def _maps_of_a_push(draw, push):
    """A convolution's map of a pattern of two pixels, and of the pattern pushed along."""
    signal, kernel = np.zeros(8), draw.array((2,), -2, 3, zero=False)
    at = draw.whole(1, 3)
    signal[at : at + 2] = draw.array((2,), 1, 3)
    views = (np.roll(signal, by).reshape(1, 1, 1, 8) for by in (0, push))
    return [conv2d(view, kernel.reshape(1, 1, 1, 2))[0, 0, 0] for view in views]

"""Lesson 15: bugs that raise nothing, and what checks see of them."""

import itertools
import math

import numpy as np

from cnnbp.activation import Tanh
from cnnbp.convolution import conv2d_backward
from cnnbp.data import bug_curves
from cnnbp.gradcheck import numeric_gradient, relative_error
from cnnbp.linear import Linear, flatten_backward
from cnnbp.network import Network
from cnnbp.optimizer import Adam
from cnnbp.pooling import max_pool2d
from cnnbp.questions.question import cells, choice, match, number, question, shown, table


@question("the accuracy of one training", lesson="15")
def the_accuracy_of_one_training(draw):
    """From the stored trainings: an accuracy at which both programs have ended, or could have."""
    optimizer, bug = draw.pick(
        ("Adam", "winner assigned"), ("Adam", "dw divided by N again"), ("SGD", "winner assigned")
    )
    found = bug_curves()[optimizer]
    right, wrong = 100 * found["right"][:, -1], 100 * found[bug][:, -1]
    least, most = max(right.min(), wrong.min()), min(right.max(), wrong.max())
    read = round((least + most) / 2)
    names = {
        "winner assigned": "in max pooling, a cell that won twice gets one gradient, not the sum",
        "dw divided by N again": "a convolution divides its dw by N, though dz has the 1/N",
    }
    answers = {True: "nobody can tell", False: "the one with the bug", None: "the right one"}
    return choice(
        f"Two programs train the same network on digits, with {optimizer}. One is right; the other "
        f"has a bug: {names[bug]}. A training ends with {read} of 100 new digits read. Which "
        "program was it?",
        answers[bool(least <= most)],
        {
            answers[False]: "A network with a bug need not be bad: it still goes downhill, more or "
            "less.",
            answers[None]: f"{read} of 100 is good, and good is no proof.",
        },
        f"Of three trainings each, the right one ended at {_hundredths(right)}, the other at "
        f"{_hundredths(wrong)} in 100. Either can end there: the draw of the weights counts, too.",
    )


def _hundredths(accuracies):
    return ", ".join(f"{each:.0f}" for each in sorted(accuracies))


def _chain(draw):
    """Three fully connected layers with a tanh between two, and what goes through them."""
    sizes = [3, 4, 3, 2]
    layers = []
    for inputs, outputs in itertools.pairwise(sizes):
        layers += [Linear(inputs, outputs), Tanh()]
    network = Network(layers[:-1])
    for array in network.params.values():
        array[...] = draw.array(array.shape, -2, 2, zero=False) / 4
    network.forward(draw.array((3, 5), -2, 2, zero=False) / 2)
    return network, draw.array((2, 5), -3, 3, zero=False)


def _wrong_if(network, dz, at):
    """The parameters' gradients that come out wrong if layer `at` hands on a wrong dx."""
    network.backward(dz)
    right = {name: array.copy() for name, array in network.grads.items()}
    for number_, layer in reversed(list(enumerate(network.layers))):
        dz = layer.backward(dz)
        if number_ == at:
            dz = 3 * dz[:, ::-1]
    return {
        name.replace(".", ".d")
        for name, array in network.grads.items()
        if not np.allclose(array, right[name])
    }


NUMBERED = "0 linear → 1 tanh → 2 linear → 3 tanh → 4 linear → loss"


@question("what a wrong dx reaches", lesson="15")
def what_a_wrong_dx_reaches(draw):
    network, dz = _chain(draw)
    at = draw.pick(1, 2, 3, 4)
    wrong = _wrong_if(network, dz, at)
    names = [name.replace(".", ".d") for name in network.grads]
    own = {name for name in names if name.startswith(f"{at}.")}
    above = {name for name in names if int(name[0]) > at}
    mistaken = [
        (above, "Gradients come from the loss: the layers above had theirs before the bug."),
        (set(names), "What lies nearer to the loss was computed first, and is right."),
        (wrong | own, "A layer's dw and db are made of its dz, which is right, and not of its dx."),
    ]
    return cells(
        f"{NUMBERED}. The dx of layer {at} is wrong; everything else is written right. Mark every "
        "gradient of a parameter that comes out wrong in a backward pass.",
        wrong,
        [each for n, each in enumerate(mistaken) if each[0] != wrong
         and each[0] not in [other for other, _ in mistaken[:n]]],
        f"Everything below layer {at} is handed a wrong dz; nothing above it is.",
        tables=[table("gradients", [names], marked=True, named=True)],
    )  # fmt: skip


@question("whose dx it can be", lesson="15")
def whose_dx_it_can_be(draw):
    """From the symptoms back to what could have caused them."""
    network, dz = _chain(draw)
    at = draw.pick(1, 2, 3, 4)
    symptoms = _wrong_if(network, dz, at)
    layers = range(len(network.layers))
    can_be = {n for n in layers if _wrong_if(network, dz, n) == symptoms}
    lowest = {n for n in layers if f"{n}.dw" in symptoms}
    listed = ", ".join(sorted(symptoms))
    mistaken = [
        (lowest, "These show the symptoms: they were handed a wrong dz by a layer above."),
        ({max(lowest)}, "Its dw is made of the dz that it was handed, and of its x."),
        ({n for n in layers if n > max(lowest)}, "A wrong dx spoils all parameters below it: from "
            "further up, more would be wrong."),
        ({max(can_be)}, "Below it is a layer without parameters, whose dx is handed to these "
            "alone."),
        ({min(can_be)}, "Further up there is another layer whose dx is handed to these alone."),
    ]  # fmt: skip
    kept = []
    for answer, sentence in mistaken:
        if answer != can_be and answer not in [other for other, _ in kept]:
            kept.append((answer, sentence))
    return cells(
        f"{NUMBERED}. One layer hands on a wrong dx, and nothing else is wrong. In a check of the "
        f"whole network these come out wrong: {listed}. All others are right. Mark every layer "
        "that it may be.",
        {str(n) for n in can_be},
        [({str(n) for n in answer}, sentence) for answer, sentence in kept],
        "Wrong is what lies below the bug, and right is what lies above: it is between the highest "
        "wrong gradient and the lowest right one.",
        tables=[table("layers", [[str(n) for n in layers]], marked=True, named=True)],
    )


def _seen(right, wrong, dz):
    """Which of the two summaries tells a wrong gradient from the right one."""
    ones = np.ones_like(dz)
    by_ones = not np.allclose(right(ones), wrong(ones))
    by_mean = not np.allclose(right(dz).mean(), wrong(dz).mean())
    return {
        (True, True): "both see it",
        (True, False): "only the all-ones upstream",
        (False, True): "only the mean of the gradient",
        (False, False): "neither",
    }[by_ones, by_mean]


@question("which summary sees it", lesson="15")
def which_summary_sees_it(draw):
    N, F = draw.pick((2, 3), (3, 2), (4, 3))
    x, dz = draw.array((N, 1, 4, 4), -3, 3), draw.array((N, F, 3, 3), -3, 3)
    w, matrix = np.zeros((F, 1, 2, 2)), draw.array((8, N), -3, 3)
    dw = lambda dz: conv2d_backward(dz, x, w)[1]  # noqa: E731
    mixed = lambda dz: dw(dz.reshape(F, N, 3, 3).swapaxes(0, 1))  # noqa: E731
    unflat = lambda dz: flatten_backward(dz, (N, 2, 2, 2))  # noqa: E731
    found = {
        "dw rotated by 180°": _seen(dw, lambda dz: dw(dz)[..., ::-1, ::-1], dz),
        "dw divided by N": _seen(dw, lambda dz: dw(dz) / N, dz),
        "dz (N, F, …) reshaped to (F, …)": _seen(dw, mixed, dz),
        "flatten's dx: no transpose": _seen(unflat, lambda dz: dz.reshape(N, 2, 2, 2), matrix),
    }
    draw.must(len(set(found.values())) == 4)
    bugs = draw.shuffled(found)
    right = [found[bug] for bug in bugs]
    options = list(dict.fromkeys(found[bug] for bug in found))
    other = {"neither": "only the mean of the gradient", "only the mean of the gradient": "neither"}
    swapped = {"only the all-ones upstream": "only the mean of the gradient"}
    swapped |= {new: old for old, new in swapped.items()}
    return match(
        "Two cheap checks: the upstream gradient all ones, and the mean of the gradient in place "
        "of all its cells. Which of them can tell each bug from the right gradient?",
        {bug: found[bug] for bug in bugs},
        options,
        [
            ([swapped.get(answer, answer) for answer in right], "With all ones, dz has no places; "
                "in a mean, the gradient has none. Which is mixed up?"),
            ([other.get(answer, answer) for answer in right], "A convolution multiplies dz by "
                "other pixels after a reshape; unflattening multiplies by none."),
            (["both see it"] * 4, "What only moves numbers keeps their mean; all ones look alike "
                "wherever they are."),
        ],
        "All ones hide what moves dz; the mean hides what moves the gradient. Unflattening does "
        "only that, so both are blind to it.",
    )  # fmt: skip


@question("checks by halving", lesson="15")
def checks_by_halving(draw):
    layers = draw.pick(8, 16, 32)
    checks = math.ceil(math.log2(layers))
    return number(
        f"One of {layers} layers hands on a wrong dx. You can compare the gradient that arrives at "
        "any place of the chain with a numeric one: from the loss down to the bug it is right, "
        "from there to the input wrong. How many such comparisons find the layer, however unlucky "
        "you are?",
        checks,
        [
            (layers - 1, "From one end to the other it takes that many; begin in the middle."),
            (layers // 2, "One comparison halves what is left, and so does the next."),
            (1, "One comparison says which half it is in."),
        ],
        f"Every comparison leaves half of the layers: {layers} is 2 to the power of {checks}.",
        prompt="Comparisons",
    )


@question("a tie under a step", lesson="15")
def a_tie_under_a_step(draw):
    dz, high = draw.pick(2, 3, 5, -3), draw.pick(4, 6, 7)
    x = np.array([[high, high - 2.0], [high - 3, high]])[None, None]
    slopes = numeric_gradient(lambda x: dz * max_pool2d(x, 2)[0].sum(), x)
    slope = round(float(slopes[0, 0, 0, 0]), 6)
    return number(
        "Max pooling, one window of 2 × 2; its largest value stands in it twice. The upstream "
        f"gradient is {shown(dz)}. What does a central difference say of the first cell's dx?",
        slope,
        [
            (dz, "That is what backward hands it, the first. One step down, the other is still "
                "there."),
            (0, "One step up it is the largest alone, and the output rises."),
            (dz / 4, "Only average pooling shares among all four."),
        ],
        "Up, the output follows; down, the other cell holds it: half the slope. The code is right, "
        "and the check fails.",
        tables=[table("x", x[0, 0])],
    )  # fmt: skip


@question("a relative error of 1", lesson="15")
def a_relative_error_of_1(draw):
    """A bias in front of a batch normalization: whatever it adds is taken off again."""
    tiny, other = draw.pick((3, -4), (-2, 5), (5, -6))
    error = relative_error([tiny * 1e-17], [other * 1e-13])
    answers = {
        True: "both numbers are 0, up to rounding",
        False: "the step crosses a kink of the ReLU",
        None: "the step is so long that the loss bends",
    }
    said = f"{tiny}e−17".replace("-", "−"), f"{other}e−13".replace("-", "−")
    return choice(
        "Behind a convolution stands a batch normalization, and then a ReLU. A check of the whole "
        f"network says of a bias of that convolution: gradient {said[0]}, numeric {said[1]}, "
        f"relative error {error:.0f}. The code is right. Why the alarm?",
        answers[bool(error > 0.9)],
        {
            answers[False]: "What the bias adds never gets as far as the ReLU.",
            answers[None]: "Another step would give other rounding, and the same relative error.",
        },
        "A constant that is added to a whole channel is taken off with the mean: its gradient is "
        "exactly 0. Two roundings of 0 differ by their whole size, so hold them against something "
        "of the size of the other gradients.",
    )


@question("what a factor does to Adam", lesson="15")
def what_a_factor_does_to_adam(draw):
    N = draw.pick(4, 16, 64)
    moved = []
    for factor in (1, 1 / N):
        layer = Linear(1, 1, gain=0.0, bias=False)
        optimizer = Adam(layer, 0.5)
        layer.forward([[1.0]])
        layer.backward([[2.0 * factor]])
        optimizer.step()
        moved.append(layer.params["w"].item())
    part = round(moved[1] / moved[0], 6)
    return number(
        f"A bug divides dw by {N}, so that with SGD a step of that layer has 1/{N} of its right "
        "length. What part of its right length has Adam's first step?",
        part,
        [
            (1 / N, "That is SGD's. Adam divides each gradient by its own size, as it has been."),
            (1 / math.sqrt(N), "Adam divides by the root of the mean of squares, and that shrinks "
                f"by {N}, too."),
            (1 / N**2, "Squares are inside a root there."),
            (0, "A small gradient still moves the weights: Adam divides it by its own size."),
        ],
        f"Adam divides the gradient by its usual size, and both are {N} times too small: the step "
        "is as long as ever. So a wrong factor does not show.",
        prompt="Part of the right length",
    )  # fmt: skip

"""Lesson 12: gradients that vanish and explode, and what keeps them alive."""

from itertools import permutations

import numpy as np

from cnnbp.activation import ReLU, Sigmoid
from cnnbp.convolution import Conv2d
from cnnbp.data import deep_runs
from cnnbp.explain import explain_batch_norm2d
from cnnbp.linear import Linear
from cnnbp.network import Network, Residual
from cnnbp.normalization import BatchNorm2d, batch_norm2d_backward
from cnnbp.optimizer import clip_gradients
from cnnbp.questions.question import cells, choice, match, number, question, shown, table


def _line(weights, activation):
    """One neuron a layer: a multiplication by each weight, and an activation behind each."""
    network = Network(
        [layer for _ in weights for layer in (Linear(1, 1, bias=False), activation())]
    )
    for place, w in enumerate(weights):
        network.params[f"{2 * place}.w"][...] = w
    return network


@question("what the sigmoids leave", lesson="12")
def what_the_sigmoids_leave(draw):
    """Each sigmoid where it is steepest: a bias brings its input back to 0."""
    depth, w = draw.pick((2, 2), (3, 2), (4, 2), (2, 3), (2, 1))
    layers = [layer for _ in range(depth) for layer in (Linear(1, 1), Sigmoid())]
    network = Network(layers)
    for place in range(depth):
        network.params[f"{2 * place}.w"][...] = w
        network.params[f"{2 * place}.b"][...] = -w / 2 if place else 0
    network.forward([[0.0]])
    left = network.backward([[1.0]]).item()
    return number(
        f"A number goes through {depth} layers. Each multiplies it by {w}, adds a bias, and takes "
        "the sigmoid. The biases are such that every sigmoid gets 0, where it is steepest. A "
        "gradient of 1 arrives behind the last. How much leaves the first?",
        left,
        [
            (0.25**depth, f"That is what the slopes leave; each weight is a factor {w}, too."),
            (w**depth, "That is what the weights do; the slope at 0 is not 1."),
            (depth * w / 4, "Factors along a way multiply; they are not added."),
        ],
        f"Each layer multiplies by weight · slope = {w} · 1/4 = {shown(w / 4)}, "
        f"{depth} times: {shown(left)}. One quarter is the most that a sigmoid passes.",
        prompt="It is",
    )


@question("small steps in float32", lesson="12")
def small_steps_in_float32(draw):
    w, step, count = draw.pick(0.5, 0.25, 0.75), draw.pick(1, 2), draw.pick(1000, 10_000)
    weight = np.float32(w)
    for _ in range(count):
        weight -= np.float32(step * 1e-9)
    draw.must(weight == np.float32(w))
    gap = w - float(np.nextafter(weight, np.float32(0)))
    after = lambda each: "about " + f"{w - count * each:.6f}".rstrip("0")  # noqa: E731
    return choice(
        f"A weight is {shown(w)}, a float32: 32 bits, or about seven digits. In each of {count:,} "
        f"steps it is made smaller by {step}e−9. What is it afterwards?",
        f"exactly {shown(w)}",
        {
            after(
                step * 1e-9
            ): "So it would be if the small steps were added up first, and then taken.",
            after(gap): "Then each step would go to the next float32: it is less than half that "
            "far, and goes back.",
        },
        f"The nearest float32 below {shown(w)} is about {shown(w)} − {shown(gap)}. A step of "
        f"{step}e−9 is rounded back to where it began, every time. Small steps are not added up: "
        "they are lost.",
    )


@question("one weight scaled", lesson="12")
def one_weight_scaled(draw):
    """w·dw is the same at every weight of a chain of ReLUs, so the others' dw moves along."""
    count, times = draw.pick(3, 4), draw.pick(0.5, 2.0)
    scaled = draw.whole(0, count - 2)
    weights = draw.array((count,), 1, 4)
    found = []
    for factor in (1, times):
        used = weights * [factor if place == scaled else 1 for place in range(count)]
        network = _line(used, ReLU)
        network.forward([[1.0]])
        network.backward([[1.0]])
        found.append(np.array([network.grads[f"{2 * k}.w"].item() for k in range(count)]))
    same, word = "as before", {0.5: "half", 2.0: "twice as large"}[times]
    said = {1.0: same, times: word}
    ratio = found[1] / found[0]
    names = [f"dw{k + 1}" for k in range(count)]
    below = [word if k < scaled else same for k in range(count)]
    return match(
        f"x → w1 → ReLU → … → w{count} → ReLU: one number, {count} weights, every ReLU open, no "
        f"biases. Now w{scaled + 1} becomes {word}; x, the other weights and the gradient that "
        "arrives behind the last ReLU stay. The gradient of each weight is then …",
        dict(zip(names, [said[float(r)] for r in ratio], strict=True)),
        [same, word],
        [
            ([word] * count, "A weight is no factor of its own gradient: dw = dz·x."),
            (below, "On the way forward it changes the x of those behind it: dw = dz·x."),
            (
                [word if k == scaled else same for k in range(count)],
                "It is a factor of all that passes it: dz on the way back, x on the way forward.",
            ),
        ],
        f"w{scaled + 1} is a factor of the dz of all weights before it, and of the x of all behind "
        "it, but not of its own gradient. So w·dw stays equal for all of them.",
    )


@question("clipped, and then", lesson="12")
def clipped_and_then(draw):
    first, last = draw.pick((0.5, 40), (0.25, 20), (0.5, 20), (0.25, 50), (0.5, 100))
    network = Network([Linear(1, 1, bias=False), Linear(1, 1, bias=False)])
    network.forward([[1.0]])
    network.backward([[1.0]])
    network.layers[0].grads["w"][...], network.layers[1].grads["w"][...] = first, last
    clip_gradients(network, 1.0)
    after = [network.grads[f"{place}.w"].item() for place in (0, 1)]
    return number(
        f"The first block's dw has norm {shown(first)}, the last block's {last}. All gradients are "
        "clipped together to norm 1. What is first / last afterwards?",
        after[0] / after[1],
        [
            (first, "That would be so if only the last one were shortened."),
            (1, "That would be so if each were given norm 1 by itself."),
            (last / first, "That is last / first."),
        ],
        f"One factor for all leaves every ratio as it is: {shown(first)}/{last}. Clipping bounds "
        "the step. A gradient that vanished stays vanished.",
        prompt="first / last =",
    )


def _before_a_normalization(w, x, dz):
    """A convolution's deviations, z of the normalization behind it, and what goes back."""
    network = Network([Conv2d(1, 2, 2, bias=False), BatchNorm2d(2, eps=1e-12)])
    network.params["0.w"][...] = w
    z = network.forward(x, training=True)
    dx = network.backward(dz)
    step = network.trace[0]
    return step.z.std(axis=(0, 2, 3)), z, step.dz, network.grads["0.w"], dx


@question("weights before a normalization", lesson="12")
def weights_before_a_normalization(draw):
    times = draw.pick(2, 4, 10)
    x, dz = draw.array((3, 1, 3, 3), -3, 3), draw.array((3, 2, 2, 2), -3, 3)
    w = draw.array((2, 1, 2, 2), -3, 3)
    found = [_before_a_normalization(factor * w, x, dz) for factor in (1, times)]
    names = [
        "the deviation",
        "z of the normalization",
        "dz of the convolution",
        "dw",
        "dx of the convolution",
    ]
    options = ["as before", f"{times} times", f"1/{times}"]
    pairs = {}
    for name, before, after in zip(names, *found, strict=True):
        ratio = np.linalg.norm(after) / max(np.linalg.norm(before), 1e-9)
        fits = [abs(ratio - r) < 1e-6 for r in (1, times, 1 / times)]
        draw.must(any(fits) and np.linalg.norm(before) > 0.1)
        pairs[name] = options[fits.index(True)]
    same, more, less = options
    return match(
        "x → convolution (no bias) → batch normalization, in training. All weights of the "
        f"convolution are multiplied by {times}; eps is negligible, and what arrives from the loss "
        "stays. What becomes of each?",
        pairs,
        options,
        [
            ([same, more, same, same, more], "The deviation grows along; z is divided by it."),
            (
                [more, same, same, same, same],
                "z does not move, so a nudge of a large w must do less.",
            ),
            ([more, same, less, less, less], "dx = dz·w: the one is smaller, the other larger."),
            ([more, same, less, same, same], "dw = dz·x, and x is what it was."),
        ],
        f"The deviation is {times} times as large, so z stays and what goes back is divided by "
        f"{times}. dw = dz·x shrinks along; in dx = dz·w the two cancel.",
    )


@question("who shares a mean", lesson="12")
def who_shares_a_mean(draw):
    shape = (2, 2, 1, 3)
    x, dz = draw.array(shape, -3, 3), draw.array(shape, -2, 2, zero=False)
    index = draw.whole(0, 1), draw.whole(0, 1), 0, draw.whole(0, 2)
    sample, channel, *_ = index
    cell = explain_batch_norm2d("dx", index, x=x, gamma=np.ones((2, 1, 1)), dz=dz, eps=0.5)
    draw.must((np.abs(cell.right) > 1e-3).all())
    name = lambda at: f"dz[{','.join(map(str, at))}]"  # noqa: E731
    every = list(np.ndindex(shape))
    right = {name(map(int, at)) for at in cell.left_index}
    own = {name(at) for at in every if at[:2] == (sample, channel)}
    here = {name(at) for at in every if at[1:] == index[1:]}
    return cells(
        "Batch normalization of 2 samples, 2 channels, images of 1 × 3; every mean and deviation "
        f"is of this batch. Mark every cell of dz that dx[{','.join(map(str, index))}] depends on.",
        right,
        [
            ({name(index)}, "So it would be if mean and deviation were constants."),
            (own, "The mean of a channel runs over the samples as well."),
            ({name(at) for at in every}, "Every channel has a mean and a deviation of its own."),
            (here, "The mean of a channel runs over all positions as well."),
        ],
        "A nudge of this x moves the mean and the deviation of its channel, and with them every z "
        f"of channel {channel}, in both samples. The other channel sees nothing of it.",
        tables=[
            table(
                f"sample {n}",
                [[name((n, c, 0, v)) for v in range(3)] for c in range(2)],
                marked=True,
                named=True,
            )
            for n in range(2)
        ],
    )


@question("the cell that is missing", lesson="12")
def the_cell_that_is_missing(draw):
    signs = draw.shuffled([1, 1, -1, -1])
    x = np.reshape([draw.whole(-2, 5) + sign for sign in signs], (1, 1, 1, 4))
    x = x - x + np.reshape(signs, x.shape) + draw.whole(-2, 5)  # deviation 1 around any mean
    dz, gamma = draw.array(x.shape, -4, 4), draw.pick(1.0, 2.0)
    dx, _, _ = batch_norm2d_backward(dz, x, np.full((1, 1, 1), gamma), eps=1e-12)
    dx = np.round(dx.ravel() * 4) / 4
    hidden = draw.whole(0, 3)
    known = np.delete(dx, hidden)
    draw.must((np.abs(known) > 0.1).all() and abs(dx[hidden]) > 0.1)
    row = [["?" if place == hidden else shown(v) for place, v in enumerate(dx)]]
    return number(
        "One channel of a batch normalization in training has four cells, all of one sample. You "
        "know three of its dx. You know neither dz nor x. What is the fourth?",
        dx[hidden],
        [
            (known.mean(), "It has to balance the other three, not to look like them."),
            (known.sum(), "What would happen to the loss if all four x moved up together?"),
            (0, "Push all four x by the same amount: z does not move, so neither does the loss."),
        ],
        "Push all four x up by the same amount: the mean moves along, z stays, so L stays. "
        f"Hence the four dx add up to 0, and the fourth is {shown(dx[hidden])}.",
        tables=[table("dx", row)],
        prompt="It is",
    )


@question("ways around", lesson="12")
def ways_around(draw):
    depth, slope = draw.pick((2, 0.5), (3, 0.5), (2, 0.25), (3, -0.5), (4, -0.5), (3, 1.0))
    network = Network([Residual([Linear(1, 1, bias=False)]) for _ in range(depth)])
    for place in range(depth):
        network.params[f"{place}.0.w"][...] = slope
    network.forward([[1.0]])
    left = network.backward([[1.0]]).item()
    return number(
        f"z = x + f(x): a path leads around f. The slope of f is {shown(slope)}. Of {depth} such "
        "blocks one behind the other, how large is the slope as a whole?",
        left,
        [
            (slope**depth, "That is the one way that goes through every f."),
            (1 + slope**depth, "At every block the two paths part anew: more ways than two."),
            (1 + depth * slope, "There are also ways through more than one f."),
        ],
        f"Each block has slope 1 + ({shown(slope)}) = {shown(1 + slope)}. There are "
        f"{2**depth} ways, and their products add up to {shown(1 + slope)} to the power {depth}.",
        prompt="It is",
    )


def _pairs(runs):
    """{what became of the better ratio, the one nearer 1: [(its name, the other's name), …]}."""
    pairs = {"loses": [], "wins": [], "changes nothing": []}
    off = {name: np.abs(np.log10(ratio)) for name, (ratio, _) in runs.items()}
    worst = {name: accuracy.min() for name, (_, accuracy) in runs.items()}
    for one, other in permutations(runs, 2):
        lead = worst[one] - worst[other]
        if off[one].max() < off[other].min() and not 0.15 < abs(lead) < 0.3:
            came = "changes nothing" if abs(lead) < 0.2 else "wins" if lead > 0 else "loses"
            pairs[came].append((one, other))
    return pairs


@question("by the ratio alone", lesson="12")
def by_the_ratio_alone(draw):
    """Two networks with different ratios before training; what became of them is measured."""
    runs = deep_runs()
    came, pairs = draw.pick(*_pairs(runs).items())
    better, worse = draw.pick(*pairs)
    pair = draw.shuffled([better, worse])
    power = lambda name: f"{np.median(runs[name][0]):.1g}".replace("e-0", "e−")  # noqa: E731
    said = {name: f"{letter} does" for name, letter in zip(pair, "AB", strict=True)}
    alike = "both alike, to 20 in 100"
    right = {"loses": said[worse], "wins": said[better], "changes nothing": alike}[came]
    wrong = {
        said[better]: "Its ratio is better. But a ratio does not say where the steps lead.",
        said[worse]: "Its ratio is worse, and its worst run does not lead by 20 in 100.",
        alike: "Their worst runs lie more than 20 in 100 apart.",
    }
    a, b = (f"{runs[name][1].min():.0%}" for name in pair)
    return choice(
        f"Two networks of twelve blocks, before training. A ({pair[0]}): the first block's dw is "
        f"{power(pair[0])} times the last block's. B ({pair[1]}): {power(pair[1])} times. Each is "
        "trained on three seeds for ten epochs. Whose worst run reads more new digits?",
        right,
        {answer: sentence for answer, sentence in wrong.items() if answer != right},
        f"A's worst run reads {a}, B's {b}: here the better ratio {came}. The ratio says who is "
        "given a gradient, not whether it leads anywhere.",
    )

"""Lesson 04: what an activation does to a gradient."""

import numpy as np

from cnnbp.activation import (
    ReLU,
    leaky_relu_backward,
    relu,
    relu_backward,
    sigmoid,
    sigmoid_backward,
    tanh_backward,
)
from cnnbp.graph import Graph
from cnnbp.linear import Linear
from cnnbp.network import Network
from cnnbp.questions.question import (
    added,
    cells,
    choice,
    factor,
    match,
    number,
    question,
    shown,
    table,
)
from cnnbp.questions.sets import grid, where


@question("open gates", lesson="04")
def open_gates(draw):
    x, dz = draw.array((2, 4), -5, 5), draw.array((2, 4), -6, 6)
    dx = relu_backward(dz, x)
    draw.must(((x > 0) & (dz == 0)).any() and ((x > 0) & (dz < 0)).any())
    return cells(
        "z = ReLU(x). Mark the cells where dx is not 0.",
        where(dx),
        [
            (where(dz > 0), "x opens the gate, not dz."),
            (where(x > 0), "One of these gates is open, but nothing arrived."),
            (where((x > 0) & (dz > 0)), "A negative message passes an open gate, too."),
        ],
        "dx = dz where x > 0, else 0. So x must be positive, and dz must not be 0.",
        tables=[table("x", x, marked=True), table("dz", dz)],
    )


@question("the slope from the output", lesson="04")
def the_slope_from_the_output(draw):
    z, dz = draw.pick(0.8, 0.75, 0.2, 0.25, 0.9, 0.1), draw.pick(-10, 8, -8, 16, 20)
    x = np.log(z / (1 - z))
    return number(
        f"A sigmoid gave z = {shown(z)}; dz = {shown(float(dz))} comes back. What is dx?",
        sigmoid_backward(dz, x),
        [
            (dz * z, "That is dz·z; the slope is z·(1 − z)."),
            (dz / 4, "¼ is the slope in the middle only, where z is ½."),
            (
                round(dz * float(sigmoid(z) * sigmoid(-z)), 2),
                "z is squashed already; once is enough.",
            ),
            (dz * (1 - z), "The other half of z·(1 − z) is missing."),
        ],
        f"dz·z·(1 − z) = {shown(float(dz))}·{shown(z)}·{shown(1 - z)}.",
        prompt="dx =",
    )


@question("a shut unit", lesson="04")
def a_shut_unit(draw):
    units, K, N = draw.pick((3, 2, 4), (2, 3, 4), (3, 3, 4))
    shut = draw.whole(0, units - 1)
    network = Network([Linear(2, units, rng=1), ReLU(), Linear(units, K, rng=2)])
    x = np.abs(draw.array((2, N), zero=False))
    network.params["0.w"][...] = np.where(np.arange(units)[:, None] == shut, -1, 1) * np.abs(
        network.params["0.w"]
    )
    network.forward(x)
    network.backward(np.random.default_rng(0).standard_normal((K, N)))
    dead = {
        name: {f"{name}[{i},{j}]" for i, j in where(network.grads[key] == 0)}
        for name, key in (("dw1", "0.w"), ("dw2", "2.w"))
    }
    row_of_second = {f"dw2[{shut},{j}]" for j in range(units)} if shut < K else set()
    return cells(
        f"w1 ({units}, 2) → ReLU → w2 ({K}, {units}). Unit {shut} of the ReLU is shut for every "
        "sample. Mark the cells of dw1 and dw2 that are surely 0.",
        dead["dw1"] | dead["dw2"],
        [
            (dead["dw1"], "The weights that lead away from it met z = 0 in every sample."),
            (dead["dw1"] | row_of_second, f"In w2, row {shut} is an output; the unit is its input.")
            if row_of_second
            else (dead["dw2"], "Nothing passes the gate back to w1."),
            (
                {f"dw1[{i},{min(shut, 1)}]" for i in range(units)} | dead["dw2"],
                f"In w1, the unit is an output: row {shut}.",
            ),
        ],
        f"Nothing passes back to row {shut} of w1. And column {shut} of w2 multiplied z = 0, so "
        "its dz·z is 0.",
        tables=[
            table("dw1", [["?"] * 2] * units, marked=True),
            table("dw2", [["?"] * units] * K, marked=True),
        ],
    )


@question("a tanh looks back", lesson="04")
def a_tanh_looks_back(draw):
    z, dz = draw.pick(0.6, -0.6, 0.8, -0.8, -0.5), draw.pick(-10, 10, 20, -20)
    dx = round(float(tanh_backward(dz, np.arctanh(z))), 9)
    return number(
        f"tanh gave z = {shown(z)}; dz = {shown(float(dz))} comes back. What is dx?",
        dx,
        [
            (dz * z * (1 - z), "z·(1 − z) is the sigmoid's slope."),
            (dz * (1 - z), "1 − z² is the slope: the square is missing."),
            (dz * z * z, "That is what is lost; 1 − z² is what passes."),
            (dz * z, "z is the value; the slope is 1 − z²."),
        ],
        f"dz·(1 − z²) = {shown(float(dz))}·(1 − {shown(z * z)}).",
        prompt="dx =",
    )


@question("a gate left ajar", lesson="04")
def a_gate_left_ajar(draw):
    slope, x = draw.pick(0.25, 0.5, 0.125), float(draw.whole(-5, -2))
    dz = float(draw.pick(8, -8, 16, -16, 4))
    return number(
        f"leaky_relu with slope {shown(slope)} saw x = {shown(x)}; dz = {shown(dz)} comes back. "
        "What is dx?",
        leaky_relu_backward(dz, x, slope=slope),
        [
            (0, "That is ReLU. This one leaves a slope below 0."),
            (dz, "That is the side above 0."),
            (slope * x, "That is z, the value."),
            (dz * slope * x, "The slope multiplies dz; x only says which side."),
        ],
        f"x is below 0, so dx = slope·dz = {shown(slope)}·{factor(dz)}.",
        prompt="dx =",
    )


@question("a shut gate on the way", lesson="04")
def a_shut_gate_on_the_way(draw):
    network = Network([Linear(1, 3), ReLU(), Linear(3, 1)])
    first = draw.distinct(3, -3, 4, zero=False)
    second = draw.distinct(3, -3, 4, zero=False)
    network.params["0.w"][:, 0], network.params["2.w"][0] = first, second
    x, dz = -2.0, float(draw.whole(-2, 2, zero=False))
    network.forward([[x]])
    dx = network.backward([[dz]])[0, 0]
    open_gates = relu(first * x) > 0
    draw.must(0 < open_gates.sum() < 3 and (second < 0).any())
    listed = [f"[{', '.join(map(shown, w))}]" for w in (first, second)]
    return number(
        f"x = {shown(x)} feeds three units with weights w1 = {listed[0]}; after ReLU, "
        f"w2 = {listed[1]} make one output. The loss sends it dz = {shown(dz)}. What is ∂L/∂x?",
        dx,
        [
            (dz * first @ second, "One gate at least is shut, and nothing passes it."),
            (dz * second @ np.maximum(first, 0), "The gate opens for w1·x > 0, not for w1 > 0."),
            (dz * second @ open_gates, "On through w1: that is what arrives at the units."),
        ],
        "Only the units with w1·x > 0 pass anything on: "
        + added(
            f"{shown(dz)}·{factor(b)}·{factor(a)}"
            for a, b, ok in zip(first, second, open_gates, strict=True)
            if ok
        )
        + ".",
        prompt="∂L/∂x =",
    )


@question("as wrong as it can be", lesson="04")
def as_wrong_as_it_can_be(draw):
    neuron = Graph(p="w * x", z="sigmoid(p)", e="z - target", L="square(e)")
    target, far = draw.pick(0.0, 1.0), draw.whole(6, 12)
    p = far if target == 0 else -far
    near, sure = (
        abs(neuron.backward(neuron.forward(x=2.0, w=at / 2, target=target))["w"]) for at in (0, p)
    )
    answers = {
        "weaker by far": sure < near / 10,
        "about as strong": near / 10 <= sure <= near * 1.5,
        "stronger: the error has grown": sure > near * 1.5,
    }
    (right,) = (answer for answer, holds in answers.items() if holds)
    said = {
        "about as strong": "The error has doubled, but the sigmoid's slope has all but vanished.",
        "stronger: the error has grown": "It has, but dw is error times slope: look at the slope.",
        "exactly 0": "The sigmoid is flat there, but never quite.",
    }
    return choice(
        f"A neuron with one weight: L = (σ(w·x) − {shown(target)})², and x = 2. At w = 0 its "
        f"output is ½. Now w is moved to {shown(p / 2)}, and the output is nearly "
        f"{shown(1 - target)}: as wrong as it can be. How strong is dw there?",
        right,
        said,
        f"dw = 2·(z − {shown(target)})·z·(1 − z)·x. The error has doubled, but z·(1 − z) has "
        "fallen from ¼ to nearly 0.",
    )


@question("three squashes", lesson="04")
def three_squashes(draw):
    layers, dz = draw.pick(2, 3), float(draw.pick(16, 32, 64))
    best = dz
    for _ in range(layers):
        best = float(sigmoid_backward(best, 0.0))
    return number(
        f"{shown(dz)} comes back through {layers} sigmoids in a row, with no more than a bias "
        "between them. How large can it be, at most, when it leaves the first one?",
        best,
        [
            (dz / 4, "That is after one of them."),
            (dz / (4 * layers), "Slopes along a path are multiplied, not added."),
            (dz / 2**layers, "½ is the sigmoid's value in the middle; its slope there is ¼."),
            (dz, "Even in the middle, a sigmoid is not as steep as 1."),
        ],
        f"A bias passes everything on, and a sigmoid a quarter at best: {shown(dz)}"
        + "/4" * layers
        + ".",
    )


@question("what must be remembered", lesson="04")
def what_must_be_remembered(draw):
    needs = {
        "ReLU's dx": "the signs of its z",
        "sigmoid's dx": "its z",
        "a linear layer's dw": "its x",
        "a linear layer's db": "nothing",
    }
    rows = draw.shuffled(needs)
    options = ["nothing", "its x", "its z", "the signs of its z"]
    all_x = {**dict.fromkeys(needs, "its x"), "a linear layer's db": "nothing"}
    by_output = {**needs, "a linear layer's dw": "its z"}
    return match(
        "dz arrives. What is the least that each of these must have kept from the forward pass?",
        {row: needs[row] for row in rows},
        options,
        [
            ([all_x[row] for row in rows], "x would do, but an activation can live on its z."),
            ([by_output[row] for row in rows], "dw is dz times what the weight multiplied: x."),
            (["its z"] * 4, "A weight multiplied x; and ReLU and the bias need less."),
        ],
        "ReLU: open where z > 0. Sigmoid: z·(1 − z). dw = dz·xᵀ. db adds up dz alone.",
    )


@question("where most passes", lesson="04")
def where_most_passes(draw):
    x = draw.distinct(6, -5, 5, step=0.5).reshape(2, 3)
    slopes = sigmoid_backward(np.ones_like(x), x)
    most = where(slopes == slopes.max())
    draw.must(len(most) == 1)
    return cells(
        "z = sigmoid(x), and the same dz arrives at every cell. Mark the cell that passes most of "
        "it on.",
        most,
        [
            (where(x == x.max()), "There z is nearly 1, and flat."),
            (where(x == x.min()), "There z is nearly 0, and flat."),
            (grid(range(2), range(3)), "The slope z·(1 − z) is a different one in every cell."),
        ],
        "The sigmoid is steepest at 0: the cell nearest to 0.",
        tables=[table("x", x, marked=True)],
    )

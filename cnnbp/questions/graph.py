"""Lesson 01: the chain rule on graphs of single numbers."""

from cnnbp.explain import OPERANDS
from cnnbp.graph import Graph
from cnnbp.questions.question import cells, factor, match, number, question, shown, table


def _numbers(values, names):
    """a = 2, b = −3, as a text says it."""
    return ", ".join(f"{name} = {shown(float(values[name]))}" for name in names)


@question("two ways to the loss", lesson="01")
def two_ways_to_the_loss(draw):
    graph = Graph(p="a * b", q="p + a", L="square(q)")
    values = graph.forward(a=draw.whole(-3, 4, zero=False), b=draw.whole(-4, 4, zero=False))
    q, b = values["q"], values["b"]
    draw.must(q and abs(q) <= 12)
    return number(
        f"q = a·b + a and L = q², with {_numbers(values, 'ab')}. What is ∂L/∂a?",
        graph.backward(values)["a"],
        [
            (2 * q * b, "That is what comes back through the product; a is used once more."),
            (2 * q, "That is what comes back from the plain a; the product uses it, too."),
            (b + 1, "That is ∂q/∂a. Go on to L."),
        ],
        f"q = {shown(q)}, so dq = 2q = {shown(2 * q)}. a has two uses, and both come back: "
        f"dq·b + dq·1 = {shown(2 * q)}·{factor(b)} + {shown(2 * q)}.",
        prompt="∂L/∂a =",
    )


@question("what a layer can know", lesson="01")
def what_a_layer_can_know(draw):
    known = draw.pick("x", "w")
    dz, value = draw.whole(-6, 6, zero=False), draw.whole(-6, 6, zero=False)
    can = {f"d{of}": set(OPERANDS[f"d{of}"]) <= {"dz", known} for of in "xwb"}
    yes = {True: "yes", False: "no"}
    own = ["yes" if f"d{known}" == name or name == "db" else "no" for name in can]
    return match(
        f"z = w·x + b. You know dz = {shown(float(dz))} and {known} = {shown(float(value))}, "
        "and no other number of the network. Which gradients can you compute?",
        {name: yes[able] for name, able in can.items()},
        ["yes", "no"],
        [
            (["no"] * 3, "dz already carries everything about the loss."),
            (own, "Each needs the other factor: dx needs w, dw needs x."),
            (["yes"] * 3, "A product needs its other factor, too."),
            (["no" if n == "db" else yes[c] for n, c in can.items()], "b is added: db is dz·1."),
        ],
        "dx = dz·w, dw = dz·x, db = dz·1. The loss is in dz already.",
    )


@question("complete before", lesson="01")
def complete_before(draw):
    p, q, r, t = draw.shuffled("uvsk")
    formulas = draw.pick(
        {p: "a * b", q: f"{p} + c", r: f"{p} * {q}", "L": f"square({r})"},
        {p: "b + c", q: "a * b", r: f"{q} + {p}", t: f"{r} * {q}", "L": f"square({t})"},
        {p: "a + b", q: f"{p} * c", r: "b * c", t: f"{q} + {r}", "L": f"square({t})"},
    )
    graph = Graph(**formulas)
    paths = graph.paths("a")
    behind = {step for path in paths for step in path} - {"a"}
    shortest = set(min(paths, key=len)) - {"a"}
    lines = ", ".join(f"{n} = {f.replace(' * ', '·')}" for n, f in formulas.items())
    lines = lines.replace("square(", "").replace(")", "²")
    others = set(graph.names) - behind - {"a"}
    first = set(graph.uses("a"))
    beside = {o for step in first for o in graph.steps[step][1]} - {"a"}
    return cells(
        f"{lines}. Whose gradients must be complete before ∂L/∂a can be? Mark them.",
        {*behind},
        [
            (shortest, "There is more than one way from a to L; every step on each of them counts.")
            if len(paths) > 1
            else (first, "Those use a, and wait themselves for all that comes after them."),
            (first | beside, "The partner's value is needed, not its gradient."),
            (behind | others, "Only what lies on a way from a to L."),
            (behind - {"L"}, "∂L/∂L = 1 is where it begins: it counts, too."),
        ],
        "Everything that a flows into, up to L: "
        + ", ".join(n for n in graph.names if n in behind)
        + ". What only stands beside it gives its value, not its gradient.",
        tables=[table("numbers", [n for n in graph.names if n != "a"], marked=True, named=True)],
    )


@question("the loop in order", lesson="01")
def the_loop_in_order(draw):
    lines = [
        "gradients = {name: 0 for name in values}",
        "gradients[steps[-1]] = 1",
        "for step in reversed(steps):",
        "· for operand, slope in slopes[step]:",
        "· · gradients[operand] += gradients[step] * slope",
    ]
    forward, assigned = "for step in steps:", "· · gradients[operand] = gradients[step] * slope"
    places = dict(zip(lines, ("1st", "2nd", "3rd", "4th", "5th"), strict=True))
    places |= {forward: "no", assigned: "no"}
    rows = draw.shuffled(places)

    def exchanged(one, other):
        swap = {one: other, other: one}
        return [places[swap.get(row, row)] for row in rows]

    return match(
        "Put the backward pass in order: which place has each line? Two lines are not needed. "
        "A dot is one step of indentation.",
        {f"`{row}`": places[row] for row in rows},
        ["1st", "2nd", "3rd", "4th", "5th", "no"],
        [
            (exchanged(lines[2], forward), "Going forward, a step would send what it has not got."),
            (exchanged(lines[4], assigned), "With = the last use wins; every use counts."),
            (
                exchanged(lines[3], lines[2]),
                "A step comes first, then the operands that it was made of.",
            ),
        ],
        "Everything starts at 0, but the loss at 1. Then from the last step to the first, every "
        "operand is added its share: a value used twice gets two.",
    )


@question("a minus on the way", lesson="01")
def a_minus_on_the_way(draw):
    graph = Graph(q="a - b", L="q * b")
    values = graph.forward(a=draw.whole(-5, 5), b=draw.whole(-5, 5, zero=False))
    a, b = values["a"], values["b"]
    return number(
        f"q = a − b and L = q·b, with {_numbers(values, 'ab')}. What is ∂L/∂b?",
        graph.backward(values)["b"],
        [
            (a, "The difference sends back a minus: its slope by b is −1."),
            (a - b, "That is only what comes back from the product."),
            (-b, "That is only what comes back through the difference."),
        ],
        f"From the product comes q = {shown(a - b)}, through the difference b·(−1) = {shown(-b)}. "
        "Added.",
        prompt="∂L/∂b =",
    )


@question("with = in place of +=", lesson="01")
def assigned_not_added(draw):
    graph = Graph(p="a * b", q="p + a", L="square(q)")
    values = graph.forward(a=draw.whole(-3, 4, zero=False), b=draw.whole(-4, 4, zero=False))
    gradients = dict.fromkeys(graph.names, 0.0) | {"L": 1.0}
    for step in reversed(graph.steps):
        for operand, slope in graph.slopes(step, values):
            gradients[operand] = gradients[step] * slope
    q, b = values["q"], values["b"]
    draw.must(q and b != 1)
    return number(
        f"p = a·b, q = p + a, L = q², with {_numbers(values, 'ab')}. Somebody's backward loop, "
        "from the last step to the first, has = where += belongs. Which number does it call "
        "∂L/∂a?",
        gradients["a"],
        [
            (2 * q, "q's own use comes first on the way back, and is overwritten."),
            (graph.backward(values)["a"], "That is the right gradient; = keeps one use only."),
            (b + 1, "That is ∂q/∂a; the loop begins at L."),
        ],
        f"On the way back q comes before p. So the plain use, {shown(2 * q)}, is written first "
        f"and the product's, dp·b = {shown(2 * q)}·{factor(b)}, overwrites it.",
        prompt="its ∂L/∂a =",
    )


@question("a factor of zero", lesson="01")
def a_factor_of_zero(draw):
    a, dp = draw.whole(2, 5), draw.whole(2, 6)
    zero_first = draw.pick(True, False)
    values = {"a": 0.0, "b": float(a)} if zero_first else {"a": float(a), "b": 0.0}
    slopes = dict(Graph(L="a * b").slopes("L", values))
    sent = {f"d{name}": shown(dp * slope) for name, slope in slopes.items()}
    da, db = sent.values()
    draw.must(len({str(dp), str(a), str(a * dp)}) == 3)
    return match(
        f"p = a·b with {_numbers(values, 'ab')}, so p = 0. Back from the loss comes dp = {dp}. "
        "What goes back?",
        sent,
        ["0", str(a), str(dp), str(a * dp)],
        [
            ([db, da], "Each operand gets the other one as its slope."),
            (["0", "0"], "p is 0, but moving the 0 would move p."),
            ([str(dp), str(dp)], "That is what a sum sends back; a product has slopes."),
        ],
        "da = dp·b and db = dp·a: whoever is 0 itself still hears from its partner.",
    )


@question("a weight for two samples", lesson="01")
def a_weight_for_two_samples(draw):
    graph = Graph(z1="w * x1", z2="w * x2", l1="square(z1)", l2="square(z2)", L="l1 + l2")
    x1, x2 = draw.distinct(2, -3, 3, zero=False)
    values = graph.forward(w=draw.pick(0.5, 1.5, -0.5, 1, 2), x1=x1, x2=x2)
    first, second = (2 * values[f"z{i}"] * values[f"x{i}"] for i in (1, 2))
    return number(
        f"Two samples go through one weight: z1 = w·x1, z2 = w·x2, L = z1² + z2², with "
        f"{_numbers(values, ('w', 'x1', 'x2'))}. What is ∂L/∂w?",
        graph.backward(values)["w"],
        [
            (first, "That is the first sample's message alone."),
            (second, "That is the second sample's message alone."),
            ((first + second) / 2, "L is a sum, not a mean: nothing divides by 2."),
        ],
        f"Each sample sends 2·z·x: {shown(first)} and {shown(second)}. One weight, so they add up.",
        prompt="∂L/∂w =",
    )


@question("one step downhill", lesson="01")
def one_step_downhill(draw):
    w, dw = draw.whole(-3, 3), draw.whole(-8, 8, zero=False)
    rate = draw.pick(4, 8)
    return number(
        f"w = {shown(float(w))} and ∂L/∂w = {shown(float(dw))}. The learning rate is 1/{rate}. "
        "What is w after one step that lowers L?",
        w - dw / rate,
        [
            (w + dw / rate, "That step climbs: L rises where the gradient points."),
            (w - dw, "The learning rate makes the step shorter."),
            (-dw / rate, "That is the step itself; it starts at w."),
            (dw / rate, "That is the step uphill, without where it starts."),
        ],
        f"w − learning_rate·dw = {shown(float(w))} − ({shown(float(dw))})/{rate}.",
        prompt="w =",
    )


@question("how far does L move", lesson="01")
def how_far_does_l_move(draw):
    graph = Graph(p="w * x", e="p - t", L="square(e)")
    values = graph.forward(
        w=draw.whole(-3, 3), x=draw.whole(-3, 3, zero=False), t=draw.whole(-3, 3)
    )
    draw.must(1 <= abs(values["e"]) <= 5)
    dw, parts = graph.backward(values)["w"], draw.pick(16, 32, -16, -32)
    nudge = 1 / parts
    raised = "raised" if nudge > 0 else "lowered"
    return number(
        f"e = w·x − t and L = e², with {_numbers(values, 'wxt')}. w is {raised} by "
        f"1/{abs(parts)}. By how much does L move, as the gradient predicts? Down is negative.",
        dw * nudge,
        [
            (-dw * nudge, "Look at the signs of the gradient and of the nudge."),
            (dw, "That is the gradient; the nudge is small."),
            (2 * values["e"] * nudge, "That is how L moves if e is nudged; w reaches e through x."),
        ],
        f"∂L/∂w = 2e·x = {shown(dw)}, times the nudge {shown(nudge)}.",
        prompt="ΔL ≈",
    )

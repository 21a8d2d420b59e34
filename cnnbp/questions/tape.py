"""Lesson 16: a tape, and what libraries do with theirs."""

import inspect

import numpy as np

from cnnbp import tape
from cnnbp.activation import relu_backward, sigmoid_backward
from cnnbp.convolution import conv2d_backward
from cnnbp.linear import flatten_backward, linear_backward
from cnnbp.pooling import avg_pool2d_backward, max_pool2d_backward
from cnnbp.questions.question import cells, factor, match, number, question, shown, table
from cnnbp.tape import Node, in_order


def _gradients(last, nodes):
    """The gradients of some nodes after the tape's own backward pass."""
    last.backward()
    return [float(np.sum(node.gradient)) for node in nodes]


def _send(nodes, add):
    """A backward pass over nodes in a given order, with a way of its own to add a share."""
    nodes[0].gradient = np.ones_like(nodes[0].value)
    for node in nodes:
        for parent, share in zip(node.parents, node.send_back(node.gradient), strict=True):
            before = parent.gradient
            parent.gradient = share if before is None else add(before, share)


@question("four uses, one kept", lesson="16")
def four_uses_one_kept(draw):
    value = float(draw.pick(2, 3, -2))
    a = Node(value)
    formula, last, one = draw.pick(
        ("(a·a)·(a·a)", (a * a) * (a * a), 2 * value**3), ("a·a·a", a * a * a, 2 * value**2)
    )
    right = _gradients(last, [a])[0]
    a.gradient = None
    _send([n for n in reversed(in_order(last)) if n.send_back], lambda before, share: share)
    return number(
        f"L = {formula} with a = {shown(value)}. Somebody's backward pass has = where += belongs: "
        "each share that a is sent replaces the one before. Which number does it end with?",
        float(a.gradient),
        [
            (right, "That is the right gradient, all shares together; = keeps one."),
            (one, "That is what both factors of one product get. Each of them is a share."),
            (value, "That is the other factor; the share is dz times it, and this dz is not 1."),
            (formula.count("a"), "So often a is used. Each use has a slope of its own."),
        ],
        f"Every share is dz times the other factor. The last one, {shown(float(a.gradient))}, is "
        f"what = leaves; all of them together are {shown(right)}.",
        prompt="It ends with",
    )


KEPT = {"x_shape": "the shape of x"}


def _kept(backward):
    """What a backward function must be given beside dz, in words."""
    needed = [
        name
        for name, parameter in inspect.signature(backward).parameters.items()
        if parameter.default is parameter.empty and name not in ("dz", "kernel_size")
    ]
    return " and ".join(KEPT.get(name, name) for name in needed)


@question("what each step holds on to", lesson="16")
def what_each_step_holds_on_to(draw):
    product = draw.pick(("conv2d", conv2d_backward), ("linear", linear_backward))
    curve = draw.pick(("relu", relu_backward), ("sigmoid", sigmoid_backward))
    form = draw.pick(("flatten", flatten_backward), ("avg_pool2d", avg_pool2d_backward))
    functions = dict([product, curve, form, ("max_pool2d", max_pool2d_backward)])
    found = {name: _kept(backward) for name, backward in functions.items()} | {"a + b": "nothing"}
    rows = draw.shuffled(found)
    options = sorted({*found.values()}, key=lambda option: (len(option), option))

    def but(row, option):
        return [option if each == row else found[each] for each in rows]

    return match(
        "A step of the tape must be able to send its gradient back when only dz is still to come. "
        "How much of what it saw in the forward pass must it hold on to, at least as this course's "
        "backward functions are written? (argmax: where each window's winner stood.)",
        {f"`{row}`": found[row] for row in rows},
        options,
        [
            (but("max_pool2d", "x"), "Who won is enough; the losers' values no longer count."),
            (but(form[0], "nothing"), "Its gradient must become images again: of which size?"),
            (but("a + b", "x"), "The slope of a sum is 1, whatever its operands are."),
            (but(product[0], "x"), "Each factor's gradient is made of the other one."),
        ],
        "Each holds what its slopes are made of: a product both its factors, a curve the place "
        "where it stood, a choice who was chosen, and a sum nothing.",
    )


@question("goes on too early", lesson="16")
def goes_on_too_early(draw):
    a, b, c = (float(v) for v in draw.distinct(3, 2, 5))
    nodes = {name: Node(value) for name, value in zip("abc", (a, b, c), strict=True)}
    y = nodes["a"] * nodes["a"]
    p, q = y * nodes["b"], y * nodes["c"]
    last = p + q
    (right,) = _gradients(last, [nodes["a"]])
    for node in in_order(last):
        node.gradient = None
    _send([last, p, y, q], lambda before, share: before + share)
    early = float(nodes["a"].gradient)
    return number(
        f"y = a·a, p = y·b, q = y·c, L = p + q, with a = {shown(a)}, b = {shown(b)}, "
        f"c = {shown(c)}. Somebody's backward pass takes the steps in the order L, p, y, q. Each "
        "hands on, once, what it has got by then. What does it call ∂L/∂a?",
        early,
        [
            (right, "That is right. But when y hands on, q has not sent anything yet."),
            (2 * a * c, "That is q's share. q sends it to y when y has had its turn."),
            (b * a, "a is used twice in y: both factors get a share."),
            (b, "That is what y has got by then; its slope by a comes on top."),
        ],
        f"y hands on p's share alone: {shown(b)}·2·{shown(a)}. q's share arrives too late. With "
        f"both it would be {shown(right)}.",
        prompt="its ∂L/∂a =",
    )


@question("added in place", lesson="16")
def added_in_place(draw):
    factor_of_t = float(draw.pick(-3, -2, 2, 3, 4, 5))
    a, b, k = Node(np.ones(1)), Node(np.ones(1)), Node(np.array([factor_of_t]))
    s = a + b
    t = s + a
    last = t * k
    (right, of_a) = _gradients(last, [b, a])
    for node in in_order(last):
        node.gradient = None

    def in_place(before, share):
        before += share
        return before

    _send([last, t, s], in_place)
    return number(
        f"s = a + b, t = s + a, L = t·k, with arrays of one number, and k = {shown(factor_of_t)}. "
        "A sum hands on the array that it got, the same one to both parents. Somebody adds with "
        "`parent.gradient += share`, in place. What does that leave as the gradient of b?",
        b.gradient.item(),
        [
            (right, "That is right. But b holds the very array that something is added into."),
            (of_a + right, "Follow one array: how often is it added into, and who holds it?"),
            (0, "Nothing is lost here: something is added that does not belong to b."),
        ],
        f"t, s, a and b all hold one array, {factor(factor_of_t)}. a adds its second share into "
        f"it, and all of them read {shown(b.gradient.item())}. A new array for the sum cures it.",
        prompt="∂L/∂b, as left:",
    )


@question("a block with a way around", lesson="16")
def a_block_with_a_way_around(draw):
    w, x, dz = float(draw.pick(-3, -2, 2, 3)), float(draw.whole(-3, 3, zero=False)), draw.pick(2, 3)
    nodes = [Node([[w]]), Node([[x]])]
    inner = tape.relu(tape.linear(nodes[1], nodes[0]))
    y = tape.linear(inner, nodes[0]) + nodes[1]
    _, dx = _gradients(y * Node([[float(dz)]]), nodes)
    through = dx - dz
    state = "open" if through else "shut"
    return number(
        f"y = w·relu(w·x) + x: one weight in two layers, and a way around both. w = {shown(w)}, "
        f"x = {shown(x)}, and dy = {dz} arrives. What is dx?",
        dx,
        [
            (through, "That is the way through the layers; x also goes around them."),
            (dz * w + dz, "Two layers lie on the way through, and each multiplies by w."),
            (dz * w * w * dz + dz, "dy is a factor once, on each way."),
            (dz * (w * w if not through else 0) + dz, f"Look at w·x: the ReLU is {state}."),
        ],
        f"Through the layers, whose ReLU is {state}: {shown(through)}. Around them: {dz}. Two "
        "uses, so they add up.",
        prompt="dx =",
    )


def _counted(N):
    """How many numbers a small network on a tape holds, by kind."""
    x = Node(np.ones((N, 1, 4, 4)))
    given = [Node(np.ones(shape)) for shape in ((2, 1, 3, 3), (2, 1, 1), (3, 8), (3, 1))]
    z = tape.flatten(tape.relu(tape.conv2d(x, *given[:2])))
    last = tape.softmax_cross_entropy(tape.linear(z, *given[2:]), np.zeros(N, int))
    last.backward()
    return {
        "what the steps hold on to": sum(n.value.size for n in in_order(last) if n.parents),
        "the parameters": sum(node.value.size for node in given),
        "the parameters' gradients": sum(node.gradient.size for node in given),
        "dx of the images": x.gradient.size,
    }


@question("a batch twice as large", lesson="16")
def a_batch_twice_as_large(draw):
    times, word = draw.pick((2, "twice"), (3, "three times"))
    small, large = _counted(4), _counted(4 * times)
    grows, stays = f"about {word} as much", "the same"
    found = {row: grows if large[row] > 1.5 * small[row] else stays for row in small}
    rows = draw.shuffled(found)

    def with_(**changed):
        return [changed.get(row.split()[-1], found[row]) for row in rows]

    return match(
        f"A network is trained with batches {word} as large. How much memory does each of "
        "these take then?",
        {row: found[row] for row in rows},
        [grows, stays],
        [
            ([grows] * len(rows), "A parameter stands for all images at once."),
            (with_(gradients=grows), "A gradient has its parameter's shape: it sums over images."),
            (with_(images=stays), "Every image has a dx of its own."),
            (with_(to=stays), "Every image leaves values of its own in every layer."),
        ],
        "Values and their gradients belong to images, parameters and their gradients to all of "
        "them. In training the values that are held on to are often most of the memory.",
    )


@question("changed behind its back", lesson="16")
def changed_behind_its_back(draw):
    changed = draw.pick("a", "b", "c", "p")

    def gradients(change):
        given = {name: Node(np.array([v])) for name, v in zip("abc", (2.0, 3.0, 5.0), strict=True)}
        p = given["a"] * given["b"]
        nodes = given | {"p": p}
        last = p * given["c"]
        nodes[changed].value += change
        return dict(zip(nodes, _gradients(last, nodes.values()), strict=True))

    right, found = gradients(0), gradients(1)
    wrong = {f"d{name}" for name in right if found[name] != right[name]}
    every = ["da", "db", "dc", "dp"]
    return cells(
        "p = a·b, L = p·c. After the forward pass, and before the backward pass, somebody writes "
        f"other numbers into the array of {changed}, in place. Which gradients come out other than "
        "they should be? Mark them.",
        wrong,
        [
            ({f"d{changed}"}, "A factor's own gradient is made of the other factor."),
            (set(every), "Ask of each: is that array a factor of it, or of what arrives?"),
            (set(), "A step holds on to the array, not to a copy of its numbers."),
            (wrong ^ {"dp"}, "dp is c. From there follow what each gradient is made of."),
        ],
        "dp = c, dc = p, da = dp·b, db = dp·a, read when the backward pass runs. p is not computed "
        "again: it is what it was, unless it is p that was written into.",
        tables=[table("gradients", every, marked=True, named=True)],
    )


@question("never set to zero", lesson="16")
def never_set_to_zero(draw):
    batches = [float(v) for v in draw.distinct(3, -4, 5, zero=False)]
    draw.must(sum(batches) not in [0, *batches])
    grad = 0.0
    for x in batches:
        w = Node(2.0)
        (dw,) = _gradients(w * Node(x), [w])
        grad += dw
    written = ", ".join(map(shown, batches))
    return number(
        "A library adds every backward pass to what `w.grad` already holds. A training loop never "
        f"sets it to zero. The gradients of its first three batches are {written}. With which "
        "number does it take its third step?",
        grad,
        [
            (batches[-1], "That is the third batch's own gradient; the others are still there."),
            (grad / 3, "They are added up. Nobody divides by how many there were."),
            (batches[-1] + batches[-2], "The first batch's gradient is still there as well."),
        ],
        f"{' + '.join(map(factor, batches))} = {shown(grad)}: every step repeats all that came "
        "before it, a bit like momentum that never forgets.",
        prompt="It steps with",
    )

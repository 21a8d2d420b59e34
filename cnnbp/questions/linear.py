"""Lesson 03: the fully connected layer, and flattening."""

import numpy as np

from cnnbp.explain import explain_flatten, explain_linear
from cnnbp.linear import Linear, linear_backward
from cnnbp.network import Network
from cnnbp.questions.question import (
    cells,
    choice,
    factor,
    match,
    number,
    question,
    shape,
    shown,
    table,
)
from cnnbp.questions.sets import grid, left, right, where


@question("messages to an input", lesson="03")
def messages_to_an_input(draw):
    D, N, M = map(int, draw.distinct(3, 2, 4))
    dz, w = draw.array((M, N)), draw.array((M, D))
    d, n = draw.whole(0, D - 1), draw.whole(0, N - 1)
    found = left(explain_linear("dx", (d, n), dz=dz, w=w))
    row = grid([min(d, M - 1)], range(N))
    return cells(
        f"x is ({D}, {N}) and w is ({M}, {D}), a sample in every column. Mark every cell of dz "
        f"that dx[{d},{n}] is made of.",
        found,
        [
            (row, "A row of dz is one output over all samples; dx of a sample asks all outputs."),
            (grid(range(M), range(N)), "Samples do not see each other."),
            ({(min(d, M - 1), n)}, "An input feeds every output, not only the one of its number."),
        ],
        f"x[{d},{n}] feeds all {M} outputs of sample {n}, so column {n} of dz comes back.",
        tables=[table("dz", dz, marked=True)],
    )


@question("a message meets a zero", lesson="03")
def a_message_meets_a_zero(draw):
    D, N, M = 3, draw.pick(3, 4), 2
    x = draw.array((D, N), -4, 4, zero=False)
    m, n = draw.whole(0, M - 1), draw.whole(0, N - 1)
    x[draw.whole(0, D - 1), n] = 0
    dz = np.zeros((M, N))
    dz[m, n] = 1
    changed = where(linear_backward(dz, x, np.zeros((M, D)))[1])
    return cells(
        f"The layer has three inputs and two outputs; x is shown. Only dz[{m},{n}] grows. Mark "
        "every cell of dw that changes.",
        changed,
        [
            (grid([m], range(D)), "One of these weights met a 0: no message."),
            (grid([m], [min(n, D - 1)]), f"The {n} of dz is a sample; dw has no samples."),
            (where(np.outer(np.arange(M) != m, x[:, n])), "A row of dw belongs to one output."),
        ],
        f"dw[{m},d] gets dz[{m},{n}]·x[d,{n}]: row {m}, except where x[d,{n}] is 0.",
        tables=[table("x", x), table("dw", [["?"] * D] * M, marked=True)],
    )


@question("between two layers", lesson="03")
def between_two_layers(draw):
    D, N, M, K = map(int, draw.distinct(4, 2, 7))
    first, second = Linear(D, M, rng=0), Linear(M, K, rng=1)
    network = Network([first, second])
    network.backward(network.forward(np.ones((D, N))))
    step = network.trace[0]
    return shape(
        f"x ({D}, {N}) goes through layer A with w ({M}, {D}), then through layer B with "
        f"w ({K}, {M}), then to the loss. What is the shape of the dz that A receives?",
        step.dz.shape,
        [
            (network.trace[1].dz.shape, "That arrives at B."),
            (step.dx.shape, "That leaves A."),
            (second.grads["w"].shape, "B's dw stays with B."),
            (step.dz.T.shape, "The samples stand in columns."),
        ],
        f"A receives the dx of B, which has the shape of B's x, and of A's z: {step.dz.shape}.",
    )


@question("one cell of dw", lesson="03")
def one_cell_of_dw(draw):
    dz, x = draw.array((2, 2), -3, 3), draw.array((2, 2), -3, 3)
    m, d = draw.pick((0, 1), (1, 0))
    _, dw, _ = linear_backward(dz, x, np.zeros((2, 2)))
    return number(
        f"Two inputs, two outputs, a batch of two in columns. What is dw[{m},{d}]?",
        dw[m, d],
        [
            (dz[m, d] * x[m, d], "That multiplies cell by cell; a weight meets every sample."),
            (dw[d, m], "That is the weight from the other input to the other output."),
            (dw[m, d] / 2, "dz already holds the mean, if the loss is one. Samples are summed."),
            ((dz @ x)[m, d], "Partners belong to the same sample, the same column of each."),
        ],
        f"Row {m} of dz times row {d} of x: partners are of the same sample.",
        tables=[table("dz", dz), table("x", x)],
        prompt=f"dw[{m},{d}] =",
    )


@question("which index is summed", lesson="03")
def which_index_is_summed(draw):
    sizes = {"x": (2, 3), "w": (4, 2), "dz": (4, 3)}
    arrays = {name: np.ones(s) for name, s in sizes.items()}
    axes = {"z": "mn", "dx": "dn", "dw": "md", "db": "m"}
    operand_axes = {"x": "dn", "w": "md", "dz": "mn"}
    summed = {}
    for wanted in axes:
        cell = explain_linear(wanted, (0, 0), **arrays)
        varies = np.ptp(cell.left_index, axis=0) > 0
        (summed[wanted],) = (
            axis for axis, moves in zip(operand_axes[cell.left_name], varies, strict=True) if moves
        )
    rows = {f"`{wanted}[{','.join(axes[wanted].ljust(2, '0'))}]`": wanted for wanted in axes}
    order = draw.shuffled(rows)
    own = {"z": "d", "dx": "d", "dw": "n", "db": "n"}
    by_shape = {"z": "d", "dx": "n", "dw": "d", "db": "n"}
    means = {"n": "n, the samples", "m": "m, the outputs", "d": "d, the inputs"}
    return match(
        "z[m,n] is output m of sample n, x[d,n] input d, w[m,d] a weight. Each of these is "
        "made by a sum: over which index?",
        {row: means[summed[rows[row]]] for row in order},
        list(means.values()),
        [
            ([means[own[rows[row]]] for row in order], "dx asks every output that the input fed."),
            (
                [means[by_shape[rows[row]]] for row in order],
                "What is summed cannot be an index of the result.",
            ),
        ],
        "The index that the result does not have, but both factors share: z over inputs, dx over "
        "outputs, dw and db over samples.",
    )


@question("unfolded again", lesson="03")
def unfolded_again(draw):
    N, C, H, W = draw.pick((2, 1, 2, 2), (3, 1, 2, 2), (2, 2, 1, 2), (3, 2, 1, 2))
    x = np.zeros((N, C, H, W))
    dz = draw.distinct(C * H * W * N, -9, 9).reshape(-1, N)
    n, c, h, v = (draw.whole(0, size - 1) for size in (N, C, H, W))
    wanted = left(explain_flatten("dx", (n, c, h, v), x=x, dz=dz))
    flat = np.ravel_multi_index((n, c, h, v), x.shape)
    trap = {divmod(int(flat), N)}
    within = (c * H + h) * W + v
    return cells(
        f"flatten turned x ({N}, {C}, {H}, {W}) into ({C * H * W}, {N}), a sample in every "
        f"column. Mark the cell of dz that becomes dx[{n},{c},{h},{v}].",
        wanted,
        [
            (trap, "That is dz.reshape(x.shape): samples would be mixed. Transpose first."),
            ({(within, N - 1 - n)}, f"Column n is sample n; this is sample {N - 1 - n}."),
            ({((v * H + h) * C + c, n)}, "Within a sample, columns run fastest, channels slowest."),
        ],
        f"Sample {n} is column {n}, and (c·H + h)·W + v = {within} is the row.",
        tables=[table("dz", dz, marked=True)],
    )


@question("a bias hears everyone", lesson="03")
def a_bias_hears_everyone(draw):
    dz = draw.array((2, 3), -4, 4)
    m = draw.whole(0, 1)
    db = linear_backward(dz, np.zeros((1, 3)), np.zeros((2, 1)))[2]
    draw.must(dz[m].sum() and dz[m].sum() % 3 == 0)
    return number(
        f"Two outputs, three samples, a sample in every column. What is db[{m},0]?",
        db[m, 0],
        [
            (dz[m].mean(), "That is the mean of its uses; what is reused is summed."),
            (dz.sum(), "Each output has a bias of its own."),
            (dz[m, 0], "The bias is added for every sample, not only the first."),
            (dz[:, m].sum(), "That adds the outputs of one sample."),
        ],
        f"One bias for row {m}, used by every sample: the row's sum.",
        tables=[table("dz", dz)],
        prompt=f"db[{m},0] =",
    )


@question("what one pair proves", lesson="03")
def what_one_pair_proves(draw):
    dz, v = draw.pick(("a random dz", "a random v"), ("one dz", "one v, both random"))
    return choice(
        f"Your backward function for z = w x returns dx. For {dz} and {v}, Σ dz·(w v) equals Σ "
        "dx·v. What do you know now?",
        "dx is very likely right",
        {
            "dx is right beyond doubt": "One pair checks it, it does not prove it.",
            "dx is likely right, and dw as well": "dw has no part in these two sums. It needs a "
            "test of its own.",
            "dx has the right shape, no more": "A wrong sign or factor would have shown.",
        },
        "The two sums are equal for every pair if dx is right. A wrong dx may be "
        "lucky with one pair, but rarely is.",
    )


@question("weights on the way", lesson="03")
def weights_on_the_way(draw):
    D, N = 3, 2
    M, K = draw.pick((2, 3), (3, 2))
    draw_w = draw.array((K, M), -4, 4, zero=False)
    m, d = draw.whole(0, M - 1), draw.whole(0, D - 1)
    cell = explain_linear("dx", (m, 0), dz=np.ones((K, N)), w=draw_w)
    column = right(cell)
    return cells(
        f"x ({D}, {N}) → layer A, w ({M}, {D}) → layer B, w ({K}, {M}) → loss. The gradient of A's "
        f"weight [{m},{d}] has come from the loss through some of B's weights. Mark them.",
        column,
        [
            (grid([min(m, K - 1)], range(M)), f"A's output {m} is B's input {m}: a column."),
            (grid(range(K), range(M)), f"The weight moves only A's output {m}."),
            (grid(range(K), [min(d, M - 1)]), f"{d} is an input of A; B never sees it."),
        ],
        f"dw[{m},{d}] of A needs dz[{m},n] of A, which is dx[{m},n] of B: all of B's outputs, "
        f"each with its weight from input {m}.",
        tables=[table("w_B", draw_w, marked=True)],
    )


@question("the loss through two layers", lesson="03")
def the_loss_through_two_layers(draw):
    network = Network([Linear(1, 2), Linear(2, 1)])
    first, second = (layer.params["w"] for layer in network.layers)
    first[:, 0] = draw.distinct(2, -3, 4, zero=False)
    second[0] = draw.distinct(2, -3, 4, zero=False)
    x, dz = float(draw.whole(2, 4)), float(draw.whole(-3, 3, zero=False))
    network.forward([[x]])
    network.backward([[dz]])
    m = draw.whole(0, 1)
    own = network.grads["0.w"][m, 0]
    return number(
        f"One input x = {shown(x)}. Layer A has w = [{shown(first[0, 0])}, {shown(first[1, 0])}]ᵀ, "
        f"layer B has w = [{shown(second[0, 0])}, {shown(second[0, 1])}], no biases. The loss "
        "sends "
        f"dz = {shown(dz)} to B. What is dw[{m},0] of A?",
        own,
        [
            (dz * x, "That is as if the loss stood right behind A."),
            (dz * second[0, 1 - m] * x, "That comes along the other output's weight."),
            (dz * second[0].sum() * x, "That adds both outputs; this weight feeds one."),
            (dz * second[0, m], "That is the dz which A receives; times x."),
        ],
        f"A's dz[{m}] is dz·w of B = {shown(dz)}·{factor(second[0, m])}, times x = {shown(x)}.",
        prompt=f"dw[{m},0] =",
    )

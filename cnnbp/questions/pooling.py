"""Lesson 09: max and average pooling."""

import numpy as np

from cnnbp.explain import explain_avg_pool2d, explain_max_pool2d
from cnnbp.gradcheck import numeric_gradient
from cnnbp.pooling import avg_pool2d_backward, max_pool2d, max_pool2d_backward
from cnnbp.questions.question import added, cells, match, number, question, shown, table
from cnnbp.questions.sets import grid, where
from cnnbp.shape import windows


def _max_gradient(dz, x, kernel, stride):
    """dx of one image's max pooling, (H, W)."""
    _, argmax = max_pool2d(x[None, None], kernel, stride=stride)
    return max_pool2d_backward(dz[None, None], argmax, (1, 1, *x.shape))[0, 0]


def _tied(x, kernel, stride):
    """Every pixel that equals its window's largest."""
    place = windows(x.shape, kernel, stride=stride)
    found = set()
    for window in np.ndindex(*place.output):
        pixels = list(place.pixels(window))
        best = max(x[p] for p in pixels)
        found |= {p for p in pixels if x[p] == best}
    return found


@question("who won", lesson="09")
def who_won(draw):
    x = draw.array((3, 4), 0, 7)
    dz = np.ones((2, 3))
    won = where(_max_gradient(dz, x, 2, 1))
    tied = _tied(x, 2, 1)
    draw.must(len(won) <= 4 and won != tied)
    side_by_side = where(_max_gradient(np.ones((1, 2)), x[:2], 2, 2))
    return cells(
        "Max pooling, windows of 2 × 2, stride 1; every cell of dz is positive. Mark every pixel "
        "where dx is not 0.",
        won,
        [
            (tied, "In a tie the first one wins, in row order, and takes all."),
            (side_by_side, "The stride is 1: there are six windows."),
            (where(x == x.max()), "Every window has a winner of its own."),
        ],
        "Six windows, and each sends its dz to its largest pixel, the first one if there are two.",
        tables=[table("x", x, marked=True)],
    )


@question("what one pixel gets", lesson="09")
def what_one_pixel_gets(draw):
    x, dz = draw.array((3, 4), 0, 7), draw.array((2, 3), 1, 8)
    dx = _max_gradient(dz, x, 2, 1)
    _, argmax = max_pool2d(x[None, None], 2, stride=1)
    winners = argmax[0, 0].ravel().tolist()
    most = max(set(winners), key=winners.count)
    at = divmod(most, 4)
    draw.must(winners.count(most) >= 2 and x[at] and (x == x[at]).sum() == 1)
    own = [dz.ravel()[i] for i, p in enumerate(winners) if p == most]
    return number(
        "Max pooling, windows of 2 × 2, stride 1. x and dz are shown. What is "
        f"dx[{at[0]},{at[1]}]?",
        dx[at],
        [
            (own[-1], "It won several windows; their messages are added."),
            (x[at], "That is the value. What comes back is dz."),
            (max(own), "Messages are added, not compared."),
            (sum(own) * x[at], "The slope of a winner is 1."),
        ],
        "It won " + str(len(own)) + " windows: " + added(map(shown, own)) + ".",
        tables=[table("x", x), table("dz", dz)],
        prompt=f"dx[{at[0]},{at[1]}] =",
    )


@question("a new winner", lesson="09")
def a_new_winner(draw):
    x = draw.distinct(16, 1, 16).reshape(4, 4)
    i, j = draw.whole(0, 1), draw.whole(0, 1)
    window = grid([2 * i, 2 * i + 1], [2 * j, 2 * j + 1])
    new = draw.pick(*sorted(window))
    old = max(window, key=lambda p: x[p])
    draw.must(new != old)
    raised = x.copy()
    raised[new] = 20
    dz = draw.array((2, 2), 1, 5)
    before, after = (_max_gradient(dz, image, 2, 2) for image in (x, raised))
    return cells(
        "Max pooling, windows of 2 × 2 side by side; no cell of dz is 0, and dz stays as it is. "
        f"x[{new[0]},{new[1]}] becomes 20. Mark every cell where dx changes.",
        where(before != after),
        [
            ({new}, "The old winner loses its message."),
            (set(), "x decides who wins, and so where dz goes."),
            (window, "The others had nothing and get nothing."),
        ],
        "The message goes to the new winner and no longer to the old one.",
        tables=[table("x", x, marked=True)],
    )


@question("the winner's number", lesson="09")
def the_winners_number(draw):
    rows, columns = draw.pick((3, 4), (4, 3), (4, 4))
    x = draw.distinct(rows * columns, -9, 9).reshape(rows, columns)
    i, j = draw.whole(1, rows - 2), draw.whole(1, columns - 2)
    _, argmax = max_pool2d(x[None, None], 2, stride=1)
    h, v = divmod(int(argmax[0, 0, i, j]), columns)
    return number(
        f"Max pooling, windows of 2 × 2, stride 1. What is argmax[{i},{j}], the h·W + v of the "
        "winner?",
        argmax[0, 0, i, j],
        [
            ((h - i) * 2 + v - j, "That counts within the window; argmax counts in the image."),
            (v * rows + h, "Row by row: h·W + v."),
            (i * columns + j, "That is where the window begins."),
            (x[h, v], "That is its value."),
        ],
        f"The winner is x[{h},{v}] = {shown(x[h, v])}: {h}·{columns} + {v}.",
        tables=[table("x", x)],
        prompt="argmax =",
    )


@question("an average shared", lesson="09")
def an_average_shared(draw):
    dz = draw.array((2, 3), -8, 8)
    h, v = draw.pick((1, 1), (1, 2), (0, 1), (1, 0))
    dx = avg_pool2d_backward(dz[None, None], (1, 1, 3, 4), 2, stride=1)[0, 0]
    cell = explain_avg_pool2d(
        "dx", (0, 0, h, v), x=np.zeros((1, 1, 3, 4)), dz=dz[None, None], kernel_size=2, stride=1
    )
    whole = cell.left.sum()
    draw.must(whole)
    return number(
        f"Average pooling, windows of 2 × 2, stride 1; x is 3 × 4, dz is shown. What is "
        f"dx[{h},{v}]?",
        dx[h, v],
        [
            (whole, "Each window shares its dz among four pixels."),
            (
                whole / len(cell),
                "A window divides by its size, not by how many windows cover a pixel.",
            )
            if len(cell) != 4
            else (whole / 16, "One division by 4 is enough."),
            (cell.left[-1] / 4, "Every window that covers the pixel sends its share."),
        ],
        f"{len(cell)} windows cover it, and each sends a quarter: "
        + "("
        + added(map(shown, cell.left))
        + ")/4.",
        tables=[table("dz", dz)],
        prompt=f"dx[{h},{v}] =",
    )


@question("in nobody's window", lesson="09")
def in_nobodys_window(draw):
    image, kernel, stride = draw.pick(((5, 5), 2, 3), ((5, 5), 2, 2), ((4, 6), 3, 3))
    never = where(~windows(image, kernel, stride=stride).covered())
    side = where(~windows(image, kernel, stride=kernel).covered())
    rows = {(h, v) for h, v in never if all((h, u) in never for u in range(image[1]))}
    return cells(
        f"x is {image[0]} × {image[1]}; max pooling with windows of {kernel} × {kernel}, stride "
        f"{stride}. Mark every pixel that gets exactly 0, whatever x and dz are.",
        never,
        [
            (side, f"The windows move in steps of {stride}.")
            if side != never
            else (set(), "A window must fit: the last pixels lie in none."),
            (rows, "Columns have gaps as well as rows."),
            (grid(range(image[0]), range(image[1])) - never, "Those can win something."),
        ],
        "They lie in no window, so they moved nothing.",
        tables=[table("x", [["·"] * image[1]] * image[0], marked=True)],
    )


@question("the witness at a tie", lesson="09")
def the_witness_at_a_tie(draw):
    high, dz = float(draw.whole(3, 8)), float(draw.pick(2, 4, 6, 8, -4, -6))
    x = np.array([[high, 1.0, high, 2.0]])
    slope = numeric_gradient(lambda x: dz * max_pool2d(x[None, None], (1, 4))[0].sum(), x)
    first = _max_gradient(np.array([[dz]]), x, (1, 4), 1)[0, 0]
    written = ", ".join(map(shown, x[0]))
    return number(
        f"One window of four pixels, [{written}], and dz = {shown(dz)}. What does a central "
        "difference say of the slope of L by x[0]?",
        slope[0, 0].round(6),
        [
            (first, "That is our rule. A step up moves the maximum, a step down does not."),
            (0, "Upward, it is the new maximum."),
            (dz / 4, "That is how an average shares."),
        ],
        "One step up, z follows; one step down, the other one still holds it. So half: both are "
        "fair, and a check calls them different.",
    )


@question("what pooling leaves to a weight", lesson="09")
def what_pooling_leaves_to_a_weight(draw):
    N, F = draw.pick(2, 4), draw.pick(2, 3)
    size, kernel, stride = draw.pick((8, 2, 2), (8, 2, 3), (6, 3, 3), (6, 2, 2))
    place = windows((size, size), kernel, stride=stride)
    pooled = place.output[0] * place.output[1]
    covered = int(place.covered().sum())
    return number(
        f"conv → max pool → … → loss. The convolution's z is ({N}, {F}, {size}, {size}); the pool "
        f"has windows of {kernel} × {kernel}, stride {stride}. One cell of the convolution's dw "
        "sums "
        f"{N}·{size}·{size} = {N * size * size} products. How many of them can be other than 0, at "
        "most?",
        N * pooled,
        [
            (N * size * size, "Who wins nothing gets dz = 0.")
            if covered == size * size
            else (N * covered, "In a window, only the winner gets something."),
            (N * F * pooled, "A weight belongs to one filter."),
            (pooled, "Every sample has winners of its own."),
        ],
        f"One winner a window: {place.output[0]}·{place.output[1]} windows in each of {N} samples.",
    )


@question("one window, two poolings", lesson="09")
def one_window_two_poolings(draw):
    x = draw.distinct(4, 1, 9).reshape(1, 1, 2, 2)
    draw.must(x.sum() % 4 == 0)
    dz = np.full((1, 1, 1, 1), float(draw.pick(8, 12, 16)))
    largest, smallest = x.argmax(), x.argmin()
    top = explain_max_pool2d("dx", (0, 0, *divmod(int(largest), 2)), x=x, dz=dz, kernel_size=2)
    low = explain_max_pool2d("dx", (0, 0, *divmod(int(smallest), 2)), x=x, dz=dz, kernel_size=2)
    average = avg_pool2d_backward(dz, x.shape, 2).ravel()
    rows = {
        "max: its largest pixel": top.total,
        "max: its smallest pixel": low.total,
        "average: its largest pixel": average[largest],
        "average: its smallest pixel": average[smallest],
    }
    value = x.ravel()[largest]
    options = sorted({0.0, value, float(dz.item()), *average})
    quarter, whole = shown(average[0]), shown(dz.item())
    draw.must(len(options) == 4)
    written = ", ".join(map(shown, x.ravel()))
    return match(
        f"One window of four pixels, {written}, and dz = {whole}. How much comes back to each?",
        {row: shown(total) for row, total in rows.items()},
        list(map(shown, options)),
        [
            ([whole, "0", whole, "0"], "An average has no winner: every pixel has a share."),
            ([shown(value), "0", quarter, quarter], "What comes back is dz, not the value."),
            ([whole, "0", whole, whole], "An average shares dz among its four pixels."),
        ],
        "A maximum sends all to its winner, an average a quarter to each, whatever their values.",
    )


@question("a window over the edge", lesson="09")
def a_window_over_the_edge(draw):
    x = draw.distinct(9, -12, -1).reshape(3, 3)
    i, j = draw.pick((0, 0), (0, 1), (1, 0), (1, 1))
    z, _ = max_pool2d(x[None, None], 2, stride=2, padding=1)
    z_plain, _ = max_pool2d(x[None, None], 2, stride=1)
    return number(
        "x is 3 × 3 and all negative. Max pooling with windows of 2 × 2, stride 2 and padding 1. "
        f"What is z[{i},{j}]?",
        z[0, 0, i, j],
        [
            (0, "The padding is no pixel; it never wins."),
            (z_plain[0, 0, i, j], "The padding shifts the windows: the first one begins at −1."),
            (x.max(), "Every window has its own."),
        ],
        f"The window covers rows {shown(2 * i - 1)} and {2 * i}, columns {shown(2 * j - 1)} and "
        f"{2 * j}; only "
        "pixels of the image take part.",
        tables=[table("x", x)],
        prompt=f"z[{i},{j}] =",
    )


@question("through a pool to the loss", lesson="09")
def through_a_pool_to_the_loss(draw):
    x = draw.distinct(16, -9, 9).reshape(4, 4)
    dz = draw.array((2, 2), -3, 3)
    stride = 2
    draw.must((dz == 0).sum() == 1)
    dx = _max_gradient(dz, np.maximum(x, 0), 2, stride)
    sent, opened = where(dx), where(np.where(x > 0, dx, 0))
    draw.must(opened != sent)
    winners = where(_max_gradient(np.ones((2, 2)), np.maximum(x, 0), 2, stride))
    return cells(
        "conv → ReLU → max pool (2 × 2, side by side) → … → loss. The convolution's z and the "
        "pool's dz are shown. Mark every cell of z where the convolution's own dz is not 0.",
        opened,
        [
            (sent, "A window may be won by a value that ReLU made 0: its gate is shut."),
            (winners, "Where dz is 0 nothing comes, and a shut gate stops the rest."),
            (where(x > 0), "An open gate must win its window as well."),
        ],
        "Three conditions: the cell won its window, something arrived there, and its gate is open.",
        tables=[table("z", x, marked=True), table("dz", dz)],
    )

"""Lesson 14: what it is, and where: two losses through one trunk, and a detector."""

import numpy as np

from cnnbp.activation import ReLU
from cnnbp.convolution import Conv2d
from cnnbp.data import intersection_over_union
from cnnbp.detection import cells_as_columns, detection_loss
from cnnbp.explain import explain_linear
from cnnbp.linear import Linear
from cnnbp.loss import mean_squared_error
from cnnbp.network import Network
from cnnbp.optimizer import SGD
from cnnbp.pooling import MaxPool2d
from cnnbp.questions.question import cells, choice, number, question, shape, shown, table
from cnnbp.questions.sets import grid, left


def _pixels(box, last=0):
    """The pixels of a box: its bottom and right are the first that do not belong to it."""
    top, leftmost, bottom, right = map(int, box)
    return grid(range(top, bottom + last), range(leftmost, right + last))


@question("what two boxes share", lesson="14")
def what_two_boxes_share(draw):
    side = 6
    a, b = (
        np.concatenate([corner, corner + draw.array(2, 2, 4)])
        for corner in draw.array((2, 2), 0, 3)
    )
    draw.must(max(a.max(), b.max()) < side)
    shared, both = _pixels(a) & _pixels(b), _pixels(a) | _pixels(b)
    draw.must(2 <= len(shared) <= 9 and shared not in (_pixels(a), _pixels(b)))
    draw.must(np.isclose(*intersection_over_union(a[:, None], b[:, None]), len(shared) / len(both)))
    exchanged = [1, 0, 3, 2]
    said = ["(" + ", ".join(map(shown, box)) + ")" for box in (a, b)]
    return cells(
        f"Two boxes on an image of {side} × {side} pixels, as top, left, bottom, right: {said[0]} "
        f"and {said[1]}. A box begins with its row top and its column left; the row bottom and the "
        "column right are the first ones behind it. Mark every pixel that both boxes cover.",
        shared,
        [
            (_pixels(a, 1) & _pixels(b, 1), "The row bottom and the column right lie outside."),
            (
                _pixels(a[exchanged]) & _pixels(b[exchanged]),
                "Rows first: top, left, bottom, right.",
            ),
            (both, "Those are all that either box covers."),
        ],
        f"{len(shared)} pixels lie in both boxes, {len(both)} in at least one.",
        tables=[table("image", [["·"] * side] * side, marked=True)],
    )


@question("pushed to the side", lesson="14")
def pushed_to_the_side(draw):
    width, push = draw.pick((6, 2), (5, 3), (3, 1), (7, 1), (9, 1), (9, 3))
    height = draw.pick(4, 8, 10)
    box = np.array([[0], [0], [height], [width]], float)
    pushed = box + np.array([[0], [push], [0], [push]])
    (agreement,) = intersection_over_union(box, pushed)
    return number(
        f"A digit's box is {height} rows high and {width} columns wide. A network finds it, as "
        f"large as it is, but {push} column{'s' * (push > 1)} too far to the right. What is the "
        "intersection over union?",
        agreement,
        [
            ((width - push) / width, "That is a share of one box; the union is larger."),
            ((width - push) / (2 * width), "What both cover counts once in the union."),
            (push / (width + push), "That is what one box alone covers."),
        ],
        f"They share {width - push} of the columns, and cover {width + push}: "
        f"{width - push}/{width + push}. The height does not matter.",
    )


@question("who sends to a feature", lesson="14")
def who_sends_to_a_feature(draw):
    K, D, N = 3, 4, 3
    d, n = draw.whole(0, D - 1), draw.whole(0, N - 1)
    draw.must(d != n)
    dz = draw.array((K + 4, N), -3, 3, zero=False)
    x, w = np.ones((D, N)), np.ones((K + 4, D))
    sending = left(explain_linear("dx", (d, n), dz=dz, x=x, w=w))

    def named(found):
        return {
            f"dz_class[{row},{column}]" if row < K else f"dz_box[{row - K},{column}]"
            for row, column in found
        }

    every = grid(range(K + 4), range(N))
    return cells(
        f"A trunk hands x ({D}, {N}), {D} features of {N} images, to two fully connected heads: "
        f"one gives the scores of {K} classes, the other the four numbers of a box. Mark every "
        f"cell of both dz that has a part in the gradient of x[{d},{n}] (no weight is 0).",
        named(sending),
        [
            (named({cell for cell in sending if cell[0] < K}), "The other head uses x as well."),
            (named({cell for cell in sending if cell[0] >= K}), "The other head uses x as well."),
            (
                named({(k, d) for k in range(K + 4)} & every),
                f"{d} is a feature; columns are images.",
            ),
            (named(every), "The features of an image feed the outputs of that image only."),
        ],
        f"All {K} scores and all four numbers of image {n} were made of this feature, so each of "
        "them sends a part.",
        tables=[
            table("dz_class", dz[:K], marked=True),
            table("dz_box", dz[K:], marked=True),
        ],
    )


def _with_one_satisfied(satisfied, a, rng):
    """A pass and a step of a trunk with two heads, one of them with dz 0: name -> array."""
    trunk, found, sent = Linear(2, 3, rng=rng), {}, 0
    heads = {"class": Linear(3, 5, rng=rng), "box": Linear(3, 4, rng=rng)}
    before = {name: head.forward(trunk.forward(a)) for name, head in heads.items()}
    for name, head in heads.items():
        z = before[name]
        dz = np.zeros_like(z) if name == satisfied else mean_squared_error(z, z + 1)[1]
        found[f"what the {name} head sends back"] = back = head.backward(dz)
        found |= {f"d{own} of the {name} head": head.grads[own] for own in ("w", "b")}
        sent = sent + back
    trunk.backward(sent)
    for layer in (trunk, *heads.values()):
        SGD(layer, learning_rate=0.5).step()
    for name, head in heads.items():
        found[f"how far the {name} head's z moves"] = head.forward(trunk.forward(a)) - before[name]
    return found | {"the sum that reaches the trunk": sent}


@question("one head on target", lesson="14")
def one_head_on_target(draw):
    """One loss is satisfied; the trunk still hears from the other, and moves both heads' z."""
    satisfied = draw.pick("box", "class")
    found = _with_one_satisfied(satisfied, draw.array((2, 2), 1, 4), np.random.default_rng(0))
    zero = {name for name, value in found.items() if not value.any()}
    sent = f"what the {satisfied} head sends back"
    moved = f"how far the {satisfied} head's z moves"
    return cells(
        f"Trunk, class head and box head. In this batch the {satisfied} head is exactly on target: "
        "its dz is 0 everywhere; the other one's is not. Every layer then takes one step of plain "
        "gradient descent, and the batch passes once more. Mark all that is exactly 0.",
        zero,
        [
            (zero | {"the sum that reaches the trunk"}, "The other head still sends its part."),
            (zero | {moved}, "Its weights stay, but its x does not: the trunk moves."),
            ({sent}, "A head's own gradients are made of its dz as well."),
            (zero - {sent}, "dx is made of dz too: w times 0."),
        ],
        "All that is made of this dz is 0. What reaches the trunk is then the other head's part "
        "alone: the features still change, and so will this head's answers.",
        tables=[table("what", [[name] for name in draw.shuffled(found)], marked=True, named=True)],
    )


@question("the box in pixels", lesson="14")
def the_box_in_pixels(draw):
    size = draw.pick(16, 8, 32, 12)
    x, w = draw.array((3, 2), 1, 4), draw.array((4, 3), -2, 2)
    target = draw.array((4, 2), -3, 3)
    sizes = []
    for unit in (1, size):
        head = Linear(3, 4)
        head.params["w"][...] = unit * w
        _, dz = mean_squared_error(head.forward(x), unit * target)
        sizes.append(np.linalg.norm(head.backward(dz)))
    draw.must(sizes[0] > 0)
    times = sizes[1] / sizes[0]
    return number(
        f"A head finds boxes as shares of an image of {size} × {size} pixels, judged by the mean "
        "squared error. Another head finds the same boxes in pixels: all its weights, its bias and "
        f"its targets are {size} times as large. How many times as large is the gradient that it "
        "sends back to the trunk?",
        times,
        [
            (size, f"dz is {size} times as large; and what does w do to it on the way back?"),
            (1, "The boxes are the same, but the numbers that are squared are not."),
            (2 * size, "A square's slope has a factor 2 in either unit."),
            (
                size**3,
                "The loss is 256 times as large, but its value is no factor of the gradient.",
            ),
        ],
        f"z − target is {size} times as large, so dz is; and dx = wᵀ dz meets weights that are "
        f"{size} times as large: {size}·{size}.",
        prompt="Times",
    )


@question("which cell answers for it", lesson="14")
def which_cell_answers_for_it(draw):
    count, side = 3, 8
    corner, extent = draw.array(2, 1, 15), draw.array(2, 4, 8)
    box = np.concatenate([corner, corner + extent])
    draw.must(box.max() <= count * side and (corner % side != 0).all())
    draw.must(((box[:2] + box[2:]) % (2 * side) != 0).all())  # on no border of two cells
    middle = tuple(int(m // side) for m in (box[:2] + box[2:]) / 2)
    first = tuple(int(m // side) for m in corner)
    touched = {(row // side, column // side) for row, column in _pixels(box)}
    draw.must(middle[0] != middle[1] and first != middle and len(touched) > 1)
    said = ", ".join(map(shown, box))
    return cells(
        f"A canvas of 24 × 24 pixels is divided into {count} × {count} cells of {side} × {side}. A "
        f"digit belongs to the cell in which the middle of its box lies. The box (top, left, "
        f"bottom, right) is {said}, in pixels. Mark the cell that has to answer for it.",
        {middle},
        [
            ({first}, "That is the cell of its corner."),
            (touched, "The box reaches into all of these; its middle lies in one."),
            ({middle[::-1]}, "Rows come before columns."),
        ],
        f"The middle is row {shown((box[0] + box[2]) / 2)}, column "
        f"{shown((box[1] + box[3]) / 2)}; divided by {side}, that is cell {middle}.",
        tables=[table("cell", [["·"] * count] * count, marked=True)],
    )


@question("a column for each cell", lesson="14")
def a_column_for_each_cell(draw):
    """Each line is tried on numbers that say where they come from."""
    K, side = draw.pick((15, 3), (15, 6), (8, 4), (12, 3))
    z = np.arange(4 * K * side * side).reshape(4, K, side, side)
    lines = {
        f"z.transpose(1, 2, 3, 0).reshape({K}, -1)": "",
        f"z.reshape({K}, -1)": "A row then holds numbers of many channels: nothing was moved.",
        f"z.transpose(0, 2, 3, 1).reshape({K}, -1)": "The channels come last here, so every row "
        "mixes them.",
        f"z.reshape(-1, {K}).T": "Numbers that follow each other in z are neighbors in the image, "
        "not the channels of one place.",
    }
    wanted = cells_as_columns(z)
    right = [line for line in lines if (eval(line, {"z": z}) == wanted).all()]
    draw.must(len(right) == 1)
    return choice(
        f"A detector's z is (4, {K}, {side}, {side}): four images, {K} numbers for every cell. For "
        "the losses, each cell of each image shall become a column of its "
        f"{K} numbers. Which line does it?",
        f"`{right[0]}`",
        {f"`{line}`": sentence for line, sentence in lines.items() if line not in right},
        "All of them give the right shape. Only with the channels in front does a row hold one "
        "channel, and a column one cell.",
    )


@question("an empty cell", lesson="14")
def an_empty_cell(draw):
    K, empty = 4, draw.whole(0, 1)
    z = draw.array((1, K + 4, 1, 2), -2, 2, step=0.5)
    boxes = draw.array((1, 4, 1, 2), 3, 5)
    found = np.full((1, 1, 2), draw.whole(0, K - 2))
    found[..., empty] = K - 1
    _, dz = detection_loss(z, found, boxes)
    zero = {(int(row), int(column)) for row, column in np.argwhere(dz[0, :, 0] == 0)}
    of_boxes = grid(range(K, K + 4), range(2))
    return cells(
        f"Two cells of a detector, a column each: rows 0 to {K - 2} are scores of digits, row "
        f"{K - 1} is the score of “nothing”, rows {K} to {K + 3} are the box. Column {1 - empty} "
        f"holds the digit {found[0, 0, 1 - empty]}, column {empty} holds nothing. The loss: the "
        "cross-entropy of both cells, and the box's squared error where there is one. Mark every "
        "cell of dz that is exactly 0.",
        zero,
        [
            (
                grid(range(K + 4), [empty]),
                "“Nothing” is a class, and it has to be learned as well.",
            ),
            (of_boxes, "Where there is a digit, its box is judged."),
            (
                zero | grid(range(K - 1), [empty]),
                "p − one-hot: a class that is not there has p > 0.",
            ),
            (set(), "What no loss looks at has no gradient."),
        ],
        "An empty cell has no box to be wrong about, so nothing in the loss depends on those four "
        "numbers. Its scores are judged: p − one-hot is never exactly 0.",
        tables=[table("dz", [["?", "?"]] * (K + 4), marked=True)],
    )


def _small_detector(channels):
    layers = [Conv2d(1, channels, 3, padding=1), ReLU(), MaxPool2d(2)]
    for _ in range(2):
        layers += [Conv2d(channels, channels, 3, padding=1), ReLU(), MaxPool2d(2)]
    return Network([*layers, Conv2d(channels, 15, 1)])


@question("a larger canvas", lesson="14")
def a_larger_canvas(draw):
    network, N = _small_detector(2), draw.pick(5, 10, 20)
    rows, columns = 8 * draw.whole(4, 8), 8 * draw.whole(4, 8)
    draw.must(rows != columns)
    trained = network.output_shape((N, 1, 24, 24))
    return shape(
        "A detector has three blocks of convolution (3 × 3, padding 1), ReLU and max pooling (2), "
        "and then a convolution of 1 × 1 to 15 channels. It was trained on canvases of 24 × 24. "
        f"Now it is given {N} canvases of {rows} × {columns}, x ({N}, 1, {rows}, {columns}). What "
        "is the shape of its z?",
        network.output_shape((N, 1, rows, columns)),
        [
            (
                trained,
                "No layer knows the canvas's size; a kernel visits as many places as there are.",
            ),
            ((N, 15, rows, columns), "Each of three poolings halves rows and columns."),
            ((N, 15, rows // 2, columns // 2), "There are three poolings."),
            ((15, N), "Nothing is flattened here: every cell keeps its place."),
        ],
        f"Only the poolings change the size: {rows}/8 × {columns}/8 cells, 15 numbers in each.",
    )

"""Lesson 00: a first question, and whether the ground is firm: Σ, axis, @, .T, reshape, slopes."""

import numpy as np

from cnnbp.questions.question import cells, number, question, shape, table
from cnnbp.questions.sets import grid
from cnnbp.shape import windows


@question("stops of a filter", lesson="00")
def stops_of_a_filter(draw):
    size, kernel, stride = draw.whole(5, 8), draw.whole(2, 3), draw.whole(2, 3)
    stops, _ = windows((size, size), kernel, stride=stride).output
    every, _ = windows((size, size), kernel).output
    overhanging = -(-size // stride)  # a stop for every multiple of the stride
    draw.must(overhanging != stops > 1)
    return number(
        f"An image has {size} rows and {size} columns. A filter of {kernel} rows and {kernel} "
        f"columns starts in a corner and moves by {stride} pixels at a time, right and down. At "
        "every stop where it lies wholly on the image it makes one number. How many numbers?",
        stops**2,
        [
            (every**2, "It would make so many if it moved by 1 pixel at a time."),
            (stops, "That is one row of stops. It moves down as well."),
            (overhanging**2, "At the last of these stops the filter hangs over the edge."),
        ],
        f"It fits {stops} times beside and {stops} times below one another: "
        f"{stops}·{stops} = {stops**2}.",
    )


@question("an index that stays", lesson="00")
def an_index_that_stays(draw):
    m = draw.array((3, 4))
    over_columns, at = draw.pick(True, False), draw.whole(0, 2)
    formula = f"r[{at}] = Σⱼ m[{at}, j]" if over_columns else f"s[{at}] = Σᵢ m[i, {at}]"
    row, column = grid([at], range(4)), grid(range(3), [at])
    right, other = (row, column) if over_columns else (column, row)
    return cells(
        f"`{formula}`. Mark every cell of m in this sum.",
        right,
        [
            (other, "That would be the sum over the other index."),
            (grid(range(3), range(4)), f"One index is summed; {at} stays where it is."),
        ],
        f"The summed index runs, the other one is fixed at {at}.",
        tables=[table("m", m, marked=True)],
    )


@question("an axis summed away", lesson="00")
def an_axis_summed_away(draw):
    rows, columns = map(int, draw.distinct(2, 2, 7))
    axis = draw.pick(0, 1)
    m = np.zeros((rows, columns))
    kept = m.sum(axis=axis, keepdims=True)
    return shape(
        f"m has shape ({rows}, {columns}). What is the shape of "
        f"`m.sum(axis={axis}, keepdims=True)`?",
        kept.shape,
        [
            (m.sum(axis=1 - axis, keepdims=True).shape, "The other axis is summed away here."),
            (m.sum(axis=axis).shape, "That is without keepdims: the summed axis is gone."),
            (kept.T.shape, "The axis that is summed becomes the 1, in its own place."),
        ],
        f"Axis {axis} is summed, and keepdims leaves a 1 in its place: {kept.shape}.",
    )


@question("rows times columns", lesson="00")
def rows_times_columns(draw):
    a, b = draw.array((2, 2), zero=False), draw.array((2, 2), zero=False)
    i, j = draw.pick((0, 1), (1, 0))
    return number(
        f"What is `(a @ b)[{i}, {j}]`?",
        (a @ b)[i, j],
        [
            ((a * b)[i, j], "That is a * b, cell by cell."),
            ((b @ a)[i, j], "That is b @ a; the order matters."),
            ((a @ b.T)[i, j], "That is row times row; a column of b is needed."),
        ],
        f"Row {i} of a times column {j} of b: multiply the partners and add.",
        tables=[table("a", a), table("b", b)],
    )


@question("a transpose that fits", lesson="00")
def a_transpose_that_fits(draw):
    rows, m, n = map(int, draw.distinct(3, 2, 6))
    a, b = np.zeros((rows, m)), np.zeros((rows, n))
    return shape(
        f"a has shape ({rows}, {m}), b has shape ({rows}, {n}). What is the shape of `a.T @ b`?",
        (a.T @ b).shape,
        [
            ((b.T @ a).shape, "That is b.T @ a; the rows come from the left one."),
            ((rows, n), "a.T has the columns of a as its rows."),
            (a.T.shape, "That is a.T alone. The columns come from b."),
        ],
        f"a.T is ({m}, {rows}). Rows of the left, columns of the right; what stands between, "
        f"{rows} and {rows}, must be equal and is summed away.",
    )


@question("read into a new shape", lesson="00")
def read_into_a_new_shape(draw):
    a = draw.distinct(6, -6, 9).reshape(2, 3)
    i, j = draw.pick((1, 0), (1, 1), (2, 0))
    return number(
        f"What is `a.reshape(3, 2)[{i}, {j}]`?",
        a.reshape(3, 2)[i, j],
        [
            (a.T[i, j], "That is a.T: rows and columns exchanged."),
            (a.reshape(3, 2)[::-1, ::-1][i, j], "Count from the start, row by row."),
        ],
        "reshape reads the numbers row by row and writes them row by row into the new shape.",
        tables=[table("a", a)],
    )


@question("a column for every column", lesson="00")
def a_column_for_every_column(draw):
    x, b = draw.array((2, 3)), draw.distinct(2, -9, 9, zero=False).reshape(2, 1)
    j = draw.whole(0, 2)
    i = draw.pick(0, 1)
    return number(
        f"x has shape (2, 3) and b has shape (2, 1). What is `(x + b)[{i}, {j}]`?",
        (x + b)[i, j],
        [
            (x[i, j] + b[1 - i, 0], "The row of b is the row of the cell."),
            (x[i, j], "b has length 1 along the columns, so it is repeated there: it is added."),
            (x[i, j] + b.sum(), "One number of b is added, the one of this row."),
        ],
        f"b is repeated for every column, so row {i} gets b[{i}, 0] everywhere.",
        tables=[table("x", x), table("b", b)],
    )


@question("hold the other still", lesson="00")
def hold_the_other_still(draw):
    x, y = draw.whole(2, 5), draw.whole(2, 5)
    draw.must(x != y)
    return number(
        f"f(x, y) = x²·y. What is ∂f/∂x at x = {x}, y = {y}?",
        2 * x * y,
        [
            (x * x, "That is ∂f/∂y: x² is what y is multiplied with."),
            (2 * x, "y is held still, but it stays as a factor."),
            (x * x * y, "That is f itself."),
            (2 * x * y + x * x, "That moves x and y together; here y is held still."),
        ],
        f"y is held still and stays a factor: 2·x·y = 2·{x}·{y}.",
    )


@question("the slope of 1/u", lesson="00")
def slope_of_a_reciprocal(draw):
    u = draw.pick(2.0, 4.0, 0.5, 5.0)
    written = {2.0: "2", 4.0: "4", 0.5: "1/2", 5.0: "5"}[u]
    return number(
        f"What is the derivative of 1/u at u = {written}?",
        -1 / u**2,
        [
            (1 / u**2, "When u grows, 1/u falls."),
            (1 / u, "That is 1/u itself."),
            (-1 / u, "The slope falls with the square of u."),
        ],
        "1/u is u⁻¹, so its slope is −1·u⁻² = −1/u².",
    )

"""The exercise of lesson 01: a backward pass through single numbers."""

from cnnbp.exercises import choices
from cnnbp.exercises.choices import wrong
from cnnbp.exercises.task import exercise
from cnnbp.gradcheck import numeric_gradient
from cnnbp.graph import fork_graph

LOCAL = "01, every step knows its own slope"
REUSED = "01, reused means summed"


def tiny(rng):
    """Small whole numbers whose three gradients differ, and none is 0."""
    while True:
        x, w, b, error = rng.permutation([-3.0, -2.0, -1.0, 1.0, 2.0, 3.0])[:4].tolist()
        if len({0, 1, x, w + 1}) == 4 and b != 1:  # slopes dx, dw, db: 2e times w + 1, x, 1
            return {"x": x, "w": w, "b": b, "target": w * x + b + x - error}


def random(rng):
    return [
        dict(zip(("x", "w", "b", "target"), numbers, strict=True))
        for numbers in rng.standard_normal((3, 4)).tolist()
    ]


def gradients(x, w, b, target):
    graph = fork_graph()
    found = graph.backward(graph.forward(x=x, w=w, b=b, target=target))
    return found["x"], found["w"], found["b"]


def numeric(x, w, b, target):
    def loss(inputs):
        x, w, b = inputs
        values = fork_graph().forward(x=x, w=w, b=b, target=target)
        return values["L"]

    return tuple(numeric_gradient(loss, [x, w, b]))


@exercise(
    lesson="01",
    given={
        "x": "float",
        "w": "float",
        "b": "float",
        "target": "float",
    },
    returns={"dx": "()", "dw": "()", "db": "()"},
    tiny=tiny,
    cases=random,
    answer=gradients,
    numeric=numeric,
    hints=[
        "Forward first: name every step. p = w·x, s = p + b, z = s + x, e = z − target, L = e².",
        "Backward, from the end: ∂L/∂e = 2e, and e = z − target passes that on to z unchanged.",
        "x is used twice, in p = w·x and in z = s + x. Add what comes back from both.",
    ],
    stub="The gradients of L = (w·x + b + x − target)² by x, w and b.",
    start="go forward to e, then backward",
)
def graph_gradients(x, w, b, target):
    """The gradients of L = (w·x + b + x − target)² by x, w and b.

    Every argument is a single number. x reaches the loss by two paths: through w, and past it.
    """
    p = w * x
    s = p + b
    z = s + x
    e = z - target
    de = 2 * e
    dz = de
    ds = dz
    db = ds
    dp = ds
    dw = dp * x
    dx = dp * w + dz  # through p, and straight to z
    return dx, dw, db


# fmt: off
FORWARD = [
    lambda x, w, b, target: w * x + b + x - target,
    wrong("direct_path_missing_on_the_way_forward", LOCAL, "the error e is w·x + b − target: z is "
        "s + x, so x is added once more on the way forward.",
        lambda x, w, b, target: w * x + b - target),
    wrong("target_not_subtracted", LOCAL, "the target is not subtracted: e = z − target.",
        lambda x, w, b, target: w * x + b + x),
    wrong("bias_missing_on_the_way_forward", LOCAL, "the bias b is missing in e: s = p + b.",
        lambda x, w, b, target: w * x + x - target),
    wrong("target_minus_z", LOCAL, "the error e is target − z, without the sign that its slope by "
        "z has: ∂e/∂z is 1 for e = z − target.", lambda x, w, b, target: target - (w * x + b + x)),
]
SQUARES = [
    lambda e: 2 * e,
    wrong("value_in_place_of_slope", LOCAL, "the loss e² itself is sent back: its slope is 2e.",
        lambda e: e**2, lambda e: 2 * e**2),
    wrong("upstream_left_out", LOCAL, "the gradient of e is a number without e: the slope of e² is "
        "2e.", lambda e: 1.0, lambda e: 2.0),
]
TO_X = [
    lambda x, w, dz: dz * w + dz,
    wrong("path_past_w_forgotten", REUSED, "your dx is the path through w alone: x is also "
        "added to the result directly, and what comes back along that path belongs to dx, too.",
        lambda x, w, dz: dz * w),
    wrong("path_through_w_forgotten", REUSED, "your dx is the path past w alone: x is also "
        "multiplied by w, and what comes back along that path belongs to dx, too.",
        lambda x, w, dz: dz),
    wrong("one_path_without_its_upstream", REUSED, "one path to x has its own slope, without what "
        "comes from above: every path is multiplied by the gradient of z.",
        lambda x, w, dz: dz * w + 1, lambda x, w, dz: w + dz, lambda x, w, dz: w + 1),
    wrong("paths_multiplied", REUSED, "the two paths are put together in another way than by "
        "adding: a value that is used twice gets the sum.", lambda x, w, dz: dz * w * dz,
        lambda x, w, dz: dz * w - dz,
        lambda x, w, dz: dz - dz * w),
    wrong("x_in_place_of_w", LOCAL, "your dx is made with x where w should be: the slope of w·x "
        "by x is w.", lambda x, w, dz: dz * x + dz, lambda x, w, dz: dz * x),
]
TO_W = [
    lambda x, w, dz: dz * x,
    wrong("w_in_place_of_x", LOCAL, "your dw is made with w where x should be: the slope of w·x "
        "by w is x.", lambda x, w, dz: dz * w),
    wrong("slope_of_the_product_forgotten", LOCAL, "your dw is handed on without the slope of "
        "w·x: by w that is x.", lambda x, w, dz: dz),
    wrong("path_past_w_taken_for_w", REUSED, "your dw is made of the path past w as well: that "
        "one leads to x only.", lambda x, w, dz: dz * x + dz),
    wrong("upstream_forgotten_in_dw", LOCAL, "your dw is the slope of w·x alone: the chain rule "
        "multiplies it by what comes from above.", lambda x, w, dz: x),
]
TO_B = [
    lambda b, dz: dz,
    wrong("upstream_forgotten_in_db", LOCAL, "your db is the slope of p + b alone: the chain "
        "rule multiplies 1 by what comes from above.", lambda b, dz: 1.0, lambda b, dz: 0.0),
    wrong("multiplied_by_b", LOCAL, "your db is multiplied by b: the slope of p + b by b is 1.",
        lambda b, dz: dz * b),
]


@graph_gradients.steps(
    forward=FORWARD,
    square=SQUARES,
    dx=TO_X,
    dw=TO_W,
    db=TO_B,
    factors={
        "1/2": choices.factor("square_without_its_two", LOCAL, "{yours} {are} half as large "
            "as is right: the slope of e² is 2e."),
        "2": choices.factor("doubled", LOCAL, "{yours} {are} twice as large as is right: "
            "count the 2 of the slope 2e once, and add to gradients that are 0."),
    },
)
def by_steps(steps, x, w, b, target):
    dz = steps.square(steps.forward(x, w, b, target))
    return steps.dx(x, w, dz), steps.dw(x, w, dz), steps.db(b, dz)


@graph_gradients.mistake(LOCAL)
def factors_not_swapped(x, w, b, target):
    """The slope of w·x by w is x, and by x it is w: you have them the other way round."""
    _, _, db = gradients(x, w, b, target)
    return db * x + db, db * w, db

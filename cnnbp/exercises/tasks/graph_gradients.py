"""The exercise of lesson 01: a backward pass through single numbers."""

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


@graph_gradients.mistake(REUSED)
def path_past_w_forgotten(x, w, b, target):
    """Your dx has the path through w alone; x is also added to the result directly, and what comes
    back along that path belongs to dx, too."""
    _, dw, db = gradients(x, w, b, target)
    return w * db, dw, db


@graph_gradients.mistake(REUSED)
def path_through_w_forgotten(x, w, b, target):
    """Your dx has the path past w alone; x is also multiplied with w, and what comes back along
    that path belongs to dx, too."""
    _, dw, db = gradients(x, w, b, target)
    return db, dw, db


@graph_gradients.mistake(LOCAL)
def square_without_its_two(x, w, b, target):
    """All your gradients are half of what they should be: the slope of e² is 2e."""
    return tuple(gradient / 2 for gradient in gradients(x, w, b, target))


@graph_gradients.mistake(LOCAL)
def factors_not_swapped(x, w, b, target):
    """The slope of w·x by w is x, and by x it is w: you have them the other way round."""
    _, _, db = gradients(x, w, b, target)
    return db * x + db, db * w, db

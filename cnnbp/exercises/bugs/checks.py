"""What a check of one layer by itself finds: its gradients against its own forward pass."""

import functools

import numpy as np


def normal(rng, shape):
    return rng.standard_normal(shape)


def ones(rng, shape):
    return np.ones(shape)


def compared(layer, x, dz, direction, *, training=True, step=1e-6):
    """What a layer, or a network, says of its gradients, and what its forward pass says of them.

    Of each gradient one number is compared: the slope of (dz * z).sum() along a direction.

    x, dz      arrays, the layer's input and upstream gradient; they stay as they are
    direction  shape -> array: where x, and each parameter, is moved; ones compare sums
    training   whether the passes are those of training
    step       how far everything is moved
    returns    iterator of ("dx", what the gradient says, the slope), then "dw", ...

    >>> from cnnbp.linear import Linear
    >>> right = Linear(1, 1, rng=0)
    >>> [(wanted, abs(said - slope) < 1e-6) for wanted, said, slope in
    ...  compared(right, [[2.0]], np.ones((1, 1)), np.ones)]
    [('dx', True), ('dw', True), ('db', True)]
    """
    x = np.array(x, float)
    layer.forward(x, training=training)
    yours = {"x": layer.backward(dz), **layer.grads}
    for name, array in {"x": x, **layer.params}.items():
        v, kept = direction(array.shape), array.copy()
        sums = []
        for signed in (step, -step):
            array[...] = kept + signed * v
            sums.append(float((dz * layer.forward(x, training=training)).sum()))
        array[...] = kept
        wanted = f"d{name}" if "." not in name else name.replace(".", ".d")
        yield wanted, float((yours[name] * v).sum()), (sums[0] - sums[1]) / (2 * step)


def apart(said, slope, least):
    """How far a gradient and a slope are apart, as a part of the larger of the two.

    least  what takes the larger one's place if both are less, and thus only rounding

    >>> apart(3.0, 4.0, 1e-6), apart(0.0, 1e-12, 1e-6)
    (0.25, 1e-06)
    """
    return abs(said - slope) / max(abs(said), abs(slope), least)


def rounding(dz):
    """Below this, what is compared is rounding: a millionth of the sizes that are summed."""
    return 1e-6 * np.abs(dz).sum()


def disagreeing(layer, x, dz, direction, *, tolerance=1e-5, **options):
    """The gradients of a layer, or a network, that its own forward pass contradicts: "dx", "dw", …

    tolerance  the least relative difference that counts; the others as for `compared`
    """
    for wanted, said, slope in compared(layer, x, dz, direction, **options):
        if apart(said, slope, rounding(dz)) > tolerance:
            yield wanted


CHECKS = {  # what the upstream gradient is, and the direction of the slope that is compared
    "random direction": (normal, normal),
    "all-ones upstream": (ones, normal),
    "mean of the gradient": (normal, ones),
}


def differences(network, layer, check, rng=0):
    """How far each gradient of a layer is from what its forward pass says, as a check sees it.

    network  Network with a trace, which tells the shapes
    layer    its number in the chain
    check    a name in CHECKS
    rng      numpy Generator or seed of the random input, upstream and direction
    returns  {"dx": relative difference, ...}, 0 for what is only rounding

    >>> from cnnbp.exercises.bugs import hunting_ground, ready
    >>> differences(ready(hunting_ground()), 4, "random direction")
    {'dx': 0.0, 'dw': 0.0, 'db': 0.0}
    """
    upstream, direction = CHECKS[check]
    rng, step = np.random.default_rng(rng), network.trace[layer]
    x, dz = normal(rng, np.shape(step.x)), upstream(rng, np.shape(step.z))
    along, found = functools.partial(direction, rng), {}
    for wanted, said, slope in compared(network.layers[layer], x, dz, along):
        error = apart(said, slope, rounding(dz))
        found[wanted] = error if error > 1e-5 else 0.0
    return found


def sees(network, layer, check, rng=0):
    """Whether a check of one layer by itself finds anything wrong; arguments as `differences`."""
    return any(differences(network, layer, check, rng).values())

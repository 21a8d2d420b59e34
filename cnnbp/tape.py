"""A tape: every operation notes what it was made of, and how to send its gradient back there.

The same backward functions as the layers', for values that are used wherever one likes: a kernel
in two places, a path around a block, two losses. Reused means summed.
"""

import numpy as np

import cnnbp


class Node:
    """A value on the tape.

    value      array or number
    parents    the nodes that it was made of
    send_back  dz -> the gradient's share of each parent, in their order; None for what was given
    name       of the operation
    gradient   of the last node by this one, once backward has run; None if nothing reached it

    >>> a = Node(3.0)
    >>> last = a * a + a
    >>> last.backward()
    >>> float(last.value), float(a.gradient)
    (12.0, 7.0)
    """

    def __init__(self, value, parents=(), send_back=None, name="given"):
        self.value, self.parents = np.asarray(value), tuple(parents)
        self.send_back, self.name, self.gradient = send_back, name, None

    def backward(self):
        """Fill the gradient of every node that this one was made of; its own is 1."""
        nodes = in_order(self)
        for node in nodes:
            node.gradient = None
        self.gradient = np.ones_like(self.value)
        for node in reversed(nodes):
            if node.send_back is not None and node.gradient is not None:
                shares = node.send_back(node.gradient)
                for parent, share in zip(node.parents, shares, strict=True):
                    parent.gradient = share if parent.gradient is None else parent.gradient + share

    def __add__(self, other):
        return Node(self.value + other.value, (self, other), lambda dz: (dz, dz), "+")

    def __mul__(self, other):
        a, b = self.value, other.value
        return Node(a * b, (self, other), lambda dz: (dz * b, dz * a), "·")

    def __repr__(self):
        return f"Node({self.name}, {self.value.shape or self.value})"


def in_order(last):
    """Every node that the last one was made of, each one behind its parents; itself at the end.

    >>> a = Node(2.0)
    >>> [node.name for node in in_order(a * a + a)]
    ['given', '·', '+']
    """
    found, seen, waiting = [], set(), [(last, False)]
    while waiting:
        node, parents_are_found = waiting.pop()
        if parents_are_found:
            found.append(node)
        elif id(node) not in seen:
            seen.add(id(node))
            waiting += [(node, True), *((parent, False) for parent in node.parents)]
    return found


def operation(function, backward):
    """A function of arrays as one of nodes.

    function  *values, **options -> z
    backward  dz, *values, **options -> the gradients by the values, in their order
    """

    def on_tape(*inputs, **options):
        values = [node.value for node in inputs]
        z = function(*values, **options)
        return Node(z, inputs, lambda dz: backward(dz, *values, **options), function.__name__)

    return on_tape


def conv2d_shares(dz, x, w, *b, **options):
    """dx, dw, and db where a bias was given."""
    return cnnbp.conv2d_backward(dz, x, w, **options)[: 2 + len(b)]


def linear_shares(dz, x, w, *b):
    """dx, dw, and db where a bias was given."""
    return cnnbp.linear_backward(dz, x, w)[: 2 + len(b)]


conv2d = operation(cnnbp.conv2d, conv2d_shares)
linear = operation(cnnbp.linear, linear_shares)
relu = operation(cnnbp.relu, lambda dz, x: [cnnbp.relu_backward(dz, x)])
sigmoid = operation(cnnbp.sigmoid, lambda dz, x: [cnnbp.sigmoid_backward(dz, x)])
tanh = operation(cnnbp.tanh, lambda dz, x: [cnnbp.tanh_backward(dz, x)])
flatten = operation(cnnbp.flatten, lambda dz, x: [cnnbp.flatten_backward(dz, x.shape)])


def max_pool2d(x, **options):
    """The winners of the forward pass are what its backward pass needs."""
    z, argmax = cnnbp.max_pool2d(x.value, **options)
    shape = x.value.shape
    return Node(z, [x], lambda dz: [cnnbp.max_pool2d_backward(dz, argmax, shape)], "max_pool2d")


def avg_pool2d(x, **options):
    """What its backward pass needs is the shape."""
    z, shape = cnnbp.avg_pool2d(x.value, **options), x.value.shape
    return Node(z, [x], lambda dz: [cnnbp.avg_pool2d_backward(dz, shape, **options)], "avg_pool2d")


def softmax_cross_entropy(z, labels):
    """The loss node at the end of the tape."""
    return _loss(cnnbp.softmax_cross_entropy, z, labels)


def mean_squared_error(z, target):
    """The loss node at the end of the tape."""
    return _loss(cnnbp.mean_squared_error, z, target)


def _loss(function, z, wanted):
    value, dz = function(z.value, wanted)
    # float(): a float64 of no axes would turn gradients in float32 into float64.
    return Node(value, [z], lambda upstream: [float(upstream) * dz], function.__name__)

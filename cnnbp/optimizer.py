"""Optimizers: they turn the gradients of a backward pass into new weights.

The only place that changes arrays in place, so that layers and networks keep the arrays they have.
"""

import math

import numpy as np

from cnnbp.layer import check_layer
from cnnbp.shape import complaint, positive_real, real, share


class Setting:
    """A number of an optimizer, checked whenever it is set: another one would spoil the weights.

    check  takes the number and its name, and raises what is wrong with it
    """

    def __init__(self, check):
        self.check = check

    def __set_name__(self, owner, name):
        self.name = name

    def __get__(self, optimizer, owner=None):
        return self if optimizer is None else vars(optimizer)[self.name]

    def __set__(self, optimizer, value):
        self.check(value, self.name)
        vars(optimizer)[self.name] = value


def rate(value, name):
    """Raise TypeError unless value is a number or a function, ValueError for one below 0 or inf."""
    if not callable(value):
        real(value, name, lambda number: 0 <= number < math.inf, "a finite number, at least 0")


def rate_now(optimizer):
    """The learning rate of the optimizer's next step; a function of the step is asked."""
    value = optimizer.learning_rate
    if callable(value):
        value = value(optimizer.t)
        if callable(value):
            raise complaint(TypeError, "learning_rate(step) must return a number, not a function")
        rate(value, f"learning_rate({optimizer.t})")
    return value


def rate_in_words(value):
    """A number, or the name of a function of the step.

    >>> rate_in_words(0.1), rate_in_words(lambda step: 0.1 / (1 + step)), rate_in_words(math.exp)
    ('0.1', 'a function of the step', 'exp')
    """
    name = getattr(value, "__name__", "<lambda>")
    return str(value) if not callable(value) else name.replace("<lambda>", "a function of the step")


class SGD:
    """Stochastic gradient descent, with momentum if wanted.

    velocity ← momentum·velocity + dw      w ← w − learning_rate·velocity

    network        whose params step() changes by its grads; a single layer will do
    learning_rate  float ≥ 0, or a function of the number of steps taken that returns one; may be
                   set anew between steps
    momentum       0 ≤ momentum < 1; with 0 the velocity is the gradient

    velocity       dict of arrays, under the keys of the params; t, the steps so far

    Raises ValueError for a learning rate or a momentum outside its range, now or later, TypeError
    for what is no number or no network.
    Lesson 11.  Source: Polyak, 1964, as PyTorch writes it.

    >>> from cnnbp.linear import Linear
    >>> layer = Linear(1, 1, gain=0.0)
    >>> optimizer = SGD(layer, learning_rate=0.5)
    >>> z, dx = layer.forward([[3.0]]), layer.backward([[1.0]])
    >>> optimizer.step()
    >>> layer.params["w"], layer.params["b"]
    (array([[-1.5]]), array([[-0.5]]))
    """

    learning_rate, momentum = Setting(rate), Setting(share)

    def __init__(self, network, learning_rate, momentum=0.0):
        check_layer(network)
        self.network = network
        self.learning_rate = learning_rate
        self.momentum = momentum
        self.velocity, self.t = _zeros(network), 0

    def step(self):
        """Move every parameter once, along the grads of the last backward pass."""
        grads, learning_rate = self.network.grads, rate_now(self)
        self.t += 1
        for name, w in self.network.params.items():
            velocity = self.velocity[name]
            velocity *= self.momentum
            velocity += grads[name]
            w -= learning_rate * velocity

    def __repr__(self):
        rate = rate_in_words(self.learning_rate)
        return f"SGD(learning_rate={rate}, momentum={self.momentum})"


class Adam:
    """Steps of about learning_rate along every parameter, however large its gradient.

    mean ← beta1·mean + (1 − beta1)·dw      square ← beta2·square + (1 − beta2)·dw²
    w ← w − learning_rate · m / (√s + eps)  m = mean/(1 − beta1ᵗ), s = square/(1 − beta2ᵗ)

    The running means start at 0, and m and s make up for that in step number t.

    network        whose params step() changes by its grads; a single layer will do
    learning_rate  float ≥ 0, or a function of the number of steps taken that returns one; may be
                   set anew between steps
    beta1, beta2   at least 0, less than 1
    eps            float > 0, keeps a parameter without gradient from dividing by 0

    mean, square   dicts of arrays, under the keys of the params; t, the steps so far

    Raises ValueError for a number outside its range, now or later, TypeError for what is no number
    or no network.
    Lesson 11.  Source: Kingma and Ba, 2015.

    >>> from cnnbp.linear import Linear
    >>> layer = Linear(1, 1, gain=0.0)
    >>> optimizer = Adam(layer, learning_rate=0.5)
    >>> z, dx = layer.forward([[300.0]]), layer.backward([[1.0]])
    >>> optimizer.step()
    >>> layer.params["w"].round(6), layer.params["b"].round(6)
    (array([[-0.5]]), array([[-0.5]]))
    """

    learning_rate, eps = Setting(rate), Setting(positive_real)
    beta1, beta2 = Setting(share), Setting(share)

    def __init__(self, network, learning_rate=1e-3, beta1=0.9, beta2=0.999, eps=1e-8):
        check_layer(network)
        self.network = network
        self.learning_rate = learning_rate
        self.beta1, self.beta2, self.eps = beta1, beta2, eps
        self.mean, self.square, self.t = _zeros(network), _zeros(network), 0

    def step(self):
        """Move every parameter once, along the grads of the last backward pass."""
        grads, learning_rate = self.network.grads, rate_now(self)
        self.t += 1
        for name, w in self.network.params.items():
            mean, square, dw = self.mean[name], self.square[name], grads[name]
            mean *= self.beta1
            mean += (1 - self.beta1) * dw
            square *= self.beta2
            square += (1 - self.beta2) * dw**2
            m = mean / (1 - self.beta1**self.t)
            s = square / (1 - self.beta2**self.t)
            w -= learning_rate * m / (np.sqrt(s) + self.eps)

    def __repr__(self):
        return (
            f"Adam(learning_rate={rate_in_words(self.learning_rate)}, beta1={self.beta1}, "
            f"beta2={self.beta2}, eps={self.eps})"
        )


def clip_gradients(network, max_norm):
    """Scale all gradients together, in place, so that their norm is max_norm at most.

    norm = √(Σ g² over every entry g of every array in grads): one norm for the whole network, so
    the direction of the step stays. A network without gradient has norm 0 and stays as it is.
    So does one whose norm is inf or NaN, for no factor would mend it: look at the returned norm.

    network   whose grads are scaled; a single layer will do
    max_norm  float > 0; inf only measures
    returns   float, the norm before

    Raises ValueError if max_norm is not positive, TypeError for what is no network.
    Lesson 12.  Source: Pascanu, Mikolov and Bengio, 2013.

    >>> from cnnbp.linear import Linear
    >>> layer = Linear(1, 1)
    >>> z, dx = layer.forward([[0.75]]), layer.backward([[4.0]])
    >>> clip_gradients(layer, max_norm=1.0), layer.grads["w"], layer.grads["b"]
    (5.0, array([[0.6]]), array([[0.8]]))
    """
    check_layer(network)
    real(max_norm, "max_norm", lambda number: number > 0, "positive")
    norm = gradient_norm(network)
    if max_norm < norm < math.inf:
        for gradient in network.grads.values():
            gradient *= max_norm / norm
    return norm


def gradient_norm(network):
    """The root of the sum of squares of all entries of all grads, as one float.

    It overflows only if it must, and is inf or NaN where a gradient is.

    network  a network or a single layer; 0 if it has no parameters

    Raises TypeError for what is no network.
    Lesson 12.

    >>> from cnnbp.linear import Linear
    >>> layer = Linear(1, 1)
    >>> z, dx = layer.forward([[0.75]]), layer.backward([[4.0]])
    >>> gradient_norm(layer)
    5.0
    """
    check_layer(network)
    arrays = list(network.grads.values())
    largest = float(np.max([np.abs(array).max(initial=0) for array in arrays], initial=0))
    if largest == 0 or not math.isfinite(largest):
        return largest
    scaled = [np.ravel(array / largest, order="K").astype(np.float64) for array in arrays]
    return largest * math.sqrt(sum(float(entries @ entries) for entries in scaled))


def _zeros(network):
    """Zeros like every parameter, under its key; TypeError for whole numbers, which cannot move."""
    for name, array in network.params.items():
        if array.dtype.kind != "f":
            raise complaint(
                TypeError,
                f"{name} holds {array.dtype} values, which no step can move; make it floats",
            )
    return {name: np.zeros_like(array) for name, array in network.params.items()}

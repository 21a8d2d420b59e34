"""A PyTorch model as a Network: the same layers and weights, to be pointed at and traced."""

from cnnbp.activation import LeakyReLU, ReLU, Sigmoid, Tanh
from cnnbp.convolution import Conv2d
from cnnbp.linear import Flatten, Linear
from cnnbp.network import Network
from cnnbp.normalization import BatchNorm2d, Dropout, GroupNorm
from cnnbp.pooling import AvgPool2d, MaxPool2d
from cnnbp.shape import complaint

THEIRS = {"w": "weight", "b": "bias", "gamma": "weight", "beta": "bias"}  # our names: PyTorch's


def from_torch(module):
    """A Network that computes what a PyTorch Sequential does, with copies of its weights.

    module   torch.nn.Sequential, nested too, of Conv2d, ReLU, LeakyReLU, Sigmoid, Tanh, MaxPool2d,
             AvgPool2d, BatchNorm2d, GroupNorm, Dropout, Flatten and Linear
    returns  Network; samples stand in columns behind Flatten, the transpose of PyTorch's rows

    Raises TypeError for what is no Sequential, ValueError for a layer or an option that has no
    counterpart here, naming it, and ModuleNotFoundError without PyTorch.
    Lesson 16.

    >>> from torch import nn                                        # doctest: +SKIP
    >>> from_torch(nn.Sequential(nn.Flatten(), nn.Linear(64, 10)))  # doctest: +SKIP
    """
    nn = _torch().nn
    if not isinstance(module, nn.Sequential):
        raise complaint(
            TypeError,
            f"module must be an nn.Sequential, not {type(module).__name__}: its layers "
            "run in order; what another forward does cannot be read from it",
        )
    return _chain(nn, module, "", set())


def _torch():
    try:
        import torch
    except ModuleNotFoundError:
        raise complaint(
            ModuleNotFoundError,
            "PyTorch, which reads the model, is not installed here: pip install torch",
        ) from None
    return torch


def _chain(nn, sequential, where, seen):
    """The Network of a Sequential; `where` is its own place, `seen` the layers that came before."""
    if type(sequential).forward is not nn.Sequential.forward:
        kind = type(sequential).__name__
        raise complaint(ValueError, f"{kind} has a forward of its own, which cannot be read")
    layers = []
    for number, module in enumerate(sequential):
        place = f"{where}{number}"
        if isinstance(module, nn.Sequential):
            layers.append(_chain(nn, module, f"{place}.", seen))
            continue
        if list(module.parameters()) and id(module) in seen:
            raise complaint(
                ValueError,
                f"layer {place}, {module}, comes twice: its weights get the sum of two gradients; "
                "a Network's layers share none, but cnnbp.tape can use a value twice",
            )
        seen.add(id(module))
        layers.append(_layer(nn, module, place))
    return Network(layers)


def _layer(nn, module, place):
    kind = type(module).__name__
    if kind not in COUNTERPARTS or type(module) is not getattr(nn, kind, None):
        known = ", ".join(COUNTERPARTS)
        raise complaint(
            ValueError, f"layer {place}, a {kind}, has no counterpart here; {known} have"
        )
    make, refused = COUNTERPARTS[kind]
    for reason, applies in refused.items():
        if applies(module):
            raise complaint(ValueError, f"layer {place}, {module}: {reason}")
    layer = make(module)
    for name, array in layer.params.items():
        array[...] = _numbers(getattr(module, THEIRS[name])).reshape(array.shape)
    return layer


def _dtype(module):
    """numpy's name of the kind of numbers that its weights are."""
    return _numbers(module.weight).dtype


def _numbers(tensor):
    """A copy of a tensor's numbers; training goes on without them."""
    if str(tensor.dtype) not in ("torch.float32", "torch.float64"):
        raise complaint(
            ValueError, f"weights of {tensor.dtype} have no counterpart; call module.float() first"
        )
    return tensor.detach().cpu().numpy().copy()


def _weights(module):
    """Keywords of a layer with weights: its dtype and whether it has a bias."""
    return {"dtype": _dtype(module), "bias": module.bias is not None, "rng": 0}


def _conv2d(module):
    options = {name: getattr(module, name) for name in ("stride", "padding", "dilation", "groups")}
    return Conv2d(
        module.in_channels, module.out_channels, module.kernel_size, **options, **_weights(module)
    )


def _linear(module):
    return Linear(module.in_features, module.out_features, **_weights(module))


def _pool(kind):
    def make(module):
        return kind(module.kernel_size, stride=module.stride, padding=module.padding)

    return make


def _batch_norm2d(module):
    layer = BatchNorm2d(
        module.num_features, eps=module.eps, momentum=module.momentum, dtype=_dtype(module)
    )
    layer.running_mean[...] = _numbers(module.running_mean).reshape(layer.running_mean.shape)
    layer.running_var[...] = _numbers(module.running_var).reshape(layer.running_var.shape)
    return layer


def _group_norm(module):
    return GroupNorm(module.num_groups, module.num_channels, eps=module.eps, dtype=_dtype(module))


_POOLS = {
    "ceil_mode has no counterpart: a window that runs out of the image is left out here": (
        lambda module: module.ceil_mode
    )
}
_NORMALIZES = {"affine=False has no counterpart: gamma and beta are always there": (
    lambda module: module.weight is None
)}  # fmt: skip

# PyTorch's class: what makes ours from it, and {why it cannot be made: when}
COUNTERPARTS = {
    "Conv2d": (_conv2d, {
        "padding_mode must be 'zeros'": lambda module: module.padding_mode != "zeros",
        "padding must be given in numbers, not as a word": (
            lambda module: isinstance(module.padding, str)
        ),
    }),
    "Linear": (_linear, {}),
    "ReLU": (lambda module: ReLU(), {}),
    "LeakyReLU": (lambda module: LeakyReLU(module.negative_slope), {}),
    "Sigmoid": (lambda module: Sigmoid(), {}),
    "Tanh": (lambda module: Tanh(), {}),
    "MaxPool2d": (_pool(MaxPool2d), _POOLS | {
        "dilation of a pooling window has no counterpart": (
            lambda module: module.dilation not in (1, (1, 1))
        ),
        "return_indices gives two results; a layer has one": lambda module: module.return_indices,
    }),
    "AvgPool2d": (_pool(AvgPool2d), _POOLS | {
        "count_include_pad=False has no counterpart: padding counts in the mean here": (
            lambda module: not module.count_include_pad
        ),
        "divisor_override has no counterpart": lambda module: module.divisor_override is not None,
    }),
    "BatchNorm2d": (_batch_norm2d, _NORMALIZES | {
        "track_running_stats=False has no counterpart: evaluation uses running statistics here": (
            lambda module: module.running_mean is None
        ),
        "momentum=None (a cumulative mean) has no counterpart": (
            lambda module: module.momentum is None
        ),
    }),
    "GroupNorm": (_group_norm, _NORMALIZES),
    "Dropout": (lambda module: Dropout(module.p), {}),
    "Flatten": (lambda module: Flatten(), {
        "only Flatten() of everything behind the batch has a counterpart": (
            lambda module: (module.start_dim, module.end_dim) != (1, -1)
        ),
    }),
}  # fmt: skip

"""Speed as ratios to PyTorch, all measured in one run by `make bench`. Nothing here fails a test.

float32, one thread. The two sides of a row take turns, round after round, so that whatever else
the machine is doing meets both. A row shows medians, the extremes of the rounds' ratios, the ratio
to reach, and the floor: the ratio that cnnbp's matrix products would have alone.
"""

import os
import statistics
import subprocess
import sys
import time

import numpy as np
import torch
from digits import digits_network, learn_digits
from torch import nn
from torch.nn import functional

import cnnbp
from cnnbp.shape import samples_first, samples_last
from cnnbp.training import training_step

ROUNDS = 9
ROUND_SECONDS = 0.04  # a side of a round repeats its call for about so long
RNG = np.random.default_rng(0)

CONVOLUTIONS = [  # x, w, options, the ratio to reach
    ((10, 3, 29, 28), (2, 3, 3, 2), {"stride": 2}, 0.5),
    ((64, 1, 8, 8), (16, 1, 3, 3), {"padding": 1}, 0.6),
    ((64, 1, 28, 28), (6, 1, 5, 5), {}, 0.5),
    ((64, 6, 12, 12), (16, 6, 5, 5), {}, 1.3),
    ((64, 3, 32, 32), (32, 3, 3, 3), {"padding": 1}, 1.2),
    ((64, 16, 8, 8), (32, 16, 3, 3), {"padding": 1}, 2.3),
    ((64, 32, 16, 16), (64, 32, 3, 3), {"padding": 1}, 2.6),
]


def main():
    if os.environ.get("OPENBLAS_NUM_THREADS") != "1":
        sys.exit("numpy must have one thread, as PyTorch has here: run `make bench`")
    torch.set_num_threads(1)
    print(f"numpy {np.__version__}, PyTorch {torch.__version__}, {ROUNDS} rounds\n")
    print(
        f"{'forward + backward':42}{'cnnbp':>10}{'PyTorch':>10}   ratio (rounds)      reach  floor"
    )
    for x_shape, w_shape, options, reach in CONVOLUTIONS:
        words = " ".join(f"{name} {value}" for name, value in options.items())
        label = f"conv2d {x_shape} {w_shape} {words}".replace(", ", ",")
        compare(label, reach, *convolution(x_shape, w_shape, options))
    compare("max_pool2d (64,16,28,28) 2×2", 0.6, *max_pooling())
    compare("training step, digits network, batch 64", 1.3, *digits_step())
    compare_imports("import cnnbp / import numpy", 1.3)
    time_learning(reach=3)


def compare(label, reach, ours, theirs, floor=None):
    """Print a row on two calls that do the same thing, and on a third that is a part of ours."""
    calls = [call for call in (ours, theirs, floor) if call]
    repeats = [max(1, round(ROUND_SECONDS / seconds(call, 3))) for call in calls]
    rounds = [
        [seconds(call, times) for call, times in zip(calls, repeats, strict=True)]
        for _ in range(ROUNDS)
    ]
    print_row(label, reach, rounds)


def print_row(label, reach, rounds):
    ratios = [ours / theirs for ours, theirs, *_ in rounds]
    ours, theirs, *floor = map(statistics.median, zip(*rounds, strict=True))
    spread = f"{statistics.median(ratios):.2f} ({min(ratios):.2f}–{max(ratios):.2f})"
    print(
        f"{label:42}{1e3 * ours:7.2f} ms{1e3 * theirs:7.2f} ms   {spread:18}≤ {reach:<6}"
        + "".join(f"{seconds / theirs:.2f}" for seconds in floor),
        flush=True,
    )


def seconds(call, times):
    start = time.perf_counter()
    for _ in range(times):
        call()
    return (time.perf_counter() - start) / times


def random(*shape):
    return RNG.standard_normal(shape).astype(np.float32)


def torch_autograd(operation, arrays, dz, options):
    """PyTorch's operation and its gradients by all the arrays, as a call."""
    tensors = [torch.tensor(np.ascontiguousarray(array), requires_grad=True) for array in arrays]
    upstream = torch.tensor(np.ascontiguousarray(dz))

    def call():
        for tensor in tensors:
            tensor.grad = None
        operation(*tensors, **options).backward(upstream)

    return call


def with_samples_last(x):
    return samples_first(samples_last(x))


def convolution(x_shape, w_shape, options):
    x, w, b = with_samples_last(random(*x_shape)), random(*w_shape), random(w_shape[0], 1, 1)
    dz = with_samples_last(random(*cnnbp.conv2d(x, w, b, **options).shape))
    columns = cnnbp.im2col(x, w_shape[2:], **options)
    w_rows, dz_rows = w.reshape(len(w), len(columns)), random(len(w), columns.shape[1])

    def ours():
        cnnbp.conv2d(x, w, b, **options)
        cnnbp.conv2d_backward(dz, x, w, **options)

    def products():
        np.matmul(w_rows, columns)
        np.matmul(columns, dz_rows.T)
        np.matmul(w_rows.T, dz_rows, out=columns)

    theirs = torch_autograd(functional.conv2d, [x, w, b.ravel()], dz, options)
    return ours, theirs, products


def max_pooling():
    x, dz = with_samples_last(random(64, 16, 28, 28)), with_samples_last(random(64, 16, 14, 14))

    def ours():
        _, argmax = cnnbp.max_pool2d(x, 2)
        cnnbp.max_pool2d_backward(dz, argmax, x.shape)

    return ours, torch_autograd(functional.max_pool2d, [x], dz, {"kernel_size": 2})


def digits_step():
    """Forward, loss, backward, step; ours measures the norm of the gradients besides."""
    (images, labels), _ = cnnbp.digits()
    images, labels = images[:64], labels[:64]
    network, x = digits_network(rng=0), with_samples_last(images)
    optimizer = cnnbp.SGD(network, 0.01, momentum=0.9)
    same = nn.Sequential(
        *(nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Conv2d(16, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Flatten(), nn.Linear(128, 10)),
    )
    descent = torch.optim.SGD(same.parameters(), lr=0.01, momentum=0.9)
    x_torch, labels_torch = torch.tensor(images), torch.tensor(labels)

    def theirs():
        descent.zero_grad()
        functional.cross_entropy(same(x_torch), labels_torch).backward()
        descent.step()

    ours = optimizer, cnnbp.softmax_cross_entropy, x, labels
    return lambda: training_step(network, *ours), theirs


def compare_imports(label, reach):
    """Print a row on two imports, each in a new interpreter, whose own start does not count."""
    import_seconds("cnnbp")  # keeps the bytecode, as pip did for numpy
    rounds = [[import_seconds(package) for package in ("cnnbp", "numpy")] for _ in range(ROUNDS)]
    print_row(label, reach, rounds)


def import_seconds(package):
    code = f"import time; t = time.perf_counter(); import {package}; print(time.perf_counter() - t)"
    environment = os.environ | {"PYTHONDONTWRITEBYTECODE": ""}
    return float(subprocess.check_output([sys.executable, "-c", code], env=environment))


def time_learning(reach):
    """Print how long the digits network learns, and how many of the test digits it then reads."""
    times, accuracies = [], []
    for seed in range(7):
        start = time.perf_counter()
        accuracies.append(learn_digits(seed).test_accuracy[-1])
        times.append(time.perf_counter() - start)
    took, read = statistics.median(times), statistics.median(accuracies)
    print("\nThe digits network, learning from seven seeds, with its median and extremes:")
    print(f"takes {took:.2f} s ({min(times):.2f}–{max(times):.2f}), to reach ≤ {reach} s")
    print(f"reads {read:.1%} ({min(accuracies):.1%}–{max(accuracies):.1%}), to reach ≥ 97 %")


if __name__ == "__main__":
    main()

"""PyTorch and TensorFlow beside the course: a few lines run there, and a model made there.

Neither is needed. Lines run in a process of their own where the framework is installed; elsewhere
a lesson shows what it said when that was stored.
"""

import json
import subprocess
import sys
import textwrap
from importlib.util import find_spec
from pathlib import Path

from cnnbp.activation import ReLU
from cnnbp.convolution import Conv2d
from cnnbp.data import reader_reference
from cnnbp.from_torch import THEIRS
from cnnbp.linear import Flatten, Linear
from cnnbp.network import Network
from cnnbp.normalization import BatchNorm2d, Dropout
from cnnbp.pooling import MaxPool2d
from cnnbp.shape import complaint

STORED = Path(__file__).parent / "data" / "frameworks.json"

# How lines in each begin; the last name's version is printed.
IMPORTS = {
    "torch": "import torch; from torch import nn; from torch.nn import functional as F",
    "tensorflow": "import tensorflow as tf; import tensorflow",
}
NAMES = {"torch": "PyTorch", "tensorflow": "TensorFlow"}
SECONDS = 180
WIDTH = 80  # of a printed line; a library's messages are longer
PROGRAM = """
import sys
names = {{}}
exec({imports!r}, names)
print(names[{framework!r}].__version__.partition("+")[0], flush=True)
try:
    exec(compile(sys.stdin.read(), "lines", "exec"), names)
except Exception as error:
    print(type(error).__name__ + ":", str(error).strip())
"""


def in_torch(lines):
    """Run a few lines of PyTorch, and print what they print, or their error.

    They run in a process of their own: with a framework inside, a lesson would need 270 MB more.
    Where PyTorch is not installed, what it said to the same lines is read from a file.

    lines  str of Python; torch, nn and F (torch.nn.functional) are there

    Raises ModuleNotFoundError if PyTorch is not installed and nothing is stored for these lines.
    Lesson 16.

    >>> in_torch("print(torch.relu(torch.tensor(-2.0)))")  # doctest: +SKIP
    PyTorch 2.13.0:
    tensor(0.)
    """
    _run("torch", lines)


def in_tensorflow(lines):
    """Run a few lines of TensorFlow, as in_torch does; tf is there.

    Raises ModuleNotFoundError if TensorFlow is not installed and nothing is stored for these lines.
    Lesson 16.

    >>> in_tensorflow("print(tf.nn.relu(-2.0).numpy())")  # doctest: +SKIP
    TensorFlow 2.21.0:
    0.0
    """
    _run("tensorflow", lines)


def _run(framework, lines):
    lines = textwrap.dedent(lines).strip()
    said = asked(framework, lines) if find_spec(framework) else stored().get((framework, lines))
    if said is None:
        raise complaint(
            ModuleNotFoundError,
            f"{NAMES[framework]} is not installed here, and nothing is stored for these lines: "
            f"pip install {framework}",
        )
    version, _, text = said.partition("\n")
    print(f"{NAMES[framework]} {version}:")
    for line in text.splitlines():
        print(textwrap.fill(line, WIDTH, subsequent_indent="  "))


def asked(framework, lines):
    """The framework's version and, below it, what the lines print, from a process of their own."""
    program = PROGRAM.format(imports=IMPORTS[framework], framework=framework)
    finished = subprocess.run(
        [sys.executable, "-c", program],
        input=lines,
        capture_output=True,
        encoding="utf-8",
        timeout=SECONDS,
        check=False,
    )
    if finished.returncode:
        last = finished.stderr.strip().splitlines()[-1:]
        raise complaint(RuntimeError, f"{NAMES[framework]} could not run: {' '.join(last)}")
    return finished.stdout.strip()


def stored():
    """{(framework, lines): what it said}, made by tests/references/make_references.py."""
    entries = json.loads(STORED.read_text(encoding="utf-8"))
    return {(entry["framework"], entry["lines"]): entry["said"] for entry in entries}


def reader_from_torch():
    """A reader of digits that PyTorch trained: what from_torch makes of it, without PyTorch.

    returns  Network of the same layers, with PyTorch's weights and running statistics

    Lesson 16.

    >>> reader_from_torch().layers[5]
    Dropout(p=0.5)
    """
    layers = [Conv2d(1, 8, 3, padding=1, bias=False), BatchNorm2d(8), ReLU(), MaxPool2d(2)]
    network = Network([*layers, Flatten(), Dropout(0.5), Linear(128, 10)])
    theirs = reader_reference("weights")
    for name, array in network.params.items():
        number, _, kind = name.partition(".")
        array[...] = theirs[f"{number}.{THEIRS[kind]}"].reshape(array.shape)
    for kind in ("running_mean", "running_var"):
        getattr(layers[1], kind)[...] = theirs[f"1.{kind}"].reshape(8, 1, 1)
    return network

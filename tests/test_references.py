"""cnnbp against what PyTorch and TensorFlow said, stored by references/make_references.py.

Every forward result and every gradient of every case, in float64, within 1e-10, whatever the
layout of the inputs in memory.
"""

import json
from collections import defaultdict
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest
from helpers import with_samples_last
from references.in_cnnbp import OPERATIONS, results

from cnnbp import relative_error, walkthrough_network
from cnnbp.data import photo_patches

FOLDER = Path(__file__).parent / "references"
PHOTOGRAPHS = files("cnnbp") / "data" / "walkthrough_reference.npz"
FRAMEWORKS = ("torch", "tensorflow")


def stored_cases():
    """By name: operation, options, and the dicts of arrays inputs, torch and tensorflow."""
    cases = defaultdict(lambda: defaultdict(dict))
    for path in sorted(FOLDER.glob("*.npz")):
        with np.load(path) as file:
            for key in file:
                case, part, *name = key.split("/")
                if part == "options":
                    options = json.loads(file[key].item(), object_hook=with_tuples)
                    cases[case].update(operation=options.pop("operation"), options=options)
                else:
                    cases[case][part][name[0]] = file[key]
    return cases


def with_tuples(options):
    return {name: tuple(v) if isinstance(v, list) else v for name, v in options.items()}


CASES = stored_cases()


def as_stored(array):
    return array


def assert_agrees(operation, case, framework, layout=as_stored):
    inputs = {name: layout(array) for name, array in CASES[case]["inputs"].items()}
    found, stored = results(operation, inputs, CASES[case]["options"]), CASES[case][framework]
    assert found.keys() == stored.keys()
    errors = {name: relative_error(found[name], stored[name]) for name in stored}
    assert max(errors.values()) <= 1e-10, errors


@pytest.mark.parametrize("layout", [as_stored, with_samples_last])
@pytest.mark.parametrize("framework", FRAMEWORKS)
@pytest.mark.parametrize("case", CASES)
def test_agrees_with_the_framework(case, framework, layout):
    assert_agrees(CASES[case]["operation"], case, framework, layout)


@pytest.mark.parametrize("framework", FRAMEWORKS)
@pytest.mark.parametrize("case", [case for case in CASES if CASES[case]["operation"] == "conv2d"])
def test_the_loops_agree_with_the_framework(case, framework):
    assert_agrees("conv2d_loops", case, framework)


@pytest.mark.parametrize("case", CASES)
def test_both_frameworks_say_the_same_things_about_a_case(case):
    assert CASES[case]["torch"]
    assert CASES[case]["torch"].keys() == CASES[case]["tensorflow"].keys()


def test_every_operation_has_a_stored_case():
    assert {case["operation"] for case in CASES.values()} == OPERATIONS.keys() - {"conv2d_loops"}


def test_the_stored_results_stay_small():
    assert sum(path.stat().st_size for path in FOLDER.glob("*.npz")) < 1_500_000


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_the_walkthrough_on_photographs_agrees_with_the_framework(framework):
    inputs = {"x": photo_patches(), "target": np.random.default_rng(1).standard_normal((32, 10))}
    found = results("walkthrough_network", inputs | walkthrough_network().params, {})
    with np.load(PHOTOGRAPHS) as file:
        errors = {name: relative_error(found[name], file[f"{framework}/{name}"]) for name in found}
    assert max(errors.values()) <= 1e-10, errors


def test_the_photographs_leave_no_winner_to_rounding():
    network = walkthrough_network()
    network.forward(photo_patches())
    z = network.trace[0].z
    cells = [
        z[:, :, row : 13 + row : 3, column : 13 + column : 3] for row in (0, 1) for column in (0, 1)
    ]
    _, _, second, winner = np.sort(cells, axis=0)
    assert (winner - second).min() > 1e-6

"""The load test itself: it ends by itself, finds who is lost, and leaves nothing running."""

import os
import signal
import subprocess
import time
from pathlib import Path

import psutil
import pytest

ROOT = Path(__file__).parents[2]
PYTHON = ROOT / ".venv-hub" / "bin" / "python"


@pytest.fixture
def load(tmp_path):
    """Start the load test with these arguments; its hub keeps everything below tmp_path."""
    if not (ROOT / ".venv-hub" / ".ready").exists():
        missing = "needs a hub: make .venv-hub/.ready"
        if os.environ.get("REQUIRE_HUB"):
            pytest.fail(missing)
        pytest.skip(missing)

    def start(*arguments):
        return subprocess.Popen(
            [PYTHON, Path(__file__).with_name("run.py"), *arguments],
            env=os.environ | {"TMPDIR": str(tmp_path)}, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip

    return start


def running_below(folder):
    """The processes that were told of this folder, in any variable."""
    found = []
    for process in psutil.process_iter():
        try:
            if any(str(folder) in value for value in process.environ().values()):
                found.append(process)
        except (psutil.AccessDenied, psutil.NoSuchProcess):
            continue  # somebody else's, or gone
    return found


def wait_for_servers(folder, count):
    """Until so many learners have a server."""
    end = time.monotonic() + 90
    while time.monotonic() < end:
        commands = [" ".join(each.cmdline()) for each in running_below(folder)]
        if sum("jupyterhub-singleuser" in each for each in commands) >= count:
            return
        time.sleep(0.2)
    raise TimeoutError("no learner got a server")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_an_interrupted_class_leaves_nothing_running(load, tmp_path, number):
    process = load("--learners", "2")
    wait_for_servers(tmp_path, 2)
    process.send_signal(number)
    process.communicate(timeout=60)
    assert process.returncode != 0
    assert running_below(tmp_path) == []


def test_a_class_that_takes_too_long_is_given_up(load, tmp_path):
    process = load("--learners", "1", "--seconds", "2")
    said, _ = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "not done after 2 s" in said
    assert running_below(tmp_path) == []

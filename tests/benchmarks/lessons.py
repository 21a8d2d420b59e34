"""What each lesson takes: seconds for all its cells, and its kernel's memory after them.

    python tests/benchmarks/lessons.py notebooks/*.ipynb

A part of `make bench`. Nothing here fails a test.
"""

import sys
import time
from pathlib import Path

import nbformat
import psutil
from nbclient import NotebookClient

SECONDS, MEGABYTES = 15, 200  # to reach, for each lesson
SECONDS_ALTOGETHER = 150


def main(paths):
    print(f"\n{'lesson':28}{'seconds':>8}  reach{'memory':>11}  reach")
    total = 0
    for path in paths:
        seconds, megabytes = run(path)
        total += seconds
        print(
            f"{path.stem:28}{seconds:8.1f}  ≤ {SECONDS:<3}{megabytes:8.0f} MB  ≤ {MEGABYTES}",
            flush=True,
        )
    print(f"{'altogether':28}{total:8.1f}  ≤ {SECONDS_ALTOGETHER}")


def run(path):
    """Seconds from the kernel's start to the last cell's end, and what then is resident."""
    notebook = nbformat.read(path, as_version=4)
    client = NotebookClient(
        notebook,
        resources={"metadata": {"path": str(path.parent)}},
        extra_arguments=["--log-level=ERROR"],  # how the kernel is connected is no news
    )
    start = time.perf_counter()
    with client.setup_kernel():
        for index, cell in enumerate(notebook.cells):
            client.execute_cell(cell, index)
        seconds = time.perf_counter() - start
        kernel = psutil.Process(client.km.provisioner.pid)
        return seconds, kernel.memory_info().rss / 1e6


if __name__ == "__main__":
    main([Path(name) for name in sys.argv[1:]])

"""Execute lessons in a fresh kernel and store what they show.

    python tools/notebooks.py notebooks/*.ipynb

The same notebook gives the same file on every machine: no widget state, no timings, no version
of Python. A notebook that raises or prints to stderr is left as it was.
"""

import sys
import time
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"
METADATA = {
    "kernelspec": {
        "display_name": "Python 3 (ipykernel)",
        "language": "python",
        "name": "python3",
    },
    "language_info": {"name": "python"},
}
CELL_METADATA = ("tags", "jupyter")  # what an author writes; an execution leaves the rest behind


def execute(path):
    """The notebook with fresh outputs, cleaned of what differs from run to run."""
    notebook = nbformat.v4.upgrade(nbformat.read(path, as_version=4))
    notebook.metadata = nbformat.from_dict(METADATA)
    for cell in notebook.cells:
        cell.metadata = {key: cell.metadata[key] for key in CELL_METADATA if key in cell.metadata}
    client = NotebookClient(
        notebook,
        kernel_name="python3",
        resources={"metadata": {"path": str(path.parent)}},
        record_timing=False,
        store_widget_state=True,  # in the client; from the notebook it goes with its metadata
        coalesce_streams=True,
        extra_arguments=["--log-level=ERROR"],  # how the kernel is connected is no news
    )
    client.execute()
    notebook.metadata = nbformat.from_dict(METADATA)  # the kernel has added Python's version
    for output in outputs(notebook):
        view = output.get("data", {}).pop(WIDGET_VIEW, None)  # its model dies with this kernel
        if view and (told := what_it_was(client.widget_state, view["model_id"])):
            output.metadata["cnnbp"] = told
    nbformat.validate(notebook)
    return notebook


def outputs(notebook):
    return [output for cell in notebook.cells for output in cell.get("outputs", [])]


def what_it_was(models, name):
    """What a page without a kernel should know of a widget: dict, empty if it is no explorer.

    models   all widgets' states by their names, as nbclient keeps them
    returns  {"explorer": True}, and of a stepper its "steps", their labels, and "step", the chosen

    >>> steps = {"_dom_classes": ["cnnbp-steps"], "_options_labels": ["a", "b"], "index": 1}
    >>> box = {"_dom_classes": ["cnnbp-explorer"], "children": ["IPY_MODEL_slider"]}
    >>> what_it_was({"box": box, "slider": steps}, "box")
    {'explorer': True, 'steps': ['a', 'b'], 'step': 1}
    """
    if "cnnbp-explorer" not in models.get(name, {}).get("_dom_classes", []):
        return {}
    told, names = {"explorer": True}, [name]
    for name in names:
        model = models[name]
        names += [child.removeprefix("IPY_MODEL_") for child in model.get("children", [])]
        if "cnnbp-steps" in model.get("_dom_classes", []):
            told |= {"steps": model["_options_labels"], "step": model["index"]}
    return told


def complaints(notebook):
    """What the notebook printed to stderr; a lesson shows no warnings."""
    return "".join(output.text for output in outputs(notebook) if output.get("name") == "stderr")


def update(path):
    """Execute one notebook and write it back; False, with the reason, where it must not be."""
    start = time.perf_counter()
    try:
        notebook = execute(path)
    except CellExecutionError as error:
        print(f"{path}: not written, a cell raised\n{error}", file=sys.stderr)
        return False
    if complaint := complaints(notebook):
        print(f"{path}: not written, a cell printed to stderr\n{complaint}", file=sys.stderr)
        return False
    nbformat.write(notebook, path)
    seconds, size = time.perf_counter() - start, path.stat().st_size / 1000
    print(f"{path}: {seconds:.1f} s, {size:.0f} kB")
    return True


if __name__ == "__main__":
    done = [update(Path(name)) for name in sys.argv[1:]]
    sys.exit(not all(done))

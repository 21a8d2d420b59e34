"""The committed lessons hold what a reader needs and nothing that differs from run to run."""

import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).parents[1]
PIPELINE = ROOT / "tools" / "notebooks.py"
LESSONS = sorted((ROOT / "notebooks").glob("*.ipynb"))
WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"
METADATA = {
    "kernelspec": {
        "display_name": "Python 3 (ipykernel)",
        "language": "python",
        "name": "python3",
    },
    "language_info": {"name": "python"},
}


@pytest.fixture(params=LESSONS, ids=lambda path: path.stem)
def path(request):
    return request.param


@pytest.fixture
def notebook(path):
    return nbformat.read(path, as_version=4)


def code_cells(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def outputs(notebook):
    return [output for cell in code_cells(notebook) for output in cell.outputs]


def test_there_are_lessons():
    assert LESSONS


def test_name_is_number_and_topic(path):
    assert re.fullmatch(r"\d\d_[a-z0-9_]+", path.stem)


def test_is_a_valid_notebook_with_cell_ids(notebook):
    assert (notebook.nbformat, notebook.nbformat_minor) == (4, 5)
    nbformat.validate(notebook)


def test_metadata_names_the_kernel_and_nothing_of_the_machine(notebook):
    assert notebook.metadata == METADATA
    assert all(set(cell.metadata) <= {"tags", "jupyter"} for cell in notebook.cells)


def test_first_cell_says_what_the_lesson_is_and_its_minutes(notebook):
    first = notebook.cells[0]
    assert first.cell_type == "markdown"
    assert first.source.startswith("# ")
    assert re.search(r"\d+ minutes", first.source)


def test_first_code_cell_is_the_same_imports_cell_everywhere():
    first = {code_cells(nbformat.read(path, as_version=4))[0].source for path in LESSONS}
    assert len(first) == 1


def test_code_cells_are_short(notebook):
    long = [cell.id for cell in code_cells(notebook) if len(cell.source.splitlines()) > 15]
    assert not long


def test_was_executed_from_top_to_bottom(notebook):
    counts = [cell.execution_count for cell in code_cells(notebook)]
    assert counts == list(range(1, len(counts) + 1))


def test_results_belong_to_their_cells(notebook):
    for cell in code_cells(notebook):
        for output in cell.outputs:
            assert output.get("execution_count", cell.execution_count) == cell.execution_count


def test_has_no_errors_and_no_warnings(notebook):
    assert not [output for output in outputs(notebook) if output.output_type == "error"]
    assert not [output.text for output in outputs(notebook) if output.get("name") == "stderr"]


def test_has_no_widget_views(notebook):
    assert not [output for output in outputs(notebook) if WIDGET_VIEW in output.get("data", {})]


def test_pictures_have_a_text_beside_them(notebook):
    for output in outputs(notebook):
        if "image/svg+xml" in output.get("data", {}):
            assert "text/plain" in output.data
            assert "text/html" not in output.data  # readers on the web would see it without style


def test_only_ignored_outputs_are_exempt_from_comparison(notebook):
    for cell in code_cells(notebook):
        assert set(re.findall(r"NBVAL_\w+", cell.source)) <= {"NBVAL_IGNORE_OUTPUT"}
        assert not [tag for tag in cell.metadata.get("tags", []) if re.search("nbval|raises", tag)]


def test_names_no_place_on_a_machine(path):
    text = path.read_text(encoding="utf-8")
    assert not re.findall(
        r"/(?:home|root|tmp|Users|site-packages)/|[A-Z]:\\\\| at 0x[0-9a-f]+", text
    )


# The pipeline itself, on a notebook of a few lines.

DEFINE_VIEW = f'''
import uuid
import ipywidgets as widgets
class View:
    def _repr_mimebundle_(self, **kwargs):
        picture = "<svg xmlns='http://www.w3.org/2000/svg'>\\n<text>0.5</text>\\n</svg>"
        widget = {{"model_id": uuid.uuid4().hex, "version_major": 2, "version_minor": 0}}
        return {{"{WIDGET_VIEW}": widget, "image/svg+xml": picture, "text/plain": "a half"}}
'''.strip()


def write_notebook(path, *sources):
    cells = [nbformat.v4.new_code_cell(text, id=f"cell-{i}") for i, text in enumerate(sources)]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), path)
    return path


def run(*command):
    return subprocess.run(
        [sys.executable, *command], capture_output=True, text=True, check=False, timeout=120
    )


@pytest.fixture(scope="module")
def executed(tmp_path_factory):
    path = tmp_path_factory.mktemp("lessons") / "00_picture.ipynb"
    write_notebook(path, DEFINE_VIEW, "View()", "View()", "View()", "widgets.IntSlider(3)")
    finished = run(PIPELINE, path)
    assert finished.returncode == 0, finished.stderr
    return path


def test_pipeline_keeps_pictures_and_text_and_drops_widgets(executed):
    notebook = nbformat.read(executed, as_version=4)
    _, view, _, _, slider = (cell.outputs for cell in notebook.cells)
    assert set(view[0].data) == {"image/svg+xml", "text/plain"}
    assert slider[0].data == {"text/plain": "IntSlider(value=3)"}
    assert notebook.metadata == METADATA


def test_pipeline_writes_the_same_file_twice(executed):
    before = executed.read_bytes()
    assert run(PIPELINE, executed).returncode == 0
    assert executed.read_bytes() == before


def test_a_changed_picture_or_text_is_noticed(executed, tmp_path):
    notebook = nbformat.read(executed, as_version=4)
    _, _, picture, text, _ = (cell.outputs for cell in notebook.cells)
    picture[0].data["image/svg+xml"] = picture[0].data["image/svg+xml"].replace("0.5", "0.6")
    text[0].data["text/plain"] = "a third"
    nbformat.write(notebook, tmp_path / "changed.ipynb")
    finished = run("-m", "pytest", "--nbval", "--rootdir", tmp_path, "-rA", tmp_path)
    verdicts = re.findall(r"^(PASSED|FAILED) .*::Cell (\d)", finished.stdout, re.MULTILINE)
    assert {int(cell): verdict for verdict, cell in verdicts} == {
        0: "PASSED",
        1: "PASSED",
        2: "FAILED",
        3: "FAILED",
        4: "PASSED",
    }


def test_pipeline_refuses_errors_and_warnings(tmp_path):
    raises = write_notebook(tmp_path / "raises.ipynb", "1 / 0")
    warns = write_notebook(tmp_path / "warns.ipynb", "import warnings; warnings.warn('too old')")
    before = raises.read_bytes(), warns.read_bytes()
    finished = run(PIPELINE, raises, warns)
    assert finished.returncode == 1
    assert "ZeroDivisionError" in finished.stderr
    assert "too old" in finished.stderr
    assert (raises.read_bytes(), warns.read_bytes()) == before

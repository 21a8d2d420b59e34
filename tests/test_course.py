"""A learner's own copies: what is laid out, what is brought later, and what is never taken away."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from cnnbp import course
from cnnbp.course import RECORD, CourseError, fresh_copies, lay_out

ROOT = Path(__file__).parents[1]
LESSON = "05_topic.ipynb"
BESIDE = "05_topic (new).ipynb"


def notebook(*sources, **more):
    cells = [{"cell_type": "code", "source": [each], "metadata": {}} for each in sources]
    cells = [each | {"outputs": [], "execution_count": None} for each in cells]
    return {"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5} | more


class Course:
    """A course of a few made lessons, and a learner's folder."""

    def __init__(self, package, folder):
        self.folder, self.package = folder, package
        (package / "lessons").mkdir(parents=True)
        (package / "lessons" / "NOTATION.md").write_text("symbols", encoding="utf-8")

    def publish(self, name, *sources):
        path = self.package / "lessons" / name
        path.write_text(json.dumps(notebook(*sources)), encoding="utf-8")

    def lay_out(self):
        return lay_out(self.folder)

    def sources(self, name=LESSON):
        return [cell["source"][0] for cell in self.read(name)["cells"]]

    def read(self, name=LESSON):
        return json.loads((self.folder / name).read_text(encoding="utf-8"))

    def write(self, content, name=LESSON):
        text = content if isinstance(content, str) else json.dumps(content)
        (self.folder / name).write_text(text, encoding="utf-8")

    def run(self, name=LESSON):
        """As JupyterLab saves a lesson that was run: outputs, counts, an empty cell, its JSON."""
        content = self.read(name)
        for at, cell in enumerate(content["cells"]):
            cell |= {"source": "".join(cell["source"]), "execution_count": at + 1}
            cell["metadata"] = {"execution": {"iopub.execute_input": "2026-01-01"}}
            cell["outputs"] = [{"output_type": "stream", "name": "stdout", "text": "3"}]
        content["cells"].append(notebook("")["cells"][0])
        content["metadata"] = {"widgets": {"state": {}}, "language_info": {"version": "3.12"}}
        self.write(content, name)

    def files(self):
        names = sorted(path.name for path in self.folder.iterdir())
        return [name for name in names if name not in (RECORD, "NOTATION.md")]


@pytest.fixture
def made(tmp_path, monkeypatch):
    made = Course(tmp_path / "package", tmp_path / "course")
    monkeypatch.setattr(course, "PACKAGE", made.package)
    made.publish("00_start.ipynb", "0")
    made.publish(LESSON, "1", "2")
    made.lay_out()
    return made


def contents(folder):
    return {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in folder.rglob("*")}


def test_the_course_is_laid_out_without_outputs_and_counts(tmp_path):
    (said,) = lay_out(tmp_path / "a" / "course")
    assert str(tmp_path / "a" / "course") in said
    lessons = sorted((ROOT / "notebooks").glob("*.ipynb"))
    for lesson in lessons:
        text = (tmp_path / "a" / "course" / lesson.name).read_text(encoding="utf-8")
        stored = json.loads(lesson.read_text(encoding="utf-8"))
        code = [cell for cell in json.loads(text)["cells"] if cell["cell_type"] == "code"]
        assert not [cell for cell in code if cell["outputs"] or cell["execution_count"]]
        assert [cell["id"] for cell in json.loads(text)["cells"]] == [
            cell["id"] for cell in stored["cells"]
        ]
    assert lessons


def test_links_of_the_copies_lead_to_files_beside_them(tmp_path):
    lay_out(tmp_path)
    links = [
        link
        for path in tmp_path.glob("*.ipynb")
        for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]
        if cell["cell_type"] == "markdown"
        for link in re.findall(r"\]\(([^)#:]+)\)", "".join(cell["source"]))
    ]
    assert "NOTATION.md" in links
    assert not [link for link in links if ".." in link or not (tmp_path / link).is_file()]


def test_a_second_time_nothing_is_said_and_no_file_is_touched(tmp_path):
    lay_out(tmp_path)
    before = contents(tmp_path)
    assert lay_out(tmp_path) == []
    assert contents(tmp_path) == before


def test_an_untouched_copy_is_replaced_by_a_newer_lesson(made):
    made.publish(LESSON, "1", "better")
    (said,) = made.lay_out()
    assert said.startswith(LESSON)
    assert made.sources() == ["1", "better"]
    assert made.files() == ["00_start.ipynb", LESSON]


def edited(made):
    made.write(notebook("1", "my own"))


def added_to(made):
    made.write(notebook("1", "2", "my own"))


def shortened(made):
    made.write(notebook("1"))


def turned_into_text(made):
    content = made.read()
    content["cells"][0]["cell_type"] = "markdown"
    made.write(content)


def illustrated(made):
    content = made.read()
    content["cells"][0]["attachments"] = {"a.png": {"image/png": "AAAA"}}
    made.write(content)


def was_run(made):
    made.run()


def broken(made):
    made.write('{"cells": [<<<<<<< mine')


def emptied(made):
    made.write("")


def no_notebook(made):
    made.write({"cells": [{"cell_type": "code", "source": 5}]})


WORK = [edited, added_to, shortened, turned_into_text, illustrated, was_run, broken, emptied]
WORK += [no_notebook]


@pytest.mark.parametrize("work", WORK, ids=lambda work: work.__name__)
def test_what_a_learner_did_is_never_overwritten(made, work):
    work(made)
    before = (made.folder / LESSON).read_bytes()
    assert made.lay_out() == []  # there is no newer lesson
    made.publish(LESSON, "1", "better")
    (said,) = made.lay_out()
    assert said.startswith(LESSON)
    assert BESIDE in said
    assert (made.folder / LESSON).read_bytes() == before
    assert made.sources(BESIDE) == ["1", "better"]
    assert made.lay_out() == []
    assert made.files() == ["00_start.ipynb", BESIDE, LESSON]


@pytest.mark.parametrize("work", WORK, ids=lambda work: work.__name__)
def test_what_a_learner_did_is_kept_where_the_record_is_lost(made, work):
    work(made)
    before = (made.folder / LESSON).read_bytes()
    (made.folder / RECORD).unlink()
    made.publish(LESSON, "1", "better")
    made.lay_out()
    assert (made.folder / LESSON).read_bytes() == before
    assert made.sources(BESIDE) == ["1", "better"]
    assert made.lay_out() == []


def test_the_form_of_the_file_and_counts_alone_are_no_work(made):
    content = made.read()
    content["metadata"] = {"language_info": {"version": "3.12"}}
    content["cells"][0] |= {"execution_count": 7, "source": "1", "metadata": {"trusted": True}}
    made.write(json.dumps(content, indent=4))
    made.publish(LESSON, "1", "better")
    made.lay_out()
    assert made.files() == ["00_start.ipynb", LESSON]


def test_the_newer_copy_follows_as_long_as_it_is_untouched(made):
    edited(made)
    for step in ("better", "best"):
        made.publish(LESSON, "1", step)
        assert made.lay_out()
        assert made.sources(BESIDE) == ["1", step]
    assert made.files() == ["00_start.ipynb", BESIDE, LESSON]


def test_a_newer_copy_that_was_worked_in_gets_another_beside_it(made):
    edited(made)
    made.publish(LESSON, "1", "better")
    made.lay_out()
    made.run(BESIDE)
    before = (made.folder / BESIDE).read_bytes()
    made.publish(LESSON, "1", "best")
    (said,) = made.lay_out()
    assert "05_topic (new 2).ipynb" in said
    assert made.sources("05_topic (new 2).ipynb") == ["1", "best"]
    assert (made.folder / BESIDE).read_bytes() == before
    assert made.lay_out() == []


def test_a_newer_copy_that_was_put_away_does_not_come_back(made):
    edited(made)
    made.publish(LESSON, "1", "better")
    made.lay_out()
    (made.folder / BESIDE).unlink()
    assert made.lay_out() == []
    assert made.files() == ["00_start.ipynb", LESSON]


def test_a_lesson_that_was_deleted_comes_back_fresh_and_it_is_said(made):
    edited(made)
    (made.folder / LESSON).unlink()
    (said,) = made.lay_out()
    assert said == f"{LESSON} was gone, and is laid out."
    assert made.sources() == ["1", "2"]


def test_a_new_lesson_comes_and_it_is_said(made):
    made.publish("06_next.ipynb", "3")
    assert made.lay_out() == ["06_next.ipynb is laid out."]
    assert made.sources("06_next.ipynb") == ["3"]


@pytest.mark.parametrize("work", [None, *WORK], ids=lambda work: work and work.__name__)
def test_a_lesson_that_is_none_any_more_goes_only_if_it_is_untouched(made, work):
    if work:
        work(made)
    before = (made.folder / LESSON).read_bytes()
    made.package.joinpath("lessons", LESSON).unlink()
    (said,) = made.lay_out()
    assert said.startswith(LESSON)
    assert (made.folder / LESSON).exists() == bool(work)
    assert not work or (made.folder / LESSON).read_bytes() == before
    assert made.lay_out() == []


def test_files_of_the_learners_own_are_left_alone(made):
    made.write("mine", "notes.txt")
    made.write(notebook("mine"), "05_other.ipynb")
    made.publish(LESSON, "1", "better")
    made.lay_out()
    assert (made.folder / "notes.txt").read_text() == "mine"
    assert made.sources("05_other.ipynb") == ["mine"]


DAMAGED = ["", "{", "[]", "null", '{"laid": []}', '{"laid": {"a": 1}}', '{"of": 1}']


@pytest.mark.parametrize("record", DAMAGED)
def test_a_damaged_record_is_kept_and_said_and_nobody_loses_anything(made, record):
    edited(made)
    made.write(record, RECORD)
    said = " ".join(made.lay_out())
    assert "damaged" in said
    assert (made.folder / RECORD).with_suffix(".damaged").read_text() == record
    assert made.sources() == ["1", "my own"]
    assert made.sources(BESIDE) == ["1", "2"]
    assert made.lay_out() == []


def test_a_copy_is_whole_or_not_there(made, monkeypatch):
    edited(made)
    made.publish(LESSON, "1", "better")
    monkeypatch.setattr(Path, "replace", lambda *_: (_ for _ in ()).throw(OSError(28, "No space")))
    with pytest.raises(CourseError, match="No space"):
        made.lay_out()
    assert made.files() == ["00_start.ipynb", LESSON]


def test_two_may_lay_out_at_once(tmp_path, monkeypatch):
    """While one writes its first lesson, another comes and writes all."""
    code = f"from cnnbp.course import lay_out; lay_out({str(tmp_path)!r})"
    write = Path.write_text

    def write_and_wait(path, *arguments, **options):
        monkeypatch.setattr(Path, "write_text", write)
        write(path, *arguments, **options)
        subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, timeout=60)

    monkeypatch.setattr(Path, "write_text", write_and_wait)
    lay_out(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {RECORD, *fresh_copies()}
    assert lay_out(tmp_path) == []


def test_a_file_in_the_way_is_named(tmp_path):
    (tmp_path / "course").write_text("mine")
    for folder in ("course", "course/inside"):
        with pytest.raises(CourseError, match=r"a file; name another folder"):
            lay_out(tmp_path / folder)
    assert (tmp_path / "course").read_text() == "mine"


def test_a_folder_in_the_place_of_a_file_is_named(made):
    for name in (LESSON, RECORD):
        (made.folder / name).unlink()
        (made.folder / name).mkdir()
        with pytest.raises(CourseError, match=re.escape(f"{made.folder / name} cannot be used")):
            made.lay_out()
        (made.folder / name).rmdir()


@pytest.mark.skipif(os.name == "nt", reason="links need a right there")
def test_a_link_that_leads_to_itself_is_named(tmp_path):
    (tmp_path / "course").symlink_to("course")
    with pytest.raises(CourseError, match=r"cannot be used|a file; name another"):
        lay_out(tmp_path / "course")


@pytest.mark.skipif(os.name == "nt", reason="folders of Windows have no mode")
@pytest.mark.parametrize("again", [False, True])
def test_a_folder_that_cannot_be_written_is_named(tmp_path, monkeypatch, again):
    if again:
        lay_out(tmp_path)
    tmp_path.chmod(0o555)
    if os.geteuid() == 0:  # whom no mode stops
        monkeypatch.setattr(os, "access", lambda path, mode: False)
    with pytest.raises(CourseError, match=re.escape(f"{tmp_path} cannot be used: it is read")):
        lay_out(tmp_path)
    tmp_path.chmod(0o755)


def test_the_folder_of_the_lessons_themselves_is_refused():
    before = contents(ROOT / "notebooks")
    with pytest.raises(CourseError, match="the lessons themselves"):
        lay_out(ROOT / "notebooks")
    assert contents(ROOT / "notebooks") == before


def test_an_installation_without_lessons_says_so(tmp_path, monkeypatch):
    monkeypatch.setattr(course, "PACKAGE", tmp_path / "package")
    with pytest.raises(CourseError, match="install cnnbp again"):
        fresh_copies()

"""pyproject.toml describes the package. Here stands only that a wheel carries the lessons, too."""

from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py


class WithLessons(build_py):
    """The package, and in cnnbp/lessons the notebooks with the table that they link to.

    In an editable install they stay where they are, and cnnbp/course.py finds them there.
    """

    def run(self):
        super().run()
        if not self.editable_mode:
            lessons = Path(self.build_lib, "cnnbp", "lessons")
            lessons.mkdir(exist_ok=True)
            for path in [*Path("notebooks").glob("*.ipynb"), "NOTATION.md"]:
                self.copy_file(str(path), str(lessons))


setup(cmdclass={"build_py": WithLessons})

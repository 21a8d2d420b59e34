"""What a check found out."""

from cnnbp.exercises.check.calling import quiet
from cnnbp.exercises.check.messages import say
from cnnbp.exercises.check.saying import plain
from cnnbp.exercises.pages.page import Page
from cnnbp.exercises.pages.tables import comparison

MARKS = {"passed": "✓", "not written yet": "○"}


class Verdict:
    """Truthy if the answer is right.

    task       name of the exercise
    stage      the step it stopped at: "not a function", "the package's function", "not written
               yet", "raised", "changed its inputs", "returned the wrong type", "left a
               gradient out", "wrong shape", "tiny worked case", "random cases", "numeric
               gradient"; "passed" if at none
    mistakes   names of the known mistakes (or conventions) that explain it, a tuple
    mistake    the first of them, or None
    explained  True if a sentence says what is wrong, and not only where
    message    all that is said, as plain text
    passed     True if the answer is right
    """

    def __init__(self, task, finding):
        self.task, self.stage, self.explained = task, finding.stage, finding.explained
        self.mistakes = tuple(finding.mistakes)
        self.mistake = next(iter(self.mistakes), None)
        self.passed = self.stage == "passed"
        self.message = "\n".join(finding.sentences)
        mark = MARKS.get(self.stage, "✗")
        self.page = Page().heading(f"{mark} {task}: {say(f'stage.{self.stage}')}")
        self.page.text(*finding.sentences)
        if finding.compared:
            self.page.picture(lambda: _compared(*finding.compared))
        if finding.printed:
            self.page.text(say("printed")).code(shortened(finding.printed))

    def __bool__(self):
        return self.passed

    def __repr__(self):
        return repr(self.page)

    def _repr_html_(self):
        return self.page._repr_html_()


def _compared(name, yours, expected):
    with quiet():
        return comparison(name, yours, expected)


def shortened(text, lines=8, width=100):
    """The first lines of what was printed.

    >>> print(shortened("1\\n2\\n3\\n4", lines=2))
    1
    2
    …
    """
    every = [plain(line, width) for line in text.splitlines()]
    return "\n".join(every[:lines] + ["…"] * (len(every) > lines))

"""What a check found out."""

from cnnbp.exercises.messages import say
from cnnbp.exercises.page import Page


class Verdict:
    """Truthy if the answer is right.

    task     name of the exercise
    stage    the step it stopped at: "not a function", "the package's function", "not written
             yet", "raised", "changed its inputs", "returned the wrong type", "wrong shape",
             "tiny worked case", "random cases", "numeric gradient"; "passed" if at none
    mistake  name of the catalogued mistake (or convention), or None
    message  all that is said, as plain text
    passed   True if the answer is right
    """

    def __init__(self, task, stage, sentences, *, mistake=None, picture=None, printed=""):
        self.task, self.stage, self.mistake = task, stage, mistake
        self.passed = stage == "passed"
        self.message = "\n".join(sentences)
        mark = "✓" if self.passed else "✗"
        self.page = Page().heading(f"{mark} {task}: {say(f'stage.{stage}')}")
        self.page.text(*sentences)
        if picture:
            self.page.picture(picture)
        if printed:
            self.page.text(say("printed")).code(shortened(printed))

    def __bool__(self):
        return self.passed

    def __repr__(self):
        return repr(self.page)

    def _repr_html_(self):
        return self.page._repr_html_()


def shortened(text, lines=8, width=100):
    """The first lines of what was printed, and how many there are more.

    >>> print(shortened("1\\n2\\n3\\n4", lines=2))
    1
    2
    … 2 lines more
    """
    every = [line[:width] for line in text.splitlines()]
    more = [f"… {len(every) - lines} lines more"] if len(every) > lines else []
    return "\n".join(every[:lines] + more)

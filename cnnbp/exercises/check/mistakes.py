"""A known mistake: its name, what is said of it, how it is made; and an answer as steps."""

import functools
from dataclasses import dataclass, field
from types import SimpleNamespace

from cnnbp.exercises.check.messages import say, text_of


@dataclass(frozen=True, repr=False, eq=False)
class Mistake:
    """A mistake, or a convention that is not this course's.

    name        what a verdict has in its .mistakes; None for a factor that no task declared
    key         its place in the table of messages
    said        what is said of it, unless the table says otherwise: "the mistake: the remedy.",
                in which {yours} and {are} become "your dw and db" and "are"
    reread      lesson and section
    parts       of the result that it may change
    convention  True for one that is right in itself
    line        the kind of line to look for in the learner's source, or None
    alone       True for one that is not tried together with others
    functions   that make it, with the task's own arguments
    """

    name: str | None
    key: str
    said: str
    reread: str
    parts: tuple
    convention: bool = False
    line: str | None = None
    alone: bool = False
    functions: list = field(default_factory=list)

    def about(self, parts):
        """(the mistake, the remedy) as it is found in these parts, both without a capital."""
        *others, last = parts
        yours = f"your {', '.join(others)} and {last}" if others else f"your {last}"
        said = text_of(self.key, self.said).format(yours=yours, are="are" if parts[1:] else "is")
        what, colon, remedy = said.partition(": ")
        return (what if colon else what.removesuffix(".")), remedy

    @property
    def explanation(self):
        """The sentence that is said of it alone."""
        return self.sentence(self.parts)

    def sentence(self, parts):
        """The sentence that is said of it alone, if it is found in these parts."""
        said = capitalized(": ".join(filter(None, self.about(parts))))
        said = said if said.endswith(".") else f"{said}."
        return say("convention", explanation=said) if self.convention else said

    def __repr__(self):
        return f"{self.name}: {self.explanation}"


def capitalized(sentence):
    """With its first letter as a capital."""
    return sentence[:1].upper() + sentence[1:]


class Composed:
    """A right answer as steps, each with a right choice and wrong ones.

    function  (steps, *arguments) -> answer, which calls steps.kernel(...) and the like
    choices   {step: [the right function, (form, Mistake), ...]}
    """

    def __init__(self, function, choices):
        self.function = function
        self.right = {step: right for step, (right, *_) in choices.items()}
        self.wrong = [(step, *each) for step, (_, *wrong) in choices.items() for each in wrong]

    def with_choices(self, chosen):
        """The answer, as a function, with some choices: {step: form}."""
        return functools.partial(self.function, SimpleNamespace(**self.right | chosen))

    def pairs(self):
        """((mistake, mistake), function) of every two wrong choices in different steps."""
        common = [each for each in self.wrong if not each[2].alone]
        for number, (step, form, mistake) in enumerate(common):
            for other_step, other_form, other in common[number + 1 :]:
                if step != other_step and mistake is not other:
                    chosen = {step: form, other_step: other_form}
                    yield (mistake, other), self.with_choices(chosen)

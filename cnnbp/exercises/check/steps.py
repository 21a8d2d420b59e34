"""The steps of a check: is it a function at all, what does it do in each case, is it a gradient."""

from cnnbp.exercises.check.calling import attempt, quiet
from cnnbp.exercises.check.handed_in import refusal
from cnnbp.exercises.check.judging import Finding, Judgement
from cnnbp.exercises.check.messages import say
from cnnbp.exercises.check.recognizing import known
from cnnbp.exercises.check.results import agree
from cnnbp.exercises.check.saying import given
from cnnbp.gradcheck import relative_error

NUMERIC_TOLERANCE = 1e-5  # central differences with a step of 1e-5 reach about 1e-9
STUBS = (None, ..., NotImplemented)


def judge(task, f, seed):
    """The Finding on a learner's function."""
    refused = refusal(task, f)
    if refused:
        stage, said = refused
        return Finding(stage, [said], explained=True)
    with quiet():
        facts = known(task, seed)
    first = attempt(f, facts.cases[0].arguments)
    how = _stub(first)
    if how and not (first.returned is None and _finds_elsewhere(task, f, facts)):
        fills = getattr(task.result, "fills", False)
        said = say("not written yet", how=how, returns=", ".join(task.result.names))
        said = say("not written yet.fills") if fills else said
        return Finding("not written yet", [said], explained=True, printed=first.printed)
    attempts = [first, *(attempt(f, case.arguments) for case in facts.cases[1:])]
    with quiet():
        wrong = Judgement(facts, f, attempts).finding()
        return _numeric_step(f, facts) if wrong is None else wrong


def _stub(first):
    """How the function says that it is not written yet, or None."""
    if isinstance(first.error, NotImplementedError):
        return say("not written yet.raises")
    returned = first.returned if type(first.returned) is tuple else (first.returned,)
    is_stub = returned and all(any(value is stub for stub in STUBS) for value in returned)
    if not first.error and is_stub:
        return say("not written yet.returns", returned=first.returned)
    return None


def _finds_elsewhere(task, f, facts):
    """Whether nothing is an answer like others to a task, and f has another one in some case."""
    may_be_nothing = getattr(task.result, "may_be_nothing", False)
    return may_be_nothing and any(
        attempt(f, case.arguments).returned is not None for case in facts.cases[1:]
    )


def _numeric_step(f, facts):
    """The last step: new numbers, and a truth that knows nothing of the chain rule."""
    count = len(facts.cases) - 1
    if not facts.numeric:
        return Finding("passed", [say("passed", count=count)])
    case, numeric = facts.numeric
    outcome = case.outcome(attempt(f, case.arguments))
    if isinstance(outcome, dict) and all(
        agree(yours, case.expected[name])
        and relative_error(yours, numeric[name]) <= NUMERIC_TOLERANCE
        for name, yours in outcome.items()
    ):
        return Finding("passed", [say("passed.numeric", count=count)])
    said = [say("numeric"), say("case", given=given(case.arguments))]
    return Finding("numeric gradient", said, explained=True)

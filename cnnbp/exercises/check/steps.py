"""The steps of a check: is it a function at all, what does it do in each case, is it a gradient."""

from cnnbp.exercises.check.calling import attempt, is_the_packages, way_to_call
from cnnbp.exercises.check.judging import Finding, Judgement, anothers_name
from cnnbp.exercises.check.messages import say
from cnnbp.exercises.check.recognizing import Case, known
from cnnbp.exercises.check.results import kind
from cnnbp.exercises.check.saying import given
from cnnbp.gradcheck import relative_error

NUMERIC_TOLERANCE = 1e-5  # central differences with a step of 1e-5 reach about 1e-9
STUBS = (None, ..., NotImplemented)


def judge(task, f, seed):
    """The Finding on a learner's function."""
    name = getattr(f, "__name__", "<lambda>").replace("<lambda>", "my_function")
    if not callable(f):
        return Finding("not a function", [say("not a function", given=kind(f))], explained=True)
    if is_the_packages(f):
        said = say("the package's function", function=name, task=task.name)
        return Finding("the package's function", [said], explained=True)
    facts = known(task, seed)
    try:
        way_to_call(f, facts.cases[0].arguments)
    except TypeError as signature:
        said = say("signature", yours=signature, expected=f"({', '.join(task.parameters)})")
        return Finding("raised", [*anothers_name(task, name), said], explained=True)
    first = attempt(f, facts.cases[0].arguments)
    if how := _stub(first):
        said = say("not written yet", how=how, returns=", ".join(task.result.names))
        return Finding("not written yet", [said], explained=True, printed=first.printed)
    attempts = [first, *(attempt(f, case.arguments) for case in facts.cases[1:])]
    wrong = Judgement(facts, name, attempts).finding()
    return _numeric_step(task, f, facts) if wrong is None else wrong


def _stub(first):
    """How the function says that it is not written yet, or None."""
    if isinstance(first.error, NotImplementedError):
        return say("not written yet.raises")
    returned = first.returned if isinstance(first.returned, tuple) else (first.returned,)
    if not first.error and all(any(value is stub for stub in STUBS) for value in returned):
        return say("not written yet.returns", returned=first.returned)
    return None


def _numeric_step(task, f, facts):
    """The last step: new numbers, and a truth that knows nothing of the chain rule."""
    count = len(facts.cases) - 1
    if not task.numeric:
        return Finding("passed", [say("passed", count=count)])
    case = Case(task, count + 1, task.drawn([facts.seed, 1])[1])
    numeric = task.result.read(task.numeric(*case.arguments.values()), case.arguments)
    outcome = case.outcome(attempt(f, case.arguments))
    if isinstance(outcome, dict) and all(
        yours.shape == numeric[name].shape
        and relative_error(yours, numeric[name]) <= NUMERIC_TOLERANCE
        for name, yours in outcome.items()
    ):
        return Finding("passed", [say("passed.numeric", count=count)])
    said = [say("numeric"), say("case", given=given(case.arguments))]
    return Finding("numeric gradient", said, explained=True)

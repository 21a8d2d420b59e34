"""All questions by name, in the order of the lessons, and the mixed sets."""

from cnnbp.questions import (
    activation,
    bugs,
    convolution,
    convolution_dw,
    convolution_dx,
    deep_network,
    fast_convolution,
    gradcheck,
    graph,
    linear,
    loss,
    network,
    pooling,
    scenes,
    start,
    tape,
    training,
)
from cnnbp.questions.question import Question

# In the order of the lessons
ROOMS = (
    start,
    graph,
    gradcheck,
    linear,
    activation,
    loss,
    convolution,
    convolution_dw,
    convolution_dx,
    pooling,
    network,
    training,
    deep_network,
    fast_convolution,
    scenes,
    bugs,
    tape,
)

QUESTIONS = {
    value.name: value
    for room in ROOMS
    for value in vars(room).values()
    if isinstance(value, Question)
}

# Neighbors ask for different rules, so that choosing the rule is the first step.
MIXED = {
    "05": (
        "whose score is raised",
        "two ways to the loss",
        "a message meets a zero",
        "across a kink",
        "a shut unit",
        "one cell off target",
        "between two layers",
        "what a layer can know",
    ),
    "10": (
        "pixels that a weight met",
        "who won",
        "windows that saw a pixel",
        "the bias of a filter",
        "met with which weight",
        "an average shared",
        "messages to an input",
        "products that are not zero",
    ),
    "14": (
        "one pixel by hand",
        "a shut gate on the way",
        "zero whatever comes",
        "which loss sent this",
        "a filter's weights further on",
        "complete before",
        "through a pool to the loss",
        "which index is summed",
    ),
}

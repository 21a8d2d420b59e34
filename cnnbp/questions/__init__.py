"""Predictions, asked and answered in the page: you commit before you see."""

from cnnbp.questions.asking import Ask, ask, mixed, retrieval
from cnnbp.questions.question import Question
from cnnbp.questions.rooms import MIXED, QUESTIONS
from cnnbp.questions.sheets import export

__all__ = ["MIXED", "QUESTIONS", "Ask", "Question", "ask", "export", "mixed", "retrieval"]

"""Every question, with twenty sets of numbers: right answers right, wrong ones wrong and told."""

import re
from collections import Counter
from fractions import Fraction
from functools import cache
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from helpers import assert_refuses

from cnnbp import (
    conv2d,
    conv2d_backward,
    flatten,
    flatten_backward,
    linear,
    linear_backward,
    max_pool2d,
    max_pool2d_backward,
    mean_squared_error,
)
from cnnbp.graph import fork_graph
from cnnbp.questions import MIXED, QUESTIONS, ask, export, mixed, retrieval
from cnnbp.questions.page import page, plain
from cnnbp.questions.question import Draw, Question, ends_after, fraction, number
from cnnbp.questions.typed import number_pattern, shape_pattern

SEEDS = range(20)
NOTEBOOKS = Path(__file__).parents[1] / "notebooks"
LESSONS = [path.name[:2] for path in sorted(NOTEBOOKS.glob("*.ipynb"))]
VOID = {"input", "br", "meta"}


class Read(HTMLParser):
    """A question's page: its inputs, and the text that is seen without any style.

    inputs   a dict of attributes for each
    unfolded the text outside of styles, details and what is hidden
    said     the data-say attributes
    """

    def __init__(self, html):
        super().__init__()
        self.inputs, self.unfolded, self.said, self._hidden = [], "", [], []
        self.open = []
        self.feed(html)
        assert not self.open, f"never closed: {self.open}"

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        if tag == "input":
            self.inputs.append(attributes)
        self.said += [attributes["data-say"]] if "data-say" in attributes else []
        if tag not in VOID:
            folds = tag in ("style", "details") or "hidden" in attributes
            self.open.append((tag, folds))

    def handle_endtag(self, tag):
        opened, _ = self.open.pop()
        assert opened == tag

    def handle_data(self, data):
        if not any(folds for _, folds in self.open):
            self.unfolded += data


@cache
def of_every_seed(name):
    return [QUESTIONS[name].asked(seed) for seed in SEEDS]


@pytest.fixture(params=QUESTIONS, ids=str)
def question(request):
    return QUESTIONS[request.param]


@pytest.fixture
def asked(question):
    """The question with the numbers of every seed."""
    return of_every_seed(question.name)


def test_there_are_enough_questions_of_every_kind():
    kinds = Counter(question.kind for question in QUESTIONS.values())
    assert len(QUESTIONS) >= 80
    assert kinds["cells"] + kinds["match"] >= 30
    assert set(kinds) == {"choice", "number", "shape", "cells", "match"}


@pytest.mark.parametrize("lesson", LESSONS)
def test_a_lesson_has_five_to_eleven_and_from_03_on_two_to_mark_or_match(lesson):
    kinds = [question.kind for question in QUESTIONS.values() if question.lesson == lesson]
    assert 5 <= len(kinds) <= 11
    assert lesson < "03" or kinds.count("cells") + kinds.count("match") >= 2


def test_names_are_keys_and_lessons_exist():
    assert all(name == question.name for name, question in QUESTIONS.items())
    assert {question.lesson for question in QUESTIONS.values()} == set(LESSONS)


def test_answers_differ_from_each_other(asked):
    for found in asked:
        answers = [found.answer, *(wrong.answer for wrong in found.wrong)]
        assert len(set(answers)) == len(answers)
        assert 1 <= len(found.wrong) <= 4


def test_answers_are_of_the_kind(asked):
    for found in asked:
        for answer in [found.answer, *(wrong.answer for wrong in found.wrong)]:
            check = {"choice": _is_option, "number": _is_number, "shape": _is_shape}
            check |= {"cells": _are_cells, "match": _are_pairs}
            check[found.kind](answer, found)


def _is_option(answer, found):
    assert answer in found.options
    assert 2 <= len(set(found.options)) == len(found.options) <= 5


def _is_number(answer, found):
    assert isinstance(answer, Fraction)


def _is_shape(answer, found):
    assert answer
    assert all(isinstance(size, int) and size > 0 for size in answer)


def _are_cells(answer, found):
    assert answer <= {cell for table in found.tables if table.marked for cell in table.cells()}


def _are_pairs(answer, found):
    assert len(answer) == len(found.rows) == len(set(found.rows))
    assert set(answer) <= set(found.options)
    assert len(set(found.options)) == len(found.options) >= 2


def test_numbers_can_be_written_down(asked):
    """The right number ends within four digits, and so does every number on show."""
    for found in asked:
        if found.kind == "number":
            assert ends_after(found.answer) <= 4
        for table in found.tables:
            for value in (value for row in table.rows for value in row):
                assert isinstance(value, str) or ends_after(fraction(value)) <= 4


def test_the_right_answer_is_accepted_and_no_wrong_one(asked):
    patterns = {"number": number_pattern, "shape": shape_pattern}
    for found in asked:
        if found.kind in patterns:
            accepts = re.compile(patterns[found.kind](found.answer)).fullmatch
            assert accepts(found.said(found.answer))
            assert accepts(str(found.answer))
            assert not any(accepts(found.said(wrong.answer)) for wrong in found.wrong)


def test_sentences_are_short_and_whole(asked):
    for found in asked:
        for sentence in (found.why, *(wrong.sentence for wrong in found.wrong)):
            assert sentence.endswith((".", "?", "!"))
            assert not re.search(r"-\d|\b1[ij]\b|·\(\d+(\.\d+)?\)", sentence), sentence
        assert all(len(wrong.sentence) <= 95 for wrong in found.wrong)
        assert len(found.why) <= 260
        assert len(found.text) <= 420
        assert not re.search(r"-\d", found.text.replace("[::-1]", "")), found.text


def test_the_same_seed_asks_the_same_and_seeds_differ(question, asked):
    pages = [page(found) for found in asked]
    assert page(question.asked(3)) == pages[3]
    assert len(set(pages)) >= 2


def test_the_page_is_small_and_tells_right_from_wrong_by_classes(asked):
    for found in asked[:5]:
        html = page(found)
        assert len(html) <= 15_000
        inputs = [i for i in Read(html).inputs if "c" in i["class"].split()]
        if found.kind == "cells":
            cells = [cell for table in found.tables if table.marked for cell in table.cells()]
            ticked = lambda css, inputs=inputs, cells=cells: frozenset(  # noqa: E731
                cell for cell, i in zip(cells, inputs, strict=True) if css in i["class"].split()
            )
            assert ticked("r") == found.answer
            assert [ticked(f"w{n}") for n in range(len(found.wrong))] == [
                wrong.answer for wrong in found.wrong
            ]
        elif found.kind == "match":
            right = [i["name"] for i in inputs if "r" in i["class"].split()]
            assert right == [f"row{n}" for n in range(len(found.rows))]


def test_without_styles_the_question_is_read_and_nothing_is_given_away(asked):
    for found in asked[:5]:
        seen = Read(page(found))
        first = found.text.split("\n\n")[0].replace("`", "").split("\n")[0]
        assert first in seen.unfolded
        for sentence in (found.why, *(wrong.sentence for wrong in found.wrong)):
            assert sentence.replace("`", "") not in seen.unfolded
        assert "Right" not in seen.unfolded
        assert any("Right" in sentence for sentence in seen.said)
        assert found.why not in plain(found)


def test_every_field_has_a_name_and_keeps_its_keys(asked):
    html = page(asked[0])
    for found in Read(html).inputs:
        assert found["data-lm-suppress-shortcuts"] == "true"
    for tag in re.findall(r"<(?:summary|button)[^>]*>", html):
        assert "data-lm-suppress-shortcuts" in tag
    assert html.count("<input") == len(
        re.findall(r"<label[^>]*>[^<]*(?:<code>[^<]*</code>)*[^<]*<input", html)
    )
    assert ' id="' not in html
    assert "<script" not in html


def test_plain_text_says_the_question_and_how_to_answer():
    said = repr(ask("messages to an input", seed=1))
    assert said.startswith(QUESTIONS["messages to an input"].asked(1).text)
    assert said.endswith("Answer field: mark cells (all, some or none) of dz.")


def test_kind_text_answer_and_wrong_are_those_of_seed_0():
    question = QUESTIONS["two ways to the loss"]
    found = question.asked(0)
    assert (question.kind, question.text) == ("number", found.text)
    assert (question.answer, question.wrong) == (found.answer, found.wrong)


def test_an_unknown_question_is_answered_by_the_nearest():
    assert_refuses(lambda: ask("who wins"), ValueError, "'who won'")
    assert_refuses(lambda: ask("who won", seed=-1), ValueError, "whole number from 0 up")
    assert_refuses(lambda: ask("who won", seed=1.5), ValueError, "whole number from 0 up")


def test_numbers_that_never_differ_are_refused():
    same = Question("same", "00", lambda draw: number("1?", 1, [(1, "No.")], "Yes."))
    assert_refuses(same.asked, ValueError, "no numbers make all answers differ")


def test_a_draw_gives_what_is_asked_of_it():
    draw = Draw("some text")
    assert {draw.whole(-1, 1, zero=False) for _ in range(50)} == {-1, 1}
    assert set(np.unique(draw.array(200, -1, 1, step=0.5))) == {-1, -0.5, 0, 0.5, 1}
    assert sorted(draw.distinct(3, 1, 3)) == [1, 2, 3]
    assert sorted(draw.shuffled("abc")) == ["a", "b", "c"]
    assert Draw("some text").array(5).tolist() == Draw("some text").array(5).tolist()


@pytest.mark.parametrize("lesson", LESSONS[1:])
def test_a_lesson_opens_with_the_one_before_and_three_before(lesson):
    found = retrieval(lesson)
    lessons = [QUESTIONS[name].lesson for name in found.names]
    n = int(lesson)
    assert lessons == [f"{n - back:02}" for back in (1, 3) if back <= n]
    assert 0 not in found.seeds
    assert repr(found).count("Answer field") == len(lessons)


def test_before_the_first_lesson_there_is_nothing_to_ask():
    assert_refuses(lambda: retrieval("00"), ValueError, "no questions before lesson '00'")


@pytest.mark.parametrize("lesson", ["05", "10", "14"])
def test_a_mixed_set_has_eight_questions_and_no_neighbors_of_one_lesson(lesson):
    lessons = [QUESTIONS[name].lesson for name in mixed(lesson).names]
    assert len(set(MIXED[lesson])) == 8
    assert max(lessons) <= lesson
    assert len(set(lessons)) >= 4
    assert all(one != next_one for one, next_one in pairwise(lessons))


def test_mixed_sets_come_after_three_lessons():
    assert_refuses(lambda: mixed("07"), ValueError, "05, 10, 14")


@pytest.mark.parametrize("lesson", [*LESSONS, None])
def test_a_lesson_goes_to_moodle(tmp_path, lesson):
    path = export(tmp_path / "quiz.xml", lesson=lesson, seed=3)
    items = ElementTree.parse(path).getroot().findall("question")
    wanted = [q for q in QUESTIONS.values() if lesson in (None, q.lesson)]
    assert len(items) == len(wanted)
    for item, question in zip(items, wanted, strict=True):
        found = question.asked(3)
        assert item.find("name/text").text == f"{question.lesson} {question.name} (3)"
        assert item.find("questiontext/text").text
        _moodle_agrees(item, found)


def _moodle_agrees(item, found):
    types = {"choice": "multichoice", "number": "numerical", "shape": "shortanswer"}
    types |= {"cells": "multichoice", "match": "matching"}
    assert item.get("type") == types[found.kind]
    answers = {a.find("text").text: float(a.get("fraction")) for a in item.findall("answer")}
    if found.kind == "match":
        pairs = [
            (s.find("text").text, s.find("answer/text").text) for s in item.findall("subquestion")
        ]
        assert [answer for row, answer in pairs if row] == list(found.answer)
    elif found.kind == "cells":
        right = {cell for cell, share in answers.items() if share > 0}
        assert right == (found.answer or {"none of these cells"})
        assert sum(answers[cell] for cell in right) == pytest.approx(100, abs=1e-3)
        assert item.find("single").text == "false"
    else:
        assert max(answers.values()) == 100
        full = {text for text, share in answers.items() if share == 100}
        if found.kind == "number":
            assert [Fraction(text) for text in full] == [found.answer]
        elif found.kind == "shape":
            assert all(re.fullmatch(shape_pattern(found.answer), text) for text in full)
        else:
            assert len(full) == 1
            assert len(answers) == len(found.options)


def test_a_set_of_cells_can_be_graded_in_moodle(asked):
    """It knows shares of a point down to a tenth."""
    assert all(len(found.answer) <= 12 for found in asked if found.kind == "cells")


@pytest.mark.parametrize("lesson", ["02", "08"])
def test_a_sheet_has_every_question_and_its_key(tmp_path, lesson):
    html = export(tmp_path / "sheet.html", lesson=lesson, seed=3).read_text(encoding="utf-8")
    asked, key = html.split('<h1 class="key">Key</h1>')
    wanted = [q.asked(3) for q in QUESTIONS.values() if q.lesson == lesson]
    assert asked.count("<li>") == key.count("<li>") == len(wanted)
    for found in wanted:
        assert found.wrong[0].sentence not in asked
    assert "break-before:page" in html


def test_an_export_that_cannot_be_is_refused(tmp_path):
    assert_refuses(lambda: export(tmp_path / "quiz.pdf"), ValueError, ".xml")
    assert_refuses(lambda: export(tmp_path / "q.xml", lesson="99"), ValueError, "not '99'")


def assembled(name, seed=0):
    """The lines of an ordering question, as a program in the order of its answer."""
    found = QUESTIONS[name].asked(seed)
    lines = {place: row for row, place in zip(found.rows, found.answer, strict=True)}
    ordered = [lines[place].strip("`") for place in ("1st", "2nd", "3rd", "4th", "5th")]
    return "\n".join(line.replace("· ", "    ") for line in ordered)


def test_the_loop_in_its_right_order_is_a_backward_pass():
    graph = fork_graph()
    values = graph.forward(x=2, w=-1.5, b=0.5, target=1)
    scope = {"values": values, "loss": graph.loss, "steps": list(graph.steps)}
    scope["slopes"] = {step: graph.slopes(step, values) for step in graph.steps}
    exec(assembled("the loop in order"), scope)
    assert scope["gradients"] == graph.backward(values)


def test_the_whole_way_back_in_its_right_order_runs():
    rng = np.random.default_rng(0)
    x, w1, b1 = (rng.standard_normal(s) for s in [(2, 1, 9, 9), (2, 1, 3, 3), (2, 1, 1)])
    conv = conv2d(x, w1, b1, stride=2)
    pooled, argmax = max_pool2d(conv, 2)
    flat = flatten(pooled)
    w, b = rng.standard_normal((3, 8)), np.zeros((3, 1))
    scope = {
        "conv2d_backward": conv2d_backward,
        "max_pool2d_backward": max_pool2d_backward,
        "flatten_backward": flatten_backward,
        "linear_backward": linear_backward,
        "mean_squared_error": mean_squared_error,
        **{"x": x, "w1": w1, "conv": conv, "pooled": pooled, "argmax": argmax},
        **{"flat": flat, "w": w, "z": linear(flat, w, b)},
        "target": np.zeros((3, 2)),
    }
    exec(assembled("the whole way back in order"), scope)
    assert scope["dx"].shape == x.shape

"""What an address asks for, and how an address is written."""

from __future__ import annotations

import base64
import json

import pytest

from catalog import keysets, questions
from catalog.keysets import Place
from tests.cases import cases


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ({"q": " delete   bucket "}, {"text": "delete bucket"}),
        (
            {"category": "Read", "severity": "low"},
            {"category": "Read", "severity": "low"},
        ),
        ({"category": "read", "severity": "x", "show": "all"}, {}),
        ({"publisher": "aws_labs-1"}, {"publisher": "aws_labs-1"}),
        ({"publisher": "' | 'x"}, {}),
        ({"q": "x" * 500}, {"text": "x" * 200}),
        ({"page": "7"}, {}),
    ],
)
def test_what_means_nothing_is_left_out(given, kept):
    assert questions.read(given) == questions.Question(**kept)


def test_words_are_few_short_and_each_once():
    text = "Get get-BUCKET " + " ".join(f"w{n}" for n in range(20))
    words = questions.Question(text=text).words
    assert words == ["get", "bucket", *(f"w{n}" for n in range(6))]
    assert len(questions.Question(text="y" * 200).words[0]) == 64


def test_another_choice_begins_at_the_first_page():
    question = questions.read({"q": "a b", "category": "Read", "after": "x"})
    assert question.address == "?q=a+b&category=Read&after=x"
    assert question.but(category="Write").address == "?q=a+b&category=Write"
    assert question.without("category").address == "?q=a+b"
    assert questions.Question().address == ""


@cases(
    "place", [Place(0, "", 1), Place(255, "a\u202e'\"\\", 2**40), Place(-3, "删", 5)]
)
def test_a_place_is_read_as_it_was_written(place):
    assert keysets.read(keysets.written(place)) == place


@cases(
    "place",
    [
        *((0, "a\0", 1), (0, "\ud800", 1), (True, "a", 1), (0, 1, 1), (0.5, "a", 1)),
        *((2**40, "a", 1), (0, "a", 2**70), (0, "a"), None, {}, [[]], "abc"),
    ],
)
def test_a_place_that_no_page_wrote_is_none(place):
    text = json.dumps(place)
    sealed = base64.urlsafe_b64encode(text.encode()).decode()
    assert keysets.read(sealed) is None

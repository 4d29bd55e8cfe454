"""Which calls are like one that was approved."""

from __future__ import annotations

from typing import Any

import jiter

from approvals.waiving import Wish, alike, equality
from tests.cases import cases


def decoded(text: str) -> Any:
    return jiter.from_json(text.encode(), float_mode="lossless-float")


def test_it_begins_with_equality_of_every_leaf():
    call = decoded('{"a": {"b~/c": [1, "x"]}, "n": null, "e": {}, "l": [], "t": true}')

    assert equality(call) == {
        "/a/b~0~1c/0": {"is": 1},
        "/a/b~0~1c/1": {"is": "x"},
        "/n": {"is": None},
        "/e": {"is": {}},
        "/l": {"is": []},
        "/t": {"is": True},
    }
    assert alike(equality(call), call)
    assert equality({}) == {"": {"is": {}}} and alike(equality({}), {})


IS = {"/a": {"is": 1}}
BOTH = {"/a": {"is": 1}, "/b": {"is": "x"}}
CASES: dict[str, tuple[Any, str, bool]] = {
    "the same": (IS, '{"a": 1}', True),
    "another form of the number": (IS, '{"a": 1.0}', True),
    "another value": (IS, '{"a": 2}', False),
    "another type": (IS, '{"a": "1"}', False),
    "a boolean is no number": (IS, '{"a": true}', False),
    "a number is no boolean": ({"/a": {"is": True}}, '{"a": 1}', False),
    "null is not absent": ({"/a": {"is": None}}, "{}", False),
    "one more argument": (IS, '{"a": 1, "b": 2}', False),
    "one more, empty": (IS, '{"a": 1, "b": {}}', False),
    "one less": (BOTH, '{"a": 1}', False),
    "all of them": (BOTH, '{"b": "x", "a": 1}', True),
    "deeper than it was": (IS, '{"a": {"b": 1}}', False),
    "a list that grew": ({"/a/0": {"is": 1}}, '{"a": [1, 2]}', False),
    "an object for a list": ({"/a/0": {"is": 1}}, '{"a": {"0": 1}}', True),
    "no arguments at all": ({"": {"is": {}}}, "{}", True),
    "some where there were none": ({"": {"is": {}}}, '{"a": 1}', False),
    "one of a list": ({"/a": {"in": [1, "x"]}}, '{"a": "x"}', True),
    "none of a list": ({"/a": {"in": [1, "x"]}}, '{"a": "y"}', False),
    "a list keeps types apart": ({"/a": {"in": [1]}}, '{"a": true}', False),
    "at most": ({"/a": {"max": 5}}, '{"a": 5}', True),
    "less, and a fraction": ({"/a": {"max": 5}}, '{"a": -4.5}', True),
    "more": ({"/a": {"max": 5}}, '{"a": 5.01}', False),
    "more, by digits a double forgets": (
        {"/a": {"max": 9007199254740992}},
        '{"a": 9007199254740993}',
        False,
    ),
    "a text is not at most": ({"/a": {"max": 5}}, '{"a": "1"}', False),
    "a boolean is not at most": ({"/a": {"max": 5}}, '{"a": true}', False),
    "a number that a double changes equals nothing": (
        {"/a": {"is": 9007199254740993}},
        '{"a": 9007199254740993}',
        False,
    ),
    "any": ({"/a": {"any": True}}, '{"a": "whatever"}', True),
    "any of any shape": ({"/a": {"any": True}}, '{"a": [{"b": 1}]}', True),
    "any is still there": ({"/a": {"any": True}}, "{}", False),
    "any for a part": ({"/a/b": {"any": True}}, '{"a": {"b": 1}}', True),
    "beside any is nothing new": ({"/a/b": {"any": True}}, '{"a": {"c": 1}}', False),
    "any below an empty one": ({"/a/b": {"any": True}}, '{"a": {}}', False),
    "a name that begins the same": ({"/a": {"any": True}}, '{"a": 1, "ab": 1}', False),
    "not an object": (IS, "[1]", False),
}


@cases("name", CASES)
def test_alike(name: str):
    predicate, call, like = CASES[name]

    assert alike(predicate, decoded(call)) is like


def test_a_wish_is_kept_as_json():
    """What is stored decides the same as what was posted."""
    import json

    wish = Wish(15, {"/a": {"max": 0.1}, "/b": {"in": ["x", 2, None, True]}})

    stored = json.loads(json.dumps(wish.arguments))

    for call in ('{"a": 0.1, "b": null}', '{"a": 0.11, "b": 2}', '{"a": 0, "b": 1}'):
        assert alike(stored, decoded(call)) is alike(wish.arguments, decoded(call))

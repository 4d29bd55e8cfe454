"""What a person may let differ, from the fields of the form to the waiver's shape."""

from __future__ import annotations

import json
from typing import Any

import pytest

from approvals.likeness import MOST_ROWS, Likeness
from approvals.waiving import alike, decoded, equality
from tests.cases import cases

CALL = (
    '{"amount":20000,"currency":"eur","force":false,"lines":[{"sku":"a"},2.5],'
    '"long":"' + "x" * 501 + '","none":null,"text":"one\\ntwo"}'
)


def rows(call: str = CALL, **posted: str) -> dict[str, Any]:
    """Posted by label, as `amount="max 5"`."""
    fields: dict[str, str] = {}
    for row in Likeness(decoded(call)).rows:
        if row.label in posted:
            kind, _, text = posted[row.label].partition(" ")
            fields |= {f"kind-{row.index}": kind, f"value-{row.index}": text}
    likeness = Likeness(decoded(call), fields)
    return {
        "predicate": likeness.predicate(),
        "errors": {row.label: row.error for row in likeness.rows if row.error},
    }


def test_it_begins_as_equality_on_every_argument():
    assert rows() == {"predicate": equality(json.loads(CALL)), "errors": {}}
    assert rows("{}")["predicate"] == equality({})


@cases(
    ("posted", "pointer", "test"),
    [
        ({"amount": "max 30000"}, "/amount", {"max": 30000}),
        ({"amount": "max 2e4"}, "/amount", {"max": 20000.0}),
        ({"amount": "in 5\n\n 20000 "}, "/amount", {"in": [5, 20000]}),
        ({"amount": "any"}, "/amount", {"any": True}),
        ({"currency": "in usd\r\neur"}, "/currency", {"in": ["usd", "eur"]}),
        ({"force": "any"}, "/force", {"any": True}),
        ({"none": "any"}, "/none", {"any": True}),
        ({"lines[0].sku": "in a\nb"}, "/lines/0/sku", {"in": ["a", "b"]}),
        ({"lines[1]": "max 3"}, "/lines/1", {"max": 3}),
    ],
)
def test_one_argument_is_relaxed_and_the_rest_stays(posted, pointer, test):
    found = rows(**posted)
    assert found["errors"] == {}
    assert found["predicate"] == equality(json.loads(CALL)) | {pointer: test}
    assert alike(found["predicate"], decoded(CALL))


def test_a_list_may_be_anything_as_a_whole():
    predicate = rows(lines="any", **{"lines[0].sku": "in "})["predicate"]
    assert predicate["/lines"] == {"any": True}
    assert not [pointer for pointer in predicate if pointer.startswith("/lines/")]


@cases(
    ("posted", "label", "said"),
    [
        ({"amount": "max 19999"}, "amount", "more than that"),
        ({"amount": "max"}, "amount", "one number"),
        ({"amount": "max x"}, "amount", "one number"),
        ({"amount": "max 9007199254740993"}, "amount", "one number"),
        ({"amount": "max NaN"}, "amount", "one number"),
        ({"amount": "max 1e400"}, "amount", "one number"),
        ({"amount": "in 5"}, "amount", "must be among"),
        ({"amount": "in 20000\nx"}, "amount", "numbers"),
        ({"currency": "in"}, "currency", "a value a line"),
        ({"currency": "in usd"}, "currency", "must be among"),
        (
            {"currency": "in " + "\n".join(map(str, range(200)))},
            "currency",
            "At most 100",
        ),
    ],
)
def test_what_cannot_be_meant_is_said_beside_its_row(posted, label, said):
    found = rows(**posted)
    assert found["predicate"] is None
    assert said in found["errors"][label]


@cases(
    ("posted", "label"),
    [
        ({"currency": "max 5"}, "currency"),
        ({"force": "in true"}, "force"),
        ({"text": "in one"}, "text"),
        ({"long": "in x"}, "long"),
        ({"amount": "bogus"}, "amount"),
    ],
)
def test_a_choice_that_was_not_offered_is_equality(posted, label):
    assert rows(**posted)["predicate"] == equality(json.loads(CALL))


@pytest.mark.parametrize(
    ("call", "label"),
    [('{"a":0.12345678901234567890}', "a"), ('{"b":"\\u0000"}', "b")],
)
def test_what_can_never_be_compared_must_be_anything(call, label):
    assert list(rows(call)["errors"]) == [label]
    assert rows(call, **{label: "any"})["predicate"] == {f"/{label}": {"any": True}}


def test_a_key_that_the_database_would_not_keep():
    assert rows('{"x":{"\\u0000":1}}')["predicate"] is None
    assert rows('{"x":{"\\u0000":1}}', x="any")["predicate"] == {"/x": {"any": True}}


def test_very_many_arguments_are_equal_or_nothing():
    call = f'{{"a":{list(range(MOST_ROWS + 1))}}}'
    likeness = Likeness(decoded(call), {"kind-0": "any"})
    assert likeness.too_many and likeness.rows == []
    assert likeness.predicate() == equality(decoded(call))

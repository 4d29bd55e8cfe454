"""The reference evaluator against the worked cases, before it judges the engine."""

from __future__ import annotations

import json

import pytest

from tests.cases import cases
from tests.policies.reference.decide import decide
from tests.policies.reference.exact import NotJson, load
from tests.policies.reference.validate import problems
from tests.policies.reference.vectors import reference_case
from tests.policies.worked import CASES, document_of

DECIDED = [case for case in CASES if "expect" in case]
REFUSED = [case for case in CASES if "refused" in case]


def test_each_case_is_decided_or_refused():
    assert len(DECIDED) + len(REFUSED) == len(CASES)


@cases("case", DECIDED, ids=lambda case: case["id"])
def test_decided_as_worked(case):
    text = json.dumps(document_of(case))
    assert text == "null" or problems(text) == []
    decision, rule, would = decide(reference_case(case, load(text)))
    assert decision == case["expect"]
    if "rule" in case:
        assert rule == case["rule"]
    if "would" in case or case["id"].startswith("watch-"):
        worked = case.get("would")
        assert would == (worked and (worked["expect"], worked["rule"]))


@cases("case", REFUSED, ids=lambda case: case["id"])
def test_refused_as_worked(case):
    """What is broken is named there or at a place that holds it."""
    there = case["refused"]["pointer"]
    found = problems(case["document_json"])
    assert any(within(there, place) or within(place, there) for place in found)


def within(pointer: str, place: str) -> bool:
    return pointer == place or pointer.startswith(place + "/")


def test_no_number_is_read_through_a_double():
    with pytest.raises(NotJson):
        load('{"a": NaN}')
    assert load("[0.10]")[0].value == load("[1e-1]")[0].value
    assert load("[9007199254740993]")[0].value is None

"""The reference evaluator against the worked cases, before it judges the engine."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.policies.reference.decide import decide
from tests.policies.reference.exact import NotJson, load
from tests.policies.reference.validate import problems
from tests.policies.reference.vectors import reference_case

VECTORS = json.loads(Path(__file__).with_name("policy-vectors.json").read_text())
DECIDED = [case for case in VECTORS["cases"] if "expect" in case]
REFUSED = [case for case in VECTORS["cases"] if "refused" in case]


def document_of(case: dict[str, Any]) -> object:
    if "document_ref" in case:
        return VECTORS["documents"][case["document_ref"]]
    return case["document"]


@pytest.mark.parametrize("case", DECIDED, ids=lambda case: case["id"])
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


@pytest.mark.parametrize("case", REFUSED, ids=lambda case: case["id"])
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

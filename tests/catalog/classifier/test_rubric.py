"""The rubric is made of the tables that judge."""

from __future__ import annotations

import json

from catalog.classifier.cases import CASES
from catalog.classifier.grading import DOUBTS, RAISES
from catalog.classifier.judging import classify
from catalog.classifier.lexicon import VERBS
from catalog.classifier.rubric import rubric
from catalog.classifier.version import VERSION
from tests.catalog.classifier.test_judging import GUIDE


def test_all_tables_are_in_it():
    shown = json.loads(json.dumps(rubric()))
    verbs = {w for c in shown["categories"] for ws in c["verbs"].values() for w in ws}
    assert shown["version"] == VERSION
    assert verbs == {word for _, _, line in VERBS for word in line.split()}
    assert [case["name"] for case in shown["cases"]] == [case.name for case in CASES]
    assert len(shown["raises"]) == len(RAISES)
    assert len(shown["confidence"]["doubts"]) == len(DOUBTS)


def test_every_signal_that_is_found_is_explained():
    known = {signal["signal"] for signal in rubric()["signals"]}
    found = {s.signal for definition, _ in GUIDE for s in classify(definition).signals}
    raised = {rule.signal for rule in RAISES}
    assert found
    assert (found | raised) - known == set()


def test_no_word_has_two_meanings():
    words = [word for _, _, line in VERBS for word in line.split()]
    assert sorted({word for word in words if words.count(word) > 1}) == []

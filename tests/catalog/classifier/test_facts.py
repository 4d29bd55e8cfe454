"""Facts are all that a verdict needs, and hold no sentence of a server."""

from __future__ import annotations

import hashlib
import json

import pytest

from catalog.classifier.facts import (
    LONGEST_NOTE,
    LONGEST_TEXT,
    BadDefinition,
    observe,
    read,
)
from catalog.classifier.judging import classify, judge
from tests.cases import cases

SENTENCE = "Removes the named index and everything that was stored in it."
DEFINITION = {
    "name": "drop_index",
    "title": "Drop it",
    "description": SENTENCE,
    "inputSchema": {
        "type": "object",
        "properties": {
            "name": {"type": "string", "description": "Which index goes away."},
            "mode": {"enum": ["soft-delete", "hard_delete"]},
        },
        "required": ["name"],
    },
    "annotations": {"title": "x", "destructiveHint": True, "idempotentHint": "yes"},
}


def test_what_is_read():
    facts = read(DEFINITION)
    assert facts["name"] == "drop_index"
    assert facts["title_length"] == 7
    assert facts["description"] == {
        "sha256": hashlib.sha256(SENTENCE.encode()).hexdigest(),
        "length": len(SENTENCE),
    }
    assert facts["opening"] == "remov"
    assert facts["stems"] == sorted(set(facts["stems"]))
    assert facts["annotations"] == {"destructiveHint": True}
    mode, name = facts["parameters"]
    assert (name["path"], name["types"], name["required"]) == ("name", ["string"], True)
    assert mode["values"] == ["hard delete", "soft delete"]
    assert len(facts["fingerprint"]) == 64


def test_no_sentence_is_kept():
    text = json.dumps(read(DEFINITION))
    for sentence in (SENTENCE, "Which index goes away", "Drop it"):
        assert sentence not in text


def test_a_verdict_from_stored_facts_is_the_same():
    stored = json.loads(json.dumps(read(DEFINITION)))
    assert judge(stored) == classify(DEFINITION)


def test_what_goes_on_beyond_the_bounds_is_said():
    long = {"name": "x", "description": "word " * 10_000}
    wide = {"properties": {f"p{n}": None for n in range(1_000)}}
    assert observe(long)["cut"] == ["description"]
    assert observe({"name": "x", "inputSchema": wide})["cut"] == ["parameters"]
    notes = {f"p{n}": {"description": "drop " * 400} for n in range(300)}
    assert observe({"name": "x", "inputSchema": {"properties": notes}})["cut"]
    assert observe(DEFINITION)["cut"] == []


def test_what_lies_beyond_a_bound_is_not_read():
    text = "Lists it. " + "x " * LONGEST_TEXT + "zebra"
    assert "zebra" not in observe({"name": "x", "description": text})["stems"]
    note = {"a": {"description": "x " * LONGEST_NOTE + "zebra"}}
    (a,) = observe({"name": "x", "inputSchema": {"properties": note}})["parameters"]
    assert "zebra" not in a["stems"]


@cases("name", [None, 7, "", "x" * 1_001, ["a"]])
def test_a_definition_needs_a_name(name):
    with pytest.raises(BadDefinition):
        observe({"name": name})


def test_blanks_are_no_description():
    assert observe({"name": "x", "description": " \n "})["description"]["length"] == 0


def test_arguments_told_in_the_description_are_read():
    told = {
        "name": "manage_index",
        "description": 'Manage it.\n\nArgs:\n    action: "create" or "drop"\n',
        "inputSchema": {"properties": {"action": {"type": "string"}}},
    }
    (action,) = observe(told)["parameters"]
    assert action["named"] == ["create", "drop"]
    assert classify(told).category == "Destructive"

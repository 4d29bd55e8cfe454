"""A draft lets exactly the calls through that are alike, and keeps asking of others."""

from __future__ import annotations

import json
import os
from typing import Any

import pytest

from approvals.always import Drafted, Subject, drafted, written_path
from approvals.waiving import decoded, equality
from policies.compile import compile_document
from policies.document import parse
from policies.facts import Tool
from policies.paths import Index, Key, parse_path
from policies.splice import NotEditable
from tests.cases import cases
from tests.policies.engine import decided

CALL = {
    "amount": 20000,
    "currency": "eur",
    "to": {"iban": "DE1"},
    "lines": [1, 2],
    "tags": [],
}
SPEC: dict[str, Any] = {
    "version": "1",
    "default": "deny",
    "tools": {
        "create_refund": {
            "deny_if": [
                {"conditions": [{"path": "args.amount", "op": "gt", "value": 50000}]}
            ],
            "approve_if": [
                {"conditions": [{"path": "args.never", "op": "exists"}]},
                {
                    "conditions": [{"path": "args.amount", "op": "gt", "value": 10000}],
                    "reason": "Large refund",
                },
            ],
        },
        "delete_*": {"action": "require_approval", "reason": "Deletes"},
        "a/b": {"action": "require_approval"},
    },
}
RULE = "/tools/create_refund/approve_if/1"
TEXT = json.dumps(SPEC, indent=2)


def made(
    arguments: Any = None,
    tool: str = "create_refund",
    rules: tuple[str, ...] = (RULE,),
    draft: str = TEXT,
    alike: Any = None,
) -> Drafted:
    given = CALL if arguments is None else arguments
    every = equality(given) | (alike or {})
    return drafted(draft, Subject(tool, given, rules, TEXT), every)


def decision(text: str, arguments: Any, tool: str = "create_refund") -> str:
    policy = compile_document(parse(text))
    return decided(policy, arguments, name=tool, tool=Tool(tool)).decision


@cases(
    ("changed", "expected"),
    [
        ({}, "allow"),
        ({"amount": 20000.0}, "allow"),
        ({"amount": 20001}, "require_approval"),
        ({"amount": "20000"}, "deny"),
        ({"amount": 5}, "allow"),
        ({"amount": 60000}, "deny"),
        ({"currency": "EUR"}, "require_approval"),
        ({"currency": None}, "require_approval"),
        ({"extra": 1}, "require_approval"),
        ({"to": {"iban": "DE1", "x": 1}}, "require_approval"),
        ({"to": {"iban": "DE1", "IBAN": "DE2"}}, "require_approval"),
        ({"to": "DE1"}, "require_approval"),
        ({"to": None}, "require_approval"),
        ({"urgent": None}, "require_approval"),
        ({"lines": [1]}, "require_approval"),
        ({"lines": [1, 2, 3]}, "require_approval"),
        ({"lines": [2, 1]}, "require_approval"),
        ({"tags": {}}, "allow"),
        ({"tags": [1]}, "require_approval"),
    ],
)
def test_only_the_call_itself_passes(changed, expected):
    assert decision(TEXT, CALL) == "require_approval"
    assert decision(made().text, CALL | changed) == expected


@cases(
    ("alike", "changed", "expected"),
    [
        ({"/amount": {"max": 30000}}, {"amount": 30000}, "allow"),
        ({"/amount": {"max": 30000}}, {"amount": 30001}, "require_approval"),
        ({"/currency": {"in": ["eur", "usd"]}}, {"currency": "usd"}, "allow"),
        ({"/currency": {"in": ["eur", "usd"]}}, {"currency": "x"}, "require_approval"),
        ({"/currency": {"any": True}}, {"currency": "x"}, "allow"),
        ({"/currency": {"any": True}}, {"amount": 20001}, "require_approval"),
        ({"/to": {"any": True}}, {"to": {"iban": "FR1", "more": [1]}}, "allow"),
        ({"/to": {"any": True}}, {"to": None}, "require_approval"),
    ],
)
def test_arguments_that_were_relaxed(alike, changed, expected):
    text = made(alike=alike).text
    assert decision(text, CALL) == "allow"
    assert decision(text, CALL | changed) == expected


def test_the_rest_of_the_text_stays_as_written():
    drafted = made()
    assert drafted.pointer == "/tools/create_refund"
    kept = len(os.path.commonprefix([TEXT, drafted.text]))
    assert drafted.text.endswith(TEXT[kept:])
    for tool in ("delete_x", "a/b"):
        assert decision(drafted.text, {}, tool) == "require_approval"


def test_an_action_becomes_a_rule_with_its_reason():
    drafted = made({"id": "a b"}, "a/b", ("/tools/a~1b/action",))
    assert drafted.pointer == "/tools/a~1b"
    assert decision(drafted.text, {"id": "a b"}, "a/b") == "allow"
    assert decision(drafted.text, {"id": "c"}, "a/b") == "require_approval"


def test_a_glob_stays_for_other_tools():
    drafted = made({}, "delete_x", ("/tools/delete_*/action",))
    assert drafted.pointer == "/tools/delete_x"
    assert decision(drafted.text, {}, "delete_x") == "allow"
    assert decision(drafted.text, {"force": True}, "delete_x") == "require_approval"
    assert decision(drafted.text, {}, "delete_y") == "require_approval"
    entry = json.loads(drafted.text)["tools"]["delete_x"]
    assert entry["approve_if"][0]["reason"] == "Deletes"
    assert entry.keys() == {"approve_if"}


def test_a_rule_that_moved_in_the_draft_is_found():
    edited = json.loads(TEXT)
    edited["tools"]["create_refund"]["approve_if"].insert(
        0, {"conditions": [{"path": "args.x", "op": "eq", "value": 1}]}
    )
    edited["description"] = "somebody is editing"
    text = made(draft=json.dumps(edited)).text
    assert decision(text, CALL) == "allow"
    assert json.loads(text)["description"] == "somebody is editing"


CHANGED = TEXT.replace("10000", "10001")


@cases(
    ("arguments", "rules", "draft", "said"),
    [
        (CALL, (RULE,), "{", "line 1"),
        (CALL, (RULE,), '{"version": "1"}', "line 1"),
        (CALL, (RULE,), '{"version":"1","default":"deny"}', "does not let"),
        (CALL, (RULE,), CHANGED, "another rule in the draft"),
        (CALL, ("/tools/create_refund/action",), TEXT, "asks nobody any more"),
        (CALL, ("/tools/create_refund/limits/0",), TEXT, "was full"),
        (CALL, ("/all_tools/approve_if/0",), TEXT, "for every tool"),
        (CALL, (RULE, "/all_tools/action"), TEXT, "for every tool"),
        ({"a": None}, (RULE,), TEXT, "args.a is null"),
        ({"a": list(range(30))}, (RULE,), TEXT, "32 conditions"),
        ({"a": 9007199254740993}, (RULE,), TEXT, "9007199254740993"),
    ],
)
def test_what_a_draft_cannot_say_is_refused(arguments, rules, draft, said):
    with pytest.raises(NotEditable) as refused:
        made(arguments, rules=rules, draft=draft)
    assert said in str(refused.value)


def test_digits_that_a_double_would_change_are_refused():
    arguments = decoded('{"a":0.12345678901234567890}')
    with pytest.raises(NotEditable):
        made(arguments)


@cases(
    "path", [("a",), ("a.b",), ("a b", 0, 'c"d'), ("[x]", "é"), ("",), ("n\\n", "1")]
)
def test_paths_are_written_as_they_are_read(path):
    steps = parse_path(written_path(path)).steps
    named = {Key: "name", Index: "at"}
    assert tuple(getattr(step, named[type(step)]) for step in steps) == path

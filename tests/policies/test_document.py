"""Refusals stand at their place, say what would do, and come all at once."""

from __future__ import annotations

import json
from typing import Any

import pytest

from policies.document import LARGEST, parse
from tests.cases import cases
from tests.policies.engine import document, problems

SEVERAL = """{
  "version": "1",
  "defalt": "deny",
  "tools": {
    "a": {"action": "ask",
      "require": [{"path": "args.x", "op": "equals", "value": 1}]},
    "é": {"limits": [{"counter": "c", "window": "week", "max": "10"}]},
    "\\\\a": {}
  }
}"""


def test_all_problems_by_position():
    told = [(p.line, p.column, p.pointer) for p in problems(SEVERAL)]
    assert told == [
        (1, 1, ""),
        (3, 3, "/defalt"),
        (5, 21, "/tools/a/action"),
        (6, 44, "/tools/a/require/0/op"),
        (7, 49, "/tools/é/limits/0/window"),
        (7, 64, "/tools/é/limits/0/max"),
        (8, 5, "/tools/\\a"),
    ]


@cases(
    ("wrong", "meant"),
    [
        ('"defalt": "deny"', "'default'"),
        ('"default": "alow"', "'allow'"),
        ('"default": "block"', "'deny'"),
        ('"tools": {"t": {"denyif": []}}', "'deny_if'"),
        ('"tools": {"t": {"action": "ask"}}', "'require_approval'"),
        ('"tools": {"t": {"require": [{"path": "args", "op": "=="}]}}', "'eq'"),
        ('"mode": "dry_run"', "'watch'"),
        ('"tools": {"t": {"rate_limit": "5/minutes"}}', "'minute'"),
        ('"tools": {"t": {"approval": {"approvers": ["admin"]}}}', '"role:admin"'),
        ('"tools": {"t": {"approval": {"approvers": ["role:admn"]}}}', "'admin'"),
    ],
)
def test_suggestions(wrong, meant):
    told = [p.message for p in problems(f"{{{wrong}}}") if "Did you mean" in p.message]
    assert len(told) == 1
    assert f"Did you mean {meant}?" in told[0]


@cases(
    ("text", "place"),
    [
        ('{"version": "1",\n "default": "deny",}', (2, 20)),
        ('{"version": "1"\n "default": "deny"}', (2, 2)),
        ('{"version": "1",\r\n "default": tru}', (2, 13)),
        ('{"version": "1", "default": "deny"} {}', (1, 37)),
        ("", (1, 1)),
        ('{"version": "1', (1, 13)),
        ("\ufeff{}", (1, 1)),
    ],
)
def test_text_that_is_no_json(text, place):
    [problem] = problems(text)
    assert (problem.line, problem.column) == place


def test_one_key_twice_is_told_at_the_second():
    text = '{"version": "1", "default": "deny",\n "default": "allow"}'
    [problem] = problems(text)
    assert (problem.pointer, problem.line, problem.column) == ("/default", 2, 2)
    assert "duplicate" in problem.message


@cases("literal", ["9007199254740993", "1e400", "1e-400", "0.1000000000000000055"])
def test_numbers_that_a_double_would_change(literal):
    text = document(tests=[{"name": "x", "tool": "t", "expect": "allow"}])
    text["tests"][0]["args"] = {"n": "HERE"}
    [problem] = problems(json.dumps(text).replace('"HERE"', literal))
    assert problem.pointer == "/tests/0/args/n"
    assert literal in problem.message


def test_half_a_surrogate_pair():
    [problem] = problems('{"version": "1", "default": "deny", "hide": ["\\ud800"]}')
    assert problem.pointer == "/hide/0"


def test_deep_nesting_is_refused_and_not_followed():
    text = '{"version": "1", "default": "deny", "tests": ' + "[" * 50_000
    [problem] = problems(text)
    assert "levels" in problem.message


def test_size_counts_bytes():
    room = LARGEST - len(json.dumps(document(description="")))
    assert parse(json.dumps(document(description="x" * room)))
    [problem] = problems(json.dumps(document(description="x" * (room + 1))))
    assert "256 KiB" in problem.message
    text = json.dumps(document(description="é" * (room // 2 + 1)), ensure_ascii=False)
    assert problems(text)


def test_digest_is_of_the_rfc_8785_form():
    one = parse('{"version":"1","default":"deny","all_tools":{"rate_limit":"1/day"}}')
    other = parse(
        '{ "all_tools": {"rate_limit": "1/d\\u0061y"},\n'
        ' "default": "deny", "version": "1" }'
    )
    assert one.digest == other.digest
    assert len(one.digest) == 64
    assert parse('{"version":"1","default":"allow"}').digest != one.digest


def test_digest_of_integers_beyond_what_rfc_8785_writes_as_such():
    entry = {"limits": [{"counter": "c", "window": "day", "max": 1}]}
    text = json.dumps(document(tools={"t": entry}))
    far = text.replace('"max": 1}', '"max": 9007199254740994}')
    assert [p.pointer for p in problems(far)] == ["/tools/t/limits/0/max"]
    case = {"name": "x", "tool": "t", "args": {"n": 9007199254740994}}
    assert parse(json.dumps(document(tests=[{**case, "expect": "hide"}]))).digest


@pytest.mark.parametrize("count", [2000, 2001])
def test_two_thousand_entries(count):
    tools: dict[str, Any] = {f"t{i}": {} for i in range(count)}
    assert bool(problems(json.dumps(document(tools=tools)))) == (count > 2000)


def test_a_hundred_rules_an_entry_over_all_its_lists():
    condition = {"path": "args.a", "op": "exists"}
    entry: dict[str, Any] = {
        "require": [condition] * 50,
        "deny_if": [{"conditions": []}] * 30,
        "approve_if": [{"conditions": []}] * 20,
    }
    assert not problems(json.dumps(document(tools={"t": entry})))
    entry["require"].append(condition)
    assert "100" in problems(json.dumps(document(tools={"t": entry})))[0].message


@cases("place", ["tools", "all_tools", "resources"])
def test_ten_limits_a_call(place):
    limits = [{"counter": f"c{i}", "window": 1, "max": 1} for i in range(10)]
    holder = {"limits": limits}
    keys: dict[str, Any] = (
        {"tools": {"t": holder}} if place == "tools" else {place: holder}
    )
    assert not problems(json.dumps(document(**keys)))
    if place == "tools":
        more = keys | {"all_tools": {"rate_limit": "1/day"}}
    else:
        limits.append({"counter": "x", "window": 1, "max": 1})
        more = keys
    assert "10" in problems(json.dumps(document(**more)))[0].message


def test_a_rate_limit_counts_in_a_counter_of_its_name():
    summed = {"counter": "rate:list_a", "window": 60, "max": 1, "sum": "args.n"}
    tools: dict[str, Any] = {
        "list_*": {"rate_limit": "1/day"},
        "b": {"limits": [summed]},
    }
    [problem] = problems(json.dumps(document(tools=tools)))
    assert problem.pointer == "/tools/b/limits/0"
    tools["list_*"] = {}
    assert not problems(json.dumps(document(tools=tools)))


@cases(
    ("time", "good"),
    [
        ("90s", True), ("10m", True), ("1h30m", True), ("24h", True), ("1h1m1s", True),
        ("0s", False), ("24h1s", False), ("10", False), ("", False), ("1m1h", False),
        ("1.5h", False), ("-1m", False),
    ],
)  # fmt: skip
def test_times_of_an_approval(time, good):
    entry = {"action": "require_approval", "approval": {"expires_in": time}}
    assert bool(problems(json.dumps(document(tools={"t": entry})))) != good

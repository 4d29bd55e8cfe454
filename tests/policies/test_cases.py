"""The tests that a document carries."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

from policies.cases import run_cases
from policies.facts import Tool
from tests.cases import cases
from tests.policies.engine import UTC_ZONE, compiled, document

LIMIT = {"counter": "c", "window": "day", "max": 2}


def run(case: dict[str, Any], entry: dict[str, Any], tools: Any = (), **keys: Any):
    case = {"name": "x", "tool": "t"} | case
    policy = compiled(document(tools={"t": entry}, tests=[case], **keys))
    pinned = {tool.name: tool for tool in tools}
    [result] = run_cases(policy, pinned, UTC_ZONE)
    return result


def condition(path: str, value: Any) -> dict[str, Any]:
    return {"require": [{"path": path, "op": "eq", "value": value}]}


@cases(
    ("case", "entry"),
    [
        ({"args": {"a": 1}}, condition("args.a", 1)),
        ({"at": "2026-01-05T23:00:00Z"}, condition("time.hour", 23)),
        ({}, condition("time.hour", 12)),
        ({"grant": {"label": "x"}}, condition("grant.label", "x")),
        ({"user": {"role": "owner"}}, condition("user.role", "owner")),
        ({"client": "claude"}, condition("client.name", "claude")),
        ({}, condition("tool.category", "Other")),
        (
            {"definition": {"annotations": {"a": 1}}},
            condition("tool.annotations.a", 1),
        ),
        ({"used": {"c": 1}}, {"limits": [LIMIT]}),
        ({"rule": None}, {}),
    ],
)
def test_passes(case, entry):
    assert run(case | {"expect": "allow"}, entry).outcome == "passed"


def test_fails_and_says_what_was_decided():
    case = {"expect": "allow", "used": {"c": 2}}
    result = run(case, {"limits": [LIMIT]})
    assert (result.pointer, result.name, result.outcome) == ("/tests/0", "x", "failed")
    assert result.message == "expected allow, decided limit by /tools/t/limits/0."


def test_the_rule_counts_where_it_is_said():
    case = {"expect": "deny", "rule": "/tools/t/deny_if/1"}
    assert run(case, {"deny_if": [{"conditions": []}]}).outcome == "failed"
    assert run(case | {"rule": "/tools/t/deny_if/0"}, {"deny_if": [{"conditions": []}]})


def test_the_pinned_definition_and_its_verdict():
    pinned = Tool("t", category="Financial")
    case = {"expect": "allow"}
    entry = condition("tool.category", "Financial")
    assert run(case, entry, [pinned]).outcome == "passed"
    assert run(case, entry).outcome == "failed"


def test_nothing_pinned_to_validate_against():
    case = {"expect": "allow"}
    result = run(case, {}, validate_arguments=True)
    assert (result.outcome, "'t' is pinned" in result.message) == ("not run", True)
    own = case | {"definition": {"inputSchema": {"type": "object"}}}
    assert run(own, {}, validate_arguments=True).outcome == "passed"
    schema = Tool("t", {"required": ["a"]})
    assert run(case, {}, [schema], validate_arguments=True).outcome == "failed"


def test_resources_and_prompts():
    tests = [
        {"name": "r", "resource": "file:///a", "expect": "allow"},
        {"name": "p", "prompt": "x", "expect": "hide", "rule": "(default deny)"},
    ]
    policy = compiled(
        document(resources={"default": "allow"}, tests=tests, validate_arguments=True)
    )
    outcomes = [result.outcome for result in run_cases(policy, {}, UTC_ZONE)]
    assert outcomes == ["passed", "passed"]


def test_in_the_zone_of_the_organization():
    tests = [{"name": "x", "tool": "t", "expect": "allow"}]
    policy = compiled(document(tools={"t": condition("time.hour", 21)}, tests=tests))
    [result] = run_cases(policy, {}, ZoneInfo("Asia/Tokyo"))
    assert result.outcome == "passed"

"""What saving warns about, each with a near case that it does not."""

from __future__ import annotations

from typing import Any

from policies.facts import Tool
from policies.warned_conditions import is_anchored
from policies.warnings import warnings
from tests.cases import cases
from tests.policies.engine import compiled, document

SCHEMA = {
    "type": "object",
    "properties": {
        "amount": {"type": "number"},
        "path": {"type": "string"},
        "note": {"type": "string"},
        "o": {"$ref": "#/$defs/o"},
    },
    "required": ["amount", "o"],
    "$defs": {"o": {"properties": {"a": {}, "b": {}}, "required": ["a"]}},
}
TOOL = Tool("t", SCHEMA)


def told(
    entry: dict[str, Any], tools: Any = (TOOL,), unset: Any = frozenset(), **keys: Any
) -> list[tuple[str, str]]:
    policy = compiled(document(tools={"t": entry}, **keys))
    found = warnings(policy, tools, unset)
    return [(warning.pointer, warning.message) for warning in found]


def rule(path: str, op: str, value: Any, **more: Any) -> dict[str, Any]:
    return {"path": path, "op": op, "value": value, **more}


def deny(*conditions: dict[str, Any]) -> dict[str, Any]:
    return {"deny_if": [{"conditions": list(conditions)}]}


AMOUNT = rule("args.amount", "gt", 5)
NOTE = rule("args.note", "eq", "x")

LIMIT = {"counter": "c", "window": 1, "max": 1}

WARNED = [
    (deny(NOTE), "optional"),
    (deny(rule("args.o.b", "eq", "x")), "optional"),
    (deny({"not": rule("args.note", "neq", "x")}), "optional"),
    ({"approve_if": [{"conditions": [NOTE]}]}, "optional"),
    ({"require": [rule("args.gone", "eq", 1)]}, "no argument in the schema"),
    ({"require": [rule("args.o.c", "eq", 1)]}, "no argument in the schema"),
    ({"require": [rule("args.path", "regex", "^/tmp")]}, "anchor"),
    ({"require": [rule("client.name", "eq", "x")]}, "chosen by the client"),
    (deny(rule("tool.annotations.x", "eq", True)), "written by the server"),
    (
        {"limits": [LIMIT | {"scope": "session"}]},
        "sessions",
    ),
    ({"limits": [LIMIT | {"by": "args.o"}]}, "splits"),
    (deny(rule("args.path", "starts_with", "x", if_absent="match")), "many ways"),
    (deny(rule("args.o.a", "eq", "https://x.example/")), "many ways"),
    (deny(rule("args.o.a", "in", ["a@b.example"])), "many ways"),
    ({"require": [rule("args.path", "not_in", ["x"])]}, "many ways"),
    ({"approval": {}}, "asks for approval"),
    (deny(AMOUNT, rule("args.amount", "lt", 5)), "never match"),
    (deny(rule("args.o.a", "eq", "x"), rule("args.o.a", "eq", "y")), "never match"),
    (deny(rule("args.amount", "exists", False), AMOUNT), "never match"),
    (deny(rule("time.hour", "gt", 23)), "never match"),
    (deny(rule("tool.severity", "eq", "extreme")), "never match"),
    ({"require": [rule("user.role", "in", ["king"])]}, "never holds"),
    ({"action": "deny", **deny(AMOUNT)}, "denied before it"),
    ({"deny_if": [{"conditions": []}, {"conditions": [AMOUNT]}]}, "denied before it"),
]

QUIET = [
    {},
    deny(AMOUNT),
    deny(rule("args.note", "neq", "x")),
    deny(rule("args.note", "gt", "x", if_absent="match")),
    deny(rule("args.note", "exists", True)),
    deny(rule("args.o.a", "eq", "x")),
    {"require": [rule("args.path", "regex", "^/tmp/[a-z]+$")]},
    {"require": [rule("args.path", "in", ["x"])]},
    {"action": "require_approval", "approval": {}},
    {"approval": {}, "limits": [LIMIT | {"over": "require_approval"}]},
    deny(AMOUNT, rule("args.amount", "lt", 6)),
    deny({"any": [AMOUNT, rule("args.amount", "lt", 5)]}),
    deny(rule("time.hour", "gte", 23)),
    {"mode": "watch", "action": "deny", **deny(AMOUNT)},
]


@cases(("entry", "word"), WARNED)
def test_warned(entry, word):
    messages = [message for _, message in told(entry)]
    assert any(word in message for message in messages), messages


@cases("entry", QUIET)
def test_quiet(entry):
    assert told(entry) == []


def test_a_warning_stands_at_its_condition():
    [(pointer, _)] = told(deny(AMOUNT, NOTE))
    assert pointer == "/tools/t/deny_if/0/conditions/1"


def test_a_verdict_that_nobody_has_set():
    entry = deny(rule("tool.category", "eq", "Financial"))
    assert told(entry) == []
    [(_, message)] = told(entry, unset=frozenset({"t"}))
    assert "Nobody has set the verdict of t" in message


def test_a_verdict_of_which_a_new_one_waits():
    policy = compiled(document(tools={"t": deny(rule("tool.severity", "eq", "low"))}))
    assert warnings(policy, [TOOL]) == []
    [warning] = warnings(policy, [TOOL], waiting_verdicts=frozenset({"t"}))
    assert "A new verdict of t waits" in warning.message


def test_a_document_that_lets_no_tool_through():
    hidden = compiled(document(hide=["x"]))
    [warning] = warnings(hidden)
    assert '"default": "allow"' in warning.message
    assert warnings(compiled({"version": "1", "default": "allow", "hide": ["x"]})) == []
    [denied, *_] = told({"action": "deny"})
    assert "no tool through" in denied[1]


def test_entries_beside_the_servers_tools():
    messages = [message for _, message in told({}, tools=(Tool("u"), TOOL))]
    assert messages == []
    nameless = [message for _, message in told({}, tools=(Tool("u"),))]
    assert any("no tool of this name" in message for message in nameless)


def test_names_to_hide_beside_the_servers_tools():
    hide = ["t", "gone", "delete_*", r"all_\*"]
    policy = compiled(document(hide=hide, default="allow"))
    found = [(each.pointer, each.message) for each in warnings(policy, [TOOL])]
    said = "The server has no tool of this name."
    assert found == [("/hide/1", said), ("/hide/3", said)]
    assert warnings(policy) == []


def test_several_globs_match_one_tool():
    policy = compiled(document(tools={"a*": {}, "*b": {"action": "deny"}}))
    [warning] = warnings(policy, [Tool("ab"), Tool("ax")])
    assert (warning.pointer, "ab also matches a*" in warning.message) == (
        "/tools/*b",
        True,
    )


def test_an_entry_that_hide_takes_away():
    [*_, last] = told({}, hide=["t*"], tools=())
    assert last == (
        "/tools/t",
        "This entry never applies: hide wins over every entry.",
    )


@cases(
    ("pattern", "anchored"),
    [
        ("^a$", True), (r"\Aa\z", True), ("(?i)^a$", True), ("^(a|b)$", True),
        ("^[|]$", True), ("^a", False), ("a$", False), ("^a|b$", False),
        ("(?m)^a$", False), (r"^a\$", False),
    ],
)  # fmt: skip
def test_anchored(pattern, anchored):
    assert is_anchored(pattern) == anchored

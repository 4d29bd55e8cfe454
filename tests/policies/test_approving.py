"""Whom a call asks: by entry, by all_tools, by both; and all that could ask."""

from __future__ import annotations

from typing import Any

import pytest

from policies.approving import DEFAULT, Asked, Terms, asked, askings
from policies.compile import CompiledPolicy
from policies.decision import Ask
from tests.cases import cases
from tests.policies.engine import compiled, document

OWN, GENERAL = "/tools/t/action", "/all_tools/approve_if/0"
ASKS = {"action": "require_approval"}
ALWAYS: dict[str, Any] = {"approve_if": [{"conditions": []}]}


def policy(own: dict[str, Any], general: dict[str, Any] | None = None) -> Any:
    every = {} if general is None else {"all_tools": {**ALWAYS, "approval": general}}
    return compiled(document(tools={"t": {**ASKS, "approval": own}}, **every))


def whom(of: CompiledPolicy, *rules: str) -> Asked:
    return asked(of, "tool", "t", [Ask(rule, None) for rule in rules])


def test_unsaid_means_one_approver_ten_minutes_and_a_quarter_of_an_hour():
    assert whom(policy({}), OWN) == DEFAULT
    assert Asked((Terms(("role:approver",), 1),), False, 600, 900, ()) == DEFAULT


def test_what_is_said_holds():
    said = whom(
        policy(
            {
                "approvers": ["role:admin", "anna@example.com"],
                "quorum": 2,
                "expires_in": "1h30m",
                "use_within": "90s",
                "self_approval": True,
                "escalate_to": ["role:owner"],
            }
        ),
        OWN,
    )

    terms = (Terms(("role:admin", "anna@example.com"), 2, ("role:owner",)),)
    assert said == Asked(terms, True, 5400, 90, ("role:owner",))


def test_when_both_ask_both_must_be_met_and_the_shorter_times_hold():
    both = policy(
        {"approvers": ["role:owner"], "expires_in": "5m", "escalate_to": ["role:owner"]}
        | {"self_approval": True},
        {"quorum": 2, "use_within": "1m", "escalate_to": ["a@b.c", "role:owner"]},
    )

    said = whom(both, OWN, GENERAL)

    owner = Terms(("role:owner",), 1, ("role:owner",))
    two = Terms(("role:approver",), 2, ("a@b.c", "role:owner"))
    assert said == Asked((owner, two), False, 300, 60, ("role:owner", "a@b.c"))
    assert whom(both, OWN).terms == (owner,)
    assert whom(both, GENERAL).terms == (two,)


@cases(
    ("own", "general", "allowed"),
    [(True, True, True), (True, False, False), (False, True, False)],
)
def test_self_approval_needs_both(own, general, allowed):
    both = policy({"self_approval": own}, {"self_approval": general})

    assert whom(both, OWN, GENERAL).self_approval is allowed


def test_a_quorum_written_as_a_decimal_is_a_whole_number():
    (terms,) = whom(policy({"quorum": 2.0}), OWN).terms

    assert terms.quorum == 2 and type(terms.quorum) is int


@pytest.mark.parametrize("kind", ["resource", "prompt"])
def test_reads_ask_by_the_defaults(kind):
    strict = policy({"quorum": 3}, {"quorum": 3})

    assert asked(strict, kind, "t", [Ask("/resources/limits/0", None)]) == DEFAULT


LIMIT = {"counter": "c", "window": "day", "max": 1}
OVER = {**LIMIT, "over": "require_approval"}
ASKING: dict[str, tuple[dict[str, Any], list[tuple[str, ...]]]] = {
    "nothing": ({"tools": {"a": {}, "b": {"limits": [LIMIT]}}}, []),
    "an action": ({"tools": {"a": ASKS}}, [("/tools/a/action",)]),
    "a condition": ({"tools": {"a": ALWAYS}}, [("/tools/a/approve_if/0",)]),
    "a full limit": (
        {"tools": {"a": {"limits": [LIMIT, OVER]}}},
        [("/tools/a/limits/1",)],
    ),
    "several rules of one entry": (
        {"tools": {"a": {**ASKS, **ALWAYS}}},
        [("/tools/a/action", "/tools/a/approve_if/0")],
    ),
    "all tools": ({"all_tools": {"limits": [OVER]}}, [("/all_tools/limits/0",)]),
    "an entry, alone and with all tools": (
        {"tools": {"a": ASKS}, "all_tools": ALWAYS},
        [
            ("/all_tools/approve_if/0",),
            ("/tools/a/action",),
            ("/tools/a/action", "/all_tools/approve_if/0"),
        ],
    ),
    "a watched rule": (
        {"tools": {"a": {"approve_if": [{"conditions": [], "mode": "watch"}]}}},
        [],
    ),
    "a watched entry": ({"tools": {"a": {**ASKS, "mode": "watch"}}}, []),
    "a watched document": ({"mode": "watch", "tools": {"a": ASKS}}, []),
    "an entry that denies": ({"tools": {"a": {"action": "deny", **ALWAYS}}}, []),
    "all tools that deny": (
        {"tools": {"a": ASKS}, "all_tools": {"action": "deny"}},
        [],
    ),
    "a hidden tool": ({"hide": ["a"], "tools": {"a": ASKS}}, []),
    "reads": (
        {"resources": {"limits": [OVER]}, "prompts": {"limits": [LIMIT, OVER]}},
        [("/resources/limits/0",), ("/prompts/limits/1",)],
    ),
}


@cases("name", ASKING)
def test_all_that_can_ask(name):
    data, rules = ASKING[name]

    assert [one.rules for one in askings(compiled(document(**data)))] == rules


def test_the_digest_of_a_section_is_that_of_its_rules():
    def digests(**sections: Any) -> tuple[str, str]:
        made = compiled(document(**sections))
        return made.section_digest("resource"), made.section_digest("prompt")

    none, allowing = digests(), digests(resources={"default": "allow"})
    assert allowing[0] != none[0] and allowing[1] == none[1]
    assert none[0] != none[1]
    assert digests(tools={"t": {}}) == none

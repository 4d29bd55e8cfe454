"""What the worked cases leave open: approvals, break-glass, watch with counters,
bounds, listing."""

from __future__ import annotations

from typing import Any

import pytest
from jiter import from_json

from policies.decide import visible_prompt, visible_resource, visible_tool
from policies.facts import Tool
from tests.cases import cases
from tests.policies.engine import compiled, decided, document, judged, one_tool, outcome

ALWAYS: dict[str, Any] = {"conditions": []}
LIMIT = {"counter": "c", "window": "day", "max": 1}
ASKING = LIMIT | {"counter": "a", "over": "require_approval"}


# -- asking --------------------------------------------------------------------


def test_all_that_ask_are_shown_the_entry_first():
    entry = {
        "action": "require_approval",
        "reason": "Stops machines",
        "approve_if": [ALWAYS | {"reason": "Large"}],
        "limits": [ASKING | {"on_deny": "Enough"}],
    }
    every = {"approve_if": [ALWAYS], "limits": [ASKING | {"counter": "b"}]}
    policy = one_tool(entry, all_tools=every)
    decision = decided(policy, used={"a": 1, "b": 1})
    assert (decision.decision, decision.rule) == (
        "require_approval",
        "/tools/t/action",
    )
    assert decision.reason == "Stops machines"
    assert [tuple(ask) for ask in decision.asks] == [
        ("/tools/t/action", "Stops machines"),
        ("/tools/t/approve_if/0", "Large"),
        ("/tools/t/limits/0", "Enough"),
        ("/all_tools/approve_if/0", None),
        ("/all_tools/limits/0", None),
    ]


def test_an_approval_covers_the_rules_that_were_shown():
    policy = one_tool({"action": "require_approval", "approve_if": [ALWAYS]})
    assert outcome(policy, waived=frozenset({"/tools/t/action"})) == (
        "require_approval",
        "/tools/t/approve_if/0",
    )
    both = frozenset({"/tools/t/action", "/tools/t/approve_if/0"})
    assert outcome(policy, waived=both) == ("allow", None)


def test_a_waived_limit_counts_and_does_not_ask():
    policy = one_tool({"limits": [ASKING]})
    waived = frozenset({"/tools/t/limits/0"})
    judgement = judged(policy, waived=waived)
    assert judgement.mode == "reserve"
    assert judgement.waived == waived
    assert judgement.settle([True], ()).decision == "allow"
    assert judged(policy).waived == frozenset()


def test_no_waiver_lifts_a_limit_that_denies():
    policy = one_tool({"limits": [LIMIT]})
    waived = frozenset({"/tools/t/limits/0"})
    judgement = judged(policy, waived=waived)
    assert judgement.waived == frozenset()
    assert judgement.settle([True], ()).decision == "limit"


def test_nothing_is_reserved_for_a_call_that_cannot_run():
    limited = {"limits": [LIMIT]}
    assert judged(one_tool(limited)).mode == "reserve"
    assert judged(one_tool(limited | {"approve_if": [ALWAYS]})).mode == "peek"
    bad = {"limits": [LIMIT, LIMIT | {"counter": "s", "sum": "args.n"}]}
    judgement = judged(one_tool(bad))
    assert judgement.mode == "peek"
    assert [use.rule for use in judgement.uses] == ["/tools/t/limits/0"]
    assert judgement.bad is not None
    assert judgement.bad.rule == "/tools/t/limits/1"


def test_reasons_come_with_the_decision():
    entry = {"limits": [LIMIT | {"on_deny": "Once a day."}]}
    assert decided(one_tool(entry), used={"c": 1}).reason == "Once a day."
    entry = {"deny_if": [ALWAYS | {"on_deny": "No."}]}
    assert decided(one_tool(entry)).reason == "No."


# -- break-glass ---------------------------------------------------------------


@cases(
    "keys",
    [
        {"hide": ["t"], "tools": {"t": {}}},
        {},
        {"tools": {"t": {"action": "deny"}}},
        {"tools": {"t": {"require": [{"path": "args.a", "op": "exists"}]}}},
        {"tools": {"t": {"action": "require_approval"}}},
        {"tools": {"t": {"limits": [ASKING]}}},
    ],
)
def test_break_glass_opens(keys):
    policy = compiled(document(**keys))
    assert decided(policy, used={"a": 1}).decision != "allow"
    opened = decided(policy, used={"a": 1}, break_glass="7")
    assert (opened.decision, opened.rule) == ("allow", "(break-glass 7)")


def test_break_glass_opens_a_held_tool():
    held = Tool("t", held=True)
    assert outcome(one_tool({}), tool=held) == ("deny", "(changed tool)")
    assert outcome(one_tool({}), tool=held, break_glass="7")[0] == "allow"


def test_break_glass_leaves_standing():
    policy = one_tool({"limits": [LIMIT]}, validate_arguments=True)
    schema = Tool("t", {"type": "object", "required": ["a"]})
    known = {"break_glass": "7", "tool": schema}
    assert outcome(policy, {}, **known) == ("deny", "(arguments)")
    assert outcome(policy, {"a": 1}, used={"c": 1}, **known)[0] == "limit"
    assert outcome(policy, {"a": 1}, **known, killed=True) == ("deny", "(killed)")
    assert outcome(policy, break_glass="7", tool=None) == ("hide", "(unknown tool)")


# -- watch ---------------------------------------------------------------------


def test_watched_limits_have_counters_of_their_own():
    entry = {"limits": [LIMIT | {"mode": "watch"}, LIMIT]}
    judgement = judged(one_tool(entry))
    assert [(use.rule, use.watched) for use in judgement.uses] == [
        ("/tools/t/limits/1", False)
    ]
    assert [(use.rule, use.watched) for use in judgement.watched_uses] == [
        ("/tools/t/limits/0", True)
    ]
    decision = judgement.settle([False], [True])
    assert decision.decision == "allow"
    assert decision.would is not None
    assert decision.would.rule == "/tools/t/limits/0"


def test_a_decided_call_waits_for_its_watched_counters_only_for_would():
    entry = {"deny_if": [ALWAYS], "limits": [LIMIT | {"mode": "watch"}]}
    judgement = judged(one_tool(entry))
    assert judgement.decided is not None
    assert judgement.uses == ()
    settled = judgement.settle((), [True])
    assert (settled.decision, settled.would and settled.would.decision) == (
        "deny",
        "limit",
    )


def test_a_decided_call_without_watched_counters_carries_would():
    entry = {"deny_if": [ALWAYS, ALWAYS | {"mode": "watch"}]}
    decision = judged(one_tool(entry)).decided
    assert decision is not None
    assert decision.would is not None
    assert decision.would.rule == "/tools/t/deny_if/1"


def test_a_watched_rule_that_reads_too_much_denies_nothing():
    rule = {"path": "args.n[*]", "op": "gt", "value": 0, "mode": "watch"}
    decision = decided(one_tool({"require": [rule]}), {"n": [1] * 10_001})
    assert decision.decision == "allow"
    assert decision.would is not None
    assert decision.would.rule == "(too large)"


# -- bounds --------------------------------------------------------------------


@cases(("op", "path"), [("gt", "args.n[*]"), ("contains", "args.n")])
@cases("length", [10_000, 10_001])
def test_ten_thousand_values(op, path, length):
    condition = {"path": path, "op": op, "value": 0}
    policy = one_tool({"deny_if": [{"conditions": [condition]}]})
    wanted = ("deny", "(too large)") if length > 10_000 else ("allow", None)
    assert outcome(policy, {"n": [-1] * length}) == wanted


def test_four_mebibytes_under_regexes():
    condition = {"path": "args.s", "op": "regex", "value": "x$"}
    rules = [{"conditions": [condition]}] * 5
    mebibyte = "a" * 2**20
    four = one_tool({"deny_if": rules[:4]})
    assert outcome(four, {"s": mebibyte}) == ("allow", None)
    assert outcome(four, {"s": "é" * 2**19}) == ("allow", None)
    five = one_tool({"deny_if": rules})
    assert outcome(five, {"s": mebibyte}) == ("deny", "(too large)")


def test_a_full_limit_comes_before_an_approval_rule_that_reads_too_much():
    condition = {"path": "args.n[*]", "op": "gt", "value": 0}
    entry = {"limits": [LIMIT], "approve_if": [{"conditions": [condition]}]}
    args = {"n": [1] * 10_001}
    assert outcome(one_tool(entry), args, used={"c": 1}) == (
        "limit",
        "/tools/t/limits/0",
    )
    assert outcome(one_tool(entry), args) == ("deny", "(too large)")


def test_a_sum_that_reads_too_much():
    entry = {"limits": [LIMIT | {"sum": "args.n[*]"}]}
    assert outcome(one_tool(entry), {"n": [0] * 10_001}) == ("deny", "(too large)")


@pytest.mark.parametrize(("keys", "rule"), [(60_000, None), (70_000, "(too large)")])
def test_keys_of_one_object(keys, rule):
    condition = {"path": "args.a", "op": "exists"}
    policy = one_tool({"deny_if": [{"conditions": [condition]}]})
    assert outcome(policy, {f"k{i}": 1 for i in range(keys)})[1] == rule


@cases(
    ("args", "decision"),
    [
        ({"a": 1, "b": 1, "B": 2}, "allow"),
        ({"a": 1, "A": 1, "b": 1, "B": 2}, "deny"),
        ({"A": 1, "b": 1, "B": 2}, "deny"),
    ],
)
def test_twins_beside_other_twins(args, decision):
    policy = one_tool({"require": [{"path": "args.a", "op": "eq", "value": 1}]})
    assert outcome(policy, args)[0] == decision


# -- values --------------------------------------------------------------------


@cases(
    ("one", "other", "same"),
    [
        ("5", "5.0", True),
        ("5", "5e0", True),
        ("-0", "0.0", True),
        ("5", '"5"', False),
        ("1", "true", False),
        ('"true"', "true", False),
        ('"a"', '"A"', False),
    ],
)
def test_by_keeps_the_type_and_not_the_writing(one, other, same):
    policy = one_tool({"limits": [LIMIT | {"by": "args.k"}]})
    parts = []
    for value in (one, other):
        args = from_json(f'{{"k":{value}}}'.encode(), float_mode="lossless-float")
        [use] = judged(policy, args).uses
        parts.append(use.by)
    assert len(parts[0] or b"") == 16
    assert (parts[0] == parts[1]) == same


@cases(
    ("value", "millionths"),
    [
        ("0", 0),
        ("-0.0", 0),
        ("0.1", 100_000),
        ("1e3", 10**9),
        ("1E-6", 1),
        ("4000000000.000001", 4_000_000_000_000_001),
        ("8999999999", 8_999_999_999_000_000),
        ("8999999999.999999", None),  # its double is written ...998
        ("1e-7", None),
        ("-0.000001", None),
        ("9e9", None),
        ("1e300", None),
        ("1e400", None),
    ],
)
def test_sums_in_millionths(value, millionths):
    policy = one_tool({"limits": [LIMIT | {"sum": "args.n"}]})
    args = from_json(f'{{"n":{value}}}'.encode(), float_mode="lossless-float")
    judgement = judged(policy, args)
    assert [use.amount for use in judgement.uses] == (
        [] if millionths is None else [millionths]
    )
    assert (judgement.bad is None) == (millionths is not None)


def test_elements_add_up_below_the_bound_together():
    policy = one_tool({"limits": [LIMIT | {"sum": "args.n[*]", "max": 9e9}]})
    assert outcome(policy, {"n": [4.5e9, 4.4e9]}) == ("allow", None)
    assert outcome(policy, {"n": [4.5e9, 4.5e9]}) == ("deny", "/tools/t/limits/0")


def test_integers_that_no_double_is():
    """10**23 is what its double is written as; 2**70 is not."""
    policy = one_tool({"require": [{"path": "args.n", "op": "gt", "value": 1}]})
    assert outcome(policy, {"n": 10**23}) == ("allow", None)
    assert outcome(policy, {"n": 2**70})[0] == "deny"
    assert outcome(policy, {"n": 10**400})[0] == "deny"
    equal = one_tool({"require": [{"path": "args.n", "op": "eq", "value": 1e23}]})
    assert outcome(equal, {"n": 10**23}) == ("allow", None)


# -- resources, prompts, lists ---------------------------------------------------


def test_lists_show_what_is_named_and_not_hidden():
    tools = {"a": {}, "b": {"action": "deny"}, "c": {}}
    policy = compiled(document(tools=tools, hide=["c"]))
    seen = {name: visible_tool(policy, name, Tool(name)) for name in "abcd"}
    assert seen == {"a": True, "b": True, "c": False, "d": False}
    assert not visible_tool(policy, "a", Tool("a", held=True))
    assert not visible_tool(None, "a", Tool("a"))


def test_lists_of_resources_and_prompts():
    section = {"allow": ["file:///a*"], "deny": ["file:///ad"], "hide": ["file:///ah"]}
    prompts = {"default": "allow", "hide": ["x*"]}
    policy = compiled(document(resources=section, prompts=prompts))
    uris = ["file:///a", "file:///ad", "file:///ah", "file:///b", "file:///%zz"]
    assert [visible_resource(policy, uri) for uri in uris] == [
        True,
        True,
        False,
        False,
        False,
    ]
    assert [visible_prompt(policy, name) for name in ("p", "x1")] == [True, False]
    assert not visible_resource(None, "file:///a")
    assert not visible_prompt(None, "p")


def test_names_are_remembered_in_bounded_room():
    policy = compiled(document(tools={"*": {}}))
    for index in range(5000):
        policy.resolve(f"t{index}")
    policy.resolve("n" * 300)
    assert len(policy._resolved) <= 4096
    assert "n" * 300 not in policy._resolved


def test_entry_digest_follows_the_entry_and_all_tools_only():
    entries = {"t": {"reason": "x"}, "u": {}}
    policy = compiled(document(tools=entries))
    same = compiled(document(tools=entries | {"u": {"action": "deny"}}, mode="watch"))
    every = compiled(document(tools=entries, all_tools={}))
    assert policy.entry_digest("t") == same.entry_digest("t")
    assert policy.entry_digest("u") != same.entry_digest("u")
    assert policy.entry_digest("t") != every.entry_digest("t")


@cases("full", [(), (False, False), (True, False)])
def test_a_reply_about_another_number_of_limits_settles_nothing(full):
    judgement = judged(one_tool({"rate_limit": "5/minute"}))
    with pytest.raises(ValueError):
        judgement.settle(full, ())

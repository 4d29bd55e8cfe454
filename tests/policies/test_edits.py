from __future__ import annotations

import json
from functools import lru_cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policies.compile import compile_document
from policies.document import parse
from policies.edits import CHOICES, Change, choose, choose_all, chosen, set_default
from policies.effects import Pace, effect_of
from policies.splice import NotEditable

SPEC = """{
  "version": "1",
  "default": "deny",
  "hide": ["delete_*", "secret"],
  "tools": {
    "list_charges": {},
    "create_refund": {
      "require": [{"path": "args.currency", "op": "in", "value": ["usd",   "eur"]}],
      "limits": [{"counter": "r", "window": "day", "max": 1, "sum": "args.amount"}]
    },
    "get_*": {"rate_limit": "5/minute",
      "require": [{"path": "args.a", "op": "exists"}]},
    "poll": {"limits": [{"counter": "p", "window": "minute", "max": 3}]},
    "drop_table": {"action": "deny", "reason": "Never from an agent"},
    "a\\\\*b": {"action": "require_approval"}
  }
}
"""


def after(tool, choice, pace=None, text=SPEC):
    return choose(text, Change(tool, choice, pace))


def alone(tool, choice, text=SPEC):
    return choose(text, Change(tool, choice, alone=True))


@lru_cache(100)
def compiled(text):
    return compile_document(parse(text))


def effect(text, tool):
    return effect_of(compiled(text), tool)


@pytest.mark.parametrize(
    ("tool", "choice", "pace", "old", "new"),
    [
        ("list_charges", "deny", None, "{},", '{"action": "deny"},'),
        ("list_charges", "ask", None, "{},", '{"action": "require_approval"},'),
        ("list_charges", "limit", None, "{},", '{"rate_limit": "10/minute"},'),
        ("list_charges", "limit", Pace(2, "day"), "{},", '{"rate_limit": "2/day"},'),
        ("poll", "limit", Pace(9, "hour"), '"minute", "max": 3', '"hour", "max": 9'),
        (
            "poll",
            "allow",
            None,
            '{"limits": [{"counter": "p", "window": "minute", "max": 3}]}',
            "{}",
        ),
        (
            "drop_table",
            "allow",
            None,
            '{"action": "deny", "reason": "Never from an agent"}',
            "{}",
        ),
        ("drop_table", "ask", None, '"deny", "reason"', '"require_approval", "reason"'),
        ("a*b", "deny", None, '"require_approval"', '"deny"'),
        ("secret", "unnamed", None, ', "secret"', ""),
        ("list_charges", "hide", None, '"secret"', '"secret", "list_charges"'),
        ("x*y", "hide", None, '"secret"', '"secret", "x\\\\*y"'),
        ("list_charges", "unnamed", None, '"list_charges": {},\n    ', ""),
    ],
)
def test_a_choice_changes_one_place_of_the_text(tool, choice, pace, old, new):
    assert SPEC.count(old) == 1
    changed = after(tool, choice, pace)
    assert changed == SPEC.replace(old, new)
    assert chosen(effect(changed, tool)) == choice


def test_a_new_tool_stands_at_the_end_of_the_entries():
    changed = after("brand_new", "limit", Pace(7, "hour"))
    assert '\n    "brand_new": {"rate_limit": "7/hour"}\n  }\n}\n' in changed


def test_a_globs_rules_still_hold_for_the_tool_that_leaves_it():
    changed = after("get_one", "deny")
    own = json.loads(changed)["tools"]["get_one"]
    assert own["require"] == [{"path": "args.a", "op": "exists"}]
    assert own["action"] == "deny"
    assert effect(changed, "get_two") == effect(SPEC, "get_two")


def test_rules_are_never_discarded():
    changed = choose_all(
        SPEC, [Change("create_refund", c) for c in ("deny", "limit", "ask", "allow")]
    )
    rules = json.loads(changed)["tools"]["create_refund"]
    assert rules == json.loads(SPEC)["tools"]["create_refund"]
    with pytest.raises(NotEditable, match="has rules"):
        after("create_refund", "unnamed")


def test_what_a_glob_hides_is_not_shown_by_touching_the_glob():
    with pytest.raises(NotEditable, match="delete_"):
        after("delete_customer", "allow")


def test_a_name_too_long_for_a_key_is_refused():
    with pytest.raises(NotEditable, match="128"):
        after("x" * 129, "deny")
    assert chosen(effect(after("x" * 128, "deny"), "x" * 128)) == "deny"


def test_choosing_what_is_there_changes_nothing():
    for tool in ("list_charges", "get_one", "poll", "drop_table", "secret", "nobody"):
        assert after(tool, chosen(effect(SPEC, tool))) == SPEC


def test_the_default_changes_in_its_place():
    assert set_default(SPEC, "allow") == SPEC.replace('"deny",\n  "h', '"allow",\n  "h')


TOOLS = ["list_charges", "create_refund", "get_one", "secret", "new*one", "a*b", "ü/~"]


@settings(deadline=None, max_examples=60)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(TOOLS),
            st.sampled_from(CHOICES),
            st.sampled_from([Pace(1, "minute"), Pace(30, "month")]),
        ),
        max_size=8,
    )
)
def test_every_choice_reads_back_as_chosen_and_touches_no_other_tool(choices):
    text = SPEC
    for tool, choice, pace in choices:
        before = {name: effect(text, name) for name in TOOLS}
        try:
            text = choose(text, Change(tool, choice, pace))
        except NotEditable:
            assert choice == "unnamed"
            continue
        for name in TOOLS:
            now = effect(text, name)
            if name == tool:
                assert chosen(now) == choice
                assert choice != "limit" or now.pace == pace
            else:
                assert (now.state, now.data) == (before[name].state, before[name].data)


SELF = '{"action": "require_approval", "approval": {"self_approval": true}}'


def test_where_nobody_else_could_decide_asking_allows_self_approval():
    asks = alone("list_charges", "ask")

    assert asks == SPEC.replace('"list_charges": {}', f'"list_charges": {SELF}')
    assert effect(asks, "list_charges").state == "ask"


@pytest.mark.parametrize("choice", ["allow", "deny", "limit"])
def test_what_asking_wrote_goes_with_it(choice):
    asks = alone("list_charges", "ask")

    assert alone("list_charges", choice, asks) == alone("list_charges", choice)


@pytest.mark.parametrize(
    "kept",
    [
        '"approval": {"quorum": 2}',
        '"approval": {"self_approval": true, "quorum": 1}',
        '"approval": {"self_approval": true}, "approve_if": [{"conditions": []}]',
    ],
)
def test_an_approval_that_a_person_wrote_stays(kept):
    text = SPEC.replace('"list_charges": {}', f'"list_charges": {{{kept}}}')

    asks = alone("list_charges", "ask", text)

    assert kept in asks
    assert kept in alone("list_charges", "deny", asks)

"""Calls well below and well past what deciding may read, on both evaluators."""

from __future__ import annotations

import json

from tests.cases import cases
from tests.policies.reference.decide import decide
from tests.policies.reference.engine import Engine
from tests.policies.reference.exact import load
from tests.policies.reference.vectors import reference_case

TOO_LARGE = ("deny", "(too large)", None)
MEBIBYTE = 1024 * 1024


def entry(path, op, value, kind="deny_if"):
    condition = {"path": path, "op": op, "value": value}
    return {kind: [condition if kind == "require" else {"conditions": [condition]}]}


def summing(**more):
    limit = {"counter": "c", "window": "day", "max": 10**9, "sum": "args.n[*]"}
    return {"limits": [limit | more]}


ENTRIES = {
    "elements": (entry("args.n[*]", "lt", 0), {"n": [1] * 5000}, {"n": [1] * 20_000}),
    "elements of lists": (
        entry("args.n[*][*]", "neq", 1, "require"),
        {"n": [[1] * 50] * 50},
        {"n": [[1] * 150] * 150},
    ),
    "wrong elements": (
        entry("args.n[*].v", "exists", True),
        {"n": [1] * 5000},
        {"n": [1] * 20_000},
    ),
    "contained": (
        entry("args.n", "contains", 5),
        {"n": [1] * 5000},
        {"n": [1] * 20_000},
    ),
    "one after another": (
        {"deny_if": [entry("args.n[*]", "lt", 0)["deny_if"][0]] * 4},
        {"n": [1] * 2000},
        {"n": [1] * 5000},
    ),
    "asking": (
        entry("args.n[*]", "lt", 0, "approve_if"),
        {"n": [1] * 5000},
        {"n": [1] * 20_000},
    ),
    "summed": (summing(), {"n": [1] * 5000}, {"n": [1] * 20_000}),
    "text": (
        entry("args.s", "regex", "x$"),
        {"s": "é" * MEBIBYTE},
        {"s": "é" * 3 * MEBIBYTE},
    ),
}


@cases("what", ENTRIES)
def test_past_a_bound_is_denied_and_below_it_is_not(what):
    rules, small, large = ENTRIES[what]
    document = {"version": "1", "default": "deny", "tools": {"t": rules}}
    assert TOO_LARGE not in answers(document, small)
    assert answers(document, large) == [TOO_LARGE, TOO_LARGE]


def test_watched_parts_past_a_bound_stop_nothing():
    rules = entry("args.n[*]", "lt", 0) | {"mode": "watch"}
    document = {"version": "1", "default": "deny", "tools": {"t": rules}}
    wanted = ("allow", None, ("deny", "(too large)"))
    assert answers(document, {"n": [1] * 20_000}) == [wanted, wanted]


def answers(document, args):
    text, engine = json.dumps(document), Engine()
    case = {"call": {"tool": "t", "args": args}}
    reference = decide(reference_case(case, load(text)))
    return [reference, engine.answer(engine.compiled(text), case)]

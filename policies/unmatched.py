"""Conditions that no call can meet, alone or together."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import Any

from policies.entry_checks import ROLES
from policies.rule_views import Leaf

CATEGORIES = ("Read", "Write", "Execute", "Destructive", "Financial", "Other")
SEVERITIES = ("low", "medium", "high", "critical")

_WORDS: dict[str, Sequence[object]] = {
    "user.role": ROLES,
    "tool.category": CATEGORIES,
    "tool.severity": SEVERITIES,
}
_RANGES = {"time.hour": (0, 23), "time.weekday": (1, 7)}


def impossible(leaves: Sequence[Leaf]) -> str | None:
    """Why conditions that must all hold never do, as far as can be told."""
    for leaf in leaves:
        reason = _alone(leaf)
        if reason:
            return reason
    for one, other in combinations(leaves, 2):
        same = one.path.text == other.path.text and not one.path.starred
        if same and (_clash(one, other) or _clash(other, one)):
            return f"{one.path.text} cannot meet both conditions on it"
    return None


def _alone(leaf: Leaf) -> str | None:
    root = leaf.path.text
    values = leaf.value if leaf.op == "in" else [leaf.value]
    if leaf.op in ("eq", "in"):
        if root in _WORDS and not any(value in _WORDS[root] for value in values):
            known = ", ".join(map(str, _WORDS[root]))
            return f"{root} is only ever one of {known}"
        if root in _RANGES and not any(_in_range(root, value) for value in values):
            low, high = _RANGES[root]
            return f"{root} is only ever {low} to {high}"
    if leaf.op == "len_lt" and leaf.value == 0:
        return "no length is below 0"
    return _beyond(leaf)


def _in_range(root: str, value: Any) -> bool:
    low, high = _RANGES[root]
    return not isinstance(value, str) and low <= value <= high


def _beyond(leaf: Leaf) -> str | None:
    if leaf.path.text not in _RANGES or isinstance(leaf.value, str | list):
        return None
    low, high = _RANGES[leaf.path.text]
    never = {
        "lt": leaf.value <= low,
        "lte": leaf.value < low,
        "gt": leaf.value >= high,
        "gte": leaf.value > high,
    }
    if never.get(leaf.op):
        return f"{leaf.path.text} is only ever {low} to {high}"
    return None


def _clash(one: Leaf, other: Leaf) -> bool:
    a, b = one.value, other.value
    pair = (one.op, other.op)
    if pair == ("exists", "exists"):
        return bool(a) != bool(b)
    if one.op == "exists":
        return a is False and other.passes_when_absent()
    if pair == ("eq", "eq"):
        return type(a) is type(b) and a != b
    if pair == ("eq", "in"):
        return a not in b
    if type(a) is not type(b) and isinstance(a, str) != isinstance(b, str):
        return False
    return _empty_range(pair, a, b)


def _empty_range(pair: tuple[str, str], a: Any, b: Any) -> bool:
    if pair in (("gt", "lt"), ("gt", "lte"), ("gte", "lt"), ("eq", "lt"), ("gt", "eq")):
        return bool(a >= b)
    if pair in (("gte", "lte"), ("eq", "lte"), ("gte", "eq")):
        return bool(a > b)
    if pair == ("len_gt", "len_lt"):
        return bool(b - a <= 1)
    return False

"""The rules of an entry in words, each with the pointer of its place. Pure."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Data = Mapping[str, Any]

LONGEST = 120
OPERATORS = {
    "eq": "is",
    "neq": "is not",
    "in": "is one of",
    "not_in": "is none of",
    "lt": "<",
    "lte": "≤",
    "gt": ">",
    "gte": "≥",
    "regex": "matches",
    "contains": "contains",
    "starts_with": "begins with",
    "ends_with": "ends with",
    "len_lt": "has a length <",
    "len_gt": "has a length >",
}
PERIODS = {
    "minute": "a minute",
    "hour": "an hour",
    "day": "a day",
    "month": "a month",
}


@dataclass(frozen=True, slots=True)
class Rule:
    pointer: str
    words: str


def rules_of(entry: Data, pointer: str, shown: bool = False) -> tuple[Rule, ...]:
    """`shown`: the entry's only plain limit stands in the table already."""
    found: list[Rule] = []
    for kind, say in SAYINGS.items():
        if kind in ("limits", "rate_limit") and shown and _only(entry, kind):
            continue
        found.extend(_said(entry, pointer, kind, say))
    return tuple(found)


def _only(entry: Data, kind: str) -> bool:
    return kind == "rate_limit" or "rate_limit" not in entry and len(entry[kind]) == 1


def _said(
    entry: Data, pointer: str, kind: str, say: Callable[[Any], str]
) -> Iterator[Rule]:
    written = entry.get(kind)
    if written is None:
        return
    if isinstance(written, list):
        for index, rule in enumerate(written):
            yield Rule(f"{pointer}/{kind}/{index}", _cut(_watched(rule, say(rule))))
    else:
        yield Rule(f"{pointer}/{kind}", _cut(say(written)))


def _watched(rule: Any, words: str) -> str:
    return f"{words} (watched)" if rule.get("mode") == "watch" else words


def condition_words(condition: Data) -> str:
    for group, joint in (("any", " or "), ("all", " and ")):
        if group in condition:
            return f"({joint.join(map(condition_words, condition[group]))})"
    if "not" in condition:
        return f"not ({condition_words(condition['not'])})"
    path, operator = condition["path"], condition["op"]
    if operator == "exists":
        there = condition.get("value", True)
        return f"{path} is {'there' if there else 'absent'}"
    return f"{path} {OPERATORS[operator]} {_value(condition['value'])}"


def _value(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(_value, value))
    return json.dumps(value, ensure_ascii=False)


def _all(conditions: list[Data]) -> str:
    return " and ".join(map(condition_words, conditions)) or "always"


def _limit(limit: Data) -> str:
    what = f"{limit['sum']} adds up to " if "sum" in limit else ""
    most = limit["max"]
    number = f"{most:,}" if isinstance(most, int) else str(most)
    window = limit["window"]
    period = PERIODS[window] if isinstance(window, str) else f"in {window:,} s"
    words = f"{what}at most {number} {period}"
    if "by" in limit:
        words += f" for each {limit['by']}"
    if limit.get("scope", "grant") != "grant":
        words += f", over the whole {limit['scope']}"
    return words + (", then asks" if limit.get("over") == "require_approval" else "")


def _rate(rate: Any) -> str:
    if isinstance(rate, str):
        most, window = rate.split("/")
        return f"at most {most} {PERIODS[window]}"
    return _limit(rate)


SAYINGS: Mapping[str, Callable[[Any], str]] = {
    "require": lambda rule: f"requires {condition_words(rule)}",
    "deny_if": lambda rule: f"denied if {_all(rule['conditions'])}",
    "approve_if": lambda rule: f"asks if {_all(rule['conditions'])}",
    "limits": _limit,
    "rate_limit": _rate,
    "approval": lambda approval: "says who approves",
    "mode": lambda mode: "watched, not enforced" if mode == "watch" else "enforced",
}


def _cut(words: str) -> str:
    return words if len(words) <= LONGEST else f"{words[: LONGEST - 1]}…"

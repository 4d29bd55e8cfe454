"""Conditions: true, false or unsure.

Every condition of a rule is looked at, whatever the others said; `seen` is told
what each met, so that a test can count which cells it has covered.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal
from functools import cache
from typing import Any

import re2

from tests.policies.reference.exact import Number
from tests.policies.reference.paths import EACH, parse_path

TRUE, FALSE, UNSURE = "true", "false", "unsure"
OPPOSITE = {TRUE: FALSE, FALSE: TRUE, UNSURE: UNSURE}
ORDERED = {"lt", "lte", "gt", "gte"}
COMPARING = {"eq", "neq", "in", "not_in", *ORDERED}
MOST_VALUES = 10_000
MOST_REGEX_BYTES = 4 * 1024 * 1024


class TooLarge(Exception):
    """More values, or more text under regexes, than deciding may read."""


class Reading:
    """What one decision has read so far, and who wants to know."""

    def __init__(self, seen: Callable[..., None] | None = None) -> None:
        self.values = 0
        self.regex_bytes = 0
        self.seen = seen

    def value(self, count: int = 1) -> None:
        self.values += count
        if self.values > MOST_VALUES:
            raise TooLarge

    def regex(self, text: str) -> None:
        self.regex_bytes += len(text.encode())
        if self.regex_bytes > MOST_REGEX_BYTES:
            raise TooLarge


def truth(
    condition: dict[str, Any], roots: dict[str, Any], requiring: bool, reading: Reading
) -> str:
    if "path" in condition:
        root, steps = root_and_steps(condition["path"])
        return along(condition, requiring, reading, roots[root], steps)
    if "any" in condition:
        return any_of([truth(c, roots, requiring, reading) for c in condition["any"]])
    if "all" in condition:
        return all_of([truth(c, roots, requiring, reading) for c in condition["all"]])
    return OPPOSITE[truth(condition["not"], roots, requiring, reading)]


@cache
def root_and_steps(path: str) -> tuple[Any, list[Any]]:
    root, *steps = parse_path(path)
    return root, steps


def all_of(results: list[str]) -> str:
    if FALSE in results:
        return FALSE
    return UNSURE if UNSURE in results else TRUE


def any_of(results: list[str]) -> str:
    if TRUE in results:
        return TRUE
    return UNSURE if UNSURE in results else FALSE


def each_of(results: list[str]) -> str:
    if set(results) == {TRUE}:
        return TRUE
    return FALSE if set(results) == {FALSE} else UNSURE


def yes(answer: bool) -> str:
    return TRUE if answer else FALSE


def along(
    condition: dict[str, Any],
    requiring: bool,
    reading: Reading,
    value: Any,
    steps: list[Any],
) -> str:
    """One condition with a path, against what lies along its steps."""
    for taken, step in enumerate(steps, 1):
        if value is None:
            return absent(condition, requiring, reading, "step into null")
        if isinstance(step, str):
            if not isinstance(value, dict):
                return met(condition, reading, "step into wrong type", UNSURE)
            if has_twin(value, step):
                return met(condition, reading, "case twin", UNSURE)
            if step not in value:
                return absent(condition, requiring, reading, "missing key")
        elif not isinstance(value, list):
            return met(condition, reading, "step into wrong type", UNSURE)
        elif step is EACH:
            if not value:
                return absent(condition, requiring, reading, "empty list")
            rest = steps[taken:]
            return each_of(
                [along(condition, requiring, reading, e, rest) for e in value]
            )
        elif step >= len(value):
            return absent(condition, requiring, reading, "past the end")
        value = value[step]
    if value is None:
        return absent(condition, requiring, reading, "null")
    return present(condition, reading, value)


def absent(
    condition: dict[str, Any], requiring: bool, reading: Reading, how: str
) -> str:
    if condition["op"] == "exists":
        result = yes(condition.get("value", True) is False)
    elif requiring:
        result = UNSURE
    elif condition.get("if_absent") == "match":
        result = TRUE
    else:
        result = yes(condition["op"] in ("neq", "not_in"))
    return met(condition, reading, how, result)


def present(condition: dict[str, Any], reading: Reading, value: Any) -> str:
    if condition["op"] == "contains" and isinstance(value, list):
        reading.value(len(value))
    if condition["op"] == "regex" and isinstance(value, str):
        reading.regex(value)
    return met(condition, reading, kind_of(value), compare(condition, value))


def met(condition: dict[str, Any], reading: Reading, how: str, result: str) -> str:
    reading.value()
    if reading.seen:
        reading.seen((id(condition), how, result))
    return result


def has_twin(value: dict[str, Any], key: str) -> bool:
    """Another key of the object is equal but for case."""
    if len(value) == (key in value):
        return False
    alike = list(map(str.casefold, value)).count(key.casefold())
    return alike > (key in value)


def kind_of(value: Any) -> str:
    """The JSON type, with `inexact` for a number that a double would change."""
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, str):
        return "string"
    if isinstance(value, Number):
        return "number" if value.value is not None else "inexact"
    return "list" if isinstance(value, list) else "object"


def compare(condition: dict[str, Any], value: Any) -> str:
    op, rule = condition["op"], condition.get("value", True)
    if op == "exists":
        return yes(rule)
    if op in COMPARING:
        decimal = condition.get("as") == "decimal"
        if op in ORDERED:
            return in_order(op, rule, value, decimal)
        rules = rule if op in ("in", "not_in") else [rule]
        return equal_to_one(rules, value, op in ("eq", "in"), decimal)
    if op == "contains":
        return contained(rule, value)
    if op in ("len_lt", "len_gt"):
        return length(op, rule, value)
    if not isinstance(value, str):
        return UNSURE
    if op == "starts_with":
        return yes(value.startswith(rule))
    if op == "ends_with":
        return yes(value.endswith(rule))
    return yes(regex(rule).search(value) is not None)


@cache
def regex(pattern: str) -> Any:
    return re2.compile(pattern)


def scalar(value: Any, decimal: bool = False) -> tuple[str, Any] | None:
    """The type and the value to compare; None for the wrong type."""
    if isinstance(value, bool):
        return "boolean", value
    if isinstance(value, Number):
        return None if value.value is None else ("number", value.value)
    if isinstance(value, str):
        if not decimal:
            return "string", value
        if re.fullmatch(r"-?[0-9]+(\.[0-9]+)?", value):
            return "number", Decimal(value)
    return None


def equal_to_one(rules: list[Any], value: Any, positive: bool, decimal: bool) -> str:
    got = scalar(value, decimal)
    if got is None:
        return UNSURE
    wanted = [scalar(rule, decimal) for rule in rules]
    if got[0] not in [want[0] for want in wanted if want]:
        return UNSURE
    return yes((got in wanted) == positive)


def in_order(op: str, rule: Any, value: Any, decimal: bool) -> str:
    got, want = scalar(value, decimal), scalar(rule, decimal)
    if got is None or want is None or got[0] != want[0]:
        return UNSURE
    left, right = got[1], want[1]
    if op == "lt":
        return yes(left < right)
    if op == "lte":
        return yes(left <= right)
    return yes(left > right) if op == "gt" else yes(left >= right)


def contained(rule: Any, value: Any) -> str:
    want = scalar(rule)
    assert want
    if isinstance(value, str):
        return yes(rule in value) if want[0] == "string" else UNSURE
    if not isinstance(value, list):
        return UNSURE
    got = [scalar(element) for element in value]
    if want in got:
        return TRUE
    return FALSE if all(g is not None and g[0] == want[0] for g in got) else UNSURE


def length(op: str, rule: Number, value: Any) -> str:
    if not isinstance(value, str | list | dict):
        return UNSURE
    assert rule.value is not None
    return yes(len(value) < rule.value if op == "len_lt" else len(value) > rule.value)

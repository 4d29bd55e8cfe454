"""Checks of conditions and groups."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial

import re2

from policies.checks import (
    Check,
    anything,
    expect,
    hint,
    is_whole,
    kind_of,
    members,
    one_of,
    shown,
    text,
)
from policies.conditions import DECIMAL_OPERATORS, OPERATORS
from policies.numbers import DECIMAL_STRING, is_number
from policies.operators import compile_regex
from policies.paths import BadPath, parse_path
from policies.positions import Path, Report

DEEPEST = 4
LONGEST_REGEX = 1024
GROUPS = ("any", "all", "not")

_SCALARS = frozenset({"eq", "neq", "contains"})
_LISTS = frozenset({"in", "not_in"})
_ORDERED = frozenset({"lt", "lte", "gt", "gte"})
_LENGTHS = frozenset({"len_lt", "len_gt"})

_MODE = one_of("enforce", "watch")


@dataclass(frozen=True)
class Where:
    """`extra` are keys besides those of a condition; `level` counts groups."""

    required: bool
    level: int = 0
    under_not: bool = False
    extra: tuple[str, ...] = ()


RULE_KEYS: Mapping[str, Check] = {"on_deny": text, "mode": _MODE}


def check_requirement(report: Report, path: Path, value: object) -> None:
    """An element of `require`."""
    check_condition(report, path, value, Where(True, extra=tuple(RULE_KEYS)))


def check_condition(report: Report, path: Path, value: object, where: Where) -> None:
    if not expect(dict, report, path, value) or not isinstance(value, dict):
        return
    extra = {key: RULE_KEYS[key] for key in where.extra}
    groups = [key for key in GROUPS if key in value]
    if not groups:
        _check_leaf(report, path, value, where, extra)
        return
    inside = replace(
        where,
        level=where.level + 1,
        under_not=where.under_not or "not" in value,
        extra=(),
    )
    if inside.level > DEEPEST:
        report.at(path, f"groups are nested at most {DEEPEST} deep.")
        return
    known: dict[str, Check] = {key: _group_check(key, inside) for key in groups[:1]}
    members(report, path, value, {**known, **extra})


def _group_check(group: str, inside: Where) -> Check:
    check = partial(check_condition, where=inside)
    if group == "not":
        return check

    def check_all(report: Report, path: Path, value: object) -> None:
        if not expect(list, report, path, value) or not isinstance(value, list):
            return
        if not value:
            report.at(path, f"a group must not be empty: {group!r} needs a condition.")
        for index, inner in enumerate(value):
            check(report, (*path, index), inner)

    return check_all


def _check_leaf(
    report: Report,
    path: Path,
    value: dict[str, object],
    where: Where,
    extra: dict[str, Check],
) -> None:
    known = _LEAF | extra if extra else _LEAF
    required = (
        ("path", "op") if value.get("op") == "exists" else ("path", "op", "value")
    )
    members(report, path, value, known, required)
    if "if_absent" in value and (where.required or where.under_not):
        place = "in require" if where.required else "under not"
        report.at_key((*path, "if_absent"), f"if_absent is refused {place}.")
    op = value.get("op")
    if not isinstance(op, str) or op not in OPERATORS:
        return
    if "as" in value and op not in DECIMAL_OPERATORS:
        report.at_key((*path, "as"), f"as does not go with the operator {op!r}.")
    elif "value" in value:
        _check_value(report, (*path, "value"), value["value"], op, "as" in value)


def check_path(report: Report, path: Path, value: object) -> None:
    if expect(str, report, path, value):
        try:
            parse_path(str(value))
        except BadPath as error:
            report.at(path, f"{error}.")


def check_operator(report: Report, path: Path, value: object) -> None:
    if not isinstance(value, str) or value not in OPERATORS:
        clue = hint(value, OPERATORS) if isinstance(value, str) else ""
        known = ", ".join(OPERATORS)
        report.at(path, f"unknown operator {shown(value)}; there is {known}.{clue}")


_LEAF: dict[str, Check] = {
    "path": check_path,
    "op": check_operator,
    "value": anything,
    "if_absent": one_of("match"),
    "as": one_of("decimal"),
}


def _check_value(
    report: Report, path: Path, value: object, op: str, decimal: bool
) -> None:
    if op in _LISTS:
        _check_list(report, path, value, op, decimal)
    elif decimal:
        _check_decimal(report, path, value)
    elif op in _SCALARS:
        _check_kind(report, path, value, op, "a string, a number or a boolean")
    elif op in _ORDERED:
        _check_kind(report, path, value, op, "a string or a number")
    elif op in _LENGTHS:
        _check_length(report, path, value, op)
    elif op == "exists":
        expect(bool, report, path, value)
    elif op == "regex":
        _check_regex(report, path, value)
    elif type(value) is not str:
        report.at(path, f"{op} takes a string, not {kind_of(value)}.")


def _check_list(
    report: Report, path: Path, value: object, op: str, decimal: bool
) -> None:
    if not isinstance(value, list):
        report.at(path, f"{op} takes a list, not {kind_of(value)}.")
        return
    if not value:
        report.at(path, f"the list of {op} must not be empty.")
    for index, element in enumerate(value):
        where = (*path, index)
        if decimal:
            _check_decimal(report, where, element)
        else:
            _check_kind(report, where, element, op, "strings, numbers and booleans")


def _check_kind(report: Report, path: Path, value: object, op: str, kinds: str) -> None:
    ok = type(value) is str or is_number(value)
    if not ok and not (type(value) is bool and "boolean" in kinds):
        report.at(path, f"{op} takes {kinds}, not {kind_of(value)}.")


def _check_decimal(report: Report, path: Path, value: object) -> None:
    if is_number(value):
        return
    if not isinstance(value, str) or not DECIMAL_STRING.fullmatch(value):
        report.at(path, f"with as decimal it must be a number, not {shown(value)}.")


def _check_length(report: Report, path: Path, value: object, op: str) -> None:
    if not is_number(value):
        report.at(path, f"{op} takes a number, not {kind_of(value)}.")
    elif not is_whole(value) or value < 0:  # type: ignore[operator]
        report.at(path, f"{op} takes a whole number, 0 or more.")


def _check_regex(report: Report, path: Path, value: object) -> None:
    if not isinstance(value, str):
        report.at(path, f"regex takes a string, not {kind_of(value)}.")
    elif len(value.encode()) > LONGEST_REGEX:
        report.at(path, f"the regex is longer than {LONGEST_REGEX} bytes.")
    else:
        try:
            compile_regex(value)
        except re2.error as error:
            reason = error.args[0] if error.args else ""
            said = reason.decode() if isinstance(reason, bytes) else str(reason)
            report.at(path, f"bad regex (RE2 has no look-around): {said}.")


def count_conditions(value: object) -> int:
    """Conditions in a condition or group; groups themselves do not count."""
    if not isinstance(value, dict):
        return 0
    inner = [*_inner(value.get("any")), *_inner(value.get("all"))]
    if "not" in value:
        inner.append(value["not"])
    return sum(map(count_conditions, inner)) if inner else 1


def _inner(value: object) -> list[object]:
    return value if isinstance(value, list) else []

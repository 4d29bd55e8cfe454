"""Checks of entries: rules, approval, limits."""

from __future__ import annotations

import re
from functools import partial

from policies.checks import (
    Check,
    boolean,
    duration,
    expect,
    hint,
    list_of,
    members,
    object_of,
    one_of,
    shown,
    text,
    whole,
    word,
)
from policies.condition_checks import (
    Where,
    check_condition,
    check_path,
    check_requirement,
    count_conditions,
)
from policies.limited import LARGEST_MAX, LONGEST_WINDOW, RATE_TEXT, WINDOWS
from policies.numbers import is_number, plain_digits
from policies.paths import BadPath, parse_path
from policies.positions import Path, Report

ROLES = ("owner", "admin", "policy_manager", "approver", "viewer")
MOST_RULES = 100
MOST_CONDITIONS = 20
MOST_LIMITS = 10

_RULE_LISTS = ("require", "deny_if", "approve_if")
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+")
_MODE = one_of("enforce", "watch")
_CONDITION = partial(check_condition, where=Where(required=False))


def _approver(report: Report, path: Path, value: object) -> None:
    if not expect(str, report, path, value) or not isinstance(value, str):
        return
    role = value.removeprefix("role:")
    if role != value and role not in ROLES:
        report.at(path, f"{shown(role)} is no role.{hint(role, ROLES)}")
    elif role == value and not _EMAIL.fullmatch(value):
        clue = f' Did you mean "role:{value}"?' if value in ROLES else ""
        said = f"an approver is role:X or an e-mail address, not {shown(value)}."
        report.at(path, said + clue)


_APPROVERS = list_of(_approver)


def _some_approvers(report: Report, path: Path, value: object) -> None:
    if value == []:
        report.at(path, "approvers must not be empty.")
    _APPROVERS(report, path, value)


_APPROVAL = object_of(
    {
        "approvers": _some_approvers,
        "quorum": whole(1, None, "quorum"),
        "expires_in": duration,
        "use_within": duration,
        "self_approval": boolean,
        "escalate_to": _APPROVERS,
    }
)


def _argument(report: Report, path: Path, value: object) -> None:
    try:
        if isinstance(value, str) and parse_path(value).root != "args":
            report.at(path, f"{path[-1]} reads an argument: {value!r} is none.")
            return
    except BadPath:
        pass
    check_path(report, path, value)


def _by(report: Report, path: Path, value: object) -> None:
    if isinstance(value, str) and "[*]" in value:
        report.at(path, "by takes one value: no [*].")
    _argument(report, path, value)


def _window(report: Report, path: Path, value: object) -> None:
    if isinstance(value, str):
        one_of(*WINDOWS)(report, path, value)
    else:
        whole(1, LONGEST_WINDOW, "window, in seconds,")(report, path, value)


def _limit(report: Report, path: Path, value: object) -> None:
    known: dict[str, Check] = {
        "counter": word,
        "window": _window,
        "max": partial(_max, summed=isinstance(value, dict) and "sum" in value),
        "scope": one_of("grant", "session", "server", "organization"),
        "sum": _argument,
        "as": one_of("decimal"),
        "by": _by,
        "over": one_of("deny", "require_approval"),
        "on_deny": text,
        "mode": _MODE,
    }
    members(report, path, value, known, ("counter", "window", "max"))
    if isinstance(value, dict) and "as" in value and "sum" not in value:
        report.at_key((*path, "as"), "as stands beside a sum.")


def _max(report: Report, path: Path, value: object, summed: bool) -> None:
    if not summed:
        whole(0, LARGEST_MAX, "max")(report, path, value)
    elif not is_number(value):
        report.at(path, f"max must be a number, not {shown(value)}.")
    elif not 0 <= value <= LARGEST_MAX:  # type: ignore[operator]
        report.at(path, f"max must be 0 to {LARGEST_MAX:,}.")
    elif len(plain_digits(value).partition(".")[2].rstrip("0")) > 6:  # type: ignore[arg-type]
        report.at(path, "max has more than 6 decimals.")


def _rate_limit(report: Report, path: Path, value: object) -> None:
    if not isinstance(value, str):
        known = {
            "max": whole(0, LARGEST_MAX, "max"),
            "window": whole(1, LONGEST_WINDOW, "window, in seconds,"),
        }
        members(report, path, value, known, ("max", "window"))
        return
    match = RATE_TEXT.fullmatch(value)
    if match is None or int(match[1]) > LARGEST_MAX:
        units = ", ".join(WINDOWS)
        clue = hint(value.partition("/")[2], tuple(WINDOWS))
        said = f'rate_limit is like "10/minute" ({units}), not {shown(value)}.{clue}'
        report.at(path, said)


limits = list_of(_limit)


def _conditional(says: str) -> Check:
    return object_of(
        {
            "name": text,
            "conditions": list_of(_CONDITION),
            says: text,
            "mode": _MODE,
        },
        "conditions",
    )


ENTRY_KEYS: dict[str, Check] = {
    "action": one_of("allow", "deny", "require_approval"),
    "reason": text,
    "require": list_of(check_requirement),
    "deny_if": list_of(_conditional("on_deny")),
    "approve_if": list_of(_conditional("reason")),
    "approval": _APPROVAL,
    "limits": limits,
    "rate_limit": _rate_limit,
    "mode": _MODE,
}


def entry(report: Report, path: Path, value: object) -> None:
    if not members(report, path, value, ENTRY_KEYS) or not isinstance(value, dict):
        return
    rules = [_rules(value, kind) for kind in _RULE_LISTS]
    if sum(map(len, rules)) > MOST_RULES:
        report.at(path, f"an entry has at most {MOST_RULES} rules.")
    for kind, listed in zip(_RULE_LISTS, rules, strict=True):
        for index, rule in enumerate(listed):
            inner = [rule] if kind == "require" else _conditions(rule)
            if sum(map(count_conditions, inner)) > MOST_CONDITIONS:
                message = f"a rule has at most {MOST_CONDITIONS} conditions."
                report.at((*path, kind, index), message)


def _rules(value: dict[str, object], kind: str) -> list[object]:
    rules = value.get(kind)
    return rules if isinstance(rules, list) else []


def _conditions(rule: object) -> list[object]:
    conditions = rule.get("conditions") if isinstance(rule, dict) else None
    return conditions if isinstance(conditions, list) else []

"""Checks of the tests that a document carries."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime

from policies.checks import (
    Check,
    expect,
    list_of,
    members,
    object_of,
    one_of,
    shown,
    text,
    word,
)
from policies.facts import Kind
from policies.numbers import is_number, millionths, plain_digits
from policies.positions import Path, Report

DECISIONS = ("allow", "deny", "hide", "limit", "require_approval")
SUBJECTS: tuple[Kind, ...] = ("tool", "resource", "prompt")

_INSTANT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?"
    r"([Zz]|[+-][0-9]{2}:[0-9]{2})"
)


class BadInstant(ValueError):
    """No RFC 3339 time."""


def read_instant(written: str) -> datetime:
    """RFC 3339. Raises BadInstant."""
    if not _INSTANT.fullmatch(written):
        raise BadInstant(written)
    try:
        return datetime.fromisoformat(written.upper())
    except ValueError:
        raise BadInstant(written) from None


def instant(report: Report, path: Path, value: object) -> None:
    if expect(str, report, path, value):
        try:
            read_instant(str(value))
        except BadInstant:
            said = "must be an RFC 3339 time such as 2026-01-05T12:00:00Z"
            report.at(path, f"{path[-1]} {said}, not {shown(value)}.")


def an_object(report: Report, path: Path, value: object) -> None:
    expect(dict, report, path, value)


def definition(report: Report, path: Path, value: object) -> None:
    """As `tools/list` gives it; other keys are the server's own."""
    if expect(dict, report, path, value) and isinstance(value, dict):
        for key in ("inputSchema", "annotations"):
            if key in value:
                expect(dict, report, (*path, key), value[key])


def used(report: Report, path: Path, value: object) -> None:
    if not expect(dict, report, path, value) or not isinstance(value, dict):
        return
    for counter, amount in value.items():
        where = (*path, counter)
        if not is_number(amount):
            report.at(where, f"must be a number, not {shown(amount)}.")
        elif type(amount) in (int, float) and millionths(plain_digits(amount)) is None:
            report.at(where, "must be 0 or more, with at most 6 decimals.")


def _rule(report: Report, path: Path, value: object) -> None:
    if value is not None:
        text(report, path, value)


FACTS: Mapping[str, Check] = {
    "grant": object_of({"label": text, "tags": list_of(text)}),
    "user": object_of({"email": text, "role": text}),
    "client": text,
    "definition": definition,
    "used": used,
    "at": instant,
}

_KEYS: Mapping[str, Check] = {
    "name": word,
    **dict.fromkeys(SUBJECTS, text),
    "args": an_object,
    **FACTS,
    "expect": one_of(*DECISIONS),
    "rule": _rule,
}


def check_case(report: Report, path: Path, value: object) -> None:
    if not members(report, path, value, _KEYS, ("name", "expect")):
        return
    subjects = [key for key in SUBJECTS if key in value]  # type: ignore[operator]
    if len(subjects) != 1:
        report.at(path, "a test names one of tool, resource or prompt.")

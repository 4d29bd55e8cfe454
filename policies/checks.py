"""Checks of values: each tells the report what is wrong, with a suggestion.

A check is a function of the report, the path and the value.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from difflib import get_close_matches

from policies.globs import BadGlob, parse_glob
from policies.numbers import is_number
from policies.positions import Path, Report

Check = Callable[[Report, Path, object], None]

MOST_ENTRIES = 2_000
_DAY = 86_400

_NAMES = {
    dict: "an object",
    list: "a list",
    str: "a string",
    bool: "true or false",
    type(None): "null",
}

# What other products and habit call these.
_ALIASES = {
    "ask": "require_approval",
    "approve": "require_approval",
    "approval": "require_approval",
    "block": "deny",
    "reject": "deny",
    "permit": "allow",
    "dry": "watch",
    "dry_run": "watch",
    "monitor": "watch",
    "equals": "eq",
    "equal": "eq",
    "==": "eq",
    "!=": "neq",
    "ne": "neq",
    "<": "lt",
    "<=": "lte",
    "le": "lte",
    ">": "gt",
    ">=": "gte",
    "ge": "gte",
    "matches": "regex",
    "startswith": "starts_with",
    "endswith": "ends_with",
    "nin": "not_in",
    "rules": "deny_if",
    "ratelimit": "rate_limit",
}


def kind_of(value: object) -> str:
    return _NAMES.get(type(value), "a number")


def shown(value: object) -> str:
    text = repr(value) if isinstance(value, str) else kind_of(value)
    return text if len(text) <= 60 else text[:57] + "..."


def hint(word: str, known: Mapping[str, object] | tuple[str, ...]) -> str:
    """ " Did you mean ...?", or nothing."""
    alias = _ALIASES.get(word.lower())
    if alias in known:
        return f" Did you mean {alias!r}?"
    close = get_close_matches(word[:60], list(known), 1) if len(word) <= 60 else []
    return f" Did you mean {close[0]!r}?" if close else ""


def expect(kind: type, report: Report, path: Path, value: object) -> bool:
    if type(value) is kind:
        return True
    name = path[-1] if path else "the document"
    report.at(path, f"{name} must be {_NAMES[kind]}, not {shown(value)}.")
    return False


def members(
    report: Report,
    path: Path,
    value: object,
    known: Mapping[str, Check],
    required: tuple[str, ...] = (),
) -> bool:
    """Checks an object's keys and their values; False where it is no object."""
    if not expect(dict, report, path, value) or not isinstance(value, dict):
        return False
    for key, inner in value.items():
        check = known.get(key)
        if check is None:
            message = f"{key[:60]!r} is no key here.{hint(key, known)}"
            report.at_key((*path, key), message)
        else:
            check(report, (*path, key), inner)
    for key in required:
        if key not in value:
            report.at(path, f"the key {key!r} is missing.")
    return True


def one_of(*words: str) -> Check:
    def check(report: Report, path: Path, value: object) -> None:
        if not isinstance(value, str) or value not in words:
            listed = " or ".join(f'"{word}"' for word in words)
            clue = hint(value, words) if isinstance(value, str) else ""
            report.at(path, f"must be {listed}, not {shown(value)}.{clue}")

    return check


def text(report: Report, path: Path, value: object) -> None:
    expect(str, report, path, value)


def word(report: Report, path: Path, value: object) -> None:
    if expect(str, report, path, value) and not value:
        report.at(path, f"{path[-1]} must not be empty.")


def boolean(report: Report, path: Path, value: object) -> None:
    expect(bool, report, path, value)


def anything(report: Report, path: Path, value: object) -> None:
    pass


def object_of(known: Mapping[str, Check], *required: str) -> Check:
    def check(report: Report, path: Path, value: object) -> None:
        members(report, path, value, known, required)

    return check


def list_of(check: Check, most: int = 0) -> Check:
    def check_all(report: Report, path: Path, value: object) -> None:
        if not expect(list, report, path, value) or not isinstance(value, list):
            return
        if most and len(value) > most:
            report.at(path, f"holds {len(value)} elements; at most {most} are allowed.")
            return
        for index, inner in enumerate(value):
            check(report, (*path, index), inner)

    return check_all


def is_whole(value: object) -> bool:
    return type(value) is int or (type(value) is float and value.is_integer())


def whole(least: int, most: int | None, what: str) -> Check:
    def check(report: Report, path: Path, value: object) -> None:
        if not is_number(value):
            report.at(path, f"{what} must be a number, not {shown(value)}.")
        elif not is_whole(value) or value < least or (most and value > most):  # type: ignore[operator]
            upto = f" to {most:,}" if most else " or more"
            report.at(path, f"{what} must be a whole number, {least}{upto}.")

    return check


def glob(report: Report, path: Path, value: object) -> None:
    if expect(str, report, path, value) and isinstance(value, str):
        try:
            parse_glob(value)
        except BadGlob as error:
            report.at(path, f"the name or glob {error}.")


globs = list_of(glob, MOST_ENTRIES)

_DURATION = re.compile(r"(?=.)(?:([0-9]{1,6})h)?(?:([0-9]{1,6})m)?(?:([0-9]{1,6})s)?")


def seconds_of(written: str) -> int | None:
    """`90s`, `10m`, `1h30m` in seconds; None where it is none of these."""
    match = _DURATION.fullmatch(written)
    if match is None:
        return None
    hours, minutes, seconds = (int(part or 0) for part in match.groups())
    return hours * 3600 + minutes * 60 + seconds


def duration(report: Report, path: Path, value: object) -> None:
    if not expect(str, report, path, value) or not isinstance(value, str):
        return
    seconds = seconds_of(value)
    if seconds is None:
        message = f"must be a time like 90s, 10m or 1h30m, not {shown(value)}."
        report.at(path, f"{path[-1]} {message}")
    elif not 0 < seconds <= _DAY:
        report.at(path, f"{path[-1]} must be more than 0s and at most 24h.")

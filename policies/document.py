"""The policy document: strict parse, with a position for every problem.

What is refused here cannot be published; what may only not protect as meant is
told by `warnings.py`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from policies.case_checks import check_case
from policies.checks import MOST_ENTRIES, expect, globs, list_of, members, one_of, text
from policies.digest import digest_of
from policies.entry_checks import MOST_LIMITS, entry, limits
from policies.globs import BadGlob, Glob, parse_glob
from policies.jsontext import scan
from policies.positions import Path, Problem, Report

__all__ = ["Document", "DocumentError", "Problem", "parse"]

LARGEST = 256 * 1024
VERSION = "1"


class DocumentError(Exception):
    """A document that is refused, with every problem found, by position."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        self.problems = problems
        super().__init__("; ".join(f"{p.pointer} {p.message}" for p in problems))


@dataclass(frozen=True)
class Document:
    """`data` is decoded, `text` as written."""

    data: Mapping[str, Any]
    text: str

    @cached_property
    def digest(self) -> str:
        """Hex SHA-256 of RFC 8785, for those who keep or compare documents."""
        return digest_of(self.data)


def parse(text: str) -> Document:
    """Raises DocumentError."""
    if len(text.encode("utf-8", "surrogatepass")) > LARGEST:
        message = f"the document is larger than {LARGEST // 1024} KiB."
        raise DocumentError((Problem("", 1, 1, message),))
    scanned = scan(text)
    if not scanned.broken:
        _check_document(scanned.report, scanned.data)
    problems = scanned.problems()
    if problems or not isinstance(scanned.data, dict):
        raise DocumentError(problems)
    return Document(scanned.data, text)


def _check_document(report: Report, data: object) -> None:
    if not members(report, (), data, _TOP, ("version", "default")):
        return
    if isinstance(data, dict):
        _check_counters(report, data)
        _check_limit_count(report, data)


def _version(report: Report, path: Path, value: object) -> None:
    if value != VERSION:
        report.at(path, f'version must be "{VERSION}", in quotes.')


def _validate(report: Report, path: Path, value: object) -> None:
    if value is not True and value != "strict":
        report.at(path, 'validate_arguments must be true or "strict".')


def _tools(report: Report, path: Path, value: object) -> None:
    if not expect(dict, report, path, value) or not isinstance(value, dict):
        return
    if len(value) > MOST_ENTRIES:
        report.at(path, f"at most {MOST_ENTRIES:,} entries are allowed.")
        return
    seen: dict[object, str] = {}
    for key, inner in value.items():
        where = (*path, key)
        try:
            first = seen.setdefault(parse_glob(key).tokens, key)
            if first != key:
                report.at_key(where, f"{key!r} and {first!r} are one key twice.")
        except BadGlob as error:
            report.at_key(where, f"the name or glob {error}.")
        entry(report, where, inner)


def _section(report: Report, path: Path, value: object) -> None:
    members(report, path, value, _SECTION)


_DEFAULT = one_of("deny", "allow")
_SECTION = {
    "default": _DEFAULT,
    "allow": globs,
    "deny": globs,
    "hide": globs,
    "limits": limits,
}
_TOP = {
    "version": _version,
    "default": _DEFAULT,
    "hide": globs,
    "tools": _tools,
    "all_tools": entry,
    "validate_arguments": _validate,
    "resources": _section,
    "prompts": _section,
    "mode": one_of("enforce", "watch"),
    "description": text,
    "tests": list_of(check_case),
}


def _check_counters(report: Report, data: dict[str, Any]) -> None:
    """One counter name has one `sum` (and `as`) in the whole document, or none."""
    first: dict[str, object] = {}
    for path, limit in _limits(data):
        counter = limit.get("counter")
        if isinstance(counter, str):
            summed = (limit.get("sum"), limit.get("as") if "sum" in limit else None)
            expected = (None, None) if _is_rate(data, counter) else summed
            if str(first.setdefault(counter, expected)) != str(summed):
                message = f"the counter {counter[:60]!r} must have one sum everywhere."
                report.at(path, message)


def _limits(data: dict[str, Any]) -> Iterator[tuple[Path, dict[str, Any]]]:
    for owner, value in _owners(data):
        listed = value.get("limits")
        if isinstance(listed, list):
            for index, limit in enumerate(listed):
                if isinstance(limit, dict):
                    yield (*owner, "limits", index), limit


def _owners(data: dict[str, Any]) -> Iterator[tuple[Path, dict[str, Any]]]:
    """Everything that may hold limits."""
    tools = data.get("tools")
    for key, value in tools.items() if isinstance(tools, dict) else ():
        if isinstance(value, dict):
            yield ("tools", key), value
    for kind in ("all_tools", "resources", "prompts"):
        if isinstance(data.get(kind), dict):
            yield (kind,), data[kind]


def _is_rate(data: dict[str, Any], counter: str) -> bool:
    """A `rate_limit` counts calls in it."""
    prefix, _, name = counter.partition(":")
    if prefix != "rate":
        return False
    for owner, value in _owners(data):
        if "rate_limit" in value:
            everything = owner == ("all_tools",)
            if name == "*" if everything else _names(str(owner[-1]), name):
                return True
    return False


def _names(key: str, name: str) -> bool:
    try:
        parsed: Glob = parse_glob(key)
    except BadGlob:
        return False
    return parsed.matches(name)


def _check_limit_count(report: Report, data: dict[str, Any]) -> None:
    every = data.get("all_tools")
    general = _count(every) if isinstance(every, dict) else 0
    for owner, value in _owners(data):
        count = _count(value) + (general if owner[0] == "tools" else 0)
        if count > MOST_LIMITS:
            where = (*owner, "limits") if "limits" in value else owner
            message = f"a call meets {count} limits here; at most {MOST_LIMITS}"
            report.at(where, f"{message} are allowed, all_tools included.")


def _count(value: dict[str, Any]) -> int:
    listed = value.get("limits")
    limits = len(listed) if isinstance(listed, list) else 0
    return limits + ("rate_limit" in value)

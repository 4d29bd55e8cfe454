"""A call's decision, step by step as the page's section "Order" has it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from functools import cache, cached_property
from typing import Any
from zoneinfo import ZoneInfo

from tests.policies.reference import globs, schema, uris
from tests.policies.reference.conditions import (
    TRUE,
    Reading,
    TooLarge,
    all_of,
    has_twin,
    scalar,
    truth,
)
from tests.policies.reference.exact import Number, escape, number
from tests.policies.reference.once import Once
from tests.policies.reference.paths import EACH, parse_path

Verdict = tuple[str, str | None]
ALLOW: Verdict = ("allow", None)
ONE = Fraction(1)
LARGEST_SUM = 9 * 10**15


@dataclass
class Case:
    """A document (None: a grant without a policy), a call and what is known.

    `context` is that of the vectors, with `waived` (pointers of approval rules)
    and `break_glass` (an id) besides, and nobody's to change. `seen` is told of each
    condition met.
    """

    document: Any
    kind: str
    name: str
    args: Any
    context: dict[str, Any]
    seen: Callable[..., None] | None = None

    @cached_property
    def roots(self) -> dict[str, Any]:
        return roots_of(self)

    @property
    def waived(self) -> list[str]:
        return list(self.context.get("waived", []))


def decide(case: Case) -> tuple[str, str | None, Verdict | None]:
    """Decision, rule, and what the watched parts would have decided."""
    if case.context.get("killed"):
        return "deny", "(killed)", None
    if case.document is None:
        return "deny", "(no policy)", None
    return decide_tool(case) if case.kind == "tool" else decide_read(case)


# -- tools ---------------------------------------------------------------------


def decide_tool(case: Case) -> tuple[str, str | None, Verdict | None]:
    document, opened = case.document, case.context.get("break_glass")
    tools = document.get("tools", {})
    everything = document.get("mode") == "watch"
    enforced = globs.which_entry(
        tools, case.name, lambda entry: everything or entry.get("mode") == "watch"
    )
    if case.name not in known_tools(case):
        return "hide", "(unknown tool)", None
    if not opened:
        if any(globs.matches(glob, case.name) for glob in document.get("hide", [])):
            return "hide", "(hidden)", None
        if enforced is None and document["default"] == "deny":
            return "hide", "(default deny)", None
        if case.context.get("held"):
            return "deny", "(changed tool)", None
    decision, rule = tool_verdict(case, enforced, watched=False)
    if not watches(document):
        return decision, rule, None
    written = globs.which_entry(tools, case.name, lambda entry: False)
    would = tool_verdict(case, written, watched=True)
    return decision, rule, None if would[0] == "allow" else would


@Once
def watches(document: Any) -> bool:
    """Some part of it does: what is nowhere watched decides nothing."""
    return "watch" in modes(document)


def modes(tree: Any) -> Iterator[Any]:
    """Of the document and all its parts."""
    if isinstance(tree, dict) and "mode" in tree:
        yield tree["mode"]
    for part in tree.values() if isinstance(tree, dict) else tree:
        if isinstance(part, dict | list):
            yield from modes(part)


def known_tools(case: Case) -> list[str]:
    if "known_tools" in case.context:
        return list(case.context["known_tools"])
    return [case.name]


def tool_verdict(case: Case, key: str | None, watched: bool) -> Verdict:
    """What the enforced parts decide, or what the watched ones would."""
    opened = None if watched else case.context.get("break_glass")
    reading = Reading(case.seen)
    entries = applying_entries(case.document, key)
    if (case.document.get("mode") == "watch") == watched and bad_arguments(case):
        return "deny", "(arguments)"
    try:
        denied = None if opened else first_deny(case, entries, watched, reading)
        if denied:
            return "deny", denied
        limits = list(limits_of(case, entries, watched))
        stopped, full = judge_limits(case, limits, reading)
        if stopped:
            return stopped
        asking = None if opened else first_ask(case, entries, watched, reading, full)
    except TooLarge:
        return "deny", "(too large)"
    if asking:
        return "require_approval", asking
    return ("allow", f"(break-glass {opened})") if opened else ALLOW


def applying_entries(
    document: dict[str, Any], key: str | None
) -> list[tuple[str, dict[str, Any], bool]]:
    """Pointer, entry, and whether all of it is watched."""
    entries = []
    if key is not None:
        entries.append((f"/tools/{escape(key)}", document["tools"][key]))
    if "all_tools" in document:
        entries.append(("/all_tools", document["all_tools"]))
    everything = document.get("mode") == "watch"
    return [(p, e, everything or e.get("mode") == "watch") for p, e in entries]


def bad_arguments(case: Case) -> bool:
    wanted = case.document.get("validate_arguments")
    if not wanted:
        return False
    pinned = case.context.get("definition", {}).get("inputSchema")
    return not schema.satisfies(pinned, case.args, wanted == "strict")


def rules_of(
    entry: dict[str, Any], kind: str, pointer: str, all_watched: bool, watched: bool
) -> list[tuple[str, dict[str, Any]]]:
    """The rules of a kind that are (or are not) watched, with their pointers."""
    if kind not in entry:
        return []
    return [
        (f"{pointer}/{kind}/{i}", rule)
        for i, rule in enumerate(entry[kind])
        if (all_watched or rule.get("mode") == "watch") == watched
    ]


def first_deny(
    case: Case, entries: list[Any], watched: bool, reading: Reading
) -> str | None:
    roots = case.roots
    for pointer, entry, all_watched in entries:
        if entry.get("action") == "deny" and all_watched == watched:
            return f"{pointer}/action"
        for where, rule in rules_of(entry, "require", pointer, all_watched, watched):
            if truth(rule, roots, True, reading) != TRUE:
                return where
        for where, rule in rules_of(entry, "deny_if", pointer, all_watched, watched):
            if matched(rule, roots, reading):
                return where
    return None


def matched(rule: dict[str, Any], roots: dict[str, Any], reading: Reading) -> bool:
    results = [truth(c, roots, False, reading) for c in rule["conditions"]]
    return all_of(results) != "false"


def first_ask(
    case: Case, entries: list[Any], watched: bool, reading: Reading, full: list[str]
) -> str | None:
    asking: list[str] = []
    roots = case.roots
    for pointer, entry, all_watched in entries:
        if entry.get("action") == "require_approval" and all_watched == watched:
            asking.append(f"{pointer}/action")
        for where, rule in rules_of(entry, "approve_if", pointer, all_watched, watched):
            if matched(rule, roots, reading):
                asking.append(where)
        asking += [at for at in full if at.startswith(f"{pointer}/limits/")]
    return next((where for where in asking if where not in case.waived), None)


def roots_of(case: Case) -> dict[str, Any]:
    context = case.context
    verdict = context.get("verdict", {})
    at, zone = context.get("at", "2026-01-05T12:00:00Z"), context.get("zone", "Etc/UTC")
    return {
        "args": case.args,
        "tool": {
            "category": verdict.get("category", "Other"),
            "severity": verdict.get("severity", "low"),
            "annotations": context.get("definition", {}).get("annotations", {}),
        },
        "grant": context.get("grant"),
        "user": context.get("user"),
        "client": {"name": context.get("client")},
        "time": time_of(at, zone),
    }


@cache
def time_of(at: str, zone: str) -> dict[str, Number]:
    moment = datetime.fromisoformat(at.replace("Z", "+00:00"))
    local = moment.astimezone(ZoneInfo(zone))
    return {
        "hour": Number(str(local.hour)),
        "weekday": Number(str(local.isoweekday())),
    }


# -- limits --------------------------------------------------------------------


def limits_of(
    case: Case, entries: list[Any], watched: bool
) -> Iterator[tuple[str, dict[str, Any]]]:
    for pointer, entry, all_watched in entries:
        yield from rules_of(entry, "limits", pointer, all_watched, watched)
        if "rate_limit" in entry and all_watched == watched:
            name = "*" if pointer == "/all_tools" else case.name
            yield f"{pointer}/rate_limit", rate_limit(entry["rate_limit"], name)


def rate_limit(written: Any, name: str) -> dict[str, Any]:
    short = isinstance(written, str)
    most = number(written.split("/")[0]) if short else written["max"]
    return {"counter": f"rate:{name}", "max": most}


def judge_limits(
    case: Case, limits: list[Any], reading: Reading
) -> tuple[Verdict | None, list[str]]:
    """The limit that decides in step 5, or those that ask in step 6."""
    full = []
    for pointer, limit in limits:
        try:
            fits = call_fits(limit, case, reading)
        except BadArgument:
            return ("deny", pointer), []
        if fits:
            continue
        if limit.get("over") == "require_approval":
            full.append(pointer)
        else:
            return ("limit", pointer), []
    return None, full


class BadArgument(Exception):
    pass


def call_fits(limit: dict[str, Any], case: Case, reading: Reading) -> bool:
    if "by" in limit:
        check_by(limit["by"], case.args, reading)
    amount = total(limit, case.args, reading) if "sum" in limit else ONE
    most = exactly(limit["max"].text)
    used = case.context.get("used", {}).get(limit["counter"], 0)
    if most == 0:
        return False
    return amount == 0 or exactly(str(used)) + amount <= most


@cache
def exactly(text: str) -> Fraction:
    return Fraction(text)


def check_by(path: str, args: Any, reading: Reading) -> None:
    [value] = values_along({"args": args}, parse_path(path), reading)
    if scalar(value) is None or isinstance(value, str) and len(value.encode()) > 256:
        raise BadArgument


def total(limit: dict[str, Any], args: Any, reading: Reading) -> Fraction:
    decimal = limit.get("as") == "decimal"
    values = values_along({"args": args}, parse_path(limit["sum"]), reading)
    amount = sum((countable(value, decimal) for value in values), Fraction(0))
    if amount * 10**6 >= LARGEST_SUM:
        raise BadArgument
    return amount


def countable(value: Any, decimal: bool) -> Fraction:
    got = scalar(value, decimal)
    if got is None or got[0] != "number" or got[1] < 0:
        raise BadArgument
    amount = Fraction(got[1])
    if (amount * 10**6).denominator != 1:
        raise BadArgument
    return amount


def values_along(value: Any, steps: list[Any], reading: Reading) -> list[Any]:
    """Raises BadArgument where a value is absent or of the wrong type."""
    if value is None:
        raise BadArgument
    if not steps:
        reading.value()
        return [value]
    step, rest = steps[0], steps[1:]
    if isinstance(step, str):
        if not isinstance(value, dict) or step not in value or has_twin(value, step):
            raise BadArgument
        return values_along(value[step], rest, reading)
    if not isinstance(value, list):
        raise BadArgument
    if step is EACH:
        if not value:
            raise BadArgument
        return [f for element in value for f in values_along(element, rest, reading)]
    if step >= len(value):
        raise BadArgument
    return values_along(value[step], rest, reading)


# -- resources and prompts -----------------------------------------------------


def decide_read(case: Case) -> tuple[str, str | None, Verdict | None]:
    place = f"/{case.kind}s"
    section = case.document.get(f"{case.kind}s", {})
    try:
        either, both = reading_of(case)
    except uris.BadUri:
        return "deny", "(bad URI)", None
    if any(either(glob) for glob in section.get("hide", [])):
        return "hide", "(hidden)", None
    watched = case.document.get("mode") == "watch"
    denies = [
        f"{place}/deny/{i}"
        for i, glob in enumerate(section.get("deny", []))
        if either(glob)
    ]
    if denies and not watched:
        return "deny", denies[0], read_verdict(case, section, None, True)
    default = section.get("default", case.document["default"])
    if default == "deny" and not any(both(g) for g in section.get("allow", [])):
        return "hide", "(default deny)", None
    decision, rule = read_verdict(case, section, None, False) or ALLOW
    would = read_verdict(case, section, denies[0] if denies else None, True)
    return decision, rule, would


def reading_of(case: Case) -> tuple[Callable[[str], bool], Callable[[str], bool]]:
    if case.kind == "prompt":

        def same(glob: str) -> bool:
            return globs.matches(glob, case.name)

        return same, same
    uris.normalized(case.name)
    return (
        lambda glob: uris.either_form(glob, case.name),
        lambda glob: uris.both_forms(glob, case.name),
    )


def read_verdict(
    case: Case, section: dict[str, Any], denied: str | None, watched: bool
) -> Verdict | None:
    if denied:
        return "deny", denied
    everything = case.document.get("mode") == "watch"
    limits = list(rules_of(section, "limits", f"/{case.kind}s", everything, watched))
    try:
        stopped, full = judge_limits(case, limits, Reading())
    except TooLarge:
        return "deny", "(too large)"
    if stopped:
        return stopped
    asking = [pointer for pointer in full if pointer not in case.waived]
    return ("require_approval", asking[0]) if asking else None

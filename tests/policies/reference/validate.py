"""Which documents are refused, and where they are broken.

`problems(text)` gives the places of what is wrong; an object that lacks a key, or
holds too much, is named itself.
"""

from __future__ import annotations

from typing import Any

from tests.policies.reference.exact import NotJson, Number, escape, load
from tests.policies.reference.globs import parts
from tests.policies.reference.rules import (
    check_approval,
    check_limit,
    check_rate_limit,
    check_require,
    check_rule,
    check_test,
)
from tests.policies.reference.shapes import (
    Places,
    a_glob,
    a_list,
    a_mode,
    a_string,
    an_object,
    good_glob,
    one_of,
    that,
)
from tests.policies.reference.texts import sound

ENTRY_KINDS = ("require", "deny_if", "approve_if")


def problems(text: str) -> list[str]:
    try:
        if len(text.encode()) > 256 * 1024:
            return [""]
        document = load(text)
    except UnicodeEncodeError:
        return [""]
    except NotJson as error:
        return [error.pointer]
    return [*inexact(document), *check_document(document)]


def inexact(tree: Any) -> Places:
    """What has no RFC 8785 form: numbers that change, lone surrogates."""
    if isinstance(tree, Number) and tree.value is None:
        yield ""
    if isinstance(tree, str) and lone_surrogate(tree):
        yield ""
    if isinstance(tree, list):
        for i, item in enumerate(tree):
            for inside in inexact(item):
                yield f"/{i}{inside}"
    if isinstance(tree, dict):
        for key, item in tree.items():
            if lone_surrogate(key):
                yield ""
                continue
            for inside in inexact(item):
                yield f"/{escape(key)}{inside}"


def lone_surrogate(text: str) -> bool:
    return not sound(text)


def check_document(document: Any) -> Places:
    yield from an_object(
        document,
        "",
        {
            "version": one_of("1"),
            "default": one_of("deny", "allow"),
            "hide": a_list(a_glob),
            "tools": check_tools,
            "all_tools": check_entry,
            "validate_arguments": that(lambda v: v is True or v == "strict"),
            "resources": check_reads,
            "prompts": check_reads,
            "mode": a_mode,
            "description": a_string,
            "tests": a_list(check_test),
        },
        ("version", "default"),
    )
    if isinstance(document, dict):
        yield from check_together(document)


def check_tools(tools: Any, place: str) -> Places:
    if not isinstance(tools, dict) or len(tools) > 2000:
        yield place
        return
    meant = set()
    for key, entry in tools.items():
        where = f"{place}/{escape(key)}"
        if not good_glob(key):
            yield where
        elif parts(key) in meant:
            yield place
        else:
            meant.add(parts(key))
        yield from check_entry(entry, where)


def check_reads(section: Any, place: str) -> Places:
    globs = a_list(a_glob)
    keys = {
        "default": one_of("deny", "allow"),
        "allow": globs,
        "deny": globs,
        "hide": globs,
        "limits": a_list(check_limit),
    }
    yield from an_object(section, place, keys)


def check_entry(entry: Any, place: str) -> Places:
    keys = {
        "action": one_of("allow", "deny", "require_approval"),
        "reason": a_string,
        "require": a_list(check_require),
        "deny_if": a_list(check_rule("on_deny")),
        "approve_if": a_list(check_rule("reason")),
        "approval": check_approval,
        "limits": a_list(check_limit),
        "rate_limit": check_rate_limit,
        "mode": a_mode,
    }
    yield from an_object(entry, place, keys)
    if isinstance(entry, dict):
        lists = [entry.get(kind) for kind in ENTRY_KINDS]
        if sum(len(rules) for rules in lists if isinstance(rules, list)) > 100:
            yield place


def check_together(document: dict[str, Any]) -> Places:
    """Ten limits for one call; one `sum` for one counter."""
    everywhere = limits_in(document.get("all_tools"))
    tools = document.get("tools")
    for entry in [{}, *(tools.values() if isinstance(tools, dict) else ())]:
        if len(limits_in(entry)) + len(everywhere) > 10:
            yield ""
    for kind in ("resources", "prompts"):
        if len(limits_in(document.get(kind))) > 10:
            yield ""
    sums: dict[str, Any] = {}
    for holder in [
        *(tools.values() if isinstance(tools, dict) else ()),
        *(document.get(key) for key in ("all_tools", "resources", "prompts")),
    ]:
        for limit in limits_in(holder):
            if isinstance(limit, dict) and isinstance(limit.get("counter"), str):
                added = (limit.get("sum"), limit.get("as"))
                if sums.setdefault(limit["counter"], added) != added:
                    yield ""


def limits_in(holder: Any) -> list[Any]:
    if not isinstance(holder, dict):
        return []
    limits = holder.get("limits")
    rate = [None] if "rate_limit" in holder else []
    return [*limits, *rate] if isinstance(limits, list) else rate

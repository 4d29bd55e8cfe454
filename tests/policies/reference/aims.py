"""What a document reads: what calls have to aim at to meet its rules."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tests.policies.reference.exact import escape
from tests.policies.reference.globs import matches
from tests.policies.reference.paths import parse_path
from tests.policies.reference.texts import Name


def names(document: dict[str, Any], name: str) -> bool:
    """An entry does, and nothing hides it."""
    hidden = any(matches(glob, name) for glob in document.get("hide", []))
    return not hidden and any(matches(key, name) for key in document["tools"])


def aims_of(
    document: dict[str, Any], name: str
) -> Iterator[tuple[list[Any], list[Any]]]:
    """Each path into the arguments that a call of the name may meet, with the
    conditions and limits that read it."""
    found: dict[str, list[Any]] = {}
    entries = [e for key, e in document["tools"].items() if matches(key, name)]
    for entry in [*entries, document.get("all_tools", {})]:
        for leaf in leaves_of(entry):
            found.setdefault(leaf["path"], []).append(leaf)
        for limit in entry.get("limits", []):
            for counts in ("sum", "by"):
                if counts in limit:
                    aim = {**limit, "counts": counts}
                    found.setdefault(limit[counts], []).append(aim)
    for path, aims in found.items():
        steps = parse_path(path)
        if steps[0] == "args" and steps[1:]:
            yield [*map(key_or_index, steps[1:])], aims


def key_or_index(step: Any) -> Any:
    """The step; a key that can be written with escapes is to be."""
    return step if not isinstance(step, str) or step.isascii() else Name(step)


def leaves_of(tree: Any) -> Iterator[dict[str, Any]]:
    if isinstance(tree, dict):
        if "path" in tree:
            yield tree
        for inner in tree.values():
            yield from leaves_of(inner)
    if isinstance(tree, list):
        for inner in tree:
            yield from leaves_of(inner)


def counters_of(tree: Any) -> set[str]:
    if isinstance(tree, list):
        return set().union(*map(counters_of, tree)) if tree else set()
    if not isinstance(tree, dict):
        return set()
    found = {tree["counter"]} if "counter" in tree else set()
    if "rate_limit" in tree:
        found |= {"rate:pay", "rate:pay_all", "rate:*"}
    return found.union(*map(counters_of, tree.values()))


def approval_rules(document: dict[str, Any]) -> Iterator[str]:
    entries = {
        f"/tools/{escape(key)}": entry for key, entry in document["tools"].items()
    }
    entries["/all_tools"] = document.get("all_tools", {})
    for kind in ("resources", "prompts"):
        entries[f"/{kind}"] = document.get(kind, {})
    for pointer, entry in entries.items():
        if entry.get("action") == "require_approval":
            yield f"{pointer}/action"
        for i in range(len(entry.get("approve_if", []))):
            yield f"{pointer}/approve_if/{i}"
        for i, limit in enumerate(entry.get("limits", [])):
            if limit.get("over") == "require_approval":
                yield f"{pointer}/limits/{i}"

"""What differs between two listings of a tool, in names of fields and parameters."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from catalog.classifier.verdicts import Verdict
from catalog.models import CatalogTool

# Facts whose change is told by the names of parameters, or says nothing by itself.
TOLD_OTHERWISE = {"parameters", "fingerprint", "name"}
OF_THE_TEXT = {"opening", "lead", "stems", "said", "cut"}


def detail(row: CatalogTool, facts: Mapping[str, Any], text: str) -> dict[str, Any]:
    """`fields` and `parameters` as in `Change.detail`. `text`: the new definition."""
    before, after = _parameters(row.facts), _parameters(facts)
    fields = _fields(row.facts, facts)
    fields |= {
        f"parameters.{path}"
        for path in before.keys() & after.keys()
        if before[path] != after[path]
    }
    added, removed = sorted(after.keys() - before), sorted(before.keys() - after)
    found: dict[str, Any] = {}
    if added or removed:
        found["parameters"] = {"added": added, "removed": removed}
    fields |= _unread(row.definition, text)
    if fields or not found:
        found["fields"] = sorted(fields) or ["definition"]
    return found


def verdicts(row: CatalogTool, verdict: Verdict) -> dict[str, Any]:
    """Category and severity, where they are others than the row's."""
    pairs = {
        "category": [row.category, verdict.category],
        "severity": [row.severity, verdict.severity],
    }
    return {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}


def _fields(before: Mapping[str, Any], after: Mapping[str, Any]) -> set[str]:
    names = {
        name
        for name in before.keys() | after.keys()
        if before.get(name) != after.get(name)
    }
    found = names - TOLD_OTHERWISE - OF_THE_TEXT
    return {"title" if name == "title_length" else name for name in found}


def _unread(before: str, after: str) -> set[str]:
    """Fields of the definition that no fact tells of, such as `outputSchema`."""
    if not (before and after):
        return set()
    old, new = json.loads(before), json.loads(after)
    told = {"name", "description", "annotations", "inputSchema"}
    return {
        name
        for name in (old.keys() | new.keys()) - told
        if old.get(name) != new.get(name)
    }


def _parameters(facts: Mapping[str, Any]) -> dict[str, Any]:
    return {each["path"]: each for each in facts.get("parameters", ())}

"""The policy to start from, by what a tool can do. Pure.

One tool's recommendation is policy-format's table; a server's, and the draft for a new
server, are the balanced one: the same, but execute asks too, and so does whatever is
doubtful.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, NamedTuple

from policies.effects import escaped
from policies.globs import LONGEST

PER_MINUTE = {"Execute": 10, "Write": 30, "Other": 60}
FINANCIAL = "Moves money: a person decides."
EXECUTE = "Runs something: a person decides."
DOUBTFUL = "The catalogue is not sure what this does: a person decides."


class Known(NamedTuple):
    """One tool. `doubtful`: the classifier is not sure, or there is no description."""

    name: str
    category: str
    doubtful: bool = False


def for_tool(name: str, category: str) -> dict[str, Any]:
    """A whole document for this tool alone; all other tools stay denied."""
    document: dict[str, Any] = {"version": "1", "default": "deny"}
    if category == "Destructive":
        return document | {"hide": [escaped(name)]}
    return document | {"tools": {escaped(name): _entry(name, category)}}


def balanced(tools: Iterable[Known], description: str = "") -> dict[str, Any]:
    """A whole document for a server's tools, in the order given.

    Tools whose name is too long for a key are left to `default: deny`.
    """
    fitting = [tool for tool in tools if len(escaped(tool.name)) <= LONGEST]
    hidden = [escaped(tool.name) for tool in fitting if hides(tool)]
    entries = {
        escaped(tool.name): balanced_entry(tool) for tool in fitting if not hides(tool)
    }
    document: dict[str, Any] = {"version": "1"}
    if description:
        document["description"] = description
    document["default"] = "deny"
    if hidden:
        document["hide"] = hidden
    return document | {"tools": entries}


def hides(tool: Known) -> bool:
    return tool.category == "Destructive" and not tool.doubtful


def balanced_entry(tool: Known) -> dict[str, Any]:
    if tool.doubtful:
        return {"action": "require_approval", "reason": DOUBTFUL}
    if tool.category == "Execute":
        return {"action": "require_approval", "reason": EXECUTE}
    return _entry(tool.name, tool.category)


def as_text(document: dict[str, Any]) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _entry(name: str, category: str) -> dict[str, Any]:
    if category == "Financial":
        return {"action": "require_approval", "reason": FINANCIAL}
    if category not in PER_MINUTE:
        return {}
    counter, most = f"{name.lower()}_rate", PER_MINUTE[category]
    limit = {"counter": counter, "window": "minute", "max": most, "scope": "grant"}
    return {"limits": [limit]}

"""The policy to start from, by what a tool can do. Pure.

One tool's recommendation is policy-format's table; a server's, and the draft for a new
server, are the balanced one: the same, but execute asks too, and so does whatever is
doubtful.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, Literal, NamedTuple

from policies.effects import escaped
from policies.globs import LONGEST

PER_MINUTE = {"Execute": 10, "Write": 30, "Other": 60}
FINANCIAL = "Moves money: a person decides."
EXECUTE = "Runs something: a person decides."
DOUBTFUL = "It is not certain what this does: a person decides."


class Advice(NamedTuple):
    """`choice` is one of the words of the editor's table."""

    choice: Literal["allow", "limit", "ask", "hide"]
    why: str


ADVICE = {
    "Read": Advice("allow", "It reads and changes nothing, so it is allowed."),
    "Write": Advice("limit", "It changes something: 30 calls a minute are enough."),
    "Execute": Advice("ask", EXECUTE),
    "Destructive": Advice(
        "hide", "It deletes or stops something: agents never see it."
    ),
    "Financial": Advice("ask", FINANCIAL),
    "Other": Advice("limit", "It fits no category: 60 calls a minute are enough."),
}


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


def balanced(
    tools: Iterable[Known], description: str = "", alone: bool = False
) -> dict[str, Any]:
    """A whole document for a server's tools, in the order given.

    Tools whose name is too long for a key are left to `default: deny`. `alone`: who
    made a call may approve it, as there is nobody else.
    """
    fitting = [tool for tool in tools if len(escaped(tool.name)) <= LONGEST]
    hidden = [escaped(tool.name) for tool in fitting if hides(tool)]
    entries = {
        escaped(tool.name): balanced_entry(tool, alone)
        for tool in fitting
        if not hides(tool)
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


def balanced_entry(tool: Known, alone: bool = False) -> dict[str, Any]:
    entry = _entry(tool.name, tool.category)
    if tool.doubtful:
        entry = {"action": "require_approval", "reason": DOUBTFUL}
    elif tool.category == "Execute":
        entry = {"action": "require_approval", "reason": EXECUTE}
    if alone and "action" in entry:
        entry["approval"] = {"self_approval": True}
    return entry


def advice(tool: Known) -> Advice:
    """What `balanced` does with a tool, for people."""
    if tool.doubtful:
        return Advice("ask", DOUBTFUL)
    return ADVICE.get(tool.category, ADVICE["Other"])


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

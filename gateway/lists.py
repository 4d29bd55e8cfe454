"""Pages of lists, filtered by the policy. Pure.

Lists and calls go by the pins alone. A tool is listed as it was pinned, in the
server's own order: one that is not pinned yet is left out until it is, one whose
definition differs from its pin is shown as pinned until the pin is replaced or the
tool is held. So no definition reaches a client before it is on record, and what is
listed can be called. Templates are matched as URIs, braces and all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import orjson

from gateway import own_tool
from gateway.errors import UpstreamFault
from gateway.snapshot import Rights
from policies.decide import visible_prompt, visible_resource, visible_tool

KEPT = ("nextCursor", "_meta", "resultType", "ttlMs", "cacheScope")


def page(
    items: str, rights: Rights, drifted: Callable[[], None]
) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """The filter of one page. `drifted` is called once if the server's tools are
    not as pinned."""

    def filtered(result: dict[str, Any]) -> dict[str, Any]:
        found = result.get(items)
        if not isinstance(found, list):
            raise UpstreamFault(f"The server's answer holds no list of {items}")
        shown = {key: result[key] for key in KEPT if key in result}
        if items == "tools":
            shown[items] = _tools(found, rights, drifted)
            if rights.helper_tool and result.get("nextCursor") is None:
                shown[items].append(own_tool.DEFINITION)
        else:
            shown[items] = list(_others(items, found, rights))
        return shown

    return filtered


def _tools(found: list[Any], rights: Rights, drifted: Callable[[], None]) -> list[Any]:
    shown, changed, seen = [], False, set()
    for definition in found:
        name = definition.get("name") if isinstance(definition, dict) else None
        pin = rights.tools.get(name) if isinstance(name, str) else None
        if pin is None or name in seen:
            changed = True
            continue
        seen.add(name)
        if rights.helper_tool and name == own_tool.NAME:
            continue
        same = pin.is_said_by(definition)
        changed = changed or not same
        if visible_tool(rights.policy, pin.tool.name, pin.tool) and not pin.tool.held:
            shown.append(definition if same else orjson.Fragment(pin.text))
    if changed:
        drifted()
    return shown


def _others(items: str, found: list[Any], rights: Rights) -> Iterable[Any]:
    key = {"prompts": "name", "resources": "uri"}.get(items, "uriTemplate")
    visible = visible_prompt if items == "prompts" else visible_resource
    for item in found:
        name = item.get(key) if isinstance(item, dict) else None
        if isinstance(name, str) and visible(rights.policy, name):
            yield item


def empty(items: str) -> dict[str, Any]:
    return {items: []}

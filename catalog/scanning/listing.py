"""Everything that a server lists, page after page, however it is asked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from servers.definitions import MAX_TOOLS
from servers.mcp_client import RpcError

MAX_PAGES = 200
MAX_CURSOR = 64 * 1024
# The lists, with the key of each and the capability that announces it.
LISTS = (
    ("tools", "tools/list", "tools"),
    ("prompts", "prompts/list", "prompts"),
    ("resources", "resources/list", "resources"),
    ("resourceTemplates", "resources/templates/list", "resources"),
)


class Asker(Protocol):
    async def ask(self, method: str, params: Mapping[str, Any]) -> dict[str, Any]:
        """The result. Raises `RpcError` where the server answers with an error."""


@dataclass(frozen=True, slots=True)
class Listed:
    """Raw items by list, and what was odd."""

    items: dict[str, list[Any]]
    problems: tuple[str, ...]


async def everything(asker: Asker, capabilities: Mapping[str, Any]) -> Listed:
    """Asks for the lists alone. Tools are asked for even where none are announced."""
    items: dict[str, list[Any]] = {}
    problems: list[str] = []
    for key, method, capability in LISTS:
        items[key] = []
        if key != "tools" and capability not in capabilities:
            continue
        try:
            items[key], odd = await _pages(asker, method, key)
        except RpcError as error:
            if key == "tools" and capability in capabilities:
                raise
            odd = "" if key == "resourceTemplates" else f"{method}: {error}"
        problems += [odd] if odd else []
    return Listed(items, tuple(problems))


async def _pages(asker: Asker, method: str, key: str) -> tuple[list[Any], str]:
    """All of one list, and why it ends early where it does."""
    listed: list[Any] = []
    seen: set[str] = set()
    params: dict[str, Any] = {}
    for _ in range(MAX_PAGES):
        page = await asker.ask(method, params)
        items = page.get(key)
        if not isinstance(items, list):
            return listed, f"{method}: a page of it is no list."
        listed += items
        cursor = page.get("nextCursor")
        if not cursor:
            return listed, ""
        if not isinstance(cursor, str) or len(cursor) > MAX_CURSOR:
            return listed, f"{method}: its cursor is no short text."
        if cursor in seen or len(listed) > MAX_TOOLS:
            why = "its cursors go in a circle" if cursor in seen else "it is too long"
            return listed[:MAX_TOOLS], f"{method}: {why}."
        seen.add(cursor)
        params = {"cursor": cursor}
    return listed, f"{method}: it has more than {MAX_PAGES} pages."

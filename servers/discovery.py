"""Asking a server what it is. Network only: nothing here touches the database."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from servers.definitions import Definition, printable, read_tools
from servers.diagnosis import Failed, explain
from servers.failures import WireError
from servers.http1 import Headers, Pool
from servers.mcp_client import Hello, McpError, say_hello_and_list
from servers.models import Era
from servers.outbound import Door

SECONDS = 30.0
MAX_OBJECT = 32 * 1024
MAX_INSTRUCTIONS = 64 * 1024
# Postgres stores no NUL in text or jsonb, and half surrogates are no text at all.
_UNSTORABLE = re.compile("[\0\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Discovery:
    """What a server said of itself; all of it is the server's word, so hostile text."""

    era: str
    revision: str
    identity: dict[str, Any] = field(default_factory=dict)
    capabilities: dict[str, Any] = field(default_factory=dict)
    instructions: str = ""
    tools: tuple[Definition, ...] = ()
    problems: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        """Its name and version, as it calls itself."""
        name = self.identity.get("title") or self.identity.get("name") or "Unnamed"
        version = self.identity.get("version") or ""
        return printable(f"{name} {version}", 200)


async def discover_async(
    url: str, headers: Mapping[str, str], door: Door | None = None
) -> Discovery:
    """Raises `diagnosis.Failed`, which says what happened and what to do."""
    door = door or Door.from_settings()
    pool = Pool(door)
    try:
        target = door.check_url(url)
        hello, listed = await say_hello_and_list(
            pool, target, _encoded(headers), SECONDS
        )
    except (WireError, McpError, TimeoutError) as error:
        raise explain(error, bool(headers)) from error
    finally:
        pool.close()
    return _read(hello, listed)


def discover(url: str, headers: Mapping[str, str]) -> Discovery:
    """As `discover_async`, for code that runs in no event loop."""
    return asyncio.run(discover_async(url, headers))


def _encoded(headers: Mapping[str, str]) -> Headers:
    return [(name.lower().encode(), value.encode()) for name, value in headers.items()]


def _read(hello: Hello, listed: list[Any]) -> Discovery:
    tools, problems = read_tools(listed)
    return Discovery(
        era=Era.MODERN if hello.modern else Era.LEGACY,
        revision=hello.revision,
        identity=_bounded(hello.identity),
        capabilities=_bounded(hello.capabilities),
        instructions=_storable(hello.instructions[:MAX_INSTRUCTIONS]),
        tools=tuple(tools),
        problems=tuple(_storable(each) for each in problems),
    )


def _bounded(value: dict[str, Any]) -> dict[str, Any]:
    """Without the largest parts where it is too large to keep."""
    kept: dict[str, Any] = {}
    size = 0
    for key, each in value.items():
        size += len(key) + len(orjson.dumps(each, option=orjson.OPT_NON_STR_KEYS))
        if size > MAX_OBJECT:
            break
        kept[key] = each
    cleaned: dict[str, Any] = _cleaned(kept)
    return cleaned


def _cleaned(value: Any) -> Any:
    if isinstance(value, dict):
        return {_storable(key): _cleaned(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_cleaned(each) for each in value]
    return _storable(value) if isinstance(value, str) else value


def _storable(text: str) -> str:
    return _UNSTORABLE.sub("\ufffd", text)


__all__ = ["Discovery", "Failed", "discover", "discover_async"]

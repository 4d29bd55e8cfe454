"""What one server answered to one scan, as it came, and as a file.

All of it is the server's word: hostile text. The files are for this machine alone, to
read facts again without asking again; they are never shipped.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

import orjson

from catalog.scanning.listing import Listed
from servers.definitions import printable
from servers.mcp_client import Hello

MAX_IDENTITY = 200


@dataclass(frozen=True, slots=True)
class Answer:
    """`kind` and `source` are as in `CatalogServer`, `items` raw lists by their key."""

    kind: str
    source: str
    version: str
    transport: str
    revision: str
    scanned_at: datetime
    environment: str
    registry_name: str = ""
    identity: dict[str, str] = field(default_factory=dict)
    items: dict[str, list[Any]] = field(default_factory=dict)
    problems: tuple[str, ...] = ()

    def count(self, key: str) -> int:
        return len(self.items.get(key, ()))

    def as_bytes(self) -> bytes:
        return orjson.dumps(asdict(self), option=orjson.OPT_INDENT_2)

    @classmethod
    def from_bytes(cls, text: bytes) -> Answer:
        found = orjson.loads(text)
        moment = datetime.fromisoformat(found.pop("scanned_at"))
        problems = tuple(found.pop("problems"))
        return cls(**found, scanned_at=moment, problems=problems)


def said(hello: Hello, listed: Listed) -> dict[str, Any]:
    """The fields of an Answer that the server filled."""
    return {
        "revision": hello.revision,
        "identity": identity(hello.identity),
        "items": listed.items,
        "problems": tuple(printable(each, 500) for each in listed.problems),
    }


def identity(given: Mapping[str, Any]) -> dict[str, str]:
    kept = {key: given.get(key) for key in ("name", "title", "version")}
    return {
        key: printable(value, MAX_IDENTITY)
        for key, value in kept.items()
        if isinstance(value, str)
    }

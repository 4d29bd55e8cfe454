"""Reading one page: entries that are taken, and what is wrong with the others.

Format: `server.json` of 2025-12-11 under `server`, the registry's own word under
`_meta["io.modelcontextprotocol.registry/official"]`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson

from catalog.models import Status
from catalog.registry.pieces import split
from servers.definitions import BadJson, canonical, decode, printable

OFFICIAL = "io.modelcontextprotocol.registry/official"
MAX_NAME, MAX_VERSION, MAX_CURSOR = 200, 255, 1000
MAX_DOCUMENT = 64 * 1024
# How much a registry's clock may be ahead of ours before we say so.
AHEAD = timedelta(days=1)
EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)

_NAME = re.compile(r"[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+/[A-Za-z0-9._-]+")
_MOMENT = re.compile(
    r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)", re.ASCII
)
TEXTS = ("title", "description", "websiteUrl", "$schema")
# Lists of objects, and the texts that each of the objects must have.
LISTS = {
    "packages": ("registryType", "identifier"),
    "remotes": ("type", "url"),
    "icons": ("src",),
}


@dataclass(frozen=True, slots=True)
class Entry:
    """One version of a server. `latest` is None where the registry does not say."""

    name: str
    version: str
    status: Status
    document: dict[str, Any]
    published_at: datetime | None = None
    updated_at: datetime | None = None
    latest: bool | None = None


@dataclass(slots=True)
class Page:
    """`refused` and `corrected`: (which entry, what is wrong), safe to print."""

    entries: list[Entry] = field(default_factory=list)
    refused: list[tuple[str, str]] = field(default_factory=list)
    corrected: list[tuple[str, str]] = field(default_factory=list)
    cursor: str = ""


def read_page(body: bytes, now: datetime) -> Page:
    """Raises `BadJson` where the page itself cannot be read; an entry that cannot
    be is only left out.
    """
    texts, metadata = split(body)
    page = Page(cursor=_cursor(decode(metadata)))
    for number, text in enumerate(texts, 1):
        which = f"entry {number}"
        try:
            raw = _object(_decoded(text), "the entry")
            which = _called(raw) or which
            page.entries.append(_entry(raw, which, now, page))
        except BadJson as error:
            page.refused.append((which, str(error)))
    page.entries = list(_once_each(page))
    return page


def _cursor(metadata: Any) -> str:
    cursor = metadata.get("nextCursor") if isinstance(metadata, dict) else None
    if cursor is None:
        return ""
    if not isinstance(cursor, str) or len(cursor) > MAX_CURSOR or "\0" in cursor:
        raise BadJson(f"nextCursor is no text of at most {MAX_CURSOR} characters.")
    return cursor


def _decoded(text: bytes) -> Any:
    try:
        return decode(text)
    except BadJson:
        # Not the decoder's reason: its positions would make each one a kind of its own.
        raise BadJson("it is no JSON that all programs read alike") from None


def _called(raw: dict[str, Any]) -> str:
    server = raw.get("server")
    name = server.get("name") if isinstance(server, dict) else None
    return printable(name, 80) if isinstance(name, str) else ""


def _entry(raw: dict[str, Any], which: str, now: datetime, page: Page) -> Entry:
    server = _object(raw.get("server"), "server")
    meta = _object(raw.get("_meta") or {}, "_meta")
    official = _object(meta.get(OFFICIAL) or {}, "the registry's _meta")
    moments = {}
    for key in ("publishedAt", "updatedAt"):
        moments[key], problem = _moment(official.get(key), now)
        if problem:
            page.corrected.append((which, f"{key} {problem}"))
    latest = official.get("isLatest")
    return Entry(
        name=_name(server.get("name")),
        version=_version(server.get("version")),
        status=_status(official.get("status", Status.ACTIVE)),
        document=_document(server),
        published_at=moments["publishedAt"],
        updated_at=moments["updatedAt"],
        latest=latest if isinstance(latest, bool) else None,
    )


def _once_each(page: Page) -> Iterator[Entry]:
    """Each version once: as it was updated last."""
    found: dict[tuple[str, str], Entry] = {}
    for entry in page.entries:
        key = entry.name, entry.version
        if key in found:
            page.refused.append((entry.name, "the same version is listed twice"))
            entry = max(found[key], entry, key=lambda one: one.updated_at or EARLIEST)
        found[key] = entry
    yield from found.values()


def _object(value: Any, what: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise BadJson(f"{what} is no object")
    return value


def _name(value: Any) -> str:
    if not isinstance(value, str) or not _NAME.fullmatch(value):
        raise BadJson("the name is no reverse-DNS name such as com.example/server")
    if len(value) > MAX_NAME:
        raise BadJson(f"the name is longer than {MAX_NAME} characters")
    return value


def _version(value: Any) -> str:
    if not isinstance(value, str) or not 0 < len(value) <= MAX_VERSION:
        raise BadJson(f"the version is no text of 1 to {MAX_VERSION} characters")
    if not value.isprintable():
        raise BadJson("the version has characters that cannot be printed")
    return value


def _status(value: Any) -> Status:
    if value not in Status.values:
        raise BadJson("the status is none of active, deprecated, deleted")
    return Status(value)


def _document(server: dict[str, Any]) -> dict[str, Any]:
    """The server's description as it is kept: canonical, bounded, of known shape."""
    _check_shape(server)
    try:
        text = canonical(server)
    except BadJson:
        raise BadJson("it is nested too deeply or has numbers too large") from None
    if len(text.encode()) > MAX_DOCUMENT:
        raise BadJson(f"the document is larger than {MAX_DOCUMENT // 1024} KiB")
    document: dict[str, Any] = orjson.loads(text)
    if any("\0" in one for one in _texts(document)):
        raise BadJson("a text in it has a NUL character")
    return document


def _check_shape(server: dict[str, Any]) -> None:
    for key in TEXTS:
        if not isinstance(server.get(key, ""), str):
            raise BadJson(f"{key} is no text")
    for key, wanted in LISTS.items():
        listed = server.get(key) or []
        if not isinstance(listed, list):
            raise BadJson(f"{key} is no list")
        for one in listed:
            each = _object(one, f"one of {key}")
            if not all(isinstance(each.get(name), str) for name in wanted):
                raise BadJson(f"one of {key} lacks {' or '.join(wanted)}")


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        yield from value
        value = list(value.values())
    if isinstance(value, list):
        for each in value:
            yield from _texts(each)


def _moment(value: Any, now: datetime) -> tuple[datetime | None, str]:
    """A moment that can be compared, and what was wrong with what the registry says.

    One of the future counts as now: else it would keep out all that comes before it.
    """
    if value is None:
        return None, ""
    if not isinstance(value, str) or not _MOMENT.fullmatch(value):
        return None, "is no RFC 3339 moment"
    try:
        moment = datetime.fromisoformat(value).astimezone(UTC)
    except (ValueError, OverflowError):
        return None, "is no RFC 3339 moment"
    if moment < EARLIEST:
        return None, "lies before the year 2000"
    return min(moment, now), "lies in the future" if moment > now + AHEAD else ""

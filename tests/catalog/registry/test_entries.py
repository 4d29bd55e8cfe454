"""What is taken of a page, and why the rest is not."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from catalog.registry.entries import OFFICIAL, Page, read_page
from servers.definitions import BadJson
from tests.cases import cases
from tests.catalog.registry.fake import server

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
GOOD = server("com.example/good")


def text(document: Any = GOOD, **official: Any) -> bytes:
    return json.dumps({"server": document, "_meta": {OFFICIAL: official}}).encode()


def page(*entries: bytes, metadata: bytes = b"{}") -> Page:
    body = b'{"servers":[' + b",".join(entries) + b'],"metadata":' + metadata + b"}"
    return read_page(body, NOW)


def test_an_entry():
    said = {"publishedAt": "2026-02-01T10:00:00Z", "isLatest": True}
    moved = {"updatedAt": "2026-02-02T12:30:00.123456789+02:00"}
    found = page(text(GOOD, status="deprecated", **said, **moved))
    assert (found.refused, found.corrected, found.cursor) == ([], [], "")
    (entry,) = found.entries
    assert (entry.name, entry.version) == ("com.example/good", "1.0.0")
    assert (entry.status, entry.latest) == ("deprecated", True)
    assert entry.document == GOOD
    assert entry.published_at == datetime(2026, 2, 1, 10, tzinfo=UTC)
    assert entry.updated_at == datetime(2026, 2, 2, 10, 30, 0, 123456, UTC)


def test_a_registry_that_says_nothing_of_its_own():
    (entry,) = page(json.dumps({"server": GOOD}).encode()).entries
    assert (entry.status, entry.latest, entry.updated_at) == ("active", None, None)


DEEP = b'{"server":{"name":"com.example/deep","version":"1.0.0","_meta":'
BIG = "x" * 65_000
ENTRIES = {
    "half a surrogate": b'{"server":{"name":"com.example/a","version":"\\ud800"}}',
    "a name twice": b'{"server":{"name":"com.example/a","name":"com.example/b"}}',
    "no number": b'{"server":{"name":"com.example/a","x":NaN}}',
    "many digits": b'{"server":{"name":"com.example/a","x":' + b"9" * 9999 + b"}}",
    "very deep": DEEP + b"[" * 5000 + b"]" * 5000 + b"}}",
    "deep": DEEP + b"[" * 100 + b"]" * 100 + b"}}",
    "bytes": b'{"server":"\xff\xfe"}',
    "null": b"null",
    "nothing": b"",
    "a list": b"[1]",
    "a text": b'"com.example/a"',
    "no server": b"{}",
    "NUL": text(server("com.example/a", title="a\0b")),
    "NUL in a key": text(server("com.example/a") | {"a\0b": 1}),
    "too large": text(server("com.example/a", title=BIG, description=BIG)),
    "title": text(server("com.example/a", title=["a"])),
    "packages": text(server("com.example/a", packages={"a": 1})),
    "package": text(server("com.example/a", packages=["a"])),
    "package without a name": text(
        server("com.example/a", packages=[{"registryType": "npm"}])
    ),
    "remote": text(server("com.example/a", remotes=[{"type": "sse", "url": 7}])),
    "no version": text({"name": "com.example/a"}),
    "empty version": text(server("com.example/a", "")),
    "long version": text(server("com.example/a", "1" * 256)),
    "version that turns": text(server("com.example/a", "1.0.\u202e0")),
    "number": text(server("com.example/a") | {"version": 1}),
    "status": text(status="gone"),
    "status of another type": text(status=["active"]),
    "official": json.dumps({"server": GOOD, "_meta": {OFFICIAL: [1]}}).encode(),
    "meta": json.dumps({"server": GOOD, "_meta": [1]}).encode(),
}


@cases("bad", ENTRIES.values(), ids=ENTRIES)
def test_one_bad_entry_spoils_no_other(bad: bytes):
    after = text(server("com.example/after"))
    found = page(text(server("org.example/before")), bad, after)
    names = [entry.name for entry in found.entries]
    assert names == ["org.example/before", "com.example/after"]
    ((which, reason),) = found.refused
    assert which.isprintable() and len(which) <= 80
    assert reason


@cases(
    "name",
    [
        *("", "/", "a/b", "nodots/server", "com.example", "com.example/", ".com/x"),
        *("com..example/x", "com.example/a/b", "com.example/a b", "com.exämple/x"),
        *("com.example/<b>", "com.example/x\n", "com.example/..%2f\0", 7, None, []),
        "com.example/" + "x" * 189,
    ],
)
def test_names_that_are_no_reverse_dns(name: Any):
    found = page(text(GOOD | {"name": name}), text())
    assert [entry.name for entry in found.entries] == ["com.example/good"]
    assert "name" in found.refused[0][1]


@pytest.mark.parametrize(
    "name", ["io.github.some-body/my_server.v2", "com.example/" + "x" * 188]
)
def test_names_that_are(name: str):
    assert [one.name for one in page(text(server(name))).entries] == [name]


def test_hostile_names_are_shown_on_one_line_without_tricks():
    name = "com.example/\u202eevil\x1b[2J\n" + "x" * 500
    ((which, _),) = page(text(server(name))).refused
    assert which.isprintable() and len(which) == 80


def test_the_same_version_twice_is_taken_as_it_was_updated_last():
    older = text(status="active", updatedAt="2026-02-01T10:00:00Z")
    newer = text(status="deleted", updatedAt="2026-02-02T10:00:00Z")
    for pair in ((older, newer), (newer, older)):
        found = page(*pair)
        assert [one.status for one in found.entries] == ["deleted"]
        assert found.refused == [
            ("com.example/good", "the same version is listed twice")
        ]


@cases(
    ("said", "kept", "problem"),
    [
        ("2026-03-01T11:00:00Z", NOW - timedelta(hours=1), ""),
        ("2026-03-01T22:00:00Z", NOW, ""),
        ("9999-12-31T23:59:59Z", NOW, "updatedAt lies in the future"),
        ("9999-12-31T23:59:59-23:00", None, "updatedAt is no RFC 3339 moment"),
        ("0001-01-01T00:00:00Z", None, "updatedAt lies before the year 2000"),
        ("0001-01-01T00:00:00+14:00", None, "updatedAt is no RFC 3339 moment"),
        ("2026-02-30T00:00:00Z", None, "updatedAt is no RFC 3339 moment"),
        ("2026-03-01T11:00:00", None, "updatedAt is no RFC 3339 moment"),
        ("2026-W01-1T11:00:00Z", None, "updatedAt is no RFC 3339 moment"),
        (1772362800, None, "updatedAt is no RFC 3339 moment"),
        ("", None, "updatedAt is no RFC 3339 moment"),
    ],
)
def test_moments(said: Any, kept: datetime | None, problem: str):
    found = page(text(updatedAt=said))
    assert found.entries[0].updated_at == kept
    assert found.corrected == ([("com.example/good", problem)] if problem else [])


@cases(
    ("metadata", "cursor"),
    [
        (b"{}", ""),
        (b"null", ""),
        (b'{"nextCursor":null}', ""),
        (b'{"nextCursor":""}', ""),
        (b'{"nextCursor":"com.example/a:1.0.0","count":1}', "com.example/a:1.0.0"),
    ],
)
def test_the_next_cursor(metadata: bytes, cursor: str):
    assert page(metadata=metadata).cursor == cursor


@cases(
    "metadata",
    [
        *(b'{"nextCursor":7}', b'{"nextCursor":"\\u0000"}', b'{"nextCursor":"a"'),
        b'{"nextCursor":"' + b"x" * 1001 + b'"}',
    ],
)
def test_a_page_without_a_way_on_is_no_page(metadata: bytes):
    with pytest.raises(BadJson):
        page(text(), metadata=metadata)

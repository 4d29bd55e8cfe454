"""An MCP registry on loopback: the official API's list and versions, over real HTTP.

It lists versions by name and version, `limit` a page, behind a cursor; what was
deleted only if asked or since a moment. `faults` answers the next requests instead.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

OFFICIAL = "io.modelcontextprotocol.registry/official"
START = datetime(2026, 3, 1, 12, tzinfo=UTC)


def server(name: str, version: str = "1.0.0", **more: Any) -> dict[str, Any]:
    return {
        "$schema": "https://static.example.com/2025-12-11/server.schema.json",
        "name": name,
        "description": f"Serves {name}",
        "version": version,
        "packages": [
            {
                "registryType": "npm",
                "identifier": f"@{name}",
                "version": version,
                "transport": {"type": "stdio"},
            }
        ],
    } | more


class Fault:
    """`body` with this status; `raw` instead of a whole answer, then the end."""

    def __init__(
        self, status: int = 500, body: bytes = b"{}", raw: bytes = b"", **headers: str
    ) -> None:
        self.status, self.body, self.raw = status, body, raw
        self.headers = {name.replace("_", "-"): v for name, v in headers.items()}


class FakeRegistry:
    """`clock` is its own; each change is an hour after the one before."""

    def __init__(self) -> None:
        self.url = ""
        self.clock = START
        self.entries: dict[tuple[str, str], dict[str, Any]] = {}
        self.page = 100
        self.faults: list[Fault | Callable[[dict[str, str]], Fault]] = []
        self.seen: list[tuple[str, dict[str, str], dict[str, str]]] = []

    # What publishers do

    def publish(self, name: str, version: str = "1.0.0", **more: Any) -> None:
        self.clock += timedelta(hours=1)
        for (other, _), entry in self.entries.items():
            if other == name:
                entry["_meta"][OFFICIAL]["isLatest"] = False
        self.put(server(name, version, **more))

    def put(self, document: dict[str, Any], **official: Any) -> None:
        meta = {
            "status": "active",
            "publishedAt": self.now(),
            "updatedAt": self.now(),
            "isLatest": True,
        }
        entry = {"server": document, "_meta": {OFFICIAL: meta | official}}
        self.entries[str(document["name"]), str(document["version"])] = entry

    def set_status(self, name: str, version: str, status: str) -> None:
        self.clock += timedelta(hours=1)
        official = self.entries[name, version]["_meta"][OFFICIAL]
        official |= {"status": status, "updatedAt": self.now()}

    def now(self) -> str:
        return self.clock.strftime("%Y-%m-%dT%H:%M:%S.123456789Z")

    # What is asked

    def queries(self) -> list[dict[str, str]]:
        return [query for _, query, _ in self.seen]

    def answer(self, path: str, query: dict[str, str]) -> Fault:
        if self.faults:
            fault = self.faults.pop(0)
            return fault if isinstance(fault, Fault) else fault(query)
        if path == "/v0.1/servers":
            return self.listed(query)
        parts = path.split("/")
        if parts[:3] == ["", "v0.1", "servers"] and parts[4:] == ["versions"]:
            return self.versions(unquote(parts[3]))
        return Fault(404)

    def versions(self, name: str) -> Fault:
        found = [e for (n, _), e in sorted(self.entries.items()) if n == name]
        living = [e for e in found if e["_meta"][OFFICIAL]["status"] != "deleted"]
        return paged(living) if living else Fault(404)

    def listed(self, query: dict[str, str]) -> Fault:
        since = query.get("updated_since", "")
        everything = since or query.get("include_deleted") == "true"
        keys = [
            f"{name}:{version}"
            for (name, version), entry in sorted(self.entries.items())
            if everything or entry["_meta"][OFFICIAL]["status"] != "deleted"
            if entry["_meta"][OFFICIAL]["updatedAt"] > since
        ]
        cursor = query.get("cursor", "")
        if cursor and cursor not in keys:
            return Fault(400, b'{"title": "Bad Request"}')
        left = keys[keys.index(cursor) + 1 :] if cursor else keys
        size = min(self.page, int(query["limit"]))
        taken = left[:size]
        entries = [self.entries[tuple(k.split(":", 1))] for k in taken]  # type: ignore[index]
        return paged(entries, taken[-1] if len(left) > size else "")


def paged(entries: list[Any], cursor: str = "") -> Fault:
    metadata = {"count": len(entries)} | ({"nextCursor": cursor} if cursor else {})
    return Fault(200, json.dumps({"servers": entries, "metadata": metadata}).encode())


def _handler(registry: FakeRegistry) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            query = {k: v[-1] for k, v in parse_qs(parts.query).items()}
            headers = {name.lower(): value for name, value in self.headers.items()}
            registry.seen.append((self.path, query, headers))
            said = registry.answer(parts.path, query)
            if said.raw:
                self.wfile.write(said.raw)
                self.close_connection = True
                return
            self.send_response(said.status)
            for name, value in said.headers.items():
                self.send_header(name, value)
            self.send_header("Set-Cookie", "tracked=1")
            self.send_header("Content-Length", str(len(said.body)))
            self.end_headers()
            self.wfile.write(said.body)

        def log_message(self, format: str, *args: Any) -> None:
            """Quiet: what was asked is in `seen`."""

    return Handler


@contextmanager
def running_registry() -> Iterator[FakeRegistry]:
    registry = FakeRegistry()
    httpd = ThreadingHTTPServer(("127.0.0.1", 0), _handler(registry))
    httpd.daemon_threads = True
    registry.url = f"http://127.0.0.1:{httpd.server_port}"
    thread = Thread(target=httpd.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield registry
    finally:
        httpd.shutdown()
        httpd.server_close()
        thread.join(5)

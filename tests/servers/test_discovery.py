"""Discovery against a real sandbox, and against servers that say anything."""

from __future__ import annotations

import json
from typing import Any

import pytest

from servers import mcp_client
from servers.discovery import Discovery, Failed, discover, discover_async
from servers.http1 import Deadlines
from tests.cases import cases
from tests.servers.peer import Conversation, Script, answering, peer
from tests.servers.upstream import MODERN, Upstream, error, tool


def names(found: Discovery) -> list[str]:
    return [each.name for each in found.tools]


def failure(url: str, headers: dict[str, str] | None = None) -> Failed:
    with pytest.raises(Failed) as caught:
        discover(url, headers or {})
    return caught.value


@pytest.mark.xdist_group("e2e")
def test_the_sandbox(sandbox_url: str) -> None:
    found = discover(sandbox_url, {})
    assert (found.era, found.revision) == ("modern", "2026-07-28")
    assert found.title == "PolicyLayer sandbox 1.0.0"
    assert len(found.tools) == 17
    assert "tools" in found.capabilities
    assert "sandbox" in found.instructions
    assert found.problems == ()


def test_a_modern_server(upstream: Upstream) -> None:
    found = discover(upstream.url, {"X-Key": "secret"})
    assert (found.era, found.revision, found.title) == ("modern", MODERN, "fake 1.2")
    assert names(found) == ["read_file", "write_file"]
    assert upstream.methods() == ["server/discover", "tools/list"]
    for _, method, headers in upstream.seen:
        assert headers["mcp-method"] == method
        assert headers["mcp-protocol-version"] == MODERN
        assert headers["x-key"] == "secret"
        assert "mcp-session-id" not in headers


@pytest.mark.parametrize("stream", [False, True])
def test_a_handshake_server(upstream: Upstream, stream: bool) -> None:
    upstream.modern, upstream.stream = False, stream
    found = discover(upstream.url, {})
    assert (found.era, found.revision) == ("legacy", "2025-11-25")
    assert (found.title, found.instructions) == ("fake 1.2", "Be kind")
    assert names(found) == ["read_file", "write_file"]
    assert upstream.methods() == [
        "server/discover", "initialize", "notifications/initialized", "tools/list",
        "DELETE",
    ]  # fmt: skip
    after = [headers for _, _, headers in upstream.seen[2:]]
    assert {each["mcp-session-id"] for each in after} == {"session-1"}
    assert {each["mcp-protocol-version"] for each in after} == {"2025-11-25"}


@pytest.mark.parametrize("revision", ["2025-06-18", "2025-03-26"])
def test_older_revisions(upstream: Upstream, revision: str) -> None:
    upstream.modern, upstream.handshakes = False, [revision]
    assert discover(upstream.url, {}).revision == revision


def test_a_server_without_sessions_is_sent_no_goodbye(upstream: Upstream) -> None:
    upstream.modern, upstream.session = False, None
    assert discover(upstream.url, {}).era == "legacy"
    assert "DELETE" not in upstream.methods()


def test_all_pages_are_read(upstream: Upstream) -> None:
    upstream.tools, upstream.page = [tool(f"t{n}") for n in range(25)], 10
    assert len(discover(upstream.url, {}).tools) == 25
    assert upstream.methods().count("tools/list") == 3


def test_pages_have_an_end(upstream: Upstream) -> None:
    upstream.page = 0
    upstream.answers["tools/list"] = lambda message: upstream.wrapped(
        message, {"tools": [], "nextCursor": "again"}
    )
    failed = failure(upstream.url)
    assert (failed.kind, "64 pages" in failed.what) == ("not mcp", True)


def test_a_server_without_tools_is_not_asked_for_them(upstream: Upstream) -> None:
    upstream.answers["server/discover"] = lambda message: upstream.wrapped(
        message, {"supportedVersions": [MODERN], "capabilities": {"prompts": {}}}
    )
    assert discover(upstream.url, {}).tools == ()
    assert upstream.methods() == ["server/discover"]


def test_a_modern_refusal_of_our_revision_leads_to_the_handshake(
    upstream: Upstream,
) -> None:
    upstream.answers["server/discover"] = lambda message: (
        400,
        "application/json",
        error(message, -32022, "version", {"supported": ["2025-11-25"]}),
    )
    assert discover(upstream.url, {}).era == "legacy"


STATUS = {
    401: "credentials",
    403: "credentials",
    404: "path",
    405: "path",
    406: "http",
    429: "busy",
    500: "server",
    502: "server",
    503: "server",
}


@pytest.mark.parametrize("status", STATUS)
@pytest.mark.parametrize("kind", ["application/json", "text/html", ""])
def test_statuses(upstream: Upstream, status: int, kind: str) -> None:
    for method in ("server/discover", "initialize"):
        upstream.answers[method] = lambda message: (status, kind, b"<html>")
    assert failure(upstream.url).kind == STATUS[status]
    tries = upstream.methods().count("initialize")
    assert tries == (0 if status in (401, 403, 500, 502, 503) else 1)


def test_credentials_missing_or_wrong(upstream: Upstream) -> None:
    upstream.required = {"authorization": "Bearer right"}
    assert "add a bearer token" in failure(upstream.url).fix
    assert "wrong, expired" in failure(upstream.url, {"Authorization": "Bearer x"}).fix
    assert discover(upstream.url, {"Authorization": "Bearer right"}).tools


HUGE = "x" * 1_100_000
NOT_MCP: dict[str, Any] = {
    "html": (200, "text/html", b"<html>"),
    "no type": (200, "", b"{}"),
    "text": (200, "text/plain", b"ok"),
    "no JSON": (200, "application/json", b"<html>"),
    "no JSON-RPC": (200, "application/json", b'{"ok":true}'),
    "a list": (200, "application/json", b"[]"),
    "no result": (200, "application/json", b'{"jsonrpc":"2.0","id":1,"result":7}'),
    "duplicate keys": (200, "application/json", b'{"jsonrpc":"2.0","jsonrpc":"2.0"}'),
    "silent stream": (200, "text/event-stream", b": hello\n\n"),
    "foreign stream": (
        200, "text/event-stream", b'data: {"jsonrpc":"2.0","id":99,"result":{}}\n\n',
    ),
    "odd stream": (200, "text/event-stream", b"data: [\n\n"),
}  # fmt: skip


@pytest.mark.parametrize("name", NOT_MCP)
def test_answers_that_are_no_mcp(upstream: Upstream, name: str) -> None:
    for method in ("server/discover", "initialize"):
        upstream.answers[method] = lambda message: NOT_MCP[name]
    failed = failure(upstream.url)
    assert failed.kind == "not mcp"
    assert "/mcp" in failed.fix


LISTS: dict[str, tuple[Any, str]] = {
    "too large": ({"tools": [tool("a", description=HUGE)]}, "too large"),
    "no list": ({"tools": {}}, "not mcp"),
    "no tools": ({}, "not mcp"),
    "bad cursor": ({"tools": [], "nextCursor": 5}, "not mcp"),
    "long cursor": ({"tools": [], "nextCursor": "c" * 70_000}, "not mcp"),
}


@pytest.mark.parametrize("name", LISTS)
def test_bad_lists(upstream: Upstream, name: str) -> None:
    result, kind = LISTS[name]
    upstream.answers["tools/list"] = lambda message: upstream.wrapped(message, result)
    assert failure(upstream.url).kind == kind


def test_a_list_is_bounded_over_all_pages(upstream: Upstream) -> None:
    upstream.tools = [tool(f"t{n}", description="x" * 200_000) for n in range(60)]
    upstream.page = 4
    failed = failure(upstream.url)
    assert (failed.kind, "8 MiB" in failed.what) == ("not mcp", True)


def test_hostile_text_is_kept_harmlessly(upstream: Upstream) -> None:
    upstream.info = {"name": "a\0b", "title": "<script>", "x": "y" * 40_000}
    upstream.tools = [tool("a", description="\0\u202e"), tool("b\0")]
    found = discover(upstream.url, {})
    assert found.identity == {"name": "a\ufffdb", "title": "<script>"}
    assert names(found) == ["a"]
    assert len(found.problems) == 1
    assert "\0" not in json.dumps(found.identity)


def test_an_unknown_revision_is_named(upstream: Upstream) -> None:
    upstream.modern = False
    upstream.answers["initialize"] = lambda message: upstream.wrapped(
        message, {"protocolVersion": "2024-11-05", "capabilities": {}}
    )
    failed = failure(upstream.url)
    assert (failed.kind, "2024-11-05" in failed.what) == ("revision", True)


@pytest.mark.parametrize("session", ["s" * 2000, "a b"])
def test_session_ids_are_bounded(upstream: Upstream, session: str) -> None:
    upstream.modern, upstream.session = False, session
    assert failure(upstream.url).kind == "not mcp"


URLS = {
    "ftp://example.com/": "address",
    "http://169.254.169.254/": "address",
    "http://user:pw@127.0.0.1/": "address",
    "http://127.0.0.1:1/mcp": "connect",
    "http://no-such-host.invalid/mcp": "dns",
}


@cases("url", URLS)
def test_urls_that_lead_nowhere(url: str) -> None:
    assert failure(url).kind == URLS[url]


async def wire_failure(script: Script) -> str:
    async with peer(script) as server:
        with pytest.raises(Failed) as caught:
            await discover_async(server.url, {})
    return caught.value.kind


async def closing(conversation: Conversation) -> None:
    await conversation.request()


async def test_what_goes_wrong_on_the_wire() -> None:
    moved = b"HTTP/1.1 302 Found\r\nLocation: /x\r\nContent-Length: 0\r\n\r\n"
    assert await wire_failure(closing) == "lost"
    assert await wire_failure(answering(b"SSH-2.0\r\n")) == "http"
    assert await wire_failure(answering(moved)) == "redirect"


async def test_a_server_that_hangs(monkeypatch: pytest.MonkeyPatch) -> None:
    async def hanging(conversation: Conversation) -> None:
        await conversation.reader.read()

    quick = Deadlines(connect=1, first_byte=0.2, idle=0.2, total=0.2)
    monkeypatch.setattr(mcp_client, "DEADLINES", quick)
    assert await wire_failure(hanging) == "timeout"

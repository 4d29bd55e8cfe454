"""Servers at URLs, through the outbound door."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from catalog.scanning.answers import Answer
from catalog.scanning.failures import ScanFailed
from catalog.scanning.packages import Seconds, scan
from catalog.scanning.sources import Source
from tests.fakes.mcp_server import (
    CAPABILITIES,
    MODERN,
    FakeServer,
    Rpc,
    running,
    tool,
)
from tests.servers.upstream import Upstream, error, running_upstream


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    with running_upstream() as server:
        yield server


def answered(fake: FakeServer) -> Answer:
    if fake.modern:
        known = {"supportedVersions": [MODERN], "capabilities": CAPABILITIES}
        fake.on("server/discover", lambda message, seen: known)

    async def conversation() -> Answer:
        async with running(fake):
            return await scan(Source("url", fake.url), Seconds(answer=20))

    return asyncio.run(conversation())


@pytest.mark.parametrize(
    ("era", "revision"), [("modern", "2026-07-28"), ("legacy", "2025-11-25")]
)
def test_both_eras(era: str, revision: str) -> None:
    fake = FakeServer(era=era)
    found = answered(fake)
    assert (found.revision, found.transport) == (revision, "streamable-http")
    assert {key: len(items) for key, items in found.items.items()} == {
        "tools": 3, "prompts": 2, "resources": 2, "resourceTemplates": 2,
    }  # fmt: skip
    assert found.environment == "over HTTP, without credentials"


@pytest.mark.parametrize("era", ["modern", "legacy"])
def test_a_tool_is_never_called_and_nothing_is_shown(era: str) -> None:
    fake = FakeServer(era=era)
    answered(fake)
    asked = [seen.method for seen in fake.seen if seen.verb == "POST"]
    lists = ["tools/list", "prompts/list", "resources/list", "resources/templates/list"]
    hello = ["server/discover"]
    hello += ["initialize", "notifications/initialized"] if era == "legacy" else []
    assert asked == [*hello, *lists]
    assert not any(
        name in seen.headers
        for seen in fake.seen
        for name in ("authorization", "cookie")
    )


def test_all_pages(upstream: Upstream) -> None:
    upstream.tools, upstream.page = [tool(f"t{n}") for n in range(25)], 10
    found = asyncio.run(scan(Source("url", upstream.url), Seconds()))
    assert found.count("tools") == 25


def test_cursors_in_a_circle(upstream: Upstream) -> None:
    page = {"tools": [tool("a")], "nextCursor": "again"}
    upstream.answers["tools/list"] = lambda message: upstream.wrapped(message, page)
    found = asyncio.run(scan(Source("url", upstream.url), Seconds()))
    assert found.problems == ("tools/list: its cursors go in a circle.",)
    assert upstream.methods().count("tools/list") == 2


def test_lists_that_are_refused_are_told_and_the_tools_stay() -> None:
    fake = FakeServer()
    fake.on("prompts/list", lambda message, seen: Rpc(-32601, "not today"))
    found = answered(fake)
    assert (found.count("tools"), found.count("prompts")) == (3, 0)
    assert found.problems == ("prompts/list: not today (-32601)",)


def test_a_server_that_wants_a_token(upstream: Upstream) -> None:
    denied = lambda message: (401, "application/json", error(message, -1, "no"))  # noqa: E731
    upstream.answers["server/discover"] = denied
    with pytest.raises(ScanFailed) as caught:
        asyncio.run(scan(Source("url", upstream.url), Seconds()))
    assert caught.value.stage == "answer"


def test_addresses_that_this_installation_may_not_reach(
    settings: object, upstream: Upstream
) -> None:
    settings.ALLOW_PRIVATE_UPSTREAMS = False  # type: ignore[attr-defined]
    with pytest.raises(ScanFailed):
        asyncio.run(scan(Source("url", upstream.url), Seconds()))
    assert upstream.seen == []

"""An agent: the official SDK's client, kept connected while a person changes things.

Its event loop runs in a thread of its own: Playwright's keeps this one.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any, NamedTuple

import anyio
import httpx2
from anyio.from_thread import BlockingPortal, start_blocking_portal
from mcp import Client, MCPError
from mcp.client.streamable_http import streamable_http_client

META = "io.policylayer/"
CALL_SECONDS = 60
AT_ONCE = 5


class Answer(NamedTuple):
    """`code` of a JSON-RPC error, `rule` of a refusal by the gateway, else the
    server's own answer, which may be an error too."""

    text: str
    failed: bool = False
    code: int | None = None
    rule: str | None = None
    retry_after: float | None = None

    @property
    def from_server(self) -> bool:
        return self.code is None and self.rule is None


class Agent:
    def __init__(self, portal: BlockingPortal, client: Client) -> None:
        self._portal, self._client = portal, client

    def tools(self) -> list[str]:
        return self._portal.call(self._tools)

    def call(self, name: str, arguments: dict[str, Any]) -> Answer:
        answer: Answer = self._portal.call(self._call, name, arguments)
        return answer

    def calls(self, name: str, arguments: dict[str, Any], times: int) -> list[Answer]:
        """Several at once: so many within the minute on a busy machine too."""
        return self._portal.call(self._calls, name, arguments, times)

    async def _tools(self) -> list[str]:
        names, cursor = [], None
        while True:
            page = await self._client.list_tools(cursor=cursor, cache_mode="refresh")
            names += [tool.name for tool in page.tools]
            cursor = page.next_cursor
            if not cursor:
                return names

    async def _calls(
        self, name: str, arguments: dict[str, Any], times: int
    ) -> list[Answer]:
        answers: list[Answer] = []
        left = iter(range(times))

        async def work() -> None:
            for _ in left:
                answers.append(await self._call(name, arguments))

        async with anyio.create_task_group() as group:
            for _ in range(AT_ONCE):
                group.start_soon(work)
        return answers

    async def _call(self, name: str, arguments: dict[str, Any]) -> Answer:
        try:
            result = await self._client.call_tool(name, arguments)
        except MCPError as error:
            return Answer(error.message, failed=True, code=error.code)
        text = "\n".join(getattr(each, "text", "") for each in result.content)
        meta = result.meta or {}
        rule, after = meta.get(f"{META}rule"), meta.get(f"{META}retryAfter")
        return Answer(text, bool(result.is_error), rule=rule, retry_after=after)


@contextmanager
def connected(url: str, token: str = "") -> Iterator[Agent]:
    with (
        start_blocking_portal() as portal,
        portal.wrap_async_context_manager(_client(url, token)) as client,
    ):
        yield Agent(portal, client)


@asynccontextmanager
async def _client(url: str, token: str) -> AsyncIterator[Client]:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    async with (
        httpx2.AsyncClient(headers=headers, timeout=CALL_SECONDS) as http,
        Client(streamable_http_client(url, http_client=http)) as client,
    ):
        yield client

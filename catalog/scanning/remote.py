"""A server at a URL: through the outbound door, without credentials."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from django.utils import timezone

from catalog.scanning.answers import Answer, said
from catalog.scanning.failures import ScanFailed
from catalog.scanning.listing import Listed, everything
from catalog.scanning.sources import Source
from servers.diagnosis import Failed, explain
from servers.failures import WireError
from servers.http1 import Pool
from servers.mcp_client import BadStatus, Hello, McpClient, McpError, RpcError
from servers.outbound import Door

ENVIRONMENT = "over HTTP, without credentials"


class RemoteAsker:
    def __init__(self, client: McpClient) -> None:
        self._client = client

    async def ask(self, method: str, params: Mapping[str, Any]) -> dict[str, Any]:
        try:
            return await self._client.ask(method, params)
        except BadStatus as error:
            if error.status >= 500:
                raise
            raise RpcError(error.status, 0, str(error), None) from None


async def scan_url(source: Source, seconds: float, door: Door | None = None) -> Answer:
    """Raises ScanFailed."""
    door = door or Door.from_settings()
    pool = Pool(door)
    moment = timezone.now()
    try:
        async with asyncio.timeout(seconds):
            hello, listed = await _ask(pool, door, source.name)
    except (WireError, McpError, TimeoutError) as error:
        raise _failed(explain(error, has_credentials=False)) from error
    finally:
        pool.close()
    return Answer(
        kind=source.kind,
        source=source.name,
        version=str(hello.identity.get("version") or "")[:255],
        transport="streamable-http",
        scanned_at=moment,
        environment=ENVIRONMENT,
        registry_name=source.registry_name,
        **said(hello, listed),
    )


async def _ask(pool: Pool, door: Door, url: str) -> tuple[Hello, Listed]:
    client = McpClient(pool, door.check_url(url), [])
    try:
        hello = await client.hello()
        return hello, await everything(RemoteAsker(client), hello.capabilities)
    finally:
        await client.goodbye()


def _failed(failed: Failed) -> ScanFailed:
    return ScanFailed("answer", f"{failed.what} {failed.fix}".strip())

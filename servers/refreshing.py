"""Asking stored servers again what they are: now, after an unknown tool, by the beat.

A server that hangs takes half a minute. So that none keeps the workers from other
work, an organization has one refresh under way at a time, and the beat asks many
servers at once in one task.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from accounts.keys import tag
from accounts.valkey import client
from servers import credentials, discovery, registering, vault
from servers.diagnosis import Failed
from servers.discovery import Discovery
from servers.models import Server

EVERY_SECONDS = 10
AT_ONCE = 50
# Longer than any discovery takes: what a killed worker leaves behind must end.
HELD_SECONDS = int(discovery.SECONDS) + 15


def refresh(server: Server) -> Discovery:
    """Stores what the server says. Raises `Failed`, after noting it on the server."""
    try:
        found = discovery.discover(server.url, headers_of(server))
    except Failed as failed:
        registering.note_failure(server, failed)
        raise
    registering.store(server, found)
    return found


def refresh_many(servers: Sequence[Server]) -> None:
    """All at once, each stored when all have answered or failed."""
    headers = [_headers(server) for server in servers]
    answers = asyncio.run(_ask(servers, headers))
    for server, found in zip(servers, answers, strict=True):
        if isinstance(found, Failed):
            registering.note_failure(server, found)
            continue
        try:
            registering.store(server, found)
        except (registering.Stale, Server.DoesNotExist):
            continue  # changed or deleted meanwhile: the next round asks it anew


def headers_of(server: Server) -> dict[str, str]:
    """The stored credentials in the clear. Raises `Failed` where they do not open."""
    try:
        opened = credentials.opened(credentials.of_server(server))
    except vault.VaultError as error:
        raise Failed(
            "vault", f"The stored credentials do not open: {error}", "Enter them again."
        ) from error
    return {name.decode(): value.decode() for name, value in opened}


@contextmanager
def claimed(server: Server) -> Iterator[bool]:
    """Whether it may be asked now: at most once in 10 seconds, and no other server of
    its organization is being asked by a task.
    """
    start = f"{tag(server.organization.shard)}:refresh:"
    own, shared = start + server.pk.hex, start + server.organization_id.hex
    if not client().set(own, b"1", nx=True, ex=HELD_SECONDS):
        yield False
        return
    if not client().set(shared, b"1", nx=True, ex=HELD_SECONDS):
        client().delete(own)
        yield False
        return
    try:
        yield True
    finally:
        client().delete(shared)
        client().expire(own, EVERY_SECONDS)


async def _ask(
    servers: Sequence[Server], headers: Sequence[dict[str, str] | Failed]
) -> list[Discovery | Failed]:
    return list(await asyncio.gather(*map(_ask_one, servers, headers)))


def _headers(server: Server) -> dict[str, str] | Failed:
    try:
        return headers_of(server)
    except Failed as failed:
        return failed


async def _ask_one(
    server: Server, headers: dict[str, str] | Failed
) -> Discovery | Failed:
    if isinstance(headers, Failed):
        return headers
    try:
        return await discovery.discover_async(server.url, headers)
    except Failed as failed:
        return failed

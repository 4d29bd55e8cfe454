"""How many calls may be held open: for a grant and an organization, by all processes
together; and by this one.

Each held call is a member of a sorted set for its grant and one for its organization,
scored by when it is over at the latest, so that those of a process that died leave by
themselves. Two that come to the last place at once may both find none: the text they
get instead loses nothing.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any
from uuid import UUID, uuid4

from accounts.keys import tag
from gateway.snapshot import Rights
from gateway.valkey import Valkey, ValkeyDown

MOST_OF_GRANT, MOST_OF_ORGANIZATION, MOST = 8, 64, 2_000
# Seconds by which the clocks of two processes may differ.
SLACK = 5.0


class Slots:
    def __init__(self, valkey: Valkey) -> None:
        self._valkey = valkey
        self.held = 0

    @asynccontextmanager
    async def taken(self, rights: Rights, seconds: float) -> AsyncIterator[bool]:
        """False: there is no room, or nobody knows whether there is."""
        if self.held >= MOST:
            yield False
            return
        self.held += 1
        keys = {
            _key(rights, rights.grant_id): MOST_OF_GRANT,
            _key(rights, rights.organization_id): MOST_OF_ORGANIZATION,
        }
        member = uuid4().hex
        try:
            yield await self._enter(keys, member, seconds)
        finally:
            self.held -= 1
            self._leave(keys, member)

    async def _enter(self, keys: dict[str, int], member: str, seconds: float) -> bool:
        now, command = time.time(), self._valkey.command
        over, life = now + seconds + SLACK, int(seconds + 2 * SLACK)
        try:
            for key in keys:
                _seen(command("ZREMRANGEBYSCORE", key, "-inf", str(now)))
                _seen(command("ZADD", key, str(over), member))
                _seen(command("EXPIRE", key, life, "GT"))
                _seen(command("EXPIRE", key, life, "NX"))
            held = [command("ZCARD", key) for key in keys]
            counts = await asyncio.gather(*held)
            return all(n <= most for n, most in zip(counts, keys.values(), strict=True))
        except ValkeyDown:
            return False

    def _leave(self, keys: dict[str, int], member: str) -> None:
        with suppress(ValkeyDown):
            for key in keys:
                _seen(self._valkey.command("ZREM", key, member))


def _key(rights: Rights, id: UUID) -> str:
    return f"{tag(rights.shard)}:held:{id.hex}"


def _seen(future: asyncio.Future[Any]) -> None:
    """Nobody waits for it; what fails is over by its score."""
    future.add_done_callback(lambda done: done.cancelled() or done.exception())

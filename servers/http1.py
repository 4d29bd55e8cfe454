"""An HTTP/1.1 client over the outbound door, made for the gateway's hot path.

A warm call costs one poll, one write, one future and one parse; deadlines are looked
at by one timer a pool instead of one timer a call, so they are kept to a tenth of a
second. aiohttp costs ten times as much a call, httpx a hundred and fifty.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from servers.addresses import Target
from servers.failures import Busy, Unreachable
from servers.http_connection import Connection, Deadlines
from servers.http_request import Headers, write_request
from servers.http_response import Response
from servers.outbound import Door

__all__ = ["Deadlines", "Headers", "Pool", "Response"]

TICK_SECONDS = 0.1
Key = tuple[bool, str, int, str]


class Pool:
    """Belongs to the event loop in which it is first used.

    per_target, at_once: connections at most, to one target and to all; beyond them a
    request is refused at once (`Busy`), nobody queues.
    """

    def __init__(self, door: Door, per_target: int = 1000, at_once: int = 8000) -> None:
        self.door = door
        self._per_target, self._at_once = per_target, at_once
        self._idle: dict[Key, list[Connection]] = {}
        self._counts: dict[Key, int] = {}
        self._open: set[Connection] = set()
        self._taken = 0
        self._timer: asyncio.TimerHandle | None = None

    async def request(
        self,
        target: Target,
        method: str,
        path: bytes,
        headers: Headers | bytes,
        body: bytes,
        deadlines: Deadlines,
        on_sent: Callable[[], None] | None = None,
    ) -> Response:
        """Returns when the head of the answer is there. `headers` may be a whole head
        that `write_head` made for the same target, method and path. `on_sent` is
        called when the request is handed to the transport: who cancels this needs to
        know.

        Raises `NotSent` where the request was certainly not handed to the transport,
        `Lost` where it was; ValueError for headers that cannot be written.
        """
        request = write_request(target, method, path, headers, body)
        connection = self._take(target.key) or await self._connect(target, deadlines)
        if on_sent is not None:
            on_sent()
        answer = connection.send(request, deadlines)
        try:
            return await answer
        except asyncio.CancelledError:
            connection.abandon(answer)
            raise

    def close(self) -> None:
        for connection in tuple(self._open):
            connection.overdue()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _take(self, key: Key) -> Connection | None:
        idle = self._idle.get(key)
        while idle:
            connection = idle.pop()
            if connection.usable():
                return connection
            connection.abort()
        return None

    async def _connect(self, target: Target, deadlines: Deadlines) -> Connection:
        self._count(target)
        connection = Connection(self, target.key)
        try:
            await self.door.open(target, lambda: connection, deadlines.connect)
        except BaseException:
            if not connection.made:
                self._uncount(target.key)
            raise
        if connection.gone:
            raise Unreachable(f"{target.host} closed the connection at once.")
        return connection

    def _count(self, target: Target) -> None:
        taken = self._counts.get(target.key, 0)
        if taken >= self._per_target or self._taken >= self._at_once:
            raise Busy(f"Too many connections to {target.host} are open already.")
        self._counts[target.key] = taken + 1
        self._taken += 1

    def _uncount(self, key: Key) -> None:
        self._taken -= 1
        if (left := self._counts[key] - 1) > 0:
            self._counts[key] = left
        else:
            del self._counts[key]

    # -- called by connections -----------------------------------------------------

    def opened(self, connection: Connection) -> None:
        self._open.add(connection)
        self._watch()

    def released(self, connection: Connection) -> None:
        self._idle.setdefault(connection.key, []).append(connection)

    def closed(self, connection: Connection) -> None:
        self._open.discard(connection)
        self._uncount(connection.key)
        idle = self._idle.get(connection.key)
        if idle and connection in idle:
            idle.remove(connection)
        if not idle:
            self._idle.pop(connection.key, None)

    def _watch(self) -> None:
        if self._timer is None and self._open:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(TICK_SECONDS, self._tick, loop)

    def _tick(self, loop: asyncio.AbstractEventLoop) -> None:
        self._timer = None
        now = loop.time()
        for connection in [one for one in self._open if one.expires < now]:
            connection.overdue()
        self._watch()

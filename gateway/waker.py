"""Waking what waits for a decision: one subscription a process, and a look at the rows.

Only the row decides. A message may be lost, and a decision may have been made while
nobody was subscribed; so all rows that somebody waits for are looked at every few
seconds, in one query, and after every new subscription.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, Iterator
from contextlib import contextmanager, suppress
from uuid import UUID

from redis.asyncio import Redis
from redis.exceptions import RedisError

from approvals.waking import WAKE

LOOK_SECONDS = 5.0
BACK_OFF = 1.0
CONNECT_SECONDS = 2.0

log = logging.getLogger(__name__)
# Of these approvals, those that nobody needs to wait for any more.
Look = Callable[[Collection[UUID]], Awaitable[Collection[UUID]]]


class Waker:
    """`told` is called with each approval that something happened to, and with None
    when anything may have."""

    def __init__(
        self, url: str, look: Look, told: Callable[[UUID | None], None]
    ) -> None:
        self._url, self._look, self._told = url, look, told
        self._waiting: dict[UUID, set[asyncio.Event]] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self.subscribed = asyncio.Event()

    def start(self) -> None:
        loop = asyncio.get_running_loop()
        self._tasks = [
            loop.create_task(self._listen()),
            loop.create_task(self._look_again()),
        ]

    async def close(self) -> None:
        """Again and again: the client library swallows a cancellation that comes while
        it connects."""
        while pending := [task for task in self._tasks if not task.done()]:
            for task in pending:
                task.cancel()
            await asyncio.wait(pending, timeout=0.2)

    @contextmanager
    def waiting(self, approval: UUID) -> Iterator[asyncio.Event]:
        """The event is set whenever the row is worth a look."""
        event = asyncio.Event()
        events = self._waiting.setdefault(approval, set())
        events.add(event)
        try:
            yield event
        finally:
            events.discard(event)
            if not events:
                self._waiting.pop(approval, None)

    def waiters(self, approval: UUID) -> int:
        return len(self._waiting.get(approval, ()))

    def wake(self, approval: UUID) -> None:
        for event in self._waiting.get(approval, ()):
            event.set()

    # What wakes

    async def _listen(self) -> None:
        while True:
            client = Redis.from_url(
                self._url,
                socket_connect_timeout=CONNECT_SECONDS,
                health_check_interval=10,
            )
            try:
                await self._follow(client)
            except (RedisError, OSError) as error:
                log.warning("not subscribed to decisions: %s", error)
            finally:
                self.subscribed.clear()
                with suppress(RedisError, OSError):
                    await client.aclose()
            await asyncio.sleep(BACK_OFF)

    async def _follow(self, client: Redis) -> None:
        async with client.pubsub() as channel:
            await channel.subscribe(WAKE)
            async for message in channel.listen():
                if message["type"] == "subscribe":
                    self.subscribed.set()
                    self._all()
                elif message["type"] == "message":
                    self._hear(message["data"])

    def _all(self) -> None:
        for approval in list(self._waiting):
            self.wake(approval)
        self._told(None)

    def _hear(self, data: bytes) -> None:
        try:
            approval = UUID(hex=data.decode())
        except ValueError:
            log.warning("a wake-up that names no approval: %r", data[:64])
            return
        self.wake(approval)
        self._told(approval)

    async def _look_again(self) -> None:
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            if self._waiting:
                for approval in await self._look(list(self._waiting)):
                    self.wake(approval)
            self._told(None)

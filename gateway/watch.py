"""Notices clients that go away, without a task for each call.

Nearly all calls end before anybody looks. Ten times a second one sweep finds those
that last, and only for them a task waits for the end of the client's connection. The
same sweep ends requests whose body does not arrive.
"""

from __future__ import annotations

import asyncio

from gateway.exchange import Exchange

EVERY = 0.1
BODY_SECONDS = 30.0


class Watch:
    def __init__(self) -> None:
        self._live: set[Exchange] = set()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.get_running_loop().create_task(self._sweep())

    def close(self) -> None:
        if self._task is not None:
            self._task.cancel()

    def add(self, x: Exchange) -> None:
        self._live.add(x)

    def lasting(self, seconds: float) -> list[Exchange]:
        """Calls of grants that have been open for so long."""
        now = asyncio.get_running_loop().time()
        return [
            x
            for x in self._live
            if now - x.since > seconds
            and hasattr(x, "decision")
            and not x.answered
            and not x.ending
        ]

    def forget(self, x: Exchange) -> None:
        self._live.discard(x)
        if x.watcher is not None:
            x.watcher.cancel()

    async def _sweep(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(EVERY)
            now = loop.time()
            for x in [x for x in self._live if now - x.since > EVERY]:
                self._look(x, now, loop)

    def _look(self, x: Exchange, now: float, loop: asyncio.AbstractEventLoop) -> None:
        if not x.body_read and not hasattr(x, "message"):
            if now - x.since > BODY_SECONDS and x.task is not None:
                x.cancelled = True
                x.task.cancel()
        elif x.watcher is None:
            x.watcher = loop.create_task(self._until_gone(x))

    async def _until_gone(self, x: Exchange) -> None:
        while (await x.edge.receive())["type"] != "http.disconnect":
            continue
        if x.answered:
            return
        x.gone = True
        if x.era == "modern":  # in the handshake era going away is not cancelling
            x.gateway.cancel(x)

"""Threads that read and write Postgres: no query runs on the event loop."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TypeVar

from django.db import close_old_connections, connections

T = TypeVar("T")


class Threads:
    """Each has a connection of its own, which is closed with it."""

    def __init__(self, count: int, name: str) -> None:
        self._count = count
        self._pool = ThreadPoolExecutor(count, name)

    async def run(self, work: Callable[[], T]) -> T:
        def done() -> T:
            close_old_connections()
            return work()

        return await asyncio.get_running_loop().run_in_executor(self._pool, done)

    async def close(self) -> None:
        everyone = threading.Barrier(self._count)

        def end() -> None:
            with suppress(threading.BrokenBarrierError):  # one hangs: leave it
                everyone.wait(5)
            connections.close_all()

        await asyncio.gather(*(self.run(end) for _ in range(self._count)))
        self._pool.shutdown()

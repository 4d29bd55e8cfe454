"""Threads that a test's gateway leaves to that of the next test.

Their connections stay: a new one has to learn all tables anew. That a gateway ends what
it began, test_threads.py sees.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper

from gateway.threads import Threads

T = TypeVar("T")


class Pool(ThreadPoolExecutor):
    def __init__(self, count: int) -> None:
        super().__init__(count)
        self._given: list[Future[Any]] = []

    def submit(self, *work: Any, **more: Any) -> Future[Any]:
        self._given.append(future := super().submit(*work, **more))
        return future

    def idle(self) -> bool:
        self._given = [future for future in self._given if not future.done()]
        return not self._given


FREE: defaultdict[int, list[Pool]] = defaultdict(list)
CONNECTIONS: set[BaseDatabaseWrapper] = set()


def kept(work: Callable[[], T]) -> Callable[[], T]:
    """That, in a thread whose connection stays."""

    def done() -> T:
        CONNECTIONS.add(connections["default"])
        return work()

    return done


class KeptThreads(Threads):
    def __init__(self, count: int, name: str) -> None:
        super().__init__(count, name)
        self._pool: Pool = FREE[count].pop() if FREE[count] else Pool(count)

    async def run(self, work: Callable[[], T]) -> T:
        return await super().run(kept(work))

    async def close(self) -> None:
        if self._pool.idle():
            FREE[self._count].append(self._pool)
        else:
            await super().close()


def let_go() -> None:
    """At the end of the run, as a connection that is forgotten is warned of."""
    for connection in CONNECTIONS:
        connection.inc_thread_sharing()
        connection.close()

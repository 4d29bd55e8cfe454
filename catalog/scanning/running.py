"""Many scans at once, each told as it ends.

Servers are asked in one event loop; what they answered is handed out between its
turns, so that it can be stored by code that knows nothing of loops.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from catalog.scanning.answers import Answer
from catalog.scanning.failures import ScanFailed
from catalog.scanning.packages import Seconds, scan
from catalog.scanning.sources import Source


@dataclass(frozen=True, slots=True)
class Done:
    """`answer`, or the failure that came instead of it."""

    source: Source
    seconds: float
    answer: Answer | None = None
    failure: ScanFailed | None = None


def scans(sources: Sequence[Source], jobs: int, seconds: Seconds) -> Iterator[Done]:
    """In the order in which they end. Closing it ends those that run."""
    with asyncio.Runner() as runner:
        waiting = runner.run(_begin(sources, jobs, seconds))
        while waiting:
            ended, waiting = runner.run(_next(waiting))
            yield from [task.result() for task in ended]


async def _begin(
    sources: Sequence[Source], jobs: int, seconds: Seconds
) -> set[asyncio.Task[Done]]:
    turns = asyncio.Semaphore(jobs)
    return {asyncio.create_task(_one(each, turns, seconds)) for each in sources}


async def _next(
    waiting: set[asyncio.Task[Done]],
) -> tuple[set[asyncio.Task[Done]], set[asyncio.Task[Done]]]:
    return await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)


async def _one(source: Source, turns: asyncio.Semaphore, seconds: Seconds) -> Done:
    async with turns:
        begun = time.monotonic()
        try:
            answer = await scan(source, seconds)
        except ScanFailed as error:
            return Done(source, time.monotonic() - begun, failure=error)
        return Done(source, time.monotonic() - begun, answer)

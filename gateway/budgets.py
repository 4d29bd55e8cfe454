"""How much of something may be used a second. Pure but for the clock.

A token bucket for lookups of unknown tokens, and one an organization for the bytes of
large messages: parsing them is the one work that holds up all other calls.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from uuid import UUID

# A parse above this lets others go first, and is counted.
LARGE = 64 * 1024
PARSED_A_SECOND = 16 * 1024 * 1024
MAX_KNOWN = 10_000
PAUSE = 0.05


class Bucket:
    """At most `rate` a second, and as many at once."""

    def __init__(
        self, rate: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._rate, self._clock = rate, clock
        self._left, self._at = rate, clock()

    def take(self, amount: float = 1.0) -> bool:
        now = self._clock()
        self._left = min(self._rate, self._left + (now - self._at) * self._rate)
        self._at = now
        if self._left < amount:
            return False
        self._left -= amount
        return True


class Parsing:
    """Large messages of one organization wait for each other, not for others."""

    def __init__(self, rate: float = PARSED_A_SECOND) -> None:
        self._rate = rate
        self._buckets: dict[UUID, Bucket] = {}

    async def turn(self, organization: UUID, size: int) -> None:
        if size <= LARGE:
            return
        await asyncio.sleep(0)
        bucket = self._buckets.get(organization)
        if bucket is None:
            if len(self._buckets) > MAX_KNOWN:
                self._buckets.clear()
            bucket = self._buckets[organization] = Bucket(self._rate)
        while not bucket.take(min(size, self._rate)):
            await asyncio.sleep(PAUSE)

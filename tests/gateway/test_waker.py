"""The one subscription of a process ends when it must, whatever it is doing."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Collection
from uuid import UUID

import pytest
import redis

from gateway.waker import Waker

pytestmark = pytest.mark.timeout(60)


async def nothing(approvals: Collection[UUID]) -> Collection[UUID]:
    return ()


async def test_it_closes_at_every_point_of_its_beginning(valkey: redis.Redis) -> None:
    async def closed(steps: int) -> None:
        waker = Waker(os.environ["REDIS_URL"], nothing, lambda approval: None)
        waker.start()
        for _ in range(steps):
            await asyncio.sleep(0)

        await asyncio.wait_for(waker.close(), 5)

    await asyncio.gather(*map(closed, range(60)))


async def test_without_a_server_it_goes_on_trying_and_closes() -> None:
    waker = Waker("redis://127.0.0.1:1/0", nothing, lambda approval: None)
    waker.start()
    await asyncio.sleep(0.2)
    assert not waker.subscribed.is_set()
    await asyncio.wait_for(waker.close(), 5)

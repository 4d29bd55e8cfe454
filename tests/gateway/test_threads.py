"""What the gateway's threads hold ends with them."""

from __future__ import annotations

import asyncio

import pytest
from django.db import connection

from gateway.threads import Threads
from tests.gateway.conftest import orm

COUNT = 3


def asked() -> int:
    """The process of the server that this thread is connected to."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid() FROM pg_sleep(0.2)")
        return int(cursor.fetchone()[0])


def living(pids: set[int]) -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE pid = ANY(%s)", [[*pids]]
        )
        return int(cursor.fetchone()[0])


@pytest.mark.django_db(transaction=True)
async def test_connections_are_closed_with_their_threads(kept: None) -> None:
    threads = Threads(COUNT, "test")
    pids = set(await asyncio.gather(*(threads.run(asked) for _ in range(COUNT))))
    assert len(pids) == COUNT == await orm(lambda: living(pids))
    await threads.close()
    async with asyncio.timeout(10):
        while await orm(lambda: living(pids)):
            await asyncio.sleep(0.02)

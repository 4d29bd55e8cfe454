"""Outcomes are kept until they are acknowledged, and given back at most once."""

from __future__ import annotations

import asyncio
import os
import uuid
from collections.abc import AsyncIterator
from typing import Any

import pytest
import redis

from audit.entries import OutcomeEntry, decode_outcome
from gateway import outcomes
from gateway.outcomes import Outcomes, Stream
from gateway.valkey import Valkey

KEY = "{s07}:records"
STREAM = Stream(7, uuid.uuid4())


def entry() -> OutcomeEntry:
    return OutcomeEntry(id=uuid.uuid4(), organization=uuid.uuid4(), status="ok")


@pytest.fixture
async def client() -> AsyncIterator[Valkey]:
    client = Valkey(os.environ["REDIS_URL"])
    await client.connect()
    yield client
    await client.close()


async def written(valkey: redis.Redis, count: int) -> list[Any]:
    for _ in range(200):
        found: Any = valkey.xrange(KEY)
        if len(found) >= count:
            break
        await asyncio.sleep(0.02)
    return [decode_outcome(fields[b"r"]).id for _, fields in found]


async def test_an_outcome_is_written_and_forgotten(
    valkey: redis.Redis, client: Valkey
) -> None:
    kept, one = Outcomes(client), entry()

    kept.add(STREAM, one)

    assert await written(valkey, 1) == [one.id]
    await asyncio.sleep(0.05)
    assert not kept._kept


async def test_what_could_not_be_written_is_written_later(
    valkey: redis.Redis, client: Valkey, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outcomes, "AGAIN", 0.1)
    kept, many = Outcomes(client), [entry() for _ in range(3)]
    await kept.start()
    client.problem = "gone for a while"
    for one in many:
        kept.add(STREAM, one)
    await asyncio.sleep(0.3)
    assert valkey.xlen(KEY) == 0
    client.problem = ""

    assert set(await written(valkey, 3)) == {one.id for one in many}
    await kept.close()


async def test_the_last_ones_are_written_at_the_end(
    valkey: redis.Redis, client: Valkey
) -> None:
    kept, one = Outcomes(client), entry()
    client.problem = "gone for a while"
    kept.add(STREAM, one)
    client.problem = ""

    await kept.close()

    assert await written(valkey, 1) == [one.id]


async def test_what_is_kept_is_bounded(
    valkey: redis.Redis, client: Valkey, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outcomes, "MAX_KEPT", 5)
    kept, many = Outcomes(client), [entry() for _ in range(8)]
    client.problem = "gone"
    for one in many:
        kept.add(STREAM, one)

    assert list(kept._kept) == [one.id.int for one in many[3:]]

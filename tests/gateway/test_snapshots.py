"""What a process believes, for how long, and what makes it look again."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any, cast

import pytest
import redis
from django.db import OperationalError, transaction

from accounts import generation
from accounts import valkey as pages_valkey
from accounts.models import Membership, Organization
from config.embedded import Running, erase, start_valkey
from gateway import loading, snapshots
from gateway.budgets import Bucket
from policies import granting
from policies.models import Grant
from servers import verdicts
from servers.models import Credential, Server, ToolDefinition
from tests.fakes.mcp_server import FakeServer
from tests.gateway.asgi import Client
from tests.gateway.conftest import World, orm

pytestmark = pytest.mark.django_db(transaction=True)
META = "io.policylayer/"


async def both(world: World) -> list[Client]:
    """A client on each of two processes, both warm."""
    other = world.client()
    other.app = world.another_process()
    clients = [world.client(), other]
    for client in clients:
        assert (await client.call("echo")).status == 200
    return clients


async def outcome_of(client: Client) -> str:
    answer = await client.call("echo")
    if answer.status != 200:
        return str(answer.status)
    return str(answer.result.get("_meta", {}).get(META + "rule", "ran"))


CHANGES: dict[str, tuple[dict[str, Any], Callable[[World], Any], str]] = {
    "revoked": (
        {},
        lambda world: granting.revoke(None, world.grant),
        "401",
    ),
    "a tag": (
        {"all_tools": {"require": [{"path": "grant.tags", "op": "contains",
                                    "value": "prod"}]}},
        lambda world: granting.change(None, world.grant, tags=["test"]),
        "/all_tools/require/0",
    ),
    "a verdict": (
        {"all_tools": {"deny_if": [{"conditions": [
            {"path": "tool.category", "op": "eq", "value": "Financial"}]}]}},
        lambda world: verdicts.set_verdict(
            ToolDefinition.objects.for_organization(world.organization).get(
                name="echo"),
            "Financial", "critical", world.member.user),
        "/all_tools/deny_if/0",
    ),
    "a policy taken away": (
        {},
        lambda world: granting.change(None, world.grant, policy=None),
        "(no policy)",
    ),
}  # fmt: skip


@pytest.mark.parametrize("wiped", [False, True])
@pytest.mark.parametrize("name", CHANGES)
async def test_a_change_holds_from_the_next_call_on_every_process(
    world: World, fake: FakeServer, name: str, wiped: bool
) -> None:
    document, change, expected = CHANGES[name]
    await world.publish(**document)
    clients = await both(world)
    if wiped:
        world.valkey.flushdb()
        assert [await outcome_of(client) for client in clients] == ["ran", "ran"]
    await orm(lambda: change(world))
    if wiped:
        world.valkey.flushdb()

    assert [await outcome_of(client) for client in clients] == [expected] * 2


async def test_a_published_document_holds_from_the_next_call(world: World) -> None:
    clients = await both(world)
    for action, expected in (("deny", "/tools/echo/action"), ("allow", "ran")) * 2:
        await world.publish(tools={"echo": {"action": action}})
        assert [await outcome_of(client) for client in clients] == [expected] * 2


async def test_a_grant_that_moved_to_another_server_opens_this_door_no_more(
    world: World, fake: FakeServer
) -> None:
    client = world.client()
    await client.call("echo")

    def move() -> None:
        there = Server(organization=world.organization, name="other", url=fake.url)
        there.save()
        with transaction.atomic():
            Grant.objects.for_organization(world.organization).update(server=there)
            generation.changed(world.organization)

    await orm(move)

    assert (await client.call("echo")).status == 401
    assert len(fake.calls()) == 1


async def test_credentials_that_do_not_open_are_said_to_be_so(
    world: World, fake: FakeServer
) -> None:
    client = world.client()
    await client.call("echo")

    def spoil() -> None:
        with transaction.atomic():
            Credential.objects.for_organization(world.organization).update(
                ciphertext=b"spoiled"
            )
            generation.changed(world.organization)

    await orm(spoil)

    answer = await client.call("echo")

    assert (answer.status, answer.error["code"]) == (200, -32603)
    assert "cannot be read" in answer.error["message"]
    assert len(fake.calls()) == 1


async def test_rules_that_change_all_the_time_are_refused_after_three_looks(
    world: World, fake: FakeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = world.client()
    await client.call("echo")
    loads = 0
    load = loading.load

    def changing(*args: Any) -> Any:
        nonlocal loads
        loads += 1
        rights = load(*args)
        world.valkey.set(generation_key(world), os.urandom(16))
        return rights

    monkeypatch.setattr(loading, "load", changing)
    world.valkey.set(generation_key(world), os.urandom(16))

    answer = await client.call("echo")

    assert (answer.status, answer.error["code"]) == (200, -32603)
    assert "being changed" in answer.error["message"]
    assert loads == 3 and len(fake.calls()) == 1


def generation_key(world: World) -> str:
    organization = world.organization
    return f"{{s{organization.shard:02d}}}:generation:{organization.id.hex}"


async def test_a_grant_is_read_once_for_all_calls_that_wait_for_it(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    loads = 0
    load = loading.load

    def counted(*args: Any) -> Any:
        nonlocal loads
        loads += 1
        return load(*args)

    monkeypatch.setattr(loading, "load", counted)
    client = world.client()

    answers = await asyncio.gather(*(client.call("echo") for _ in range(20)))

    assert {answer.status for answer in answers} == {200} and loads == 1


async def test_known_grants_go_on_without_postgres(
    world: World, fake: FakeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = world.client()
    await client.call("echo")
    known, token = world.token, await world.mint(label="unknown yet")
    monkeypatch.setattr(snapshots, "FRESH", 0.0)
    monkeypatch.setattr(loading, "find", postgres_is_down)
    client.token = known

    answers = [await client.call("echo") for _ in range(3)]
    client.token = token
    stranger = await client.call("echo")

    assert [answer.status for answer in answers] == [200] * 3
    assert stranger.status == 503 and "cannot read" in stranger.error["message"]
    world.valkey.set(generation_key(world), os.urandom(16))
    client.token = known
    changed = await client.call("echo")
    assert (changed.status, changed.error["code"]) == (200, -32603)
    assert len(fake.calls()) == 4


async def test_a_postgres_that_says_nothing_is_not_waited_for(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    known, unknown = world.client(), world.client()
    assert (await known.call("echo")).status == 200
    unknown.app = world.another_process()
    found, speaks = loading.find, threading.Event()
    monkeypatch.setattr(snapshots, "PATIENCE", 0.2)
    monkeypatch.setattr(loading, "find", lambda d: speaks.wait(30) and found(d))

    async with asyncio.timeout(5):
        refused = await unknown.call("echo")
        assert (await known.call("echo")).result.get("isError") is None
    speaks.set()
    monkeypatch.setattr(snapshots, "PATIENCE", 10)

    assert refused.message["error"]["code"] == -32603
    assert "cannot read the rules" in refused.message["error"]["message"]
    assert (await unknown.call("echo")).result.get("isError") is None


def postgres_is_down(*args: object) -> None:
    raise OperationalError("connection refused")


async def test_an_old_snapshot_is_read_again_behind_the_call(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where nobody set the generation: sixty seconds at most."""
    client = world.client()
    await client.call("echo")
    await orm(
        lambda: Grant.objects.for_organization(world.organization).update(
            label="renamed"
        )
    )
    monkeypatch.setattr(snapshots, "FRESH", 0.0)
    await client.call("echo")

    for _ in range(100):
        await asyncio.sleep(0.02)
        await client.call("echo")
        if world.records()[-1].grant == "renamed":
            return
    raise AssertionError("the snapshot was never read again")


async def test_last_used_is_noted_and_sets_no_generation(world: World) -> None:
    def last_used() -> Any:
        found = Grant.objects.for_organization(world.organization).get(
            pk=world.grant.pk
        )
        return found.last_used_at

    assert await orm(last_used) is None
    await world.client().call("echo")
    before = world.valkey.get(generation_key(world))
    for _ in range(100):
        if (noted := await orm(last_used)) is not None:
            break
        await asyncio.sleep(0.02)
    assert noted is not None
    await orm(lambda: loading.touch(world.grant.pk))

    assert await orm(last_used) == noted
    assert world.valkey.get(generation_key(world)) == before


def test_a_bucket_gives_so_many_a_second() -> None:
    now = 0.0
    bucket = Bucket(5, lambda: now)

    assert [bucket.take() for _ in range(7)] == [True] * 5 + [False] * 2
    now = 0.5
    assert [bucket.take() for _ in range(4)] == [True, True, False, False]
    now = 60.0
    assert [bucket.take() for _ in range(6)] == [True] * 5 + [False]


# With a Valkey of the test's own


@pytest.fixture
def own(tmp_path: Path, settings: Any) -> Iterator[Running]:
    server = start_valkey(tmp_path)
    settings.REDIS_URL = server.url
    pages_valkey.client.cache_clear()
    yield server
    pages_valkey.client.cache_clear()
    server.stop()
    erase(tmp_path)


@pytest.fixture
async def alone(
    own: Running,
    transactional_db: None,
    acme: Organization,
    bob: Membership,
    fake: FakeServer,
) -> AsyncIterator[World]:
    world = World(acme, bob, redis.Redis.from_url(own.url))
    await world.register(fake, {})
    await world.publish()
    await world.mint(label="support-bot")
    yield world
    for app in world.apps:
        await app.close()


async def refused(client: Client) -> str:
    """The text of a refusal, which must come in bounded time."""
    began = asyncio.get_running_loop().time()
    answer = await client.call("echo")
    assert asyncio.get_running_loop().time() - began < 2.5
    assert (answer.status, answer.error["code"]) == (200, -32603), answer.body
    return str(answer.error["message"])


async def test_valkey_down(alone: World, own: Running, fake: FakeServer) -> None:
    client = alone.client()
    await client.call("echo")
    own.stop()

    assert "nothing was executed" in await refused(client)
    health = alone.client(path="/mcp/health")
    assert (await health.send(b"", {}, verb="GET").answer()).status == 503
    assert len(fake.calls()) == 1


async def test_valkey_paused(alone: World, fake: FakeServer) -> None:
    client = alone.client()
    await client.call("echo")
    alone.valkey.execute_command("CLIENT", "PAUSE", "3000", "ALL")

    assert "nothing was executed" in await refused(client)
    assert len(fake.calls()) == 1
    await asyncio.sleep(2.5)
    assert (await client.call("echo")).status == 200


async def test_what_a_late_reply_reserved_is_given_back(
    alone: World, fake: FakeServer
) -> None:
    limit = {"counter": "c", "window": "hour", "max": 2}
    await alone.publish(all_tools={"limits": [limit]})
    client = alone.client()
    await client.call("echo")
    alone.valkey.execute_command("CLIENT", "PAUSE", "1500", "ALL")
    await refused(client)
    outcomes = await alone.outcomes(2)

    assert sorted(one.status for one in outcomes) == ["not_sent", "ok"]
    results = [(await client.call("echo")).result.get("isError") for _ in range(2)]
    assert results == [None, True]


async def test_valkey_full(alone: World, fake: FakeServer) -> None:
    client = alone.client()
    await client.call("echo")
    alone.valkey.config_set("maxmemory", 1)

    assert "nothing was executed" in await refused(client)
    assert len(fake.calls()) == 1
    alone.valkey.config_set("maxmemory", 0)
    assert (await client.call("echo")).status == 200


async def test_a_full_log_is_said_to_be_full(
    alone: World, fake: FakeServer, settings: Any
) -> None:
    client = alone.client()
    await client.call("echo")
    settings.RECORDS_BOUND = 100
    await alone.publish()  # a snapshot reads it once

    assert "activity log is full" in await refused(client)
    assert len(fake.calls()) == 1


async def test_a_promoted_replica_that_lacks_the_change(
    alone: World, own: Running, fake: FakeServer, tmp_path: Path, settings: Any
) -> None:
    """It holds the generation that the snapshot was checked against, so only the
    server's identity tells that the snapshot may be old."""
    replica_dir = tmp_path / "replica"
    replica_dir.mkdir()
    replica = start_valkey(replica_dir)
    try:
        copy = redis.Redis.from_url(replica.url)
        client = alone.client()
        await client.call("echo")
        copy.set(
            generation_key(alone), cast(bytes, alone.valkey.get(generation_key(alone)))
        )
        await alone.revoke()
        assert copy.get(generation_key(alone)) != alone.valkey.get(
            generation_key(alone)
        )

        promote(own, replica)

        for _ in range(200):
            answer = await client.call("echo")
            if answer.status != 200:
                break
            assert answer.message["error"]["code"] == -32603  # while it reconnects
            await asyncio.sleep(0.02)
        assert answer.status == 401
        assert len(fake.calls()) == 1
    finally:
        replica.stop()
        erase(replica_dir)


def promote(primary: Running, replica: Running) -> None:
    """The replica takes over the primary's address."""
    paths = [
        Path(one.url.removeprefix("unix://").split("?")[0])
        for one in (primary, replica)
    ]
    primary.stop()
    paths[0].unlink(missing_ok=True)
    paths[0].symlink_to(paths[1])

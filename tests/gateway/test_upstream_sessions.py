"""Sessions with clients and servers of the handshake era, in every pairing."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from gateway import sessions
from tests.fakes.mcp_server import FakeServer, Rpc
from tests.gateway.conftest import World, orm

pytestmark = pytest.mark.django_db(transaction=True)
UPSTREAMS = pytest.mark.parametrize("fake", ["modern", "legacy"], indirect=True)
LEGACY = pytest.mark.parametrize("fake", ["legacy"], indirect=True)


@LEGACY
async def test_each_client_session_has_one_of_its_own_upstream(
    world: World, fake: FakeServer
) -> None:
    first, second = await world.connected("legacy"), await world.connected("legacy")

    for client in (first, second, first):
        await client.call("echo")

    used = [call.header("mcp-session-id") for call in fake.calls()]
    assert used[0] == used[2] != used[1]
    assert len(fake.live) == 2
    assert not any(session in first.session + second.session for session in fake.live)
    assert len(fake.calls("notifications/initialized")) == 2


@UPSTREAMS
@pytest.mark.parametrize("revision", ["2025-11-25", "2025-06-18", "2025-03-26"])
async def test_initialize_answers_with_the_clients_revision_and_our_name(
    world: World, fake: FakeServer, revision: str
) -> None:
    client = world.client("legacy", revision=revision)

    result = (await client.initialize()).result

    assert result["protocolVersion"] == revision
    assert result["serverInfo"]["name"] == "payments"
    assert result["capabilities"] == {
        "tools": {}, "resources": {}, "prompts": {}, "completions": {}
    }  # fmt: skip
    assert "instructions" not in result
    assert (await client.request("ping")).result == {}
    assert (await client.call("echo")).status == 200


@UPSTREAMS
async def test_discover_is_answered_by_us(world: World, fake: FakeServer) -> None:
    result = (await world.client().request("server/discover")).result

    assert result["supportedVersions"] == ["2026-07-28"]
    assert result["resultType"] == "complete" and result["cacheScope"] == "private"
    assert "listChanged" not in str(result["capabilities"])
    assert fake.seen == []


@LEGACY
async def test_stateless_clients_of_a_grant_share_one_session(
    world: World, fake: FakeServer
) -> None:
    other = world.client()
    other.app = world.another_process()
    clients = [world.client(), other] * 4
    for client in clients[:2]:
        await client.request("server/discover")  # both know the grant now

    async def slow(message: Any, seen: Any) -> Any:
        await asyncio.sleep(0.3)
        return fake.initialize(message, seen)

    fake.on("initialize", slow)
    await asyncio.gather(*(client.call("echo") for client in clients))

    assert len(fake.calls("initialize")) == 1
    assert {call.header("mcp-session-id") for call in fake.calls()} == fake.live
    ids = [call.message["id"] for call in fake.calls()]
    assert len(set(ids)) == 8 and all(isinstance(id, str) for id in ids)
    kept = list(world.valkey.scan_iter("*bridge*"))
    assert len(kept) == 1
    (session,) = fake.live
    assert session.encode() not in world.valkey.get(kept[0])  # type: ignore[operator]


@LEGACY
async def test_another_grant_has_another_session(
    world: World, fake: FakeServer
) -> None:
    await world.client().call("echo")
    await world.mint(label="another")
    await world.client().call("echo")

    assert len(fake.live) == 2


@LEGACY
async def test_a_session_that_the_server_forgot_is_opened_again_once(
    world: World, fake: FakeServer
) -> None:
    client = world.client()
    await client.call("echo")
    fake.live.clear()

    answer = await client.call("echo")

    assert "result" in answer.message and len(fake.calls("initialize")) == 2
    fake.handlers["initialize"] = lambda message, seen: Rpc(-32000, "closed for today")
    fake.live.clear()
    answer = await client.call("echo")
    assert "closed for today" in answer.text and answer.result["isError"]


@LEGACY
async def test_a_client_whose_session_the_server_ended_begins_anew(
    world: World, fake: FakeServer
) -> None:
    client = await world.connected("legacy")
    fake.live.clear()

    assert (await client.call("echo")).status == 404
    await client.initialize()
    assert (await client.call("echo")).status == 200


@UPSTREAMS
async def test_a_deleted_session_is_gone_on_every_process(
    world: World, fake: FakeServer
) -> None:
    client = await world.connected("legacy")
    assert (await client.call("echo")).status == 200
    limit = {"counter": "c", "window": "hour", "max": 1, "scope": "server"}
    await world.publish(all_tools={"limits": [limit]})
    there = world.client("legacy", session=client.session)
    there.app = world.another_process()

    headers = client.mirrors("", {})
    ended = await client.send(b"", headers, verb="DELETE").answer()

    assert ended.status == 204 and not fake.live
    twice = await client.send(b"", headers, verb="DELETE").answer()
    assert twice.status == 404
    for one in (client, there):
        assert (await one.call("echo")).status == 404
    assert len(fake.calls()) == 1
    again = await world.connected("legacy")
    assert (await again.call("echo")).result.get("isError") is None


async def test_a_session_is_bound_to_its_grant_server_credentials_and_time(
    world: World, fake: FakeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    from servers import registering

    client = await world.connected("legacy")
    assert (await client.call("echo")).status == 200
    spoiled = world.client("legacy", session=client.session[:-4] + "AAAA")
    missing = world.client("legacy")
    await world.mint(label="another")
    foreign = world.client("legacy", session=client.session)

    assert (await spoiled.call("echo")).status == 404
    assert (await missing.call("echo")).status == 400
    assert (await foreign.call("echo")).status == 404
    monkeypatch.setattr(sessions, "LIFETIME", -1)
    assert (await client.call("echo")).status == 404
    monkeypatch.undo()
    assert (await client.call("echo")).status == 200
    await orm(lambda: registering.update_server(world.server, headers={"X-Key": "new"}))
    assert (await client.call("echo")).status == 404
    assert len(fake.calls()) == 2


@UPSTREAMS
async def test_notifications_are_taken_by_grants_in_force_only(
    world: World, fake: FakeServer
) -> None:
    client = await world.connected("legacy")
    before = len(fake.seen)

    async def notify(method: str) -> int:
        answer = client.begin(method, {}, id=False)
        await answer.task
        return int(answer.pieces.get_nowait()["status"])

    assert await notify("notifications/initialized") == 202
    assert await notify("notifications/vendor/anything") == 400
    response = b'{"jsonrpc":"2.0","id":1,"result":{}}'
    answer = await client.send(response, client.mirrors("", {})).answer()
    assert answer.status == 400
    await world.revoke()
    assert await notify("notifications/initialized") == 401
    assert len(fake.seen) == before


@LEGACY
async def test_a_server_without_sessions_is_served_without_them(
    world: World, fake: FakeServer
) -> None:
    fake.sessions = False
    for era in ("legacy", "modern"):
        client = await world.connected(era)
        assert (await client.call("echo")).status == 200
    assert {call.header("mcp-session-id") for call in fake.calls()} == {None}


async def test_a_server_that_was_never_reached_is_said_to_be_so(
    world: World, fake: FakeServer
) -> None:
    from servers import registering

    await orm(
        lambda: registering.update_server(world.server, url=fake.url + "?moved=1")
    )
    answer = await world.client().call("echo")

    assert "not been reached yet" in answer.text
    assert fake.calls() == []

"""Governed calls through the gateway's door, in every pair of eras."""

from __future__ import annotations

import pytest
from django.db import connections

from tests.fakes.mcp_server import FakeServer
from tests.gateway.conftest import World

pytestmark = pytest.mark.django_db(transaction=True)
UPSTREAMS = pytest.mark.parametrize("fake", ["modern", "legacy"], indirect=True)
CLIENTS = pytest.mark.parametrize("era", ["modern", "legacy"])


@UPSTREAMS
@CLIENTS
async def test_an_allowed_call_reaches_the_server_and_is_on_record(
    world: World, fake: FakeServer, era: str
) -> None:
    client = await world.connected(era)

    answer = await client.call("echo", {"text": "hello"}, id="a")

    assert answer.status == 200
    assert answer.text == 'did it: {"text": "hello"}'
    assert answer.message["id"] == "a"
    assert ("resultType" in answer.result) == (era == "modern")
    assert world.decisions()[-1] == ("allow", None)
    record = world.records()[-1]
    assert (record.method, record.name) == ("tools/call", "echo")
    assert (record.grant, record.client, record.era) == ("support-bot", "tester", era)
    outcomes = await world.outcomes(len(world.decisions()))
    assert {one.status for one in outcomes} == {"ok"}
    assert outcomes[-1].id == record.id


@UPSTREAMS
@CLIENTS
async def test_what_goes_up_is_ours_and_nothing_of_the_clients(
    world: World, fake: FakeServer, era: str
) -> None:
    client = await world.connected(era)

    await client.call(
        "echo",
        {"text": "x"},
        headers={
            "cookie": "a=b",
            "x-forwarded-for": "1.2.3.4",
            "mcp-param-stray": "1",
            "x-anything": "1",
        },
    )

    (call,) = fake.calls()
    sent = {name: values[0] for name, values in call.headers.items()}
    ours = {
        "host", "accept-encoding", "content-type", "accept", "user-agent", "x-api-key",
        "content-length", "mcp-protocol-version",
    }  # fmt: skip
    of_era = {"mcp-method", "mcp-name"} if fake.era == "modern" else {"mcp-session-id"}
    assert set(sent) == ours | of_era
    assert sent["x-api-key"] == "upstream-secret"
    assert world.token not in str(call.headers) + call.body.decode()
    assert all(len(values) == 1 for values in call.headers.values())


@UPSTREAMS
@CLIENTS
async def test_nothing_of_the_servers_headers_comes_down(
    world: World, fake: FakeServer, era: str
) -> None:
    client = await world.connected(era)

    answer = await client.call("echo")

    assert set(answer.headers) == {"content-type", "content-length"}


async def test_health_is_ready_and_says_what_is_missing(world: World) -> None:
    client = world.client()
    client.path = "/mcp/health"

    answer = await client.send(b"", {"authorization": None}, verb="GET").answer()
    assert (answer.status, answer.message) == (200, {"status": "ready"})

    assert world.app.state is not None
    world.app.state.valkey.problem = "maxmemory-policy must be noeviction"
    answer = await client.send(b"", {"authorization": None}, verb="GET").answer()
    assert answer.status == 503
    assert answer.message["status"] == "maxmemory-policy must be noeviction"


async def test_a_warm_call_asks_postgres_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = world.client()
    await client.call("echo")
    assert world.app.state is not None
    with monkeypatch.context() as patched:
        # the one way to the database, and the database
        patched.setattr(world.app.state.snapshots, "in_thread", None)
        patched.setattr(connections["default"], "cursor", None)
        answers = [await client.call("echo", {"text": str(i)}) for i in range(5)]

    assert [answer.status for answer in answers] == [200] * 5


async def test_no_middleware_of_django_sees_a_call(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    from django.core.handlers.asgi import ASGIHandler

    from config import asgi

    async def fail(*args: object) -> None:
        raise AssertionError("Django saw a call of the gateway")

    monkeypatch.setattr(ASGIHandler, "__call__", fail)
    monkeypatch.setattr(asgi, "gateway", world.app)
    client = world.client()
    client.app = asgi.application  # type: ignore[assignment]

    assert (await client.call("echo")).status == 200

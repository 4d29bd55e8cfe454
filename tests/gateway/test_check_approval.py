"""The gateway's own tool: offered where the grant says so, and never the server's."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from approvals import switches
from tests.fakes.mcp_server import FakeServer, tool
from tests.gateway.conftest import World, orm
from tests.gateway.test_asking import ASKS, ERAS, META, ran

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(60)]
NAME = "policylayer_check_approval"


@pytest.fixture
async def asks(world: World) -> World:
    await world.publish(tools=ASKS)
    await world.change(world.server, hold_seconds=0)
    await world.change(world.grant, helper_tool=True)
    return world


@ERAS
async def test_it_tells_how_an_approval_stands(
    asks: World, fake: FakeServer, era: str
) -> None:
    client = await asks.connected(era)
    await client.call("pay", {"amount": 5})
    (approval,) = await asks.approvals()
    ask = {"id": str(approval.pk)}

    waiting = await client.call(NAME, ask)
    assert waiting.result["isError"] is False and "Not decided yet" in waiting.text
    assert waiting.result["_meta"][META + "approvalState"] == "pending"

    await asks.decide()
    approved = await client.call(NAME, ask)
    assert approved.result["_meta"][META + "approvalState"] == "approved"
    assert "call again with the same arguments" in approved.text
    assert ran(fake) == []
    assert asks.records()[-1].name == NAME
    assert asks.decisions()[-1][0] == "allow"


async def test_it_may_wait_for_the_decision(asks: World) -> None:
    client = asks.client()
    await client.call("pay", {"amount": 5})
    (approval,) = await asks.approvals()
    params: dict[str, Any] = {"id": str(approval.pk), "wait_s": 20}
    pending = client.begin("tools/call", {"name": NAME, "arguments": params})
    await pending.begun()

    await asks.decide(approves=False, reason="No")

    assert "Denied by a person" in (await pending.answer()).text


async def test_a_client_that_takes_no_stream_does_not_wait(asks: World) -> None:
    client = asks.client()
    await client.call("pay", {"amount": 5})
    (approval,) = await asks.approvals()
    params: dict[str, Any] = {"id": str(approval.pk), "wait_s": 20}

    answer = await client.call(NAME, params, headers={"accept": "application/json"})

    assert answer.headers["content-type"] == "application/json"
    assert "Not decided yet" in answer.text


async def test_it_is_listed_last_where_the_grant_says_so(
    asks: World, fake: FakeServer
) -> None:
    assert (await asks.client().listed())[-1] == NAME
    await asks.change(asks.grant, helper_tool=False)
    assert NAME not in await asks.client().listed()
    unknown = await asks.client().call(NAME, {"id": str(uuid4())})
    assert unknown.error["message"] == f"Unknown tool: {NAME}"


async def test_a_tool_of_the_server_by_that_name_is_neither_shown_nor_reached(
    asks: World, fake: FakeServer
) -> None:
    fake.tools.append(tool(NAME))
    await asks.rediscover(fake.tools)

    assert (await asks.client().listed()).count(NAME) == 1
    answer = await asks.client().call(NAME, {"id": str(uuid4())})
    assert "no approval with that id" in answer.text and ran(fake) == []


async def test_approvals_of_other_grants_are_unknown(asks: World) -> None:
    await asks.client().call("pay", {"amount": 5})
    (approval,) = await asks.approvals()
    await asks.mint(label="another")
    await asks.change(asks.grant, helper_tool=True)

    answer = await asks.client().call(NAME, {"id": str(approval.pk)})

    assert answer.result["isError"] and "no approval with that id" in answer.text


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"id": 5},
        {"id": "x"},
        {"id": str(uuid4()), "wait_s": 41},
        {"id": str(uuid4()), "wait_s": True},
        {"id": str(uuid4()), "more": 1},
    ],
)
async def test_bad_arguments(asks: World, arguments: dict[str, Any]) -> None:
    answer = await asks.client().call(NAME, arguments)
    assert answer.result["isError"] and answer.text.endswith(".")


async def test_a_kill_switch_stops_it_too(asks: World) -> None:
    await orm(lambda: switches.kill(asks.grant))
    answer = await asks.client().call(NAME, {"id": str(uuid4())})
    assert "kill switch" in str(answer.message)

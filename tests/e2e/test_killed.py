"""`kill -9` of a gateway at each step of an approved call: nothing is lost, and nothing
runs twice. Another process goes on."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

import httpx2
import pytest
from django.utils import timezone
from mcp import Client

from accounts.models import Membership
from approvals.models import State, Task
from gateway import task_rows
from tests.e2e.conftest import Acme, forked_gateway
from tests.e2e.test_approvals import (
    META,
    Desk,
    Followed,
    GetTask,
    TaskParams,
    Tasks,
    prepared,
    refunded,
    text,
)
from tests.gateway.conftest import orm
from tests.http_clients import http
from tests.run.forks import Forks

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.timeout(90),
    pytest.mark.xdist_group("e2e"),
]
MODERN = "2026-07-28"


@pytest.fixture
def desk(world: Acme, alice: Membership) -> Desk:
    return Desk(world, alice)


async def lost(desk: Desk, base: str, refund: dict[str, Any]) -> None:
    """A call that the process does not survive."""
    meta = {
        "io.modelcontextprotocol/protocolVersion": MODERN,
        "io.modelcontextprotocol/clientCapabilities": {},
    }
    params = {"name": "create_refund", "arguments": refund, "_meta": meta}
    headers = {
        "authorization": f"Bearer {desk.acme.token}",
        "accept": "application/json, text/event-stream",
        "mcp-protocol-version": MODERN,
        "mcp-method": "tools/call",
        "mcp-name": "create_refund",
    }
    body = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}
    async with http(timeout=20) as agent:
        with pytest.raises(httpx2.TransportError):
            url = f"{base}/mcp/{desk.acme.server.public_id}"
            await agent.post(url, json=body, headers=headers)


async def called(client: Client, refund: dict[str, Any]) -> Any:
    return await client.call_tool("create_refund", refund)


@pytest.mark.parametrize("step", ["asked", "reserved", "used", "sent"])
async def test_a_gateway_that_dies(
    desk: Desk, sandbox: str, gateways: tuple[str, str], forks: Forks, step: str
) -> None:
    await desk.open(sandbox)
    with forked_gateway(forks, step) as dying:
        async with desk.acme.client(gateways[1], MODERN) as client:
            refund = await prepared(client)
            if step == "asked":
                await lost(desk, dying.base, refund)
                joined = await called(client, refund)
                (approval,) = await desk.approvals()
                assert joined.meta[META + "approvalId"] == str(approval.pk)
                await desk.decide()
            else:
                await called(client, refund)
                await desk.decide()
                await lost(desk, dying.base, refund)
            await went_on(desk, client, refund, step)


async def went_on(
    desk: Desk, client: Client, refund: dict[str, Any], step: str
) -> None:
    (approval,) = await desk.approvals()
    if step in ("asked", "reserved"):
        assert approval.state == State.APPROVED and await refunded(client) == 0
        assert not (await called(client, refund)).is_error
        assert await refunded(client) == 1
        return
    assert approval.state == State.USED
    before = await refunded(client)
    assert before == (1 if step == "sent" else 0)
    told = await called(client, refund)
    assert told.meta[META + "approvalState"] == "ran"
    assert "check what it did" in text(told)
    again = await called(client, refund)
    assert again.meta[META + "approvalState"] == "pending"
    assert await refunded(client) == before


async def test_a_held_call_outlives_the_process_that_held_it(
    desk: Desk, sandbox: str, gateways: tuple[str, str], forks: Forks
) -> None:
    await desk.open(sandbox, hold=20)
    with forked_gateway(forks, "asked") as dying:
        async with desk.acme.client(gateways[1], MODERN) as client:
            refund = await prepared(client)
            await lost(desk, dying.base, refund)
            await desk.decide()

            assert not (await called(client, refund)).is_error
            assert await refunded(client) == 1


@pytest.mark.slow
async def test_a_task_outlives_the_process_that_ran_it(
    desk: Desk, sandbox: str, forks: Forks
) -> None:
    """The approval is used up, so nobody runs it again; the task says what is known.
    Other processes of this test run may have taken the task first: then it is done."""
    await desk.open(sandbox)
    tasks = Tasks()
    with (
        forked_gateway(forks, "used") as dying,
        contextlib.suppress(BaseExceptionGroup),
    ):
        async with desk.acme.client(dying.base, MODERN, extensions=[tasks]) as client:
            refund = await prepared(client)
            call = asyncio.create_task(called(client, refund))
            await desk.decide()
            while dying.process.lives() and not call.done():
                await asyncio.sleep(0.05)
            call.cancel()
    await orm(fall_silent)
    with forked_gateway(forks, "looking") as looking:
        async with desk.acme.client(looking.base, MODERN) as client:
            result = await followed(client, tasks.created[0].task_id)
            await asyncio.sleep(2)  # it looks around every half second

            (approval,) = await desk.approvals()
            assert approval.state == State.USED
            assert await refunded(client) == (0 if result.get("isError") else 1)
    if result.get("isError"):
        assert "not known whether it was executed" in result["content"][0]["text"]


def fall_silent() -> None:
    """Whoever ran a task was heard of long ago: nobody waits for it any more."""
    tasks = Task.objects.across_organizations().exclude(running_since=None)
    tasks.update(changed_at=timezone.now() - 2 * task_rows.SILENCE)


async def followed(client: Client, task: str) -> dict[str, Any]:
    request = GetTask(params=TaskParams(taskId=task))
    async with asyncio.timeout(60):
        while True:
            found = await client.session.send_request(request, Followed)
            if found.status != "working":
                assert found.result is not None
                return found.result
            await asyncio.sleep(0.1)

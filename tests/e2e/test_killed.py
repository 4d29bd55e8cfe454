"""`kill -9` of a gateway at each step of an approved call: nothing is lost, and nothing
runs twice. Another process goes on."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest
from mcp import Client

from accounts.models import Membership
from approvals.models import State
from tests.e2e.conftest import Acme, environment, free_port, process, running_gateway
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

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(90)]
MODERN = "2026-07-28"


@contextlib.contextmanager
def dying(step: str) -> Iterator[str]:
    port = str(free_port())
    base = f"http://127.0.0.1:{port}"
    argv = [sys.executable, "-m", "tests.e2e.dying", port]
    env = environment() | {"PORT": port, "DIES": step}
    with process(argv, env, f"{base}/mcp/health"):
        yield base


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
    async with httpx2.AsyncClient(timeout=20) as http:
        with pytest.raises(httpx2.TransportError):
            url = f"{base}/mcp/{desk.acme.server.public_id}"
            await http.post(url, json=body, headers=headers)


async def called(client: Client, refund: dict[str, Any]) -> Any:
    return await client.call_tool("create_refund", refund)


@pytest.mark.parametrize("step", ["asked", "reserved", "used", "sent"])
async def test_a_gateway_that_dies(
    desk: Desk, sandbox: str, gateways: tuple[str, str], step: str
) -> None:
    await desk.open(sandbox)
    with dying(step) as base:
        async with desk.acme.client(gateways[1], MODERN) as client:
            refund = await prepared(client)
            if step == "asked":
                await lost(desk, base, refund)
                joined = await called(client, refund)
                (approval,) = await desk.approvals()
                assert joined.meta[META + "approvalId"] == str(approval.pk)
                await desk.decide()
            else:
                await called(client, refund)
                await desk.decide()
                await lost(desk, base, refund)
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
    desk: Desk, sandbox: str, gateways: tuple[str, str]
) -> None:
    await desk.open(sandbox, hold=20)
    with dying("asked") as base:
        async with desk.acme.client(gateways[1], MODERN) as client:
            refund = await prepared(client)
            await lost(desk, base, refund)
            await desk.decide()

            assert not (await called(client, refund)).is_error
            assert await refunded(client) == 1


@pytest.mark.slow
async def test_a_task_outlives_the_process_that_ran_it(
    desk: Desk, sandbox: str
) -> None:
    """The approval is used up, so nobody runs it again; the task says what is known.
    Other processes of this test run may have taken the task first: then it is done."""
    await desk.open(sandbox)
    tasks = Tasks()
    with dying("used") as base, contextlib.suppress(BaseExceptionGroup):
        async with desk.acme.client(base, MODERN, extensions=[tasks]) as client:
            refund = await prepared(client)
            call = asyncio.create_task(called(client, refund))
            await desk.decide()
            await asyncio.wait([call], timeout=5)
            call.cancel()
    with running_gateway() as base:
        async with desk.acme.client(base, MODERN) as client:
            result = await followed(client, tasks.created[0].task_id)
            await asyncio.sleep(6)  # a look around later still

            (approval,) = await desk.approvals()
            assert approval.state == State.USED
            assert await refunded(client) == (0 if result.get("isError") else 1)
    if result.get("isError"):
        assert "not known whether it was executed" in result["content"][0]["text"]


async def followed(client: Client, task: str) -> dict[str, Any]:
    request = GetTask(params=TaskParams(taskId=task))
    async with asyncio.timeout(60):
        while True:
            found = await client.session.send_request(request, Followed)
            if found.status != "working":
                assert found.result is not None
                return found.result
            await asyncio.sleep(0.5)

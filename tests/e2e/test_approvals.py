"""The official client before a rule that asks people, in every shape and both eras.

Two gateway processes serve it; the people decide in a third, this one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, Literal

import pytest
from mcp import Client, MCPError
from mcp.client.extension import ClaimContext, ClientExtension, ResultClaim
from mcp_types import (
    CallToolResult,
    ElicitRequestURLParams,
    ElicitResult,
    Request,
    RequestParams,
    Result,
)
from pydantic import Field

from accounts.models import Membership
from approvals import deciding, switches
from approvals.models import Approval, State, Via
from tests.e2e.conftest import Acme
from tests.gateway.conftest import orm
from tests.http_clients import http

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.timeout(90),
    pytest.mark.xdist_group("e2e"),
]
MODES = pytest.mark.parametrize("mode", ["2026-07-28", "legacy"])
META = "io.policylayer/"
REFUND = {"charge_id": "ch_1001", "amount": 1}
ASKS = {"create_refund": {"action": "require_approval", "reason": "Moves money"}}


class Desk:
    """Acme before its sandbox, and alice, who decides."""

    def __init__(self, acme: Acme, alice: Membership) -> None:
        self.acme, self.alice = acme, alice

    async def open(self, url: str, hold: int = 0) -> None:
        await orm(lambda: self._open(url, hold))

    def _open(self, url: str, hold: int) -> None:
        self.acme.register(url)
        self.acme.server.hold_seconds = hold
        self.acme.server.save(update_fields=["hold_seconds"])
        self.acme.publish(tools=ASKS)

    async def approvals(self) -> list[Approval]:
        rows = Approval.objects.for_organization(self.acme.organization)
        return await orm(lambda: list(rows.order_by("created_at")))

    async def decide(self, approves: bool = True, reason: str = "") -> Approval:
        """The one that waits; waits for it."""
        for _ in range(200):
            waiting = [a for a in await self.approvals() if a.state == State.PENDING]
            if waiting:
                break
            await asyncio.sleep(0.05)
        (approval,) = waiting
        return await orm(
            lambda: deciding.vote(
                approval.pk,
                self.alice,
                approves=approves,
                reason=reason,
                via=Via.PAGE,
                fresh=True,
            )
        )


@pytest.fixture
def desk(world: Acme, alice: Membership) -> Desk:
    return Desk(world, alice)


async def prepared(client: Client) -> dict[str, Any]:
    """A refund that the sandbox takes."""
    await client.call_tool("reset_sandbox", {})
    charge = await client.call_tool("get_charge", {"charge_id": "ch_1001"})
    return REFUND | {"currency": charge.structured_content["currency"]}


async def refunded(client: Client) -> int:
    charge = await client.call_tool("get_charge", {"charge_id": "ch_1001"})
    return int(charge.structured_content["refunded"])


def text(result: Any) -> str:
    return str(result.content[0].text)


@MODES
async def test_the_text_and_the_identical_retry(
    desk: Desk, sandbox: str, gateways: tuple[str, str], mode: str
) -> None:
    await desk.open(sandbox)
    async with (
        desk.acme.client(gateways[0], mode) as first,
        desk.acme.client(gateways[1], mode) as second,
    ):
        refund = await prepared(first)
        asked = await first.call_tool("create_refund", refund)
        joined = await second.call_tool("create_refund", refund)

        assert asked.is_error and asked.meta and joined.meta
        assert asked.meta[META + "approvalId"] == joined.meta[META + "approvalId"]
        assert "call again with the same arguments" in text(asked)
        assert f"/approvals/{asked.meta[META + 'approvalId']}/" in text(asked)
        await desk.decide()

        done = await second.call_tool("create_refund", refund)
        told = await first.call_tool("create_refund", refund)
        again = await first.call_tool("create_refund", refund)
        assert not done.is_error and await refunded(first) == 1
        assert told.meta and told.meta[META + "approvalState"] == "ran"
        assert again.meta and again.meta[META + "approvalState"] == "pending"
        await desk.decide(approves=False, reason="Twice is once too often")

        denied = await second.call_tool("create_refund", refund)
        assert "Twice is once too often." in text(denied)
        assert "Do not retry" in text(denied) and await refunded(first) == 1


async def test_retries_at_once_at_two_processes_run_once(
    desk: Desk, sandbox: str, gateways: tuple[str, str]
) -> None:
    await desk.open(sandbox)
    async with (
        desk.acme.client(gateways[0], "2026-07-28") as first,
        desk.acme.client(gateways[1], "2026-07-28") as second,
    ):
        refund = await prepared(first)
        await first.call_tool("create_refund", refund)
        await desk.decide()

        results = await asyncio.gather(
            *(
                client.call_tool("create_refund", refund)
                for client in (first, second)
                for _ in range(15)
            )
        )

        assert sum(not result.is_error for result in results) == 1
        assert await refunded(first) == 1


@MODES
async def test_a_held_call_with_progress(
    desk: Desk, sandbox: str, gateways: tuple[str, str], mode: str
) -> None:
    await desk.open(sandbox, hold=20)
    seen: list[tuple[float, str | None]] = []

    async def on_progress(
        progress: float, total: float | None, message: str | None
    ) -> None:
        seen.append((progress, message))

    async with desk.acme.client(gateways[0], mode) as client:
        refund = await prepared(client)
        call = asyncio.create_task(
            client.call_tool("create_refund", refund, progress_callback=on_progress)
        )
        async with asyncio.timeout(20):
            while not seen:
                await asyncio.sleep(0.02)
        await desk.decide()

        result = await call

        assert not result.is_error and await refunded(client) == 1
    assert "/approvals/" in (seen[0][1] or "")


@MODES
async def test_a_held_call_that_a_kill_switch_ends(
    desk: Desk, sandbox: str, gateways: tuple[str, str], mode: str
) -> None:
    await desk.open(sandbox, hold=30)
    async with desk.acme.client(gateways[0], mode) as client:
        refund = await prepared(client)
        call = asyncio.create_task(client.call_tool("create_refund", refund))
        while not await desk.approvals():
            await asyncio.sleep(0.05)

        await orm(lambda: switches.kill(desk.acme.organization))

        result = await asyncio.wait_for(call, 5)
        assert result.is_error and "kill switch" in text(result)


@pytest.mark.parametrize(
    "mode, state",
    [("2026-07-28", State.CANCELLED), ("legacy", State.PENDING)],
)
async def test_a_client_that_closes_its_connection(
    desk: Desk, sandbox: str, gateways: tuple[str, str], mode: str, state: str
) -> None:
    """Of the stateless revision it withdraws its question; else it may come back."""
    await desk.open(sandbox, hold=30)
    async with desk.acme.client(gateways[0], mode) as client:
        refund = await prepared(client)
    headers, meta = await session(desk.acme, gateways[0], mode)
    params = {"name": "create_refund", "arguments": refund, **meta}
    body = {"jsonrpc": "2.0", "id": 9, "method": "tools/call", "params": params}
    url = f"{gateways[0]}/mcp/{desk.acme.server.public_id}"
    async with (
        http(timeout=20) as agent,
        agent.stream("POST", url, json=body, headers=headers) as answer,
    ):
        assert answer.headers["content-type"] == "text/event-stream"

    for _ in range(50):
        (approval,) = await desk.approvals()
        if approval.state != State.PENDING:
            break
        await asyncio.sleep(0.05)
    assert approval.state == state


async def session(acme: Acme, base: str, mode: str) -> tuple[dict[str, str], Any]:
    """Headers of a call, and what its params hold besides."""
    headers = {
        "authorization": f"Bearer {acme.token}",
        "accept": "application/json, text/event-stream",
    }
    if mode != "legacy":
        said = {"mcp-protocol-version": mode, "mcp-method": "tools/call"}
        meta = {
            "io.modelcontextprotocol/protocolVersion": mode,
            "io.modelcontextprotocol/clientCapabilities": {},
        }
        return headers | said | {"mcp-name": "create_refund"}, {"_meta": meta}
    body = {
        "jsonrpc": "2.0",
        "id": 1,
        "method": "initialize",
        "params": {"protocolVersion": "2025-11-25", "capabilities": {}},
    }
    async with http(timeout=20) as agent:
        url = f"{base}/mcp/{acme.server.public_id}"
        begun = await agent.post(url, json=body, headers=headers)
    return headers | {"mcp-session-id": begun.headers["mcp-session-id"]}, {}


async def test_url_elicitation_of_the_stateless_revision(
    desk: Desk, sandbox: str, gateways: tuple[str, str]
) -> None:
    """The client opens the page, and calls again by itself; it is held, and runs."""
    await desk.open(sandbox, hold=20)
    opened: list[ElicitRequestURLParams] = []
    deciding_later: list[asyncio.Task[Approval]] = []

    async def on_elicit(context: Any, params: Any) -> ElicitResult:
        opened.append(params)
        deciding_later.append(asyncio.create_task(desk.decide()))
        return ElicitResult(action="accept")

    async with desk.acme.client(
        gateways[0], "2026-07-28", elicitation_callback=on_elicit
    ) as client:
        refund = await prepared(client)
        result = await client.call_tool("create_refund", refund)

        assert not result.is_error and await refunded(client) == 1
    approval = await deciding_later[0]
    (params,) = opened
    assert params.mode == "url" and params.url.endswith(f"/approvals/{approval.pk}/")


async def test_an_elicitation_that_is_declined_is_no_decision(
    desk: Desk, sandbox: str, gateways: tuple[str, str]
) -> None:
    await desk.open(sandbox, hold=20)

    async def on_elicit(context: Any, params: Any) -> ElicitResult:
        return ElicitResult(action="decline")

    async with desk.acme.client(
        gateways[0], "2026-07-28", elicitation_callback=on_elicit
    ) as client:
        refund = await prepared(client)
        result = await client.call_tool("create_refund", refund)

    assert result.is_error and "That is no decision" in text(result)
    assert [one.state for one in await desk.approvals()] == [State.PENDING]


async def test_url_elicitation_of_the_handshake_era(
    desk: Desk, sandbox: str, gateways: tuple[str, str]
) -> None:
    await desk.open(sandbox, hold=20)

    async def on_elicit(context: Any, params: Any) -> ElicitResult:
        raise AssertionError("it is an error here, no question")

    async with desk.acme.client(
        gateways[0], "legacy", elicitation_callback=on_elicit
    ) as client:
        refund = await prepared(client)
        with pytest.raises(MCPError) as required:
            await client.call_tool("create_refund", refund)
        approval = await desk.decide()
        result = await client.call_tool("create_refund", refund)

        assert not result.is_error and await refunded(client) == 1
    assert required.value.code == -32042
    (asked,) = required.value.data["elicitations"]
    assert asked["url"].endswith(f"/approvals/{approval.pk}/")
    assert asked["elicitationId"] == str(approval.pk)


# Tasks: the SDK has the extension's hooks, not the extension; its shapes stand here.


class TaskParams(RequestParams):
    task_id: str = Field(alias="taskId")


class GetTask(Request[TaskParams, Literal["tasks/get"]]):
    name_param = "taskId"
    method: Literal["tasks/get"] = "tasks/get"
    params: TaskParams


class Created(Result):
    result_type: Literal["task"] = "task"
    task_id: str = Field(alias="taskId")
    status: Literal["working"]
    status_message: str = Field(alias="statusMessage")
    created_at: str = Field(alias="createdAt")
    last_updated_at: str = Field(alias="lastUpdatedAt")
    ttl_ms: int = Field(alias="ttlMs")
    poll_interval_ms: int = Field(alias="pollIntervalMs")


class Followed(Result):
    status: str
    result: dict[str, Any] | None = None


class Tasks(ClientExtension):
    identifier = "io.modelcontextprotocol/tasks"

    def __init__(self) -> None:
        self.created: list[Created] = []

    def claims(self) -> Sequence[ResultClaim[Any]]:
        return [ResultClaim(result_type="task", model=Created, resolve=self.resolve)]

    async def resolve(self, created: Created, context: ClaimContext) -> CallToolResult:
        self.created.append(created)
        request = GetTask(params=TaskParams(taskId=created.task_id))
        while True:
            found = await context.session.send_request(request, Followed)
            if found.status != "working":
                assert found.status == "completed"
                return CallToolResult.model_validate(found.result)
            await asyncio.sleep(0.1)


@pytest.mark.parametrize("approves", [True, False])
async def test_tasks(
    desk: Desk, sandbox: str, gateways: tuple[str, str], approves: bool
) -> None:
    await desk.open(sandbox, hold=20)
    tasks = Tasks()
    async with desk.acme.client(
        gateways[0], "2026-07-28", extensions=[tasks]
    ) as client:
        refund = await prepared(client)
        call = asyncio.create_task(client.call_tool("create_refund", refund))
        approval = await desk.decide(approves=approves, reason="" if approves else "No")

        result = await call

        assert bool(result.is_error) is not approves
        assert await refunded(client) == int(approves)
    (created,) = tasks.created
    assert f"/approvals/{approval.pk}/" in created.status_message

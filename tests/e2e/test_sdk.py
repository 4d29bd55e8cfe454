"""The official Python client, through a started gateway, to real servers.

Each case is tried with and without the rule that it is about.
"""

from __future__ import annotations

from typing import Any

import pytest
from mcp import Client, MCPError

from tests.e2e.conftest import Acme
from tests.gateway.conftest import orm

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.timeout(60),
    pytest.mark.xdist_group("e2e"),
]
MODES = pytest.mark.parametrize("mode", ["2026-07-28", "legacy", "auto"])
META = "io.policylayer/"


def text(result: Any) -> str:
    return str(result.content[0].text)


async def names(client: Client) -> list[str]:
    return [tool.name for tool in (await client.list_tools()).tools]


@MODES
async def test_the_sandbox(
    world: Acme, sandbox: str, gateways: tuple[str, str], mode: str
) -> None:
    await orm(lambda: world.register(sandbox))
    async with world.client(gateways[0], mode) as client:
        await client.call_tool("reset_sandbox", {})
        await reads_pass(client)
        await allowed_then_denied(world, client)
        await listed_then_hidden(world, client)
        await unlimited_then_limited(world, client)


async def reads_pass(client: Client) -> None:
    assert (await client.list_resources()).resources
    assert (await client.list_resource_templates()).resource_templates
    contents = (await client.read_resource("sandbox://readme")).contents
    assert "# Sandbox" in contents[0].text  # type: ignore[union-attr]
    prompts = (await client.list_prompts()).prompts
    assert {prompt.name for prompt in prompts} == {"triage_ticket", "refund_reply"}
    prompt = await client.get_prompt("triage_ticket", {"ticket_id": "T-1"})
    assert prompt.messages


async def allowed_then_denied(world: Acme, client: Client) -> None:
    refund = {"charge_id": "ch_1001", "amount": 1, "currency": "usd"}
    charge = await client.call_tool("get_charge", {"charge_id": "ch_1001"})
    refund["currency"] = charge.structured_content["currency"]
    assert not (await client.call_tool("create_refund", refund)).is_error
    rule = {"conditions": [{"path": "args.amount", "op": "gt", "value": 0}],
            "on_deny": "No refunds today."}  # fmt: skip
    await orm(lambda: world.publish(tools={"create_refund": {"deny_if": [rule]}}))

    denied = await client.call_tool("create_refund", refund)

    assert denied.is_error and "No refunds today." in text(denied)
    assert denied.meta is not None
    assert denied.meta[META + "rule"] == "/tools/create_refund/deny_if/0"
    after = await client.call_tool("get_charge", {"charge_id": "ch_1001"})
    assert after.structured_content["refunded"] == 1


async def listed_then_hidden(world: Acme, client: Client) -> None:
    assert "purge_tickets" in await names(client)
    assert not (await client.call_tool("purge_tickets", {})).is_error
    await orm(lambda: world.publish(hide=["purge_*"]))

    assert "purge_tickets" not in [
        tool.name for tool in (await client.list_tools(cache_mode="refresh")).tools
    ]
    for name in ("purge_tickets", "no_such_tool"):
        with pytest.raises(MCPError) as refused:
            await client.call_tool(name, {})
        assert refused.value.code == -32602
        assert refused.value.message == f"Unknown tool: {name}"


async def unlimited_then_limited(world: Acme, client: Client) -> None:
    for _ in range(4):
        assert not (await client.call_tool("list_tickets", {})).is_error
    limit = {"counter": "reads", "window": "hour", "max": 2}
    await orm(lambda: world.publish(tools={"list_tickets": {"limits": [limit]}}))

    results = [await client.call_tool("list_tickets", {}) for _ in range(3)]

    assert [bool(one.is_error) for one in results] == [False, False, True]
    assert results[2].meta is not None
    assert results[2].meta[META + "retryAfter"] > 3000
    assert world.decisions()[-1] == (
        "tools/call",
        "limit",
        "/tools/list_tickets/limits/0",
    )


@MODES
async def test_progress_arrives_before_the_answer(
    world: Acme, sandbox: str, gateways: tuple[str, str], mode: str
) -> None:
    await orm(lambda: world.register(sandbox))
    seen: list[tuple[float, str | None]] = []

    async def on_progress(
        progress: float, total: float | None, message: str | None
    ) -> None:
        seen.append((progress, message))

    async with world.client(gateways[0], mode) as client:
        result = await client.call_tool(
            "run_report", {"steps": 3}, progress_callback=on_progress
        )

    assert not result.is_error
    assert [progress for progress, _ in seen] == [1, 2, 3]


@pytest.mark.node
@MODES
async def test_the_reference_server(
    world: Acme, everything: str, gateways: tuple[str, str], mode: str
) -> None:
    await orm(lambda: world.register(everything))
    assert world.server.era == "legacy"
    async with world.client(gateways[0], mode) as client:
        assert {"echo", "get-sum"} <= set(await names(client))
        echoed = await client.call_tool("echo", {"message": "hello"})
        assert "hello" in text(echoed)
        assert (await client.list_prompts()).prompts
        resources = (await client.list_resources()).resources
        assert (await client.read_resource(resources[0].uri)).contents
        await orm(
            lambda: world.publish(hide=["get-env"], tools={"echo": {"action": "deny"}})
        )

        assert "get-env" not in [
            tool.name for tool in (await client.list_tools(cache_mode="refresh")).tools
        ]
        denied = await client.call_tool("echo", {"message": "hello"})
        assert denied.is_error and "hello" not in text(denied)
        summed = await client.call_tool("get-sum", {"a": 2, "b": 3})
        assert "5" in text(summed)


@MODES
async def test_what_changes_holds_from_the_next_call_on_every_process(
    world: Acme, sandbox: str, gateways: tuple[str, str], mode: str
) -> None:
    await orm(lambda: world.register(sandbox))
    async with (
        world.client(gateways[0], mode) as first,
        world.client(gateways[1], mode) as second,
    ):
        for change, allowed in (
            ({}, True),
            ({"tools": {"list_tickets": {"action": "deny"}}}, False),
            ({}, True),
        ):
            await orm(lambda change=change: world.publish(**change))  # type: ignore[misc]
            for client in (first, second):
                result = await client.call_tool("list_tickets", {})
                assert bool(result.is_error) is not allowed

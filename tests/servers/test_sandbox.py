"""The sandbox through the official client, in both eras."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import psutil
import pytest
from django.conf import settings
from mcp import Client
from mcp.client.streamable_http import streamable_http_client
from mcp.types import PromptReference, ResourceTemplateReference

from tests.http_clients import http

pytestmark = pytest.mark.xdist_group("e2e")
MODES = ("auto", "legacy")
REVISIONS = {"auto": "2026-07-28", "legacy": "2025-11-25"}
# name -> readOnly, destructive: what each tool truly does
TOOLS = {
    "read": {"list_charges", "get_charge", "list_tickets", "search_tickets"},
    "write": {"create_ticket", "update_ticket", "reply_to_ticket"},
    "execute": {"run_report", "replay_webhook"},
    "destructive": {"delete_ticket", "purge_tickets", "reset_sandbox"},
    "financial": {"create_refund", "create_payout"},
    "slow": {"wait", "export_tickets"},
    "other": {"list_transfers"},
}


@asynccontextmanager
async def connected(url: str, mode: Any) -> AsyncIterator[Client]:
    async with (
        http() as agent,
        Client(streamable_http_client(url, http_client=agent), mode=mode) as client,
    ):
        await client.call_tool("reset_sandbox", {})
        yield client


async def called(client: Client, name: str, **arguments: object) -> dict[str, Any]:
    result = await client.call_tool(name, arguments)
    assert not result.is_error, result.content
    return dict(result.structured_content or {})


@pytest.mark.parametrize("mode", MODES)
async def test_tools_of_every_category(sandbox_url: str, mode: str) -> None:
    async with connected(sandbox_url, mode) as client:
        assert client.protocol_version == REVISIONS[mode]
        tools = {tool.name: tool for tool in (await client.list_tools()).tools}
    assert set(tools) == set().union(*TOOLS.values())
    for name, tool in tools.items():
        hints = tool.annotations
        assert hints
        assert tool.description
        reads = name in TOOLS["read"] | TOOLS["slow"] | TOOLS["other"]
        assert hints.read_only_hint is reads, name
        if name in TOOLS["destructive"] | TOOLS["financial"]:
            assert hints.destructive_hint is True, name


@pytest.mark.parametrize("mode", MODES)
async def test_it_remembers(sandbox_url: str, mode: str) -> None:
    async with connected(sandbox_url, mode) as client:
        refund = {"charge_id": "ch_1001", "currency": "usd"}
        await called(client, "create_refund", **refund, amount=1000)
        charge = await called(client, "get_charge", charge_id="ch_1001")
        assert charge["refunded"] == 1000
        again = await client.call_tool("create_refund", refund | {"amount": 201})
        assert again.is_error
        assert "Only 200" in again.content[0].text  # type: ignore[union-attr]
        ticket = await called(
            client, "create_ticket", subject="New", customer="a@example.com",
            message="Hello",
        )  # fmt: skip
        found = await called(client, "search_tickets", query="hello")
        assert [each["id"] for each in found["result"]] == [ticket["id"]]
        await called(client, "delete_ticket", ticket_id=ticket["id"])
        assert (await called(client, "search_tickets", query="hello"))["result"] == []


@pytest.mark.parametrize("mode", MODES)
async def test_progress(sandbox_url: str, mode: str) -> None:
    seen: list[float] = []

    async def show(progress: float, total: float | None, message: str | None) -> None:
        seen.append(progress)

    async with connected(sandbox_url, mode) as client:
        await client.call_tool("run_report", {"steps": 3}, progress_callback=show)
    assert seen == [1, 2, 3]


@pytest.mark.parametrize("mode", MODES)
async def test_resources_prompts_and_completion(sandbox_url: str, mode: str) -> None:
    async with connected(sandbox_url, mode) as client:
        assert len((await client.list_resources()).resources) == 2
        templates = (await client.list_resource_templates()).resource_templates
        assert len(templates) == 2
        read = await client.read_resource("sandbox://tickets/T-101")
        assert "Charged twice" in read.contents[0].text  # type: ignore[union-attr]
        assert len((await client.list_prompts()).prompts) == 2
        prompt = await client.get_prompt("triage_ticket", {"ticket_id": "T-101"})
        assert "Charged twice" in prompt.messages[0].content.text  # type: ignore[union-attr]
        tone = await client.complete(
            PromptReference(type="ref/prompt", name="refund_reply"),
            {"name": "tone", "value": "f"},
        )
        assert tone.completion.values == ["friendly", "formal"]
        ticket = await client.complete(
            ResourceTemplateReference(
                type="ref/resource", uri="sandbox://tickets/{ticket_id}"
            ),
            {"name": "ticket_id", "value": "T-10"},
        )
        assert ticket.completion.values == ["T-101", "T-102", "T-103"]


def test_it_listens_on_loopback_only(sandbox_url: str) -> None:
    port = int(sandbox_url.split(":")[2].split("/")[0])
    found = [
        tuple(each.laddr)
        for each in psutil.net_connections("tcp")
        if each.status == psutil.CONN_LISTEN and port in each.laddr
    ]
    assert found == [("127.0.0.1", port)]


def test_it_wants_a_port() -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "servers.sandbox"],
        cwd=settings.BASE_DIR, env={"SANDBOX_PORT": "x"}, capture_output=True,
        timeout=30,
    )  # fmt: skip
    assert ended.returncode == 1
    assert b"SANDBOX_PORT must be" in ended.stderr

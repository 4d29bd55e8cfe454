"""What pages promise of recommended policies, through the gateway: one tool of each
category, judged by the classifier as it is pinned, called by the official client."""

from __future__ import annotations

import asyncio
from typing import Any, NamedTuple

import pytest
from mcp import Client, MCPError

from accounts.models import Membership
from policies import recommended
from policies.pinned import pinned
from policies.recommended import Known
from tests.e2e.conftest import Acme
from tests.gateway.conftest import orm

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.timeout(60),
    pytest.mark.xdist_group("e2e"),
]
META = "io.policylayer/"
UNKNOWN = -32602
# Not in the documents that are tried with one tool.
ANOTHER = "get_charge"
AT_ONCE = 8


class Sample(NamedTuple):
    tool: str
    arguments: dict[str, Any]


SAMPLES = {
    "Read": Sample("list_tickets", {}),
    "Write": Sample("reply_to_ticket", {"ticket_id": "T-101", "message": "Thanks"}),
    "Execute": Sample("replay_webhook", {"event": "evt_1"}),
    "Destructive": Sample("delete_ticket", {"ticket_id": "T-101"}),
    "Financial": Sample(
        "create_payout", {"amount": 1, "currency": "eur", "account": "DE1"}
    ),
    "Other": Sample("wait", {"seconds": 0}),
}
# What a page says of one tool's policy; a server's asks before Execute too.
PROMISED: dict[str, str | int] = {
    "Read": "passes",
    "Write": 30,
    "Execute": 10,
    "Destructive": "unknown",
    "Financial": "asks",
    "Other": 60,
}
BALANCED = PROMISED | {"Execute": "asks"}


async def keeps(client: Client, sample: Sample, promise: str | int) -> None:
    """Calls it as often as it takes to see the promise kept."""
    if isinstance(promise, int):
        results = await several(client, sample, promise)
        assert [result.is_error for result in results] == [False] * promise
        promise = "limited"
    if promise == "unknown":
        await is_unknown(client, sample)
    else:
        await is_told(client, sample, promise)


async def is_told(client: Client, sample: Sample, promise: str) -> None:
    result = await client.call_tool(*sample)
    meta = result.meta or {}
    seen = {
        "passes": not result.is_error,
        "asks": result.is_error and f"{META}approvalId" in meta,
        "limited": result.is_error
        and meta.get(f"{META}rule") == f"/tools/{sample.tool}/limits/0",
    }
    assert [name for name, held in seen.items() if held] == [promise], result


async def several(client: Client, sample: Sample, times: int) -> list[Any]:
    gate = asyncio.Semaphore(AT_ONCE)

    async def once() -> Any:
        async with gate:
            return await client.call_tool(*sample)

    return await asyncio.gather(*(once() for _ in range(times)))


async def is_unknown(client: Client, sample: Sample) -> None:
    assert sample.tool not in await names(client)
    for tool in (sample.tool, "no_such_tool"):
        with pytest.raises(MCPError) as refused:
            await client.call_tool(tool, sample.arguments)
        assert refused.value.code == UNKNOWN
        assert refused.value.message == f"Unknown tool: {tool}"


async def names(client: Client) -> list[str]:
    return [tool.name for tool in (await client.list_tools(cache_mode="refresh")).tools]


@pytest.fixture(autouse=True)
def decider(alice: Membership) -> Membership:
    """The grant is bob's, and nobody decides about his own calls."""
    return alice


def prepared(world: Acme, url: str) -> dict[str, Known]:
    """Registers the sandbox; its tools with their verdicts. Nobody is waited for."""
    world.register(url)
    world.server.hold_seconds = 0
    world.server.save(update_fields=["hold_seconds"])
    return {known.name: known for known in pinned(world.server).recommendable}


def test_the_samples_are_one_of_each_category() -> None:
    assert set(SAMPLES) == set(PROMISED) == set(recommended.ADVICE)


@pytest.mark.parametrize("category", SAMPLES)
async def test_a_tools_policy_does_what_its_page_says(
    world: Acme, sandbox: str, gateways: tuple[str, str], category: str
) -> None:
    known = await orm(lambda: prepared(world, sandbox))
    sample = SAMPLES[category]
    assert known[sample.tool].category == category
    document = recommended.for_tool(sample.tool, category)
    await orm(lambda: world.publish(**document))
    async with world.client(gateways[0], "auto") as client:
        await client.list_tools()
        await keeps(client, sample, PROMISED[category])

        hidden = PROMISED[category] == "unknown"
        assert await names(client) == ([] if hidden else [sample.tool])
        await is_unknown(client, Sample(ANOTHER, {"charge_id": "ch_1001"}))


async def test_a_servers_policy_does_what_its_page_says(
    world: Acme, sandbox: str, gateways: tuple[str, str]
) -> None:
    known = await orm(lambda: prepared(world, sandbox))
    judged = [known[sample.tool] for sample in SAMPLES.values()]
    assert [each.category for each in judged] == list(SAMPLES)
    document = recommended.balanced([*judged, Known(ANOTHER, "Read", doubtful=True)])
    await orm(lambda: world.publish(**document))
    async with world.client(gateways[0], "auto") as client:
        for category, sample in SAMPLES.items():
            await keeps(client, sample, BALANCED[category])

        await keeps(client, Sample(ANOTHER, {"charge_id": "ch_1001"}), "asks")
        await is_unknown(client, Sample("list_transfers", {}))
        shown = {sample.tool for sample in SAMPLES.values()} | {ANOTHER}
        assert set(await names(client)) == shown - {SAMPLES["Destructive"].tool}

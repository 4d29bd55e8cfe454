"""Clients that can open pages are asked to: the shapes, and the state they carry."""

from __future__ import annotations

import time
from typing import Any
from unittest import mock

import pytest

from approvals.models import State
from gateway import elicitation
from tests.fakes.mcp_server import FakeServer
from tests.gateway.conftest import World
from tests.gateway.test_asking import ASKS, META, ran, states

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(60)]
OPENS: dict[str, Any] = {"elicitation": {"form": {}, "url": {}}}
NO_PAGES: dict[str, Any] = {"elicitation": {"form": {}}}
PAY: dict[str, Any] = {"name": "pay", "arguments": {"amount": 5}}


@pytest.fixture
async def asks(world: World) -> World:
    await world.publish(tools=ASKS)
    await world.change(world.server, hold_seconds=1)
    return world


def back(result: dict[str, Any], action: str = "accept") -> dict[str, Any]:
    """What a client sends once it has done what it was asked."""
    answers = {key: {"action": action} for key in result["inputRequests"]}
    return {"inputResponses": answers, "requestState": result["requestState"]}


async def test_modern_the_result_asks_to_open_the_page(
    asks: World, fake: FakeServer
) -> None:
    client = asks.client(capabilities=OPENS)

    result = (await client.call("pay", {"amount": 5})).result

    (approval,) = await asks.approvals()
    assert result["resultType"] == "input_required"
    (request,) = result["inputRequests"].values()
    assert request["method"] == "elicitation/create"
    assert request["params"]["mode"] == "url"
    assert request["params"]["url"].endswith(f"/approvals/{approval.pk}/")
    assert "pay" in request["params"]["message"]

    await asks.decide()
    done = await client.request("tools/call", PAY | back(result))
    assert "isError" not in done.result and ran(fake) == [{"amount": 5}]
    sent = fake.seen[-1].message["params"]
    assert "requestState" not in sent and "inputResponses" not in sent


async def test_the_retry_is_held_and_then_falls_to_the_text(
    asks: World, fake: FakeServer
) -> None:
    client = asks.client(capabilities=OPENS)
    result = (await client.call("pay", {"amount": 5})).result

    answer = await client.request("tools/call", PAY | back(result))

    assert answer.headers["content-type"] == "text/event-stream"
    assert "call again with the same arguments" in answer.text
    assert await states(asks) == [State.PENDING]


@pytest.mark.parametrize("action", ["decline", "cancel"])
async def test_declining_to_open_a_page_is_no_decision(
    asks: World, fake: FakeServer, action: str
) -> None:
    client = asks.client(capabilities=OPENS)
    result = (await client.call("pay", {"amount": 5})).result

    answer = await client.request("tools/call", PAY | back(result, action))

    assert "That is no decision" in answer.text
    assert await states(asks) == [State.PENDING]
    await asks.decide()
    assert "isError" not in (await client.call("pay", {"amount": 5})).result


async def test_only_those_that_declare_it_in_this_request_are_asked(
    asks: World,
) -> None:
    await asks.client(capabilities=OPENS).call("pay", {"amount": 5})

    kinds: list[dict[str, Any]] = [{}, {"elicitation": {}}, NO_PAGES]
    for declared in kinds:
        answer = await asks.client(capabilities=declared).call("pay", {"amount": 5})
        assert "content" in answer.result, declared


async def test_states_are_bound_to_the_call_the_grant_and_the_time(
    asks: World, fake: FakeServer
) -> None:
    client = asks.client(capabilities=OPENS)
    result = (await client.call("pay", {"amount": 5})).result
    given = back(result)
    first = asks.token
    await asks.decide()

    altered = given["requestState"][:-2] + "AA"
    other = PAY | {"arguments": {"amount": 6}}
    for params in (
        PAY | given | {"requestState": altered},
        PAY | given | {"requestState": ""},
        PAY | given | {"requestState": 5},
        PAY | {"inputResponses": given["inputResponses"]},
        PAY | {"requestState": given["requestState"]},
        PAY | given | {"inputResponses": {"approval": {"action": "approve"}}},
        PAY | given | {"inputResponses": []},
        other | given,
        {"name": "echo", "arguments": {"amount": 5}} | given,
    ):
        refused = await client.request("tools/call", params)
        assert refused.error["code"] == -32602, params
    await asks.mint(label="another")
    foreign = await asks.client(capabilities=OPENS).request("tools/call", PAY | given)
    assert foreign.error["code"] == -32602
    later = time.time() + 3600
    with mock.patch("gateway.pipeline.time.time", return_value=later):
        old = await asks.client(capabilities=OPENS, token=first).request(
            "tools/call", PAY | given
        )
    assert old.error["code"] == -32602 and "expired" in old.error["message"]
    assert ran(fake) == [] and await states(asks) == [State.APPROVED]

    client.token = first
    once = await client.request("tools/call", PAY | given)
    again = await client.request("tools/call", PAY | given)
    assert "isError" not in once.result
    assert again.result["_meta"][META + "approvalState"] == "ran"
    assert ran(fake) == [{"amount": 5}]


async def test_legacy_the_error_asks_to_open_the_page(
    asks: World, fake: FakeServer
) -> None:
    client = await asks.connected("legacy", capabilities=OPENS)

    refused = await client.call("pay", {"amount": 5})

    (approval,) = await asks.approvals()
    assert refused.status == 200 and refused.error["code"] == -32042
    (asked,) = refused.error["data"]["elicitations"]
    assert asked["mode"] == "url" and asked["elicitationId"] == str(approval.pk)
    assert asked["url"].endswith(f"/approvals/{approval.pk}/")
    assert refused.error["data"][META + "approvalId"] == str(approval.pk)


async def test_legacy_the_next_call_is_held_and_told_when_it_is_decided(
    asks: World, fake: FakeServer
) -> None:
    await asks.change(asks.server, hold_seconds=10)
    client = await asks.connected("legacy", capabilities=OPENS)
    await client.call("pay", {"amount": 5})
    pending = client.begin("tools/call", PAY)
    await pending.begun()

    await asks.decide()
    answer = await pending.answer()

    assert "isError" not in answer.result and ran(fake) == [{"amount": 5}]
    (told,) = answer.messages[:-1]
    (approval,) = await asks.approvals()
    assert told["method"] == "notifications/elicitation/complete"
    assert told["params"] == {"elicitationId": str(approval.pk)}


@pytest.mark.parametrize(
    "revision, declared",
    [("2025-06-18", OPENS), ("2025-11-25", {"elicitation": {}}), ("2025-11-25", {})],
)
async def test_older_revisions_and_clients_without_pages_are_not_asked(
    asks: World, revision: str, declared: dict[str, Any]
) -> None:
    client = await asks.connected("legacy", capabilities=declared, revision=revision)

    assert "result" in (await client.call("pay", {"amount": 5})).message


async def test_a_session_of_another_replica_says_what_the_client_can(
    asks: World,
) -> None:
    client = await asks.connected("legacy", capabilities=OPENS)
    client.app = asks.another_process()

    assert (await client.call("pay", {"amount": 5})).error["code"] == -32042


def test_parts_of_what_is_bound_do_not_run_together() -> None:
    from uuid import UUID

    grant = UUID(int=1)
    assert elicitation.bound(grant, "ab", "c", b"") != elicitation.bound(
        grant, "a", "bc", b""
    )

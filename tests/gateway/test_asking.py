"""Calls that people are asked about: asked once, run once, and told what to do."""

from __future__ import annotations

import asyncio
import threading
from datetime import timedelta
from typing import Any
from unittest import mock

import pytest
from django.db import OperationalError
from django.utils import timezone

from approvals import asking, running
from approvals.models import Approval, State
from approvals.waiving import Wish, equality
from tests.fakes.mcp_server import FakeServer
from tests.gateway.conftest import World, orm

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(60)]
META = "io.policylayer/"
ERAS = pytest.mark.parametrize("era", ["modern", "legacy"])
ASKS: dict[str, Any] = {"pay": {"action": "require_approval", "reason": "Moves money"}}


@pytest.fixture
async def asks(world: World) -> World:
    """`pay` needs approval; nobody is held."""
    await world.publish(tools=ASKS)
    await world.change(world.server, hold_seconds=0)
    return world


def ran(fake: FakeServer) -> list[Any]:
    """Arguments of the calls that reached the server."""
    return [
        seen.message["params"].get("arguments")
        for seen in fake.seen
        if seen.method == "tools/call"
    ]


async def states(world: World) -> list[str]:
    return [one.state for one in await world.approvals()]


@ERAS
async def test_it_is_asked_once_and_runs_once_after_the_approval(
    asks: World, fake: FakeServer, era: str
) -> None:
    client = await asks.connected(era)

    first = await client.call("pay", {"amount": 5})
    again = await client.call("pay", {"amount": 5})

    assert first.result["isError"] and ran(fake) == []
    (approval,) = await asks.approvals()
    for answer in (first, again):
        meta = answer.result["_meta"]
        assert meta[META + "approvalId"] == str(approval.pk)
        assert meta[META + "approvalState"] == "pending"
        assert meta[META + "rule"] == "/tools/pay/action"
        assert f"/approvals/{approval.pk}/" in answer.text
        assert "Moves money." in answer.text
        assert "call again with the same arguments" in answer.text
        assert "an approver or above" in answer.text or "approver" in answer.text

    await asks.decide()
    third = await client.call("pay", {"amount": 5})

    assert "isError" not in third.result and ran(fake) == [{"amount": 5}]
    (approval,) = await asks.approvals()
    assert approval.state == State.USED
    assert approval.used_call == asks.records()[-1].id
    assert asks.records()[-1].approval == approval.pk
    assert [d for d, _ in asks.decisions()][-3:] == [
        *("require_approval", "require_approval", "allow"),
    ]


async def test_another_order_of_the_arguments_is_the_same_call(asks: World) -> None:
    client = asks.client()
    await client.call("pay", {"amount": 5, "note": "x"})
    await client.call("pay", {"note": "x", "amount": 5.0})
    await client.call("pay", {"note": "y", "amount": 5})

    assert len(await asks.approvals()) == 2


async def test_the_call_that_asked_names_the_approval_on_record(asks: World) -> None:
    await asks.client().call("pay", {"amount": 5})

    (approval,) = await asks.approvals()
    (outcome,) = await asks.outcomes()
    assert outcome.id == asks.records()[-1].id == approval.first_call
    assert (outcome.status, outcome.approval) == ("refused", approval.pk)


@ERAS
async def test_a_denial_says_why_and_not_to_retry(
    asks: World, fake: FakeServer, era: str
) -> None:
    client = await asks.connected(era)
    await client.call("pay", {"amount": 5})
    await asks.decide(approves=False, reason="Not this customer")

    denied = await client.call("pay", {"amount": 5})

    assert denied.result["isError"] and ran(fake) == []
    assert "Not this customer." in denied.text and "Do not retry" in denied.text
    assert len(await asks.approvals()) == 1


@ERAS
async def test_one_call_after_the_run_is_told_of_it_and_the_next_asks_anew(
    asks: World, fake: FakeServer, era: str
) -> None:
    client = await asks.connected(era)
    await client.call("pay", {"amount": 5})
    await asks.decide()
    await client.call("pay", {"amount": 5})
    (approval,) = await asks.approvals()

    told = await client.call("pay", {"amount": 5})
    asked = await client.call("pay", {"amount": 5})

    assert ran(fake) == [{"amount": 5}]
    assert told.result["_meta"][META + "approvalState"] == "ran"
    assert str(approval.used_call) in told.text
    assert "Calling once more asks" in told.text
    assert asked.result["_meta"][META + "approvalState"] == "pending"
    assert len(await asks.approvals()) == 2


async def test_too_many_that_wait_are_not_added_to(asks: World) -> None:
    await asks.change(asks.organization, pending_most=1)
    client = asks.client()
    await client.call("pay", {"amount": 1})

    refused = await client.call("pay", {"amount": 2})

    assert "nobody was asked" in refused.text
    assert META + "approvalId" not in refused.result["_meta"]
    assert len(await asks.approvals()) == 1


async def test_twenty_retries_at_once_run_once(asks: World, fake: FakeServer) -> None:
    client = asks.client()
    await client.call("pay", {"amount": 5})
    await asks.decide()

    answers = await asyncio.gather(
        *(client.call("pay", {"amount": 5}) for _ in range(20))
    )

    assert ran(fake) == [{"amount": 5}]
    assert sum("isError" not in answer.result for answer in answers) == 1
    lost = [one.result["_meta"] for one in answers if "isError" in one.result]
    assert {meta[META + "approvalState"] for meta in lost} <= {"ran", "pending"}


async def test_without_the_update_they_would_run_many_times(
    asks: World, fake: FakeServer
) -> None:
    """The test above fails when the protection is unplugged."""
    client = asks.client()
    await client.call("pay", {"amount": 5})
    await asks.decide()

    with mock.patch.object(running, "consume", return_value=True):
        await asyncio.gather(*(client.call("pay", {"amount": 5}) for _ in range(5)))

    assert len(ran(fake)) > 1


# Judged again


async def test_a_denial_by_the_rules_makes_it_void(
    asks: World, fake: FakeServer
) -> None:
    client = asks.client()
    await client.call("pay", {"amount": 5})
    await asks.decide()
    schema = {"amount": {"type": "string"}}
    await asks.publish(tools=ASKS, validate_arguments=True)
    await asks.hold("pay")

    denied = await client.call("pay", {"amount": 5})

    assert "is void" in denied.text and "(changed tool)" in denied.text, schema
    assert await states(asks) == [State.VOID] and ran(fake) == []


async def test_hiding_makes_it_void_without_taking_time(
    asks: World, fake: FakeServer
) -> None:
    client = asks.client()
    await client.call("pay", {"amount": 5})
    await asks.decide()
    await asks.publish(tools=ASKS, hide=["pay"])
    looked, goes_on, real = threading.Event(), threading.Event(), asking.find

    def slow(q: Any) -> Any:
        looked.set()
        goes_on.wait(10)
        return real(q)

    with mock.patch.object(asking, "find", slow):
        hidden = await client.call("pay", {"amount": 5})
        assert hidden.error["message"] == "Unknown tool: pay"
        assert await asyncio.to_thread(looked.wait, 10)
        goes_on.set()

    async with asyncio.timeout(10):
        while await states(asks) != [State.VOID]:
            await asyncio.sleep(0.02)
    assert ran(fake) == []


async def test_a_full_limit_looks_nothing_up(asks: World) -> None:
    limit = {"counter": "pays", "window": "hour", "max": 0}
    rule = {"conditions": [{"path": "args.amount", "op": "gt", "value": 9}]}
    await asks.publish(tools={"pay": {"approve_if": [rule], "limits": [limit]}})

    with mock.patch.object(asking, "find") as query:
        assert (await asks.client().call("pay", {"amount": 5})).result["isError"]

    query.assert_not_called()


async def test_a_rule_that_was_not_shown_makes_it_void_and_asks_again(
    asks: World, fake: FakeServer
) -> None:
    limit = {"counter": "pays", "window": "hour", "max": 1, "over": "require_approval"}
    document = {"pay": ASKS["pay"] | {"limits": [limit]}, "echo": {"limits": [limit]}}
    await asks.publish(tools=document)
    client = asks.client()
    await client.call("pay", {"amount": 5})
    await asks.decide()
    await client.call("echo", {"text": "fills the counter"})

    again = await client.call("pay", {"amount": 5})

    assert again.result["_meta"][META + "approvalState"] == "pending"
    assert await states(asks) == [State.VOID, State.PENDING]
    old, new = await asks.approvals()
    assert [one["rule"] for one in old.rules] == ["/tools/pay/action"]
    assert [one["rule"] for one in new.rules] == [
        *("/tools/pay/action", "/tools/pay/limits/0"),
    ]
    await asks.decide()
    assert "isError" not in (await client.call("pay", {"amount": 5})).result
    assert {"amount": 5} in ran(fake)


async def test_a_full_limit_leaves_it_usable(asks: World, fake: FakeServer) -> None:
    limit = {"counter": "pays", "window": "minute", "max": 1}
    document = {"pay": ASKS["pay"] | {"limits": [limit]}, "echo": {"limits": [limit]}}
    await asks.publish(tools=document)
    client = asks.client()
    await client.call("pay", {"amount": 5})
    await asks.decide()
    await client.call("echo", {"text": "fills the counter"})

    limited = await client.call("pay", {"amount": 5})

    assert limited.result["_meta"][META + "decision"] == "limit"
    assert "can still be used until" in limited.text
    assert await states(asks) == [State.APPROVED]


async def test_a_limit_that_asks_is_asked_about_and_runs(
    asks: World, fake: FakeServer
) -> None:
    limit = {"counter": "pays", "window": "hour", "max": 1, "over": "require_approval"}
    await asks.publish(tools={"pay": {"limits": [limit]}})
    client = asks.client()
    await client.call("pay", {"amount": 1})

    second = await client.call("pay", {"amount": 2})
    assert second.result["_meta"][META + "rule"] == "/tools/pay/limits/0"
    await asks.decide()
    third = await client.call("pay", {"amount": 2})

    assert "isError" not in third.result
    assert ran(fake) == [{"amount": 1}, {"amount": 2}]
    asked, run = asks.records()[-2:]
    assert run.id != asked.id and run.approval is not None
    assert [d for d, _ in asks.decisions()][-2:] == ["require_approval", "allow"]


async def test_a_changed_entry_is_another_question(asks: World) -> None:
    client = asks.client()
    await client.call("pay", {"amount": 5})
    await asks.decide()
    await asks.publish(tools={"pay": ASKS["pay"] | {"reason": "Another"}})

    answer = await client.call("pay", {"amount": 5})

    assert answer.result["_meta"][META + "approvalState"] == "pending"


# What happens on the way


async def test_not_reached_means_usable_again(asks: World, fake: FakeServer) -> None:
    client = asks.client()
    await client.call("pay", {"amount": 5})
    await asks.decide()
    url = asks.server.url
    await asks.change(asks.server, url="http://127.0.0.1:1/mcp")

    failed = await client.call("pay", {"amount": 5})

    assert failed.result["isError"] and "can be used again" in failed.text
    assert await states(asks) == [State.APPROVED]
    await asks.change(asks.server, url=url)
    assert "isError" not in (await client.call("pay", {"amount": 5})).result
    assert ran(fake) == [{"amount": 5}]


async def test_an_unknown_outcome_uses_it_up(asks: World, fake: FakeServer) -> None:
    client = asks.client()
    await client.call("pay", {"amount": 5})
    await asks.decide()
    fake.on("tools/call", lambda *_: cut_off())

    failed = await client.call("pay", {"amount": 5})

    assert "not known whether the call was executed" in failed.text
    assert "The approval is used up" in failed.text
    assert await states(asks) == [State.USED]


def cut_off() -> Any:
    from tests.fakes.mcp_server import Raw

    return Raw(b"HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\n")


async def test_one_grant_does_not_keep_others_from_asking(
    asks: World, fake: FakeServer
) -> None:
    goes_on, real = threading.Event(), asking.find
    slow_one = asks.grant.pk

    def slow(q: Any) -> Any:
        if q.grant_id == slow_one:
            goes_on.wait(10)
        return real(q)

    busy = asks.client()
    await asks.mint(label="another")
    with mock.patch.object(asking, "find", slow):
        waiting = [
            busy.begin("tools/call", {"name": "pay", "arguments": {"amount": n}})
            for n in range(8)
        ]
        answer = await asks.client().call("pay", {"amount": 5})
        goes_on.set()
        answers = [await one.answer() for one in waiting]

    for one in (answer, *answers):
        assert META + "approvalId" in one.result["_meta"]


@pytest.mark.parametrize("where", ["find", "ask"])
async def test_without_postgres_nothing_runs_and_the_text_says_so(
    asks: World, fake: FakeServer, where: str
) -> None:
    client = asks.client()

    with mock.patch.object(asking, where, side_effect=OperationalError("gone")):
        refused = await client.call("pay", {"amount": 5})

    assert refused.result["isError"] and "cannot ask anybody" in refused.text
    assert ran(fake) == [] and await asks.approvals() == []
    assert asks.decisions()[-1] == ("require_approval", "/tools/pay/action")


async def test_without_postgres_an_approved_call_does_not_run(
    asks: World, fake: FakeServer
) -> None:
    client = asks.client()
    await client.call("pay", {"amount": 5})
    await asks.decide()

    with mock.patch.object(running, "consume", side_effect=OperationalError("gone")):
        refused = await client.call("pay", {"amount": 5})

    assert "cannot ask anybody" in refused.text and ran(fake) == []
    assert await states(asks) == [State.APPROVED]


async def test_a_call_that_asks_nobody_asks_postgres_nothing(
    asks: World, fake: FakeServer
) -> None:
    client = asks.client()
    await client.call("echo", {"text": "warm"})
    await asks.app.state.waker.close()  # type: ignore[union-attr]  # looks by itself

    with mock.patch.object(asks.app.state.approvals, "run") as query:  # type: ignore[union-attr]
        assert "isError" not in (await client.call("echo", {"text": "x"})).result

    query.assert_not_called()


# Waivers and break-glass


async def test_a_waiver_covers_like_calls_until_its_time(
    asks: World, fake: FakeServer
) -> None:
    await orm(lambda: classify(asks))
    client = asks.client()
    await client.call("pay", {"amount": 5})
    like = equality({"amount": 5}) | {"/amount": {"max": 10}}
    approval = await asks.decide(waiver=Wish(15, like))
    await client.call("pay", {"amount": 5})

    assert "isError" not in (await client.call("pay", {"amount": 7})).result
    assert "isError" not in (await client.call("pay", {"amount": 7})).result
    assert (await client.call("pay", {"amount": 11})).result["isError"]
    assert ran(fake)[-2:] == [{"amount": 7}, {"amount": 7}]
    assert asks.records()[-2].approval == approval.pk

    later = timezone.now() + timedelta(minutes=16)
    with mock.patch("gateway.covering.time.time", return_value=later.timestamp()):
        assert (await client.call("pay", {"amount": 7})).result["isError"]


def classify(world: World) -> None:
    from servers import verdicts
    from servers.models import ToolDefinition

    tool = ToolDefinition.objects.for_organization(world.organization).get(name="pay")
    verdicts.set_verdict(tool, "Write", "medium", world.member.user)


async def test_a_waiver_ends_with_the_entry_that_it_was_made_for(asks: World) -> None:
    await orm(lambda: classify(asks))
    client = asks.client()
    await client.call("pay", {"amount": 5})
    await asks.decide(waiver=Wish(15, equality({"amount": 5})))
    await asks.publish(tools={"pay": ASKS["pay"] | {"reason": "Another"}})

    assert (await client.call("pay", {"amount": 5})).result["isError"]


async def test_break_glass_opens_on_the_next_call_and_ends_by_the_clock(
    asks: World, fake: FakeServer
) -> None:
    from approvals import openings

    await asks.publish(tools={"pay": {"action": "deny"}})
    client = asks.client()
    assert (await client.call("pay", {"amount": 5})).result["isError"]

    opening = await orm(
        lambda: openings.open_tool(
            asks.approver, asks.grant, "pay", minutes=10, reason="Outage", fresh=True
        )
    )

    assert "isError" not in (await client.call("pay", {"amount": 5})).result
    assert asks.decisions()[-1] == ("allow", f"(break-glass {opening.pk})")
    later = timezone.now() + timedelta(minutes=11)
    with mock.patch("gateway.covering.time.time", return_value=later.timestamp()):
        assert (await client.call("pay", {"amount": 5})).result["isError"]


# Reads


async def test_a_read_whose_limit_asks_is_answered_as_an_error(
    asks: World, fake: FakeServer
) -> None:
    limit = {"counter": "reads", "window": "hour", "max": 0, "over": "require_approval"}
    await asks.publish(resources={"default": "allow", "limits": [limit]})
    client = asks.client()

    refused = await client.request("resources/read", {"uri": "memo://1"})
    assert refused.error["code"] == -32000
    assert refused.error["data"][META + "approvalState"] == "pending"
    await asks.decide()

    assert (
        "result"
        in (await client.request("resources/read", {"uri": "memo://1"})).message
    )


async def test_an_approval_of_one_grant_is_nobody_elses(
    asks: World, fake: FakeServer
) -> None:
    await asks.client().call("pay", {"amount": 5})
    await asks.decide()
    await asks.mint(label="another")

    answer = await asks.client().call("pay", {"amount": 5})

    assert answer.result["isError"] and ran(fake) == []
    assert len(await orm(lambda: list(Approval.objects.across_organizations()))) == 2

"""Calls that are kept open while people decide."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import AsyncIterator, Callable
from typing import Any
from unittest import mock
from uuid import uuid4

import pytest

from approvals import asking, switches, waking
from approvals.models import State
from gateway import ending, holding, slots, sse, waker
from gateway.state import Gateway
from tests.fakes.mcp_server import FakeServer, Raw
from tests.gateway.asgi import Pending
from tests.gateway.conftest import World, orm
from tests.gateway.test_asking import ASKS, ERAS, META, ran, states

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(60)]
TOKEN: dict[str, Any] = {"_meta": {"progressToken": "p"}}
PAY: dict[str, Any] = {"name": "pay", "arguments": {"amount": 5}}


@pytest.fixture
async def held(world: World) -> AsyncIterator[World]:
    """`pay` needs approval; calls are held for ten seconds."""
    await world.publish(tools=ASKS)
    await world.change(world.server, hold_seconds=10)
    yield world


async def asked(world: World) -> None:
    """Until the call waits."""
    async with asyncio.timeout(10):
        while State.PENDING not in await states(world):
            await asyncio.sleep(0.02)


def process(world: World) -> Gateway:
    assert world.app.state is not None
    return world.app.state


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0.02)


@ERAS
async def test_a_held_call_runs_in_the_moment_of_the_approval(
    held: World, fake: FakeServer, era: str
) -> None:
    client = await held.connected(era)
    pending = client.begin("tools/call", PAY | TOKEN)
    await pending.begun()
    await asked(held)

    await held.decide()
    answer = await pending.answer()

    assert answer.headers["content-type"] == "text/event-stream"
    assert "isError" not in answer.result and ran(fake) == [{"amount": 5}]
    (told, *_), final = answer.messages[:-1], answer.message
    assert told["params"]["progressToken"] == "p" and final["id"]
    assert "/approvals/" in told["params"]["message"]
    assert "left)" in told["params"]["message"]
    asking, running = held.records()[-2:]
    (approval,) = await held.approvals()
    assert approval.first_call == asking.id != running.id == approval.used_call


@ERAS
async def test_a_denial_answers_the_held_call(held: World, era: str) -> None:
    client = await held.connected(era)
    pending = client.begin("tools/call", PAY)
    await asked(held)
    await held.decide(approves=False, reason="No.")

    answer = await pending.answer()

    assert "Denied by a person" in answer.text and "No." in answer.text
    assert answer.result["_meta"][META + "approvalState"] == "denied"
    assert sse.KEEP_ALIVE in answer.body  # no token, so no progress


async def test_after_the_window_the_text_says_what_to_do(
    held: World, fake: FakeServer
) -> None:
    await held.change(held.server, hold_seconds=1)

    answer = await held.client().call("pay", {"amount": 5})

    assert "call again with the same arguments" in answer.text and ran(fake) == []
    assert await states(held) == [State.PENDING]


async def test_progress_goes_on_and_only_up(held: World, fake: FakeServer) -> None:
    async def answers(message: Any, headers: Any) -> AsyncIterator[Any]:
        for progress in (0, 1, 2):
            told = {
                "progressToken": message["params"]["_meta"]["progressToken"],
                "progress": progress,
            }
            yield {"method": "notifications/progress", "params": told}
        yield {"id": message["id"], "result": {"content": [], "resultType": "complete"}}

    fake.on("tools/call", answers)
    with mock.patch.object(holding, "SIGN_EVERY", 0.1):
        pending = held.client().begin("tools/call", PAY | TOKEN)
        await asked(held)
        await asyncio.sleep(0.35)
        await held.decide()
        answer = await pending.answer()

    told = [m["params"]["progress"] for m in answer.messages[:-1]]
    assert len(told) >= 4 and told == sorted(set(told)) and told[-2:] == [1, 2]


async def test_a_modern_client_that_goes_away_cancels(held: World) -> None:
    pending = held.client().begin("tools/call", PAY)
    await asked(held)

    pending.disconnect()

    async with asyncio.timeout(10):
        while await states(held) != [State.CANCELLED]:
            await asyncio.sleep(0.02)
    (approval,) = await held.approvals()
    assert "went away" in approval.reason


async def test_who_goes_away_while_the_question_is_stored_cancels_it_too(
    held: World,
) -> None:
    stored, real = threading.Event(), asking.ask

    def slow(q: Any) -> Any:
        try:
            return real(q)
        finally:
            stored.set()
            time.sleep(0.5)

    with mock.patch.object(asking, "ask", slow):
        pending = held.client().begin("tools/call", PAY)
        await asyncio.to_thread(stored.wait, 10)
        pending.disconnect()
        await pending.task

        async with asyncio.timeout(10):
            while await states(held) != [State.CANCELLED]:
                await asyncio.sleep(0.02)


async def test_it_does_not_cancel_what_another_call_waits_for(held: World) -> None:
    first = held.client().begin("tools/call", PAY)
    second = held.client().begin("tools/call", PAY)
    await asked(held)
    (approval,) = await held.approvals()
    await until(lambda: process(held).waker.waiters(approval.pk) == 2)

    first.disconnect()
    await first.task
    await held.decide()

    assert "isError" not in (await second.answer()).result


async def test_a_legacy_client_that_goes_away_keeps_it(
    held: World, fake: FakeServer
) -> None:
    client = await held.connected("legacy")
    pending = client.begin("tools/call", PAY)
    await asked(held)

    pending.disconnect()
    # A wake-up on the channel, of anybody, ends the holding of one that is gone.
    live = process(held).watch.lasting
    await until(lambda: pending.task.done() or any(x.gone for x in live(0)))
    await held.decide()

    answer = await client.call("pay", {"amount": 5})
    assert "isError" not in answer.result and ran(fake) == [{"amount": 5}]


async def test_a_cancelled_notification_cancels(held: World) -> None:
    client = await held.connected("legacy")
    pending = client.begin("tools/call", PAY, id=77)
    await asked(held)

    await client.request("notifications/cancelled", {"requestId": 77}, id=False)

    async with asyncio.timeout(10):
        while await states(held) != [State.CANCELLED]:
            await asyncio.sleep(0.02)
    await asyncio.wait_for(pending.task, 10)


async def test_how_many_are_held_is_bounded_over_all_processes(held: World) -> None:
    apps = [held.app, held.another_process()]
    pending = [
        held.client(app=apps[n % 2]).begin("tools/call", amount(n))
        for n in range(slots.MOST_OF_GRANT)
    ]
    for one in pending:
        await one.begun()

    for app in apps:
        over = await held.client(app=app).request("tools/call", amount(99))
        assert over.headers["content-type"] == "application/json"
        assert "call again with the same arguments" in over.text
    gone = pending.pop()
    gone.disconnect()
    await gone.task
    room = held.client().begin("tools/call", amount(99))
    await room.begun()
    for one in (*pending, room):
        one.disconnect()
    await asyncio.gather(*(one.task for one in (*pending, room)))
    assert [app.state.slots.held for app in apps if app.state] == [0, 0]


def amount(number: int) -> dict[str, Any]:
    return PAY | {"arguments": {"amount": number}}


async def test_places_of_a_process_that_died_are_free_again(held: World) -> None:
    await held.client().request("tools/list")
    assert held.app.state is not None
    rights = mock.Mock(grant_id=uuid4(), organization_id=uuid4(), shard=7)
    with mock.patch.object(slots, "MOST_OF_GRANT", 1):
        died = held.app.state.slots.taken(rights, 0.2)
        assert await died.__aenter__()
        async with held.app.state.slots.taken(rights, 0.2) as room:
            assert not room
        later = time.time() + 10
        with mock.patch("gateway.slots.time.time", return_value=later):
            async with held.app.state.slots.taken(rights, 0.2) as room:
                assert room
        await died.__aexit__(None, None, None)


async def test_an_organization_and_a_process_have_bounds_too(held: World) -> None:
    await held.client().request("tools/list")
    assert held.app.state is not None
    own, organization = held.app.state.slots, uuid4()

    def rights() -> Any:
        return mock.Mock(grant_id=uuid4(), organization_id=organization, shard=7)

    with mock.patch.object(slots, "MOST_OF_ORGANIZATION", 1):
        async with own.taken(rights(), 9) as first, own.taken(rights(), 9) as second:
            assert first and not second
    with mock.patch.object(slots, "MOST", 1):
        async with own.taken(rights(), 9) as first, own.taken(rights(), 9) as second:
            assert first and not second
    assert own.held == 0


def test_a_client_may_have_a_window_of_its_own() -> None:
    rights = mock.Mock(hold_seconds=45, hold_by_client={"claude-code": 200, "x": 9_999})
    assert holding.window(rights, "claude-code") == 200
    assert holding.window(rights, "anything") == 45
    assert holding.window(rights, "x") == holding.LONGEST


async def test_another_process_decides_and_no_message_comes(
    held: World, fake: FakeServer
) -> None:
    """The row decides: a lost wake-up costs seconds, not the call."""
    with (
        mock.patch.object(waker, "LOOK_SECONDS", 0.3),
        mock.patch("approvals.waking._publish"),
    ):
        pending = held.client().begin("tools/call", PAY)
        await asked(held)
        await held.decide()
        assert "isError" not in (await pending.answer()).result


async def test_the_rules_of_the_moment_hold_for_a_held_call(
    held: World, fake: FakeServer
) -> None:
    pending = held.client().begin("tools/call", PAY)
    await asked(held)
    await held.publish(tools={"pay": ASKS["pay"] | {"reason": "Another reason"}})
    await held.decide()

    answer = await pending.answer()

    assert "is void" in answer.text and ran(fake) == []
    assert answer.result["_meta"][META + "approvalState"] == "none"
    assert await states(held) == [State.VOID]


async def test_a_changed_entry_that_denies_makes_it_void(
    held: World, fake: FakeServer
) -> None:
    pending = held.client().begin("tools/call", PAY)
    await asked(held)
    await held.publish(tools={"pay": {"action": "deny"}})
    await held.decide()

    answer = await pending.answer()

    assert answer.result["_meta"][META + "rule"] == "/tools/pay/action"
    assert "is void" in answer.text and ran(fake) == []


async def test_a_large_answer_becomes_one_event_of_the_held_stream(
    held: World, fake: FakeServer
) -> None:
    text = "x" * 3_000_000
    whole = {"content": [{"type": "text", "text": text}], "resultType": "complete"}

    def answers(message: Any, seen: Any) -> Raw:
        reply = {"jsonrpc": "2.0", "id": message["id"], "result": whole}
        body = json.dumps(reply, indent=1).encode()  # with line ends
        head = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n"
        return Raw(b"%bcontent-length: %d\r\n\r\n%b" % (head, len(body), body))

    fake.on("tools/call", answers)
    pending = held.client().begin("tools/call", PAY)
    await asked(held)
    await held.decide()

    answer = await pending.answer()

    events = [e for e in answer.body.split(b"\n\n") if e.startswith(b"data: ")]
    assert json.loads(events[-1].removeprefix(b"data: "))["result"] == whole
    assert b"\n" not in events[-1]


async def test_a_client_that_takes_no_stream_is_not_held(held: World) -> None:
    pending = held.client().begin(
        "tools/call", PAY, headers={"accept": "application/json"}
    )

    answer = await pending.answer()

    assert answer.headers["content-type"] == "application/json"
    assert "call again with the same arguments" in answer.text


async def test_after_a_lost_subscription_all_who_wait_look_again(
    held: World, fake: FakeServer
) -> None:
    with mock.patch.object(waker, "LOOK_SECONDS", 60):
        pending = held.client().begin("tools/call", PAY)
        await asked(held)
        state = held.app.state
        assert state is not None
        await state.waker.subscribed.wait()
        held.valkey.client_kill_filter(_type="pubsub")
        with mock.patch("approvals.waking._publish"):
            await held.decide()

        assert "isError" not in (await pending.answer()).result


async def test_a_message_that_names_nothing_wakes_nobody(held: World) -> None:
    pending = held.client().begin("tools/call", PAY)
    await asked(held)
    held.valkey.publish(waking.WAKE, b"no id")
    await held.decide()
    assert "isError" not in (await pending.answer()).result


# Ending


@pytest.mark.usefixtures("swept_often")
@ERAS
@pytest.mark.parametrize("what", ["grant", "server", "organization"])
async def test_a_kill_switch_ends_a_held_call(held: World, era: str, what: str) -> None:
    client = await held.connected(era)
    pending = client.begin("tools/call", PAY)
    await asked(held)

    await orm(lambda: switches.kill(getattr(held, what)))

    answer = await asyncio.wait_for(pending.answer(), 5)
    assert "kill switch" in answer.text and "Nothing was executed" in answer.text


@pytest.mark.usefixtures("swept_often")
async def test_a_kill_switch_ends_a_stream_of_the_server(
    held: World, fake: FakeServer
) -> None:
    pending = await streaming(held, fake)

    await orm(lambda: switches.kill(held.grant))

    answer = await asyncio.wait_for(pending.answer(), 5)
    assert "kill switch" in answer.text and "not known whether" in answer.text
    assert [one.status for one in await held.outcomes()] == ["unknown"]


@pytest.mark.usefixtures("swept_often")
async def test_a_revoked_grant_ends_its_streams_with_an_error(
    held: World, fake: FakeServer
) -> None:
    pending = await streaming(held, fake)

    await held.revoke()

    answer = await asyncio.wait_for(pending.answer(), 5)
    assert "revoked" in answer.text


async def streaming(world: World, fake: FakeServer) -> Pending:
    async def answers(message: Any, headers: Any) -> AsyncIterator[Any]:
        told = {"level": "info", "data": "begun"}
        yield {"method": "notifications/message", "params": told}
        await asyncio.sleep(30)

    fake.on("tools/call", answers)
    call = {"name": "echo", "arguments": {}}
    pending = world.client().begin("tools/call", call)
    await pending.begun()
    return pending


@pytest.mark.usefixtures("swept_often")
async def test_another_change_ends_no_stream(held: World, fake: FakeServer) -> None:
    pending = await streaming(held, fake)

    await held.change(held.grant, label="renamed")
    await asyncio.sleep(5 * ending.EVERY)

    assert not pending.task.done()
    pending.disconnect()
    await pending.task

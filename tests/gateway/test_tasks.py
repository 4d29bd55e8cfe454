"""Calls that are followed as tasks: any replica answers, one runs it, once."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any
from unittest import mock

import pytest
from django.utils import timezone

from approvals import running, switches
from approvals.models import Approval, State, Task
from audit.ids import uuid7
from gateway import task_rows
from gateway.app import App
from gateway.snapshots import Snapshots
from gateway.valkey import ValkeyDown
from tests.fakes.mcp_server import FakeServer, Rpc
from tests.gateway.asgi import Client
from tests.gateway.conftest import World, orm
from tests.gateway.test_asking import ASKS, META, cut_off, ran, states

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(60)]
TASKS: dict[str, Any] = {"extensions": {"io.modelcontextprotocol/tasks": {}}}


@pytest.fixture
async def asks(world: World) -> World:
    await world.publish(tools=ASKS)
    await world.change(world.server, hold_seconds=0)
    return world


async def begun(world: World, client: Client | None = None) -> dict[str, Any]:
    client = client or world.client(capabilities=TASKS)
    return (await client.call("pay", {"amount": 5})).result


async def got(client: Client, task: str) -> dict[str, Any]:
    return (await client.request("tasks/get", {"taskId": task})).result


async def ended(client: Client, task: str) -> dict[str, Any]:
    async with asyncio.timeout(20):
        while (found := await got(client, task))["status"] == "working":
            await asyncio.sleep(0.05)
    return found


async def test_a_task_runs_once_it_is_approved(asks: World, fake: FakeServer) -> None:
    client = asks.client(capabilities=TASKS)
    made = await begun(asks, client)

    (approval,) = await asks.approvals()
    assert made["resultType"] == "task" and made["status"] == "working"
    assert len(made["taskId"]) >= 43
    assert f"/approvals/{approval.pk}/" in made["statusMessage"]
    assert made["pollIntervalMs"] == 3000 and type(made["ttlMs"]) is int
    assert made["createdAt"].endswith("Z") and made["lastUpdatedAt"].endswith("Z")
    working = await got(client, made["taskId"])
    assert working["resultType"] == "complete" and working["status"] == "working"
    assert "result" not in working and ran(fake) == []

    await asks.decide()
    done = await ended(client, made["taskId"])

    assert done["status"] == "completed" and done["resultType"] == "complete"
    assert "isError" not in done["result"] and done["result"]["content"]
    assert ran(fake) == [{"amount": 5}]
    (approval,) = await asks.approvals()
    calls = {one.id: one for one in asks.records() if one.method == "tools/call"}
    assert calls[approval.used_call].approval == approval.pk  # type: ignore[index]
    assert approval.first_call in calls and len(calls) == 2


async def test_only_a_request_that_declares_it_gets_a_task(asks: World) -> None:
    await begun(asks)

    kinds: list[dict[str, Any]] = [{}, {"extensions": {}}, {"tasks": {}}]
    for declared in kinds:
        answer = await asks.client(capabilities=declared).call("pay", {"amount": 5})
        assert answer.result["isError"], declared
    legacy = await asks.connected("legacy", capabilities=TASKS)
    assert (await legacy.call("pay", {"amount": 5})).result["isError"]


async def test_the_gateway_says_that_it_has_tasks(asks: World) -> None:
    found = (await asks.client().request("server/discover")).result
    assert found["capabilities"]["extensions"] == TASKS["extensions"]


async def test_any_replica_answers_and_one_of_them_runs_it(
    asks: World, fake: FakeServer
) -> None:
    made = await begun(asks)
    others = [
        asks.client(app=asks.another_process(), capabilities=TASKS) for _ in range(2)
    ]
    for other in others:
        assert (await got(other, made["taskId"]))["status"] == "working"

    await asks.decide()
    found = await asyncio.gather(*(ended(one, made["taskId"]) for one in others))

    assert found[0]["result"] == found[1]["result"] and ran(fake) == [{"amount": 5}]


async def test_without_a_message_a_poll_finds_it(asks: World, fake: FakeServer) -> None:
    made = await begun(asks)
    with mock.patch("approvals.waking._publish"):
        await asks.decide()

    done = await ended(asks.client(capabilities=TASKS), made["taskId"])

    assert done["status"] == "completed" and ran(fake) == [{"amount": 5}]


async def test_a_denial_completes_it_with_the_reason(
    asks: World, fake: FakeServer
) -> None:
    made = await begun(asks)
    await asks.decide(approves=False, reason="Not today")

    done = await ended(asks.client(), made["taskId"])

    assert done["status"] == "completed" and done["result"]["isError"]
    assert "Not today." in done["result"]["content"][0]["text"] and ran(fake) == []


async def test_expiry_completes_it(asks: World, fake: FakeServer) -> None:
    made = await begun(asks)
    past = timezone.now() - timedelta(seconds=1)
    rows = Approval.objects.for_organization(asks.organization)
    await orm(lambda: rows.update(expires_at=past))

    done = await ended(asks.client(), made["taskId"])

    assert done["result"]["isError"] and ran(fake) == []
    assert "Nobody decided in time" in done["result"]["content"][0]["text"]


async def test_unknown_foreign_and_expired_tasks_are_refused(asks: World) -> None:
    made = await begun(asks)
    own = asks.client()
    await asks.mint(label="another")
    foreign = asks.client()
    for method in ("tasks/get", "tasks/cancel"):
        for client, task in ((foreign, made["taskId"]), (own, "x"), (own, "")):
            refused = await client.request(method, {"taskId": task})
            assert refused.error["code"] == -32602, (method, task)
    update = {"taskId": made["taskId"], "inputResponses": {}}
    assert (await foreign.request("tasks/update", update)).error["code"] == -32602
    acknowledged = (await own.request("tasks/update", update)).result
    assert acknowledged == {"resultType": "complete"}
    rows = Task.objects.for_organization(asks.organization)
    await orm(lambda: rows.update(expires_at=timezone.now()))
    refused = await own.request("tasks/get", {"taskId": made["taskId"]})
    assert refused.error["code"] == -32602


async def test_the_secret_of_a_task_is_nowhere(asks: World) -> None:
    made = await begun(asks)
    client = asks.client()
    await got(client, made["taskId"])

    (row,) = await orm(lambda: list(Task.objects.across_organizations()))
    assert made["taskId"].encode() not in bytes(row.token_hash)
    assert not any(
        made["taskId"].encode() in b"".join(f.values()) for f in asks.stream()
    )


async def test_a_header_that_names_another_task_is_refused(asks: World) -> None:
    made = await begun(asks)
    params = {"taskId": made["taskId"]}

    refused = await asks.client().request(
        "tasks/get", params, headers={"mcp-name": "other"}
    )

    assert refused.error["code"] == -32020


async def test_cancelling_it_cancels_the_question(
    asks: World, fake: FakeServer
) -> None:
    client = asks.client(capabilities=TASKS)
    made = await begun(asks, client)

    done = await client.request("tasks/cancel", {"taskId": made["taskId"]})

    assert done.result == {"resultType": "complete"}
    assert (await got(client, made["taskId"]))["status"] == "cancelled"
    assert await states(asks) == [State.CANCELLED] and ran(fake) == []


async def test_one_of_two_tasks_leaves_the_question_to_the_other(
    asks: World, fake: FakeServer
) -> None:
    client = asks.client(capabilities=TASKS)
    first, second = await begun(asks, client), await begun(asks, client)
    await client.request("tasks/cancel", {"taskId": first["taskId"]})
    assert await states(asks) == [State.PENDING]

    await asks.decide()

    done = await ended(client, second["taskId"])
    assert "isError" not in done["result"] and ran(fake) == [{"amount": 5}]


async def test_two_tasks_of_one_call_run_it_once(asks: World, fake: FakeServer) -> None:
    client = asks.client(capabilities=TASKS)
    made = [await begun(asks, client) for _ in range(3)]

    await asks.decide()
    done = [await ended(client, one["taskId"]) for one in made]

    assert ran(fake) == [{"amount": 5}]
    assert sorted("isError" in one["result"] for one in done) == [False, True, True]


async def test_an_error_of_the_server_fails_it(asks: World, fake: FakeServer) -> None:
    fake.on("tools/call", lambda *_: Rpc(-32050, "No."))
    made = await begun(asks)
    await asks.decide()

    done = await ended(asks.client(), made["taskId"])

    assert done["status"] == "failed" and done["error"]["message"]


async def test_an_unknown_outcome_is_said(asks: World, fake: FakeServer) -> None:
    fake.on("tools/call", lambda *_: cut_off())
    made = await begun(asks)
    await asks.decide()

    done = await ended(asks.client(), made["taskId"])

    assert "not known whether" in done["result"]["content"][0]["text"]


async def test_a_denial_by_the_rules_of_now_completes_it(
    asks: World, fake: FakeServer
) -> None:
    made = await begun(asks)
    await asks.publish(tools={"pay": {"action": "deny", "reason": "Closed"}})
    await asks.decide()

    done = await ended(asks.client(), made["taskId"])

    assert "is void" in done["result"]["content"][0]["text"] and ran(fake) == []


@pytest.mark.usefixtures("swept_often")
async def test_a_kill_switch_ends_the_run(asks: World, fake: FakeServer) -> None:
    async def slow(*_: Any) -> Any:
        await asyncio.sleep(30)

    fake.on("tools/call", slow)
    client = asks.client(capabilities=TASKS)
    made = await begun(asks, client)
    await asks.decide()
    async with asyncio.timeout(10):
        while not ran(fake):
            await asyncio.sleep(0.05)

    await orm(lambda: switches.kill(asks.grant))
    rows = Task.objects.across_organizations()
    async with asyncio.timeout(5):
        while await orm(lambda: rows.get().status) == "working":
            await asyncio.sleep(0.1)
    await orm(lambda: switches.release(asks.grant))

    done = await got(client, made["taskId"])
    assert done["status"] == "completed" and done["result"]["isError"]
    assert "not known whether" in done["result"]["content"][0]["text"]


# Processes that die


async def claimed(world: World) -> task_rows.Work:
    """By a process that is then heard of no more."""

    def claim() -> task_rows.Work:
        (task,) = Task.objects.across_organizations()
        work = task_rows.claim(task.pk, uuid7(), timezone.now())
        assert work is not None
        return work

    return await orm(claim)


async def fell_silent() -> None:
    past = timezone.now() - timedelta(seconds=60)
    rows = Task.objects.across_organizations()
    await orm(lambda: rows.update(changed_at=past))


async def test_who_died_before_using_the_approval_is_followed_by_another(
    asks: World, fake: FakeServer
) -> None:
    made = await begun(asks)
    await quiet(asks)
    await asks.decide()
    await claimed(asks)
    client = asks.client(app=asks.another_process())
    assert (await got(client, made["taskId"]))["status"] == "working"
    await fell_silent()

    done = await ended(client, made["taskId"])

    assert "isError" not in done["result"] and ran(fake) == [{"amount": 5}]


async def test_who_died_after_using_it_leaves_an_unknown_outcome(
    asks: World, fake: FakeServer
) -> None:
    made = await begun(asks)
    await quiet(asks)
    approval = await asks.decide()
    work = await claimed(asks)
    assert await orm(
        lambda: running.consume(approval.organization_id, approval.pk, work.call)
    )
    await fell_silent()
    client = asks.client(app=asks.another_process())

    done = await ended(client, made["taskId"])

    assert done["result"]["isError"] and ran(fake) == []
    assert "not known whether it was executed" in done["result"]["content"][0]["text"]


async def quiet(world: World) -> None:
    """The process that made the task is gone."""
    app: App = world.app
    world.apps.remove(app)
    await app.close()


async def test_one_process_claims_it(asks: World) -> None:
    await begun(asks)
    await quiet(asks)

    def claims() -> list[bool]:
        (task,) = Task.objects.across_organizations()
        now = timezone.now()
        return [task_rows.claim(task.pk, uuid7(), now) is not None for _ in range(3)]

    assert await orm(claims) == [True, False, False]


async def test_the_meta_of_a_refusal_opens_the_record(asks: World) -> None:
    made = await begun(asks)
    await asks.decide(approves=False)
    done = await ended(asks.client(), made["taskId"])
    (approval,) = await asks.approvals()
    call = done["result"]["_meta"][META + "decisionId"]
    assert call == str(approval.first_call)


async def test_those_that_expired_long_ago_are_forgotten(asks: World) -> None:
    client = asks.client(capabilities=TASKS)
    await begun(asks, client)
    await begun(asks, client)
    rows = Task.objects.across_organizations()
    old = timezone.now() - timedelta(days=2)
    await orm(lambda: rows.filter(pk=rows.first().pk).update(expires_at=old))  # type: ignore[union-attr]

    assert await orm(task_rows.forget) == 1
    assert await orm(rows.count) == 1


async def test_without_valkey_it_waits_until_it_can_run(
    asks: World, fake: FakeServer
) -> None:
    made = await begun(asks)
    down = mock.Mock(side_effect=ValkeyDown("gone"))
    client = asks.client()
    with mock.patch.object(Snapshots, "load", down):
        await asks.decide()
        async with asyncio.timeout(10):
            while not down.called:
                await asyncio.sleep(0.05)
        assert (await got(client, made["taskId"]))["status"] == "working"

    done = await ended(client, made["taskId"])

    assert "isError" not in done["result"] and ran(fake) == [{"amount": 5}]


async def test_a_revoked_grant_fails_it(asks: World, fake: FakeServer) -> None:
    made = await begun(asks)
    await quiet(asks)
    await asks.decide()
    await asks.revoke()
    app = asks.another_process()
    await asks.client(app=app).request("tasks/get", {"taskId": made["taskId"]})

    rows = Task.objects.across_organizations()
    async with asyncio.timeout(20):
        while await orm(lambda: rows.get().status) == "working":
            await asyncio.sleep(0.1)
    assert await orm(lambda: rows.get().status) == "failed" and ran(fake) == []


async def test_calling_again_and_again_makes_no_more_tasks(asks: World) -> None:
    client = asks.client(capabilities=TASKS)
    for _ in range(task_rows.MOST):
        assert (await begun(asks, client))["resultType"] == "task"

    over = await client.call("pay", {"amount": 5})

    assert "call again with the same arguments" in over.text
    assert await orm(Task.objects.across_organizations().count) == task_rows.MOST

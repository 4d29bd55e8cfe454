"""Decisions on the wire: what each looks like, and that each needs its rule."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from tests.fakes.mcp_server import FakeServer
from tests.gateway.conftest import World, orm

pytestmark = pytest.mark.django_db(transaction=True)
CLIENTS = pytest.mark.parametrize("era", ["modern", "legacy"])
META = "io.policylayer/"

DENIES: dict[str, dict[str, Any]] = {
    "/tools/pay/action": {"tools": {"pay": {"action": "deny", "reason": "Never."}}},
    "/tools/pay/require/0": {
        "tools": {
            "pay": {"require": [{"path": "args.amount", "op": "lt", "value": 5}]}
        }
    },
    "/all_tools/deny_if/0": {
        "all_tools": {
            "deny_if": [
                {"conditions": [{"path": "grant.tags", "op": "contains",
                                 "value": "prod"}]}
            ]
        }
    },
    "(arguments)": {"validate_arguments": True},
}  # fmt: skip


@CLIENTS
@pytest.mark.parametrize("rule", DENIES)
async def test_a_denied_call_tells_the_model_and_does_not_run(
    world: World, fake: FakeServer, rule: str, era: str
) -> None:
    client = await world.connected(era)
    arguments = {"amount": "9" if rule == "(arguments)" else 9}
    assert (await client.call("pay", arguments)).result.get("isError") is None
    await world.publish(**DENIES[rule])

    answer = await client.call("pay", arguments)

    assert answer.status == 200 and answer.result["isError"] is True
    assert "not executed" in answer.text
    assert answer.result["_meta"][META + "rule"] == rule
    assert answer.result["_meta"][META + "decision"] == "deny"
    assert answer.result["_meta"][META + "decisionId"] == str(world.records()[-1].id)
    assert world.decisions()[-1] == ("deny", rule)
    assert len(fake.calls()) == 1


async def test_the_rules_own_reason_is_told(world: World) -> None:
    await world.publish(tools={"pay": {"action": "deny", "reason": "Ask Dora."}})

    assert "Ask Dora." in (await world.client().call("pay")).text


async def test_a_reason_does_not_run_into_what_follows(world: World) -> None:
    await world.publish(tools={"pay": {"action": "deny", "reason": "Ask Dora"}})

    answer = await world.client().call("pay", {"amount": 1})

    assert "Ask Dora. Do not retry" in answer.text


UNKNOWN: dict[str, dict[str, Any]] = {
    "(hidden)": {"hide": ["pay"]},
    "(default deny)": {"default": "deny", "tools": {"echo": {}}},
}


@CLIENTS
@pytest.mark.parametrize("rule", UNKNOWN)
async def test_hidden_and_unnamed_answer_as_one_that_does_not_exist(
    world: World, fake: FakeServer, rule: str, era: str
) -> None:
    client = await world.connected(era)
    assert "pay" in await client.listed()
    assert "result" in (await client.call("pay", id=7)).message
    await world.publish(**UNKNOWN[rule])

    answer = await client.call("pay", id=7)
    other = await client.call("nope", id=7)

    assert answer.body == other.body.replace(b"nope", b"pay")
    assert answer.headers["content-length"] == str(len(answer.body))
    assert (answer.status, answer.error["code"]) == (200, -32602)
    assert answer.error["message"] == "Unknown tool: pay"
    assert "data" not in answer.error
    assert world.decisions()[-2:] == [("hide", rule), ("hide", "(unknown tool)")]
    assert "pay" not in await client.listed()
    assert len(fake.calls()) == 1


@CLIENTS
async def test_a_limit_lets_as_many_through_as_it_says(
    world: World, fake: FakeServer, era: str
) -> None:
    await world.publish(
        tools={"pay": {"limits": [{"counter": "paid", "window": "hour", "max": 100,
                                   "sum": "args.amount", "on_deny": "Budget."}]}}
    )  # fmt: skip
    client = await world.connected(era)
    results = [(await client.call("pay", {"amount": 40})).result for _ in range(3)]

    assert [bool(one.get("isError")) for one in results] == [False, False, True]
    meta, text = results[2]["_meta"], results[2]["content"][0]["text"]
    assert meta[META + "rule"] == "/tools/pay/limits/0"
    assert 3500 < meta[META + "retryAfter"] <= 3660
    assert "Budget." in text and f"{meta[META + 'retryAfter']} seconds" in text
    assert world.decisions()[-1] == ("limit", "/tools/pay/limits/0")
    assert len(fake.calls()) == 2
    await world.publish()
    assert "isError" not in (await client.call("pay", {"amount": 40})).result


async def test_a_legacy_session_has_counters_of_its_own(world: World) -> None:
    await world.publish(
        all_tools={"limits": [{"counter": "c", "window": "hour", "max": 1,
                               "scope": "session"}]}
    )  # fmt: skip
    first, second = await world.connected("legacy"), await world.connected("legacy")

    calls = [first, first, second, second]
    answers = [(await one.call("echo")).result.get("isError") for one in calls]

    assert answers == [None, True, None, True]


@CLIENTS
async def test_what_needs_approval_is_refused_and_says_so(
    world: World, fake: FakeServer, era: str
) -> None:
    own = {"self_approval": True}
    asks = {"action": "require_approval", "approval": own}
    await world.publish(tools={"pay": asks})
    await world.change(world.server, hold_seconds=0)
    client = await world.connected(era)

    answer = await client.call("pay")

    assert answer.result["isError"] and "approval" in answer.text
    assert answer.result["_meta"][META + "decision"] == "require_approval"
    assert world.decisions()[-1] == ("require_approval", "/tools/pay/action")
    assert fake.calls() == []
    await world.publish()
    assert "isError" not in (await client.call("pay")).result


@CLIENTS
@pytest.mark.parametrize("why", ["(no policy)", "(killed)"])
async def test_without_policy_or_killed_nothing_but_the_greeting_answers(
    world: World, fake: FakeServer, why: str, era: str
) -> None:
    client = await world.connected(era)
    assert await client.listed() == ["echo", "pay", "drop"]
    await stop(world, why)

    if era == "modern":
        assert (await client.request("server/discover")).result["capabilities"]
    else:
        assert (await client.initialize()).result["capabilities"]
        assert (await client.request("ping")).result == {}
    for items in ("tools", "resources", "resourceTemplates", "prompts"):
        assert await client.listed(items) == []
    assert (await client.call("echo")).result["_meta"][META + "rule"] == why
    for method, params in READS.items():
        answer = await client.request(method, params)
        assert answer.status == 200 and answer.error["code"] == -32000, method
        assert answer.error["data"][META + "rule"] == why
    before = len(fake.seen)
    assert {rule for _, rule in world.decisions()} == {None, why}
    assert len(fake.seen) == before


READS: dict[str, dict[str, Any]] = {
    "resources/read": {"uri": "file:///docs/a"},
    "prompts/get": {"name": "greet"},
    "completion/complete": {
        "ref": {"type": "ref/prompt", "name": "greet"},
        "argument": {"name": "a", "value": "b"},
    },
}


async def stop(world: World, why: str) -> None:
    from policies import granting

    if why == "(no policy)":
        await orm(lambda: granting.change(None, world.grant, policy=None))
        return

    def kill() -> None:
        from django.db import transaction

        from accounts import generation

        with transaction.atomic():
            world.server.killed_at = timezone.now()
            world.server.save(update_fields=["killed_at"])
            generation.changed(world.organization)

    await orm(kill)


@CLIENTS
async def test_reads_are_judged_and_hidden_as_missing(
    world: World, fake: FakeServer, era: str
) -> None:
    client = await world.connected(era)
    for method, params in READS.items():
        assert "result" in (await client.request(method, params)).message
    await world.publish(
        resources={"default": "deny", "allow": ["file:///other/*"]},
        prompts={"hide": ["greet"]},
    )
    before = len(fake.seen)

    codes = {
        method: (await client.request(method, params)).error["code"]
        for method, params in READS.items()
    }

    assert codes["resources/read"] == (-32602 if era == "modern" else -32002)
    assert codes["prompts/get"] == codes["completion/complete"] == -32602
    assert len(fake.seen) == before


@CLIENTS
async def test_a_bad_uri_is_denied(world: World, fake: FakeServer, era: str) -> None:
    client = await world.connected(era)

    answer = await client.request("resources/read", {"uri": "file:///%zz"})

    assert answer.error["code"] == -32000
    assert answer.error["data"][META + "rule"] == "(bad URI)"
    assert fake.calls("resources/read") == []


@CLIENTS
async def test_a_held_tool_is_neither_listed_nor_called(
    world: World, fake: FakeServer, era: str
) -> None:
    client = await world.connected(era)
    await world.hold("pay")

    assert await client.listed() == ["echo", "drop"]
    answer = await client.call("pay")

    assert answer.result["_meta"][META + "rule"] == "(changed tool)"
    assert fake.calls() == []


async def test_a_revoked_grant_is_refused_and_the_call_on_record(
    world: World, fake: FakeServer
) -> None:
    client = world.client()
    await client.call("echo")
    await world.revoke()

    answer = await client.call("echo")

    assert answer.status == 401
    assert answer.headers["www-authenticate"].startswith("Bearer")
    assert world.decisions() == [("allow", None), ("deny", "(revoked)")]
    assert len(fake.calls()) == 1


async def test_an_expired_grant_is_refused_without_anybody_saying_so(
    world: World, fake: FakeServer
) -> None:
    import asyncio

    await world.mint(label="short", expires_at=timezone.now() + timedelta(seconds=1))
    client = world.client()
    assert (await client.call("echo")).status == 200
    await asyncio.sleep(1.1)

    answer = await client.call("echo")

    assert answer.status == 401
    assert world.decisions()[-1] == ("deny", "(expired)")
    assert len(fake.calls()) == 1


async def test_an_expiry_that_was_put_off_holds_from_the_next_call(
    world: World,
) -> None:
    import asyncio

    from policies import granting

    await world.mint(label="short", expires_at=timezone.now() + timedelta(seconds=1))
    client = world.client()
    await client.call("echo")
    later = timezone.now() + timedelta(hours=1)
    await orm(lambda: granting.change(None, world.grant, expires_at=later))
    await asyncio.sleep(1.1)

    assert (await client.call("echo")).status == 200

"""Verdicts on the wire: a published policy keeps its own, and what became more severe
is refused from the next call on."""

from __future__ import annotations

from typing import Any

import pytest

from servers import judging_anew, verdicts
from servers.models import Server, ToolDefinition
from tests.fakes.mcp_server import FakeServer, tool
from tests.gateway.conftest import World, orm
from tests.servers import classifier

pytestmark = pytest.mark.django_db(transaction=True)
NEVER_DELETES = {
    "deny_if": [
        {"conditions": [{"path": "tool.category", "op": "eq", "value": "Destructive"}]}
    ]
}


@pytest.fixture
def classified(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.TOOL_CLASSIFIER = classifier.NAME
    monkeypatch.setattr(classifier, "VERSION", "1")


def rule(answer: Any) -> str | None:
    meta = answer.result.get("_meta", {})
    return next((meta[key] for key in meta if key.endswith("rule")), None)


async def shown(world: World, name: str) -> verdicts.Shown:
    rows = ToolDefinition.objects.for_organization(world.organization)
    row = await orm(lambda: rows.get(name=name))
    said = (row.judged_category, row.judged_severity)
    return verdicts.Shown(row.pk, row.fingerprint, *said)


async def test_a_published_policy_keeps_its_verdicts_until_a_new_one_is_accepted(
    classified: None, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await world.publish(all_tools=NEVER_DELETES)
    client = await world.connected()
    assert "isError" not in (await client.call("echo")).result

    monkeypatch.setattr(classifier, "VERSION", "2")
    monkeypatch.setitem(classifier.SAYS, "reads", ("Destructive", "critical"))
    assert await orm(judging_anew.judge_outdated) == 3
    assert "isError" not in (await client.call("echo")).result

    accepted = await shown(world, "echo")
    assert await orm(
        lambda: verdicts.accept(world.server, [accepted], world.approver.user)
    )
    refused = await client.call("echo")
    assert rule(refused) == "/all_tools/deny_if/0"
    assert "isError" not in (await client.call("pay")).result


async def test_a_tool_that_became_more_severe_is_refused_on_the_next_call(
    classified: None, world: World, fake: FakeServer
) -> None:
    client = await world.connected()
    assert "isError" not in (await client.call("echo")).result

    fake.tools[0] = tool("echo") | {"description": "Deletes what it is given"}
    fake.tools[1] = tool("pay") | {"description": "Reads otherwise"}
    await world.rediscover(fake.tools)

    assert rule(await client.call("echo")) == "(changed tool)"
    assert "isError" not in (await client.call("pay")).result
    assert await client.listed() == ["pay", "drop"]
    assert len(fake.calls()) == 2


async def test_a_server_that_does_not_hold_them_lets_it_through(
    classified: None, world: World, fake: FakeServer
) -> None:
    rows = Server.objects.for_organization(world.organization)
    await orm(lambda: rows.update(hold_raised=False))
    client = await world.connected()
    fake.tools[0] = tool("echo") | {"description": "Deletes what it is given"}
    await world.rediscover(fake.tools)

    assert "isError" not in (await client.call("echo")).result

"""What changes between the eras."""

from __future__ import annotations

from typing import Any

import pytest

from gateway import bridge
from gateway.eras import META_SERVER, Era
from tests.cases import cases
from tests.fakes.mcp_server import FakeServer
from tests.gateway.conftest import World

PAIRS: list[tuple[Era, Era]] = [
    ("modern", "modern"), ("modern", "legacy"), ("legacy", "modern"),
    ("legacy", "legacy"),
]  # fmt: skip


@cases("client, upstream", PAIRS)
def test_results(client: Era, upstream: Era) -> None:
    said: dict[str, Any] = {"tools": [], "_meta": {"a": 1}}
    if upstream == "modern":
        said |= {"resultType": "complete", "ttlMs": 60_000, "cacheScope": "public"}

    told = bridge.result_down("tools/list", dict(said), client, upstream, "payments")

    if client == "legacy":
        assert told == {"tools": [], "_meta": {"a": 1}}
    else:
        assert told["resultType"] == "complete" and told["cacheScope"] == "private"
        assert told["ttlMs"] == (5000 if upstream == "modern" else 0)
    if (client, upstream) == ("modern", "legacy"):
        assert told["_meta"][META_SERVER]["name"] == "payments"


@cases("ttl, kept", [(10, 10), (-1, 0), (None, 0), (True, 0), ("9", 0)])
def test_a_time_to_live_is_bounded(ttl: object, kept: int) -> None:
    said = {"ttlMs": ttl}

    assert bridge.result_down("tools/list", said, "modern", "modern", "")["ttlMs"] == (
        kept
    )


@cases("client, upstream", PAIRS)
@cases("kind", ["input_required", "task", "vendor", None, 7])
def test_a_result_that_asks_is_never_passed_on(
    client: Era, upstream: Era, kind: object
) -> None:
    with pytest.raises(bridge.Asks):
        bridge.result_down("tools/call", {"resultType": kind}, client, upstream, "")


ERRORS: list[tuple[Era, Era, int, int]] = [
    ("modern", "legacy", -32002, -32602),
    ("legacy", "legacy", -32002, -32002),
    ("legacy", "modern", -32602, -32602),
    ("modern", "modern", -32601, -32601),
    ("modern", "modern", -32020, -32603),
    ("legacy", "modern", -32022, -32603),
    ("modern", "modern", -32001, -32001),
]


@cases("client, upstream, said, told", ERRORS)
def test_errors(client: Era, upstream: Era, said: int, told: int) -> None:
    error = {"code": said, "message": "m"}

    assert bridge.error_down(error, client, upstream)["code"] == told


@cases(
    "error", [None, 1, {}, {"code": "1", "message": "m"}, {"code": 1, "message": None}]
)
def test_an_error_that_is_none_is_ours(error: object) -> None:
    assert bridge.error_down(error, "modern", "modern")["code"] == -32603


def test_a_page_to_be_opened_is_asked_of_the_client() -> None:
    with pytest.raises(bridge.Asks):
        bridge.error_down({"code": -32042, "message": "m"}, "legacy", "legacy")


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("fake", ["modern", "legacy"], indirect=True)
@pytest.mark.parametrize("era", ["modern", "legacy"])
async def test_a_missing_resource_has_the_code_of_the_clients_era(
    world: World, fake: FakeServer, era: str
) -> None:
    client = await world.connected(era)

    answer = await client.request("resources/read", {"uri": "file:///missing"})

    legacy = era == fake.era == "legacy"
    assert answer.error["code"] == (-32002 if legacy else -32602)

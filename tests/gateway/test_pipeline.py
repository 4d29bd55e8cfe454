"""What is refused before anything is judged."""

from __future__ import annotations

import gzip
import json
from typing import Any

import pytest

from policies import tokens
from servers.models import Server
from tests.fakes.mcp_server import FakeServer
from tests.gateway.asgi import MODERN, PREFIX, Client
from tests.gateway.conftest import World, orm

pytestmark = pytest.mark.django_db(transaction=True)
CLIENTS = pytest.mark.parametrize("era", ["modern", "legacy"])


def body(client: Client, method: str = "tools/call", **more: Any) -> bytes:
    message = {
        "jsonrpc": "2.0",
        "id": 1,
        "method": method,
        "params": {"name": "echo", "arguments": {}, "_meta": client.meta()},
    }
    return json.dumps(message | more, separators=(",", ":")).encode()


HEADERS: list[tuple[int, dict[str, str | None]]] = [
    (400, {"host": "evil.example"}),
    (400, {"host": None}),
    (400, {"host": "127.0.0.1.evil.example:80"}),
    (403, {"origin": "https://evil.example"}),
    (403, {"origin": "null"}),
    (415, {"content-type": "text/plain"}),
    (415, {"content-type": None}),
    (415, {"content-encoding": "gzip"}),
    (413, {"content-length": "1048577"}),
    (401, {"authorization": None}),
    (401, {"authorization": "Basic YTpi"}),
    (401, {"authorization": "Bearer "}),
    (401, {"authorization": "Bearer pl_wrong"}),
    (401, {"authorization": f"Bearer {tokens.mint().token}"}),
    (400, {"mcp-protocol-version": "2027-01-01"}),
    (400, {"mcp-protocol-version": None}),
    (400, {"mcp-protocol-version": "2025-11-25"}),
    (400, {"mcp-method": "tools/list"}),
    (400, {"mcp-method": None}),
    (400, {"mcp-name": "pay"}),
    (400, {"mcp-name": None}),
    (200, {}),
    (200, {"host": "localhost:8000"}),
    (200, {"host": "LOCALHOST"}),
    (200, {"origin": "http://127.0.0.1:8000"}),
    (200, {"content-type": "application/json; charset=utf-8"}),
    (200, {"accept": None}),
    (200, {"mcp-name": "=?base64?ZWNobw==?="}),
]


async def test_headers(world: World, fake: FakeServer) -> None:
    client = world.client()
    for status, change in HEADERS:
        headers = client.mirrors("tools/call", {"name": "echo"}) | change
        fake.seen.clear()

        answer = await client.send(body(client), headers).answer()

        assert answer.status == status, change
        assert len(fake.calls()) == (1 if status == 200 else 0), change
        challenge = answer.headers.get("www-authenticate", "")
        assert challenge.startswith("Bearer") == (status == 401), change


async def test_a_routing_header_sent_twice_is_refused(
    world: World, fake: FakeServer
) -> None:
    client = world.client()
    headers = client.mirrors("tools/call", {"name": "echo"})
    again = {"authorization": f"Bearer {client.token}", "host": "127.0.0.1"} | headers
    for name, value in again.items():
        twice = [(name.encode(), str(value).encode())]

        answer = await client.send(body(client), headers, raw=twice).answer()

        assert (answer.status, answer.error["code"]) == (400, -32020), name
    assert fake.calls() == []


async def test_other_verbs_are_refused_and_say_what_is_served(world: World) -> None:
    client = world.client()
    for verb in ("GET", "PUT", "OPTIONS", "DELETE", "HEAD", "PATCH"):
        answer = await client.send(b"", {}, verb=verb).answer()

        assert answer.status == 405, verb
        assert answer.headers["allow"].startswith("POST")


BODIES: dict[str, tuple[int, int, bytes]] = {
    "batch": (400, -32600, b'[{"jsonrpc":"2.0","id":1,"method":"ping"}]'),
    "not JSON": (400, -32700, b"{"),
    "duplicate key": (
        400,
        -32700,
        b'{"jsonrpc":"2.0","id":1,"method":"ping","method":"tools/call"}',
    ),
    "case": (
        400,
        -32600,
        b'{"jsonrpc":"2.0","id":1,"method":"ping","Method":"tools/call"}',
    ),
    "compressed": (400, -32700, gzip.compress(b"{}")),
    "empty": (400, -32700, b""),
    "too long": (413, -32600, b'"' + b"x" * 1024 * 1024 + b'"'),
}


@CLIENTS
async def test_bodies(world: World, fake: FakeServer, era: str) -> None:
    client = await world.connected(era)
    for name, (status, code, raw) in BODIES.items():
        headers = client.mirrors("ping", {}) | {"content-length": None}

        answer = await client.send(raw, headers).answer()

        assert (answer.status, answer.error["code"]) == (status, code), name
    assert fake.calls() == []


NOT_RELAYED = [
    "resources/subscribe", "subscriptions/listen", "logging/setLevel", "tasks/list",
    "tools/Call", "sampling/createMessage", "vendor/anything", "",
]  # fmt: skip


@CLIENTS
async def test_what_is_not_relayed_is_refused_with_a_text(
    world: World, fake: FakeServer, era: str
) -> None:
    client = await world.connected(era)
    before = len(fake.seen)
    for method in NOT_RELAYED:
        answer = await client.request(method, {})

        assert answer.status == (404 if era == "modern" else 200), method
        assert answer.error["code"] == -32601 and method in answer.error["message"]
    assert len(fake.seen) == before
    refused = [entry for entry in world.records() if entry.rule == "(refused)"]
    assert [entry.method for entry in refused] == NOT_RELAYED


UNJUDGED: list[dict[str, Any]] = [
    {"name": "echo", "Name": "pay"},
    {"name": "echo", "task": {"ttl": 1}},
    {"name": "echo", "requestState": "x"},
    {"name": "echo", "arguments": [1]},
    {"arguments": {}},
]


@CLIENTS
async def test_parameters_that_would_go_up_unjudged_are_refused(
    world: World, fake: FakeServer, era: str
) -> None:
    client = await world.connected(era)
    for params in UNJUDGED:
        answer = await client.request("tools/call", params)

        assert answer.error["code"] == -32602, params
        assert answer.status == (400 if era == "modern" else 200), params
    assert fake.calls() == []


async def test_one_text_for_every_token_that_does_not_open_this_door(
    world: World, charlie: object, fake: FakeServer
) -> None:
    other = Server(organization=world.organization, name="other", url=fake.url)
    stranger = Server(
        organization=charlie.organization,  # type: ignore[attr-defined]
        name="theirs",
        url=fake.url,
    )
    await orm(lambda: [one.save() for one in (other, stranger)])  # type: ignore[func-returns-value]
    client = world.client()
    assert (await client.call("echo")).status == 200
    bodies = set()
    for path, token in [
        (f"/mcp/{other.public_id}", client.token),
        (f"/mcp/{stranger.public_id}", client.token),
        ("/mcp/" + "x" * 22, client.token),
        ("/mcp/", client.token),
        (client.path + "/", client.token),
        (client.path, tokens.mint().token),
        (client.path, "pl_malformed"),
        (client.path, ""),
    ]:
        asking = Client(client.app, path, token)
        answer = await asking.call("echo", id=5)
        assert answer.status == 401, path
        bodies.add(answer.body)

    assert len(bodies) == 1
    assert len(fake.calls()) == 1


async def test_a_malformed_token_asks_nobody(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = world.client()
    await client.call("echo")
    assert world.app.state is not None
    monkeypatch.setattr(world.app.state.snapshots, "load", None)
    client.token = client.token[:-1] + ("0" if client.token[-1] != "0" else "1")

    assert (await client.call("echo")).status == 401


async def test_unknown_tokens_are_looked_up_so_many_times_a_second(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = world.client()
    await client.call("echo")
    statuses = []
    for _ in range(80):
        client.token = tokens.mint().token
        statuses.append((await client.call("echo")).status)
    client.token = world.token

    assert 49 <= statuses.count(401) < 80 and 429 in statuses
    assert set(statuses) == {401, 429}
    assert (await client.call("echo")).status == 200


async def test_a_modern_request_without_its_meta_is_told_what_is_missing(
    world: World,
) -> None:
    client = world.client()
    raw = b'{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{}}'
    headers: dict[str, str | None] = {
        "mcp-protocol-version": MODERN,
        "mcp-method": "tools/list",
    }

    answer = await client.send(raw, headers).answer()

    assert (answer.status, answer.error["code"]) == (400, -32602)
    assert PREFIX + "protocolVersion" in answer.error["message"]


async def test_an_unsupported_version_is_told_which_are(world: World) -> None:
    client = world.client()
    meta = client.meta() | {PREFIX + "protocolVersion": "2027-01-01"}
    raw = body(client, params={"name": "echo", "_meta": meta})
    headers = client.mirrors("tools/call", {"name": "echo"})

    answer = await client.send(
        raw, headers | {"mcp-protocol-version": "2027-01-01"}
    ).answer()

    assert (answer.status, answer.error["code"]) == (400, -32022)
    assert answer.error["data"] == {"supported": [MODERN], "requested": "2027-01-01"}


async def test_the_longest_body_that_is_allowed_goes_through(
    world: World, fake: FakeServer
) -> None:
    client = world.client()
    room = 1024 * 1024 - len(body(client)) - 20

    answer = await client.call("echo", {"text": "x" * room})

    assert answer.status == 200 and len(fake.calls()) == 1


async def test_a_body_in_pieces_is_one_body(world: World, fake: FakeServer) -> None:
    client = world.client()
    raw, sent = body(client), []
    headers = [
        (name.encode(), str(value).encode())
        for name, value in (
            {"host": "localhost", "authorization": f"Bearer {client.token}",
             "content-type": "application/json"}
            | client.mirrors("tools/call", {"name": "echo"})
        ).items()
    ]  # fmt: skip
    pieces = [raw[:10], raw[10:30], b"", raw[30:]]
    messages = iter(
        {"type": "http.request", "body": piece, "more_body": number < 3}
        for number, piece in enumerate(pieces)
    )

    async def receive() -> dict[str, Any]:
        return next(messages)

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "POST", "path": client.path, "headers": headers}
    await world.app(scope, receive, send)

    assert sent[0]["status"] == 200 and len(fake.calls()) == 1

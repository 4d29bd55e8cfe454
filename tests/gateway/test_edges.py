"""Both edges say the same: a call told by ASGI, and one handed over with its body."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from gateway.app import HEALTH, App
from gateway.exchange import JSON
from gateway.heads import Head
from policies import granting
from tests.fakes.mcp_server import FakeServer
from tests.gateway.asgi import Answer, Client, Pending
from tests.gateway.conftest import World, orm

pytestmark = pytest.mark.django_db(transaction=True)
Ask = Callable[[Client], Pending]


class Handed:
    """A request as gateway/protocol.py hands it over."""

    def __init__(self, scope: Any, body: bytes | None, receive: Any, send: Any) -> None:
        self.head: Head | None = None
        self.path, self.fields, self.whole_body = scope["path"], scope["headers"], body
        self.receive, self.send = receive, send
        self.at_once: list[bytes] = []

    def answer(self, body: bytes) -> bool:
        self.at_once.append(body)
        return True


class Edge:
    """Looks like ASGI to tests; `handed` are the calls that went the short way."""

    def __init__(self, app: App) -> None:
        self.app, self.handed, self.known = app, list[Handed](), 0

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        body = (await receive())["body"]
        call = Handed(scope, body, receive, send)
        path, fields = scope["path"], scope["headers"]
        raw = path.encode() + b"".join([b"%b: %b\r\n" % field for field in fields])
        found = self.app.heads.find(raw)
        self.known += found is not None
        call.head = found or Head(raw, path, fields, len(body))
        self.handed.append(call)
        rest = self.app.begin(call)
        assert rest is not None
        await rest
        for body in call.at_once:
            head = [JSON, (b"content-length", b"%d" % len(body))]
            start = {"type": "http.response.start", "status": 200, "headers": head}
            await send(start)
            await send({"type": "http.response.body", "body": body})


def call(name: str, **more: Any) -> Ask:
    params = {"name": name, "arguments": {"text": "x"}}
    return lambda client: client.begin("tools/call", params, **more)


ASKED: dict[str, tuple[int, Ask]] = {
    "allowed": (200, call("echo")),
    "denied": (200, call("pay")),
    "unknown tool": (200, call("nothing")),
    "a list": (200, lambda client: client.begin("tools/list")),
    "not relayed": (404, lambda client: client.begin("logging/setLevel")),
    "no JSON": (400, lambda client: client.send(b"{")),
    "large": (200, call("echo", id="i" * 200)),
    "another type": (415, call("echo", headers={"content-type": "text/plain"})),
    "another host": (400, call("echo", headers={"host": "elsewhere"})),
    "no token": (401, call("echo", headers={"authorization": None})),
    "a header that differs": (400, call("echo", headers={"mcp-name": "pay"})),
}


# Heads that do not pass by themselves.
NEVER_KEPT = {"another type", "another host", "no token"}


def told(answer: Answer) -> tuple[int, dict[str, str], bytes]:
    """Without the ids of decisions."""
    body = re.sub(rb"[0-9a-f]{8}-[0-9a-f-]{27}", b"ID", answer.body)
    return answer.status, answer.headers, body


@pytest.mark.parametrize("name", ASKED)
async def test_the_edges_answer_and_record_the_same(world: World, name: str) -> None:
    await world.publish(tools={"pay": {"action": "deny"}})
    await world.client().call("echo")  # by now the gateway has started
    edge, (status, ask) = Edge(world.app), ASKED[name]

    short = told(await ask(world.client(app=edge)).answer())
    by_short = world.decisions()[1:]
    again = told(await ask(world.client(app=edge)).answer())
    long = told(await ask(world.client()).answer())

    assert short[0] == status
    assert short == again == long
    assert world.decisions()[1:] == by_short * 3
    assert edge.known == (name not in NEVER_KEPT)


async def test_a_head_that_came_before_gives_no_right(world: World) -> None:
    await world.client().call("echo")
    edge = Edge(world.app)
    client = world.client(app=edge)
    for _ in range(2):
        assert (await client.call("echo")).status == 200
    await world.publish(default="deny")
    assert "error" in (await client.call("echo")).message
    await orm(lambda: granting.revoke(None, world.grant))
    for _ in range(2):
        assert (await client.call("echo")).status == 401
    assert edge.known == 4


async def test_an_answer_of_json_goes_at_once(world: World, fake: FakeServer) -> None:
    await world.client().call("echo")
    edge = Edge(world.app)

    answer = await world.client(app=edge).call("echo")

    assert edge.handed[0].at_once == [answer.body]


async def test_a_body_that_is_still_to_come_is_waited_for(world: World) -> None:
    await world.client().call("echo")

    async def later(scope: Any, receive: Any, send: Any) -> None:
        rest = world.app.begin(Handed(scope, None, receive, send))
        assert rest is not None
        await rest

    pending = world.client(app=later).begin("tools/list")
    await pending.task
    assert world.decisions()[-1] == ("allow", None)


async def test_what_is_not_the_pipelines_is_left_to_asgi(world: World) -> None:
    health = Handed({"path": HEALTH, "headers": []}, b"", None, None)
    assert world.app.begin(health) is None  # it has not started
    await world.client().call("echo")
    assert world.app.begin(health) is None

"""Sending, and servers that do not behave: bounded, clear, on record."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from gateway import state
from gateway.state import Gateway
from servers.http1 import Deadlines
from tests.fakes.mcp_server import FakeServer, Raw, Rpc, tool
from tests.gateway.conftest import World

pytestmark = pytest.mark.django_db(transaction=True)
UPSTREAMS = pytest.mark.parametrize("fake", ["modern", "legacy"], indirect=True)
CLIENTS = pytest.mark.parametrize("era", ["modern", "legacy"])
HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n"
STREAM = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n"
END = b"\n\n"
OK = b'{"jsonrpc":"2.0","id":7,"result":{"content":[]}}'


@pytest.fixture
def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Deadlines that a test can wait for."""
    short = Deadlines(connect=0.5, first_byte=0.6, idle=0.6, total=1.5)
    monkeypatch.setattr(Gateway.__init__, "__kwdefaults__", {"deadlines": short})


@pytest.fixture
def short_grace(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(state, "CANCEL_GRACE", 0.3)


def sized(body: bytes, length: int | None = None, head: bytes = HEAD) -> bytes:
    told = len(body) if length is None else length
    return head + b"content-length: %d\r\n\r\n" % told + body


HOSTILE: dict[str, tuple[str, Raw | Rpc]] = {
    "hangs": ("unknown", Raw(b"", hang=True)),
    "hangs in its head": ("unknown", Raw(HEAD, hang=True)),
    "hangs in its body": ("unknown", Raw(sized(b"{", 100), hang=True)),
    "hangs in a stream": ("unknown", Raw(STREAM + b": hello\n\n", hang=True)),
    "closes at once": ("unknown", Raw(b"")),
    "closes half way": ("unknown", Raw(sized(b'{"jsonrpc"', 100))),
    "ends the stream early": ("unknown", Raw(STREAM + b": bye\n\n")),
    "no HTTP": ("unknown", Raw(b"SSH-2.0-OpenSSH\r\n\r\n")),
    "two lengths": (
        "unknown",
        Raw(HEAD + b"content-length: 2\r\ncontent-length: 3\r\n\r\n{}"),
    ),
    "a declared 100 MB": ("unknown", Raw(sized(b"{", 100_000_000), hang=True)),
    "compressed": (
        "unknown",
        Raw(sized(b"{}", head=HEAD + b"content-encoding: gzip\r\n")),
    ),
    "redirect": (
        "unknown",
        Raw(b"HTTP/1.1 307 X\r\nlocation: http://127.0.0.1/\r\n"
            b"content-length: 0\r\n\r\n"),
    ),
    "invalid JSON": ("unknown", Raw(sized(b"{nope"))),
    "duplicate keys": ("unknown", Raw(sized(OK[:-1] + b',"id":7}'))),
    "no object": ("unknown", Raw(sized(b"[]"))),
    "nothing": ("unknown", Raw(sized(b""))),
    "another id": ("unknown", Raw(sized(OK.replace(b"7", b"8")))),
    "an id of another type": ("unknown", Raw(sized(OK.replace(b"7", b'"7"')))),
    "a number as result": ("unknown", Raw(sized(OK.replace(b'{"content":[]}', b"1")))),
    "html": ("unknown", Raw(sized(b"<p>", head=b"HTTP/1.1 200 OK\r\n"))),
    "accepted": ("unknown", Raw(b"HTTP/1.1 202 X\r\ncontent-length: 0\r\n\r\n")),
    "no right": ("unknown", Raw(b"HTTP/1.1 401 X\r\ncontent-length: 0\r\n\r\n")),
    "an endless event": (
        "unknown",
        Raw(STREAM + b"data: " + b"x" * 1_100_000, hang=True),
    ),
    "a fault": ("unknown", Raw(b"HTTP/1.1 500 X\r\ncontent-length: 0\r\n\r\n")),
    "asks for input": (
        "error",
        Raw(sized(b'{"jsonrpc":"2.0","id":7,"result":{"resultType":'
                  b'"input_required","inputRequests":{}}}')),
    ),
    "makes a task": (
        "error",
        Raw(sized(b'{"jsonrpc":"2.0","id":7,"result":{"resultType":"task",'
                  b'"taskId":"1"}}')),
    ),
}  # fmt: skip


async def test_hostile_answers(world: World, fake: FakeServer, hurry: None) -> None:
    client = world.client()
    began = asyncio.get_running_loop().time()
    for number, (name, (status, raw)) in enumerate(HOSTILE.items(), 1):
        fake.on("tools/call", lambda message, seen, raw=raw: raw)

        answer = await client.call("echo", {}, id=7)

        assert answer.status == 200, name
        assert answer.message["id"] == 7, name
        assert answer.result["isError"] is True and answer.text, name
        assert ".." not in answer.text, name
        outcomes = await world.outcomes(number)
        assert outcomes[-1].status == status, (name, outcomes[-1])
        assert len(fake.calls()) == number, f"{name}: sent again"
    assert asyncio.get_running_loop().time() - began < 15
    fake.handlers.clear()
    assert (await client.call("echo", {}, id=7)).result.get("isError") is None


async def lasts(client: Any, method: str, params: dict[str, Any]) -> float:
    began = asyncio.get_running_loop().time()
    async with asyncio.timeout(10):
        answer = await client.request(method, params)
    assert "in time" in str(answer.message)
    return asyncio.get_running_loop().time() - began


async def test_the_seconds_of_a_call_are_a_setting(
    world: World, fake: FakeServer, settings: Any
) -> None:
    settings.UPSTREAM_CALL_SECONDS = 1
    fake.on("tools/call", lambda message, seen: Raw(b"", hang=True))
    took = await lasts(world.client(), "tools/call", {"name": "echo"})
    assert 0.9 < took < 2.5 and len(fake.calls()) == 1


ASKED: tuple[tuple[str, dict[str, Any]], ...] = (
    ("tools/list", {}),
    ("resources/read", {"uri": "file:///docs/a"}),
    ("prompts/get", {"name": "greet"}),
    (
        "completion/complete",
        {
            "ref": {"type": "ref/prompt", "name": "greet"},
            "argument": {"name": "a", "value": "b"},
        },
    ),
)


@pytest.mark.parametrize(("method", "params"), ASKED)
async def test_other_requests_have_fewer_seconds_than_calls(
    world: World,
    fake: FakeServer,
    monkeypatch: pytest.MonkeyPatch,
    method: str,
    params: dict[str, Any],
) -> None:
    assert state.ASKING.first_byte == 30
    monkeypatch.setattr(state, "ASKING", Deadlines(first_byte=0.5))
    fake.on(method, lambda message, seen: Raw(b"", hang=True))
    assert await lasts(world.client(), method, params) < 3


@UPSTREAMS
@CLIENTS
async def test_a_call_that_cannot_be_sent_is_given_back(
    world: World, fake: FakeServer, era: str
) -> None:
    limit = {"counter": "c", "window": "hour", "max": 2}
    await world.publish(tools={"pay": {"limits": [limit]}})
    client = await world.connected(era)
    assert "isError" not in (await client.call("pay")).result
    assert world.app.state is not None
    world.app.state.pool._at_once = world.app.state.pool._per_target = 0
    for connections in world.app.state.pool._idle.values():
        for connection in tuple(connections):
            connection.abort()
    await asyncio.sleep(0)

    for _ in range(3):
        answer = await client.call("pay")
        assert answer.result["isError"] and "Nothing was executed" in answer.text
    world.app.state.pool._at_once = world.app.state.pool._per_target = 10
    results = [(await client.call("pay")).result.get("isError") for _ in range(2)]

    assert results == [None, True]
    outcomes = await world.outcomes(5)
    lost = [one for one in outcomes if one.status == "not_sent"]
    assert len(lost) == 3 and all(one.given_back for one in lost)
    assert len(fake.calls()) == 2


async def test_what_was_sent_counts_whatever_came_of_it(
    world: World, fake: FakeServer
) -> None:
    limit = {"counter": "c", "window": "hour", "max": 1}
    await world.publish(tools={"pay": {"limits": [limit]}})
    client = world.client()
    fake.on("tools/call", lambda message, seen: Raw(b""))
    first = await client.call("pay")
    fake.handlers.clear()

    second = await client.call("pay")

    assert "not known" in first.text and "Limit" in second.text
    assert len(fake.calls()) == 1
    assert (await world.outcomes())[0].status == "unknown"


def fails_once(then: dict[str, Any]) -> Callable[..., Any]:
    answers = iter([Raw(b""), then, then, then])
    return lambda message, seen: next(answers)


@UPSTREAMS
async def test_only_what_has_no_effect_is_sent_again_and_once(
    world: World, fake: FakeServer
) -> None:
    client = world.client()
    results: tuple[tuple[str, dict[str, Any], dict[str, Any]], ...] = (
        ("tools/list", {}, {"tools": []}),
        ("resources/read", {"uri": "file:///docs/a"}, {"contents": []}),
        ("prompts/get", {"name": "greet"}, {"messages": []}),
    )
    for method, params, result in results:
        fake.on(method, fails_once(result))

        assert "result" in (await client.request(method, params)).message, method
        assert len(fake.calls(method)) == 2
        assert len({one.message["id"] for one in fake.calls(method)}) == 1
    fake.on("prompts/list", lambda message, seen: Raw(b""))
    assert (await client.request("prompts/list")).error["code"] == -32603
    assert len(fake.calls("prompts/list")) == 2
    assert len([one for one in world.records() if one.method == "tools/list"]) == 1


async def test_a_large_answer_to_a_call_is_relayed_in_pieces(
    world: World, fake: FakeServer
) -> None:
    text = "x" * 3_000_000
    fake.on("tools/call", lambda *_: {"content": [{"type": "text", "text": text}]})

    answer = await world.client().call("echo")

    assert answer.text == text
    (outcome,) = await world.outcomes()
    assert outcome.status == "not_inspected" and outcome.bytes > 3_000_000
    assert outcome.is_error is None


async def test_what_must_be_understood_is_bounded(
    world: World, fake: FakeServer
) -> None:
    many = [{"name": "x" * 1000} for _ in range(1200)]
    fake.on("tools/list", lambda *_: {"tools": many})

    answer = await world.client().request("tools/list")

    assert answer.error["code"] == -32603 and "too large" in answer.error["message"]


async def test_a_slow_reader_holds_the_server_back(
    world: World, fake: FakeServer
) -> None:
    """Memory stays bounded: what the client does not take, the server keeps."""
    sent = 0

    async def flood(message: Any, seen: Any) -> Any:
        nonlocal sent
        yield b"data: " + b'{"jsonrpc":"2.0","method":"notifications/message",'
        yield b'"params":{"level":"info","data":"go"}}\n\n'
        for _ in range(400):
            sent += 1
            yield {
                "jsonrpc": "2.0",
                "method": "notifications/message",
                "params": {"level": "info", "data": "x" * 100_000},
            }
        yield {"jsonrpc": "2.0", "id": message["id"], "result": {"content": []}}

    fake.on("tools/call", flood)
    pending = world.client().begin("tools/call", {"name": "echo"})
    await pending.begun()
    pending.slow = asyncio.Event()
    before = -1
    while sent != before:  # until the server cannot send any more
        before = sent
        await asyncio.sleep(0.3)
    assert sent < 200, f"{sent} of 400 events were taken from the server"
    pending.slow.set()

    answer = await pending.answer()

    assert answer.message["result"]["content"] == []


async def test_a_modern_client_that_goes_away_cancels_the_call(
    world: World, fake: FakeServer
) -> None:
    never = asyncio.Event()

    async def hang(message: Any, seen: Any) -> Any:
        await never.wait()

    fake.on("tools/call", hang)
    pending = world.client().begin("tools/call", {"name": "echo"})
    await asyncio.wait_for(fake.arrived.wait(), 5)

    pending.disconnect()

    await asyncio.wait_for(fake.disconnected.wait(), 5)
    await asyncio.wait_for(pending.task, 5)
    assert (await world.outcomes())[0].status == "cancelled"


@pytest.mark.parametrize("fake", ["legacy"], indirect=True)
async def test_a_server_with_a_session_is_told_of_the_cancellation(
    world: World, fake: FakeServer
) -> None:
    client = world.client()
    await client.call("echo")
    never = asyncio.Event()

    async def hang(message: Any, seen: Any) -> Any:
        await never.wait()

    fake.on("tools/call", hang)
    fake.arrived.clear()
    pending = client.begin("tools/call", {"name": "echo"})
    await asyncio.wait_for(fake.arrived.wait(), 5)
    pending.disconnect()
    await asyncio.wait_for(pending.task, 5)

    told = await until(lambda: fake.calls("notifications/cancelled"))

    assert told[0].message["params"]["requestId"] == fake.calls()[-1].message["id"]


async def until(look: Callable[[], Any]) -> Any:
    for _ in range(250):
        if found := look():
            return found
        await asyncio.sleep(0.02)
    raise AssertionError("it did not happen")


@pytest.mark.parametrize("fake", ["legacy"], indirect=True)
async def test_a_legacy_client_that_goes_away_has_cancelled_nothing(
    world: World, fake: FakeServer
) -> None:
    client = await world.connected("legacy")
    go_on = asyncio.Event()

    async def slow(message: Any, seen: Any) -> Any:
        await go_on.wait()
        return {"content": []}

    fake.on("tools/call", slow)
    pending = client.begin("tools/call", {"name": "echo"})
    await until(fake.calls)
    pending.disconnect()
    await asyncio.sleep(0.4)
    assert not fake.disconnected.is_set()
    go_on.set()

    await asyncio.wait_for(pending.task, 5)

    assert (await world.outcomes(2))[-1].status == "ok"
    assert fake.calls("notifications/cancelled") == []


@UPSTREAMS
async def test_a_legacy_client_cancels_its_own_request_only(
    world: World, fake: FakeServer, short_grace: None
) -> None:
    client, other = await world.connected("legacy"), await world.connected("legacy")
    never = asyncio.Event()

    async def hang(message: Any, seen: Any) -> Any:
        await never.wait()

    fake.on("tools/call", hang)
    pending = client.begin("tools/call", {"name": "echo"}, id="mine")
    await until(fake.calls)
    cancel = {"requestId": "mine", "reason": "changed my mind"}
    for stranger in (other, world.client()):
        await stranger.request("notifications/cancelled", cancel, id=False)
    await asyncio.sleep(0.5)
    assert not pending.task.done()

    answer = client.begin("notifications/cancelled", cancel, id=False)
    await asyncio.wait_for(answer.task, 5)
    await asyncio.wait_for(pending.task, 5)

    assert (await world.outcomes(3))[-1].status == "cancelled"
    if fake.era == "legacy":
        (told,) = fake.calls("notifications/cancelled")
        assert told.message["params"]["requestId"] == fake.calls()[0].message["id"]


@UPSTREAMS
async def test_a_cancelled_stream_that_has_begun_is_ended(
    world: World, fake: FakeServer, short_grace: None
) -> None:
    """The client goes on with the connection, and nothing is wrong to be logged."""
    client = await world.connected("legacy")
    never = asyncio.Event()

    async def begin(message: Any, seen: Any) -> Any:
        told = {"level": "info", "data": "begun"}
        yield {"jsonrpc": "2.0", "method": "notifications/message", "params": told}
        await never.wait()

    fake.on("tools/call", begin)
    pending = client.begin("tools/call", {"name": "echo"}, id="mine")
    await pending.begun()
    await until(lambda: pending.pieces.qsize() > 1)

    await client.begin("notifications/cancelled", {"requestId": "mine"}, id=False).task

    answer = await pending.answer()  # which asserts that the last piece is the last
    assert [one["method"] for one in answer.messages] == ["notifications/message"]
    assert (await world.outcomes(2))[-1].status == "cancelled"


@UPSTREAMS
async def test_a_server_that_obeys_by_ending_its_stream_has_not_failed(
    world: World, fake: FakeServer
) -> None:
    """Within the grace: as servers of the TypeScript SDK do."""
    client = await world.connected("legacy")
    told = asyncio.Event()

    async def obey(message: Any, seen: Any) -> Any:
        yield {"jsonrpc": "2.0", "method": "notifications/message", "params": {}}
        await told.wait()

    fake.on("tools/call", obey)
    pending = client.begin("tools/call", {"name": "echo"}, id="mine")
    await pending.begun()

    await client.begin("notifications/cancelled", {"requestId": "mine"}, id=False).task
    told.set()

    answer = await pending.answer()
    assert "mine" not in [one.get("id") for one in answer.messages]
    assert (await world.outcomes(2))[-1].status == "cancelled"


async def progress(message: Any, seen: Any) -> Any:
    token = message["params"]["_meta"]["progressToken"]
    for step, told in ((1, token), (2, token), (3, "somebody else's")):
        yield {
            "jsonrpc": "2.0",
            "method": "notifications/progress",
            "params": {"progressToken": told, "progress": step},
        }
    yield {"jsonrpc": "2.0", "method": "notifications/other", "params": {}}
    yield {"jsonrpc": "2.0", "id": "not asked", "result": {"content": ["spoof"]}}
    yield {"jsonrpc": "2.0", "id": message["id"], "result": {"content": []}}
    yield {"jsonrpc": "2.0", "id": message["id"], "result": {"content": ["twice"]}}


async def test_an_event_of_several_lines_reaches_the_client_whole(
    world: World, fake: FakeServer
) -> None:
    lines = OK.replace(b",", b",\ndata: ")
    fake.on("tools/call", lambda message, seen: Raw(STREAM + b"data: " + lines + END))

    answer = await world.client().call("echo", {}, id=7)

    assert answer.messages == [{"jsonrpc": "2.0", "id": 7, "result": {"content": []}}]


@UPSTREAMS
@CLIENTS
async def test_progress_comes_as_it_happens_under_the_clients_token(
    world: World, fake: FakeServer, era: str
) -> None:
    client = await world.connected(era)
    fake.on("tools/call", progress)

    answer = await client.request(
        "tools/call", {"name": "echo", "_meta": {"progressToken": "mine"}}, id="a"
    )

    *steps, final = answer.messages
    assert [one["params"]["progressToken"] for one in steps] == ["mine", "mine"]
    assert final["id"] == "a" and final["result"]["content"] == []
    assert answer.headers["x-accel-buffering"] == "no"
    (outcome,) = (await world.outcomes(len(world.decisions())))[-1:]
    assert outcome.status == "ok"


@pytest.mark.parametrize("fake", ["legacy"], indirect=True)
@CLIENTS
async def test_what_a_server_asks_of_the_client_is_declined(
    world: World, fake: FakeServer, era: str
) -> None:
    client = await world.connected(era, capabilities={"elicitation": {}, "roots": {}})
    answers: list[Any] = []

    async def ask(message: Any, seen: Any) -> Any:
        for number, method in enumerate(("elicitation/create", "roots/list", "ping")):
            yield {"jsonrpc": "2.0", "id": number, "method": method, "params": {}}
        answers.extend(
            await until(
                lambda: (
                    [one for one in fake.seen if not one.method and one.message]
                    if len([1 for one in fake.seen if not one.method and one.message])
                    == 3
                    else []
                )
            )
        )
        yield {"jsonrpc": "2.0", "id": message["id"], "result": {"content": []}}

    fake.on("tools/call", ask)
    answer = await client.call("echo")

    assert [one.get("method") for one in answer.messages] == [None]
    told = {one.message["id"]: one.message for one in answers}
    assert told[0]["result"] == {"action": "decline"}
    assert "does not relay roots/list" in told[1]["error"]["message"]
    assert told[2]["result"] == {}
    declared = fake.calls("initialize")[0].message["params"]["capabilities"]
    assert declared == {}


async def test_capabilities_that_are_not_relayed_are_not_declared(
    world: World, fake: FakeServer
) -> None:
    client = world.client(
        capabilities={
            "elicitation": {"url": {}},
            "sampling": {},
            "extensions": {"io.modelcontextprotocol/tasks": {}},
        }
    )
    await client.request(
        "tools/call",
        {"name": "echo", "_meta": {"vendor/secret": "x", "traceparent": "00-1"}},
    )

    meta = fake.calls()[0].message["params"]["_meta"]
    assert meta["io.modelcontextprotocol/clientCapabilities"] == {}
    assert "vendor/secret" not in meta and meta["traceparent"] == "00-1"


async def test_numbers_arrive_with_the_digits_that_were_sent(
    world: World, fake: FakeServer
) -> None:
    client = world.client()
    raw = (
        b'{"jsonrpc":"2.0","id":1, "method":"tools/call","params":{"name":"echo",'
        b'"arguments":{"a":1.10,"b":1E5,"c":123456789012345678901234567890},"_meta":'
        b'{"io.modelcontextprotocol/protocolVersion":"2026-07-28",'
        b'"io.modelcontextprotocol/clientCapabilities":{}}}}'
    )
    headers = client.mirrors("tools/call", {"name": "echo"})

    answer = await client.send(raw, headers).answer()

    assert answer.status == 200
    sent = fake.calls()[0].body
    assert b'{"a":1.10,"b":1E5,"c":123456789012345678901234567890}' in sent


async def test_an_id_in_use_is_refused(world: World, fake: FakeServer) -> None:
    client = await world.connected("legacy")
    go_on = asyncio.Event()

    async def slow(message: Any, seen: Any) -> Any:
        await go_on.wait()
        return {"content": []}

    fake.on("tools/call", slow)
    first = client.begin("tools/call", {"name": "echo"}, id=1)
    await until(fake.calls)

    again = await client.call("echo", id=1)
    another = client.begin("tools/call", {"name": "echo"}, id="1")
    await until(lambda: len(fake.calls()) == 2)
    go_on.set()

    assert (again.status, again.error["code"]) == (400, -32600)
    assert (await first.answer()).message["id"] == 1
    assert (await another.answer()).message["id"] == "1"


async def test_mirrored_arguments_are_checked_and_sent_anew(
    world: World, fake: FakeServer
) -> None:
    mirrored = {"region": {"type": "string", "x-mcp-header": "Region"}}
    await world.rediscover([tool("deploy", mirrored)])
    client = world.client()

    good = await client.call(
        "deploy", {"region": "eu"}, headers={"mcp-param-region": "eu"}
    )
    wrong = await client.call(
        "deploy", {"region": "eu"}, headers={"mcp-param-region": "us"}
    )
    missing = await client.call("deploy", {"region": "eu"})
    stray = await client.call("deploy", {}, headers={"mcp-param-region": "eu"})

    assert good.status == 200
    assert {one.status for one in (wrong, missing, stray)} == {400}
    assert {one.error["code"] for one in (wrong, missing, stray)} == {-32020}
    (call,) = fake.calls()
    assert call.header("mcp-param-region") == "eu"

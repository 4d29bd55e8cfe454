"""The two edges say the same: uvicorn's own protocol, and ours on top of it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

import pytest
from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from gateway import protocol
from gateway.heads import Heads
from gateway.protocol import Cycle, Protocol

SECONDS = 5
HEAD = b"POST /mcp/abc HTTP/1.1\r\nHost: x\r\n"
LARGE = 32 * 1024 * 1024


class App:
    """Echoes the body as JSON answers do, or does what the body says."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []
        self.offered, self.known = 0, 0
        self.heads = Heads()
        self.gone = asyncio.Event()
        self.sent = 0

    def begin(self, call: Any) -> Any:
        self.offered += 1
        if call.head is not None and call.head.headers is None:
            call.head.headers = dict(call.fields)
            self.heads.keep(call.head)
        elif call.head is not None:
            self.known += 1
        if call.whole_body is None:
            return self(call, call.receive, call.send)
        return self.take(call.whole_body, call, call.receive, call.send)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        body, more = b"", True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                self.gone.set()
                return
            body += message["body"]
            more = message["more_body"]
        await self.take(body, scope, receive, send)

    async def take(self, body: bytes, scope: Any, receive: Any, send: Any) -> None:
        self.bodies.append(body)
        if body == b"wait":
            assert (await receive())["type"] == "http.disconnect"
            self.gone.set()
        elif body == b"stream":
            await self.stream(send)
        else:
            await self.answer(scope, send, body)

    async def answer(self, scope: Any, send: Any, body: bytes) -> None:
        if isinstance(scope, Cycle) and scope.answer(body):
            return
        await self.start(send, [(b"content-length", b"%d" % len(body))])
        await send({"type": "http.response.body", "body": body})

    async def stream(self, send: Any) -> None:
        await self.start(send, [])
        piece = {"type": "http.response.body", "body": b"x" * 65536}
        for _ in range(LARGE // 65536):
            await send(piece | {"more_body": True})
            self.sent += 65536
        await send({"type": "http.response.body", "body": b""})

    async def start(self, send: Any, more: list[tuple[bytes, bytes]]) -> None:
        headers = [(b"content-type", b"application/json"), *more]
        await send({"type": "http.response.start", "status": 200, "headers": headers})


@pytest.fixture(params=[HttpToolsProtocol, Protocol], ids=["uvicorn", "ours"])
def served(request: Any) -> Any:
    return request.param


@contextlib.asynccontextmanager
async def serving(served: Any, **more: Any) -> AsyncIterator[tuple[App, Any]]:
    app, state, loop = App(), ServerState(), asyncio.get_running_loop()
    more |= {"log_level": "critical", "access_log": False, "ws": "none"}
    config = Config(app, proxy_headers=False, **more)

    def make() -> Any:
        made = served(config=config, server_state=state, app_state={}, _loop=loop)
        made.access_log = False
        made._plain = True
        return made

    server = await loop.create_server(make, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    writers: list[asyncio.StreamWriter] = []

    async def connect() -> Any:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writers.append(writer)
        return reader, writer

    try:
        async with asyncio.timeout(SECONDS):
            yield app, connect
    finally:
        for writer in writers:
            writer.close()
        server.close()
        for task in list(state.tasks):
            task.cancel()


def post(body: bytes, more: bytes = b"") -> bytes:
    return HEAD + more + b"Content-Length: %d\r\n\r\n%b" % (len(body), body)


async def read(reader: Any) -> tuple[bytes, bytes]:
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    length = int(head.split(b"content-length: ")[1].split(b"\r\n")[0])
    return head, await reader.readexactly(length)


async def test_one_answer_after_another(served):
    async with serving(served) as (app, connect):
        reader, writer = await connect()
        for number in range(3):
            writer.write(post(b"%d" % number))
            head, body = await read(reader)
            assert head.startswith(b"http/1.1 200 ok\r\n") and body == b"%d" % number
            assert b"content-type: application/json\r\n" in head
        assert app.offered == (3 if served is Protocol else 0)


async def test_pieces_of_a_request(served):
    async with serving(served) as (app, connect):
        reader, writer = await connect()
        for at in range(len(post(b"slowly"))):
            writer.write(post(b"slowly")[at : at + 1])
            await writer.drain()
            await asyncio.sleep(0)
        assert (await read(reader))[1] == b"slowly"


async def test_a_large_body_comes_whole(served):
    body = bytes(range(256)) * 4096
    async with serving(served) as (app, connect):
        reader, writer = await connect()
        writer.write(post(body))
        assert (await read(reader))[1] == body


async def test_pipelined_requests_are_answered_in_order(served):
    async with serving(served) as (app, connect):
        reader, writer = await connect()
        writer.write(b"".join(post(b"%d" % number) for number in range(5)))
        answered = [(await read(reader))[1] for _ in range(5)]
        assert answered == [b"0", b"1", b"2", b"3", b"4"] == app.bodies


async def test_expect_continue(served):
    async with serving(served) as (app, connect):
        reader, writer = await connect()
        whole = post(b"later", b"Expect: 100-continue\r\n")
        writer.write(whole[:-5])
        assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
        writer.write(whole[-5:])
        assert (await read(reader))[1] == b"later"


async def test_close_is_kept(served):
    async with serving(served) as (app, connect):
        reader, writer = await connect()
        writer.write(post(b"bye", b"Connection: close\r\n"))
        head, body = await read(reader)
        assert b"connection: close" in head and body == b"bye"
        assert await reader.read() == b""


async def test_idle_connections_are_closed_and_busy_ones_are_not(served):
    async with serving(served, timeout_keep_alive=1) as (app, connect):
        reader, writer = await connect()
        idle, other = await connect()
        other.write(post(b"once"))
        await read(idle)
        began = asyncio.get_running_loop().time()
        for _ in range(4):
            await asyncio.sleep(0.4)
            writer.write(post(b"again"))
            assert (await read(reader))[1] == b"again"
        assert await idle.read() == b""
        assert await reader.read() == b""
        assert asyncio.get_running_loop().time() - began > 2.3


async def test_a_client_that_goes_away_is_noticed(served):
    async with serving(served) as (app, connect):
        _, writer = await connect()
        writer.write(post(b"wait"))
        while not app.bodies:
            await asyncio.sleep(0.01)
        writer.close()
        await app.gone.wait()


async def test_a_slow_reader_holds_a_stream_back(served):
    async with serving(served) as (app, connect):
        reader, writer = await connect()
        reader._transport.pause_reading()
        writer.write(post(b"stream"))
        while True:
            before = app.sent
            await asyncio.sleep(0.2)
            if app.sent == before > 0:
                break
        held = app.sent
        reader._transport.resume_reading()
        await reader.readuntil(b"\r\n\r\n")
        size = 0
        while (line := await reader.readuntil(b"\r\n")) != b"0\r\n":
            await reader.readexactly(int(line, 16) + 2)
            size += int(line, 16)
        assert size == LARGE == app.sent
        assert held < LARGE


SMUGGLED = {
    "transfer encoding with length": (
        HEAD + b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
    ),
    "two lengths": HEAD + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nab",
    "a folded header": HEAD + b"A: b\r\n c\r\nContent-Length: 1\r\n\r\na",
    "bare line feeds": b"POST /mcp/abc HTTP/1.1\nHost: x\nContent-Length: 1\n\na",
    "a sign before the length": HEAD + b"Content-Length: +1\r\n\r\na",
    "a space before the colon": HEAD + b"Content-Length : 1\r\n\r\na",
}


@pytest.mark.parametrize("name", SMUGGLED)
async def test_what_two_readers_would_read_differently(served, name):
    async with serving(served) as (app, connect):
        reader, writer = await connect()
        writer.write(SMUGGLED[name])
        assert (await reader.read()).startswith(b"HTTP/1.1 400 ")
        assert [body for body in app.bodies if body] == []


async def test_bytes_after_the_body_are_another_request(served):
    async with serving(served) as (app, connect):
        reader, writer = await connect()
        writer.write(post(b"one") + b"rubbish\r\n\r\n")
        with contextlib.suppress(asyncio.IncompleteReadError):
            await reader.read()
        assert app.bodies in ([], [b"one"])


@pytest.mark.parametrize(
    "request_line",
    [b"GET /mcp/abc", b"POST /mcp/abc?x=1", b"POST /mcp/a%62c", b"POST /signin"],
)
async def test_everything_else_is_uvicorns(request_line):
    async with serving(Protocol) as (app, connect):
        reader, writer = await connect()
        writer.write(
            request_line + b" HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nhi"
        )
        assert (await read(reader))[1] == b"hi"
        assert app.offered == 0


LONG = HEAD + b"A: %b\r\n" % (b"a" * 90_000)
TOO_LARGE = b"HTTP/1.1 431 "


def many_headers() -> bytes:
    return HEAD + b"".join(b"A%d: %b\r\n" % (at, b"a" * 100) for at in range(900))


@pytest.mark.parametrize("head", [LONG, many_headers()], ids=["one", "many"])
@pytest.mark.parametrize("before", ["nothing", "answered", "in the same write"])
async def test_a_head_that_is_too_large(head, before):
    async with serving(Protocol) as (app, connect):
        reader, writer = await connect()
        if before == "answered":
            writer.write(post(b"first"))
            await read(reader)
        # without an end: it is refused before it is complete
        writer.write((post(b"first") if before[0] == "i" else b"") + head)
        if before[0] == "i":  # closing takes the first one's answer where it waits
            answered = await reader.read()
            assert answered == b"" or TOO_LARGE in answered
        else:
            assert (await reader.read()).startswith(TOO_LARGE)
        assert b"" not in app.bodies


async def test_a_refused_head_is_not_told_in_the_middle_of_an_answer():
    async with serving(Protocol) as (app, connect):
        reader, writer = await connect()
        writer.write(post(b"stream"))
        answer = await reader.readexactly(65536)
        writer.write(LONG)
        with contextlib.suppress(ConnectionError):
            while piece := await reader.read(1024 * 1024):
                answer += piece
        assert TOO_LARGE not in answer
        assert len(answer) < LARGE


async def test_the_bound_of_a_head_is_kept_to_the_byte():
    for more, status in ((0, b"http/1.1 200"), (1, b"http/1.1 431")):
        padding = protocol.MAX_HEAD - len(post(b"", b"A: \r\n")) + more
        async with serving(Protocol) as (app, connect):
            reader, writer = await connect()
            writer.write(post(b"", b"A: %b\r\n" % (b"a" * padding)))
            assert (await read(reader))[0].startswith(status)


async def test_a_large_head_in_pieces():
    async with serving(Protocol) as (app, connect):
        reader, writer = await connect()
        for at in range(0, len(LONG), 5000):
            writer.write(LONG[at : at + 5000])
            await asyncio.sleep(0.001)
        assert (await reader.read()).startswith(TOO_LARGE)


async def test_who_stays_after_a_refused_head_is_thrown_out(monkeypatch):
    monkeypatch.setattr(protocol, "LINGER_SECONDS", 0.2)
    async with serving(Protocol) as (app, connect):
        reader, writer = await connect()
        writer.write(LONG)
        assert (await reader.read()).startswith(TOO_LARGE)
        with pytest.raises(ConnectionError):
            while True:
                writer.write(b"a")
                await writer.drain()
                await asyncio.sleep(0.02)


async def test_many_requests_in_one_write_are_no_large_head():
    async with serving(Protocol) as (app, connect):
        reader, writer = await connect()
        padded = post(b"x", b"A: %b\r\n" % (b"a" * 60_000))
        writer.write(padded * 5)
        assert [(await read(reader))[1] for _ in range(5)] == [b"x"] * 5


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocol, "HEAD_SECONDS", 0.3)
    monkeypatch.setattr(protocol, "BODY_SECONDS", 0.6)


SLOW = {
    "nothing": [b""],
    "a head": [HEAD, b"A: b\r\n"],
    "line ends": [b"\r\n"],
    "a second head": [post(b"1"), b"POST /mcp", b"/"],
    "line ends after a request": [post(b"1"), b"\r\n"],
    "a body": [HEAD + b"Content-Length: 1000\r\n\r\n", b"a"],
    "a page's body": [b"POST /a HTTP/1.1\r\nContent-Length: 1000\r\n\r\n", b"a"],
}


@pytest.mark.parametrize("name", SLOW)
async def test_a_slow_client_is_cut_off(hasty, name):
    """Its last piece comes again and again; that wins no time."""
    *first, again = SLOW[name]
    async with serving(Protocol) as (app, connect):
        reader, writer = await connect()
        writer.write(b"".join(first))
        over = asyncio.create_task(reader.read())
        for _ in range(40):
            await asyncio.sleep(0.05)
            if over.done():
                break
            writer.write(again)
        assert over.done()
        with contextlib.suppress(ConnectionError):
            over.result()


@pytest.mark.parametrize("behind", [b"", b"\r\n", post(b"behind it") + b"POST /mc"])
async def test_a_long_call_is_not_cut_off(hasty, behind):
    async with serving(Protocol) as (app, connect):
        reader, writer = await connect()
        writer.write(post(b"wait"))
        await asyncio.sleep(0.05)
        writer.write(behind)
        await asyncio.sleep(1.2)
        assert not app.gone.is_set() and app.bodies == [b"wait"]
        assert not reader.at_eof() and reader.exception() is None


async def test_a_slow_start_wins_no_time_for_later(hasty, monkeypatch):
    monkeypatch.setattr(protocol, "BODY_SECONDS", 5)
    async with serving(Protocol) as (app, connect):
        reader, writer = await connect()
        writer.write(post(b"slow")[:-1])
        await asyncio.sleep(0.4)
        writer.write(b"w")
        assert (await read(reader))[1] == b"slow"
        began = asyncio.get_running_loop().time()
        writer.write(b"P")
        with contextlib.suppress(ConnectionError):
            assert await reader.read() == b""
        assert asyncio.get_running_loop().time() - began < 0.5


class Line:
    """What a cycle sees of its connection; remembers what was written."""

    def __init__(self) -> None:
        self.transport = self.flow = self.server_state = self.logger = self
        self.default_headers = [(b"date", b"today")]
        self.tasks: set[Any] = set()
        self.write_paused = False
        self.written: list[bytes] = []
        self.completed = 0

    def write(self, data: bytes) -> None:
        self.written.append(data)

    def on_response_complete(self) -> None:
        self.completed += 1


def begun() -> tuple[Line, Any]:
    line = Line()
    cycle: Any = Cycle(line, "/mcp/abc", [])  # type: ignore[arg-type]
    return line, cycle


async def test_an_answer_is_one_write_and_given_once():
    line, cycle = begun()
    assert cycle.answer(b"{}") and not cycle.answer(b"{}")
    assert line.written == [
        b"HTTP/1.1 200 OK\r\ndate: today\r\ncontent-type: application/json\r\n"
        b"content-length: 2\r\n\r\n{}"
    ]
    assert line.completed == 1


@pytest.mark.parametrize("odd", ["slow", "gone", "last"])
async def test_an_answer_that_must_wait_is_left_to_send(odd):
    line, cycle = begun()
    line.write_paused = odd == "slow"
    cycle.disconnected = odd == "gone"
    cycle.keep_alive = odd != "last"
    assert not cycle.answer(b"{}")
    assert line.written == [] and not cycle.response_started

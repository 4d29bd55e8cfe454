"""The HTTP/1.1 client against servers that behave, and many that do not."""

from __future__ import annotations

import asyncio
import math
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from servers.failures import (
    Busy,
    Lost,
    Malformed,
    NotSent,
    Redirected,
    TimedOut,
    TooLarge,
    Unreachable,
)
from servers.http1 import Deadlines, Headers, Pool, Response
from servers.http_request import write_request
from servers.outbound import Door
from tests.servers.peer import OK, Conversation, Peer, Script, answering, peer

QUICK = Deadlines(connect=2, first_byte=2, idle=2, total=5)
LIMIT = 1024 * 1024


@asynccontextmanager
async def pool(**bounds: int) -> AsyncIterator[Pool]:
    made = Pool(Door(allow_private=True), **bounds)
    try:
        async with asyncio.timeout(20):
            yield made
    finally:
        made.close()


async def ask(
    pool: Pool,
    server: Peer,
    body: bytes = b"{}",
    deadlines: Deadlines = QUICK,
    headers: Headers | None = None,
    method: str = "POST",
) -> Response:
    target = pool.door.check_url(server.url)
    return await pool.request(
        target, method, target.path, headers or [], body, deadlines
    )


async def exchange(answer: bytes, limit: int = LIMIT) -> tuple[int, bytes, int]:
    """Asks twice a server that answers once a connection: status, body, connections."""

    async def script(conversation: Conversation) -> None:
        await conversation.request()
        await conversation.send(answer)

    async with peer(script) as server, pool() as made:
        response = await ask(made, server)
        return response.status, await response.read(limit), server.connections


async def test_what_is_written() -> None:
    seen: list[bytes] = []

    async def script(conversation: Conversation) -> None:
        for _ in range(2):
            seen.append(await conversation.request())
            await conversation.send(OK)

    async with peer(script) as server, pool() as made:
        first = await ask(made, server, b'{"a":1}', headers=[(b"x-key", b"v")])
        assert (first.status, first.content_type) == (200, "application/json")
        assert await first.read(LIMIT) == b"{}"
        await (await ask(made, server, b"", method="DELETE")).read(LIMIT)
        port = server.port
        assert server.connections == 1
    assert seen[0] == (
        b"POST /mcp HTTP/1.1\r\nhost: 127.0.0.1:%d\r\naccept-encoding: identity\r\n"
        b'x-key: v\r\ncontent-length: 7\r\n\r\n{"a":1}' % port
    )
    assert b"content-length" not in seen[1]


@pytest.mark.parametrize(
    "header",
    [
        (b"x", b"a\r\ny: b"), (b"x", b"a\n"), (b"x", b"\0"), (b"x\r\ny", b"a"),
        (b"x:", b"a"), (b"", b"a"), (b"x ", b"a"), (b"Host", b"evil"),
        (b"Content-Length", b"3"), (b"transfer-encoding", b"chunked"),
        (b"connection", b"upgrade"),
    ],
)  # fmt: skip
async def test_headers_cannot_become_another_line(header: tuple[bytes, bytes]) -> None:
    async with peer(answering(OK)) as server, pool() as made:
        with pytest.raises(ValueError, match="header"):
            await ask(made, server, headers=[header])
        assert server.connections == 0


async def test_paths_cannot_become_another_line() -> None:
    async with pool() as made:
        target = made.door.check_url("http://127.0.0.1:9/")
        for path in (b"mcp", b"/a b", b"/\r\nx: y", b"", b"/\xff"):
            with pytest.raises(ValueError, match="path"):
                await made.request(target, "POST", path, [], b"", QUICK)


CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


def with_header(line: bytes) -> bytes:
    return OK.replace(b"\r\n\r\n", b"\r\n" + line + b"\r\n\r\n")


GOOD = {
    "length": (OK, b"{}"),
    "chunked": (CHUNKED + b"2\r\nab\r\n1;e=1\r\nc\r\n0\r\nT: x\r\n\r\n", b"abc"),
    "until close": (b"HTTP/1.0 200 OK\r\n\r\nabc", b"abc"),
    "until close, 1.1": (b"HTTP/1.1 200 OK\r\n\r\nabc", b"abc"),
    "1xx first": (b"HTTP/1.1 103 Early\r\nLink: x\r\n\r\n" + OK, b"{}"),
    "100 first": (b"HTTP/1.1 100 Continue\r\n\r\n" + OK, b"{}"),
    "more than said": (OK + b"garbage", b"{}"),
    "a second answer": (OK + OK, b"{}"),
    "empty": (b"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n", b""),
    "no content": (b"HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\nhello", b""),
    "identity": (with_header(b"Content-Encoding: identity"), b"{}"),
}  # fmt: skip


@pytest.mark.parametrize("name", GOOD)
async def test_answers_that_are_understood(name: str) -> None:
    answer, body = GOOD[name]
    assert (await exchange(answer))[1] == body


@pytest.mark.parametrize("name", GOOD)
async def test_answers_in_single_bytes_are_the_same(name: str) -> None:
    answer, body = GOOD[name]

    async def script(conversation: Conversation) -> None:
        await conversation.request()
        for byte in answer:
            await conversation.send(bytes([byte]))
            await asyncio.sleep(0)

    async with peer(script) as server, pool() as made:
        assert await (await ask(made, server)).read(LIMIT) == body


def head(*lines: bytes) -> bytes:
    return b"\r\n".join((b"HTTP/1.1 200 OK", *lines, b"", b""))


BAD = {
    "no HTTP": b"SSH-2.0-OpenSSH\r\n\r\n",
    "HTTP/2": b"HTTP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n",
    "HTTP/0.9": b"<html>",
    "two lengths": head(b"Content-Length: 2", b"Content-Length: 2") + b"{}",
    "two other lengths": head(b"Content-Length: 2", b"Content-Length: 3") + b"{}",
    "list of lengths": head(b"Content-Length: 2, 2") + b"{}",
    "signed length": head(b"Content-Length: +2") + b"{}",
    "negative length": head(b"Content-Length: -2") + b"{}",
    "length and chunked": head(b"Content-Length: 2", b"Transfer-Encoding: chunked")
    + b"2\r\n{}\r\n0\r\n\r\n",
    "chunked and length": head(b"Transfer-Encoding: chunked", b"Content-Length: 2")
    + b"2\r\n{}\r\n0\r\n\r\n",
    "chunked twice": head(b"Transfer-Encoding: chunked", b"Transfer-Encoding: chunked")
    + b"2\r\n{}\r\n0\r\n\r\n",
    "gzip, chunked": head(b"Transfer-Encoding: gzip, chunked") + b"0\r\n\r\n",
    "xchunked": head(b"Transfer-Encoding: xchunked") + b"0\r\n\r\n",
    "chunked in 1.0": b"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "gzip": head(b"Content-Encoding: gzip", b"Content-Length: 2") + b"{}",
    "gzip behind identity": head(
        b"Content-Encoding: gzip", b"Content-Encoding: identity", b"Content-Length: 2"
    )
    + b"{}",
    "bare LF": OK.replace(b"\r\n", b"\n"),
    "one bare LF": OK.replace(b"json\r\n", b"json\n"),
    "bare CR": OK.replace(b"json\r\n", b"json\r"),
    "folded": head(b"X: a", b" b", b"Content-Length: 2") + b"{}",
    "space before colon": head(b"Content-Length : 2") + b"{}",
    "no header name": head(b": 2"),
    "NUL": head(b"X: a\0b", b"Content-Length: 2") + b"{}",
    "chunk size without CR": CHUNKED + b"2\n{}\r\n0\r\n\r\n",
    "negative chunk": CHUNKED + b"-2\r\n{}\r\n0\r\n\r\n",
    "endless chunk": CHUNKED + b"fffffffffffffffff\r\n{}",
    "another protocol": b"HTTP/1.1 101 Switching\r\nUpgrade: h2c\r\n"
    b"Connection: upgrade\r\n\r\nxx",
    "status 999": b"HTTP/1.1 999 What\r\nContent-Length: 0\r\n\r\n",
    "one huge header": head(b"X: " + b"a" * 200_000),
    "many headers": head(*[b"X: a"] * 300),
    "huge trailers": CHUNKED + b"0\r\n" + b"X: " + b"a" * 200_000,
    "endless 1xx": b"HTTP/1.1 103 Early\r\nLink: x\r\n\r\n" * 10_000,
    "huge chunk extension": CHUNKED + b"2;" + b"a" * 200_000,
}


@pytest.mark.parametrize("name", BAD)
async def test_answers_that_are_refused(name: str) -> None:
    with pytest.raises(Malformed):
        await exchange(BAD[name])


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_redirects_are_not_followed(status: int) -> None:
    answer = b"HTTP/1.1 %d Moved\r\nLocation: http://169.254.169.254/\r\n" % status
    with pytest.raises(Redirected) as caught:
        await exchange(answer + b"Content-Length: 0\r\n\r\n")
    assert caught.value.location == "http://169.254.169.254/"


CUT = {
    "before the head": b"",
    "in the head": b"HTTP/1.1 200 OK\r\nContent-Le",
    "in the body": b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n{}",
    "in a chunk": CHUNKED + b"a\r\n{}",
    "before the last chunk": CHUNKED + b"2\r\n{}\r\n",
    "in the trailers": CHUNKED + b"2\r\n{}\r\n0\r\n",
    "after a 1xx": b"HTTP/1.1 100 Continue\r\n\r\n",
}


@pytest.mark.parametrize("name", CUT)
async def test_answers_that_end_half_way_are_lost(name: str) -> None:
    with pytest.raises(Lost, match="closed"):
        await exchange(CUT[name])


async def test_a_reset_is_lost() -> None:
    async def script(conversation: Conversation) -> None:
        await conversation.request()
        await conversation.send(head(b"Content-Length: 10") + b"{}")
        conversation.writer.transport.abort()

    async with peer(script) as server, pool() as made:
        with pytest.raises(Lost):
            await (await ask(made, server)).read(LIMIT)


async def hang_after(sent: bytes, deadlines: Deadlines) -> None:
    async def script(conversation: Conversation) -> None:
        await conversation.request()
        await conversation.send(sent)
        await conversation.reader.read()

    async with peer(script) as server, pool() as made:
        with pytest.raises(TimedOut):
            await (await ask(made, server, deadlines=deadlines)).read(LIMIT)


async def test_a_server_that_hangs() -> None:
    loop = asyncio.get_running_loop()
    began = loop.time()
    await hang_after(b"", Deadlines(first_byte=0.2))
    await hang_after(b"HTTP/1.1 200 OK\r\nX:", Deadlines(first_byte=0.2))
    await hang_after(CHUNKED + b"2\r\n{", Deadlines(idle=0.2))
    await hang_after(CHUNKED + b"2\r\n{", Deadlines(total=0.2))
    assert loop.time() - began < 4


async def drip(piece: bytes, before: bytes, deadlines: Deadlines) -> None:
    async def script(conversation: Conversation) -> None:
        await conversation.request()
        await conversation.send(before)
        while True:
            await conversation.send(piece)
            await asyncio.sleep(0.02)

    async with peer(script) as server, pool() as made:
        with pytest.raises(TimedOut):
            await (await ask(made, server, deadlines=deadlines)).read(LIMIT)


async def test_a_server_that_drips() -> None:
    await drip(b"a", b"HTTP/1.1 200 OK\r\nX: ", Deadlines(first_byte=0.3))
    await drip(b"1\r\na\r\n", CHUNKED, Deadlines(total=0.4))


async def test_100_mb_are_bounded_by_the_reader() -> None:
    sent = 0

    async def script(conversation: Conversation) -> None:
        nonlocal sent
        await conversation.request()
        await conversation.send(CHUNKED)
        for _ in range(1600):
            await conversation.send(b"10000\r\n" + b"a" * 65536 + b"\r\n")
            sent += 65536

    async with peer(script) as server, pool() as made:
        response = await ask(made, server)
        with pytest.raises(TooLarge):
            await response.read(LIMIT)
        await asyncio.sleep(0.1)
    assert sent < 20 * LIMIT


async def test_a_length_over_the_limit_is_refused_at_once() -> None:
    with pytest.raises(TooLarge):
        await exchange(head(b"Content-Length: 104857600") + b"{}", limit=100)
    with pytest.raises(TooLarge):
        await exchange(OK, limit=1)


async def test_a_slow_reader_holds_the_server_back() -> None:
    sent = 0
    piece = b"10000\r\n" + b"a" * 65536 + b"\r\n"

    async def script(conversation: Conversation) -> None:
        nonlocal sent
        await conversation.request()
        await conversation.send(CHUNKED)
        for _ in range(800):
            await conversation.send(piece)
            sent += 65536
        await conversation.send(b"0\r\n\r\n")

    async with peer(script) as server, pool() as made:
        patient = Deadlines(idle=0.2, total=60)
        response = await ask(made, server, deadlines=patient)
        chunks = response.chunks()
        received = len(await anext(chunks))
        await asyncio.sleep(0.5)  # longer than the idle deadline, which is the server's
        assert sent < 20 * LIMIT
        async for chunk in chunks:
            assert len(chunk) < LIMIT
            received += len(chunk)
    assert received == sent == 800 * 65536


async def test_a_stream_is_given_on_as_it_arrives() -> None:
    go_on = asyncio.Event()

    async def script(conversation: Conversation) -> None:
        await conversation.request()
        await conversation.send(CHUNKED + b"1\r\na\r\n")
        await go_on.wait()
        await conversation.send(b"1\r\nb\r\n0\r\n\r\n")

    async with peer(script) as server, pool() as made:
        response = await ask(made, server)
        chunks = response.chunks()
        assert await anext(chunks) == b"a"
        go_on.set()
        assert [chunk async for chunk in chunks] == [b"b"]


async def count_connections(script: Script, wait: float) -> int:
    async with peer(script) as server, pool() as made:
        for _ in range(2):
            assert (await (await ask(made, server)).read(LIMIT)) == b"{}"
            await asyncio.sleep(wait)
        return server.connections


def closing(answer: bytes) -> Script:
    """Answers once, then ends its side, in a separate packet."""

    async def script(conversation: Conversation) -> None:
        await conversation.request()
        await conversation.send(answer)

    return script


REUSE: dict[str, tuple[Callable[[], Script], int]] = {
    "plain": (lambda: answering(OK, OK), 1),
    "keep-alive 5": (
        lambda: answering(*[with_header(b"Keep-Alive: timeout=5")] * 2),
        1,
    ),
    "keep-alive 1": (
        lambda: answering(*[with_header(b"Keep-Alive: timeout=1")] * 2),
        2,
    ),
    "connection close": (
        lambda: answering(*[with_header(b"Connection: close")] * 2),
        2,
    ),
    "HTTP/1.0": (lambda: answering(*[OK.replace(b"1.1", b"1.0")] * 2), 2),
    "bytes after the body": (lambda: answering(OK + b"x", OK), 2),
    "a second answer": (lambda: answering(OK + OK, OK), 2),
    "closed by the server": (lambda: closing(OK), 2),
}  # fmt: skip


@pytest.mark.parametrize("name", REUSE)
async def test_which_connections_are_used_again(name: str) -> None:
    script, connections = REUSE[name]
    assert await count_connections(script(), wait=0.05) == connections


async def test_unread_bytes_are_found_before_the_loop_reads_them() -> None:
    """The second answer arrives while nobody looks: it must answer no request."""
    told = asyncio.Event()

    async def script(conversation: Conversation) -> None:
        await conversation.request()
        await conversation.send(OK)
        await told.wait()
        fileno = conversation.writer.get_extra_info("socket").fileno()
        os.write(fileno, OK.replace(b"{}", b"no"))
        done.set()
        await conversation.reader.read()

    done = asyncio.Event()
    async with peer(script) as server, pool() as made:
        assert await (await ask(made, server)).read(LIMIT) == b"{}"
        told.set()
        await done.wait()  # written to the socket in this very turn of the loop
        assert await (await ask(made, server)).read(LIMIT) == b"{}"
        assert server.connections == 2


async def test_idle_connections_are_closed() -> None:
    ended = asyncio.Event()

    async def script(conversation: Conversation) -> None:
        await conversation.request()
        await conversation.send(
            OK.replace(b"\r\n\r\n", b"\r\nKeep-Alive: timeout=2\r\n\r\n")
        )
        await conversation.reader.read()
        ended.set()

    async with peer(script) as server, pool() as made:
        await (await ask(made, server)).read(LIMIT)
        async with asyncio.timeout(3):
            await ended.wait()
        assert not made._idle
        assert not made._counts
        assert made._taken == 0


async def test_an_early_answer_to_a_half_written_request_frees_nothing() -> None:
    """The server answers before it read the body: the rest would be a new request."""

    async def script(conversation: Conversation) -> None:
        await conversation.reader.readuntil(b"\r\n\r\n")
        await conversation.send(OK)
        await asyncio.sleep(0.2)

    async with peer(script) as server, pool() as made:
        body = b"a" * (16 * LIMIT)
        assert await (await ask(made, server, body)).read(LIMIT) == b"{}"
        await (await ask(made, server)).read(LIMIT)
        assert server.connections == 2


async def test_an_answer_that_is_not_read_closes_its_connection() -> None:
    ended = asyncio.Event()

    async def script(conversation: Conversation) -> None:
        await conversation.request()
        await conversation.send(CHUNKED + b"1\r\na\r\n")
        await conversation.reader.read()
        ended.set()

    async with peer(script) as server, pool() as made:
        response = await ask(made, server)
        response.close()
        await ended.wait()
        with pytest.raises(Lost):
            await response.read(LIMIT)


async def test_a_caller_that_goes_away_closes_its_connection() -> None:
    ended = asyncio.Event()
    asked = asyncio.Event()

    async def script(conversation: Conversation) -> None:
        await conversation.request()
        asked.set()
        await conversation.reader.read()
        ended.set()

    patient = Deadlines(first_byte=60, idle=60, total=60)
    async with peer(script) as server, pool() as made:
        task = asyncio.create_task(ask(made, server, deadlines=patient))
        await asked.wait()
        task.cancel()
        async with asyncio.timeout(3):
            await ended.wait()
        with pytest.raises(asyncio.CancelledError):
            await task


async def test_a_caller_that_goes_away_late_ends_no_other_request() -> None:
    """Its answer came in the same turn, and the connection serves the next one."""
    async with peer(answering(OK, OK)) as server, pool() as made:
        response = await ask(made, server)
        await response.read(LIMIT)
        target = made.door.check_url(server.url)
        request = write_request(target, "POST", target.path, [], b"{}")
        connection = made._take(target.key)
        assert connection is not None
        foreign: asyncio.Future[Response] = asyncio.Future()
        answer = connection.send(request, QUICK)
        connection.abandon(foreign)
        assert await (await answer).read(LIMIT) == b"{}"


async def test_not_sent_where_nobody_listens() -> None:
    async with peer(answering(OK)) as server, pool() as made:
        pass
    async with pool() as made:
        with pytest.raises(Unreachable) as caught:
            await ask(made, server)
        assert isinstance(caught.value, NotSent)
        assert made._taken == 0


async def test_connections_are_bounded() -> None:
    async def script(conversation: Conversation) -> None:
        await conversation.request()
        await conversation.reader.read()

    async with peer(script) as server, pool(per_target=2) as made:
        waiting = [asyncio.create_task(ask(made, server)) for _ in range(2)]
        await asyncio.sleep(0.1)
        with pytest.raises(Busy):
            await ask(made, server)
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)


async def test_many_at_once_and_one_after_another() -> None:
    async with peer(answering(*[OK] * 200)) as server, pool() as made:

        async def some() -> None:
            for _ in range(20):
                assert await (await ask(made, server)).read(LIMIT) == b"{}"

        await asyncio.gather(*(some() for _ in range(10)))
        assert server.connections <= 10


async def test_no_deadline_is_possible() -> None:
    forever = Deadlines(10, math.inf, math.inf, math.inf)
    async with peer(answering(OK)) as server, pool() as made:
        response = await ask(made, server, deadlines=forever)
        assert await response.read(LIMIT) == b"{}"

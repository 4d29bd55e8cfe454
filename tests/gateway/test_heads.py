"""A head that came before says what it said then, and only where it is a head."""

from __future__ import annotations

import asyncio

import pytest

from gateway import heads
from gateway.heads import Head, Heads
from gateway.protocol import Protocol
from tests.cases import cases
from tests.gateway.test_protocol import App, post, read, serving

ONE = post(b"one", b"A: b\r\n")


def told(app: App) -> tuple[int, int, list[bytes]]:
    """Calls handed over, those of them with a known head, and all bodies."""
    return app.offered, app.known, app.bodies


async def test_it_is_read_once():
    async with serving(Protocol) as (app, connect):
        for _ in range(2):  # on any connection
            reader, writer = await connect()
            for body in (b"one", b"two"):
                writer.write(post(body, b"A: b\r\n"))
                assert (await read(reader))[1] == body
    assert told(app) == (4, 3, [b"one", b"two"] * 2)


async def test_another_byte_is_another_head():
    async with serving(Protocol) as (app, connect):
        reader, writer = await connect()
        for more in (b"A: b\r\n", b"a: b\r\n", b"A: c\r\n", b"A:b\r\n", b""):
            writer.write(post(b"one", more))
            await read(reader)
        writer.write(post(b"three", b"A: b\r\n"))
        await read(reader)
    assert told(app)[:2] == (6, 0)


# What arrives in one write after the head is known -> (bodies, how many known).
ARRIVE = {
    "two requests": (ONE + ONE, [b"one", b"one"], 0),
    "one and the beginning of another": (ONE + ONE[:20], [b"one"], 0),
    "a line end before it": (b"\r\n" + ONE, [b"one"], 0),
    "one": (ONE, [b"one"], 1),
}


@pytest.mark.parametrize("name", ARRIVE)
async def test_what_is_more_than_a_head_and_its_body_is_parsed(name):
    data, bodies, known = ARRIVE[name]
    async with serving(Protocol) as (app, connect):
        reader, writer = await connect()
        writer.write(ONE)
        await read(reader)
        writer.write(data)
        for body in bodies:
            assert (await read(reader))[1] == body
    assert app.bodies[1:] == bodies
    assert app.known == known


@pytest.mark.parametrize("at", [1, 25, len(ONE) - 4, len(ONE) - 1])
async def test_in_pieces_it_is_parsed(at):
    async with serving(Protocol) as (app, connect):
        reader, writer = await connect()
        writer.write(ONE)
        await read(reader)
        writer.write(ONE[:at])
        await asyncio.sleep(0.02)
        writer.write(ONE[at:])
        assert (await read(reader))[1] == b"one"
    assert told(app) == (2, 0, [b"one", b"one"])


async def test_inside_another_request_it_is_no_head():
    """A body, or a header, that looks like a request is none."""
    async with serving(Protocol) as (app, connect):
        reader, writer = await connect()
        writer.write(ONE)
        await read(reader)
        outer = post(ONE)
        writer.write(outer[: -len(ONE)])
        await asyncio.sleep(0.02)
        writer.write(ONE)  # alone in its packet, and the body of the outer one
        assert (await read(reader))[1] == ONE
        writer.write(b"POST /mcp/abc HTTP/1.1\r\nHost: x\r\nA: ")
        await asyncio.sleep(0.02)
        writer.write(ONE)  # its first line is the value of a header
        await read(reader)
    assert app.bodies == [b"one", ONE, b"one"]
    assert app.known == 0


async def test_the_end_of_a_head_is_not_taken_for_one():
    async with serving(Protocol) as (app, connect):
        reader, writer = await connect()
        writer.write(b"POST /mcp/abc HTTP/1.1\r\nHost: x\r\nB: ")
        await asyncio.sleep(0.02)
        writer.write(ONE)
        await read(reader)
        writer.write(ONE)
        await read(reader)
    assert told(app) == (2, 0, [b"one", b"one"])


async def test_a_known_call_that_lasts_is_not_idle():
    async with serving(Protocol, timeout_keep_alive=1) as (app, connect):
        reader, writer = await connect()
        for body in (b"once", b"wait"):
            writer.write(post(body))
            if body == b"once":
                await read(reader)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(1.5):
                await reader.read()
        assert app.known == 1


async def test_behind_a_request_that_is_being_answered_it_waits():
    async with serving(Protocol) as (app, connect):
        reader, writer = await connect()
        writer.write(ONE)
        await read(reader)
        writer.write(post(b"wait"))
        await asyncio.sleep(0.02)
        writer.write(ONE)
        await asyncio.sleep(0.02)
        assert app.bodies == [b"one", b"wait"]
    assert app.known == 0


async def test_a_body_in_chunks_leaves_nothing_behind():
    chunked = b"POST /mcp/abc HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    async with serving(Protocol) as (app, connect):
        reader, writer = await connect()
        for _ in range(2):
            writer.write(chunked + b"3\r\none\r\n0\r\n\r\n")
            assert (await read(reader))[1] == b"one"
    assert told(app) == (2, 0, [b"one", b"one"])


async def test_it_ends_the_time_for_a_head(monkeypatch):
    monkeypatch.setattr("gateway.protocol.HEAD_SECONDS", 0.2)
    async with serving(Protocol) as (app, connect):
        reader, writer = await connect()
        writer.write(ONE)
        await read(reader)
        reader, writer = await connect()
        writer.write(ONE)
        await read(reader)
        await asyncio.sleep(0.5)
        writer.write(ONE)
        await read(reader)
    assert app.known == 2


def head(number: int) -> Head:
    return Head(b"%d" % number, "/mcp/abc", (), 0)


def test_few_and_small_ones_are_kept(monkeypatch):
    monkeypatch.setattr(heads, "MOST", 10)
    known = Heads()
    for number in range(25):
        known.keep(head(number))
        assert known.find(b"%d" % number) is not None
    assert sum(known.find(b"%d" % n) is not None for n in range(25)) <= 10
    large = Head(b"x" * (heads.LARGEST + 1), "/mcp/abc", (), 0)
    known.keep(large)
    assert known.find(large.raw) is None


@cases(
    "data, body",
    [
        (ONE, b"on"),
        (ONE + b"\r\n", b"one"),
        (b"\r\n\r\n" + ONE, b"one"),
        (ONE[:-3], b"one"),
        (b"no head", b"no head"),
    ],
)
def test_what_is_no_head_and_body(data, body):
    assert heads.read(data, body, "/mcp/abc", ()) is None

"""Heads of answers: framing and reuse, and that a remembered one changes nothing."""

from __future__ import annotations

import asyncio

import pytest

from servers import http_connection, http_head
from servers.http_head import Head, Memory
from tests.servers.peer import OK, Conversation, answering, peer
from tests.servers.test_http1 import LIMIT, ask, pool

HEAD, BODY = OK[:-2], OK[-2:]


class Counting(Memory):
    """`hits` are the heads that were known."""

    def __init__(self) -> None:
        super().__init__()
        find, self.hits = self.find, 0

        def counted(raw: bytes) -> Head | None:
            found = find(raw)
            self.hits += found is not None
            return found

        self.find = counted  # type: ignore[assignment]


@pytest.fixture
def memory(monkeypatch: pytest.MonkeyPatch) -> Counting:
    memory = Counting()
    monkeypatch.setattr(http_connection, "_memory", memory)
    return memory


async def bodies(*answers: bytes, pause: float = 0.0) -> tuple[list[bytes], int]:
    """Of one answer a request, and on how many connections; `|` is a pause."""

    async def script(conversation: Conversation) -> None:
        for answer in answers[server.connections - 1 :]:
            await conversation.request()
            for piece in answer.split(b"|"):
                await conversation.send(piece)
                await asyncio.sleep(pause)

    found = []
    async with peer(script) as server, pool() as made:
        for _ in answers:
            response = await ask(made, server)
            found.append(await response.read(LIMIT))
            assert response.status == 200
            assert response.content_type == "application/json"
        return found, server.connections


async def test_it_is_read_once(memory: Counting) -> None:
    assert await bodies(OK, HEAD + b"[]", OK) == ([b"{}", b"[]", b"{}"], 1)
    assert memory.hits == 2


@pytest.mark.parametrize(
    "answer, body",
    [
        (HEAD + b"|" + BODY, BODY),
        (OK[:30] + b"|" + OK[30:], BODY),
        (HEAD + b"{|}", BODY),
        (b"HTTP/1.1 100 Continue\r\n\r\n|" + OK, BODY),
        (b"HTTP/1.1 100 Continue\r\n\r\n" + OK, BODY),
    ],
)
async def test_what_is_not_a_head_and_its_body_is_parsed(
    memory: Counting, answer: bytes, body: bytes
) -> None:
    assert await bodies(OK, answer, OK, pause=0.02) == ([BODY, body, BODY], 1)
    assert memory.find(b"HTTP/1.1 100 Continue\r\n\r\n") is None


@pytest.mark.parametrize("more", [b"x", OK, b"\r\n" + OK])
async def test_with_more_behind_it_its_connection_serves_no_other(
    memory: Counting, more: bytes
) -> None:
    script = answering(OK, OK + more, OK)
    async with peer(script) as server, pool() as made:
        for _ in range(2):
            assert await (await ask(made, server)).read(LIMIT) == BODY
        assert server.connections == 1
        assert await (await ask(made, server)).read(LIMIT) == BODY
        assert server.connections == 2


async def test_inside_another_answer_it_is_no_head(memory: Counting) -> None:
    for first in (b"", b"x"):
        outer = HEAD.replace(b": 2", b": %d" % len(first + OK)) + first
        got = await bodies(OK, outer + b"|" + OK, OK, pause=0.02)
        assert got == ([BODY, first + OK, BODY], 1)
    folded = b"HTTP/1.1 200 OK\r\nA: |" + OK
    assert await bodies(OK, folded, OK, pause=0.02) == ([BODY, BODY, BODY], 1)


async def test_the_end_of_a_head_is_not_taken_for_one(memory: Counting) -> None:
    folded = b"HTTP/1.1 200 OK\r\nA: |" + OK
    assert await bodies(folded, folded, pause=0.02) == ([BODY, BODY], 1)
    assert memory.find(HEAD) is None


@pytest.mark.parametrize(
    "head",
    [
        HEAD.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"),
        HEAD.replace(b"\r\n\r\n", b"\r\nKeep-Alive: timeout=1\r\n\r\n"),
        HEAD.replace(b"1.1", b"1.0"),
        HEAD.replace(b"\r\n\r\n", b"\r\nA: %b\r\n\r\n" % (b"a" * http_head.LARGEST)),
    ],
)
async def test_heads_that_are_not_remembered(memory: Counting, head: bytes) -> None:
    async with peer(answering(*[head + BODY] * 2)) as server, pool() as made:
        for _ in range(2):
            assert await (await ask(made, server)).read(LIMIT) == BODY
    assert memory.hits == 0


async def test_a_known_answer_that_nobody_asked_for_ends_the_connection(
    memory: Counting,
) -> None:
    async def script(conversation: Conversation) -> None:
        await conversation.request()
        await conversation.send(OK)
        await asyncio.sleep(0.05)
        await conversation.send(OK)
        await conversation.request()

    async with peer(script) as server, pool() as made:
        assert await (await ask(made, server)).read(LIMIT) == BODY
        await asyncio.sleep(0.2)
        assert await (await ask(made, server)).read(LIMIT) == BODY
        assert server.connections == 2


def test_few_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_head, "MOST", 10)
    memory = Memory()
    head = http_head.read("1.1", 200, [(b"content-length", b"2")])
    for number in range(25):
        memory.keep(b"%d" % number, head)
        assert memory.find(b"%d" % number) is head
    assert sum(memory.find(b"%d" % n) is not None for n in range(25)) <= 10

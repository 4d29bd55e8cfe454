"""One request and its answer on their way through the stages."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol
from uuid import UUID

from audit.ids import uuid7
from gateway import sse
from gateway.eras import Era
from gateway.heads import Head
from gateway.jsonrpc import Message
from gateway.methods import Method
from gateway.sessions import Session
from gateway.snapshot import Snapshot
from policies.decision import Decision

if TYPE_CHECKING:
    from gateway.elicitation import Returned
    from gateway.questions import Asked
    from gateway.state import Gateway

JSON = (b"content-type", b"application/json")
JSON_ONLY = (JSON,)


class Edge(Protocol):
    """Where a request comes from, and its answer goes to: messages as ASGI has them."""

    async def receive(self) -> Any: ...
    async def send(self, message: Any) -> None: ...


class Asgi(NamedTuple):
    receive: Any
    send: Any


class Exchange:
    """Stages fill it in, in the order of pipeline.STAGES.

    What a request starts with stands on the class, what differs on the object. Objects
    of up to 30 attributes share their keys (CPython): a plain call sets fewer.

    `arguments` are the bytes that are on record, and that are forwarded.
    `reserved` gives back what the call added to counters. `gone`: the client closed
    the connection. `sent`: the request was handed to the server's connection.
    `settled`: the outcome is on its way.

    `asked` is what is known of the approval that the call needs, `approval` the one
    that its record names, `returned` what the client was given to call again with.
    `ending` says why the call is ended from outside; `progressed` is the last progress
    that we told of ourselves.

    An edge may know more than ASGI tells: `body`, where it is there already, `head`,
    which may have come before, and `whole`, which takes JSON for status 200 and says
    whether it was sent.
    """

    gateway: Gateway
    headers: Mapping[bytes, bytes]
    digest: bytes
    snapshot: Snapshot
    message: Message
    method: Method
    decision: Decision
    era: Era = "legacy"
    verb = "POST"
    name = client = revision = ""
    body: bytes | None = None
    head: Head | None = None
    arguments: bytes | None = None
    whole: Callable[[bytes], bool] | None = None
    session: Session | None = None
    reserved: Any = None
    upstream_id: str | int | None = None
    flight: tuple[bytes, type, str | int] | None = None
    extra: tuple[tuple[bytes, bytes], ...] = ()
    started = answered = body_read = False
    gone = cancelled = sent = allowed = settled = False
    retry_after: int | None = None
    asked: Asked | None = None
    approval: UUID | None = None
    returned: Returned | None = None
    note = ending = ""
    streaming = False
    progressed = 0.0
    watcher: asyncio.Task[None] | None = None
    task: asyncio.Task[None] | None = None

    def __init__(
        self,
        gateway: Gateway,
        path: str,
        fields: Sequence[tuple[bytes, bytes]],
        edge: Edge,
    ) -> None:
        self.gateway, self.path, self.fields, self.edge = gateway, path, fields, edge
        self.since = gateway.time()
        self.id: UUID = uuid7()

    def hand_over(self) -> None:
        """From here on the call counts, whatever comes."""
        self.sent = True

    def at_once(self, body: bytes) -> bool:
        """JSON with status 200 in one write, where the edge can. False: `reply`."""
        if self.extra or self.whole is None or not self.whole(body):
            return False
        self.started = self.answered = True
        return True

    def renew(self) -> None:
        """The same request is judged once more, as a call of its own."""
        self.id = uuid7()
        self.reserved = self.retry_after = None
        self.allowed = self.settled = False

    async def reply(
        self,
        status: int,
        body: bytes,
        headers: tuple[tuple[bytes, bytes], ...] = JSON_ONLY,
    ) -> None:
        """The whole answer."""
        if self.streaming:
            await self.event(body, last=True)
            return
        if status == 200 and headers is JSON_ONLY and self.at_once(body):
            return
        length = (b"content-length", b"%d" % len(body))
        await self.start(status, [*headers, length, *self.extra])
        await self.piece(body, last=True)

    async def start(self, status: int, headers: list[tuple[bytes, bytes]]) -> None:
        self.started = True
        await self.edge.send(
            {"type": "http.response.start", "status": status, "headers": headers}
        )

    async def piece(self, body: bytes, *, last: bool = False) -> None:
        """Waits while the client is slower than the server."""
        self.answered = last
        await self.edge.send(
            {"type": "http.response.body", "body": body, "more_body": not last}
        )

    async def begin_stream(self) -> None:
        """From here on the answer is a stream of events."""
        self.streaming, self.whole = True, None
        await self.start(200, [*sse.HEADERS, *self.extra])

    async def event(self, data: bytes, *, last: bool = False) -> None:
        if not self.started:
            await self.begin_stream()
        await self.piece(sse.event(data), last=last)

"""One request and its answer on their way through the stages."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any
from uuid import UUID

from audit.ids import uuid7
from gateway import sse
from gateway.eras import Era
from gateway.jsonrpc import Message
from gateway.methods import Method
from gateway.sessions import Session
from gateway.snapshot import Snapshot
from policies.decision import Decision

if TYPE_CHECKING:
    from gateway.state import Gateway

JSON = (b"content-type", b"application/json")
JSON_ONLY = (JSON,)


class Exchange:
    """Stages fill it in, in the order of pipeline.STAGES.

    `reserved` gives back what the call added to counters. `gone`: the client closed
    the connection. `sent`: the request was handed to the server's connection.
    `settled`: the outcome is on its way.

    An edge may know more than ASGI tells: `body`, where it is there already, and
    `whole`, which takes JSON for status 200 and says whether it was sent.
    """

    __slots__ = (
        "allowed", "answered", "body", "body_read", "cancelled", "client", "decision",
        "digest", "era", "extra", "fields", "flight", "gateway", "gone", "headers",
        "id", "message", "method", "name", "path", "receive", "reserved",
        "retry_after", "revision", "send", "sent", "session", "settled", "since",
        "snapshot", "started", "task", "upstream_id", "verb", "watcher", "whole",
    )  # fmt: skip

    gateway: Gateway
    headers: dict[bytes, bytes]
    digest: bytes
    snapshot: Snapshot
    message: Message
    method: Method
    era: Era
    name: str
    decision: Decision

    def __init__(
        self,
        gateway: Gateway,
        verb: str,
        path: str,
        fields: Sequence[tuple[bytes, bytes]],
        receive: Any,
        send: Any,
    ) -> None:
        self.gateway, self.verb, self.path, self.fields = gateway, verb, path, fields
        self.receive, self.send = receive, send
        self.body: bytes | None = None
        self.whole: Callable[[bytes], bool] | None = None
        self.since = gateway.time()
        self.id: UUID = uuid7()
        self.session: Session | None = None
        self.client = self.revision = ""
        self.name = ""
        self.era = "legacy"
        self.reserved: Any = None
        self.upstream_id: str | int | None = None
        self.flight: tuple[bytes, type, str | int] | None = None
        self.extra: tuple[tuple[bytes, bytes], ...] = ()
        self.started = self.answered = self.body_read = False
        self.gone = self.cancelled = self.sent = False
        self.allowed = self.settled = False
        self.retry_after: int | None = None
        self.watcher: asyncio.Task[None] | None = None
        self.task: asyncio.Task[None] | None = None

    def hand_over(self) -> None:
        """From here on the call counts, whatever comes."""
        self.sent = True

    def at_once(self, body: bytes) -> bool:
        """JSON with status 200 in one write, where the edge can. False: `reply`."""
        if self.extra or self.whole is None or not self.whole(body):
            return False
        self.started = self.answered = True
        return True

    async def reply(
        self,
        status: int,
        body: bytes,
        headers: tuple[tuple[bytes, bytes], ...] = JSON_ONLY,
    ) -> None:
        """The whole answer."""
        if status == 200 and headers is JSON_ONLY and self.at_once(body):
            return
        length = (b"content-length", b"%d" % len(body))
        await self.start(status, [*headers, length, *self.extra])
        await self.piece(body, last=True)

    async def start(self, status: int, headers: list[tuple[bytes, bytes]]) -> None:
        self.started = True
        await self.send(
            {"type": "http.response.start", "status": status, "headers": headers}
        )

    async def piece(self, body: bytes, *, last: bool = False) -> None:
        """Waits while the client is slower than the server."""
        self.answered = last
        await self.send(
            {"type": "http.response.body", "body": body, "more_body": not last}
        )

    async def event(self, data: bytes, *, last: bool = False) -> None:
        if not self.started:
            await self.start(200, [*sse.HEADERS, *self.extra])
        await self.piece(sse.event(data), last=last)

"""The second edge: uvicorn's HTTP/1.1 protocol, with a shorter way for calls.

Parsing, flow control and everything unusual stay uvicorn's. A plain POST to a grant's
endpoint gets a cycle that is made of less, begins without a task, and can send head and
body of an answer in one write: what an application with `begin` makes use of. Under any
other ASGI server the same application answers by ASGI messages.

Run it with `uvicorn --http gateway.protocol:Protocol`.
"""

from __future__ import annotations

import asyncio
import math
import re
from collections.abc import Callable, Coroutine
from functools import partial
from types import MappingProxyType
from typing import Any, Literal, cast

from uvicorn.protocols.http.httptools_impl import (
    HttpToolsProtocol,
    RequestResponseCycle,
)

from gateway import heads
from gateway.heads import Head

_ENDPOINT = re.compile(rb"/mcp/[0-9A-Za-z_-]{1,64}")

# Bytes of a request's head. One that follows another request in the same packet may
# be longer by a piece: the parser does not say where in it the head begins.
MAX_HEAD = 64 * 1024
_PIECE = 16 * 1024
_NEVER = math.inf
# Seconds from its first byte to the end of a head, and from there to the body's end.
HEAD_SECONDS, BODY_SECONDS = 10.0, 30.0
# Closing while a client still sends would take the answer from it as well.
LINGER_SECONDS = 1.0
_TOO_LARGE = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\n"
    b"content-length: 0\r\nconnection: close\r\n\r\n"
)
Stage = Literal["head", "body", "done", "refused"]
Begin = Callable[["Cycle"], Coroutine[Any, Any, None] | None]


class _Start:
    """An answer up to its length: the default headers change with the date, in a list
    that is another one every second."""

    def __init__(self) -> None:
        self._of: object = None
        self._text = b""

    def __call__(self, default: list[tuple[bytes, bytes]]) -> bytes:
        if default is not self._of:
            more = b"".join([b"%b: %b\r\n" % header for header in default])
            self._text = b"HTTP/1.1 200 OK\r\n" + more + _JSON
            self._of = default
        return self._text


_JSON = b"content-type: application/json\r\ncontent-length: "
_start = _Start()


class Cycle(RequestResponseCycle):
    """What a request starts with stands on the class, what differs on the object."""

    access_log = False
    disconnected = False
    waiting_for_100_continue = False
    more_body = True
    response_started = response_complete = False
    chunked_encoding: bool | None = None
    expected_content_length = 0
    keep_alive = True
    body: Any = b""
    whole_body: bytes | None = None
    head: Head | None = None
    scope: Any = MappingProxyType({"method": "POST"})
    task: asyncio.Task[None]
    _event: asyncio.Event | None = None

    def __init__(self, protocol: Protocol, path: str, fields: heads.Fields) -> None:
        self.path, self.fields = path, fields
        self.transport, self.flow = protocol.transport, protocol.flow
        self.logger, self.tasks = protocol.logger, protocol.tasks
        self.default_headers = protocol.server_state.default_headers
        self.on_response = protocol.on_response_complete

    @property
    def message_event(self) -> asyncio.Event:  # type: ignore[override]
        """Made for the few who wait for it."""
        if self._event is None:
            self._event = asyncio.Event()
        return self._event

    async def finish(self, rest: Coroutine[Any, Any, None]) -> None:
        """What goes wrong, and an answer that lacks its end, are uvicorn's matter."""
        try:
            await rest
        except BaseException as error:  # noqa: BLE001 it is raised again there
            await self.run_asgi(partial(_fail, error))
        else:
            if not self.response_complete:
                await self.run_asgi(_nothing)
        finally:
            self.on_response = _done
            self.tasks.discard(self.task)

    def answer(self, body: bytes) -> bool:
        """JSON with status 200, at once. False where it is `send` that must do it:
        the client is slow or gone, or this is the connection's last answer."""
        if (
            self.flow.write_paused
            or self.disconnected
            or self.response_started
            or not self.keep_alive
        ):
            return False
        self.response_started = self.response_complete = True
        start = _start(self.default_headers)
        self.transport.write(b"%b%d\r\n\r\n%b" % (start, len(body), body))
        if self._event is not None:
            self._event.set()
        self.on_response()
        return True


def _done() -> None:
    """A cycle that has ended keeps no connection alive."""


def _offers_nothing(_: Cycle) -> None:
    """Of an application that takes calls by ASGI alone."""


async def _nothing(*_: object) -> None:
    """What is left of a request that was answered in part, or not at all."""


async def _fail(error: BaseException, *_: object) -> None:
    raise error


class Protocol(HttpToolsProtocol):
    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self._begin: Begin = getattr(self.app, "begin", _offers_nothing)
        self._plain = (
            self._begin is not _offers_nothing
            and not self.access_log
            and self.limit_concurrency is None
            and not self.root_path
            and not self.config.reset_contextvars
        )
        self._find: Callable[[bytes], Head | None] = (
            self.app.heads.find if self._plain else lambda _: None
        )
        self._new: Cycle | None = None
        self._resting = True
        self._idle_since = _NEVER
        self._stage: Stage = "head"
        self._ended = False
        self._held = 0
        self._due = _NEVER
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(cast(asyncio.Transport, transport))
        self._expect(HEAD_SECONDS)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._timer is not None:
            self._timer.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        size = len(data)
        if size <= _PIECE and size + self._held <= MAX_HEAD:
            end = data.find(heads.END) + 4
            if (
                self._resting
                and (head := self._find(data[:end])) is not None
                and head.length == size - end
                and (self.cycle is None or self.cycle.response_complete)
            ):
                self._again(head, data[end:])
            else:
                self._feed(data)
            return
        rest = memoryview(data)
        while rest and self._stage != "refused" and not self.transport.is_closing():
            room = min(_PIECE, MAX_HEAD - self._held)
            if room:
                self._feed(rest[:room])
                rest = rest[room:]
            else:
                self._refuse()

    def _again(self, head: Head, body: bytes) -> None:
        """What the parser and its callbacks would do with these bytes."""
        if self.transport.is_closing():
            return
        self._idle_since = self._due = _NEVER
        self.cycle = cycle = Cycle(self, head.path, head.fields)
        cycle.head, cycle.whole_body, cycle.more_body = head, body, False
        self._offer(cycle)

    def _feed(self, data: bytes | memoryview) -> None:
        self._ended, before, rested = False, self._stage, self._resting
        self._resting = False
        super().data_received(cast(bytes, data))
        self._resting = self._ended and self._stage == "done"
        if (new := self._new) is not None and not self.transport.is_closing():
            if rested and self._resting and isinstance(data, bytes):
                new.head = heads.read(data, new.body, new.path, new.fields)
            self._start(new)
        if self._stage == "done" and not self._ended:
            self._between()
        if self._stage == "head":
            self._held += 0 if self._ended else len(data)
            if self._due == _NEVER:
                self._expect(HEAD_SECONDS)
        elif self._stage == "body" and (self._ended or before != "body"):
            self._held = 0
            self._expect(BODY_SECONDS)

    def _between(self) -> None:
        """Line ends between two requests: they must not keep a connection alive."""
        if self.cycle.response_complete:
            self._stage = "head"

    def _refuse(self) -> None:
        self._stage = "refused"
        if self.cycle is not None and not self.cycle.response_complete:
            self.transport.close()
            return
        self.transport.write(_TOO_LARGE)
        if not self.transport.can_write_eof():
            self.transport.close()
            return
        self.transport.write_eof()
        self.loop.call_later(LINGER_SECONDS, self.transport.abort)

    # One timer a connection here, too; a request that comes in one piece needs none.

    def _expect(self, seconds: float) -> None:
        self._due = self.loop.time() + seconds
        if self._timer is None:
            self._look_in(seconds)

    def _look_in(self, seconds: float) -> None:
        """Never later than a head that begins now would be due."""
        wait = min(seconds, HEAD_SECONDS)
        self._timer = self.loop.call_later(wait, self._look)

    def _look(self) -> None:
        self._timer = None
        left = self._due - self.loop.time()
        if left <= 0 and self.flow.read_paused:  # it is we who do not read
            self._expect(BODY_SECONDS)
        elif left <= 0:
            self.transport.abort()
        elif left < _NEVER:
            self._look_in(left)

    # What is in uvicorn's callbacks for others than plain calls is not run for these:
    # `_new` is one that has not begun yet.

    def on_message_begin(self) -> None:
        self._stage = "head"
        self.url, self.headers, self.expect_100_continue = b"", [], False

    def on_body(self, body: bytes) -> None:
        if (new := self._new) is not None and new.more_body:
            new.body += body
        else:
            super().on_body(body)

    def on_message_complete(self) -> None:
        self._stage, self._ended = "done", True
        self._held, self._due = 0, _NEVER
        if (new := self._new) is not None and new.more_body:
            new.more_body = False
        else:
            super().on_message_complete()

    def on_header(self, name: bytes, value: bytes) -> None:
        """As uvicorn has it, which looks at each one for what is seldom there."""
        self.headers.append((name.lower(), value))

    def on_headers_complete(self) -> None:
        self._stage = "body"
        if b"expect" in dict(self.headers):
            asked = [value.lower() for name, value in self.headers if name == b"expect"]
            self.expect_100_continue = b"100-continue" in asked
        if self._is_call():
            self.cycle = self._new = Cycle(self, self.url.decode(), self.headers)
        else:
            self._begin_late()
            super().on_headers_complete()

    def _begin_late(self) -> None:
        """What uvicorn does when a request begins, which a plain call needs not."""
        url, headers, expects = self.url, self.headers, self.expect_100_continue
        super().on_message_begin()
        self.url, self.expect_100_continue = url, expects
        self.headers += headers

    def _start(self, cycle: Cycle) -> None:
        """After all that came with the head: that is nearly always the body."""
        self._new = None
        if not cycle.more_body:
            cycle.whole_body, cycle.body = cycle.body, b""
        elif cycle.body:
            cycle.message_event.set()
        self._offer(cycle)

    def _offer(self, cycle: Cycle) -> None:
        rest = self._begin(cycle)
        if rest is not None:
            cycle.task = task = self.loop.create_task(cycle.finish(rest))
            self.tasks.add(task)
            return
        if cycle.whole_body is not None:
            cycle.body = cycle.whole_body
            cycle.message_event.set()
        cycle.scope = self._scope(cycle)
        self._start_asgi_task(cycle, self.app)

    def _scope(self, cycle: Cycle) -> dict[str, Any]:
        return {
            "type": "http",
            "asgi": {"version": self.asgi_version, "spec_version": "2.3"},
            "http_version": "1.1",
            "server": self.server,
            "client": self.client,
            "scheme": self.scheme,
            "root_path": self.root_path,
            "method": "POST",
            "path": cycle.path,
            "raw_path": cycle.path.encode(),
            "query_string": b"",
            "headers": cycle.fields,
            "state": self.app_state.copy(),
        }

    def _is_call(self) -> bool:
        """What is odd in any way, or waits behind another request, is uvicorn's."""
        parser, busy = self.parser, self.cycle
        return (
            self._plain
            and (busy is None or busy.response_complete)
            and parser.get_method() == b"POST"
            and _ENDPOINT.fullmatch(self.url) is not None
            and parser.get_http_version() == "1.1"
            and parser.should_keep_alive()
            and not parser.should_upgrade()
            and not self.expect_100_continue
        )

    # One timer for a connection, and not one for each of its answers.

    def _unset_keepalive_if_required(self) -> None:
        self._idle_since = _NEVER

    def on_response_complete(self) -> None:
        if self.pipeline or self.transport.is_closing():
            super().on_response_complete()
            return
        self.server_state.total_requests += 1
        if self.flow.read_paused:
            self.flow.resume_reading()
        self._idle_since = self.loop.time()
        if self.timeout_keep_alive_task is None:
            self._wait(self.timeout_keep_alive)

    def timeout_keep_alive_handler(self) -> None:
        self.timeout_keep_alive_task = None
        left = self._idle_since + self.timeout_keep_alive - self.loop.time()
        if left <= 0:
            super().timeout_keep_alive_handler()
        elif left < _NEVER:
            self._wait(left)

    def _wait(self, seconds: float) -> None:
        self.timeout_keep_alive_task = self.loop.call_later(
            seconds, self.timeout_keep_alive_handler
        )

"""One HTTP/1.1 connection, one request at a time. Callbacks and futures, no tasks.

httptools (llhttp, strict) refuses bare LF, folded headers, a second Content-Length,
and Content-Length beside Transfer-Encoding; what it lets through is refused here.
"""

from __future__ import annotations

import asyncio
import math
import select
from dataclasses import dataclass
from typing import Protocol, cast

import httptools

from servers import http_head
from servers.failures import Lost, Malformed, TimedOut, WireError
from servers.http_head import Head
from servers.http_request import Headers
from servers.http_response import Response

MAX_HEADERS = 200
# Bytes without any body: the head, 1xx answers, chunk extensions, trailers.
MAX_OVERHEAD = 64 * 1024
_memory = http_head.Memory()


@dataclass(frozen=True, slots=True)
class Deadlines:
    """Seconds; `math.inf` for none. `first_byte` is for the whole head of the answer,
    `idle` between two pieces of its body, `total` from sending to the end.
    """

    connect: float = 10.0
    first_byte: float = 60.0
    idle: float = 60.0
    total: float = 300.0


class Owner(Protocol):
    """The pool, as its connections see it."""

    def opened(self, connection: Connection) -> None: ...
    def released(self, connection: Connection) -> None: ...
    def closed(self, connection: Connection) -> None: ...


class Connection(asyncio.Protocol):
    """`expires` is the loop time at which `overdue` is to be called."""

    def __init__(self, owner: Owner, key: tuple[bool, str, int, str]) -> None:
        self.key, self._owner = key, owner
        self.expires = math.inf
        self._loop = asyncio.get_running_loop()
        self._parser = httptools.HttpResponseParser(self)
        self._poll = select.poll()
        self._answer: asyncio.Future[Response] | None = None
        self._response: Response | None = None
        self._busy = self._ended = self._paused = False
        self._overhead = 0
        self.made = False

    # -- used by the pool ----------------------------------------------------------

    def usable(self) -> bool:
        """An idle connection that can be read now is half closed or holds bytes that
        belong to no request: neither may answer the next one.
        """
        return not self._transport.is_closing() and not self._poll.poll(0)

    @property
    def gone(self) -> bool:
        return self._transport.is_closing()

    def send(self, request: bytes, deadlines: Deadlines) -> asyncio.Future[Response]:
        """Hands the request to the transport: from here on it counts as sent."""
        now = self._loop.time()
        self._answer = answer = self._loop.create_future()
        self._response = None
        self._busy, self._ended = True, False
        self._overhead = 0
        self._idle, self._total = deadlines.idle, now + deadlines.total
        self.expires = min(now + deadlines.first_byte, self._total)
        self._transport.write(request)
        return answer

    def overdue(self) -> None:
        if self._busy:
            what = "finish" if self._response else "begin"
            self._fail(TimedOut(f"The server did not {what} its answer in time."))
        else:
            self.abort()

    def pause(self) -> None:
        """The reader is slow, not the server: only the total deadline runs on."""
        if self._busy:
            self._paused = True
            self.expires = self._total
            self._transport.pause_reading()

    def resume(self) -> None:
        if self._paused:
            self._paused = False
            self._transport.resume_reading()
            if self._busy:
                self._progress()

    def abandon(self, answer: asyncio.Future[Response]) -> None:
        """The caller went away; by now the connection may serve another request."""
        if self._busy and self._answer is answer:
            self.abort()

    def abort(self) -> None:
        self._busy = False
        self._transport.abort()

    # -- called by the event loop --------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        sock = transport.get_extra_info("socket")
        # poll reports an end or an error besides what it is asked for
        self._poll.register(sock.fileno(), select.POLLIN)
        self.made = True
        self._owner.opened(self)

    def data_received(self, data: bytes) -> None:
        if not self._busy:
            self.abort()
            return
        first = not self._overhead and self._response is None
        if first:
            end = data.find(http_head.END) + 4
            head = _memory.find(data[:end])
            if head is not None and head.length == len(data) - end:
                self._whole(head, data[end:])
                return
        self._overhead += len(data)
        clean = self._feed(data)
        if self._ended:
            if first:
                self._remember(data)
            self._release(clean)
        elif self._busy:
            self._check_progress()

    def _whole(self, head: Head, body: bytes) -> None:
        """What the parser and its callbacks would do with these bytes."""
        self._keep, self._ended = head.keep, True
        self._begin(Response(self, head, body))
        self._release(True)

    def _remember(self, data: bytes) -> None:
        """The head of an answer that came in one piece and was nothing else."""
        end = data.find(http_head.END) + 4
        if self._response is not None and self._response.is_all(data[end:]):
            _memory.keep(data[:end], self._head)

    def _begin(self, response: Response) -> None:
        self._response = response
        if self._answer is not None and not self._answer.done():
            self._answer.set_result(response)

    def eof_received(self) -> None:
        if self._busy and self._until_close():
            self._end()
            self._busy = False

    def connection_lost(self, exc: Exception | None) -> None:
        self._fail(Lost("The server closed the connection before its answer ended."))
        self._owner.closed(self)

    def _feed(self, data: bytes) -> bool:
        """False where more came than the one answer that was asked for."""
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            if not self._ended:
                self._fail(_malformed(error))
            return False
        return True

    def _check_progress(self) -> None:
        if self._overhead > MAX_OVERHEAD:
            self._fail(Malformed("The server sends too much besides a body."))
        elif self._response is not None and not self._paused:
            self._progress()

    def _progress(self) -> None:
        self.expires = min(self._loop.time() + self._idle, self._total)

    def _until_close(self) -> bool:
        return self._response is not None and self._head.framing == "close"

    def _release(self, clean: bool) -> None:
        """Back to the pool, unless anything about it is odd."""
        self._busy = False
        if self._paused:
            self.resume()
        if (
            clean
            and self._keep > 0
            and not self._transport.is_closing()
            and not self._transport.get_write_buffer_size()
        ):
            self.expires = self._loop.time() + self._keep
            self._owner.released(self)
        else:
            self._transport.abort()

    def _fail(self, error: WireError) -> None:
        if not self._busy:
            return
        self.abort()
        if self._response is not None:
            self._response.fail(error)
        elif self._answer is not None and not self._answer.done():
            self._answer.set_exception(error)

    def _end(self) -> None:
        self._ended = True
        if self._response is not None:
            self._response.finish()

    # -- called by the parser ------------------------------------------------------

    def on_message_begin(self) -> None:
        self._headers: Headers = []
        if self._ended:
            self._keep = 0.0

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._response is None:
            self._headers.append((name.lower(), value))
            if len(self._headers) > MAX_HEADERS:
                raise Malformed("The answer has too many headers.")

    def on_headers_complete(self) -> None:
        status = self._parser.get_status_code()
        if self._ended or 100 <= status < 200:
            return
        version = self._parser.get_http_version()
        self._head = head = http_head.read(version, status, self._headers)
        self._keep = head.keep
        self._begin(Response(self, head))

    def on_body(self, body: bytes) -> None:
        if self._response is not None and not self._ended:
            self._overhead = 0
            self._response.feed(body)

    def on_message_complete(self) -> None:
        if self._response is not None and not self._ended:
            self._end()


def _malformed(error: Exception) -> WireError:
    cause = error.__context__ or error.__cause__
    if isinstance(cause, WireError):
        return cause
    if isinstance(error, httptools.HttpParserUpgrade):
        return Malformed("The server switches to another protocol.")
    return Malformed(f"The answer is no valid HTTP/1.1: {error}.")

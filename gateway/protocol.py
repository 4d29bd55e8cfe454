"""The second edge: uvicorn's HTTP/1.1 protocol, with a shorter way for calls.

Parsing, flow control and everything unusual stay uvicorn's. A plain POST to a grant's
endpoint gets a cycle that is made of less, and that can send head and body of an answer
in one write, which `scope["gateway.answer"]` offers. Under any other ASGI server, and
in tests, the same application answers by ASGI messages.

Run it with `uvicorn --http gateway.protocol:Protocol`.
"""

from __future__ import annotations

import asyncio
import math
import re
from typing import Any

from uvicorn.protocols.http.httptools_impl import (
    HttpToolsProtocol,
    RequestResponseCycle,
)

from gateway.exchange import ANSWER

_ENDPOINT = re.compile(rb"/mcp/[0-9A-Za-z_-]{1,64}")
_JSON = b"HTTP/1.1 200 OK\r\n%bcontent-type: application/json\r\n"
_HEAD = _JSON + b"content-length: %d\r\n\r\n"


class Cycle(RequestResponseCycle):
    """What a request starts with stands on the class, what differs on the object."""

    access_log = False
    disconnected = False
    waiting_for_100_continue = False
    more_body = True
    response_started = response_complete = False
    chunked_encoding: bool | None = None
    expected_content_length = 0
    body: Any = b""

    def __init__(self, protocol: Protocol, scope: Any) -> None:
        self.scope = scope
        self.transport, self.flow = protocol.transport, protocol.flow
        self.logger = protocol.logger
        self.default_headers = protocol.server_state.default_headers
        self.message_event = asyncio.Event()
        self.on_response = protocol.on_response_complete
        self.keep_alive = True

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
        scope: Any = self.scope
        del scope[ANSWER]  # so that no ring of references is left to collect
        more = b"".join([b"%b: %b\r\n" % header for header in self.default_headers])
        self.transport.write(_HEAD % (more, len(body)) + body)
        self.message_event.set()
        self.on_response()
        return True


class Protocol(HttpToolsProtocol):
    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self._plain = (
            not self.access_log
            and self.limit_concurrency is None
            and not self.root_path
        )
        self._idle_since = math.inf

    def on_headers_complete(self) -> None:
        if not self._is_call():
            super().on_headers_complete()
            return
        path = self.url.decode()
        scope: dict[str, Any] = self.scope  # type: ignore[assignment]
        scope["method"], scope["path"], scope["raw_path"] = "POST", path, self.url
        scope["query_string"] = b""
        cycle = self.cycle = Cycle(self, scope)
        scope[ANSWER] = cycle.answer
        self._start_asgi_task(cycle, self.app)

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
        self._idle_since = math.inf

    def on_response_complete(self) -> None:
        if self.pipeline or self.transport.is_closing():
            super().on_response_complete()
            return
        self.server_state.total_requests += 1
        self.flow.resume_reading()
        self._idle_since = self.loop.time()
        if self.timeout_keep_alive_task is None:
            self._wait(self.timeout_keep_alive)

    def timeout_keep_alive_handler(self) -> None:
        self.timeout_keep_alive_task = None
        left = self._idle_since + self.timeout_keep_alive - self.loop.time()
        if left <= 0:
            super().timeout_keep_alive_handler()
        elif left < math.inf:
            self._wait(left)

    def _wait(self, seconds: float) -> None:
        self.timeout_keep_alive_task = self.loop.call_later(
            seconds, self.timeout_keep_alive_handler
        )

"""An answer that is being received: its head, and its body as it arrives."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Protocol

from servers.failures import Lost, TooLarge, WireError
from servers.http_head import Head

HIGH_WATER = 256 * 1024


class Flow(Protocol):
    """What an answer asks of its connection."""

    def pause(self) -> None: ...
    def resume(self) -> None: ...
    def abort(self) -> None: ...


class Response:
    """`status`, `headers`, `length` and `content_type` are the head's. Read it with
    `read` or `chunks`, then close.

    An answer that is not read to its end closes its connection.
    """

    __slots__ = (
        "_buffered", "_complete", "_error", "_flow", "_head", "_paused", "_pieces",
        "_waiter", "content_type", "headers", "length", "status",
    )  # fmt: skip

    def __init__(self, flow: Flow, head: Head, body: bytes | None = None) -> None:
        """`body` is the whole, where it is there already."""
        self.status, self.headers = head.status, head.headers
        self.length, self.content_type = head.length, head.content_type
        self._flow, self._head = flow, head
        self._pieces: list[bytes] = []
        self._buffered, self._complete, self._paused = 0, False, False
        if body is not None:
            self._pieces.append(body)
            self._buffered, self._complete = len(body), True
        self._error: WireError | None = None
        self._waiter: asyncio.Future[None] | None = None

    def header(self, name: bytes) -> bytes | None:
        """The value of a header that came once; None where it came never or twice."""
        return self._head.single.get(name)

    @property
    def complete(self) -> bool:
        return self._complete

    def is_all(self, body: bytes) -> bool:
        """Whether these bytes, and no others, arrived and are not taken yet."""
        return self._complete and self._pieces == [body]

    def at_once(self, limit: int) -> bytes | None:
        """The whole body where it is there already, in one piece within the limit."""
        if self._complete and len(self._pieces) == 1 and self._buffered <= limit:
            return self._pieces.pop()  # what is complete is not held back
        return None

    async def read(self, limit: int) -> bytes:
        """The whole body. Raises `TooLarge` past `limit` bytes, else `Lost`."""
        if (self.length or 0) > limit:
            self._too_large(limit)
        if (whole := self.at_once(limit)) is not None:
            return whole
        taken: list[bytes] = []
        size = 0
        while piece := await self.piece():
            size += len(piece)
            if size > limit:
                self._too_large(limit)
            taken.append(piece)
        return taken[0] if len(taken) == 1 else b"".join(taken)

    async def chunks(self) -> AsyncIterator[bytes]:
        """The body as it arrives; what is not taken yet holds the sender back."""
        try:
            while piece := await self.piece():
                yield piece
        finally:
            self.close()

    def close(self) -> None:
        if not self._complete and self._error is None:
            self._error = Lost("The answer was closed before its end.")
            self._flow.abort()
            self._wake()

    def _too_large(self, limit: int) -> None:
        self.close()
        raise TooLarge(f"The answer is larger than {limit} bytes.")

    async def piece(self) -> bytes:
        """What has arrived, waiting for some; empty at the end."""
        while not self._pieces:
            if self._error is not None:
                raise self._error
            if self._complete:
                return b""
            self._waiter = asyncio.get_running_loop().create_future()
            try:
                await self._waiter
            except asyncio.CancelledError:
                self.close()
                raise
        return self._taken()

    def _taken(self) -> bytes:
        pieces, self._pieces = self._pieces, []
        self._buffered = 0
        if self._paused:
            self._paused = False
            self._flow.resume()
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    # -- called by the connection --------------------------------------------------

    def feed(self, piece: bytes) -> None:
        self._pieces.append(piece)
        self._buffered += len(piece)
        if self._buffered > HIGH_WATER and not self._paused:
            self._paused = True
            self._flow.pause()
        self._wake()

    def finish(self) -> None:
        self._complete, self._paused = True, False
        self._wake()

    def fail(self, error: WireError) -> None:
        if not self._complete and self._error is None:
            self._error = error
            self._wake()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

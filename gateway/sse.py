"""Server-sent events: bytes in pieces -> data of whole events, and back. Pure.

Lines end with LF, CR or CRLF, also across pieces. Only the data of `message` events
comes out. Names, ids and retry times do not: nobody can resume a stream here, so an
id would promise what is not kept.
"""

from __future__ import annotations

MAX_EVENT = 1024 * 1024
HEADERS = (
    (b"content-type", b"text/event-stream"),
    (b"cache-control", b"no-cache, no-transform"),
    (b"x-accel-buffering", b"no"),
)
KEEP_ALIVE = b": keep-alive\n\n"


BOM = b"\xef\xbb\xbf"


class EventTooLarge(ValueError):
    """An event of more than MAX_EVENT bytes."""


class Parser:
    def __init__(self) -> None:
        self._rest = b""
        self._after_cr = False
        self._first = True
        self._data: list[bytes] = []
        self._held = 0
        self._name = b""

    def feed(self, piece: bytes) -> list[bytes]:
        """The data of the events that this piece completes. Raises EventTooLarge."""
        lines = (self._rest + self._normal(piece)).split(b"\n")
        self._rest = lines.pop()
        if lines and self._first:
            self._first, lines[0] = False, lines[0].removeprefix(BOM)
        events = [event for line in lines if (event := self._line(line)) is not None]
        if self._held + len(self._rest) > MAX_EVENT:
            raise EventTooLarge
        return events

    def _normal(self, piece: bytes) -> bytes:
        if self._after_cr and piece.startswith(b"\n"):
            piece, self._after_cr = piece[1:], False
        if piece:
            self._after_cr = piece.endswith(b"\r")
        if b"\r" in piece:
            piece = piece.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        return piece

    def _line(self, line: bytes) -> bytes | None:
        if not line:
            return self._dispatch()
        name, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if name == b"data":
            self._data.append(value)
            self._held += len(value) + 1
            if self._held > MAX_EVENT:
                raise EventTooLarge
        elif name == b"event":
            self._name = value
        return None

    def _dispatch(self) -> bytes | None:
        data, name = self._data, self._name
        self._data, self._name, self._held = [], b"", 0
        if not data or name not in (b"", b"message"):
            return None
        return b"\n".join(data) or None


def event(data: bytes) -> bytes:
    """`data` is JSON, on one line whatever its writer did: there, a line end is white
    space."""
    return b"data: " + data.replace(b"\n", b" ") + b"\n\n"


def in_line(piece: bytes) -> bytes:
    """A piece of JSON inside an event."""
    return piece.replace(b"\n", b" ").replace(b"\r", b" ")

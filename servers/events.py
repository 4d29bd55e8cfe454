"""Reading `text/event-stream`: the data of each event, in bounded memory."""

from __future__ import annotations

import re

from servers.failures import TooLarge

# A CR at the very end may be half of a CRLF: it waits for the next piece.
_LINE_END = re.compile(rb"\r\n|\n|\r(?=[\s\S])")


class EventReader:
    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._rest = b""
        self._data: list[bytes] = []

    def feed(self, piece: bytes) -> list[bytes]:
        """The data of the events that this piece completes. Raises `TooLarge`."""
        *lines, self._rest = _LINE_END.split(self._rest + piece)
        complete = []
        for line in lines:
            if line:
                self._take(line)
            elif self._data:
                # Empty data primes a stream for resumption: it is no message.
                if data := b"\n".join(self._data):
                    complete.append(data)
                self._data = []
        if len(self._rest) + sum(map(len, self._data)) > self._limit:
            raise TooLarge(f"One event is larger than {self._limit} bytes.")
        return complete

    def _take(self, line: bytes) -> None:
        name, _, value = line.partition(b":")
        if name == b"data":
            self._data.append(value.removeprefix(b" "))

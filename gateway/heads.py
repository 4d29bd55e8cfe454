"""Heads of requests that came before, known again by their very bytes.

A client sends the same head with call after call, the length of the body included. What
the parser reads in it, and what the stages find that look at nothing but a head, is
the same whenever the bytes are. So both are kept; the token's grant, its rules and the
body are looked at each time.

Kept are heads with a token of ours alone: others could push them out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

Fields = Sequence[tuple[bytes, bytes]]
MOST, LARGEST = 4096, 4096
END = b"\r\n\r\n"


@dataclass(slots=True, eq=False)
class Head:
    """A POST of one message with a body of `length` bytes. `headers` and `digest`, of
    its token, are set once it has passed the stages that need only these bytes."""

    raw: bytes
    path: str
    fields: Fields
    length: int
    headers: Mapping[bytes, bytes] | None = None
    digest: bytes = b""


class Heads:
    """`find` gives the head that a packet begins with, if it is known."""

    def __init__(self) -> None:
        self._known: dict[bytes, Head] = {}
        self.find = self._known.get

    def keep(self, head: Head) -> None:
        if len(head.raw) > LARGEST:
            return
        if len(self._known) >= MOST:
            self._known.clear()
        self._known[head.raw] = head

    def clear(self) -> None:
        self._known.clear()


def read(data: bytes, body: bytes, path: str, fields: Fields) -> Head | None:
    """Of a packet that the parser took for one whole request with this body: None
    where it is anything but a head and, as they came, the bytes of the body."""
    end = data.find(END) + len(END)
    if data[end:] != body:
        return None
    return Head(data[:end], path, fields, len(body))

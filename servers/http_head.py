"""The head of an answer: what it says, how its body is framed, what comes after. Pure.

Repeated headers count as one list here, so that none can hide behind another.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from servers.failures import Malformed, Redirected
from servers.http_request import Headers

END = b"\r\n\r\n"
# Seconds that a connection may idle. Bytes of a head that is remembered, and how many.
IDLE_SECONDS = 4.0
LARGEST, MOST = 2048, 1024
_LENGTH = b"content-length"
# Headers that change neither how the answer is read nor what it is.
_PLAIN = frozenset({b"content-type", _LENGTH, b"date", b"server"})
Framing = Literal["none", "chunked", "length", "close"]


@dataclass(slots=True, eq=False)
class Head:
    """Names of `headers` are lower case; `single` are those that came once. `length`
    is the body's where the head says it; `content_type` the media type alone, in lower
    case, empty where there is not just one. `keep`: seconds that the connection may
    idle after the body, 0 where no other request may follow."""

    status: int
    headers: Headers
    single: Mapping[bytes, bytes]
    content_type: str
    framing: Framing
    length: int | None
    keep: float


def read(version: str, status: int, headers: Headers) -> Head:
    """Of a final answer. Raises Malformed and Redirected."""
    combined = _combined(headers)
    said = combined.get(_LENGTH)
    plain = version == "1.1" and status == 200 and _PLAIN.issuperset(combined)
    framing: Framing = "length"
    keep = IDLE_SECONDS
    if not plain or said is None:
        _check(version, status, combined)
        framing = _framing(status, combined)
        keep = _keep_seconds(version, framing, combined)
    single = combined if len(combined) == len(headers) else _alone(headers)
    length = int(said) if said is not None and framing == "length" else None
    media = single.get(b"content-type", b"").split(b";", 1)[0].strip().lower()
    return Head(status, headers, single, media.decode("latin-1"), framing, length, keep)


class Memory:
    """Heads of whole answers, known again by their very bytes: a server says the same
    to call after call, and what its bytes say does not change."""

    def __init__(self) -> None:
        self._known: dict[bytes, Head] = {}
        self.find = self._known.get

    def keep(self, raw: bytes, head: Head) -> None:
        if len(raw) > LARGEST or head.framing != "length" or head.keep <= 0:
            return
        if len(self._known) >= MOST:
            self._known.clear()
        self._known[raw] = head


def _combined(headers: Headers) -> dict[bytes, bytes]:
    single = dict(headers)
    if len(single) == len(headers):
        return single
    combined: dict[bytes, bytes] = {}
    for name, value in headers:
        combined[name] = combined[name] + b", " + value if name in combined else value
    return combined


def _alone(headers: Headers) -> dict[bytes, bytes]:
    names = Counter(name for name, _ in headers)
    return {name: value for name, value in headers if names[name] == 1}


def _check(version: str, status: int, headers: dict[bytes, bytes]) -> None:
    if version not in ("1.0", "1.1"):
        raise Malformed(f"The server answers in HTTP/{version}.")
    encoding = headers.get(b"transfer-encoding", b"chunked").strip().lower()
    if encoding != b"chunked" or (b"transfer-encoding" in headers and version != "1.1"):
        raise Malformed("The server uses a transfer encoding other than chunked.")
    if headers.get(b"content-encoding", b"identity").strip().lower() != b"identity":
        raise Malformed("The server compresses although it was asked not to.")
    if 300 <= status < 400:
        raise Redirected(status, headers.get(b"location", b"").decode("latin-1")[:500])
    if status > 599:
        raise Malformed(f"The server answers with status {status}.")


def _framing(status: int, headers: dict[bytes, bytes]) -> Framing:
    if status in (204, 304):
        return "none"
    if b"transfer-encoding" in headers:
        return "chunked"
    return "length" if _LENGTH in headers else "close"


def _keep_seconds(version: str, framing: Framing, headers: dict[bytes, bytes]) -> float:
    """Less than the server says, so that we close first."""
    closes = b"close" in headers.get(b"connection", b"").lower()
    if version != "1.1" or framing == "close" or closes:
        return 0.0
    for part in headers.get(b"keep-alive", b"").split(b","):
        name, _, value = part.strip().partition(b"=")
        if name.lower() == b"timeout" and value.isdigit():
            return max(0.0, min(IDLE_SECONDS, int(value[:9]) - 1.0))
    return IDLE_SECONDS

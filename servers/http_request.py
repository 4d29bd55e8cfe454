"""Writing the head of an HTTP/1.1 request; nothing in it can start another line."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import cast

from servers.addresses import Target

Headers = list[tuple[bytes, bytes]]

_TOKEN = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_PATH = re.compile(rb"/[\x21-\x7e]*")
# Those that decide how the message is framed or routed are written here alone.
OURS = frozenset(
    {
        b"accept-encoding",
        b"connection",
        b"content-length",
        b"expect",
        b"host",
        b"keep-alive",
        b"proxy-authorization",
        b"proxy-connection",
        b"te",
        b"trailer",
        b"transfer-encoding",
        b"upgrade",
    }
)


@lru_cache(maxsize=2048)
def _start(method: str, authority: bytes, path: bytes) -> bytes:
    if method not in {"GET", "POST", "DELETE"}:
        raise ValueError(f"{method} is no method that is sent")
    if not _PATH.fullmatch(path):
        raise ValueError("the path is not printable ASCII beginning with /")
    return (
        method.encode() + b" " + path + b" HTTP/1.1\r\nhost: " + authority
        + b"\r\naccept-encoding: identity\r\n"
    )  # fmt: skip


@lru_cache(maxsize=2048)
def _named(name: bytes) -> bytes:
    if not _TOKEN.fullmatch(name) or name.lower() in OURS:
        raise ValueError(f"{name!r} is no header that a caller may send")
    return name + b": "


def write_head(target: Target, method: str, path: bytes, headers: Headers) -> bytes:
    """All but the length of the body: few differ, and who sends one often keeps it.
    Raises ValueError for a header or path that cannot be sent as it is."""
    return _head(method, target.authority, path, tuple(headers))


def write_request(
    target: Target, method: str, path: bytes, headers: Headers | bytes, body: bytes
) -> bytes:
    """`headers` may be what `write_head` gave for the same. Raises like it."""
    if type(headers) is bytes:
        head = headers
    else:
        head = write_head(target, method, path, cast(Headers, headers))
    if body or method == "POST":
        return b"%bcontent-length: %d\r\n\r\n%b" % (head, len(body), body)
    return head + b"\r\n"


# Few differ: a server's credentials and a tool's name are the same call after call.
@lru_cache(maxsize=512)
def _head(
    method: str, authority: bytes, path: bytes, headers: tuple[tuple[bytes, bytes], ...]
) -> bytes:
    parts = [_start(method, authority, path)]
    for name, value in headers:
        parts += (_named(name), value, b"\r\n")
    head = b"".join(parts)
    lines = len(headers) + 3
    if head.count(b"\n") != lines or head.count(b"\r") != lines or b"\0" in head:
        raise ValueError("a header value holds CR, LF or NUL")
    return head

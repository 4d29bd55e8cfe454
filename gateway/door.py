"""What is looked at before any JSON: host, origin, verb, media type, token, size."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any

from gateway.errors import Door, TooLong, Unauthorized
from gateway.strictjson import MAX_BYTES
from policies import tokens

_ALLOW = ((b"allow", b"POST, DELETE"),)
_ALLOW_MODERN = ((b"allow", b"POST"),)


class Hosts:
    """Which `Host` and `Origin` may be sent; made ready from the settings."""

    def __init__(self, hosts: Iterable[str], origins: Iterable[str]) -> None:
        names = [host.lower() for host in hosts]
        self._any = "*" in names
        self._exact = frozenset(name for name in names if not name.startswith("."))
        self._below = tuple(name for name in names if name.startswith("."))
        self._origins = frozenset(origin.lower().encode() for origin in origins)
        self._known: set[bytes] = set()

    def check(self, headers: Mapping[bytes, bytes]) -> None:
        host, origin = headers.get(b"host", b""), headers.get(b"origin")
        if host not in self._known:
            self._check_host(host)
        if origin is not None and origin.lower() not in self._origins:
            raise Door(403, "This Origin is not allowed")

    def _check_host(self, host: bytes) -> None:
        name = host.decode("latin-1").lower()
        before, colon, port = name.rpartition(":")
        if colon and port.isdigit():
            name = before
        if not self._any and name not in self._exact and not self._is_below(name):
            raise Door(400, "This Host is not served here")
        if len(self._known) < 100:
            self._known.add(host)

    def _is_below(self, name: str) -> bool:
        return any(name == end[1:] or name.endswith(end) for end in self._below)


def check_post(headers: Mapping[bytes, bytes]) -> None:
    """One JSON body, not compressed and not too long."""
    media = headers.get(b"content-type", b"")
    if media != b"application/json":
        media = media.partition(b";")[0].strip().lower()
        if media != b"application/json":
            raise Door(415, "Send the message as Content-Type: application/json")
    encoding = headers.get(b"content-encoding")
    if encoding is not None and encoding.lower() != b"identity":
        raise Door(415, "Compressed requests are not accepted")
    length = headers.get(b"content-length")
    if length is not None and int(length) > MAX_BYTES:
        raise _too_long()


def refuse_verb(verb: str, modern: bool) -> None:
    """GET streams are of a later release; other verbs were never part of it."""
    if verb == "GET":
        text = "This gateway serves no GET stream yet: send POST requests"
    else:
        text = f"{verb} is not part of the protocol: send POST requests"
    raise Door(405, text, headers=_ALLOW_MODERN if modern else _ALLOW)


def token_digest(value: bytes) -> bytes:
    """SHA-256 of the bearer token in `Authorization`. Raises Unauthorized for none or
    a malformed one, without asking anybody."""
    if value[:7].lower() != b"bearer ":
        raise Unauthorized("no bearer token")
    token = value[7:].strip().decode("latin-1")
    if not tokens.well_formed(token):
        raise Unauthorized("malformed token")
    return hashlib.sha256(token.encode()).digest()


class Gone(Exception):
    """The client went away before it had sent its request."""


async def body(receive: Any) -> bytes:
    """The whole body. Raises TooLong or Gone."""
    message = await receive()
    if message["type"] != "http.request":
        raise Gone
    piece: bytes = message.get("body", b"")
    if not message.get("more_body"):
        if len(piece) > MAX_BYTES:
            raise _too_long()
        return piece
    pieces, size = [piece], len(piece)
    while message.get("more_body"):
        message = await receive()
        if message["type"] != "http.request":
            raise Gone
        pieces.append(message.get("body", b""))
        size += len(pieces[-1])
        if size > MAX_BYTES:
            raise _too_long()
    return b"".join(pieces)


def _too_long() -> TooLong:
    return TooLong("A request has at most 1 MiB")

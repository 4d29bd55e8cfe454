"""URIs as sent and normalized, and globs over them.

Normalized (RFC 3986): scheme and host in lower case, every part percent-decoded
until stable, dot segments removed, an empty host is `localhost`. Spaces and
characters beyond ASCII are taken as if percent-encoded. Control characters,
backslashes, bad escapes and bytes that are no UTF-8 do not parse, encoded or not.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from policies.globs import Glob, Matcher, Token, Wild, matcher

# One URI costs at most this many steps of decoding and this many segments.
MOST_STEPS = 20_000

# Noncharacters stand for wildcards while a glob is normalized.
_RUN, _ONE = "\ufdd0", "\ufdd1"
_WILD = {_RUN: Wild.RUN, _ONE: Wild.ONE}

_PARTS = re.compile(
    r"([A-Za-z\ufdd0\ufdd1][A-Za-z0-9+.\-\ufdd0\ufdd1]*):"
    r"(?://([^/?#]*))?([^?#]*)(?:\?([^#]*))?(?:\#(.*))?",
    re.DOTALL,
)
_HOST = re.compile(
    r"(\[[0-9A-Za-z:.%\-_~]+\]|[^\[\]@:]*)(?::([0-9\ufdd0\ufdd1]*))?", re.DOTALL
)
_FORBIDDEN = re.compile(r"[\x00-\x1f\x7f-\x9f\\]")
_BAD_ESCAPE = re.compile("%(?![0-9A-Fa-f]{2})")
_HEX = frozenset(b"0123456789abcdefABCDEF")
_PERCENT = 0x25


class BadUri(ValueError):
    """The URI does not parse."""


class UriTooLarge(ValueError):
    """Decoding the URI would cost too much."""


@dataclass(frozen=True, slots=True)
class Uri:
    sent: str
    normalized: str


@dataclass(frozen=True, slots=True)
class UriGlob:
    """`either` is for hide and deny, `both` for allow."""

    sent: Matcher
    normalized: Matcher

    def either(self, uri: Uri) -> bool:
        return self.sent(uri.sent) or self.normalized(uri.normalized)

    def both(self, uri: Uri) -> bool:
        return self.sent(uri.sent) and self.normalized(uri.normalized)


def parse_uri(text: str) -> Uri:
    """Raises BadUri, UriTooLarge."""
    if _RUN in text or _ONE in text:
        raise BadUri(text)
    return Uri(text, _normalize(text))


def uri_glob(glob: Glob) -> UriGlob:
    return UriGlob(glob.matches, _normalized_matcher(glob) or glob.matches)


def _normalized_matcher(glob: Glob) -> Matcher | None:
    """None where the glob does not parse as a URI."""
    if _RUN in glob.tokens or _ONE in glob.tokens:
        return None
    marks = {Wild.RUN: _RUN, Wild.ONE: _ONE}
    text = "".join(marks[t] if isinstance(t, Wild) else t for t in glob.tokens)
    try:
        normalized = _normalize(text)
    except (BadUri, UriTooLarge):
        return None
    tokens: list[Token] = [_WILD.get(character, character) for character in normalized]
    return matcher(tokens)


def _normalize(text: str) -> str:
    if 2 * text.count("%") > MOST_STEPS:
        raise UriTooLarge(text[:20])
    if _FORBIDDEN.search(text) or _BAD_ESCAPE.search(text):
        raise BadUri(text)
    match = _PARTS.fullmatch(text)
    if match is None:
        raise BadUri(text)
    scheme, authority, path, query, fragment = match.groups()
    scheme, decode = scheme.lower(), _Decoder().decode
    if authority is None and scheme == "file" and path.startswith("/"):
        authority = ""  # RFC 8089: file:/a is file:///a
    front = "" if authority is None else "//" + _authority(authority, decode)
    back = "" if query is None else "?" + decode(query)
    back += "" if fragment is None else "#" + decode(fragment)
    return f"{scheme}:{front}{_without_dots(decode(path))}{back}"


def _authority(authority: str, decode: Callable[[str], str]) -> str:
    user, at, rest = authority.rpartition("@")
    match = _HOST.fullmatch(rest)
    if match is None:
        raise BadUri(authority)
    host, port = match.groups()
    host = decode(host).lower() or "localhost"
    return decode(user) + at + host + (f":{port}" if port else "")


def _without_dots(path: str) -> str:
    """RFC 3986, 5.2.4."""
    if "." not in path:
        return path
    if path.count("/") > MOST_STEPS:
        raise UriTooLarge(path[:20])
    segments = path.split("/")
    while len(segments) > 1 and segments[0] in (".", ".."):
        del segments[0]
    done = [segments[0]] if segments[0] not in ("", ".", "..") else []
    for segment in segments[1:]:
        if segment == "..":
            del done[-1:]
        elif segment != ".":
            done.append("/" + segment)
    if len(segments) > 1 and segments[-1] in (".", ".."):
        done.append("/")
    return "".join(done)


class _Decoder:
    """Decodes escapes until none is left, in one pass: each decoded byte may
    complete an escape begun before it."""

    def __init__(self) -> None:
        self._steps = MOST_STEPS

    def decode(self, text: str) -> str:
        if "%" not in text:
            return text
        first, *parts = text.encode().split(b"%")
        done = bytearray(first)
        for part in parts:
            done.append(_PERCENT)
            self._append(done, part)
        try:
            decoded = done.decode()
        except UnicodeDecodeError:
            raise BadUri(text) from None
        if _FORBIDDEN.search(decoded) or _marks(decoded) != _marks(text):
            raise BadUri(text)
        return decoded

    def _append(self, done: bytearray, part: bytes) -> None:
        for index, byte in enumerate(part):
            if _PERCENT not in done[-2:]:
                done += part[index:]
                return
            self._steps -= 1
            if self._steps < 0:
                raise UriTooLarge(part[:20])
            done.append(byte)
            _collapse(done)


def _collapse(done: bytearray) -> None:
    while (
        len(done) >= 3
        and done[-3] == _PERCENT
        and done[-2] in _HEX
        and done[-1] in _HEX
    ):
        done[-3:] = bytes((int(done[-2:], 16),))


def _marks(text: str) -> int:
    """An escape must not turn into a character that stands for a wildcard."""
    return text.count(_RUN) + text.count(_ONE)

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
from urllib.parse import unquote_to_bytes

from policies.globs import Glob, Matcher, Token, Wild, matcher

# Decoding one URI takes at most this many steps, over all rounds: one for each
# escape and for each so many characters. Nor may it have more segments.
MOST_STEPS = 20_000
STEP_LENGTH = 64

# Noncharacters stand for wildcards while a glob is normalized.
_RUN, _ONE = "\ufdd0", "\ufdd1"
_WILD = {_RUN: Wild.RUN, _ONE: Wild.ONE}

_SCHEME = re.compile(r"([A-Za-z\ufdd0\ufdd1][A-Za-z0-9+.\-\ufdd0\ufdd1]*):")
_HOST = re.compile(
    r"(\[[0-9A-Za-z:.%\-_~]+\]|[^\[\]@:]*)(?::([0-9\ufdd0\ufdd1]*))?", re.DOTALL
)
_FORBIDDEN = re.compile(r"[\x00-\x1f\x7f-\x9f\\]")
_BAD_ESCAPE = re.compile("%(?![0-9A-Fa-f]{2})")


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
    if _forbidden(text) or _BAD_ESCAPE.search(text):
        raise BadUri(text)
    text, sharp, fragment = text.partition("#")
    text, mark, query = text.partition("?")
    match = _SCHEME.match(text)
    if match is None:
        raise BadUri(text)
    scheme, path, decode = match[1].lower(), text[match.end() :], _Decoder().decode
    front = ""
    if path.startswith("//"):
        authority, slash, path = path[2:].partition("/")
        path = slash + path
        front = "//" + _authority(authority, decode)
    elif scheme == "file" and path.startswith("/"):
        front = "//" + _authority("", decode)  # RFC 8089: file:/a is file:///a
    back = mark + decode(query) + sharp + decode(fragment)
    return f"{scheme}:{front}{_without_dots(decode(path))}{back}"


def _forbidden(text: str) -> bool:
    # The first half is a tenth of the work, and settles it for nearly all.
    plain = text.isprintable() and "\\" not in text
    return not plain and _FORBIDDEN.search(text) is not None


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
    def __init__(self) -> None:
        self._steps = MOST_STEPS

    def decode(self, text: str) -> str:
        """Round by round: what is no UTF-8 in between does not parse either."""
        while "%" in text:
            self._steps -= text.count("%") + len(text) // STEP_LENGTH
            if self._steps < 0:
                raise UriTooLarge(text[:20])
            try:
                decoded = unquote_to_bytes(text).decode()
            except UnicodeDecodeError:
                raise BadUri(text) from None
            if _forbidden(decoded) or _marks(decoded) != _marks(text):
                raise BadUri(text)
            if decoded == text:
                break
            text = decoded
        return text


def _marks(text: str) -> int:
    """An escape must not turn into a character that stands for a wildcard."""
    return text.count(_RUN) + text.count(_ONE)

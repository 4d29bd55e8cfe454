"""URIs: as sent, and normalized."""

from __future__ import annotations

import re
from functools import lru_cache

from tests.policies.reference.globs import matches, parts

ANY_RUN, ANY_ONE = "\ue000", "\ue001"


class BadUri(Exception):
    pass


@lru_cache(10_000)
def normalized(uri: str) -> str:
    """Raises BadUri."""
    if re.search(r"%(?![0-9A-Fa-f]{2})", uri):
        raise BadUri("bad escape")
    refuse_characters(uri)
    found = re.fullmatch(
        r"([A-Za-z][A-Za-z0-9+.-]*):(?://([^/?#]*))?([^?#]*)(?:\?([^#]*))?(?:#(.*))?",
        uri,
    )
    if not found:
        raise BadUri("no scheme")
    scheme, authority, path, query, fragment = found.groups()
    result = scheme.lower() + ":"
    if authority is not None:
        result += "//" + normal_authority(authority)
    result += without_dots(decoded(path))
    if query is not None:
        result += "?" + decoded(query)
    if fragment is not None:
        result += "#" + decoded(fragment)
    return result


def refuse_characters(text: str) -> None:
    if re.search(r"[\x00-\x1f\x7f-\x9f\\]", text):
        raise BadUri("control character or backslash")


def decoded(part: str) -> str:
    """Percent-decoded until stable."""
    while True:
        again = decoded_once(part)
        if again == part:
            return part
        part = again


def decoded_once(part: str) -> str:
    raw = re.sub(
        rb"%([0-9A-Fa-f]{2})", lambda m: bytes.fromhex(m[1].decode()), part.encode()
    )
    try:
        text = raw.decode()
    except UnicodeDecodeError as error:
        raise BadUri("no UTF-8") from error
    refuse_characters(text)
    return text


def normal_authority(authority: str) -> str:
    user, at, place = authority.rpartition("@")
    found = re.fullmatch(r"(\[[0-9A-Fa-f:.]+\]|[^:\[\]]*)(:[0-9]*)?", place)
    if not found:
        raise BadUri("host")
    host = decoded(found[1]).lower() or "localhost"
    return decoded(user) + at + host + (found[2] or "")


def without_dots(path: str) -> str:
    """RFC 3986, 5.2.4."""
    rest, done = path, ""
    while rest:
        if rest.startswith("../"):
            rest = rest[3:]
        elif rest.startswith(("./", "/./")):
            rest = rest[2:]
        elif rest == "/.":
            rest = "/"
        elif rest.startswith("/../"):
            rest, done = rest[3:], done.rpartition("/")[0]
        elif rest == "/..":
            rest, done = "/", done.rpartition("/")[0]
        elif rest in (".", ".."):
            rest = ""
        else:
            end = rest.find("/", 1)
            end = len(rest) if end < 0 else end
            done, rest = done + rest[:end], rest[end:]
    return done


@lru_cache(10_000)
def normalized_glob(glob: str) -> str:
    """Its wildcards stand aside meanwhile: none is part of a URI's syntax, and
    what an escape decodes to is a character."""
    aside = {"any run": ANY_RUN, "any one": ANY_ONE}
    text = "".join(aside.get(kind, character) for kind, character in parts(glob))
    try:
        result = normalized(text)
    except BadUri:
        return glob
    result = re.sub(r"([*?\\])", r"\\\1", result)
    return result.replace(ANY_RUN, "*").replace(ANY_ONE, "?")


def either_form(glob: str, uri: str) -> bool:
    return matches(glob, uri) or matches(normalized_glob(glob), normalized(uri))


def both_forms(glob: str, uri: str) -> bool:
    return matches(glob, uri) and matches(normalized_glob(glob), normalized(uri))

"""Cutting one page of a registry into its entries before any of them is decoded.

A page is `{"servers": [entry, ...], "metadata": {...}}`. Decoded as a whole, one
publisher's entry with half a surrogate, a duplicate key or hundreds of levels would
make the page unreadable, and with it everybody else's entries and the next cursor.
"""

from __future__ import annotations

import re

from servers.definitions import BadJson

MAX_ENTRIES = 1000
SPACE = b" \t\r\n"
# A string without its end is a token too: to look for its end again and again, from
# each quote in it, would take the square of its length.
_TOKEN = re.compile(rb'"(?:[^"\\]|\\.)*+("?)|[\[\]{},]', re.DOTALL)
_MEMBER = re.compile(rb'\s*"((?:[^"\\]|\\.)*+)"\s*:(.*)', re.DOTALL)
_STEPS = {ord("["): 1, ord("{"): 1, ord("]"): -1, ord("}"): -1}
_COMMA, _QUOTE = ord(","), ord('"')


def split(body: bytes) -> tuple[list[bytes], bytes]:
    """The JSON texts of the entries, not decoded yet, and that of the metadata.

    Raises `BadJson` for what is no such page.
    """
    members = dict(map(_member, _parts(body, b"{", b"}")))
    servers = members.get(b"servers")
    if servers is None:
        raise BadJson("it has no servers.")
    # Go writes an empty list as null.
    entries = [] if servers.strip(SPACE) == b"null" else _parts(servers, b"[", b"]")
    if len(entries) > MAX_ENTRIES:
        raise BadJson(f"it has more than {MAX_ENTRIES} entries.")
    return entries, members.get(b"metadata", b"{}")


def _member(text: bytes) -> tuple[bytes, bytes]:
    found = _MEMBER.fullmatch(text)
    if found is None:
        raise BadJson("it is no JSON object.")
    return found[1], found[2]


def _parts(text: bytes, opening: bytes, closing: bytes) -> list[bytes]:
    """What stands between the commas of the outermost list or object."""
    text = text.strip(SPACE)
    if text[:1] != opening or text[-1:] != closing:
        raise BadJson(f"it does not run from {opening.decode()} to {closing.decode()}.")
    commas = _commas(text)
    if not commas and not text[1:-1].strip(SPACE):
        return []
    edges = [0, *commas, len(text) - 1]
    return [text[a + 1 : b] for a, b in zip(edges, edges[1:], strict=False)]


def _commas(text: bytes) -> list[int]:
    """Where the outermost commas stand."""
    commas, depth, last = [], 0, len(text) - 1
    for token in _TOKEN.finditer(text):
        at = token.start()
        sign = text[at]
        if sign == _QUOTE and not token[1]:
            raise BadJson("a text in it has no end.")
        if sign == _COMMA and depth == 1:
            commas.append(at)
        depth += _STEPS.get(sign, 0)
        if depth < 1 and at < last:
            raise BadJson("it ends before its end.")
    if depth:
        raise BadJson("it has no end.")
    return commas

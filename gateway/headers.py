"""Request headers that mirror the body, and their values. Pure.

A header that a router in between may read must say what the body says; a duplicate
is refused, because two readers would take different copies.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import jiter

from gateway.errors import HeaderMismatch

VERSION, METHOD, NAME = b"mcp-protocol-version", b"mcp-method", b"mcp-name"
SESSION, PARAM = b"mcp-session-id", b"mcp-param-"
_ONCE = frozenset(
    {
        b"host",
        b"origin",
        b"authorization",
        b"content-type",
        b"content-length",
        b"content-encoding",
        VERSION,
        METHOD,
        NAME,
        SESSION,
    }
)
_SENTINEL = re.compile(r"=\?base64\?(.*)\?=", re.DOTALL)
_SAFE = re.compile(r"[\x20-\x7e]*")
_DECIMAL = re.compile(r"(-?[0-9]{1,400})(?:\.0{1,400})?")

Path = tuple[str, ...]
List = list[tuple[bytes, bytes]]


def once(raw: Sequence[tuple[bytes, bytes]]) -> dict[bytes, bytes]:
    """By name; raises HeaderMismatch for one that matters here and was sent twice."""
    found = dict(raw)
    if len(found) < len(raw):
        names = Counter(name for name, _ in raw)
        for name, count in names.items():
            if count > 1 and (name in _ONCE or name[:10] == PARAM):
                raise HeaderMismatch(f"The header {_shown(name)} was sent twice")
    return found


def _shown(name: bytes) -> str:
    return name.decode("latin-1").title()[:100]


def encode(text: str) -> bytes:
    """Printable ASCII as it is; anything else in the `=?base64?...?=` form."""
    if _SAFE.fullmatch(text) and text == text.strip() and not _SENTINEL.fullmatch(text):
        return text.encode()
    return b"=?base64?" + base64.b64encode(text.encode()) + b"?="


def decode(value: bytes) -> str | None:
    """None for a spoiled base64 form, which therefore equals nothing."""
    text = value.decode("latin-1")
    wrapped = _SENTINEL.fullmatch(text)
    if wrapped is None:
        return text
    try:
        content = base64.b64decode(wrapped[1], validate=True)
        if base64.b64encode(content).decode() != wrapped[1]:
            return None
        return content.decode()
    except (binascii.Error, ValueError):
        return None


def check_mirrors(
    headers: Mapping[bytes, bytes], method: str, name: str | None, *, required: bool
) -> None:
    """`Mcp-Method` and `Mcp-Name` say what the body says. Where the revision does not
    require them they may be missing, but never differ."""
    told, named = headers.get(METHOD), headers.get(NAME)
    if told != method.encode():
        _same(told, method, "Mcp-Method", required)
    if name is not None and named != name.encode():
        _same(named, name, "Mcp-Name", required)


def _same(value: bytes | None, text: str, header: str, required: bool) -> None:
    if value is None:
        if required:
            raise HeaderMismatch(f"The header {header} is missing")
    elif decode(value) != text:
        raise HeaderMismatch(f"The header {header} differs from the body")


def declared(schema: object) -> dict[Path, tuple[str, str]]:
    """Path of each argument that a tool mirrors -> (header, JSON type).

    Only what conforming clients send: a chain of `properties`, of a plain type, with
    a token that no other has. A schema that breaks a rule mirrors nothing.
    """
    found: dict[Path, tuple[str, str]] = {}
    stack: list[tuple[Path, object]] = [((), schema)]
    while stack:
        path, node = stack.pop()
        if not isinstance(node, dict):
            continue
        if "x-mcp-header" in node:
            token, kind = node["x-mcp-header"], node.get("type")
            if not path or not _valid(token, kind):
                return {}
            found[path] = (f"mcp-param-{token.lower()}", str(kind))
        properties = node.get("properties")
        if isinstance(properties, dict):
            stack.extend(((*path, key), sub) for key, sub in properties.items())
    names = {header for header, _ in found.values()}
    return found if len(names) == len(found) else {}


_TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_KINDS = frozenset({"string", "integer", "boolean"})


def _valid(token: object, kind: object) -> bool:
    return (
        isinstance(token, str)
        and _TOKEN.fullmatch(token) is not None
        and isinstance(kind, str)
        and kind in _KINDS
    )


def check_params(
    headers: Mapping[bytes, bytes],
    declared: Mapping[Path, tuple[str, str]],
    arguments: object,
) -> None:
    """Every `Mcp-Param-*` header that the tool declares equals its argument, and is
    there where the argument is. Others are not looked at: they are not sent on."""
    for path, (header, kind) in declared.items():
        value, sent = _rendered(arguments, path), headers.get(header.encode())
        shown = header.title()
        if sent is None and value is not None:
            raise HeaderMismatch(f"The header {shown} is missing")
        if sent is not None and not _agrees(decode(sent), value, kind):
            raise HeaderMismatch(f"The header {shown} differs from its argument")


def _agrees(sent: str | None, value: str | None, kind: str) -> bool:
    if sent is None or value is None:
        return False
    if kind == "integer":
        left, right = _DECIMAL.fullmatch(sent), _DECIMAL.fullmatch(value)
        if left and right:
            return int(left[1]) == int(right[1])
    return sent == value


def params(
    declared: Mapping[Path, tuple[str, str]], arguments: object
) -> list[tuple[bytes, bytes]]:
    """The `Mcp-Param-*` headers to send upstream with these arguments."""
    return [
        (header.encode(), encode(value))
        for path, (header, _) in declared.items()
        if (value := _rendered(arguments, path)) is not None
    ]


def _rendered(node: Any, path: Path) -> str | None:
    for key in path:
        if not isinstance(node, dict):
            return None
        node = node.get(key)
    if isinstance(node, bool):
        return "true" if node else "false"
    if isinstance(node, str | int | float | jiter.LosslessFloat):
        return str(node)
    return None

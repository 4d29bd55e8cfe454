"""Tool definitions as the server lists them: canonical text, fingerprint, odd names.

The text is RFC 8785 (JSON Canonicalization Scheme), so key order and spelling of
numbers are no change. Whole numbers beyond 2^53 take their double, as that RFC says.
"""

from __future__ import annotations

import hashlib
import json
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import jiter
import rfc8785

MAX_TOOLS = 5000
MAX_DEFINITION = 256 * 1024
MAX_NAME = 1000
MAX_DEPTH = 64
MAX_EXACT = 2**53 - 1
_PLAIN_NAME = re.compile(r"[A-Za-z0-9_.\-/]{1,128}")


class BadJson(ValueError):
    """The text says what is wrong with it."""


@dataclass(frozen=True, slots=True)
class Definition:
    """`twice`: the server lists the name more than once, with differing definitions."""

    name: str
    text: str
    fingerprint: str
    twice: bool = False


def decode(body: bytes) -> Any:
    """One JSON value without duplicate keys, NaN or half surrogates.

    Raises `BadJson`.
    """
    try:
        return jiter.from_json(body, allow_inf_nan=False, catch_duplicate_keys=True)
    except ValueError as error:
        raise BadJson(str(error)) from None


def canonical(value: Any) -> str:
    """RFC 8785 text. Raises `BadJson` for what has none."""
    try:
        return rfc8785.dumps(_doubles(value, MAX_DEPTH)).decode()
    except (rfc8785.CanonicalizationError, OverflowError, UnicodeError) as error:
        raise BadJson(str(error)) from None


def fingerprint(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def read_tools(listed: Iterable[Any]) -> tuple[list[Definition], list[str]]:
    """The definitions of one server, and what is wrong with those left out.

    A tool that is left out is unknown to every policy: its calls are refused.
    """
    found: dict[str, Definition] = {}
    problems = []
    for number, tool in enumerate(listed, 1):
        try:
            one = _read_tool(tool)
        except BadJson as error:
            problems.append(f"Tool {number} is left out: {error}")
            continue
        known = found.setdefault(one.name, one)
        if known.fingerprint != one.fingerprint and not known.twice:
            found[one.name] = replace(known, twice=True)
    if len(found) > MAX_TOOLS:
        problems.append(f"Only the first {MAX_TOOLS} of {len(found)} tools are kept.")
    return list(found.values())[:MAX_TOOLS], problems


def is_plain(name: str) -> bool:
    return _PLAIN_NAME.fullmatch(name) is not None


def folded(name: str) -> str:
    """Names that people and other programs may take for the same are equal here."""
    return unicodedata.normalize("NFKC", name).casefold()


def pretty(text: str) -> str:
    """Canonical text for reading, with everything beyond ASCII escaped.

    Escaped, because bidirectional and invisible characters must be seen.
    """
    return json.dumps(json.loads(text), indent=2, ensure_ascii=True)


def printable(text: str, most: int) -> str:
    """What a server said, on one line, without characters that cannot be seen."""
    kept = "".join(char if char.isprintable() else " " for char in text)
    return " ".join(kept.split())[:most].strip()


def _read_tool(tool: Any) -> Definition:
    if not isinstance(tool, dict):
        raise BadJson("it is no object.")
    name = tool.get("name")
    if not isinstance(name, str) or not 0 < len(name) <= MAX_NAME or "\0" in name:
        raise BadJson(f"its name is no text of 1 to {MAX_NAME} characters.")
    text = canonical(tool)
    if len(text) > MAX_DEFINITION:
        raise BadJson(f"its definition is larger than {MAX_DEFINITION // 1024} KiB.")
    return Definition(name, text, fingerprint(text))


def _doubles(value: Any, depth: int) -> Any:
    if depth < 0:
        raise BadJson(f"it is nested deeper than {MAX_DEPTH} levels.")
    if isinstance(value, dict):
        return {key: _doubles(each, depth - 1) for key, each in value.items()}
    if isinstance(value, list):
        return [_doubles(each, depth - 1) for each in value]
    if isinstance(value, int) and abs(value) > MAX_EXACT:
        return float(value)
    return value

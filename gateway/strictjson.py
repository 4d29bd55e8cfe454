"""Strict JSON: what is judged is what is forwarded. Pure.

A text that orjson reads and writes back unchanged holds no duplicate key, no lone
surrogate and no number with other digits than its own. Every other text must be read
by orjson and by a parser that refuses duplicate keys and keeps the digits of numbers;
it is then written again with these digits.

Counting colons to find duplicate keys is not a check: strings hold colons too.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import jiter
import orjson

MAX_BYTES = 1024 * 1024
MAX_DEPTH = 64
_read, _write = orjson.loads, orjson.dumps
_INT64, _UINT64 = -(2**63), 2**64 - 1


class BadJSON(ValueError):
    """The text says what is wrong, for the one who sent it."""


def loads(body: bytes) -> Any:
    """Numbers whose digits a double would not give back are `jiter.LosslessFloat`."""
    try:
        value = _read(body)
        if _write(value) != body:
            value = _lossless(body)
    except orjson.JSONDecodeError as error:
        raise BadJSON(f"Not strict JSON: {error}") from None
    except TypeError:  # deeper than orjson writes
        raise BadJSON("Nested deeper than 64 levels") from None
    if body.count(b"{") + body.count(b"[") > MAX_DEPTH:
        _refuse_deep(value)
    return value


def dumps(value: Any) -> bytes:
    try:
        return orjson.dumps(value, default=_own_digits)
    except TypeError:  # integers past 64 bits never reach the default hook
        return orjson.dumps(_with_own_digits(value), default=_own_digits)


def _lossless(body: bytes) -> Any:
    try:
        return jiter.from_json(
            body,
            allow_inf_nan=False,
            catch_duplicate_keys=True,
            float_mode="lossless-float",
        )
    except ValueError as error:
        raise BadJSON(f"Not strict JSON: {error}") from None


def _own_digits(value: Any) -> orjson.Fragment:
    if isinstance(value, jiter.LosslessFloat):
        return orjson.Fragment(bytes(value))
    raise TypeError(f"{type(value).__name__} is no JSON value")


def _with_own_digits(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _with_own_digits(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_with_own_digits(item) for item in value]
    if isinstance(value, int) and not _INT64 <= value <= _UINT64:
        return orjson.Fragment(str(value).encode())
    return value


def _refuse_deep(value: Any) -> None:
    level, depth = _containers([value]), 0
    while level:
        depth += 1
        if depth > MAX_DEPTH:
            raise BadJSON("Nested deeper than 64 levels")
        level = [
            inner
            for node in level
            for inner in _containers(node.values() if isinstance(node, dict) else node)
        ]


def _containers(values: Iterable[Any]) -> list[Any]:
    return [value for value in values if isinstance(value, dict | list)]

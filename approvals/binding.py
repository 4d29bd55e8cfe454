"""What makes two calls one: canonical arguments, and the digest over all that binds.

Canonical is RFC 8785. A number that a double would change is not a number there; it
keeps its exact value here, as otherwise two calls with different numbers would be one.
"""

from __future__ import annotations

import json
import re
from hashlib import sha256
from typing import Any

import jiter
import rfc8785

from policies.digest import digest_of
from policies.numbers import exact

# Places of a decimal that are written out rather than with an exponent.
MOST_ZEROS = 40
_LITERAL = re.compile(r"(-?)([0-9]+)(?:\.([0-9]+))?(?:[eE]([+-]?[0-9]+))?")


def canonical(arguments: bytes) -> str:
    """`arguments` is JSON that the strict decode has let through."""
    value = jiter.from_json(arguments, allow_inf_nan=False, float_mode="lossless-float")
    return _written(value)


def digest(text: str) -> str:
    """Hex SHA-256."""
    return sha256(text.encode()).hexdigest()


def binding(*parts: str) -> str:
    """Hex SHA-256 over all parts, in their order."""
    return digest_of(list(parts))


def _written(value: Any) -> str:
    if isinstance(value, dict):
        members = sorted(value.items(), key=lambda member: _utf16(member[0]))
        inner = ",".join(f"{_text(k)}:{_written(v)}" for k, v in members)
        return "{" + inner + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(_written, value)) + "]"
    if isinstance(value, str):
        return _text(value)
    if value is None or isinstance(value, bool):
        return json.dumps(value)
    return _number(value)


def _utf16(key: str) -> bytes:
    """RFC 8785 sorts by UTF-16 code units."""
    return key.encode("utf-16-be")


def _text(value: str) -> str:
    return json.dumps(value, ensure_ascii=False)


def _number(value: int | float | jiter.LosslessFloat) -> str:
    double = exact(value)
    if double is not None:
        return rfc8785.dumps(float(double)).decode()
    literal = str(value)
    if isinstance(value, jiter.LosslessFloat):
        literal = bytes(value).decode()
    match = _LITERAL.fullmatch(literal)
    if match is None or len(match[4] or "") > 18:
        return literal
    sign, whole, fraction, power = match.groups()
    digits = f"{whole}{fraction or ''}"
    exponent = int(power or 0) - len(fraction or "")
    kept = digits.rstrip("0")
    exponent += len(digits) - len(kept)
    return sign + _decimal(kept.lstrip("0"), exponent)


def _decimal(digits: str, exponent: int) -> str:
    if 0 <= exponent <= MOST_ZEROS:
        return digits + "0" * exponent
    if -MOST_ZEROS <= exponent < 0:
        padded = digits.rjust(1 - exponent, "0")
        return f"{padded[:exponent]}.{padded[exponent:]}"
    return f"{digits}e{exponent}"

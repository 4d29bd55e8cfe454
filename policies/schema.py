"""Arguments held against a tool's pinned `inputSchema`.

The schema comes from the server: it is compiled without network and with a
regex engine that is linear in time. One that cannot be accepts nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any, NoReturn

import jsonschema_rs
from jiter import LosslessFloat

from policies.numbers import exact
from policies.shapes import CannotShape, shape_of

Validator = Callable[[object], bool]

MOST_LEVELS = 128


class _Refused(Exception):
    pass


def _refuse(uri: str) -> NoReturn:
    raise _Refused(uri)


def _nothing(args: object) -> bool:
    return False


def plain_validator(schema: Mapping[str, object] | None) -> Validator:
    if schema is None:
        return _nothing
    compiled = compile_schema(dict(schema))
    if compiled is None:
        return _nothing
    return lambda args: compiled(_decoded(args))


def strict_validator(schema: Mapping[str, object] | None) -> Validator:
    """And no object holds a key besides those declared."""
    if schema is None:
        return _nothing
    compiled = compile_schema(dict(schema))
    try:
        shape = compile_schema(shape_of(dict(schema)))
    except CannotShape:
        return _nothing
    if compiled is None or shape is None:
        return _nothing

    def accepts(args: object) -> bool:
        decoded = _decoded(args)
        return compiled(decoded) and shape(decoded)

    return accepts


def compile_schema(schema: dict[str, Any]) -> Validator | None:
    """None where it cannot be compiled."""
    try:
        validator = jsonschema_rs.validator_for(
            schema, retriever=_refuse, pattern_options=jsonschema_rs.RegexOptions()
        )
    except (ValueError, TypeError, jsonschema_rs.ReferencingError):
        return None
    return _guarded(validator)


def _guarded(validator: Any) -> Validator:
    def valid(args: object) -> bool:
        try:
            return bool(validator.is_valid(args))
        except ValueError:
            return False

    return valid


def _decoded(value: object) -> object:
    """Numbers kept with their own digits become numbers; no arguments are none."""
    if value is None:
        return {}
    return _replaced(value) if _holds_lossless(value) else value


def _holds_lossless(value: object) -> bool:
    if type(value) is dict:
        return any(map(_holds_lossless, value.values()))
    if type(value) is list:
        return any(map(_holds_lossless, value))
    return type(value) is LosslessFloat


def _replaced(value: object) -> object:
    if type(value) is dict:
        return {key: _replaced(inner) for key, inner in value.items()}
    if type(value) is list:
        return [_replaced(inner) for inner in value]
    if type(value) is not LosslessFloat:
        return value
    number = exact(value)
    if number is not None:
        return number
    try:
        return value.as_decimal()
    except InvalidOperation:
        return Decimal("Infinity")

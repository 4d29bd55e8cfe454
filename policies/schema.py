"""Arguments held against a tool's pinned `inputSchema`.

The schema comes from the server: it is compiled without network and with a
regex engine that is linear in time. One that cannot be accepts nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import InvalidOperation
from typing import Any, NoReturn

import jsonschema_rs
from jiter import LosslessFloat

from policies.numbers import exact
from policies.shapes import CannotShape, shape_of

Validator = Callable[[object], bool]

# Comparing longer numbers exactly takes longer than a call may.
MOST_DIGITS = 4_300


class _Refused(Exception):
    """The schema asks for the network."""


class _Unreadable(Exception):
    """A number that cannot be held against a schema."""


def _refuse(uri: str) -> NoReturn:
    raise _Refused(uri)


def _nothing(args: object) -> bool:
    return False


def plain_validator(schema: Mapping[str, object] | None) -> Validator:
    return _nothing if schema is None else _all_of(compile_schema(dict(schema)))


def strict_validator(schema: Mapping[str, object] | None) -> Validator:
    """And no object holds a key besides those declared."""
    if schema is None:
        return _nothing
    try:
        shape = shape_of(dict(schema))
    except CannotShape:
        return _nothing
    return _all_of(compile_schema(dict(schema)), compile_schema(shape))


def _all_of(*validators: Validator | None) -> Validator:
    made = [validator for validator in validators if validator is not None]
    if len(made) < len(validators):
        return _nothing

    first, others = made[0], made[1:]

    def accepts(args: object) -> bool:
        try:
            decoded = _decoded(args)
        except _Unreadable:
            return False
        if not first(decoded):
            return False
        return not others or all(valid(decoded) for valid in others)

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
    if type(value) is dict and _PLAIN.issuperset(map(type, value.values())):
        return value
    if value is None:
        return {}
    return _replaced(value) if _holds_lossless(value) else value


# Values that hold no other: most objects hold nothing else, and are looked through
# without a call for each.
_PLAIN = frozenset({str, int, float, bool, type(None)})


def _holds_lossless(value: object) -> bool:
    if type(value) is dict:
        inner = value.values()
    elif type(value) is list:
        inner = value  # type: ignore[assignment]
    else:
        return type(value) is LosslessFloat
    return not _PLAIN.issuperset(map(type, inner)) and any(map(_holds_lossless, inner))


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
    if len(bytes(value)) > MOST_DIGITS:
        raise _Unreadable
    try:
        return value.as_decimal()
    except InvalidOperation:
        raise _Unreadable from None

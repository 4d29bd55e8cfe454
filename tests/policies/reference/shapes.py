"""Shapes of JSON values; each check gives the places of what is wrong."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tests.policies.reference.exact import Number, escape

Places = Iterator[str]


def an_object(
    value: Any, place: str, keys: dict[str, Any], required: tuple[str, ...] = ()
) -> Places:
    """`keys` maps each key that may stand here to its check."""
    if not isinstance(value, dict):
        yield place
        return
    for key in required:
        if key not in value:
            yield place
    for key, inner in value.items():
        where = f"{place}/{escape(key)}"
        if key in keys:
            yield from keys[key](inner, where)
        else:
            yield where


def a_list(check, filled: bool = False):
    def checked(value: Any, place: str) -> Places:
        if not isinstance(value, list) or (filled and not value):
            yield place
            return
        for i, item in enumerate(value):
            yield from check(item, f"{place}/{i}")

    return checked


def that(accepts):
    """A check from a yes-or-no question about the value."""

    def checked(value: Any, place: str) -> Places:
        if not accepts(value):
            yield place

    return checked


def one_of(*words: Any):
    return that(lambda value: isinstance(value, str) and value in words)


a_string = that(lambda value: isinstance(value, str))
a_boolean = that(lambda value: isinstance(value, bool))
anything = that(lambda value: True)
a_name = that(lambda value: isinstance(value, str) and value != "")


def whole(value: Any, least: int, most: float = float("inf")) -> bool:
    """A number without a fraction, within bounds."""
    return (
        isinstance(value, Number)
        and value.value is not None
        and value.value == value.value.to_integral_value()
        and least <= value.value <= most
    )


def good_glob(value: Any) -> bool:
    if not isinstance(value, str) or not 0 < len(value) <= 128:
        return False
    backslashes = len(value) - len(value.rstrip("\\"))
    return backslashes % 2 == 0


a_glob = that(good_glob)
a_mode = one_of("enforce", "watch")

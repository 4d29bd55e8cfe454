"""JSON as the page reads it: exact numbers, and no key twice."""

from __future__ import annotations

import json
from decimal import Decimal
from functools import lru_cache
from math import isinf
from typing import Any


class NotJson(Exception):
    """A text that is not one JSON value with each key once."""

    def __init__(self, pointer: str, message: str) -> None:
        self.pointer = pointer
        super().__init__(f"{pointer}: {message}")


class Number:
    """A number with the digits it was written with.

    `value` is None where a double would change it: the shortest decimal that
    reads back as its double is then another number.
    """

    __slots__ = ("text", "value")

    def __init__(self, text: str) -> None:
        self.text = text
        self.value = exact_value(text)

    def __repr__(self) -> str:
        return f"Number({self.text})"


def exact_value(text: str) -> Decimal | None:
    double = float(text)
    if isinf(double):
        return None
    if double == 0:
        mantissa = text.lower().split("e")[0]
        return None if any(digit in mantissa for digit in "123456789") else Decimal(0)
    written = Decimal(text)
    return written if written == Decimal(repr(double)) else None


@lru_cache(100_000)
def number(text: str) -> Number:
    return Number(text)


class Pairs(list[Any]):
    """An object as the list of its members."""


def load(text: str) -> Any:
    """Dicts, lists, strings, booleans, None and Numbers."""
    try:
        return MEMBERS.decode(text)
    except (ValueError, RecursionError) as error:
        raise NotJson("", str(error)) from error
    except Twins:
        return without_twins(load_pairs(text), "")


def load_pairs(text: str) -> object:
    try:
        tree: object = PAIRS.decode(text)
    except (ValueError, RecursionError) as error:
        raise NotJson("", str(error)) from error
    return tree


def load_arguments(text: str) -> Any:
    """The same for arguments, whose text was checked when it was decoded."""
    return ARGUMENTS.raw_decode(text)[0]


def refuse_constant(name: str) -> object:
    raise ValueError(f"{name} is no JSON")


class Twins(Exception):
    """Some object has a key twice; `without_twins` finds which."""


def members_of(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        raise Twins
    return members


def without_twins(tree: object, pointer: str) -> object:
    if isinstance(tree, Pairs):
        members: dict[str, object] = {}
        for key, value in tree:
            where = f"{pointer}/{escape(key)}"
            if key in members:
                raise NotJson(where, "duplicate key")
            members[key] = without_twins(value, where)
        return members
    if isinstance(tree, list):
        return [without_twins(item, f"{pointer}/{i}") for i, item in enumerate(tree)]
    return tree


def escape(key: str) -> str:
    return key.replace("~", "~0").replace("/", "~1")


def decoder(**hooks: Any) -> json.JSONDecoder:
    return json.JSONDecoder(
        parse_int=number, parse_float=number, parse_constant=refuse_constant, **hooks
    )


MEMBERS = decoder(object_pairs_hook=members_of)
PAIRS = decoder(object_pairs_hook=Pairs)
ARGUMENTS = json.JSONDecoder(parse_int=number, parse_float=number)

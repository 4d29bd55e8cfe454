"""JSON texts whose numbers keep the digits that the generator chose."""

from __future__ import annotations

import re
from decimal import Decimal
from functools import cache, lru_cache
from json.encoder import c_make_encoder  # type: ignore[attr-defined]
from json.encoder import encode_basestring as plain
from json.encoder import encode_basestring_ascii as escaped
from typing import Any

from tests.policies.reference.dice import Dice

HALVES = re.compile("[\ud800-\udfff]")


class Raw(str):
    """A number as it is to be written."""


class Name(str):
    """A key that is to be written with escapes."""


def write(tree: Any) -> str:
    return "".join(ENCODE(tree, 0))


@lru_cache(100_000, typed=True)
def spelled(text: str) -> str:
    if isinstance(text, Raw):
        return str(text)
    escapes = isinstance(text, Name) or not sound(text)
    return escaped(text) if escapes else plain(text)


# What `json` itself writes with, when asked for nothing of its own.
ENCODE = c_make_encoder(None, None, spelled, None, ":", ",", False, False, True)


def sound(text: str) -> bool:
    """No half of a surrogate pair, which only an escape can write."""
    return text.isascii() or not HALVES.search(text)


def respelled(rng: Dice, number: str) -> Raw:
    """The same number in other digits."""
    return rng.choice(spellings(number))


@cache
def spellings(number: str) -> list[Raw]:
    plain = format(Decimal(number), "f")
    shifted = format(Decimal(number).scaleb(1), "f") + "e-1"
    found = []
    for zeros in ("0", "00", "000", "0000"):
        longer = plain + zeros if "." in plain else plain + ".0"
        found += [number, plain, longer, plain + "e0", plain + "E+0", shifted]
    return [Raw(text) for text in found]

"""JSON texts whose numbers keep the digits that the generator chose."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from functools import cache
from json.encoder import encode_basestring as plain
from json.encoder import encode_basestring_ascii as escaped
from random import Random
from typing import Any

HALVES = re.compile("[\ud800-\udfff]")


class Raw(str):
    """A number as it is to be written."""


def write(tree: Any) -> str:
    kind = type(tree)
    if kind is Raw:
        return str(tree)
    if kind is str:
        return plain(tree) if sound(tree) else escaped(tree)
    if kind is dict:
        members = [f"{escaped(key)}:{write(value)}" for key, value in tree.items()]
        return "{" + ",".join(members) + "}"
    if kind is list:
        return "[" + ",".join([write(item) for item in tree]) + "]"
    if kind is bool:
        return "true" if tree else "false"
    return "null" if tree is None else json.dumps(tree)


def sound(text: str) -> bool:
    """No half of a surrogate pair, which only an escape can write."""
    return text.isascii() or not HALVES.search(text)


def respelled(rng: Random, number: str) -> Raw:
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


class Deck:
    """Draws every card once before any card again."""

    def __init__(self, rng: Random, cards: list[Any]) -> None:
        self.rng = rng
        self.cards = cards
        self.left: list[Any] = []

    def draw(self) -> Any:
        if not self.left:
            self.left = self.cards[:]
            self.rng.shuffle(self.left)
        return self.left.pop()

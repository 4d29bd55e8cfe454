"""JSON texts whose numbers keep the digits that the generator chose."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from json.encoder import encode_basestring as plain
from json.encoder import encode_basestring_ascii as escaped
from random import Random
from typing import Any

HALVES = re.compile("[\ud800-\udfff]")
CONSTANTS = {None: "null", True: "true", False: "false"}


class Raw(str):
    """A number as it is to be written."""


def write(tree: Any) -> str:
    if isinstance(tree, str):
        if isinstance(tree, Raw):
            return str(tree)
        return plain(tree) if sound(tree) else escaped(tree)
    if isinstance(tree, dict):
        members = [f"{escaped(key)}:{write(value)}" for key, value in tree.items()]
        return "{" + ",".join(members) + "}"
    if isinstance(tree, list):
        return "[" + ",".join([write(item) for item in tree]) + "]"
    if tree is None or isinstance(tree, bool):
        return CONSTANTS[tree]
    return json.dumps(tree)


def sound(text: str) -> bool:
    """No half of a surrogate pair, which only an escape can write."""
    return text.isascii() or not HALVES.search(text)


def respelled(rng: Random, number: str) -> Raw:
    """The same number in other digits."""
    plain = format(Decimal(number), "f")
    longer = plain + "0" * rng.randint(1, 4) if "." in plain else plain + ".0"
    shifted = format(Decimal(number).scaleb(1), "f") + "e-1"
    return Raw(
        rng.choice([number, plain, longer, plain + "e0", plain + "E+0", shifted])
    )


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

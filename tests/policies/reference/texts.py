"""JSON texts whose numbers keep the digits that the generator chose."""

from __future__ import annotations

import json
from decimal import Decimal
from random import Random
from typing import Any


class Raw(str):
    """A number as it is to be written."""


def write(tree: Any) -> str:
    if isinstance(tree, Raw):
        return str(tree)
    if isinstance(tree, dict):
        return (
            "{" + ",".join(f"{json.dumps(k)}:{write(v)}" for k, v in tree.items()) + "}"
        )
    if isinstance(tree, list):
        return "[" + ",".join(map(write, tree)) + "]"
    return json.dumps(tree, ensure_ascii=not isinstance(tree, str) or not sound(tree))


def sound(text: str) -> bool:
    """No half of a surrogate pair, which only an escape can write."""
    return not any("\ud800" <= character <= "\udfff" for character in text)


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

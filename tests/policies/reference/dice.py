"""Seeded draws, a third of the work of those of `random`."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import Any, TypeVar

Item = TypeVar("Item")


class Dice(Random):
    """Each draw is one float times a length: that it is not even by one in 2**50
    is nothing to those who draw documents."""

    def chance(self, share: float) -> bool:
        return self.random() < share

    def choice(self, items: Sequence[Item]) -> Item:  # type: ignore[override]
        return items[int(self.random() * len(items))]

    def randint(self, least: int, most: int) -> int:
        return least + int(self.random() * (most - least + 1))

    def shuffle(self, items: list[Any]) -> None:  # type: ignore[override]
        for left in range(len(items), 1, -1):
            at = int(self.random() * left)
            items[left - 1], items[at] = items[at], items[left - 1]

    def sample(self, items: Sequence[Item], count: int) -> list[Item]:  # type: ignore[override]
        mixed = list(items)
        self.shuffle(mixed)
        return mixed[:count]


class Deck:
    """Draws every card once before any card again."""

    def __init__(self, dice: Dice, cards: list[Any]) -> None:
        self.dice = dice
        self.cards = cards
        self.left: list[Any] = []

    def draw(self) -> Any:
        if not self.left:
            self.left = self.cards[:]
            self.dice.shuffle(self.left)
        return self.left.pop()

"""Random surroundings of calls: who, when, and what was decided elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.policies.reference.dice import Dice

Context = dict[str, Any]

INSTANTS = [
    ("2026-01-05T12:00:00Z", "Etc/UTC"),
    ("2026-01-04T23:30:00Z", "Europe/Amsterdam"),
    ("2026-03-08T07:30:00Z", "America/New_York"),
    ("2026-01-05T20:00:00+09:00", "Asia/Kolkata"),
    ("2026-06-30T18:45:00Z", "Asia/Kolkata"),
]
# Many times what can be drawn of the common ones; each call has one of both.
PEOPLE, STATES = 4_000, 2_000


class Contexts:
    """Drawn beforehand, as what a document holds has no part in them."""

    def __init__(self, dice: Dice) -> None:
        self.dice = dice
        self.people = self.many(people, PEOPLE)
        self.states = self.many(state, STATES)

    def many(self, one: Callable[[Dice], Context], count: int) -> list[Context]:
        return [one(self.dice) for _ in range(count)]

    def draw(self) -> Context:
        """The caller's own to add to."""
        return self.dice.choice(self.states) | self.dice.choice(self.people)


def state(dice: Dice) -> Context:
    known: Context = {}
    if dice.chance(0.01):
        known["killed"] = True
    if dice.chance(0.015):
        known["held"] = True
    if dice.chance(0.02):
        known["known_tools"] = ["elsewhere"]
    if dice.chance(0.015):
        known["break_glass"] = "bg1"
    if dice.chance(0.3):
        known["at"], known["zone"] = dice.choice(INSTANTS)
    return known


def people(dice: Dice) -> Context:
    known: Context = {}
    if dice.chance(0.5):
        tags = dice.sample(["prod", "eu", "é"], dice.randint(0, 3))
        known["grant"] = {"label": dice.choice(["ci-1", "x"]), "tags": tags}
    if dice.chance(0.5):
        role = dice.choice(["owner", "viewer"])
        known["user"] = {"email": "a@acme.com", "role": role}
    if dice.chance(0.3):
        known["client"] = dice.choice(["claude", "é"])
    if dice.chance(0.3):
        known["verdict"] = {"category": "Destructive", "severity": "critical"}
    return known

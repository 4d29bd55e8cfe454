"""A case: a verb and an object that together mean another thing. Pure."""

from __future__ import annotations

from typing import NamedTuple

from catalog.classifier.words import listed, spelled

# Any verb or none; none; any verb of a category that changes something.
ANY, NO_VERB, CHANGING = "*", "*none", "*changing"
# Those that keep a copy, and change nothing of what it is about.
COPYING = listed("download save backup upload attach")


class Case(NamedTuple):
    """`said` must be among what the description says (`phrases`), `unsaid` must not.

    `given` are names of parameters. `alone`: whether nothing that must be given points
    at what is kept somewhere; None where it does not matter.
    """

    name: str
    category: str
    strength: float
    why: str
    verbs: str
    objects: str = ""
    near: str = ""
    said: str = ""
    unsaid: str = ""
    given: str = ""
    alone: bool | None = None


class Prepared(NamedTuple):
    """A case with its words as stems, each with the word that the table has."""

    case: Case
    verbs: frozenset[str]
    objects: dict[str, str]
    near: dict[str, str]
    given: dict[str, str]


def prepared(cases: tuple[Case, ...]) -> tuple[Prepared, ...]:
    return tuple(
        Prepared(
            case,
            listed(case.verbs),
            spelled(case.objects),
            spelled(case.near),
            spelled(case.given),
        )
        for case in cases
    )

"""Facets of the index: each value with how many it would leave, and its address.

A facet counts what is found without its own filter, so that a choice shows what the
others would give. Counts are exact up to `searching.MOST`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from catalog import searching
from catalog.questions import FACETS, Question
from catalog.searching import MOST, Match
from catalog.vocabulary import Meaning
from servers.models import Category, Severity

MOST_PUBLISHERS = 8
# Of many matches: each is counted alone.
FEWER_PUBLISHERS = 5
WORST_FIRST = [*reversed(Severity.values)]
Counts = Mapping[str, Mapping[str, int]]
TITLES = {
    "category": "What it does",
    "severity": "Severity",
    "publisher": "Publisher",
}


@dataclass(frozen=True, slots=True)
class Value:
    """`address` chooses it, or takes the choice back."""

    facet: str
    value: str
    name: str
    count: int
    chosen: bool
    address: str

    @property
    def said(self) -> str:
        return said(self.count)


@dataclass(frozen=True, slots=True)
class Facet:
    facet: str
    title: str
    values: list[Value]


def said(count: int) -> str:
    return f"{MOST:,}+" if count > MOST else f"{count:,}"


@dataclass(frozen=True, slots=True)
class Counted:
    """All matches if there are few of them, else some; counts by facet and value."""

    matches: list[Match]
    counts: dict[str, dict[str, int]]

    @property
    def many(self) -> bool:
        return len(self.matches) > MOST


def count(question: Question, meanings: Sequence[Meaning]) -> Counted:
    """Of few matches this is one query, of many it is two."""
    question = question.but()
    bases = {facet: question.without(facet) for facet in FACETS}
    asked = dict.fromkeys([question, *bases.values()])
    lists = searching.matches([searching.terms(each, meanings) for each in asked])
    among = dict(zip(asked, lists, strict=True))
    matches, found = among[question], {facet: among[bases[facet]] for facet in FACETS}
    counts = {facet: tallied(facet, each) for facet, each in found.items()}
    many = [facet for facet, each in found.items() if len(each) > MOST]
    return Counted(matches, counts | counted_alone(question, meanings, many, counts))


def few(question: Question, meanings: Sequence[Meaning]) -> int:
    """How many there are, up to `MOST` + 1."""
    return searching.counts([searching.terms(question, meanings)])[0]


def tallied(facet: str, among: list[Match]) -> dict[str, int]:
    return dict(Counter(getattr(match, facet) for match in among))


def counted_alone(
    question: Question,
    meanings: Sequence[Meaning],
    facets: list[str],
    sampled: Counts,
) -> dict[str, dict[str, int]]:
    """Of these facets each value by itself, in one query."""
    asked = [
        (facet, value)
        for facet in facets
        for value in candidates(facet, sampled[facet], getattr(question, facet))
    ]
    counts: dict[str, dict[str, int]] = {facet: {} for facet in facets}
    if not asked:
        return counts
    each = [question.but(**{facet: value}) for facet, value in asked]
    found = (
        searching.counts([searching.terms(one, meanings) for one in each])
        if meanings
        else searching.filtered([one.filters for one in each])
    )
    for (facet, value), number in zip(asked, found, strict=True):
        counts[facet][value] = number
    return counts


def candidates(facet: str, sampled: Mapping[str, int], chosen: str) -> list[str]:
    """All values of a facet; of publishers the most frequent among some matches."""
    if facet == "category":
        return list(Category.values)
    if facet == "severity":
        return WORST_FIRST
    frequent = Counter(sampled).most_common(FEWER_PUBLISHERS)
    found = [publisher for publisher, _ in frequent]
    return found if chosen in {"", *found} else [*found, chosen]


def facets(
    question: Question,
    counts: Mapping[str, Mapping[str, int]],
    names: Mapping[str, str],
) -> list[Facet]:
    """`names` of publishers by slug."""
    return [
        Facet(facet, TITLES[facet], values(question, facet, counts[facet], names))
        for facet in FACETS
    ]


def values(
    question: Question, facet: str, counts: Mapping[str, int], names: Mapping[str, str]
) -> list[Value]:
    chosen = getattr(question, facet)
    return [
        Value(
            facet,
            value,
            names.get(value, value) if facet == "publisher" else value,
            counts.get(value, 0),
            value == chosen,
            question.but(**{facet: "" if value == chosen else value}).address,
        )
        for value in ordered(facet, counts, chosen)
    ]


def ordered(facet: str, counts: Mapping[str, int], chosen: str) -> list[str]:
    """Those that would leave something, and the one chosen."""
    given = {value for value, number in counts.items() if number} | {chosen} - {""}
    if facet == "category":
        return [value for value in Category.values if value in given]
    if facet == "severity":
        return [value for value in WORST_FIRST if value in given]
    return most_frequent(given, counts, chosen)


def most_frequent(given: set[str], counts: Mapping[str, int], chosen: str) -> list[str]:
    frequent = sorted(given, key=lambda value: (-counts.get(value, 0), value))
    shown = frequent[:MOST_PUBLISHERS]
    return shown if chosen in {"", *shown} else [*shown, chosen]

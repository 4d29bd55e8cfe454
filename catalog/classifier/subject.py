"""One tool under judgement: its facts as the rules look at them. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from catalog.classifier.case import (
    ANY,
    CHANGING,
    COPYING,
    NO_VERB,
    Case,
    Prepared,
    prepared,
)
from catalog.classifier.cases import CASES
from catalog.classifier.lexicon import (
    OTHER,
    READ,
    STRONG,
    VERBS,
    Lines,
    Verb,
    verbs_by_stem,
    verbs_by_word,
)
from catalog.classifier.naming import Head, head
from catalog.classifier.parameters import Reading, readings
from catalog.classifier.words import stemmed


class Rules:
    """The tables as they are looked up."""

    def __init__(self, verbs: Lines = VERBS, cases: tuple[Case, ...] = CASES) -> None:
        self.words = verbs_by_word(verbs)
        self.stems = verbs_by_stem(self.words)
        self.cases = prepared(cases)


RULES = Rules()
_MANAGING = stemmed("manage management administer control operate")
# Parameters that point at what is kept somewhere.
_KEPT = frozenset(("id", "arn", "path", "uri", "url", "name", "file", "key", "slug"))


@dataclass
class Subject:
    facts: Mapping[str, Any]
    rules: Rules

    @cached_property
    def head(self) -> Head:
        return head(self.facts["name"], self.rules.words)

    @cached_property
    def others(self) -> frozenset[str]:
        return self.head.others

    @cached_property
    def readings(self) -> list[Reading]:
        return readings(self.facts)

    @cached_property
    def lead(self) -> frozenset[str]:
        return frozenset(self.facts["lead"])

    @cached_property
    def said(self) -> frozenset[str]:
        return frozenset(self.facts["said"])

    @cached_property
    def described(self) -> bool:
        return bool(self.facts["description"]["length"])

    @cached_property
    def opening(self) -> Verb | None:
        return self.rules.stems.get(self.facts["opening"])

    @cached_property
    def near(self) -> frozenset[str]:
        """Stems of the name, of the first sentence and of the parameters' names."""
        return self.lead | self.others | self.given

    @cached_property
    def given(self) -> frozenset[str]:
        """Stems of the parameters' names alone."""
        return frozenset().union(*(reading.stems for reading in self.readings))

    @cached_property
    def alone(self) -> bool:
        """Nothing that must be given points at what is kept somewhere."""
        return not any(
            reading.stems & _KEPT
            for reading in self.readings
            if reading.facts["required"]
        )

    @cached_property
    def manages(self) -> bool:
        """The description speaks of managing."""
        return not _MANAGING.isdisjoint(self.facts["stems"])

    @cached_property
    def told(self) -> list[Verb]:
        """Verbs of the whole description that mean one thing."""
        found = (self.rules.stems.get(word) for word in self.facts["stems"])
        return [v for v in found if v and not v.nounish and v.strength == STRONG]

    def case(
        self, verb: Verb | None, objects: frozenset[str], named: bool = True
    ) -> tuple[Case, str] | None:
        """The first case that fits, and the object or neighbour that made it fit.

        Cases that want no verb are about names: sentences are full of nouns.
        """
        for one in self.rules.cases:
            if not _verb_fits(one, verb, named) or not self._said_fits(one.case):
                continue
            thing = _first(one.objects, objects)
            near, given = _first(one.near, self.near), _first(one.given, self.given)
            if None not in (thing, near, given):
                return one.case, thing or near or given or ""
        return None

    def _said_fits(self, case: Case) -> bool:
        if case.alone is not None and case.alone != self.alone:
            return False
        if case.unsaid in self.said:
            return False
        return not case.said or case.said in self.said


def _first(wanted: dict[str, str], there: frozenset[str]) -> str | None:
    """The word wanted that is there; "" where none is wanted, None where none is."""
    if not wanted:
        return ""
    return min((wanted[stem] for stem in wanted.keys() & there), default=None)


def _verb_fits(one: Prepared, verb: Verb | None, named: bool) -> bool:
    if ANY in one.verbs:
        return named
    if verb is None:
        return NO_VERB in one.verbs
    changes = verb.category not in (READ, OTHER) and verb.word not in COPYING
    return verb.word in one.verbs or (CHANGING in one.verbs and changes)

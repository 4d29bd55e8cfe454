"""How sure a verdict is, and how severe what it found would be. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from catalog.classifier.lexicon import (
    DESTRUCTIVE,
    EXECUTE,
    FAIR,
    FINANCIAL,
    OTHER,
    PRECEDENCE,
    READ,
    WEAK,
    WRITE,
)
from catalog.classifier.naming import ANSWER
from catalog.classifier.subject import Subject
from catalog.classifier.verdicts import DOUBTFUL, Evidence, Signal
from catalog.classifier.voting import Vote

LOW, MEDIUM, HIGH, CRITICAL = "low", "medium", "high", "critical"
SEVERITIES = (LOW, MEDIUM, HIGH, CRITICAL)

BY_CATEGORY = {
    READ: LOW,
    WRITE: MEDIUM,
    EXECUTE: HIGH,
    DESTRUCTIVE: CRITICAL,
    FINANCIAL: CRITICAL,
    OTHER: LOW,
}


class Raise(NamedTuple):
    """`signal` in a tool of one of `categories` makes it at least `to`."""

    signal: str
    categories: tuple[str, ...]
    to: str
    why: str


RAISES = (
    Raise(
        "free_code", (EXECUTE,), CRITICAL, "free code can do what any other tool can"
    ),
    Raise(
        "runs_anything",
        (EXECUTE,),
        CRITICAL,
        "free code can do what any other tool can",
    ),
    Raise("free_code", (READ, OTHER), MEDIUM, "free text that may be run"),
    Raise("free_query", (READ,), MEDIUM, "a free query can reach any data there is"),
    Raise("irreversible", (READ, OTHER, WRITE), HIGH, "says that there is no way back"),
    Raise("loses_data", (WRITE,), HIGH, "says that data can be lost"),
    Raise("force", (WRITE,), HIGH, "a safeguard can be switched off"),
    Raise("everything", (WRITE,), HIGH, "one call can change everything"),
    Raise("grants_access", (WRITE,), HIGH, "what is granted outlives the call"),
    Raise("secrets", (READ,), HIGH, "secrets can be in the answer"),
    Raise(
        "reads_files",
        (READ,),
        MEDIUM,
        "any file that the server may read can be in the answer",
    ),
    Raise(
        "says_destructive",
        (READ, WRITE, OTHER, EXECUTE),
        HIGH,
        "its author calls it destructive",
    ),
    Raise("says_writing", (READ, OTHER), MEDIUM, "its author says that it writes"),
)


class Doubt(NamedTuple):
    name: str
    less: float
    why: str


# What takes confidence away from 0.98.
SURE, LEAST = 0.98, 0.05
DOUBTS = (
    Doubt("no_description", 0.45, "There is no description."),
    Doubt("no_verb", 0.2, "The name has no verb that says what it does."),
    Doubt("answer", 0.08, "The name has no verb, but ends in what is answered with."),
    Doubt("weak_verb", 0.12, "The name's verb says little by itself."),
    Doubt("fair_verb", 0.04, "The name's verb means this mostly, not always."),
    Doubt("nothing", 0.45, "Neither name nor description say what it does."),
    Doubt("disagree", 0.2, "Parts of the definition disagree."),
    Doubt(
        "near_tie", 0.15, "What speaks for another category speaks nearly as loudly."
    ),
    Doubt("told", 0.08, "The operations are named in a sentence, not listed."),
    Doubt("no_opening", 0.03, "The description does not begin with what it does."),
    Doubt("cut", 0.1, "The definition is longer than what is read of it."),
    Doubt("hints_differ", 0.15, "Its author's annotations say something worse."),
)
_DOUBTS = {doubt.name: doubt for doubt in DOUBTS}


def confidence(
    subject: Subject, votes: list[Vote], category: str, hints: Iterable[Signal]
) -> tuple[float, list[Evidence]]:
    """0.05 to 0.98, with each doubt as evidence."""
    names = [*_of_text(subject), *_of_name(subject, votes), *_of_votes(votes, category)]
    if any(hints):
        names.append("hints_differ")
    doubts = [_DOUBTS[name] for name in names]
    left = max(LEAST, SURE - sum(doubt.less for doubt in doubts))
    fields = {"no_description": "description", "no_opening": "description"}
    return round(left, 2), [
        Evidence(fields.get(d.name, "name"), (), "confidence", d.why) for d in doubts
    ]


def _of_text(subject: Subject) -> list[str]:
    if not subject.described:
        return ["no_description"]
    found = ["cut"] if subject.facts["cut"] else []
    return found if subject.opening else [*found, "no_opening"]


def _of_name(subject: Subject, votes: list[Vote]) -> list[str]:
    if not votes:
        return ["nothing"]
    verb = subject.head.verb
    if any(vote.points > 2 for vote in votes):
        return []
    if verb is None:
        return ["no_verb"]
    if subject.head.position == ANSWER:
        return ["answer"]
    strengths = {FAIR: ["fair_verb"], WEAK: ["weak_verb"]}
    return strengths.get(verb.strength, [])


def _of_votes(votes: list[Vote], category: str) -> list[str]:
    own = sum(vote.points for vote in votes if vote.category == category)
    rival = max((v.points for v in votes if v.category != category), default=0.0)
    told = [v for v in votes if v.evidence.field.startswith("parameters.operation")]
    found = ["told"] if any(v.points < 2 for v in told) else []
    if rival and own < 1.25 * rival:
        found.append("near_tie")
    return [*found, "disagree"] if rival and own < 3 * rival else found


def severity(
    category: str, signals: Iterable[Signal], sure: float, described: bool
) -> tuple[str, list[Evidence]]:
    """The category's, raised by the first of each rule that fits."""
    worst, found = BY_CATEGORY[category], list[Evidence]()
    given: Mapping[str, Signal] = {s.signal: s for s in reversed(list(signals))}
    for rule in RAISES:
        signal = given.get(rule.signal)
        if signal and category in rule.categories and _worse(rule.to, worst):
            worst = rule.to
            found.append(Evidence(signal.field, (rule.signal,), rule.to, rule.why))
    if (sure < DOUBTFUL or not described) and _worse(HIGH, worst):
        why = "A verdict in doubt is at least high, so that a person looks."
        return HIGH, [*found, Evidence("name", (), HIGH, why)]
    return worst, found


def _worse(one: str, other: str) -> bool:
    return SEVERITIES.index(one) > SEVERITIES.index(other)


def rank(category: str) -> int:
    """0 is the most harmful."""
    return PRECEDENCE.index(category)

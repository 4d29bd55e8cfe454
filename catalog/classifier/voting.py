"""What each part of a definition says of the category, with its evidence. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from catalog.classifier.lexicon import (
    DESTRUCTIVE,
    EXECUTE,
    FAIR,
    FINANCIAL,
    OTHER,
    PRECEDENCE,
    READ,
    STRONG,
    WEAK,
    WRITE,
    Verb,
)
from catalog.classifier.naming import SHARE
from catalog.classifier.parameters import (
    calls_by_name,
    operation,
    output,
    removing_switch,
    undescribed,
)
from catalog.classifier.subject import Subject
from catalog.classifier.verdicts import Evidence
from catalog.classifier.words import listed, stem, stemmed

# How loudly a source speaks, beside the strength of its word.
NAME, OPENING, OPENING_ALONE, SENTENCE, CLAIM = 1.0, 0.7, 0.9, 0.4, 0.6
UNMASKING = 1.1
OPERATION_LISTED, OPERATION_TOLD = 2.5, 1.6

# Verbs by which a description begins to speak of the act that the name says.
WRAPPERS = stemmed(
    "execute perform make call invoke run use interact manage handle "
    "provide support work do operate access"
)
KEPT = stemmed("save store stored local locally disk")
SAVERS = listed(
    "download export screenshot snapshot capture record generate dump write"
)


class Vote(NamedTuple):
    category: str
    points: float
    evidence: Evidence


def votes(subject: Subject) -> list[Vote]:
    named = list(_name(subject))
    found = [*named, *_opening(subject, named), *_operation(subject, named)]
    found += [*_claim(subject, named), *_by_name(subject, named)]
    if not found or max(vote.points for vote in found) <= WEAK:
        found += _sentence(subject)
    return [*found, *_raises(subject, found)]


def standing(found: list[Vote]) -> tuple[str, dict[str, float]]:
    """The category with the most points, the more harmful of equals."""
    points: dict[str, float] = {}
    for vote in found:
        points[vote.category] = points.get(vote.category, 0.0) + vote.points
    if not points:
        return OTHER, {}
    loudest = max(points, key=lambda c: (round(points[c], 6), -_rank(c)))
    return loudest, points


def _name(subject: Subject) -> Iterator[Vote]:
    head = subject.head
    fits = subject.case(head.verb, subject.others)
    if fits:
        case, thing = fits
        words = tuple(w for w in (head.verb and head.verb.word, thing) if w)
        yield _vote(case.category, case.strength * NAME, "name", words, case.why)
    elif head.verb:
        share = SHARE[head.position]
        words = (head.words[head.at],)
        yield _spoken(head.verb, NAME * share, "name", words)


def _opening(subject: Subject, named: list[Vote]) -> Iterator[Vote]:
    verb = subject.opening
    if verb is None:
        return
    trusted = any(vote.points > WEAK for vote in named)
    if trusted and stem(verb.word) in WRAPPERS:
        return
    rest = subject.lead - {stem(verb.word)}
    fits = None if trusted else subject.case(verb, rest, named=False)
    share = OPENING if trusted else OPENING_ALONE
    if _unmasks(verb, subject.head.verb):
        share = UNMASKING
    if fits:
        case, thing = fits
        words = tuple(w for w in (verb.word, thing) if w)
        yield _vote(
            case.category, case.strength * share, "description", words, case.why
        )
    else:
        yield _spoken(verb, share, "description", (verb.word,))


def _unmasks(verb: Verb, named: Verb | None) -> bool:
    """A text that begins with a removal outweighs a name that sounds harmless."""
    harmful = verb.category in (DESTRUCTIVE, FINANCIAL) and verb.strength == STRONG
    harmless = named is not None and named.category in (READ, OTHER)
    return harmful and harmless and not verb.nounish


def _operation(subject: Subject, named: list[Vote]) -> Iterator[Vote]:
    """A clear name is only raised by what can be chosen; an unclear one is decided."""
    rules = subject.rules
    offer = operation(subject.readings, rules.words, rules.stems)
    clear = [vote for vote in named if vote.points > WEAK]
    if offer is None or (clear and not offer.listed):
        return
    if any(_rank(offer.verb.category) >= _rank(vote.category) for vote in clear):
        return
    points = OPERATION_LISTED if offer.listed else OPERATION_TOLD
    field = f"parameters.{offer.path}"
    why = "is the most harmful of the operations that the caller can choose"
    yield _vote(offer.verb.category, points, field, (offer.word,), why)


def _claim(subject: Subject, named: list[Vote]) -> Iterator[Vote]:
    """A claim to be read-only counts where the name leaves room for it."""
    verb = subject.head.verb
    plain = verb is not None and not verb.nounish and verb.strength > WEAK
    claims = "read_only" in subject.said and "read_only_mode" not in subject.said
    if claims and not plain:
        why = "says that it only reads"
        yield _vote(READ, CLAIM, "description", ("read-only",), why)


def _sentence(subject: Subject) -> Iterator[Vote]:
    """Where neither name nor opening say anything: the first sentence's verbs."""
    verbs = [subject.rules.stems.get(word) for word in sorted(subject.lead)]
    sure = [v for v in verbs if v and not v.nounish and v.strength == STRONG]
    if not sure and all(verb.category == READ for verb in subject.told):
        sure = subject.told
    for verb in sorted(sure, key=lambda v: _rank(v.category))[:1]:
        yield _spoken(verb, SENTENCE, "description", (verb.word,))


def _by_name(subject: Subject, named: list[Vote]) -> Iterator[Vote]:
    """Of operations that the caller names, the most harmful that the text names.

    Where any can be called and the text speaks of changing, nothing bounds the effect.
    """
    caller = calls_by_name(subject.readings)
    chooser = caller or undescribed(subject.readings)
    if chooser is None or any(vote.points > WEAK for vote in named):
        return
    field = f"parameters.{chooser.path}"
    # Texts speak of starting and running whatever a tool does.
    told = [verb for verb in subject.told if verb.category not in (EXECUTE, OTHER)]
    worst = min(told, key=lambda v: (_rank(v.category), v.word), default=None)
    reads = worst is not None and worst.category == READ and not subject.manages
    if worst and (caller is None or reads or worst.category == DESTRUCTIVE):
        why = "is the most harmful operation that the description names"
        yield _vote(worst.category, OPERATION_TOLD, field, (worst.word,), why)
    elif caller:
        why = "calls any operation by its name"
        yield _vote(EXECUTE, OPERATION_TOLD, field, (chooser.name,), why)


def _raises(subject: Subject, found: list[Vote]) -> Iterator[Vote]:
    category, points = standing(found)
    most = points.get(category, 0.0)
    if category in (READ, OTHER):
        head = subject.head.verb
        makes, said = head and head.word in SAVERS, "saves_to_path" in subject.said
        place = output(subject.readings, bool(makes or said))
        kept = bool(subject.lead & KEPT)
        if makes and (said or kept) and not place:
            why = "says that what it makes is stored"
            yield _vote(WRITE, most + WEAK, "description", ("save",), why)
        if place:
            field, why = f"parameters.{place.path}", "names where the answer is stored"
            yield _vote(WRITE, most + WEAK, field, (place.name,), why)
    elif category not in (FINANCIAL, DESTRUCTIVE):
        switch = removing_switch(subject.readings, subject.rules.words)
        if switch:
            field, why = f"parameters.{switch.path}", "can be told to remove something"
            yield _vote(DESTRUCTIVE, most + FAIR, field, (switch.name,), why)


def _spoken(verb: Verb, share: float, field: str, words: tuple[str, ...]) -> Vote:
    kind = {STRONG: "", FAIR: "mostly ", WEAK: "at best "}[verb.strength]
    why = f"{kind}means {verb.category}"
    return _vote(verb.category, verb.strength * share, field, words, why)


def _vote(
    category: str, points: float, field: str, words: tuple[str, ...], why: str
) -> Vote:
    return Vote(category, points, Evidence(field, words, category, why))


def _rank(category: str) -> int:
    return PRECEDENCE.index(category)

"""Risks beside the category: what a caller can hand over, what is said. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from catalog.classifier.lexicon import EXECUTE, OTHER, READ, WRITE
from catalog.classifier.parameters import signals
from catalog.classifier.subject import Subject
from catalog.classifier.verdicts import Signal
from catalog.classifier.words import stem, stemmed

# Phrases of the description that are risks (`phrases.PHRASES`).
SAID = {
    "irreversible": "says that there is no way back",
    "loses_data": "says that data can be lost",
    "warns": "warns of itself",
    "runs_anything": "says that it runs whatever it is given",
    "overwrites": "says that it replaces what exists",
    "moves_money": "speaks of money that moves",
}
# Risks that names and annotations show.
NAMED = {
    "bulk": "acts on many things in one call",
    "secrets": "answers with what is secret",
    "grants_access": "changes who may do what",
    "reads_files": "answers with files by their path",
    "says_destructive": "its author's annotations call it destructive",
    "says_writing": "its author's annotations say that it writes",
}
BULK = stemmed("bulk batch mass all many multiple everything")
SECRETS = stemmed(
    "secret credential password passphrase api_key access_key private_key access_token"
    " auth_token connection_string"
)
ANSWERING = stemmed("get read fetch retrieve show view export decrypt")
ACCESS = stemmed("permission role policy acl access access_key api_key token admin")
GRANTS = stemmed("grant attach assign add put create")
FILES = stemmed("file document")
PATHS = stemmed("path paths file_path filepath filename")


def risks(subject: Subject, category: str) -> tuple[Signal, ...]:
    found = dict.fromkeys(
        (
            *_hints(subject, category),
            *_named(subject, category),
            *_told(subject),
            *signals(subject.readings),
        )
    )
    return tuple(found)


def _named(subject: Subject, category: str) -> Iterator[Signal]:
    words = subject.others
    verb = stem(subject.head.verb.word) if subject.head.verb else ""
    if words & BULK and category not in (READ, OTHER):
        yield _signal("bulk")
    if words & SECRETS and category == READ and verb in ANSWERING:
        yield _signal("secrets")
    if words & ACCESS and category == WRITE and verb in GRANTS:
        yield _signal("grants_access")
    if words & FILES and category == READ and _takes_path(subject):
        yield _signal("reads_files")


def _takes_path(subject: Subject) -> bool:
    return any(reading.name in PATHS for reading in subject.readings)


def _told(subject: Subject) -> Iterator[Signal]:
    for phrase in sorted(subject.said & SAID.keys()):
        yield Signal(phrase, "description", SAID[phrase])


def _hints(subject: Subject, category: str) -> Iterator[Signal]:
    """What annotations say that is worse than the verdict; nothing that is better."""
    hints = subject.facts["annotations"]
    milder = category in (READ, WRITE, OTHER, EXECUTE)
    if hints.get("destructiveHint") is True and milder:
        yield _signal("says_destructive", "annotations")
    if hints.get("readOnlyHint") is False and category in (READ, OTHER):
        yield _signal("says_writing", "annotations")


def _signal(name: str, field: str = "name") -> Signal:
    return Signal(name, field, NAMED[name])


def worse_hints(found: tuple[Signal, ...], category: str) -> list[Signal]:
    """Those that contradict the verdict, and so take confidence away."""
    doubtful = {"says_writing"}
    if category in (READ, OTHER):
        doubtful |= {"says_destructive"}
    return [signal for signal in found if signal.signal in doubtful]

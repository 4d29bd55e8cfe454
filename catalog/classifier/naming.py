"""Which word of a tool's name says what it does. Pure.

The leading verb does, else the first after what looks like a prefix, else the last word
where it is a verb. Words that name things as often as acts count only where they lead
or end. Nothing is known of servers, so no prefix of theirs decides.
"""

from __future__ import annotations

from typing import NamedTuple

from catalog.classifier.lexicon import (
    AGENTS,
    ANSWERS,
    FAIR,
    MODIFIERS,
    PRECEDENCE,
    READ,
    STATES,
    Verb,
    verbs_by_word,
)
from catalog.classifier.words import of_name, stem

LEADS, FOLLOWS, ENDS, ANSWER = "leads", "follows", "ends", "answer"
# How much of a verb's strength is left where it stands.
SHARE = {LEADS: 1.0, FOLLOWS: 0.95, ENDS: 0.9, ANSWER: 0.6}
# Methods of HTTP that lead some names: `post_search` searches.
_HTTP = frozenset(("post", "put", "patch"))
_JOINS = frozenset(("or", "and", "then"))
# After these words comes a purpose or a condition, no act.
_PURPOSE = frozenset(("to", "for", "by", "if", "of", "in", "from", "with", "on", "as"))


class Head(NamedTuple):
    """`at` is the verb's place among `words`; -1 where the name has none."""

    words: tuple[str, ...]
    at: int
    verb: Verb | None
    position: str

    @property
    def others(self) -> frozenset[str]:
        """Stems of the other words, with their pairs (`credit note`)."""
        stems = [stem(word) for word in self.words]
        kept = -1 if self.position == ANSWER else self.at
        rest = {s for i, s in enumerate(stems) if i != kept}
        return frozenset(
            rest | {" ".join(pair) for pair in zip(stems, stems[1:], strict=False)}
        )


def head(name: str, verbs: dict[str, Verb]) -> Head:
    words = tuple(of_name(name))
    known = [_verb(word, verbs) for word in words]
    start = next((i for i, word in enumerate(words) if word not in MODIFIERS), 0)
    at, position = _find(words, known, start)
    if at < 0:
        return _answer(words)
    return _joined(Head(words, at, known[at], position), known)


def _verb(word: str, verbs: dict[str, Verb]) -> Verb | None:
    """Names are in the imperative; the third person counts too (`lists`)."""
    return verbs.get(word) or (verbs.get(word[:-1]) if word == "gets" else None)


def _find(
    words: tuple[str, ...], known: list[Verb | None], start: int
) -> tuple[int, str]:
    if not words:
        return -1, ""
    pure = [i for i in range(start, len(words)) if _acts(words, known, i)]
    leader = known[start]
    if leader and words[start] in _HTTP and _reads(known, start + 1):
        return start + 1, FOLLOWS
    if words[-1] in AGENTS and known[-1] and (not leader or leader.nounish):
        return len(words) - 1, ENDS
    if leader and leader.nounish and not pure and stem(words[-1]) in STATES:
        return -1, ""
    if leader and (
        not leader.nounish or not pure or not _is_prefix(words, start, pure)
    ):
        return start, LEADS
    if pure:
        return pure[0], FOLLOWS if pure[0] < len(words) - 1 else ENDS
    for at in range(len(words) - 1, start, -1):
        verb = known[at]
        if verb and verb.category != READ and stem(words[at]) in ANSWERS:
            continue
        if verb and words[at - 1] not in _PURPOSE:
            return at, ENDS if at == len(words) - 1 else FOLLOWS
    return -1, ""


def _reads(known: list[Verb | None], at: int) -> bool:
    verb = known[at] if at < len(known) else None
    return verb is not None and verb.category == READ


def _acts(words: tuple[str, ...], known: list[Verb | None], at: int) -> bool:
    verb = known[at]
    return bool(verb and not verb.nounish and (not at or words[at - 1] not in _PURPOSE))


def _is_prefix(words: tuple[str, ...], start: int, pure: list[int]) -> bool:
    """`queue_get_message` gets; `search_by_id` and `run_create` are what they lead."""
    return pure[0] == len(words) - 1 or pure[0] == start + 1


def _joined(found: Head, known: list[Verb | None]) -> Head:
    """Of `create_or_update` and `stop_and_delete`, the more harmful."""
    best = found
    for at in range(found.at + 2, len(found.words)):
        verb = known[at]
        joined = found.words[at - 1] in _JOINS
        if joined and verb and best.verb and _rank(verb) < _rank(best.verb):
            best = found._replace(at=at, verb=verb)
    return best


def _rank(verb: Verb) -> int:
    return PRECEDENCE.index(verb.category)


def _answer(words: tuple[str, ...]) -> Head:
    """A name without a verb that ends in, or holds, what is only answered with."""
    for at in range(len(words) - 1, -1, -1):
        if stem(words[at]) in ANSWERS:
            return Head(words, at, Verb(words[at], READ, FAIR, True), ANSWER)
    return Head(words, -1, None, "")


VERBS_BY_WORD = verbs_by_word()

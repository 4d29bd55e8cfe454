"""Two servers side by side: which tools they share, and where verdicts differ. Pure.

A tool of one is paired with one of the other by its name, else by verb and object:
`list_tables` and `tables_list` do the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from catalog.classifier.naming import VERBS_BY_WORD, head
from catalog.classifier.words import stem
from catalog.config_scan import grading
from policies.recommended import Known


class Listed(NamedTuple):
    name: str
    slug: str
    category: str
    severity: str
    doubtful: bool

    @property
    def decision(self) -> str:
        """The recommended policy's."""
        return grading.decision(Known(self.name, self.category, self.doubtful))


class Pair(NamedTuple):
    one: Listed
    other: Listed

    @property
    def same_name(self) -> bool:
        return self.one.name == self.other.name

    @property
    def differs(self) -> bool:
        """In what the catalogue says of the two."""
        return self.one[2:4] != self.other[2:4]


@dataclass(frozen=True)
class Compared:
    pairs: tuple[Pair, ...]
    only_one: tuple[Listed, ...]
    only_other: tuple[Listed, ...]

    @property
    def differing(self) -> int:
        return sum(pair.differs for pair in self.pairs)


def compare(one: Sequence[Listed], other: Sequence[Listed]) -> Compared:
    """Each tool stands in one pair at most, or alone."""
    pairs, left, right = _paired(one, other, _name)
    more, left, right = _paired(left, right, _act)
    ordered = sorted([*pairs, *more], key=lambda pair: (not pair.differs, pair.one))
    return Compared(tuple(ordered), tuple(left), tuple(right))


def _paired(
    one: Iterable[Listed], other: Iterable[Listed], key: Callable[[str], object]
) -> tuple[list[Pair], list[Listed], list[Listed]]:
    waiting: dict[object, Listed] = {}
    rest: list[Listed] = []
    for tool in other:
        said = key(tool.name)
        if said is None or said in waiting:
            rest.append(tool)
        else:
            waiting[said] = tool
    pairs, left = [], []
    for tool in one:
        match = waiting.pop(key(tool.name), None)
        if match is None:
            left.append(tool)
        else:
            pairs.append(Pair(tool, match))
    return pairs, left, sorted([*waiting.values(), *rest])


def _name(name: str) -> str:
    return name


def _act(name: str) -> tuple[str, frozenset[str]] | None:
    """Verb and the other words, in any order; None where nothing says what it does."""
    found = head(name, VERBS_BY_WORD)
    if found.verb is None:
        return None
    others = (w for at, w in enumerate(found.words) if at != found.at)
    things = frozenset(stem(word) for word in others)
    return (stem(found.verb.word), things) if things else None

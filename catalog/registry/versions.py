"""Which of two versions of a server is the newer one.

Semantic versions by their own order (semver.org, section 11). Where one of the two is
none, the registry's word decides; where it says nothing, a semantic version comes
after any other, and of two others the one published later.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import Protocol

_NUMBER = r"(0|[1-9]\d*)"
_MARK = r"(?:0|[1-9]\d*|\d*[A-Za-z-][0-9A-Za-z-]*)"
_SEMANTIC = re.compile(
    rf"{_NUMBER}\.{_NUMBER}\.{_NUMBER}(?:-({_MARK}(?:\.{_MARK})*))?"
    r"(?:\+[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?",
    re.ASCII,
)
Mark = tuple[int, int, str]
Rank = tuple[int, int, int, bool, tuple[Mark, ...]]


class Published(Protocol):
    """What is compared. `latest` is None where the registry does not say."""

    @property
    def version(self) -> str: ...
    @property
    def latest(self) -> bool | None: ...
    @property
    def published_at(self) -> datetime | None: ...


def rank(version: str) -> Rank | None:
    """Its place among semantic versions; None if it is none."""
    found = _SEMANTIC.fullmatch(version)
    if found is None:
        return None
    major, minor, patch = map(int, found.group(1, 2, 3))
    marks = found[4].split(".") if found[4] else []
    return major, minor, patch, not marks, tuple(map(_mark, marks))


def follows(new: Published, version: str, published_at: datetime | None) -> bool:
    """Whether `new` is newer than the `version` that was published then."""
    ranks = rank(new.version), rank(version)
    if ranks[0] and ranks[1] and ranks[0] != ranks[1]:
        return ranks[0] > ranks[1]
    if new.latest is not None:
        return new.latest
    if bool(ranks[0]) != bool(ranks[1]):
        return ranks[0] is not None
    return _moment(new.published_at) > _moment(published_at)


def _mark(text: str) -> Mark:
    """Numbers come before words."""
    return (0, int(text), "") if text.isdigit() else (1, 0, text)


def _moment(when: datetime | None) -> float:
    return when.timestamp() if when else 0.0

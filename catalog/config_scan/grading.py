"""From tools to a grade: points by severity, letters by points. Pure.

Published as it stands here: `/scan/` shows these tables. A further tool never makes a
grade better, and one high tool makes it C at best, one critical D.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from policies.recommended import Known, balanced_entry, hides

POINTS: Mapping[str, int] = {"low": 0, "medium": 1, "high": 10, "critical": 30}
SEVERITIES = tuple(POINTS)


class Band(NamedTuple):
    """`most` points for this letter; None: no bound."""

    letter: str
    most: int | None
    words: str


BANDS = (
    Band("A", 0, "Nothing but tools of low severity."),
    Band("B", 9, "A few that change something, none of high severity."),
    Band("C", 29, "One or two of high severity, or many that change something."),
    Band("D", 99, "One to three critical tools, or several of high severity."),
    Band("E", 299, "Several critical tools."),
    Band("F", None, "Ten critical tools, or as much in others."),
)


def points(severities: Iterable[str]) -> int:
    return sum(POINTS[severity] for severity in severities)


def letter(total: int) -> str:
    return next(b.letter for b in BANDS if b.most is None or total <= b.most)


def decision(tool: Known) -> str:
    """What the recommended policy does with it: a word of the policy's decisions."""
    if hides(tool):
        return "hide"
    entry = balanced_entry(tool)
    if entry.get("action") == "require_approval":
        return "require_approval"
    return "limit" if "limits" in entry else "allow"

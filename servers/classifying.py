"""What the classifier says of a definition, kept beside it.

The classifier belongs to an app above this one: `TOOL_CLASSIFIER` of the settings names
its module, or nothing where there is none. It is pure and quick, so it is asked in the
transaction that pins a definition: none can be called before it is judged.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any, Protocol, cast

import orjson
from django.conf import settings

from servers.models import Category, Severity, ToolDefinition

log = logging.getLogger(__name__)

RANKS = {str(severity): rank for rank, severity in enumerate(Severity.values)}
FIELDS = (
    "judged_category", "judged_severity", "judged_confidence", "judged_doubtful",
    "judged_evidence", "judged_signals", "judged_version",
)  # fmt: skip
# A hostile definition gives as many reasons as it likes: these are enough to read.
MOST_REASONS, LONGEST_TEXT = 60, 300


class Verdict(Protocol):
    """`as_json()` has `evidence` and `signals`: lists of objects of texts."""

    @property
    def category(self) -> str: ...
    @property
    def severity(self) -> str: ...
    @property
    def confidence(self) -> float: ...
    @property
    def doubtful(self) -> bool: ...
    def as_json(self) -> dict[str, Any]: ...


class Classifier(Protocol):
    """The same version says the same of the same definition, everywhere."""

    VERSION: str

    def classify(self, definition: Mapping[str, Any]) -> Verdict: ...


@dataclass(frozen=True, slots=True)
class Judged:
    """One verdict, ready to be stored."""

    category: str
    severity: str
    confidence: float
    doubtful: bool
    version: str
    evidence: list[Any] = field(default_factory=list)
    signals: list[Any] = field(default_factory=list)

    @property
    def percent(self) -> int:
        return round(100 * self.confidence)

    @property
    def shown(self) -> str:
        """What a form sends back, so that nothing else is accepted."""
        return f"{self.category} {self.severity}"

    @property
    def rank(self) -> int:
        return RANKS[self.severity]

    def as_fields(self) -> dict[str, Any]:
        return {name: getattr(self, name.removeprefix("judged_")) for name in FIELDS}


def of_row(row: ToolDefinition) -> Judged | None:
    """What is kept of the pinned definition; None where it was never judged."""
    if not row.judged_version:
        return None
    return Judged(
        **{name.removeprefix("judged_"): getattr(row, name) for name in FIELDS}
    )


def version() -> str:
    """Of the classifier that judges now; empty where there is none."""
    found = _classifier()
    return found.VERSION if found else ""


def judge(definition: str) -> Judged | None:
    """Of a definition as RFC 8785 text; None where there is no classifier."""
    classifier = _classifier()
    if classifier is None:
        return None
    try:
        said = classifier.classify(orjson.loads(definition))
    except Exception:
        # Servers of all organizations are asked in one task: what one of them says
        # must not end it. What cannot be judged counts as the worst.
        log.exception("a definition could not be classified")
        return _unreadable(classifier.VERSION)
    reasons = said.as_json()
    return Judged(
        category=str(said.category),
        severity=str(said.severity),
        confidence=said.confidence,
        doubtful=said.doubtful,
        version=classifier.VERSION,
        evidence=_storable(reasons["evidence"]),
        signals=_storable(reasons["signals"]),
    )


def put(row: ToolDefinition, said: Judged | None) -> None:
    if said is not None:
        for name, value in said.as_fields().items():
            setattr(row, name, value)


def _classifier() -> Classifier | None:
    name: str = settings.TOOL_CLASSIFIER
    return cast(Classifier, import_module(name)) if name else None


def _unreadable(version: str) -> Judged:
    why = "The classifier could not read this definition, so it counts as critical."
    reason = {"field": "name", "words": [], "says": "critical", "why": why}
    return Judged(Category.OTHER, Severity.CRITICAL, 0.0, True, version, [reason])


def _storable(value: Any) -> Any:
    """Of bounded size, and without NUL, which jsonb refuses."""
    if isinstance(value, dict):
        return {key: _storable(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_storable(each) for each in value[:MOST_REASONS]]
    return (
        value[:LONGEST_TEXT].replace("\0", "\ufffd")
        if isinstance(value, str)
        else value
    )

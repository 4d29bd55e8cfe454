"""What the classifier says of one tool, and why.

Evidence and signals name the very words and fields, so that a reader can look them up
in the definition. Two equal definitions have equal verdicts, on every machine.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

DOUBTFUL = 0.6


@dataclass(frozen=True, slots=True)
class Evidence:
    """`field`: `name`, `description`, `annotations`, or `parameters.<path>`.

    `words` are those read there (stems of a description's words); `says` is what they
    speak for (a category, a severity, or `confidence`); `why` is a sentence.
    """

    field: str
    words: tuple[str, ...]
    says: str
    why: str


@dataclass(frozen=True, slots=True)
class Signal:
    """A risk beside the category, such as `free_code` in `parameters.sql`."""

    signal: str
    field: str
    why: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """`category` and `severity` are words of `servers.models`; `confidence` is 0 to 1.

    `described` says whether the definition has a description at all.
    """

    category: str
    severity: str
    confidence: float
    evidence: tuple[Evidence, ...]
    signals: tuple[Signal, ...]
    described: bool
    version: str

    @property
    def doubtful(self) -> bool:
        """Where a person should look: a drafted policy asks."""
        return self.confidence < DOUBTFUL or not self.described

    def as_json(self) -> dict[str, Any]:
        return asdict(self) | {"doubtful": self.doubtful}

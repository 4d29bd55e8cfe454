"""What one run did, for people."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from catalog.models import Status

EXAMPLES = 3
State = tuple[str, str, int]


@dataclass(slots=True)
class Notes:
    """Reasons, how often each, and the first few that it was said of."""

    counts: Counter[str] = field(default_factory=Counter)
    examples: dict[str, list[str]] = field(default_factory=dict)

    def add(self, found: list[tuple[str, str]]) -> None:
        for which, reason in found:
            self.counts[reason] += 1
            first = self.examples.setdefault(reason, [])
            if len(first) < EXAMPLES and which not in first:
                first.append(which)

    def lines(self) -> Iterator[str]:
        for reason, count in self.counts.most_common():
            yield f"  {count} x {reason}: {', '.join(self.examples[reason])}"


@dataclass(slots=True)
class Report:
    """`before` and `after` are the states of the names that changed in this run."""

    registry: str
    whole: bool
    resumed: bool = False
    pages: int = 0
    seen: int = 0
    servers: int = 0
    error: str = ""
    refused: Notes = field(default_factory=Notes)
    corrected: Notes = field(default_factory=Notes)
    before: dict[str, State | None] = field(default_factory=dict)
    after: dict[str, State] = field(default_factory=dict)

    def changed(self, name: str, before: State | None, after: State) -> None:
        self.before.setdefault(name, before)
        self.after[name] = after

    def counts(self) -> dict[str, int]:
        """Names by what became of them; a new one may be deprecated or deleted too."""
        found = dict.fromkeys(("new", "changed", "deprecated", "deleted"), 0)
        for name, after in self.after.items():
            before = self.before[name]
            if before == after:
                continue
            found["changed" if before else "new"] += 1
            status = after[1]
            if status in found and status != (before or ("", Status.ACTIVE))[1]:
                found[status] += 1
        return found | {
            "refused": self.refused.counts.total(),
            "corrected": self.corrected.counts.total(),
        }

    def lines(self) -> Iterator[str]:
        what = "everything" if self.whole else "what changed"
        resumed = ", resumed" if self.resumed else ""
        yield (
            f"{self.registry}: {what}{resumed}; {self.pages} pages, {self.seen} entries"
        )
        counts = self.counts()
        yield ", ".join(f"{number} {word}" for word, number in counts.items())
        for word, notes in (("Refused", self.refused), ("Corrected", self.corrected)):
            if notes.counts:
                yield f"{word}:"
                yield from notes.lines()
        if self.servers:
            yield f"{self.servers} servers of the catalogue have another status now"
        if self.error:
            yield f"Not finished: {self.error}"

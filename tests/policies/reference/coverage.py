"""What a run of pairs has met, and what it has met too seldom."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from tests.policies.reference.conditions import kind_of
from tests.policies.reference.documents import VARIANTS
from tests.policies.reference.engine import Answer

MET = [
    "string", "number", "boolean", "list", "object", "inexact", "null", "missing key",
    "step into null", "step into wrong type", "past the end", "empty list", "case twin",
]  # fmt: skip
DECISIONS = ["allow", "deny", "hide", "limit", "require_approval"]
WOULDS = ["deny", "limit", "require_approval"]
KINDS = ["require", "deny_if", "approve_if"]
# The id of a condition, what it met, and what came of it.
Met = tuple[int, str, str]


class Coverage:
    """Counts pairs, not conditions: a cell once a pair."""

    def __init__(self) -> None:
        self.answers: list[Answer] = []
        # Cells by number, as a tuple of tuples is hashed anew each time.
        self.numbers: dict[tuple[Any, ...], int] = {}
        self.met: list[int] = []
        # What the conditions of this pair have met; cells of each, in this document.
        self.now: set[Met] = set()
        self.seen = self.now.add
        self.places: dict[int, tuple[Any, ...]] = {}
        self.cells: dict[Met, list[int]] = {}

    def number(self, cell: tuple[Any, ...]) -> int:
        return self.numbers.setdefault(cell, len(self.numbers))

    def open(self, document: Any) -> None:
        self.places = {id(leaf): place for leaf, place in leaves(document)}
        self.cells = {}

    def close(self, answer: Answer) -> Answer:
        self.answers.append(answer)
        cells: set[int] = set()
        for one in self.now:
            cells.update(self.cells.get(one) or self.cells_of(one))
        self.met += cells
        self.now.clear()
        return answer

    def cells_of(self, one: Met) -> list[int]:
        leaf, met, result = one
        kind, depth, negated, variant = self.places[leaf]
        cells = [
            ("cell", variant, met),
            ("result", variant[0], kind == "require", result),
            ("depth", depth, negated),
            ("rule", kind, depth),
        ]
        self.cells[one] = [self.number(cell) for cell in cells]
        return self.cells[one]

    @property
    def pairs(self) -> int:
        return len(self.answers)

    def counts(self) -> Counter[tuple[Any, ...]]:
        """The pairs that have met each cell."""
        met = Counter(self.met)
        counts = Counter({cell: met[number] for cell, number in self.numbers.items()})
        counts.update(("decision", decision) for decision, _, _ in self.answers)
        counts.update(("would", would[0]) for _, _, would in self.answers if would)
        return counts

    def lacking(self) -> list[str]:
        """Every cell in a pair of a thousand, the rest in five of a thousand."""
        counts = self.counts()
        return [
            f"{wanted}: {counts[wanted]} of {self.pairs}"
            for wanted, share in self.wanted()
            if counts[wanted] < self.pairs * share
        ]

    def wanted(self) -> Iterator[tuple[tuple[Any, ...], float]]:
        for variant in VARIANTS:
            for met in MET:
                yield ("cell", variant, met), 0.001
        for op in {op for op, _ in VARIANTS}:
            for result in ("true", "false", "unsure"):
                yield ("result", op, True, result), 0.001
                yield ("result", op, False, result), 0.001
        for depth in (1, 2, 3, 4):
            yield ("depth", depth, False), 0.005
            yield ("depth", depth, True), 0.005
            for kind in KINDS:
                yield ("rule", kind, depth), 0.005
        for decision in DECISIONS:
            yield ("decision", decision), 0.005
        for would in WOULDS:
            yield ("would", would), 0.005


def leaves(document: Any) -> Iterator[tuple[dict[str, Any], tuple[Any, ...]]]:
    """Each condition with its kind of rule, depth, polarity and variant."""
    entries = [*document.get("tools", {}).values(), document.get("all_tools", {})]
    for entry in entries:
        for kind in KINDS:
            for rule in entry.get(kind, []):
                for condition in rule.get("conditions", [rule]):
                    yield from leaves_in(condition, kind, 0, False)


def leaves_in(
    condition: Any, kind: str, depth: int, negated: bool
) -> Iterator[tuple[dict[str, Any], tuple[Any, ...]]]:
    for word in ("any", "all"):
        for inner in condition.get(word, []):
            yield from leaves_in(inner, kind, depth + 1, negated)
    if "not" in condition:
        yield from leaves_in(condition["not"], kind, depth + 1, not negated)
    if "path" in condition:
        yield condition, (kind, depth, negated, variant_of(condition))


def variant_of(leaf: dict[str, Any]) -> tuple[str, str]:
    value = leaf.get("value", True)
    if leaf.get("as") == "decimal":
        return leaf["op"], "number"
    if leaf["op"] == "exists":
        return "exists", "true" if value else "false"
    if isinstance(value, list):
        kinds = {kind_of(item) for item in value}
        return leaf["op"], kinds.pop() if len(kinds) == 1 else "mixed"
    return leaf["op"], kind_of(value)

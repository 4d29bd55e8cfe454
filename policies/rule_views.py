"""The rules of a document one by one, as those who only read them want them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from policies.compile import CompiledPolicy
from policies.conditions import TRUE_WHEN_ABSENT
from policies.paths import ArgumentPath, Key, parse_path
from policies.plans import Entry

Data = Mapping[str, Any]
RuleKind = Literal["require", "deny_if", "approve_if"]

KINDS: tuple[RuleKind, ...] = ("require", "deny_if", "approve_if")


@dataclass(frozen=True, slots=True)
class Leaf:
    """One condition; `negated` under an odd number of `not`s, `always` where no
    `any` or `not` stands above it."""

    pointer: str
    data: Data
    path: ArgumentPath
    negated: bool
    always: bool

    @property
    def op(self) -> str:
        return str(self.data["op"])

    @property
    def value(self) -> Any:
        return self.data.get("value", True)

    @property
    def argument(self) -> str:
        """The last key of the path."""
        keys = [step.name for step in self.path.steps if isinstance(step, Key)]
        return keys[-1] if keys else ""

    def passes_when_absent(self) -> bool:
        """In `deny_if` and `approve_if`: absence keeps this condition from matching."""
        matches = self.op in TRUE_WHEN_ABSENT or self.data.get("if_absent") == "match"
        return matches == self.negated


@dataclass(frozen=True, slots=True)
class RuleView:
    pointer: str
    kind: RuleKind
    entry: Entry
    data: Data
    leaves: tuple[Leaf, ...]


def entries_of(compiled: CompiledPolicy) -> Iterator[Entry]:
    yield from compiled.entries
    if compiled.all_tools is not None:
        yield compiled.all_tools


def rules_of(compiled: CompiledPolicy) -> Iterator[RuleView]:
    for entry in entries_of(compiled):
        yield from rules_of_entry(entry)


def rules_of_entry(entry: Entry) -> Iterator[RuleView]:
    for kind in KINDS:
        for index, rule in enumerate(entry.data.get(kind, ())):
            pointer = f"{entry.pointer}/{kind}/{index}"
            yield RuleView(pointer, kind, entry, rule, tuple(_of_rule(rule, pointer)))


def _of_rule(rule: Data, pointer: str) -> Iterator[Leaf]:
    if "conditions" not in rule:
        yield from _leaves(rule, pointer, negated=False, always=True)
        return
    for index, condition in enumerate(rule["conditions"]):
        where = f"{pointer}/conditions/{index}"
        yield from _leaves(condition, where, negated=False, always=True)


def _leaves(data: Data, pointer: str, negated: bool, always: bool) -> Iterator[Leaf]:
    if "not" in data:
        yield from _leaves(data["not"], f"{pointer}/not", not negated, False)
    for group in ("any", "all"):
        for index, inner in enumerate(data.get(group, ())):
            where = f"{pointer}/{group}/{index}"
            yield from _leaves(inner, where, negated, always and group == "all")
    if "path" in data:
        yield Leaf(pointer, data, parse_path(data["path"]), negated, always)

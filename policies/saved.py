"""A saved document beside what is known of its server, for those who warn."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice

from policies.compile import CompiledPolicy
from policies.facts import Tool
from policies.plans import Entry
from policies.rule_views import Leaf, RuleView, rules_of

MOST_NAMED = 5
MOST_TOOLS = 200


@dataclass(frozen=True, slots=True)
class Warning:
    pointer: str
    message: str


@dataclass(frozen=True)
class Saved:
    """A compiled document beside what is known of its server."""

    compiled: CompiledPolicy
    tools: Sequence[Tool]
    unset: frozenset[str]
    waiting: frozenset[str] = frozenset()

    @cached_property
    def rules(self) -> list[RuleView]:
        return list(rules_of(self.compiled))

    def leaves(self) -> Iterator[tuple[RuleView, Leaf]]:
        for rule in self.rules:
            for leaf in rule.leaves:
                yield rule, leaf

    @cached_property
    def _tools_of(self) -> dict[str, list[Tool]]:
        return {}

    def tools_of(self, entry: Entry) -> list[Tool]:
        """The tools that an entry applies to; of very many the first."""
        known = self._tools_of.get(entry.pointer)
        if known is None:
            applying = (tool for tool in self.tools if self._applies(entry, tool))
            known = self._tools_of[entry.pointer] = list(islice(applying, MOST_TOOLS))
        return known

    def _applies(self, entry: Entry, tool: Tool) -> bool:
        resolved = self.compiled.resolve(tool.name)
        if resolved.hidden:
            return False
        if entry.glob is None:
            return resolved.entry is not None or self.compiled.default_allow
        return entry in (resolved.entry, resolved.written)


Warned = Iterator[Warning]


def listed(names: Sequence[str]) -> str:
    more = len(names) - MOST_NAMED
    shown = ", ".join(names[:MOST_NAMED])
    return f"{shown} and {more} more" if more > 0 else shown

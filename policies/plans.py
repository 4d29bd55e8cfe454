"""What applies to one tool: found once for a name, then looked up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from policies.decision import Use
from policies.globs import Glob, parse_glob
from policies.limited import Limit
from policies.positions import pointer_of
from policies.rules import Asking, Deny, Rules, compile_rules

Data = Mapping[str, Any]

_RANKS = {"deny": 0, "require_approval": 1}


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry of `tools`, or `all_tools` (then without a glob)."""

    pointer: str
    data: Data
    glob: Glob | None
    all_watched: bool
    enforced: Rules
    watched: Rules

    def rank(self, as_written: bool) -> tuple[int, int, str]:
        """Of several matching globs the smallest applies. A watched `action` counts
        as allow, and as written for what would be decided."""
        action = self.data.get("action", "allow")
        counts = as_written or not self.all_watched
        glob = self.glob
        if glob is None:
            raise ValueError("all_tools has no rank")
        return (_RANKS.get(action, 2) if counts else 2, -glob.literals, glob.text)


def compile_entry(key: str | None, data: Data, document_watched: bool) -> Entry:
    """`key` is None for `all_tools`."""
    pointer = "/all_tools" if key is None else pointer_of(("tools", key))
    all_watched = document_watched or data.get("mode") == "watch"
    return Entry(
        pointer,
        data,
        None if key is None else parse_glob(key),
        all_watched,
        compile_rules(data, pointer, all_watched, watched=False),
        compile_rules(data, pointer, all_watched, watched=True),
    )


@dataclass(frozen=True, slots=True)
class Plan:
    """One side's rules for one tool, the entry's before those of `all_tools`.

    `uses` are the limits' where no argument is counted; `validate` is None for
    no, else whether strictly.
    """

    denies: tuple[Deny, ...] = ()
    limits: tuple[Limit, ...] = ()
    asks: tuple[Asking, ...] = ()
    uses: tuple[Use, ...] | None = ()
    validate: bool | None = None

    def __bool__(self) -> bool:
        return bool(
            self.denies or self.limits or self.asks or self.validate is not None
        )


def make_plan(name: str, own: Rules, general: Rules, validate: bool | None) -> Plan:
    """`general` are the rules of `all_tools`."""
    limits = (*own.limits_of(name), *general.limits_of("*"))
    return Plan(
        denies=(*own.denies, *general.denies),
        limits=limits,
        asks=(*own.asks, *general.asks),
        uses=still_uses(limits),
        validate=validate,
    )


def still_uses(limits: Sequence[Limit]) -> tuple[Use, ...] | None:
    if any(limit.total or limit.split for limit in limits):
        return None
    return tuple(limit.still for limit in limits)

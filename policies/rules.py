"""The rules of one entry as functions, apart for its enforced and watched parts."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from policies.conditions import Condition, all_of, compile_condition
from policies.decision import Ask, Decision
from policies.limited import Limit, compile_limit, compile_rate
from policies.reading import Reading

Data = Mapping[str, Any]
# `require` holds only when true; `deny_if` and `approve_if` match when true or unsure.
HOLDS, FREE = True, False
# A condition, the one answer by which the call passes, and what any other leads to.
Deny = tuple[Condition, bool, Decision]
Asking = tuple[Condition, bool, Ask]


@dataclass(frozen=True, slots=True)
class Rules:
    """`rate` makes the limit of `rate_limit` for the name of a called tool."""

    denies: tuple[Deny, ...] = ()
    limits: tuple[Limit, ...] = ()
    asks: tuple[Asking, ...] = ()
    rate: Callable[[str], Limit] | None = None

    def limits_of(self, name: str) -> tuple[Limit, ...]:
        return self.limits if self.rate is None else (*self.limits, self.rate(name))


def compile_rules(data: Data, pointer: str, all_watched: bool, watched: bool) -> Rules:
    """The enforced parts of an entry, or with `watched` those only watched."""
    whole = all_watched == watched

    def mine(kind: str) -> Iterator[tuple[str, Data]]:
        for index, rule in enumerate(data.get(kind, ())):
            if (all_watched or rule.get("mode") == "watch") == watched:
                yield f"{pointer}/{kind}/{index}", rule

    limits = [compile_limit(limit, where) for where, limit in mine("limits")]
    return Rules(
        denies=(*_action_deny(data, pointer, whole), *_denies(mine)),
        limits=tuple(limit.watch() if watched else limit for limit in limits),
        asks=(*_action_ask(data, pointer, whole), *_asks(mine)),
        rate=_rate(data, pointer, watched) if whole else None,
    )


Parts = Callable[[str], Iterator[tuple[str, Data]]]


def _denies(mine: Parts) -> Iterator[Deny]:
    for where, rule in mine("require"):
        denial = Decision("deny", where, rule.get("on_deny"))
        yield compile_condition(rule, True), HOLDS, denial
    for where, rule in mine("deny_if"):
        yield _together(rule), FREE, Decision("deny", where, rule.get("on_deny"))


def _asks(mine: Parts) -> Iterator[Asking]:
    for where, rule in mine("approve_if"):
        yield _together(rule), FREE, Ask(where, rule.get("reason"))


def _action_deny(data: Data, pointer: str, whole: bool) -> Sequence[Deny]:
    if not whole or data.get("action") != "deny":
        return ()
    denial = Decision("deny", f"{pointer}/action", data.get("reason"))
    return ((_always, FREE, denial),)


def _action_ask(data: Data, pointer: str, whole: bool) -> Sequence[Asking]:
    if not whole or data.get("action") != "require_approval":
        return ()
    return ((_always, FREE, Ask(f"{pointer}/action", data.get("reason"))),)


def _rate(data: Data, pointer: str, watched: bool) -> Callable[[str], Limit] | None:
    written = data.get("rate_limit")
    if written is None:
        return None

    def rate(name: str) -> Limit:
        limit = compile_rate(written, f"{pointer}/rate_limit", name)
        return limit.watch() if watched else limit

    return rate


def _always(r: Reading) -> bool:
    return True


def _together(rule: Data) -> Condition:
    """The conditions of a `deny_if` or `approve_if`, all of which it needs."""
    compiled = [compile_condition(inner, False) for inner in rule["conditions"]]
    if not compiled:
        return _always
    return compiled[0] if len(compiled) == 1 else all_of(compiled)

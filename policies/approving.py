"""Whom a document asks, and for how long: the `approval` of what asks. Pure.

When a tool's entry and `all_tools` both ask, both terms must be met (a person may count
for both), the shorter times hold, and self-approval needs both. Reads have no
`approval`: for their limits the defaults hold.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from policies.checks import seconds_of
from policies.compile import CompiledPolicy
from policies.decision import Ask
from policies.facts import Kind
from policies.limited import Limit
from policies.plans import Entry

Data = Mapping[str, Any]

GENERAL = "/all_tools/"


class Terms(NamedTuple):
    """`quorum` different people of `approvers`, which are `role:X` or e-mails; once
    three quarters of the time are over, of `escalate_to` as well."""

    approvers: tuple[str, ...] = ("role:approver",)
    quorum: int = 1
    escalate_to: tuple[str, ...] = ()


class Asked(NamedTuple):
    """All of `terms` must be met within `expires_in` seconds; the call may run for
    `use_within` seconds after that. `escalate_to` is that of all terms."""

    terms: tuple[Terms, ...] = (Terms(),)
    self_approval: bool = False
    expires_in: int = 600
    use_within: int = 900
    escalate_to: tuple[str, ...] = ()


class Asking(NamedTuple):
    """What can ask about one call: the pointers of its rules, and whom they ask."""

    rules: tuple[str, ...]
    asked: Asked

    @property
    def rule(self) -> str:
        return self.rules[0]

    @property
    def also(self) -> str:
        """The first rule of `all_tools` where it asks together with an entry."""
        if is_general(self.rule):
            return ""
        return next(filter(is_general, self.rules), "")


DEFAULT = Asked()


def asked(policy: CompiledPolicy, kind: Kind, name: str, asks: Sequence[Ask]) -> Asked:
    """Whom the rules that ask about this call mean."""
    if kind != "tool":
        return DEFAULT
    entry, every = policy.resolve(name).entry, policy.all_tools
    parts = []
    if entry is not None and any(not is_general(ask.rule) for ask in asks):
        parts.append(entry_asked(entry))
    if every is not None and any(is_general(ask.rule) for ask in asks):
        parts.append(entry_asked(every))
    return joined(parts) if parts else DEFAULT


def is_general(rule: str) -> bool:
    return rule.startswith(GENERAL)


def entry_asked(entry: Entry) -> Asked:
    data: Data = entry.data.get("approval", {})
    escalate_to = tuple(data.get("escalate_to", DEFAULT.escalate_to))
    terms = Terms(
        tuple(data.get("approvers", DEFAULT.terms[0].approvers)),
        int(data.get("quorum", DEFAULT.terms[0].quorum)),
        escalate_to,
    )
    return Asked(
        (terms,),
        data.get("self_approval", DEFAULT.self_approval),
        _seconds(data, "expires_in", DEFAULT.expires_in),
        _seconds(data, "use_within", DEFAULT.use_within),
        escalate_to,
    )


def joined(parts: Sequence[Asked]) -> Asked:
    return Asked(
        tuple(dict.fromkeys(terms for part in parts for terms in part.terms)),
        all(part.self_approval for part in parts),
        min(part.expires_in for part in parts),
        min(part.use_within for part in parts),
        tuple(dict.fromkeys(name for part in parts for name in part.escalate_to)),
    )


def askings(policy: CompiledPolicy) -> Iterator[Asking]:
    """All that this document can ask of people: `all_tools` alone, each entry alone,
    and each entry together with `all_tools`; then the reads."""
    every = policy.all_tools
    general = None if every is None or _denies(every) else _asking(every)
    if general is not None:
        yield general
    for entry in policy.entries if every is None or not _denies(every) else ():
        if _denies(entry) or _hidden(policy, entry):
            continue
        if (own := _asking(entry)) is not None:
            yield own
            if general is not None:
                both = joined((own.asked, general.asked))
                yield Asking((*own.rules, *general.rules), both)
    for section in (policy.resources, policy.prompts):
        if rules := _limits(section.enforced.limits):
            yield Asking(rules, DEFAULT)


def _asking(entry: Entry) -> Asking | None:
    rules = tuple(ask.rule for *_, ask in entry.enforced.asks)
    rules += _limits(entry.enforced.limits)
    return Asking(rules, entry_asked(entry)) if rules else None


def _limits(limits: Sequence[Limit]) -> tuple[str, ...]:
    over = [limit.still for limit in limits if limit.still.over == "require_approval"]
    return tuple(use.rule for use in over)


def _denies(entry: Entry) -> bool:
    """Always: then it never asks."""
    return entry.data.get("action") == "deny" and not entry.all_watched


def _hidden(policy: CompiledPolicy, entry: Entry) -> bool:
    name = entry.glob.exact if entry.glob else None
    return name is not None and policy.resolve(name).hidden


def _seconds(data: Data, key: str, default: int) -> int:
    written = data.get(key)
    seconds = None if written is None else seconds_of(written)
    return default if seconds is None else seconds

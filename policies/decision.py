"""What a judged call is: decided, or waiting for what its counters hold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Answer = Literal["allow", "deny", "hide", "limit", "require_approval"]
Scope = Literal["grant", "session", "server", "organization"]


@dataclass(frozen=True, slots=True)
class Ask:
    """An approval rule that asks."""

    rule: str
    reason: str | None


@dataclass(frozen=True, slots=True)
class Decision:
    """`rule` is a JSON Pointer or a name such as `(hidden)`; None for allow.

    `asks` are all rules that ask, in order; `rule` is then the first of them.
    """

    decision: Answer
    rule: str | None
    reason: str | None
    asks: tuple[Ask, ...] = ()
    would: Decision | None = None


@dataclass(frozen=True, slots=True)
class Use:
    """One limit that the call must fit in.

    `max` and `amount` are in millionths (a count of 1 is 1_000_000); `by` is the
    first 16 bytes of SHA-256 over type and value. A limit is full when adding
    `amount` passes `max`, or when `max` is 0.
    """

    rule: str
    counter: str
    window: int
    scope: Scope
    max: int
    amount: int
    by: bytes | None
    over: Literal["deny", "require_approval"]
    on_deny: str | None
    watched: bool


@dataclass(frozen=True, slots=True)
class Judgement:
    """All that the document says of a call before its counters are looked at.

    `decided` is final; otherwise `settle` takes one flag a use, in their order.
    `bad` is a limit whose `sum` or `by` argument cannot be counted: denied,
    unless a use judged before it is full.
    """

    decided: Decision | None
    uses: tuple[Use, ...] = ()
    watched_uses: tuple[Use, ...] = ()
    bad: Decision | None = None
    asks: tuple[Ask, ...] = ()

    @property
    def mode(self) -> Literal["peek", "reserve"]:
        """`peek` where nothing may be reserved: it cannot be allowed."""
        return "peek" if self.bad or self.asks else "reserve"

    def settle(self, full: Sequence[bool], watched_full: Sequence[bool]) -> Decision:
        raise NotImplementedError

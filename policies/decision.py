"""What a judged call is: decided, or waiting for what its counters hold.

Named tuples: a frozen dataclass takes three times as long to make. Their constructor is
a Python function too; what every call makes is made by `make`, which is none.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal, NamedTuple

Answer = Literal["allow", "deny", "hide", "limit", "require_approval"]
make = tuple.__new__
Scope = Literal["grant", "session", "server", "organization"]


class Ask(NamedTuple):
    """An approval rule that asks."""

    rule: str
    reason: str | None


class Decision(NamedTuple):
    """`rule` is a JSON Pointer or a name such as `(hidden)`; None for allow.

    `asks` are all rules that ask, in order; `rule` is then the first of them.
    `would` is what the watched parts would have decided, None for nothing.
    """

    decision: Answer
    rule: str | None
    reason: str | None
    asks: tuple[Ask, ...] = ()
    would: Decision | None = None


class Use(NamedTuple):
    """One limit that the call must fit in.

    `max` and `amount` are in millionths (a count of 1 is 1_000_000); `by` is the
    first 16 bytes of SHA-256 over type and value. A limit is full when `max` is
    0, or when adding a non-zero `amount` passes `max`.
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

    def is_full(self, used: int) -> bool:
        """`used` is what the counter holds in its window, in millionths."""
        return self.max == 0 or (self.amount > 0 and used + self.amount > self.max)


class Side(NamedTuple):
    """What one side, the enforced or the watched parts, says of a call.

    `uses` are the limits before `bad`, a limit whose argument cannot be counted.
    `waived` are rules that ask nobody: covered by an approval or a waiver, or
    `everything` by break-glass.
    """

    decided: Decision | None = None
    uses: tuple[Use, ...] = ()
    bad: Decision | None = None
    asks: tuple[Ask, ...] = ()
    waived: frozenset[str] = frozenset()
    opened: bool = False

    def settle(self, full: Sequence[bool]) -> Decision | None:
        """None where nothing stops the call."""
        if self.decided is not None:
            return self.decided
        if len(full) != len(self.uses):
            raise ValueError("each limit is full or not")
        over: list[Use] = []
        if True in full:
            over = [u for u, is_full in zip(self.uses, full, strict=True) if is_full]
        for use in over:
            if use.over == "deny":
                return Decision("limit", use.rule, use.on_deny)
        if self.bad is not None:
            return self.bad
        asks = tuple(self._asking(over)) if over and not self.opened else self.asks
        if not asks:
            return None
        return Decision("require_approval", asks[0].rule, asks[0].reason, asks)

    def _asking(self, over: Sequence[Use]) -> Iterator[Ask]:
        """The entry before `all_tools`; in each its limits come last."""
        limits = [Ask(u.rule, u.on_deny) for u in over if u.rule not in self.waived]
        for general in (False, True):
            for asks in (self.asks, limits):
                yield from (ask for ask in asks if _is_general(ask.rule) == general)


def _is_general(rule: str) -> bool:
    return rule.startswith("/all_tools/")


NOTHING = Side()
ALLOW = Decision("allow", None, None)


class Judgement(NamedTuple):
    """All that the document says of a call before its counters are looked at.

    `decided` is final and needs no counter. `settle` takes one flag a use, in
    their order; it adds `would`, for which the watched counters are needed also
    where `decided` is known.
    """

    enforced: Side
    watched: Side = NOTHING
    allow: Decision = ALLOW

    @property
    def decided(self) -> Decision | None:
        if self.enforced.decided is None or self.watched_uses:
            return self.enforced.decided
        return self.settle((), ())

    @property
    def uses(self) -> tuple[Use, ...]:
        """Enforced limits in the order in which they are judged."""
        return self.enforced.uses

    @property
    def watched_uses(self) -> tuple[Use, ...]:
        """Watched limits: counted in counters of their own, never refusing."""
        return self.watched.uses

    @property
    def bad(self) -> Decision | None:
        """A limit whose `sum` or `by` argument cannot be counted: denied unless a
        use, all of which are judged before it, is full."""
        return self.enforced.bad

    @property
    def asks(self) -> tuple[Ask, ...]:
        """Approval rules other than limits that ask and are not waived."""
        return self.enforced.asks

    @property
    def waived(self) -> frozenset[str]:
        """Limits that count this call and do not stop it when full: an approval
        or break-glass covers them."""
        side = self.enforced
        return frozenset(
            use.rule
            for use in self.uses
            if use.over != "deny" and (side.opened or use.rule in side.waived)
        )

    @property
    def mode(self) -> Literal["peek", "reserve"]:
        """`peek` where nothing may be reserved: it cannot be allowed."""
        side = self.enforced
        return "peek" if side.decided or side.bad or side.asks else "reserve"

    def settle(self, full: Sequence[bool], watched_full: Sequence[bool]) -> Decision:
        decision = self.enforced.settle(full) or self.allow
        if self.watched is NOTHING:
            return decision
        would = self.watched.settle(watched_full)
        return decision if would is None else decision._replace(would=would)

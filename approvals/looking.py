"""How a call stands, for those who wait for it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Literal, NamedTuple
from uuid import UUID

from approvals.models import Approval, State
from approvals.wording import waiting_for

Kind = Literal["none", "pending", "approved", "denied", "ran", "too_many"]

# How long a denial answers at least, and how long after a run the next identical call
# is told of it.
DENIED_FOR = timedelta(minutes=10)
TOLD_FOR = timedelta(minutes=10)

EXPIRED = "Nobody decided in time."
NOT_USED = "It was approved, and not called again in time."


class Standing(NamedTuple):
    """`rules` are those that were shown; `reason` why it was denied, or is over;
    `waiting_for` says in words whose word is needed, and names nobody."""

    kind: Kind
    id: UUID | None = None
    rules: frozenset[str] = frozenset()
    reason: str = ""
    expires_at: datetime | None = None
    usable_until: datetime | None = None
    used_at: datetime | None = None
    used_call: UUID | None = None
    new: bool = False
    waiting_for: str = ""


NONE = Standing("none")


def standing_of(row: Approval, now: datetime) -> Standing:
    """Of this one approval; `none` where it is over."""
    kind, reason = _kind(row, now)
    return Standing(
        kind,
        row.pk,
        frozenset(rule["rule"] for rule in row.rules),
        reason,
        row.expires_at,
        row.usable_until,
        row.used_at,
        row.used_call,
        waiting_for=waiting_for(row) if kind == "pending" else "",
    )


def recent(row: Approval, now: datetime) -> Standing:
    """Of the call; `none` where it may be asked about anew."""
    standing = standing_of(row, now)
    if standing.kind == "denied" and now >= _denied_until(row):
        return NONE
    if standing.kind == "ran" and not _to_be_told(row, now):
        return NONE
    return standing


def _kind(row: Approval, now: datetime) -> tuple[Kind, str]:
    match row.state:
        case State.PENDING:
            return ("pending", "") if now < row.expires_at else ("none", EXPIRED)
        case State.APPROVED:
            usable = row.usable_until is not None and now < row.usable_until
            return ("approved", "") if usable else ("none", NOT_USED)
        case State.DENIED:
            return "denied", row.reason
        case State.USED:
            return "ran", ""
        case State.EXPIRED:
            return "none", EXPIRED if row.decided_at is None else NOT_USED
    return "none", row.reason


def _denied_until(row: Approval) -> datetime:
    decided = row.decided_at or row.created_at
    return max(row.expires_at, decided + DENIED_FOR)


def _to_be_told(row: Approval, now: datetime) -> bool:
    if row.told_at is not None or row.used_at is None:
        return False
    return now < row.used_at + TOLD_FOR

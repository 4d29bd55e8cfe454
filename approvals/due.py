"""What time does to approvals: reminders, escalation, the end.

Each is a conditional UPDATE of one row with its events, so that any number of workers
may do it at once and again: one of them changes the row. Nothing depends on it being
punctual: whoever looks at a row, or decides, looks at the clock as well.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from django.db.models import Q

from approvals import clock
from approvals.ending import change_row
from approvals.models import Approval, State

Act = Callable[[Approval], bool]

BATCH = 500
REVOKED = "The grant that asked was revoked."

_PENDING = Q(state=State.PENDING)


def expire(now: datetime | None = None) -> int:
    """Ends what nobody decided, or nobody used, in time, and what revoked grants
    asked; says how many. `now` is the database's unless given, here and below."""
    now = now or clock.now()
    over = _PENDING & Q(expires_at__lte=now)
    unused = Q(state=State.APPROVED, usable_until__lte=now)
    revoked = Q(grant__revoked_at__isnull=False)
    return _each(
        (over, lambda row: _expire(row, over)),
        (unused, lambda row: _expire(row, unused)),
        (_PENDING & revoked, _cancel),
    )


def remind(now: datetime | None = None) -> int:
    """At half of the time to decide; says how many."""
    now = now or clock.now()
    due = _PENDING & Q(reminded_at=None, remind_at__lte=now, expires_at__gt=now)
    return _each((due, lambda row: change_row(row, due, "reminder", reminded_at=now)))


def escalate(now: datetime | None = None) -> int:
    """At three quarters, where somebody is named to escalate to; says how many."""
    now = now or clock.now()
    due = _PENDING & Q(escalated_at=None, escalate_at__lte=now, expires_at__gt=now)
    due &= ~Q(escalate_to=[])
    return _each((due, lambda row: change_row(row, due, "escalated", escalated_at=now)))


def _expire(row: Approval, over: Q) -> bool:
    return change_row(row, over, "expired", state=State.EXPIRED)


def _cancel(row: Approval) -> bool:
    values = {"state": State.CANCELLED, "reason": REVOKED}
    return change_row(row, _PENDING, "cancelled", **values)


def _each(*works: tuple[Q, Act]) -> int:
    """One row after the other, each in a transaction of its own: a row that fails holds
    up no other, and what failed is raised after all others."""
    done, failed = 0, list[Exception]()
    for due, act in works:
        rows = Approval.objects.across_organizations().filter(due)
        for row in rows.order_by("expires_at")[:BATCH]:
            try:
                done += act(row)
            except Exception as error:  # noqa: BLE001  raised below
                failed.append(error)
    if failed:
        raise ExceptionGroup("not all that is due could be done", failed)
    return done

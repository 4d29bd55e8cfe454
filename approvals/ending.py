"""The ends of an approval that nobody voted for; each a conditional UPDATE.

Each says whether it was the one that changed the row, and only then tells others:
events for people's systems, a wake-up for whoever waits.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Now

from approvals import events, waking
from approvals.models import OPEN, Approval, State

TIMED_OUT = Q(state=State.PENDING, expires_at__lte=Now()) | Q(
    state=State.APPROVED, usable_until__lte=Now()
)


def expire(row: Approval) -> bool:
    """Where its time is over: to decide, or to be used."""
    return change_row(row, TIMED_OUT, "expired", state=State.EXPIRED)


def void(row: Approval, reason: str) -> bool:
    values = {"state": State.VOID, "reason": reason}
    return change_row(row, Q(state__in=OPEN), "void", **values)


def told(row: Approval) -> bool:
    """The one call after the run has been told of it."""
    changed = (
        Approval.objects.for_organization(row.organization_id)
        .filter(pk=row.pk, state=State.USED, told_at=None)
        .update(told_at=Now())
    )
    return bool(changed)


def change_row(row: Approval, only: Q, event: str, **values: Any) -> bool:
    return change(row.organization_id, row.pk, only, event, **values)


@transaction.atomic
def change(
    organization_id: UUID, approval_id: UUID, only: Q, event: str, **values: Any
) -> bool:
    """Sets `values` where `only` holds, and says so; False where it does not hold.

    `only` must name columns of the row itself: Postgres looks at them again when it had
    to wait for another writer, but not at what a subquery found before.
    """
    rows = Approval.objects.for_organization(organization_id).filter(pk=approval_id)
    if not rows.filter(only).update(**values):
        return False
    said(rows.select_related("organization").get(), event)
    return True


def said(row: Approval, event: str) -> None:
    """In the transaction of the change."""
    events.emit(row, event)
    waking.announce(row.pk)

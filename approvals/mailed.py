"""Who was told of a request by mail, so that whoever waits for an answer knows whether
anybody can have read of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from approvals.models import Approval, Notice


@dataclass(frozen=True, slots=True)
class Mailed:
    """One person: `at` says when the mail server first took a mail of the request.
    Until then `tries` have failed, and `again` is when the next one is due. What the
    mail server said is the operator's to know: it stands in the log."""

    email: str
    at: datetime | None
    tries: int
    again: datetime


def mailed(approval: Approval) -> list[Mailed]:
    """By address; without those whose mail is not sent any more. One query."""
    rows = Notice.objects.for_organization(approval.organization_id).filter(
        approval=approval, dropped_at=None
    )
    by_person: dict[str, list[Notice]] = {}
    for row in rows.select_related("user").order_by("user__email", "due_at"):
        by_person.setdefault(row.user.email, []).append(row)
    return [_told(email, several) for email, several in by_person.items()]


def _told(email: str, several: Iterable[Notice]) -> Mailed:
    several = list(several)
    at = min((row.sent_at for row in several if row.sent_at), default=None)
    waits = next((row for row in several if not row.sent_at), several[0])
    return Mailed(email, at, waits.attempts if waits.error else 0, waits.due_at)

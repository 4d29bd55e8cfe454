"""The outbox of mail: what is due, to whom, and in how many mails.

made with its cause         due_at = now
waits for a digest          due_at = when the next digest may go
taken by a worker           due_at = end of its lease, attempts + 1, mail = its id
failed                      due_at = later, farther each time; error says why
sent                        sent_at
nothing to say any more     dropped_at; error says why

A worker takes one mail at a time and sends it outside the transaction. What it holds
meanwhile, under FOR UPDATE SKIP LOCKED, is the person and not the row: how many mails a
person got, and which rows one mail carries, must not be decided twice at a time. One
that is killed leaves its lease: the same mail, under the same Message-ID, falls due
again. So a person may get that one mail twice, and none is lost.

A person is sent `Organization.mails_most` mails in ten minutes; what is beyond waits,
and goes out gathered in one mail, at most every two minutes. Break-glass is never held
back: who opens a tool must not be able to hide it behind a flood of requests.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import F, Max, Q
from django.db.models.functions import Now

from accounts.models import Membership, Role
from accounts.tenancy import TenantQuerySet
from approvals import clock, eligible
from approvals.models import Approval, BreakGlass, Kind, Notice, State, Vote

# Longer than a mail server may take: its timeout is 10 s a step.
LEASE = timedelta(seconds=60)
RATE_WINDOW, BETWEEN_DIGESTS = timedelta(minutes=10), timedelta(minutes=2)
# The first that is too many waits so long for others to be gathered with.
GATHERING = timedelta(seconds=15)
MOST_GATHERED = 50
# Looked at in one turn; those beyond come in the next.
MOST_PEOPLE = 100
# 10 s, 20 s, 40 s ... 10 min.
FIRST_WAIT, LONGEST_WAIT = timedelta(seconds=10), timedelta(minutes=10)
OPENING_KEPT = timedelta(days=1)
LONGEST_ERROR = 500


@dataclass(frozen=True)
class Letter:
    """One mail to one person: its id, what it tells, and which attempt this is."""

    id: uuid.UUID
    to: Membership
    notices: tuple[Notice, ...]
    attempts: int


def answered(approval: Approval) -> set[str]:
    """E-mail addresses of those whose word is given, by them or in their place."""
    votes = Vote.objects.for_organization(approval.organization_id)
    pairs = votes.filter(approval=approval).values_list("email", "for_email")
    return {email for pair in pairs for email in pair} - {""}


def take() -> Letter | None:
    """The next mail to send, leased; None when nothing is due now."""
    due = Notice.objects.across_organizations().filter(
        sent_at=None, dropped_at=None, due_at__lte=Now()
    )
    people = due.order_by("due_at").values_list("organization_id", "user_id")
    for organization_id, user_id in dict.fromkeys(people[:MOST_PEOPLE]):
        if letter := _take_of(organization_id, user_id):
            return letter
    return None


def sent(letter: Letter) -> None:
    """Whoever has taken it since: it is sent."""
    _open(letter).update(sent_at=clock.now(), error="")


def failed(letter: Letter, why: str) -> None:
    wait = min(FIRST_WAIT * 2 ** min(letter.attempts - 1, 10), LONGEST_WAIT)
    mine = _open(letter).filter(attempts=letter.attempts)
    mine.update(due_at=clock.now() + wait, error=why[:LONGEST_ERROR])


def _open(letter: Letter) -> TenantQuerySet[Notice]:
    return _of(letter.to).filter(mail=letter.id)


@transaction.atomic
def _take_of(organization_id: uuid.UUID, user_id: int) -> Letter | None:
    rows = Membership.objects.for_organization(organization_id)
    member = rows.filter(user=user_id, user__is_active=True).select_related(
        *("user", "organization")
    )
    now = clock.now()
    to = member.select_for_update(skip_locked=True, of=("self",), no_key=True).first()
    if to is not None:
        return _letter(to, now)
    if not member.exists():
        _end(_waiting(organization_id, user_id), "They are no member any more.", now)
    return None  # another worker is at it


def _letter(to: Membership, now: datetime) -> Letter | None:
    """What goes out now of what this person is to be told; None: nothing, or later."""
    due = _of(to).filter(due_at__lte=now).order_by("due_at", "created_at")
    while first := due.first():
        rows, gathered = _rows(first, to, now)
        if news := [row for row in rows if _is_news(row, to, now)]:
            return _leased(to, news, gathered, now)
    return None


def _rows(first: Notice, to: Membership, now: datetime) -> tuple[list[Notice], bool]:
    """Those of the mail that goes out with this one, and whether they are gathered."""
    if first.attempts:  # a mail that was taken before is the same mail again
        same = _of(to).filter(mail=first.mail).order_by("created_at", "pk")
        return list(same), first.gathered
    if first.kind == Kind.BREAK_GLASS or _has_room(to, now):
        return [first], False
    fresh = _of(to).filter(attempts=0).exclude(kind=Kind.BREAK_GLASS)
    fresh = fresh.order_by("created_at", "pk")
    slot = _slot(to, fresh[0].created_at, now)
    if slot > now:
        fresh.update(due_at=slot)
        return [], True
    return list(fresh[:MOST_GATHERED]), True


def _waiting(organization_id: uuid.UUID, user_id: int) -> TenantQuerySet[Notice]:
    rows = Notice.objects.for_organization(organization_id)
    return rows.filter(user=user_id, sent_at=None, dropped_at=None)


def _of(to: Membership) -> TenantQuerySet[Notice]:
    return _waiting(to.organization_id, to.user_id)


def _has_room(to: Membership, now: datetime) -> bool:
    """Whether one more single mail keeps the rate; one under way counts as sent."""
    rows = Notice.objects.for_organization(to.organization_id)
    single = rows.filter(user=to.user_id, gathered=False, attempts__gt=0)
    counted = single.exclude(kind=Kind.BREAK_GLASS).filter(
        Q(sent_at__gt=now - RATE_WINDOW) | Q(sent_at=None, dropped_at=None)
    )
    return counted.count() < to.organization.mails_most


def _slot(to: Membership, oldest: datetime, now: datetime) -> datetime:
    """When the next digest may go, of which the first row was made at `oldest`."""
    rows = Notice.objects.for_organization(to.organization_id)
    digests = rows.filter(user=to.user_id, gathered=True, dropped_at=None)
    if digests.filter(sent_at=None).exists():
        return now + GATHERING
    last = digests.aggregate(last=Max("sent_at"))["last"]
    slot = oldest + GATHERING
    return slot if last is None else max(slot, last + BETWEEN_DIGESTS)


def _is_news(notice: Notice, to: Membership, now: datetime) -> bool:
    """Whether it is still worth a mail; where it is not, it is dropped."""
    why = _idle(notice, to, now)
    if why:
        _drop(notice, why, now)
    return not why


def _idle(notice: Notice, to: Membership, now: datetime) -> str:
    if notice.opening is not None:
        return _idle_opening(notice.opening, to, now)
    approval: Any = notice.approval
    if approval.state != State.PENDING:
        return f"The request had ended by then: {approval.state}."
    if approval.expires_at <= now:
        return "The request had expired by then."
    if to.user.email in answered(approval):
        return "They had answered by then."
    asked = eligible.approvers(approval)
    if notice.kind == Kind.ESCALATION:
        asked = asked + eligible.of_escalation(approval)
    return "" if to in asked else "They were not to be asked any more."


def _idle_opening(opening: BreakGlass, to: Membership, now: datetime) -> str:
    if to.role != Role.OWNER:
        return "They are no owner any more."
    over = opening.expires_at + OPENING_KEPT <= now
    return "It was over for a day." if over else ""


def _drop(notice: Notice, why: str, now: datetime) -> None:
    told = f"{why} The last attempt: {notice.error}" if notice.error else why
    rows = Notice.objects.for_organization(notice.organization_id)
    _end(rows.filter(pk=notice.pk), told, now)


def _end(rows: TenantQuerySet[Notice], why: str, now: datetime) -> None:
    rows.update(dropped_at=now, error=why)


def _leased(
    to: Membership, rows: Sequence[Notice], gathered: bool, now: datetime
) -> Letter:
    mail = rows[0].mail or uuid.uuid4()
    taken = Notice.objects.for_organization(to.organization_id)
    taken = taken.filter(pk__in=[row.pk for row in rows])
    taken.update(
        mail=mail, gathered=gathered, attempts=F("attempts") + 1, due_at=now + LEASE
    )
    whole = taken.select_related(
        *("opening__grant__server", "approval__server", "approval__grant"),
        *("approval__requester__user", "approval__organization"),
    )
    told = tuple(whole.order_by("created_at", "pk"))
    return Letter(mail, to, told, told[0].attempts)

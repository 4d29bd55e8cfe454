"""What happens to an approval, told to people and to other systems.

`emit` is called in the transaction of what happened and writes outbox rows only: a
notice for each mail, a delivery for each hook. After the commit a task sends them; the
beat finds every two seconds what no task was told of.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable
from typing import Any

from django.db import connection, transaction
from django.db.models.functions import Now

from accounts.models import Membership, Role
from approvals import eligible, hooks, links, notices
from approvals.models import Approval, BreakGlass, Kind, Notice
from approvals.starting import DELIVER, DELIVER_HOOKS, start

# Events that people are mailed about, and as what.
MAILED = {
    "requested": Kind.REQUEST,
    "reminder": Kind.REMINDER,
    "escalated": Kind.ESCALATION,
}
EVENTS = {*MAILED, "approved", "denied", "expired", "cancelled", "void", "used"}


def emit(approval: Approval, event: str) -> None:
    """Call it in the transaction of what happened; returns before anything is sent."""
    if event not in EVENTS:
        raise ValueError(f"{event!r} is no event of an approval")
    _require_transaction()
    tasks = [DELIVER_HOOKS]
    if kind := MAILED.get(event):
        people = _recipients(approval, event)
        _keep(people, kind=kind, approval=approval)
        tasks.append(DELIVER)
    hooks.enqueue(approval, event)
    transaction.on_commit(functools.partial(start, *tasks))


def emit_opening(opening: BreakGlass, event: str) -> None:
    """`opened`: every owner is mailed, the one who did it as well."""
    if event != "opened":
        raise ValueError(f"{event!r} is no event of an opening")
    _require_transaction()
    rows = Membership.objects.for_organization(opening.organization_id)
    owners = rows.filter(role=Role.OWNER)
    _keep(owners, kind=Kind.BREAK_GLASS, opening=opening)
    transaction.on_commit(functools.partial(start, DELIVER))


def _recipients(approval: Approval, event: str) -> list[Membership]:
    if event == "escalated":
        return eligible.of_escalation(approval)
    asked = eligible.approvers(approval)
    if event == "requested":
        return asked
    answered = notices.answered(approval)
    return [each for each in asked if each.user.email not in answered]


def _keep(people: Iterable[Membership], **about: Any) -> None:
    """Due at once, by the clock of all workers. Who has one of this kind already gets
    no second."""
    rows = [_notice(to, created_at=Now(), due_at=Now(), **about) for to in people]
    Notice.objects.bulk_create(rows, ignore_conflicts=True)


def _notice(to: Membership, **about: Any) -> Notice:
    row = Notice(organization_id=to.organization_id, user_id=to.user_id, **about)
    if row.approval_id:
        row.nonce_hash = links.nonce_hash(row.pk)
    return row


def _require_transaction() -> None:
    if not connection.in_atomic_block:
        raise transaction.TransactionManagementError(
            "emit() belongs into the transaction of what it tells"
        )

"""What happens to an approval, told to people and to other systems.

`emit` is called in the transaction of what happened and writes outbox rows only: a
notice for each mail, a delivery for each hook. After the commit a task sends them; the
beat finds every two seconds what no task was told of.
"""

from __future__ import annotations

import functools
import logging
from collections.abc import Iterable

from celery import current_app
from django.db import connection, transaction
from kombu.exceptions import KombuError
from redis import RedisError

from accounts.models import Membership, Role
from approvals import eligible, hooks, links, notices
from approvals.models import Approval, BreakGlass, Kind, Notice

log = logging.getLogger(__name__)

DELIVER, DELIVER_HOOKS = "approvals.deliver", "approvals.deliver_hooks"
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
    if event in MAILED:
        _write(MAILED[event], _recipients(approval, event), approval=approval)
    hooks.enqueue(approval, event)
    transaction.on_commit(functools.partial(_start, DELIVER_HOOKS))


def emit_opening(opening: BreakGlass, event: str) -> None:
    """`opened`: every owner is mailed, the one who did it as well."""
    if event != "opened":
        raise ValueError(f"{event!r} is no event of an opening")
    _require_transaction()
    rows = Membership.objects.for_organization(opening.organization_id)
    owners = rows.filter(role=Role.OWNER).select_related("user")
    _write(Kind.BREAK_GLASS, owners, opening=opening)


def _recipients(approval: Approval, event: str) -> list[Membership]:
    if event == "escalated":
        return eligible.of_escalation(approval)
    asked = eligible.approvers(approval)
    if event == "requested":
        return asked
    answered = notices.answered(approval)
    return [each for each in asked if each.user.email not in answered]


def _write(
    kind: Kind,
    to: Iterable[Membership],
    *,
    approval: Approval | None = None,
    opening: BreakGlass | None = None,
) -> None:
    """One row a person; a person who has one of this kind already gets no second."""
    about = approval or opening
    assert about is not None
    notices = [
        Notice(
            organization_id=about.organization_id,
            kind=kind,
            approval=approval,
            opening=opening,
            user_id=each.user_id,
        )
        for each in to
    ]
    for notice in notices if approval else ():
        notice.nonce_hash = links.nonce_hash(notice.pk)
    if notices:
        Notice.objects.bulk_create(notices, ignore_conflicts=True)
        transaction.on_commit(functools.partial(_start, DELIVER))


def _start(task: str) -> None:
    try:
        current_app.send_task(task, retry=False)
    except (KombuError, RedisError, OSError) as error:
        log.warning("%s waits for the beat: %r", task, error)


def _require_transaction() -> None:
    if not connection.in_atomic_block:
        raise transaction.TransactionManagementError(
            "emit() belongs into the transaction of what it tells"
        )

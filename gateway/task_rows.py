"""The rows of tasks: who may see one, who runs it, what came of it. Plain ORM.

A client knows its task by a secret of 32 bytes, of which the row keeps the hash; the
grant must be the same as well. The row is claimed by a conditional UPDATE and kept
claimed by touching it every few seconds: a process that died touches it no more. That
only decides who tries. That the call runs once is held by its approval.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Q
from django.db.models.functions import Now

from accounts.tenancy import TenantQuerySet
from approvals.models import Approval, State, Task

BYTES = 32
# A claim that was not touched for so long is nobody's.
SILENCE = timedelta(seconds=20)
# How long after the last moment at which it can run a task is kept.
KEPT = timedelta(hours=1)
BATCH = 50
# How many tasks may follow one approval: a client that calls again and again gets
# texts, and no rows.
MOST = 8
# How many expired ones are deleted at once, a day after they have expired.
FORGOTTEN, FORGOTTEN_AFTER = 500, timedelta(days=1)
RUNS = "It is decided; the call is being made."

Status = Task.Status
Tasks = TenantQuerySet[Task]


@dataclass(frozen=True, slots=True)
class Seen:
    """A task as it is told to its client."""

    id: UUID
    approval: UUID
    status: str
    message: str
    result: str
    created_at: datetime
    changed_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Work:
    """What is needed to run one, and the claim it runs under: as `call`, after
    `before`, which is the call that asked, or that of a claim that fell silent."""

    id: UUID
    organization: UUID
    approval: UUID
    binding: str
    token_hash: bytes
    path: str
    request: str
    client: str
    call: UUID
    before: UUID
    since: datetime


def make(
    organization: UUID,
    grant: UUID,
    approval: UUID,
    call: UUID,
    request: str,
    client: str,
    message: str,
) -> tuple[str, Seen] | None:
    """The secret, and the task; None where too many follow this approval already."""
    following = Task.objects.for_organization(organization).filter(approval=approval)
    if following.count() >= MOST:
        return None
    row = Approval.objects.for_organization(organization).get(pk=approval, grant=grant)
    secret = secrets.token_urlsafe(BYTES)
    ends = row.usable_until or row.expires_at + timedelta(seconds=row.use_within)
    task = Task.objects.create(
        organization_id=organization,
        approval=row,
        grant_id=grant,
        token_hash=_hash(secret),
        call=call,
        request=request,
        client=client,
        message=message,
        expires_at=ends + KEPT,
    )
    return secret, _seen(task)


def find(organization: UUID, grant: UUID, secret: str) -> Seen | None:
    """None for one that is unknown, another grant's, or expired."""
    row = (
        Task.objects.for_organization(organization)
        .filter(grant=grant, token_hash=_hash(secret), expires_at__gt=Now())
        .first()
    )
    return None if row is None else _seen(row)


def cancel(organization: UUID, task: UUID) -> bool:
    """Where nobody runs it yet."""
    return _finish(
        Task.objects.for_organization(organization).filter(
            pk=task, status=Status.WORKING, running_since=None
        ),
        Status.CANCELLED,
        "Cancelled by the client.",
        "",
    )


def due(approval: UUID | None = None) -> Sequence[UUID]:
    """Tasks that somebody must see to: their approval is decided, or over, and nobody
    runs them, or whoever ran them fell silent."""
    rows = Task.objects.across_organizations().filter(
        Q(running_since=None) | Q(changed_at__lt=Now() - SILENCE),
        ~Q(approval__state=State.PENDING) | Q(approval__expires_at__lte=Now()),
        status=Status.WORKING,
        expires_at__gt=Now(),
    )
    if approval is not None:
        rows = rows.filter(approval=approval)
    return list(rows.order_by("created_at").values_list("pk", flat=True)[:BATCH])


def claim(task: UUID, call: UUID, now: datetime) -> Work | None:
    """For one process; None for all others."""
    rows = Task.objects.across_organizations()
    row = rows.select_related("grant__server", "approval").filter(pk=task).first()
    if row is None:
        return None
    claimed = rows.filter(
        Q(running_since=None) | Q(changed_at__lt=Now() - SILENCE),
        pk=task,
        call=row.call,
        status=Status.WORKING,
    ).update(running_since=now, call=call, message=RUNS, changed_at=Now())
    if not claimed:
        return None
    return Work(
        row.pk,
        row.organization_id,
        row.approval_id,
        row.approval.binding,
        bytes(row.grant.token_hash),
        f"/mcp/{row.grant.server.public_id}",
        row.request,
        row.client,
        call,
        row.call,
        now,
    )


def touch(work: Work) -> bool:
    """False: it is somebody else's by now."""
    return bool(_mine(work).update(changed_at=Now()))


def leave(work: Work) -> None:
    """Not done; whoever comes next may try."""
    _mine(work).update(running_since=None, changed_at=Now())


def finish(work: Work, status: str, message: str, result: str) -> bool:
    return _finish(_mine(work), status, message, result)


def forget() -> int:
    """Deletes what nobody can ask for any more."""
    rows = Task.objects.across_organizations()
    old = rows.filter(expires_at__lt=Now() - FORGOTTEN_AFTER).order_by("expires_at")
    return rows.filter(pk__in=old.values("pk")[:FORGOTTEN]).delete()[0]


def _finish(rows: Tasks, status: str, message: str, result: str) -> bool:
    return bool(
        rows.update(status=status, message=message, result=result, changed_at=Now())
    )


def _mine(work: Work) -> Tasks:
    return Task.objects.for_organization(work.organization).filter(
        pk=work.id, status=Status.WORKING, running_since=work.since
    )


def _hash(secret: str) -> bytes:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()


def _seen(row: Task) -> Seen:
    return Seen(
        row.pk,
        row.approval_id,
        row.status,
        row.message,
        row.result,
        row.created_at,
        row.changed_at,
        row.expires_at,
    )

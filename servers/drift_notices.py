"""Who is told of definitions that became more severe: rows now, mail later.

One row for each person and look at a server. A server that changes back and forth
fills no mailbox: what comes while a mail waits goes out with it, and mails of one
server to one person are ten minutes apart.

made, or added to     due_at = now, or ten minutes after the last
taken by a worker     due_at = end of its lease, attempts + 1
failed                due_at = later, farther each time; in the end dropped
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from django.db.models import F, Max
from django.utils import timezone

from accounts.models import Membership, Role
from accounts.tenancy import TenantQuerySet
from servers.models import DriftNotice, Server
from servers.pinning import Raise

APART = timedelta(minutes=10)
# Longer than a mail server may take.
LEASE = timedelta(seconds=60)
FIRST_WAIT, LONGEST_WAIT = timedelta(seconds=10), timedelta(minutes=10)
# The last is a good day after the first.
MOST_ATTEMPTS = 150
MOST_TOOLS = 500
LONGEST_ERROR = 500


def keep(server: Server, raised: Sequence[Raise], now: datetime) -> None:
    """In the transaction of the change, under the lock on the server's row."""
    if not raised:
        return
    tools = [asdict(each) for each in raised]
    for member in told(server):
        mine = _of(server).filter(user=member.user)
        if not _add(mine, tools):
            DriftNotice.objects.create(
                organization_id=server.organization_id,
                server=server,
                user=member.user,
                tools=tools[:MOST_TOOLS],
                created_at=now,
                due_at=_slot(mine, now),
            )


def told(server: Server) -> TenantQuerySet[Membership]:
    """Those who may accept a definition."""
    roles = Role.values[: Role.values.index(Role.POLICY_MANAGER) + 1]
    rows = Membership.objects.for_organization(server.organization_id)
    return rows.filter(role__in=roles, user__is_active=True).select_related("user")


def take(now: datetime) -> DriftNotice | None:
    """The next to send, leased; None where nothing is due."""
    due = _open().filter(due_at__lte=now).order_by("due_at")
    for row in due.select_related("organization", "server", "user")[:20]:
        mine = _open().filter(pk=row.pk, due_at=row.due_at, attempts=row.attempts)
        if mine.update(due_at=now + LEASE, attempts=F("attempts") + 1):
            row.attempts += 1
            # What was added to it between reading and taking goes out with it.
            row.refresh_from_db(fields=["tools"])
            return row
    return None


def sent(row: DriftNotice) -> None:
    _open().filter(pk=row.pk).update(sent_at=timezone.now(), error="")


def failed(row: DriftNotice, why: str) -> None:
    now, why = timezone.now(), why[:LONGEST_ERROR]
    mine = _open().filter(pk=row.pk, attempts=row.attempts)
    if row.attempts >= MOST_ATTEMPTS:
        mine.update(dropped_at=now, error=why)
        return
    wait = min(FIRST_WAIT * 2 ** min(row.attempts - 1, 10), LONGEST_WAIT)
    mine.update(due_at=now + wait, error=why)


def drop(row: DriftNotice, why: str) -> None:
    _open().filter(pk=row.pk).update(dropped_at=timezone.now(), error=why)


def _add(mine: TenantQuerySet[DriftNotice], tools: list[dict[str, Any]]) -> bool:
    """To the one that waits. False where there is none, or a worker just took it."""
    waiting = mine.filter(sent_at=None, dropped_at=None, attempts=0)
    row = waiting.first()
    if row is None:
        return False
    return bool(waiting.filter(pk=row.pk).update(tools=_merged(row.tools, tools)))


def _slot(mine: TenantQuerySet[DriftNotice], now: datetime) -> datetime:
    last: dict[str, datetime | None]
    last = mine.aggregate(made=Max("created_at"), sent=Max("sent_at"))
    return max([now, *(moment + APART for moment in last.values() if moment)])


def _merged(
    before: Iterable[dict[str, Any]], after: Iterable[dict[str, Any]]
) -> list[dict[str, Any]]:
    """The newest of each tool, but with the severity that it had first."""
    found = {each["name"]: each for each in before}
    for each in after:
        first = found.get(each["name"], each)
        found[each["name"]] = {**each, "before": first["before"]}
    return list(found.values())[:MOST_TOOLS]


def _of(server: Server) -> TenantQuerySet[DriftNotice]:
    rows = DriftNotice.objects.for_organization(server.organization_id)
    return rows.filter(server=server)


def _open() -> TenantQuerySet[DriftNotice]:
    rows = DriftNotice.objects.across_organizations()
    return rows.filter(sent_at=None, dropped_at=None)

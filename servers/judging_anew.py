"""Judging what an older version of the classifier judged, or none.

A few hundred tools of one server in one transaction, under the lock on its row. Where
the server's verdicts are kept, a verdict that differs waits to be accepted.
"""

from __future__ import annotations

import time

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from accounts import generation
from accounts.tenancy import TenantQuerySet
from servers import classifying, verdicts
from servers.locking import locked
from servers.models import Server, ToolDefinition

BATCH = 500
# A turn of a worker; the next goes on.
TURN_SECONDS = 20.0
FIELDS = (*classifying.FIELDS, *verdicts.FIELDS)


def judge_outdated(seconds: float = TURN_SECONDS) -> int:
    """How many tools were judged anew; the turn ends when none is left, or in time."""
    version, over, count = classifying.version(), time.monotonic() + seconds, 0
    while version and time.monotonic() < over:
        judged = _judge_some(version)
        if not judged:
            break
        count += judged
    return count


def _outdated(
    rows: TenantQuerySet[ToolDefinition], version: str
) -> TenantQuerySet[ToolDefinition]:
    # Two ranges of the index; `exclude` would read the whole table.
    other = Q(judged_version__lt=version) | Q(judged_version__gt=version)
    return rows.filter(other)


def _judge_some(version: str) -> int:
    found = _outdated(ToolDefinition.objects.across_organizations(), version).first()
    if found is None:
        return 0
    with transaction.atomic():
        try:
            server = locked(found.server)
        except Server.DoesNotExist:
            return 1  # deleted meanwhile, and its tools with it
        rows = ToolDefinition.objects.for_organization(server.organization_id)
        some = list(_outdated(rows.filter(server=server), version)[:BATCH])
        if _put_in_force(some, verdicts.keeps(server)):
            generation.changed(server.organization)
        rows.bulk_update(some, FIELDS, batch_size=BATCH)
    return len(some) or 1


def _put_in_force(rows: list[ToolDefinition], kept: bool) -> bool:
    """Whether any verdict in force is another now."""
    now, changed = timezone.now(), False
    for row in rows:
        classifying.put(row, classifying.judge(row.definition))
        before = (row.category, row.severity, row.verdict_origin)
        if not kept:
            verdicts.follow(row, now)
        changed |= before != (row.category, row.severity, row.verdict_origin)
    return changed

"""Celery tasks, known to other apps by their names."""

from __future__ import annotations

import logging
import uuid
from datetime import timedelta
from itertools import islice

from celery import shared_task
from django.db.models import F, Q
from django.utils import timezone

from accounts.tenancy import TenantQuerySet
from accounts.valkey import client
from servers import drift_mail, judging_anew
from servers.diagnosis import Failed
from servers.models import Server
from servers.refreshing import AT_ONCE, claimed, refresh, refresh_many
from servers.registering import Stale

log = logging.getLogger(__name__)

# A little less than the beat's 300 s, so that no server waits for two rounds.
FRESH = timedelta(seconds=240)
LOCK, LOCK_SECONDS = "servers:refresh_all", 1800


@shared_task(name="servers.refresh")  # type: ignore[untyped-decorator]
def refresh_one(server_id: str) -> None:
    server = _servers().filter(pk=uuid.UUID(server_id)).first()
    if server is None:
        return
    with claimed(server) as mine:
        if not mine:
            return
        try:
            refresh(server)
        except (Failed, Stale) as error:
            # Noted on the server, or overtaken by a change that will ask again.
            log.info("refresh of server %s: %s", server_id, error)


@shared_task(name="servers.refresh_all")  # type: ignore[untyped-decorator]
def refresh_all() -> None:
    """Those not asked lately, longest ago first, many at a time."""
    lock = client().lock(LOCK, timeout=LOCK_SECONDS, blocking=False)
    if not lock.acquire():
        return
    try:
        lately = timezone.now() - FRESH
        due = _servers().filter(Q(checked_at=None) | Q(checked_at__lt=lately))
        rows = iter(list(due.order_by(F("checked_at").asc(nulls_first=True))))
        while batch := list(islice(rows, AT_ONCE)):
            refresh_many(batch)
    finally:
        lock.release()


@shared_task(name="servers.judge_anew")  # type: ignore[untyped-decorator]
def judge_anew() -> None:
    judging_anew.judge_outdated()


@shared_task(name="servers.mail_drift")  # type: ignore[untyped-decorator]
def mail_drift() -> None:
    drift_mail.deliver_due()


def _servers() -> TenantQuerySet[Server]:
    return Server.objects.across_organizations().select_related("organization")

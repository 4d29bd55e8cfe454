"""Celery tasks, known to other apps by their names."""

from __future__ import annotations

import logging
import uuid

from celery import shared_task

from servers.diagnosis import Failed
from servers.models import Server
from servers.refreshing import claim, refresh
from servers.registering import Stale

log = logging.getLogger(__name__)

EVERY_SECONDS = 300


@shared_task(name="servers.refresh")  # type: ignore[untyped-decorator]
def refresh_one(server_id: str) -> None:
    server = (
        Server.objects.across_organizations()
        .select_related("organization")
        .filter(pk=uuid.UUID(server_id))
        .first()
    )
    if server is None or not claim(server):
        return
    try:
        refresh(server)
    except (Failed, Stale) as error:
        # Noted on the server, or overtaken by a change that will ask again.
        log.info("refresh of server %s: %s", server_id, error)


@shared_task(name="servers.refresh_all")  # type: ignore[untyped-decorator]
def refresh_all() -> None:
    """Each server as a task of its own: one that hangs keeps no other waiting."""
    keys = Server.objects.across_organizations().values_list("pk", flat=True)
    for key in keys.iterator():
        refresh_one.apply_async((str(key),), expires=EVERY_SECONDS)

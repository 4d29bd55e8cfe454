"""What beat starts where a registry is set."""

from __future__ import annotations

import logging

from celery import shared_task
from django.conf import settings

from catalog.registry.failures import RegistryError
from catalog.registry.syncing import sync

log = logging.getLogger(__name__)


@shared_task(name="catalog.sync_registry")  # type: ignore[untyped-decorator]
def sync_registry() -> None:
    if not settings.CATALOG_REGISTRY_URL:
        return
    try:
        report = sync(settings.CATALOG_REGISTRY_URL)
    except RegistryError as error:
        log.warning("registry not read: %s", error.reason)
        return
    level = logging.WARNING if report.error else logging.INFO
    for line in report.lines():
        log.log(level, "registry: %s", line)

"""Keeping a report for whoever asked: stripped servers only, for thirty days.

The random key in the address is the only way to it; its SHA-256 is what is stored.
What a report says is worked out anew whenever it is opened.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from datetime import timedelta

from django.utils import timezone

from catalog.config_scan.stripping import Stripped, strip
from catalog.models import KeptReport

DAYS = 30
KEY_BYTES = 24


def keep(servers: Sequence[Stripped]) -> str:
    """The key. Strips once more, so that nothing else can get in."""
    key = secrets.token_urlsafe(KEY_BYTES)
    KeptReport.objects.create(
        key_hash=hashed(key),
        servers=[strip(each.name, each.as_json()).as_json() for each in servers],
        expires_at=timezone.now() + timedelta(days=DAYS),
    )
    return key


def find(key: str) -> KeptReport | None:
    rows = KeptReport.objects.filter(expires_at__gt=timezone.now())
    return rows.filter(key_hash=hashed(key)).first()


def servers_of(report: KeptReport) -> list[Stripped]:
    return [strip(each["name"], each) for each in report.servers]


def forget(report: KeptReport) -> None:
    KeptReport.objects.filter(pk=report.pk).delete()


def forget_expired() -> int:
    count, _ = KeptReport.objects.filter(expires_at__lte=timezone.now()).delete()
    return count


def hashed(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()

"""Kill switches: a grant, a server or a whole organization is stopped at once."""

from __future__ import annotations

from django.db import models, transaction
from django.utils import timezone

from accounts import generation
from accounts.models import Organization
from policies.models import Grant
from servers.models import Server

Switched = Organization | Server | Grant


def kill(target: Switched) -> bool:
    """Denies every call from the next one on, and open streams end within seconds;
    False where it was so before."""
    return _set(target, killed=True)


def release(target: Switched) -> bool:
    """Calls are judged by the policy again; False where nothing was stopped."""
    return _set(target, killed=False)


@transaction.atomic
def _set(target: Switched, *, killed: bool) -> bool:
    at = timezone.now() if killed else None
    changed = _row(target).filter(killed_at__isnull=killed).update(killed_at=at)
    if changed:
        target.killed_at = at
        generation.changed(_organization(target))
    return bool(changed)


def _row(target: Switched) -> models.QuerySet[Switched]:
    if isinstance(target, Organization):
        return Organization.objects.filter(pk=target.pk)
    rows = type(target).objects.for_organization(target.organization_id)
    return rows.filter(pk=target.pk)


def _organization(target: Switched) -> Organization:
    return target if isinstance(target, Organization) else target.organization

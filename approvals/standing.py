"""What every page shows while it lasts: the tools that are open by break-glass."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.http import HttpRequest
from django.utils import timezone

from accounts.models import Organization
from accounts.tenancy import TenantQuerySet
from approvals.models import BreakGlass


def open_now(organization: Organization) -> TenantQuerySet[BreakGlass]:
    """Those that have not ended, the last to end first."""
    return (
        BreakGlass.objects.for_organization(organization)
        .filter(ended_at=None, expires_at__gt=timezone.now())
        .order_by("-expires_at", "pk")
    )


class Standing:
    """Asks nothing until a page of a member is drawn."""

    def __init__(self, request: HttpRequest) -> None:
        self._request = request

    def __iter__(self) -> Iterator[BreakGlass]:
        organization = getattr(self._request, "organization", None)
        if organization is not None:
            yield from open_now(organization).select_related("grant")


def standing(request: HttpRequest) -> dict[str, Any]:
    """Context processor."""
    return {"standing_openings": Standing(request)}

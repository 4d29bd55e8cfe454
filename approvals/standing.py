"""What every page of a member shows: how many calls wait, and while it lasts, the tools
that are open by break-glass."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any, NamedTuple

from django.db import connection
from django.http import HttpRequest
from django.utils import timezone

from accounts.models import Organization
from accounts.tenancy import TenantQuerySet
from approvals.models import BreakGlass, State

# More that wait than these are said as “or more”.
MOST_COUNTED = 100
# Asked for every page: as two QuerySets, it took longer to write than to answer.
SEEN = """
SELECT waiting.number, opening.*
FROM (
    SELECT count(*) AS number FROM (
        SELECT FROM approvals_approval
        WHERE organization_id = %(organization)s
        AND state = %(pending)s AND expires_at > statement_timestamp()
        LIMIT %(most)s
    ) AS each
) AS waiting
LEFT JOIN (
    SELECT b.tool, g.label, b.by_email, b.expires_at
    FROM approvals_breakglass AS b JOIN policies_grant AS g ON g.id = b.grant_id
    WHERE b.organization_id = %(organization)s
    AND b.ended_at IS NULL AND b.expires_at > %(now)s
) AS opening ON TRUE
ORDER BY opening.expires_at DESC
"""


class Opening(NamedTuple):
    """Of open_now(), what a page says of it; `label` is its grant's."""

    tool: str
    label: str
    by_email: str
    expires_at: datetime


class Seen(NamedTuple):
    """`waiting` is at most MOST_COUNTED."""

    waiting: int = 0
    openings: tuple[Opening, ...] = ()


def open_now(organization: Organization) -> TenantQuerySet[BreakGlass]:
    """Those that have not ended, the last to end first."""
    return (
        BreakGlass.objects.for_organization(organization)
        .filter(ended_at=None, expires_at__gt=timezone.now())
        .order_by("-expires_at", "pk")
    )


def seen(request: HttpRequest) -> Seen:
    """Asked once a request: the frame shows it twice. Nothing where nobody acts for an
    organization."""
    organization = getattr(request, "organization", None)
    if organization is None:
        return Seen()
    known: Seen | None = getattr(request, "seen_standing", None)
    if known is None:
        known = _look(organization)
        request.seen_standing = known  # type: ignore[attr-defined]
    return known


def _look(organization: Organization) -> Seen:
    given: dict[str, Any] = {
        "organization": organization.pk,
        "pending": State.PENDING.value,
        "most": MOST_COUNTED,
        "now": timezone.now(),
    }
    with connection.cursor() as cursor:
        cursor.execute(SEEN, given)
        rows = cursor.fetchall()
    # Where none is open, one row has the number alone.
    return Seen(rows[0][0], tuple(Opening(*row) for _, *row in rows if row[-1]))


class Standing:
    """Asks nothing until a page of a member is drawn."""

    def __init__(self, request: HttpRequest) -> None:
        self._request = request

    def __iter__(self) -> Iterator[Opening]:
        return iter(seen(self._request).openings)


def standing(request: HttpRequest) -> dict[str, Any]:
    """Context processor."""
    return {"standing_openings": Standing(request)}

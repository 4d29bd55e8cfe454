"""Reading the tools of a server for the pages: filters, pages, differences."""

from __future__ import annotations

import difflib
from typing import Any, NamedTuple

from django.db.models import Count, Q

from accounts.tenancy import TenantQuerySet
from servers.definitions import pretty
from servers.models import Category, Origin, Server, ToolDefinition
from servers.verdicts import WAITING

PAGE = 250
MAX_COMPARED_LINES = 4000

STATES = {
    "held": Q(held_at__isnull=False),
    "changed": Q(changed_at__isnull=False),
    "unset": Q(verdict_origin=Origin.UNSET, listed=True),
    "new": WAITING,
    "doubtful": Q(judged_doubtful=True) & ~Q(verdict_origin=Origin.PERSON),
    "gone": Q(listed=False),
}


class Line(NamedTuple):
    """`kind`: added, removed, place, or nothing."""

    kind: str
    text: str


def of_server(server: Server) -> TenantQuerySet[ToolDefinition]:
    rows = ToolDefinition.objects.for_organization(server.organization_id)
    return rows.filter(server=server)


def matching(server: Server, chosen: dict[str, Any]) -> TenantQuerySet[ToolDefinition]:
    """By name, without the definitions, which may be large."""
    rows = of_server(server).order_by("name")
    if text := chosen.get("q"):
        rows = rows.filter(name__icontains=text.replace("\0", ""))
    if category := chosen.get("category"):
        rows = rows.filter(category=category)
    if state := chosen.get("state"):
        rows = rows.filter(STATES[state])
    if after := chosen.get("after"):
        rows = rows.filter(name__gt=after.replace("\0", ""))
    return rows.defer(
        *("definition", "previous_definition", "pending_definition"),
        *("judged_evidence", "judged_signals"),
    )


def counts(server: Server) -> dict[str, int]:
    return of_server(server).aggregate(
        present=Count("pk", filter=Q(listed=True)),
        held=Count("pk", filter=STATES["held"]),
        unset=Count("pk", filter=STATES["unset"]),
        new=Count("pk", filter=STATES["new"]),
        doubtful=Count("pk", filter=STATES["doubtful"] & Q(listed=True)),
        all=Count("pk"),
    )


def categories(server: Server) -> list[tuple[str, int]]:
    """How many listed tools of each category there are; those without a verdict not."""
    rows = of_server(server).filter(listed=True).exclude(verdict_origin=Origin.UNSET)
    counted = rows.values("category").annotate(count=Count("pk")).order_by()
    found = {each["category"]: each["count"] for each in counted}
    return [(name, found[name]) for name in Category.values if name in found]


def difference(before: str, after: str) -> list[Line] | None:
    """What changed between two canonical texts; None where they are too long."""
    one, other = pretty(before).splitlines(), pretty(after).splitlines()
    if len(one) + len(other) > MAX_COMPARED_LINES:
        return None
    lines = difflib.unified_diff(one, other, n=2, lineterm="")
    return [_line(text) for text in lines if not text.startswith(("---", "+++"))]


def _line(text: str) -> Line:
    if text.startswith("@@"):
        return Line("place", "…")
    return Line({"+": "added", "-": "removed"}.get(text[:1], ""), text)

"""From a slug in an address to a row that may be shown; what is deleted may not."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404

from catalog.models import CatalogServer, CatalogTool, Status
from policies import recommended


def servers() -> QuerySet[CatalogServer]:
    return CatalogServer.objects.exclude(status=Status.DELETED)


def tools() -> QuerySet[CatalogTool]:
    """Those that their servers list now, without their definitions, which are big."""
    rows = CatalogTool.objects.exclude(server__status=Status.DELETED)
    return rows.filter(listed=True).defer("definition", "words")


def server_of(slug: str) -> CatalogServer:
    """Http404 where there is none."""
    return get_object_or_404(servers(), slug=slug)


def tool_of(server: str, tool: str) -> CatalogTool:
    """With its server. Http404 where there is none."""
    rows = tools().select_related("server")
    return get_object_or_404(rows, server__slug=server, slug=tool)


def policy_of(server: CatalogServer) -> dict[str, Any]:
    """The balanced policy for all that a server lists now, by name."""
    rows = server.listing.filter(listed=True).order_by("name")
    known = rows.values_list("name", "category", "verdict__doubtful")
    return recommended.balanced(
        recommended.Known(name, category, bool(doubtful))
        for name, category, doubtful in known
    )

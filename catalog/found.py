"""From a slug in an address to a row that may be shown; what is deleted may not."""

from __future__ import annotations

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404

from catalog.models import CatalogServer, CatalogTool, Status


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

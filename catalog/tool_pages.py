"""One tool's page."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render

from catalog.models import CatalogTool
from catalog.public import public


@public
def show_tool(request: HttpRequest, server: str, tool: str) -> HttpResponse:
    found = get_object_or_404(
        CatalogTool.objects.select_related("server"), server__slug=server, slug=tool
    )
    return render(request, "catalog/tool.html", {"tool": found})

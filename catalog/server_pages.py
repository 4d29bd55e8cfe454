"""One server's page: what its tools can do, the policy to start from, its history."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render

from catalog.models import CatalogServer
from catalog.public import public


@public
def show_server(request: HttpRequest, server: str) -> HttpResponse:
    found = get_object_or_404(CatalogServer, slug=server)
    return render(request, "catalog/server.html", {"server": found})

"""The index of the catalogue."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from catalog.public import public


@public
def list_tools(request: HttpRequest) -> HttpResponse:
    return render(request, "catalog/list.html")

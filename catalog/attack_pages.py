"""The list of attack patterns, and one of them. The patterns are tables (attacks/)."""

from __future__ import annotations

from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render

from catalog import found
from catalog.attacks import patterns
from catalog.attacks.layout import laid_out
from catalog.attacks.pattern import Pattern
from catalog.models import CatalogTool
from catalog.public import public

# Only the newest tools are looked at, however many there are.
LOOKED_AT, MOST_READ, MOST_SHOWN = 20_000, 60, 8


@public
def show_attacks(request: HttpRequest) -> HttpResponse:
    context = {"sections": patterns.SECTIONS, "count": len(patterns.PATTERNS)}
    return render(request, "catalog/attacks.html", context)


@public
def show_attack(request: HttpRequest, slug: str) -> HttpResponse:
    pattern = patterns.find(slug)
    if pattern is None:
        raise Http404("There is no attack pattern of this name.")
    context = {
        "pattern": pattern,
        "policy": laid_out(dict(pattern.policy)) if pattern.policy else "",
        "tools": related(pattern),
        "others": others(pattern),
    }
    return render(request, "catalog/attack.html", context)


def related(pattern: Pattern) -> list[CatalogTool]:
    """Tools that it could abuse, each of another server, the worst first."""
    if not pattern.categories:
        return []
    newest = CatalogTool.objects.filter(listed=True).order_by("-pk")
    rows = found.tools().filter(
        pk__in=newest.values("pk")[:LOOKED_AT], category__in=pattern.categories
    )
    rows = rows.filter(_signalled(pattern)).select_related("server")
    read = rows.defer("facts", "definition", "words")[:MOST_READ]
    one_each = {tool.server_id: tool for tool in reversed(read)}
    return sorted(one_each.values(), key=_worst_first)[:MOST_SHOWN]


def _signalled(pattern: Pattern) -> Q:
    said = Q()
    for signal in pattern.signals:
        said |= Q(verdict__signals__contains=[{"signal": signal}])
    return said


def _worst_first(tool: CatalogTool) -> tuple[int, str]:
    worst = ("critical", "high", "medium", "low")
    return worst.index(tool.severity), tool.name


def others(pattern: Pattern) -> list[Pattern]:
    """Those of the same section."""
    for _, together in patterns.SECTIONS:
        if pattern in together:
            return [each for each in together if each is not pattern]
    return []

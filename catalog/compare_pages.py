"""Two servers side by side. The form is two fields; an address names both servers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db.models.fields.json import KT
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from catalog import found
from catalog.comparing import Listed, compare
from catalog.config_scan.report import Graded, Line, graded
from catalog.models import CatalogServer, CatalogTool
from catalog.public import public
from servers.models import Category, Severity

MOST_TOOLS, MOST_OFFERED, MOST_LIKE = 1_000, 300, 8


@dataclass(frozen=True)
class Side:
    server: CatalogServer
    tools: tuple[Listed, ...]

    @property
    def graded(self) -> Graded:
        return graded([Line(*tool, tool.decision) for tool in self.tools])


@public
def show_comparison(request: HttpRequest) -> HttpResponse:
    asked = {key: request.GET.get(key, "").strip()[:200] for key in ("a", "b")}
    sides = [_side(asked["a"]), _side(asked["b"])]
    context: dict[str, Any] = {
        "asked": asked,
        "offered": _offered(),
        "missing": [
            (words, _like(words))
            for words, side in zip(asked.values(), sides, strict=True)
            if words and side is None
        ],
    }
    one, other = sides
    if one and other:
        context |= _compared(one, other)
    return render(request, "catalog/compare.html", context)


def _side(slug: str) -> Side | None:
    server = found.servers().filter(slug=slug).first() if slug else None
    if server is None:
        return None
    rows = (
        CatalogTool.objects.filter(server=server, listed=True)
        .order_by("name")
        .values_list("name", "slug", "category", "severity")
        .annotate(doubt=KT("verdict__doubtful"))[:MOST_TOOLS]
    )
    tools = [Listed(n, s, c, v, doubt == "true") for n, s, c, v, doubt in rows]
    return Side(server, tuple(tools))


def _compared(one: Side, other: Side) -> dict[str, Any]:
    sides = (one, other)
    return {
        "one": one,
        "other": other,
        "sides": sides,
        "compared": compare(one.tools, other.tools),
        "categories": _counts(sides, "category", Category.values),
        "severities": _counts(sides, "severity", list(reversed(Severity.values))),
    }


def _counts(
    sides: tuple[Side, Side], field: str, words: list[str]
) -> list[tuple[str, int, int]]:
    def count(side: Side, word: str) -> int:
        return sum(getattr(tool, field) == word for tool in side.tools)

    one, other = sides
    rows = [(word, count(one, word), count(other, word)) for word in words]
    return [row for row in rows if row[1] or row[2]]


def _offered() -> list[CatalogServer]:
    """What the two fields propose: the servers with the most tools."""
    rows = found.servers().filter(tools_listed__gt=0)
    return list(rows.order_by("-tools_listed", "slug")[:MOST_OFFERED])


def _like(words: str) -> list[CatalogServer]:
    """Servers that somebody may have meant who typed no slug."""
    rows = found.servers().filter(slug__icontains=words.replace(" ", "-"))
    return list(rows.order_by("-tools_listed", "slug")[:MOST_LIKE])

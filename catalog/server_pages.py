"""One server's page: what its tools can do, the policy to start from, its history."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any, NamedTuple

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render

from catalog import changes_told, jsonld, policy_text
from catalog.models import CatalogServer, CatalogTool, Change, Status
from catalog.public import public
from policies import recommended
from policies.recommended import Known
from servers.models import Severity

MOST_TOOLS = 400
MOST_SCANS = 10
MOST_CHANGES = 40
GONE = 410
WORST_FIRST = {word: place for place, word in enumerate(reversed(Severity.values))}


class Shelf(NamedTuple):
    """The tools of one severity."""

    severity: str
    tools: list[CatalogTool]


@public
def show_server(request: HttpRequest, server: str) -> HttpResponse:
    found = get_object_or_404(CatalogServer, slug=server)
    if found.status == Status.DELETED:
        return gone(request, found)
    tools = listed(found)
    scans = list(found.scans.order_by("-scanned_at", "-pk")[:MOST_SCANS])
    shown = {
        "server": found,
        "shelves": shelves(tools[:MOST_TOOLS]),
        "left": max(0, len(tools) - MOST_TOOLS),
        "policy": policy_text.written(policy(tools)) if tools else "",
        "scan": scans[0] if scans else None,
        "scans": scans,
        "changes": history(found),
        "jsonld": markup(found, tools),
    }
    return render(request, "catalog/server.html", shown)


@public
def download_policy(request: HttpRequest, server: str) -> HttpResponse:
    found = get_object_or_404(CatalogServer, slug=server)
    if found.status == Status.DELETED:
        return gone(request, found)
    name = f"{found.slug}-policy.json"
    return HttpResponse(
        policy_text.written(policy(listed(found))),
        content_type="application/json",
        headers={
            "Content-Disposition": f'attachment; filename="{name}"',
            "X-Robots-Tag": "noindex",
        },
    )


def gone(request: HttpRequest, server: CatalogServer) -> HttpResponse:
    return render(request, "catalog/gone.html", {"server": server}, status=GONE)


def listed(server: CatalogServer) -> list[CatalogTool]:
    """All of them: a policy that left one out would deny it without a word."""
    columns = ("name", "slug", "category", "severity", "confidence", "verdict")
    tools = list(server.listing.filter(listed=True).only("server_id", *columns))
    for tool in tools:
        tool.server = server
    return sorted(tools, key=lambda tool: (WORST_FIRST[tool.severity], tool.name))


def shelves(tools: Sequence[CatalogTool]) -> list[Shelf]:
    by_severity = itertools.groupby(tools, key=lambda tool: tool.severity)
    return [Shelf(severity, list(several)) for severity, several in by_severity]


def policy(tools: Sequence[CatalogTool]) -> dict[str, Any]:
    return recommended.balanced(
        Known(tool.name, tool.category, bool(tool.verdict.get("doubtful")))
        for tool in sorted(tools, key=lambda tool: tool.name)
    )


def history(server: CatalogServer) -> list[tuple[changes_told.Told, str]]:
    """Each change with what is told of it, newest first."""
    rows: list[Change] = list(server.changes.order_by("-at", "-pk")[:MOST_CHANGES])
    for row in rows:
        row.server = server
    return [
        (told, changes_told.sentences(told.change)) for told in changes_told.told(rows)
    ]


def markup(server: CatalogServer, tools: Sequence[CatalogTool]) -> str:
    return jsonld.script(
        jsonld.server(server),
        jsonld.crumbs(*jsonld.server_crumbs(server)),
        jsonld.tools_of(server, tools[:MOST_TOOLS]),
    )

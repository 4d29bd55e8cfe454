"""The addresses of the catalogue's read API. Each view's first line is its summary."""

from __future__ import annotations

import json
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest

from catalog import changes_told, found, server_pages, tool_pages
from catalog import public_api_asked as asked
from catalog import public_api_pages as pages
from catalog import public_api_search as search
from catalog import public_api_shapes as shapes
from catalog.classifier import rubric as rules
from catalog.public_api import reads
from catalog.public_api_asked import Given

EQUAL = {
    "severity": "severity",
    "category": "category",
    "publisher": "publisher",
    "status": "status",
    "server": "server__slug",
    "updated_since": "updated_at__gte",
    "since": "at__gte",
}


@reads(
    *(asked.PUBLISHER, asked.SEVERITY, asked.STATUS, asked.UPDATED_SINCE),
    *(asked.LIMIT, asked.CURSOR),
)
def servers(request: HttpRequest, given: Given) -> dict[str, Any]:
    """Servers, by slug."""
    page = pages.page(filtered(found.servers(), given), pages.BY_SLUG, given)
    return pages.listed(request, [shapes.server(row) for row in page.rows], page)


@reads()
def server(request: HttpRequest, given: Given, server: str) -> dict[str, Any]:
    """One server, and how it was scanned last."""
    row = found.server_of(server)
    scan = row.scans.order_by("-scanned_at", "-pk").first()
    return shapes.whole_server(row, scan)


@reads(asked.CATEGORY, asked.SEVERITY, asked.LIMIT, asked.CURSOR)
def server_tools(request: HttpRequest, given: Given, server: str) -> dict[str, Any]:
    """What one server lists now, by slug."""
    rows = found.tools().filter(server=found.server_of(server))
    chosen = filtered(rows.select_related("server"), given)
    page = pages.page(chosen, pages.BY_SLUG, given)
    return pages.listed(request, [shapes.tool(row) for row in page.rows], page)


@reads(
    *(asked.Q, asked.CATEGORY, asked.SEVERITY, asked.PUBLISHER),
    *(asked.LIMIT, asked.CURSOR),
)
def tools(request: HttpRequest, given: Given) -> dict[str, Any]:
    """Tools of all servers, in an order that stays, and is none of relevance."""
    page = search.page(given)
    return pages.listed(request, [shapes.tool(row) for row in page.rows], page)


@reads()
def tool(request: HttpRequest, given: Given, server: str, tool: str) -> dict[str, Any]:
    """One tool: its verdict, the evidence, and the policy for it alone."""
    row = found.tool_of(server, tool)
    policy = tool_pages.policy(row)
    return shapes.whole_tool(row, json.loads(policy) if policy else None)


@reads()
def policy(request: HttpRequest, given: Given, server: str) -> dict[str, Any]:
    """The policy to start from for all tools of a server, ready to publish."""
    tools = server_pages.listed(found.server_of(server))
    return server_pages.policy(tools)


@reads(asked.SINCE, asked.SERVER, asked.LIMIT, asked.CURSOR)
def changes(request: HttpRequest, given: Given) -> dict[str, Any]:
    """What differs between scans, or versions of the classifier, newest first."""
    rows = filtered(changes_told.changes(), given)
    page = pages.page(rows, pages.NEWEST, given)
    told = [shapes.change(each) for each in changes_told.told(page.rows)]
    return pages.listed(request, told, page)


@reads()
def rubric(request: HttpRequest, given: Given) -> dict[str, Any]:
    """How verdicts come about: the tables that the classifier reads."""
    return rules.rubric()


def filtered(rows: QuerySet[Any], given: Given) -> QuerySet[Any]:
    return rows.filter(**{EQUAL[name]: given[name] for name in given if name in EQUAL})

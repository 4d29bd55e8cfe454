"""The catalogue as an MCP registry: the shape of its API v0.1, with our verdicts.

    GET /api/catalog/v0.1/servers?cursor=&limit=&updated_since=&search=&version=latest
    GET /api/catalog/v0.1/servers/<namespace>/<server>/versions[/<version>|/latest]

A sub-registry, for clients that read the official one (schema 2025-12-11). A record is
made of what was scanned and holds nothing that a publisher wrote; `_meta` has the
status where clients look for it, and what we found under a name of our own. A server
that no registry names is named after our host.
"""

from __future__ import annotations

import ipaddress
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest
from django.urls import reverse

from catalog import public_api_asked as asked
from catalog import public_api_pages as pages
from catalog import public_api_shapes as shapes
from catalog.models import CatalogServer, Source, Status
from catalog.plain import line, moment, plural
from catalog.public import absolute
from catalog.public_api import reads
from catalog.public_api_asked import Given

SCHEMA = "https://static.modelcontextprotocol.io/schemas/2025-12-11/server.schema.json"
OFFICIAL = "io.modelcontextprotocol.registry/official"
NOWHERE = "local.policylayer"
LONGEST_TITLE = LONGEST_DESCRIPTION = 100
NO_VERSION = "unknown"


@reads(
    *(asked.UPDATED_SINCE, asked.SEARCH, asked.VERSION, asked.DELETED),
    *(asked.LIMIT, asked.CURSOR),
)
def servers(request: HttpRequest, given: Given) -> dict[str, Any]:
    """The servers as a registry lists them; with updated_since the deleted ones too."""
    page = pages.page(_asked(given), pages.BY_SLUG, given)
    return _listed(list(page.rows), page.cursor)


@reads(asked.DELETED)
def versions(
    request: HttpRequest, given: Given, namespace: str, server: str
) -> dict[str, Any]:
    """All versions of a server: the one that was scanned last."""
    return _listed([_named(namespace, server, given)], None)


@reads(asked.DELETED)
def version(
    request: HttpRequest, given: Given, namespace: str, server: str, version: str
) -> dict[str, Any]:
    """One version of a server; `latest` is the one that was scanned last."""
    row = _named(namespace, server, given)
    if version not in {"latest", row.version or NO_VERSION}:
        raise Http404
    return record(row)


def record(row: CatalogServer) -> dict[str, Any]:
    official = {
        "status": row.status,
        "publishedAt": moment(row.created_at),
        "updatedAt": moment(row.updated_at),
        "isLatest": True,
    }
    return {
        "server": _server(row),
        "_meta": {OFFICIAL: official, f"{namespace_of_ours()}/catalog": _found(row)},
    }


def name_of(row: CatalogServer) -> str:
    return row.registry_name or f"{namespace_of_ours()}/{row.slug}"


def namespace_of_ours() -> str:
    """Our host, backwards; a bare address has no name."""
    host = urlsplit(settings.BASE_URL).hostname or ""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return ".".join(reversed(host.split("."))) if "." in host else NOWHERE
    return NOWHERE


def _server(row: CatalogServer) -> dict[str, Any]:
    return {
        "$schema": SCHEMA,
        "name": name_of(row),
        "title": line(row.name)[:LONGEST_TITLE],
        "description": _description(row)[:LONGEST_DESCRIPTION],
        "version": row.version or NO_VERSION,
        "websiteUrl": absolute(reverse("catalog:server", args=[row.slug])),
        **_ways(row),
    }


def _ways(row: CatalogServer) -> dict[str, Any]:
    if row.source_kind == Source.URL:
        return {"remotes": [{"type": "streamable-http", "url": row.source}]}
    package = {
        "registryType": row.source_kind,
        "identifier": row.source,
        "transport": {"type": "stdio"},
    }
    if row.version:
        package["version"] = row.version
    return {"packages": [package]}


def _description(row: CatalogServer) -> str:
    if not row.tools_listed:
        return "No tools are known of this server."
    counts = [f"{count} {name}" for name, count in row.counts.items() if count]
    return f"{plural(row.tools_listed, 'tool')}: {', '.join(counts)}."


def _found(row: CatalogServer) -> dict[str, Any]:
    """Our classification. `details` leads to all of it, with the evidence."""
    return {
        "tools": row.tools_listed,
        "severity": row.severity if row.tools_listed else None,
        "severities": row.severities,
        "categories": row.counts,
        "scannedAt": moment(row.scanned_at) if row.scanned_at else None,
        "details": shapes.address("server", row.slug),
        "policy": shapes.address("policy", row.slug),
    }


def _asked(given: Given) -> QuerySet[CatalogServer]:
    rows = CatalogServer.objects.all()
    since = given.get("updated_since")
    if since is None and not given.get("include_deleted"):
        rows = rows.exclude(status=Status.DELETED)
    if since is not None:
        rows = rows.filter(updated_at__gte=since)
    if text := given.get("search"):
        rows = rows.filter(Q(registry_name__icontains=text) | Q(slug__icontains=text))
    return rows


def _named(namespace: str, server: str, given: Given) -> CatalogServer:
    """Http404 where there is none."""
    name = Q(registry_name=f"{namespace}/{server}")
    if namespace == namespace_of_ours():
        name |= Q(slug=server, registry_name="")
    rows = CatalogServer.objects.filter(name).order_by("-updated_at")
    if not given.get("include_deleted"):
        rows = rows.exclude(status=Status.DELETED)
    row = rows.first()
    if row is None:
        raise Http404
    return row


def _listed(rows: list[CatalogServer], cursor: str | None) -> dict[str, Any]:
    metadata: dict[str, Any] = {"count": len(rows)}
    if cursor:
        metadata["nextCursor"] = cursor
    return {"servers": [record(row) for row in rows], "metadata": metadata}
